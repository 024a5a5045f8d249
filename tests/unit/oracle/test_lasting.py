"""A deep discount that lasts: liquidations go by the smoothed market price."""

from dataclasses import replace

import pytest

from relever.protocol import WAD
from tests.unit.oracle.conftest import (
    FAIR,
    PARAMETERS,
    Setup,
    deploy_oracle,
    smoothed,
)

GAP, DEEP, LASTING = PARAMETERS.max_gap, PARAMETERS.deep_discount, PARAMETERS.lasting_time
BELOW = WAD // 10
PRESSED = smoothed(FAIR, BELOW)


def deep_time(setup: Setup) -> int:
    time: int = setup.oracle.discount_state().deep_time
    return time


@pytest.fixture
def deep(setup: Setup) -> Setup:
    """The market is 10 % below, all of that is smoothed, and a poke has just seen it deep."""
    fast = replace(PARAMETERS, discount_speed=WAD)
    setup = replace(setup, oracle=deploy_oracle(setup.chain, setup.rates, setup.feed, fast))
    setup.answer_discount(BELOW)
    setup.poke()
    setup.chain.advance(1)
    setup.poke()
    assert setup.oracle.discount() == BELOW
    assert setup.oracle.discount_state().deep_at == setup.chain.timestamp
    assert deep_time(setup) == 0
    return setup


@pytest.fixture
def almost(deep: Setup) -> Setup:
    """One second is missing."""
    deep.press(BELOW, LASTING - 1)
    assert deep_time(deep) == LASTING - 1
    return deep


@pytest.fixture
def lasting(almost: Setup) -> Setup:
    almost.press(BELOW, 1)
    return almost


def test_lasting__a_second_short__is_fundamental(almost: Setup) -> None:
    assert almost.oracle.liquidation_prices() == (FAIR, PRESSED, True)


def test_lasting__long_enough__is_the_smoothed_market(almost: Setup) -> None:
    almost.chain.advance(1)
    expected = (PRESSED, PRESSED, True)
    assert almost.oracle.liquidation_prices() == expected
    assert almost.oracle.poke_liquidation_prices.call(sender=almost.stranger) == expected
    receipt = almost.oracle.poke_liquidation_prices(sender=almost.stranger)
    assert receipt.events == [almost.event("Lasting", lasts=True)]
    assert almost.oracle.liquidation_prices() == expected
    assert almost.oracle.fundamental() == FAIR


def test_lasting__once_reached__is_not_told_again(lasting: Setup) -> None:
    lasting.chain.advance(5 * GAP)
    lasting.answer_discount(BELOW)
    before = lasting.state()
    assert lasting.poke().events == []
    assert lasting.state() == before


def test_lasting__nobody_poked__proves_an_hour_at_most(deep: Setup) -> None:
    """However long the market was deep, and whoever says so."""
    deep.chain.advance(10 * LASTING)
    deep.answer_discount(BELOW)
    deep.poke()
    assert deep_time(deep) == GAP
    assert deep.oracle.liquidation_prices() == (FAIR, PRESSED, True)


@pytest.mark.parametrize("times", [2, 50])
def test_lasting__poked_often__takes_no_less_time(deep: Setup, times: int) -> None:
    for _ in range(times):
        deep.poke()
    assert deep_time(deep) == 0
    for _ in range(times):
        deep.chain.advance(7)
        deep.poke()
        deep.poke()
    assert deep_time(deep) == 7 * times


