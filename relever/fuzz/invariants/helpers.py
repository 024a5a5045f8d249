"""Router, liquidator, zap and swap: nothing is left in them."""

from __future__ import annotations

from functools import partial

from relever.fuzz.invariants.base import Invariant, Seen, invariant
from relever.model.parts import LIQUIDATOR, ROUTER, ZAP

INVARIANTS: list[Invariant] = []
_rule = partial(invariant, INVARIANTS)

_HELPERS = (ROUTER, LIQUIDATOR, ZAP, "swap")
_TOKENS = (
    *("weth.balanceOf", "wsteth.erc20.balanceOf", "steth._shares"),
    *("vault.erc20.balanceOf", "market.share_token._balances"),
)


@_rule(
    "ROUT-1",
    "No action leaves a helper with more of any token than it had been given before.",
    "Liquity bold: FundsAreSwept",
)
def helpers_keep_nothing(seen: Seen) -> str | None:
    if seen.action.name.endswith((".transfer", ".transferFrom")):
        return None
    places = seen.facts.places
    for token in _TOKENS:
        before, after = seen.before.table(token), seen.after.table(token)
        for helper in _HELPERS:
            place = places[helper]
            if after[place] > before[place]:
                return f"{helper} has {after[place] - before[place]:_} more of {token}."
    return None
