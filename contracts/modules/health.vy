# pragma version 0.4.3
"""
@title Health, bonus and size of a liquidation
@custom:contract-name health
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Pure arithmetic over a position. Worth is in loan units, health and bonus in WAD.
@dev Collateral is below 2**128, debt below 2**112; prices are sane where the market was created.
"""


WAD: constant(uint256) = 10**18
PRICE_SCALE: constant(uint256) = 10**36


@internal
@pure
def _worth_down(collateral: uint256, price: uint256) -> uint256:
    """@notice Worth of collateral, rounded against its owner."""
    return collateral * price // PRICE_SCALE


@internal
@pure
def _within(debt: uint256, worth: uint256, ltv: uint256) -> bool:
    """@notice Whether debt is at most `ltv` of worth."""
    return debt * WAD <= worth * ltv


@internal
@pure
def _bonus(
    debt: uint256,
    worth: uint256,
    hand_over_worth: uint256,
    threshold: uint256,
    base: uint256,
    most: uint256,
) -> uint256:
    """
    @notice What a liquidator gains, WAD of what it repays: base plus shortfall of health, at most what
            the collateral can still pay at the price at which it is handed over, never below base.
    """
    shortfall: uint256 = WAD - min(WAD, worth * threshold // debt)
    payable_part: uint256 = max(hand_over_worth * WAD // debt, WAD) - WAD
    return max(base, min(min(most, base + shortfall), payable_part))


@internal
@pure
def _repay_to_target_up(
    debt: uint256,
    worth: uint256,
    hand_over_worth: uint256,
    threshold: uint256,
    target: uint256,
    bonus: uint256,
) -> uint256:
    """
    @notice The least repayment after which health, at `worth`'s price, is `target`; the whole debt
            where no part suffices. `hand_over_worth` is not zero.
    @dev Repaying r takes r * (1 + bonus) / hand-over price of collateral, so that health is
         (worth - r * (1 + bonus) * worth / hand_over_worth) * threshold / (debt - r). Solved for r.
    """
    lost: uint256 = ((WAD + bonus) * threshold + WAD - 1) // WAD
    cost: uint256 = (lost * worth + hand_over_worth - 1) // hand_over_worth
    if cost >= target:
        return debt
    missing: uint256 = target * debt - worth * threshold
    return min(debt, (missing + target - cost - 1) // (target - cost))


@internal
@pure
def _repay_for_all_up(worth: uint256, bonus: uint256) -> uint256:
    """@notice The repayment that all of the collateral pays for, rounded against the liquidator."""
    return (worth * WAD + WAD + bonus - 1) // (WAD + bonus)


@internal
@pure
def _seized_down(repaid: uint256, hand_over: uint256, bonus: uint256) -> uint256:
    """
    @notice Collateral for a repayment at the hand-over price, rounded against the liquidator.
    @dev Divided twice, so that no repayment below 2**112 overflows.
    """
    return repaid * (WAD + bonus) // WAD * PRICE_SCALE // hand_over
