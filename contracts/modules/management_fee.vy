# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Management fee
@custom:contract-name management_fee
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A fee in shares, which are added to the supply as time passes.
@dev The supply grows with an index that rises along a line: 1 + fee * years since creation. From
     one time to another it grows by the quotient of the two, so that it does not matter when and
     how often that is booked; each booking rounds down, against the receiver. The fee is its yearly
     rate at first, and a little less with each year: 1.67 % in the tenth where it was 2 %.
"""
from snekmate.tokens import erc20

uses: erc20


WAD: constant(uint256) = 10**18
YEAR: constant(uint256) = 365 * 86_400
MAX_FEE: constant(uint256) = 2 * 10**16

FEE: immutable(uint256)
RECEIVER: immutable(address)
CREATED: immutable(uint256)

_booked: uint256


@deploy
def __init__(fee: uint256, receiver: address):
    """@param fee WAD a year."""
    assert fee <= MAX_FEE, "token: fee"
    assert receiver != empty(address), "token: fee receiver"
    FEE = fee
    RECEIVER = receiver
    CREATED = block.timestamp
    self._booked = block.timestamp


@view
@external
def totalSupply() -> uint256:
    """@notice ERC-20, with the fee until now."""
    return self._supply()


@external
def accrue_fee():
    """@notice Mint the fee until now."""
    self._accrue()


@internal
@view
def _supply() -> uint256:
    return erc20.totalSupply * self._index(block.timestamp) // self._index(self._booked)


@internal
def _accrue() -> uint256:
    """@return The supply, of which nothing is missing now."""
    supply: uint256 = self._supply()
    if supply != erc20.totalSupply:
        erc20._mint(RECEIVER, supply - erc20.totalSupply)
    self._booked = block.timestamp
    return supply


@internal
@view
def _index(time: uint256) -> uint256:
    """@notice Exact: scaled by a WAD of years."""
    return WAD * YEAR + FEE * (time - CREATED)
