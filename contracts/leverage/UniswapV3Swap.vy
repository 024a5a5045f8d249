# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title UniswapV3Swap
@custom:contract-name UniswapV3Swap
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Sells one token for another in a Uniswap v3 pool out of a list that is fixed at creation.
@dev Holds nothing between calls. The pool's callback is answered only while this contract's own swap
     runs, and only to the pool it runs in.
"""
from ..interfaces import ISwap
from ..interfaces import IUniswapV3Pool
from ..modules import token

implements: ISwap


# A swap may move the square root of the pool's price by a twentieth, that is the price by about 10 %. A
# pool that runs dry is then left at once instead of searching its empty ticks for all the gas.
MAX_MOVE: constant(uint160) = 20

# Pool by token in and token out.
pool_of: public(HashMap[address, HashMap[address, address]])
_active_pool: transient(address)
_active_token: transient(address)


@deploy
def __init__(pools: DynArray[address, 8]):
    for pool: address in pools:
        token0: address = staticcall IUniswapV3Pool(pool).token0()
        token1: address = staticcall IUniswapV3Pool(pool).token1()
        assert self.pool_of[token0][token1] == empty(address), "swap: two pools for a pair"
        self.pool_of[token0][token1] = pool
        self.pool_of[token1][token0] = pool


@external
def swap(
    token_in: address, token_out: address, amount_in: uint256, min_out: uint256, receiver: address
) -> uint256:
    """@notice See `ISwap`. Reverts when the pool cannot take all of `amount_in` at a sane price."""
    pool: address = self.pool_of[token_in][token_out]
    assert pool != empty(address), "swap: no pool"
    assert amount_in > 0 and amount_in < 2**255, "swap: amount"
    zero_for_one: bool = convert(token_in, uint160) < convert(token_out, uint160)
    sqrt_price: uint160 = staticcall IUniswapV3Pool(pool).slot0()
    move: uint160 = sqrt_price // MAX_MOVE
    limit: uint160 = sqrt_price - move if zero_for_one else sqrt_price + move
    change0: int256 = 0
    change1: int256 = 0
    self._active_pool = pool
    self._active_token = token_in
    change0, change1 = extcall IUniswapV3Pool(pool).swap(
        receiver, zero_for_one, convert(amount_in, int256), limit, b""
    )
    self._active_pool = empty(address)
    self._active_token = empty(address)
    paid: int256 = change0 if zero_for_one else change1
    got: int256 = -change1 if zero_for_one else -change0
    assert paid == convert(amount_in, int256), "swap: not enough liquidity"
    assert got >= 0 and convert(got, uint256) >= min_out, "swap: too little out"
    return convert(got, uint256)


@external
@reentrant
def uniswapV3SwapCallback(change0: int256, change1: int256, data: Bytes[32]):
    """@notice Pay the running swap's pool."""
    assert msg.sender == self._active_pool, "swap: not the active pool"
    owed: uint256 = convert(max(change0, change1), uint256)
    token._push(self._active_token, msg.sender, owed)
