"""What owners and guardians may change, and what brings things back to their usual state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relever.fuzz.actions import ownership
from relever.model.market import FEE_STEP, MARKET, MAX_CAP, MAX_FEE
from relever.model.parts import ADAPTERS, WRONG_ORACLE
from relever.model.protocol import Action
from relever.model.rounding import WAD

if TYPE_CHECKING:
    from relever.fuzz.actions.planner import Planner

HOUR, DAY = 3_600, 86_400
# Below these something important stands still.
LEAST_CAP = 2_000 * WAD
USUAL_CAP = 50_000 * WAD
# Terms of a market that cannot work, and thrice none. Of a wrong price nothing else warns.
TERMS = (
    *(*(("", 0),) * 3, *(("oracle", WRONG_ORACLE),) * 8, ("oracle", "stranger")),
    *(("loan", "vault"), ("loan", "stranger"), ("max_ltv", 0)),
    *(("max_ltv", WAD), ("base_bonus", WAD), ("max_bonus", WAD), ("threshold", WAD)),
    *(("max_bonus", WAD // 10), ("target_health", WAD), ("target_health", 2 * WAD)),
    *(("min_debt", 0), ("min_debt", 2**112), ("deleverage_share", 0)),
    ("deleverage_share", WAD),
)
PARTS = (0, 50, 99, 100, 100, 101, 200)


def _ruler(plan: Planner, contract: str) -> str:
    """The owner of a contract, or now and then its guardian."""
    rule = plan.parts.rules[contract]
    return rule.owner if plan.draw.random() < 0.6 else plan.account(rule.guardian)


def vault_limits(plan: Planner) -> Action:
    draw, vault = plan.draw, plan.parts.vault
    who = _ruler(plan, "vault")
    if draw.random() < 0.3:
        cap = plan.mostly(vault.deposit_cap * draw.choice(PARTS) // 100, 2**112 + 1)
        return Action("vault.set_deposit_cap", who, (cap,))
    which = draw.choice(ADAPTERS)
    adapter = vault.adapters[which]
    cap = adapter.cap * draw.choice(PARTS) // 100
    share_cap = plan.mostly(adapter.share_cap, draw.choice((WAD, WAD + 1, WAD // 5)))
    which = plan.mostly(which, "stranger")
    return Action("vault.set_adapter_caps", who, (which, cap, share_cap))


def vault_fees(plan: Planner) -> Action:
    draw, owner = plan.draw, plan.parts.rules["vault"].owner
    if draw.random() < 0.5:
        buffer = draw.choice((0, WAD, 20 * WAD, 70 * WAD, 2**80, 2**80 + 1))
        most = draw.choice((0, WAD // 200, WAD // 200, WAD // 100, WAD // 50))
        return Action("vault.set_exit_fee", owner, (buffer, most))
    part = draw.choice((0, WAD // 10, WAD // 10, WAD // 5, WAD // 4))
    return Action("vault.set_performance_fee", owner, (part, draw.choice(("treasury", "nobody"))))


def pause(plan: Planner) -> Action:
    duration = plan.draw.choice((0, 1, HOUR, HOUR, 3 * DAY + 1))
    return Action("vault.pause", _ruler(plan, "vault"), (duration,))


def quarantine(plan: Planner) -> Action:
    """The guardian's, and so refused while the adapter answers."""
    which = plan.mostly(plan.draw.choice(ADAPTERS), "stranger")
    return Action("vault.quarantine", plan.account(plan.parts.rules["vault"].guardian), (which,))


def adapter(plan: Planner) -> Action:
    """All that there are stand in the vault's list already."""
    which = plan.mostly(plan.draw.choice(ADAPTERS), "stranger")
    return Action("vault.add_adapter", plan.parts.rules["vault"].owner, (which, WAD, WAD))


def exits(plan: Planner) -> Action:
    """They are set, once for all."""
    return Action("vault.set_exits", plan.parts.rules["vault"].owner, ("queue", "side_pocket"))


