"""A route of none: each way is tried, and the one that brings most is taken."""

from typing import Any

import pytest

from relever.chain import Revert
from relever.protocol import UNLIMITED, WAD, Deployment
from tests.lrt_paths import add_far_liquidity, push_lrt_price
from tests.scene import (
    BEST,
    ETHER,
    REDEEM,
    SWAP,
    holdings,
    open_leveraged,
    restake,
    reverts,
    slash_and_sync,
    stake_everything,
)

WAYS = (SWAP, REDEEM)


def liquidate(scene: Deployment, route: int, gas: int | None = None) -> Any:
    market, roles = scene.protocol.market.address, scene.roles
    return scene.protocol.liquidator.liquidate(
        market, roles.looper, UNLIMITED, route, 0, sender=roles.keeper, gas=gas
    )


def profit(scene: Deployment, route: int, gas: int | None = None) -> int | None:
    """Of a liquidation that is undone; none where it reverts."""
    with scene.chain.isolated():
        try:
            found: int = liquidate(scene, route, gas).events[-1].args["profit"]
        except Revert:
            return None
        return found


def test_liquidate__no_route__takes_the_way_that_brings_most(unhealthy: Deployment) -> None:
    by_way = [profit(unhealthy, way) for way in WAYS]
    assert None not in by_way
    assert by_way[0] != by_way[1]
    assert profit(unhealthy, BEST) == max(one or 0 for one in by_way)


@pytest.mark.parametrize(("part", "best"), [(96, REDEEM), (103, SWAP)])
def test_liquidate__pool_of_the_lrt_is_pushed__takes_the_other_way(
    unhealthy: Deployment, part: int, best: int
) -> None:
    if part < 100:
        add_far_liquidity(unhealthy)
        push_lrt_price(unhealthy, part * WAD // 100)
    else:
        _buy_lrt(unhealthy)
    by_way = {way: profit(unhealthy, way) for way in WAYS}
    (other,) = set(WAYS) - {best}
    assert (by_way[best] or 0) > (by_way[other] or 0)
    assert profit(unhealthy, BEST) == by_way[best]


def _buy_lrt(scene: Deployment) -> None:
    """A trader buys LRT in its pool, so that it pays more than the vault."""
    core, trader = scene.world.core, scene.roles.trader
    scene.world.fund(trader, weth=30 * ETHER)
    core.weth.approve(core.swap_router.address, UNLIMITED, sender=trader)
    pair = (core.weth.address, scene.protocol.vault.address)
    fee = scene.lrt_pool.fee_millionths
    core.swap_router.exactInputSingle(
        (*pair, fee, trader, UNLIMITED, 30 * ETHER, 0, 0), sender=trader
    )


def test_liquidate__one_way_is_closed__takes_the_other(unhealthy: Deployment) -> None:
    stake_everything(unhealthy)
    assert profit(unhealthy, REDEEM) is None
    assert profit(unhealthy, BEST) == profit(unhealthy, SWAP) is not None


def test_liquidate__no_way_out__reverts(scene: Deployment) -> None:
    open_leveraged(scene, 60 * ETHER, 600 * ETHER)
    stake_everything(scene)
    slash_and_sync(scene, WAD // 10)
    with reverts("path: no way out"):
        liquidate(scene, BEST)


def test_liquidate__whatever_gas_it_gets__takes_the_best_way(unhealthy: Deployment) -> None:
    """Redeeming needs more gas than the pool of the LRT, which would do with what is too little."""
    add_far_liquidity(unhealthy)
    push_lrt_price(unhealthy, 965 * WAD // 1000)
    best = profit(unhealthy, REDEEM)
    assert best is not None
    assert best > (profit(unhealthy, SWAP) or 0) > 0
    found = {profit(unhealthy, BEST, gas) for gas in range(250_000, 2_000_000, 20_000)}
    assert found == {None, best}


def test_liquidate__too_little_gas_for_a_trial__says_so(unhealthy: Deployment) -> None:
    reasons = set()
    for gas in range(250_000, 1_000_000, 10_000):
        with unhealthy.chain.isolated():
            try:
                liquidate(unhealthy, BEST, gas)
            except Revert as failure:
                reasons.add(failure.reason)
    assert reasons >= {"path: too little gas"}


@pytest.mark.parametrize("role", ["stranger", "keeper", "owner"])
def test_try_sale__by_anyone__reverts(unhealthy: Deployment, role: str) -> None:
    """Even of LRT that lies there by mistake."""
    protocol, roles = unhealthy.protocol, unhealthy.roles
    restake(unhealthy, 5 * ETHER)
    for name in ("liquidator", "orders"):
        helper = getattr(protocol, name)
        with unhealthy.chain.isolated():
            protocol.vault.transfer(helper.address, ETHER, sender=roles.depositor)
            before = holdings(unhealthy, helper.address)
            for route in (*WAYS, BEST):
                caller = getattr(roles, role)
                with reverts("path: trials are its own"):
                    helper.try_sale(ETHER, route, caller, sender=caller)
            assert holdings(unhealthy, helper.address) == before


def test_try_sale__by_itself__says_what_it_brings_and_does_nothing(unhealthy: Deployment) -> None:
    protocol, roles = unhealthy.protocol, unhealthy.roles
    restake(unhealthy, 5 * ETHER)
    helper = protocol.liquidator
    itself = unhealthy.chain.impersonate(helper.address)
    with unhealthy.chain.isolated():
        protocol.vault.transfer(helper.address, ETHER, sender=roles.depositor)
        before = holdings(unhealthy, helper.address)
        for route in WAYS:
            with pytest.raises(Revert) as failure:
                helper.try_sale(ETHER, route, roles.keeper, sender=itself)
            data = failure.value.reason
            assert int(data[-64:], 16) > ETHER
        assert holdings(unhealthy, helper.address) == before
