# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title ChainlinkFace
@custom:contract-name ChainlinkFace
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The oracle as readers of Chainlink feeds expect it: WETH per LRT, rounded down to `decimals`.
@dev The times are honest. `updatedAt` is the block's time only when the price was computed in it out
     of rates, in fundamental mode without a lasting discount. Every other price rests on the market
     feed's last answer and has its time, so that a reader's own limit of age still means something.
     A round is numbered by the time it is asked for, so that numbers never fall; no round is kept.
     A reader must leave it 300,000 gas, most of which comes back: the feed's share is kept ready.
     Where there is no price, it reverts; a reader that must not be stopped by that uses fundamental
     mode, see `face`. A price of nothing is answered as such, as 0.
"""
from ..interfaces import IAggregatorV3

# The oracle and the mode.
from ..modules import face

initializes: face

implements: IAggregatorV3

exports: (
    face.CONSERVATIVE,
    face.ORACLE,
)


PRICE_DECIMALS: constant(uint8) = 36

version: public(constant(uint256)) = 1
decimals: public(immutable(uint8))
# 36 digits of a price, less those that are told.
_CUT: immutable(uint256)

description: public(String[64])


@deploy
def __init__(oracle: address, conservative: bool, decimals_: uint8, description_: String[64]):
    """@param decimals_ Of the answer; readers expect 18 of a price in ether."""
    face.__init__(oracle, conservative)
    assert 0 < decimals_ and decimals_ <= PRICE_DECIMALS, "face: decimals"
    decimals = decimals_
    _CUT = 10 ** convert(PRICE_DECIMALS - decimals_, uint256)
    self.description = description_


@view
@external
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    """@return Round, answer, start and time of the answer, round in which it was answered."""
    price: uint256 = 0
    made_at: uint256 = 0
    price, made_at = face._price()
    round: uint80 = convert(block.timestamp, uint80)
    return round, convert(price // _CUT, int256), made_at, made_at, round


@view
@external
def latestAnswer() -> int256:
    """@notice The answer alone. Its reader cannot tell how old it is."""
    return convert(face._price()[0] // _CUT, int256)


@pure
@external
def getRoundData(round: uint80) -> (uint80, int256, uint256, uint256, uint80):
    """@notice Reverts: past rounds are not kept."""
    raise "face: rounds are not kept"
