# pragma version 0.4.3
"""
@title SettableRate
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Tells a stable pool the rate (WAD) of a token that the test sets.
"""


getRate: public(uint256)


@deploy
def __init__(rate: uint256):
    self.getRate = rate


@external
def set_rate(rate: uint256):
    self.getRate = rate
