"""Interesting states: a campaign that hardly meets them has shown nothing about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from relever.fuzz.invariants import Seen
from relever.model.market import MARKET
from relever.model.parts import Parts

# Whether a state is reached by a step, as the chain shows it and the model stands after it.
Reached = Callable[[Seen, Parts], bool]

_SUPPLY, _SHARES = "market.totals._supply", "market.share_token._balances"
_SLASHES = ("world.slash", "world.execute_slash")
_LIQUIDATIONS = ("market.liquidate", "liquidator.liquidate")


def _liquidates(seen: Seen, _: Parts) -> bool:
    return seen.done and seen.action.name in _LIQUIDATIONS


def _bad_debt(seen: Seen, parts: Parts) -> bool:
    """Lenders' losses leave a mark above the totals; what the protocol's shares bear burns them."""
    if not _liquidates(seen, parts):
        return False
    own, owned = seen.held(_SHARES, MARKET)
    return seen.before.word(_SUPPLY) >> 232 != seen.after.word(_SUPPLY) >> 232 or owned < own


def _deleverages(seen: Seen, parts: Parts) -> bool:
    now = parts.clock.time
    positions = parts.market.positions.values()
    return _liquidates(seen, parts) and any(p.deleveraged_at == now for p in positions)


def _full(_: Seen, parts: Parts) -> bool:
    books = parts.market.books
    return books.borrow.assets > 0 and books.cash == 0


def _slashed_queue(seen: Seen, parts: Parts) -> bool:
    return seen.done and seen.action.name in _SLASHES and parts.vault.queued > 0


STATES: Mapping[str, Reached] = {
    "liquidation": _liquidates,
    "bad debt": _bad_debt,
    "depeg deleverage": _deleverages,
    "borrowing halted": lambda _, parts: parts.market.halted_until > 0,
    "full utilisation": _full,
    "slashed queue": _slashed_queue,
    "someone in line": lambda _, parts: parts.vault.queued > 0,
    "paused vault": lambda _, parts: parts.clock.time < parts.vault.paused_until,
    "delisted market": lambda _, parts: not parts.listed,
    "veto window": lambda seen, _: any(one.at_risk for one in seen.after.sight.adapters),
    "quarantine": lambda _, parts: bool(parts.vault.pocket.adapters),
    "adapter unreadable": lambda _, parts: not parts.vault.readable,
    "undelegated": lambda _, parts: not parts.eigen.staker.delegated,
    "feed unusable": lambda _, parts: bool(parts.oracle.reading.fault),
    "depeg": lambda _, parts: parts.oracle.discount.wad > 0,
    "deep discount": lambda _, parts: parts.oracle.discount.deep_time > 0,
    "feed replaced": lambda _, parts: parts.oracle.former is not None,
    "loss unrecovered": lambda _, parts: parts.vault.performance_fee.missing > 0,
    "profit locked": lambda _, parts: parts.vault.profit.until > parts.clock.time,
}
