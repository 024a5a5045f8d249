"""Stop orders: once, when they are due, for their owner, within their bounds, and for less risk."""

from __future__ import annotations

from functools import partial

from relever.fuzz.invariants.base import (
    ORDER_EPOCHS,
    ORDERS_USED,
    POSITIONS,
    PRICE_SCALE,
    WAD,
    WETH,
    Invariant,
    Seen,
    invariant,
)
from relever.model.market import MARKET
from relever.model.orders import DELEVERAGE, STOP_LOSS, Order

INVARIANTS: list[Invariant] = []
_rule = partial(invariant, INVARIANTS)
_EXECUTE = ("orders.execute",)


def _order(seen: Seen) -> Order:
    order: Order = seen.action.arguments[0]
    return order


@_rule(
    "ORD-1",
    "An order is executed once, in its owner's epoch, with his signature, and not after its "
    "deadline.",
    "ERC-2612, Permit2: signatures count once",
    _EXECUTE,
)
def orders_count_once(seen: Seen) -> str | None:
    order, signer = _order(seen), seen.action.arguments[1]
    used = seen.changes.get(ORDERS_USED, {})
    if used != {(order.owner, order.nonce): (0, 1)}:
        return f"Nonces are used up: {used}."
    epoch = seen.before.entry(ORDER_EPOCHS, order.owner)
    if (signer, order.epoch) != (order.owner, epoch) or seen.after.now > order.deadline:
        return f"{signer} has signed {order} for epoch {epoch}."
    return None


@_rule(
    "ORD-2",
    "An order is executed only when it is due: by a price that a usable feed gives, or by health.",
    "Relever: triggers",
    _EXECUTE,
)
def orders_are_due(seen: Seen) -> str | None:
    if not seen.at_once():
        return None
    order, prices = _order(seen), seen.before.sight.prices
    if order.kind == DELEVERAGE:
        collateral, debt = seen.before.position(order.owner)
        worth = collateral * seen.before.hand_over // PRICE_SCALE
        if worth * seen.facts.terms.threshold > order.trigger * debt:
            return f"{debt:_} were owed on {worth:_}, with a trigger of {order.trigger:_}."
        return None
    if not prices.usable:
        return "The feed cannot be used."
    # Live rates may lower the price, and never raise it.
    most = min(prices.fundamental, seen.before.sight.answer * WAD)
    if order.kind != STOP_LOSS and most < order.trigger:
        return f"The price is {most:_} at most, the trigger {order.trigger:_}."
    return None


@_rule(
    "ORD-3",
    "What is sold brings, of its fundamental worth, all but the loss that the order accepts.",
    "CoW, UniswapX: limit price",
    _EXECUTE,
)
def losses_are_bound(seen: Seen) -> str | None:
    if not seen.at_once():
        return None
    order = _order(seen)
    sold = seen.before.position(order.owner)[0] - seen.after.position(order.owner)[0]
    received = seen.moved(WETH).get(MARKET, 0) + order.fee + seen.outcome.result
    worth = sold * seen.before.sight.prices.fundamental * (WAD - order.max_loss)
    if received * PRICE_SCALE * WAD < worth:
        return f"{sold:_} brought {received:_}, with a loss of {order.max_loss:_} at most."
    if sold > order.amount:
        return f"{sold:_} are sold, and not {order.amount:_} at most."
    return None


@_rule(
    "ORD-4",
    "An order adds no risk: debt does not rise, nor debt for the collateral; and nobody else's "
    "position changes.",
    "Aave v3, Abracadabra: an unconditional final check",
    _EXECUTE,
)
def orders_add_no_risk(seen: Seen) -> str | None:
    owner = _order(seen).owner
    if set(seen.changes.get(POSITIONS, ())) - {owner}:
        return "Another's position has changed."
    (had, _), (left, shares) = (
        look.positions.get(owner, (0, 0)) for look in (seen.before, seen.after)
    )
    before = seen.before.positions.get(owner, (0, 0))[1]
    if left >= had or shares > before or shares * had > before * left:
        return f"Debt shares were {before:_} on {had:_}, and are {shares:_} on {left:_}."
    return None


@_rule(
    "ORD-5",
    "The executor gets the order's fee and the owner what is left, in WETH, and nobody else any.",
    "Relever: keeper fee",
    _EXECUTE,
)
def fees_are_paid(seen: Seen) -> str | None:
    order, caller = _order(seen), seen.action.caller
    moved = seen.moved(WETH)
    due = {caller: order.fee}
    due[order.owner] = due.get(order.owner, 0) + seen.outcome.result
    for account in seen.facts.accounts:
        got = moved.get(account, 0)
        if account not in _TRADED and got != due.get(account, 0):
            return f"{account} gets {got:_}, due are {due}."
    return None


_TRADED = frozenset((MARKET, "lrt_pool", "lst_pool"))


@_rule(
    "ORD-6",
    "Nonces are used up and epochs raised only by their owner, or by an order of his.",
    "Permit2: invalidation",
    reads=(ORDERS_USED, ORDER_EPOCHS),
)
def cancelling_is_the_owners(seen: Seen) -> str | None:
    action, used = seen.action, seen.changes.get(ORDERS_USED, {})
    if action.name == "orders.execute":
        owners = {_order(seen).owner}
    else:
        owners = {action.caller} if action.name.startswith("orders.cancel") else set()
    if any(owner not in owners or was > now for (owner, _), (was, now) in used.items()):
        return f"{action} changes {used}."
    epochs = seen.changes.get(ORDER_EPOCHS, {})
    if any(who != action.caller or now != was + 1 for who, (was, now) in epochs.items()):
        return f"{action} changes {epochs}."
    return None
