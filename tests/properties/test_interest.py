"""Interest against the curve's published mathematics in 60 digits.

The contract keeps the rate at target as a code, log2(rate / 0.1 %) * 2**28: a step of it is 2.6e-9
of the rate, and the end of each period is rounded to the nearest step.
"""

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

import pytest

from relever.model import interest
from tests.properties import curve
from tests.properties.curve import LEAST, MOST, YEAR
from tests.properties.maths import MAX_112, WAD, Draw, Maths

EXAMPLES = 4_000
# Codes per doubling of the rate.
STEP = 2**28
# log2(2000) * 2**28, rounded down.
MAX_CODE = 2_943_605_304
# Relative errors: of the contract's power of two; of an average rate, at most all of half a step,
# 1.3e-9, where its end outweighs the rest, and the power's; and of a whole step.
POWER_ERROR = Decimal("1e-10")
RATE_ERROR = Decimal("1.5e-9")
STEP_ERROR = Decimal("2.6e-9")


@pytest.fixture(autouse=True)
def _digits() -> Iterator[None]:
    with curve.exact():
        yield


def at_target(code: int | Decimal) -> Decimal:
    """The yearly rate that a code stands for."""
    return LEAST * Decimal(2) ** (Decimal(code) / STEP)


def code_of(rate: Decimal) -> Decimal:
    return (rate / LEAST).ln() / Decimal(2).ln() * STEP


def rate_error(end: int) -> Decimal:
    """The most that is allowed for comes as a code, which is less than a step below 200 %."""
    return STEP_ERROR if end == MAX_CODE else RATE_ERROR


def pools(draw: Draw, count: int = EXAMPLES) -> list[tuple[int, int]]:
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


def codes(draw: Draw, count: int = EXAMPLES) -> list[int]:
    """Any, around the doublings, and close to the least and the most."""
    return [
        draw.choice(
            (
                draw.randint(0, MAX_CODE),
                draw.near(draw.randint(0, 10) * STEP, 0, MAX_CODE),
                draw.amount(2**24),
                MAX_CODE - draw.amount(2**24),
            )
        )
        for _ in range(count)
    ]


def periods(draw: Draw) -> list[tuple[int, int, int, int]]:
    """Code, borrowed, supplied and seconds: a block, an hour, a year, powers of two, any."""
    pooled = zip(codes(draw), pools(draw), strict=True)
    return [
        (
            code,
            *pool,
            draw.choice(
                (1, 12, 3_600, draw.amount(YEAR), draw.amount(2**32 - 1), 2 ** draw.randint(0, 31))
            ),
        )
        for code, pool in pooled
    ]


# The rate at target


def test_constants__stand_for_what_they_say(maths: Maths) -> None:
    least, most, start, speed, _ = maths.read("constants")
    assert least == LEAST * WAD
    assert most == MAX_CODE
    assert at_target(most) <= MOST < at_target(most + 1)
    assert abs(start - code_of(curve.INITIAL)) <= Decimal("0.5")
    # e to the 50 in a year at full deviation, in doublings.
    assert abs(speed - curve.SPEED / Decimal(2).ln() * STEP) <= Decimal("0.5")


def test_rate_between__power_of_two__is_met_to_ten_digits(maths: Maths) -> None:
    draw = Draw("codes")
    drawn = [0, 1, 2 * MAX_CODE, *(code + draw.choice((code, 0)) for code in codes(draw))]
    for total, rate in zip(
        drawn, maths.ask("rate_between", [(total,) for total in drawn]), strict=True
    ):
        exact = at_target(Decimal(total) / 2) * WAD
        assert abs(rate - exact) <= exact * POWER_ERROR + 1, total
        assert LEAST * WAD <= rate <= MOST * WAD * (1 + POWER_ERROR)


def test_rate_between__greater_sums__never_give_less(maths: Maths) -> None:
    """Also from one doubling to the next, where the polynomial starts anew."""
    draw = Draw("order")
    drawn = {2 * code for code in codes(draw)}
    for doubling in range(1, 11):
        drawn.update(range(2 * doubling * STEP - 100, 2 * doubling * STEP + 100))
    rates = list(maths.ask("rate_between", [(total,) for total in sorted(drawn)]))
    assert all(less <= more for less, more in pairwise(rates))


def test_rate_between__polynomial__interpolates_at_eight_chebyshev_points() -> None:
    """Those of the second kind, both ends among them; the coefficients to the nearest 1e-18."""
    points = [(1 + curve.cosine(k * curve.PI / 7)) / 2 for k in range(8)]
    rising = curve.interpolation(points, [Decimal(2) ** point for point in points])
    assert tuple(int((c * WAD).to_integral()) for c in reversed(rising)) == interest.POWER


def test_rate_between__polynomial__is_what_the_contract_computes(maths: Maths) -> None:
    examples = [(2 * code + code % 2,) for code in codes(Draw("polynomial"))]
    maths.compare("rate_between", examples, lambda got, x: got == interest.rate_between(x, 0))


