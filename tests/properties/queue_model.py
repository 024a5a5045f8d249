"""Vault and withdrawal queue in exact integers, written from their description.

Amounts in smallest units, times in seconds. What the contracts refuse raises `Refused` with the
reason that they must give; the model is worth nothing after that: work on a copy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

WAD = 10**18
VIRTUAL = 10**9
SEED = 10**15
MIN_SHARES = 10**16
MIN_PULL = WAD


class Refused(Exception):
    """The contracts must revert with this reason."""


def require(condition: bool, reason: str) -> None:
    if not condition:
        raise Refused(reason)


def up(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


@dataclass
class Position:
    """One adapter: what it is worth live, what its exit is worth, and what the vault has booked."""

    staked: int = 0
    exiting: int = 0
    at_risk: int = 0
    booked: int = 0
    # Ids that were given, and the one exit that may be open.
    exits: int = 0
    open_exit: int | None = None

    @property
    def live(self) -> int:
        return self.staked + self.exiting


@dataclass
class Request:
    """What it was, what of it waits, and what is set aside for it."""

    controller: str
    time: int
    exits_before: int
    first_shares: int
    first_worth: int
    shares: int
    worth: int
    claimable_shares: int = 0
    claimable: int = 0
    paid: int = 0
    fills: int = 0


@dataclass
class Model:
    """Everything that vault and queue must say of themselves."""

    unlock_period: int
    patience: int
    positions: list[Position]
    balances: dict[str, int]
    idle: int = SEED
    supply: int = SEED
    locked_amount: int = 0
    unlock_end: int = 0
    locked_at: int = 0
    queue_exits: int = 0
    requests: list[Request] = field(default_factory=list)
    head: int = 0
    # Ghosts: what came in and went out, what was gained and lost.
    paid_in: int = 0
    paid_out: int = 0
    gained: int = 0
    lost: int = 0

    # Values

    @property
    def queued(self) -> int:
        return sum(request.shares for request in self.requests)

    @property
    def set_aside(self) -> int:
        return sum(request.claimable for request in self.requests)

    @property
    def booked(self) -> int:
        return sum(position.booked for position in self.positions)

    def locked(self, now: int) -> int:
        if self.locked_amount == 0 or now >= self.unlock_end:
            return 0
        span = self.unlock_end - self.locked_at
        return up(self.locked_amount * (self.unlock_end - now), span)

    def total(self, now: int, loss: int = 0, risk: int = 0) -> int:
        gross = self.idle + self.booked
        return max(0, gross - max(self.locked(now), loss) - risk)

    def live_total(self, now: int) -> int:
        """For who leaves: every loss and every visible slash taken, no gain."""
        known = [p for p in self.positions if p.booked]
        loss = sum(max(0, p.booked - p.live) for p in known)
        return self.total(now, loss, sum(min(p.live, p.at_risk) for p in known))

    def shares_for(self, assets: int, total: int) -> int:
        return assets * (self.supply + VIRTUAL) // (total + VIRTUAL)

    def worth(self, shares: int, total: int) -> int:
        return shares * (total + VIRTUAL) // (self.supply + VIRTUAL)

    def needed(self, total: int) -> int:
        return up(self.queued * (total + VIRTUAL), self.supply + VIRTUAL)

    def free(self, now: int) -> int:
        return max(0, self.idle - self.needed(self.live_total(now)))

    def rate(self, now: int) -> Fraction:
        return Fraction(self.total(now) + VIRTUAL, self.supply + VIRTUAL)

    # The vault

    def book(self, gain: int, loss: int, now: int) -> None:
        locked = max(0, self.locked(now) - loss)
        left = self.unlock_end - now if locked else 0
        if locked + gain:
            left = (locked * left + gain * self.unlock_period) // (locked + gain)
        self.locked_amount, self.unlock_end, self.locked_at = locked + gain, now + left, now

    def sync(self, now: int, positions: list[Position]) -> None:
        gain = loss = 0
        for position in positions:
            gain += max(0, position.live - position.booked)
            loss += max(0, position.booked - position.live)
            position.booked = position.live
        if gain or loss:
            self.book(gain, loss, now)
            self.gained += gain
            self.lost += loss

    def sync_known(self, now: int) -> int:
        """Who stands in the books is read by deposits and exits."""
        total = self.live_total(now)
        self.sync(now, [p for p in self.positions if p.booked])
        return total

    def sync_all(self, now: int) -> int:
        """Everyone is read by `sync`, and also counts with what is at risk."""
        loss = sum(max(0, p.booked - p.live) for p in self.positions)
        total = self.total(now, loss, sum(min(p.live, p.at_risk) for p in self.positions))
        self.sync(now, self.positions)
        return total

    def deposit(self, now: int, who: str, assets: int) -> None:
        loss = sum(max(0, p.booked - p.live) for p in self.positions)
        total = self.total(now, loss)
        self.sync(now, [p for p in self.positions if p.booked])
        shares = self.shares_for(assets, total)
        require(shares > 0, "vault: zero shares")
        self.idle += assets
        self.supply += shares
        self.balances[who] += shares
        self.paid_in += assets

    def redeem(self, now: int, who: str, shares: int) -> int:
        total = self.sync_known(now)
        assets = self.worth(shares, total)
        require(assets > 0, "vault: zero assets")
        require(assets <= max(0, self.idle - self.needed(total)), "vault: not enough idle")
        self.idle -= assets
        self.supply -= shares
        self.balances[who] -= shares
        self.paid_out += assets
        return assets

    def reward(self, now: int, amount: int) -> None:
        self.idle += amount
        self.book(amount, 0, now)
        self.paid_in += amount

    def allocate(self, now: int, which: int, amount: int) -> None:
        position = self.positions[which]
        total = self.total(now)
        require(amount <= self.idle, "vault: not enough idle")
        require(self.needed(total) <= self.idle - amount, "vault: queue unfunded")
        self.idle -= amount
        position.booked += amount
        position.staked += amount
        self.sync_known(now)

    def start_exit(self, now: int, which: int, amount: int) -> int:
        position = self.positions[which]
        if self.needed(self.total(now)) > self.idle:
            self.queue_exits += 1
        leaving = min(amount, position.staked)
        position.staked -= leaving
        position.exiting += leaving
        position.open_exit = position.exits
        position.exits += 1
        return position.open_exit

    def finish_exit(self, now: int, which: int) -> None:
        position = self.positions[which]
        self.sync_all(now)
        amount, position.exiting, position.open_exit = position.exiting, 0, None
        known = min(amount, position.booked)
        position.booked -= known
        self.idle += known
        if amount > known:
            self.idle += amount - known
            self.book(amount - known, 0, now)
            self.gained += amount - known
        self.sync_all(now)

    # The queue

    def request(self, now: int, who: str, shares: int) -> None:
        require(shares >= MIN_SHARES or shares == self.balances[who], "queue: request too small")
        worth = self.worth(shares, self.sync_all(now))
        require(worth > 0, "queue: worth nothing")
        self.balances[who] -= shares
        self.requests.append(Request(who, now, self.queue_exits, shares, worth, shares, worth))

    def settle(self, now: int, burnt: int, assets: int) -> None:
        worth = self.worth(burnt, self.total(now))
        self.idle -= assets
        self.supply -= burnt
        if worth > assets:
            self.book(worth - assets, 0, now)

    def cancel(self, now: int, which: int, sender: str) -> None:
        request = self.requests[which]
        require(sender == request.controller, "queue: not for this account")
        require(request.shares > 0, "queue: nothing waits")
        fee = up(request.shares, 1000) if request.exits_before != self.queue_exits else 0
        self.balances[sender] += request.shares - fee
        request.shares = request.worth = 0
        if fee:
            self.settle(now, fee, 0)

    def finalize(self, now: int, most: int) -> list[tuple[Request, int, int, Fraction]]:
        """@return What was filled: request, shares, assets, and the assets due by the two rates."""
        if self.head == len(self.requests) or most == 0:
            return []
        total, left, filled = self.sync_all(now), self.idle, []
        for _ in range(most):
            if self.head == len(self.requests):
                break
            request = self.requests[self.head]
            shares, worth = request.shares, request.worth
            assets = min(worth, self.worth(shares, total))
            if assets > left:
                shares = shares * left // assets
                worth = request.worth * shares // request.shares
                assets = min(worth, self.worth(shares, total))
                if assets == 0:
                    break
            if shares:
                due = min(
                    Fraction(shares * request.first_worth, request.first_shares),
                    Fraction(shares * (total + VIRTUAL), self.supply + VIRTUAL),
                )
                filled.append((request, shares, assets, due))
            request.shares -= shares
            request.worth -= worth
            request.claimable_shares += shares
            request.claimable += assets
            request.paid += assets
            request.fills += shares > 0
            left -= assets
            if request.shares:
                break
            self.head += 1
        burnt = sum(shares for _, shares, _, _ in filled)
        if burnt:
            self.settle(now, burnt, sum(assets for _, _, assets, _ in filled))
        return filled

    def claim(self, which: int, sender: str) -> int:
        request = self.requests[which]
        require(sender == request.controller, "queue: not for this account")
        require(request.claimable_shares > 0, "queue: nothing to claim")
        amount = request.claimable
        request.claimable = request.claimable_shares = 0
        self.paid_out += amount
        return amount

    def pull_back(self, now: int, which: int, amount: int) -> int:
        while self.head < len(self.requests) and not self.requests[self.head].shares:
            self.head += 1
        require(self.head < len(self.requests), "queue: nothing waits")
        require(now - self.requests[self.head].time >= self.patience, "queue: not overdue")
        needed = self.needed(self.sync_all(now))
        coming = self.idle + sum(position.exiting for position in self.positions)
        pulled = min(amount, max(0, needed - coming))
        require(pulled > 0, "queue: nothing missing")
        small = pulled < MIN_PULL and self.positions[which].exiting > 0
        require(not small, "queue: exit too small")
        self.start_exit(now, which, pulled)
        return pulled
