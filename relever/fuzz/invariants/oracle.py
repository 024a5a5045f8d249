"""Prices: what backs the token, under the cap; what the market says, slowly; nobody moves them."""

from __future__ import annotations

from functools import partial

from relever.fuzz.invariants.base import (
    FEED_SCALE,
    MAX_32,
    MAX_112,
    MAX_160,
    MAX_216,
    PRICE_SCALE,
    WAD,
    WETH,
    YEAR,
    Invariant,
    Look,
    Seen,
    invariant,
)
from relever.fuzz.invariants.market import RISKY, owner_of
from relever.fuzz.invariants.vault import states
from relever.model.backstop import BACKSTOP
from relever.model.market import MARKET
from relever.model.parts import LEVERAGED, VAULT

INVARIANTS: list[Invariant] = []
_rule = partial(invariant, INVARIANTS)

_DAY, _HOUR = 86_400, 3_600
_CHECKPOINT, _PROPOSAL = "oracle.cap._checkpoint", "oracle.cap._proposal"
_USED, _PROPOSED, _FORMER = (
    f"oracle.replacement.{name}" for name in ("_used", "_proposed", "_former")
)
_SIGHT = "oracle.gate._sight"
_SMOOTHING = "oracle.smoothing._smoothing"


def _cap(look: Look, growth: int, now: int) -> int:
    """The most that fundamental may be at a time."""
    word = look.word(_CHECKPOINT)
    ratio, since = word & MAX_216, word >> 216
    return ratio + ratio * growth * (now - since) // (WAD * YEAR)


@_rule(
    "ORA-3",
    "Fundamental is what backs a share, booked and expected back, times stETH's rate, under the "
    "growth cap; unless a discount has lasted.",
    "Lido, Aave CAPO: capped exchange rate",
    always=True,
)
def fundamental_is_the_backing(seen: Seen) -> str | None:
    look, terms = seen.after, seen.facts.oracle
    right = min(look.backing, _cap(look, terms["MAX_GROWTH"], look.now))
    prices = look.sight.prices
    if prices.fundamental == right:
        return None
    _, _, deep_at, deep_time = look.discount
    counts = min(look.now - deep_at, terms["MAX_GAP"]) if deep_at else 0
    lasts = prices.usable and deep_time + counts >= terms["LASTING_TIME"]
    if lasts and prices.fundamental == prices.smoothed <= right:
        return None
    return f"It is {prices.fundamental:_}, and not {right:_}."


@_rule(
    "ORA-4",
    "The smoothed market price is never above fundamental, nor below what the speed lets it fall "
    "to; without a feed it stays where it was.",
    "Curve: EMA and rate-limited oracles",
    always=True,
)
def market_follows_slowly(seen: Seen) -> str | None:
    look, terms = seen.after, seen.facts.oracle
    prices, (discount, armed_at, _, _) = look.sight.prices, look.discount
    booked = min(look.backing, _cap(look, terms["MAX_GROWTH"], look.now))
    if prices.smoothed > prices.fundamental or prices.fundamental > booked:
        return f"{prices.smoothed:_} above {prices.fundamental:_}."
    if not prices.usable:
        right = booked * (WAD - discount) // WAD
        return f"{prices.smoothed:_}, not {right:_}." if prices.smoothed != right else None
    since = min(look.now - armed_at, terms["MAX_GAP"]) if armed_at else 0
    deepest = min(WAD, discount + terms["DISCOUNT_SPEED"] * since)
    least = booked * (WAD - deepest) // WAD
    return f"{prices.smoothed:_} is below {least:_}." if prices.smoothed < least else None


@_rule(
    "ORA-5",
    "A poke deepens the stored discount by no more than the speed times what it may count, and the "
    "deep time by no more than that.",
    "Curve: EMA oracles; Relever: smoothing",
    reads=(_SMOOTHING,),
)
def discount_deepens_slowly(seen: Seen) -> str | None:
    if seen.before.word(_SMOOTHING) == seen.after.word(_SMOOTHING):
        return None
    terms, now = seen.facts.oracle, seen.after.now
    discount, armed_at, deep_at, deep_time = seen.before.discount
    new, new_armed, new_deep, new_time = seen.after.discount
    since = min(now - armed_at, terms["MAX_GAP"]) if armed_at else 0
    if new > discount + terms["DISCOUNT_SPEED"] * since:
        return f"It was {discount:_} and is {new:_}, after {since} s."
    since = min(now - deep_at, terms["MAX_GAP"]) if deep_at else 0
    if new_time > deep_time + since or new_time > terms["LASTING_TIME"]:
        return f"It was deep for {deep_time} s and is for {new_time} s, after {since} s."
    replaced = seen.action.name in ("oracle.replace_feed", "oracle.roll_back_feed")
    if new < terms["DEEP_DISCOUNT"] and (new_time or new_deep) and not replaced:
        return f"A discount of {new:_} is not deep."
    if new_armed not in (0, armed_at, now):
        return f"It is armed at {new_armed}."
    return None


