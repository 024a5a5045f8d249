"""The leveraged token: shares of one position in the market, kept at a leverage.

Leverage is worth / (worth - debt), and whether it is above or below a figure is asked by products,
so that nothing is rounded. The worth of the collateral, rounded down to a unit, is what backs it.
Ratios are in WAD, prices scaled by 1e36.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from relever.model.health import E36, ceil_div
from relever.model.market import Market
from relever.model.refused import Refused, require
from relever.model.rounding import WAD
from relever.model.tokens import SNEKMATE, Erc20

# The token's own name as an account, and that of nobody who could redeem.
TOKEN, DEAD = "leveraged token", "dead"
YEAR = 365 * 86_400
NO_EQUITY = 2**256 - 1
# Stands for all that a rebalance may move.
MOST = 2**255
# What a caller does in the middle: told by how much collateral and debt change.
Turn = Callable[[int, int], None]


def above(worth: int, debt: int, leverage: int) -> bool:
    """Whether leverage is more than that, in WAD; so it is where debt is left and no equity."""
    if worth <= debt:
        return debt > 0
    return worth * WAD > leverage * (worth - debt)


def below(worth: int, debt: int, leverage: int) -> bool:
    """Whether it is less."""
    return worth > debt and worth * WAD < leverage * (worth - debt)


@dataclass(frozen=True)
class Terms:
    """As `ILeveragedToken.Terms`: leverage, pay, losses and the fee in WAD, times in seconds."""

    target: int
    least: int
    most: int
    danger: int
    floor: int
    step: int
    period: int
    start_discount: int
    max_pay: int
    danger_pay: int
    duration: int
    max_loss: int
    danger_loss: int
    cooldown: int
    fee: int
    fee_receiver: str


class Worth(Protocol):
    """What a unit of collateral is worth, scaled by 1e36: by the vault's books, and as it mints."""

    @property
    def booked(self) -> int: ...

    @property
    def price(self) -> int: ...


@dataclass
class Backing:
    """Rates in WAD: the vault's as booked and as it mints, None where it cannot; and the LST's."""

    rate: int
    live: int | None
    lst_rate: int

    @property
    def booked(self) -> int:
        return self.rate * self.lst_rate

    @property
    def price(self) -> int:
        return (self.rate if self.live is None else self.live) * self.lst_rate


@dataclass(frozen=True)
class Trade:
    """What a taker brings and gets, by what bid and price, and the share of the equity it takes."""

    brought: int
    got: int
    bid: int
    price: int
    paid: int


