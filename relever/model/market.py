"""The lending market: lenders' shares of one loan token, borrowers' positions in one collateral.

Lenders hold shares of what all borrowers owe and of what is not lent out; borrowers hold
collateral and shares of the debt. Interest and written-off debt change both sides alike, so that
the difference is the cash. Every conversion counts a million virtual shares and one virtual unit,
and is rounded against who acts.

Accounts are names. Tokens move in `loan` and `collateral`, where a balance may fall below zero:
whether somebody can pay is the token's business. Prices are below 2**140.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from relever.model import health, interest
from relever.model.clock import Clock
from relever.model.health import ceil_div
from relever.model.refused import require
from relever.model.rounding import WAD
from relever.model.rule import Rule

# The market's own name as an account, and nobody's.
MARKET = "market"
NOBODY = "nobody"
# The widths of assets, shares and caps in the market's words, and of a position's collateral.
MAX_ASSETS = 2**90 - 1
MAX_SHARES = 2**110 - 1
MAX_CAP = 2**88 - 1
MAX_COLLATERAL = 2**112 - 1
UNLIMITED = 2**256 - 1
HOUR, DAY = 3_600, 86_400
MAX_FEE = 25 * 10**16
FEE_STEP = 10**12
# Lenders may lose a hundredth of what they are owed in a day before borrowing halts; losses count
# in 7,200ths of that, and fade one in twelve seconds.
HALT_DIVISOR = 100
STEP, STEPS_A_DAY = 12, 7_200


@dataclass(frozen=True)
class Terms:
    """What never changes. Ratios in WAD, `min_debt` in loan units."""

    max_ltv: int
    threshold: int
    target_health: int
    base_bonus: int
    max_bonus: int
    min_debt: int
    deleverage_share: int


class Prices(Protocol):
    """What a market asks its oracle."""

    @property
    def fundamental(self) -> int:
        """By which health is measured."""
        ...

    @property
    def hand_over(self) -> int:
        """At which collateral changes hands in a liquidation."""
        ...

    def price(self) -> int:
        """For who takes a risk."""
        ...


@dataclass
class Oracle:
    """Prices that are set, and whether the feed of the market price can be used."""

    fundamental: int
    market: int
    usable: bool = True

    def price(self) -> int:
        """For who takes a risk."""
        require(self.usable, "oracle: stale feed")
        return min(self.fundamental, self.market)

    @property
    def hand_over(self) -> int:
        """At which collateral changes hands in a liquidation."""
        return min(self.fundamental, self.market) if self.usable else self.fundamental


@dataclass
class Pool:
    """Assets and the shares of them."""

    assets: int = 0
    shares: int = 0

    def shares_down(self, assets: int) -> int:
        return assets * (self.shares + 10**6) // (self.assets + 1)

    def shares_up(self, assets: int) -> int:
        return ceil_div(assets * (self.shares + 10**6), self.assets + 1)

    def assets_down(self, shares: int) -> int:
        return shares * (self.assets + 1) // (self.shares + 10**6)

    def assets_up(self, shares: int) -> int:
        return ceil_div(shares * (self.assets + 1), self.shares + 10**6)


@dataclass
class Books:
    """The totals as they stood at `updated`."""

    updated: int
    supply: Pool = field(default_factory=Pool)
    borrow: Pool = field(default_factory=Pool)
    rate_code: int = interest.INITIAL_CODE

    @property
    def cash(self) -> int:
        return self.supply.assets - self.borrow.assets


@dataclass(frozen=True)
class Caps:
    """Caps in loan units, the protocol's part of interest in WAD."""

    supply: int = 0
    borrow: int = 0
    fee: int = 0


