"""The backstop pool: depositors, the line of those who leave, and what it has bought."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from relever.fuzz.actions import baselayer, leverage, market_storms, queue
from relever.model.backstop import BACKSTOP, MAX_DISCOUNT, MAX_PAUSE, MAX_SALE_LOSS
from relever.model.parts import PEOPLE
from relever.model.paths import TO_BACKSTOP
from relever.model.protocol import Action
from relever.model.rounding import WAD

if TYPE_CHECKING:
    from relever.fuzz.actions.planner import Planner

HOUR, DAY = 3_600, 86_400
# More than anyone has.
HUGE = 2**110
NOWHERE = ("nobody", BACKSTOP)


def deposit(plan: Planner) -> Action:
    who = plan.who()
    receiver = plan.mostly(who, plan.draw.choice((*NOWHERE, plan.who())))
    amount = plan.mostly(plan.amount(60 * WAD), HUGE)
    if plan.draw.random() < 0.4:
        return Action("backstop.mint", who, (amount, receiver))
    return Action("backstop.deposit", who, (amount, receiver))


def leave(plan: Planner) -> Action:
    """Mostly with some of what is free; the shares of a unit of it are about as many."""
    draw, owner = plan.draw, _holder(plan)
    caller = plan.mostly(owner, plan.who())
    receiver = plan.mostly(owner, draw.choice((*NOWHERE, plan.who())))
    free = plan.mostly(plan.parts.backstop.free, HUGE)
    amount = plan.part(min(plan.held(BACKSTOP, owner), free))
    name = draw.choice(("redeem", "withdraw"))
    return allowed(plan, Action(f"backstop.{name}", caller, (amount, receiver, owner)))


def request_exit(plan: Planner) -> Action:
    draw, owner = plan.draw, _holder(plan)
    caller = plan.mostly(owner, plan.who())
    receiver = plan.mostly(owner, draw.choice((*NOWHERE, plan.who())))
    shares = plan.mostly(plan.part(plan.held(BACKSTOP, owner)), draw.choice((WAD // 10**4, HUGE)))
    return allowed(plan, Action("backstop.request_exit", caller, (shares, receiver, owner)))


def allowed(plan: Planner, action: Action) -> Action:
    """Where another acts with the owner's shares, he mostly lets him first."""
    owner, amount = action.arguments[-1], action.arguments[0]
    if owner == action.caller or plan.draw.random() < 0.3:
        return action
    plan.then(action)
    token = action.name.partition(".")[0]
    return Action(f"{token}.approve", owner, (action.caller, 2 * amount))


def serve(plan: Planner) -> Action:
    """By anyone, or by whose turn it is: only he is paid while a slash is visible."""
    pool, caller = plan.parts.backstop, plan.who()
    if pool.head in pool.exits and plan.draw.random() < 0.4:
        caller = plan.account(pool.exits[pool.head].receiver)
    return Action("backstop.serve", caller, (plan.mostly(plan.draw.randrange(6), 2**256 - 1),))


def enqueue(plan: Planner) -> Action:
    """What was bought; where there is nothing, mostly something is seized first."""
    if not plan.parts.backstop.unqueued and plan.draw.random() < 0.7:
        return seizure(plan)
    return Action("backstop.enqueue", plan.who())


def harvest(plan: Planner) -> Action:
    """All claims, or some of them in any order, or one that is none."""
    draw, pool = plan.draw, plan.parts.backstop
    claims = draw.sample(pool.order, draw.randrange(len(pool.order) + 1))
    claims = plan.mostly(draw.choice((claims, [*pool.order])), [*claims, 1])
    return Action("backstop.harvest", plan.who(), (tuple(claims),))


def recover(plan: Planner) -> Action:
    """What was sent without a call; mostly somebody sends it first."""
    if plan.draw.random() < 0.3:
        return Action("backstop.recover", plan.who())
    plan.then(Action("backstop.recover", plan.who()))
    return Action("wsteth.transfer", plan.who(), (BACKSTOP, plan.amount(WAD)))


def settings(plan: Planner) -> Action:
    draw, rule = plan.draw, plan.parts.rules["factory"]
    if draw.random() < 0.6:
        usual, odd = (MAX_SALE_LOSS, 10**16), (0, MAX_SALE_LOSS - 1, MAX_DISCOUNT, MAX_DISCOUNT + 1)
        discount = draw.choice(plan.mostly(usual, odd))
        return Action("backstop.set_discount", rule.owner, (discount,))
    duration = draw.choice((0, 1, HOUR, HOUR, MAX_PAUSE + 1))
    who = plan.account(draw.choice((rule.owner, rule.guardian)))
    return Action("backstop.pause", who, (duration,))


def seizure(plan: Planner) -> Action:
    """Somebody is liquidated into it, which waits in the queue for it and is paid, or slashed."""
    draw = plan.draw
    first = market_storms.loss(plan)
    plan.then(lambda plan: Action("backstop.deposit", "lender", (90 * WAD, "lender")))
    for _ in range(draw.randrange(1, 3)):
        plan.then(_liquidate)
    if draw.random() < 0.3:
        plan.then(request_exit)
    plan.then(Action("backstop.enqueue", plan.who()))
    if draw.random() < 0.3:
        plan.then(market_storms.lose)
    if draw.random() < 0.7:
        # What it waits for cannot be valued while its adapter does not answer.
        for choose in (baselayer.silence, serve, leave, deposit):
            plan.then(choose)
    plan.wait(HOUR)
    for choose in (queue.finalize, _finalize, harvest, serve, harvest):
        plan.then(choose, draw.choice((0, 0, DAY)))
    return first


def run(plan: Planner) -> Action:
    """Everybody leaves at once, and who is first is paid first."""
    for who in plan.draw.sample(PEOPLE, 3):
        plan.then(partial(_all_of, who))
    for choose in (serve, deposit, serve, leave):
        plan.then(choose)
    return request_exit(plan)


def _all_of(who: str, plan: Planner) -> Action:
    return Action("backstop.request_exit", who, (plan.held(BACKSTOP, who), who, who))


def _liquidate(plan: Planner) -> Action:
    """By its way, where that would be taken; seldom by the best of all."""
    action = leverage.liquidate(plan)
    if action.name != "liquidator.liquidate" or plan.draw.random() < 0.2:
        return action
    market, owner, repay, _, least = action.arguments
    return Action(action.name, action.caller, (market, owner, repay, TO_BACKSTOP, least))


def _finalize(plan: Planner) -> Action:
    return Action("queue.finalize", "keeper", (9,))


def _holder(plan: Planner) -> str:
    """Mostly somebody who has shares."""
    held = plan.parts.backstop.shares.balances
    return plan.draw.choice(plan.mostly([who for who in PEOPLE if held.get(who)], []) or PEOPLE)


WAYS = [
    (1, "backstop_deposit", deposit),
    (2, "backstop_leave", leave),
    (1, "request_exit", request_exit),
    (1, "serve", serve),
    (1, "enqueue", enqueue),
    (1, "harvest", harvest),
    (1, "recover", recover),
    (1, "backstop_settings", settings),
    (2, "seizure", seizure),
    (1, "run", run),
]
