"""Sequences are made as short as leaving out makes them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from relever.fuzz.shrink import shrunk
from relever.model.protocol import Action, Step


def step(number: int, seconds: int = 0) -> Step:
    return Step(Action("vault.sync", str(number)), seconds, 1 if seconds else 0)


def who(steps: Sequence[Step]) -> list[str]:
    return [step.action.caller for step in steps]


def test_shrunk__three_of_sixty__are_left() -> None:
    steps = [step(number) for number in range(60)]

    def breaks(fewer: Sequence[Step]) -> bool:
        return {"7", "31", "59"} <= set(who(fewer))

    assert who(shrunk(steps, breaks)) == ["7", "31", "59"]


def test_shrunk__time__stays_where_it_matters() -> None:
    steps = [step(0, 60), step(1, 600), step(2)]

    def breaks(fewer: Sequence[Step]) -> bool:
        return sum(step.seconds for step in fewer) >= 600 and who(fewer)[-1] == "2"

    assert shrunk(steps, breaks) == [step(2, 600)]


def test_shrunk__a_step_that_names_a_time__comes_when_it_did() -> None:
    """What is left out leaves its time behind where that is needed."""
    steps = [step(0, 60), step(1), step(2, 600), step(3), step(4)]

    def breaks(fewer: Sequence[Step]) -> bool:
        return sum(step.seconds for step in fewer) == 660 and "3" in who(fewer)

    assert shrunk(steps, breaks) == [Step(step(3).action, 660, 2), step(4)]


def test_shrunk__the_last_step_alone__is_kept() -> None:
    assert shrunk([step(0), step(1)], lambda _: True) == [step(1)]


@pytest.mark.parametrize("most", [1, 7, 10])
def test_shrunk__plays_that_run_out__end_it(most: int) -> None:
    played: list[int] = []

    def breaks(fewer: Sequence[Step]) -> bool:
        played.append(len(fewer))
        return False

    steps = [step(number) for number in range(60)]
    assert shrunk(steps, breaks, most=most) == steps
    assert len(played) == most
