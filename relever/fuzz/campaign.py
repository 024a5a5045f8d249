"""A campaign: examples one after the other, each a plan from its own seed, and what came of them.

An example is known by the campaign's seed, the machine and its number alone: who plays it, beside
what, changes nothing. So two runs of one seed have the same log, and a longer one only goes on.
"""

from __future__ import annotations

import gc
import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from random import Random

from relever.fuzz import machine, replicas
from relever.fuzz.actions.planner import Planner
from relever.fuzz.findings import Finding
from relever.fuzz.invariants import Seen
from relever.fuzz.liveness import check_liveness
from relever.fuzz.player import Player, Violation
from relever.fuzz.shrink import shrunk
from relever.fuzz.stage import Stage, set_up
from relever.fuzz.states import STATES
from relever.fuzz.tally import Tally
from relever.model.protocol import Step

BULK, SINGLE = "bulk", "single"
# Steps of an example, and examples that Hypothesis draws from one seed.
LENGTH, DRAWN = 60, 8
# In the end of one of so many examples all views are compared, which costs as much as it does.
VIEWS = 8
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
        """`on_node` plays on a forked Anvil: all of them, or again what broke in this process."""
        self.stage, self.settings, self.on_node = stage, settings, on_node
        self.player = on_node
        if settings.mode == BULK:
            self.player = Player(stage, stage.in_process(), settings.compare)

    def example(self, number: int) -> Example:
        """Play one. What breaks in this process is played again on Anvil, and made small."""
        record = Record(self.player)
        seed = f"{self.settings.seed}-{self.settings.machine}-{number}"
        if self.settings.mode == BULK:
            self._plan_and_play(record, seed, number)
        else:
            self._draw_and_play(record, seed, number)
        return record.example(number)

    def _plan_and_play(self, record: Record, seed: str, number: int) -> None:
        settings, player = self.settings, self.player
        record.begin()
        player.begin()
        planner = Planner(player.model, Random(seed), settings.machine)
        steps: list[Step] = []
        try:
            for _ in range(settings.length):
                steps.append(planner.next())
                record.saw(player.play(steps[-1]))
            player.settle(whole=number % VIEWS == 0)
            check_liveness(player)
        except Violation as violation:
            record.found(self._finding(violation, steps, number))

    def _draw_and_play(self, record: Record, seed: str, number: int) -> None:
        """So many examples of Hypothesis's make one of ours: its first is always the simplest."""
        settings, player = self.settings, self.player
        drawn = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big")
        try:
            machine.run(player, settings.machine, drawn, DRAWN, settings.length, record)
        except machine.Broken as broken:
            violation = broken.violation
            said = violation.identifier, violation.sentence, violation.found
            record.found(self._told(said, broken.steps, number))

    def breaks(self, player: Player, steps: Sequence[Step]) -> Violation | None:
        """What a sequence breaks, from the stage's state on."""
        player.begin()
        try:
            for step in steps:
                player.play(step)
            player.settle()
            check_liveness(player)
        except Violation as violation:
            return violation
        return None

    def _finding(self, violation: Violation, steps: list[Step], number: int) -> Finding:
        """What broke, by the fewest steps that break the same sentence on Anvil."""
        identifier = violation.identifier

        def same(player: Player, fewer: Sequence[Step]) -> bool:
            found = self.breaks(player, fewer)
            return found is not None and found.identifier == identifier

        broken = identifier, violation.sentence, violation.found
        if same(self.on_node, steps):
            fewest = shrunk(steps, lambda fewer: same(self.player, fewer))
            again = self.breaks(self.on_node, fewest)
            if again is not None and again.identifier == identifier:
                steps, broken = fewest, (identifier, again.sentence, again.found)
        else:
            told = f"In this process {identifier} does not hold; there it does: {violation.found}"
            broken = ENGINE, "Anvil and the EVM in this process agree.", told
        return self._told(broken, steps, number)

    def _told(self, broken: tuple[str, str, str], steps: Sequence[Step], number: int) -> Finding:
        settings = self.settings
        return Finding.of(
            broken,
            steps,
            machine=settings.machine,
            seed=settings.seed,
            example=number,
            replica=settings.replica,
            compare=settings.compare,
        )


class Record:
    """What is counted while examples are played."""

    def __init__(self, player: Player) -> None:
        self._player, self._tally = player, Tally()
        self._reached: set[str] = set()
        self._digest = hashlib.sha256()

    def begin(self) -> None:
        """An example begins."""
        self._tally.examples += 1
        self._tally.states.update(self._reached)
        self._reached.clear()

    def saw(self, seen: Seen) -> None:
        """A step was played."""
        tally, name, refused = self._tally, seen.action.name, seen.outcome.refused
        tally.steps += 1
        if refused is None:
            tally.done[name] += 1
        else:
            tally.refused[name] += 1
            tally.reasons[f"{name}: {refused}"] += 1
        parts, reached = self._player.model.parts, self._reached
        for state, holds in STATES.items():
            if state not in reached and holds(seen, parts):
                reached.add(state)
        told = seen.action, seen.step.seconds, seen.step.blocks, seen.outcome
        self._digest.update(repr(told).encode())

    def found(self, finding: Finding) -> None:
        """Something is broken; nothing is played after it."""
        self._tally.findings.append(finding)

    def example(self, number: int) -> Example:
        """All of it."""
        tally = self._tally
        tally.states.update(self._reached)
        tally.checked = self._player.checked()
        found = "; ".join(finding.identifier for finding in tally.findings) or "nothing broken"
        line = (
            f"example {number}: {tally.steps} steps, {tally.refused.total()} refused, {found},"
            f" {self._digest.hexdigest()[:16]}"
        )
        return Example(number, tally, line)


@contextmanager
def opened(settings: Settings) -> Iterator[Campaign]:
    """A campaign with a stage of its own. Raises `replicas.ReplicaError` for an unknown replica."""
    with ExitStack() as stack:
        if settings.replica is not None:
            stack.enter_context(replicas.deploying(settings.replica))
        stage = stack.enter_context(set_up())
        chain = stack.enter_context(stage.forked())
        # What stands until the end is not looked through for garbage again and again.
        gc.collect()
        gc.freeze()
        yield Campaign(stage, settings, Player(stage, chain, settings.compare))
