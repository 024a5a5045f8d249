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


struct Pool:
    at: address
    token0: address
    token1: address
    # Of a million.
    fee: uint256


# Few, and never changed: they are looked through in the code, which costs less than a storage slot.
POOLS: immutable(DynArray[Pool, 8])

_active_pool: transient(address)
_active_token: transient(address)


@deploy
def __init__(pools: DynArray[address, 8]):
    known: DynArray[Pool, 8] = []
    for pool: address in pools:
        token0: address = staticcall IUniswapV3Pool(pool).token0()
        token1: address = staticcall IUniswapV3Pool(pool).token1()
        fee: uint256 = staticcall IUniswapV3Pool(pool).fee()
        for other: Pool in known:
            same: bool = other.token0 == token0 and other.token1 == token1
            assert not same, "swap: two pools for a pair"
        known.append(Pool(at=pool, token0=token0, token1=token1, fee=fee))
    POOLS = known


@external
def swap(
    token_in: address, token_out: address, amount_in: uint256, min_out: uint256, receiver: address
) -> uint256:
    """@notice See `ISwap`. Reverts when the pool cannot take all of `amount_in` at a sane price."""
    pool: Pool = self._find(token_in, token_out)
    assert pool.at != empty(address), "swap: no pool"
    assert amount_in > 0, "swap: amount"
    zero_for_one: bool = token_in == pool.token0
    sqrt_price: uint256 = 0
    limit: uint256 = 0
    sqrt_price, limit = uniswap_limits._sane_limit(pool.at, zero_for_one)
    paid: uint256 = 0
    got: uint256 = 0
    paid, got = self._sell(pool.at, token_in, zero_for_one, amount_in, limit, receiver)
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
    pool: Pool = self._find(token_in, token_out)
    if pool.at != empty(address) and amount_in > 0:
        zero_for_one: bool = token_in == pool.token0
        pays: bool = False
        limit: uint256 = 0
        pays, limit = uniswap_limits._pays_until(pool.at, pool.fee, zero_for_one, min_rate)
        if pays:
            paid, got = self._sell(pool.at, token_in, zero_for_one, amount_in, limit, receiver)
            assert paid <= amount_in, "swap: more taken than sold"
    token._push(token_in, msg.sender, amount_in - paid)
    return paid, got


@view
@external
def pays(token_in: address, token_out: address, min_rate: uint256) -> bool:
    """@notice See `ISwap`."""
    pool: Pool = self._find(token_in, token_out)
    if pool.at == empty(address):
        return False
    pays: bool = False
    limit: uint256 = 0
    pays, limit = uniswap_limits._pays_until(pool.at, pool.fee, token_in == pool.token0, min_rate)
    return pays


@view
@external
def pool_of(token_in: address, token_out: address) -> address:
    """@return The pool of the two tokens; zero when there is none."""
    pool: Pool = self._find(token_in, token_out)
    return pool.at


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


@internal
@view
def _find(token_in: address, token_out: address) -> Pool:
    """@return The pool of the two tokens; an empty one when there is none."""
    for pool: Pool in POOLS:
        if pool.token0 == token_in and pool.token1 == token_out:
            return pool
        if pool.token0 == token_out and pool.token1 == token_in:
            return pool
    return empty(Pool)
