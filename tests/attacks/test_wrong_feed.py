"""A feed that was wired wrong: a factor missing, decimals mistaken, an absurd number.

After Morpho's PAXG market (2024-10-13, decimals), Moonwell's wrsETH (2025-11-04, a wrong value) and
cbETH (2026-02-15, a factor left out), SingularityDynaVault (2026-04-25).
"""

from dataclasses import replace

import pytest

from relever.artifacts import artifact
from relever.protocol import WAD
from tests.scene import reverts
from tests.unit.oracle.conftest import FAIR, LST_RATE, PARAMETERS, VAULT_RATE, Setup, deploy_oracle


@pytest.mark.parametrize("factor", [2, 1_000, 10**10])
def test_feed__says_many_times_the_price__lends_no_more(oracle_alone: Setup, factor: int) -> None:
    """Incident 38: the feed said 1 wrsETH was worth 5.8 million dollars."""
    oracle_alone.answer(FAIR * factor)
    assert oracle_alone.oracle.liquidation_prices()[:2] == (FAIR, FAIR)
    if FAIR * factor <= PARAMETERS.max_answer:
        assert oracle_alone.oracle.price() == FAIR
    else:
        with reverts("oracle: answer out of bounds"):
            oracle_alone.oracle.price()


def test_feed__answers_in_other_decimals_than_it_says__is_out_of_bounds(
    oracle_alone: Setup,
) -> None:
    for said, meant in ((18, 8), (8, 18), (6, 8), (8, 6)):
        feed = oracle_alone.chain.deploy(artifact("SettableFeed"), said)
        setup = oracle_alone.over(feed)
        setup.answer_word(FAIR * 10**meant // 10**36, setup.chain.timestamp)
        with reverts("oracle: answer out of bounds"):
            setup.oracle.price()


@pytest.mark.parametrize(("vault_rate", "lst_rate"), [(WAD, 10**8), (10**8, WAD), (0, WAD)])
def test_create__a_rate_in_other_decimals__is_refused(
    oracle_alone: Setup, vault_rate: int, lst_rate: int
) -> None:
    rates = oracle_alone.chain.deploy(artifact("SettableRates"), vault_rate, lst_rate)
    with reverts("oracle: rate out of bounds"):
        deploy_oracle(oracle_alone.chain, rates, oracle_alone.feed)


def test_create__the_lst_factor_left_out__is_refused_by_a_tight_band(oracle_alone: Setup) -> None:
    """Incident 40: a price in another unit than the one meant."""
    tight = replace(PARAMETERS, min_answer=FAIR * 9 // 10, max_answer=FAIR * 11 // 10)
    rates = oracle_alone.chain.deploy(artifact("SettableRates"), VAULT_RATE, WAD)
    with reverts("oracle: rate out of bounds"):
        deploy_oracle(oracle_alone.chain, rates, oracle_alone.feed, tight)


def test_rate__pumped_in_one_block__is_held_by_the_growth_cap(oracle_alone: Setup) -> None:
    """Whatever lifts the vault's rate, the price follows at most 10 % a year."""
    oracle_alone.rates.set_rate(VAULT_RATE * 3)
    oracle_alone.rates.set_lst_rate(LST_RATE * 2)
    oracle_alone.answer(min(FAIR * 6, PARAMETERS.max_answer))
    assert oracle_alone.oracle.fundamental() == FAIR
    assert oracle_alone.oracle.price() == FAIR
