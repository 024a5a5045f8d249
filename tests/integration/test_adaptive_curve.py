"""Our interest beside the real AdaptiveCurveIrm, both driven along the same paths on one chain.

The real one stores rates per second with 18 digits, and its exponential is a power of two times a
Taylor series to the second order: up to 0.9 % off in one step, 1e-14 at most in one of 12 seconds.
Ours rounds to half a code, 1.3e-9. What the two may differ by is added up along a path from these;
apart from that they are the same. The curve in 60 digits goes along, and shows that the difference
is the real one's: ours is nowhere further than 3e-8 from it.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest

from bench.peers import ADAPTIVE_CURVE_IRM
from bench.solc import compiled
from relever.artifacts import artifact
from relever.chain import Anvil, Call, Chain, Contract, Receipt
from tests.properties import curve
from tests.properties.curve import LEAST, MOST, YEAR
from tests.unit.market.conftest import Setup, built, setup

__all__ = ["built", "setup"]

WAD = 10**18
NOBODY = "0x" + "00" * 20
INITIAL_CODE, MAX_CODE = 1_428_594_195, 2_943_605_304
STEP = 2**28
LN_2 = Decimal("0.693147180559945309417232121458")
# Of ours in one step: half a code, 1.3e-9, and in an average the power's error.
OUR_ERROR = Decimal("1.5e-9")
SUPPLIED = 10**27

Step = tuple[int, int, int]  # borrowed, supplied, seconds


@pytest.fixture(autouse=True)
def _digits() -> Iterator[None]:
    with curve.exact():
        yield


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with Anvil.start() as node:
        chain = Chain.connect(node.ipc)
        yield chain
        chain.close()


class Irm:
    """The real model; an account stands for Morpho, the only one that may ask it to go on."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        (code,) = compiled((ADAPTIVE_CURVE_IRM,))
        self.morpho = chain.accounts[1]
        self.contract: Contract = chain.deploy(code, self.morpho)
        self.market = 0

    def begin(self) -> None:
        """A market of its own, whose first answer is the rate to start from."""
        self.market += 1
        assert self.go_on(0, 0, 0)[1] == curve.INITIAL * WAD // YEAR

    def call(self, borrowed: int, supplied: int, last_update: int) -> Call:
        """The call that Morpho makes when a market accrues."""
        parameters = (NOBODY, NOBODY, NOBODY, self.contract.address, self.market)
        state = (supplied, 0, borrowed, 0, last_update, 0)
        return self.contract.borrowRate.build(parameters, state, sender=self.morpho)

    def go_on(self, borrowed: int, supplied: int, seconds: int) -> tuple[int, int]:
        """Average borrow rate and rate at target afterwards, WAD per second."""
        (receipt,) = self._chain.send_batch(
            [self.call(borrowed, supplied, self._chain.timestamp - seconds)]
        )
        assert receipt.timestamp == self._chain.timestamp
        return self.answer(receipt)

    def answer(self, receipt: Receipt) -> tuple[int, int]:
        (event,) = receipt.events
        return event.args["avgBorrowRate"], event.args["rateAtTarget"]


@pytest.fixture(scope="module")
def irm(chain: Chain) -> Irm:
    return Irm(chain)


def at_target(code: int) -> Decimal:
    return LEAST * (code * LN_2 / STEP).exp()


def taylor_error(x: Decimal) -> Decimal:
    """What the real exponential of x is off by."""
    rest = x - (x / LN_2).to_integral_value() * LN_2
    return apart(1 + rest + rest**2 / 2, rest.exp())


def apart(one: Decimal, other: Decimal) -> Decimal:
    """The logarithm of the ratio, which adds up from step to step."""
    return abs(Decimal(math.log1p(one / other - 1)))


