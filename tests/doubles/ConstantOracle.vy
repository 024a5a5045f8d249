# pragma version 0.4.3
"""
@title ConstantOracle
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Prices that are what the test last set, and a feed that can die: then `price` and
        `poke_price` revert, and liquidations are told not to use the market price.
@dev Prices scaled by 1e36. The rest of `IOracleAdapter` is no part of what a market asks.
"""
from interfaces import IOracleAdapter

implements: IOracleAdapter


fundamental: public(uint256)
discount: public(uint256)
growth_cap: public(uint256)

_market: uint256
_dead: bool


@deploy
def __init__(price: uint256):
    self.fundamental = price
    self._market = price


@external
def set_price(price: uint256):
    """@notice Both prices."""
    self.fundamental = price
    self._market = price


@external
def set_market_price(price: uint256):
    self._market = price


@external
def set_dead(dead: bool):
    self._dead = dead


@view
@external
def price() -> uint256:
    return self._price()


@view
@external
def liquidation_prices() -> (uint256, uint256, bool):
    return self.fundamental, self._market, not self._dead


@external
def poke() -> bool:
    return not self._dead


@external
def poke_price() -> uint256:
    return self._price()


@external
def poke_liquidation_prices() -> (uint256, uint256, bool):
    return self.fundamental, self._market, not self._dead


@view
@external
def market_price() -> (uint256, bool):
    return self._market, not self._dead


@view
@external
def face_price(conservative: bool) -> (uint256, uint256):
    return self.fundamental, block.timestamp


@view
@external
def explain() -> IOracleAdapter.Explanation:
    return empty(IOracleAdapter.Explanation)


@external
def propose_checkpoint():
    pass


@external
def promote_checkpoint():
    pass


@external
def accept_supply(most: uint256):
    pass


@view
@external
def supply_gate() -> (bool, uint256, uint256):
    return True, 0, 0


@view
@internal
def _price() -> uint256:
    assert not self._dead, "oracle: stale feed"
    return min(self.fundamental, self._market)
