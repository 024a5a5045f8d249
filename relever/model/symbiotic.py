"""Symbiotic: one vault, its stake, its buckets of withdrawals, and its slasher.

Time is cut into epochs. What is withdrawn in an epoch waits in the bucket of the next one and can
be claimed when that has ended. The stake and each bucket are pools with shares of their own, and a
slash lowers what a pool holds, never its shares. It reaches the stake and the buckets that had not
matured when the fault happened, in proportion.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from relever.model.clock import Clock
from relever.model.refused import require
from relever.model.rounding import MAX_UINT256, mul_div, mul_div_up

# Epochs in which the adapter lets exits be open at once.
MAX_EXITS = 8
# Requested slashes that the adapter looks at; when more are younger than an epoch, all is at risk.
MAX_REQUESTS = 32
# What a slash can take from one account beyond its exact share, by rounding: at most two units that
# the vault moves between the pools, and two in each of three pools.
ROUNDING = 8


@dataclass
class Pool:
    """An amount that its holders share, with one unit and one share more than are there."""

    amount: int = 0
    shares: int = 0
    of: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def worth(self, who: str) -> int:
        """What somebody's shares are worth, rounded down."""
        return self.assets_for(self.of.get(who, 0))

    def assets_for(self, shares: int) -> int:
        return mul_div(shares, self.amount + 1, self.shares + 1)

    def shares_for_up(self, amount: int) -> int:
        return mul_div_up(amount, self.shares + 1, self.amount + 1)

    def add(self, who: str, amount: int) -> None:
        """Put an amount in for somebody; the shares that it gives are rounded down."""
        shares = mul_div(amount, self.shares + 1, self.amount + 1)
        require(self.shares + shares <= MAX_UINT256, "panic 0x11")
        self.amount += amount
        self.shares += shares
        self.of[who] += shares

    def take(self, who: str, amount: int, shares: int) -> None:
        """Take an amount out against somebody's shares."""
        self.amount -= amount
        self.shares -= shares
        self.of[who] -= shares


@dataclass
class SlashRequest:
    """A slash that was asked for, and may be executed after its veto window, or vetoed."""

    amount: int
    captured: int
    requested: int
    completed: bool = False


