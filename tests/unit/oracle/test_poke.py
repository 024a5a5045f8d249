from dataclasses import replace

import pytest

from relever.protocol import WAD
from tests.unit.oracle.conftest import FAIR, PARAMETERS, Setup, deploy_oracle, smoothed

SPEED, GAP = PARAMETERS.discount_speed, PARAMETERS.max_gap


def test_poke__feed_at_fundamental__changes_nothing(setup: Setup) -> None:
    before = setup.state()
    assert setup.oracle.poke.call(sender=setup.stranger) is True
    assert setup.poke().events == []
    assert setup.state() == before


def test_poke__first_to_see_a_discount__only_arms_the_clock(setup: Setup) -> None:
    setup.answer_discount(WAD // 10)
    receipt = setup.poke()
    assert receipt.events == []
    assert setup.oracle.discount() == 0
    assert setup.armed_at == receipt.timestamp


@pytest.mark.parametrize("elapsed", [1, 60, GAP - 1, GAP])
def test_poke__later_one__deepens_by_speed_times_elapsed(armed: Setup, elapsed: int) -> None:
    armed.chain.advance(elapsed)
    receipt = armed.poke()
    assert receipt.events == [armed.event("Poked", discount=SPEED * elapsed)]
    assert armed.oracle.discount() == SPEED * elapsed
    assert armed.armed_at == receipt.timestamp


@pytest.mark.parametrize("elapsed", [GAP + 1, 10 * GAP])
def test_poke__after_a_long_gap__counts_the_longest_gap(armed: Setup, elapsed: int) -> None:
    armed.chain.advance(elapsed)
    assert armed.poke().events == [armed.event("Poked", discount=SPEED * GAP)]


def test_poke__in_the_same_second__deepens_nothing(armed: Setup) -> None:
    for _ in range(3):
        assert armed.poke().events == []
    assert armed.oracle.discount() == 0


def test_poke__many_small_steps__deepen_as_one(armed: Setup) -> None:
    for seconds in (1, 599, 1200, 1800):
        armed.chain.advance(seconds)
        armed.poke()
    assert armed.oracle.discount() == SPEED * GAP


def test_poke__step_beyond_the_raw_discount__stops_there(setup: Setup) -> None:
    setup.answer_discount(WAD // 1000)
    setup.poke()
    setup.chain.advance(GAP)
    setup.answer_discount(WAD // 1000)
    raw = (FAIR - FAIR * 999 // 1000) * WAD // FAIR
    assert raw < SPEED * GAP
    assert setup.poke().events == [setup.event("Poked", discount=raw)]
    # Nothing deeper is seen any more: the clock is not armed.
    setup.chain.advance(1)
    assert setup.poke().events == []
    assert setup.armed_at == 0


def test_poke__recovery__passes_at_once_and_disarms(armed: Setup) -> None:
    armed.chain.advance(GAP)
    armed.poke()
    armed.answer_discount(WAD // 200)
    receipt = armed.poke()
    assert receipt.events == [armed.event("Poked", discount=WAD // 200)]
    assert (armed.oracle.discount(), armed.armed_at) == (WAD // 200, 0)
    # Falling again arms first.
    armed.chain.advance(GAP)
    armed.answer_discount(WAD // 10)
    assert armed.poke().events == []


def test_poke__full_recovery__leaves_none(armed: Setup) -> None:
    armed.chain.advance(GAP)
    armed.poke()
    armed.answer(FAIR * 2)
    assert armed.poke().events == [armed.event("Poked", discount=0)]


def test_poke__unusable_feed__says_so_and_changes_nothing(armed: Setup) -> None:
    armed.chain.advance(GAP)
    armed.poke()
    before = armed.state()
    armed.chain.advance(60)
    now = armed.chain.timestamp
    for break_feed in (
        lambda: armed.answer_word(0, now),
        lambda: armed.answer_word(-1, now),
        lambda: armed.answer(FAIR // 2, updated_at=now + 1),
        lambda: armed.answer(FAIR // 2, updated_at=now - PARAMETERS.max_age - 1),
        lambda: armed.answer(PARAMETERS.max_answer + WAD),
        lambda: armed.answer(PARAMETERS.min_answer - WAD),
        lambda: armed.feed.set_broken(True),
    ):
        break_feed()
        assert armed.oracle.poke.call(sender=armed.stranger) is False
        assert armed.poke().events == []
        assert armed.state() == before


def test_poke__fundamental_falls_to_the_market__takes_the_discount_back(armed: Setup) -> None:
    armed.chain.advance(GAP)
    armed.poke()
    armed.rates.set_rate(armed.rates.rate() * 9 // 10)
    assert armed.poke().events == [armed.event("Poked", discount=0)]
    assert armed.oracle.liquidation_prices() == (FAIR * 9 // 10, FAIR * 9 // 10, True)


def test_poke__rate_of_nothing__counts_as_unusable(setup: Setup) -> None:
    setup.rates.set_rate(0)
    before = setup.state()
    assert setup.oracle.poke.call(sender=setup.stranger) is False
    setup.poke()
    assert setup.state() == before


def test_poke__speed_of_zero__never_deepens(setup: Setup) -> None:
    still = replace(PARAMETERS, discount_speed=0)
    oracle = deploy_oracle(setup.chain, setup.rates, setup.feed, still)
    setup.answer_discount(WAD // 10)
    oracle.poke()
    setup.chain.advance(GAP)
    assert oracle.poke().events == []
    assert oracle.discount() == 0


def test_poke__of_the_largest_speed__never_passes_the_raw_discount(setup: Setup) -> None:
    fast = replace(PARAMETERS, discount_speed=WAD, max_gap=2**256 - 1)
    oracle = deploy_oracle(setup.chain, setup.rates, setup.feed, fast)
    setup.answer_discount(WAD // 2)
    oracle.poke()
    setup.chain.advance(2)
    oracle.poke()
    assert oracle.discount() == WAD // 2
    assert oracle.liquidation_prices() == (FAIR, smoothed(FAIR, WAD // 2), True)
