"""What a market is made of."""

import pytest

from relever.chain import Revert
from tests.unit.market.conftest import (
    BASE_BONUS,
    DELEVERAGE_SHARE,
    MAX_BONUS,
    MAX_LTV,
    MIN_DEBT,
    PRICE,
    TARGET_HEALTH,
    THRESHOLD,
    Setup,
    token,
)

# log2(40) * 2**28, to the nearest: 4 % a year over the least rate of 0.1 %.
INITIAL_CODE = 1_428_594_195


def test_create__terms__are_as_given(setup: Setup) -> None:
    market = setup.market
    assert tuple(market.terms()) == (
        setup.loan.address,
        setup.collateral.address,
        setup.oracle.address,
        MAX_LTV,
        THRESHOLD,
        TARGET_HEALTH,
        BASE_BONUS,
        MAX_BONUS,
        MIN_DEBT,
        DELEVERAGE_SHARE,
    )
    assert market.FACTORY() == setup.factory.address
    assert market.asset() == setup.loan.address
    assert (market.name(), market.symbol(), market.decimals()) == ("Lent", "LENT", 24)


def test_create__totals__are_empty_and_so_are_the_caps(setup: Setup) -> None:
    market = setup.create()
    assert tuple(market.state()) == (0, 0, 0, 0, INITIAL_CODE, setup.chain.timestamp)
    assert tuple(market.caps()) == (0, 0, 0)
    assert market.maxDeposit(setup.actors.lender) == 0


def test_create__rate__is_a_quarter_of_four_percent_while_nothing_is_used(setup: Setup) -> None:
    # The code is a whole number: half its last step is 1.3e-9 of the rate.
    assert setup.create().borrow_rate() == pytest.approx(10**16, rel=1.3e-9)


@pytest.mark.parametrize(("decimals", "shares"), [(0, 6), (6, 12), (18, 24)])
def test_create__loan_decimals__shares_have_six_more(
    setup: Setup, decimals: int, shares: int
) -> None:
    loan = token(setup.chain, decimals)
    setup.oracle.set_price(PRICE // 10 ** (18 - decimals))
    assert setup.create(loan=loan.address).decimals() == shares


@pytest.mark.parametrize("part", ["loan", "collateral", "oracle"])
def test_create__part_without_code__reverts(setup: Setup, part: str) -> None:
    with pytest.raises(Revert):
        setup.create(**{part: setup.actors.stranger})
