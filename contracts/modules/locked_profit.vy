# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Locked profit
@custom:contract-name locked_profit
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A gain that is in the books, but becomes the holders' only with time, along a straight line.
        So nobody can buy in before a gain and leave with it after, and a loss finds a cushion.
@dev Amounts in asset units, times in seconds.
"""
from . import vault_packing


# Locked amount, the time at which none is locked, the time it was measured; see `vault_packing`.
_profit: uint256


@internal
@view
def _locked_up() -> uint256:
    """@notice What is still locked now. Rounded up: the unit belongs to nobody yet."""
    word: uint256 = self._profit
    if word == 0:
        return 0
    locked: uint256 = 0
    unlock_end: uint256 = 0
    updated: uint256 = 0
    locked, unlock_end, updated = vault_packing._unpack_timed(word)
    if locked == 0 or block.timestamp >= unlock_end:
        return 0
    span: uint256 = unlock_end - updated
    return (locked * (unlock_end - block.timestamp) + span - 1) // span


@internal
def _book(gain: uint256, loss: uint256, period: uint256):
    """
    @notice Take a loss out of what is locked, as far as that goes, then lock a gain.
    @dev The gain does not start the clock anew: the time left becomes the average of the old rest
         and the period, weighted by the amounts and rounded down. It is never less than the old
         rest, and a gain too small to matter does not move it: dust cannot hold the profit back.
    @param period Seconds in which a gain unlocks that finds nothing locked.
    """
    locked: uint256 = self._locked_up()
    locked -= min(locked, loss)
    left: uint256 = 0
    if locked != 0:
        old_locked: uint256 = 0
        unlock_end: uint256 = 0
        updated: uint256 = 0
        old_locked, unlock_end, updated = vault_packing._unpack_timed(self._profit)
        left = unlock_end - block.timestamp
    total: uint256 = locked + gain
    if total == 0:
        self._profit = 0
        return
    left = (locked * left + gain * period) // total
    self._profit = vault_packing._pack_timed(total, block.timestamp + left, block.timestamp)
