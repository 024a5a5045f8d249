# pragma version 0.4.3
"""
@title RefusingToken
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A token that answers every approval with False. It is its own asset and its own stETH, so that
        a helper can be deployed over it.
"""


@view
@external
def asset() -> address:
    return self


@view
@external
def stETH() -> address:
    return self


@external
def approve(spender: address, amount: uint256) -> bool:
    return False


@view
@external
def getSharesByPooledEth(amount: uint256) -> uint256:
    return amount


@view
@external
def convertToShares(amount: uint256) -> uint256:
    return amount
