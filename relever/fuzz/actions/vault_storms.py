"""Sequences around the vault that chance alone would seldom put together.

What else they need is chosen when it is their turn.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from relever.fuzz.actions import baselayer, leverage, market, queue, vault
from relever.fuzz.actions.market_storms import liquidate_whole
from relever.model.parts import BORROWERS, EIGENLAYER, PEOPLE
from relever.model.protocol import Action
from relever.model.rounding import WAD

if TYPE_CHECKING:
    from relever.fuzz.actions.planner import Planner

HOUR, DAY = 3_600, 86_400


def slashed_queue(plan: Planner) -> Action:
    """Who waits in line while a slash is asked for, decided, and gone."""
    draw, owner = plan.draw, plan.who()
    shares = plan.held("vault", owner) * draw.choice((50, 90, 100)) // 100
    plan.then(queue.request)
    amount = plan.parts.symbiotic.active.amount // draw.choice((3, 10, 50))
    plan.wait(HOUR)
    plan.then(lambda plan: Action("world.request_slash", "avs", (amount, plan.now - 1)))
    for choose in (queue.finalize, vault.sync, queue.finalize, vault.leave):
        plan.then(choose)
    plan.wait(draw.choice((600, 1_200, 1_300, 2_400)))
    plan.then(baselayer.decide)
    for choose in (queue.finalize, queue.claim, queue.cancel, queue.finalize, queue.claim):
        plan.then(choose)
    return Action("queue.requestRedeem", owner, (shares, owner, owner))


def line(plan: Planner) -> Action:
    """Who holds most asks for more than is idle, and stake must come back for it."""
    plan.then(_stake_idle)
    for owner in sorted(PEOPLE, key=lambda who: plan.held("vault", who))[-4:]:
        plan.then(partial(_request_all, owner))
    plan.then(queue.finalize, HOUR)
    plan.then(vault.allocate)
    if plan.draw.random() < 0.6:
        plan.then(queue.pull_back)
        plan.then(partial(_pull_back, 1), 3 * DAY)
        plan.then(partial(_pull_back, 2))
    plan.then(vault.deallocate)
    plan.then(queue.cancel)
    _bring_home(plan)
    for _ in range(2):
        plan.then(Action("queue.finalize", "keeper", (5,)), HOUR)
        plan.then(queue.claim)
        plan.then(queue.claim)
    return queue.request(plan)


def _stake_idle(plan: Planner) -> Action:
    """Most of it, where most is staked."""
    adapters, idle = plan.parts.vault.adapters, plan.parts.vault.idle
    which = max(adapters, key=lambda name: adapters[name].booked)
    return Action("vault.allocate", plan.account(plan.parts.allocator), (which, idle * 4 // 5))


def _request_all(owner: str, plan: Planner) -> Action:
    return Action("queue.requestRedeem", owner, (plan.held("vault", owner), owner, owner))


def _pull_back(parts: int, plan: Planner) -> Action:
    """From where most is staked."""
    adapters = plan.parts.vault.adapters
    which = max(adapters, key=lambda name: adapters[name].booked)
    amount = plan.parts.vault.queued // parts
    return Action("queue.pull_back", plan.who(), (which, amount))


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
    for choose in (queue.request, queue.finalize, vault.deposit):
        plan.then(choose)
    plan.then(Action("vault.quarantine", plan.account(rule.guardian), (which,)))
    for choose in (vault.leave, vault.leave, queue.request, vault.deposit, queue.finalize):
        plan.then(choose)
    plan.then(Action("world.restore", "stranger", (which,)))
    plan.then(partial(_expect_less, which))
    plan.then(Action("vault.deallocate", plan.account(plan.parts.allocator), (which, 2**100)))
    plan.then(leverage.close)
    _bring_home(plan)
    for choose in (queue.pocket, queue.pocket, queue.finalize, queue.pocket):
        plan.then(choose)
    if plan.draw.random() < 0.5:
        plan.then(Action("vault.deallocate", plan.account(plan.parts.allocator), (which, 2**100)))
        _bring_home(plan)
    return Action("world.silence", "stranger", (which,))


def _expect_less(which: str, plan: Planner) -> Action:
    found = plan.parts.vault.pocket.adapters.get(which)
    expected = found.expected * 9 // 10 if found else 0
    owner = plan.parts.rules["vault"].owner
    return Action("side_pocket.lower_expectation", owner, (which, expected))


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
    plan.then(lambda plan: plan.say(0))
    for owner in BORROWERS:
        plan.then(partial(liquidate_whole, owner))
    return Action("world.slash", "avs", (WAD,))


def flood(plan: Planner) -> Action:
    """More slashes are asked for than the adapter looks at."""
    for _ in range(33):
        plan.then(lambda plan: Action("world.request_slash", "avs", (7, plan.now - 1)))
    for choose in (vault.sync, vault.leave, queue.finalize, vault.allocate):
        plan.then(choose)
    return vault.sync(plan)


def burst(plan: Planner) -> Action:
    """LRT comes faster than the oracle lets it count, and goes again."""
    amount = plan.parts.oracle.gate.floor * 6 // 5
    plan.then(market.borrow)
    plan.then(leverage.open)
    if plan.draw.random() < 0.5:
        owner = plan.parts.rules["vault"].owner
        plan.then(lambda plan: _explain(plan, owner))
        plan.then(market.borrow)
    plan.wait(HOUR)
    plan.then(lambda plan: _withdraw_most(plan, "trader"))
    plan.wait(HOUR)
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


def rewarded(plan: Planner) -> Action:
    """Both protocols pay rewards; they are claimed, sold, and unlock in the vault."""
    plan.then(Action("world.post_rewards", "stranger", (plan.amount(WAD),)))
    plan.then(leverage.sell_rewards, HOUR)
    plan.then(Action("eigenlayer.claim_rewards", "keeper", (len(plan.parts.rewards.roots),)))
    plan.then(leverage.sell_rewards)
    plan.then(vault.sync, DAY)
    return Action("weth.transfer", "trader", ("rewards_coordinator", WAD))


def rare(plan: Planner) -> Action:
    """What changes all that comes after it, or is long."""
    return plan.turn("rare storms", (ruin, flood, flood, thrown_out, thrown_out))(plan)


def storm(plan: Planner) -> Action:
    """Each in its turn."""
    return plan.turn("vault storms", STORMS)(plan)


STORMS = (slashed_queue, slashed_queue, line, written_off, burst, paused, rewarded, rare)
WAYS = [(8, "storm", storm)]
