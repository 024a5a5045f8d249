# pragma version 0.4.3
"""
@title The ways into the LRT
@custom:contract-name lrt_entry
@license GNU Affero General Public License v3.0 only
@author Relever
@notice ETH, WETH, stETH and wstETH become the LRT by staking and depositing, at the vault's own rate.
@dev Every target is immutable. Amounts are what arrived, not what was asked for.
"""
from ethereum.ercs import IERC4626

from ..interfaces import IStETH
from ..interfaces import IWETH
from ..interfaces import IWstETH
from . import token


LRT: public(immutable(address))
LST: public(immutable(address))
STETH: public(immutable(address))
WETH: public(immutable(address))


@deploy
def __init__(lrt: address, lst: address, weth: address):
    staked: address = staticcall IERC4626(lrt).asset()
    assert staked == lst, "path: lst is not the lrt's asset"
    LRT = lrt
    LST = lst
    STETH = staticcall IWstETH(lst).stETH()
    WETH = weth


@internal
@view
def _is_input(token_in: address) -> bool:
    """@notice Whether `_to_lst` knows it; the zero address is ether."""
    return token_in in [empty(address), WETH, STETH, LST]


@internal
def _to_lst(token_in: address, owner: address, amount: uint256) -> uint256:
    """
    @notice Take one of the four inputs: ether that was sent along, a token from `owner`'s allowance.
    @return wstETH received.
    """
    if token_in == empty(address):
        return self._stake_ether(amount)
    if token_in == STETH:
        return self._wrap_steth_of(owner, amount)
    token._pull(token_in, owner, amount)
    if token_in == WETH:
        return self._stake_weth(amount)
    return amount


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
def _deposit(amount: uint256, receiver: address) -> uint256:
    """@return LRT minted to `receiver` for wstETH that this contract holds."""
    if amount == 0:
        return 0
    token._approve(LST, LRT, amount)
    return extcall IERC4626(LRT).deposit(amount, receiver)
