"""Whoever executes a stop order is anybody: what can he take beyond his fee, or do to the owner?

Signed orders have been turned against their owners by executors who chose the path of the sale, by
orders that counted twice or on another chain, and by helpers that trusted what they were given.
Here the executor chooses the moment only, and for that the order has its trigger and its bound.
"""

from dataclasses import replace

import pytest

from relever.chain import Revert
from relever.orders import Kind
from relever.protocol import UNLIMITED, WAD
from tests.lrt_paths import add_far_liquidity, push_lrt_price
from tests.scene import (
    ETHER,
    SWAP,
    holdings,
    open_leveraged,
    price_e36,
    restake,
    reverts,
    slash_and_sync,
    stake_everything,
)
from tests.unit.orders.conftest import FEE, MAX_LOSS, Desk, desk

__all__ = ["desk"]


def equity(desk: Desk) -> int:
    """Of the owner: collateral less debt at the fundamental price, and WETH."""
    collateral, debt = desk.position()
    worth: int = collateral * price_e36(desk.scene) // 10**36
    return worth - debt + holdings(desk.scene, desk.owner)["weth"]


def test_executor__pushes_the_pool_before__takes_no_more_than_the_bound(desk: Desk) -> None:
    """A sandwich: the pool is pushed, the order sells into it, the pool is pulled back."""
    add_far_liquidity(desk.scene)
    stake_everything(desk.scene)
    before = equity(desk)
    sold = desk.position()[0] * price_e36(desk.scene) // 10**36
    for part in (999, 996, 993):
        with desk.scene.chain.isolated():
            push_lrt_price(desk.scene, part * WAD // 1000)
            stake_everything(desk.scene)
            desk.execute(desk.order(max_loss=MAX_LOSS))
            assert before - equity(desk) <= sold * MAX_LOSS // WAD + FEE + 2
    push_lrt_price(desk.scene, 95 * WAD // 100)
    stake_everything(desk.scene)
    with reverts("orders: sale brings too little"):
        desk.execute(desk.order(max_loss=MAX_LOSS))
    assert desk.contract.is_used(desk.owner, 7) is False


def test_executor__cannot_choose_the_worse_way_out(desk: Desk) -> None:
    """With enough idle the vault pays the fair price, whatever became of the pool."""
    restake(desk.scene, 100 * ETHER)
    before = equity(desk)
    push_lrt_price(desk.scene, 97 * WAD // 100)
    restake(desk.scene, 100 * ETHER)
    desk.execute(desk.order(max_loss=WAD // 2))
    assert before - equity(desk) < FEE + ETHER // 100


def test_executor__gives_too_little_gas__gets_no_worse_way(desk: Desk) -> None:
    restake(desk.scene, 200 * ETHER)
    push_lrt_price(desk.scene, 97 * WAD // 100)
    restake(desk.scene, 200 * ETHER)
    order = desk.order(max_loss=WAD // 2)
    with desk.scene.chain.isolated():
        best = desk.execute(order).events[-1].args["received"]
    found = set()
    for gas in range(300_000, 1_600_000, 25_000):
        with desk.scene.chain.isolated():
            try:
                found.add(desk.execute(order, gas=gas).events[-1].args["received"])
            except Revert:
                found.add(None)
    assert found == {None, best}


def test_executor__replays_after_the_owner_is_back__gets_nothing(desk: Desk) -> None:
    """The owner opens anew: what was executed or cancelled stays so, in whatever order."""
    order, other = desk.order(), desk.order(Kind.TAKE_PROFIT, trigger=0)
    signatures = desk.sign(order), desk.sign(other)
    desk.execute(order, signatures[0])
    open_leveraged(desk.scene, ETHER, 5 * ETHER)
    before = desk.position()
    for one, signature in zip((order, other), signatures, strict=True):
        with reverts("orders: nonce used"):
            desk.execute(one, signature)
    assert desk.position() == before


def test_executor__order_for_a_small_position__sells_no_more_of_a_large_one(desk: Desk) -> None:
    collateral, _ = desk.position()
    order = desk.order(amount=collateral)
    signature = desk.sign(order)
    open_leveraged(desk.scene, 5 * ETHER, 20 * ETHER)
    grown, _ = desk.position()
    desk.execute(order, signature)
    assert desk.position()[0] == grown - collateral


def test_executor__markets_of_his_own__are_not_entered(desk: Desk) -> None:
    """He cannot sign for the owner; and what he signs himself reaches only his own position."""
    scene, roles = desk.scene, desk.scene.roles
    market = scene.protocol.market
    market.set_authorization(desk.contract.address, True, sender=roles.stranger)
    own = desk.order(owner=roles.stranger)
    before = desk.position(), holdings(scene, desk.owner)
    with reverts("orders: no position"):
        desk.execute(own, desk.sign(own, roles.stranger), sender=roles.stranger)
    with reverts("orders: signature"):
        desk.execute(desk.order(), desk.sign(own, roles.stranger), sender=roles.stranger)
    assert (desk.position(), holdings(scene, desk.owner)) == before


def test_executor__what_lies_in_the_contract__is_not_paid_out(desk: Desk) -> None:
    """Tokens that somebody sent by mistake count in no sale, no fee and no rest."""
    scene, giver = desk.scene, desk.scene.roles.trader
    core, vault = scene.world.core, scene.protocol.vault
    scene.world.fund(giver, weth=7 * ETHER, wsteth=20 * ETHER)
    core.wsteth.approve(vault.address, 12 * ETHER, sender=giver)
    vault.mint(7 * ETHER, giver, sender=giver)
    results = []
    for to in (scene.roles.treasury, desk.contract.address):
        with scene.chain.isolated():
            for token in (core.weth, core.wsteth, vault):
                token.transfer(to, 7 * ETHER, sender=giver)
            lying = holdings(scene, desk.contract.address)
            desk.execute(desk.order())
            assert holdings(scene, desk.contract.address) == lying
            results.append((desk.position(), holdings(scene, desk.owner)))
    assert results[0] == results[1]


def test_executor__in_the_block_of_a_slash__is_bound_by_what_was_booked(desk: Desk) -> None:
    """The vault does not know of the slash yet: to redeem would bring a tenth less."""
    restake(desk.scene, 100 * ETHER)
    booked = price_e36(desk.scene)
    desk.scene.world.slash(WAD // 5)
    sold = ETHER
    order = desk.order(trigger=10**60, amount=sold)
    with desk.scene.chain.isolated():
        received = desk.execute(order).events[-1].args["received"]
        assert received * 10**36 >= sold * booked * (WAD - MAX_LOSS) // WAD
        # Nothing was redeemed, so that nothing was booked.
        assert price_e36(desk.scene) == booked
    push_lrt_price(desk.scene, 95 * WAD // 100)
    with reverts("orders: sale brings too little"):
        desk.execute(order)


def test_liquidator__before_the_order__leaves_it_nothing_to_harm(desk: Desk) -> None:
    """Who is liquidated first keeps the order's bounds on what is left."""
    scene, roles = desk.scene, desk.scene.roles
    order = desk.order(Kind.DELEVERAGE, trigger=WAD, target_health=13 * WAD // 10)
    order = replace(order, deadline=UNLIMITED, max_loss=WAD // 20)
    slash_and_sync(scene, 13 * WAD // 100)
    market = scene.protocol.market.address
    assert desk.health < WAD
    scene.protocol.liquidator.liquidate(market, desk.owner, UNLIMITED, SWAP, 0, sender=roles.keeper)
    assert desk.health >= WAD
    with reverts("orders: not triggered"):
        desk.execute(order)


@pytest.mark.parametrize("kind", list(Kind))
def test_order__at_full_utilisation_and_a_pause__works(desk: Desk, kind: Kind) -> None:
    """What lowers risk is nobody's to stop."""
    scene, roles = desk.scene, desk.scene.roles
    market = scene.protocol.market
    scene.protocol.vault.pause(3_600, sender=roles.guardian)
    market.set_caps((0, 0, market.caps().fee), sender=roles.guardian)
    scene.protocol.factory.delist_market(market.address, sender=roles.guardian)
    market.withdraw(
        market.maxWithdraw(roles.lender), roles.lender, roles.lender, sender=roles.lender
    )
    desk.execute(desk.order(kind))
