"""Hypothesis's state machine over the whole protocol: it draws, and by that the planner plans."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from relever.fuzz.actions.planner import Planner
from relever.fuzz.invariants import Seen
from relever.fuzz.player import Player
from relever.model.protocol import Step


def machine(
    player: Player,
    name: str,
    seen: Callable[[Seen], None],
    end: Callable[[list[Step]], None],
) -> type[RuleBasedStateMachine]:
    """The machine of a player.

    Args:
        player: whoever plays the steps.
        name: which of the planner's machines it is.
        seen: is told each step and what came of it.
        end: is told the steps of an example in its end; raises where that shows something broken.
    """

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            player.begin()
            self._planner = Planner(player.model, Random(0), name)
            self._steps: list[Step] = []

        @rule(draw=st.randoms(use_true_random=False))
        def step(self, draw: Random) -> None:
            self._planner.draw = draw
            self._steps.append(self._planner.next())
            seen(player.play(self._steps[-1]))

        def teardown(self) -> None:
            end(self._steps)

    return Machine
