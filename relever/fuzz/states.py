"""Interesting states: a campaign that hardly meets them has shown nothing about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from relever.model.market import MARKET
from relever.model.parts import LEVERAGED, Parts
from relever.model.protocol import Action


class Before(NamedTuple):
    """Figures from before an action: the mark of lenders' losses, and the protocol's shares."""

    losses: int
    shares: int


def before(parts: Parts) -> Before:
    """As things stand."""
    return Before(parts.market.losses.faded, parts.market.shares.get(MARKET, 0))


# Whether a state is reached by an action that was done, or refused if none; with the model after
# it.
Reached = Callable[[Action | None, Parts, Before], bool]

_SLASHES = ("world.slash", "world.execute_slash")
_LIQUIDATIONS = ("market.liquidate", "liquidator.liquidate")
_REBALANCES = (*(f"{name}.rebalance" for name in LEVERAGED), "rebalancer.take")


def _liquidates(done: Action | None, parts: Parts, before: Before) -> bool:
    return done is not None and done.name in _LIQUIDATIONS


def _bad_debt(done: Action | None, parts: Parts, before: Before) -> bool:
    """Lenders' losses leave a mark; what the protocol's shares bear burns them."""
    if not _liquidates(done, parts, before):
        return False
    market = parts.market
    return market.losses.faded != before.losses or market.shares[MARKET] < before.shares


def _deleverages(done: Action | None, parts: Parts, before: Before) -> bool:
    now = parts.clock.time
    positions = parts.market.positions.values()
    return _liquidates(done, parts, before) and any(p.deleveraged_at == now for p in positions)


def _liquidates_token(done: Action | None, parts: Parts, before: Before) -> bool:
    return (
        _liquidates(done, parts, before)
        and done is not None
        and any(name in done.arguments for name in LEVERAGED)
    )


def _full(_: Action | None, parts: Parts, before: Before) -> bool:
    books = parts.market.books
    return books.borrow.assets > 0 and books.cash == 0


def _slashed_queue(done: Action | None, parts: Parts, before: Before) -> bool:
    return done is not None and done.name in _SLASHES and parts.vault.queued > 0


def _veto_window(_: Action | None, parts: Parts, before: Before) -> bool:
    return bool(parts.symbiotic.requests) and parts.symbio.value_at_risk > 0


STATES: Mapping[str, Reached] = {
    "liquidation": _liquidates,
    "bad debt": _bad_debt,
    "depeg deleverage": _deleverages,
    "borrowing halted": lambda _, parts, __: parts.market.halted_until > 0,
    "full utilisation": _full,
    "slashed queue": _slashed_queue,
    "someone in line": lambda _, parts, __: parts.vault.queued > 0,
    "paused vault": lambda _, parts, __: parts.clock.time < parts.vault.paused_until,
    "delisted market": lambda _, parts, __: not parts.listed,
    "veto window": _veto_window,
    "quarantine": lambda _, parts, __: bool(parts.vault.pocket.adapters),
    "adapter unreadable": lambda _, parts, __: not parts.vault.readable,
    "undelegated": lambda _, parts, __: not parts.eigen.staker.delegated,
    "feed unusable": lambda _, parts, __: bool(parts.oracle.reading.fault),
    "depeg": lambda _, parts, __: parts.oracle.discount.wad > 0,
    "deep discount": lambda _, parts, __: parts.oracle.discount.deep_time > 0,
    "feed replaced": lambda _, parts, __: parts.oracle.former is not None,
    "loss unrecovered": lambda _, parts, __: parts.vault.performance_fee.missing > 0,
    "profit locked": lambda _, parts, __: parts.vault.profit.until > parts.clock.time,
    "rebalance": lambda done, _, __: done is not None and done.name in _REBALANCES,
    "auction begun": lambda _, parts, __: any(t.auction for t in parts.leveraged.values()),
    "target stepped down": lambda _, parts, __: any(t.stepped for t in parts.leveraged.values()),
    "token liquidated": _liquidates_token,
    "seized by the backstop": lambda _, parts, __: parts.backstop.unqueued > 0,
    "backstop in the queue": lambda _, parts, __: bool(parts.backstop.order),
    "someone in the backstop's line": lambda _, parts, __: bool(parts.backstop.waiting),
}
