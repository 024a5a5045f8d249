# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Performance fee
@custom:contract-name performance_fee
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A part of the gains, but never of those that only make up for earlier losses, and in a day of no
        more than a tenth of what the vault holds: the shares that pay the fee are final, and an adapter
        that lies for a moment must not turn the vault over to the recipient.
@dev Amounts in asset units, the fee in WAD. Losses are counted for the vault as a whole, not per share:
     who comes after a loss shares in the gains that are free of the fee, and who leaves does not take
     his part of the loss along. Both are to the recipient's cost.
"""
from ..interfaces import ILRTVault
from . import checks
from . import vault_packing


WAD: constant(uint256) = 10**18
# The fee is at most 20 %.
MAX_FEE: constant(uint256) = 2 * 10**17
# Gains of a tenth of the whole may be charged at once, and as much again in a day.
MAX_CHARGED_PART: constant(uint256) = 10
DAY: constant(uint256) = 86_400

performance_fee: public(uint256)
fee_recipient: public(address)
unrecovered_loss: public(uint256)
# Gains that were charged and have not been forgotten yet, and when that was; see `vault_packing`.
_charged: uint256


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
def _charge_down(gain: uint256, loss: uint256, whole: uint256) -> uint256:
    """
    @notice Count a loss, then let a gain make up for losses.
    @param whole What the vault holds, idle and staked, before them.
    @return The fee on what is left of the gain and may be charged today, rounded down.
    """
    missing: uint256 = self.unrecovered_loss + loss
    recovered: uint256 = min(missing, gain)
    self.unrecovered_loss = missing - recovered
    fee: uint256 = self.performance_fee
    if fee == 0 or gain == recovered:
        return 0
    most: uint256 = whole // MAX_CHARGED_PART
    charged: uint256 = 0
    since: uint256 = 0
    unused: uint256 = 0
    charged, since, unused = vault_packing._unpack_timed(self._charged)
    charged -= min(charged, most * (block.timestamp - since) // DAY)
    charging: uint256 = min(gain - recovered, most - min(most, charged))
    self._charged = vault_packing._pack_timed(charged + charging, block.timestamp, 0)
    return charging * fee // WAD


@internal
def _recover(amount: uint256):
    """@notice Something came back of what was lost."""
    self.unrecovered_loss -= min(self.unrecovered_loss, amount)
