from typing import Any

import pytest

from relever.chain import Contract, Event
from relever.protocol import UNLIMITED, WAD, Deployment
from tests.lrt_paths import (
    NOBODY,
    Log,
    Sale,
    add_far_liquidity,
    pool_sale,
    push_lrt_price,
    vault_assets_down,
)
from tests.scene import (
    BACKSTOP,
    DAY,
    ETHER,
    REDEEM,
    STABLE,
    SWAP,
    holdings,
    mint_lrt,
    open_leveraged,
    reason_of,
    reverts,
    slash_and_sync,
    stake_everything,
)

ROUTES = [SWAP, REDEEM]


def liquidate(
    scene: Deployment, route: int, min_profit: int = 0, max_repay: int = UNLIMITED
) -> Any:
    market, looper, keeper = scene.protocol.market, scene.roles.looper, scene.roles.keeper
    return scene.protocol.liquidator.liquidate(
        market.address, looper, max_repay, route, min_profit, sender=keeper
    )


def trial(scene: Deployment, route: int, max_repay: int = UNLIMITED) -> tuple[int, int, Sale]:
    """Repaid and seized as the market says, and the sale as the pools say."""
    market, looper, chain = scene.protocol.market, scene.roles.looper, scene.chain
    keeper = scene.roles.keeper
    with chain.isolated():
        scene.world.fund(keeper, weth=100 * ETHER)
        scene.world.core.weth.approve(market.address, UNLIMITED, sender=keeper)
        repaid, seized = market.liquidate.call(looper, max_repay, 0, sender=keeper)
    if route == SWAP:
        sale = pool_sale(scene.lrt_pool, scene.protocol.vault.address, seized)
    else:
        assets = vault_assets_down(scene, seized)
        sale = pool_sale(scene.lst_pool, scene.world.core.wsteth.address, assets)
    return repaid, seized, sale


@pytest.mark.parametrize("route", ROUTES)
def test_liquidate__by_a_keeper_without_capital__pays_it_the_profit(
    unhealthy: Deployment, route: int
) -> None:
    protocol, roles, log = unhealthy.protocol, unhealthy.roles, Log(unhealthy)
    market, helper = protocol.market, protocol.liquidator.address
    collateral, debt = market.position(roles.looper)
    repaid, seized, sale = trial(unhealthy, route)
    before = holdings(unhealthy, roles.keeper)
    assert before["weth"] == before["lrt"] == 0
    profit = sale.amount_out - repaid
    assert profit > 0
    answered = protocol.liquidator.liquidate.call(
        market.address, roles.looper, UNLIMITED, route, profit, sender=roles.keeper
    )

    receipt = liquidate(unhealthy, route, min_profit=profit)

    assert answered == profit
    assert holdings(unhealthy, roles.keeper) == {**before, "weth": profit}
    events = [log.moved(log.vault, market.address, helper, seized)]
    if route == REDEEM:
        events += log.redeemed(helper, seized, sale.amount_in)
    events += log.sold(sale, log.vault if route == SWAP else log.wsteth, helper)
    liquidated = {
        "owner": roles.looper,
        "liquidator": helper,
        "repaid": repaid,
        "seized": seized,
        "bad_debt": 0,
        "lenders_loss": 0,
        "deleverage": False,
    }
    done = {
        "market": market.address,
        "owner": roles.looper,
        "caller": roles.keeper,
        "repaid": repaid,
        "seized": seized,
        "profit": profit,
    }
    events += [
        log.moved(log.weth, helper, market.address, repaid),
        Event("Liquidated", liquidated, market.address),
        log.moved(log.weth, helper, roles.keeper, profit),
        Event("LiquidatedFor", done, helper),
    ]
    assert receipt.events == events
    left, owed = market.position(roles.looper)
    assert left == collateral - seized
    assert 0 <= owed - (debt - repaid) <= 1
    view = protocol.lens.position(market.address, roles.looper)
    assert not view.liquidatable


def test_liquidate__profit_bound__holds_to_the_unit(unhealthy: Deployment) -> None:
    repaid, _, sale = trial(unhealthy, SWAP)
    before = unhealthy.protocol.market.position(unhealthy.roles.looper)
    with reverts("liquidator: profit too small"):
        liquidate(unhealthy, SWAP, min_profit=sale.amount_out - repaid + 1)
    assert unhealthy.protocol.market.position(unhealthy.roles.looper) == before
    liquidate(unhealthy, SWAP, min_profit=sale.amount_out - repaid)


def test_liquidate__part__repays_that_part(unhealthy: Deployment) -> None:
    repaid, seized, sale = trial(unhealthy, SWAP, max_repay=ETHER)
    assert repaid == ETHER
    receipt = liquidate(unhealthy, SWAP, max_repay=ETHER)
    arguments = receipt.events[-1].args
    assert (arguments["repaid"], arguments["seized"]) == (ETHER, seized)
    assert arguments["profit"] == sale.amount_out - ETHER


@pytest.mark.parametrize("role", ["stranger", "looper", "owner"])
def test_liquidate__by_anyone__is_open(unhealthy: Deployment, role: str) -> None:
    caller = getattr(unhealthy.roles, role)
    before = holdings(unhealthy, caller)["weth"]
    market = unhealthy.protocol.market.address
    receipt = unhealthy.protocol.liquidator.liquidate(
        market, unhealthy.roles.looper, UNLIMITED, SWAP, 0, sender=caller
    )
    assert holdings(unhealthy, caller)["weth"] == before + receipt.events[-1].args["profit"]


