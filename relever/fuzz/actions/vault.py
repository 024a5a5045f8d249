"""Coming to the vault and going, and its allocator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relever.model.parts import ADAPTERS, EIGENLAYER
from relever.model.protocol import Action
from relever.model.rounding import WAD

if TYPE_CHECKING:
    from relever.fuzz.actions.planner import Planner

# More than anyone has, and than any cap allows.
HUGE = 2**110
TOKENS = ("nobody", "weth", "steth", "wsteth")


def deposit(plan: Planner) -> Action:
    who = plan.who()
    receiver = plan.mostly(who, plan.draw.choice(("nobody", "vault", "queue", plan.who())))
    amount = plan.mostly(plan.amount(60 * WAD), HUGE)
    if plan.draw.random() < 0.4:
        return Action("vault.mint", who, (amount, receiver))
    return Action("vault.deposit", who, (amount, receiver))


def zap(plan: Planner) -> Action:
    who, draw = plan.who(), plan.draw
    token = plan.mostly(draw.choice(TOKENS), draw.choice(("vault", "market", "lender")))
    amount = plan.amount(60 * WAD)
    receiver = plan.mostly(draw.choice((who, plan.who())), draw.choice(("nobody", "zap")))
    ether = plan.mostly(amount if token == "nobody" else 0, 1)
    least = plan.mostly(draw.choice((0, amount // 2)), amount)
    return Action("zap.deposit", who, (token, amount, least, receiver), ether)


def leave(plan: Planner) -> Action:
    """Mostly with what is idle; the shares of a unit of it are about as many."""
    draw, vault = plan.draw, plan.parts.vault
    owner = plan.who()
    caller = plan.mostly(owner, plan.who())
    receiver = plan.mostly(owner, draw.choice(("nobody", plan.who())))
    amount = plan.part(min(plan.held("vault", owner), plan.mostly(vault.idle // 2, HUGE)))
    amount = plan.mostly(amount, draw.choice((HUGE, 0)))
    name = draw.choice(("redeem", "withdraw"))
    return Action(f"vault.{name}", caller, (amount, receiver, owner))


def empty(plan: Planner) -> Action:
    """All that is idle, to the unit, which is what an exit may take while nobody waits."""
    owner = max(("depositor", "lender", "trader"), key=lambda who: plan.held("vault", who))
    idle = plan.parts.vault.idle
    amount = idle + plan.draw.choice((0, -1, 1))
    return Action("vault.withdraw", owner, (max(0, amount), owner, owner))


def allocate(plan: Planner) -> Action:
    vault, draw = plan.parts.vault, plan.draw
    caller = plan.mostly(plan.account(plan.parts.allocator), plan.who())
    free = max(0, vault.idle - vault.queued)
    which = plan.mostly(draw.choice(ADAPTERS), draw.choice(("stranger", "nobody")))
    return Action("vault.allocate", caller, (which, plan.part(free // 2)))


def deallocate(plan: Planner) -> Action:
    vault, draw = plan.parts.vault, plan.draw
    caller = plan.mostly(plan.account(plan.parts.allocator), plan.who())
    which = draw.choice(ADAPTERS)
    booked = vault.adapters[which].booked
    most = plan.mostly(booked // 2, HUGE) if booked else WAD
    which = plan.mostly(which, draw.choice(("stranger", "queue")))
    return Action("vault.deallocate", caller, (which, plan.part(most)))


def exits(plan: Planner, which: str) -> list[int]:
    """The ids of an adapter's open exits."""
    parts = plan.parts
    open_exits = parts.eigen.staker.withdrawals if which == EIGENLAYER else parts.symbio.open_exits
    return list(open_exits)


def finish(plan: Planner) -> Action:
    which = plan.draw.choice(ADAPTERS)
    number = plan.draw.choice(plan.mostly(exits(plan, which), []) or (0, 1, 77))
    which = plan.mostly(which, "stranger")
    return Action("vault.finish_exit", plan.who(), (which, number))


def reward(plan: Planner) -> Action:
    return Action(
        "vault.pay_rewards", plan.who(), (plan.draw.choice((0, plan.amount(4 * WAD), WAD)),)
    )


def sync(plan: Planner) -> Action:
    return Action("vault.sync", plan.who())


WAYS = [
    (4, "deposit", deposit),
    (3, "zap", zap),
    (4, "leave", leave),
    (1, "empty", empty),
    (5, "allocate", allocate),
    (4, "deallocate", deallocate),
    (5, "finish", finish),
    (1, "reward", reward),
    (2, "sync", sync),
]
