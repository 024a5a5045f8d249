"""Tokens whose balances and allowances decide whether something can be paid.

Accounts are names; `NOBODY` is the zero address.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from relever.model.refused import require
from relever.model.rounding import MAX_UINT256, WAD

NOBODY = "nobody"
UNLIMITED = MAX_UINT256


@dataclass(frozen=True)
class Words:
    """What a token says when it refuses; an empty one refuses without a word."""

    balance: str = ""
    allowance: str = ""
    burn: str = ""
    # Where nobody may receive or be minted to, or be approved.
    to_nobody: str | None = None
    mint_to_nobody: str | None = None
    approve_nobody: str | None = None


SNEKMATE = Words(
    "erc20: transfer amount exceeds balance",
    "erc20: insufficient allowance",
    "erc20: burn amount exceeds balance",
    "erc20: transfer to the zero address",
    "erc20: mint to the zero address",
    "erc20: approve to the zero address",
)


@dataclass
class Erc20:
    """A plain token. An unlimited allowance is not used up."""

    words: Words
    balances: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    allowances: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def transfer(self, owner: str, receiver: str, amount: int) -> None:
        nobody = self.words.to_nobody
        require(nobody is None or receiver != NOBODY, nobody or "")
        require(amount <= self.balances[owner], self.words.balance)
        self.balances[owner] -= amount
        self.balances[receiver] += amount

    def transfer_from(self, spender: str, owner: str, receiver: str, amount: int) -> None:
        self.spend(owner, spender, amount)
        self.transfer(owner, receiver, amount)

    def spend(self, owner: str, spender: str, amount: int) -> None:
        """Use an allowance."""
        allowed = self.allowances[owner, spender]
        if allowed != UNLIMITED:
            require(amount <= allowed, self.words.allowance)
            self.allowances[owner, spender] = allowed - amount

    def approve(self, owner: str, spender: str, amount: int) -> None:
        nobody = self.words.approve_nobody
        require(nobody is None or spender != NOBODY, nobody or "")
        self.allowances[owner, spender] = amount

    def mint(self, receiver: str, amount: int) -> None:
        nobody = self.words.mint_to_nobody
        require(nobody is None or receiver != NOBODY, nobody or "")
        self.balances[receiver] += amount

    def burn(self, owner: str, amount: int) -> None:
        require(amount <= self.balances[owner], self.words.burn)
        self.balances[owner] -= amount


def push(token: Erc20, owner: str, receiver: str, amount: int) -> None:
    """Send, as contracts do: nothing is called for zero."""
    if amount:
        token.transfer(owner, receiver, amount)


def pull(token: Erc20, owner: str, receiver: str, amount: int) -> None:
    """Take from an allowance of the receiver's; nothing is called for zero."""
    if amount:
        token.transfer_from(receiver, owner, receiver, amount)


@dataclass
class Weth(Erc20):
    """Ether in a token; whose ether it was is nobody's business here. Refuses without a word."""

    words: Words = Words()

    def transfer_from(self, spender: str, owner: str, receiver: str, amount: int) -> None:
        """The owner itself needs no allowance."""
        if spender != owner:
            self.spend(owner, spender, amount)
        self.transfer(owner, receiver, amount)


@dataclass
class StEth:
    """Lido's stETH: shares of pooled ether. Amounts are ether, rounded down on each way."""

    pooled: int
    total_shares: int
    shares: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    allowances: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def shares_for(self, ether: int) -> int:
        return ether * self.total_shares // self.pooled

    def ether_for(self, shares: int) -> int:
        return shares * self.pooled // self.total_shares

    @property
    def rate(self) -> int:
        """Ether per share, WAD."""
        return self.ether_for(WAD)

    def submit(self, who: str, ether: int) -> int:
        """Stake ether; returns the shares."""
        require(ether > 0, "steth: zero deposit")
        shares = self.shares_for(ether)
        self.pooled += ether
        self.total_shares += shares
        self.shares[who] += shares
        return shares

    def approve(self, owner: str, spender: str, amount: int) -> None:
        require(spender != NOBODY, "steth: approve to zero")
        self.allowances[owner, spender] = amount

    def transfer(self, owner: str, receiver: str, amount: int) -> None:
        """Moves whole shares."""
        self.transfer_shares(owner, receiver, self.shares_for(amount))

    def transfer_shares(self, owner: str, receiver: str, shares: int) -> None:
        require(receiver != NOBODY, "steth: transfer to zero")
        require(receiver != "steth", "steth: transfer to token")
        require(shares <= self.shares[owner], "steth: balance exceeded")
        self.shares[owner] -= shares
        self.shares[receiver] += shares

    def transfer_shares_from(self, spender: str, owner: str, receiver: str, shares: int) -> None:
        """Out of an allowance, which is in ether."""
        allowed, amount = self.allowances[owner, spender], self.ether_for(shares)
        if allowed != UNLIMITED:
            require(amount <= allowed, "steth: allowance exceeded")
            self.allowances[owner, spender] = allowed - amount
        self.transfer_shares(owner, receiver, shares)

    def accrue_rewards(self, amount: int) -> None:
        """Every balance rises."""
        require(amount > 0, "steth: zero rewards")
        self.pooled += amount

    def slash_validators(self, amount: int) -> None:
        """Every balance falls."""
        require(amount > 0, "steth: zero loss")
        require(amount < self.pooled, "steth: loss takes all")
        self.pooled -= amount


@dataclass
class WstEth(Erc20):
    """Lido's wstETH: one is one share of stETH."""

    words: Words = SNEKMATE

    def stake(self, steth: StEth, who: str, ether: int) -> int:
        """Plain ether becomes shares, and those wstETH; returns it."""
        shares = steth.submit("wsteth", ether)
        self.mint(who, shares)
        return shares

    def wrap(self, steth: StEth, who: str, amount: int) -> int:
        """Take stETH; returns the wstETH, which is the shares that were taken."""
        require(amount > 0, "wsteth: zero wrap")
        shares = steth.shares_for(amount)
        self.mint(who, shares)
        allowed = steth.allowances[who, "wsteth"]
        if allowed != UNLIMITED:
            require(amount <= allowed, "steth: allowance exceeded")
            steth.allowances[who, "wsteth"] = allowed - amount
        steth.transfer_shares(who, "wsteth", shares)
        return shares

    def unwrap(self, steth: StEth, who: str, amount: int) -> int:
        """Give wstETH back for stETH; returns that."""
        require(amount > 0, "wsteth: zero unwrap")
        ether = steth.ether_for(amount)
        self.burn(who, amount)
        steth.transfer("wsteth", who, ether)
        return ether
