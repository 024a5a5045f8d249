"""What the model says that the Lens says, and what that has said."""

from __future__ import annotations

from typing import Any

from relever.model.parts import BORROWERS, Parts


def _adapters(parts: Parts) -> list[str]:
    """In the Lens's order."""
    adapters = parts.vault.adapters
    return [*(n for n, a in adapters.items() if not a.in_quarantine), *parts.vault.pocket.adapters]


def expected(parts: Parts) -> list[int]:
    """Every word that the Lens says, time and block first."""
    clock, market = parts.clock, parts.market
    values = [clock.time, clock.block]
    for name in _adapters(parts):
        adapter = parts.vault.adapters[name]
        if adapter.answers:
            at = adapter.position
            values += (at.total_assets, at.exiting, at.value_at_risk)
        else:
            values += (0, 0, 0)
    feed = parts.oracle.feed
    values += (*parts.oracle.liquidation_prices, feed.answer % 2**256, feed.updated_at)
    books = market.accrued()[0]
    supply, borrow = books.supply, books.borrow
    values += (supply.assets, supply.shares, borrow.assets, borrow.shares, books.rate_code)
    for owner in BORROWERS:
        position = market.positions.get(owner)
        values.append(borrow.assets_up(position.debt_shares) if position else 0)
    return values


def found(sight: Any) -> list[int]:
    """The same as the Lens has said it."""
    values = [sight.time, sight.block]
    for adapter in sight.adapters:
        values += adapter
    feed = sight.answer, sight.answered_at
    return [*values, *sight.prices, *feed, *sight.state[:5], *sight.debts]


def names(adapters: int) -> list[str]:
    """What each of them is called, with so many adapters."""
    what = ("total_assets", "exiting", "value_at_risk")
    return [
        *("time", "block"),
        *(f"adapter {number}.{one}" for number in range(adapters) for one in what),
        *(f"oracle.{one}" for one in ("fundamental", "smoothed", "usable")),
        *("feed.answer", "feed.updated_at"),
        *("market.supply_assets", "market.supply_shares"),
        *("market.borrow_assets", "market.borrow_shares", "market.rate_code"),
        *(f"market.debt[{owner}]" for owner in BORROWERS),
    ]
