"""What a market is made of, and what it refuses to be made of."""

from typing import Any

import pytest

from relever.chain import Revert
from tests.unit.market.conftest import (
    BASE_BONUS,
    DELEVERAGE_SHARE,
    MAX_112,
    MAX_BONUS,
    MAX_LTV,
    MIN_DEBT,
    PRICE,
    TARGET_HEALTH,
    THRESHOLD,
    WAD,
    Setup,
    token,
)

MAX_PRICE = 2**140
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


@pytest.mark.parametrize("side", ["loan", "collateral"])
def test_create__nineteen_decimals__reverts(setup: Setup, side: str) -> None:
    with setup.refused("factory: token decimals"):
        setup.create(**{side: token(setup.chain, 19).address})


@pytest.mark.parametrize(
    ("reason", "terms"),
    [
        ("factory: max ltv", {"max_ltv": 0}),
        ("factory: max ltv", {"max_ltv": THRESHOLD}),
        ("factory: base bonus", {"base_bonus": MAX_BONUS + 1}),
        # (1 + 0.25) * 0.8 is one exactly.
        (
            "factory: threshold",
            {"max_ltv": 7 * 10**17, "threshold": 8 * 10**17, "max_bonus": 25 * 10**16},
        ),
        ("factory: threshold", {"threshold": WAD, "max_bonus": 0, "base_bonus": 0}),
        ("factory: target health", {"target_health": WAD}),
        ("factory: target health", {"target_health": 2 * WAD}),
        ("factory: minimum debt", {"min_debt": 0}),
        ("factory: minimum debt", {"min_debt": MAX_112}),
        ("factory: deleverage share", {"deleverage_share": 0}),
        ("factory: deleverage share", {"deleverage_share": WAD + 1}),
    ],
)
def test_create__terms_that_cannot_work__reverts(
    setup: Setup, reason: str, terms: dict[str, Any]
) -> None:
    with setup.refused(reason):
        setup.create(**terms)


@pytest.mark.parametrize(
    "terms",
    [
        {"max_ltv": 1},
        {"max_ltv": THRESHOLD - 1},
        {"base_bonus": MAX_BONUS},
        {"base_bonus": 0, "max_bonus": 0, "threshold": WAD - 1},
        {"max_ltv": 7 * 10**17, "threshold": 8 * 10**17, "max_bonus": 25 * 10**16 - 1},
        {"target_health": WAD + 1},
        {"target_health": 2 * WAD - 1},
        {"min_debt": 1},
        {"min_debt": MAX_112 - 1},
        {"deleverage_share": 1},
        {"deleverage_share": WAD},
    ],
)
def test_create__terms_at_their_bounds__are_taken(setup: Setup, terms: dict[str, Any]) -> None:
    made = setup.create(**terms).terms()
    assert {name: getattr(made, name) for name in terms} == terms


def test_create__one_token_for_both__reverts(setup: Setup) -> None:
    with setup.refused("factory: same token"):
        setup.create(collateral=setup.loan.address)


# A whole collateral token is worth a millionth to a million of whole loan tokens.
@pytest.mark.parametrize("price", [0, PRICE // 10**6 - 1, PRICE * 10**6 + 1, MAX_PRICE, 2**256 - 1])
def test_create__price_out_of_band__reverts(setup: Setup, price: int) -> None:
    setup.oracle.set_price(price)
    with setup.refused("factory: oracle price"):
        setup.create()


@pytest.mark.parametrize("price", [PRICE // 10**6, PRICE, PRICE * 10**6])
def test_create__price_in_band__is_taken(setup: Setup, price: int) -> None:
    setup.oracle.set_price(price)
    assert setup.create().terms().oracle == setup.oracle.address


@pytest.mark.parametrize("part", ["loan", "collateral", "oracle"])
def test_create__part_without_code__reverts(setup: Setup, part: str) -> None:
    with pytest.raises(Revert):
        setup.create(**{part: setup.actors.stranger})
