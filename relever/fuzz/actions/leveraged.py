"""The leveraged tokens: in and out, by the zap too, and back to their target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relever.fuzz.actions import market, market_storms
from relever.fuzz.actions.backstop import allowed
from relever.model.callback import SCRIPTED
from relever.model.leveraged_token import MOST
from relever.model.leveraged_zap import Exit
from relever.model.parts import LEVERAGED, LEVERAGED_ZAP, PEOPLE, VAULT, MarketToken
from relever.model.paths import REDEEM, SWAP
from relever.model.protocol import Action
from relever.model.refused import Refused
from relever.model.rounding import WAD
from relever.model.tokens import UNLIMITED

if TYPE_CHECKING:
    from relever.fuzz.actions.planner import Planner

HOUR, DAY = 3_600, 86_400
TOKENS = ("nobody", "weth", "steth", "wsteth", VAULT)


def mint(plan: Planner) -> Action:
    draw, who = plan.draw, plan.who()
    name, token = _one(plan)
    shares = plan.part(token.supply // draw.choice((2, 5, 30)))
    receiver = plan.mostly(who, draw.choice(("nobody", name, plan.who())))
    most = plan.mostly(UNLIMITED, shares)
    least = plan.mostly(0, shares * 4)
    return Action(f"{name}.mint", who, (shares, most, least, receiver))


def redeem(plan: Planner) -> Action:
    name, token = _one(plan)
    owner = _holder(plan, token)
    caller = plan.mostly(owner, plan.who())
    shares = plan.mostly(plan.part(plan.held(name, owner)), 2**110)
    most, least = plan.mostly(UNLIMITED, shares), plan.mostly(0, shares * 4)
    return allowed(plan, Action(f"{name}.redeem", caller, (shares, most, least, owner)))


def start_auction(plan: Planner) -> Action:
    """Of one that is out of its band, if any is."""
    name = plan.draw.choice([n for n, t in _tokens(plan) if _outside(t)] or LEVERAGED)
    return Action(f"{name}.start_auction", plan.who())


def rebalance(plan: Planner) -> Action:
    name, asked = _rebalance(plan)
    return Action(f"{name}.rebalance", _taker(plan, asked[0]), asked)


def _rebalance(plan: Planner) -> tuple[str, tuple[bool, int, int]]:
    """Mostly where a taker is served, and the way that leads back."""
    draw = plan.draw
    open_ones = [name for name, token in _tokens(plan) if _opened(token)]
    name = draw.choice(plan.mostly(open_ones, []) or LEVERAGED)
    token = plan.parts.leveraged[name]
    opened, lowers, _, price, most = _auction(token)
    lowers = plan.mostly(lowers if opened else token.is_above(token.terms.target), not lowers)
    amount = draw.choice((MOST, MOST, most // 2, most // 9, most + 1, 1))
    least = plan.mostly(draw.choice((0, price)), price + 1)
    return name, (lowers, amount, least)


def take(plan: Planner) -> Action:
    """The same without capital; mostly with no more than the trade brings."""
    draw = plan.draw
    name, (lowers, amount, _) = _rebalance(plan)
    route = plan.mostly(draw.choice((SWAP, REDEEM)), 8)
    least = plan.mostly(0, draw.choice((1, WAD)))
    asked = (plan.mostly(name, VAULT), lowers, amount, route, least)
    return Action("rebalancer.take", plan.who(), asked)


def checkpoint(plan: Planner) -> Action:
    """Each token has a period in which there is none."""
    due = [n for n, t in _tokens(plan) if plan.now >= t.checkpointed[2] + t.terms.period]
    name = plan.draw.choice(plan.mostly(due, []) or LEVERAGED)
    return Action(f"{name}.checkpoint", plan.who())


def accrue_fee(plan: Planner) -> Action:
    return Action(f"{plan.draw.choice(LEVERAGED)}.accrue_fee", plan.who())


def enter(plan: Planner) -> Action:
    draw, who = plan.draw, plan.who()
    name = plan.mostly(draw.choice(LEVERAGED), VAULT)
    token = plan.mostly(draw.choice(TOKENS), "lender")
    amount = plan.amount(9 * WAD)
    if token == VAULT:
        amount = min(amount, plan.held(VAULT, who))
    least = plan.mostly(0, amount * 2)
    receiver = plan.mostly(who, draw.choice(("nobody", plan.who())))
    deadline = plan.mostly(plan.now + DAY, plan.now - 1)
    ether = plan.mostly(amount if token == "nobody" else 0, 5)
    asked = (name, token, amount, least, receiver, deadline)
    return Action(f"{LEVERAGED_ZAP}.enter", who, asked, ether)


def leave(plan: Planner) -> Action:
    draw = plan.draw
    name, token = _one(plan)
    who = _holder(plan, token)
    shares = plan.part(plan.held(name, who))
    redeemed, repaid = _redeemed(token, shares)
    # What must be sold at least, about, at the market's price.
    sold = plan.mostly(repaid * draw.choice((95, 105, 120)) // 100, draw.choice((0, redeemed)))
    out = plan.mostly(draw.choice(("weth", "wsteth", VAULT)), "steth")
    route = plan.mostly(draw.choice((SWAP, REDEEM)), 8)
    terms = Exit(out, sold, route, plan.mostly(0, redeemed), plan.mostly(0, repaid))
    receiver = plan.mostly(who, draw.choice(("nobody", LEVERAGED_ZAP, plan.who())))
    deadline = plan.mostly(plan.now + DAY, plan.now - 1)
    return Action(f"{LEVERAGED_ZAP}.leave", who, (name, shares, terms, receiver, deadline))


def drift(plan: Planner) -> Action:
    """What backs the LRT falls or rises until a token is out of its band; somebody brings it back.

    In danger at once; else in an auction, which may come to nothing.
    """
    draw, name = plan.draw, plan.draw.choice(LEVERAGED)
    _bring_back(plan)
    if draw.random() < 0.3:
        plan.then(mint)
    plan.then(lambda plan: plan.say(0))
    return _move(plan, name)


def _bring_back(plan: Planner) -> None:
    """Whatever is out of its band, by auctions that are taken sooner or later."""
    draw = plan.draw
    plan.then(lambda plan: plan.say(draw.choice((0, 0, WAD // 50))))
    for _ in range(2):
        plan.then(start_auction)
    plan.wait(draw.choice((60, HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR)))
    for _ in range(draw.randrange(1, 4)):
        plan.then(draw.choice((rebalance, take)))
    plan.then(draw.choice((redeem, mint, market.borrow)))


def _move(plan: Planner, name: str) -> Action:
    """By stETH, to beside the band or far beyond its danger line."""
    token, steth = plan.parts.leveraged[name], plan.parts.steth
    terms, draw = token.terms, plan.draw
    worth, debt = token.valued
    aim = draw.choice(
        (
            *(terms.most * 101 // 100, terms.most * 110 // 100, terms.danger * 105 // 100),
            *(terms.danger * 150 // 100, terms.least * 99 // 100, terms.least * 90 // 100),
        )
    )
    # Worth of that leverage.
    wanted = debt * aim // (aim - WAD)
    change = steth.pooled * wanted // max(1, worth) - steth.pooled
    if change > 0:
        return Action("steth.accrue_rewards", "lido_oracle", (), change)
    loss = min(-change, steth.pooled // 4) or 1
    return Action("steth.slash_validators", "lido_oracle", (loss,))


def carry(plan: Planner) -> Action:
    """Periods in which loans are dear, or stETH earns more; the target steps down, or up."""
    name = plan.draw.choice(LEVERAGED)
    for _ in range(plan.draw.randrange(1, 4)):
        plan.wait(plan.parts.leveraged[name].terms.period)
        if plan.draw.random() < 0.4:
            gain = plan.parts.steth.pooled // plan.draw.choice((50, 200))
            plan.then(Action("steth.accrue_rewards", "lido_oracle", (), gain))
        plan.then(Action(f"{name}.checkpoint", plan.who()))
    _bring_back(plan)
    return market_storms.use_up(plan)


def _tokens(plan: Planner) -> list[tuple[str, MarketToken]]:
    return list(plan.parts.leveraged.items())


def _one(plan: Planner) -> tuple[str, MarketToken]:
    return plan.draw.choice(_tokens(plan))


def _outside(token: MarketToken) -> bool:
    least, _, most = token.band
    return token.is_above(most) or token.is_below(least)


def _auction(token: MarketToken) -> tuple[bool, bool, int, int, int]:
    try:
        return token.open_auction()
    except Refused:
        return False, False, 0, 0, 0


def _opened(token: MarketToken) -> bool:
    return _auction(token)[0]


def _redeemed(token: MarketToken, shares: int) -> tuple[int, int]:
    try:
        return token.preview_redeem(shares)
    except Refused:
        return 0, 0


def _holder(plan: Planner, token: MarketToken) -> str:
    """Mostly somebody who has shares."""
    held = token.shares.balances
    return plan.draw.choice(plan.mostly([who for who in PEOPLE if held.get(who)], []) or PEOPLE)


def _taker(plan: Planner, lowers: bool) -> str:
    """Who has most of what must be brought, or anybody."""
    brought = "weth" if lowers else VAULT
    richest = max(PEOPLE, key=lambda who: plan.held(brought, who))
    return plan.mostly(richest, plan.draw.choice((SCRIPTED, plan.who())))


WAYS = [
    (2, "leveraged_mint", mint),
    (1, "leveraged_redeem", redeem),
    (1, "start_auction", start_auction),
    (1, "rebalance", rebalance),
    (1, "take", take),
    (1, "checkpoint", checkpoint),
    (1, "accrue_fee", accrue_fee),
    (1, "enter", enter),
    (1, "leveraged_leave", leave),
    (3, "drift", drift),
    (1, "carry", carry),
]