@dataclass
class Losses:
    """What lenders lost of late, as the step at which it will have faded; and whether it was much.

    Much losses halt borrowing for a day; for another day none counts.
    """

    faded: int = 0
    halt: bool = False

    def left(self, now: int) -> int:
        return max(0, self.faded - now // STEP)

    def add(self, now: int, loss: int, supplied: int) -> None:
        """`supplied` is what lenders were owed before."""
        left = self.left(now)
        if self.halt and left:
            return
        left += loss * HALT_DIVISOR * STEPS_A_DAY // max(1, supplied)
        self.halt = left >= STEPS_A_DAY
        self.faded = now // STEP + (2 * STEPS_A_DAY if self.halt else left)

    def halted_until(self, now: int) -> int:
        """When borrowing may begin again; 0 when it is not halted."""
        halted = self.halt and self.left(now) > STEPS_A_DAY
        return (self.faded - STEPS_A_DAY) * STEP if halted else 0


@dataclass
class Position:
    """One borrower's collateral, shares of the debt, and what of it was deleveraged, and when."""

    collateral: int = 0
    debt_shares: int = 0
    deleveraged: int = 0
    deleveraged_at: int = 0


@dataclass(frozen=True)
class Liquidation:
    """What a liquidation did."""

    repaid: int
    seized: int
    bad_debt: int
    lenders_loss: int
    deleverage: bool


@dataclass(frozen=True)
class Size:
    """What a liquidation repays and seizes, as long as nothing else happens."""

    repaid: int
    seized: int
    deleverage: bool = False


@dataclass
class Market:
    """Everything that the market accounts for."""

    clock: Clock
    terms: Terms
    oracle: Prices
    # Its factory's.
    rule: Rule
    books: Books = field(default_factory=lambda: Books(0))
    caps: Caps = field(default_factory=Caps)
    shares: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    allowances: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    positions: dict[str, Position] = field(default_factory=lambda: defaultdict(Position))
    managers: set[tuple[str, str]] = field(default_factory=set)
    nonces: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    # Fee shares asked for, and when.
    requested: tuple[int, int] = (0, 0)
    losses: Losses = field(default_factory=Losses)
    loan: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    collateral: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        self.books.updated = self.books.updated or self.clock.time

    # Interest

    def accrued(self) -> tuple[Books, int, int]:
        """The totals with interest until now, that interest, and the protocol's shares of it."""
        was, now = self.books, self.clock.time
        if was.updated == now:
            return self._copy(was), 0, 0
        supply, borrow = was.supply, was.borrow
        earned, code = interest.accrue(
            was.rate_code, borrow.assets, supply.assets, now - was.updated
        )
        earned = min(earned, MAX_ASSETS - supply.assets)
        books = Books(
            now,
            Pool(supply.assets + earned, supply.shares),
            Pool(borrow.assets + earned, borrow.shares),
            code,
        )
        fee = earned * self.caps.fee // WAD
        fee_shares = Pool(books.supply.assets - fee, supply.shares).shares_down(fee)
        fee_shares = min(fee_shares, MAX_SHARES - supply.shares)
        books.supply.shares += fee_shares
        return books, earned, fee_shares

    def accrue(self) -> None:
        """Book the interest until now."""
        self.books, _, fee_shares = self.accrued()
        self.shares[MARKET] += fee_shares

    # Lenders

    def deposit(self, caller: str, assets: int, receiver: str) -> int:
        """Lend exactly so much; returns the shares."""
        self.accrue()
        minted = self.books.supply.shares_down(assets)
        self._lend(caller, assets, minted, receiver)
        return minted

    def mint(self, caller: str, shares: int, receiver: str) -> int:
        """Lend for exactly so many shares; returns the assets."""
        self.accrue()
        assets = self.books.supply.assets_up(shares)
        self._lend(caller, assets, shares, receiver)
        return assets

    def withdraw(self, caller: str, assets: int, receiver: str, owner: str) -> int:
        """Take out exactly so much; returns the shares burned."""
        self.accrue()
        burned = self.books.supply.shares_up(assets)
        self._take_out(caller, assets, burned, receiver, owner)
        return burned

    def redeem(self, caller: str, shares: int, receiver: str, owner: str) -> int:
        """Burn exactly so many shares; returns the assets."""
        self.accrue()
        assets = self.books.supply.assets_down(shares)
        self._take_out(caller, assets, shares, receiver, owner)
        return assets

    def max_deposit(self) -> int:
        """Room under the supply cap and the shares' width."""
        supply = self.accrued()[0].supply
        countable = supply.assets_down(MAX_SHARES - supply.shares)
        return min(max(0, self.caps.supply - supply.assets), countable)

    def max_mint(self) -> int:
        return self.accrued()[0].supply.shares_down(self.max_deposit())

    def max_withdraw(self, owner: str) -> int:
        books = self.accrued()[0]
        return min(books.supply.assets_down(self.shares[owner]), books.cash)

    def max_redeem(self, owner: str) -> int:
        """Shares worth at least a unit."""
        books = self.accrued()[0]
        most = min(self.shares[owner], books.supply.shares_down(books.cash))
        return most if books.supply.assets_down(most) else 0

    def transfer(self, caller: str, receiver: str, amount: int) -> None:
        self._move(caller, receiver, amount)

    def transfer_from(self, caller: str, owner: str, receiver: str, amount: int) -> None:
        self._spend_allowance(caller, owner, amount)
        self._move(owner, receiver, amount)

    def approve(self, caller: str, spender: str, amount: int) -> None:
        self.allowances[caller, spender] = amount

    # Positions

    def debt(self, owner: str) -> int:
        """With interest until now, rounded up."""
        return self.accrued()[0].borrow.assets_up(self.positions[owner].debt_shares)

    def supply_collateral(self, caller: str, amount: int, owner: str) -> None:
        """Add collateral to anyone's position; interest is not booked."""
        self.adjust(caller, owner, amount, 0, NOBODY)

    def withdraw_collateral(self, caller: str, amount: int, owner: str, receiver: str) -> None:
        self.adjust(caller, owner, -amount, 0, receiver)

    def borrow(self, caller: str, amount: int, owner: str, receiver: str) -> None:
        self.adjust(caller, owner, 0, amount, receiver)

    def repay(self, caller: str, amount: int, owner: str) -> int:
        """Returns what was repaid: the debt at most."""
        had = self.loan[caller]
        self.adjust(caller, owner, 0, -amount, NOBODY)
        return had - self.loan[caller]

    def adjust(
        self,
        caller: str,
        owner: str,
        collateral_delta: int,
        debt_delta: int,
        receiver: str,
        answer: int | Callable[[int], int] | None = None,
    ) -> tuple[int, int]:
        """Change a position; returns its collateral and debt.

        `answer` is what the caller's callback answers, or the callback itself, which is told by how
        much the debt changes: the collateral to pull in, where none is paid out. What it sends is
        paid in, too.
        """
        if collateral_delta < 0 or debt_delta > 0:
            allowed = caller == owner or (owner, caller) in self.managers
            require(allowed, "market: not authorized")
            require(receiver not in (NOBODY, MARKET), "market: receiver")
        position = self.positions[owner]
        had, owed = position.collateral, self.debt(owner)
        if debt_delta > 0:
            self.accrue()
            self._borrow(position, debt_delta)
        elif debt_delta < 0:
            self.accrue()
            repaid = min(-debt_delta, owed)
            self._settle(repaid, self._burn(position, repaid, whole=repaid == owed))
        settled = max(debt_delta, -owed)
        debt = self.debt(owner)

        paid_out = max(0, -collateral_delta)
        paid_in = max(0, collateral_delta)
        require(paid_out <= had, "market: not enough collateral")
        require(had + paid_in <= MAX_COLLATERAL, "market: collateral width")
        self._pay_collateral(receiver, -paid_out)
        self._pay_loan(receiver, -max(0, settled))
        due = max(0, -settled)
        collateral_sent = loan_sent = 0
        if answer is not None:
            collateral, loan = self._holds()
            answered = answer(settled) if callable(answer) else answer
            collateral_now, loan_now = self._holds()
            loan_sent = min(due, loan_now - loan)
            if paid_out == 0:
                collateral_sent = collateral_now - collateral
                require(collateral_sent + answered >= paid_in, "market: callback short")
                paid_in = collateral_sent + answered
                require(had + paid_in <= MAX_COLLATERAL, "market: collateral width")
        position.collateral += paid_in - paid_out
        self._pay_collateral(caller, paid_in - collateral_sent)
        self._pay_loan(caller, due - loan_sent)

        if debt_delta > 0 or debt * had > owed * position.collateral:
            price = self.oracle.price()
            require(debt >= self.terms.min_debt, "market: debt below minimum")
            worth = health.worth_down(position.collateral, price)
            require(health.within(debt, worth, self.terms.max_ltv), "market: unhealthy")
        return position.collateral, debt

    def liquidate(
        self,
        caller: str,
        owner: str,
        max_repay: int,
        min_seized: int = 0,
        callback: Callable[[int, int], None] | None = None,
    ) -> Liquidation:
        """Repay an unhealthy position's debt for its collateral; bad debt is written off.

        The callback is told what is repaid and seized, when the one is not paid but the other is.
        What it sends counts as paid.
        """
        self.accrue()
        position, debt = self.positions[owner], self.debt(owner)
        size = self.size(owner, max_repay)
        if size.deleverage:
            position.deleveraged = self._deleveraged(position, debt) + size.repaid
            position.deleveraged_at = self.clock.time
        require(size.seized >= min_seized, "market: seized too little")

        # Debt that no collateral is left for goes too.
        whole = size.repaid == debt or size.seized == position.collateral
        gone = self._burn(position, debt if whole else size.repaid, whole)
        bad_debt = self._settle(size.repaid, gone)
        lenders_loss = self._write_off(bad_debt) if bad_debt else 0
        position.collateral -= size.seized
        self._pay_collateral(caller, -size.seized)
        sent = 0
        if callback is not None:
            _, before = self._holds()
            callback(size.repaid, size.seized)
            sent = min(size.repaid, self._holds()[1] - before)
        self._pay_loan(caller, size.repaid - sent)
        return Liquidation(size.repaid, size.seized, bad_debt, lenders_loss, size.deleverage)

    def size(self, owner: str, max_repay: int) -> Size:
        """What a liquidation would repay and seize now."""
        terms, position = self.terms, self.positions[owner]
        fundamental, hand_over = self.oracle.fundamental, self.oracle.hand_over
        collateral, debt = position.collateral, self.debt(owner)
        worth = health.worth_down(collateral, fundamental)
        if health.within(debt, worth, terms.threshold):
            return self._size_deleverage(position, debt, hand_over, max_repay)
        if not health.covers(collateral, hand_over, debt, terms.base_bonus):
            whole = min(debt, health.repay_for_all_up(worth, terms.base_bonus))
            require(max_repay >= whole, "market: repay must be whole")
            return Size(whole, collateral)

        bonus = health.bonus(
            collateral, fundamental, debt, terms.threshold, terms.base_bonus, terms.max_bonus
        )
        wanted = health.repay_to_target_up(
            debt, worth, fundamental, hand_over, terms.threshold, terms.target_health, bonus
        )
        if debt - wanted < terms.min_debt:
            wanted = debt
        repaid = min(max_repay, wanted)
        if 0 < debt - repaid < terms.min_debt:
            require(debt > terms.min_debt, "market: repay must be whole")
            repaid = debt - terms.min_debt
        require(repaid > 0, "market: nothing repaid")
        return Size(repaid, health.seized_down(repaid, collateral, debt, hand_over, bonus))

    # Administration

    def set_authorization_signed(
        self, owner: str, manager: str, authorized: bool, nonce: int, deadline: int, signer: str
    ) -> None:
        """What `signer` has signed for the owner; once is enough."""
        require(self.clock.time <= deadline, "market: signature expired")
        expected = self.nonces.get(owner, 0)
        if nonce < expected:
            return
        require(nonce == expected, "market: nonce")
        require(signer == owner, "market: signature")
        self.set_authorization(owner, manager, authorized)

    def set_authorization(self, caller: str, manager: str, authorized: bool) -> None:
        """Uses a nonce up."""
        self.nonces[caller] += 1
        self._authorize(caller, manager, authorized)

    def renounce_authorization(self, caller: str, owner: str) -> None:
        self._authorize(owner, caller, False)

    def set_caps(self, caller: str, caps: Caps) -> None:
        """The owner; the guardian only lowers."""
        if caller != self.rule.owner:
            require(caller == self.rule.guardian, "market: not owner or guardian")
            lowered = caps.supply <= self.caps.supply and caps.borrow <= self.caps.borrow
            require(lowered and caps.fee == self.caps.fee, "market: guardian only lowers")
        require(max(caps.supply, caps.borrow) <= MAX_CAP, "market: cap width")
        require(caps.fee <= MAX_FEE and caps.fee % FEE_STEP == 0, "market: fee")
        self.accrue()
        self.caps = caps

    def request_fees(self, caller: str) -> int:
        """Note the protocol's shares as they are now."""
        require(caller == self.rule.owner, "market: not owner")
        self.accrue()
        self.requested = (self.shares[MARKET], self.clock.time)
        return self.shares[MARKET]

    def collect_fees(self, caller: str, receiver: str) -> int:
        """What was noted a day to two days ago, and is left."""
        require(caller == self.rule.owner, "market: not owner")
        noted, then = self.requested
        require(DAY <= self.clock.time - then < 2 * DAY, "market: fees not due")
        collected = min(noted, self.shares[MARKET])
        self.requested = (0, 0)
        self._move(MARKET, receiver, collected)
        return collected

    @property
    def halted_until(self) -> int:
        return self.losses.halted_until(self.clock.time)

    def donate(self, caller: str, loan: int = 0, collateral: int = 0) -> None:
        """Tokens that nobody accounts for."""
        self._pay_loan(caller, loan)
        self._pay_collateral(caller, collateral)

    # Inside

    @staticmethod
    def _copy(books: Books) -> Books:
        return Books(
            books.updated,
            Pool(books.supply.assets, books.supply.shares),
            Pool(books.borrow.assets, books.borrow.shares),
            books.rate_code,
        )

    def _lend(self, caller: str, assets: int, minted: int, receiver: str) -> None:
        supply = self.books.supply
        require(receiver not in (NOBODY, MARKET), "market: receiver")
        require(assets > 0 and minted > 0, "market: zero amount")
        supply.assets += assets
        supply.shares += minted
        require(supply.assets <= self.caps.supply, "market: supply cap")
        require(supply.shares <= MAX_SHARES, "market: supply width")
        self.shares[receiver] += minted
        self._pay_loan(caller, assets)

    def _take_out(self, caller: str, assets: int, burned: int, receiver: str, owner: str) -> None:
        require(receiver not in (NOBODY, MARKET), "market: receiver")
        require(assets > 0 and burned > 0, "market: zero amount")
        require(assets <= self.books.cash, "market: not enough cash")
        self._spend_allowance(caller, owner, burned)
        require(burned <= self.shares[owner], "market: not enough shares")
        self.shares[owner] -= burned
        self.books.supply.assets -= assets
        self.books.supply.shares -= burned
        self._pay_loan(receiver, -assets)

    def _spend_allowance(self, caller: str, owner: str, amount: int) -> None:
        if caller != owner and self.allowances[owner, caller] != UNLIMITED:
            require(amount <= self.allowances[owner, caller], "market: allowance")
            self.allowances[owner, caller] -= amount

    def _move(self, owner: str, receiver: str, amount: int) -> None:
        require(receiver not in (NOBODY, MARKET), "market: receiver")
        require(amount <= self.shares[owner], "market: not enough shares")
        self.shares[owner] -= amount
        self.shares[receiver] += amount

    def _authorize(self, owner: str, manager: str, authorized: bool) -> None:
        (self.managers.add if authorized else self.managers.discard)((owner, manager))

    def _holds(self) -> tuple[int, int]:
        """Collateral and loan units that lie here, whosever they are."""
        return self.collateral[MARKET], self.loan[MARKET]

    def _pay_loan(self, caller: str, amount: int) -> None:
        self.loan[caller] -= amount
        self.loan[MARKET] += amount

    def _pay_collateral(self, caller: str, amount: int) -> None:
        self.collateral[caller] -= amount
        self.collateral[MARKET] += amount

    def _borrow(self, position: Position, amount: int) -> None:
        require(amount <= self.books.cash, "market: not enough cash")
        borrow = self.books.borrow
        added = borrow.shares_up(amount)
        borrow.assets += amount
        borrow.shares += added
        position.debt_shares += added
        require(borrow.assets <= self.caps.borrow, "market: borrow cap")
        require(borrow.shares <= MAX_SHARES, "market: borrow width")
        require(self.halted_until == 0, "market: borrowing halted")
        if self.losses.left(self.clock.time) == 0:
            self.losses = Losses()

    def _burn(self, position: Position, amount: int, whole: bool) -> int:
        """Debt goes; returns how much less the borrowers owe together.

        A part burns shares rounded down, for the other borrowers. A whole debt leaves the total as
        it is, rounded up, but never so that a debt share gets cheaper than at first.
        """
        borrow = self.books.borrow
        burned = position.debt_shares if whole else borrow.shares_down(amount)
        borrow.shares -= burned
        position.debt_shares -= burned
        gone = min(amount, max(0, borrow.assets - borrow.shares // 10**6)) if whole else amount
        borrow.assets -= gone
        return gone

    def _settle(self, paid: int, gone: int) -> int:
        """Returns bad debt: what went and was not paid. What was paid above it is the lenders'."""
        supply = self.books.supply
        supply.assets = min(supply.assets + max(0, paid - gone), MAX_ASSETS)
        return max(0, gone - paid)

    def _size_deleverage(self, position: Position, debt: int, market: int, max_repay: int) -> Size:
        """Only the market price breaches the threshold: a part, at the base bonus."""
        terms = self.terms
        worth = health.worth_down(position.collateral, market)
        require(not health.within(debt, worth, terms.threshold), "market: healthy")
        covered = health.covers(position.collateral, market, debt, terms.base_bonus)
        require(covered, "market: too deep to deleverage")
        bonus = terms.base_bonus * WAD
        wanted = health.repay_to_target_up(
            debt, worth, market, market, terms.threshold, terms.target_health, bonus
        )
        capacity = debt * terms.deleverage_share // WAD
        allowed = capacity - self._deleveraged(position, debt)
        repaid = min(max_repay, wanted, allowed)
        require(repaid > 0, "market: nothing repaid")
        seized = health.seized_down(repaid, position.collateral, debt, market, bonus)
        return Size(repaid, seized, deleverage=True)

    def _deleveraged(self, position: Position, debt: int) -> int:
        """What still counts of earlier deleverages: the share at most, gone in an hour."""
        capacity = debt * self.terms.deleverage_share // WAD
        since = self.clock.time - position.deleveraged_at
        return max(0, min(position.deleveraged, capacity) - capacity * since // HOUR)

    def _write_off(self, bad_debt: int) -> int:
        """The protocol's shares pay first, then all lenders; returns what they lose."""
        supply = self.books.supply
        fee_shares = min(self.shares[MARKET], supply.shares_up(bad_debt))
        loss = bad_debt - min(bad_debt, supply.assets_down(fee_shares))
        self.shares[MARKET] -= fee_shares
        if loss:
            self.losses.add(self.clock.time, loss, supply.assets)
        supply.shares -= fee_shares
        supply.assets -= min(supply.assets, bad_debt)
        return loss