# Nothing of these moves what shares are backed by, or says what a feed says.
_STILL = (
    *(f"{token}.{name}"
      for token in ("weth", "wsteth", "vault", MARKET, "steth", BACKSTOP, *LEVERAGED)
      for name in ("transfer", "transferFrom", "approve")),
    *(f"market.{name}" for name in (
        *("deposit", "mint", "withdraw", "redeem", "borrow", "repay", "supply_collateral"),
        *("withdraw_collateral", "adjust", "liquidate", "accrue", "set_caps", "flashLoan"))),
    *("weth.deposit", "weth.withdraw", "wsteth.wrap", "wsteth.unwrap"),
    *("oracle.poke", "oracle.poke_price", "oracle.poke_liquidation_prices"),
    *("oracle.propose_checkpoint", "oracle.accept_supply", "oracle.propose_feed", "world.trade"),
    *("queue.claim", "queue.setOperator", "side_pocket.hand_over"),
    *("world.silence", "world.restore"),
    *(f"{name}.{what}" for name in LEVERAGED for what in (
        *("mint", "redeem", "start_auction", "rebalance", "checkpoint", "accrue_fee"),)),
    *(f"backstop.{what}" for what in (
        *("deposit", "mint", "withdraw", "redeem", "request_exit", "serve", "harvest"),
        *("recover", "set_discount", "pause"))),
    *("vault.pause", "vault.set_deposit_cap", "vault.set_exit_fee", "vault.deallocate"),
    *("world.slash", "world.request_slash", "world.veto_slash", "world.execute_slash"),
)  # fmt: skip


@_rule(
    "ORA-1",
    "Nobody moves a price by trading, giving, lending, borrowing, liquidating or looking.",
    "Aave v3: ORACLE_INVARIANT_B",
    _STILL,
)
def prices_stay(seen: Seen) -> str | None:
    if not seen.at_once() or seen.inner:
        return None
    before, after = seen.before.sight.prices, seen.after.sight.prices
    return f"{before} became {after}." if before != after else None


@_rule(
    "ORA-2",
    "What adds risk needs a usable feed, a supply that grew no faster than it may, and assets that "
    "the vault really holds.",
    "Chainlink guidance, Aave CAPO; Kelp rsETH, 2026: unbacked mints",
    RISKY,
)
def risk_needs_a_price(seen: Seen) -> str | None:
    if seen.moved(WETH).get(MARKET, 0) >= 0 or seen.inner:
        return None
    look = seen.after
    if not look.sight.prices.usable:
        return "The feed is not usable."
    # Whatever the oracle thinks of it.
    age, price = look.now - look.sight.answered_at, look.sight.answer * FEED_SCALE
    terms = seen.facts.oracle
    if age > terms["MAX_AGE"] or not terms["MIN_ANSWER"] <= price <= terms["MAX_ANSWER"]:
        return f"The feed said {look.sight.answer:_}, {age:_} s ago."
    level, capacity = _gate(seen)
    if level > capacity:
        return f"The supply is {level:_} above the accepted one, more than {capacity:_}."
    held, idle = look.table("wsteth.erc20.balanceOf")[seen.facts.places[VAULT]], look.funds[0]
    return f"The vault holds {held:_} of {idle:_}." if held < idle else None


