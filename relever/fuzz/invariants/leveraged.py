"""Leveraged tokens: shares are parts of a position, and its leverage goes back to where it belongs.

What backs the LRT is reckoned as the vault mints it. Where an adapter may not answer, nothing is
said about prices.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from relever.fuzz.invariants.base import (
    MARKET_VIRTUAL,
    MAX_64,
    MAX_128,
    POSITIONS,
    PRICE_SCALE,
    WAD,
    YEAR,
    Invariant,
    Look,
    Seen,
    invariant,
)
from relever.fuzz.invariants.vault import live
from relever.model.parts import LEVERAGED, LEVERAGED_ZAP, REBALANCER

INVARIANTS: list[Invariant] = []
_rule = partial(invariant, INVARIANTS)

# Tables of shares by token.
LEVERAGED_SHARES = {name: f"{name}.erc20.balanceOf" for name in LEVERAGED}
_SUPPLIES = {name: f"{name}.erc20.totalSupply" for name in LEVERAGED}
_ENTER, _LEAVE = f"{LEVERAGED_ZAP}.enter", f"{LEVERAGED_ZAP}.leave"
IN_KIND = (*(f"{name}.{what}" for name in LEVERAGED for what in ("mint", "redeem")), _ENTER, _LEAVE)
REBALANCES = (*(f"{name}.rebalance" for name in LEVERAGED), f"{REBALANCER}.take")
STARTS = tuple(f"{name}.start_auction" for name in LEVERAGED)
CHECKPOINTS = tuple(f"{name}.checkpoint" for name in LEVERAGED)
# Of worth and debt, by which a position's equity may be rounded.
_UNITS = 4


def token_of(seen: Seen) -> str:
    """The leveraged token that an action is about."""
    contract: str = seen.action.name.partition(".")[0]
    of_helper = contract in (LEVERAGED_ZAP, REBALANCER)
    return seen.action.arguments[0] if of_helper else contract


def _lowers(seen: Seen) -> bool:
    """Which way a rebalance was asked for."""
    of_helper = seen.action.name == f"{REBALANCER}.take"
    return bool(seen.action.arguments[1 if of_helper else 0])


class Leverage(NamedTuple):
    """A position's collateral, what that is worth, and its debt."""

    collateral: int
    worth: int
    debt: int

    @property
    def equity(self) -> int:
        return self.worth - self.debt

    def is_above(self, leverage: int) -> bool:
        """By WAD; so is a debt without equity."""
        if self.equity <= 0:
            return self.debt > 0
        return self.worth * WAD > leverage * self.equity

    def is_below(self, leverage: int) -> bool:
        return self.equity > 0 and self.worth * WAD < leverage * self.equity


def _supply(seen: Seen, look: Look, name: str) -> int:
    """Of a token, with the fee until the action."""
    created = seen.facts.created[name]
    booked = look.word(f"{name}.management_fee._booked")
    year = WAD * YEAR
    then, now = (
        year + seen.facts.leveraged[name].fee * (time - created)
        for time in (booked, seen.after.now)
    )
    grown: int = look.word(_SUPPLIES[name]) * now // then
    return grown


def _band(seen: Seen, name: str) -> tuple[int, int, int]:
    """Least, target and most."""
    terms = seen.facts.leveraged[name]
    target = terms.target - seen.before.word(f"{name}.leverage_target._stepped")
    return terms.least * target // terms.target, target, terms.most * target // terms.target


