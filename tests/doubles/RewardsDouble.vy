# pragma version 0.4.3
"""
@title RewardsDouble
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Says that it rewards whom the test says, as EigenLayer's coordinator and as Symbiotic's
        rewards.
"""

_rewarded: immutable(address)


@deploy
def __init__(rewarded: address):
    _rewarded = rewarded


@view
@external
def delegationManager() -> address:
    return _rewarded


@view
@external
def VAULT() -> address:
    return _rewarded
