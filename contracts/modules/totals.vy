# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Totals of a lending market
@custom:contract-name totals
@license GNU Affero General Public License v3.0 only
@author Relever
@notice What all lenders are owed and all borrowers owe, with interest, in two words; and the caps.
@dev An action loads the totals once, with interest until now (`_accrued`), changes them in memory, and
     stores them (`_store`) before the first token moves. Interest and bad debt change both sides alike, so that
     supply less borrow is always what is not lent out.
"""
from ..interfaces import ILendingMarket
from . import checks
from . import interest
from . import loss_halt
from . import share_token
from . import shares

uses: share_token


# The two words, unpacked, with interest until now: how much that is, and the protocol's shares of it.
struct Totals:
    supply_assets: uint256
    supply_shares: uint256
    updated: uint256
    halt_mark: uint256
    borrow_assets: uint256
    borrow_shares: uint256
    rate_code: uint256
    fee: uint256
    earned: uint256
    fee_shares: uint256


WAD: constant(uint256) = 10**18
MAX_32: constant(uint256) = 2**32 - 1
MAX_88: constant(uint256) = 2**88 - 1
MAX_90: constant(uint256) = 2**90 - 1
MAX_110: constant(uint256) = 2**110 - 1
MAX_128: constant(uint256) = 2**128 - 1
MAX_FEE: constant(uint256) = 25 * 10**16
# The fee is stored in these, WAD.
FEE_STEP: constant(uint256) = 10**12

# Assets 90 | shares 110 | time modulo 2**32 32 | mark of `loss_halt` 24, and
# assets 90 | shares 110 | rate code 32 | fee 24, from the low end. Shares begin at a million an asset
# unit, which is 20 bits.
_supply: uint256
_borrow: uint256
# Supply cap 128 | borrow cap 128.
_caps: uint256


@deploy
def __init__():
    self._supply = (block.timestamp & MAX_32) << 200
    self._borrow = interest.INITIAL_CODE << 200


@view
@external
def state() -> ILendingMarket.State:
    """@notice Totals with interest until now."""
    s: Totals = self._accrued()
    return ILendingMarket.State(
        supply_assets=s.supply_assets,
        supply_shares=s.supply_shares,
        borrow_assets=s.borrow_assets,
        borrow_shares=s.borrow_shares,
        rate_code=s.rate_code,
        updated=s.updated,
    )


@view
@external
def borrow_rate() -> uint256:
    """@notice What borrowers pay now, WAD a year, before compounding."""
    s: Totals = self._accrued()
    return interest._borrow_rate(s.rate_code, s.borrow_assets, s.supply_assets)


@view
@external
def halted_until() -> uint256:
    """@notice When borrowing may begin again; 0 when it is not halted."""
    return loss_halt._halted_until(self._supply >> 232)


@view
@external
def caps() -> ILendingMarket.Caps:
    """@notice Caps in loan units, fee in WAD."""
    return self._read_caps()


@view
@internal
def _accrued() -> Totals:
    """@notice Totals with interest until now."""
    supply: uint256 = self._supply
    borrow: uint256 = self._borrow
    s: Totals = Totals(
        supply_assets=supply & MAX_90,
        supply_shares=(supply >> 90) & MAX_110,
        updated=(supply >> 200) & MAX_32,
        halt_mark=supply >> 232,
        borrow_assets=borrow & MAX_90,
        borrow_shares=(borrow >> 90) & MAX_110,
        rate_code=(borrow >> 200) & MAX_32,
        fee=borrow >> 232,
        earned=0,
        fee_shares=0,
    )
    elapsed: uint256 = unsafe_sub(block.timestamp, s.updated) & MAX_32
    if elapsed == 0:
        return s
    s.updated = block.timestamp & MAX_32
    earned: uint256 = 0
    rate: uint256 = 0
    earned, s.rate_code, rate = interest._accrue(
        s.rate_code, s.borrow_assets, s.supply_assets, elapsed
    )
    # Accrual saturates: it must never stop a repayment.
    earned = min(earned, MAX_90 - s.supply_assets)
    s.earned = earned
    s.supply_assets = unsafe_add(s.supply_assets, earned)
    s.borrow_assets = unsafe_add(s.borrow_assets, earned)
    if s.fee != 0:
        fee: uint256 = earned * (s.fee * FEE_STEP) // WAD
        minted: uint256 = shares._to_shares_down(fee, s.supply_assets - fee, s.supply_shares)
        s.fee_shares = min(minted, MAX_110 - s.supply_shares)
        s.supply_shares += s.fee_shares
    return s


@internal
def _store(s: Totals):
    """
    @notice Book totals, with interest until now and the protocol's shares of it.
    @dev Nothing is masked: each width is guarded where something is added, so that no action that
         reduces risk can revert here.
    """
    self._supply = (
        s.supply_assets | (s.supply_shares << 90) | (s.updated << 200) | (s.halt_mark << 232)
    )
    self._borrow = (
        s.borrow_assets | (s.borrow_shares << 90) | (s.rate_code << 200) | (s.fee << 232)
    )
    if s.fee_shares != 0:
        share_token._mint(self, s.fee_shares)
    if s.earned != 0:
        log ILendingMarket.Accrued(interest=s.earned)


@internal
def _set_caps(new: ILendingMarket.Caps):
    """@notice What is already supplied or borrowed above a cap stays."""
    if max(new.supply, new.borrow) > MAX_88:
        checks._fail("market: cap width")
    if new.fee > MAX_FEE or new.fee % FEE_STEP != 0:
        checks._fail("market: fee")
    # Interest until now is shared by the fee that was in force.
    s: Totals = self._accrued()
    s.fee = new.fee // FEE_STEP
    self._store(s)
    self._caps = new.supply | (new.borrow << 128)
    log ILendingMarket.CapsSet(supply=new.supply, borrow=new.borrow, fee=new.fee)


@view
@internal
def _read_caps() -> ILendingMarket.Caps:
    return ILendingMarket.Caps(
        supply=self._supply_cap(),
        borrow=self._caps >> 128,
        fee=(self._borrow >> 232) * FEE_STEP,
    )


@view
@internal
def _supply_cap() -> uint256:
    return self._caps & MAX_128


@view
@internal
def _check_borrowed(
    borrow_assets: uint256, borrow_shares: uint256, halt_mark: uint256
) -> uint256:
    """@notice Whether debt may have risen to this. @return The mark of losses that have not faded."""
    if borrow_assets > self._caps >> 128:
        checks._fail("market: borrow cap")
    if borrow_shares > MAX_110:
        checks._fail("market: borrow width")
    if halt_mark == 0:
        return 0
    if loss_halt._is_halted(halt_mark):
        checks._fail("market: borrowing halted")
    return loss_halt._still(halt_mark)


@pure
@internal
def _leaving(borrow_assets: uint256, shares_left: uint256, debt: uint256) -> uint256:
    """
    @notice What somebody's whole debt takes off `borrow_assets` when so many shares are left.
    @dev All of it, which was rounded up, for the other borrowers; but never so much that less than a unit
         is left for a million shares, as at first: or dust that comes and goes could make debt shares so
         cheap that their width is used up. What is paid above that is the lenders'.
    """
    return min(debt, borrow_assets - min(borrow_assets, shares_left // shares.VIRTUAL_SHARES))


@internal
def _write_off(totals: Totals, bad_debt: uint256) -> (Totals, uint256):
    """
    @notice Take lost debt from the supply side: the protocol's shares pay first, then every lender.
    @return The totals without it, which the caller stores, and what lenders lose, loan units.
    """
    s: Totals = totals
    needed: uint256 = shares._to_shares_up(bad_debt, s.supply_assets, s.supply_shares)
    # Those of the interest until now are not minted yet.
    held: uint256 = share_token._balances[self]
    fee_shares: uint256 = min(held + s.fee_shares, needed)
    loss: uint256 = bad_debt
    if fee_shares != 0:
        covered: uint256 = shares._to_assets_down(fee_shares, s.supply_assets, s.supply_shares)
        loss -= min(bad_debt, covered)
        burned: uint256 = min(fee_shares, held)
        share_token._burn(self, burned)
        s.fee_shares -= fee_shares - burned
    if loss != 0:
        was_halted: bool = loss_halt._is_halted(s.halt_mark)
        s.halt_mark = loss_halt._after_loss(s.halt_mark, loss, s.supply_assets)
        if loss_halt._is_halted(s.halt_mark) and not was_halted:
            log ILendingMarket.BorrowingHalted(until=loss_halt._halted_until(s.halt_mark))
    s.supply_shares -= fee_shares
    s.supply_assets -= min(s.supply_assets, bad_debt)
    return s, loss


@view
@internal
def _cash() -> uint256:
    """@notice Loan units that are not lent out. Interest does not change it."""
    return (self._supply & MAX_90) - (self._borrow & MAX_90)
