"""A lending market under stress, ours or a peer's: who takes part, and what the figures are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from relever.chain import Call, Contract, Receipt
from relever.protocol import PRICE_SCALE, WAD

# Every so many positions, counted from the most leveraged, one is so many times as large.
_LARGE_EVERY, _LARGE = 10, 10


@dataclass(frozen=True)
class Cast:
    """Whose accounts take part at every venue."""

    lenders: tuple[str, ...]
    borrowers: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """A position to open. Leverage in WAD, collateral in LRT and debt in WETH units."""

    owner: str
    leverage: int
    collateral: int
    debt: int


@dataclass(frozen=True)
class Position:
    """Collateral and debt in their tokens' units, the debt rounded up."""

    collateral: int
    debt: int

    def equity(self, price: int) -> int:
        """Worth less debt at a price scaled by 1e36, in units of 1e-36 wei, so that it is exact."""
        return self.collateral * price - self.debt * PRICE_SCALE


@dataclass(frozen=True)
class Offer:
    """What a liquidation would take and give now, and the call that does it."""

    owner: str
    repaid: int
    seized: int
    call: Call


@dataclass(frozen=True)
class Liquidation:
    """What a liquidation did; amounts in wei of WETH, `seized` in LRT units.

    `lenders_loss` is the part of the bad debt that the venue says the lenders bear. A `deleverage`
    was for the market price alone.
    """

    owner: str
    repaid: int
    seized: int
    bad_debt: int
    lenders_loss: int
    deleverage: bool


@dataclass(frozen=True)
class Books:
    """A venue's totals: in wei of WETH, `collateral` in LRT units.

    Attributes:
        supplied: what it owes to all who hold its shares.
        borrowed: what all borrowers owe to it.
        cash: WETH that its contract holds.
        collateral: LRT that its contract holds.
        lenders: what each lender could withdraw, rounded down.
        fee_claim: the same for the protocol's shares.
    """

    supplied: int
    borrowed: int
    cash: int
    collateral: int
    lenders: tuple[int, ...]
    fee_claim: int

    @property
    def dust(self) -> int:
        """What the roundings of the single claims leave in the pool."""
        return self.supplied - sum(self.lenders) - self.fee_claim


class Venue(ABC):
    """One isolated market of LRT and WETH, with the same terms and the same parties as others."""

    name: str
    # Where tokens go; each venue has a liquidator of its own, so that its takings can be told.
    contract: Contract
    liquidator: str

    @abstractmethod
    def lend(self, lender: str, amount: int) -> Call:
        """Supply WETH."""

    @abstractmethod
    def open(self, plan: Plan) -> Sequence[Call]:
        """Supply the collateral and borrow the debt."""

    @abstractmethod
    def see_market_price(self, price: int) -> None:
        """The feed has answered: follow it, where the oracle does not read the feed itself."""

    @abstractmethod
    def poke(self) -> None:
        """What a keeper does every few minutes."""

    @abstractmethod
    def accrue(self) -> None:
        """Book the interest until now."""

    @abstractmethod
    def positions(self) -> list[Position]:
        """Every borrower's position, in the order of the cast."""

    @abstractmethod
    def offers(self) -> list[Offer]:
        """Every liquidation that is possible now, as large as it can be."""

    @abstractmethod
    def read(self, receipt: Receipt) -> Liquidation:
        """What one liquidation did."""

    @abstractmethod
    def books(self) -> Books:
        """The totals, after `accrue` in the same second."""

    @abstractmethod
    def why_no_borrowing(self, plan: Plan) -> str:
        """Why an untouched borrower cannot borrow a little more now; empty when it can."""


def ladder(owners: Sequence[str], equity: int, price: int, max_ltv: int) -> list[Plan]:
    """Positions in equal steps of leverage, from 2 to the most that a market opens.

    Args:
        owners: at least two.
        equity: of an ordinary position, in wei; one in ten is ten times as large.
        price: WETH per LRT, scaled by 1e36.
        max_ltv: the market's, in WAD.
    """
    least, most, steps = 2 * WAD, WAD * WAD // (WAD - max_ltv), len(owners) - 1
    plans = []
    for index, owner in enumerate(owners):
        leverage = least + (most - least) * index // steps
        size = equity * _LARGE if (steps - index) % _LARGE_EVERY == 0 else equity
        collateral = size * leverage // WAD * PRICE_SCALE // price
        worth = collateral * price // PRICE_SCALE
        debt = min(worth * (leverage - WAD) // leverage, worth * max_ltv // WAD)
        plans.append(Plan(owner, leverage, collateral, debt))
    return plans
