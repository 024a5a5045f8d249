# pragma version 0.4.3
"""
@title RoundInRevertFeed
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A feed that reverts, and with what would be a good round.
"""

decimals: public(constant(uint8)) = 18


@view
@external
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    round: uint256 = 1
    price: uint256 = 1
    raw_revert(abi_encode(round, price, block.timestamp, block.timestamp, round))
