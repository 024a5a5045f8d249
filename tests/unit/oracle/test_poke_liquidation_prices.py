import pytest

from tests.unit.oracle.conftest import FAIR, PARAMETERS, Setup, smoothed

SPEED, GAP = PARAMETERS.discount_speed, PARAMETERS.max_gap


@pytest.mark.parametrize("poked", [False, True])
def test_poke_liquidation_prices__armed__pokes_and_answers(armed: Setup, poked: bool) -> None:
    armed.chain.advance(600)
    if poked:
        armed.poke()
    before = armed.oracle.liquidation_prices()
    receipt = armed.oracle.poke_liquidation_prices(sender=armed.stranger)
    expected = [] if poked else [armed.event("Poked", discount=600 * SPEED)]
    assert receipt.events == expected
    assert armed.oracle.discount() == 600 * SPEED
    assert armed.oracle.liquidation_prices() == before


def test_poke_liquidation_prices__stale_feed__answers_and_changes_nothing(armed: Setup) -> None:
    armed.chain.advance(GAP)
    armed.poke()
    armed.chain.advance(PARAMETERS.max_age)
    before = armed.state()
    answer = armed.oracle.poke_liquidation_prices.call(sender=armed.stranger)
    assert answer == (FAIR, smoothed(FAIR, SPEED * GAP), False)
    assert armed.oracle.poke_liquidation_prices(sender=armed.stranger).events == []
    assert armed.state() == before
