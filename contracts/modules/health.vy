# pragma version 0.4.3
"""
@title Health, bonus and size of a liquidation
@custom:contract-name health
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Pure arithmetic over a position. Worth is in loan units, terms are in WAD, the bonus is scaled by
        1e36: so finely that rounding it moves no amount by a unit.
@dev Collateral and debt are below 2**112, prices below 2**140, so that no product overflows.
     However a liquidation is split, its parts together seize no more than it would, and pay for what they
     seize no less: a part leaves the prices' ratio alone, lowers the bonus, takes no greater part of the
     collateral than of the debt, and is paid for all but two units of what it repays.
"""


WAD: constant(uint256) = 10**18
# Scale of prices, and of whatever is finer than a WAD.
E36: constant(uint256) = 10**36
# Units of a repayment that buy nothing. One covers the rounding of worths, the other that of debt shares.
UNPAID: constant(uint256) = 2


@internal
@pure
def _worth_down(collateral: uint256, price: uint256) -> uint256:
    """@notice Worth of collateral, rounded against its owner."""
    return collateral * price // E36


@internal
@pure
def _within(debt: uint256, worth: uint256, ltv: uint256) -> bool:
    """@notice Whether debt is at most `ltv` of worth."""
    return debt * WAD <= worth * ltv


@internal
@pure
def _pays(collateral: uint256, price: uint256, debt: uint256, bonus: uint256) -> bool:
    """@notice Whether all of the collateral pays for all of the debt and a bonus in WAD."""
    return collateral * price // WAD >= debt * (WAD + bonus)


@internal
@pure
def _bonus(
    collateral: uint256,
    price: uint256,
    debt: uint256,
    threshold: uint256,
    base: uint256,
    most: uint256,
) -> uint256:
    """
    @notice What a liquidator gains per unit repaid, scaled by 1e36: base plus shortfall of health, up to
            `most`. `debt` is not zero.
    """
    health: uint256 = collateral * price // WAD * threshold // debt
    return min(most * WAD, base * WAD + E36 - min(E36, health))


@internal
@pure
def _repay_to_target_up(
    debt: uint256,
    worth: uint256,
    price: uint256,
    hand_over: uint256,
    threshold: uint256,
    target: uint256,
    bonus: uint256,
) -> uint256:
    """
    @notice The least repayment after which health, at `price`, is `target`; the whole debt where no part
            suffices. `hand_over`, the price at which collateral is seized, is not zero.
    @dev Repaying r takes r * (1 + bonus) / hand_over of collateral, so that health is
         (worth - r * (1 + bonus) * price / hand_over) * threshold / (debt - r). Solved for r.
    """
    lost: uint256 = ((E36 + bonus) * threshold + E36 - 1) // E36
    cost: uint256 = (lost * price + hand_over - 1) // hand_over
    if cost >= target:
        return debt
    missing: uint256 = target * debt - worth * threshold
    return min(debt, (missing + target - cost - 1) // (target - cost))


@internal
@pure
def _repay_for_all_up(worth: uint256, bonus: uint256) -> uint256:
    """@notice What all of the collateral pays for at a bonus in WAD, rounded against the liquidator."""
    return (worth * WAD + WAD + bonus - 1) // (WAD + bonus)


@internal
@pure
def _seized_down(
    repaid: uint256, collateral: uint256, debt: uint256, hand_over: uint256, bonus: uint256
) -> uint256:
    """@notice Collateral for repaying a part or all of a debt that is not zero, see above."""
    paid: uint256 = repaid - min(repaid, UNPAID)
    return min(paid * (E36 + bonus) // hand_over, paid * collateral // debt)
