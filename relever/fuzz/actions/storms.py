"""Sequences that chance alone would seldom put together. What else they need is chosen then."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from relever.fuzz.actions import baselayer, leverage, market, queue, vault
from relever.model.market import MARKET
from relever.model.parts import BORROWERS, EIGENLAYER
from relever.model.protocol import Action
from relever.model.rounding import WAD

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
    for _ in range(plan.draw.randrange(2, 6)):
        plan.then(_liquidate)
    return plan.say(0)


def _lose(plan: Planner, amount: int) -> Action:
    return Action("steth.slash_validators", "lido_oracle", (amount,))


def bad_debt(plan: Planner) -> Action:
    """A loss that collateral does not cover; borrowing may halt then, and loans wait for a day."""
    owner = _take_risk(plan)
    plan.then(lambda plan: _lose(plan, plan.parts.steth.pooled // plan.draw.choice((4, 5, 7))))
    plan.then(partial(_say, 0))
    for who in plan.draw.sample(BORROWERS, len(BORROWERS)):
        plan.then(partial(_liquidate_whole, who))
    plan.then(market.lend)
    plan.then(lambda plan: _borrow_all(plan, owner))
    plan.then(partial(_say, 0), DAY)
    plan.then(lambda plan: _borrow_all(plan, owner))
    return plan.say(0)


def _liquidate_whole(owner: str, plan: Planner) -> Action:
    return Action("market.liquidate", "liquidator", (owner, 2 * plan.debt(owner) + 1, 0))


def depeg(plan: Planner) -> Action:
    """The market price falls for hours, and positions are deleveraged."""
    _take_risk(plan)
    plan.then(partial(_say, plan.draw.choice((WAD // 12, WAD // 8))))
    plan.then(POKE)
    for _ in range(plan.draw.randrange(5, 9)):
        plan.then(POKE, HOUR)
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
        plan.then(POKE, terms.max_gap)
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
    plan.then(market.borrow, DAY + HOUR)
    plan.then(market.repay)
    plan.then(leverage.open)
    plan.then(market.liquidate)
    if plan.draw.random() < 0.3:
        for _ in range(76):
            plan.then(POKE, HOUR)
        plan.then(lambda plan: plan.say(0, other), 4 * DAY)
        plan.then(Action("oracle.replace_feed", "keeper"))
    plan.then(partial(_say, 0))
    return Action("oracle.propose_feed", rule.owner, (other,))


def squeeze(plan: Planner) -> Action:
    """All cash is lent out or gone: lenders wait, borrowers and liquidators do not."""
    for choose in (market.drain, market.unlend, market.borrow, _liquidate, market.repay):
        plan.then(choose)
    plan.then(market.drain, DAY)
    plan.then(market.accrue)
    plan.then(market.lend)
    return market.drain(plan)


def slashed_queue(plan: Planner) -> Action:
    """Who waits in line while a slash is asked for, decided, and gone."""
    draw, owner = plan.draw, plan.who()
    shares = plan.held("vault", owner) * draw.choice((50, 90, 100)) // 100
    plan.then(queue.request)
    amount = plan.parts.symbiotic.active.amount // draw.choice((3, 10, 50))
    plan.then(lambda plan: Action("world.request_slash", "avs", (amount, plan.now - 1)), HOUR)
    for choose in (queue.finalize, vault.sync, queue.finalize, vault.leave):
        plan.then(choose)
    plan.then(baselayer.decide, draw.choice((600, 1_200, HOUR)))
    for choose in (queue.finalize, queue.claim, queue.cancel, queue.finalize, queue.claim):
        plan.then(choose)
    return Action("queue.requestRedeem", owner, (shares, owner, owner))


def line(plan: Planner) -> Action:
    """Many ask at once, and stake must come back for them; overdue ones pull it themselves."""
    for _ in range(plan.draw.randrange(4, 9)):
        plan.then(queue.request)
    plan.then(vault.empty)
    plan.then(vault.allocate)
    plan.then(queue.pull_back, plan.draw.choice((HOUR, 3 * DAY, 3 * DAY)), 1)
    plan.then(vault.deallocate)
    plan.then(queue.cancel)
    _bring_home(plan)
    for choose in (queue.finalize, queue.claim, queue.finalize, queue.claim):
        plan.then(choose)
    return queue.request(plan)


def _bring_home(plan: Planner) -> None:
    """Exits mature in both protocols, and are finished."""
    plan.then(vault.finish, 2 * HOUR, 60)
    for _ in range(3):
        plan.then(vault.finish)


def written_off(plan: Planner) -> Action:
    """An adapter falls silent and is put under quarantine; then it answers, and gives back."""
    adapters = plan.parts.vault.adapters
    able = [name for name, found in adapters.items() if not found.in_quarantine]
    # The last one mostly stays, or the vault would stake no more.
    if not able or (len(able) < len(adapters) and plan.draw.random() < 0.9):
        return queue.pocket(plan)
    which, rule = plan.draw.choice(able), plan.parts.rules["vault"]
    plan.then(Action("vault.quarantine", plan.account(rule.guardian), (which,)))
    for choose in (vault.leave, vault.leave, queue.request, vault.deposit, queue.finalize):
        plan.then(choose)
    plan.then(Action("world.restore", "stranger", (which,)))
    plan.then(Action("vault.deallocate", plan.account(plan.parts.allocator), (which, 2**100)))
    plan.then(leverage.close)
    _bring_home(plan)
    for choose in (queue.pocket, queue.pocket, queue.finalize, queue.pocket):
        plan.then(choose)
    if plan.draw.random() < 0.5:
        plan.then(Action("vault.deallocate", plan.account(plan.parts.allocator), (which, 2**100)))
        _bring_home(plan)
    return Action("world.silence", "stranger", (which,))


def thrown_out(plan: Planner) -> Action:
    """EigenLayer's operator undelegates the adapter, and so starts an exit of all its stake."""
    plan.then(vault.sync)
    plan.then(Action("vault.allocate", plan.account(plan.parts.allocator), (EIGENLAYER, WAD)))
    plan.then(baselayer.slash)
    _bring_home(plan)
    return Action("world.undelegate", "operator")


