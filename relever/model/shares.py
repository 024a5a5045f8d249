"""Shares of the LRT vault for assets, and assets for shares, rounded the way that is asked for."""

from __future__ import annotations

from dataclasses import dataclass

# So many units stand on both sides of a price and belong to nobody.
VIRTUAL = 10**9
# The most that the vault counts of anything.
LARGEST = 2**120 - 1


@dataclass(frozen=True)
class Price:
    """Total assets, and the supply of shares that they belong to."""

    total: int
    supply: int

    def shares_down(self, assets: int) -> int:
        return assets * (self.supply + VIRTUAL) // (self.total + VIRTUAL)

    def shares_up(self, assets: int) -> int:
        return -(-assets * (self.supply + VIRTUAL) // (self.total + VIRTUAL))

    def assets_down(self, shares: int) -> int:
        return shares * (self.total + VIRTUAL) // (self.supply + VIRTUAL)

    def assets_up(self, shares: int) -> int:
        return -(-shares * (self.total + VIRTUAL) // (self.supply + VIRTUAL))

    def plus(self, assets: int) -> Price:
        """The price with so much more in the total."""
        return Price(self.total + assets, self.supply)
