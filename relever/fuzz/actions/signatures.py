"""What people have signed, and somebody brings to the contract: valid, used, late, or another's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relever.model.protocol import Action
from relever.model.rounding import WAD

if TYPE_CHECKING:
    from relever.fuzz.actions.planner import Planner

DAY = 86_400


def authorize(plan: Planner) -> Action:
    draw, owner = plan.draw, plan.who()
    nonce = plan.parts.market.nonces.get(owner, 0)
    if draw.random() < 0.3:
        nonce = max(0, nonce + draw.choice((-1, -1, 1)))
    manager, authorized = draw.choice(("router", plan.who())), draw.random() < 0.7
    said = (owner, manager, authorized, nonce, _deadline(plan), _signer(plan, owner))
    return Action("market.set_authorization_by_signature", plan.who(), said)


def permit(plan: Planner) -> Action:
    owner = plan.who()
    nonce = plan.parts.permits.get(owner, 0)
    nonce = plan.mostly(nonce, max(0, nonce - 1))
    spender = plan.mostly(plan.who(), "nobody")
    amount = plan.amount(WAD)
    said = (owner, spender, amount, _deadline(plan), _signer(plan, owner), nonce)
    return Action("vault.permit", plan.who(), said)


def _deadline(plan: Planner) -> int:
    return plan.mostly(plan.now + 10 * DAY, plan.now - 1)


def _signer(plan: Planner, owner: str) -> str:
    """Nobody's signature is an empty one."""
    return plan.mostly(owner, plan.draw.choice(("nobody", plan.who())))


WAYS = [(2, "authorize", authorize), (1, "permit", permit)]
