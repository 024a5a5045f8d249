"""Contracts change hands and guardians, and come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relever.model.parts import Roles
from relever.model.protocol import Action

if TYPE_CHECKING:
    from relever.fuzz.actions.planner import Planner

ROLES = Roles()


def hand_over(plan: Planner) -> Action:
    """Begun, and taken over by who may, or first by who may not."""
    contract = plan.draw.choice(list(plan.parts.rules))
    rule, heir = plan.parts.rules[contract], plan.who()
    if rule.pending != "nobody":
        return Action(f"{contract}.accept_ownership", plan.mostly(rule.pending, heir))
    if plan.draw.random() < 0.4:
        plan.then(Action(f"{contract}.accept_ownership", plan.who()))
    plan.then(Action(f"{contract}.accept_ownership", heir))
    heir = plan.mostly(heir, "nobody")
    return Action(f"{contract}.transfer_ownership", rule.owner, (heir,))


def guardian(plan: Planner) -> Action:
    contract = plan.draw.choice(list(plan.parts.rules))
    named = plan.mostly(plan.who(), plan.draw.choice(("nobody", ROLES.owner)))
    return Action(f"{contract}.set_guardian", plan.parts.rules[contract].owner, (named,))


def allocator(plan: Planner) -> Action:
    named = plan.mostly(plan.who(), "nobody")
    return Action("vault.set_allocator", plan.parts.rules["vault"].owner, (named,))


def undo(plan: Planner) -> Action | None:
    """Now and then a step back to those who rule by habit, where others do."""
    parts = plan.parts
    if parts.allocator != ROLES.allocator and plan.draw.random() < 0.15:
        owner = parts.rules["vault"].owner
        return Action("vault.set_allocator", owner, (ROLES.allocator,))
    for contract, rule in parts.rules.items():
        if rule.owner != ROLES.owner and plan.draw.random() < 0.15:
            if rule.pending == ROLES.owner:
                return Action(f"{contract}.accept_ownership", ROLES.owner)
            return Action(f"{contract}.transfer_ownership", rule.owner, (ROLES.owner,))
        if rule.guardian != ROLES.guardian and plan.draw.random() < 0.15:
            return Action(f"{contract}.set_guardian", rule.owner, (ROLES.guardian,))
    return None


WAYS = [(1, "hand_over", hand_over), (1, "guardian", guardian), (1, "allocator", allocator)]
