# pragma version 0.4.3
"""
@title Packed words of the LRT vault
@custom:contract-name vault_packing
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Funds are 128 | 128 bits from the low end, locked profit is 128 | 64 | 64.
@dev Values are checked on the way in, so that nothing ever spills into its neighbour.
"""


MAX_128: constant(uint256) = 2**128 - 1
MAX_64: constant(uint256) = 2**64 - 1


@internal
@pure
def _pack_funds(idle: uint256, booked: uint256) -> uint256:
    """@notice Idle assets low, assets booked in adapters high."""
    assert idle <= MAX_128 and booked <= MAX_128, "vault: funds overflow"
    return idle | (booked << 128)


@internal
@pure
def _unpack_funds(word: uint256) -> (uint256, uint256):
    """@return Idle and booked assets."""
    return word & MAX_128, word >> 128


@internal
@pure
def _pack_profit(locked: uint256, unlock_end: uint256, updated: uint256) -> uint256:
    """@notice Amount low, then the time at which none is locked, then the time it was measured."""
    assert locked <= MAX_128, "vault: profit overflow"
    assert unlock_end <= MAX_64 and updated <= MAX_64, "vault: time overflow"
    return locked | (unlock_end << 128) | (updated << 192)


@internal
@pure
def _unpack_profit(word: uint256) -> (uint256, uint256, uint256):
    """@return Locked amount, the time at which none is locked, the time it was measured."""
    return word & MAX_128, (word >> 128) & MAX_64, word >> 192
