"""What an oracle gives its faces: a price by mode, and when it was made."""

from dataclasses import replace

import pytest

from relever.protocol import WAD
from tests.scene import reverts
from tests.unit.oracle.conftest import (
    DAY,
    FAIR,
    PARAMETERS,
    VAULT_RATE,
    Setup,
    deploy_oracle,
    smoothed,
)

BELOW = WAD // 10
LOWER = smoothed(FAIR, BELOW)


@pytest.fixture
def lasting(setup: Setup) -> Setup:
    """A discount of 10 % has lasted; the feed has just said it again."""
    quick = replace(PARAMETERS, discount_speed=WAD, lasting_time=DAY)
    setup = replace(setup, oracle=deploy_oracle(setup.chain, setup.rates, setup.feed, quick))
    setup.answer_discount(BELOW)
    setup.poke()
    setup.press(BELOW, 60)
    setup.press(BELOW, DAY)
    return setup


def test_face_price__fundamental__is_made_now(setup: Setup) -> None:
    setup.chain.advance(600)
    assert setup.oracle.face_price(False) == (FAIR, setup.chain.timestamp)


def test_face_price__fundamental_beside_a_discount__is_still_that(armed: Setup) -> None:
    armed.chain.advance(600)
    assert armed.oracle.face_price(False) == (FAIR, armed.chain.timestamp)


def test_face_price__fundamental_with_a_dead_feed__is_made_now(setup: Setup) -> None:
    setup.feed.set_broken(True)
    setup.chain.advance(30 * DAY)
    assert setup.oracle.face_price(False) == (FAIR, setup.chain.timestamp)


def test_face_price__fundamental_that_nobody_believes__is_the_market(lasting: Setup) -> None:
    """It has the time of the answer that it rests on."""
    answered_at = lasting.chain.timestamp
    lasting.chain.advance(600)
    assert lasting.oracle.face_price(False) == (LOWER, answered_at)
    assert lasting.oracle.liquidation_prices()[0] == LOWER


@pytest.mark.parametrize("way", ["dead", "stale"])
def test_face_price__disbelieved_and_the_feed_unusable__reverts(lasting: Setup, way: str) -> None:
    """A feed of a token in trouble may be given up: nobody must get fundamental for it then."""
    if way == "dead":
        lasting.feed.set_broken(True)
    else:
        lasting.chain.advance(PARAMETERS.max_age + 1)
    with reverts("oracle: discount lasts, no feed"):
        lasting.oracle.face_price(False)
    lasting.feed.set_broken(False)
    lasting.answer(FAIR)
    assert lasting.oracle.face_price(False) == (FAIR, lasting.chain.timestamp)


def test_face_price__conservative__is_the_price_at_the_feeds_time(setup: Setup) -> None:
    setup.answer(FAIR * 9 // 10)
    answered_at = setup.chain.timestamp
    setup.chain.advance(600)
    assert setup.oracle.face_price(True) == (FAIR * 9 // 10, answered_at)
    # Another source binds, and the feed still vouches for it.
    setup.rates.set_live_rate(VAULT_RATE // 2)
    assert setup.oracle.face_price(True) == (FAIR // 2, answered_at)


def test_face_price__conservative_without_a_price__reverts_as_it_does(setup: Setup) -> None:
    setup.chain.advance(PARAMETERS.max_age + 1)
    with reverts("oracle: stale feed"):
        setup.oracle.face_price(True)
    setup.answer(FAIR)
    setup.rates.set_supply(PARAMETERS.gate_floor + 1)
    with reverts("oracle: supply burst"):
        setup.oracle.face_price(True)
    setup.rates.set_supply(0)
    setup.rates.set_unreadable(True)
    with reverts("vault: adapter unreadable"):
        setup.oracle.face_price(True)
