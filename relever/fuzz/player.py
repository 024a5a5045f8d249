"""Plays steps: each is a transaction, the model's word on it, and every check.

A step that breaks something raises `Violation`. Nothing is checked against the model where
comparison is off; the model still says what is sensible to do next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from relever.chain import Chain
from relever.chain.revm import Revm
from relever.fuzz import views
from relever.fuzz.invariants import INVARIANTS, Facts, Invariant, Look, Rules, Seen
from relever.fuzz.mirror import Mirror
from relever.fuzz.sight import reader
from relever.fuzz.stage import Stage
from relever.fuzz.storage import differences
from relever.model.deployed import has_callback
from relever.model.protocol import Outcome, Step

MODEL = "MODEL"


class Violation(Exception):
    """A sentence that does not hold: its ID, what it says, and what was found instead."""

    def __init__(self, identifier: str, sentence: str, found: str) -> None:
        super().__init__(f"{identifier}: {sentence} {found}")
        self.identifier, self.sentence, self.found = identifier, sentence, found


class Player:
    """One chain and one model, which go together step by step from the stage's state.

    `begin` goes back to that state; a `with` block leaves the chain as it was.
    """

    def __init__(
        self,
        stage: Stage,
        chain: Chain | Revm,
        compare: bool = True,
        invariants: Sequence[Invariant] = INVARIANTS,
    ) -> None:
        self.stage, self.chain, self.compare = stage, chain, compare
        self.model = stage.model
        self.storage = stage.storage if isinstance(chain, Chain) else stage.hot
        self.rules = Rules(invariants)
        self.facts = Facts.of(stage)
        # How often what was done or refused, which tells how often each sentence was checked.
        self._played: Counter[tuple[str, bool]] = Counter()
        function = stage.look.function
        assert function is not None
        self._read = reader(function.outputs)
        self._mirror = Mirror(chain) if isinstance(chain, Chain) else None
        self._snapshot: Any = None
        self._says = views.expected(self.model.parts)
        self._start()
        self._first = self.look = self._look(chain.ask(stage.look))
        self._first_says = self._says

    def checked(self) -> Counter[str]:
        """How often each sentence was asked of a step that it is about, since this was asked."""
        found: Counter[str] = Counter()
        for kind, times in self._played.items():
            for invariant in self.rules.relevant(*kind):
                found[invariant.identifier] += times
        self._played.clear()
        return found

    def begin(self) -> None:
        """Go back to the stage's state."""
        self.chain.revert(self._snapshot)
        self._start()
        self.look, self._says = self._first, self._first_says

    def _start(self) -> None:
        self.stage.begin.restore()
        self.deployed = self.stage.deployed.on(self.chain)
        self._snapshot = self.chain.snapshot()
        if self._mirror is not None:
            self._mirror.begin()

    def play(self, step: Step) -> Seen:
        """Do it; what came of it. Raises `Violation`."""
        model, deployed = self.model, self.deployed
        if step.seconds or step.blocks:
            model.advance(step.seconds, step.blocks)
            self.chain.advance(step.seconds, step.blocks)
        action = step.action
        call = deployed.call(action)
        logs = has_callback(action)
        if self._mirror is None:
            ran = self.chain.run(call, logs=logs)
        else:
            ran = self.chain.run(call, self.stage.look, logs)
            assert ran.changed is not None
            self._mirror.write(ran.changed)
        outcome = deployed.outcome(action, call, ran)
        # Where the chain has done it and the model refuses, comparison ends the sequence.
        expected = model.step(action, undo=not self.compare or outcome.refused is not None)
        if self.compare:
            self._compare_outcomes(expected, outcome)
        if action.name == "factory.create_market" and outcome.refused is None:
            for storage in (self.stage.storage, self.stage.hot):
                storage.learn(outcome.result, deployed.addresses[outcome.result])
        before = self.look
        # A transaction that reverts changes nothing: that much is the EVM's own.
        if self._mirror is not None:
            self.look = self._look(ran.seen)
        elif outcome.refused is None or step.blocks:
            self.look = self._look_when_changed()
        if self.compare and self.look is not before:
            self._compare()
        seen = Seen(step, outcome, before, self.look, self.facts)
        kind = action.name, outcome.refused is None
        self._played[kind] += 1
        for invariant in self.rules.relevant(*kind):
            broken = invariant.check(seen)
            if broken is not None:
                raise Violation(invariant.identifier, invariant.sentence, broken)
        return seen

    def settle(self, whole: bool = True) -> None:
        """At the end of a sequence: words that were left out, and all views. Raises `Violation`.

        Args:
            whole: whether to look at all views.
        """
        if not self.compare:
            return
        parts = self.model.parts
        self.look = self._look(self.chain.ask(self.stage.look))
        self._compare()
        places, expected = self.stage.storage.expected(parts)
        words = (self._mirror or self.chain).words(places)
        if words != expected:
            wrong = differences(self.stage.storage, words, expected)
            if wrong:
                raise Violation(MODEL, "The model predicts each word of storage.", _words(wrong))
        if not whole:
            return
        state = self.model.state()
        answers = self.deployed.read(self.model.views(), state)
        different = {n: (answers[n], value) for n, value in state.items() if answers[n] != value}
        if different:
            raise Violation(MODEL, "The model predicts what each view answers.", _words(different))

    def _look_when_changed(self) -> Look:
        """As `_look`, but the Lens is not asked where the model says that its answer is the same.

        What it would have said then it says the next time, and in the end.
        """
        last = self._says
        if self.compare:
            self._says = views.expected(self.model.parts)
            if self._says[2:] == last[2:]:
                time, block = self._says[:2]
                state = self.look.sight.state._replace(updated=time)
                return self._seen(self.look.sight._replace(time=time, block=block, state=state))
        return self._look(self.chain.ask(self.stage.look))

    def _look(self, seen: bytes) -> Look:
        return self._seen(self._read(seen))

    def _seen(self, sight: Any) -> Look:
        places, self._expected = self.storage.expected(self.model.parts)
        return Look(sight, (self._mirror or self.chain).words(places), self.storage)

    def _compare_outcomes(self, expected: Outcome, found: Outcome) -> None:
        same = found.refused == expected.refused
        if not same or (expected.result is not None and found.result != expected.result):
            raise Violation(MODEL, "The model predicts each result.", _two(found, expected))

    def _compare(self) -> None:
        """Every word of storage, and what the Lens says of it, to the unit."""
        look = self.look
        if look.words != self._expected:
            wrong = differences(self.storage, look.words, self._expected)
            if wrong:
                raise Violation(MODEL, "The model predicts each word of storage.", _words(wrong))
        if self._mirror is not None:
            unknown = self._mirror.unknown(self.storage.covered)
            if unknown:
                raise Violation(MODEL, "No word is written that the model does not know.", unknown)
        self._says = views.expected(self.model.parts)
        said = views.found(look.sight)
        if said != self._says:
            both = zip(views.names(self.model.parts), said, self._says, strict=True)
            wrong = {name: (found, right) for name, found, right in both if found != right}
            raise Violation(MODEL, "The model predicts what the Lens says.", _words(wrong))


def _two(found: Outcome, expected: Outcome) -> str:
    return f"Found {found}, expected {expected}."


def _words(wrong: Mapping[str, tuple[Any, Any]]) -> str:
    said = [f"{name}: found {found}, expected {right}" for name, (found, right) in wrong.items()]
    return "; ".join(said) + "."
