import pytest

from relever.protocol import WAD
from tests.unit.oracle.conftest import FAIR, LST_RATE, PARAMETERS, VAULT_RATE, YEAR, Setup


def cap(ratio: int, elapsed: int) -> int:
    return ratio + ratio * PARAMETERS.max_growth * elapsed // (WAD * YEAR)


@pytest.mark.parametrize("elapsed", [0, 1, 86_399, YEAR, 3 * YEAR + 7])
def test_growth_cap__time_passes__grows_linearly(setup: Setup, elapsed: int) -> None:
    setup.chain.advance(elapsed)
    assert setup.oracle.growth_cap() == cap(FAIR, elapsed)


def test_fundamental__below_the_cap__is_the_product_of_the_rates(setup: Setup) -> None:
    setup.chain.advance(YEAR)
    setup.rates.set_rate(VAULT_RATE + 3)
    setup.rates.set_lst_rate(LST_RATE + 5)
    assert setup.oracle.fundamental() == (VAULT_RATE + 3) * (LST_RATE + 5)


def test_fundamental__at_the_cap_and_above__is_the_cap(setup: Setup) -> None:
    setup.chain.advance(YEAR)
    setup.rates.set_rate(VAULT_RATE * 11 // 10)
    assert setup.oracle.fundamental() == FAIR * 11 // 10
    setup.rates.set_rate(VAULT_RATE * 11 // 10 + 1)
    assert setup.oracle.fundamental() == FAIR * 11 // 10


def test_fundamental__rate_falls__follows_at_once(setup: Setup) -> None:
    setup.rates.set_rate(VAULT_RATE // 10)
    assert setup.oracle.fundamental() == FAIR // 10


def test_fundamental__dead_feed_and_unreadable_adapter__is_answered(setup: Setup) -> None:
    setup.feed.set_broken(True)
    setup.rates.set_unreadable(True)
    assert setup.oracle.fundamental() == FAIR


def test_fundamental__after_a_quarantine__counts_what_is_to_come_back(setup: Setup) -> None:
    """It goes with the collateral: a liquidation must not hand it over for nothing."""
    supply, expected = 7 * WAD, 3 * WAD + 5
    setup.rates.set_supply(supply)
    setup.rates.set_rate(VAULT_RATE // 2)
    setup.rates.set_expected_back(expected)
    rate = VAULT_RATE // 2 + expected * WAD // (supply + 10**9)
    assert setup.oracle.fundamental() == rate * LST_RATE
    # Who borrows gets what is there now.
    assert setup.oracle.price() == VAULT_RATE // 2 * LST_RATE
