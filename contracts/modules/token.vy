# pragma version 0.4.3
"""
@title Token transfers
@custom:contract-name token
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The one place that calls ERC-20 tokens. A token may answer with nothing, but not with False.
"""
from ethereum.ercs import IERC20

from . import checks


@internal
def _push(token: address, to: address, amount: uint256):
    """@notice Send `amount` of `token` to `to`; nothing is called for zero."""
    if amount == 0:
        return
    sent: bool = extcall IERC20(token).transfer(to, amount, default_return_value=True)
    if not sent:
        checks._fail("token: transfer failed")


@internal
def _pull(token: address, owner: address, amount: uint256):
    """@notice Take `amount` of `token` from `owner`'s allowance; nothing is called for zero."""
    if amount == 0:
        return
    sent: bool = extcall IERC20(token).transferFrom(
        owner, self, amount, default_return_value=True
    )
    if not sent:
        checks._fail("token: transferFrom failed")


@internal
def _move(token: address, owner: address, to: address, amount: uint256):
    """
    @notice Send `amount` of `owner`'s to `to`, out of its allowance to this contract.
    @dev `_pull` says the same once more: by way of this each deposit would cost 51 gas more.
    """
    if amount == 0:
        return
    sent: bool = extcall IERC20(token).transferFrom(
        owner, to, amount, default_return_value=True
    )
    if not sent:
        checks._fail("token: transferFrom failed")


@internal
def _approve(token: address, spender: address, amount: uint256):
    """@notice Set an allowance. Whoever calls this sees to it that it is used up or taken back."""
    approved: bool = extcall IERC20(token).approve(spender, amount, default_return_value=True)
    if not approved:
        checks._fail("token: approve failed")


@internal
@view
def _balance(token: address, owner: address) -> uint256:
    """@notice Balance of `owner`. Never to be used for a price, a share or a health."""
    return staticcall IERC20(token).balanceOf(owner)