@dataclass
class SymbioticVault:
    """The vault and its slasher, in the hands of one network whose limits leave it all the stake.

    Args:
        clock: the time.
        start: when epoch 0 began.
        epoch_duration: the length of an epoch.
        veto_duration: the length of the window in which a requested slash can be vetoed; None when
            slashes are executed at once.
    """

    clock: Clock
    start: int
    epoch_duration: int
    veto_duration: int | None = None
    active: Pool = field(default_factory=Pool)
    buckets: dict[int, Pool] = field(default_factory=lambda: defaultdict(Pool))
    claimed: set[tuple[int, str]] = field(default_factory=set)
    requests: list[SlashRequest] = field(default_factory=list)
    # Stake and all that was ever slashed, each from a time on.
    stakes: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])
    slashed: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)])
    # The youngest fault that was slashed: no slash may go back behind it.
    latest_captured: int = 0

    def epoch_at(self, time: int) -> int:
        return (time - self.start) // self.epoch_duration

    @property
    def epoch(self) -> int:
        return self.epoch_at(self.clock.time)

    def bucket(self, epoch: int) -> Pool:
        """What waits for the end of an epoch; empty when nobody has withdrawn into it."""
        return self.buckets[epoch] if epoch in self.buckets else Pool()

    # Stake

    def deposit(self, who: str, amount: int) -> None:
        """Stake an amount for somebody, as anyone may."""
        require(amount > 0, "InsufficientDeposit()")
        self.active.add(who, amount)
        self._record()

    def withdraw(self, who: str, amount: int, claimer: str | None = None) -> None:
        """Move an amount from the stake into the next epoch's bucket, for oneself or another."""
        require(amount > 0, "InsufficientWithdrawal()")
        burned = self.active.shares_for_up(amount)
        require(burned <= self.active.of.get(who, 0), "TooMuchWithdraw()")
        self._leave(who, amount, burned, claimer)

    def redeem(self, who: str, shares: int) -> None:
        """The same by shares."""
        require(shares <= self.active.of.get(who, 0), "TooMuchRedeem()")
        amount = self.active.assets_for(shares)
        require(amount > 0, "InsufficientRedemption()")
        self._leave(who, amount, shares, None)

    def claim(self, who: str, epoch: int) -> int:
        """Pay what somebody has in a matured bucket, once; returns the amount."""
        require(epoch < self.epoch, "InvalidEpoch()")
        require((epoch, who) not in self.claimed, "AlreadyClaimed()")
        amount = self.bucket(epoch).worth(who)
        require(amount > 0, "InsufficientClaim()")
        self.claimed.add((epoch, who))
        return amount

    # Slashes

    def slashable(self, captured: int) -> int:
        """How much of the stake of a past time can still be slashed for it."""
        now = self.clock.time
        if not max(now - self.epoch_duration, self.latest_captured) <= captured < now:
            return 0
        since = self.slashed[-1][1] - _at(self.slashed, captured)
        return max(0, _at(self.stakes, captured) - since)

    def slash(self, amount: int, captured: int) -> int:
        """Slash at once for a fault of a past time; returns what it took."""
        now = self.clock.time
        require(now - self.epoch_duration <= captured < now, "InvalidCaptureTimestamp()")
        return self._execute(self._of_slashable(amount, captured), captured)

    def request_slash(self, amount: int, captured: int) -> int:
        """Ask for a slash; returns the request's index."""
        now = self.clock.time
        first = now + self._veto_duration - self.epoch_duration
        require(first <= captured < now, "InvalidCaptureTimestamp()")
        amount = self._of_slashable(amount, captured)
        self.requests.append(SlashRequest(amount, captured, now))
        return len(self.requests) - 1

    def execute_slash(self, index: int) -> int:
        """Execute a request after its veto window; returns what it took."""
        now, request = self.clock.time, self._request(index)
        require(request.requested + self._veto_duration <= now, "VetoPeriodNotEnded()")
        require(now - request.captured <= self.epoch_duration, "SlashPeriodEnded()")
        amount = self._of_slashable(request.amount, request.captured)
        require(not request.completed, "SlashRequestCompleted()")
        request.completed = True
        return self._execute(amount, request.captured)

    def veto_slash(self, index: int) -> None:
        """Veto a request in its window, as the resolver."""
        request = self._request(index)
        in_window = self.clock.time < request.requested + self._veto_duration
        require(in_window, "VetoPeriodEnded()")
        require(not request.completed, "SlashRequestCompleted()")
        request.completed = True

    def _request(self, index: int) -> SlashRequest:
        require(index < len(self.requests), "SlashRequestNotExist()")
        return self.requests[index]

    @property
    def _veto_duration(self) -> int:
        if self.veto_duration is None:
            raise ValueError("this vault's slashes are executed at once: use slash")
        return self.veto_duration

    def _of_slashable(self, amount: int, captured: int) -> int:
        amount = min(amount, self.slashable(captured))
        require(amount > 0, "InsufficientSlash()")
        return amount

    def _execute(self, amount: int, captured: int) -> int:
        self.latest_captured = captured
        self.slashed.append((self.clock.time, self.slashed[-1][1] + amount))
        return self._share_out(amount, captured)

    def _share_out(self, amount: int, captured: int) -> int:
        """Take a slash from the pools; the last one takes what the others' rounding leaves.

        For a fault in this epoch these are the stake and the next bucket, for one in the last epoch
        this epoch's bucket too: that had not begun to mature. What is more than a bucket holds
        falls on the next.
        """
        epoch = self.epoch
        stake, following = self.active, self.buckets[epoch + 1]
        pools = [stake, following]
        if self.epoch_at(captured) < epoch:
            pools.append(self.buckets[epoch])
        held = sum(pool.amount for pool in pools)
        amount = min(amount, held)
        if amount == 0:
            return 0
        parts = [mul_div(amount, pool.amount, held) for pool in pools[:-1]]
        parts.append(amount - sum(parts))
        over = max(0, parts[-1] - pools[-1].amount)
        if over:
            parts[-1] -= over
            parts[-2] += over
        for pool, part in zip(pools, parts, strict=True):
            pool.amount -= part
        self._record()
        return amount

    def _leave(self, who: str, amount: int, shares: int, claimer: str | None) -> None:
        self.active.take(who, amount, shares)
        self.buckets[self.epoch + 1].add(claimer or who, amount)
        self._record()

    def _record(self) -> None:
        self.stakes.append((self.clock.time, self.active.amount))


