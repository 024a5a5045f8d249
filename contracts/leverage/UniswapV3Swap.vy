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
from ..modules import uniswap_limits

implements: ISwap


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
    assert amount_in > 0, "swap: amount"
    zero_for_one: bool = uniswap_limits._is_first(token_in, token_out)
    sqrt_price: uint256 = 0
    limit: uint256 = 0
    sqrt_price, limit = uniswap_limits._sane_limit(pool, zero_for_one)
    paid: uint256 = 0
    got: uint256 = 0
    paid, got = self._sell(pool, token_in, zero_for_one, amount_in, limit, receiver)
    assert paid == amount_in, "swap: not enough liquidity"
    assert got >= min_out, "swap: too little out"
    return got


@external
def swap_up_to(
    token_in: address, token_out: address, amount_in: uint256, min_rate: uint256, receiver: address
) -> (uint256, uint256):
    """@notice See `ISwap`. The pool's price moves no further than in `swap`."""
    paid: uint256 = 0
    got: uint256 = 0
    pool: address = self.pool_of[token_in][token_out]
    if pool != empty(address) and amount_in > 0:
        zero_for_one: bool = uniswap_limits._is_first(token_in, token_out)
        pays: bool = False
        limit: uint256 = 0
        pays, limit = uniswap_limits._pays_until(pool, zero_for_one, min_rate)
        if pays:
            paid, got = self._sell(pool, token_in, zero_for_one, amount_in, limit, receiver)
            assert paid <= amount_in, "swap: more taken than sold"
    token._push(token_in, msg.sender, amount_in - paid)
    return paid, got


@view
@external
def pays(token_in: address, token_out: address, min_rate: uint256) -> bool:
    """@notice See `ISwap`."""
    pool: address = self.pool_of[token_in][token_out]
    if pool == empty(address):
        return False
    falls: bool = uniswap_limits._is_first(token_in, token_out)
    return uniswap_limits._pays_until(pool, falls, min_rate)[0]


@external
@reentrant
def uniswapV3SwapCallback(change0: int256, change1: int256, data: Bytes[32]):
    """@notice Pay the running swap's pool."""
    assert msg.sender == self._active_pool, "swap: not the active pool"
    owed: uint256 = convert(max(change0, change1), uint256)
    token._push(self._active_token, msg.sender, owed)


@internal
def _sell(
    pool: address,
    token_in: address,
    zero_for_one: bool,
    amount: uint256,
    limit: uint256,
    receiver: address,
) -> (uint256, uint256):
    """@return What the pool took, and what it gave."""
    assert amount < 2**255, "swap: amount"
    change0: int256 = 0
    change1: int256 = 0
    self._active_pool = pool
    self._active_token = token_in
    change0, change1 = extcall IUniswapV3Pool(pool).swap(
        receiver, zero_for_one, convert(amount, int256), convert(limit, uint160), b""
    )
    self._active_pool = empty(address)
    self._active_token = empty(address)
    paid: int256 = change0 if zero_for_one else change1
    got: int256 = -change1 if zero_for_one else -change0
    assert paid >= 0, "swap: not enough liquidity"
    assert got >= 0, "swap: too little out"
    return convert(paid, uint256), convert(got, uint256)