# The curve


def test_borrow_rate__curve__is_met_to_nine_digits_and_stays_in_its_range(maths: Maths) -> None:
    draw = Draw("curve")
    examples = [(code, *pool) for code, pool in zip(codes(draw), pools(draw), strict=True)]
    for (code, *pool), got in zip(examples, maths.ask("borrow_rate", examples), strict=True):
        exact = curve.curve(at_target(code), curve.deviation(*pool)) * WAD
        assert abs(got - exact) <= exact * POWER_ERROR * 2, (code, pool, got)
        assert LEAST / 4 * WAD <= got <= MOST * 4 * WAD, (code, pool, got)
    for code in (0, MAX_CODE):
        base = maths.read("rate_between", 2 * code)
        assert maths.read("borrow_rate", code, 0, 0) == base // 4
        assert maths.read("borrow_rate", code, 0, 10**18) == base // 4
        assert maths.read("borrow_rate", code, 9, 10) == base
        assert maths.read("borrow_rate", code, 10**18, 10**18) == base * 4


def test_borrow_rate__more_use__never_costs_less(maths: Maths) -> None:
    draw = Draw("use")
    for code in (0, 10**9, MAX_CODE):
        supplied = draw.amount(MAX_112, least=10**20)
        uses = sorted(draw.randint(0, supplied) for _ in range(1_000))
        rates = list(maths.ask("borrow_rate", [(code, use, supplied) for use in uses]))
        assert all(less <= more for less, more in pairwise(rates))


# The drift


def test_average_rate__end__is_the_exact_drift_to_half_a_code(maths: Maths) -> None:
    """And to what a speed in whole codes a year and a deviation of 18 digits cost."""
    examples = periods(Draw("drift"))
    moved = 0
    for example, (_, end) in zip(examples, maths.ask("average_rate", examples), strict=True):
        code, *pool, seconds = example
        away = curve.deviation(*pool)
        exact = code + curve.SPEED * away * seconds / YEAR / Decimal(2).ln() * STEP
        expected = min(max(exact, Decimal(0)), Decimal(MAX_CODE))
        off = abs(expected - code) * Decimal("2.6e-11") + seconds * Decimal("1e-15")
        assert abs(end - expected) <= Decimal("0.5") + off, (example, end)
        moved += 0 < end < MAX_CODE and end != code
    assert moved > EXAMPLES // 4


def test_average_rate__end__is_the_rate_that_the_model_ends_at(maths: Maths) -> None:
    examples = periods(Draw("end rate"))
    for example, (_, end) in zip(examples, maths.ask("average_rate", examples), strict=True):
        code, *rest = example
        exact = curve.period(at_target(code), *rest).end
        assert abs(at_target(end) / exact - 1) < STEP_ERROR, (example, end)


def test_average_rate__model__is_met_to_half_a_code_and_stays_in_its_range(maths: Maths) -> None:
    """Both ways of taking the mean of three, and where a bound stops the middle or the end only."""
    examples = periods(Draw("average"))
    least = maths.read("constants")[4]
    kinds: dict[tuple[bool, bool], int] = {}
    for example, (rate, end) in zip(examples, maths.ask("average_rate", examples), strict=True):
        code, *rest = example
        exact = curve.period(at_target(code), *rest).average * WAD
        assert abs(rate - exact) <= exact * rate_error(end), (example, rate, exact)
        assert LEAST / 4 * WAD <= rate <= MOST * 4 * WAD, (example, rate)
        if end != code:
            kind = (abs(end - code) < least, end in (0, MAX_CODE))
            kinds[kind] = kinds.get(kind, 0) + 1
    assert len(kinds) == 4
    assert min(kinds.values()) > EXAMPLES // 40


def test_average_rate__around_the_small_drift__goes_on_without_a_step(maths: Maths) -> None:
    """Where the mean of three is taken in another way, from one second to the next."""
    small, speed = maths.read("constants")[4], maths.read("constants")[3]
    draw, turned = Draw("small drift"), 0
    for borrowed, supplied in ((10**20, 10**20), (0, 10**20), (95, 100), (80, 100)):
        away = abs(curve.deviation(borrowed, supplied))
        turn = int(small * YEAR / (away * speed))
        for code in codes(draw, 10):
            asked = [(code, borrowed, supplied, turn + by) for by in range(-2, 3)]
            answers = list(maths.ask("average_rate", asked))
            ordered = answers if borrowed * 10 > supplied * 9 else answers[::-1]
            for (less, _), (more, _) in pairwise(ordered):
                # A second is at most 614 codes, and half of them in the mean.
                assert 0 <= more - less <= less * Decimal("8.1e-7"), (code, borrowed)
            turned += abs(answers[0][1] - code) < small <= abs(answers[-1][1] - code)
    assert turned > 10


