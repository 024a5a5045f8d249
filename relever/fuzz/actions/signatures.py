"""What people have signed, and somebody brings to the contract: valid, used, late, or another's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relever.model.backstop import BACKSTOP
from relever.model.parts import LEVERAGED, VAULT
from relever.model.protocol import Action
from relever.model.rounding import WAD

if TYPE_CHECKING:
    from relever.fuzz.actions.planner import Planner

DAY = 86_400
# That take permits.
TOKENS = (VAULT, BACKSTOP, *LEVERAGED)
# What may be wrong with what is signed: mostly nothing, or when, by whom, under which nonce.
FAULTS = ("", "", "", "late", "another's", "nobody's", "used", "ahead")


def _signed(plan: Planner, owner: str, nonce: int, fault: str) -> tuple[int, int, str]:
    """Nonce, deadline and signer; nobody's signature is an empty one."""
    deadline = plan.now - 1 if fault == "late" else plan.now + 10 * DAY
    signer = {"another's": plan.who(), "nobody's": "nobody"}.get(fault, owner)
    step = {"used": -1, "ahead": 1}.get(fault, 0)
    return max(0, nonce + step), deadline, signer


def authorize(plan: Planner) -> Action:
    draw, owner = plan.draw, plan.who()
    fault = plan.turn("faults of authorizations", FAULTS)
    nonce = plan.parts.market.nonces.get(owner, 0)
    manager, authorized = draw.choice(("router", plan.who())), draw.random() < 0.7
    said = (owner, manager, authorized, *_signed(plan, owner, nonce, fault))
    return Action("market.set_authorization_by_signature", plan.who(), said)


def permit(plan: Planner) -> Action:
    owner, spender = plan.who(), plan.mostly(plan.who(), "nobody")
    token, fault = plan.draw.choice(TOKENS), plan.turn("faults of permits", FAULTS)
    used = plan.parts.permits.get((token, owner), 0)
    nonce, deadline, signer = _signed(plan, owner, used, fault)
    said = (owner, spender, plan.amount(WAD), deadline, signer, nonce)
    return Action(f"{token}.permit", plan.who(), said)


WAYS = [(2, "authorize", authorize), (2, "permit", permit)]
