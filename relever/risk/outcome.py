"""What a scenario did at one venue, and who bore it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from relever.protocol import PRICE_SCALE, WAD
from relever.risk.liquidators import Taken
from relever.risk.venue import Books, Position


@dataclass(frozen=True)
class Check:
    """Something that must be true, in whole units."""

    sentence: str
    left: int
    relation: str
    right: int

    @property
    def ok(self) -> bool:
        return {
            "=": self.left == self.right,
            "<=": self.left <= self.right,
            ">": self.left > self.right,
        }[self.relation]


@dataclass(frozen=True)
class Reconciliation:
    """A loss and who bears it, in units of 1e-36 wei, in which worth at a price is exact.

    Attributes:
        slashed: what the collateral lost by the fall of the fundamental price.
        liquidators: what liquidators gained at the price afterwards.
        borrowers: what the borrowers' equity lost.
        fee_claim: what the protocol's claim lost.
        lenders: what the lenders' claims lost.
        dust: what the roundings of the claims leave in the pool more than before, negative where
            less.
    """

    slashed: int
    liquidators: int
    borrowers: int
    fee_claim: int
    lenders: int
    dust: int

    @property
    def taken(self) -> int:
        return self.slashed + self.liquidators

    @property
    def borne(self) -> int:
        return self.borrowers + self.fee_claim + self.lenders - self.dust


@dataclass(frozen=True)
class Outcome:
    """One scenario at one venue. Prices are fundamental, in WETH per LRT scaled by 1e36."""

    venue: str
    price_before: int
    price_after: int
    books_before: Books
    books_after: Books
    positions_before: tuple[Position, ...]
    positions_after: tuple[Position, ...]
    owners: tuple[str, ...]
    taken: tuple[Taken, ...]
    # What left and what reached the liquidator's account, WETH and LRT.
    paid: int
    got: int
    # Why the least leveraged could not borrow, right afterwards and a day later; empty if it could.
    borrowing_refused: str
    borrowing_refused_a_day_later: str

    @property
    def repaid(self) -> int:
        return sum(one.done.repaid for one in self.taken)

    @property
    def seized(self) -> int:
        return sum(one.done.seized for one in self.taken)

    @property
    def bad_debt(self) -> int:
        return sum(one.done.bad_debt for one in self.taken)

    @property
    def lenders_loss(self) -> int:
        """The part of the bad debt that is not the protocol's, by the venue's own account."""
        return sum(one.done.lenders_loss for one in self.taken)

    @property
    def profit(self) -> int:
        """What liquidators gained at the prices they could sell for, in wei."""
        return sum(one.profit for one in self.taken)

    @property
    def interest(self) -> int:
        """What borrowers came to owe by time alone."""
        change = self.books_after.borrowed - self.books_before.borrowed
        return change + self.repaid + self.bad_debt

    @property
    def touched(self) -> int:
        """How many positions were liquidated or deleveraged at all."""
        return len({one.done.owner for one in self.taken})

    @property
    def closed(self) -> int:
        """How many of them have no collateral or no debt left."""
        left = zip(self.positions_before, self.positions_after, strict=True)
        return sum(bool(b.debt) and not (a.debt and a.collateral) for b, a in left)

    @property
    def sold_part(self) -> int:
        """Collateral seized, WAD of all that there was."""
        return self.seized * WAD // sum(one.collateral for one in self.positions_before)

    def loss_by_borrower(self) -> list[int]:
        """What each borrower's equity lost but for interest, in units of 1e-36 wei.

        Counted at the fundamental price, before and after: a depeg that heals takes nothing by
        itself. Who is written off has lost all of its equity and no more.
        """
        taken: dict[str, int] = defaultdict(int)
        for one in self.taken:
            relieved = (one.done.repaid + one.done.bad_debt) * PRICE_SCALE
            taken[one.done.owner] += one.done.seized * self.price_after - relieved
        fall = self.price_before - self.price_after
        return [
            position.collateral * fall + taken[owner]
            for owner, position in zip(self.owners, self.positions_before, strict=True)
        ]

    def equity_before(self) -> list[int]:
        """Each borrower's equity at the start, in units of 1e-36 wei."""
        return [position.equity(self.price_before) for position in self.positions_before]

    def loss_parts(self) -> list[int]:
        """What each borrower lost, WAD of its equity, rounded up."""
        pairs = zip(self.loss_by_borrower(), self.equity_before(), strict=True)
        return [-(-loss * WAD // equity) for loss, equity in pairs]

    def reconcile(self) -> Reconciliation:
        """Who bears what, for a scenario in which no time passes."""
        before, after = self.books_before, self.books_after
        collateral_before = sum(one.collateral for one in self.positions_before)
        collateral_after = sum(one.collateral for one in self.positions_after)
        equity_before = collateral_before * self.price_before - before.borrowed * PRICE_SCALE
        equity_after = collateral_after * self.price_after - after.borrowed * PRICE_SCALE
        return Reconciliation(
            slashed=collateral_before * (self.price_before - self.price_after),
            liquidators=self.got * self.price_after - self.paid * PRICE_SCALE,
            borrowers=equity_before - equity_after,
            fee_claim=(before.fee_claim - after.fee_claim) * PRICE_SCALE,
            lenders=(sum(before.lenders) - sum(after.lenders)) * PRICE_SCALE,
            dust=(after.dust - before.dust) * PRICE_SCALE,
        )

    def who_bears_it(self) -> dict[str, int]:
        """The reconciliation line by line in wei; a sum's name begins with "=".

        Each line is rounded down, and what that loses stands in a line of its own.
        """
        found, unit = self.reconcile(), PRICE_SCALE
        claims = zip(self.books_before.lenders, self.books_after.lenders, strict=True)
        taken = {
            "collateral lost": found.slashed // unit,
            "liquidators gained": found.liquidators // unit,
        }
        borne = {
            "borrowers": found.borrowers // unit,
            "protocol's claim": found.fee_claim // unit,
            **{f"lender {index}": was - now for index, (was, now) in enumerate(claims, 1)},
        }
        rounding = sum(taken.values()) - sum(borne.values())
        return {
            **taken,
            "= to be borne": sum(taken.values()),
            **borne,
            "rounding of lines": rounding,
            "= borne": sum(borne.values()) + rounding,
        }

    def checks(self) -> list[Check]:
        """What must hold at any venue, whatever happened."""
        before, after = self.books_before, self.books_after
        debts_after = sum(one.debt for one in self.positions_after)
        collateral_after = sum(one.collateral for one in self.positions_after)
        handed_over = before.collateral - after.collateral
        owed = after.supplied - before.supplied
        rows: tuple[tuple[str, int, str, int], ...] = (
            ("collateral left = what the market holds", collateral_after, "=", after.collateral),
            ("collateral handed over = what liquidators got", handed_over, "=", self.got),
            ("debt repaid = what liquidators paid", self.repaid, "=", self.paid),
            ("cash gained = what liquidators paid", after.cash - before.cash, "=", self.paid),
            ("cash = supplied - borrowed", after.cash, "=", after.supplied - after.borrowed),
            ("supplied rose by interest - bad debt", owed, "=", self.interest - self.bad_debt),
            ("all debt <= sum of debts", after.borrowed, "<=", debts_after),
            (
                "sum of debts <= all debt + a wei each",
                debts_after,
                "<=",
                after.borrowed + len(self.owners),
            ),
            ("sum of claims <= supplied", after.supplied - after.dust, "<=", after.supplied),
            ("what claims leave <= a wei each", after.dust, "<=", len(after.lenders) + 2),
        )
        return [
            Check(f"{self.venue}: {sentence}", left, relation, right)
            for sentence, left, relation, right in rows
        ]
