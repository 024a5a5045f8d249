"""The router, the liquidator, and who trades in the pools that they sell in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from relever.fuzz.actions.access import OF_CONTRACTS
from relever.model.market import MARKET
from relever.model.parts import BORROWERS, PEOPLE, VAULT
from relever.model.paths import BEST, MINT_ALL, REDEEM, STABLE, SWAP, TO_BACKSTOP
from relever.model.protocol import Action
from relever.model.rounding import WAD
from relever.model.router import Bounds, Grants
from relever.model.swap import sane_limit

if TYPE_CHECKING:
    from relever.fuzz.actions.planner import Planner

POOLS = ("lrt_pool", "lst_pool")
NO_BOUNDS = Bounds(0, 2**256 - 1, 0, 2**256 - 1)
TOKENS = ("nobody", "weth", "steth", "wsteth", VAULT)
STRANGE_MARKETS = ("stranger", "oracle")


def open(plan: Planner) -> Action:
    draw = plan.draw
    owner = plan.mostly(draw.choice(BORROWERS), plan.who())
    grants = _grants(plan, owner)
    if (owner, "router") not in plan.parts.market.managers and grants is None:
        return Action("market.set_authorization", owner, ("router", True))
    token = plan.mostly(draw.choice(TOKENS), "lender")
    amount = plan.amount(20 * WAD)
    if token == VAULT:
        amount = min(amount, plan.held(VAULT, owner))
    cash = plan.parts.market.books.cash
    borrowed = plan.part(min(amount * draw.choice((1, 4, 8, 9)), cash))
    bounds = plan.mostly(NO_BOUNDS, Bounds(amount, 3 * amount, 0, 2**64))
    bounds = plan.mostly(bounds, Bounds(0, 2**255, 0, plan.now - 1))
    bounds = plan.mostly(bounds, replace(NO_BOUNDS, min_health=draw.choice((WAD, 2 * WAD))))
    ether = plan.mostly(amount if token == "nobody" else 0, 5)
    others = [name for name, listed in plan.parts.markets.items() if not listed]
    market = plan.mostly(MARKET, draw.choice((*STRANGE_MARKETS, *others)))
    _call_back(plan, owner)
    # None is told, or that all mints, or a rate above what minting gives.
    told = draw.choice((0, 0, 0, 0, MINT_ALL, WAD))
    asked = (market, token, amount, borrowed, bounds, told, *([grants] if grants else []))
    return Action("router.open", owner, asked, ether)


def close(plan: Planner) -> Action:
    draw, owner = plan.draw, plan.borrower()
    held, debt = plan.position(owner).collateral, plan.debt(owner)
    share = draw.choice((1, 5, 20, 20, 100))
    repaid = 2 * debt if share == 100 else debt * share // 100
    bounds = plan.mostly(NO_BOUNDS, Bounds(held, debt, held // 9, plan.now + 10**6))
    bounds = plan.mostly(bounds, Bounds(0, 2**255, 0, plan.now - 1))
    market = plan.mostly(MARKET, draw.choice(STRANGE_MARKETS))
    bounds = plan.mostly(bounds, replace(NO_BOUNDS, min_health=draw.choice((WAD, 2 * WAD))))
    out = held * share // 100
    grants = _grants(plan, owner)
    signed = [grants] if grants else []
    _call_back(plan, owner)
    if draw.random() < 0.3:
        # What is repaid is worth a little less than what is sold; or too much, or nothing is left.
        sold = plan.mostly(min(out, repaid), draw.choice((0, out // 2, out)))
        asked = (market, out, sold, repaid, _route(plan), bounds, *signed)
        return Action("router.close_to_queue", owner, asked)
    return Action("router.close", owner, (market, out, repaid, _route(plan), bounds, *signed))


def move(plan: Planner) -> Action:
    """To where nothing can be: there is one market that lends."""
    owner = plan.borrower()
    source = plan.mostly(MARKET, plan.draw.choice(STRANGE_MARKETS))
    target = plan.draw.choice((*STRANGE_MARKETS, MARKET))
    asked = (source, target, plan.part(plan.position(owner).collateral), plan.debt(owner))
    return Action("router.move", owner, (*asked, NO_BOUNDS))


def _grants(plan: Planner, owner: str) -> Grants | None:
    """Now and then a signature, right or wrong, and a wish to have it back."""
    draw = plan.draw
    # A contract signs nothing.
    if draw.random() < 0.7 or owner not in PEOPLE:
        return None
    nonce = plan.parts.market.nonces.get(owner, 0)
    said = (plan.mostly(nonce, nonce + 1), plan.mostly(plan.now + 10**6, plan.now - 1))
    # Contracts have no key, and borrow too.
    able = owner if owner in PEOPLE else plan.who()
    signer = plan.mostly(plan.mostly(able, "nobody"), plan.who())
    return Grants(*said, signer, draw.random() < 0.5)


def _call_back(plan: Planner, caller: str) -> None:
    """Now and then whoever has called the router answers in the market's place."""
    if plan.draw.random() < 0.05:
        arguments = OF_CONTRACTS["router.on_adjust"]
        plan.then(Action("router.on_adjust", caller, arguments))


def liquidate(plan: Planner) -> Action:
    """Who can be; where nobody can, mostly somebody takes more risk instead."""
    broken = plan.broken()
    if broken is None and plan.draw.random() < 0.7:
        return open(plan)
    if broken is not None and plan.draw.random() < 0.3:
        return liquidate_many(plan)
    owner = broken or plan.borrower()
    debt = plan.debt(owner)
    repay = plan.mostly(2 * debt, plan.part(debt))
    market = plan.mostly(MARKET, plan.draw.choice(STRANGE_MARKETS))
    arguments = (market, owner, repay, _way(plan), plan.mostly(0, debt))
    return Action("liquidator.liquidate", plan.who(), arguments)


