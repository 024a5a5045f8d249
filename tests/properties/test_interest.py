"""Interest against 60 digits: the curve, its code, the drift and the compounding."""

from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise

import pytest

from tests.properties.maths import MAX_112, WAD, Draw, Maths

EXAMPLES = 2_000
YEAR = 365 * 86_400
# Codes per doubling of the rate.
STEP = 2**28
MIN_RATE, MAX_RATE = Decimal("0.001"), Decimal(2)
# log2(2000) * 2**28, rounded down.
MAX_CODE = 2_943_605_304
TARGET = Fraction(9, 10)
# What the contract's polynomial for 2**x is off by, at most, as it says.
POWER_ERROR = Decimal("1e-10")
DIGITS = 60


@pytest.fixture(autouse=True)
def _digits() -> object:
    with localcontext(prec=DIGITS):
        yield


def at_target(code: int | Decimal) -> Decimal:
    """The yearly rate that a code stands for."""
    return MIN_RATE * Decimal(2) ** (Decimal(code) / STEP)


def deviation(borrowed: int, supplied: int) -> Fraction:
    """Signed distance of utilisation from its target, as a part of what there is on that side."""
    use = Fraction(borrowed, supplied) if supplied else Fraction(0)
    return (use - TARGET) / (1 - TARGET if use >= TARGET else TARGET)


def factor(away: Fraction) -> Fraction:
    """The curve: four times the rate at full use, a quarter at none."""
    return 1 + away * (3 if away >= 0 else Fraction(3, 4))


def decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / value.denominator


