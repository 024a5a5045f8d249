"""Lending: what is owed is there, interest goes one way, and who is healthy is left alone."""

from __future__ import annotations

from functools import partial

from relever.fuzz.invariants.base import PRICE_SCALE, WAD, Invariant, Seen, invariant
from relever.model.market import MARKET

INVARIANTS: list[Invariant] = []
_rule = partial(invariant, INVARIANTS)

_VIRTUAL = 10**6
_MAX_90, _MAX_110, _MAX_128 = 2**90 - 1, 2**110 - 1, 2**128 - 1
_SHARES, _POSITIONS = "market.share_token._balances", "market.positions._positions"
_SUPPLY, _BORROW = "market.totals._supply", "market.totals._borrow"
_ONLY_OWN = ("market.borrow", "market.withdraw_collateral", "market.adjust")


@_rule(
    "SOLV-1",
    "The debts of all positions are the market's total debt, up to a unit each and what the "
    "virtual shares bear.",
    "Morpho Blue, Aave v3: sum of debts",
)
def debts_are_the_total(seen: Seen) -> str | None:
    word = seen.after.word(_BORROW)
    total, shares = word & _MAX_90, (word >> 90) & _MAX_110
    positions = seen.after.table(_POSITIONS)
    owned = sum(position >> 128 for position in positions)
    if owned != shares:
        return f"All debt shares are {shares:_}, those of the positions {owned:_}."
    debts = sum(
        -(-(position >> 128) * (total + 1) // (shares + _VIRTUAL)) for position in positions
    )
    virtual = _VIRTUAL * (total + 1) // (shares + _VIRTUAL) + 1
    if not debts - len(positions) <= total <= debts + virtual:
        return f"Debts of {debts:_} make a total of {total:_}."
    return None


@_rule(
    "SOLV-2",
    "What all lenders can claim is no more than what is supplied.",
    "Morpho Blue: sum of supply shares",
)
def claims_are_supplied(seen: Seen) -> str | None:
    word = seen.after.word(_SUPPLY)
    total, shares = word & _MAX_90, (word >> 90) & _MAX_110
    balances = seen.after.table(_SHARES)
    if sum(balances) != shares:
        return f"All shares are {shares:_}, those of the accounts {sum(balances):_}."
    claims = sum(balance * (total + 1) // (shares + _VIRTUAL) for balance in balances)
    return f"Claims of {claims:_} on {total:_}." if claims > total else None


@_rule(
    "SOLV-3",
    "The loan tokens in the market cover what is supplied and not lent out.",
    "Morpho Blue, Aave v3: solvency",
)
def cash_is_held(seen: Seen) -> str | None:
    held = seen.after.table("weth.balanceOf")[seen.facts.places[MARKET]]
    cash = (seen.after.word(_SUPPLY) & _MAX_90) - (seen.after.word(_BORROW) & _MAX_90)
    return f"The market holds {held:_} and owes {cash:_}." if held < cash or cash < 0 else None


@_rule(
    "SOLV-4",
    "The collateral of all positions is in the market.",
    "Ion, Liquity: sum of collateral",
)
def collateral_is_held(seen: Seen) -> str | None:
    held = seen.after.table("vault.erc20.balanceOf")[seen.facts.places[MARKET]]
    owned = sum(position & _MAX_128 for position in seen.after.table(_POSITIONS))
    return f"The market holds {held:_} of {owned:_}." if held < owned else None


@_rule(
    "BAD-4",
    "A position without collateral has no debt.",
    "Morpho Blue: alwaysCollateralized",
)
def debt_has_collateral(seen: Seen) -> str | None:
    for position in seen.after.table(_POSITIONS):
        if position & _MAX_128 == 0 and position:
            return f"Debt shares of {position >> 128:_} stand on nothing."
    return None


@_rule(
    "HF-2",
    "Who takes a risk is within the maximum LTV at the booked fundamental price afterwards.",
    "Aave v3, Euler vault kit: account status check",
)
def risk_is_covered(seen: Seen) -> str | None:
    action = seen.action
    if not seen.done or action.name not in (*_ONLY_OWN, "router.open"):
        return None
    owner = action.caller
    if action.name == "market.adjust":
        owner = action.arguments[0]
    elif action.name != "router.open":
        owner = action.arguments[1]
    if owner not in seen.facts.owners:
        return None
    (had, owed), (has, owes) = seen.before.position(owner), seen.after.position(owner)
    if owes == 0 or owes * had <= (owed + 1) * has:
        return None
    worth = has * seen.after.sight.prices.fundamental // PRICE_SCALE
    if owes * WAD > worth * seen.facts.terms.max_ltv:
        return f"A debt of {owes:_} on collateral worth {worth:_}."
    return None
