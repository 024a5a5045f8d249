"""Every position with debt: found in events once, kept up by new blocks, reckoned between reads.

A look at all positions costs a few requests, however many there are: a position's shares of the
debt change only with an event, so that its debt grows like the market's. Only who may have breached
the threshold by that reckoning is read again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from relever.keeper.logs import Log
from relever.keeper.node import Head, Node, Refused
from relever.keeper.suite import Suite, topic

WAD = 10**18
PRICE_SCALE = 10**36
# Positions that one call of the Lens reads.
BATCH = 64
# Blocks asked for at once; halved where a node does not give so many, down to one.
CHUNK = 5_000
# A debt is reckoned from the market's growth; so much more is allowed for, WAD.
_MARGIN = WAD // 10_000


@dataclass(frozen=True)
class Terms:
    """Of a market; ratios in WAD."""

    oracle: str
    threshold: int
    max_bonus: int
    min_debt: int


@dataclass
class Held:
    """A position when it was read: units of LRT and WETH, and debt per share of the market then."""

    collateral: int
    debt: int
    debt_per_share: int


@dataclass
class Watched:
    """A market: who owes something, who must be read again, and when what last happened.

    `accrued_block` is of its books, `poked_block` of its oracle; 0 while unknown.
    """

    terms: Terms
    held: dict[str, Held] = field(default_factory=dict)
    stale: set[str] = field(default_factory=set)
    accrued_block: int = 0
    poked_block: int = 0


@dataclass(frozen=True)
class Breach:
    """A position that can be liquidated, or only deleveraged. Amounts in units of LRT and WETH."""

    market: str
    owner: str
    collateral: int
    debt: int
    deleverage: bool


class Book:
    """What a keeper knows of positions, as of `block`."""

    def __init__(self, suite: Suite, path: Path, log: Log, confirmations: int) -> None:
        self._suite, self._path, self._log = suite, path, log
        self._confirmations = confirmations
        self.markets: dict[str, Watched] = {}
        self.block = suite.start_block - 1
        # Who had an event in the blocks that may still be taken back.
        self._recent: dict[tuple[str, str], int] = {}
        self._topics = {
            name: topic(contract, name)
            for contract, name in (
                ("MarketFactory", "ListingSet"),
                ("LendingMarket", "Adjusted"),
                ("LendingMarket", "Liquidated"),
                ("LendingMarket", "Accrued"),
                ("OracleAdapter", "Poked"),
            )
        }

    def __len__(self) -> int:
        return sum(len(watched.held) + len(watched.stale) for watched in self.markets.values())

    # Kept on disk

    def load(self, node: Node) -> None:
        """Go on from the checkpoint, if there is one of this deployment. Raises `NodeError`."""
        try:
            saved = json.loads(self._path.read_text(encoding="utf-8"))
            fits = saved["factory"] == self._suite.addresses["factory"]
            block, markets = int(saved["block"]), dict(saved["markets"])
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._log.warn("checkpoint unreadable, reading everything", why=str(error))
            return
        if not fits or (block >= 0 and node.block(block).hash != saved["hash"]):
            self._log.warn("checkpoint of another chain, reading everything")
            return
        for market, owners in markets.items():
            self._watch(node, market)
            watched = self.markets[market]
            watched.stale |= set(owners)
            # What happened before is not known: nothing is done on that account right away.
            watched.accrued_block = watched.poked_block = max(block, 0)
        self.block = block

    def save(self, node: Node) -> None:
        """Keep who must be looked at, as of a block that is not taken back. Raises `NodeError`."""
        safe = min(self.block, max(self.block - self._confirmations, self._suite.start_block - 1))
        owners = {market: {*one.held, *one.stale} for market, one in self.markets.items()}
        for market, owner in self._recent:
            owners[market].add(owner)
        document = {
            "factory": self._suite.addresses["factory"],
            "block": safe,
            "hash": node.block(safe).hash if safe >= 0 else "",
            "markets": {market: sorted(found) for market, found in owners.items()},
        }
        aside = self._path.with_suffix(".new")
        with aside.open("w", encoding="utf-8") as file:
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self._path)

    # Following the chain

    def rewind(self, block: int) -> None:
        """Blocks after `block` were taken back: read from there again, and whoever they touched."""
        self.block = min(self.block, block)
        for (market, owner), _ in self._recent.items():
            self.markets[market].stale.add(owner)
        for watched in self.markets.values():
            watched.accrued_block = min(watched.accrued_block, max(block, 0))
            watched.poked_block = min(watched.poked_block, max(block, 0))

    def follow(self, node: Node, head: Head) -> None:
        """Read the events up to the head, in parts. Raises `NodeError`."""
        far = head.number - self.block > CHUNK
        chunk = CHUNK
        while self.block < head.number:
            first, last = self.block + 1, min(self.block + chunk, head.number)
            try:
                complete = self._read(node, first, last)
            except Refused as error:
                if chunk == 1:
                    raise
                chunk = max(1, chunk // 2)
                self._log.warn("node gives fewer blocks at once", blocks=chunk, why=str(error))
                continue
            # A market that has just been found may have had positions before: all is read again.
            self.block = last if complete else self._suite.start_block - 1
            if far:
                self._log.info("reading events", block=last, head=head.number, positions=len(self))
                self.save(node)
        oldest = head.number - 2 * self._confirmations
        self._recent = {who: seen for who, seen in self._recent.items() if seen >= oldest}

    def _read(self, node: Node, first: int, last: int) -> bool:
        factory, complete = self._suite.addresses["factory"], True
        listing = node.logs(first, last, [factory], [[self._topics["ListingSet"]]])
        for _, event in self._suite.events(listing):
            # Only what the owner has listed: anyone can create a market with any oracle.
            if event.args["listed"] and event.args["market"] not in self.markets:
                self._watch(node, event.args["market"])
                complete = first <= self._suite.start_block
        if not self.markets:
            return complete
        oracles = {watched.terms.oracle for watched in self.markets.values()}
        wanted = [topic for name, topic in self._topics.items() if name != "ListingSet"]
        logs = node.logs(first, last, [*self.markets, *sorted(oracles)], [wanted])
        for block, event in self._suite.events(logs):
            if event.name == "Poked":
                for watched in self.markets.values():
                    if watched.terms.oracle == event.address:
                        watched.poked_block = block
            elif event.name == "Accrued":
                self.markets[event.address].accrued_block = block
            else:
                self._touched(block, event.address, event.args["owner"])
                if event.args.get("debt_delta", 1):
                    self.markets[event.address].accrued_block = block
        return complete

    def _touched(self, block: int, market: str, owner: str) -> None:
        self._recent[market, owner] = block
        self.markets[market].stale.add(owner)

    def _watch(self, node: Node, market: str) -> None:
        found = self._suite.read(node, self._suite.market(market, "terms"))
        if found.collateral != self._suite.addresses["vault"]:
            return
        # Known from now on, so that its events are read.
        self._suite.oracle(found.oracle, "discount")
        terms = Terms(found.oracle, found.threshold, found.max_bonus, found.min_debt)
        self.markets[market] = Watched(terms)
        self._log.info("watching market", market=market)

    # Looking

    def breaches(self, node: Node) -> Iterator[Breach]:
        """Who can be liquidated or deleveraged now. Raises `NodeError`."""
        for market, watched in self.markets.items():
            suspects = {*watched.stale, *self._suspects(node, market, watched)}
            yield from self._inspect(node, market, watched, sorted(suspects))
            watched.stale.clear()

    def _positions(self, node: Node, market: str, owners: Sequence[str]) -> Sequence[Any]:
        try:
            found = self._suite.read(node, self._suite.request("lens", "snapshot", market, owners))
            return list(found.positions)
        except Refused:
            # It reads the vault too; positions can be read without.
            requests = [self._suite.request("lens", "position", market, one) for one in owners]
            return [self._suite.read(node, request) for request in requests]

    def _suspects(self, node: Node, market: str, watched: Watched) -> list[str]:
        if not watched.held:
            return []
        oracle = self._suite.oracle(watched.terms.oracle, "liquidation_prices")
        fundamental, smoothed, usable = self._suite.read(node, oracle)
        price = min(fundamental, smoothed) if usable else fundamental
        now = _debt_per_share(self._suite.read(node, self._suite.market(market, "state")))
        threshold = watched.terms.threshold
        return [
            owner
            for owner, held in watched.held.items()
            if held.debt * now * (WAD + _MARGIN) * PRICE_SCALE
            > held.collateral * price * threshold * held.debt_per_share
        ]

    def _inspect(
        self, node: Node, market: str, watched: Watched, owners: Sequence[str]
    ) -> Iterator[Breach]:
        for start in range(0, len(owners), BATCH):
            part = owners[start : start + BATCH]
            now = _debt_per_share(self._suite.read(node, self._suite.market(market, "state")))
            for one in self._positions(node, market, part):
                if one.debt == 0:
                    watched.held.pop(one.owner, None)
                    continue
                watched.held[one.owner] = Held(one.collateral, one.debt, now)
                if one.liquidatable or one.deleverageable:
                    yield Breach(market, one.owner, one.collateral, one.debt, not one.liquidatable)


def _debt_per_share(state: Any) -> int:
    return (int(state.borrow_assets) + 1) * PRICE_SCALE // (int(state.borrow_shares) + 10**6)
