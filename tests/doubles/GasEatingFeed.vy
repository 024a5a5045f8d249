# pragma version 0.4.3
"""
@title GasEatingFeed
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A feed that uses as much gas as it is told to, and then answers one loan unit per unit.
"""


decimals: public(constant(uint8)) = 18

# Gas used before the answer.
appetite: public(uint256)


@external
def set_appetite(appetite: uint256):
    self.appetite = appetite


@view
@external
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    at_start: uint256 = msg.gas
    appetite: uint256 = self.appetite
    for bite: uint256 in range(10**12):
        if at_start - msg.gas >= appetite:
            break
    return 1, 10**18, block.timestamp, block.timestamp, 1
