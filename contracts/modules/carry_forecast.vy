# pragma version 0.4.3
"""
@title Carry of a position
@custom:contract-name carry_forecast
@license GNU Affero General Public License v3.0 only
@author Relever
@notice What a position earns and pays a year, and when that alone has it liquidated; see `IOutlook`.
"""
from ..interfaces import ILendingMarket
from ..interfaces import IOracleAdapter
from . import health
from . import interest
from . import position_quote


interface Checkpoint:
    def checkpoint_ratio() -> uint256: view
    def checkpoint_time() -> uint256: view


WAD: constant(uint256) = 10**18
YEAR: constant(uint256) = 365 * 86_400
DAY: constant(uint256) = 86_400
# Times that the search doubles a second.
DOUBLINGS: constant(uint256) = 30
# The price grows along a line to at most so much of itself, or falls to nothing.
MOST_YIELD: constant(int256) = 10**24


@view
@internal
def _yield_since_checkpoint(oracle: address) -> (int256, uint256):
    """@return Growth of the fundamental price, WAD a year, and the seconds that it is taken over."""
    ratio: uint256 = staticcall Checkpoint(oracle).checkpoint_ratio()
    time: uint256 = staticcall Checkpoint(oracle).checkpoint_time()
    price: uint256 = staticcall IOracleAdapter(oracle).fundamental()
    measured: uint256 = block.timestamp - time
    if measured < DAY or ratio == 0:
        return 0, measured
    growth: int256 = convert(price, int256) - convert(ratio, int256)
    scaled: int256 = growth * convert(WAD, int256) // convert(ratio, int256)
    return scaled * convert(YEAR, int256) // convert(measured, int256), measured


@pure
@internal
def _yearly(amount: uint256, rate: int256) -> int256:
    return convert(amount, int256) * rate // convert(WAD, int256)


@view
@internal
def _seconds_left(
    market: address,
    terms: ILendingMarket.Terms,
    owner: address,
    price: uint256,
    collateral_yield: int256,
) -> uint256:
    """@return See `IOutlook.seconds_to_liquidation`."""
    in_range: bool = -MOST_YIELD <= collateral_yield and collateral_yield <= MOST_YIELD
    assert in_range, "quote: yield out of range"
    collateral: uint256 = 0
    debt: uint256 = 0
    collateral, debt = staticcall ILendingMarket(market).position(owner)
    debt_shares: uint256 = staticcall ILendingMarket(market).debt_shares(owner)
    state: ILendingMarket.State = staticcall ILendingMarket(market).state()
    if self._breaches(terms, state, collateral, debt_shares, price, collateral_yield, 0):
        return 0
    healthy: uint256 = 0
    breached: uint256 = 0
    for doubling: uint256 in range(DOUBLINGS):
        time: uint256 = 1 << doubling
        if self._breaches(terms, state, collateral, debt_shares, price, collateral_yield, time):
            breached = time
            break
        healthy = time
    if breached == 0:
        return max_value(uint256)
    for _: uint256 in range(DOUBLINGS):
        if breached - healthy == 1:
            break
        middle: uint256 = (healthy + breached) // 2
        if self._breaches(terms, state, collateral, debt_shares, price, collateral_yield, middle):
            breached = middle
        else:
            healthy = middle
    return breached


@pure
@internal
def _breaches(
    terms: ILendingMarket.Terms,
    state: ILendingMarket.State,
    collateral: uint256,
    debt_shares: uint256,
    price: uint256,
    collateral_yield: int256,
    time: uint256,
) -> bool:
    """@notice Whether the position is under the threshold so many seconds from now."""
    later: ILendingMarket.State = state
    code: uint256 = 0
    rate: uint256 = 0
    earned: uint256 = 0
    earned, code, rate = interest._accrue(
        state.rate_code, state.borrow_assets, state.supply_assets, time
    )
    later.borrow_assets += earned
    debt: uint256 = position_quote._debt_of(later, debt_shares)
    scale: int256 = convert(WAD * YEAR, int256)
    grown: int256 = scale + collateral_yield * convert(time, int256)
    if grown <= 0:
        return debt != 0
    price_then: uint256 = price * convert(grown, uint256) // convert(scale, uint256)
    return not health._within(debt, health._worth_down(collateral, price_then), terms.threshold)
