"""Those who wait in line, and the claims on quarantined adapters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relever.model.parts import ADAPTERS
from relever.model.protocol import Action
from relever.model.queue import MIN_SHARES
from relever.model.rounding import WAD

if TYPE_CHECKING:
    from relever.fuzz.actions.planner import Planner


def request(plan: Planner) -> Action:
    draw, owner = plan.draw, plan.who()
    caller = plan.mostly(owner, plan.who())
    controller = plan.mostly(owner, draw.choice(("nobody", "vault", plan.who())))
    shares = plan.part(plan.held("vault", owner))
    shares = plan.mostly(shares, draw.choice((MIN_SHARES, MIN_SHARES - 1, 2**110)))
    return Action("queue.requestRedeem", caller, (shares, controller, owner))


def _one(plan: Planner, numbers: list[int]) -> tuple[int, str]:
    """One of these requests, or of all; and mostly its controller."""
    requests = plan.parts.queue.requests
    number = plan.draw.choice(plan.mostly(numbers, []) or (*requests, 1, 2**255))
    controller = requests[number].controller if number in requests else "stranger"
    return number, plan.mostly(plan.account(controller), plan.who())


def claim(plan: Planner) -> Action:
    number, caller = _one(plan, plan.parts.queue.payable)
    receiver = plan.mostly(caller, plan.draw.choice(("nobody", plan.who())))
    return Action("queue.claim", caller, (number, receiver))


def cancel(plan: Planner) -> Action:
    number, caller = _one(plan, plan.parts.queue.waiting)
    return Action("queue.cancel", caller, (number,))


def finalize(plan: Planner) -> Action:
    """By anyone, or by whose turn it is: only he is paid while a slash is visible."""
    requests, head = plan.parts.queue.requests, plan.parts.queue.head
    caller = plan.who()
    if head in requests and plan.draw.random() < 0.4:
        caller = plan.account(requests[head].controller)
    most = plan.mostly(plan.draw.randrange(6), 2**256 - 1)
    return Action("queue.finalize", caller, (most,))


def pull_back(plan: Planner) -> Action:
    which = plan.mostly(plan.draw.choice(ADAPTERS), "stranger")
    amount = plan.mostly(plan.amount(60 * WAD), plan.parts.vault.queued)
    return Action("queue.pull_back", plan.who(), (which, amount))


def operator(plan: Planner) -> Action:
    given = plan.who(), plan.draw.random() < 0.7
    return Action("queue.setOperator", plan.who(), given)


def pocket(plan: Planner) -> Action:
    """Claims on what quarantined adapters give back."""
    draw, found = plan.draw, plan.parts.vault.pocket.adapters
    which = draw.choice(ADAPTERS)
    able = [
        (name, who)
        for name, adapter in found.items()
        for who in adapter.claims
        if adapter.claimable(who)
    ]
    if able and draw.random() < 0.7:
        return Action("side_pocket.claim", plan.who(), draw.choice(able))
    kind = draw.randrange(3)
    if kind == 0:
        return Action("side_pocket.hand_over", plan.who(), (plan.who(),))
    if kind == 1:
        return Action("side_pocket.claim", plan.who(), (which, plan.who()))
    expected = plan.part(found[which].expected) if which in found else 1
    caller = plan.mostly(plan.parts.rules["vault"].owner, plan.who())
    return Action("side_pocket.lower_expectation", caller, (which, expected))


WAYS = [
    (3, "request", request),
    (2, "claim", claim),
    (1, "cancel", cancel),
    (3, "finalize", finalize),
    (1, "pull_back", pull_back),
    (1, "operator", operator),
    (2, "pocket", pocket),
]
