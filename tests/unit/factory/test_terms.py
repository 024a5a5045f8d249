"""Terms that cannot work are refused when a market is made: both sides of every bound."""

from fractions import Fraction
from typing import Any

import pytest

from tests.unit.market.conftest import (
    BASE_BONUS,
    MAX_112,
    MAX_BONUS,
    MAX_LTV,
    PRICE,
    TARGET_HEALTH,
    THRESHOLD,
    UNLIMITED,
    WAD,
    Setup,
    token,
)
from tests.unit.market.liquidation import health_at, liquidate

# Prices are below this.
MAX_PRICE = 2**140
# A threshold and a bonus that leave nothing: (1 + 0.25) * 0.8 is one exactly.
EXACT = {"max_ltv": 7 * 10**17, "threshold": 8 * 10**17}
HALF = {"max_ltv": WAD // 4, "threshold": WAD // 2}


@pytest.mark.parametrize(
    ("reason", "terms"),
    [
        ("factory: max ltv", {"max_ltv": 0}),
        ("factory: max ltv", {"max_ltv": THRESHOLD}),
        ("factory: max ltv", {"max_ltv": UNLIMITED}),
        ("factory: max ltv", {"threshold": MAX_LTV}),
        ("factory: max ltv", {"threshold": 0}),
        ("factory: base bonus", {"base_bonus": MAX_BONUS + 1}),
        ("factory: base bonus", {"max_bonus": BASE_BONUS - 1}),
        ("factory: base bonus", {"base_bonus": UNLIMITED}),
        ("factory: threshold", {**EXACT, "max_bonus": 25 * 10**16}),
        ("factory: threshold", {"threshold": WAD, "max_bonus": 0, "base_bonus": 0}),
        # Twice less than a half would be below one.
        ("factory: threshold", {**HALF, "threshold": WAD // 2 - 1, "max_bonus": WAD}),
        ("factory: threshold", {"threshold": UNLIMITED}),
        ("factory: threshold", {"max_bonus": UNLIMITED}),
        ("factory: target health", {"target_health": 0}),
        ("factory: target health", {"target_health": WAD}),
        ("factory: target health", {"target_health": 2 * WAD}),
        ("factory: target health", {"target_health": UNLIMITED}),
        ("factory: minimum debt", {"min_debt": 0}),
        ("factory: minimum debt", {"min_debt": MAX_112}),
        ("factory: minimum debt", {"min_debt": UNLIMITED}),
        ("factory: deleverage share", {"deleverage_share": 0}),
        ("factory: deleverage share", {"deleverage_share": WAD}),
        ("factory: deleverage share", {"deleverage_share": UNLIMITED}),
    ],
)
def test_terms__that_cannot_work__reverts(setup: Setup, reason: str, terms: dict[str, Any]) -> None:
    with setup.refused(reason):
        setup.create(**terms)


@pytest.mark.parametrize(
    "terms",
    [
        {"max_ltv": 1},
        {"max_ltv": THRESHOLD - 1},
        {"threshold": MAX_LTV + 1},
        {"base_bonus": 0},
        {"base_bonus": MAX_BONUS},
        {"max_bonus": BASE_BONUS},
        {"base_bonus": 0, "max_bonus": 0, "threshold": WAD - 1},
        {**EXACT, "max_bonus": 25 * 10**16 - 1},
        {**HALF, "max_bonus": WAD - 1},
        {"target_health": WAD + 1},
        {"target_health": 2 * WAD - 1},
        {"min_debt": 1},
        {"min_debt": MAX_112 - 1},
        {"deleverage_share": 1},
        {"deleverage_share": WAD - 1},
    ],
)
def test_terms__at_their_bounds__are_taken(setup: Setup, terms: dict[str, Any]) -> None:
    made = setup.create(**terms).terms()
    assert {name: getattr(made, name) for name in terms} == terms


def test_terms__one_token_for_both__reverts(setup: Setup) -> None:
    with setup.refused("factory: same token"):
        setup.create(collateral=setup.loan.address)


@pytest.mark.parametrize("decimals", [19, 255])
@pytest.mark.parametrize("side", ["loan", "collateral"])
def test_terms__more_than_eighteen_decimals__reverts(
    setup: Setup, side: str, decimals: int
) -> None:
    with setup.refused("factory: token decimals"):
        setup.create(**{side: token(setup.chain, decimals).address})


@pytest.mark.parametrize(
    ("loan_decimals", "collateral_decimals", "least", "most"),
    [
        # A whole collateral token is worth a millionth to a million of whole loan tokens.
        (18, 18, PRICE // 10**6, PRICE * 10**6),
        (6, 6, PRICE // 10**6, PRICE * 10**6),
        (0, 0, PRICE // 10**6, PRICE * 10**6),
        (6, 18, 10**18, 10**30),
        (0, 18, 10**12, 10**24),
        (0, 6, 10**24, 10**36),
        # Where the loan token has many more decimals, what a price can be ends first.
        (18, 13, 10**35, MAX_PRICE - 1),
        (18, 6, 10**42, MAX_PRICE - 1),
    ],
)
def test_terms__price__is_sane_by_whole_tokens(
    setup: Setup, loan_decimals: int, collateral_decimals: int, least: int, most: int
) -> None:
    tokens = {
        "loan": token(setup.chain, loan_decimals).address,
        "collateral": token(setup.chain, collateral_decimals).address,
    }
    for price in (0, least - 1, most + 1, MAX_PRICE, UNLIMITED):
        setup.oracle.set_price(price)
        with setup.refused("factory: oracle price"):
            setup.create(**tokens)
    for price in (least, most):
        setup.oracle.set_price(price)
        assert setup.create(**tokens).terms().oracle == setup.oracle.address


def test_terms__decimals_too_far_apart__have_no_price(setup: Setup) -> None:
    tokens = {
        "loan": token(setup.chain, 18).address,
        "collateral": token(setup.chain, 0).address,
    }
    for price in (PRICE, MAX_PRICE - 1):
        setup.oracle.set_price(price)
        with setup.refused("factory: oracle price"):
            setup.create(**tokens)


def test_terms__market_price_and_its_feed__are_not_asked(setup: Setup) -> None:
    """A market can be made while the feed is down: nothing is borrowed before it is back."""
    setup.oracle.set_market_price(0)
    setup.oracle.set_dead(True)
    assert setup.create().terms().oracle == setup.oracle.address


@pytest.mark.parametrize(
    ("loan_decimals", "collateral_decimals"), [(6, 18), (0, 18), (6, 6), (18, 13)]
)
def test_terms__other_decimals__make_a_market_that_works(
    setup: Setup, loan_decimals: int, collateral_decimals: int
) -> None:
    """The usual scene in other units: 900 owed on 1000, and a slash of 4 %."""
    one, whole = 10**loan_decimals, 10**collateral_decimals
    price = PRICE * one // whole
    setup.oracle.set_price(price)
    made = setup.another(
        loan=token(setup.chain, loan_decimals).address,
        collateral=token(setup.chain, collateral_decimals).address,
        min_debt=one,
    )
    made.lend(1_000 * one)
    made.open(1_000 * whole, 900 * one)
    with made.refused("market: unhealthy"):
        made.open(0, 11 * one)
    made.oracle.set_price(price * 96 // 100)
    liquidate(made)
    assert made.debt() > 0
    assert health_at(made, price * 96 // 100) >= Fraction(TARGET_HEALTH, WAD)