def pools(draw: Draw, count: int) -> list[tuple[int, int]]:
    """Borrowed and supplied: any, around the target, all and nothing."""
    drawn = []
    for _ in range(count):
        supplied = draw.amount(MAX_112)
        borrowed = draw.choice(
            (
                draw.randint(0, supplied),
                draw.near(supplied * 9 // 10, 0, supplied),
                supplied,
                draw.amount(supplied) if supplied else 0,
            )
        )
        drawn.append((borrowed, supplied))
    return drawn


def codes(draw: Draw, count: int) -> list[int]:
    return [
        draw.choice((draw.randint(0, MAX_CODE), draw.near(draw.randint(0, 10) * STEP, 0, MAX_CODE)))
        for _ in range(count)
    ]


def test_constants__stand_for_what_they_say(maths: Maths) -> None:
    least, most, start, speed = maths.read("constants")
    assert least == MIN_RATE * WAD
    assert most == MAX_CODE
    assert at_target(most) <= MAX_RATE < at_target(most + 1)
    assert abs(at_target(start) - Decimal("0.04")) < at_target(start + 1) - at_target(start)
    # e to the 50 in a year at full deviation, in doublings.
    assert abs(Decimal(speed) / STEP - 50 / Decimal(2).ln()) < Decimal(1) / STEP


def test_rate_at_target__power_of_two__is_met_to_ten_digits(maths: Maths) -> None:
    draw = Draw("codes")
    examples = [(code,) for code in [0, 1, MAX_CODE, *codes(draw, EXAMPLES)]]
    for (code,), rate in zip(examples, maths.ask("rate_at_target", examples), strict=True):
        exact = at_target(code) * WAD
        assert abs(rate - exact) <= exact * POWER_ERROR + 1, code
        assert MIN_RATE * WAD <= rate <= MAX_RATE * WAD * (1 + POWER_ERROR)


def test_rate_at_target__greater_codes__never_give_less(maths: Maths) -> None:
    """Also from one doubling to the next, where the polynomial starts anew."""
    draw = Draw("order")
    drawn = set(codes(draw, EXAMPLES))
    for doubling in range(1, 11):
        drawn.update(range(doubling * STEP - 50, doubling * STEP + 50))
    examples = [(code,) for code in sorted(drawn)]
    rates = list(maths.ask("rate_at_target", examples))
    assert all(less <= more for less, more in pairwise(rates))


def test_deviation__exact_ratio__is_met_to_the_last_digits(maths: Maths) -> None:
    """Utilisation is cut to 18 digits first, and above the target that counts tenfold."""
    examples = pools(Draw("deviation"), EXAMPLES)
    for (borrowed, supplied), got in zip(examples, maths.ask("deviation", examples), strict=True):
        exact = deviation(borrowed, supplied) * WAD
        assert -11 <= got - exact <= 3, (borrowed, supplied, got)
        assert -WAD <= got <= WAD
        assert (got >= 0) is (deviation(borrowed, supplied) >= 0) or abs(exact) < 11
    assert maths.read("deviation", 0, 0) == -WAD


def test_borrow_rate__curve__is_between_a_quarter_and_four_times(maths: Maths) -> None:
    draw = Draw("curve")
    examples = [
        (code, *pool)
        for code, pool in zip(codes(draw, EXAMPLES), pools(draw, EXAMPLES), strict=True)
    ]
    for (code, *pool), got in zip(examples, maths.ask("borrow_rate", examples), strict=True):
        base = at_target(code) * WAD
        exact = base * decimal(factor(deviation(*pool)))
        assert abs(got - exact) <= exact * POWER_ERROR + base * 40 / WAD + 2, (code, pool, got)
        assert base / 4 * (1 - POWER_ERROR) - 2 <= got <= base * 4 * (1 + POWER_ERROR) + 2


def test_borrow_rate__more_use__never_costs_less(maths: Maths) -> None:
    draw = Draw("use")
    for code in (0, 10**9, MAX_CODE):
        supplied = draw.amount(MAX_112, least=10**20)
        uses = sorted(borrowed for borrowed in (draw.randint(0, supplied) for _ in range(500)))
        rates = list(maths.ask("borrow_rate", [(code, use, supplied) for use in uses]))
        assert all(less <= more for less, more in pairwise(rates))


def drifts(draw: Draw) -> list[tuple[int, int, int]]:
    """Code, deviation and seconds, of all sizes."""
    return [
        (
            code,
            draw.choice((-1, 1)) * draw.choice((draw.amount(WAD), draw.randint(0, WAD))),
            draw.choice((12, draw.amount(YEAR), draw.amount(2**32 - 1))),
        )
        for code in codes(draw, EXAMPLES)
    ]


def test_drift__exact_sum__is_rounded_to_the_nearest_and_kept_in_range(maths: Maths) -> None:
    speed = maths.read("constants")[3]
    examples = drifts(Draw("drift"))
    moved = 0
    for (code, away, seconds), got in zip(examples, maths.ask("drift", examples), strict=True):
        exact = code + Fraction(away * seconds * speed, WAD * YEAR)
        expected = min(max(exact, Fraction(0)), Fraction(MAX_CODE))
        assert abs(got - expected) <= Fraction(1, 2), (code, away, seconds, got)
        moved += 0 < got < MAX_CODE and got != code
    assert moved > EXAMPLES // 4


def test_drift__up_and_down__are_mirrored(maths: Maths) -> None:
    examples = [(MAX_CODE // 2, away, min(s, 86_400)) for _, away, s in drifts(Draw("mirror"))]
    mirrored = [(code, -away, seconds) for code, away, seconds in examples]
    for up, down in zip(maths.ask("drift", examples), maths.ask("drift", mirrored), strict=True):
        assert up + down == MAX_CODE // 2 * 2


def model(code: int, borrowed: int, supplied: int, seconds: int) -> tuple[Decimal, Decimal, int]:
    """Interest, x = rate * time, and the code afterwards, as the module's words say it."""
    away = deviation(borrowed, supplied)
    speed = 50 / Decimal(2).ln() * STEP
    end = Decimal(code) + decimal(away) * seconds / YEAR * speed
    end = min(max(end, Decimal(0)), Decimal(MAX_CODE))
    middle = (code + end) / 2
    mean = (at_target(code) + 2 * at_target(middle) + at_target(end)) / 4
    x = mean * decimal(factor(away)) * seconds / YEAR
    return borrowed * (x + x**2 / 2 + x**3 / 6), x, round(end)


def accruals(draw: Draw) -> list[tuple[int, int, int, int]]:
    pooled = zip(codes(draw, EXAMPLES), pools(draw, EXAMPLES), strict=True)
    return [
        (code, *pool, draw.choice((1, 12, 3_600, draw.amount(YEAR), draw.amount(2**32 - 1))))
        for code, pool in pooled
    ]


def test_accrue__independent_model__agrees(maths: Maths) -> None:
    """Rates to ten digits and half a code, growth to 18 digits, interest to a unit."""
    examples = accruals(Draw("accrue"))
    answers = maths.ask("accrue", examples)
    some = 0
    for (code, borrowed, supplied, seconds), (earned, end) in zip(examples, answers, strict=True):
        interest, x, expected_end = model(code, borrowed, supplied, seconds)
        # Eleven digits of a deviation, over the whole time, and half a code.
        off = 1 + seconds * 11 * 614 // WAD + 1
        assert abs(end - expected_end) <= off, (code, borrowed, supplied, seconds)
        # d ln(interest) is at most (1 + x) d ln(rate), and interest of the third order at most 3.
        relative = 3 * (POWER_ERROR + Decimal(off) / STEP) + Decimal("4e-17")
        slack = interest * relative + borrowed * 4 * (1 + x + x**2) / WAD + 1
        assert abs(earned - interest) <= slack, (code, borrowed, supplied, seconds, earned)
        some += earned > 10**6
    assert some > EXAMPLES // 2


def test_accrue__true_compounding__is_missed_by_the_fourth_order_only(maths: Maths) -> None:
    """At a rate that stays: e**x - 1 is more, by at most e**x * x**4 / 24."""
    draw = Draw("compounding")
    examples = []
    for code in codes(draw, EXAMPLES):
        supplied = draw.randint(10**24, 10**30) * 10
        # At the target exactly, where nothing drifts.
        examples.append((code, supplied // 10 * 9, supplied, draw.amount(YEAR, least=1)))
    for (code, borrowed, _, seconds), (earned, end) in zip(
        examples, maths.ask("accrue", examples), strict=True
    ):
        assert end == code
        x = at_target(code) * seconds / YEAR
        true = borrowed * (x.exp() - 1)
        slack = true * 3 * POWER_ERROR + borrowed * 4 * (1 + x + x**2) / WAD + 1
        assert earned <= true + slack
        assert true - earned <= borrowed * x.exp() * x**4 / 24 + slack


def test_accrue__no_time_or_no_debt__earns_nothing(maths: Maths) -> None:
    draw = Draw("nothing")
    for code, (borrowed, supplied) in zip(codes(draw, 300), pools(draw, 300), strict=True):
        assert maths.read("accrue", code, borrowed, supplied, 0) == (0, code)
        assert maths.read("accrue", code, 0, supplied, 3_600)[0] == 0


def test_accrue__longer_or_more__never_earns_less(maths: Maths) -> None:
    draw = Draw("longer")
    for code, (borrowed, supplied) in zip(codes(draw, 6), pools(draw, 6), strict=True):
        times = sorted(draw.amount(YEAR) for _ in range(200))
        asked = [(code, borrowed, supplied, seconds) for seconds in times]
        earned = [interest for interest, _ in maths.ask("accrue", asked)]
        assert all(less <= more for less, more in pairwise(earned))


def test_accrue__widest_amounts__never_overflow(maths: Maths) -> None:
    examples = [
        (code, borrowed, MAX_112, 2**32 - 1)
        for code in (0, MAX_CODE)
        for borrowed in (0, 1, MAX_112 * 9 // 10, MAX_112)
    ]
    assert len(list(maths.ask("accrue", examples))) == len(examples)


@pytest.mark.parametrize(
    ("use", "tolerance"),
    [
        # Far from the target the rate moves much, and three points follow its curve.
        (100, "5e-4"),
        (95, "1e-4"),
        # At the target utilisation climbs with the interest, and the rate 30 times as fast.
        (90, "2e-4"),
        # A step of 12 seconds so near to it moves the code by nothing or by one.
        (90.001, "2e-4"),
        (80, "1e-5"),
        (0.1, "5e-4"),
    ],
)
def test_accrue__every_block_of_a_day__is_one_accrual(
    maths: Maths, use: float, tolerance: str
) -> None:
    """7,200 blocks of 12 seconds against one day; the tolerance is a part of the interest.

    Each step rounds the code to the nearest, so that it is at most half a step off each time.
    """
    code, supplied = 1_428_594_195, 10**27
    borrowed = int(Decimal(str(use)) * supplied / 100)
    interest, end = maths.read("accrue", code, borrowed, supplied, 86_400)
    owed, often_end = borrowed, code
    for _ in range(6):
        lent = supplied + owed - borrowed
        owed, often_end = maths.read("accrue_repeatedly", often_end, owed, lent, 12, 1_200)
    assert abs(often_end - end) <= 3_600 + abs(end - code) // 1_000
    assert abs(owed - borrowed - interest) < interest * Decimal(tolerance)
