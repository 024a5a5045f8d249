# pragma version 0.4.3
"""
@title OneWordOracle
@license GNU Affero General Public License v3.0 only
@author Relever
@notice One price for everything that a market asks, which costs one word of storage to read: the
        constant oracle to measure gas with.
@dev Loan units per collateral unit scaled by 1e36.
"""

price: public(uint256)


@deploy
def __init__(price: uint256):
    self.price = price


@view
@external
def latestAnswer() -> int256:
    """@notice As a Chainlink feed, in WAD."""
    return convert(self.price // 10**18, int256)


@external
def set_price(price: uint256):
    self.price = price


@view
@external
def fundamental() -> uint256:
    return self.price


@view
@external
def poke_price() -> uint256:
    return self.price


@view
@external
def poke_liquidation_prices() -> (uint256, uint256, bool):
    price: uint256 = self.price
    return price, price, True
