# pragma version 0.4.3
"""
@title The ways into and out of the LRT
@custom:contract-name lrt_path
@license GNU Affero General Public License v3.0 only
@author Relever
@notice In: ETH, WETH, stETH and wstETH become the LRT by staking and depositing, at the vault's own rate.
        Out: the LRT becomes WETH by the LRT's pool, or by instant redemption and the LST's pool.
@dev Every target is immutable. Amounts are what arrived, not what was asked for.
"""
from ethereum.ercs import IERC4626

from ..interfaces import ILendingMarket
from ..interfaces import IRoute
from ..interfaces import IStETH
from ..interfaces import ISwap
from ..interfaces import IWETH
from ..interfaces import IWstETH
from . import token


LRT: public(immutable(address))
LST: public(immutable(address))
STETH: public(immutable(address))
WETH: public(immutable(address))
SWAP: public(immutable(address))


@deploy
def __init__(lrt: address, lst: address, weth: address, swap: address):
    staked: address = staticcall IERC4626(lrt).asset()
    assert staked == lst, "path: lst is not the lrt's asset"
    LRT = lrt
    LST = lst
    STETH = staticcall IWstETH(lst).stETH()
    WETH = weth
    SWAP = swap


@internal
@view
def _check_market(market: address):
    """@notice One factory may list markets of other tokens, which these ways do not lead to."""
    terms: ILendingMarket.Terms = staticcall ILendingMarket(market).terms()
    fits: bool = terms.collateral == LRT and terms.loan == WETH
    assert fits, "path: market of other tokens"


@internal
def _stake_weth(amount: uint256) -> uint256:
    """@return wstETH received for WETH that this contract holds."""
    if amount == 0:
        return 0
    extcall IWETH(WETH).withdraw(amount)
    return self._stake_ether(amount)


@internal
def _stake_ether(amount: uint256) -> uint256:
    """@return wstETH received for ether that this contract holds."""
    before: uint256 = token._balance(LST, self)
    raw_call(LST, b"", value=amount)
    after: uint256 = token._balance(LST, self)
    return after - before


@internal
def _wrap_steth_of(owner: address, amount: uint256) -> uint256:
    """
    @return wstETH received for the caller's stETH.
    @dev Lido moves whole shares, and rounds an amount down to them. So shares are what is pulled, and
         one wei more than they are worth is what moves all of them on: none stays behind. This holds
         while a share is worth more than a wei, as it is since Lido's first reward.
    """
    steth_shares: uint256 = staticcall IStETH(STETH).getSharesByPooledEth(amount)
    extcall IStETH(STETH).transferSharesFrom(owner, self, steth_shares)
    pooled: uint256 = staticcall IStETH(STETH).getPooledEthByShares(steth_shares)
    token._approve(STETH, LST, pooled + 1)
    return extcall IWstETH(LST).wrap(pooled + 1)


@internal
def _deposit(amount: uint256) -> uint256:
    """@return LRT received for wstETH that this contract holds."""
    if amount == 0:
        return 0
    token._approve(LST, LRT, amount)
    return extcall IERC4626(LRT).deposit(amount, self)


@internal
def _sell(amount: uint256, route: IRoute.Route) -> uint256:
    """
    @return WETH received for LRT that this contract holds. The caller checks that it is enough.
    """
    sold: address = LRT
    sold_amount: uint256 = amount
    if route != IRoute.Route.SWAP:
        assert route == IRoute.Route.REDEEM, "path: no such route"
        sold = LST
        sold_amount = extcall IERC4626(LRT).redeem(amount, self, self)
    token._push(sold, SWAP, sold_amount)
    return extcall ISwap(SWAP).swap(sold, WETH, sold_amount, 0, self)