def _at(history: list[tuple[int, int]], time: int) -> int:
    """What a history says of the end of a second."""
    return next(value for since, value in reversed(history) if since <= time)


@dataclass
class SymbioticPosition:
    """One account as the adapter sees it; an exit's id is the epoch in whose bucket it waits."""

    vault: SymbioticVault
    who: str = "adapter"
    open_exits: list[int] = field(default_factory=list)

    @property
    def staked(self) -> int:
        return self.vault.active.worth(self.who)

    @property
    def exiting(self) -> int:
        return sum(self._leaving(epoch) for epoch in self.open_exits)

    @property
    def total_assets(self) -> int:
        return self.staked + self.exiting

    @property
    def pending(self) -> list[SlashRequest]:
        """Requests that can still be executed."""
        vault = self.vault
        return [
            request
            for request in vault.requests
            if not request.completed and request.captured + vault.epoch_duration >= vault.clock.time
        ]

    @property
    def overrun(self) -> bool:
        """Whether more requests than the adapter looks at are younger than an epoch."""
        now, epoch_duration = self.vault.clock.time, self.vault.epoch_duration
        young = [r for r in self.vault.requests if r.requested + epoch_duration > now]
        return len(young) > MAX_REQUESTS

    @property
    def value_at_risk(self) -> int:
        """This account's share of the requested slashes, rounded up, and what rounding may add.

        A slash for this epoch falls on the stake and the next bucket, one for the last epoch on
        this epoch's bucket as well. Never more than there is.
        """
        pools = [
            self.vault.active,
            *map(self.vault.bucket, (self.vault.epoch + 1, self.vault.epoch)),
        ]
        ours = [pool.worth(self.who) for pool in pools]
        if self.overrun:
            return sum(ours)
        at_risk = len(self.pending) * ROUNDING
        for reach, of_this_epoch in ((2, True), (3, False)):
            asked = sum(
                request.amount
                for request in self.pending
                if (self.vault.epoch_at(request.captured) == self.vault.epoch) == of_this_epoch
            )
            part, whole = sum(ours[:reach]), sum(pool.amount for pool in pools[:reach])
            if part:
                at_risk += mul_div_up(asked, part, whole)
        return min(at_risk, sum(ours))

    def stake(self, amount: int) -> None:
        require(not (self.overrun or self.pending), "symbiotic: slash pending")
        self.vault.deposit(self.who, amount)

    def start_exit(self, amount: int) -> int:
        """Withdraw an amount, or all when that is no less, into the next epoch's bucket."""
        require(amount > 0, "symbiotic: zero exit")
        require(self.staked > 0, "symbiotic: nothing staked")
        exit_id = self.vault.epoch + 1
        if exit_id not in self.open_exits:
            require(len(self.open_exits) < MAX_EXITS, "symbiotic: too many open exits")
            self.open_exits.append(exit_id)
        if amount < self.staked:
            self.vault.withdraw(self.who, amount)
        else:
            self.vault.redeem(self.who, self.vault.active.of[self.who])
        return exit_id

    def finish_exit(self, exit_id: int) -> int:
        """Claim a matured bucket, also one into which only others withdrew for this account."""
        require(exit_id < self.vault.epoch, "symbiotic: exit not matured")
        was_open = exit_id in self.open_exits
        if was_open:
            # The last one takes its place.
            place, last = self.open_exits.index(exit_id), self.open_exits.pop()
            if place < len(self.open_exits):
                self.open_exits[place] = last
        if self._leaving(exit_id):
            return self.vault.claim(self.who, exit_id)
        require(was_open, "symbiotic: unknown exit")
        return 0

    def slash(self, amount: int, captured: int) -> int:
        """Slash the vault, this account with all others; returns what it took in all."""
        return self.vault.slash(amount, captured)

    def _leaving(self, epoch: int) -> int:
        return self.vault.bucket(epoch).worth(self.who)
