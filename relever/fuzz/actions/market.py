"""Lenders, borrowers and liquidators at the market."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relever.model.market import MARKET
from relever.model.parts import PEOPLE
from relever.model.protocol import Action
from relever.model.rounding import WAD

if TYPE_CHECKING:
    from relever.fuzz.actions.planner import Planner

# More than anyone has, and than any cap allows.
HUGE = 2**100
NOWHERE = ("nobody", MARKET)


def lend(plan: Planner) -> Action:
    draw, who = plan.draw, plan.mostly("lender", plan.who())
    receiver = plan.mostly(who, draw.choice((*NOWHERE, plan.who())))
    amount = plan.mostly(plan.amount(900 * WAD), HUGE)
    if draw.random() < 0.3:
        return Action("market.mint", who, (amount * 10**6, receiver))
    return Action("market.deposit", who, (amount, receiver))


def unlend(plan: Planner) -> Action:
    draw, owner = plan.draw, plan.mostly("lender", plan.who())
    caller = plan.mostly(owner, plan.who())
    receiver = plan.mostly(owner, draw.choice((*NOWHERE, plan.who())))
    books = plan.parts.market.books
    shares = min(plan.held(MARKET, owner), books.supply.shares_down(books.cash))
    if draw.random() < 0.5:
        return Action("market.redeem", caller, (plan.part(shares // 2), receiver, owner))
    assets = plan.part(books.supply.assets_down(shares) // 2)
    return Action("market.withdraw", caller, (assets, receiver, owner))


def drain(plan: Planner) -> Action:
    """All the cash that who has lent most can take, or a unit more."""
    market = plan.parts.market
    lenders = [who for who in market.shares if who in PEOPLE]
    owner = max(lenders, key=lambda who: market.shares[who], default="lender")
    owned = market.books.supply.assets_down(plan.held(MARKET, owner))
    amount = min(market.books.cash, owned) + plan.mostly(0, 1)
    return Action("market.withdraw", owner, (amount, owner, owner))


def collateral(plan: Planner) -> Action:
    owner = plan.borrower()
    caller = plan.mostly(owner, plan.who())
    if plan.draw.random() < 0.5:
        amount = plan.part(plan.held("vault", caller) // 2)
        amount = plan.mostly(amount, 2**112)
        return Action("market.supply_collateral", caller, (amount, owner))
    amount = plan.part(plan.position(owner).collateral // plan.draw.choice((2, 5, 20)))
    receiver = plan.mostly(caller, plan.draw.choice((*NOWHERE, plan.who())))
    return Action("market.withdraw_collateral", caller, (amount, owner, receiver))


def borrow(plan: Planner) -> Action:
    owner = plan.borrower()
    caller = plan.mostly(owner, plan.who())
    receiver = plan.mostly(caller, plan.draw.choice((*NOWHERE, plan.who())))
    amount = plan.mostly(plan.part(plan.room(owner)), plan.parts.market.books.cash + 1)
    return Action("market.borrow", caller, (amount, owner, receiver))


def borrow_beyond(plan: Planner) -> Action:
    """More than is allowed, by a little or a lot, and now and then with collateral on top."""
    owner, draw = plan.borrower(), plan.draw
    caller = plan.mostly(owner, plan.who())
    amount = plan.room(owner) * draw.choice((101, 101, 110, 150)) // 100
    amount += plan.debt(owner) // draw.choice((200, 200, 20)) + 1
    if draw.random() < 0.3:
        more = plan.amount(WAD // 1_000)
        return Action("market.adjust", caller, (owner, more, amount + more, caller))
    return Action("market.borrow", caller, (amount, owner, caller))


def repay(plan: Planner) -> Action:
    """A part, or more than there is, which pays for all."""
    owner = plan.borrower()
    caller = plan.mostly(owner, plan.who())
    debt = plan.debt(owner)
    amount = 2 * debt if plan.draw.random() < 0.1 else plan.part(debt)
    return Action("market.repay", caller, (amount, owner))


def adjust(plan: Planner) -> Action:
    draw, owner = plan.draw, plan.borrower()
    caller = plan.mostly(owner, plan.who())
    receiver = plan.mostly(caller, draw.choice((*NOWHERE, plan.who())))
    if draw.random() < 0.5:
        out, paid = plan.position(owner).collateral // 3, plan.debt(owner)
        deltas = -plan.part(out), -plan.part(paid)
    else:
        more = plan.part(plan.held("vault", caller))
        deltas = more, plan.room(owner, more) * draw.choice((50, 90, 99, 100)) // 100
    return Action("market.adjust", caller, (owner, *deltas, receiver))


def liquidate(plan: Planner) -> Action:
    """Who can be; where nobody can, mostly somebody takes more risk instead."""
    broken = plan.broken()
    if broken is None and plan.draw.random() < 0.7:
        return borrow(plan)
    owner = broken or plan.borrower()
    debt = plan.debt(owner)
    repay = plan.mostly(2 * debt, plan.part(debt))
    seized = plan.mostly(0, plan.draw.choice((debt, 2**255)))
    caller = plan.mostly("liquidator", plan.account(owner))
    return Action("market.liquidate", caller, (owner, repay, seized))


def manager(plan: Planner) -> Action:
    owner, draw = plan.who(), plan.draw
    if draw.random() < 0.3:
        return Action("market.renounce_authorization", plan.who(), (owner,))
    given = draw.choice(("router", plan.who())), draw.random() < 0.7
    return Action("market.set_authorization", owner, given)


def accrue(plan: Planner) -> Action:
    return Action("market.accrue", plan.who())


WAYS = [
    (4, "lend", lend),
    (3, "unlend", unlend),
    (1, "drain", drain),
    (3, "collateral", collateral),
    (3, "borrow", borrow),
    (1, "borrow_beyond", borrow_beyond),
    (2, "repay", repay),
    (3, "adjust", adjust),
    (3, "liquidate", liquidate),
    (1, "manager", manager),
    (1, "accrue", accrue),
]
