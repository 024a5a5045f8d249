"""On an L2: no price while the sequencer is down, nor for the grace period after that."""

from dataclasses import replace
from typing import Any

import pytest

from relever.artifacts import artifact
from relever.protocol import NOBODY, WAD
from tests.scene import reverts
from tests.unit.oracle.conftest import (
    DAY,
    FAIR,
    PARAMETERS,
    Setup,
    deploy_oracle,
)

GRACE = 3_600
ON_L2 = replace(PARAMETERS, sequencer_grace=GRACE)
UP, DOWN = 0, 1


def deploy_l2(setup: Setup, sequencer: Any) -> Setup:
    oracle = deploy_oracle(setup.chain, setup.rates, setup.feed, ON_L2, sequencer.address)
    return replace(setup, oracle=oracle)


@pytest.fixture
def sequencer(setup: Setup) -> Any:
    """Its uptime feed; it has been up for long."""
    feed = setup.chain.deploy(artifact("SettableFeed"), 0)
    since = setup.chain.timestamp - 100 * DAY
    feed.set_round((1, UP, since, since, 1))
    return feed


@pytest.fixture
def layer2(setup: Setup, sequencer: Any) -> Setup:
    return deploy_l2(setup, sequencer)


def set_status(setup: Setup, sequencer: Any, status: int, since: int) -> None:
    now = setup.chain.timestamp
    sequencer.set_round((2, status, since, now, 2))


def assert_no_market(setup: Setup, reason: str) -> None:
    """No price, no market price, and nothing is learnt or forgotten."""
    before, feeds = setup.state(), setup.oracle.feeds()
    for call in (setup.oracle.price, setup.oracle.poke_price):
        with reverts(reason):
            call()
    booked, _, usable = setup.oracle.liquidation_prices()
    assert (booked, usable) == (FAIR, False)
    assert setup.oracle.market_price() == (0, False)
    assert setup.oracle.poke.call() is False
    setup.poke()
    assert (setup.state(), setup.oracle.feeds()) == (before, feeds)


def test_sequencer__up_for_long__is_no_hindrance(layer2: Setup) -> None:
    assert layer2.oracle.price() == FAIR
    assert layer2.oracle.liquidation_prices() == (FAIR, FAIR, True)


@pytest.mark.parametrize("status", [DOWN, 2, -1])
def test_sequencer__down__no_price(layer2: Setup, sequencer: Any, status: int) -> None:
    set_status(layer2, sequencer, status, layer2.chain.timestamp - 100 * DAY)
    assert_no_market(layer2, "oracle: sequencer down")


def test_sequencer__up_again__grace_to_the_second(layer2: Setup, sequencer: Any) -> None:
    set_status(layer2, sequencer, UP, layer2.chain.timestamp)
    assert_no_market(layer2, "oracle: sequencer grace")
    layer2.chain.advance(GRACE - (layer2.chain.timestamp - sequencer.latestRoundData()[2]))
    assert_no_market(layer2, "oracle: sequencer grace")
    layer2.chain.advance(1)
    assert layer2.oracle.price() == FAIR


@pytest.mark.parametrize("since", ["none", "future"])
def test_sequencer__round_without_a_start__no_price(
    layer2: Setup, sequencer: Any, since: str
) -> None:
    at = 0 if since == "none" else layer2.chain.timestamp + DAY
    set_status(layer2, sequencer, UP, at)
    assert_no_market(layer2, "oracle: sequencer unknown")


def test_sequencer__feed_does_not_answer__no_price(layer2: Setup, sequencer: Any) -> None:
    sequencer.set_broken(True)
    assert_no_market(layer2, "oracle: sequencer unknown")


def test_sequencer__dead_feed_meanwhile__is_no_evidence(layer2: Setup, sequencer: Any) -> None:
    """An outage of the sequencer must not count as one of the feed."""
    layer2.feed.set_broken(True)
    layer2.poke()
    layer2.chain.advance(60)
    set_status(layer2, sequencer, DOWN, layer2.chain.timestamp)
    before = layer2.oracle.feeds()
    layer2.poke()
    assert layer2.oracle.feeds() == before
    assert before.dead_time == 0


def test_sequencer__feed_that_eats_gas__costs_no_more_than_its_share(layer2: Setup) -> None:
    eating = layer2.chain.deploy(artifact("GasEatingFeed"))
    setup = deploy_l2(layer2, eating)
    eating.set_appetite(10**9)
    with reverts("oracle: sequencer unknown"):
        setup.oracle.price()
    assert setup.poke().gas_used < 250_000


@pytest.mark.parametrize("reverting", [False, True])
def test_sequencer__feed_that_returns_a_bomb__is_not_copied(layer2: Setup, reverting: bool) -> None:
    bomb = layer2.chain.deploy(artifact("ReturnBombFeed"))
    setup = deploy_l2(layer2, bomb)
    bomb.set_reverting(reverting)
    with reverts("oracle: sequencer unknown"):
        setup.oracle.price()
    assert setup.poke().gas_used < 250_000


def test_sequencer__discount__goes_on_where_it_was(layer2: Setup, sequencer: Any) -> None:
    layer2.answer_discount(WAD // 10)
    layer2.poke()
    layer2.chain.advance(60)
    layer2.poke()
    set_status(layer2, sequencer, DOWN, layer2.chain.timestamp)
    assert_no_market(layer2, "oracle: sequencer down")
    layer2.chain.advance(PARAMETERS.max_gap)
    set_status(layer2, sequencer, UP, layer2.chain.timestamp - GRACE - 1)
    layer2.answer_discount(WAD // 10)
    layer2.poke()
    speed, gap = PARAMETERS.discount_speed, PARAMETERS.max_gap
    assert layer2.oracle.discount() == speed * (60 + gap)


def test_create__sequencer__is_kept(setup: Setup, sequencer: Any) -> None:
    layer2 = deploy_l2(setup, sequencer)
    assert layer2.oracle.SEQUENCER() == sequencer.address
    assert layer2.oracle.SEQUENCER_GRACE() == GRACE


@pytest.mark.parametrize("grace", [0, DAY + 1])
def test_create__sequencer_without_a_fair_grace__reverts(
    setup: Setup, sequencer: Any, grace: int
) -> None:
    parameters = replace(PARAMETERS, sequencer_grace=grace)
    with reverts("oracle: grace period"):
        deploy_oracle(setup.chain, setup.rates, setup.feed, parameters, sequencer.address)


@pytest.mark.parametrize("grace", [1, DAY])
def test_create__grace_at_its_bound__is_taken(setup: Setup, sequencer: Any, grace: int) -> None:
    parameters = replace(PARAMETERS, sequencer_grace=grace)
    oracle = deploy_oracle(setup.chain, setup.rates, setup.feed, parameters, sequencer.address)
    assert oracle.price() == FAIR


def test_create__sequencer_that_does_not_answer__reverts(setup: Setup) -> None:
    with reverts("oracle: sequencer unknown"):
        deploy_oracle(setup.chain, setup.rates, setup.feed, ON_L2, setup.rates.address)
    assert setup.oracle.SEQUENCER() == NOBODY