def liquidate_many(plan: Planner) -> Action:
    """All who owe something, healthy or not, and some who owe nothing; mostly when one can be."""
    if plan.broken() is None and plan.draw.random() < 0.95:
        return open(plan)
    owners = [*plan.owing, *plan.mostly((), (plan.who(), "nobody", plan.riskiest()))]
    plan.draw.shuffle(owners)
    market = plan.mostly(MARKET, plan.draw.choice(STRANGE_MARKETS))
    least = plan.draw.choice((0, 0, 0, plan.amount(WAD)))
    arguments = (market, tuple(owners), _way(plan), least)
    return Action("liquidator.liquidate_many", plan.who(), arguments)


def _way(plan: Planner) -> int:
    """A route of the liquidator's, or none, so that the best is taken."""
    if plan.draw.random() < 0.5:
        return plan.draw.choice((BEST, BEST, TO_BACKSTOP))
    return _route(plan)


def _route(plan: Planner) -> int:
    """One of the two; or one for which there is no pool, the liquidator's own, or two at once."""
    odd = plan.draw.choice((STABLE, TO_BACKSTOP, SWAP | REDEEM))
    return plan.mostly(plan.draw.choice((SWAP, SWAP, REDEEM)), odd)


def trade(plan: Planner) -> Action:
    name = plan.draw.choice(POOLS)
    pool, who = plan.parts.pools[name], plan.who()
    token = plan.draw.choice((pool.token0, pool.token1))
    amount = max(1, plan.part(min(plan.held(token, who), 40 * WAD)))
    limit = sane_limit(pool, pool.token0 == token)
    return Action("world.trade", who, (name, token, amount, limit))


def trade_back(plan: Planner) -> Action:
    """Towards the middle of the position, so that the pool has liquidity again."""
    name = plan.draw.choice(POOLS)
    pool = plan.parts.pools[name]
    sell0 = pool.tick > (pool.lower + pool.upper) // 2
    token = pool.token0 if sell0 else pool.token1
    who = max(("trader", "lender", "depositor"), key=lambda who: plan.held(token, who))
    amount = max(1, min(plan.held(token, who), 60 * WAD))
    return Action("world.trade", who, (name, token, amount, sane_limit(pool, sell0)))


def swap(plan: Planner) -> Action:
    """What somebody has sent to the swap is anybody's; mostly there is nothing."""
    draw = plan.draw
    sold, bought = draw.choice((("weth", "wsteth"), ("wsteth", "weth"), ("vault", "weth")))
    bought = plan.mostly(bought, draw.choice(("steth", sold)))
    amount, who = max(1, plan.amount(WAD)), plan.who()
    receiver = plan.mostly(who, "nobody")
    held = plan.held(sold, "swap")
    all_of_it = draw.random() < 0.6
    name = "swap.swap" if all_of_it else "swap.swap_up_to"
    least = plan.mostly(0, 2 * amount) if all_of_it else _rate(plan, sold, bought)
    if held and draw.random() < 0.8:
        return Action(name, who, (sold, bought, plan.mostly(held, 0), least, receiver))
    plan.then(Action(name, who, (sold, bought, amount, least, receiver)))
    return Action(f"{sold}.transfer", plan.who(), ("swap", plan.mostly(amount, amount // 2)))


def _rate(plan: Planner, sold: str, bought: str) -> int:
    """A rate near the pool's own, where there is a pool."""
    pool = plan.parts.pools["lst_pool" if "wsteth" in (sold, bought) else "lrt_pool"]
    of_token0 = pool.sqrt_price**2 * WAD >> 192
    rate = of_token0 if pool.token0 == sold else WAD**2 // of_token0
    rate = rate * plan.draw.choice((9_900, 9_990, 9_995, 9_999, 10_001)) // 10_000
    return plan.mostly(rate, plan.draw.choice((0, 1, 2**256 - 1)))


def sell_rewards(plan: Planner) -> Action:
    """Rewards come by a transfer too."""
    draw = plan.draw
    token = draw.choice(("weth", "weth", "wsteth", "vault"))
    token = plan.mostly(token, draw.choice(("steth", "stranger")))
    held = plan.held(token, "seller") if token in ("weth", "wsteth", "vault") else 1
    if not held:
        return Action(f"{token}.transfer", plan.who(), ("seller", plan.amount(3 * WAD)))
    least = plan.mostly(0, held)
    return Action("seller.sell", plan.who(), (token, plan.part(held), least))


def claim_rewards(plan: Planner) -> Action:
    """Mostly there are none, or none any more."""
    caller = plan.who()
    if plan.draw.random() < 0.4:
        given = "avs", plan.draw.choice(("weth", "wsteth")), plan.draw.randrange(3)
        return Action("symbiotic.claim_rewards", caller, given)
    roots = len(plan.parts.rewards.roots)
    return Action("eigenlayer.claim_rewards", caller, (max(0, roots - plan.draw.randrange(2)),))


WAYS = [
    (6, "open", open),
    (4, "close", close),
    (1, "move", move),
    (2, "liquidate", liquidate),
    (1, "liquidate_many", liquidate_many),
    (2, "trade", trade),
    (2, "trade_back", trade_back),
    (2, "swap", swap),
    (2, "sell_rewards", sell_rewards),
    (1, "claim_rewards", claim_rewards),
]