def _gate(seen: Seen) -> tuple[int, int]:
    """By how much the supply is above the accepted one, and by how much it may be."""
    accepted = _accepted(seen)
    terms = seen.facts.oracle
    capacity = max(terms["GATE_FLOOR"], accepted * terms["GATE_SHARE"] // WAD)
    return max(0, seen.after.supply - accepted), capacity


def _accepted(seen: Seen) -> int:
    """The accepted supply that a sight leaves now."""
    word, terms, supply = seen.before.word(_SIGHT), seen.facts.oracle, seen.after.supply
    accepted, known = word & MAX_112, (word >> 112) & MAX_112
    elapsed = min((seen.after.now - (word >> 224)) & MAX_32, _HOUR)
    step = max(terms["GATE_FLOOR"], accepted * terms["GATE_SHARE"] // WAD) * elapsed
    if accepted < min(known, supply):
        return min(known, supply, accepted + step // terms["GATE_WINDOW"])
    if accepted > max(known, supply):
        return max(known, supply, accepted - min(accepted, step // _HOUR))
    return accepted


@_rule(
    "ORA-6",
    "The accepted supply follows the real one no faster than its window lets it, unless the owner "
    "explains it.",
    "Relever: supply-burst gate",
    reads=(_SIGHT,),
)
def supply_is_accepted_slowly(seen: Seen) -> str | None:
    word = seen.after.word(_SIGHT)
    if word == seen.before.word(_SIGHT):
        return None
    # In the middle of a callback the supply was another one.
    if seen.inner:
        return None
    accepted, right = word & MAX_112, _accepted(seen)
    if seen.action.name == "oracle.accept_supply":
        right = max(right, min(seen.after.supply, seen.action.arguments[0]))
    supply = (word >> 112) & MAX_112
    # Who goes into the queue last has the fee's shares minted, after the price was asked for.
    later = seen.action.name == "router.close_to_queue" and supply < seen.after.supply
    if supply != seen.after.supply and not later:
        return f"A supply of {supply:_} was seen, and it is {seen.after.supply:_}."
    exact = accepted <= right if later else accepted == right
    return None if exact else f"{accepted:_} are accepted, and not {right:_}."


@_rule(
    "ORA-7",
    "A checkpoint is one that was proposed a day before, was under the cap then, and does not cut "
    "the price.",
    "Aave CAPO: ratio snapshot",
    ("oracle.propose_checkpoint", "oracle.promote_checkpoint"),
)
def checkpoints_are_old(seen: Seen) -> str | None:
    before, after, now = seen.before, seen.after, seen.after.now
    growth = seen.facts.oracle["MAX_GROWTH"]
    cap = _cap(before, growth, now)
    backing = after.backing
    if seen.action.name == "oracle.propose_checkpoint":
        right = max(min(backing, cap), cap - cap // 100) | now << 216
        found = after.word(_PROPOSAL)
        pending = now < (before.word(_PROPOSAL) >> 216) + 2 * _DAY
        return f"{found & MAX_216:_} is proposed." if found != right or pending else None
    proposed = before.word(_PROPOSAL)
    age = now - (proposed >> 216)
    if not proposed >> 216 or not _DAY <= age < 2 * _DAY or after.word(_CHECKPOINT) != proposed:
        return f"A proposal of {age} s before became {after.word(_CHECKPOINT) & MAX_216:_}."
    if min(backing, _cap(after, growth, now)) < min(backing, cap):
        return f"The cap of {cap:_} became {_cap(after, growth, now):_}."
    return None


@_rule(
    "ORA-8",
    "A feed is replaced by one that was proposed a week before, or by the one before it, within a "
    "week.",
    "Relever: feed replacement",
    ("oracle.replace_feed", "oracle.roll_back_feed"),
)
def feeds_are_replaced_slowly(seen: Seen) -> str | None:
    before, after, now = seen.before, seen.after, seen.after.now
    used, new = before.word(_USED), after.word(_USED)
    if seen.action.name == "oracle.roll_back_feed":
        former = before.word(_FORMER)
        age = now - (former >> 168)
        right = former and age < 7 * _DAY and new & MAX_160 == former & MAX_160
        return None if right and not after.word(_FORMER) else f"A feed of {age} s before is back."
    proposed = before.word(_PROPOSED)
    age = now - (proposed >> 168)
    if not proposed or not 7 * _DAY <= age < 14 * _DAY or new & MAX_160 != proposed & MAX_160:
        return f"A proposal of {age} s before is in use."
    if after.word(_FORMER) & MAX_160 != used & MAX_160 or after.word(_PROPOSED):
        return "The one before it is forgotten."
    return None


@_rule(
    "ORA-9",
    "A feed is counted as dead for no longer than it was found so, hour by hour.",
    "Relever: dead feeds",
    reads=(_USED,),
)
def death_takes_time(seen: Seen) -> str | None:
    used, new = seen.before.word(_USED), seen.after.word(_USED)
    if used == new or used & MAX_160 != new & MAX_160:
        return None
    found_at, time = (used >> 168) & (2**40 - 1), used >> 208
    since = min(seen.after.now - found_at, _HOUR) if found_at else 0
    if new >> 208 > time + since:
        return f"It was dead for {time} s and is for {new >> 208} s, after {since} s."
    return None


@_rule(
    "ORA-10",
    "Borrowers get no more than the live price, which counts losses and slashes that nobody has "
    "booked.",
    "EigenLayer LRTs: live backing",
    RISKY,
)
def loans_are_on_live_prices(seen: Seen) -> str | None:
    lent = -seen.moved(WETH).get(MARKET, 0)
    if lent <= 0 or seen.inner:
        return None
    look, loss, risk = seen.after, 0, 0
    for name, (live, _, at_risk) in states(seen).items():
        loss += max(0, look.booked[name] - live)
        risk += min(live, at_risk)
    whole = look.funds[0] + look.funds[1]
    total = whole - min(whole, max(look.locked(look.now), loss) + risk)
    rate = WAD * (total + 10**9) // (look.supply + 10**9)
    price = min(rate * look.lst_rate, _cap(look, seen.facts.oracle["MAX_GROWTH"], look.now))
    collateral, debt = look.position(owner_of(seen))
    worth = collateral * price // 10**36
    if debt * WAD > worth * seen.facts.terms.max_ltv:
        return f"A debt of {debt:_} on what is worth {worth:_} live."
    return None


@_rule(
    "ORA-11",
    "A market is made only with an oracle that prices a whole collateral token sanely.",
    "Morpho Blue, PAXG/USDC: decimals of an oracle",
    ("factory.create_market",),
)
def oracle_is_sane(seen: Seen) -> str | None:
    oracle, price = seen.action.arguments[0][2], seen.after.sight.prices.fundamental
    if oracle != "oracle":
        price = seen.facts.prices.get(oracle, 0)
    # A whole token of either has 18 decimals.
    worth = price / PRICE_SCALE
    return None if 1e-6 <= worth <= 1e6 else f"{oracle} says {price:_}."
