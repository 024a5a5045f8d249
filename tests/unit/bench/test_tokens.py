"""What the play of the leveraged tokens takes for wrong."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from bench.tokens import judge
from relever.protocol import WAD
from relever.risk.leveraged import Point, Rebalance, Track
from relever.risk.paths import weth_2025

POINT = Point(0, 0, 8 * WAD, 7 * WAD, 8 * WAD, 9 * WAD, WAD, WAD, False)
TOKEN: Any = SimpleNamespace()


def wrong(*points: Point, rebalances: tuple[Rebalance, ...] = ()) -> list[str]:
    """The last words of the sentences that do not hold."""
    track = Track("rLRT8", TOKEN, None, [POINT, *points], list(rebalances))
    return [check.sentence.split()[-1] for check in judge(track) if not check.ok]


def test_judge__in_the_band__nothing_is_wrong() -> None:
    assert wrong(replace(POINT, leverage=7 * WAD), replace(POINT, leverage=9 * WAD)) == []


def test_judge__out_of_the_band__somebody_must_be_served_or_it_comes_nearer() -> None:
    far = replace(POINT, leverage=9 * WAD + 1)
    assert wrong(far) == ["step"]
    assert wrong(replace(far, is_open=True)) == []
    farther = replace(far, leverage=10 * WAD, is_open=True)
    assert wrong(farther, far) == []
    assert wrong(farther, replace(farther, is_open=False)) == ["step"]


def test_judge__rebalance_above_its_bound__is_wrong() -> None:
    held = Rebalance(1, 10 * WAD, 8 * WAD, WAD // 100, WAD // 100)
    assert wrong(rebalances=(held,)) == []
    assert wrong(rebalances=(held, replace(held, lost=WAD // 100 + 1))) == ["bound"]


def test_judge__too_far_behind_the_ghost__is_wrong() -> None:
    behind = replace(POINT, value=94 * WAD // 100)
    assert wrong(behind) == []
    assert wrong(replace(behind, value=behind.value - 1)) == ["ghost"]
    # It comes back, but was too far.
    assert wrong(replace(behind, value=behind.value - 1), behind) == ["ghost"]


def test_weth_2025__as_published() -> None:
    days = weth_2025()
    assert len(days) == 61
    dearest = max(days, key=lambda day: day.borrow)
    assert days.index(dearest) == 21
    assert dearest.borrow == 66_483_292_300_000_000
    assert days[0].growth == 0
    assert all(day.growth > 0 for day in days[1:])
