# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title BalancerSwap
@custom:contract-name BalancerSwap
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Sells one token for another in a pool of the Balancer v2 Vault, out of a list that is fixed at
        creation: stable pools, whose price a sale hardly moves.
@dev Holds nothing between calls, and allows the Vault just what it sells. What a pool pays is its own
     matter, however wrong its mathematics or its rates may be; the bound of the caller is the only
     protection, and it is checked here.
"""
from ..interfaces import IBalancerVault
from ..interfaces import ISwap
from ..modules import token

implements: ISwap


GIVEN_IN: constant(uint8) = 0
SWAP_METHOD: constant(Bytes[4]) = method_id(
    "swap((bytes32,uint8,address,address,uint256,bytes),(address,bool,address,bool),uint256,uint256)"
)
WAD: constant(uint256) = 10**18
# A sale may take one half of what the pool has. So much moves a stable pool's price by little, but near
# its end a pool gives hardly anything for any amount.
MAX_PART: constant(uint256) = 2

VAULT: public(immutable(address))
# The Vault's name of the pool, by token in and token out.
pool_of: public(HashMap[address, HashMap[address, bytes32]])


@deploy
def __init__(vault: address, pools: DynArray[bytes32, 8]):
    VAULT = vault
    for pool: bytes32 in pools:
        shares: address = empty(address)
        specialization: uint8 = 0
        shares, specialization = staticcall IBalancerVault(vault).getPool(pool)
        tokens: DynArray[address, 8] = []
        balances: DynArray[uint256, 8] = []
        changed: uint256 = 0
        tokens, balances, changed = staticcall IBalancerVault(vault).getPoolTokens(pool)
        for token_in: address in tokens:
            for token_out: address in tokens:
                # A pool that trades its own shares joins and leaves by that: nothing to sell here.
                if token_in == token_out or shares in [token_in, token_out]:
                    continue
                known: bytes32 = self.pool_of[token_in][token_out]
                assert known == empty(bytes32), "swap: two pools for a pair"
                self.pool_of[token_in][token_out] = pool


@external
def swap(
    token_in: address, token_out: address, amount_in: uint256, min_out: uint256, receiver: address
) -> uint256:
    """@notice See `ISwap`. Reverts when the pool cannot take all of `amount_in` at a sane price."""
    pool: bytes32 = self.pool_of[token_in][token_out]
    assert pool != empty(bytes32), "swap: no pool"
    assert amount_in > 0, "swap: amount"
    cash: uint256 = staticcall IBalancerVault(VAULT).getPoolTokenInfo(pool, token_out)
    sale: IBalancerVault.SingleSwap = self._sale(pool, token_in, token_out, amount_in)
    funds: IBalancerVault.FundManagement = self._funds(receiver)
    token._approve(token_in, VAULT, amount_in)
    got: uint256 = extcall IBalancerVault(VAULT).swap(sale, funds, 0, block.timestamp)
    assert got <= cash // MAX_PART, "swap: not enough liquidity"
    assert got >= min_out, "swap: too little out"
    return got


@external
def swap_up_to(
    token_in: address, token_out: address, amount_in: uint256, min_rate: uint256, receiver: address
) -> (uint256, uint256):
    """
    @notice See `ISwap`. All is sold, if all together fetches the rate, or nothing; nothing too when the
            Vault refuses, for whatever reason.
    """
    pool: bytes32 = self.pool_of[token_in][token_out]
    # Beyond this the product is more than any pool can hold.
    may_fetch: bool = min_rate == 0 or amount_in <= (max_value(uint256) - WAD) // min_rate
    if pool != empty(bytes32) and amount_in > 0 and may_fetch:
        least_up: uint256 = (amount_in * min_rate + WAD - 1) // WAD
        sold: bool = False
        got: uint256 = 0
        sold, got = self._try(pool, token_in, token_out, amount_in, least_up, receiver)
        if sold:
            return amount_in, got
    token._push(token_in, msg.sender, amount_in)
    return 0, 0


@internal
def _try(
    pool: bytes32,
    token_in: address,
    token_out: address,
    amount: uint256,
    min_out: uint256,
    receiver: address,
) -> (bool, uint256):
    """@return Whether it was sold, and what it fetched. The Vault keeps to `min_out` itself."""
    sale: IBalancerVault.SingleSwap = self._sale(pool, token_in, token_out, amount)
    funds: IBalancerVault.FundManagement = self._funds(receiver)
    token._approve(token_in, VAULT, amount)
    sold: bool = False
    answer: Bytes[32] = b""
    sold, answer = raw_call(
        VAULT,
        abi_encode(sale, funds, min_out, block.timestamp, method_id=SWAP_METHOD),
        max_outsize=32,
        revert_on_failure=False,
    )
    if not sold:
        token._approve(token_in, VAULT, 0)
        return False, 0
    return True, abi_decode(answer, uint256)


@internal
@pure
def _sale(
    pool: bytes32, token_in: address, token_out: address, amount: uint256
) -> IBalancerVault.SingleSwap:
    return IBalancerVault.SingleSwap(
        poolId=pool,
        kind=GIVEN_IN,
        assetIn=token_in,
        assetOut=token_out,
        amount=amount,
        userData=b"",
    )


@internal
@view
def _funds(receiver: address) -> IBalancerVault.FundManagement:
    """@notice Out of what this contract holds, and to the receiver itself."""
    return IBalancerVault.FundManagement(
        sender=self,
        fromInternalBalance=False,
        recipient=receiver,
        toInternalBalance=False,
    )
