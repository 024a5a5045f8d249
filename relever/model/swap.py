"""The swap: sells what is here in one of two pools, for whoever asks."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

from relever.model.health import ceil_div
from relever.model.parts import VAULT, Parts
from relever.model.pool import MILLION, Pool
from relever.model.refused import Refused, require
from relever.model.rounding import WAD
from relever.model.tokens import push

SWAP = "swap"
# A sale may move the square root of the pool's price by such a part.
MAX_MOVE = 20


@dataclass
class Swap:
    """Holds nothing between two calls, but what is sent to it."""

    parts: Parts

    def swap(
        self, caller: str, sold: str, bought: str, amount: int, least: int, receiver: str
    ) -> int:
        """Sell a token that is here; returns what its pool paid.

        All of it must find a buyer at a price that is not too far from the present one.
        """
        name = self._pool_of(sold, bought)
        require(name is not None, "swap: no pool")
        assert name is not None
        require(0 < amount < 2**255, "swap: amount")
        pool = self.parts.pools[name]
        sell0 = pool.token0 == sold
        paid, got = self._sell(name, sold, bought, amount, sane_limit(pool, sell0), receiver)
        require(paid == amount, "swap: not enough liquidity")
        require(got >= least, "swap: too little out")
        return got

    def swap_up_to(
        self, caller: str, sold: str, bought: str, amount: int, least_rate: int, receiver: str
    ) -> tuple[int, int]:
        """Sell as much of a token that is here as fetches a rate, in WAD, and give the rest back.

        Returns:
            What was sold, and what its pool paid.
        """
        name = self._pool_of(sold, bought)
        paid = got = 0
        if name is not None and amount:
            pool = self.parts.pools[name]
            sell0 = pool.token0 == sold
            limit = sane_limit(pool, sell0)
            if least_rate and sell0:
                limit = max(limit, rate_limit(pool, sell0, least_rate))
            elif least_rate:
                limit = min(limit, rate_limit(pool, sell0, least_rate))
            if pool.sqrt_price > limit if sell0 else pool.sqrt_price < limit:
                require(amount < 2**255, "swap: amount")
                paid, got = self._sell(name, sold, bought, amount, limit, receiver)
        push(self.parts.token(sold), SWAP, caller, amount - paid)
        return paid, got

    def uniswapV3SwapCallback(self, caller: str, change0: int, change1: int, data: bytes) -> None:
        """For the pool of the running swap alone, which does it as a part of that."""
        raise Refused("swap: not the active pool")

    def _pool_of(self, sold: str, bought: str) -> str | None:
        """The name of the pool that trades the two."""
        if sold == bought or "weth" not in (sold, bought):
            return None
        return {VAULT: "lrt_pool", "wsteth": "lst_pool"}.get(bought if sold == "weth" else sold)

    def _sell(
        self, name: str, sold: str, bought: str, amount: int, limit: int, receiver: str
    ) -> tuple[int, int]:
        pool = self.parts.pools[name]
        paid, got = pool.swap(pool.token0 == sold, amount, limit)
        try:
            push(self.parts.token(bought), name, receiver, got)
        except Refused as refusal:
            # Uniswap's own word for a transfer that failed.
            raise Refused("TF") from refusal
        push(self.parts.token(sold), SWAP, name, paid)
        return paid, got


def sane_limit(pool: Pool, sell0: bool) -> int:
    """How far a sale may move the square root of a pool's price."""
    move = pool.sqrt_price // MAX_MOVE
    return pool.sqrt_price - move if sell0 else pool.sqrt_price + move


def rate_limit(pool: Pool, sell0: bool, least_rate: int) -> int:
    """Where a unit sold fetches just a rate after the fee, rounded to where it fetches more."""
    rate = min(least_rate, WAD << 128)
    root = isqrt((WAD // MILLION * (MILLION - pool.fee) << 192) // rate)
    return ceil_div(1 << 192, root) if sell0 else root
