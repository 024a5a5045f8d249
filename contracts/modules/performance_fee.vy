# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Performance fee
@custom:contract-name performance_fee
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A part of the gains, but never of those that only make up for earlier losses.
@dev Amounts in asset units, the fee in WAD. Losses are counted for the vault as a whole, not per share:
     who comes after a loss shares in the gains that are free of the fee, and who leaves does not take
     his part of the loss along. Both are to the recipient's cost.
"""
from ..interfaces import ILRTVault
from . import checks


WAD: constant(uint256) = 10**18
# The fee is at most 20 %.
MAX_FEE: constant(uint256) = 2 * 10**17

performance_fee: public(uint256)
fee_recipient: public(address)
unrecovered_loss: public(uint256)


@internal
def _set(fee: uint256, recipient: address):
    if fee > MAX_FEE:
        checks._fail("vault: performance fee")
    if fee != 0 and recipient == empty(address):
        checks._fail("vault: no fee recipient")
    self.performance_fee = fee
    self.fee_recipient = recipient
    log ILRTVault.PerformanceFeeSet(fee=fee, recipient=recipient)


@internal
def _charge_down(gain: uint256, loss: uint256) -> uint256:
    """
    @notice Count a loss, then let a gain make up for losses.
    @return The fee on what is left of the gain, rounded down.
    """
    missing: uint256 = self.unrecovered_loss + loss
    recovered: uint256 = min(missing, gain)
    self.unrecovered_loss = missing - recovered
    return (gain - recovered) * self.performance_fee // WAD


@internal
def _recover(amount: uint256):
    """@notice Something came back of what was lost."""
    self.unrecovered_loss -= min(self.unrecovered_loss, amount)