def test_lasting__early_armed_clock__counts_only_what_was_deep(setup: Setup) -> None:
    """One clock is armed for hours; the other starts when the smoothed discount is deep."""
    setup.answer_discount(BELOW)
    setup.poke()
    hours = -(-DEEP // (PARAMETERS.discount_speed * GAP))
    setup.press(BELOW, (hours - 1) * GAP)
    assert setup.oracle.discount() < DEEP
    assert setup.oracle.discount_state()[2:] == (0, 0)
    setup.press(BELOW, GAP)
    assert setup.oracle.discount() >= DEEP
    assert setup.oracle.discount_state()[2:] == (setup.chain.timestamp, 0)
    setup.press(BELOW, GAP)
    assert deep_time(setup) == GAP


def test_lasting__discount_of_the_bound__is_deep(deep: Setup) -> None:
    # So that the feed says the bound to the unit.
    deep.answer_discount(DEEP)
    deep.poke()
    assert deep.oracle.discount() == DEEP
    deep.press(DEEP, 10)
    assert deep_time(deep) == 11 - 1


def test_lasting__seen_shallower_once__starts_anew(almost: Setup) -> None:
    almost.answer_discount(DEEP - 10**6)
    almost.poke()
    assert almost.oracle.discount_state()[2:] == (0, 0)
    almost.answer_discount(BELOW)
    almost.press(BELOW, 2)
    assert almost.oracle.liquidation_prices()[0] == FAIR


def test_lasting__recovery_after_it__ends_it_at_once(lasting: Setup) -> None:
    lasting.answer_discount(DEEP - 10**6)
    first, market, usable = lasting.oracle.liquidation_prices()
    assert (first, usable) == (FAIR, True)
    assert market == smoothed(FAIR, DEEP - 10**6)
    shallow = lasting.poke()
    assert shallow.events == [
        lasting.event("Poked", discount=DEEP - 10**6),
        lasting.event("Lasting", lasts=False),
    ]
    assert deep_time(lasting) == 0


def test_lasting__fundamental_falls_to_the_market__ends_it(lasting: Setup) -> None:
    """The loss is booked at last: there is something to believe again."""
    lasting.rates.set_rate(lasting.rates.rate() * 9 // 10)
    assert lasting.oracle.liquidation_prices() == (PRESSED, PRESSED, True)
    lasting.poke()
    assert lasting.oracle.discount_state() == (0, 0, 0, 0)


@pytest.mark.parametrize("way", ["dead", "stale", "out of bounds"])
def test_lasting__feed_unusable_in_between__changes_nothing(almost: Setup, way: str) -> None:
    before = almost.oracle.discount_state()
    almost.chain.advance(GAP // 2)
    now = almost.chain.timestamp
    if way == "dead":
        almost.feed.set_broken(True)
    elif way == "stale":
        almost.answer(PRESSED, updated_at=now - PARAMETERS.max_age - 1)
    else:
        almost.answer(PARAMETERS.min_answer - WAD)
    almost.poke()
    almost.poke()
    assert almost.oracle.liquidation_prices() == (FAIR, PRESSED, False)
    assert almost.oracle.discount_state() == before
    # Two pokes with a usable feed saw it deep, and what was between is one interval.
    almost.feed.set_broken(False)
    almost.answer(PRESSED)
    assert almost.oracle.liquidation_prices() == (PRESSED, PRESSED, True)


def test_lasting__feed_unusable_after_it__is_fundamental_until_it_is_back(lasting: Setup) -> None:
    lasting.feed.set_broken(True)
    assert lasting.oracle.liquidation_prices() == (FAIR, PRESSED, False)
    lasting.chain.advance(30 * GAP)
    lasting.poke()
    lasting.feed.set_broken(False)
    lasting.answer(PRESSED)
    assert lasting.oracle.liquidation_prices() == (PRESSED, PRESSED, True)


def test_lasting__bound_of_the_whole_price__never_comes(setup: Setup) -> None:
    never = replace(PARAMETERS, discount_speed=WAD, deep_discount=WAD)
    setup = replace(setup, oracle=deploy_oracle(setup.chain, setup.rates, setup.feed, never))
    setup.answer(PARAMETERS.min_answer)
    setup.poke()
    setup.press(WAD // 2, 3 * GAP)
    assert deep_time(setup) == 0


def test_price__lasting_discount__is_the_least_as_ever(lasting: Setup) -> None:
    assert lasting.oracle.price() == PRESSED
    lasting.answer_discount(WAD // 5)
    assert lasting.oracle.price() == FAIR * 4 // 5
