"""The fourth way out: what was seized is sold to the backstop pool."""

from typing import Any

import pytest

from relever.artifacts import artifact
from relever.chain import Event, Revert
from relever.protocol import UNLIMITED, WAD, Deployment
from tests.lrt_paths import (
    NOBODY,
    Log,
    add_far_liquidity,
    push_lrt_price,
    vault_assets_down,
)
from tests.scene import (
    BACKSTOP,
    BEST,
    DAY,
    ETHER,
    REDEEM,
    SWAP,
    back,
    empty_pool,
    holdings,
    open_leveraged,
    restake,
    reverts,
    slash_and_sync,
    stake_everything,
)
from tests.unit.router.conftest import FREE

BACKED = 100 * ETHER
DISCOUNT = 5 * 10**15


@pytest.fixture
def backed(unhealthy: Deployment) -> Deployment:
    """A position can be liquidated, and the pool has money."""
    back(unhealthy, BACKED)
    return unhealthy


def liquidate(
    scene: Deployment, route: int, max_repay: int = UNLIMITED, gas: int | None = None
) -> Any:
    market, roles = scene.protocol.market.address, scene.roles
    return scene.protocol.liquidator.liquidate(
        market, roles.looper, max_repay, route, 0, sender=roles.keeper, gas=gas
    )


def profit(scene: Deployment, route: int, gas: int | None = None) -> int | None:
    """Of a liquidation that is undone; none where it reverts."""
    with scene.chain.isolated():
        try:
            found: int = liquidate(scene, route, gas=gas).events[-1].args["profit"]
        except Revert:
            return None
        return found


def trial(scene: Deployment) -> tuple[int, int]:
    """What the market says is repaid and seized."""
    market, keeper, chain = scene.protocol.market, scene.roles.keeper, scene.chain
    with chain.isolated():
        scene.world.fund(keeper, weth=100 * ETHER)
        scene.world.core.weth.approve(market.address, UNLIMITED, sender=keeper)
        answer: tuple[int, int] = market.liquidate.call(
            scene.roles.looper, UNLIMITED, 0, sender=keeper
        )
        return answer


def test_create__pool_and_liquidator__name_each_other(scene: Deployment) -> None:
    protocol = scene.protocol
    assert protocol.liquidator.BACKSTOP() == protocol.backstop.address
    assert protocol.backstop.LIQUIDATOR() == protocol.liquidator.address
    assert protocol.liquidator.seizing() == (NOBODY, 0)


def test_create__backstop_that_names_another__reverts(scene: Deployment) -> None:
    protocol, core = scene.protocol, scene.world.core
    with reverts("path: backstop of another"):
        scene.chain.deploy(
            artifact("Liquidator"),
            protocol.factory.address,
            protocol.vault.address,
            core.wsteth.address,
            core.weth.address,
            protocol.swap.address,
            NOBODY,
            protocol.backstop.address,
        )


def test_liquidate__by_the_backstop__pays_the_keeper_the_difference(backed: Deployment) -> None:
    protocol, roles, log = backed.protocol, backed.roles, Log(backed)
    market, helper, pool = protocol.market, protocol.liquidator.address, protocol.backstop
    repaid, seized = trial(backed)
    worth = vault_assets_down(backed, seized) * backed.world.core.wsteth.stEthPerToken() // WAD
    paid = worth * (WAD - DISCOUNT) // WAD
    assert pool.quote(seized) == paid > repaid
    before = holdings(backed, roles.keeper)

    receipt = liquidate(backed, BACKSTOP)

    done = {
        "market": market.address,
        "owner": roles.looper,
        "caller": roles.keeper,
        "repaid": repaid,
        "seized": seized,
        "profit": paid - repaid,
    }
    liquidated = {
        "owner": roles.looper,
        "liquidator": helper,
        "repaid": repaid,
        "seized": seized,
        "bad_debt": 0,
        "lenders_loss": 0,
        "deleverage": False,
    }
    bought = {"market": market.address, "amount": seized, "paid": paid}
    assert receipt.events == [
        log.moved(log.vault, market.address, helper, seized),
        log.approved(log.vault, helper, pool.address, seized),
        log.approved(log.vault, helper, pool.address, 0),
        log.moved(log.vault, helper, pool.address, seized),
        log.moved(log.weth, pool.address, helper, paid),
        Event("Bought", bought, pool.address),
        log.moved(log.weth, helper, market.address, repaid),
        Event("Liquidated", liquidated, market.address),
        log.moved(log.weth, helper, roles.keeper, paid - repaid),
        Event("LiquidatedFor", done, helper),
    ]
    assert holdings(backed, roles.keeper) == {**before, "weth": before["weth"] + paid - repaid}
    assert (pool.unqueued(), pool.unqueued_cost()) == (seized, paid)
    assert protocol.liquidator.seizing() == (NOBODY, 0)


def test_liquidate__no_route__takes_the_backstop_where_it_pays_most(backed: Deployment) -> None:
    """The pool of the LRT pays its price less next to nothing; once all is staked and that is
    empty, nobody else pays."""
    by_way = {way: profit(backed, way) for way in (SWAP, REDEEM, BACKSTOP)}
    assert None not in by_way.values()
    assert profit(backed, BEST) == max(found or 0 for found in by_way.values())
    assert (by_way[BACKSTOP] or 0) < (by_way[SWAP] or 0)
    stake_everything(backed)
    empty_pool(backed, backed.lrt_pool)
    assert profit(backed, SWAP) is profit(backed, REDEEM) is None
    best = profit(backed, BACKSTOP)
    assert profit(backed, BEST) == best
    assert best is not None
    assert best > 0


