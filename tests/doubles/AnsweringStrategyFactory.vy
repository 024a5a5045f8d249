# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title AnsweringStrategyFactory
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Answers like EigenLayer's strategy factory: it knows no strategy until told to make one,
        and then the one it was created with.
"""


# The strategy of a token, or zero.
deployedStrategies: public(HashMap[address, address])

_STRATEGY: immutable(address)


@deploy
def __init__(strategy: address):
    """
    @param strategy What every token gets.
    """
    _STRATEGY = strategy


@external
def deployNewStrategy(token: address) -> address:
    """
    @notice Registers the strategy for a token, once.
    """
    assert self.deployedStrategies[token] == empty(address), "factory: strategy exists"
    self.deployedStrategies[token] = _STRATEGY
    return _STRATEGY
