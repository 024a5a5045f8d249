"""A market is made over an oracle whose price is off by the decimals of a token.

Morpho's PAXG market, 2024-10-13 (0.23 million dollars): the maker wrote the price for 18 decimals
where the loan token has 6, and a handful of collateral borrowed everything. SingularityDynaVault,
2026-04-25 (0.41 million): the same, in an oracle's settings. Here anyone may create a market, and
lenders would trust that it comes from the factory. What stops it: the factory asks the oracle, and
refuses a price at which a whole token of the one is worth less than a millionth or more than a
million whole tokens of the other.
"""

from fractions import Fraction

import pytest

from relever.artifacts import artifact
from tests.unit.market.conftest import MIN_DEBT, WAD, Setup, token

# Decimals of collateral and loan, and what a whole collateral is worth in whole loan tokens.
PAIRS = [(18, 6, 4_000), (18, 8, 4_000), (8, 6, 100_000), (18, 18, 1), (6, 6, 1), (12, 18, 1)]


def price_for(collateral: int, loan: int, worth: int) -> int:
    """Loan units per collateral unit, scaled by 1e36."""
    price: int = worth * 10 ** (36 + loan) // 10**collateral
    return price


@pytest.mark.parametrize(("collateral", "loan", "worth"), PAIRS)
def test_price__for_other_decimals_than_the_tokens_have__is_refused(
    setup: Setup, collateral: int, loan: int, worth: int
) -> None:
    tokens = {
        "loan": token(setup.chain, loan).address,
        "collateral": token(setup.chain, collateral).address,
    }
    right = price_for(collateral, loan, worth)
    mistaken = {price_for(one, other, worth) for one in (6, 8, 18) for other in (6, 8, 18)}
    # What is off by fewer digits is no absurd price: there the oracle's own bounds must do.
    told = {price: Fraction(price * worth, right) for price in mistaken}
    absurd = [price for price in mistaken if not Fraction(1, 10**6) <= told[price] <= 10**6]
    assert absurd
    for price in absurd:
        oracle = setup.chain.deploy(artifact("ConstantOracle"), price)
        with setup.refused("factory: oracle price"):
            setup.create(oracle=oracle.address, **tokens)
    oracle = setup.chain.deploy(artifact("ConstantOracle"), right)
    setup.create(oracle=oracle.address, **tokens)


def test_paxg__at_its_price_with_six_decimals__would_have_lent_everything(setup: Setup) -> None:
    """What the refusal is worth: the same oracle, gone wrong after the creation."""
    gold, dollar = token(setup.chain, 18), token(setup.chain, 6)
    right, wrong = price_for(18, 6, 2_650), price_for(18, 18, 2_650)
    oracle = setup.chain.deploy(artifact("ConstantOracle"), wrong)
    terms = {"loan": dollar.address, "collateral": gold.address, "min_debt": MIN_DEBT // 10**12}
    with setup.refused("factory: oracle price"):
        setup.create(oracle=oracle.address, **terms)
    oracle.set_price(right)
    made = setup.another(oracle=oracle.address, **terms)
    attacker = made.actors.stranger
    made.lend(230_000 * 10**6)
    made.market.supply_collateral(WAD // 10, attacker, sender=attacker)
    with made.refused("market: unhealthy"):
        made.market.borrow(230_000 * 10**6, attacker, attacker, sender=attacker)
    oracle.set_price(wrong)
    made.market.borrow(230_000 * 10**6, attacker, attacker, sender=attacker)
