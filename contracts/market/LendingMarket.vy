# pragma version 0.4.3
# pragma nonreentrancy on
# pragma optimize gas
"""
@title LendingMarket
@custom:contract-name LendingMarket
@license GNU Affero General Public License v3.0 only
@author Relever
@notice One isolated pair. Lenders hold ERC-4626 shares of the loan token; borrowers hold a position of
        collateral and debt shares, changed through the one door `adjust`. Terms never change.
@dev Loan and collateral token must be plain ERC-20s of at most 18 decimals. Nothing reads the
     market's own token balance but for what came in while a callback ran: a donation changes nothing.
     Every state-changing function is locked while another runs, and so is every view but the
     five `max*`, `balanceOf`, `allowance`, `is_authorized`, `nonces` and the constants: they revert
     when a callback asks them.
     A blueprint holds creation code, of which it takes at most 24,573 bytes.
     An action loads the totals once, with interest until now, changes them in memory, and stores them
     before the first token moves; one that changes neither debt nor supply only reckons the interest.
     Widths are guarded only where supply, debt or collateral is added.
     What each operation rounds, and who gains the unit: docs/rounding.md.
"""
from ethereum.ercs import IERC20Detailed

from ..interfaces import IFlashBorrower
from ..interfaces import ILendingMarket
from ..interfaces import IMarketFactory
from ..modules import authorization
from ..modules import checks
from ..modules import lenders
from ..modules import liquidations
from ..modules import positions
from ..modules import share_token
from ..modules import token
from ..modules import totals

implements: ILendingMarket

# Who may act on a position.
initializes: authorization
# The lenders' side: ERC-20, packed totals, ERC-4626.
initializes: share_token
initializes: totals[share_token := share_token]
initializes: lenders[share_token := share_token, totals := totals]
# The borrowers' side.
initializes: positions[authorization := authorization, lenders := lenders, totals := totals]
initializes: liquidations[lenders := lenders, positions := positions, totals := totals]

exports: (
    authorization.set_authorization,
    authorization.renounce_authorization,
    authorization.set_authorization_by_signature,
    authorization.is_authorized,
    authorization.nonces,
    totals.state,
    totals.caps,
    totals.halted_until,
    totals.borrow_rate,
    share_token.name,
    share_token.symbol,
    share_token.decimals,
    share_token.transfer,
    share_token.transferFrom,
    share_token.approve,
    share_token.balanceOf,
    share_token.allowance,
    lenders.asset,
    lenders.totalSupply,
    lenders.totalAssets,
    lenders.deposit,
    lenders.mint,
    lenders.withdraw,
    lenders.redeem,
    lenders.convertToShares,
    lenders.convertToAssets,
    lenders.previewDeposit,
    lenders.previewMint,
    lenders.previewWithdraw,
    lenders.previewRedeem,
    lenders.maxDeposit,
    lenders.maxMint,
    lenders.maxWithdraw,
    lenders.maxRedeem,
    positions.adjust,
    positions.supply_collateral,
    positions.withdraw_collateral,
    positions.borrow,
    positions.repay,
    positions.position,
    positions.debt_shares,
    liquidations.liquidate,
)


MAX_112: constant(uint256) = 2**112 - 1
# From the request of fees to their collection, and from then until the request lapses.
FEE_DELAY: constant(uint256) = 86_400
FLASH_LOAN_SUCCESS: constant(bytes32) = keccak256("ERC3156FlashBorrower.onFlashLoan")

FACTORY: public(immutable(address))

# Fee shares that were asked for 112 | time 144.
_requested: uint256


@deploy
def __init__(
    factory: address, terms: ILendingMarket.Terms, name_: String[32], symbol_: String[16]
):
    """@dev The factory refuses terms that cannot work."""
    loan_decimals: uint8 = staticcall IERC20Detailed(terms.loan).decimals()
    FACTORY = factory
    share_token.__init__(name_, symbol_, loan_decimals + 6)
    totals.__init__()
    lenders.__init__(terms.loan)
    positions.__init__(terms.collateral, terms.oracle, terms.max_ltv, terms.min_debt)
    liquidations.__init__(terms)


