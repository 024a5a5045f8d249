"""Tokens and ether that lie in a helper must change nothing of what a caller gets.

Helpers that sweep balances pay them to whoever comes next; check/use gaps do the same by accident
(Index Coop, 2026-07-30).
"""

from typing import Any

import pytest

from relever.protocol import UNLIMITED, WAD, Deployment
from tests.lrt_paths import NOBODY
from tests.scene import ETHER, REDEEM, SWAP, holdings, open_leveraged, slash_and_sync
from tests.unit.router.conftest import FREE


def donate(scene: Deployment, helper: str) -> dict[str, int]:
    """Some of everything, and ether as a self-destruct forces it in; what lies there then."""
    giver, core, protocol = scene.roles.trader, scene.world.core, scene.protocol
    scene.world.fund(giver, weth=7 * ETHER, wsteth=20 * ETHER, steth=7 * ETHER + 2)
    core.wsteth.approve(protocol.vault.address, 12 * ETHER, sender=giver)
    protocol.vault.mint(7 * ETHER, giver, sender=giver)
    for token in (core.weth, core.wsteth, core.steth, protocol.vault):
        token.transfer(helper, 7 * ETHER, sender=giver)
    scene.chain.set_balance(helper, 7 * ETHER)
    return holdings(scene, helper)


def outcome(scene: Deployment, caller: str, market: Any) -> tuple[Any, ...]:
    return market.position(scene.roles.looper), holdings(scene, caller)


@pytest.mark.parametrize("name", ["ether", "weth", "steth", "wsteth", "lrt"])
def test_open__after_a_donation__gives_the_same(scene: Deployment, name: str) -> None:
    protocol, core, looper = scene.protocol, scene.world.core, scene.roles.looper
    market, router = protocol.market, protocol.router
    scene.world.fund(looper, weth=5 * ETHER, wsteth=10 * ETHER, steth=5 * ETHER + 2)
    core.wsteth.approve(protocol.vault.address, 5 * ETHER, sender=looper)
    protocol.vault.deposit(5 * ETHER, looper, sender=looper)
    tokens = {"weth": core.weth, "steth": core.steth, "wsteth": core.wsteth, "lrt": protocol.vault}
    address, value = NOBODY, 4 * ETHER
    if name != "ether":
        address, value = tokens[name].address, 0
        tokens[name].approve(router.address, 4 * ETHER, sender=looper)
    results = []
    for donated in (False, True):
        with scene.chain.isolated():
            # Before the comparison, so that Lido and the vault are in the same state.
            lying = donate(scene, router.address if donated else scene.roles.keeper)
            router.open(
                market.address, address, 4 * ETHER, 9 * ETHER, FREE, sender=looper, value=value
            )
            results.append(outcome(scene, looper, market))
            kept = holdings(scene, router.address)
            assert kept == (lying if donated else dict.fromkeys(lying, 0))
    assert results[0] == results[1]


@pytest.mark.parametrize("route", [SWAP, REDEEM])
def test_close__after_a_donation__pays_the_same(scene: Deployment, route: int) -> None:
    protocol, looper = scene.protocol, scene.roles.looper
    market, router = protocol.market, protocol.router
    open_leveraged(scene, 3 * ETHER, 10 * ETHER)
    collateral, _ = market.position(looper)
    results = []
    for donated in (False, True):
        with scene.chain.isolated():
            lying = donate(scene, router.address if donated else scene.roles.keeper)
            router.close(market.address, collateral, UNLIMITED, route, FREE, sender=looper)
            results.append(outcome(scene, looper, market))
            kept = holdings(scene, router.address)
            assert kept == (lying if donated else dict.fromkeys(lying, 0))
    assert results[0] == results[1]


@pytest.mark.parametrize("route", [SWAP, REDEEM])
def test_liquidate__after_a_donation__pays_the_same(scene: Deployment, route: int) -> None:
    protocol, roles = scene.protocol, scene.roles
    liquidator, market = protocol.liquidator, protocol.market
    open_leveraged(scene, 3 * ETHER, 30 * ETHER)
    slash_and_sync(scene, WAD // 10)
    results = []
    for donated in (False, True):
        with scene.chain.isolated():
            lying = donate(scene, liquidator.address if donated else roles.lender)
            liquidator.liquidate(
                market.address, roles.looper, UNLIMITED, route, 0, sender=roles.keeper
            )
            results.append(outcome(scene, roles.keeper, market))
            kept = holdings(scene, liquidator.address)
            assert kept == (lying if donated else dict.fromkeys(lying, 0))
    assert results[0] == results[1]
