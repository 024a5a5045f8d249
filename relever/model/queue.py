"""The withdrawal queue: who leaves with more than is idle waits in line.

Waiting shares are shares still. From the head on, as far as idle assets go, each request is paid
the lesser of what its shares were worth when it was made and what they are worth now. While a slash
is visible they are worth less than they may be soon: only who asked can have it paid then. After a
quarantine both count what may still come back, and what is left as a claim for it is taken off in
the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from relever.model.refused import require
from relever.model.rounding import WAD
from relever.model.shares import LARGEST, VIRTUAL, Price
from relever.model.tokens import NOBODY
from relever.model.vault import SILENCE, Findings, Vault

# The smallest request that is not a whole balance.
MIN_SHARES = 10**16
# The smallest exit that is taken back where one is under way.
MIN_PULL = 10**18
# And it must be at least such a part of what is missing.
MAX_PARTS = 8
# A cancel costs a thousandth of the shares once an exit was started for the line.
CANCEL_PART = 1_000
MAX_WALK = 128
# The queue's account in the vault.
QUEUE = "queue"


@dataclass
class Request:
    """What of a request waits, what that was worth when it was made, and what can be claimed."""

    controller: str
    time: int
    exits_before: int
    first_shares: int
    first_worth: int
    shares: int
    worth: int
    claimable_shares: int = 0
    claimable: int = 0
    # All that was ever set aside for it, in how many parts.
    paid: int = 0
    fills: int = 0


@dataclass(frozen=True)
class Fill:
    """A part of a request that was paid, at these prices."""

    request: Request
    shares: int
    assets: int
    # What the price at the request took off them.
    spared: int
    price: Price
    expected: int


@dataclass
class Queue:
    """The line of one vault; requests by their ids, which begin at 1."""

    vault: Vault
    patience: int
    wait: int = 0
    requests: dict[int, Request] = field(default_factory=dict)
    # Who may act for whom: account and operator.
    operators: set[tuple[str, str]] = field(default_factory=set)
    head: int = 1

    @property
    def next_id(self) -> int:
        return len(self.requests) + 1

    @property
    def set_aside(self) -> int:
        return sum(request.claimable for request in self.requests.values())

    @property
    def waiting(self) -> list[int]:
        """The ids of which something waits."""
        return [number for number, request in self.requests.items() if request.shares]

    @property
    def payable(self) -> list[int]:
        """The ids of which something can be claimed."""
        return [number for number, request in self.requests.items() if request.claimable_shares]

    def acts_for(self, account: str, sender: str) -> bool:
        """Whether it is the account itself or its operator."""
        return sender == account or (account, sender) in self.operators

    def request(
        self, who: str, shares: int, controller: str | None = None, sender: str = ""
    ) -> int:
        """Put shares that the queue may take at the end of the line; returns the request's id."""
        vault = self.vault
        require(self.acts_for(who, sender or who), "queue: not for this account")
        require(controller != NOBODY, "queue: no controller")
        enough = shares >= MIN_SHARES or shares == vault.shares[who]
        require(enough, "queue: request too small")
        price = vault.sync().calm.plus(vault.pocket.expected)
        worth = price.assets_down(shares)
        require(worth > 0, "queue: worth nothing")
        vault.lrt.transfer_from(QUEUE, who, QUEUE, shares)
        number, now = self.next_id, vault.clock.time
        self.requests[number] = Request(
            controller or who, now, vault.queue_exits, shares, worth, shares, worth
        )
        vault.queued += shares
        return number

    def cancel(self, number: int, sender: str) -> int:
        """Give waiting shares back; returns the fee on them, which is burnt."""
        request = self._of(number, sender)
        require(request.shares > 0, "queue: nothing waits")
        free = request.exits_before == self.vault.queue_exits
        fee = 0 if free else -(-request.shares // CANCEL_PART)
        if fee:
            self.vault.sync()
        shares, request.shares, request.worth = request.shares, 0, 0
        self.vault.settle(QUEUE, shares, fee, 0, locked=shares * WAD)
        self.vault.lrt.transfer(QUEUE, request.controller, shares - fee)
        return fee

    def finalize(self, most: int, sender: str = "") -> list[Fill]:
        """Pay from the head as far as idle assets go; returns what was filled."""
        if self.head == self.next_id or most == 0:
            return []
        found, expected = self._look(), self.vault.pocket.expected
        price = found.leaving
        fills: list[Fill] = []
        for _ in range(min(most, MAX_WALK)):
            if self.head == self.next_id:
                break
            request = self.requests[self.head]
            waits = self.vault.clock.time - request.time < self.wait
            own = self.acts_for(request.controller, sender)
            if request.shares and (waits or (found.risk and not own)):
                break
            left = self.vault.idle - sum(fill.assets for fill in fills)
            supply = price.supply - sum(fill.shares for fill in fills)
            shares, assets, spared = self._fill(request, left, price, expected)
            if shares:
                self.vault.pocket.leave(request.controller, shares, supply)
                fills.append(Fill(request, shares, assets, spared, price, expected))
            if request.shares:
                break
            self.head += 1
        burnt = sum(fill.shares for fill in fills)
        locked = sum(fill.spared for fill in fills)
        self.vault.settle(QUEUE, burnt, burnt, sum(fill.assets for fill in fills), locked)
        return fills

    def claim(self, number: int, sender: str) -> int:
        """Pay what is set aside for a request; returns it."""
        request = self._of(number, sender)
        require(request.claimable_shares > 0, "queue: nothing to claim")
        amount = request.claimable
        request.claimable = request.claimable_shares = 0
        self.vault.paid_out += amount
        return amount

    def pull_back(self, name: str, amount: int) -> tuple[int, int]:
        """Take stake back for a line that has waited too long; returns the exit's id and size."""
        vault = self.vault
        self.head = min([*self.waiting, self.next_id])
        require(self.head < self.next_id, "queue: nothing waits")
        waited = vault.clock.time - self.requests[self.head].time
        require(waited >= self.patience, "queue: not overdue")
        needed = vault.needed(self._look().leaving)
        # Each is asked, even one that nothing is booked of.
        require(all(adapter.answers for adapter in vault.listed), SILENCE)
        coming = vault.idle + sum(adapter.position.exiting for adapter in vault.listed)
        missing = max(0, needed - coming)
        pulled = min(amount, missing)
        require(pulled > 0, "queue: nothing missing")
        require(pulled * MAX_PARTS >= missing, "queue: exit too small")
        adapter = vault.adapters.get(name)
        listed = adapter is not None and not adapter.in_quarantine
        leaving = adapter.position.exiting if adapter and listed else 0
        require(pulled >= MIN_PULL or leaving == 0, "queue: exit too small")
        require(listed, "vault: unknown adapter")
        return vault.start_exit(name, pulled), pulled

    def _of(self, number: int, sender: str) -> Request:
        """A request of an account that the sender may act for."""
        request = self.requests.get(number)
        acts = request is not None and self.acts_for(request.controller, sender)
        require(acts, "queue: not for this account")
        return self.requests[number]

    def _look(self) -> Findings:
        """All adapters that stand in the books must answer."""
        found = self.vault.sync()
        require(found.complete, "queue: adapter unreadable")
        return found

    def _fill(
        self, request: Request, left: int, price: Price, expected: int
    ) -> tuple[int, int, int]:
        """Pay for all that waits of a request, or for the part that what is left can pay.

        Returns:
            Shares, the assets for them, and what the price at the request took off these.
        """

        def due(shares: int, worth: int) -> int:
            assets = min(worth, price.plus(expected).assets_down(shares))
            claim = -(-expected * shares // (price.supply + VIRTUAL))
            return max(0, assets - claim)

        shares, worth = request.shares, request.worth
        assets = due(shares, worth)
        if assets > left:
            shares = shares * left // assets
            worth = request.worth * shares // request.shares
            assets = due(shares, worth)
            if assets == 0:
                return 0, 0, 0
        request.shares -= shares
        request.worth -= worth
        request.claimable_shares += shares
        request.claimable += assets
        request.paid += assets
        request.fills += shares > 0
        return shares, assets, due(shares, LARGEST * WAD) - assets
