# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Totals of a lending market
@custom:contract-name totals
@license GNU Affero General Public License v3.0 only
@author Relever
@notice What all lenders are owed and all borrowers owe, with interest, in two words; and the caps.
@dev An action loads and accrues the totals once (`_accrue`), changes them in memory, and stores them
     (`_store`) before the first token moves. Interest and bad debt change both sides alike, so that
     supply less borrow is always what is not lent out.
"""
from ..interfaces import ILendingMarket
from . import interest
from . import packing
from . import share_token
from . import shares

uses: share_token


WAD: constant(uint256) = 10**18
MAX_112: constant(uint256) = 2**112 - 1
MAX_96: constant(uint256) = 2**96 - 1
MAX_FEE: constant(uint256) = 25 * 10**16

# Assets 112 | shares 112 | time 32, and assets 112 | shares 112 | rate code 32: `packing`.
_supply: uint256
_borrow: uint256
# Supply cap 96 | borrow cap 96 | fee 64.
_caps: uint256


@deploy
def __init__():
    self._supply = packing._pack_totals(0, 0, self._now())
    self._borrow = packing._pack_totals(0, 0, interest.INITIAL_CODE)


@view
@external
def state() -> ILendingMarket.State:
    """@notice Totals with interest until now."""
    s: ILendingMarket.State = self._accrued()[0]
    return s


@view
@external
def borrow_rate() -> uint256:
    """@notice What borrowers pay now, WAD a year, before compounding."""
    s: ILendingMarket.State = self._accrued()[0]
    return interest._borrow_rate(s.rate_code, s.borrow_assets, s.supply_assets)


@view
@external
def caps() -> ILendingMarket.Caps:
    """@notice Caps in loan units, fee in WAD."""
    return self._read_caps()


@view
@internal
def _accrued() -> (ILendingMarket.State, uint256, uint256):
    """@return Totals with interest until now, that interest, and the protocol's shares of it."""
    s: ILendingMarket.State = empty(ILendingMarket.State)
    s.supply_assets, s.supply_shares, s.updated = packing._unpack_totals(self._supply)
    s.borrow_assets, s.borrow_shares, s.rate_code = packing._unpack_totals(self._borrow)
    now: uint256 = self._now()
    if s.updated == now:
        return s, 0, 0
    # Time is kept modulo 2**32.
    elapsed: uint256 = (now + 2**32 - s.updated) % 2**32
    s.updated = now
    earned: uint256 = 0
    earned, s.rate_code = interest._accrue(
        s.rate_code, s.borrow_assets, s.supply_assets, elapsed
    )
    # Accrual saturates: it must never stop a repayment.
    earned = min(earned, MAX_112 - s.supply_assets)
    if earned == 0:
        return s, 0, 0
    s.supply_assets += earned
    s.borrow_assets += earned
    fee: uint256 = earned * self._read_caps().fee // WAD
    fee_shares: uint256 = 0
    if fee > 0:
        fee_shares = shares._to_shares_down(fee, s.supply_assets - fee, s.supply_shares)
        fee_shares = min(fee_shares, MAX_112 - s.supply_shares)
        s.supply_shares += fee_shares
    return s, earned, fee_shares


@internal
def _accrue() -> ILendingMarket.State:
    """@notice The same, with the protocol's shares booked. The caller stores the totals."""
    s: ILendingMarket.State = empty(ILendingMarket.State)
    earned: uint256 = 0
    fee_shares: uint256 = 0
    s, earned, fee_shares = self._accrued()
    if fee_shares > 0:
        share_token._mint(self, fee_shares)
    if earned > 0:
        log ILendingMarket.Accrued(interest=earned, fee_shares=fee_shares)
    return s


@internal
def _store(s: ILendingMarket.State):
    self._supply = packing._pack_totals(s.supply_assets, s.supply_shares, s.updated)
    self._borrow = packing._pack_totals(s.borrow_assets, s.borrow_shares, s.rate_code)


@internal
def _set_caps(new: ILendingMarket.Caps):
    """@notice What is already supplied or borrowed above a cap stays."""
    assert new.supply <= MAX_96 and new.borrow <= MAX_96, "market: cap width"
    assert new.fee <= MAX_FEE, "market: fee"
    # Interest until now is shared by the fee that was in force.
    self._store(self._accrue())
    self._caps = new.supply | (new.borrow << 96) | (new.fee << 192)
    log ILendingMarket.CapsSet(supply=new.supply, borrow=new.borrow, fee=new.fee)


@view
@internal
def _read_caps() -> ILendingMarket.Caps:
    word: uint256 = self._caps
    return ILendingMarket.Caps(
        supply=word & MAX_96, borrow=(word >> 96) & MAX_96, fee=word >> 192
    )


@view
@internal
def _cash() -> uint256:
    """@notice Loan units that are not lent out. Interest does not change it."""
    supplied: uint256 = packing._unpack_totals(self._supply)[0]
    return supplied - packing._unpack_totals(self._borrow)[0]


@view
@internal
def _now() -> uint256:
    return block.timestamp % 2**32
