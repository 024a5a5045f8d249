"""Plays steps: each is a transaction, the model's word on it, and every check.

A step that breaks something raises `Violation`. Nothing is checked against the model where
comparison is off; the model still says what is sensible to do next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from relever.chain import Chain
from relever.chain.revm import Revm
from relever.fuzz import views
from relever.fuzz.invariants import INVARIANTS, Facts, Invariant, Look, Rules, Seen
from relever.fuzz.mirror import Mirror
from relever.fuzz.script import End, Line
from relever.fuzz.sight import reader
from relever.fuzz.stage import Stage
from relever.fuzz.storage import Layout, differences
from relever.model.deployed import has_callback
from relever.model.protocol import Outcome, Protocol, Step

MODEL = "MODEL"


class Violation(Exception):
    """A sentence that does not hold: its ID, what it says, and what was found instead."""

    def __init__(self, identifier: str, sentence: str, found: str) -> None:
        super().__init__(f"{identifier}: {sentence} {found}")
        self.identifier, self.sentence, self.found = identifier, sentence, found
        # How many steps were fine before it, where that is known.
        self.steps: int | None = None


class Actor:
    """Does on a chain what is planned, and checks everything.

    `begin` goes back to the stage's state.
    """

    def __init__(
        self,
        stage: Stage,
        chain: Chain | Revm,
        start: tuple[list[int], Layout, list[int]],
        compare: bool = True,
        invariants: Sequence[Invariant] = INVARIANTS,
    ) -> None:
        """`start` is what the author says of the stage's state."""
        self.stage, self.chain, self.compare = stage, chain, compare
        self.rules = Rules(invariants)
        self.facts = Facts.of(stage)
        function = stage.look.function
        assert function is not None
        self._read = reader(function.outputs)
        self._mirror = Mirror(chain) if isinstance(chain, Chain) else None
        self._says, layout, words = start
        self._said = self._says
        self._start()
        self._first = self.look = self._look(chain.ask(stage.look), layout)
        if compare:
            self._compare(self._says, words)

    def begin(self) -> None:
        """Go back to the stage's state."""
        self.chain.revert(self._snapshot)
        self._start()
        self.look, self._said = self._first, self._says

    def _start(self) -> None:
        self.deployed = self.stage.deployed.on(self.chain)
        self._snapshot: Any = self.chain.snapshot()
        if self._mirror is not None:
            self._mirror.begin()

    def perform(self, step: Step, write: Callable[[], Line]) -> Seen:
        """Do it; what came of it. Raises `Violation`.

        Args:
            write: gives the line of the step, while the chain is at it.
        """
        deployed, written = self.deployed, list[Line]()
        if step.blocks:
            self.chain.advance(step.seconds, step.blocks)
        action = step.action
        call = deployed.call(action)
        logs, changes = has_callback(action), self._mirror is not None
        ran = self.chain.run(call, logs, lambda: written.append(write()), changes)
        (line,) = written
        if self._mirror is not None:
            assert ran.changed is not None
            self._mirror.write(ran.changed)
        outcome = deployed.outcome(action, call, ran)
        if self.compare:
            _compare_outcomes(line.outcome, outcome)
        before = self.look
        if outcome.refused is None or step.blocks:
            # A transaction that reverts changes nothing: that much is the EVM's own.
            self.look = self._look_when_changed(line)
            if self.compare:
                self._compare(line.says, line.words)
        seen = Seen(step, outcome, before, self.look, self.facts)
        broken = self.rules.broken(seen)
        if broken is not None:
            raise Violation(broken[0].identifier, broken[0].sentence, broken[1])
        return seen

    def settle(self, last: Line, end: End) -> None:
        """After the last line: words that were left out, and all views. Raises `Violation`."""
        if not self.compare:
            return
        self.look = self._look(self.chain.ask(self.stage.look), last.layout)
        self._compare(last.says, last.words)
        words = (self._mirror or self.chain).words(end.layout.places)
        if words != end.words:
            wrong = differences(end.layout, words, end.words)
            if wrong:
                raise Violation(MODEL, "The model predicts each word of storage.", _words(wrong))
        answers = self.deployed.read(end.views, end.state)
        different = {
            name: (answers[name], value)
            for name, value in end.state.items()
            if answers[name] != value
        }
        if different:
            raise Violation(MODEL, "The model predicts what each view answers.", _words(different))

    def _look_when_changed(self, line: Line) -> Look:
        """As `_look`, but the Lens is not asked where the model says that its answer is the same.

        What it would have said then it says the next time, and in the end.
        """
        if self.compare and line.says[2:] == self._said[2:]:
            self._said = line.says
            time, block = line.says[:2]
            sight = self.look.sight
            state = sight.state._replace(updated=time)
            return self._seen(sight._replace(time=time, block=block, state=state), line.layout)
        self._said = line.says
        return self._look(self.chain.ask(self.stage.look), line.layout)

    def _look(self, seen: bytes, layout: Layout) -> Look:
        return self._seen(self._read(seen), layout)

    def _seen(self, sight: Any, layout: Layout) -> Look:
        return Look(sight, (self._mirror or self.chain).words(layout.places), layout)

    def _compare(self, says: list[int], words: list[int]) -> None:
        """Every word of storage, and what the Lens says of it, to the unit."""
        look = self.look
        if look.words != words:
            wrong = differences(look.layout, look.words, words)
            if wrong:
                raise Violation(MODEL, "The model predicts each word of storage.", _words(wrong))
        if self._mirror is not None:
            unknown = self._mirror.unknown(self.stage.storage.covered)
            if unknown:
                raise Violation(MODEL, "No word is written that the model does not know.", unknown)
        found = views.found(look.sight)
        if found != says:
            both = zip(views.names(len(look.sight.adapters)), found, says, strict=True)
            differ = {name: (one, other) for name, one, other in both if one != other}
            raise Violation(MODEL, "The model predicts what the Lens says.", _words(differ))


class Player:
    """An author and an actor that go together, step by step."""

    def __init__(self, stage: Stage, chain: Chain | Revm, compare: bool = True) -> None:
        self.author = stage.author(stage.storage if isinstance(chain, Chain) else stage.hot)
        self.author.begin()
        self.actor = Actor(stage, chain, self.author.state(), compare)
        self.last: Line | None = None

    @property
    def model(self) -> Protocol:
        return self.author.model

    def begin(self) -> None:
        """Go back to the stage's state."""
        self.author.begin()
        self.actor.begin()
        self.last = None

    def play(self, step: Step) -> Seen:
        """Do it; what came of it. Raises `Violation`."""

        def write() -> Line:
            self.last = self.author.write(step)
            return self.last

        return self.actor.perform(step, write)

    def settle(self, whole: bool = True) -> None:
        """At the end of a sequence: words that were left out, and all views. Raises `Violation`.

        Args:
            whole: whether to look at all views.
        """
        if self.last is not None:
            self.actor.settle(self.last, self.author.end(whole))


def _compare_outcomes(expected: Outcome, found: Outcome) -> None:
    same = found.refused == expected.refused
    if not same or (expected.result is not None and found.result != expected.result):
        raise Violation(MODEL, "The model predicts each result.", _two(found, expected))


def _two(found: Outcome, expected: Outcome) -> str:
    return f"Found {found}, expected {expected}."


def _words(wrong: Mapping[str, tuple[Any, Any]]) -> str:
    said = [f"{name}: found {found}, expected {right}" for name, (found, right) in wrong.items()]
    return "; ".join(said) + "."
