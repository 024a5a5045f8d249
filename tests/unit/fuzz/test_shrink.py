"""Sequences are made as short as leaving out makes them."""

from __future__ import annotations

from collections.abc import Sequence

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

    assert shrunk(steps, breaks) == [step(1, 600), step(2)]


def test_shrunk__the_last_step_alone__is_kept() -> None:
    assert shrunk([step(0), step(1)], lambda _: True) == [step(1)]


def test_shrunk__plays_that_run_out__end_it() -> None:
    played: list[int] = []

    def breaks(fewer: Sequence[Step]) -> bool:
        played.append(len(fewer))
        return False

    steps = [step(number) for number in range(60)]
    assert shrunk(steps, breaks, most=10) == steps
    assert len(played) == 10
