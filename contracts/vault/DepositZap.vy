# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title DepositZap
@custom:contract-name DepositZap
@license GNU Affero General Public License v3.0 only
@author Relever
@notice ETH, WETH, stETH or wstETH into the LRT in one call, at the vault's own rate.
@dev Between calls it holds no token, ether or allowance; what someone sends it by mistake is paid to
     nobody, since only differences of balances are used. It has no owner and no setting.
     Failure mode: whatever stops Lido's staking or the vault's deposits stops it too.
"""
from ethereum.ercs import IERC4626

from ..interfaces import IDepositZap
from ..interfaces import IStETH
from ..modules import lrt_entry

initializes: lrt_entry

implements: IDepositZap

exports: (
    lrt_entry.LRT,
    lrt_entry.LST,
    lrt_entry.STETH,
    lrt_entry.WETH,
)


@deploy
def __init__(lrt: address, lst: address, weth: address):
    lrt_entry.__init__(lrt, lst, weth)


@payable
@external
@reentrant
def __default__():
    """@notice Takes ether from unwrapping WETH, and from nobody else."""
    assert msg.sender == lrt_entry.WETH, "zap: ether only from weth"


@payable
@external
def deposit(token: address, amount: uint256, min_shares: uint256, receiver: address) -> uint256:
    """@notice See `IDepositZap`."""
    self._check_token(token)
    assert amount != 0, "zap: zero amount"
    assert receiver != empty(address), "zap: zero receiver"
    assert receiver != self, "zap: receiver is the zap"
    if token == empty(address):
        assert msg.value == amount, "zap: ether sent is not amount"
    else:
        assert msg.value == 0, "zap: ether with a token"
    lst: uint256 = lrt_entry._to_lst(token, msg.sender, amount)
    shares: uint256 = lrt_entry._deposit(lst, receiver)
    assert shares != 0, "zap: zero shares"
    assert shares >= min_shares, "zap: too few shares"
    log IDepositZap.Zapped(
        sender=msg.sender, receiver=receiver, token=token, amount=amount, shares=shares
    )
    return shares


@view
@external
def preview(token: address, amount: uint256) -> uint256:
    """@notice See `IDepositZap`."""
    self._check_token(token)
    lst: uint256 = amount
    if token != lrt_entry.LST:
        # One wstETH is one share of stETH, and ether becomes as many.
        lst = staticcall IStETH(lrt_entry.STETH).getSharesByPooledEth(amount)
    return staticcall IERC4626(lrt_entry.LRT).previewDeposit(lst)


@view
@internal
def _check_token(token: address):
    known: bool = lrt_entry._is_input(token)
    assert known, "zap: token not accepted"
