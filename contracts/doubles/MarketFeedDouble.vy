# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title MarketFeedDouble
@custom:contract-name MarketFeedDouble
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Stands for the LRT's market feed on testnets, where none trades: says what a wstETH is worth in
        ether, less a discount that its reporter sets, and is always fresh. Never for real money.
@dev The LRT is taken for one wstETH; what a vault earns beyond that is for the reporter to add by a
     smaller discount, which is above what the oracle's own price allows only where it is ignored.
"""
from ..interfaces import IAggregatorV3
from ..interfaces import IWstETH

implements: IAggregatorV3


WAD: constant(uint256) = 10**18

WSTETH: public(immutable(address))
REPORTER: public(immutable(address))

# WAD.
discount: public(uint256)
round: uint80


@deploy
def __init__(wsteth: address, reporter: address):
    WSTETH = wsteth
    REPORTER = reporter
    self.round = 1


@external
def set_discount(discount: uint256):
    """@notice Reporter only. @param discount WAD, less than 1."""
    assert msg.sender == REPORTER, "feed: not reporter"
    assert discount < WAD, "feed: discount"
    self.discount = discount
    self.round += 1


@view
@external
def decimals() -> uint8:
    """@notice Of the answer."""
    return 18


@view
@external
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    """@notice WETH for an LRT, now."""
    rate: uint256 = staticcall IWstETH(WSTETH).stEthPerToken()
    answer: uint256 = rate * (WAD - self.discount) // WAD
    now: uint256 = block.timestamp
    return self.round, convert(answer, int256), now, now, self.round
