"""The adaptive curve from its published mathematics, in 60 digits: no code, no polynomial, no WAD.

Rates are parts per year, times seconds. Around a target use of nine tenths the borrow rate is
`curve`; the rate at target grows by e to the 50 times deviation and years, within its least and its
most; over a period the mean of its start, its end and twice its middle counts; and interest
compounds by the exponential's terms up to the third.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, localcontext

DIGITS = 60
YEAR = 365 * 86_400
SPEED = 50
TARGET = Decimal("0.9")
STEEPNESS = 4
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")
LEAST, MOST, INITIAL = Decimal("0.001"), Decimal(2), Decimal("0.04")


@contextmanager
def exact() -> Iterator[None]:
    """All of this is meant to run inside."""
    with localcontext(prec=DIGITS):
        yield


def deviation(borrowed: int, supplied: int) -> Decimal:
    """Signed distance of use from its target, as a part of what there is on that side."""
    use = Decimal(borrowed) / supplied if supplied else Decimal(0)
    return (use - TARGET) / (1 - TARGET if use > TARGET else TARGET)


def curve(at_target: Decimal, away: Decimal) -> Decimal:
    """The borrow rate: `STEEPNESS` times the rate at target at full use, its inverse at none."""
    slope = STEEPNESS - 1 if away >= 0 else 1 - Decimal(1) / STEEPNESS
    return at_target * (1 + slope * away)


def drifted(at_target: Decimal, away: Decimal, seconds: Decimal | int) -> Decimal:
    """The rate at target after a time at one deviation."""
    return min(max(at_target * (SPEED * away * seconds / YEAR).exp(), LEAST), MOST)


@dataclass(frozen=True)
class Period:
    """What a period brings that starts with a rate at target and keeps its use."""

    average: Decimal  # the borrow rate
    end: Decimal  # the rate at target afterwards
    growth: Decimal  # interest on one


def period(at_target: Decimal, borrowed: int, supplied: int, seconds: int) -> Period:
    away = deviation(borrowed, supplied)
    middle = drifted(at_target, away, Decimal(seconds) / 2)
    end = drifted(at_target, away, seconds)
    average = curve((at_target + 2 * middle + end) / 4, away)
    return Period(average, end, compounded(average * seconds / YEAR))


def compounded(x: Decimal) -> Decimal:
    """e**x - 1 to the third order."""
    return x + x**2 / 2 + x**3 / 6


def cosine(x: Decimal) -> Decimal:
    """By its series; a few units of the last digit off, for no more than a turn."""
    total = term = Decimal(1)
    order = 0
    while abs(term) > Decimal(10) ** -DIGITS:
        order += 2
        term *= -x * x / (order * (order - 1))
        total += term
    return total


def interpolation(points: list[Decimal], values: list[Decimal]) -> list[Decimal]:
    """Coefficients, from the constant up, of the polynomial with these values at these points."""
    divided = list(values)
    for order in range(1, len(points)):
        for i in range(len(points) - 1, order - 1, -1):
            divided[i] = (divided[i] - divided[i - 1]) / (points[i] - points[i - order])
    rising = [divided[-1]]
    for point, value in zip(points[-2::-1], divided[-2::-1], strict=True):
        shifted = [Decimal(0), *rising]
        rising = [a - point * b for a, b in zip(shifted, [*rising, Decimal(0)], strict=True)]
        rising[0] += value
    return rising
