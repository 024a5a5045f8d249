# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Positions
@custom:contract-name positions
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The borrowers' side of a lending market: collateral and debt shares by owner, changed through one
        door.
@dev A change books, pays out, calls back, pulls in what is missing, then checks health once. One that leaves debt as it
     is only reckons the interest, and adding collateral does not even that.
"""
from ..interfaces import IAdjustCallback
from ..interfaces import ILendingMarket
from ..interfaces import IOracleAdapter
from . import authorization
from . import checks
from . import health
from . import lenders
from . import packing
from . import share_token
from . import shares
from . import token
from . import totals

uses: authorization
uses: lenders
uses: totals


# A change of a position, from its booking to the check of its health; amounts in smallest units.
struct Change:
    owner: address
    receiver: address
    collateral_before: uint256
    collateral: uint256
    debt_before: uint256
    debt: uint256
    debt_shares: uint256
    borrowed: uint256
    repaid: uint256
    paid_in: uint256
    paid_out: uint256


MAX_112: constant(uint256) = 2**112 - 1

COLLATERAL: immutable(address)
ORACLE: immutable(address)
MAX_LTV: immutable(uint256)
MIN_DEBT: immutable(uint256)

# Collateral 128 | debt shares 128.
_positions: HashMap[address, uint256]


@deploy
def __init__(collateral: address, oracle: address, max_ltv: uint256, min_debt: uint256):
    COLLATERAL = collateral
    ORACLE = oracle
    MAX_LTV = max_ltv
    MIN_DEBT = min_debt


@external
def adjust(
    owner: address,
    collateral_delta: int256,
    debt_delta: int256,
    receiver: address,
    data: Bytes[1024] = b"",
) -> (uint256, uint256):
    """@notice See `ILendingMarket`."""
    paid_in: uint256 = 0
    paid_out: uint256 = 0
    paid_in, paid_out = self._split(collateral_delta)
    borrowed: uint256 = 0
    offered: uint256 = 0
    borrowed, offered = self._split(debt_delta)
    c: Change = self._begin(owner, paid_in, paid_out, borrowed, offered, receiver)
    if len(data) == 0:
        self._finish(c, paid_in, c.repaid)
        return c.collateral, c.debt
    # The market is locked meanwhile, so that nothing else moves its tokens: what more is here
    # afterwards is the caller's payment, whoever sent it.
    collateral_held: uint256 = 0
    loan_held: uint256 = 0
    if paid_out == 0:
        collateral_held = token._balance(COLLATERAL, self)
    if c.repaid != 0:
        loan_held = token._balance(lenders.LOAN, self)
    settled: int256 = convert(borrowed, int256) - convert(c.repaid, int256)
    collateral_due: uint256 = extcall IAdjustCallback(msg.sender).on_adjust(
        owner, collateral_delta, settled, data
    )
    if paid_out == 0:
        c.paid_in = token._balance(COLLATERAL, self) - collateral_held + collateral_due
        if c.paid_in < paid_in:
            checks._fail("market: callback short")
        c.collateral = c.collateral_before + c.paid_in
        self._set_position(owner, c.collateral, c.debt_shares)
    else:
        collateral_due = 0
    loan_due: uint256 = c.repaid
    if c.repaid != 0:
        loan_due -= min(token._balance(lenders.LOAN, self) - loan_held, c.repaid)
    self._finish(c, collateral_due, loan_due)
    return c.collateral, c.debt


@external
def supply_collateral(amount: uint256, owner: address):
    """@notice Add collateral to anyone's position. Interest is neither read nor booked."""
    collateral: uint256 = 0
    debt_shares: uint256 = 0
    collateral, debt_shares = self._of(owner)
    self._set_position(owner, collateral + amount, debt_shares)
    token._pull(COLLATERAL, msg.sender, amount)
    self._log_adjusted(owner, empty(address), convert(amount, int256), 0)


@external
def withdraw_collateral(amount: uint256, owner: address, receiver: address):
    """@notice Take collateral out."""
    self._finish(self._begin(owner, 0, amount, 0, 0, receiver), 0, 0)


@external
def borrow(amount: uint256, owner: address, receiver: address):
    """@notice Borrow `amount` loan units."""
    self._finish(self._begin(owner, 0, 0, amount, 0, receiver), 0, 0)


@external
def repay(amount: uint256, owner: address) -> uint256:
    """@notice Repay anyone's debt. @return What was repaid: the debt at most."""
    c: Change = self._begin(owner, 0, 0, 0, amount, empty(address))
    self._finish(c, 0, c.repaid)
    return c.repaid


@view
@external
def position(owner: address) -> (uint256, uint256):
    """@notice Collateral, and debt with interest until now, rounded up."""
    s: totals.Totals = totals._accrued()
    collateral: uint256 = 0
    debt_shares: uint256 = 0
    collateral, debt_shares = self._of(owner)
    return collateral, shares._to_assets_up(debt_shares, s.borrow_assets, s.borrow_shares)


