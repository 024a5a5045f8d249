"""Where only the smoothed market price breaches the threshold: a part, for little, by the hour."""

from dataclasses import dataclass, replace
from fractions import Fraction

import pytest

from relever.artifacts import artifact
from relever.chain import Event
from tests.unit.market.conftest import (
    BASE_BONUS,
    DAY,
    DELEVERAGE_SHARE,
    MIN_DEBT,
    PRICE,
    TARGET_HEALTH,
    THRESHOLD,
    UNLIMITED,
    WAD,
    Setup,
    assets_up,
)
from tests.unit.market.liquidation import (
    COLLATERAL,
    DATA,
    DEBT,
    DUST,
    E36,
    EDGE,
    bonus_at,
    exchanged,
    health_at,
    liquidate,
    liquidated,
    seized_for,
    to_target,
)
from tests.unit.oracle import conftest as oracles

HOUR = 3_600
LOW = 89 * PRICE // 100
BONUS = BASE_BONUS * WAD
# 83.7 and the base bonus on it: what 100 of collateral must be worth at the price of a part.
LEAST = 84_537 * PRICE // 100_000
# What may be repaid at once.
SHARE = DEBT * DELEVERAGE_SHARE // WAD


@pytest.fixture
def depegged(scene_set: Setup) -> Setup:
    """The stake is whole and the market pays 0.89: unhealthy there by 1.1 %, and only there."""
    scene_set.oracle.set_market_price(LOW)
    return scene_set


@pytest.fixture
def unbounded(setup: Setup) -> Setup:
    """The same position in a market that deleverages all that it wants at once."""
    other = setup.another(deleverage_share=WAD - 1)
    other.lend(1_000 * WAD)
    other.open(COLLATERAL, DEBT)
    return other


def wanted_at(price: int, debt: int = DEBT, collateral: int = COLLATERAL) -> Fraction:
    """The repayment that brings health to its target at the market price, for the base bonus."""
    threshold, target = Fraction(THRESHOLD, WAD), Fraction(TARGET_HEALTH, WAD)
    worth = Fraction(collateral * price, PRICE)
    cost = (1 + Fraction(BONUS, E36)) * threshold
    return (target * debt - worth * threshold) / (target - cost)


