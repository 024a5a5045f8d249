# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Liquidations
@custom:contract-name liquidations
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Two prices, two consequences. Where the fundamental price breaches the threshold, a position is
        liquidated: the part that restores target health, or all of it where it is small or not covered.
        Where only the smoothed market price does, it is deleveraged: for the base bonus, by a bounded
        share of its debt an hour, never to the end, but if need be below the minimum debt: many small
        positions must not be safer than a large one.
"""
from ..interfaces import ILendingMarket
from ..interfaces import ILiquidateCallback
from ..interfaces import IOracleAdapter
from . import checks
from . import health
from . import lenders
from . import positions
from . import shares
from . import token
from . import totals

uses: lenders
uses: positions
uses: totals


WAD: constant(uint256) = 10**18
MAX_112: constant(uint256) = 2**112 - 1
# In which a position's deleverage share is free again.
DELEVERAGE_WINDOW: constant(uint256) = 3_600

THRESHOLD: immutable(uint256)
TARGET_HEALTH: immutable(uint256)
BASE_BONUS: immutable(uint256)
MAX_BONUS: immutable(uint256)
DELEVERAGE_SHARE: immutable(uint256)

# Loan units of a position that count as deleveraged 112 | time 144.
_deleveraged: HashMap[address, uint256]


@deploy
def __init__(terms: ILendingMarket.Terms):
    THRESHOLD = terms.threshold
    TARGET_HEALTH = terms.target_health
    BASE_BONUS = terms.base_bonus
    MAX_BONUS = terms.max_bonus
    DELEVERAGE_SHARE = terms.deleverage_share


@external
def liquidate(
    owner: address, max_repay: uint256, min_seized: uint256, data: Bytes[1024] = b""
) -> (uint256, uint256):
    """@notice See `ILendingMarket`."""
    s: totals.Totals = totals._accrued()
    collateral: uint256 = 0
    debt_shares: uint256 = 0
    collateral, debt_shares = positions._of(owner)
    debt: uint256 = shares._to_assets_up(debt_shares, s.borrow_assets, s.borrow_shares)
    repaid: uint256 = 0
    seized: uint256 = 0
    deleverage: bool = False
    repaid, seized, deleverage = self._size_liquidation(owner, collateral, debt, max_repay)
    if seized < min_seized:
        checks._fail("market: seized too little")

    # Debt that no collateral is left for is written off in this call.
    burned: uint256 = debt_shares
    gone: uint256 = repaid
    bad_debt: uint256 = 0
    if repaid < debt and seized < collateral:
        burned = shares._to_shares_down(repaid, s.borrow_assets, s.borrow_shares)
    else:
        gone = totals._leaving(s.borrow_assets, s.borrow_shares - burned, debt)
        bad_debt = gone - min(gone, repaid)
    s.borrow_assets -= gone
    s.supply_assets = min(s.supply_assets + repaid + bad_debt - gone, totals.MAX_90)
    s.borrow_shares -= burned
    lenders_loss: uint256 = 0
    if bad_debt != 0:
        s, lenders_loss = totals._write_off(s, bad_debt)
    totals._store(s)
    positions._set_position(owner, collateral - seized, debt_shares - burned)

    token._push(positions.COLLATERAL, msg.sender, seized)
    # As in `adjust`, what the callback sends counts.
    sent: uint256 = 0
    if len(data) != 0:
        before: uint256 = token._balance(lenders.LOAN, self)
        extcall ILiquidateCallback(msg.sender).on_liquidate(owner, repaid, seized, data)
        sent = min(token._balance(lenders.LOAN, self) - before, repaid)
    token._pull(lenders.LOAN, msg.sender, repaid - sent)
    log ILendingMarket.Liquidated(
        owner=owner,
        liquidator=msg.sender,
        repaid=repaid,
        seized=seized,
        bad_debt=bad_debt,
        lenders_loss=lenders_loss,
        deleverage=deleverage,
    )
    return repaid, seized


@internal
def _size_liquidation(
    owner: address, collateral: uint256, debt: uint256, max_repay: uint256
) -> (uint256, uint256, bool):
    """
    @notice What is repaid, rounded up, and seized, rounded down: both against the liquidator; and
            whether it is a deleverage, because only the market price breaches the threshold.
    @dev A part restores target health. It is allowed only while the collateral, at the price at which
         it is handed over, covers debt and base bonus, for only then does a part improve health;
         else, and where the rest would be below the minimum debt, the position goes whole, but never
         for the market price's sake.
         A position that goes whole for want of collateral is paid for at its fundamental worth: debt
         which the stake behind it covers is not forgiven because the market pays less today.
    """
    fundamental: uint256 = 0
    market: uint256 = 0
    usable: bool = False
    fundamental, market, usable = extcall IOracleAdapter(positions.ORACLE).poke_liquidation_prices()
    hand_over: uint256 = min(fundamental, market) if usable else fundamental
    valued: uint256 = fundamental
    most: uint256 = MAX_BONUS
    worth: uint256 = health._worth_down(collateral, fundamental)
    deleverage: bool = health._within(debt, worth, THRESHOLD)
    if deleverage:
        valued = hand_over
        most = BASE_BONUS
        worth = health._worth_down(collateral, hand_over)
        if health._within(debt, worth, THRESHOLD):
            checks._fail("market: healthy")

    if not health._pays(collateral, hand_over, debt, BASE_BONUS):
        if deleverage:
            checks._fail("market: too deep to deleverage")
        whole: uint256 = min(debt, health._repay_for_all_up(worth, BASE_BONUS))
        if max_repay < whole:
            checks._fail("market: repay must be whole")
        return whole, collateral, False

    bonus: uint256 = health._bonus(collateral, valued, debt, THRESHOLD, BASE_BONUS, most)
    repaid: uint256 = health._repay_to_target_up(
        debt, worth, valued, hand_over, THRESHOLD, TARGET_HEALTH, bonus
    )
    if deleverage:
        repaid = self._use_deleverage_share(owner, debt, min(max_repay, repaid))
    else:
        if debt - repaid < positions.MIN_DEBT:
            repaid = debt
        repaid = min(max_repay, repaid)
        if repaid < debt and debt - repaid < positions.MIN_DEBT:
            if debt <= positions.MIN_DEBT:
                checks._fail("market: repay must be whole")
            repaid = debt - positions.MIN_DEBT
    if repaid == 0:
        checks._fail("market: nothing repaid")
    seized: uint256 = health._seized_down(repaid, collateral, debt, hand_over, bonus)
    return repaid, seized, deleverage


@internal
def _use_deleverage_share(owner: address, debt: uint256, wanted: uint256) -> uint256:
    """
    @notice Of `wanted` loan units, those that the position's deleverage share still has room for.
    @dev What was used becomes free again along a line, all of the share in a window. It counts as no more
         than the share of the present debt: a debt that has since become smaller waits no longer.
    """
    capacity: uint256 = debt * DELEVERAGE_SHARE // WAD
    word: uint256 = self._deleveraged[owner]
    used: uint256 = min(word & MAX_112, capacity)
    freed: uint256 = capacity * (block.timestamp - (word >> 112)) // DELEVERAGE_WINDOW
    used -= min(used, freed)
    repaid: uint256 = min(wanted, capacity - used)
    self._deleveraged[owner] = (used + repaid) | (block.timestamp << 112)
    return repaid
