# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Terms of the backstop pool
@custom:contract-name backstop_terms
@license GNU Affero General Public License v3.0 only
@author Relever
@notice At what discount the pool buys, and whether it does now. Owner and guardian are the market
        factory's: the owner sets the discount between fixed bounds, either stops the buying for a
        while. A pause ends by itself, and the next one cannot begin before as much time has passed.
@dev Ratios in WAD, times in seconds.
"""
from ..interfaces import IBackstopPool
from ..interfaces import ILRTVault
from ..interfaces import IMarketFactory

# What its sales may lose.
from . import lst_sale


WAD: constant(uint256) = 10**18
# What a sale of wstETH may lose in the end: no purchase lowers what who leaves is paid.
MIN_DISCOUNT: constant(uint256) = lst_sale.MAX_SALE_LOSS
# The largest bonus that a liquidation pays here.
MAX_DISCOUNT: constant(uint256) = 5 * 10**16
MAX_PAUSE: constant(uint256) = 3 * 86_400

FACTORY: public(immutable(address))

# Of the live worth.
discount: public(uint256)
# Until then nothing is bought; and from when that may be stopped again.
paused_until: public(uint256)
pause_again_from: public(uint256)


@deploy
def __init__(factory: address, discount: uint256):
    FACTORY = factory
    self._set_discount(discount)


@external
def set_discount(discount: uint256):
    """@notice See `IBackstopPool`."""
    owner: address = staticcall IMarketFactory(FACTORY).owner()
    assert msg.sender == owner, "backstop: not the owner"
    self._set_discount(discount)


@external
def pause(duration: uint256):
    """@notice See `IBackstopPool`."""
    owner: address = staticcall IMarketFactory(FACTORY).owner()
    guardian: address = staticcall IMarketFactory(FACTORY).guardian()
    assert msg.sender in [owner, guardian], "backstop: not owner or guardian"
    assert 0 < duration and duration <= MAX_PAUSE, "backstop: pause duration"
    assert block.timestamp >= self.pause_again_from, "backstop: paused lately"
    until: uint256 = block.timestamp + duration
    self.paused_until = until
    self.pause_again_from = until + duration
    log IBackstopPool.PausedUntil(time=until)


@internal
@view
def _check_market(market: address):
    listed: bool = staticcall IMarketFactory(FACTORY).is_listed(market)
    assert listed, "backstop: market not listed"


@internal
@view
def _check_buying(vault: address):
    """@notice Neither may be paused: who pauses a vault doubts what it says of itself."""
    assert block.timestamp >= self.paused_until, "backstop: paused"
    until: uint256 = staticcall ILRTVault(vault).paused_until()
    assert block.timestamp >= until, "backstop: vault is paused"


@internal
@view
def _price_down(worth: uint256) -> uint256:
    return worth * (WAD - self.discount) // WAD


@internal
def _set_discount(discount: uint256):
    assert MIN_DISCOUNT <= discount and discount <= MAX_DISCOUNT, "backstop: discount"
    self.discount = discount
    log IBackstopPool.DiscountSet(discount=discount)
