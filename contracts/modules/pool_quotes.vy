# pragma version 0.4.3
"""
@title Quotes of pools
@custom:contract-name pool_quotes
@license GNU Affero General Public License v3.0 only
@author Relever
@notice What `UniswapV3Swap` and `BalancerSwap` would sell and fetch, in the same words where they refuse.
@dev A Uniswap pool tells a swap's amounts only in its callback, which reverts here with just these: so
     nothing is ever paid, and whoever calls the callback learns what he said. Balancer's Vault does the
     like by itself.
"""
from ..interfaces import IBalancerVault
from ..interfaces import IUniswapV3Pool
from . import revert_reason
from . import uniswap_limits


interface UniswapSwap:
    def pool_of(token_in: address, token_out: address) -> address: view


interface BalancerSwap:
    def VAULT() -> address: view
    def pool_of(token_in: address, token_out: address) -> bytes32: view


GIVEN_IN: constant(uint8) = 0
# As `BalancerSwap` has it.
MAX_PART: constant(uint256) = 2
NOBODY: constant(address) = empty(address)


@external
def uniswapV3SwapCallback(change0: int256, change1: int256, data: Bytes[32]):
    """@notice Tells the amounts of a swap and undoes it. Always reverts."""
    raw_revert(abi_encode(change0, change1))


@internal
def _sale(swap: address, token_in: address, token_out: address, amount: uint256) -> uint256:
    """@return What `swap` of a `UniswapV3Swap` would fetch for all of the amount."""
    pool: address = staticcall UniswapSwap(swap).pool_of(token_in, token_out)
    assert pool != NOBODY, "swap: no pool"
    assert amount > 0, "swap: amount"
    falls: bool = uniswap_limits._is_first(token_in, token_out)
    sqrt_price: uint256 = 0
    limit: uint256 = 0
    sqrt_price, limit = uniswap_limits._sane_limit(pool, falls)
    paid: uint256 = 0
    got: uint256 = 0
    paid, got = self._try(pool, falls, amount, limit)
    assert paid == amount, "swap: not enough liquidity"
    return got


@internal
def _sale_up_to(
    swap: address, token_in: address, token_out: address, amount: uint256, min_rate: uint256
) -> (uint256, uint256):
    """@return What `swap_up_to` of a `UniswapV3Swap` would sell and fetch."""
    pool: address = staticcall UniswapSwap(swap).pool_of(token_in, token_out)
    if pool == NOBODY or amount == 0:
        return 0, 0
    falls: bool = uniswap_limits._is_first(token_in, token_out)
    pays: bool = False
    limit: uint256 = 0
    fee: uint256 = staticcall IUniswapV3Pool(pool).fee()
    pays, limit = uniswap_limits._pays_until(pool, fee, falls, min_rate)
    if not pays:
        return 0, 0
    return self._try(pool, falls, amount, limit)


@internal
def _stable_sale(swap: address, token_in: address, token_out: address, amount: uint256) -> uint256:
    """@return What `swap` of a `BalancerSwap` would fetch."""
    pool: bytes32 = staticcall BalancerSwap(swap).pool_of(token_in, token_out)
    assert pool != empty(bytes32), "swap: no pool"
    assert amount > 0, "swap: amount"
    vault: address = staticcall BalancerSwap(swap).VAULT()
    cash: uint256 = staticcall IBalancerVault(vault).getPoolTokenInfo(pool, token_out)
    step: IBalancerVault.BatchSwapStep = IBalancerVault.BatchSwapStep(
        poolId=pool, assetInIndex=0, assetOutIndex=1, amount=amount, userData=b""
    )
    nobody: IBalancerVault.FundManagement = empty(IBalancerVault.FundManagement)
    changes: DynArray[int256, 2] = extcall IBalancerVault(vault).queryBatchSwap(
        GIVEN_IN, [step], [token_in, token_out], nobody
    )
    got: uint256 = convert(-changes[1], uint256)
    assert got <= cash // MAX_PART, "swap: not enough liquidity"
    return got


@internal
def _try(pool: address, falls: bool, amount: uint256, limit: uint256) -> (uint256, uint256):
    """@return What the pool would take and give."""
    assert amount < 2**255, "swap: amount"
    nothing: Bytes[32] = b""
    done: bool = False
    answer: Bytes[revert_reason.REASON_SIZE] = b""
    done, answer = raw_call(
        pool,
        abi_encode(
            self,
            falls,
            convert(amount, int256),
            convert(limit, uint160),
            nothing,
            method_id=method_id("swap(address,bool,int256,uint160,bytes)"),
        ),
        max_outsize=revert_reason.REASON_SIZE,
        revert_on_failure=False,
    )
    assert not done, "quote: pool did not ask"
    if len(answer) != 64:
        raw_revert(answer)
    change0: int256 = 0
    change1: int256 = 0
    change0, change1 = abi_decode(answer, (int256, int256))
    paid: int256 = change0 if falls else change1
    got: int256 = -change1 if falls else -change0
    assert paid >= 0, "swap: not enough liquidity"
    assert got >= 0, "swap: too little out"
    return convert(paid, uint256), convert(got, uint256)