# Flash loans, ERC-3156, of what is not lent out, for nothing


@external
def flashLoan(receiver: address, token_: address, amount: uint256, data: Bytes[1024]) -> bool:
    """@notice Lend `amount` for the length of one call of `receiver.onFlashLoan`."""
    if token_ != lenders.LOAN:
        checks._fail("market: flash loan token")
    token._push(lenders.LOAN, receiver, amount)
    answer: bytes32 = extcall IFlashBorrower(receiver).onFlashLoan(
        msg.sender, token_, amount, 0, data
    )
    if answer != FLASH_LOAN_SUCCESS:
        checks._fail("market: flash loan refused")
    token._pull(lenders.LOAN, receiver, amount)
    log ILendingMarket.FlashLoan(receiver=receiver, amount=amount)
    return True


@view
@external
@reentrant
def maxFlashLoan(token_: address) -> uint256:
    """@notice What can be flash-borrowed of `token_` now."""
    return totals._cash() if token_ == lenders.LOAN else 0


@view
@external
def flashFee(token_: address, amount: uint256) -> uint256:
    """@notice Nothing."""
    if token_ != lenders.LOAN:
        checks._fail("market: flash loan token")
    return 0


# Accrual and administration


@external
def accrue():
    """@notice Book the interest until now."""
    totals._store(totals._accrued())


@external
def set_caps(new: ILendingMarket.Caps):
    """@notice See `ILendingMarket`. What is already supplied or borrowed above a cap stays."""
    owner: address = staticcall IMarketFactory(FACTORY).owner()
    if msg.sender != owner:
        guardian: address = staticcall IMarketFactory(FACTORY).guardian()
        if msg.sender != guardian:
            checks._fail("market: not owner or guardian")
        old: ILendingMarket.Caps = totals._read_caps()
        lowered: bool = new.supply <= old.supply and new.borrow <= old.borrow
        if not lowered or new.fee != old.fee:
            checks._fail("market: guardian only lowers")
    totals._set_caps(new)


@external
def request_fees() -> uint256:
    """@notice See `ILendingMarket`. A new request replaces the last, and its time."""
    self._check_owner()
    totals._store(totals._accrued())
    requested: uint256 = share_token._balances[self]
    self._requested = requested | (block.timestamp << 112)
    log ILendingMarket.FeesRequested(shares=requested)
    return requested


@external
def collect_fees(receiver: address) -> uint256:
    """@notice See `ILendingMarket`."""
    self._check_owner()
    request: uint256 = self._requested
    due: uint256 = (request >> 112) + FEE_DELAY
    if block.timestamp < due or block.timestamp >= due + FEE_DELAY:
        checks._fail("market: fees not due")
    self._requested = 0
    collected: uint256 = min(request & MAX_112, share_token._balances[self])
    share_token._transfer(self, receiver, collected)
    log ILendingMarket.FeesCollected(receiver=receiver, shares=collected)
    return collected


# Views


@view
@external
@reentrant
def terms() -> ILendingMarket.Terms:
    """@notice The market's immutable terms."""
    return ILendingMarket.Terms(
        loan=lenders.LOAN,
        collateral=positions.COLLATERAL,
        oracle=positions.ORACLE,
        max_ltv=positions.MAX_LTV,
        threshold=liquidations.THRESHOLD,
        target_health=liquidations.TARGET_HEALTH,
        base_bonus=liquidations.BASE_BONUS,
        max_bonus=liquidations.MAX_BONUS,
        min_debt=positions.MIN_DEBT,
        deleverage_share=liquidations.DELEVERAGE_SHARE,
    )


@view
@internal
def _check_owner():
    owner: address = staticcall IMarketFactory(FACTORY).owner()
    if msg.sender != owner:
        checks._fail("market: not owner")


