"""Transfers, approvals, wrapping, and gifts to contracts that do not expect any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relever.fuzz.actions import backstop, leverage, leveraged, market, vault
from relever.model.backstop import BACKSTOP
from relever.model.market import MARKET
from relever.model.parts import (
    LEVERAGED,
    LEVERAGED_ZAP,
    LIQUIDATOR,
    ORDERS,
    PEOPLE,
    REBALANCER,
)
from relever.model.protocol import Action
from relever.model.rounding import WAD
from relever.model.router import Bounds

if TYPE_CHECKING:
    from relever.fuzz.actions.planner import Planner

TOKENS = ("weth", "wsteth", "vault", MARKET, BACKSTOP, *LEVERAGED)
# Every contract that must not mind a gift.
CONTRACTS = (
    *("vault", "queue", "side_pocket", "zap", "seller", "eigenlayer", "symbiotic", "oracle"),
    *("factory", MARKET, "swap", "router", LIQUIDATOR, ORDERS, "strategy", "symbiotic_vault"),
    *(BACKSTOP, *LEVERAGED, LEVERAGED_ZAP, REBALANCER),
)
MOST = 2**256 - 1
NO_BOUNDS = Bounds(0, MOST, 0, MOST)
# Token, contract, and what may come of it.
GIFTS = (
    ("wsteth", "vault", (vault.sync, vault.deposit, vault.leave)),
    ("weth", MARKET, (market.lend, market.unlend)),
    ("wsteth", "router", (leverage.open, leverage.close)),
    ("vault", MARKET, (market.adjust, leverage.liquidate)),
)
# And of what people have shares of beside.
GIFTS_TO_SHARES = (
    ("weth", BACKSTOP, (backstop.deposit, backstop.leave)),
    ("wsteth", BACKSTOP, (backstop.recover, backstop.harvest)),
    ("vault", LEVERAGED_ZAP, (leveraged.enter, leveraged.leave)),
    ("weth", LEVERAGED_ZAP, (leveraged.enter, leveraged.leave)),
    ("weth", REBALANCER, (leveraged.take,)),
    *(("vault", name, (leveraged.mint, leveraged.rebalance)) for name in LEVERAGED),
)


def transfer(plan: Planner) -> Action:
    draw, who = plan.draw, plan.who()
    token = draw.choice(TOKENS)
    amount = _some(plan, token, who) if draw.random() < 0.8 else draw.choice((0, MOST))
    to = plan.mostly(plan.who(), draw.choice(("nobody", who, token)))
    return Action(f"{token}.transfer", who, (to, amount))


def transfer_from(plan: Planner) -> Action:
    """Mostly out of an allowance that somebody has given to another."""
    draw, token = plan.draw, plan.draw.choice(TOKENS)
    of = plan.parts.market if token == MARKET else plan.parts.token(token)
    given = [pair for pair, amount in of.allowances.items() if amount and pair[1] in PEOPLE]
    owner, spender = draw.choice(plan.mostly(given, []) or ((plan.who(), plan.who()),))
    allowed = of.allowances.get((owner, spender), WAD)
    amount = plan.mostly(max(1, plan.part(min(allowed, plan.held(token, owner) // 2))), 0)
    to = plan.mostly(plan.who(), "nobody")
    spender = draw.choice((spender, spender, plan.who()))
    return Action(f"{token}.transferFrom", spender, (owner, to, amount))


def donate(plan: Planner) -> Action:
    """Nobody's account of anything may change by it."""
    who, draw = plan.who(), plan.draw
    if draw.random() < 0.7:
        return _feed(plan, who)
    token = draw.choice((*TOKENS, "steth"))
    amount = plan.amount(WAD) if token == "steth" else _some(plan, token, who)
    return Action(f"{token}.transfer", who, (draw.choice(CONTRACTS), amount))


def _feed(plan: Planner, who: str) -> Action:
    """What a contract itself deals in, and then somebody uses that contract."""
    token, to, uses = plan.draw.choice(plan.draw.choice((GIFTS, GIFTS, GIFTS_TO_SHARES)))
    plan.then(plan.draw.choice(uses))
    return Action(f"{token}.transfer", who, (to, _some(plan, token, who)))


def shares_for_wsteth(plan: Planner) -> Action:
    """Shares of the market are offered to the router for as much wstETH that lies there."""
    owner = "lender"
    amount = min(_some(plan, "wsteth", owner), plan.held(MARKET, owner))
    arguments = (MARKET, MARKET, amount, 0, NO_BOUNDS)
    plan.then(Action(f"{MARKET}.approve", owner, ("router", amount)))
    plan.then(Action("router.open", owner, arguments))
    plan.then(Action(f"{MARKET}.approve", owner, ("router", 0)))
    return Action("wsteth.transfer", owner, ("router", amount))


def approve(plan: Planner) -> Action:
    draw, who = plan.draw, plan.who()
    token = draw.choice((*TOKENS, "steth"))
    spender = draw.choice((plan.who(), "nobody"))
    return Action(f"{token}.approve", who, (spender, draw.choice((0, plan.amount(WAD), MOST))))


def wrap(plan: Planner) -> Action:
    who, amount = plan.who(), plan.amount(20 * WAD)
    kinds = (
        Action("weth.deposit", who, (), amount),
        Action("weth.withdraw", who, (amount,)),
        Action("wsteth.wrap", who, (amount,)),
        Action("wsteth.unwrap", who, (amount,)),
        Action("steth.submit", who, ("nobody",), amount),
        Action("steth.transfer", who, (plan.mostly(plan.who(), "nobody"), amount)),
    )
    return plan.draw.choice(kinds)


def _some(plan: Planner, token: str, who: str) -> int:
    unit = WAD * 10**6 if token == MARKET else WAD
    return plan.amount(max(1, min(plan.held(token, who), 30 * unit)))


WAYS = [
    (3, "transfer", transfer),
    (6, "donate", donate),
    (1, "shares_for_wsteth", shares_for_wsteth),
    (2, "transfer_from", transfer_from),
    (3, "approve", approve),
    (2, "wrap", wrap),
]
