"""What the lending market's model says on its own, and what a dead feed does not stop.

The machine in `test_market_machine.py` holds the contract to the model, so that a property of the
model's arithmetic is one of the contract's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

import pytest

from relever.artifacts import artifact
from relever.chain import Anvil, Chain, Contract, Revert
from relever.model import interest
from relever.model.health import E36
from relever.model.market import DAY, HOUR, Terms
from relever.protocol import deploy_blueprint
from tests.properties.maths import WAD, Draw
from tests.unit.market.conftest import UNLIMITED, create_market, token

BLOCK = 12
WEEK, YEAR = 7 * DAY, 365 * DAY
SUPPLIED = 10**24
# 0.1 %, 4 % and 17.5 % a year at the target.
CODES = (0, interest.INITIAL_CODE, 2_000_000_000)
TERMS = Terms(91 * 10**16, 93 * 10**16, 103 * 10**16, 10**16, 5 * 10**16, 10**17, WAD // 10)


def grown(code: int, borrowed: int, step: int, seconds: int) -> tuple[int, int]:
    """The interest of so many seconds that is booked at each step, and the code afterwards."""
    owed, supplied = borrowed, SUPPLIED
    for _ in range(seconds // step):
        earned, code = interest.accrue(code, owed, supplied, step)
        owed, supplied = owed + earned, supplied + earned
    return owed - borrowed, code


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    ("use", "hourly", "weekly"),
    [
        # Per mille of use, and parts of the interest.
        (100, "3e-5", "2e-2"),
        (500, "3e-6", "4e-3"),
        (850, "1e-5", "2e-4"),
        (900, "4e-5", "6e-3"),
        (950, "3e-5", "5e-3"),
        (1_000, "2e-5", "2e-2"),
    ],
)
def test_interest__every_block_of_a_week__is_that_of_every_hour_and_nearly_of_one_accrual(
    code: int, use: int, hourly: str, weekly: str
) -> None:
    """The three points of the curve that an accrual reads are the further off the more it drifts.

    A year of 2,628,000 blocks from 4 % at the target, once: hourly accruals earn within 2.3e-4 of
    what blocks do (most at 90.1 and 95 % use, 1e-5 at full use), daily ones within 5.5e-3. One
    accrual a year is no measure of the curve: six times as much at 10 % use, there 0.36 % of the
    debt instead of 0.06 %, less by 39 % at 90 %, by 97 % at full use.
    """
    borrowed = SUPPLIED * use // 1_000
    often, _ = grown(code, borrowed, BLOCK, WEEK)
    for step, tolerance in ((HOUR, hourly), (WEEK, weekly)):
        seldom, _ = grown(code, borrowed, step, WEEK)
        assert abs(seldom - often) <= Fraction(tolerance) * often, (step, (seldom - often) / often)


def test_interest__steps_of_a_drift__are_each_half_a_code_off_at_most() -> None:
    """At a use that stays: however a year is cut, the code is the same but for rounding."""
    draw = Draw("drift")
    for _ in range(300):
        code, supplied = draw.choice(CODES), 10**24
        borrowed = draw.choice((draw.randint(0, supplied), draw.near(9 * 10**23, 0, supplied)))
        total, steps, stepped = draw.randint(1, YEAR), draw.randint(1, 200), code
        times = sorted(draw.randint(0, total) for _ in range(steps - 1))
        for start, end in zip([0, *times], [*times, total], strict=True):
            _, stepped = interest.accrue(stepped, borrowed, supplied, end - start)
        _, once = interest.accrue(code, borrowed, supplied, total)
        assert abs(stepped - once) <= (steps + 1) // 2 + 1


@pytest.fixture(scope="module")
def scene() -> Iterator[tuple[Chain, Contract, Contract]]:
    """A market with plenty lent, and its prices; account 1 lends and borrows."""
    with Anvil.start() as node:
        chain = Chain.connect(node.ipc)
        owner, borrower = chain.accounts[:2]
        loan, collateral = token(chain), token(chain)
        oracle = chain.deploy(artifact("ConstantOracle"), E36)
        factory = chain.deploy(artifact("MarketFactory"), deploy_blueprint(chain, owner), owner)
        tokens = {"loan": loan.address, "collateral": collateral.address}
        terms = {**tokens, "oracle": oracle.address, **vars(TERMS)}
        market = create_market(chain, factory, owner, terms)
        market.set_caps((10**26, 10**26, 0))
        for coin in (loan, collateral):
            coin.mint(borrower, 10**40)
            coin.approve(market.address, UNLIMITED, sender=borrower)
        market.deposit(10**25, borrower, sender=borrower)
        yield chain, market, oracle
        chain.close()


def test_adjust__no_more_debt_for_its_collateral__works_with_a_dead_feed(
    scene: tuple[Chain, Contract, Contract],
) -> None:
    """Any repayment, with as much collateral taken out as leaves debt per collateral no higher.

    A unit more, and the feed is asked for. Caps of zero and a worthless price stop neither.
    """
    chain, market, oracle = scene
    borrower, draw, reached = chain.accounts[1], Draw("lighter"), Counter[str]()
    for _ in range(60):
        with chain.isolated():
            debt = draw.randint(10**17, 10**24)
            collateral = debt * 100 // draw.randint(1, 90) + draw.randint(0, 9)
            market.adjust(borrower, collateral, debt, borrower, sender=borrower)
            chain.advance(draw.choice((0, 1, DAY, draw.randint(0, YEAR))))
            held, owed = market.position(borrower)
            oracle.set_price(draw.choice((1, E36 // 2, E36)))
            oracle.set_dead(True)
            market.set_caps((0, 0, 0))
            repaid = draw.choice((owed, owed - 1, draw.randint(1, owed), draw.randint(1, 9)))
            with chain.isolated():
                market.repay(repaid, borrower, sender=borrower)
                _, left = market.position(borrower)
            # held_after * owed >= held * left, the most taken out.
            taken = held - -(-held * left // owed)
            deltas = (-taken, -repaid)
            if left:
                with pytest.raises(Revert) as failure:
                    market.adjust(borrower, -taken - 1, -repaid, borrower, sender=borrower)
                assert failure.value.reason == "oracle: stale feed"
            market.adjust(borrower, *deltas, borrower, sender=borrower)
            assert market.position(borrower) == (held - taken, left)
            reached["whole" if left == 0 else "part"] += 1
            reached["most taken"] += taken > held // 2
    assert min(reached["whole"], reached["part"], reached["most taken"]) >= 8, reached
