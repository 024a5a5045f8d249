"""The adaptive curve of a lending market's interest, in integers.

The rate at target utilisation drifts up while the market is used more than the target and down
while it is used less; around it the curve reaches four times that rate at full use and a quarter at
none. The rate is kept as a code, log2(rate / MIN_RATE) * 2**28, so that a drift is a sum. Rates are
WAD a year. What is rounded, and how, is part of the market's description: an independent
calculation with many digits stands in the tests, not here.
"""

from __future__ import annotations

from relever.model.rounding import WAD

YEAR = 365 * 86_400

# 0.1 % a year is code 0, 200 % the largest, 4 % the first.
RATES_PER_WAD = 1_000
MAX_CODE = 2_943_605_304
INITIAL_CODE = 1_428_594_195
# Codes a year at full deviation: 50 / ln(2) * 2**28.
ADAPTATION = 19_363_525_058
# 2**x on [0, 1], from the highest power down.
POWER = (
    21_651_724_393_659,
    143_111_212_132_668,
    1_342_630_036_063_796,
    9_613_929_873_581_703,
    55_505_088_107_116_819,
    240_226_405_402_309_104,
    693_147_183_644_402_251,
    WAD,
)
# Two codes are added for their middle, which has a bit more.
SUM_BITS = 29
SUM_MASK = 2**SUM_BITS - 1
# Below this drift the mean of three rates is the middle one and a little more.
SMALL_DRIFT = 2**22
LN2_SQUARED = 480_453_013_918_201_424


def rate_between(code: int, other: int) -> int:
    """The yearly rate at target utilisation in the middle of two codes."""
    x = code + other & SUM_MASK
    power = 0
    for coefficient in POWER:
        power = coefficient + (power * x >> SUM_BITS)
    return (power << (code + other >> SUM_BITS)) // RATES_PER_WAD


def deviation(borrowed: int, supplied: int) -> int:
    """Signed distance from 90 % utilisation, WAD: -1 at no use, 1 at full use."""
    used, target = 10 * borrowed, max(9 * supplied, 1)
    if used >= target:
        return (used - target) * WAD // supplied
    return -((target - used) * WAD // target)


def average_rate(code: int, borrowed: int, supplied: int, elapsed: int) -> tuple[int, int]:
    """What borrowers pay on average over so many seconds, WAD a year, and the code afterwards.

    The mean of the rates at the start, at the end, and twice in the middle, each of them between
    the least and the most.
    """
    away = deviation(borrowed, supplied)
    drift = (abs(away) * elapsed * ADAPTATION + WAD * YEAR // 2) // (WAD * YEAR)
    moved = drift if away >= 0 else -drift
    curve = WAD + 3 * away if away >= 0 else WAD - (3 * -away >> 2)
    end = max(0, min(code + moved, MAX_CODE))
    middle = max(0, min(2 * code + moved, 2 * MAX_CODE))
    rate = rate_between(middle, 0)
    if end != code:
        if drift < SMALL_DRIFT and middle == code + end:
            rate += rate * (drift * drift * LN2_SQUARED >> 60) // WAD
        else:
            rate = (rate_between(code, code) + rate_between(end, end) + 2 * rate) >> 2
    return rate * curve // WAD, end


def borrow_rate(code: int, borrowed: int, supplied: int) -> int:
    """What borrowers pay at this moment, WAD a year."""
    return average_rate(code, borrowed, supplied, 0)[0]


def accrue(code: int, borrowed: int, supplied: int, elapsed: int) -> tuple[int, int]:
    """Interest over `elapsed` seconds, rounded down, and the code afterwards.

    Compounding is e**x - 1 to the third order.
    """
    rate, end = average_rate(code, borrowed, supplied, elapsed)
    x = rate * elapsed // YEAR
    growth = x + x * x * (x + 3 * WAD) // (6 * WAD * WAD)
    return borrowed * growth // WAD, end