@dataclass
class LeveragedToken:
    """Everything that the token accounts for; its position is in `market`."""

    market: Market
    backing: Worth
    terms: Terms
    # Its account.
    name: str = TOKEN
    shares: Erc20 = field(default_factory=lambda: Erc20(SNEKMATE))
    created: int = 0
    fee_booked: int = 0
    # When the auction began, and which way; None where there is none.
    auction: tuple[int, bool] | None = None
    # What was paid and counted at a time.
    counted: int = 0
    counted_at: int = 0
    stepped: int = 0
    # Worth of collateral and of a debt share at the last checkpoint, and its time.
    checkpointed: tuple[int, int, int] = (0, 0, 0)

    @classmethod
    def create(
        cls, market: Market, backing: Worth, terms: Terms, deployer: str, seed: int
    ) -> LeveragedToken:
        """The deployer pays the collateral of the seed and gets what it borrows."""
        token = cls(market, backing, terms)
        token.created = token.fee_booked = token.now
        token.checkpointed = (backing.booked, token.debt_share, token.now)
        worth = seed * backing.price // E36
        borrowed = worth * (terms.target - WAD) // terms.target
        token._adjust(deployer, seed, borrowed)
        token.shares.mint(DEAD, worth - borrowed)
        return token

    # What there is

    @property
    def now(self) -> int:
        return self.market.clock.time

    @property
    def supply(self) -> int:
        """With the fee until now: the supply that was booked times the quotient of two indices."""
        year = WAD * YEAR
        then, now = (
            year + self.terms.fee * (time - self.created) for time in (self.fee_booked, self.now)
        )
        return self.minted * now // then

    @property
    def minted(self) -> int:
        """The supply without the fee that is not booked."""
        return sum(self.shares.balances.values())

    @property
    def position(self) -> tuple[int, int]:
        return self.market.positions[self.name].collateral, self.market.debt(self.name)

    @property
    def valued(self) -> tuple[int, int]:
        """Worth and debt."""
        collateral, debt = self.position
        return collateral * self.backing.price // E36, debt

    @property
    def equity(self) -> int:
        worth, debt = self.valued
        return max(0, worth - debt)

    @property
    def leverage(self) -> int:
        worth, debt = self.valued
        if worth <= debt:
            return NO_EQUITY if debt else 0
        return worth * WAD // (worth - debt)

    @property
    def band(self) -> tuple[int, int, int]:
        """Least, target and most."""
        terms, target = self.terms, self.terms.target - self.stepped
        return (
            terms.least * target // terms.target,
            target,
            terms.most * target // terms.target,
        )

    @property
    def debt_share(self) -> int:
        """What a debt share owes, scaled by 1e24."""
        borrow = self.market.accrued()[0].borrow
        return (borrow.assets + 1) * 10**24 // (borrow.shares + 10**6)

    @property
    def loss(self) -> int:
        """Share of the equity that counts as paid of late."""
        faded = self.terms.max_loss * (self.now - self.counted_at) // self.terms.cooldown
        return max(0, self.counted - faded)

    # In and out

    def preview_mint(self, shares: int) -> tuple[int, int]:
        """Collateral to pay, loan units to be had: rounded down, and one less for the market."""
        require(shares > 0, "token: zero shares")
        collateral, debt = self.position
        require(collateral > 0, "token: no collateral")
        borrowed = debt * shares // self.supply
        return ceil_div(collateral * shares, self.supply), max(0, borrowed - 1)

    def preview_redeem(self, shares: int) -> tuple[int, int]:
        """Collateral to be had, loan units to repay: rounded up, and one more for the market."""
        require(shares > 0, "token: zero shares")
        collateral, debt = self.position
        repaid = min(debt, ceil_div(debt * shares, self.supply) + 1)
        return collateral * shares // self.supply, repaid

    def mint(
        self,
        caller: str,
        shares: int,
        max_collateral: int,
        min_debt: int,
        receiver: str,
        turn: Turn | None = None,
    ) -> tuple[int, int]:
        """Exactly so many shares; returns collateral paid and loan units received."""
        self.accrue_fee()
        paid, borrowed = self.preview_mint(shares)
        require(paid <= max_collateral, "token: too much to pay")
        require(borrowed >= min_debt, "token: too little out")
        self._adjust(caller, paid, borrowed, turn)
        self.shares.mint(receiver, shares)
        return paid, borrowed

    def redeem(
        self,
        caller: str,
        shares: int,
        max_debt: int,
        min_collateral: int,
        owner: str,
        turn: Turn | None = None,
    ) -> tuple[int, int]:
        """Burn the owner's shares; returns collateral received and loan units repaid."""
        self.accrue_fee()
        received, repaid = self.preview_redeem(shares)
        require(repaid <= max_debt, "token: too much to pay")
        require(received >= min_collateral, "token: too little out")
        if owner != caller:
            self.shares.spend(owner, caller, shares)
        self.shares.burn(owner, shares)
        self._adjust(caller, -received, -repaid, turn)
        return received, repaid

    def accrue_fee(self) -> None:
        """What the supply has grown by is the receiver's."""
        fee = self.supply - self.minted
        if fee:
            self.shares.mint(self.terms.fee_receiver, fee)
        self.fee_booked = self.now

    # Back to the target

    def is_above(self, leverage: int) -> bool:
        return above(*self.valued, leverage)

    def is_below(self, leverage: int) -> bool:
        return below(*self.valued, leverage)

    def start_auction(self) -> None:
        """Out of the band only, and not while one goes on."""
        least, _, most = self.band
        lowers = self.is_above(most)
        require(lowers or self.is_below(least), "token: leverage in band")
        require(not self._runs(lowers), "token: auction runs")
        self.auction = (self.now, lowers)

    def quote_rebalance(self, lowers: bool, amount: int) -> Trade:
        """What a taker who brings so much would be served."""
        terms, price = self.terms, self.backing.price
        danger = lowers and self.is_above(terms.danger)
        least, target, most = self.band
        if not danger:
            out = self.is_above(most) if lowers else self.is_below(least)
            require(out, "token: leverage in band")
            require(self._runs(lowers), "token: no auction")
        worth, debt = self.valued
        equity = worth - debt
        require(equity > 0, "token: no equity")
        bid = WAD + terms.danger_pay if danger else self._auction_bid()
        # What rounding may take, by leverage: so much is left untouched.
        aim = most if danger else target
        slack = aim * (2 * (price // E36 + 1) + 3)
        if lowers:
            bid = min(bid, WAD + equity * WAD // (2 * debt))
            rate = bid * 10**54 // price
            room = max(0, aim * debt - (aim - WAD) * worth - slack)
            limit = room // (aim - (aim - WAD) * bid // WAD)
        else:
            rate = min(self._market_price(), price) * bid // WAD
            room = max(0, (aim - WAD) * worth - aim * debt - slack)
            limit = room // (ceil_div(aim * bid, WAD) + WAD - aim) * E36 // price
        if bid > WAD:
            allowed = max(0, (terms.danger_loss if danger else terms.max_loss) - self.loss)
            payout = allowed * equity // (bid - WAD)
            limit = min(limit, payout if lowers else payout * E36 // price)
        brought = min(amount, limit)
        got = brought * rate // E36
        if lowers:
            lost = max(0, ceil_div(got * price, E36) - brought)
        else:
            lost = max(0, got - brought * price // E36)
        return Trade(brought, got, bid, rate, ceil_div(lost * WAD, equity))

    def rebalance(
        self,
        caller: str,
        lowers: bool,
        amount: int,
        min_price: int = 0,
        turn: Turn | None = None,
    ) -> tuple[int, int]:
        """Toward the target, and never past it; returns what was brought and got."""
        trade, price = self.quote_rebalance(lowers, amount), self.backing.price
        require(trade.got > 0, "token: nothing to do")
        require(trade.price >= min_price, "token: price below bound")
        self.counted, self.counted_at = self.loss + trade.paid, self.now
        had, owed = self.position
        if lowers:
            self._adjust(caller, -trade.got, -trade.brought, turn)
        else:
            self._adjust(caller, trade.brought, trade.got, turn)
        collateral, debt = self.position
        change = debt * had - owed * collateral
        require(change < 0 if lowers else change > 0, "token: wrong way")
        # At the price that was traded at: the taker's turn may have changed what backs the LRT.
        worth = collateral * price // E36
        least, target, most = self.band
        past = below(worth, debt, target) if lowers else above(worth, debt, target)
        require(not past, "token: past the target")
        if not above(worth, debt, most) and not below(worth, debt, least):
            self.auction = None
        return trade.brought, trade.got

    def open_auction(self) -> tuple[bool, bool, int, int, int]:
        """Whether a taker is served, which way, bid, price and the most it may bring."""
        try:
            lowers = self.is_above(self.band[2])
            trade = self.quote_rebalance(lowers, MOST)
        except Refused as refusal:
            if not str(refusal).startswith("token: "):
                raise
            return False, False, 0, 0, 0
        return True, lowers, trade.bid, trade.price, trade.brought

    def checkpoint(self) -> None:
        """Step down where debt has grown by more than collateral, and else up."""
        collateral, debt, then = self.checkpointed
        now = self.backing.booked, self.debt_share
        require(self.now >= then + self.terms.period, "token: period not over")
        costly = now[1] * collateral > now[0] * debt
        if costly:
            self.stepped = min(self.stepped + self.terms.step, self.terms.target - self.terms.floor)
        else:
            self.stepped = max(0, self.stepped - self.terms.step)
        self.checkpointed = (*now, self.now)

    # Inside

    def _runs(self, lowers: bool) -> bool:
        if self.auction is None or self.auction[1] != lowers:
            return False
        return self.now - self.auction[0] < 2 * self.terms.duration

    def _auction_bid(self) -> int:
        assert self.auction is not None
        terms = self.terms
        since = min(self.now - self.auction[0], terms.duration)
        risen = (terms.start_discount + terms.max_pay) * since // terms.duration
        return WAD - terms.start_discount + risen

    def _adjust(self, caller: str, collateral: int, debt: int, turn: Turn | None = None) -> None:
        """The caller is at the other side: it gets first, has its turn, and then pays."""

        def settle(change: int) -> int:
            if turn is not None:
                turn(collateral, change)
            return self._bring(caller, max(0, collateral), max(0, -change))

        self.market.adjust(self.name, self.name, collateral, debt, caller, settle)

    def _market_price(self) -> int:
        """At which the market lends, asked without a trace."""
        return self.market.oracle.price()

    def _bring(self, caller: str, collateral: int, loan: int) -> int:
        """Take from the caller what the market gets; returns the collateral that it may pull."""
        market = self.market
        market.loan[caller] -= loan
        market.loan[self.name] += loan
        market.collateral[caller] -= collateral
        market.collateral[self.name] += collateral
        return collateral
