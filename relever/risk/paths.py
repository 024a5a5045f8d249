"""What the market pays for the LRT, along time."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path

from relever.protocol import WAD

MINUTE = 60
HOUR = 3_600
DAY = 86_400


@dataclass(frozen=True)
class Moment:
    """The market's discount to the fundamental price, in WAD, some seconds after the start."""

    seconds: int
    discount: int


def straight(corners: Sequence[tuple[int, int]], every: int) -> list[Moment]:
    """Moments on straight lines between corners, each after the first corner.

    Args:
        corners: seconds and discount in WAD, in order of time.
        every: seconds from moment to moment.

    Raises:
        ValueError: a stretch is not a whole number of moments.
    """
    moments = []
    for (start, before), (end, after) in pairwise(corners):
        if start >= end or (end - start) % every:
            raise ValueError(f"{start} s to {end} s is no whole number of steps of {every} s")
        for time in range(start + every, end + 1, every):
            moved = (after - before) * (time - start) // (end - start)
            moments.append(Moment(time, before + moved))
    return moments


@cache
def ezeth_2024() -> tuple[Moment, ...]:
    """What ezETH's Chainlink feed said from 23 April 2024, 21:00 UTC on, for more than a day.

    Discounts to its answer before the fall, 1.0086 ETH, in moments of five minutes or fifteen, with
    two short gaps in the fall. Read off the chart of JavelinAnalytics/Balancer-ezETH-Depeg (feed
    0x636A000262F6aA9e1F094ABF0aD8f645C44f641C): to 0.002, on the steep part to 0.01, and to three
    minutes. The feed was below 0.8 between two samples; the lowest of these is 0.825.
    """
    with (Path(__file__).parent / "ezeth_2024_04.csv").open(encoding="utf-8", newline="") as file:
        rows = [(int(one["seconds"]), Fraction(one["answer"])) for one in csv.DictReader(file)]
    before = rows[0][1]
    return tuple(
        Moment(seconds, max(0, int((before - answer) * WAD / before))) for seconds, answer in rows
    )


# As ezETH fell on 24 April 2024, to 0.8 in twenty minutes; but it stays there for longer than that
# did, which is harder on rules that wait.
_FALL = [(0, 0), (20 * MINUTE, WAD // 5)]
DEPEG_THAT_HEALS = straight([*_FALL, (100 * MINUTE, WAD // 5), (120 * MINUTE, 0)], MINUTE)
DEPEG_THAT_STAYS = [
    *straight([*_FALL, (2 * HOUR, WAD // 5)], MINUTE),
    *straight([(2 * HOUR, WAD // 5), (2 * DAY, WAD // 5)], HOUR),
    *straight([(2 * DAY, WAD // 5), (22 * DAY, WAD // 5)], 4 * HOUR),
]


@dataclass(frozen=True)
class Day:
    """What WETH cost and wstETH earned on one day.

    Attributes:
        borrow: paid on WETH borrowed that day, WAD a year.
        growth: of a wstETH in stETH since the day before, in WAD; zero on the first day.
    """

    borrow: int
    growth: int


@cache
def weth_2025() -> tuple[Day, ...]:
    """61 days from 1 July 2025: WETH's rate at Aave v3 on Ethereum, by its borrow index.

    A large supplier left; the dearest day was 22 July, at 6.65 %. From Aavescan's exports of
    midnight snapshots, with the rate of wstETH, as committed in IggyIkenna/basis-strategy-v1.
    """
    with (Path(__file__).parent / "weth_rates_2025_07.csv").open(
        encoding="utf-8", newline=""
    ) as file:
        rows = [
            (Fraction(row["borrow_apr"]), Fraction(row["wsteth_rate"]))
            for row in csv.DictReader(file)
        ]
    before = [rows[0][1], *(rate for _, rate in rows)]
    return tuple(
        Day(int(borrow * WAD), int((rate / last - 1) * WAD))
        for (borrow, rate), last in zip(rows, before, strict=False)
    )