@view
@external
def debt_shares(owner: address) -> uint256:
    """@notice What of the market's debt shares is the owner's."""
    return packing._unpack_position(self._positions[owner])[1]


@internal
def _begin(
    owner: address,
    paid_in: uint256,
    paid_out: uint256,
    borrowed: uint256,
    offered: uint256,
    receiver: address,
) -> Change:
    """
    @notice Book a change of a position, and pay out.
    @param offered What may be repaid, at most. Of `paid_in` and `paid_out` one is zero, and so of
                   `borrowed` and `offered`.
    """
    if paid_out != 0 or borrowed != 0:
        if not authorization._may_act(owner, msg.sender):
            checks._fail("market: not authorized")
        share_token._check_receiver(receiver)
    c: Change = empty(Change)
    c.owner = owner
    c.receiver = receiver
    c.paid_in = paid_in
    c.paid_out = paid_out
    c.borrowed = borrowed
    c.collateral_before, c.debt_shares = self._of(owner)
    # Interest is booked where debt changes; where it does not, it is only reckoned. What the debt was
    # matters only where it does not rise.
    if borrowed != 0:
        s: totals.Totals = totals._accrued()
        if borrowed > s.supply_assets - s.borrow_assets:
            checks._fail("market: not enough cash")
        added: uint256 = shares._to_shares_up(borrowed, s.borrow_assets, s.borrow_shares)
        s.borrow_assets += borrowed
        s.borrow_shares += added
        c.debt_shares += added
        s.halt_mark = totals._check_borrowed(s.borrow_assets, s.borrow_shares, s.halt_mark)
        totals._store(s)
        c.debt = shares._to_assets_up(c.debt_shares, s.borrow_assets, s.borrow_shares)
    elif offered != 0:
        s: totals.Totals = totals._accrued()
        c.debt_before = shares._to_assets_up(c.debt_shares, s.borrow_assets, s.borrow_shares)
        c.repaid = min(offered, c.debt_before)
        burned: uint256 = c.debt_shares
        gone: uint256 = c.repaid
        if offered < c.debt_before:
            burned = shares._to_shares_down(offered, s.borrow_assets, s.borrow_shares)
        else:
            gone = totals._leaving(s.borrow_assets, s.borrow_shares - burned, c.repaid)
        s.borrow_assets -= gone
        s.supply_assets = min(s.supply_assets + c.repaid - gone, totals.MAX_90)
        s.borrow_shares -= burned
        c.debt_shares -= burned
        totals._store(s)
        c.debt = shares._to_assets_up(c.debt_shares, s.borrow_assets, s.borrow_shares)
    elif c.debt_shares != 0:
        s: totals.Totals = totals._accrued()
        c.debt_before = shares._to_assets_up(c.debt_shares, s.borrow_assets, s.borrow_shares)
        c.debt = c.debt_before

    if paid_out > c.collateral_before:
        checks._fail("market: not enough collateral")
    c.collateral = c.collateral_before + paid_in - paid_out
    self._set_position(owner, c.collateral, c.debt_shares)

    token._push(COLLATERAL, receiver, paid_out)
    token._push(lenders.LOAN, receiver, borrowed)
    return c


@internal
def _finish(c: Change, collateral_due: uint256, loan_due: uint256):
    """@notice Pull in what is due, and check health once."""
    token._pull(COLLATERAL, msg.sender, collateral_due)
    token._pull(lenders.LOAN, msg.sender, loan_due)
    # Debt that does not rise over collateral that does not fall by more needs no price: no dead
    # oracle stops it.
    if c.borrowed > 0 or c.debt * c.collateral_before > c.debt_before * c.collateral:
        price: uint256 = extcall IOracleAdapter(ORACLE).poke_price()
        if c.debt < MIN_DEBT:
            checks._fail("market: debt below minimum")
        worth: uint256 = health._worth_down(c.collateral, price)
        if not health._within(c.debt, worth, MAX_LTV):
            checks._fail("market: unhealthy")
    self._log_adjusted(
        c.owner,
        c.receiver,
        convert(c.paid_in, int256) - convert(c.paid_out, int256),
        convert(c.borrowed, int256) - convert(c.repaid, int256),
    )


@view
@internal
def _of(owner: address) -> (uint256, uint256):
    """@return Collateral and debt shares."""
    return packing._unpack_position(self._positions[owner])


@internal
def _set_position(owner: address, collateral: uint256, debt_shares: uint256):
    if collateral > MAX_112:
        checks._fail("market: collateral width")
    self._positions[owner] = packing._pack_position(collateral, debt_shares)


@internal
def _log_adjusted(
    owner: address, receiver: address, collateral_delta: int256, debt_delta: int256
):
    log ILendingMarket.Adjusted(
        owner=owner,
        caller=msg.sender,
        receiver=receiver,
        collateral_delta=collateral_delta,
        debt_delta=debt_delta,
    )


@pure
@internal
def _split(delta: int256) -> (uint256, uint256):
    """@return What is added and what is taken away."""
    if delta < 0:
        return 0, convert(-delta, uint256)
    return convert(delta, uint256), 0
