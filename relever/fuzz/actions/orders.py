"""Orders that owners of positions sign, and that somebody executes: due, or for what is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from relever.model.market import MARKET
from relever.model.orders import DELEVERAGE, STOP_LOSS, TAKE_PROFIT, Grant, Order
from relever.model.parts import BORROWERS, ORDERS
from relever.model.protocol import Action
from relever.model.refused import Refused
from relever.model.rounding import WAD

if TYPE_CHECKING:
    from relever.fuzz.actions.planner import Planner

KINDS = (STOP_LOSS, TAKE_PROFIT, DELEVERAGE)
MOST = 2**256 - 1
# What is wrong with an order: mostly nothing.
FAULTS = (
    *("", "", "", "", "", "", ""),
    *("again", "again", "again", "another's", "another's", "another's"),
    *("late", "used", "epoch", "market", "terms", "early", "dear", "tight"),
)


def execute(plan: Planner) -> Action:
    """By whoever comes; where its owner has not let the contract act, mostly he does so first."""
    draw, owner = plan.draw, plan.mostly(plan.borrower(), plan.who())
    grant = _grant(plan, owner)
    if grant is None and (owner, ORDERS) not in plan.parts.market.managers and draw.random() < 0.9:
        return Action("market.set_authorization", owner, (ORDERS, True))
    order = _order(plan, owner)
    fault = plan.turn("faults of orders", FAULTS)
    signer = plan.who() if fault == "another's" else _signer(plan, owner)
    told = (_spoilt(plan, order, fault), signer)
    action = Action("orders.execute", plan.who(), told if grant is None else (*told, grant))
    if fault == "again":
        # By whoever has seen it, some time later.
        plan.then(replace(action, caller=plan.who()), draw.choice((0, 600)))
    return action


def _order(plan: Planner, owner: str) -> Order:
    """One that is due, by how things are now."""
    draw, parts = plan.draw, plan.parts
    kind = plan.turn("kinds of orders", KINDS)
    held, fee = plan.position(owner).collateral, draw.randrange(WAD // 50)
    trigger, target = _price(plan), 0
    if kind == DELEVERAGE:
        health = _health(plan, owner)
        trigger = health + draw.choice((1, WAD // 100, WAD // 10))
        target = trigger + draw.choice((1, WAD // 50, WAD // 5))
    elif draw.random() < 0.7:
        trigger = trigger * draw.choice((101, 150) if kind == STOP_LOSS else (99, 50)) // 100
    return Order(
        owner=owner,
        market=MARKET,
        kind=kind,
        trigger=trigger,
        target_health=target,
        amount=max(1, plan.mostly(draw.choice((MOST, held // 2, held // 9)), 1)),
        max_loss=draw.choice((WAD // 20, WAD // 10, WAD // 10, WAD // 3)),
        fee=fee,
        epoch=parts.orders.epochs.get(owner, 0),
        nonce=draw.randrange(2**32),
        deadline=plan.now + draw.choice((0, 3_600, 86_400)),
    )


def _spoilt(plan: Planner, order: Order, fault: str) -> Order:
    """The same with something wrong."""
    draw, used = plan.draw, sorted(plan.parts.orders.used)
    mine = [nonce for owner, nonce in used if owner == order.owner]
    of_terms: tuple[dict[str, Any], ...] = (
        *({"amount": 0}, {"max_loss": WAD}, {"fee": 2**96 + 1}, {"kind": 3}),
    )
    changes: dict[str, dict[str, Any]] = {
        "late": {"deadline": plan.now - 1},
        "used": {"nonce": draw.choice(mine) if mine else 0},
        "epoch": {"epoch": max(0, order.epoch + draw.choice((-1, 1)))},
        "market": {"market": draw.choice(("stranger", "oracle"))},
        "terms": draw.choice(of_terms),
        "early": {"trigger": _not_yet(order)},
        "dear": {"fee": plan.position(order.owner).collateral // draw.choice((2, 9, 99))},
        "tight": {"max_loss": draw.choice((0, WAD // 10**4, WAD // 100))},
    }
    return replace(order, **changes.get(fault, {}))


def _not_yet(order: Order) -> int:
    return MOST if order.kind == TAKE_PROFIT else 0


def _grant(plan: Planner, owner: str) -> Grant | None:
    """Seldom, of the owner, or one that is of no use."""
    if plan.draw.random() < 0.8:
        return None
    nonce = plan.parts.market.nonces.get(owner, 0)
    signer = plan.mostly(_signer(plan, owner), plan.draw.choice((plan.who(), "nobody")))
    return plan.mostly(nonce, nonce + 1), plan.mostly(plan.now + 3_600, plan.now - 1), signer


def _signer(plan: Planner, owner: str) -> str:
    """A contract that has a position has no key."""
    return owner if owner in (*BORROWERS, plan.account(owner)) and owner != "scripted" else "nobody"


def _price(plan: Planner) -> int:
    try:
        return plan.parts.oracle.price
    except Refused:
        return plan.parts.oracle.fundamental


def _health(plan: Planner, owner: str) -> int:
    """At the price at which a liquidation hands over; one where nothing is owed."""
    market, debt = plan.parts.market, plan.debt(owner)
    worth = plan.position(owner).collateral * market.oracle.hand_over // 10**36
    return min(50 * WAD, worth * market.terms.threshold // debt) if debt else WAD


def cancel(plan: Planner) -> Action:
    return Action("orders.cancel", plan.who(), (plan.draw.randrange(2**32),))


def cancel_all(plan: Planner) -> Action:
    return Action("orders.cancel_all", plan.who())


WAYS = [(10, "execute", execute), (1, "cancel", cancel), (1, "cancel_all", cancel_all)]
