from collections.abc import Callable
from typing import Any

import pytest

from relever.chain import Event
from relever.protocol import UNLIMITED, WAD, Deployment
from tests.lrt_paths import (
    NOBODY,
    Log,
    Sale,
    add_far_liquidity,
    debt_after_repaying,
    pool_sale,
    push_lrt_price,
    vault_assets_down,
)
from tests.scene import (
    DAY,
    ETHER,
    NO_DEADLINE,
    REDEEM,
    STABLE,
    SWAP,
    holdings,
    open_leveraged,
    reverts,
    stake_everything,
)
from tests.unit.router.conftest import FREE

EQUITY, BORROWED = 3 * ETHER, 10 * ETHER
ROUTES = [SWAP, REDEEM]


@pytest.fixture
def opened(scene: Deployment) -> Deployment:
    """The looper holds a position of about 3.8 times its equity."""
    open_leveraged(scene, EQUITY, BORROWED)
    return scene


def position(scene: Deployment) -> tuple[int, int]:
    collateral, debt = scene.protocol.market.position(scene.roles.looper)
    return collateral, debt


def close(
    scene: Deployment, collateral: int, repay: int, route: int, bounds: tuple[int, ...] = FREE
) -> Any:
    market, looper = scene.protocol.market, scene.roles.looper
    return scene.protocol.router.close(
        market.address, collateral, repay, route, bounds, sender=looper
    )


def debt_shares(scene: Deployment) -> int:
    """The looper's, which nobody tells: so many fewer are there once it has closed."""
    market = scene.protocol.market
    before: int = market.state().borrow_shares
    with scene.chain.isolated():
        close(scene, position(scene)[0], UNLIMITED, SWAP)
        return before - int(market.state().borrow_shares)


def expected_sale(scene: Deployment, collateral: int, route: int) -> Sale:
    if route == SWAP:
        return pool_sale(scene.lrt_pool, scene.protocol.vault.address, collateral)
    assets = vault_assets_down(scene, collateral)
    return pool_sale(scene.lst_pool, scene.world.core.wsteth.address, assets)


def expected_events(
    scene: Deployment, collateral: int, repaid: int, route: int, sale: Sale
) -> list[Event]:
    log, market, looper = Log(scene), scene.protocol.market, scene.roles.looper
    router = scene.protocol.router.address
    left, debt = position(scene)
    # What is sold in the pool goes straight to where it is sold.
    receiver = scene.protocol.swap.address if route == SWAP else router
    events = [log.moved(log.vault, market.address, receiver, collateral)]
    if route == REDEEM:
        events += log.redeemed(router, collateral, sale.amount_in)
        events += log.sold(sale, log.wsteth, router)
    else:
        events += log.sold(sale, log.vault, router)[1:]
    if repaid:
        events += [log.moved(log.weth, router, market.address, repaid)]
    events += [log.adjusted(looper, router, -collateral, -repaid, receiver)]
    paid_out = sale.amount_out - repaid
    if paid_out:
        events += [log.moved(log.weth, router, looper, paid_out)]
    closed = {
        "market": market.address,
        "owner": looper,
        "collateral_out": collateral,
        "repaid": repaid,
        "paid_out": paid_out,
        "collateral": left,
        "debt": debt,
    }
    return [*events, Event("Closed", closed, router)]


@pytest.mark.parametrize("route", ROUTES)
def test_close__whole__pays_out_all_but_the_debt(opened: Deployment, route: int) -> None:
    collateral, debt = position(opened)
    sale = expected_sale(opened, collateral, route)
    before = holdings(opened, opened.roles.looper)
    router, market = opened.protocol.router, opened.protocol.market
    arguments = (market.address, collateral, UNLIMITED, route, FREE)
    answered = router.close.call(*arguments, sender=opened.roles.looper)

    receipt = close(opened, collateral, UNLIMITED, route)

    assert answered == (sale.amount_out - debt, 0, 0)
    assert position(opened) == (0, 0)
    assert receipt.events == expected_events(opened, collateral, debt, route, sale)
    gained = {"weth": before["weth"] + sale.amount_out - debt}
    assert holdings(opened, opened.roles.looper) == {**before, **gained}
    # A loop in and out costs the pool's fee and its depth, and never gains.
    equity = EQUITY * opened.world.core.wsteth.stEthPerToken() // WAD
    assert 0 < sale.amount_out - debt < equity


@pytest.mark.parametrize("route", ROUTES)
def test_close__part__leaves_the_rest(opened: Deployment, route: int) -> None:
    collateral, debt = position(opened)
    out, repay = collateral // 3 + 5, debt // 3 + 7
    sale = expected_sale(opened, out, route)
    owed = debt_after_repaying(opened.protocol.market.state(), debt_shares(opened), repay)
    receipt = close(opened, out, repay, route)
    assert position(opened) == (collateral - out, owed)
    assert receipt.events == expected_events(opened, out, repay, route, sale)


