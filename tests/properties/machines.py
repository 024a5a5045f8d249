"""What state machines share that hold contracts against an exact integer model.

Each action is done on the chain and on a copy of the model: both succeed, or both refuse for one
reason. Afterwards everything that the contracts say of themselves is compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from relever.chain import Chain, Receipt, Revert
from relever.model.refused import Refused

M = TypeVar("M")


@dataclass(frozen=True)
class Done:
    """An action that succeeded: what the contract and the model answered, and what was mined."""

    answer: Any
    model: Any
    receipt: Receipt


class ModelMachine(RuleBasedStateMachine, Generic[M]):
    """One chain, one model, and counts of what was reached."""

    chain: Chain
    model: M
    reached: Counter[str]
    # What the contracts said of themselves last.
    seen: dict[str, Any]

    def act(
        self,
        what: str,
        function: Any,
        arguments: tuple[Any, ...],
        apply: Callable[[M], Any],
        sender: str,
    ) -> Done | None:
        """Call a contract's function and let the model do the same; None where both refuse."""
        trial, refused, expected = deepcopy(self.model), "", None
        try:
            expected = apply(trial)
        except Refused as refusal:
            refused = str(refusal)
        if refused:
            with pytest.raises(Revert) as failure:
                function(*arguments, sender=sender)
            assert failure.value.reason == refused, what
            self.reached[f"{what} refused: {refused}"] += 1
            self.look()
            return None
        answer = function.call(*arguments, sender=sender)
        receipt = function(*arguments, sender=sender)
        self.model = trial
        self.reached[what] += 1
        self.look()
        return Done(answer, expected, receipt)

    def said(self) -> Mapping[str, tuple[Any, tuple[Any, ...], Any]]:
        """By name: a function of a contract, its arguments, and what the model says it answers."""
        raise NotImplementedError

    def look(self) -> None:
        """Ask the contracts for everything, and compare."""
        said = self.said()
        answers = self.chain.read_batch([read.build(*args) for read, args, _ in said.values()])
        self.seen = dict(zip(said, answers, strict=True))
        wrong = {
            name: (self.seen[name], expected)
            for name, (_, _, expected) in said.items()
            if self.seen[name] != expected
        }
        assert not wrong, f"found and expected: {wrong}"


def run(
    machine: Callable[[Counter[str]], RuleBasedStateMachine],
    examples: int,
    steps: int,
    must_reach: Mapping[str, int],
) -> None:
    """Play a machine from its seed; fail where something was reached less often than it must be."""
    reached: Counter[str] = Counter()
    # Hypothesis takes whatever makes a machine.
    run_state_machine_as_test(
        lambda: machine(reached),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    short = {what: reached[what] for what, least in must_reach.items() if reached[what] < least}
    assert not short, f"hardly reached: {short} of {dict(sorted(reached.items()))}"
