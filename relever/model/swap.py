"""The swap: sells what is here in one of two pools, for whoever asks."""

from __future__ import annotations

from dataclasses import dataclass

from relever.model.parts import VAULT, Parts
from relever.model.pool import Pool
from relever.model.refused import Refused, require
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
        name = {VAULT: "lrt_pool", "wsteth": "lst_pool"}.get(bought if sold == "weth" else sold)
        require(name is not None and "weth" in (sold, bought) and sold != bought, "swap: no pool")
        assert name is not None
        require(0 < amount < 2**255, "swap: amount")
        pool = self.parts.pools[name]
        sell0 = pool.token0 == sold
        paid, got = pool.swap(sell0, amount, sane_limit(pool, sell0))
        try:
            push(self.parts.token(bought), name, receiver, got)
        except Refused as refusal:
            # Uniswap's own word for a transfer that failed.
            raise Refused("TF") from refusal
        push(self.parts.token(sold), SWAP, name, paid)
        require(paid == amount, "swap: not enough liquidity")
        require(got >= least, "swap: too little out")
        return got

    def uniswapV3SwapCallback(self, caller: str, change0: int, change1: int, data: bytes) -> None:
        """For the pool of the running swap alone, which does it as a part of that."""
        raise Refused("swap: not the active pool")


def sane_limit(pool: Pool, sell0: bool) -> int:
    """How far a sale may move the square root of a pool's price."""
    move = pool.sqrt_price // MAX_MOVE
    return pool.sqrt_price - move if sell0 else pool.sqrt_price + move