def market_caps(plan: Planner) -> Action:
    draw, caps = plan.draw, plan.parts.market.caps
    supply, borrow = (cap * draw.choice(PARTS) // 100 for cap in (caps.supply, caps.borrow))
    supply = plan.mostly(supply, MAX_CAP + 1)
    fee = plan.mostly(caps.fee, draw.choice((0, WAD // 5, MAX_FEE, MAX_FEE + FEE_STEP, 1)))
    return Action("market.set_caps", _ruler(plan, "factory"), ((supply, borrow, fee),))


def market_fees(plan: Planner) -> Action:
    """Asked for first, and collected a day later."""
    owner = plan.parts.rules["factory"].owner
    _, asked_at = plan.parts.market.requested
    if asked_at and plan.draw.random() < 0.7:
        return Action("market.collect_fees", owner, (plan.mostly("treasury", MARKET),))
    if plan.draw.random() < 0.5:
        plan.then(Action("market.collect_fees", owner, ("treasury",)), DAY)
    return Action("market.request_fees", owner)


def listing(plan: Planner) -> Action:
    markets = list(plan.parts.markets)
    market = plan.mostly(plan.draw.choice(markets), "stranger")
    if plan.draw.random() < 0.4:
        return Action("factory.delist_market", _ruler(plan, "factory"), (market,))
    return Action("factory.list_market", plan.parts.rules["factory"].owner, (market,))


def create_market(plan: Planner) -> Action:
    """With the terms of the first, but for one of them."""
    terms = plan.parts.market.terms
    fields = {
        "loan": "weth",
        "collateral": "vault",
        "oracle": "oracle",
        **{name: getattr(terms, name) for name in terms.__dataclass_fields__},
    }
    name, value = plan.turn("terms", TERMS)
    if name:
        fields[name] = value
    return Action("factory.create_market", plan.who(), (tuple(fields.values()), "Another", "A"))


def reward_terms(plan: Planner) -> Action:
    """What the seller may sell, at which discount and where."""
    draw, rule = plan.draw, plan.parts.rules["seller"]
    token = draw.choice(("vault", "vault", "weth"))
    token = plan.mostly(token, draw.choice(("wsteth", "steth")))
    if draw.random() < 0.2:
        return Action("seller.remove_token", _ruler(plan, "seller"), (token,))
    discount = plan.mostly(WAD // draw.choice((20, 50, 100)), draw.choice((0, WAD // 19)))
    plain = plan.mostly(token == "weth", token != "weth")
    if plain:
        terms = ("nobody", 0, discount, "nobody")
    else:
        age = plan.mostly(draw.choice((HOUR, DAY)), 0)
        swap = plan.mostly("swap", draw.choice(("nobody", "stranger")))
        terms = (plan.mostly("feed", "stranger"), age, discount, swap)
    return Action("seller.set_terms", rule.owner, (token, terms))


def repair(plan: Planner) -> Action | None:
    """Sometimes what brings something back without which most else is refused."""
    parts, draw = plan.parts, plan.draw
    for name, found in parts.vault.adapters.items():
        if not found.answers and draw.random() < 0.4:
            return Action("world.restore", "stranger", (name,))
    if not parts.markets[MARKET] and draw.random() < 0.3:
        return Action("factory.list_market", parts.rules["factory"].owner, (MARKET,))
    if parts.oracle.reading.fault and draw.random() < 0.4:
        return plan.say(0)
    return _recover(plan) or _raise_caps(plan) or ownership.undo(plan)


def _recover(plan: Planner) -> Action | None:
    """After losses stETH gains, or in the end no feed could say what the LRT is worth."""
    steth = plan.parts.steth
    if steth.pooled >= steth.total_shares or plan.draw.random() >= 0.2:
        return None
    gain = steth.total_shares * 6 // 5 - steth.pooled
    return Action("steth.accrue_rewards", "lido_oracle", (), gain)


def _raise_caps(plan: Planner) -> Action | None:
    """Caps do not stay so low that nothing goes any more."""
    parts, draw = plan.parts, plan.draw
    owner = parts.rules["vault"].owner
    if parts.vault.deposit_cap < LEAST_CAP and draw.random() < 0.2:
        return Action("vault.set_deposit_cap", owner, (USUAL_CAP,))
    for name, found in parts.vault.adapters.items():
        low = min(found.cap, found.share_cap * 2_000) < LEAST_CAP // 2
        if low and not found.in_quarantine and draw.random() < 0.2:
            return Action("vault.set_adapter_caps", owner, (name, USUAL_CAP, 9 * WAD // 10))
    caps = parts.market.caps
    if min(caps.supply, caps.borrow) < LEAST_CAP and draw.random() < 0.2:
        raised = (USUAL_CAP, USUAL_CAP, WAD // 10)
        return Action("market.set_caps", parts.rules["factory"].owner, (raised,))
    return None


WAYS = [
    (2, "vault_limits", vault_limits),
    (1, "vault_fees", vault_fees),
    (1, "pause", pause),
    (1, "quarantine", quarantine),
    (1, "adapter", adapter),
    (1, "exits", exits),
    (2, "market_caps", market_caps),
    (1, "market_fees", market_fees),
    (1, "listing", listing),
    (3, "create_market", create_market),
    (1, "reward_terms", reward_terms),
]