def ruin(plan: Planner) -> Action:
    """The operator loses all that it has in EigenLayer."""
    for choose in (vault.sync, vault.allocate, vault.deallocate, vault.deposit, vault.leave):
        plan.then(choose)
    plan.then(partial(_say, 0))
    for owner in BORROWERS:
        plan.then(partial(_liquidate_whole, owner))
    return Action("world.slash", "avs", (WAD,))


def flood(plan: Planner) -> Action:
    """More slashes are asked for than the adapter looks at."""
    for _ in range(33):
        plan.then(lambda plan: Action("world.request_slash", "avs", (7, plan.now - 1)))
    for choose in (vault.sync, vault.leave, queue.finalize, vault.allocate):
        plan.then(choose)
    return vault.sync(plan)


def rare(plan: Planner) -> Action:
    """What changes all that comes after it, or takes long."""
    (storm,) = plan.draw.choices((siege, ruin, flood, thrown_out), (1, 1, 4, 4))
    return storm(plan)


def burst(plan: Planner) -> Action:
    """LRT comes faster than the oracle lets it count, and goes again."""
    amount = plan.parts.oracle.gate.floor * 6 // 5
    plan.then(market.borrow)
    plan.then(leverage.open)
    if plan.draw.random() < 0.5:
        owner = plan.parts.rules["vault"].owner
        plan.then(lambda plan: _explain(plan, owner))
        plan.then(market.borrow)
    plan.then(POKE, HOUR)
    plan.then(lambda plan: _withdraw_most(plan, "trader"))
    plan.then(POKE, HOUR)
    return Action("zap.deposit", "trader", ("nobody", amount, 0, "trader"), amount)


def _explain(plan: Planner, owner: str) -> Action:
    return Action("oracle.accept_supply", owner, (plan.parts.vault.supply,))


def _withdraw_most(plan: Planner, owner: str) -> Action:
    shares = plan.held("vault", owner) * 98 // 100
    return Action("vault.redeem", owner, (shares, owner, owner))


def paused(plan: Planner) -> Action:
    """Nothing comes in for a while; what goes out goes out."""
    rule = plan.parts.rules["vault"]
    for choose in (vault.deposit, vault.zap, vault.allocate, leverage.open, vault.leave):
        plan.then(choose)
    plan.then(Action("vault.pause", plan.account(rule.guardian), (HOUR,)), 600)
    plan.then(vault.deposit, HOUR)
    return Action("vault.pause", plan.account(rule.guardian), (HOUR,))


def delisted(plan: Planner) -> Action:
    """Nothing is opened any more at the market; what is open is closed and liquidated."""
    rule = plan.parts.rules["factory"]
    for choose in (leverage.open, leverage.close, leverage.liquidate, market.borrow):
        plan.then(choose)
    plan.then(Action("factory.list_market", rule.owner, (MARKET,)))
    return Action("factory.delist_market", rule.guardian, (MARKET,))


def rewarded(plan: Planner) -> Action:
    """Both protocols pay rewards; they are claimed, sold, and unlock in the vault."""
    plan.then(Action("world.post_rewards", "stranger", (plan.amount(WAD),)))
    plan.then(leverage.sell_rewards, HOUR)
    plan.then(Action("eigenlayer.claim_rewards", "keeper", (len(plan.parts.rewards.roots),)))
    plan.then(leverage.sell_rewards)
    plan.then(vault.sync, DAY)
    return Action("weth.transfer", "trader", ("rewards_coordinator", WAD))


WAYS = [
    (2, "loss", loss),
    (1, "bad_debt", bad_debt),
    (2, "depeg", depeg),
    (1, "replacement", replacement),
    (1, "dead_feed", dead_feed),
    (2, "squeeze", squeeze),
    (2, "slashed_queue", slashed_queue),
    (1, "line", line),
    (1, "written_off", written_off),
    (1, "burst", burst),
    (1, "paused", paused),
    (1, "delisted", delisted),
    (1, "rewarded", rewarded),
    (1, "rare", rare),
]