def test_liquidate__healthy_position__reverts(scene: Deployment) -> None:
    open_leveraged(scene, 3 * ETHER, 30 * ETHER)
    with reverts("market: healthy"):
        liquidate(scene, SWAP)


def test_liquidate__no_position__reverts(scene: Deployment) -> None:
    with reverts("market: healthy"):
        liquidate(scene, SWAP)


def test_liquidate__market_delisted__goes_on(unhealthy: Deployment) -> None:
    protocol, roles = unhealthy.protocol, unhealthy.roles
    protocol.factory.delist_market(protocol.market.address, sender=roles.guardian)
    liquidate(unhealthy, SWAP)
    assert not protocol.lens.position(protocol.market.address, roles.looper).liquidatable


def test_liquidate__market_never_listed__reverts(unhealthy: Deployment) -> None:
    protocol, roles = unhealthy.protocol, unhealthy.roles
    terms = tuple(protocol.market.terms())
    made = protocol.factory.create_market(terms, "Other", "O", sender=roles.stranger)
    for market in (made.events[-1].args["market"], roles.stranger, NOBODY):
        with reverts("liquidator: never listed"):
            protocol.liquidator.liquidate(
                market, roles.looper, UNLIMITED, SWAP, 0, sender=roles.keeper
            )


@pytest.mark.parametrize("route", [SWAP | REDEEM, STABLE, SWAP | STABLE, SWAP | BACKSTOP])
def test_liquidate__no_such_route__reverts(unhealthy: Deployment, route: int) -> None:
    with reverts("path: no such route"):
        liquidate(unhealthy, route)


def test_liquidate__sale_below_the_repayment__reverts(unhealthy: Deployment) -> None:
    protocol, roles = unhealthy.protocol, unhealthy.roles
    add_far_liquidity(unhealthy)
    push_lrt_price(unhealthy, 9 * WAD // 10)
    before = protocol.market.position(roles.looper)
    with reverts("liquidator: sale below repayment"):
        liquidate(unhealthy, SWAP)
    assert protocol.market.position(roles.looper) == before
    # The other way out is open.
    liquidate(unhealthy, REDEEM)


def test_liquidate__vault_without_idle__reverts_by_redemption_only(unhealthy: Deployment) -> None:
    stake_everything(unhealthy)
    with reverts("vault: not enough idle"):
        liquidate(unhealthy, REDEEM)
    liquidate(unhealthy, SWAP)


def test_liquidate__feed_dead__works_on_the_fundamental_price(unhealthy: Deployment) -> None:
    unhealthy.chain.advance(2 * DAY)
    liquidate(unhealthy, SWAP)


def test_liquidate__deep_loss__goes_whole_and_writes_off_the_rest(scene: Deployment) -> None:
    open_leveraged(scene, 3 * ETHER, 30 * ETHER)
    slash_and_sync(scene, WAD // 3)
    collateral, debt = scene.protocol.market.position(scene.roles.looper)
    repaid, seized, sale = trial(scene, REDEEM)
    assert seized == collateral
    assert repaid < debt
    receipt = liquidate(scene, REDEEM)
    assert receipt.events[-1].args["profit"] == sale.amount_out - repaid
    assert scene.protocol.market.position(scene.roles.looper) == (0, 0)


@pytest.mark.parametrize("role", ["stranger", "keeper", "owner"])
def test_on_liquidate__by_anyone__reverts(scene: Deployment, role: str) -> None:
    data = SWAP.to_bytes(32, "big")
    with reverts("liquidator: not active market"):
        scene.protocol.liquidator.on_liquidate(
            scene.roles.looper, 0, ETHER, data, sender=getattr(scene.roles, role)
        )


@pytest.mark.parametrize("name", ["market", "router", "factory", "liquidator"])
def test_on_liquidate__by_a_contract_of_the_suite_at_rest__reverts(
    scene: Deployment, name: str
) -> None:
    caller = scene.chain.impersonate(getattr(scene.protocol, name).address)
    with reverts("liquidator: not active market"):
        scene.protocol.liquidator.on_liquidate(
            scene.roles.looper, 0, ETHER, SWAP.to_bytes(32, "big"), sender=caller
        )


def test_liquidate__in_the_middle_of_a_call__is_locked(
    scene: Deployment, hostile: tuple[Contract, Contract]
) -> None:
    liquidator, market = hostile
    arguments = (market.address, scene.roles.looper, UNLIMITED, SWAP, 0)
    market.set_call(liquidator.address, liquidator.liquidate.encode(*arguments))
    liquidator.liquidate(*arguments, sender=scene.roles.keeper)
    assert market.called() is True
    assert (market.succeeded(), market.answer()) == (False, b"")


def test_on_liquidate__after_a_call_in_the_same_transaction__reverts(
    scene: Deployment, hostile: tuple[Contract, Contract]
) -> None:
    liquidator, market = hostile
    # Something to sell, so that the callback itself would go through.
    mint_lrt(scene, liquidator.address, ETHER)
    data = SWAP.to_bytes(32, "big") + bytes(32)
    callback = liquidator.on_liquidate.encode(NOBODY, 0, ETHER, data)
    arguments = (market.address, scene.roles.looper, UNLIMITED, SWAP, 0)
    market.run(liquidator.address, liquidator.liquidate.encode(*arguments), callback)
    assert market.succeeded() is False
    assert reason_of(market.answer()) == "liquidator: not active market"
    market.set_call(liquidator.address, callback)
    liquidator.liquidate(*arguments, sender=scene.roles.keeper)
    assert market.succeeded() is True
