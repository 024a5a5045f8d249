"""Sequences around the market that chance alone would seldom put together.

What else they need is chosen when it is their turn.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from relever.fuzz.actions import baselayer, leverage, market
from relever.model.market import MARKET
from relever.model.parts import BORROWERS, PEOPLE
from relever.model.protocol import Action
from relever.model.rounding import WAD
from relever.model.swap import sane_limit

if TYPE_CHECKING:
    from relever.fuzz.actions.planner import Planner

HOUR, DAY = 3_600, 86_400
POKE = Action("oracle.poke", "keeper")


def _say(discount: int, plan: Planner) -> Action:
    return plan.say(discount)


def _borrow_all(plan: Planner, owner: str) -> Action:
    """Nearly as much as the position lets one."""
    amount = min(plan.room(owner) * 99 // 100, plan.parts.market.books.cash)
    return Action("market.borrow", owner, (amount, owner, owner))


def _liquidate(plan: Planner) -> Action:
    """By the liquidator, or with capital."""
    return leverage.liquidate(plan) if plan.draw.random() < 0.5 else market.liquidate(plan)


def _take_risk(plan: Planner) -> str:
    """With a price that is known, somebody borrows all he can; returns who."""
    owner = plan.draw.choice(BORROWERS)
    plan.then(lambda plan: _borrow_all(plan, owner))
    return owner


def loss(plan: Planner) -> Action:
    """Somebody borrows all he can, then stETH or the stake loses, and positions break."""
    _take_risk(plan)
    if plan.draw.random() < 0.5:
        part = plan.draw.choice((40, 25, 12))
        plan.then(lambda plan: _lose(plan, plan.parts.steth.pooled // part))
    else:
        plan.then(baselayer.aimed)
    plan.then(partial(_say, plan.draw.choice((0, 0, WAD // 50))))
    if plan.draw.random() < 0.3:
        for _ in range(2):
            plan.then(_empty_pool)
    for _ in range(plan.draw.randrange(1, 4)):
        plan.then(_liquidate)
    return plan.say(0)


def _empty_pool(plan: Planner) -> Action:
    """Sell LRT until nobody buys any: what is seized can only be redeemed then."""
    pool = plan.parts.pools["lrt_pool"]
    limit = sane_limit(pool, pool.token0 == "vault")
    who = max(PEOPLE, key=lambda who: plan.held("vault", who))
    return Action("world.trade", who, ("lrt_pool", "vault", 200 * WAD, limit))


def lose(plan: Planner) -> Action:
    """StETH loses a little, or the stake as much as breaks somebody."""
    if plan.draw.random() < 0.5:
        return _lose(plan, plan.parts.steth.pooled // plan.draw.choice((40, 100)))
    return baselayer.aimed(plan)


def _lose(plan: Planner, amount: int) -> Action:
    return Action("steth.slash_validators", "lido_oracle", (amount,))


def bad_debt(plan: Planner) -> Action:
    """A loss that collateral does not cover; borrowing may halt then, and loans wait for a day."""
    owner = _take_risk(plan)
    plan.then(lambda plan: _lose(plan, plan.parts.steth.pooled // plan.draw.choice((4, 5, 7))))
    plan.then(partial(_say, 0))
    for who in plan.draw.sample(BORROWERS, len(BORROWERS)):
        plan.then(partial(liquidate_whole, who))
    plan.then(market.lend)
    plan.then(lambda plan: _borrow_all(plan, owner))
    plan.then(partial(_say, 0), DAY)
    plan.then(lambda plan: _borrow_all(plan, owner))
    return plan.say(0)


def liquidate_whole(owner: str, plan: Planner) -> Action:
    return Action("market.liquidate", "liquidator", (owner, 2 * plan.debt(owner) + 1, 0))


def depeg(plan: Planner) -> Action:
    """The market price falls for hours, and positions are deleveraged."""
    _take_risk(plan)
    plan.then(partial(_say, plan.draw.choice((WAD // 12, WAD // 8))))
    # The smoothed price has not moved yet.
    plan.then(market.borrow_beyond)
    plan.then(POKE)
    for _ in range(4):
        plan.wait(HOUR)
    for _ in range(plan.draw.randrange(2, 5)):
        plan.wait(HOUR)
        plan.then(_liquidate)
    plan.then(partial(_say, 0))
    return plan.say(0)


def siege(plan: Planner) -> Action:
    """A deep discount that lasts until fundamental is not believed any more."""
    terms = plan.parts.oracle.terms
    discount = plan.draw.choice((8, 10)) * WAD // 100
    hours = terms.lasting_time // terms.max_gap + 2 * terms.deep_discount // (
        terms.discount_speed * terms.max_gap
    )
    for hour in range(hours):
        if hour % 20 == 0:
            plan.then(partial(_say, discount))
        plan.wait(terms.max_gap)
    for _ in range(6):
        plan.then(_liquidate)
    plan.then(market.borrow)
    plan.then(leverage.close)
    plan.then(partial(_say, 0))
    return plan.say(0)


def replacement(plan: Planner) -> Action:
    """A feed is replaced after its week, and taken back or not; a checkpoint moves on."""
    rule = plan.parts.rules["vault"]
    other = "feed2" if plan.parts.oracle.feed.name == "feed" else "feed"
    plan.then(Action("oracle.propose_checkpoint", "keeper"), 6 * DAY + HOUR)
    plan.then(partial(_say, 0), DAY)
    plan.then(lambda plan: plan.say(0, other))
    for name in ("promote_checkpoint", "replace_feed", "poke_price"):
        plan.then(Action(f"oracle.{name}", "keeper"))
    if plan.draw.random() < 0.5:
        plan.then(Action("oracle.roll_back_feed", plan.account(rule.guardian)))
    return Action("oracle.propose_feed", rule.owner, (other,))


def dead_feed(plan: Planner) -> Action:
    """A feed says nothing for days: what adds risk is refused, and another takes its place."""
    rule = plan.parts.rules["vault"]
    other = "feed2" if plan.parts.oracle.feed.name == "feed" else "feed"
    plan.wait(DAY + HOUR)
    plan.then(Action("oracle.poke_price", "keeper"))
    plan.then(market.borrow)
    plan.then(market.repay)
    plan.then(leverage.open)
    plan.then(market.liquidate)
    if plan.draw.random() < 0.1:
        for _ in range(76):
            plan.wait(HOUR)
        plan.then(lambda plan: plan.say(0, other), 4 * DAY)
        plan.then(Action("oracle.replace_feed", "keeper"))
    plan.then(partial(_say, 0))
    return Action("oracle.propose_feed", rule.owner, (other,))


def squeeze(plan: Planner) -> Action:
    """All cash is lent out: lenders wait, borrowers and liquidators do not."""
    plan.then(partial(_bring_collateral, "trader"))
    plan.then(partial(_borrow_cash, "trader"))
    for choose in (market.drain, market.unlend, market.borrow, _liquidate, leverage.open):
        plan.then(choose)
    plan.then(market.accrue, DAY)
    plan.then(partial(_say, 0))
    plan.then(market.repay)
    plan.then(market.drain)
    plan.then(partial(_leave_market, "trader"))
    return plan.say(0)


def use_up(plan: Planner) -> Action:
    """Somebody borrows all the cash, so that loans become dear."""
    plan.then(partial(_borrow_cash, "trader"))
    return _bring_collateral("trader", plan)


def _bring_collateral(owner: str, plan: Planner) -> Action:
    """Enough LRT for all the cash."""
    amount = plan.parts.market.books.cash * 13 // 10
    return Action("vault.deposit", owner, (amount, owner))


def _borrow_cash(owner: str, plan: Planner) -> Action:
    held, cash = plan.held("vault", owner), plan.parts.market.books.cash
    return Action("market.adjust", owner, (owner, held, cash, owner))


def _leave_market(owner: str, plan: Planner) -> Action:
    deltas = -plan.position(owner).collateral, -2 * plan.debt(owner)
    return Action("market.adjust", owner, (owner, *deltas, owner))


def delisted(plan: Planner) -> Action:
    """Nothing is opened any more at the market; what is open is closed and liquidated."""
    rule = plan.parts.rules["factory"]
    for choose in (leverage.open, leverage.close, leverage.liquidate, market.borrow):
        plan.then(choose)
    plan.then(Action("factory.list_market", rule.owner, (MARKET,)))
    return Action("factory.delist_market", rule.guardian, (MARKET,))


def lowered(plan: Planner) -> Action:
    """The cap falls below what is lent out, which makes nobody's position worse."""
    owner = _take_risk(plan)
    rule, caps = plan.parts.rules["factory"], plan.parts.market.caps
    who = plan.draw.choice((rule.owner, plan.account(rule.guardian)))
    lower = min(caps.borrow, caps.supply * plan.draw.choice((0, 10, 49)) // 100)
    plan.then(Action("market.set_caps", who, ((caps.supply, lower, caps.fee),)))
    plan.then(partial(liquidate_whole, owner))
    plan.then(Action("market.set_caps", rule.owner, ((caps.supply, caps.borrow, caps.fee),)))
    return plan.say(0)


def storm(plan: Planner) -> Action:
    """Each in its turn; a siege, which takes long, seldom."""
    if plan.draw.random() < 0.003:
        return siege(plan)
    return plan.turn("market storms", STORMS)(plan)


STORMS = (
    *(loss, loss, loss, bad_debt, bad_debt, depeg, depeg),
    *(replacement, dead_feed, squeeze, delisted, lowered),
)
WAYS = [(8, "storm", storm)]
