# pragma version 0.4.3
"""
@title SettableLiquidator
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A liquidator that sells LRT which it holds to a backstop, and says of that what the test sets. It is
        its own market factory, too, and of no other market.
"""
from ethereum.ercs import IERC20
from interfaces import IBackstopPool


owner: public(address)
guardian: public(address)
# Whether the market, which is this contract itself, is listed.
listed: bool
market: address
seized: uint256


@deploy
def __init__(guardian: address):
    self.owner = msg.sender
    self.guardian = guardian
    self.listed = True


@external
def set_listed(listed: bool):
    self.listed = listed


@external
def set_seizing(market: address, seized: uint256):
    self.market = market
    self.seized = seized


@view
@external
def seizing() -> (address, uint256):
    return self.market, self.seized


@view
@external
def is_listed(market: address) -> bool:
    return self.listed and market == self


@external
def buy(pool: address, lrt: address, amount: uint256) -> uint256:
    """@notice Sell so much, whatever it says that it has seized."""
    extcall IERC20(lrt).approve(pool, amount)
    return extcall IBackstopPool(pool).buy(amount)


@external
def sell(pool: address, lrt: address, amount: uint256) -> uint256:
    """@notice As the real one does in a liquidation of a market of its own."""
    self.market = self
    self.seized = amount
    extcall IERC20(lrt).approve(pool, amount)
    paid: uint256 = extcall IBackstopPool(pool).buy(amount)
    self.market = empty(address)
    self.seized = 0
    return paid
