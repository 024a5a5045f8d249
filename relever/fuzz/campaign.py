"""A campaign: examples one after the other, each a plan from its own seed, and what came of them.

An example is known by the campaign's seed, the machine and its number alone: who plays it, beside
what, changes nothing. So two runs of one seed have the same log, and a longer one only goes on.
"""

from __future__ import annotations

import gc
import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from random import Random

from relever.fuzz import machine, replicas
from relever.fuzz.actions.planner import Planner
from relever.fuzz.findings import Finding
from relever.fuzz.invariants import Rules
from relever.fuzz.liveness import check_liveness
from relever.fuzz.pipe import Remote
from relever.fuzz.player import Player, Violation
from relever.fuzz.script import End, Line
from relever.fuzz.shrink import shrunk
from relever.fuzz.stage import Stage, set_up
from relever.fuzz.states import STATES, before
from relever.fuzz.tally import Tally
from relever.model.parts import Parts
from relever.model.protocol import Step

BULK, SINGLE = "bulk", "single"
# Steps of an example, and examples that Hypothesis draws from one seed.
LENGTH, DRAWN = 60, 8
# In the end of one of so many examples all views are compared, which costs as much as it does.
VIEWS = 8
# An ID, its sentence, and what was found.
Said = tuple[str, str, str]
RULES = Rules()
# Where the chain in this process and the node do not agree.
ENGINE = "ENGINE"


@dataclass(frozen=True)
class Settings:
    """How examples are played.

    `mode` is "bulk", in this process, or "single", on a forked Anvil; `compare` is whether the
    model is held against the chain; `replica` is the broken variant that is played on, if any.
    """

    seed: int = 0
    machine: str = "protocol"
    mode: str = BULK
    compare: bool = True
    length: int = LENGTH
    replica: int | None = None


@dataclass(frozen=True)
class Budget:
    """How many examples are played: so many, or as many as begin in so many seconds."""

    examples: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        if (self.examples is None) == (self.seconds is None):
            raise ValueError("a budget is either examples or seconds: give one of them")

    def numbers(self, clock: Callable[[], float] = time.monotonic) -> Iterator[int]:
        """Of the examples, while it lasts; time is counted from when the first is asked for."""
        if self.examples is not None:
            yield from range(self.examples)
        if self.seconds is not None:
            end = clock() + self.seconds
            for number in count():
                if clock() >= end:
                    return
                yield number


@dataclass(frozen=True)
class Example:
    """What came of one: its counts, and a line for the log, which tells no time."""

    number: int
    tally: Tally
    line: str


class Campaign:
    """Plays examples of one setting on one stage; see `opened`."""

    def __init__(self, stage: Stage, settings: Settings, on_node: Player) -> None:
        """`on_node` plays on a forked Anvil: all of them, or again what broke elsewhere."""
        self.stage, self.settings, self.on_node = stage, settings, on_node
        self._remote: Remote | None = None
        self._in_process: Player | None = None

    @property
    def player(self) -> Player:
        """Who plays in this process, where that is asked for, or on Anvil."""
        if self.settings.mode == SINGLE:
            return self.on_node
        if self._in_process is None:
            self._in_process = Player(self.stage, self.stage.in_process(), self.settings.compare)
        return self._in_process

    def close(self) -> None:
        """End the process that plays."""
        if self._remote is not None:
            self._remote.close()
            self._remote = None

    def example(self, number: int) -> Example:
        """Play one."""
        (example,) = self.examples([number])
        return example

    def examples(self, numbers: Iterable[int]) -> Iterator[Example]:
        """Play some. What breaks in another process is played again on Anvil, and made small.

        Raises `PipeError` when the process that plays is gone.
        """
        if self.settings.mode == SINGLE:
            for number in numbers:
                yield self._drawn(number)
            return
        if self._remote is None:
            self._remote = Remote(self.settings.replica, self.settings.compare)
        # One is written while the one before it is played.
        waiting: tuple[int, Record] | None = None
        for number in numbers:
            record = self._written(number)
            self._remote.send(record.lines, record.end)
            if waiting is not None:
                yield self._played(self._remote, *waiting)
            waiting = number, record
        if waiting is not None:
            yield self._played(self._remote, *waiting)

    def _written(self, number: int) -> Record:
        settings = self.settings
        author = self.stage.author(self.stage.hot)
        author.begin()
        planner = Planner(author.model, Random(self._seed(number)), settings.machine)
        record = Record(author.model.parts)
        record.begin()
        for _ in range(settings.length):
            record.saw(author.write(planner.next()))
        record.end = author.end(whole=number % VIEWS == 0)
        return record

    def _played(self, remote: Remote, number: int, record: Record) -> Example:
        broke = remote.receive()
        if broke is None:
            return record.example(number)
        steps = [line.step for line in record.lines[: broke.steps + 1]]
        found = self._finding(Violation(broke.identifier, broke.sentence, broke.found), steps)
        return record.example(number, broke.steps, self._told(found, number))

    def _drawn(self, number: int) -> Example:
        """So many examples of Hypothesis's make one of ours: its first is always the simplest."""
        settings, player = self.settings, self.on_node
        seed = hashlib.sha256(self._seed(number).encode()).digest()
        drawn = int.from_bytes(seed[:8], "big")
        record = Record(player.model.parts)
        try:
            machine.run(player, settings.machine, drawn, DRAWN, settings.length, record)
        except machine.Broken as broken:
            violation = broken.violation
            said = violation.identifier, violation.sentence, violation.found
            return record.example(number, None, self._told((said, broken.steps), number))
        return record.example(number)

    def _seed(self, number: int) -> str:
        return f"{self.settings.seed}-{self.settings.machine}-{number}"

    def breaks(self, player: Player, steps: Sequence[Step]) -> Violation | None:
        """What a sequence breaks, from the stage's state on."""
        player.begin()
        done = 0
        try:
            for step in steps:
                player.play(step)
                done += 1
            player.settle()
            check_liveness(player.actor)
        except Violation as violation:
            violation.steps = done
            return violation
        except LookupError:
            # It leaves out what a later step acts on.
            return None
        return None

    def _finding(self, violation: Violation, steps: list[Step]) -> tuple[Said, list[Step]]:
        """What broke, and the fewest steps that break the same sentence on Anvil."""
        identifier = violation.identifier

        def same(player: Player, fewer: Sequence[Step]) -> bool:
            found = self.breaks(player, fewer)
            return found is not None and found.identifier == identifier

        if not same(self.on_node, steps):
            told = f"In this process {identifier} does not hold; there it does: {violation.found}"
            return (ENGINE, "Anvil and the EVM in this process agree.", told), steps
        fewest = shrunk(steps, lambda fewer: same(self.player, fewer))
        again = self.breaks(self.on_node, fewest)
        if again is not None and again.identifier == identifier:
            # Leaving out may have brought it forward.
            return (identifier, again.sentence, again.found), fewest[: (again.steps or 0) + 1]
        return (identifier, violation.sentence, violation.found), steps

    def _told(self, broken: tuple[Said, Sequence[Step]], number: int) -> Finding:
        settings = self.settings
        return Finding.of(
            *broken,
            machine=settings.machine,
            seed=settings.seed,
            example=number,
            replica=settings.replica,
            compare=settings.compare,
        )


