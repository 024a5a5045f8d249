# pragma version 0.4.3
"""
@title Leverage, and what restores it
@custom:contract-name leverage_maths
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Pure arithmetic over a position: worth and debt in loan units, leverage and bid in WAD,
        prices scaled by 1e36. Leverage L is worth / (worth - debt).
@dev Worth and debt are below 2**128, leverage is at most `MAX_LEVERAGE`, prices are below 2**140:
     no product overflows. A rebalance of `r` loan units at bid `f` moves worth by r * f and debt by
     r where leverage falls, and worth by r and debt by r * f where it rises.
"""


WAD: constant(uint256) = 10**18
E36: constant(uint256) = 10**36
MAX_LEVERAGE: constant(uint256) = 20 * 10**18
# Units of loan and of collateral by which rounding may move a position: the worth before, the worth
# after and the market's debt shares; a price and what is paid by it.
ROUNDED: constant(uint256) = 3
ROUNDED_COLLATERAL: constant(uint256) = 2


@internal
@pure
def _leverage_down(worth: uint256, debt: uint256) -> uint256:
    if worth <= debt:
        return max_value(uint256) if debt != 0 else 0
    return worth * WAD // (worth - debt)


@internal
@pure
def _is_above(worth: uint256, debt: uint256, leverage: uint256) -> bool:
    """@notice Also where debt is left and no equity."""
    if worth <= debt:
        return debt != 0
    return worth * WAD > leverage * (worth - debt)


@internal
@pure
def _is_below(worth: uint256, debt: uint256, leverage: uint256) -> bool:
    return worth > debt and worth * WAD < leverage * (worth - debt)


@internal
@pure
def _helping_bid(worth: uint256, debt: uint256) -> uint256:
    """
    @notice The most that may be bid for debt to be repaid: half of the equity to each unit of it,
            so that debt always falls by more of it than collateral does, and the divisor below is a
            half or more.
    @dev Worth is more than debt, and debt is not zero.
    """
    return WAD + (worth - debt) * WAD // (2 * debt)


@internal
@pure
def _most_repaid_down(
    worth: uint256, debt: uint256, price: uint256, target: uint256, bid: uint256
) -> uint256:
    """
    @notice The most WETH that a taker may bring so that leverage is not below the target
            afterwards.
    @dev (worth - r * f) = T * (worth - r * f - debt + r), solved for r, with
         f at most `_helping_bid` and T at most the leverage now.
    """
    excess: uint256 = target * debt - (target - WAD) * worth
    slack: uint256 = self._slack_up(price, target)
    if excess <= slack:
        return 0
    return (excess - slack) // (target - (target - WAD) * bid // WAD)


@internal
@pure
def _most_added_down(
    worth: uint256, debt: uint256, price: uint256, target: uint256, bid: uint256
) -> uint256:
    """
    @notice The most LRT that a taker may bring so that leverage is not above the target afterwards.
    @dev (worth + r) = T * (worth + r - debt - r * f), solved for r; a lower price for the taker
         leaves leverage lower.
    """
    missing: uint256 = (target - WAD) * worth - target * debt
    slack: uint256 = self._slack_up(price, target)
    if missing <= slack:
        return 0
    grown: uint256 = (target * bid + WAD - 1) // WAD
    return (missing - slack) // (grown + WAD - target) * E36 // price


@internal
@pure
def _slack_up(price: uint256, target: uint256) -> uint256:
    """@notice What rounding may take of excess or missing: so much of it is left."""
    return target * (ROUNDED_COLLATERAL * (price // E36 + 1) + ROUNDED)


@internal
@pure
def _part_down(amount: uint256, shares: uint256, supply: uint256) -> uint256:
    return amount * shares // supply


@internal
@pure
def _part_up(amount: uint256, shares: uint256, supply: uint256) -> uint256:
    return (amount * shares + supply - 1) // supply
