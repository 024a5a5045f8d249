"""Health, bonus and the size of a liquidation, in integers.

Worth is in loan units, prices are loan units per collateral unit scaled by 1e36, ratios in WAD but
for the bonus, which is scaled by 1e36.
"""

from __future__ import annotations

from relever.model.rounding import WAD

E36 = 10**36
# Units of a repayment that buy nothing: one covers the rounding of worths, one that of debt.
UNPAID = 2


def ceil_div(numerator: int, denominator: int) -> int:
    """The quotient, rounded up."""
    return -(-numerator // denominator)


def worth_down(collateral: int, price: int) -> int:
    """Worth of collateral, rounded against its owner."""
    return collateral * price // E36


def within(debt: int, worth: int, ltv: int) -> bool:
    """Whether debt is at most `ltv` of worth."""
    return debt * WAD <= worth * ltv


def covers(collateral: int, price: int, debt: int, bonus: int) -> bool:
    """Whether the collateral pays for the whole debt and a bonus (WAD) on it."""
    return collateral * price >= debt * (WAD + bonus) * WAD


def bonus(collateral: int, price: int, debt: int, threshold: int, base: int, most: int) -> int:
    """What a liquidator gains per unit repaid: base, and what health lacks to one."""
    health = collateral * price // WAD * threshold // debt
    return min(most * WAD, base * WAD + E36 - min(E36, health))


def repay_to_target_up(
    debt: int,
    worth: int,
    price: int,
    hand_over: int,
    threshold: int,
    target: int,
    bonus: int,
) -> int:
    """The least repayment after which health is `target`; the whole debt where no part suffices.

    Each unit repaid takes (1 + bonus) / hand_over of collateral, which counts at `price`.
    """
    lost = ceil_div((E36 + bonus) * threshold, E36)
    cost = ceil_div(lost * price, hand_over)
    if cost >= target:
        return debt
    return min(debt, ceil_div(target * debt - worth * threshold, target - cost))


def repay_for_all_up(worth: int, base: int) -> int:
    """What all of the collateral pays for at the base bonus (WAD)."""
    return ceil_div(worth * WAD, WAD + base)


def seized_down(repaid: int, collateral: int, debt: int, hand_over: int, bonus: int) -> int:
    """Collateral for a repayment: never a greater part of it than of the debt."""
    paid = max(repaid, UNPAID) - UNPAID
    return min(paid * (E36 + bonus) // hand_over, paid * collateral // debt)