@dataclass
class Difference:
    """How far ours may be from the exact rate at target and from theirs by now; and the most that
    was seen, from theirs in the average borrow rate too."""

    exact: Decimal = curve.INITIAL
    allowed_exact: Decimal = OUR_ERROR
    allowed: Decimal = OUR_ERROR + Decimal("1e-9")
    from_exact: Decimal = Decimal(0)
    rate: Decimal = Decimal(0)
    average: Decimal = Decimal(0)

    def compare_average(self, step: Step, ours: Decimal, theirs: int) -> None:
        """Borrow rates over the step: ours a year, theirs a second and WAD."""
        _, _, seconds = step
        x = self._adaptation(step)
        # Middle, end and mean are each cut to a unit of the rate at target, at least a quarter of
        # this one; and so is this.
        digits = Decimal(3 * seconds) / WAD + 8 / Decimal(theirs)
        allowed = self.allowed + max(taylor_error(x), taylor_error(x / 2)) + digits + OUR_ERROR
        seen = apart(Decimal(theirs * YEAR) / WAD, ours)
        assert seen <= allowed, (step, ours, theirs)
        self.average = max(self.average, seen)

    def compare_end(self, step: Step, code: int, theirs: int) -> None:
        """Rates at target after the step: ours as a code, theirs a second and WAD."""
        borrowed, supplied, seconds = step
        # Their speed per second and their deviation have 18 digits; so has their rate.
        digits = Decimal(3 * seconds) / WAD + 1 / Decimal(theirs)
        self.allowed += taylor_error(self._adaptation(step)) + digits + OUR_ERROR
        if code in (0, MAX_CODE) and theirs in (LEAST * WAD // YEAR, MOST * WAD // YEAR):
            # At a bound they meet again.
            self.allowed = digits + 2 * OUR_ERROR
        seen = apart(Decimal(theirs * YEAR) / WAD, at_target(code))
        assert seen <= self.allowed, (step, code, theirs)
        self.rate = max(self.rate, seen)

        away = curve.deviation(borrowed, supplied)
        self.exact = curve.drifted(self.exact, away, seconds)
        self.allowed_exact += OUR_ERROR
        seen = apart(self.exact, at_target(code))
        assert seen <= self.allowed_exact, (step, code)
        self.from_exact = max(self.from_exact, seen)

    def _adaptation(self, step: Step) -> Decimal:
        """What the exponential is taken of."""
        borrowed, supplied, seconds = step
        return curve.SPEED * curve.deviation(borrowed, supplied) * seconds / YEAR


def walk(steps: list[Step], probe: Contract, irm: Irm) -> tuple[Difference, list[int]]:
    """Both along the same path, each from its own last rate; the codes that ours goes through."""
    irm.begin()
    difference, code, codes = Difference(), INITIAL_CODE, []
    for step in steps:
        average, code = probe.average_rate(code, *step)
        their_average, their_end = irm.go_on(*step)
        difference.compare_average(step, Decimal(average) / WAD, their_average)
        difference.compare_end(step, code, their_end)
        codes.append(code)
    return difference, codes


def blocks(draw: random.Random) -> list[Step]:
    """12 seconds each, while use wanders from nothing to all."""
    steps, use = [], 900
    for _ in range(800):
        use = min(max(use + draw.randint(-60, 60), 0), 1_000)
        steps.append((SUPPLIED * use // 1_000, SUPPLIED, 12))
    return steps


def hours(draw: random.Random) -> list[Step]:
    """Minutes to two days each, at any use."""
    return [
        (draw.randint(0, SUPPLIED), SUPPLIED, draw.choice((60, 600, 3_600, 20_000, 172_800)))
        for _ in range(400)
    ]


def powers(draw: random.Random) -> list[Step]:
    """Each a power of two of seconds, to 34 years; use of all, none, the target and beside it."""
    steps = []
    for _ in range(12):
        for power in draw.sample(range(31), 31):
            supplied = draw.choice((1, 10, 10**6, SUPPLIED, 2**90 - 1))
            target = supplied * 9 // 10
            near = min(target + draw.randint(0, supplied >> 12), supplied)
            borrowed = draw.choice((0, supplied, target, near, draw.randint(0, supplied)))
            steps.append((borrowed, draw.choice((supplied, supplied, borrowed)), 2**power))
    return steps


def bounds(draw: random.Random) -> list[Step]:
    """Months at full use and months without supply or debt, in parts: to each bound and from it."""
    steps: list[Step] = []
    for _ in range(6):
        for pool in ((SUPPLIED, SUPPLIED), (0, 0), (SUPPLIED, SUPPLIED), (0, SUPPLIED)):
            steps += [(*pool, draw.choice((3_600, 86_400, 10 * 86_400))) for _ in range(40)]
    return steps


@pytest.mark.parametrize(
    ("path", "average", "rate", "from_exact"),
    [
        # The largest that were seen, rounded up.
        (blocks, "3.1e-7", "3.1e-7", "1.6e-8"),
        (hours, "2.52e-2", "2.52e-2", "2.3e-8"),
        (powers, "7.5e-3", "9.0e-3", "4.0e-9"),
        (bounds, "5.9e-3", "6.2e-3", "1.7e-8"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_average_rate__many_steps__is_that_of_the_real_model(
    chain: Chain,
    irm: Irm,
    path: Callable[[random.Random], list[Step]],
    average: str,
    rate: str,
    from_exact: str,
) -> None:
    steps = path(random.Random(path.__name__))
    seen, codes = walk(steps, chain.deploy(artifact("MathsProbe")), irm)
    assert seen.average < Decimal(average)
    assert seen.rate < Decimal(rate)
    assert seen.from_exact < Decimal(from_exact)
    assert len(set(codes)) > 100
    if path in (powers, bounds):
        assert {0, MAX_CODE} <= set(codes)


def act(setup: Setup, draw: random.Random) -> Call:
    """Lend, borrow, repay or take out, some of what can be or all of it; or book interest."""
    market, lender, borrower = setup.market, setup.actors.lender, setup.actors.borrower
    state = market.state()
    cash = state.supply_assets - state.borrow_assets
    what = draw.choice(("lend", "borrow", "borrow", "repay", "take out", "accrue"))
    part = draw.choice((100, 100, draw.randint(1, 99)))
    if what == "lend":
        return market.deposit.build(part * WAD, lender, sender=lender)
    if what == "borrow" and cash > 10 * WAD:
        return market.borrow.build(cash * part // 100, borrower, borrower, sender=borrower)
    if what == "repay" and state.borrow_assets > 0:
        # More than is owed repays the whole.
        repaid = state.borrow_assets * (part + 1) // 100
        return market.repay.build(repaid, borrower, sender=borrower)
    if what == "take out" and cash > WAD:
        return market.withdraw.build(cash * part // 101, lender, lender, sender=lender)
    return market.accrue.build()


def uncompounded(growth: Decimal) -> Decimal:
    """The x of which e**x - 1 to the third order is the growth."""
    x = growth
    for _ in range(50):
        x -= (curve.compounded(x) - growth) / (1 + x + x**2 / 2)
    return x


def test_market__many_actions__pays_and_ends_at_the_real_models_rates(setup: Setup) -> None:
    """Both in the same blocks, the real model told what the market holds."""
    setup = setup.another()
    chain, market, borrower = setup.chain, setup.market, setup.actors.borrower
    market.set_caps((10**26, 10**26, 0), sender=setup.actors.owner)
    market.supply_collateral(10**26, borrower, sender=borrower)
    irm = Irm(chain)
    irm.begin()
    market.accrue()
    draw, seen, kinds = random.Random("market"), Difference(), Counter[str]()
    for _ in range(400):
        seconds = draw.choice((12, 600, 3_600, 86_400, 2 ** draw.randint(0, 21)))
        before, last = market.state(), chain.timestamp
        step = (before.borrow_assets, before.supply_assets, seconds)
        chain.advance(seconds)
        after = market.state()
        both = [act(setup, draw), irm.call(*step[:2], last)]
        receipts = chain.send_batch(both)
        assert {receipt.timestamp for receipt in receipts} == {last + seconds}
        average, end = irm.answer(receipts[1])

        if step[0] > 0:
            growth = Decimal(after.borrow_assets - step[0]) / step[0]
            ours = uncompounded(growth) * YEAR / seconds
            seen.compare_average(step, ours, average)
        seen.compare_end(step, after.rate_code, end)
        kinds["nothing supplied"] += step[1] == 0
        kinds["nothing borrowed"] += step[0] == 0 < step[1]
        kinds["all borrowed"] += 0 < step[0] == step[1]
    # The largest that were seen, rounded up.
    assert seen.average < Decimal("2.4e-2")
    assert seen.rate < Decimal("2.4e-2")
    assert seen.from_exact < Decimal("1.4e-8")
    assert min(kinds.values()) >= 20
    assert len(kinds) == 3