# Interest


def test_accrue__model__agrees(maths: Maths) -> None:
    """As if the rate were off by its error, x by two digits and the answer by three units."""
    examples = periods(Draw("accrue"))
    some = 0
    for example, (earned, end) in zip(examples, maths.ask("accrue", examples), strict=True):
        code, borrowed, supplied, seconds = example
        x = curve.period(at_target(code), borrowed, supplied, seconds).average * seconds / YEAR
        error, digits = rate_error(end), Decimal(2) / WAD
        low = borrowed * (curve.compounded(max(x * (1 - error) - digits, Decimal(0))) - digits)
        high = borrowed * (curve.compounded(x * (1 + error)) + digits)
        assert low - 1 <= earned <= high, (example, earned)
        some += earned > 10**9
    assert some > EXAMPLES // 3


def test_accrue__parts__are_the_average_rate_and_its_code(maths: Maths) -> None:
    examples = periods(Draw("parts"))
    rates = maths.ask("average_rate", examples)
    for example, (rate, end), (earned, code) in zip(
        examples, rates, maths.ask("accrue", examples), strict=True
    ):
        _, borrowed, _, seconds = example
        x = rate * seconds // YEAR
        growth = x + x * x * (x + 3 * WAD) // (6 * WAD * WAD)
        assert (earned, code) == (borrowed * growth // WAD, end), example


def test_accrue__integers__are_the_models(maths: Maths) -> None:
    """Not a unit off, where the mean of three is taken in another way either."""
    examples = periods(Draw("integers"))
    for code, borrowed, supplied, _ in periods(Draw("small drifts")):
        away = abs(interest.deviation(borrowed, supplied))
        if away != 0:
            turn = interest.SMALL_DRIFT * WAD * YEAR // (away * interest.ADAPTATION)
            examples.append((code, borrowed, supplied, min(turn, 2**32 - 1)))
    assert len(examples) > EXAMPLES * 3 // 2
    maths.compare("accrue", examples, lambda got, *case: tuple(got) == interest.accrue(*case))
    maths.compare(
        "average_rate", examples, lambda got, *case: tuple(got) == interest.average_rate(*case)
    )


def test_accrue__true_compounding__is_missed_by_the_fourth_order_only(maths: Maths) -> None:
    """At a rate that stays: e**x - 1 is more, by at most e**x * x**4 / 24."""
    draw = Draw("compounding")
    examples = []
    for code in codes(draw):
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
    """Twice in one block is once: neither interest nor the rate moves."""
    draw = Draw("nothing")
    drawn = [(code, *pool) for code, pool in zip(codes(draw), pools(draw), strict=True)]
    still = [(*example, 0) for example in drawn]
    maths.compare("accrue", still, lambda got, code, *_: tuple(got) == (0, code))
    unused = [(code, 0, supplied, 3_600) for code, _, supplied in drawn]
    maths.compare("accrue", unused, lambda got, code, *_: got[0] == 0 and got[1] <= code)


def test_accrue__longer__never_earns_less(maths: Maths) -> None:
    draw = Draw("longer")
    for code, (borrowed, supplied) in zip(codes(draw, 20), pools(draw, 20), strict=True):
        times = sorted(draw.amount(YEAR) for _ in range(300))
        asked = [(code, borrowed, supplied, seconds) for seconds in times]
        earned = [got for got, _ in maths.ask("accrue", asked)]
        assert all(less <= more for less, more in pairwise(earned))


def test_accrue__more_use__never_earns_less(maths: Maths) -> None:
    """Nor ends at a lower rate."""
    draw = Draw("more use")
    for code in codes(draw, 20):
        supplied, seconds = draw.amount(MAX_112, least=1), draw.amount(YEAR)
        uses = sorted(draw.near(supplied * 9 // 10, 0, supplied) for _ in range(100))
        uses = sorted([*uses, *(draw.randint(0, supplied) for _ in range(200))])
        asked = [(code, use, supplied, seconds) for use in uses]
        answers = list(maths.ask("accrue", asked))
        for (less, lower), (more, higher) in pairwise(answers):
            assert less <= more
            assert lower <= higher


def test_accrue__widest_amounts__never_overflow(maths: Maths) -> None:
    """Nothing in the contract would stop an overflow: what it answers is the model's."""
    examples = [
        (code, borrowed, MAX_112, seconds)
        for code in (0, MAX_CODE)
        for borrowed in (0, 1, MAX_112 * 9 // 10, MAX_112)
        for seconds in (2**31, 2**32 - 1)
    ]
    for example, (earned, _) in zip(examples, maths.ask("accrue", examples), strict=True):
        code, borrowed, supplied, seconds = example
        growth = curve.period(at_target(code), borrowed, supplied, seconds).growth
        assert abs(earned - borrowed * growth) <= borrowed * growth * 3 * STEP_ERROR + 1


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
