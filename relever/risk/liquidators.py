"""Liquidators who act when it pays."""

from __future__ import annotations

from dataclasses import dataclass

from relever.chain import Chain
from relever.protocol import PRICE_SCALE, WAD
from relever.risk.venue import Liquidation, Venue

# What the two ways out of the LRT cost: a pool's fee and some slippage; two weeks in the withdrawal
# queue, that is the price of the capital and the risk of a slash meanwhile.
SALE_COST = 3 * WAD // 1000
QUEUE_COST = 2 * WAD // 100
# Gas and trouble, in wei.
LEAST_PROFIT = 2 * 10**15
RULE = (
    "A liquidator acts when what it seizes brings 0.002 WETH more than it repays, by the better of "
    "two ways out: a sale at the market price less 0.3 %, or the withdrawal queue at the "
    "fundamental price less 2 %. It takes as much as the market lets it; sales move no price."
)


@dataclass(frozen=True)
class Exits:
    """The prices of a moment, in WETH per LRT, scaled by 1e36."""

    market: int
    fundamental: int

    def value(self, amount: int) -> int:
        """What LRT brings by the better way out, in wei of WETH, rounded down."""
        sale = self.market * (WAD - SALE_COST)
        queue = self.fundamental * (WAD - QUEUE_COST)
        return amount * max(sale, queue) // (PRICE_SCALE * WAD)


@dataclass(frozen=True)
class Taken:
    """A liquidation, when it was done, and what its liquidator gained, in wei."""

    time: int
    done: Liquidation
    profit: int


def liquidate(chain: Chain, venue: Venue, exits: Exits) -> list[Taken]:
    """Liquidators at one venue act until nothing is left that pays; no time passes."""
    taken: list[Taken] = []
    while worthwhile := [
        offer
        for offer in venue.offers()
        if exits.value(offer.seized) - offer.repaid >= LEAST_PROFIT
    ]:
        for receipt in chain.send_batch([offer.call for offer in worthwhile]):
            done = venue.read(receipt)
            profit = exits.value(done.seized) - done.repaid
            taken.append(Taken(receipt.timestamp, done, profit))
    return taken
