"""What adapters under quarantine give back, and whose it is.

The shares carry their part of it. Who leaves takes a part out of theirs as a claim of his own; who
comes pays for the part that is expected back and so shares what is left to the shares.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from relever.model.refused import require

# The whole of what an adapter gives back.
WHOLE = 10**36


@dataclass
class Claim:
    """A part of what comes back, what is owed for it, and up to which returns that is counted."""

    part: int = 0
    owed: int = 0
    counted: int = 0


@dataclass
class WrittenOff:
    """One adapter: what it owes, what of that is expected, and to whom it goes."""

    owed: int
    expected: int
    shares_part: int = WHOLE
    returned: int = 0
    claims: dict[str, Claim] = field(default_factory=lambda: defaultdict(Claim))

    def claim_of(self, account: str) -> Claim:
        """An account's claim with all returns until now counted, rounded down."""
        claim = self.claims[account]
        claim.owed += claim.part * (self.returned - claim.counted) // WHOLE
        claim.counted = self.returned
        return claim

    def claimable(self, account: str) -> int:
        claim = self.claims.get(account, Claim())
        return claim.owed + claim.part * (self.returned - claim.counted) // WHOLE


@dataclass
class SidePocket:
    """All written-off adapters by name, and the assets that are here for the claims."""

    adapters: dict[str, WrittenOff] = field(default_factory=dict)
    held: int = 0

    @property
    def expected(self) -> int:
        """What the shares may still expect, each adapter's part rounded up."""
        return sum(-(-a.expected * a.shares_part // WHOLE) for a in self.adapters.values())

    def open(self, name: str, amount: int) -> None:
        """An adapter is written off; so much is missing in the total."""
        self.adapters[name] = WrittenOff(amount, amount)

    def leave(self, account: str, shares: int, supply: int) -> None:
        """Shares of an account are about to be burnt; their parts, rounded down, become claims."""
        for adapter in self.adapters.values():
            if adapter.owed:
                part = min(adapter.shares_part, adapter.shares_part * shares // supply)
                adapter.shares_part -= part
                adapter.claim_of(account).part += part

    def share_out(self, name: str, amount: int) -> tuple[int, int]:
        """An adapter gives an amount back.

        Returns:
            What goes to the claims, rounded up, and what of the rest the shares have expected.
        """
        adapter = self.adapters[name]
        owed, expected = min(amount, adapter.owed), min(amount, adapter.expected)
        to_claims = -(-owed * (WHOLE - adapter.shares_part) // WHOLE)
        adapter.owed -= owed
        adapter.expected -= expected
        adapter.returned += owed
        self.held += to_claims
        return to_claims, min(expected * adapter.shares_part // WHOLE, amount - to_claims)

    def lower_expectation(self, name: str, expected: int) -> None:
        require(expected < self.adapters[name].expected, "pocket: only lower")
        self.adapters[name].expected = expected

    def hand_over(self, account: str, to: str) -> None:
        """Give all claims of an account to another."""
        for adapter in self.adapters.values():
            given = adapter.claim_of(account)
            if given.part or given.owed:
                part, owed = given.part, given.owed
                given.part = given.owed = 0
                taken = adapter.claim_of(to)
                taken.part += part
                taken.owed += owed

    def claim(self, name: str, account: str) -> int:
        """Pay what has come back for an account; returns it."""
        claim = self.adapters[name].claim_of(account)
        require(claim.owed > 0, "pocket: nothing to claim")
        amount, claim.owed = claim.owed, 0
        self.held -= amount
        return amount
