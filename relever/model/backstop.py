"""The backstop pool: buys seized LRT below its worth, has it redeemed by the queue, shares gains.

The pool owns WETH and lots that will become WETH: LRT that is not queued yet, each claim on the
queue, and wstETH that waits for a buyer. A lot's worth is the wstETH that the queue would pay for
it now, at stETH per wstETH; at the least it brings half a per cent less, which is the most that a
sale may lose. Who leaves gets the low mark: each lot at its cost or at that least, where that is
less, and realised gains as they unlock, which meet losses first. Who joins pays the high mark:
all there is, less what those who wait in the line would get of it now. Where two lots become one,
each is written down to its least first.

The line is paid from the head, each exit the lesser of the low marks at request and at payment, and
nobody else takes the cash that it waits for. After a quarantine in the vault nobody joins any more
and nothing is bought.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from relever.model.profit import LockedProfit
from relever.model.queue import QUEUE, Queue, Request
from relever.model.refused import require
from relever.model.rounding import MAX_UINT256, WAD
from relever.model.shares import LARGEST, VIRTUAL, Price
from relever.model.tokens import NOBODY, SNEKMATE, Erc20

# The pool's own account, in its share token and at the vault.
BACKSTOP = "backstop"
DEAD = "dead"
SEED = 10**15
# A sale of wstETH loses half a per cent at the most, and that after a week.
MAX_SALE_LOSS = 5 * 10**15
SALE_WINDOW = 7 * 86_400
MAX_DISCOUNT = 5 * 10**16
MAX_PAUSE = 3 * 86_400
MIN_EXIT = 10**15
MAX_WALK = 128
MAX_CLAIMS = 16


class Market(Protocol):
    """Where wstETH is sold for WETH: at what rate in WAD, and how much of it."""

    def sell(self, amount: int, min_rate: int) -> tuple[int, int]:
        """Returns what is taken, and the WETH for it: nothing below the rate."""


class LstRate(Protocol):
    """What says how much stETH a wstETH is, in WAD."""

    @property
    def rate(self) -> int: ...


@dataclass
class Exit:
    """One in the line: what waits, and what that was worth when it was asked for."""

    receiver: str
    shares: int
    worth: int


@dataclass
class Lot:
    """Something that will be wstETH, what it cost, and what of that it is worth now."""

    cost: int
    wsteth: int


@dataclass
class Terms:
    """Set by the owner (the discount, in WAD) or fixed at creation."""

    discount: int
    sale_loss: int
    unlock_period: int


@dataclass
class Backstop:
    """The pool of one vault; `lst` says what stETH a wstETH is."""

    queue: Queue
    terms: Terms
    lst: LstRate
    shares: Erc20 = field(default_factory=lambda: Erc20(SNEKMATE))
    cash: int = SEED
    unqueued: int = 0
    unqueued_cost: int = 0
    # By the queue's id: what is left of the cost. In the order of the pool's list.
    claims: dict[int, int] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    wsteth: int = 0
    wsteth_cost: int = 0
    wsteth_since: int = 0
    exits: dict[int, Exit] = field(default_factory=dict)
    head: int = 1
    least_rate: int = 0
    paused_until: int = 0
    pause_again_from: int = 0
    profit: LockedProfit = field(init=False)

    def __post_init__(self) -> None:
        self.profit = LockedProfit(self.terms.unlock_period)
        self.shares.mint(DEAD, SEED)

    # What there is

    @property
    def now(self) -> int:
        return self.queue.vault.clock.time

    @property
    def supply(self) -> int:
        return sum(self.shares.balances.values())

    @property
    def locked(self) -> int:
        return self.profit.at(self.now)

    @property
    def next_id(self) -> int:
        return len(self.exits) + 1

    @property
    def waiting(self) -> list[Exit]:
        return [one for one in self.exits.values() if one.shares]

    @property
    def waiting_shares(self) -> int:
        return sum(one.shares for one in self.waiting)

    @property
    def waiting_worth(self) -> int:
        return sum(one.worth for one in self.waiting)

    @property
    def free(self) -> int:
        """Cash that the line does not wait for."""
        return max(0, self.cash - self.waiting_worth)

    def lots(self, leaving: bool) -> list[Lot]:
        """Each with the wstETH that it is worth; if leaving, as if visible slashes had fallen."""
        lots = [Lot(self.wsteth_cost, self.wsteth)]
        if self.unqueued:
            lots.append(Lot(self.unqueued_cost, self._due(self.unqueued, MAX_UINT256, leaving)))
        for claim in self.order:
            request = self.queue.requests[claim]
            wsteth = request.claimable
            if request.shares:
                wsteth += self._due(request.shares, request.worth, leaving)
            lots.append(Lot(self.claims[claim], wsteth))
        return lots

    def worth(self, wsteth: int) -> int:
        """At stETH per wstETH, rounded down."""
        return wsteth * self.lst.rate // WAD

    def least(self, wsteth: int) -> int:
        """What a sale brings in any case."""
        return self.worth(wsteth) * (WAD - MAX_SALE_LOSS) // WAD

    @property
    def booked(self) -> int:
        """Everything at cost, without what is locked."""
        cost = self.unqueued_cost + self.wsteth_cost + sum(self.claims.values())
        return max(0, self.cash + cost - self.locked)

    @property
    def low(self) -> int:
        """For who leaves."""
        lots = self.lots(leaving=True)
        cost = sum(lot.cost for lot in lots)
        loss = sum(max(0, lot.cost - self.least(lot.wsteth)) for lot in lots)
        return max(0, self.cash + cost - max(self.locked, loss))

    @property
    def high(self) -> int:
        """For who joins, the line included."""
        return self.cash + sum(self.worth(lot.wsteth) for lot in self.lots(leaving=False))

    @property
    def low_price(self) -> Price:
        return Price(self.low, self.supply)

    @property
    def joining(self) -> Price:
        """What prices a deposit."""
        self._check_no_quarantine()
        total, waiting = self.high, self.waiting_shares
        if waiting:
            owed = min(self.low_price.assets_down(waiting), waiting * self.least_rate // WAD)
            total = max(0, total - owed)
        return Price(total, self.supply - waiting)

    # Buying, and what becomes of it

    def quote(self, amount: int) -> int:
        """WETH for so much LRT."""
        self._check_no_quarantine()
        require(self.now >= self.paused_until, "backstop: paused")
        require(self.now >= self.queue.vault.paused_until, "backstop: vault is paused")
        require(self.free > SEED, "backstop: not enough cash")
        worth = self.worth(self._due(amount, MAX_UINT256, leaving=True))
        paid = worth * (WAD - self.terms.discount) // WAD
        require(paid > 0, "backstop: zero amount")
        require(paid + SEED <= self.free, "backstop: not enough cash")
        return paid

    def buy(self, seller: str, amount: int) -> int:
        """The liquidator sells what it has just seized."""
        paid = self.quote(amount)
        if self.unqueued:
            least = self.least(self._due(self.unqueued, MAX_UINT256, leaving=True))
            loss = max(0, self.unqueued_cost - least)
            self.unqueued_cost -= loss
            self._settle(0, loss)
        self.cash -= paid
        self.unqueued += amount
        self.unqueued_cost += paid
        self.queue.vault.lrt.transfer_from(BACKSTOP, seller, BACKSTOP, amount)
        self._pay(seller, paid)
        return paid

    def enqueue(self) -> int:
        """All LRT becomes one claim; returns its id."""
        require(self.unqueued > 0, "backstop: nothing to queue")
        require(len(self.order) < MAX_CLAIMS, "backstop: too many claims")
        self.queue.vault.lrt.approve(BACKSTOP, QUEUE, self.unqueued)
        claim = self.queue.request(BACKSTOP, self.unqueued)
        self.order.append(claim)
        self.claims[claim] = self.unqueued_cost
        self.unqueued = self.unqueued_cost = 0
        return claim

    def harvest(self, claims: Iterable[int], market: Market) -> int:
        """Collect what is paid, one after the other, then sell; returns the WETH."""
        lost = sum([self._collect(claim) for claim in claims])
        received = gain = 0
        if self.wsteth:
            sold, received = market.sell(self.wsteth, self.min_rate)
            cost = self.wsteth_cost * sold // self.wsteth
            self.wsteth -= sold
            self.wsteth_cost -= cost
            self.cash += received
            gain = max(0, received - cost)
            lost += max(0, cost - received)
        self._settle(gain, lost)
        return received

    @property
    def min_rate(self) -> int:
        """WETH per wstETH in WAD below which nothing is sold; less and less for a week."""
        waited = min(self.now - self.wsteth_since, SALE_WINDOW)
        start = self.terms.sale_loss
        loss = start + (MAX_SALE_LOSS - start) * waited // SALE_WINDOW
        return -(-self.lst.rate * (WAD - loss) // WAD)

    def recover(self, held: int) -> int:
        """Book the wstETH that is there and in no book; returns it."""
        found = held - self.wsteth
        require(found > 0, "backstop: nothing to recover")
        self._settle(0, self._put(found, 0))
        return found

    # Coming and going

    def deposit(self, who: str, assets: int, receiver: str = "") -> int:
        price = self.joining
        shares = price.shares_down(assets)
        self._enter(who, assets, shares, price, receiver or who)
        return shares

    def mint(self, who: str, shares: int, receiver: str = "") -> int:
        price = self.joining
        assets = price.assets_up(shares)
        self._enter(who, assets, shares, price, receiver or who)
        return assets

    def withdraw(self, who: str, assets: int, receiver: str = "", sender: str = "") -> int:
        shares = self.low_price.shares_up(assets)
        self._leave(who, assets, shares, receiver or who, sender or who)
        return shares

    def redeem(self, who: str, shares: int, receiver: str = "", sender: str = "") -> int:
        assets = self.low_price.assets_down(shares)
        self._leave(who, assets, shares, receiver or who, sender or who)
        return assets

    def request_exit(self, who: str, shares: int, receiver: str = "", sender: str = "") -> int:
        """Wait in the line; returns the exit's id."""
        if sender and sender != who:
            self.shares.spend(who, sender, shares)
        receiver = receiver or who
        price = self.low_price
        require(receiver not in (NOBODY, BACKSTOP), "backstop: receiver")
        worth = price.assets_down(shares)
        require(worth > 0, "backstop: worth nothing")
        whole = shares == self.shares.balances[who]
        require(worth >= MIN_EXIT or whole, "backstop: exit too small")
        rate = worth * WAD // shares
        self.least_rate = min(self.least_rate, rate) if self.waiting else rate
        self.shares.transfer(who, BACKSTOP, shares)
        number = self.next_id
        self.exits[number] = Exit(receiver, shares, worth)
        return number

    def serve(self, most: int, sender: str) -> list[tuple[str, int]]:
        """Pay from the head; returns who was paid what."""
        price, paid, burnt = self.low_price, [], 0
        seen, unseen = (
            sum(self.worth(lot.wsteth) for lot in self.lots(leaving)) for leaving in (True, False)
        )
        for _ in range(min(most, MAX_WALK)):
            if self.head == self.next_id:
                break
            one = self.exits[self.head]
            if seen != unseen and one.receiver != sender:
                break
            shares, worth, due = self._part(one, price)
            if shares == 0:
                break
            one.shares -= shares
            one.worth -= worth
            self.cash -= due
            burnt += shares
            paid.append((one.receiver, due))
            self._pay(one.receiver, due)
            if one.shares:
                break
            self.head += 1
        self.shares.burn(BACKSTOP, burnt)
        return paid

    def max_deposit(self) -> int:
        price = self.joining
        most = min(max(0, LARGEST - price.total), price.assets_down(LARGEST - self.supply))
        return most if price.shares_down(most) else 0

    def max_mint(self) -> int:
        price = self.joining
        room = max(0, LARGEST - price.total)
        return min(LARGEST - self.supply, price.shares_down(room))

    def max_withdraw(self, who: str) -> int:
        return min(self.free, self.low_price.assets_down(self.shares.balances[who]))

    def max_redeem(self, who: str) -> int:
        """The most shares that free cash pays for."""
        price, shares = self.low_price, self.shares.balances[who]
        if price.assets_down(shares) > self.free:
            shares = price.shares_up(self.free + 1) - 1
        return shares if price.assets_down(shares) else 0

    # Settings

    def set_discount(self, discount: int) -> None:
        require(MAX_SALE_LOSS <= discount <= MAX_DISCOUNT, "backstop: discount")
        self.terms.discount = discount

    def pause(self, duration: int) -> None:
        require(0 < duration <= MAX_PAUSE, "backstop: pause duration")
        require(self.now >= self.pause_again_from, "backstop: paused lately")
        self.paused_until = self.now + duration
        self.pause_again_from = self.paused_until + duration

    # How

    def _due(self, shares: int, worth: int, leaving: bool) -> int:
        """WstETH that the queue would pay for LRT that was worth so much at request."""
        vault = self.queue.vault
        expected = vault.pocket.expected
        price = Price(vault.live_total(leaving), vault.supply)
        assets = min(worth, price.plus(expected).assets_down(shares))
        return max(0, assets - -(-expected * shares // (price.supply + VIRTUAL)))

    def _check_no_quarantine(self) -> None:
        had = any(adapter.in_quarantine for adapter in self.queue.vault.adapters.values())
        require(not had, "backstop: winding down")

    def _collect(self, claim: int) -> int:
        """Take what the queue has set aside for a claim; returns what that is short of its cost."""
        require(claim in self.order, "backstop: not an open claim")
        request: Request = self.queue.requests[claim]
        if not request.claimable_shares:
            return 0
        whole = request.claimable_shares + request.shares
        cost = self.claims[claim] * request.claimable_shares // whole
        self.claims[claim] -= cost
        if not request.shares:
            # The last takes the place of one that is done.
            last = self.order.pop()
            if last != claim:
                self.order[self.order.index(claim)] = last
            del self.claims[claim]
        return self._put(self._claim(claim), cost)

    def _put(self, amount: int, cost: int) -> int:
        """WstETH that waits becomes younger by what is new, in proportion; returns the loss."""
        if amount:
            waited = (self.now - self.wsteth_since) * self.wsteth // (self.wsteth + amount)
            self.wsteth_since = self.now - waited
        kept = min(self.wsteth_cost, self.least(self.wsteth)) + min(cost, self.least(amount))
        loss = self.wsteth_cost + cost - kept
        self.wsteth += amount
        self.wsteth_cost = kept
        return loss

    def _settle(self, gain: int, loss: int) -> None:
        """A loss meets what was locked before, not the gain beside it."""
        if gain or loss:
            self.profit.book(self.now, gain, loss)

    def _enter(self, who: str, assets: int, shares: int, price: Price, receiver: str) -> None:
        require(assets > 0, "backstop: zero assets")
        require(shares > 0, "backstop: zero shares")
        require(assets <= LARGEST - price.total, "backstop: asset limit")
        require(shares <= LARGEST - self.supply, "backstop: supply limit")
        self.cash += assets
        self._take(who, assets)
        self.shares.mint(receiver, shares)

    def _leave(self, who: str, assets: int, shares: int, receiver: str, sender: str) -> None:
        require(assets > 0, "backstop: zero assets")
        require(assets <= self.free, "backstop: not enough cash")
        if sender != who:
            self.shares.spend(who, sender, shares)
        self.cash -= assets
        self.shares.burn(who, shares)
        self._pay(receiver, assets)

    def _part(self, one: Exit, price: Price) -> tuple[int, int, int]:
        """Shares of an exit that cash pays for, their worth at request, what is paid for them."""
        due = min(one.worth, price.assets_down(one.shares))
        if due <= self.cash:
            return one.shares, one.worth, due
        shares = one.shares * self.cash // due
        worth = one.worth * shares // one.shares
        due = min(worth, price.assets_down(shares))
        return (shares, worth, due) if due else (0, 0, 0)

    # What moves, where tokens do

    def _take(self, payer: str, assets: int) -> None:
        """WETH comes in."""

    def _pay(self, receiver: str, assets: int) -> None:
        """WETH goes out."""

    def _claim(self, claim: int) -> int:
        """WstETH that the queue has set aside comes in; returns it."""
        return self.queue.claim(claim, BACKSTOP)
