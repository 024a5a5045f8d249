from relever.protocol import WAD
from tests.unit.oracle.conftest import FAIR, PARAMETERS, VAULT_RATE, Setup, smoothed

SPEED, GAP = PARAMETERS.discount_speed, PARAMETERS.max_gap


def test_liquidation_prices__feed_at_fundamental__are_equal(setup: Setup) -> None:
    assert setup.oracle.liquidation_prices() == (FAIR, FAIR, True)


def test_liquidation_prices__discount_seen_first_now__is_not_in_them_yet(setup: Setup) -> None:
    setup.answer_discount(WAD // 10)
    assert setup.oracle.liquidation_prices() == (FAIR, FAIR, True)


def test_liquidation_prices__armed__are_what_a_poke_would_leave(armed: Setup) -> None:
    armed.chain.advance(600)
    expected = (FAIR, smoothed(FAIR, 600 * SPEED), True)
    assert armed.oracle.liquidation_prices() == expected
    assert armed.oracle.discount() == 0
    assert armed.oracle.poke_liquidation_prices.call(sender=armed.stranger) == expected
    armed.poke()
    assert armed.oracle.liquidation_prices() == expected


def test_liquidation_prices__odd_numbers__round_the_market_price_down(setup: Setup) -> None:
    setup.rates.set_rate(VAULT_RATE - 7)
    setup.rates.set_lst_rate(12 * WAD // 10 - 7)
    booked = (VAULT_RATE - 7) * (12 * WAD // 10 - 7)
    answer = 1_234_567_890_123_456_789 * WAD
    setup.answer(answer)
    setup.poke()
    setup.chain.advance(GAP)
    setup.answer(answer)
    setup.poke()
    discount = min((booked - answer) * WAD // booked, SPEED * GAP)
    assert setup.oracle.liquidation_prices() == (booked, booked * (WAD - discount) // WAD, True)


def test_liquidation_prices__stale_feed__keep_the_last_discount_and_say_so(armed: Setup) -> None:
    armed.chain.advance(GAP)
    armed.poke()
    armed.chain.advance(PARAMETERS.max_age)
    assert armed.oracle.liquidation_prices() == (FAIR, smoothed(FAIR, SPEED * GAP), False)


def test_liquidation_prices__adapter_unreadable__answer_all_the_same(setup: Setup) -> None:
    setup.rates.set_unreadable(True)
    assert setup.oracle.liquidation_prices() == (FAIR, FAIR, True)
    setup.feed.set_broken(True)
    assert setup.oracle.liquidation_prices() == (FAIR, FAIR, False)


def test_liquidation_prices__unbooked_loss__stay_booked(setup: Setup) -> None:
    setup.rates.set_live_rate(VAULT_RATE // 2)
    assert setup.oracle.liquidation_prices() == (FAIR, FAIR, True)


def test_liquidation_prices__rate_of_nothing__are_nothing(setup: Setup) -> None:
    setup.rates.set_rate(0)
    assert setup.oracle.liquidation_prices() == (0, 0, False)
