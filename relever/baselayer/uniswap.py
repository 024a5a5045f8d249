"""Uniswap v3 pools with liquidity in a narrow range, as pairs of ether and staked ether trade."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isqrt

from relever.baselayer import parts
from relever.baselayer.core import Core
from relever.chain import Chain, Contract, Receipt

WAD = 10**18
NO_DEADLINE = 2**256 - 1
UNLIMITED = 2**256 - 1


@dataclass(frozen=True)
class Pool:
    """A pool and the liquidity position made with it; amounts in the tokens' smallest units."""

    contract: Contract
    token0: str
    token1: str
    fee_millionths: int
    position_id: int
    amount0: int
    amount1: int

    @property
    def address(self) -> str:
        return self.contract.address

    def on(self, chain: Chain) -> Pool:
        """The same pool seen through another chain, such as a fork of this one."""
        contract = chain.contract(self.address, parts.uniswap_core("UniswapV3Pool"))
        return replace(self, contract=contract)


def sqrt_price_x96(price: int, *, base_is_token0: bool) -> int:
    """Uniswap's form of a price: the square root of token1 per token0, times 2**96, rounded down.

    Args:
        price: quote units per base unit, in WAD.
        base_is_token0: whether the base token sorts first.
    """
    if price <= 0:
        raise ValueError(f"a pool needs a positive price, not {price}")
    ratio = (price << 192) // WAD if base_is_token0 else (WAD << 192) // price
    return isqrt(ratio)


def create_pool(
    core: Core,
    base: Contract,
    quote: Contract,
    fee_millionths: int,
    price: int,
    base_amount: int,
    quote_amount: int,
    half_width_ticks: int,
    provider: str,
) -> Pool:
    """Create the pool at a price, and a position around it that takes at most the two amounts.

    A pool that exists already, as may be on a fork, keeps its own price.

    Args:
        core: where Uniswap is.
        base: the token that is priced.
        quote: the token it is priced in.
        fee_millionths: one of the factory's fees, 100 for 0.01 %.
        price: quote units per base unit, in WAD.
        base_amount: in the base token's smallest unit.
        quote_amount: in the quote token's smallest unit.
        half_width_ticks: the range on each side of the price, 0.01 % a tick.
        provider: holds both amounts and owns the position.
    """
    base_first = int(base.address, 16) < int(quote.address, 16)
    token0, token1 = (base, quote) if base_first else (quote, base)
    desired0, desired1 = (base_amount, quote_amount) if base_first else (quote_amount, base_amount)
    manager = core.position_manager
    manager.createAndInitializePoolIfNecessary(
        token0.address,
        token1.address,
        fee_millionths,
        sqrt_price_x96(price, base_is_token0=base_first),
        sender=provider,
    )
    address = core.uniswap_factory.getPool(token0.address, token1.address, fee_millionths)
    pool = core.chain.contract(address, parts.uniswap_core("UniswapV3Pool"))

    spacing = pool.tickSpacing()
    tick = pool.slot0()[1]
    lower = (tick - half_width_ticks) // spacing * spacing
    upper = -(-(tick + half_width_ticks) // spacing) * spacing
    for token in (token0, token1):
        token.approve(manager.address, UNLIMITED, sender=provider)
    minted = manager.mint(
        (
            token0.address,
            token1.address,
            fee_millionths,
            lower,
            upper,
            desired0,
            desired1,
            0,
            0,
            provider,
            NO_DEADLINE,
        ),
        sender=provider,
    )
    position = next(event.args for event in minted.events if event.name == "IncreaseLiquidity")
    return Pool(
        pool,
        token0.address,
        token1.address,
        fee_millionths,
        position["tokenId"],
        position["amount0"],
        position["amount1"],
    )


def swap(core: Core, pool: Pool, token_in: Contract, amount_in: int, trader: str) -> Receipt:
    """Sell an exact amount to the pool at any price, by Uniswap's own router.

    More than the liquidity can take runs out of gas: the pool walks the empty ticks beyond.

    Args:
        core: where Uniswap is.
        pool: sells the other one of its two tokens.
        token_in: the token sold.
        amount_in: in its smallest unit; the trader holds it.
        trader: sells and receives.
    """
    token_out = pool.token1 if token_in.address == pool.token0 else pool.token0
    token_in.approve(core.swap_router.address, amount_in, sender=trader)
    receipt: Receipt = core.swap_router.exactInputSingle(
        (
            token_in.address,
            token_out,
            pool.fee_millionths,
            trader,
            NO_DEADLINE,
            amount_in,
            0,
            0,
        ),
        sender=trader,
    )
    return receipt
