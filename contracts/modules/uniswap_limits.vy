# pragma version 0.4.3
"""
@title Where a sale in a Uniswap v3 pool stops
@custom:contract-name uniswap_limits
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Square roots of prices as the pools have them, times 2**96.
"""
from ..interfaces import IUniswapV3Pool


# A swap may move the square root of the pool's price by a twentieth, that is the price by about 10 %. A
# pool that runs dry is then left at once instead of searching its empty ticks for all the gas.
MAX_MOVE: constant(uint256) = 20
WAD: constant(uint256) = 10**18
MILLION: constant(uint256) = 10**6


@internal
@pure
def _is_first(token_in: address, token_out: address) -> bool:
    """@notice Whether `token_in` is the pool's token0, so that the price falls when it is sold."""
    return convert(token_in, uint160) < convert(token_out, uint160)


@internal
@view
def _sane_limit(pool: address, falls: bool) -> (uint256, uint256):
    """@return Square roots of the pool's price now, and of where a sale must stop."""
    root: uint160 = staticcall IUniswapV3Pool(pool).slot0()
    sqrt_price: uint256 = convert(root, uint256)
    move: uint256 = sqrt_price // MAX_MOVE
    return sqrt_price, sqrt_price - move if falls else sqrt_price + move


@internal
@view
def _pays_until(
    pool: address, fee: uint256, falls: bool, min_rate: uint256
) -> (bool, uint256):
    """@return Whether a unit sold now fetches the rate, and the square root of where a sale must stop."""
    sqrt_price: uint256 = 0
    limit: uint256 = 0
    sqrt_price, limit = self._sane_limit(pool, falls)
    if min_rate > 0:
        rate_limit: uint256 = self._rate_limit(min_rate, fee, falls)
        limit = max(limit, rate_limit) if falls else min(limit, rate_limit)
    return sqrt_price > limit if falls else sqrt_price < limit, limit


@internal
@pure
def _rate_limit(min_rate: uint256, fee: uint256, falls: bool) -> uint256:
    """
    @return Square root of the price at which a unit sold fetches `min_rate` after the fee; rounded to
            where it fetches more.
    @dev Pools know no price of 2**128 or more, so that any higher rate is as good as that.
    """
    rate: uint256 = min(min_rate, 2**128 * WAD)
    kept: uint256 = MILLION - fee
    # Of the token sold in the token bought: the pool's own price when it rises, else its inverse.
    root_down: uint256 = isqrt(2**192 * (WAD // MILLION) * kept // rate)
    return (2**192 + root_down - 1) // root_down if falls else root_down
