# pragma version 0.4.3
"""
@title What a router's caller has allowed
@custom:contract-name router_bounds
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The bounds of a call: its last second, and the position that it may leave.
"""
from ..interfaces import ILeverageRouter
from ..interfaces import IMarketPrice


PRICE_SCALE: constant(uint256) = 10**36


@internal
@view
def _check_deadline(deadline: uint256):
    assert block.timestamp <= deadline, "router: deadline passed"


@internal
@view
def _check(
    oracle: address,
    threshold: uint256,
    collateral: uint256,
    debt: uint256,
    bounds: ILeverageRouter.Bounds,
):
    """@notice Of the caller's position, as the market has told it."""
    assert collateral >= bounds.min_collateral, "router: collateral below bound"
    assert debt <= bounds.max_debt, "router: debt above bound"
    self._check_health(oracle, threshold, collateral, debt, bounds.min_health)


@internal
@view
def _check_health(
    oracle: address, threshold: uint256, collateral: uint256, debt: uint256, min_health: uint256
):
    if min_health == 0 or debt == 0:
        return
    price: uint256 = staticcall IMarketPrice(oracle).price()
    health: uint256 = collateral * price // PRICE_SCALE * threshold // debt
    assert health >= min_health, "router: health below bound"