def test_liquidate__whatever_gas_it_gets__takes_the_best_way(backed: Deployment) -> None:
    """The backstop reads the vault's adapters; too little for that would do for the pool."""
    add_far_liquidity(backed)
    push_lrt_price(backed, 955 * WAD // 1000)
    stake_everything(backed)
    best = profit(backed, BACKSTOP)
    assert best is not None
    assert best > (profit(backed, SWAP) or 0) > 0
    found = {profit(backed, BEST, gas) for gas in range(250_000, 2_500_000, 20_000)}
    assert found == {None, best}


def test_liquidate__backstop_without_money__is_no_way_out(unhealthy: Deployment) -> None:
    stake_everything(unhealthy)
    empty_pool(unhealthy, unhealthy.lrt_pool)
    with reverts("backstop: not enough cash"):
        liquidate(unhealthy, BACKSTOP)
    with reverts("path: no way out"):
        liquidate(unhealthy, BEST)
    back(unhealthy, BACKED)
    liquidate(unhealthy, BEST)


def test_liquidate__backstop_with_little_money__takes_a_part(unhealthy: Deployment) -> None:
    back(unhealthy, 5 * ETHER)
    with reverts("backstop: not enough cash"):
        liquidate(unhealthy, BACKSTOP)
    liquidate(unhealthy, BACKSTOP, max_repay=4 * ETHER)


@pytest.mark.parametrize("route", [BACKSTOP, BEST])
def test_liquidate__backstop_paused__is_no_way_out(backed: Deployment, route: int) -> None:
    stake_everything(backed)
    empty_pool(backed, backed.lrt_pool)
    backed.protocol.backstop.pause(DAY, sender=backed.roles.guardian)
    with reverts("backstop: paused" if route else "path: no way out"):
        liquidate(backed, route)


def test_liquidate__market_delisted__the_backstop_buys_no_more_of_it(backed: Deployment) -> None:
    """Liquidating itself goes on by the other ways."""
    protocol, roles = backed.protocol, backed.roles
    protocol.factory.delist_market(protocol.market.address, sender=roles.guardian)
    with reverts("backstop: market not listed"):
        liquidate(backed, BACKSTOP)
    liquidate(backed, BEST)


def test_liquidate_many__by_the_backstop__sells_each(scene: Deployment) -> None:
    protocol, roles = scene.protocol, scene.roles
    owners = [roles.looper, roles.trader]
    for owner in owners:
        open_leveraged(scene, 2 * ETHER, 20 * ETHER, owner)
    back(scene, BACKED)
    slash_and_sync(scene, WAD // 10)
    stake_everything(scene)
    empty_pool(scene, scene.lrt_pool)
    receipt = protocol.liquidator.liquidate_many(
        protocol.market.address, owners, BEST, 0, sender=roles.keeper
    )
    bought = [event.args["amount"] for event in receipt.events if event.name == "Bought"]
    done = [e.args["seized"] for e in receipt.events if e.name == "LiquidatedFor"]
    assert len(bought) == 2
    assert bought == done
    assert protocol.backstop.unqueued() == sum(bought)


def test_close__by_the_backstop__is_no_route_of_the_routers(scene: Deployment) -> None:
    protocol, roles = scene.protocol, scene.roles
    back(scene, BACKED)
    open_leveraged(scene, 3 * ETHER, 10 * ETHER)
    for sold in (ETHER, 0):
        with reverts("path: no such route"):
            if sold:
                protocol.router.close_to_queue(
                    protocol.market.address, 2 * ETHER, sold, 0, BACKSTOP, FREE, sender=roles.looper
                )
            else:
                protocol.router.close(
                    protocol.market.address, ETHER, ETHER, BACKSTOP, FREE, sender=roles.looper
                )


def test_try_sale__of_the_stop_orders__knows_no_backstop(scene: Deployment) -> None:
    """Nor can anyone have the liquidator sell what lies there."""
    protocol, roles = scene.protocol, scene.roles
    back(scene, BACKED)
    restake(scene, 5 * ETHER)
    for name, refusal in (
        ("orders", "path: no such route"),
        ("liquidator", "backstop: not seized now"),
    ):
        helper = getattr(protocol, name)
        with scene.chain.isolated():
            protocol.vault.transfer(helper.address, ETHER, sender=roles.depositor)
            itself = scene.chain.impersonate(helper.address)
            with reverts(refusal):
                helper.try_sale(ETHER, BACKSTOP, roles.keeper, sender=itself)


@pytest.mark.parametrize("name", ["router", "orders", "market", "zap", "vault", "queue"])
def test_buy__by_another_contract_of_the_suite__reverts(scene: Deployment, name: str) -> None:
    back(scene, BACKED)
    caller = scene.chain.impersonate(getattr(scene.protocol, name).address)
    with reverts("backstop: not the liquidator"):
        scene.protocol.backstop.buy(ETHER, sender=caller)