class Record:
    """What is counted of lines as they are written or played."""

    end: End

    def __init__(self, parts: Parts) -> None:
        self._parts, self._before = parts, before(parts)
        self._examples = 0
        self.lines: list[Line] = []
        # In which example a state was reached, and by which line first.
        self._reached: dict[tuple[int, str], int] = {}

    def begin(self) -> None:
        """An example begins."""
        self._examples += 1
        self._before = before(self._parts)

    def saw(self, line: Line) -> None:
        """Another line."""
        done = line.step.action if line.outcome.refused is None else None
        parts, reached, example = self._parts, self._reached, self._examples
        for state, holds in STATES.items():
            if (example, state) not in reached and holds(done, parts, self._before):
                reached[example, state] = len(self.lines)
        self.lines.append(line)
        self._before = before(parts)

    def example(
        self, number: int, steps: int | None = None, finding: Finding | None = None
    ) -> Example:
        """All of it, or the first so many steps."""
        lines = self.lines[:steps]
        tally, digest = Tally(self._examples, len(lines)), hashlib.sha256()
        for line in lines:
            action, refused = line.step.action, line.outcome.refused
            if refused is None:
                tally.done[action.name] += 1
            else:
                tally.refused[action.name] += 1
                tally.reasons[f"{action.name}: {refused}"] += 1
            told = action, line.step.seconds, line.step.blocks, line.outcome
            digest.update(repr(told).encode())
        for (_, state), first in self._reached.items():
            tally.states[state] += first < len(lines)
        for counts, done in ((tally.done, True), (tally.refused, False)):
            for name, times in counts.items():
                for rule in RULES.relevant(name, done):
                    tally.checked[rule.identifier] += times
        if finding is not None:
            tally.findings.append(finding)
        found = "nothing broken" if finding is None else finding.identifier
        summary = (
            f"example {number}: {tally.steps} steps, {tally.refused.total()} refused, {found},"
            f" {digest.hexdigest()[:16]}"
        )
        return Example(number, tally, summary)


@contextmanager
def staged(replica: int | None) -> Iterator[Stage]:
    """A stage, of a replica if there is a number. Raises `replicas.ReplicaError`."""
    with ExitStack() as stack:
        if replica is not None:
            stack.enter_context(replicas.deploying(replica))
        stage = stack.enter_context(set_up())
        # What stands until the end is not looked through for garbage again and again.
        gc.collect()
        gc.freeze()
        yield stage


@contextmanager
def opened(settings: Settings) -> Iterator[Campaign]:
    """A campaign with a stage of its own. Raises `replicas.ReplicaError` for an unknown replica."""
    with staged(settings.replica) as stage, stage.forked() as chain:
        campaign = Campaign(stage, settings, Player(stage, chain, settings.compare))
        try:
            yield campaign
        finally:
            campaign.close()