@dataclass
class Room:
    """What a position's deleverage share still has room for, by its rule."""

    used: int = 0
    at: int = 0

    def now(self, debt: int, time: int, share: int = DELEVERAGE_SHARE) -> int:
        capacity = debt * share // WAD
        self.used = min(self.used, capacity)
        self.used -= min(self.used, capacity * (time - self.at) // HOUR)
        self.at = time
        return capacity - self.used


def deleveraged(
    setup: Setup, repaid: int, price: int = LOW, debt: int = DEBT, held: int = COLLATERAL
) -> list[Event]:
    """Everything that a deleverage of the borrower logs."""
    seized = seized_for(repaid, price, BONUS, debt, held)
    return [*exchanged(setup, repaid, seized), liquidated(setup, repaid, seized, deleverage=True)]


def refused_for_now(setup: Setup) -> None:
    with setup.refused("market: nothing repaid"):
        liquidate(setup)


# When


def test_deleverage__market_at_the_threshold__reverts_and_a_hair_below_works(
    scene_set: Setup,
) -> None:
    scene_set.oracle.set_market_price(EDGE)
    for max_repay in (0, 1, DEBT, UNLIMITED):
        with scene_set.refused("market: healthy"):
            liquidate(scene_set, max_repay)
    scene_set.oracle.set_market_price(EDGE - 1)
    receipt = liquidate(scene_set, WAD)
    assert receipt.events == deleveraged(scene_set, WAD, EDGE - 1)


def test_deleverage__feed_not_usable__reverts_however_low_it_was(depegged: Setup) -> None:
    depegged.oracle.set_dead(True)
    for price in (LOW, PRICE // 2, 0):
        depegged.oracle.set_market_price(price)
        with depegged.refused("market: healthy"):
            liquidate(depegged)


def test_deleverage__market_above_fundamental__is_no_reason(scene_set: Setup) -> None:
    scene_set.oracle.set_price(EDGE)
    scene_set.oracle.set_market_price(2 * PRICE)
    with scene_set.refused("market: healthy"):
        liquidate(scene_set)


def test_deleverage__depeg_healed__ends(depegged: Setup) -> None:
    liquidate(depegged)
    left = depegged.market.position(depegged.actors.borrower)
    depegged.oracle.set_market_price(PRICE)
    depegged.chain.advance(HOUR)
    with depegged.refused("market: healthy"):
        liquidate(depegged)
    # What it cost: the discount and the base bonus, on what was repaid. Interest aside.
    seized = COLLATERAL - left[0]
    assert (left[1], seized) == (DEBT - SHARE, seized_for(SHARE, LOW, BONUS))
    assert seized - SHARE < SHARE * Fraction(101, 89) - SHARE


def test_deleverage__interest__counts_into_breach_and_share(scene_set: Setup) -> None:
    market = scene_set.market
    scene_set.oracle.set_market_price(EDGE)
    before = market.state()
    scene_set.chain.advance(DAY)
    now = market.state()
    debt = assets_up(now.borrow_shares, now.borrow_assets, now.borrow_shares)
    share = debt * DELEVERAGE_SHARE // WAD
    assert share > SHARE

    receipt = liquidate(scene_set)

    assert receipt.events == [
        *scene_set.accrued(before, now),
        *deleveraged(scene_set, share, EDGE, debt),
    ]


# For what


@pytest.mark.parametrize("price", [EDGE - 1, LOW, 87 * PRICE // 100 + 7, LEAST])
def test_deleverage__however_deep__is_for_the_base_bonus(scene_set: Setup, price: int) -> None:
    market, owner, lender = scene_set.market, scene_set.actors.borrower, scene_set.actors.lender
    scene_set.oracle.set_market_price(price)
    state, claim = market.state(), market.convertToAssets(market.balanceOf(lender))
    seized = (SHARE - 2) * (E36 + BONUS) // price
    if price == LEAST:
        # There the bonus and the part of the debt come to the same, but for their rounding.
        seized = min(seized, (SHARE - 2) * COLLATERAL // DEBT)
    else:
        assert bonus_at(price) > BONUS
        assert seized < (SHARE - 2) * COLLATERAL // DEBT

    receipt = liquidate(scene_set, UNLIMITED, seized)

    assert receipt.events == [
        *exchanged(scene_set, SHARE, seized),
        liquidated(scene_set, SHARE, seized, deleverage=True),
    ]
    assert tuple(market.position(owner)) == (COLLATERAL - seized, DEBT - SHARE)
    assert market.state() == state._replace(
        borrow_assets=DEBT - SHARE, borrow_shares=(DEBT - SHARE) * 10**6
    )
    assert market.convertToAssets(market.balanceOf(lender)) == claim


def test_deleverage__first_two_wei__bring_nothing(depegged: Setup) -> None:
    for repaid in (1, 2):
        debt, held = depegged.debt(), depegged.held()
        receipt = liquidate(depegged, repaid)
        assert receipt.events[-1] == liquidated(depegged, repaid, 0, deleverage=True)
        assert (depegged.debt(), depegged.held()) == (debt - repaid, held)


def test_deleverage__min_seized__is_kept_to_the_wei(depegged: Setup) -> None:
    seized = seized_for(SHARE, LOW, BONUS)
    with depegged.refused("market: seized too little"):
        liquidate(depegged, UNLIMITED, seized + 1)
    # What was refused has used up nothing.
    receipt = liquidate(depegged, UNLIMITED, seized)
    assert receipt.events == deleveraged(depegged, SHARE)


def test_deleverage__callback__comes_between_collateral_and_payment(depegged: Setup) -> None:
    market, wallet, owner = depegged.market, depegged.wallet.address, depegged.actors.borrower
    seized = seized_for(SHARE, LOW, BONUS)

    receipt = depegged.run("liquidate", owner, UNLIMITED, seized, DATA)

    out, paid = exchanged(depegged, SHARE, seized, wallet)
    called = {
        "caller": market.address,
        "owner": owner,
        "repaid": SHARE,
        "seized": seized,
        "data": DATA,
    }
    assert receipt.events == [
        out,
        Event("LiquidateCalled", called, wallet),
        paid,
        liquidated(depegged, SHARE, seized, liquidator=wallet, deleverage=True),
    ]


# How much


@pytest.mark.parametrize("price", [EDGE - 1, LOW, 88 * PRICE // 100 + 7, 86 * PRICE // 100])
def test_deleverage__unbounded__restores_target_health_at_the_market_and_no_more(
    unbounded: Setup, price: int
) -> None:
    unbounded.oracle.set_market_price(price)
    repaid, _ = unbounded.market.liquidate.call(
        unbounded.actors.borrower, UNLIMITED, 0, sender=unbounded.actors.liquidator
    )
    assert 0 <= repaid - wanted_at(price) < DUST
    receipt = liquidate(unbounded)
    assert receipt.events == deleveraged(unbounded, repaid, price)
    target = Fraction(TARGET_HEALTH, WAD)
    assert target <= health_at(unbounded, price) < target + Fraction(DUST, DEBT)
    with unbounded.refused("market: healthy"):
        liquidate(unbounded)


def test_deleverage__less_offered__repays_that_and_leaves_the_rest_of_the_share(
    depegged: Setup,
) -> None:
    with depegged.refused("market: nothing repaid"):
        liquidate(depegged, 0)
    room, debt, held = Room(), DEBT, COLLATERAL
    for offered in (1, 10**9 + 7, WAD, UNLIMITED):
        before = health_at(depegged, LOW)
        repaid = min(offered, room.now(debt, depegged.chain.timestamp))
        receipt = liquidate(depegged, offered)
        seized = seized_for(repaid, LOW, BONUS, debt, held)
        assert receipt.events[-1] == liquidated(depegged, repaid, seized, deleverage=True)
        debt, held = debt - repaid, held - seized
        room.used += repaid
        assert (depegged.held(), depegged.debt()) == (held, debt)
        assert health_at(depegged, LOW) > before
    # Of a debt that has become less the share is less, too.
    assert room.used < SHARE
    refused_for_now(depegged)


def test_deleverage__almost_all_wanted__leaves_what_is_no_share(unbounded: Setup) -> None:
    """Target health would ask for more; yet for the market price's sake nobody is taken out."""
    price = 84_537 * PRICE // 100_000
    unbounded.oracle.set_market_price(price)
    repaid = DEBT * (WAD - 1) // WAD
    assert wanted_at(price) > repaid
    receipt = liquidate(unbounded)
    assert receipt.events == deleveraged(unbounded, repaid, price)
    assert unbounded.debt() == DEBT - repaid > 0
    assert unbounded.held() > 0
    refused_for_now(unbounded)


def test_deleverage__debt_at_or_below_the_minimum__goes_like_any_other(lent: Setup) -> None:
    """Whoever spreads a position over many accounts is no safer than with a large one."""
    market, borrower, other = lent.market, lent.actors.borrower, lent.actors.other_borrower
    held = MIN_DEBT * 1000 // 837
    for owner in (borrower, other):
        lent.open(held, MIN_DEBT, owner)
    # One of them goes below the minimum by repaying.
    market.adjust(other, -(held // 2), -(MIN_DEBT // 2), other, sender=other)
    lent.oracle.set_market_price(LOW)
    for owner, debt in ((borrower, MIN_DEBT), (other, MIN_DEBT // 2)):
        assert lent.debt(owner) == debt
        receipt = liquidate(lent, owner=owner)
        assert receipt.events[-1].args["repaid"] == debt * DELEVERAGE_SHARE // WAD
        assert lent.debt(owner) == debt - debt * DELEVERAGE_SHARE // WAD


def test_deleverage__market_does_not_pay_debt_and_bonus__is_too_deep(scene_set: Setup) -> None:
    for price in (LEAST - PRICE // WAD, PRICE // 2, 0):
        scene_set.oracle.set_market_price(price)
        for max_repay in (0, 1, DEBT, UNLIMITED):
            with scene_set.refused("market: too deep to deleverage"):
                liquidate(scene_set, max_repay)
    scene_set.oracle.set_market_price(LEAST)
    liquidate(scene_set, WAD)


# By the hour


def test_deleverage__share_used__frees_along_a_line(depegged: Setup) -> None:
    price = 86 * PRICE // 100
    depegged.oracle.set_market_price(price)
    room, held = Room(), COLLATERAL
    # At once, after a second, a minute, half of the rest, an hour, and more than one.
    for seconds in (0, 1, 60, 1_769, HOUR, 3 * HOUR, 12 * HOUR):
        depegged.chain.advance(seconds)
        debt = depegged.debt()
        repaid = room.now(debt, depegged.chain.timestamp)
        assert repaid > 0
        done = liquidate(depegged).events[-1].args
        assert done["repaid"] == repaid
        assert done["seized"] == seized_for(repaid, price, BONUS, debt, held)
        held -= done["seized"]
        room.used += repaid
        refused_for_now(depegged)
    # However long nobody came, there is one share at once.
    assert repaid == debt * DELEVERAGE_SHARE // WAD


def test_deleverage__hour_after_hour__ends_where_the_market_finds_it_healthy(
    depegged: Setup,
) -> None:
    """From 0.989, where each twentieth of the debt adds 0.003: the fourth time it is above 1."""
    room = Room()
    for _ in range(4):
        debt, before = depegged.debt(), health_at(depegged, LOW)
        assert before < 1
        bound = room.now(debt, depegged.chain.timestamp)
        assert bound == debt * DELEVERAGE_SHARE // WAD
        assert liquidate(depegged).events[-1].args["repaid"] == bound
        room.used += bound
        assert health_at(depegged, LOW) > before
        depegged.chain.advance(HOUR)
    assert 1 <= health_at(depegged, LOW) < Fraction(TARGET_HEALTH, WAD)
    with depegged.refused("market: healthy"):
        liquidate(depegged)


def test_deleverage__debt_that_has_become_smaller__waits_no_longer(depegged: Setup) -> None:
    """What was used of a great debt counts as no more than the share of the debt that is left."""
    market, owner = depegged.market, depegged.actors.borrower
    liquidate(depegged)
    market.repay(DEBT - SHARE - 20 * WAD, owner, sender=owner)
    depegged.oracle.set_market_price(PRICE)
    market.withdraw_collateral(depegged.held() - 23 * WAD, owner, owner, sender=owner)
    depegged.oracle.set_market_price(LOW)
    assert depegged.debt() == 20 * WAD
    refused_for_now(depegged)
    depegged.chain.advance(HOUR // 2)
    debt = depegged.debt()
    capacity = debt * DELEVERAGE_SHARE // WAD
    assert capacity < SHARE
    assert liquidate(depegged).events[-1].args["repaid"] == capacity * (HOUR // 2) // HOUR


@pytest.mark.parametrize("parts", [2, 10, 50])
def test_deleverage__split__takes_and_gains_no_more_than_at_once(
    depegged: Setup, parts: int
) -> None:
    with depegged.chain.isolated():
        at_once = liquidate(depegged).events[-1].args
    room, calls, repaid, seized = Room(), 0, 0, 0
    while bound := room.now(DEBT - repaid, depegged.chain.timestamp):
        done = liquidate(depegged, SHARE // parts).events[-1].args
        assert done["repaid"] == min(SHARE // parts, bound)
        calls, repaid, seized = calls + 1, repaid + done["repaid"], seized + done["seized"]
        room.used = repaid
    refused_for_now(depegged)
    assert repaid < at_once["repaid"] == SHARE
    assert seized < at_once["seized"]
    assert seized * LOW <= (repaid - 2 * calls) * (E36 + BONUS)


def test_deleverage__several_callers__share_one_share(depegged: Setup) -> None:
    actors = depegged.actors
    room, debt = Room(), DEBT
    for caller in (actors.liquidator, actors.stranger, actors.borrower):
        repaid = min(SHARE // 3, room.now(debt, depegged.chain.timestamp))
        receipt = depegged.market.liquidate(actors.borrower, SHARE // 3, 0, sender=caller)
        assert receipt.events[-1].args["repaid"] == repaid
        debt, room.used = debt - repaid, room.used + repaid
    # The last of them found a little less: the share is of the debt that is left.
    assert 0 < repaid < SHARE // 3
    for caller in (actors.liquidator, actors.stranger, actors.borrower):
        with depegged.refused("market: nothing repaid"):
            depegged.market.liquidate(actors.borrower, UNLIMITED, 0, sender=caller)


def test_deleverage__two_positions__have_a_share_each(depegged: Setup) -> None:
    other = depegged.actors.other_borrower
    depegged.oracle.set_market_price(PRICE)
    depegged.open(COLLATERAL, DEBT, other)
    depegged.oracle.set_market_price(LOW)
    for owner in (depegged.actors.borrower, other):
        assert liquidate(depegged, owner=owner).events[-1].args["repaid"] == SHARE
    with depegged.refused("market: nothing repaid"):
        liquidate(depegged, owner=other)


# With a breach of the fundamental price


def test_deleverage__fundamental_breaches_too__is_a_liquidation(depegged: Setup) -> None:
    """Nothing bounds it, not even a share that is used up."""
    liquidate(depegged)
    refused_for_now(depegged)
    debt, held = depegged.debt(), depegged.held()
    depegged.oracle.set_price(LOW)
    bonus = bonus_at(LOW, debt, held)
    assert bonus > BONUS
    receipt = liquidate(depegged, 2 * SHARE)
    seized = seized_for(2 * SHARE, LOW, bonus, debt, held)
    assert receipt.events[-1] == liquidated(depegged, 2 * SHARE, seized)


def test_deleverage__liquidated_before__has_its_share_whole(depegged: Setup) -> None:
    depegged.oracle.set_price(LOW)
    assert not liquidate(depegged, SHARE).events[-1].args["deleverage"]
    depegged.oracle.set_price(PRICE)
    depegged.oracle.set_market_price(86 * PRICE // 100)
    done = liquidate(depegged).events[-1].args
    assert done["deleverage"]
    assert done["repaid"] == (DEBT - SHARE) * DELEVERAGE_SHARE // WAD


def test_deleverage__fundamental_breaches_too_and_too_deep__goes_whole(depegged: Setup) -> None:
    depegged.oracle.set_price(EDGE - 1)
    depegged.oracle.set_market_price(PRICE // 2)
    receipt = liquidate(depegged)
    assert receipt.events[-1] == liquidated(depegged, DEBT, COLLATERAL)


BELOW = 11 * WAD // 100
LASTING = oracles.PARAMETERS.lasting_time


def test_deleverage__discount_that_lasts__becomes_a_liquidation(setup: Setup) -> None:
    """On the real oracle: once the discount has lasted, there is one price."""
    chain = setup.chain
    rates = chain.deploy(artifact("SettableRates"), WAD, WAD)
    feed = chain.deploy(artifact("SettableFeed"), 18)
    fast = replace(oracles.PARAMETERS, discount_speed=WAD)
    oracle = oracles.deploy_oracle(chain, rates, feed, fast)
    prices = oracles.Setup(chain, oracle, rates, feed, setup.actors.stranger)
    prices.answer(PRICE)
    made = setup.another(oracle=oracle.address)
    made.lend(1_000 * WAD)
    made.open(COLLATERAL, DEBT)
    prices.answer_discount(BELOW)
    prices.poke()
    chain.advance(1)
    prices.poke()
    prices.press(BELOW, LASTING - 1)
    debt = made.debt()

    with chain.isolated():
        assert oracle.liquidation_prices() == (PRICE, LOW, True)
        done = liquidate(made).events[-1].args
    assert (done["deleverage"], done["repaid"]) == (True, debt * DELEVERAGE_SHARE // WAD)

    chain.advance(1)
    assert oracle.liquidation_prices() == (LOW, LOW, True)
    debt = made.debt()
    done = liquidate(made).events[-1].args
    assert not done["deleverage"]
    assert 0 <= done["repaid"] - to_target(LOW, LOW, debt) < DUST
    assert done["seized"] == seized_for(done["repaid"], LOW, bonus_at(LOW, debt), debt)
    assert done["bad_debt"] == 0
