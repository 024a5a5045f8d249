"""Router and liquidator sell the LRT in a stable pool, on Balancer's own bytecode."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from relever.artifacts import artifact
from relever.chain import Event
from relever.protocol import NOBODY, UNLIMITED, WAD, Deployment
from tests.lrt_paths import Log
from tests.scene import (
    ETHER,
    NO_DEADLINE,
    STABLE,
    allowances_given,
    assert_empty,
    holdings,
    open_leveraged,
    reverts,
    slash_and_sync,
)
from tests.stable import Stable, add_stable_pool
from tests.unit.router.conftest import FREE, prepare


@dataclass(frozen=True)
class Ways:
    """The suite with a router and a liquidator that know the stable pool."""

    scene: Deployment
    stable: Stable

    def sold(self, seller: str, amount: int, out: int) -> list[Event]:
        """Sent to the swap contract and sold for WETH that goes to the seller."""
        scene, pool, vault = self.scene, self.stable.pool, self.stable.balancer.vault.address
        log, through = Log(scene), self.stable.swap.address
        sale = {
            "poolId": pool.pool_id,
            "tokenIn": log.vault.address,
            "tokenOut": log.weth.address,
            "amountIn": amount,
            "amountOut": out,
        }
        return [
            log.moved(log.vault, seller, through, amount),
            log.approved(log.vault, through, vault, amount),
            Event("Swap", sale, vault),
            log.approved(log.vault, through, vault, 0),
            log.moved(log.vault, through, vault, amount),
            log.moved(log.weth, vault, seller, out),
        ]


@pytest.fixture(scope="module")
def prepared(deployed: Deployment) -> Iterator[Ways]:
    with deployed.chain.isolated():
        prepare(deployed)
        stable = add_stable_pool(deployed)
        protocol, core = deployed.protocol, deployed.world.core
        path = (
            *(protocol.factory.address, protocol.vault.address, core.wsteth.address),
            *(core.weth.address, protocol.swap.address, stable.swap.address),
        )
        router = deployed.chain.deploy(artifact("LeverageRouter"), *path, [])
        liquidator = deployed.chain.deploy(artifact("Liquidator"), *path, NOBODY)
        scene = replace(deployed, protocol=replace(protocol, router=router, liquidator=liquidator))
        yield Ways(scene, stable)


@pytest.fixture
def ways(prepared: Ways) -> Iterator[Ways]:
    """A looper with a position; whatever a test does, the helpers are empty after it."""
    scene, stable = prepared.scene, prepared.stable
    protocol, balancer = scene.protocol, stable.balancer.vault
    with scene.chain.isolated():
        open_leveraged(scene, 3 * ETHER, 30 * ETHER)
        yield prepared
        for helper in (protocol.router, protocol.liquidator, protocol.swap, stable.swap):
            assert_empty(scene, helper.address)
            assert allowances_given(scene, helper.address) == {}
            for token in (protocol.vault, scene.world.core.weth):
                assert token.allowance(helper.address, balancer.address) == 0
                assert token.allowance(helper.address, stable.swap.address) == 0


def close(ways: Ways, collateral: int, repay: int, min_out: int = 0) -> tuple[int, int, int]:
    market, looper = ways.scene.protocol.market, ways.scene.roles.looper
    bounds = (0, UNLIMITED, min_out, NO_DEADLINE, 0)
    arguments = (market.address, collateral, repay, STABLE, bounds)
    answer: tuple[int, int, int] = ways.scene.protocol.router.close.call(*arguments, sender=looper)
    ways.scene.protocol.router.close(*arguments, sender=looper)
    return answer


def test_create__stable_swap__is_told(ways: Ways) -> None:
    for helper in (ways.scene.protocol.router, ways.scene.protocol.liquidator):
        assert helper.SWAP() == ways.scene.protocol.swap.address
        assert helper.STABLE_SWAP() == ways.stable.swap.address


def test_close__whole_position__sells_it_in_the_stable_pool(ways: Ways) -> None:
    scene, looper = ways.scene, ways.scene.roles.looper
    protocol, log = scene.protocol, Log(scene)
    market, router = protocol.market, protocol.router.address
    collateral, debt = market.position(looper)
    out = ways.stable.quote(log.vault, log.weth, collateral)
    before = holdings(scene, looper)
    arguments = (market.address, collateral, UNLIMITED, STABLE, (0, 0, out - debt, NO_DEADLINE, 0))
    receipt = protocol.router.close(*arguments, sender=looper)
    assert market.position(looper) == (0, 0)
    assert holdings(scene, looper) == {**before, "weth": before["weth"] + out - debt}
    closed = {
        "market": market.address,
        "owner": looper,
        "collateral_out": collateral,
        "repaid": debt,
        "paid_out": out - debt,
        "collateral": 0,
        "debt": 0,
    }
    assert receipt.events == [
        # What is sold as a whole goes straight to where it is sold.
        log.moved(log.vault, market.address, ways.stable.swap.address, collateral),
        *ways.sold(router, collateral, out)[1:],
        log.moved(log.weth, router, market.address, debt),
        log.adjusted(looper, router, -collateral, -debt, ways.stable.swap.address),
        log.moved(log.weth, router, looper, out - debt),
        Event("Closed", closed, router),
    ]


def test_close__less_than_asked_for__reverts(ways: Ways) -> None:
    log, (collateral, debt) = (
        Log(ways.scene),
        ways.scene.protocol.market.position(ways.scene.roles.looper),
    )
    out = ways.stable.quote(log.vault, log.weth, collateral)
    with reverts("router: too little out"):
        close(ways, collateral, UNLIMITED, out - debt + 1)


def test_close__pool_pushed_away_in_the_same_block__keeps_to_the_bound(ways: Ways) -> None:
    scene, looper, log = ways.scene, ways.scene.roles.looper, Log(ways.scene)
    market, router = scene.protocol.market, scene.protocol.router
    sold, repaid = 3 * ETHER, 2 * ETHER
    least = (ways.stable.quote(log.vault, log.weth, sold) - repaid) * 98 // 100
    bounds = (0, UNLIMITED, least, NO_DEADLINE, 0)
    before = market.position(looper)
    call = router.close.build(market.address, sold, repaid, STABLE, bounds, sender=looper)
    *pushed, closed = scene.chain.send_batch([*ways.stable.push(), call], check=False)
    assert [receipt.status for receipt in pushed] == [True, True]
    assert pushed[-1].block_number == closed.block_number
    assert not closed.status
    assert market.position(looper) == before
    # Nor does the pool take a sale that would empty it, whatever the bounds.
    with reverts("swap: not enough liquidity"):
        close(ways, 20 * ETHER, 0)


def test_close__pool_cannot_pay_the_repayment__reverts(ways: Ways) -> None:
    with reverts("router: sale below repayment"):
        close(ways, ETHER, 2 * ETHER)


def test_close__no_stable_swap__other_ways_stay_open(ways: Ways, deployed: Deployment) -> None:
    scene, looper = ways.scene, ways.scene.roles.looper
    market, router = scene.protocol.market, deployed.protocol.router
    with reverts("path: no such route"):
        router.close(market.address, ETHER, ETHER, STABLE, FREE, sender=looper)


def slash(ways: Ways) -> None:
    """The looper's health falls a little below one."""
    scene = ways.scene
    slash_and_sync(scene, 15 * WAD // 100)
    view = scene.protocol.lens.position(scene.protocol.market.address, scene.roles.looper)
    assert 97 * WAD // 100 < view.health < WAD


def test_liquidate__by_the_stable_pool__pays_the_keeper(ways: Ways) -> None:
    scene, log = ways.scene, Log(ways.scene)
    protocol, roles = scene.protocol, scene.roles
    market, helper, keeper = protocol.market, protocol.liquidator.address, roles.keeper
    slash(ways)
    ways.stable.rate.set_rate(protocol.oracle.fundamental() // WAD)
    ways.stable.pool.contract.updateTokenRateCache(protocol.vault.address)
    with scene.chain.isolated():
        scene.world.fund(keeper, weth=100 * ETHER)
        log.weth.approve(market.address, UNLIMITED, sender=keeper)
        repaid, seized = market.liquidate.call(roles.looper, UNLIMITED, 0, sender=keeper)
    before = holdings(scene, keeper)
    out = ways.stable.quote(log.vault, log.weth, seized)
    profit = out - repaid
    assert profit > 0
    arguments = (market.address, roles.looper, UNLIMITED, STABLE)
    with reverts("liquidator: profit too small"):
        protocol.liquidator.liquidate(*arguments, profit + 1, sender=keeper)
    receipt = protocol.liquidator.liquidate(*arguments, profit, sender=keeper)
    assert holdings(scene, keeper) == {**before, "weth": before["weth"] + profit}
    start = receipt.events.index(log.moved(log.vault, market.address, helper, seized))
    assert receipt.events[start + 1 : start + 7] == ways.sold(helper, seized, out)


def test_liquidate__pool_pushed_away_in_the_same_block__takes_no_loss(ways: Ways) -> None:
    scene, roles = ways.scene, ways.scene.roles
    market, liquidator = scene.protocol.market, scene.protocol.liquidator
    slash(ways)
    before = market.position(roles.looper)
    calls = ways.stable.push()
    call = liquidator.liquidate.build(
        market.address, roles.looper, UNLIMITED, STABLE, 0, sender=roles.keeper
    )
    *_, failed = scene.chain.send_batch([*calls, call], check=False)
    assert not failed.status
    assert market.position(roles.looper) == before
    with reverts("swap: not enough liquidity"):
        liquidator.liquidate(
            market.address, roles.looper, UNLIMITED, STABLE, 0, sender=roles.keeper
        )
