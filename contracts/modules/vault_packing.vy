# pragma version 0.4.3
"""
@title Packed words of the LRT vault
@custom:contract-name vault_packing
@license GNU Affero General Public License v3.0 only
@author Relever
@notice From the low end: funds are 120 | 120 | 16 bits, locked profit and limits 128 | 64 | 64, a pair of
        an amount and a ratio 128 | 128.
@dev Values are checked on the way in, so that nothing ever spills into its neighbour.
"""
from . import checks


MAX_120: constant(uint256) = 2**120 - 1
MAX_128: constant(uint256) = 2**128 - 1
MAX_64: constant(uint256) = 2**64 - 1
# Where funds say how many quarantines there were.
QUARANTINES_SHIFT: constant(uint256) = 240


@internal
@pure
def _pack_funds(idle: uint256, booked: uint256, quarantines: uint256) -> uint256:
    """@notice Idle assets low, assets booked in adapters, then the number of quarantines."""
    if idle > MAX_120 or booked > MAX_120:
        checks._fail("vault: funds overflow")
    return idle | (booked << 120) | (quarantines << QUARANTINES_SHIFT)


@internal
@pure
def _unpack_funds(word: uint256) -> (uint256, uint256):
    """@return Idle and booked assets."""
    return word & MAX_120, (word >> 120) & MAX_120


@internal
@pure
def _pack_timed(amount: uint256, first: uint256, second: uint256) -> uint256:
    """@notice An amount low, then two times."""
    if amount > MAX_128:
        checks._fail("vault: amount overflow")
    if first > MAX_64 or second > MAX_64:
        checks._fail("vault: time overflow")
    return amount | (first << 128) | (second << 192)


@internal
@pure
def _unpack_timed(word: uint256) -> (uint256, uint256, uint256):
    """@return The amount and the two times."""
    return word & MAX_128, (word >> 128) & MAX_64, word >> 192


@internal
@pure
def _pack_pair(amount: uint256, ratio: uint256) -> uint256:
    """@notice An amount low, a ratio high."""
    if amount > MAX_128 or ratio > MAX_128:
        checks._fail("vault: pair overflow")
    return amount | (ratio << 128)


@internal
@pure
def _unpack_pair(word: uint256) -> (uint256, uint256):
    """@return The amount and the ratio."""
    return word & MAX_128, word >> 128
