# pragma version 0.4.3
"""
@title SettableFeed
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A Chainlink-type feed whose decimals are chosen and whose round the test writes, whole: also
        rounds that no honest feed has.
"""
from interfaces import IAggregatorV3

implements: IAggregatorV3


struct Round:
    id: uint80
    answer: int256
    started_at: uint256
    updated_at: uint256
    answered_in: uint80


decimals: public(immutable(uint8))

round: Round
# Asking reverts.
broken: bool


@deploy
def __init__(decimals_: uint8):
    decimals = decimals_


@external
def set_round(round: Round):
    self.round = round


@external
def set_broken(broken: bool):
    self.broken = broken


@view
@external
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    assert not self.broken, "feed: broken"
    r: Round = self.round
    return r.id, r.answer, r.started_at, r.updated_at, r.answered_in
