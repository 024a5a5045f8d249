"""What a position is worth, and the prices at which something is done to it: tried out."""

import pytest

from relever.chain import Receipt
from relever.protocol import PRICE_SCALE, UNLIMITED, WAD, Deployment
from relever.quotes import leverage_of, ltv_of, position
from tests.scene import ETHER, open_leveraged, reverts, slash_and_sync


def liquidate(scene: Deployment) -> Receipt:
    roles, market = scene.roles, scene.protocol.market
    scene.world.fund(roles.liquidator, weth=100 * ETHER)
    scene.world.core.weth.approve(market.address, UNLIMITED, sender=roles.liquidator)
    return market.liquidate(roles.looper, UNLIMITED, 0, sender=roles.liquidator)


def test_position__leveraged__is_what_the_lens_and_the_oracle_say(scene: Deployment) -> None:
    open_leveraged(scene, 3 * ETHER, 20 * ETHER)
    scene.answer_fundamental(discount=3 * 10**16)
    protocol, looper = scene.protocol, scene.roles.looper
    seen, found = (
        protocol.lens.position(protocol.market.address, looper),
        position(protocol, looper),
    )
    threshold = protocol.market.terms().threshold
    lent = found.collateral * protocol.oracle.price() // PRICE_SCALE
    assert (found.collateral, found.debt) == protocol.market.position(looper)
    assert found.worth == seen.worth
    assert (found.ltv, found.health) == (seen.ltv, seen.health)
    assert found.conservative_health == lent * threshold // found.debt < seen.health
    assert found.liquidation_price == found.deleverage_price == seen.liquidation_price
    assert found.leverage == found.worth * WAD // (found.worth - found.debt)


def test_position__without_debt_and_nobodys__have_no_end(scene: Deployment) -> None:
    protocol, looper = scene.protocol, scene.roles.looper
    for collateral in (0, 1):
        if collateral:
            open_leveraged(scene, 3 * ETHER, 0)
        found = position(protocol, looper)
        assert (found.health, found.conservative_health) == (None, None)
        assert (found.leverage, found.ltv, found.liquidation_price) == (WAD, 0, 0)


def test_position__under_water__has_no_leverage(scene: Deployment) -> None:
    open_leveraged(scene, 3 * ETHER, 25 * ETHER)
    slash_and_sync(scene, 4 * 10**17)
    found = position(scene.protocol, scene.roles.looper)
    assert found.debt > found.worth
    assert found.leverage is None
    assert found.ltv is not None
    assert found.ltv > WAD


def test_position__its_liquidation_price__is_the_last_that_is_healthy(scene: Deployment) -> None:
    """The LST's own rate takes the fundamental price to it and past it."""
    open_leveraged(scene, 3 * ETHER, 20 * ETHER)
    protocol, steth = scene.protocol, scene.world.core.steth
    target = position(protocol, scene.roles.looper).liquidation_price
    # The price of a share of all pooled ether: what must be lost for the price to be just there.
    pooled, shares = steth.getTotalPooledEther(), steth.getTotalShares()
    rate = protocol.vault.rate()
    lst_rate = (target + rate - 1) // rate
    needed = (lst_rate * shares + WAD - 1) // WAD
    scene.world.slash_validators(pooled - needed)
    assert protocol.oracle.fundamental() >= target
    scene.answer_fundamental()
    with reverts("market: healthy"):
        liquidate(scene)
    scene.world.slash_validators(2 * pooled // WAD + 1)
    assert protocol.oracle.fundamental() < target
    assert protocol.oracle.fundamental() * WAD > target * (WAD - 10)
    assert liquidate(scene).events[-1].args["deleverage"] is False


def smooth_to(scene: Deployment, price: int) -> int:
    """Pokes until the smoothed market price is just the price; returns what it is."""
    oracle = scene.protocol.oracle
    for _ in range(100):
        if oracle.liquidation_prices()[1] <= price:
            break
        # The feed has 18 decimals.
        scene.feed.answer(price // WAD)
        oracle.poke(sender=scene.roles.stranger)
        scene.chain.advance(3_600)
    smoothed_now: int = oracle.liquidation_prices()[1]
    return smoothed_now


@pytest.mark.parametrize(("off", "reason"), [(2, "market: healthy"), (-2, "")])
def test_position__its_deleverage_price__is_where_deleveraging_begins(
    scene: Deployment, off: int, reason: str
) -> None:
    open_leveraged(scene, 3 * ETHER, 26 * ETHER)
    target = position(scene.protocol, scene.roles.looper).deleverage_price
    smooth_to(scene, target + off * 10**18 * 10**5)
    # Interest has moved it meanwhile: what it is now decides.
    target = position(scene.protocol, scene.roles.looper).deleverage_price
    smoothed = smooth_to(scene, target + off * 10**18 * 10**5)
    target = position(scene.protocol, scene.roles.looper).deleverage_price
    if smoothed >= target:
        with reverts("market: healthy"):
            liquidate(scene)
    else:
        assert liquidate(scene).events[-1].args["deleverage"] is True


def test_position__below_its_deleverage_floor__is_too_deep(scene: Deployment) -> None:
    open_leveraged(scene, 3 * ETHER, 26 * ETHER)
    found = position(scene.protocol, scene.roles.looper)
    assert found.deleverage_floor < found.deleverage_price
    smooth_to(scene, found.deleverage_floor * 99 // 100)
    floor = position(scene.protocol, scene.roles.looper).deleverage_floor
    assert scene.protocol.oracle.liquidation_prices()[1] < floor
    with reverts("market: too deep to deleverage"):
        liquidate(scene)
    scene.feed.answer((floor + 10**18 - 1) // WAD + 1)
    scene.protocol.oracle.poke(sender=scene.roles.stranger)
    assert scene.protocol.oracle.liquidation_prices()[1] >= floor
    assert liquidate(scene).events[-1].args["deleverage"] is True


@pytest.mark.parametrize("leverage", [WAD, WAD + 1, 2 * WAD, 5 * WAD + 3, 19 * WAD, 10**30])
def test_ltv_of__leverage__and_back_is_the_same_or_a_unit_of_ltv_less(
    scene: Deployment, leverage: int
) -> None:
    outlook = scene.protocol.outlook
    ltv = ltv_of(leverage)
    assert ltv == outlook.ltv_of(leverage) == WAD - -(-WAD * WAD // leverage)
    if ltv < WAD:
        assert leverage_of(ltv) == outlook.leverage_of(ltv)
        assert leverage_of(ltv) <= leverage < leverage_of(min(ltv + 1, WAD - 1)) + 1


def test_ltv_of__what_cannot_be__is_refused(scene: Deployment) -> None:
    outlook = scene.protocol.outlook
    with reverts("quote: leverage below one"):
        outlook.ltv_of(WAD - 1)
    with reverts("quote: ltv of one or more"):
        outlook.leverage_of(WAD)
    with pytest.raises(ValueError, match="below one"):
        ltv_of(WAD - 1)
    for ltv in (WAD, -1):
        with pytest.raises(ValueError, match="has no leverage"):
            leverage_of(ltv)
