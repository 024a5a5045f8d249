"""The ways into the LRT and out of it, which zap, router and liquidator share.

In: ether, WETH, stETH and wstETH become wstETH by staking and wrapping, and that the LRT by a
deposit. Out: the LRT is sold in its own pool, or redeemed and the wstETH sold in its pool.
"""

from __future__ import annotations

from dataclasses import dataclass

from relever.model.backstop import BACKSTOP
from relever.model.parts import LIQUIDATOR, VAULT, Parts
from relever.model.refused import Refused, require
from relever.model.rounding import WAD
from relever.model.snapshot import Snapshot
from relever.model.swap import SWAP as SWAP_CONTRACT
from relever.model.swap import Swap
from relever.model.tokens import NOBODY, pull, push

# Where a token is asked for, this is ether.
ETHER = NOBODY
INPUTS = (ETHER, "weth", "steth", "wsteth")
SWAP, REDEEM, STABLE, TO_BACKSTOP = 1, 2, 4, 8
# What a sale leaves of the WETH, in wei, is not worth a stake below this.
DUST = 1_000
# From here on no pool gives that much: a caller who says so has all minted.
MINT_ALL = 2**128
# In the order in which they are tried where none is named.
WAYS, BEST = (SWAP, REDEEM, STABLE, TO_BACKSTOP), 0


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

    def rate_to_swap(self, told: int) -> int:
        """LRT for a WETH by minting, in WAD, where the pool gives more for the first; else 0.

        `told` is the caller's word, and 0 where he gives none.
        """
        if told:
            return told if told < MINT_ALL else 0
        parts = self.parts
        staked, pool = parts.steth.shares_for(WAD) + 1, Swap(parts)
        booked = parts.vault.price.shares_down(staked)
        if not pool.pays(self.who, "weth", VAULT, booked + 1):
            return 0
        minted = parts.vault.preview_deposit(staked)
        return minted + 1 if pool.pays(self.who, "weth", VAULT, minted + 1) else 0

    def buy(self, weth: int, rate: int, lst: int, owner: str, receiver: str) -> int:
        """LRT for WETH, which lies with the swap where there is a rate, and for wstETH.

        Returns how much of it the receiver gets.
        """
        bought = 0
        if rate:
            swap = Swap(self.parts)
            sold, bought = swap.swap_up_to(self.who, "weth", VAULT, weth, rate, receiver)
            weth -= sold
            if weth < DUST:
                push(self.parts.weth, self.who, owner, weth)
                weth = 0
        return bought + self.deposit(lst + self.stake_weth(weth), receiver)

    def seat(self, route: int) -> str:
        """Where LRT must lie to be sold: with the swap, or here to be redeemed."""
        if route == SWAP:
            return SWAP_CONTRACT
        require(route == REDEEM, "path: no such route")
        return self.who

    def sell_best(self, amount: int, route: int, seller: str) -> int:
        """The same, by the way that brings most where none is named."""
        if route == BEST:
            brought = {way: self._trial(amount, way, seller) for way in WAYS}
            route = max(WAYS, key=brought.__getitem__)
            require(brought[route] > 0, "path: no way out")
        return self.sell(amount, route, seller)

    def _trial(self, amount: int, route: int, seller: str) -> int:
        """What a sale would bring; nothing where it would be refused."""
        before = Snapshot(self.parts)
        try:
            return self.sell(amount, route, seller)
        except Refused:
            return 0
        finally:
            before.restore()

    def sell(self, amount: int, route: int, seller: str) -> int:
        """Sell LRT that is here; returns the WETH. Who sold it keeps the claim on a quarantine.

        The backstop buys from the liquidator alone, and that what it has just seized.
        """
        parts = self.parts
        if route == TO_BACKSTOP and self.who == LIQUIDATOR:
            parts.vault.lrt.approve(self.who, BACKSTOP, amount)
            require(parts.listed, "backstop: market not listed")
            return parts.backstop.buy(self.who, amount)
        seat = self.seat(route)
        if seat != self.who:
            push(self.parts.token(VAULT), self.who, seat, amount)
        return self.sell_seated(amount, seat, seller)

    def sell_seated(self, amount: int, seat: str, seller: str) -> int:
        """Sell LRT that lies where it must."""
        parts = self.parts
        if seat != self.who:
            return Swap(parts).swap(self.who, VAULT, "weth", amount, 0, self.who)
        assets = parts.vault.redeem(self.who, amount)
        push(parts.wsteth, VAULT, self.who, assets)
        parts.vault.pocket.hand_over(self.who, seller)
        return self.swap("wsteth", assets)

    def swap(self, token: str, amount: int) -> int:
        """Sell a token that is here in its pool; returns the WETH."""
        push(self.parts.token(token), self.who, SWAP_CONTRACT, amount)
        return Swap(self.parts).swap(self.who, token, "weth", amount, 0, self.who)
