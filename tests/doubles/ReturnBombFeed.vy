# pragma version 0.4.3
"""
@title ReturnBombFeed
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A feed that answers, or reverts, with 64,000 bytes: whoever copies them pays for them.
"""


decimals: public(constant(uint8)) = 18

# Reverts with the bytes instead of answering.
reverting: bool


@external
def set_reverting(reverting: bool):
    self.reverting = reverting


@view
@external
@raw_return
def latestRoundData() -> Bytes[64000]:
    words: uint256[2000] = empty(uint256[2000])
    if self.reverting:
        raw_revert(abi_encode(words))
    words[1] = 10**18
    words[3] = block.timestamp
    return abi_encode(words)
