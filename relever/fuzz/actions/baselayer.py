"""What happens below: slashes, others' stake, stETH's gains and losses, silent adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relever.fuzz.actions import queue
from relever.model.parts import ADAPTERS, EIGENLAYER, SYMBIOTIC
from relever.model.protocol import Action
from relever.model.rounding import WAD

if TYPE_CHECKING:
    from relever.fuzz.actions.planner import Planner

HOUR = 3_600


def slash(plan: Planner) -> Action:
    part = plan.draw.choice((1, 10**15, WAD // 50, WAD // 50, WAD // 12))
    return Action("world.slash", "avs", (part,))


def aimed(plan: Planner) -> Action:
    """So large that the riskiest position just breaks, or just does not, or is far beyond."""
    loss = missing(plan) * plan.draw.choice((99, 100, 101, 120, 200)) // 100
    kind = plan.draw.randrange(4)
    if kind in (0, 3):
        amount = max(1, plan.parts.steth.pooled * loss // WAD)
        return Action("steth.slash_validators", "lido_oracle", (amount,))
    if kind == 1:
        return Action("world.slash", "avs", (part_of_eigenlayer(plan, loss),))
    vault, active = plan.parts.vault, plan.parts.symbiotic.active
    ours = active.worth(SYMBIOTIC) + 1
    amount = (vault.idle + vault.staked) * loss // WAD * active.amount // ours
    return Action("world.request_slash", "avs", (max(1, amount), plan.now - 1))


def missing(plan: Planner) -> int:
    """The part of the fundamental price, WAD, by which it is above the riskiest position's edge."""
    fundamental = plan.parts.oracle.fundamental
    edge = plan.edge(plan.riskiest())
    return (fundamental - edge) * WAD // fundamental if 0 < edge < fundamental else WAD // 100


def part_of_eigenlayer(plan: Planner, loss: int) -> int:
    """The part to slash there, a fourth at most, for a loss of the vault; both WAD."""
    vault = plan.parts.vault
    staked = vault.adapters[EIGENLAYER].booked + 1
    return min(WAD // 4, max(1, (vault.idle + vault.staked) * loss // staked))


def burn(plan: Planner) -> Action:
    if not plan.parts.eigenlayer.strategy.burnable:
        return slash(plan)
    return Action("world.burn", "stranger")


def request(plan: Planner) -> Action:
    amount = plan.part(plan.parts.symbiotic.active.amount // 10)
    captured = plan.now - plan.draw.choice((0, 1, 1, 1, 600, HOUR))
    return Action("world.request_slash", "avs", (amount, captured))


def decide(plan: Planner) -> Action:
    """A slash that was asked for is vetoed in its window, or executed after it."""
    symbiotic, draw = plan.parts.symbiotic, plan.draw
    first = max(0, len(symbiotic.requests) - 40)
    pending = [
        number
        for number, asked in enumerate(symbiotic.requests[first:], first)
        if not asked.completed and plan.now - asked.captured <= symbiotic.epoch_duration
    ]
    if not pending:
        return request(plan)
    number = draw.choice(pending)
    execute = Action("world.execute_slash", "avs", (number,))
    waits = symbiotic.requests[number].requested + (symbiotic.veto_duration or 0) - plan.now
    if waits <= 0:
        return execute
    if draw.random() < 0.4:
        return Action("world.veto_slash", "resolver", (number,))
    plan.then(execute, waits)
    return queue.finalize(plan)


def beside(plan: Planner) -> Action:
    """Someone else stakes with the same operator, or leaves."""
    which = plan.draw.choice(ADAPTERS)
    if plan.draw.random() < 0.6:
        return Action("world.stake_beside", "stranger", (which, plan.amount(20 * WAD)))
    stake = plan.parts.neighbour.deposit_shares
    if which == SYMBIOTIC:
        stake = plan.parts.symbiotic.active.worth("stranger")
    return Action("world.leave_beside", "stranger", (which, plan.part(stake)))


def gift(plan: Planner) -> Action:
    return Action("world.give_stake", "stranger", (plan.amount(20 * WAD),))


def steth(plan: Planner) -> Action:
    draw, pooled = plan.draw, plan.parts.steth.pooled
    if draw.random() < 0.3:
        amount = pooled // draw.choice((500, 100, 40))
        return Action("steth.slash_validators", "lido_oracle", (amount,))
    amount = pooled // draw.choice((10**4, 2_000, 500))
    return Action("steth.accrue_rewards", "lido_oracle", (), plan.mostly(amount, 0))


def silence(plan: Planner) -> Action:
    which = plan.draw.choice(ADAPTERS)
    name = "silence" if plan.parts.vault.adapters[which].answers else "restore"
    return Action(f"world.{name}", "stranger", (which,))


WAYS = [
    (1, "slash", slash),
    (2, "aimed", aimed),
    (1, "burn", burn),
    (1, "request", request),
    (2, "decide", decide),
    (3, "beside", beside),
    (1, "gift", gift),
    (2, "steth", steth),
    (1, "silence", silence),
]
