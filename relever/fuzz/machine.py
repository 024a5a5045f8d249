"""Hypothesis's state machine over the whole protocol: it draws, and by that the planner plans."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from random import Random
from typing import Protocol

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants, constants_from_module
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from relever import model
from relever.fuzz.actions.planner import Planner
from relever.fuzz.liveness import check_liveness
from relever.fuzz.player import Player, Violation
from relever.fuzz.script import Line
from relever.model.protocol import Step


@cache
def steady_constants() -> None:
    """Let Hypothesis mix in the constants of the models, and no others.

    By itself it takes those of all our modules that happen to be loaded: what a state machine does
    would depend on what else the process has done.
    """
    constants = Constants()
    for module in iter_modules(model.__path__, f"{model.__name__}."):
        constants |= constants_from_module(import_module(module.name))
    providers._get_local_constants = lambda: constants


class Listener(Protocol):
    """Who is told what is played."""

    def begin(self) -> None: ...
    def saw(self, line: Line) -> None: ...


class Broken(Exception):
    """A sentence did not hold; these are the fewest steps that Hypothesis found to break it."""

    def __init__(self, violation: Violation, steps: list[Step]) -> None:
        super().__init__(str(violation))
        self.violation, self.steps = violation, steps


def run(
    player: Player,
    name: str,
    number: int,
    examples: int,
    steps: int,
    listener: Listener,
) -> None:
    """Play so many examples of so many steps.

    Args:
        player: whoever plays the steps.
        name: which of the planner's machines it is.
        number: of the seed.
        listener: is told when an example begins, and each step and what came of it.

    Raises:
        Broken: what broke, made small.
    """
    last: list[Step] = []

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            listener.begin()
            player.begin()
            last.clear()
            self._planner = Planner(player.model, Random(0), name)

        @rule(draw=st.randoms(use_true_random=False))
        def step(self, draw: Random) -> None:
            self._planner.draw = draw
            last.append(self._planner.next())
            player.play(last[-1])
            assert player.last is not None
            listener.saw(player.last)

        def teardown(self) -> None:
            player.settle()
            check_liveness(player.actor)

    steady_constants()
    try:
        run_state_machine_as_test(
            seed(number)(Machine),
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                database=None,
                phases=[Phase.generate, Phase.shrink],
                verbosity=Verbosity.quiet,
                suppress_health_check=list(HealthCheck),
            ),
        )
    except Violation as violation:
        raise Broken(violation, list(last)) from violation
