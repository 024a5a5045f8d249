"""A loan is taken on a price that is no longer true.

Compound's UNI market, 2024-02-23 (0.44 million dollars): the feed was old. Stream xUSD, 2025-11
(93 million lost, 285 million exposed): a failing token's price was written down as a constant.
Summer.fi, 2026-07-06 (6 million): a net asset value counted a depegged token at par. Here it would
be a borrower who knows of a loss, or of a market, that one of our two prices does not show yet.
What stops it: a borrower gets the least of the feed, of what the stake is worth live, and of the
cap; a feed that is too old lends nothing, and neither price can hide the other.
"""

import pytest

from relever.protocol import PRICE_SCALE, UNLIMITED, WAD, Deployment
from tests.scene import (
    ETHER,
    borrow_against,
    open_leveraged,
    price_e36,
    reverts,
    slash_and_sync,
)

COLLATERAL = 100 * ETHER


@pytest.fixture
def holding(scene: Deployment) -> Deployment:
    """The attacker has supplied collateral and owes the least that one can."""
    scene.answer_fundamental()
    borrow_against(scene, COLLATERAL, ETHER, scene.roles.stranger)
    return scene


def assert_lends_exactly(scene: Deployment, price: int) -> None:
    """All that may be borrowed is max LTV of the collateral at this price, to the wei."""
    market, attacker = scene.protocol.market, scene.roles.stranger
    worth = COLLATERAL * price // PRICE_SCALE
    limit = worth * market.terms().max_ltv // WAD
    _, debt = market.position(attacker)
    with reverts("market: unhealthy"):
        market.borrow(limit - debt + 1, attacker, attacker, sender=attacker)
    # A wei is for the rounding of the shares.
    market.borrow(limit - debt - 1, attacker, attacker, sender=attacker)
    assert limit - 1 <= market.position(attacker)[1] <= limit


def test_feed__a_second_too_old__lends_nothing_and_stops_no_repayment(holding: Deployment) -> None:
    scene, market, attacker = holding, holding.protocol.market, holding.roles.stranger
    scene.chain.advance(scene.protocol.oracle.MAX_AGE())
    with scene.chain.isolated():
        market.borrow(ETHER, attacker, attacker, sender=attacker)
    scene.chain.advance(1)
    with reverts("oracle: stale feed"):
        market.borrow(1, attacker, attacker, sender=attacker)
    with reverts("oracle: stale feed"):
        market.withdraw_collateral(1, attacker, attacker, sender=attacker)
    scene.world.core.weth.approve(market.address, ETHER // 2, sender=attacker)
    market.repay(ETHER // 2, attacker, sender=attacker)


@pytest.mark.parametrize("loss", [WAD // 100, WAD // 5, WAD // 2])
def test_feed__that_never_changes__lends_on_what_is_left_of_the_stake(
    holding: Deployment, loss: int
) -> None:
    """The constant of a failing token, told anew every hour: nobody has booked the slash."""
    scene, oracle = holding, holding.protocol.oracle
    constant, booked = oracle.price(), oracle.fundamental()
    scene.world.slash(loss)
    for _ in range(3):
        scene.chain.advance(3_600)
        scene.feed.answer(constant // WAD)
    live = scene.protocol.vault.live_rate() * scene.world.core.wsteth.stEthPerToken()
    assert live < booked
    assert oracle.market_price()[0] > live
    assert_lends_exactly(scene, live)


def test_feed__that_never_changes__does_not_hold_up_a_liquidation(scene: Deployment) -> None:
    protocol, roles = scene.protocol, scene.roles
    open_leveraged(scene, 3 * ETHER, 36 * ETHER)
    constant = scene.feed.proxy.latestAnswer()
    slash_and_sync(scene, WAD // 5)
    scene.feed.answer(constant)
    scene.world.fund(roles.keeper, weth=100 * ETHER)
    scene.world.core.weth.approve(protocol.market.address, UNLIMITED, sender=roles.keeper)
    done = protocol.market.liquidate(roles.looper, UNLIMITED, 0, sender=roles.keeper)
    seized, repaid = done.events[-1].args["seized"], done.events[-1].args["repaid"]
    # What is handed over is counted at what it is worth, not at the constant.
    assert repaid <= seized * price_e36(scene) // PRICE_SCALE


@pytest.mark.parametrize("loss", [WAD // 50, WAD // 10])
def test_lst__loses_at_lido__is_seen_before_any_feed(holding: Deployment, loss: int) -> None:
    scene, steth = holding, holding.world.core.steth
    booked = price_e36(scene)
    scene.world.slash_validators(steth.getTotalPooledEther() * loss // WAD)
    live = scene.protocol.vault.live_rate() * scene.world.core.wsteth.stEthPerToken()
    assert live < booked * (WAD - loss + WAD // 1000) // WAD
    assert_lends_exactly(scene, live)


@pytest.mark.parametrize("discount", [WAD // 20, WAD // 2])
def test_value_at_par__while_the_market_pays_less__lends_what_the_market_pays(
    holding: Deployment, discount: int
) -> None:
    """Bought at the market's price and lent on, the LRT brings less than it cost."""
    scene = holding
    scene.answer_fundamental(discount)
    price = scene.feed.proxy.latestAnswer() * WAD
    assert price < price_e36(scene)
    assert_lends_exactly(scene, price)
    cost = COLLATERAL * price // PRICE_SCALE
    assert scene.protocol.market.position(scene.roles.stranger)[1] < cost
