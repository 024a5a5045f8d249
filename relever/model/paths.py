"""The ways into the LRT and out of it, which zap, router and liquidator share.

In: ether, WETH, stETH and wstETH become wstETH by staking and wrapping, and that the LRT by a
deposit. Out: the LRT is sold in its own pool, or redeemed and the wstETH sold in its pool.
"""

from __future__ import annotations

from dataclasses import dataclass

from relever.model.parts import VAULT, Parts
from relever.model.refused import require
from relever.model.swap import SWAP as SWAP_CONTRACT
from relever.model.swap import Swap
from relever.model.tokens import NOBODY, pull, push

# Where a token is asked for, this is ether.
ETHER = NOBODY
INPUTS = (ETHER, "weth", "steth", "wsteth")
SWAP, REDEEM, STABLE = 1, 2, 4


@dataclass
class Paths:
    """The ways of one contract, which holds what is on its way."""

    parts: Parts
    who: str

    def to_lst(self, token: str, owner: str, amount: int) -> int:
        """Take one of the inputs from its owner; returns the wstETH that it becomes."""
        parts = self.parts
        if token == ETHER:
            return parts.wsteth.stake(parts.steth, self.who, amount)
        if token == "steth":
            # Whole shares are what moves, and what is wrapped.
            shares = parts.steth.shares_for(amount)
            parts.steth.transfer_shares_from(self.who, owner, self.who, shares)
            pooled = parts.steth.ether_for(shares) + 1
            parts.steth.approve(self.who, "wsteth", pooled)
            return parts.wsteth.wrap(parts.steth, self.who, pooled)
        pull(parts.token(token), owner, self.who, amount)
        return self.stake_weth(amount) if token == "weth" else amount

    def stake_weth(self, amount: int) -> int:
        """Stake WETH that is here; returns the wstETH."""
        if amount == 0:
            return 0
        self.parts.weth.burn(self.who, amount)
        return self.parts.wsteth.stake(self.parts.steth, self.who, amount)

    def deposit(self, amount: int, receiver: str) -> int:
        """Put wstETH that is here into the vault; returns the LRT."""
        if amount == 0:
            return 0
        shares = self.parts.vault.deposit(receiver, amount)
        push(self.parts.wsteth, self.who, VAULT, amount)
        return shares

    def sell(self, amount: int, route: int, seller: str) -> int:
        """Sell LRT that is here; returns the WETH. Who sold it keeps the claim on a quarantine."""
        parts = self.parts
        if route == SWAP:
            return self.swap(VAULT, amount)
        require(route == REDEEM, "path: no such route")
        assets = parts.vault.redeem(self.who, amount)
        push(parts.wsteth, VAULT, self.who, assets)
        parts.vault.pocket.hand_over(self.who, seller)
        return self.swap("wsteth", assets)

    def swap(self, token: str, amount: int) -> int:
        """Sell a token that is here in its pool; returns the WETH."""
        push(self.parts.token(token), self.who, SWAP_CONTRACT, amount)
        return Swap(self.parts).swap(self.who, token, "weth", amount, 0, self.who)
