# pragma version 0.4.3
"""
@title What a position is worth and what would be done to it
@custom:contract-name position_quote
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Leverage and LTV, health, and the prices that matter; see `IOutlook.Position`.
@dev What is infinite is 2**256 - 1.
"""
from ..interfaces import ILendingMarket
from ..interfaces import IOutlook
from . import health
from . import oracle_after
from . import shares


WAD: constant(uint256) = 10**18
E36: constant(uint256) = 10**36
ENDLESS: constant(uint256) = max_value(uint256)


@pure
@internal
def _ltv_of(leverage: uint256) -> uint256:
    """@notice 1 - 1 / leverage."""
    assert leverage >= WAD, "quote: leverage below one"
    return (leverage - WAD) * WAD // leverage


@pure
@internal
def _leverage_of(ltv: uint256) -> uint256:
    """@notice 1 / (1 - ltv)."""
    assert ltv < WAD, "quote: ltv of one or more"
    return WAD * WAD // (WAD - ltv)


@pure
@internal
def _view(
    terms: ILendingMarket.Terms, collateral: uint256, debt: uint256, prices: oracle_after.Prices
) -> IOutlook.Position:
    worth: uint256 = health._worth_down(collateral, prices.fundamental)
    price: uint256 = 0
    least: uint256 = 0
    if collateral != 0:
        # The least worth that is healthy, and the least prices that are enough.
        needed: uint256 = (debt * WAD + terms.threshold - 1) // terms.threshold
        price = (needed * E36 + collateral - 1) // collateral
        least = (debt * (WAD + terms.base_bonus) * WAD + collateral - 1) // collateral
    ltv: uint256 = 0
    if worth != 0:
        ltv = debt * WAD // worth
    elif debt != 0:
        ltv = ENDLESS
    leverage: uint256 = WAD
    if debt != 0:
        leverage = worth * WAD // (worth - debt) if worth > debt else ENDLESS
    conservative_worth: uint256 = health._worth_down(collateral, prices.conservative)
    return IOutlook.Position(
        collateral=collateral,
        debt=debt,
        worth=worth,
        ltv=ltv,
        leverage=leverage,
        health=self._health(worth, debt, terms.threshold),
        conservative_health=self._health(conservative_worth, debt, terms.threshold),
        liquidation_price=price,
        deleverage_price=price,
        deleverage_floor=least,
    )


@pure
@internal
def _health(worth: uint256, debt: uint256, threshold: uint256) -> uint256:
    return worth * threshold // debt if debt != 0 else ENDLESS


@pure
@internal
def _refusal(
    terms: ILendingMarket.Terms, collateral: uint256, debt: uint256, prices: oracle_after.Prices
) -> String[32]:
    """@notice Why the market would refuse a position that has become riskier, or an empty string."""
    if len(prices.fault) != 0:
        return prices.fault
    if debt < terms.min_debt:
        return "market: debt below minimum"
    worth: uint256 = health._worth_down(collateral, prices.conservative)
    if not health._within(debt, worth, terms.max_ltv):
        return "market: unhealthy"
    return ""


# Debt


@pure
@internal
def _debt_of(state: ILendingMarket.State, debt_shares: uint256) -> uint256:
    return shares._to_assets_up(debt_shares, state.borrow_assets, state.borrow_shares)


@pure
@internal
def _debt_with(state: ILendingMarket.State, debt_shares: uint256, borrowed: uint256) -> uint256:
    """@return What is owed after borrowing."""
    added: uint256 = shares._to_shares_up(borrowed, state.borrow_assets, state.borrow_shares)
    return shares._to_assets_up(
        debt_shares + added, state.borrow_assets + borrowed, state.borrow_shares + added
    )


@pure
@internal
def _debt_without(state: ILendingMarket.State, debt_shares: uint256, repaid: uint256) -> uint256:
    """@param repaid Less than the debt, or all of it. @return What is owed after repaying."""
    if repaid == self._debt_of(state, debt_shares):
        return 0
    gone: uint256 = shares._to_shares_down(repaid, state.borrow_assets, state.borrow_shares)
    return shares._to_assets_up(
        debt_shares - gone, state.borrow_assets - repaid, state.borrow_shares - gone
    )
