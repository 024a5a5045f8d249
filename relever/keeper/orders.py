"""Signed orders that wait in a folder until they are due.

Whoever hands in an order is a stranger: files are small, of owners with a key, for this chain and
this deployment, or they are passed over. What is due is reckoned here first, so that a look at
thousands of orders costs a few requests; the contract has the last word.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from relever.keeper.acts import ORDER, Act
from relever.keeper.book import PRICE_SCALE, Book
from relever.keeper.logs import Log
from relever.keeper.node import Head, Node, Refused
from relever.keeper.suite import Suite
from relever.orders import Kind, SignedOrder

# A file with one order has about a thousand bytes.
_LARGEST_BYTES, _MOST_FILES = 8_192, 10_000
# Of a debt that is reckoned and not read, a part more is allowed for.
_SLACK = 1_000
# What no time makes good again.
_OVER = frozenset({"orders: expired", "orders: all cancelled", "orders: nonce used"})


class OrderFolder:
    """The orders of a folder, one a file whose name ends in .json."""

    def __init__(self, folder: Path, suite: Suite, chain_id: int, log: Log) -> None:
        self._folder, self._suite, self._chain_id, self._log = folder, suite, chain_id, log
        self._seen: dict[Path, tuple[int, int]] = {}
        self._orders: dict[Path, SignedOrder] = {}

    def __len__(self) -> int:
        return len(self._orders)

    def forget(self) -> None:
        """Read every file again: blocks were taken back, and with them what was used up."""
        self._seen.clear()

    def refresh(self) -> None:
        """Read files that are new or were changed; drop those that are gone."""
        found: dict[Path, tuple[int, int]] = {}
        for path in sorted(self._folder.glob("*.json"))[:_MOST_FILES]:
            try:
                about = path.stat()
            except OSError:
                continue
            found[path] = (about.st_mtime_ns, about.st_size)
        for path, stamp in found.items():
            if self._seen.get(path) != stamp:
                self._read(path, stamp[1])
        self._orders = {path: one for path, one in self._orders.items() if path in found}
        self._seen = found

    def _read(self, path: Path, size: int) -> None:
        self._orders.pop(path, None)
        try:
            if size > _LARGEST_BYTES:
                raise ValueError(f"it has {size} bytes")
            signed = SignedOrder.read(path.read_text(encoding="utf-8"))
            if signed.chain_id != self._chain_id:
                raise ValueError(f"it is for chain {signed.chain_id}")
            if signed.contract != self._suite.addresses["orders"]:
                raise ValueError(f"it is for the contract {signed.contract}")
            if signed.signer != signed.order.owner:
                # A contract as owner could sign in a simulation and not in a transaction.
                raise ValueError("its owner's key has not signed it")
        except (OSError, ValueError) as error:
            self._log.warn("order passed over", file=path.name, why=str(error)[:200])
            return
        self._orders[path] = signed

    def due(self, node: Node, book: Book, head: Head) -> Iterator[Act]:
        """Orders that can be executed now, those that pay most first. Raises `NodeError`."""
        prices = {market: self._price(node, book, market) for market in book.markets}
        by_fee = sorted(self._orders.items(), key=lambda item: -item[1].order.fee)
        for path, signed in by_fee:
            order = signed.order
            if order.market not in prices or not self._may_be_due(book, head, signed, prices):
                continue
            request = self._suite.request("orders", "status", order.values)
            status = self._suite.read(node, request)
            if status in _OVER:
                self._log.info("order is over", file=path.name, why=status)
                del self._orders[path]
            elif status == "":
                yield self._act(signed)

    def _act(self, signed: SignedOrder) -> Act:
        order = signed.order
        request = self._suite.request("orders", "execute", order.values, signed.signature)
        return Act(ORDER, f"{order.owner}:{order.nonce}", {"execute": request}, order.fee)

    def _price(self, node: Node, book: Book, market: str) -> tuple[int, int]:
        """For who takes a risk, 0 when there is none; and that at which collateral is seized."""
        oracle = book.markets[market].terms.oracle
        fundamental, smoothed, usable = self._suite.read(
            node, self._suite.oracle(oracle, "liquidation_prices")
        )
        try:
            price = self._suite.read(node, self._suite.oracle(oracle, "price"))
        except Refused:
            price = 0
        return price, min(fundamental, smoothed) if usable else fundamental

    def _may_be_due(
        self, book: Book, head: Head, signed: SignedOrder, prices: dict[str, tuple[int, int]]
    ) -> bool:
        order = signed.order
        price, hand_over = prices[order.market]
        if head.timestamp > order.deadline:
            return True
        if order.kind == Kind.STOP_LOSS:
            return 0 < price <= order.trigger
        if order.kind == Kind.TAKE_PROFIT:
            return price >= order.trigger
        watched = book.markets[order.market]
        if (held := watched.held.get(order.owner)) is None:
            return order.owner in watched.stale
        worth = held.collateral * hand_over // PRICE_SCALE
        return worth * watched.terms.threshold <= order.trigger * (held.debt + held.debt // _SLACK)
