# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title MorphoFace
@custom:contract-name MorphoFace
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The oracle as Morpho Blue reads it: `price()`, loan units per collateral unit scaled by 1e36.
@dev Morpho borrows and liquidates on one price, which must not revert when positions are to be
     liquidated: fundamental mode suits it. The modes are told in `face`.
"""
# The oracle and the mode.
from ..modules import face

initializes: face

exports: (
    face.CONSERVATIVE,
    face.ORACLE,
)


@deploy
def __init__(oracle: address, conservative: bool):
    face.__init__(oracle, conservative)


@view
@external
def price() -> uint256:
    """@notice WETH per LRT, both of 18 decimals, scaled by 1e36. Rounded down."""
    return face._price()[0]
