# pragma version 0.4.3
"""
@title Packed words of the lending market
@custom:contract-name packing
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Totals are 112 | 112 | 32 bits from the low end, a position is 128 | 128.
@dev Values are not masked on the way in: the market guards each width where it adds, so that no
     action that reduces risk can revert here.
"""


MAX_112: constant(uint256) = 2**112 - 1
MAX_32: constant(uint256) = 2**32 - 1
MAX_128: constant(uint256) = 2**128 - 1


@internal
@pure
def _pack_totals(assets: uint256, shares: uint256, tail: uint256) -> uint256:
    """@param tail The time of the supply word, the rate code of the borrow word."""
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