def _leverages(seen: Seen, name: str) -> tuple[Leverage, Leverage] | None:
    """Before and after, at what backed the LRT before, scaled by 1e36: who sells it by redeeming
    may leave some of it to the others.
    """
    totals = live(seen, seen.before)
    if totals is None or not seen.at_once() or seen.inner:
        return None
    rate = seen.before.shares_worth_up(WAD, totals[0] + seen.before.expected) - 1
    price = rate * seen.before.lst_rate
    before, after = (look.position(name) for look in (seen.before, seen.after))
    return (
        Leverage(before[0], before[0] * price // PRICE_SCALE, before[1]),
        Leverage(after[0], after[0] * price // PRICE_SCALE, after[1]),
    )


@_rule(
    "LT-1",
    "Minting and redeeming leave a share no less collateral and no more debt: what is rounded is "
    "of those who stay.",
    "Relever: proportional, in kind; ERC-4626: rounding",
    IN_KIND,
)
def shares_stand_for_as_much(seen: Seen) -> str | None:
    if not seen.at_once():
        return None
    name = token_of(seen)
    old, new = _supply(seen, seen.before, name), seen.after.word(_SUPPLIES[name])
    (had, owed), (has, owes) = seen.before.position(name), seen.after.position(name)
    if has * old < had * new or owes * old > owed * new:
        return f"{new:_} shares have {has:_} and owe {owes:_}, {old:_} had {had:_}, owed {owed:_}."
    return None


@_rule(
    "LT-3",
    "Minting and redeeming keep the leverage, but for the units that are rounded.",
    "Index Coop: proportional issuance",
    IN_KIND,
)
def leverage_is_kept(seen: Seen) -> str | None:
    if not seen.at_once():
        return None
    name = token_of(seen)
    old, new = _supply(seen, seen.before, name), seen.after.word(_SUPPLIES[name])
    (had, owed), (has, owes) = seen.before.position(name), seen.after.position(name)
    if has * old > had * new + old or owes * old < owed * new - _UNITS * old:
        return f"{new:_} shares have {has:_} and owe {owes:_}, {old:_} had {had:_}, owed {owed:_}."
    return None


@_rule(
    "LT-2",
    "A rebalance is taken only outside of the band, in an auction of that direction or in danger; "
    "it leads toward the target, and not past it.",
    "Index Coop: FlexibleLeverageStrategyExtension",
    REBALANCES,
)
def rebalances_lead_back(seen: Seen) -> str | None:
    name, lowers = token_of(seen), _lowers(seen)
    found = _leverages(seen, name)
    if found is None:
        return None
    old, new = found
    least, target, most = _band(seen, name)
    danger = lowers and old.is_above(seen.facts.leveraged[name].danger)
    if not danger:
        word = seen.before.word(f"{name}.rebalance_auction._auction")
        runs = seen.after.now - (word & MAX_64) < 2 * seen.facts.leveraged[name].duration
        if not (word and runs and word >> 64 == lowers):
            return f"No auction runs, the word is {word:#x}."
        if not (old.is_above(most) if lowers else old.is_below(least)):
            return f"{old} was inside of {least:_} to {most:_}."
    moved = new.debt * old.collateral - old.debt * new.collateral
    if moved >= 0 if lowers else moved <= 0:
        return f"{old} became {new}."
    if new.is_below(target) if lowers else new.is_above(target):
        return f"{new} is past {target:_}."
    return None


@_rule(
    "LT-4",
    "The shares of all holders are the supply.",
    "Euler, Morpho: supply is the sum of balances",
    reads=(*_SUPPLIES.values(), *LEVERAGED_SHARES.values()),
)
def supply_is_of_holders(seen: Seen) -> str | None:
    for name, supply in _SUPPLIES.items():
        total, held = seen.after.word(supply), sum(seen.after.table(LEVERAGED_SHARES[name]))
        if total != held:
            return f"{held:_} of {name} are held, {total:_} are supplied."
    return None


@_rule(
    "LT-9",
    "The supply grows by what is minted, and by the fee with time, and falls by what is redeemed.",
    "Index Coop: streaming fee; Yearn: fee shares",
    reads=(*_SUPPLIES.values(),),
)
def supply_grows_by_the_fee(seen: Seen) -> str | None:
    for name, supply in _SUPPLIES.items():
        total = seen.after.word(supply)
        if total == seen.before.word(supply):
            continue
        right = _supply(seen, seen.before, name) + sum(
            _minted(name, call, result)
            for call, result in ((seen.action, seen.outcome.result), *seen.answered)
        )
        if total != right:
            return f"{total:_} of {name} are supplied, and not {right:_}."
    return None


def _minted(name: str, action: Any, result: Any) -> int:
    """Shares that come by an action, or go."""
    if action.name == f"{name}.mint":
        return int(action.arguments[0])
    if action.name == f"{name}.redeem":
        return -int(action.arguments[0])
    if action.name == _ENTER and action.arguments[0] == name:
        return int(result[0])
    if action.name == _LEAVE and action.arguments[0] == name:
        return -int(action.arguments[1])
    return 0


@_rule(
    "LT-5",
    "A rebalance costs no more of the equity than its terms let it, less what counts as paid of "
    "late, however it is split.",
    "Relever: bound on the loss of a rebalance",
    REBALANCES,
)
def rebalances_cost_little(seen: Seen) -> str | None:
    name, lowers = token_of(seen), _lowers(seen)
    found = _leverages(seen, name)
    if found is None:
        return None
    (old, new), terms = found, seen.facts.leveraged[name]
    limit = terms.max_loss
    if lowers and old.is_above(terms.danger):
        limit = terms.danger_loss
    word = seen.before.word(f"{name}.rebalance_auction._paid")
    paid, since = word & MAX_128, seen.after.now - (word >> 128)
    counted = max(0, paid - terms.max_loss * since // terms.cooldown)
    lost, allowed = old.equity - new.equity, max(0, limit - counted)
    if lost * WAD > allowed * old.equity + _UNITS * WAD:
        return f"{lost:_} of {old.equity:_} are lost, where {counted:_} count of {limit:_}."
    now = seen.after.word(f"{name}.rebalance_auction._paid")
    # Rounded up by a unit, of the equity and of a WAD.
    if (now & MAX_128) * old.equity + _UNITS * WAD < counted * old.equity + lost * WAD:
        return f"{lost:_} of {old.equity:_} are lost, and count as {now & MAX_128:_}."
    return None


@_rule(
    "LT-6",
    "The target steps down after a period in which debt has grown by more than the collateral, and "
    "up after any other: once a period, by one step, between floor and terms.",
    "Relever: carry stop",
    CHECKPOINTS,
)
def target_follows_the_carry(seen: Seen) -> str | None:
    name = token_of(seen)
    terms, stepped = seen.facts.leveraged[name], f"{name}.leverage_target._stepped"
    word = f"{name}.leverage_target._checkpoint"
    (collateral, debt, then), (worth, owed, now) = (
        look.table(word) for look in (seen.before, seen.after)
    )
    lent = seen.after.lent
    booked = seen.after.shares_worth_down(WAD, seen.after.total) * seen.after.lst_rate
    right = booked, (lent.assets + 1) * 10**24 // (lent.shares + MARKET_VIRTUAL)
    if (worth, owed) != right or now != seen.after.now or now < then + terms.period:
        return f"{worth:_} and {owed:_} at {now} come after {then}; they are {right}."
    was, step = seen.before.word(stepped), terms.step
    costly = owed * collateral > worth * debt
    wanted = min(was + step, terms.target - terms.floor) if costly else max(0, was - step)
    found = seen.after.word(stepped)
    return f"It is {found:_} below, and not {wanted:_}." if found != wanted else None


@_rule(
    "LT-7",
    "An auction begins outside of the band, in the direction that leads back, and not while one of "
    "that direction runs.",
    "Relever: auctions",
    STARTS,
)
def auctions_begin_outside(seen: Seen) -> str | None:
    name = token_of(seen)
    old, new = (
        look.word(f"{name}.rebalance_auction._auction") for look in (seen.before, seen.after)
    )
    lowers = new >> 64
    since = seen.after.now - (old & MAX_64)
    if new & MAX_64 != seen.after.now:
        return f"It began at {new & MAX_64}."
    if old and old >> 64 == lowers and since < 2 * seen.facts.leveraged[name].duration:
        return f"Another runs for {since} s."
    found = _leverages(seen, name)
    if found is None:
        return None
    least, _, most = _band(seen, name)
    outside = found[0].is_above(most) if lowers else found[0].is_below(least)
    return None if outside else f"{found[0]} is inside of {least:_} to {most:_}."


@_rule(
    "LT-8",
    "A token's position is changed by the token, by a liquidation, and by gifts that make it "
    "safer; by nobody else.",
    "Morpho Blue: positions are their owner's",
    reads=(POSITIONS,),
)
def positions_are_the_tokens(seen: Seen) -> str | None:
    for name in LEVERAGED:
        changed = seen.changes.get(POSITIONS, {}).get(name)
        if changed is None:
            continue
        calls = (seen.action, *seen.inner)
        own = (f"{name}.", LEVERAGED_ZAP, REBALANCER)
        if any(call.name.startswith(own) for call in calls):
            continue
        if any("liquidate" in call.name for call in calls):
            continue
        old, new = changed
        if new & MAX_128 < old & MAX_128 or new >> 128 > old >> 128:
            return f"The position of {name} became {new:#x}."
    return None
