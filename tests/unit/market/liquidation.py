"""What tests of liquidations share: a position, and what is due of it, reckoned anew."""

from fractions import Fraction

from relever.chain import Event, Receipt
from tests.unit.market.conftest import (
    BASE_BONUS,
    DAY,
    MAX_BONUS,
    PRICE,
    TARGET_HEALTH,
    THRESHOLD,
    UNLIMITED,
    WAD,
    Setup,
    ceil,
)

COLLATERAL = 100 * WAD
# At a price of 0.9 this is the threshold exactly.
DEBT = 837 * WAD // 10
EDGE = 9 * PRICE // 10
E36 = 10**36
# Target health and the cost of a repayment count in 1e-18: what that moves of this debt, in wei.
DUST = 1_000
DATA = b"whatever"


def bonus_at(price: int, debt: int = DEBT, collateral: int = COLLATERAL) -> int:
    """The bonus, scaled by 1e36: base plus shortfall, at most the greatest."""
    shortfall = E36 - collateral * price // WAD * THRESHOLD // debt
    return min(MAX_BONUS * WAD, BASE_BONUS * WAD + shortfall)


def to_target(price: int, handed_over: int, debt: int = DEBT) -> int:
    """The least repayment that brings health to its target, in exact fractions."""
    threshold, target = Fraction(THRESHOLD, WAD), Fraction(TARGET_HEALTH, WAD)
    worth = Fraction(COLLATERAL * price, PRICE)
    bonus = Fraction(bonus_at(price, debt), E36)
    taken = (1 + bonus) * price / handed_over
    exact = (target * debt - worth * threshold) / (target - taken * threshold)
    return ceil(exact.numerator, exact.denominator)


def sized(setup: Setup, price: int, handed_over: int | None = None) -> tuple[int, int]:
    """What the market would repay and seize at most, after a look at both."""
    handed_over = handed_over or price
    repaid, seized = setup.market.liquidate.call(
        setup.actors.borrower, UNLIMITED, 0, sender=setup.actors.liquidator
    )
    assert 0 <= repaid - to_target(price, handed_over) < DUST
    assert seized == seized_for(repaid, handed_over, bonus_at(price))
    return repaid, seized


def seized_for(
    repaid: int, handed_over: int, bonus: int, debt: int = DEBT, collateral: int = COLLATERAL
) -> int:
    """Two units of the repayment buy nothing, and no greater part is given than is repaid."""
    paid = max(repaid - 2, 0)
    return min(paid * (E36 + bonus) // handed_over, paid * collateral // debt)


def health_at(setup: Setup, price: int, owner: str | None = None) -> Fraction:
    worth = Fraction(setup.held(owner) * price, PRICE)
    return worth * Fraction(THRESHOLD, WAD) / setup.debt(owner)


def liquidate(
    setup: Setup, max_repay: int = UNLIMITED, min_seized: int = 0, owner: str | None = None
) -> Receipt:
    """The liquidator liquidates, by default the borrower."""
    receipt: Receipt = setup.market.liquidate(
        owner or setup.actors.borrower, max_repay, min_seized, sender=setup.actors.liquidator
    )
    return receipt


def liquidated(
    setup: Setup,
    repaid: int,
    seized: int,
    bad_debt: int = 0,
    lenders_loss: int = 0,
    owner: str | None = None,
    liquidator: str | None = None,
    deleverage: bool = False,
) -> Event:
    return setup.event(
        "Liquidated",
        owner=owner or setup.actors.borrower,
        liquidator=liquidator or setup.actors.liquidator,
        repaid=repaid,
        seized=seized,
        bad_debt=bad_debt,
        lenders_loss=lenders_loss,
        deleverage=deleverage,
    )


def exchanged(setup: Setup, repaid: int, seized: int, liquidator: str | None = None) -> list[Event]:
    """The two transfers of a liquidation, collateral first."""
    liquidator, market = liquidator or setup.actors.liquidator, setup.market.address
    out = setup.moved(setup.collateral, market, liquidator, seized)
    return [out, setup.moved(setup.loan, liquidator, market, repaid)]


def halted(setup: Setup) -> Event:
    """By a loss of this block: a day, counted in whole steps of twelve seconds."""
    return setup.event("BorrowingHalted", until=setup.chain.timestamp // 12 * 12 + DAY)
