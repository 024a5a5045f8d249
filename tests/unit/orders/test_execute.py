from dataclasses import replace
from typing import Any

import pytest
from eth_utils import keccak

from relever.artifacts import artifact
from relever.chain import Event, Revert
from relever.model import signing
from relever.orders import Kind
from relever.protocol import NOBODY, PRICE_SCALE, UNLIMITED, WAD
from tests.lrt_paths import Log, Sale, add_far_liquidity, pool_sale, push_lrt_price
from tests.scene import (
    DAY,
    ETHER,
    holdings,
    price_e36,
    restake,
    reverts,
    slash_and_sync,
    stake_everything,
)
from tests.unit.orders.conftest import CHAIN_ID, FEE, MAX_LOSS, Desk

PRICED = (Kind.STOP_LOSS, Kind.TAKE_PROFIT)
KINDS = (*PRICED, Kind.DELEVERAGE)


def ceil(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


def pool_pays(desk: Desk, sold: int) -> Sale:
    """What the LRT's own pool, which pays most in this scene, gives."""
    return pool_sale(desk.scene.lrt_pool, desk.scene.protocol.vault.address, sold)


def executed(desk: Desk, kind: Kind, **amounts: int) -> Event:
    said = {
        "owner": desk.owner,
        "market": desk.scene.protocol.market.address,
        "executor": desk.scene.roles.keeper,
        "kind": kind,
        "nonce": 7,
        **amounts,
    }
    return Event("OrderExecuted", said, desk.contract.address)


def sale_events(desk: Desk, sale: Sale, repaid: int, paid_out: int, kind: Kind) -> list[Event]:
    log, helper = Log(desk.scene), desk.contract.address
    market = desk.scene.protocol.market.address
    return [
        log.moved(log.vault, market, helper, sale.amount_in),
        *log.sold(sale, log.vault, helper),
        log.moved(log.weth, helper, market, repaid),
        log.adjusted(desk.owner, helper, -sale.amount_in, -repaid),
        log.moved(log.weth, helper, desk.scene.roles.keeper, FEE),
        log.moved(log.weth, helper, desk.owner, paid_out),
        executed(
            desk,
            kind,
            sold=sale.amount_in,
            received=sale.amount_out,
            repaid=repaid,
            fee=FEE,
            paid_out=paid_out,
        ),
    ]


@pytest.mark.parametrize("kind", PRICED)
def test_execute__price_at_the_trigger__sells_all_and_pays_out_the_rest(
    desk: Desk, kind: Kind
) -> None:
    collateral, debt = desk.position()
    sale = pool_pays(desk, collateral)
    keeper = desk.scene.roles.keeper
    before = holdings(desk.scene, desk.owner), holdings(desk.scene, keeper)
    paid_out = sale.amount_out - debt - FEE
    order = desk.order(kind)
    answered = desk.contract.execute.call(order.values, desk.sign(order), sender=keeper)

    receipt = desk.execute(order)

    assert answered == paid_out > 0
    assert receipt.events == sale_events(desk, sale, debt, paid_out, kind)
    assert desk.position() == (0, 0)
    owners, keepers = before
    assert holdings(desk.scene, desk.owner) == {**owners, "weth": owners["weth"] + paid_out}
    assert holdings(desk.scene, keeper) == {**keepers, "weth": keepers["weth"] + FEE}
    assert desk.contract.is_used(desk.owner, 7) is True


@pytest.mark.parametrize("kind", PRICED)
def test_execute__amount_below_the_collateral__sells_in_proportion(desk: Desk, kind: Kind) -> None:
    collateral, debt = desk.position()
    sold = collateral // 3 + 5
    # And a unit, which the rounding of debt shares may leave.
    repaid = ceil(debt * sold, collateral) + 1
    sale = pool_pays(desk, sold)
    receipt = desk.execute(desk.order(kind, amount=sold))
    paid_out = sale.amount_out - repaid - FEE
    assert receipt.events == sale_events(desk, sale, repaid, paid_out, kind)
    left, owed = desk.position()
    assert left == collateral - sold
    assert 0 <= owed - (debt - repaid) <= 1
    assert owed * collateral <= debt * left


def test_execute__any_part__adds_no_unit_of_risk(desk: Desk) -> None:
    collateral, debt = desk.position()
    for part in range(3, 40):
        with desk.scene.chain.isolated():
            desk.execute(desk.order(amount=collateral // part + part))
            left, owed = desk.position()
            assert owed * collateral <= debt * left


def test_execute__deleverage__restores_the_target_at_the_worst_price(desk: Desk) -> None:
    collateral, debt = desk.position()
    terms, target = desk.scene.protocol.market.terms(), 12 * WAD // 10
    price = price_e36(desk.scene)
    worst = ceil(price * (WAD - MAX_LOSS), WAD)
    worth = collateral * price // PRICE_SCALE
    # Debt and fee are raised by what is sold at the worst price.
    cost = ceil(terms.threshold * price, worst)
    raised = ceil(target * (debt + FEE) - worth * terms.threshold, target - cost)
    sold, repaid = ceil(raised * PRICE_SCALE, worst), raised - FEE
    sale = pool_pays(desk, sold)
    assert desk.health < target

    receipt = desk.execute(desk.order(Kind.DELEVERAGE, target_health=target))

    paid_out = sale.amount_out - repaid - FEE
    assert receipt.events == sale_events(desk, sale, repaid, paid_out, Kind.DELEVERAGE)
    left, owed = desk.position()
    assert left == collateral - sold
    assert 0 <= owed - (debt - repaid) <= 1
    # Restored but for the roundings: of debt shares, of worth, and of what is sold, a unit each.
    short = target * owed - left * price // PRICE_SCALE * terms.threshold
    assert 0 < short <= 3 * target
    assert 0 < paid_out < ceil(sold * price * MAX_LOSS, WAD * PRICE_SCALE)
    assert owed < debt


def test_execute__deleverage_of_little__sells_no_more_than_the_amount(desk: Desk) -> None:
    collateral, _ = desk.position()
    before = desk.health
    worst = ceil(price_e36(desk.scene) * (WAD - MAX_LOSS), WAD)
    receipt = desk.execute(desk.order(Kind.DELEVERAGE, amount=2 * ETHER))
    said = receipt.events[-1].args
    assert said["sold"] == 2 * ETHER
    assert said["repaid"] == 2 * ETHER * worst // PRICE_SCALE - FEE
    assert desk.position()[0] == collateral - 2 * ETHER
    assert before < desk.health < 2 * WAD


def test_execute__deleverage_to_the_highest_target__keeps_a_little_debt(desk: Desk) -> None:
    debt = desk.position()[1]
    receipt = desk.execute(desk.order(Kind.DELEVERAGE, target_health=100 * WAD, amount=UNLIMITED))
    assert receipt.events[-1].args["repaid"] < debt
    assert desk.health >= 100 * WAD


def test_execute__deleverage_at_the_edge_of_liquidation__still_works(desk: Desk) -> None:
    """Unhealthy already, and before any liquidator."""
    slash_and_sync(desk.scene, 12 * WAD // 100)
    assert desk.health < 105 * WAD // 100
    order = desk.order(Kind.DELEVERAGE, target_health=13 * WAD // 10, max_loss=WAD // 20)
    desk.execute(order)
    assert desk.health >= 13 * WAD // 10


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("role", ["stranger", "looper", "owner"])
def test_execute__by_anyone__is_open_and_pays_him(desk: Desk, kind: Kind, role: str) -> None:
    executor = getattr(desk.scene.roles, role)
    before = holdings(desk.scene, executor)["weth"]
    receipt = desk.execute(desk.order(kind), sender=executor)
    more = receipt.events[-1].args["paid_out"] if executor == desk.owner else 0
    assert holdings(desk.scene, executor)["weth"] == before + FEE + more


# When


@pytest.mark.parametrize(("kind", "step"), [(Kind.STOP_LOSS, -1), (Kind.TAKE_PROFIT, 1)])
def test_execute__price_a_unit_away__is_not_due(desk: Desk, kind: Kind, step: int) -> None:
    order = desk.order(kind, trigger=desk.price + step)
    assert desk.status(order) == "orders: not triggered"
    with reverts("orders: not triggered"):
        desk.execute(order)
    for trigger in (desk.price, desk.price - step * desk.price // 10):
        assert desk.status(desk.order(kind, trigger=trigger)) == ""


def test_execute__health_a_unit_away__is_not_due(desk: Desk) -> None:
    order = desk.order(Kind.DELEVERAGE, trigger=desk.health)
    assert desk.status(order) == "orders: not triggered"
    with reverts("orders: not triggered"):
        desk.execute(order)
    # What the lens says is rounded down.
    desk.execute(desk.order(Kind.DELEVERAGE, trigger=desk.health + 1))


def test_execute__health_that_is_the_trigger__is_due(desk: Desk) -> None:
    """A debt and a worth of which health is a whole number of units."""
    scene, market = desk.scene, desk.scene.protocol.market
    roles, threshold = scene.roles, desk.scene.protocol.market.terms().threshold
    scene.world.fund(roles.lender, weth=ETHER)
    scene.world.core.weth.approve(market.address, UNLIMITED, sender=roles.lender)
    while desk.position()[1] % 10**18:
        market.repay(desk.position()[1] % 10**18, desk.owner, sender=roles.lender)
    restake(scene, ETHER)
    scene.protocol.vault.approve(market.address, UNLIMITED, sender=roles.depositor)
    scene.answer_fundamental()
    collateral, debt = desk.position()
    for more in range(10**4):
        worth = (collateral + more) * price_e36(scene) // PRICE_SCALE
        if worth * threshold % debt == 0:
            break
    market.supply_collateral(more, desk.owner, sender=roles.depositor)
    health = worth * threshold // debt
    assert health * debt == worth * threshold
    assert desk.status(desk.order(Kind.DELEVERAGE, trigger=health)) == ""
    assert desk.status(desk.order(Kind.DELEVERAGE, trigger=health - 1)) == "orders: not triggered"


def test_execute__market_falls__fires_at_the_lower_price(desk: Desk) -> None:
    trigger = desk.price * 97 // 100
    order = desk.order(trigger=trigger, max_loss=WAD // 10)
    assert desk.status(order) == "orders: not triggered"
    desk.scene.answer_fundamental(discount=WAD // 25)
    assert desk.price < trigger
    desk.execute(order)


def test_execute__smoothed_price_has_recovered__counts_at_once(desk: Desk) -> None:
    """Nobody has poked since: what the last poke has left must not set a deleverage off."""
    oracle, chain = desk.scene.protocol.oracle, desk.scene.chain
    healthy = desk.health
    for _ in range(3):
        desk.scene.answer_fundamental(discount=WAD // 10)
        oracle.poke(sender=desk.scene.roles.stranger)
        chain.advance(3_600)
    oracle.poke(sender=desk.scene.roles.stranger)
    low = desk.health
    assert low < healthy
    order = desk.order(Kind.DELEVERAGE, trigger=low + 1, deadline=UNLIMITED)
    assert desk.status(order) == ""
    desk.scene.answer_fundamental()
    assert desk.status(order) == "orders: not triggered"
    with reverts("orders: not triggered"):
        desk.execute(order)


@pytest.mark.parametrize("kind", PRICED)
def test_execute__feed_dead__prices_set_nothing_off(desk: Desk, kind: Kind) -> None:
    order = desk.order(kind, deadline=UNLIMITED)
    desk.scene.chain.advance(2 * DAY)
    assert desk.status(order) == "orders: no price"
    for trigger in (0, 1, order.trigger, UNLIMITED):
        with reverts("orders: no price"):
            desk.execute(replace(order, trigger=trigger))


def test_execute__feed_dead__a_deleverage_goes_by_the_fundamental_price(desk: Desk) -> None:
    scene, market = desk.scene, desk.scene.protocol.market.address
    for _ in range(3):
        scene.answer_fundamental(discount=WAD // 10)
        scene.protocol.oracle.poke(sender=scene.roles.stranger)
        scene.chain.advance(3_600)
    scene.chain.advance(2 * DAY)
    fundamental = scene.protocol.lens.position(market, desk.owner).health
    # What the last usable answer has left is lower, and no longer believed.
    assert desk.health < fundamental
    assert desk.status(desk.order(Kind.DELEVERAGE)) == "orders: not triggered"
    order = desk.order(Kind.DELEVERAGE, trigger=fundamental + 1)
    assert desk.status(order) == ""
    desk.execute(order)
    assert scene.protocol.lens.position(market, desk.owner).health > 3 * fundamental // 2


def test_execute__deadline__is_the_last_second(desk: Desk) -> None:
    order = desk.order(deadline=desk.scene.chain.timestamp - 1)
    assert desk.status(order) == "orders: expired"
    with reverts("orders: expired"):
        desk.execute(order)
    desk.execute(desk.order(deadline=desk.scene.chain.timestamp))


# Once


@pytest.mark.parametrize("kind", KINDS)
def test_execute__twice__reverts(desk: Desk, kind: Kind) -> None:
    order = desk.order(kind, amount=ETHER, trigger=10**60 if kind == Kind.STOP_LOSS else 0)
    if kind == Kind.DELEVERAGE:
        order = replace(order, trigger=19 * WAD // 10)
    desk.execute(order)
    assert desk.status(order) == "orders: nonce used"
    with reverts("orders: nonce used"):
        desk.execute(order)


def test_execute__another_order_of_the_nonce__reverts(desk: Desk) -> None:
    """A stop-loss and a take-profit of one nonce: whichever comes first ends the other."""
    desk.execute(desk.order(Kind.TAKE_PROFIT, amount=ETHER))
    with reverts("orders: nonce used"):
        desk.execute(desk.order(Kind.STOP_LOSS, amount=ETHER))
    desk.execute(desk.order(Kind.STOP_LOSS, amount=ETHER, nonce=8))


def test_execute__nonce_of_another_owner__is_free(desk: Desk) -> None:
    desk.contract.cancel(7, sender=desk.scene.roles.borrower)
    desk.contract.cancel_all(sender=desk.scene.roles.borrower)
    desk.execute(desk.order())


def test_execute__position_gone__reverts(desk: Desk) -> None:
    """Closed by its owner, or moved elsewhere, since the order was signed."""
    desk.execute(desk.order(nonce=1))
    order = desk.order()
    assert desk.status(order) == "orders: no position"
    with reverts("orders: no position"):
        desk.execute(order)


# What it brings


def test_execute__loss_at_the_bound__is_the_most(desk: Desk) -> None:
    """The pool pays what it pays; the order's bound is set to the unit."""
    sold = ETHER
    worth = sold * price_e36(desk.scene)
    add_far_liquidity(desk.scene)
    push_lrt_price(desk.scene, 97 * WAD // 100)
    stake_everything(desk.scene)
    received = pool_pays(desk, sold).amount_out * PRICE_SCALE
    loss = (worth - received) * WAD // worth
    assert 0 < loss < WAD // 20
    with reverts("orders: sale brings too little"):
        desk.execute(desk.order(amount=sold, max_loss=loss - 1, trigger=10**60))
    desk.execute(desk.order(amount=sold, max_loss=loss + 1, trigger=10**60))


def test_execute__loss_bound_between_two_units__counts_as_the_higher(desk: Desk) -> None:
    sold = 10**6 + 3
    received, worth = pool_pays(desk, sold).amount_out, sold * price_e36(desk.scene)
    half, whole = (
        WAD - (2 * received + more) * PRICE_SCALE * WAD // (2 * worth) for more in (1, 0)
    )
    with reverts("orders: sale brings too little"):
        desk.execute(desk.order(amount=sold, max_loss=half, fee=0))
    desk.execute(desk.order(amount=sold, max_loss=whole + 1, fee=0))


def test_execute__fee_and_debt__must_be_covered_to_the_unit(desk: Desk) -> None:
    collateral, debt = desk.position()
    most = pool_pays(desk, collateral).amount_out - debt
    with reverts("orders: sale brings too little"):
        desk.execute(desk.order(fee=most + 1))
    receipt = desk.execute(desk.order(fee=most))
    assert receipt.events[-1].args["paid_out"] == 0


def test_execute__no_way_out__reverts(desk: Desk) -> None:
    push_lrt_price(desk.scene, 9 * WAD // 10)
    stake_everything(desk.scene)
    before = desk.position()
    with reverts("path: no way out"):
        desk.execute(desk.order(max_loss=WAD - 1, trigger=10**60))
    assert desk.position() == before


def test_execute__pool_is_pushed__redeems_instead(desk: Desk) -> None:
    restake(desk.scene, 100 * ETHER)
    add_far_liquidity(desk.scene)
    push_lrt_price(desk.scene, 9 * WAD // 10)
    receipt = desk.execute(desk.order(max_loss=WAD // 20))
    assert "Withdraw" in [event.name for event in receipt.events]


@pytest.mark.parametrize("fee", [ETHER // 3, ETHER // 2])
def test_execute__deleverage_that_pays_its_fee_with_health__reverts(desk: Desk, fee: int) -> None:
    """Two LRT are sold, and much of what they bring would go to the executor."""
    order = desk.order(Kind.DELEVERAGE, amount=2 * ETHER, fee=fee)
    before = desk.position()
    with reverts("orders: risk raised"):
        desk.execute(order)
    assert desk.position() == before
    assert desk.contract.is_used(desk.owner, 7) is False


def test_execute__deleverage_that_raises_no_more_than_its_fee__reverts(desk: Desk) -> None:
    with reverts("orders: nothing to repay"):
        desk.execute(desk.order(Kind.DELEVERAGE, amount=ETHER, fee=2 * ETHER))


# Terms


BAD_TERMS: list[dict[str, Any]] = [
    {"amount": 0},
    {"max_loss": WAD},
    {"max_loss": UNLIMITED},
    {"fee": 2**96 + 1},
    {"kind": 0},
    {"kind": 3},
    {"kind": 5},
    {"kind": 7},
    {"kind": 4, "trigger": WAD, "target_health": WAD},
    {"kind": 4, "trigger": WAD, "target_health": 0},
    {"kind": 4, "trigger": WAD, "target_health": 100 * WAD + 1},
    {"kind": 4, "trigger": UNLIMITED, "target_health": 2 * WAD},
]


@pytest.mark.parametrize("terms", BAD_TERMS)
def test_execute__terms_that_are_none__reverts(desk: Desk, terms: dict[str, Any]) -> None:
    order = desk.order()
    values = tuple({**order.__dict__, **terms}.values())
    assert desk.contract.status(values) == "orders: bad terms"
    with reverts("orders: bad terms"):
        desk.contract.execute(values, desk.sign(order), sender=desk.scene.roles.keeper)


def test_execute__kind_of_no_flag__is_not_decoded(desk: Desk) -> None:
    values = tuple({**desk.order().__dict__, "kind": 8}.values())
    with reverts(""):
        desk.contract.execute(values, bytes(65), sender=desk.scene.roles.keeper)


# Whose


@pytest.mark.parametrize(
    "change",
    [
        {"market": NOBODY},
        {"kind": Kind.TAKE_PROFIT},
        {"trigger": 1},
        {"amount": 1},
        {"max_loss": 0},
        {"fee": 0},
        {"epoch": 1},
        {"nonce": 8},
        {"deadline": UNLIMITED},
    ],
)
def test_execute__signed_for_something_else__reverts(desk: Desk, change: dict[str, Any]) -> None:
    order = desk.order()
    with reverts("orders: signature"):
        desk.execute(order, desk.sign(replace(order, **change)))


def test_execute__target_of_another_deleverage__reverts(desk: Desk) -> None:
    order = desk.order(Kind.DELEVERAGE)
    with reverts("orders: signature"):
        desk.execute(order, desk.sign(replace(order, target_health=3 * WAD)))


def test_execute__signed_for_another_chain_or_contract__reverts(desk: Desk) -> None:
    order = desk.order()
    for other in ({"chain_id": 1}, {"contract": desk.scene.protocol.market.address}):
        with reverts("orders: signature"):
            desk.execute(order, desk.sign(order, **other))


def test_execute__fork_of_the_chain__has_its_own_domain(desk: Desk) -> None:
    order, keeper = desk.order(), desk.scene.roles.keeper
    here, there = desk.sign(order), desk.sign(order, chain_id=CHAIN_ID + 1)
    desk.scene.chain.rpc("anvil_setChainId", [CHAIN_ID + 1])
    try:
        with reverts("orders: signature"):
            desk.contract.execute.call(order.values, here, sender=keeper)
        desk.contract.execute.call(order.values, there, sender=keeper)
    finally:
        desk.scene.chain.rpc("anvil_setChainId", [CHAIN_ID])
    desk.contract.execute.call(order.values, here, sender=keeper)


def test_execute__signed_by_another__reverts(desk: Desk) -> None:
    order = desk.order()
    with reverts("orders: signature"):
        desk.execute(order, desk.sign(order, desk.scene.roles.keeper))
    for wrong in (b"", bytes(10), desk.sign(order)[:63]):
        with reverts("orders: signature"):
            desk.execute(order, wrong)


def test_execute__for_nobody__reverts(desk: Desk) -> None:
    """Whoever could sign for the zero address would sell what was given to it."""
    protocol, roles = desk.scene.protocol, desk.scene.roles
    restake(desk.scene, 5 * ETHER)
    protocol.vault.approve(protocol.market.address, ETHER, sender=roles.depositor)
    protocol.market.supply_collateral(ETHER, NOBODY, sender=roles.depositor)
    nobody = desk.scene.chain.impersonate(NOBODY)
    protocol.market.set_authorization(protocol.orders.address, True, sender=nobody)
    order = desk.order(owner=NOBODY)
    for signature in (b"", bytes(65), bytes(64) + b"\x1b"):
        with pytest.raises(Revert) as failure:
            desk.execute(order, signature)
        assert failure.value.reason == "orders: signature"


def test_execute__owner_that_is_a_contract__is_asked(desk: Desk) -> None:
    """It authorises and orders by signatures of its own kind, and has collateral without debt."""
    scene, wallet = desk.scene, desk.scene.chain.deploy(artifact("Erc1271Wallet"))
    protocol, roles = scene.protocol, scene.roles
    restake(scene, 5 * ETHER)
    protocol.vault.approve(protocol.market.address, ETHER, sender=roles.depositor)
    protocol.market.supply_collateral(ETHER, wallet.address, sender=roles.depositor)
    order = desk.order(Kind.TAKE_PROFIT, owner=wallet.address)
    assert desk.status(order) == "orders: not authorized"
    given = (wallet.address, protocol.orders.address, True, 0, UNLIMITED)
    wallet.approve_signature(authorization_hash(desk, given), b"yes")
    grant = (0, UNLIMITED, b"yes")
    with reverts("orders: signature"):
        desk.execute(order, b"sell", grant)
    wallet.approve_signature(order_hash(desk, order), b"sell")
    with reverts("orders: signature"):
        desk.execute(order, b"sell!", grant)
    received = pool_pays(desk, ETHER).amount_out

    receipt = desk.execute(order, b"sell", grant)

    assert receipt.events[-1].args["paid_out"] == received - FEE
    assert holdings(scene, wallet.address)["weth"] == received - FEE
    assert desk.position(wallet.address) == (0, 0)


def order_hash(desk: Desk, order: Any) -> bytes:
    return _hash(order.typed(CHAIN_ID, desk.contract.address))


def authorization_hash(desk: Desk, given: tuple[Any, ...]) -> bytes:
    return _hash(signing.authorization_message(CHAIN_ID, desk.scene.protocol.market.address, given))


def _hash(message: Any) -> bytes:
    return bytes(keccak(b"\x19\x01" + message.header + message.body))


# Leave


def test_execute__not_authorized__reverts(desk: Desk) -> None:
    protocol = desk.scene.protocol
    protocol.market.set_authorization(protocol.orders.address, False, sender=desk.owner)
    order = desk.order()
    assert desk.status(order) == "orders: not authorized"
    with reverts("orders: not authorized"):
        desk.execute(order)


@pytest.fixture
def unauthorized(desk: Desk) -> Desk:
    protocol = desk.scene.protocol
    protocol.market.set_authorization(protocol.orders.address, False, sender=desk.owner)
    return desk


def granted(desk: Desk, signer: str | None = None) -> tuple[int, int, bytes]:
    scene, market = desk.scene, desk.scene.protocol.market
    nonce, helper = market.nonces(desk.owner), scene.protocol.orders.address
    said = (desk.owner, helper, True, nonce, UNLIMITED)
    signature = signing.authorization(scene.chain, market, signer or desk.owner, *said)
    return nonce, UNLIMITED, signature


def test_execute__authorized_in_the_same_call__works(unauthorized: Desk) -> None:
    desk, grant = unauthorized, granted(unauthorized)
    receipt = desk.execute(desk.order(amount=ETHER), grant=grant)
    assert receipt.events[0].name == "AuthorizationSet"
    # Brought again, it does nothing and fails nothing.
    again = desk.execute(desk.order(amount=ETHER, nonce=8, trigger=10**60), grant=grant)
    assert "AuthorizationSet" not in [event.name for event in again.events]


def test_execute__grant_somebody_else_has_brought__works(unauthorized: Desk) -> None:
    desk, (nonce, deadline, signature) = unauthorized, granted(unauthorized)
    market, helper = desk.scene.protocol.market, desk.contract.address
    market.set_authorization_by_signature(
        desk.owner, helper, True, nonce, deadline, signature, sender=desk.scene.roles.stranger
    )
    desk.execute(desk.order(), grant=(nonce, deadline, signature))


def test_execute__grant_of_another__reverts(unauthorized: Desk) -> None:
    desk = unauthorized
    with reverts("market: signature"):
        desk.execute(desk.order(), grant=granted(desk, desk.scene.roles.keeper))
    with reverts("orders: not authorized"):
        desk.execute(desk.order(), grant=(0, 0, b""))


def test_execute__order_fails__gives_no_right(unauthorized: Desk) -> None:
    desk = unauthorized
    with reverts("orders: not triggered"):
        desk.execute(desk.order(trigger=1), grant=granted(desk))
    market = desk.scene.protocol.market
    assert market.is_authorized(desk.owner, desk.contract.address) is False


# Where


def test_execute__market_delisted__goes_on(desk: Desk) -> None:
    protocol, roles = desk.scene.protocol, desk.scene.roles
    protocol.factory.delist_market(protocol.market.address, sender=roles.guardian)
    desk.execute(desk.order())


def test_execute__market_never_listed__is_not_called(desk: Desk) -> None:
    protocol, roles = desk.scene.protocol, desk.scene.roles
    terms = tuple(protocol.market.terms())
    made = protocol.factory.create_market(terms, "Other", "O", sender=roles.stranger)
    grant = granted(desk)
    for market in (made.events[-1].args["market"], roles.stranger, NOBODY):
        order = desk.order(market=market)
        assert desk.status(order) == "orders: never listed"
        with reverts("orders: never listed"):
            desk.execute(order, grant=grant)


def test_execute__market_of_other_tokens__is_not_entered(desk: Desk) -> None:
    scene, protocol, owner = desk.scene, desk.scene.protocol, desk.scene.roles.owner
    token = scene.chain.deploy(artifact("SettableToken"), 18, 0)
    oracle = scene.chain.deploy(artifact("ConstantOracle"), 10**36)
    for changes in ({"collateral": token.address}, {"loan": token.address}):
        terms = protocol.market.terms()._replace(oracle=oracle.address, **changes)
        made = protocol.factory.create_market(tuple(terms), "Other", "OTHER", sender=owner)
        market = made.events[-1].args["market"]
        protocol.factory.list_market(market, sender=owner)
        order = desk.order(market=market)
        assert desk.status(order) == "orders: other tokens"
        with reverts("orders: other tokens"):
            desk.execute(order, grant=granted(desk))
