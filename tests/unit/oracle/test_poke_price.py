from tests.scene import reverts
from tests.unit.oracle.conftest import FAIR, PARAMETERS, VAULT_RATE, Setup


def test_poke_price__armed__pokes_and_answers_the_raw_price(armed: Setup) -> None:
    armed.chain.advance(600)
    assert armed.oracle.poke_price.call(sender=armed.stranger) == FAIR * 9 // 10
    receipt = armed.oracle.poke_price(sender=armed.stranger)
    deeper = 600 * PARAMETERS.discount_speed
    assert receipt.events == [armed.event("Poked", discount=deeper)]
    assert armed.oracle.discount() == deeper


def test_poke_price__stale_feed__reverts_and_changes_nothing(armed: Setup) -> None:
    armed.chain.advance(PARAMETERS.max_age + 1)
    before = armed.state()
    with reverts("oracle: stale feed"):
        armed.oracle.poke_price(sender=armed.stranger)
    assert armed.state() == before


def test_poke_price__adapter_unreadable__reverts_and_pokes_nothing(armed: Setup) -> None:
    armed.chain.advance(600)
    armed.rates.set_unreadable(True)
    before = armed.state()
    with reverts("vault: adapter unreadable"):
        armed.oracle.poke_price(sender=armed.stranger)
    assert armed.state() == before


def test_poke_price__unbooked_loss__smooths_against_the_booked_price(armed: Setup) -> None:
    armed.rates.set_live_rate(VAULT_RATE // 2)
    armed.chain.advance(600)
    assert armed.oracle.poke_price.call() == FAIR // 2
    armed.oracle.poke_price()
    assert armed.oracle.discount() == 600 * PARAMETERS.discount_speed
