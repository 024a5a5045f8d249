"""Liquidation: who is healthy is left alone, and who is not pays what the terms say, no more."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from relever.fuzz.invariants.base import (
    DELEVERAGED,
    LRT,
    MAX_112,
    POSITIONS,
    PRICE_SCALE,
    SHARES,
    WAD,
    WETH,
    Books,
    Invariant,
    Seen,
    invariant,
    sums,
)
from relever.fuzz.invariants.market import ONE_BY_ONE, moves_only
from relever.model.market import MARKET

INVARIANTS: list[Invariant] = []
_rule = partial(invariant, INVARIANTS, actions=ONE_BY_ONE)

_WINDOW = 3_600


@dataclass(frozen=True)
class Case:
    """A liquidation: the position before and after, what was paid and taken, at which prices.

    `handed` is the price at which collateral is handed over, `worth` what all of it is worth at the
    fundamental price.
    """

    owner: str
    collateral: int
    debt: int
    seized: int
    repaid: int
    left: int
    rest: int
    fundamental: int
    handed: int
    breached: int
    market_only: bool

    @property
    def worth(self) -> int:
        return self.collateral * self.fundamental // PRICE_SCALE

    @property
    def whole(self) -> bool:
        return self.rest == 0


def case_of(seen: Seen) -> Case | None:
    """The liquidation; none if others acted in it, or if what was owed just before is unknown."""
    if seen.inner:
        return None
    action = seen.action
    owner = action.arguments[0 if action.name == "market.liquidate" else 1]
    collateral, shares = seen.before.positions.get(owner, (0, 0))
    left, rest = seen.after.position(owner)
    repaid = seen.moved(WETH).get(MARKET, 0)
    if seen.at_once():
        # In a block the prices are those that were seen before: a poke only writes down what it
        # sees. What a sale in the liquidator's callback shows comes after them.
        lent, then = seen.before.lent, seen.before
    elif action.name == "market.liquidate" and (left or rest):
        # Time passed with it. Nothing was written off, so what is owed now and what was repaid is
        # what was owed; nothing was sold either, so prices are still those that it found.
        then = seen.after
        lent = Books(then.lent.assets + repaid, seen.before.lent.shares)
    else:
        return None
    debt, terms = lent.assets_up(shares), seen.facts.terms
    fundamental, handed = then.sight.prices.fundamental, then.hand_over
    worth = collateral * fundamental // PRICE_SCALE
    return Case(
        owner=owner,
        collateral=collateral,
        debt=debt,
        seized=collateral - left,
        repaid=repaid,
        left=left,
        rest=rest,
        fundamental=fundamental,
        handed=handed,
        breached=debt * WAD - collateral * handed // PRICE_SCALE * terms.threshold,
        market_only=debt * WAD <= worth * terms.threshold,
    )


@_rule(
    "LIQ-1",
    "A healthy position cannot be liquidated.",
    "Morpho Blue, Aave v3, Euler vault kit: liquidation needs an unhealthy account",
)
def healthy_is_left_alone(seen: Seen) -> str | None:
    case = seen.once(case_of)
    if case is None or case.breached > 0:
        return None
    return f"{case.debt:_} were owed on {case.worth:_} worth of collateral."


@_rule(
    "LIQ-2",
    "A liquidation lowers the debt, takes no more collateral than there is, and changes nobody "
    "else's position.",
    "Aave v3, Morpho Blue: post-conditions of liquidation",
)
def liquidation_lowers_debt(seen: Seen) -> str | None:
    case = seen.once(case_of)
    if case is None:
        return None
    changed = set(seen.changes.get(POSITIONS, ())) - {case.owner}
    if changed:
        return f"The positions of {sorted(changed)} have changed too."
    if case.rest >= case.debt or case.seized < 0 or case.repaid < 0:
        return f"{case}."
    return None


@_rule(
    "LIQ-3",
    "The liquidator pays exactly the loan tokens that the market gets, and gets exactly the "
    "collateral that leaves the position; what it is told is that.",
    "Aave v3: LIQUIDATION_HSPOST",
)
def liquidation_is_exact(seen: Seen) -> str | None:
    case = seen.once(case_of)
    if case is None:
        return None
    if seen.action.name == "liquidator.liquidate":
        # The collateral is sold on the way; here it has left the market.
        gone = seen.moved(LRT).get(MARKET, 0)
        profit = seen.moved(WETH).get(seen.action.caller, 0)
        if gone != -case.seized or profit != seen.outcome.result:
            return f"{-gone:_} left for {case.seized:_}, with a profit of {profit:_}."
        return None
    told = tuple(seen.outcome.result[:2])
    if told != (case.repaid, case.seized):
        return f"It is told {told}, but {case.repaid:_} and {case.seized:_} moved."
    caller = seen.action.caller
    return moves_only(
        seen,
        {
            WETH: sums((caller, -case.repaid), (MARKET, case.repaid)),
            LRT: sums((caller, case.seized), (MARKET, -case.seized)),
            SHARES: sums((MARKET, seen.moved(SHARES).get(MARKET, 0))),
        },
    )


@_rule(
    "LIQ-4",
    "At the hand-over price the collateral taken is worth no more than what is repaid and the "
    "largest bonus; for the market price's sake no more than the base bonus.",
    "Morpho Blue: liquidation incentive factor",
)
def bonus_is_bounded(seen: Seen) -> str | None:
    case, terms = seen.once(case_of), seen.facts.terms
    if case is None:
        return None
    bonus = terms.base_bonus if case.market_only else terms.max_bonus
    taken = case.seized * case.handed // PRICE_SCALE
    # The repayment is rounded up and the taken collateral down.
    if taken * WAD > case.repaid * (WAD + bonus):
        return f"{taken:_} are taken for {case.repaid:_}."
    return None


@_rule(
    "LIQ-5",
    "A part never leaves more debt for the collateral than there was.",
    "Morpho Blue: LiquidateBuffer",
)
def part_improves_health(seen: Seen) -> str | None:
    case = seen.once(case_of)
    if case is None or case.whole:
        return None
    if case.rest * case.collateral > case.debt * case.left:
        return f"{case.debt:_} on {case.collateral:_} became {case.rest:_} on {case.left:_}."
    return None


@_rule(
    "LIQ-7",
    "The bonus is the base and the shortfall of health, up to the largest; what is taken is what "
    "the repayment but for two units buys with it, and no greater part of collateral than of debt.",
    "Morpho Blue, Euler vault kit: liquidation amounts",
)
def bonus_is_as_the_terms_say(seen: Seen) -> str | None:
    case, terms = seen.once(case_of), seen.facts.terms
    if case is None or (case.whole and case.left == 0):
        return None
    valued = case.handed if case.market_only else case.fundamental
    most = terms.base_bonus if case.market_only else terms.max_bonus
    # Scaled by 1e36, as the terms are too fine for a WAD.
    health = case.collateral * valued // WAD * terms.threshold // case.debt
    bonus = min(most * WAD, terms.base_bonus * WAD + max(0, PRICE_SCALE - health))
    paid = max(0, case.repaid - 2)
    right = min(paid * (PRICE_SCALE + bonus) // case.handed, paid * case.collateral // case.debt)
    return f"{case.seized:_} are taken, and not {right:_}." if case.seized != right else None


@_rule(
    "LIQ-8",
    "No more is repaid than restores target health, unless so little would be left that the "
    "position goes whole; what is left is not below the minimum.",
    "Aave v3: close factor; Liquity: no dust",
)
def no_more_than_needed(seen: Seen) -> str | None:
    case, terms = seen.once(case_of), seen.facts.terms
    if case is None:
        return None
    if case.whole:
        return None if _goes_whole(case, terms) else f"{case} went whole."
    if case.market_only:
        return None
    if case.rest < terms.min_debt:
        return f"A debt of {case.rest:_} is left."
    # At the fundamental price; it takes one unit more at the most, for debt is rounded up.
    worth = case.left * case.fundamental // PRICE_SCALE
    slack = terms.target_health + (case.fundamental // WAD + 1) * terms.threshold // WAD
    # What a unit repaid takes off health is rounded up twice, once before it is turned into
    # collateral at the price of the hand-over.
    rounded = case.repaid + case.repaid * case.fundamental // case.handed + 1
    if worth * terms.threshold > terms.target_health * case.rest + 3 * slack + rounded:
        return f"{case.rest:_} are left on {worth:_}, beyond target health."
    return None


def _goes_whole(case: Case, terms: Any) -> bool:
    """Whether all of a debt may be repaid: it is small, deep, or no part reaches the target."""
    if case.market_only:
        return False
    covers = case.collateral * case.handed // WAD >= case.debt * (WAD + terms.base_bonus)
    if not covers:
        return True
    # What the most expensive part takes off health for each unit repaid.
    per_unit = (WAD + terms.max_bonus) * terms.threshold * case.fundamental
    cost: int = per_unit // (case.handed * WAD) + 2
    target: int = terms.target_health
    if cost >= target:
        return True
    needed: int = (target * case.debt - case.worth * terms.threshold) // (target - cost) + 2
    least: int = terms.min_debt
    return needed + least > case.debt


@_rule(
    "LIQ-9",
    "For the market price's sake no more than the share of a debt is repaid in an hour, and never "
    "all.",
    "Relever: deleverage window",
)
def deleverage_is_bounded(seen: Seen) -> str | None:
    case, terms = seen.once(case_of), seen.facts.terms
    if case is None or not case.market_only:
        return None
    capacity = case.debt * terms.deleverage_share // WAD
    word = seen.before.entry(DELEVERAGED, case.owner)
    freed = capacity * (seen.after.now - (word >> 112)) // _WINDOW
    used = max(0, min(word & MAX_112, capacity) - freed)
    now = seen.after.entry(DELEVERAGED, case.owner)
    if case.whole or used + case.repaid > capacity:
        return f"{case.repaid:_} of {case.debt:_} after {used:_} with room for {capacity:_}."
    right = used + case.repaid | seen.after.now << 112
    return f"{now & MAX_112:_} are noted as used." if now != right else None


@_rule(
    "LIQ-10",
    "A position that goes whole for want of collateral is paid for at its fundamental worth.",
    "Relever: no debt is forgiven for the market's sake",
)
def whole_is_paid_for(seen: Seen) -> str | None:
    case, terms = seen.once(case_of), seen.facts.terms
    if case is None or case.left or case.seized == 0:
        return None
    if case.repaid * (WAD + terms.max_bonus) < min(case.debt * WAD, case.worth * WAD):
        return f"{case.repaid:_} are paid for {case.worth:_}."
    return None


@_rule(
    "BAD-1",
    "No debt is written off while collateral is left.",
    "Morpho Blue, Aave v3: bad debt only without collateral",
)
def collateral_goes_first(seen: Seen) -> str | None:
    case = seen.once(case_of)
    if case is None or case.left == 0:
        return None
    # Debt shares are rounded down when they are burnt, and debt up.
    if case.debt - case.rest > case.repaid:
        return f"{case.repaid:_} lower a debt of {case.debt:_} to {case.rest:_}."
    return None


@_rule(
    "BAD-2",
    "What lenders lose by a liquidation is what was written off, exactly, and the protocol's "
    "shares pay first.",
    "Morpho Blue, Aave v3: bad debt is the fall of the supply",
)
def loss_is_the_bad_debt(seen: Seen) -> str | None:
    case = seen.once(case_of)
    if case is None or not seen.at_once():
        return None
    before, after = seen.before.supplied, seen.after.supplied
    lost = before.assets - after.assets
    written_off = max(0, seen.before.lent.assets - seen.after.lent.assets - case.repaid)
    if (lost != written_off and lost > 0) or (lost < 0 and written_off):
        return f"Lenders lose {lost:_} for {written_off:_}."
    if written_off > case.debt - case.repaid:
        return f"{written_off:_} are written off of {case.debt:_} less {case.repaid:_}."
    if not written_off:
        return None
    # The protocol's shares, with those of the interest until then.
    held = before.shares - (sum(seen.before.table(SHARES)) - seen.held(SHARES, MARKET)[0])
    burnt = before.shares - after.shares
    right = min(held, before.shares_up(written_off))
    return f"{burnt:_} of its shares are burnt, not {right:_}." if burnt != right else None


@partial(invariant, INVARIANTS, actions=("liquidator.liquidate_many",))(
    "LIQ-11",
    "Of many, only those who could be liquidated are: each owes less for less collateral; and all "
    "together bring the caller what is said, at least what was asked for.",
    "Relever: one failure takes no other down",
)
def many_are_each_right(seen: Seen) -> str | None:
    _, owners, _, least = seen.action.arguments
    profit, paid = seen.outcome.result, seen.moved(WETH).get(seen.action.caller, 0)
    if profit != paid or profit < least:
        return f"{paid:_} are paid, {profit:_} said, {least:_} asked for."
    # The sale of what the first lose may show a slash, by which the next are unhealthy, too.
    handed = min(look.hand_over for look in (seen.before, seen.after))
    threshold = seen.facts.terms.threshold
    for owner in seen.changes.get(POSITIONS, ()):
        (had, owed), (left, rest) = (look.position(owner) for look in (seen.before, seen.after))
        if owner not in owners or left > had or rest >= owed:
            return f"{owner} owed {owed:_} on {had:_}, and owes {rest:_} on {left:_}."
        breached = owed * WAD > had * handed // PRICE_SCALE * threshold
        if seen.at_once() and not breached:
            return f"{owner} owed {owed:_} on {had:_} and was healthy."
    return None