@pytest.mark.parametrize("route", ROUTES)
def test_close__nothing_repaid__sells_only(opened: Deployment, route: int) -> None:
    collateral, debt = position(opened)
    sale = expected_sale(opened, ETHER // 2, route)
    receipt = close(opened, ETHER // 2, 0, route)
    assert position(opened) == (collateral - ETHER // 2, debt)
    assert receipt.events == expected_events(opened, ETHER // 2, 0, route, sale)


def test_close__sale_gives_just_the_repayment__pays_out_nothing(opened: Deployment) -> None:
    sale = expected_sale(opened, ETHER, SWAP)
    before = holdings(opened, opened.roles.looper)
    with reverts("router: sale below repayment"):
        close(opened, ETHER, sale.amount_out + 1, SWAP)
    receipt = close(opened, ETHER, sale.amount_out, SWAP)
    assert holdings(opened, opened.roles.looper) == before
    assert receipt.events == expected_events(opened, ETHER, sale.amount_out, SWAP, sale)


def test_close__repays_more_than_owed__takes_the_debt_only(opened: Deployment) -> None:
    collateral, debt = position(opened)
    sale = expected_sale(opened, collateral, SWAP)
    receipt = close(opened, collateral, debt + 1, SWAP)
    assert position(opened) == (0, 0)
    assert receipt.events == expected_events(opened, collateral, debt, SWAP, sale)


def test_close__without_a_debt__sells_only(scene: Deployment) -> None:
    open_leveraged(scene, EQUITY, 0)
    collateral, debt = position(scene)
    assert debt == 0
    sale = expected_sale(scene, collateral, SWAP)
    receipt = close(scene, collateral, UNLIMITED, SWAP)
    assert position(scene) == (0, 0)
    assert receipt.events == expected_events(scene, collateral, 0, SWAP, sale)


def test_close__after_a_year__repays_the_interest_too(opened: Deployment) -> None:
    opened.chain.advance(365 * DAY)
    # Booked beforehand, so that the list of events is the router's alone.
    opened.protocol.market.accrue(sender=opened.roles.stranger)
    collateral, debt = position(opened)
    assert debt > BORROWED
    sale = expected_sale(opened, collateral, SWAP)
    before = holdings(opened, opened.roles.looper)
    receipt = close(opened, collateral, UNLIMITED, SWAP)
    assert position(opened) == (0, 0)
    assert receipt.events == expected_events(opened, collateral, debt, SWAP, sale)
    gained = {"weth": before["weth"] + sale.amount_out - debt}
    assert holdings(opened, opened.roles.looper) == {**before, **gained}


def test_close__payout_bound__holds_to_the_unit(opened: Deployment) -> None:
    collateral, debt = position(opened)
    out = expected_sale(opened, collateral, SWAP).amount_out - debt
    before = holdings(opened, opened.roles.looper)
    with reverts("router: too little out"):
        close(opened, collateral, UNLIMITED, SWAP, (0, UNLIMITED, out + 1, NO_DEADLINE, 0))
    assert (position(opened), holdings(opened, opened.roles.looper)) == ((collateral, debt), before)
    close(opened, collateral, UNLIMITED, SWAP, (0, UNLIMITED, out, NO_DEADLINE, 0))


def test_close__collateral_and_debt_bounds__hold_to_the_unit(opened: Deployment) -> None:
    collateral, debt = position(opened)
    left = collateral - ETHER
    with reverts("router: collateral below bound"):
        close(opened, ETHER, ETHER, SWAP, (left + 1, UNLIMITED, 0, NO_DEADLINE, 0))
    owed = debt_after_repaying(opened.protocol.market.state(), debt_shares(opened), ETHER)
    with reverts("router: debt above bound"):
        close(opened, ETHER, ETHER, SWAP, (left, owed - 1, 0, NO_DEADLINE, 0))
    assert position(opened) == (collateral, debt)
    close(opened, ETHER, ETHER, SWAP, (left, owed, 0, NO_DEADLINE, 0))
    assert position(opened) == (left, owed)


def test_close__last_second_of_the_deadline__is_in_time(opened: Deployment) -> None:
    now = opened.chain.timestamp
    with reverts("router: deadline passed"):
        close(opened, ETHER, ETHER, SWAP, (0, UNLIMITED, 0, now - 1, 0))
    close(opened, ETHER, ETHER, SWAP, (0, UNLIMITED, 0, now, 0))


def test_close__nothing__reverts(opened: Deployment) -> None:
    with reverts("router: nothing to do"):
        close(opened, 0, ETHER, SWAP)


def test_close__market_delisted__goes_on(opened: Deployment) -> None:
    protocol, roles = opened.protocol, opened.roles
    protocol.factory.delist_market(protocol.market.address, sender=roles.guardian)
    collateral, _ = position(opened)
    close(opened, collateral, UNLIMITED, SWAP)
    assert position(opened) == (0, 0)


def test_close__market_never_listed__reverts(opened: Deployment) -> None:
    protocol, roles = opened.protocol, opened.roles
    terms = tuple(protocol.market.terms())
    made = protocol.factory.create_market(terms, "Other", "O", sender=roles.stranger)
    unlisted = made.events[-1].args["market"]
    for market in (unlisted, roles.stranger, NOBODY, protocol.vault.address):
        with reverts("router: market never listed"):
            protocol.router.close(market, ETHER, 0, SWAP, FREE, sender=roles.looper)


def test_close__not_authorised__reverts(opened: Deployment) -> None:
    protocol, looper = opened.protocol, opened.roles.looper
    protocol.market.set_authorization(protocol.router.address, False, sender=looper)
    with reverts("market: not authorized"):
        close(opened, ETHER, ETHER, SWAP)


def test_close__more_collateral_than_there_is__reverts(opened: Deployment) -> None:
    collateral, debt = position(opened)
    with reverts("market: not enough collateral"):
        close(opened, collateral + 1, debt, SWAP)


def test_close__that_would_leave_the_rest_unhealthy__reverts(opened: Deployment) -> None:
    before = position(opened)
    with reverts("market: unhealthy"):
        close(opened, 3 * ETHER, 0, SWAP)
    assert position(opened) == before


@pytest.mark.parametrize("route", [0, SWAP | REDEEM, STABLE, SWAP | STABLE])
def test_close__no_such_route__reverts(opened: Deployment, route: int) -> None:
    with reverts("path: no such route"):
        close(opened, ETHER, ETHER, route)


def test_close__feed_dead__lowers_the_position_all_the_same(opened: Deployment) -> None:
    collateral, _ = position(opened)
    opened.chain.advance(2 * DAY)
    with reverts("oracle: stale feed"):
        close(opened, ETHER, 0, SWAP)
    close(opened, ETHER, ETHER, SWAP)
    close(opened, collateral - ETHER, UNLIMITED, SWAP)
    assert position(opened) == (0, 0)


def test_close__vault_without_idle__reverts_by_redemption_only(opened: Deployment) -> None:
    collateral, _ = position(opened)
    stake_everything(opened)
    before = position(opened)
    with reverts("vault: not enough idle"):
        close(opened, ETHER, ETHER, REDEEM)
    assert position(opened) == before
    close(opened, collateral, UNLIMITED, SWAP)


def nothing(_: Deployment) -> None:
    pass


@pytest.mark.parametrize(
    ("liquidity", "reason"),
    [(add_far_liquidity, "router: too little out"), (nothing, "swap: not enough liquidity")],
)
def test_close__pool_pushed_by_30_percent__reverts_by_the_bounds(
    scene: Deployment, liquidity: Callable[[Deployment], None], reason: str
) -> None:
    open_leveraged(scene, 5 * ETHER, 5 * ETHER)
    liquidity(scene)
    collateral, debt = position(scene)
    fair = expected_sale(scene, collateral, SWAP).amount_out - debt
    push_lrt_price(scene, 7 * WAD // 10)
    before = holdings(scene, scene.roles.looper)
    with reverts(reason):
        close(scene, collateral, UNLIMITED, SWAP, (0, UNLIMITED, fair * 99 // 100, NO_DEADLINE, 0))
    assert position(scene) == (collateral, debt)
    assert holdings(scene, scene.roles.looper) == before


def test_close__pool_pushed_below_the_debt__reverts_without_a_bound(opened: Deployment) -> None:
    add_far_liquidity(opened)
    collateral, _ = position(opened)
    push_lrt_price(opened, 6 * WAD // 10)
    with reverts("router: sale below repayment"):
        close(opened, collateral, UNLIMITED, SWAP)
    # The other pool is as it was.
    close(opened, collateral, UNLIMITED, REDEEM)
    assert position(opened) == (0, 0)


def test_close__slash_that_nobody_booked__redeems_at_the_live_rate(opened: Deployment) -> None:
    opened.world.slash(WAD // 10)
    vault, wsteth = opened.protocol.vault, opened.world.core.wsteth
    assets = vault.previewRedeem(ETHER)
    assert assets < vault_assets_down(opened, ETHER)
    sale = pool_sale(opened.lst_pool, wsteth.address, assets)
    before = holdings(opened, opened.roles.looper)
    receipt = close(opened, ETHER, 0, REDEEM)
    assert receipt.events[-1].args["paid_out"] == sale.amount_out
    gained = {"weth": before["weth"] + sale.amount_out}
    assert holdings(opened, opened.roles.looper) == {**before, **gained}
