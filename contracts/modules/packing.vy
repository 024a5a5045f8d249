# pragma version 0.4.3
"""
@title Packed words
@custom:contract-name packing
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Two amounts and a time in 112 | 112 | 32 bits from the low end; a position in 128 | 128.
@dev Values are not masked on the way in: whoever packs sees to the widths. The market's totals, which
     every action reads, are packed where they are used, in `totals`.
"""


MAX_112: constant(uint256) = 2**112 - 1
MAX_128: constant(uint256) = 2**128 - 1


@internal
@pure
def _pack_totals(assets: uint256, shares: uint256, tail: uint256) -> uint256:
    """@param tail A time."""
    return assets | (shares << 112) | (tail << 224)


@internal
@pure
def _unpack_totals(word: uint256) -> (uint256, uint256, uint256):
    """@return Assets, shares, tail."""
    return word & MAX_112, (word >> 112) & MAX_112, word >> 224


@internal
@pure
def _pack_position(collateral: uint256, debt_shares: uint256) -> uint256:
    """@notice Collateral low, debt shares high."""
    return collateral | (debt_shares << 128)


@internal
@pure
def _unpack_position(word: uint256) -> (uint256, uint256):
    """@return Collateral and debt shares."""
    return word & MAX_128, word >> 128
