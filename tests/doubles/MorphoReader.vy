# pragma version 0.4.3
"""
@title MorphoReader
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Reads an oracle as Morpho Blue does, and reckons as it does: how much may be borrowed against
        collateral at a loan-to-value in WAD, each step rounded down.
"""


interface IOracle:
    def price() -> uint256: view


@view
@external
def max_borrow(oracle: address, collateral: uint256, lltv: uint256) -> uint256:
    price: uint256 = staticcall IOracle(oracle).price()
    return collateral * price // 10**36 * lltv // 10**18
