# pragma version 0.4.3
# pragma nonreentrancy on
# pragma optimize codesize
"""
@title LendingMarket
@custom:contract-name LendingMarket
@license GNU Affero General Public License v3.0 only
@author Relever
@notice One isolated pair. Lenders hold ERC-4626 shares of the loan token; borrowers hold a position of
        collateral and debt shares, changed through the one door `adjust`. Terms never change.
@dev Loan and collateral token must be plain ERC-20s of at most 18 decimals. Nothing reads the
     market's own token balance: a donation changes nothing.
     Every state-changing function is locked while another runs, and so is every view but the
     five `max*`, `balanceOf`, `allowance`, `is_authorized`, `nonces` and the constants: they revert
     when a callback asks them.
     Optimised for size, for 0.2 % more gas: a blueprint holds creation code, of which it takes at most
     24,573 bytes.
     An action loads and accrues the totals once, changes them in memory, and stores them before the
     first token moves. Widths are guarded only where supply, debt or collateral is added.
"""
from ethereum.ercs import IERC20Detailed

from ..interfaces import IAdjustCallback
from ..interfaces import IFlashBorrower
from ..interfaces import ILendingMarket
from ..interfaces import ILiquidateCallback
from ..interfaces import IMarketFactory
from ..interfaces import IOracleAdapter
from ..modules import authorization
from ..modules import health
from ..modules import lenders
from ..modules import packing
from ..modules import share_token
from ..modules import shares
from ..modules import token
from ..modules import totals

implements: ILendingMarket

# Who may act on a position.
initializes: authorization
# The lenders' side: ERC-20, packed totals, ERC-4626.
initializes: share_token
initializes: totals[share_token := share_token]
initializes: lenders[share_token := share_token, totals := totals]

exports: (
    authorization.set_authorization,
    authorization.renounce_authorization,
    authorization.set_authorization_by_signature,
    authorization.is_authorized,
    authorization.nonces,
    totals.state,
    totals.caps,
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
)


WAD: constant(uint256) = 10**18
MAX_112: constant(uint256) = 2**112 - 1
# Keeps collateral * price below 2**256.
MAX_PRICE: constant(uint256) = 2**140
FLASH_LOAN_SUCCESS: constant(bytes32) = keccak256("ERC3156FlashBorrower.onFlashLoan")

FACTORY: public(immutable(address))
COLLATERAL: immutable(address)
ORACLE: immutable(address)
MAX_LTV: immutable(uint256)
THRESHOLD: immutable(uint256)
TARGET_HEALTH: immutable(uint256)
BASE_BONUS: immutable(uint256)
MAX_BONUS: immutable(uint256)
MIN_DEBT: immutable(uint256)

# Collateral 128 | debt shares 128.
_positions: HashMap[address, uint256]


@deploy
def __init__(
    factory: address, terms: ILendingMarket.Terms, name_: String[32], symbol_: String[16]
):
    """
    @dev Refuses terms that cannot work: a liquidation at the threshold must always improve health, so
         (1 + max bonus) * threshold < 1, and so must a partial one, so target health is above 1.
    """
    loan_decimals: uint8 = staticcall IERC20Detailed(terms.loan).decimals()
    collateral_decimals: uint8 = staticcall IERC20Detailed(terms.collateral).decimals()
    assert loan_decimals <= 18 and collateral_decimals <= 18, "market: token decimals"
    assert terms.loan != terms.collateral, "market: same token"
    assert 0 < terms.max_ltv and terms.max_ltv < terms.threshold, "market: max ltv"
    assert terms.base_bonus <= terms.max_bonus, "market: base bonus"
    assert (WAD + terms.max_bonus) * terms.threshold < WAD * WAD, "market: threshold"
    assert terms.target_health > WAD and terms.target_health < 2 * WAD, "market: target health"
    assert terms.min_debt > 0 and terms.min_debt < MAX_112, "market: minimum debt"
    price: uint256 = staticcall IOracleAdapter(terms.oracle).fundamental()
    assert 0 < price and price < MAX_PRICE, "market: oracle price"
    FACTORY = factory
    COLLATERAL = terms.collateral
    ORACLE = terms.oracle
    MAX_LTV = terms.max_ltv
    THRESHOLD = terms.threshold
    TARGET_HEALTH = terms.target_health
    BASE_BONUS = terms.base_bonus
    MAX_BONUS = terms.max_bonus
    MIN_DEBT = terms.min_debt
    share_token.__init__(name_, symbol_, loan_decimals + 6)
    totals.__init__()
    lenders.__init__(terms.loan)


# Positions


@external
def adjust(
    owner: address,
    collateral_delta: int256,
    debt_delta: int256,
    receiver: address,
    data: Bytes[1024] = b"",
) -> (uint256, uint256):
    """@notice See `ILendingMarket`."""
    collateral: uint256 = 0
    debt: uint256 = 0
    repaid: uint256 = 0
    collateral, debt, repaid = self._adjust(owner, collateral_delta, debt_delta, receiver, data)
    return collateral, debt


@external
def supply_collateral(amount: uint256, owner: address):
    """@notice Add collateral to anyone's position."""
    self._adjust(owner, self._delta(amount), 0, empty(address), b"")


@external
def withdraw_collateral(amount: uint256, owner: address, receiver: address):
    """@notice Take collateral out."""
    self._adjust(owner, -self._delta(amount), 0, receiver, b"")


@external
def borrow(amount: uint256, owner: address, receiver: address):
    """@notice Borrow `amount` loan units."""
    self._adjust(owner, 0, self._delta(amount), receiver, b"")


@external
def repay(amount: uint256, owner: address) -> uint256:
    """@notice Repay anyone's debt. @return What was repaid: the debt at most."""
    collateral: uint256 = 0
    debt: uint256 = 0
    repaid: uint256 = 0
    collateral, debt, repaid = self._adjust(
        owner, 0, -self._delta(min(amount, MAX_112)), empty(address), b""
    )
    return repaid


@external
def liquidate(
    owner: address, max_repay: uint256, min_seized: uint256, data: Bytes[1024] = b""
) -> (uint256, uint256):
    """@notice See `ILendingMarket`."""
    s: ILendingMarket.State = totals._accrue()
    collateral: uint256 = 0
    debt_shares: uint256 = 0
    collateral, debt_shares = packing._unpack_position(self._positions[owner])
    debt: uint256 = shares._to_assets_up(debt_shares, s.borrow_assets, s.borrow_shares)
    repaid: uint256 = 0
    seized: uint256 = 0
    repaid, seized = self._size_liquidation(collateral, debt, max_repay)
    assert seized >= min_seized, "market: seized too little"

    # Debt that no collateral is left for is written off in this call.
    bad_debt: uint256 = debt - repaid if seized == collateral else 0
    burned: uint256 = debt_shares
    if repaid + bad_debt < debt:
        burned = shares._to_shares_down(repaid, s.borrow_assets, s.borrow_shares)
    s.borrow_assets -= min(s.borrow_assets, repaid + bad_debt)
    s.borrow_shares -= burned
    fee_shares: uint256 = self._fee_shares_for(bad_debt, s)
    lenders_loss: uint256 = bad_debt
    if fee_shares > 0:
        covered: uint256 = shares._to_assets_down(fee_shares, s.supply_assets, s.supply_shares)
        lenders_loss -= min(bad_debt, covered)
        s.supply_shares -= fee_shares
        share_token._burn(self, fee_shares)
    s.supply_assets -= min(s.supply_assets, bad_debt)
    totals._store(s)
    self._positions[owner] = packing._pack_position(collateral - seized, debt_shares - burned)

    token._push(COLLATERAL, msg.sender, seized)
    if len(data) != 0:
        extcall ILiquidateCallback(msg.sender).on_liquidate(owner, repaid, seized, data)
    token._pull(lenders.LOAN, msg.sender, repaid)
    log ILendingMarket.Liquidated(
        owner=owner,
        liquidator=msg.sender,
        repaid=repaid,
        seized=seized,
        bad_debt=bad_debt,
        lenders_loss=lenders_loss,
    )
    return repaid, seized


# Flash loans, ERC-3156, of what is not lent out, for nothing


@external
def flashLoan(receiver: address, token_: address, amount: uint256, data: Bytes[1024]) -> bool:
    """@notice Lend `amount` for the length of one call of `receiver.onFlashLoan`."""
    assert token_ == lenders.LOAN, "market: flash loan token"
    assert amount <= totals._cash(), "market: not enough cash"
    token._push(lenders.LOAN, receiver, amount)
    answer: bytes32 = extcall IFlashBorrower(receiver).onFlashLoan(
        msg.sender, token_, amount, 0, data
    )
    assert answer == FLASH_LOAN_SUCCESS, "market: flash loan refused"
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
    assert token_ == lenders.LOAN, "market: flash loan token"
    return 0


# Accrual and administration


@external
def accrue():
    """@notice Book the interest until now."""
    totals._store(totals._accrue())


@external
def set_caps(new: ILendingMarket.Caps):
    """@notice See `ILendingMarket`. What is already supplied or borrowed above a cap stays."""
    owner: address = staticcall IMarketFactory(FACTORY).owner()
    if msg.sender != owner:
        guardian: address = staticcall IMarketFactory(FACTORY).guardian()
        assert msg.sender == guardian, "market: not owner or guardian"
        old: ILendingMarket.Caps = totals._read_caps()
        lowered: bool = new.supply <= old.supply and new.borrow <= old.borrow
        assert lowered and new.fee == old.fee, "market: guardian only lowers"
    totals._set_caps(new)


@external
def collect_fees(receiver: address) -> uint256:
    """@notice The factory's owner takes the protocol's shares."""
    owner: address = staticcall IMarketFactory(FACTORY).owner()
    assert msg.sender == owner, "market: not owner"
    totals._store(totals._accrue())
    collected: uint256 = share_token._balances[self]
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
        collateral=COLLATERAL,
        oracle=ORACLE,
        max_ltv=MAX_LTV,
        threshold=THRESHOLD,
        target_health=TARGET_HEALTH,
        base_bonus=BASE_BONUS,
        max_bonus=MAX_BONUS,
        min_debt=MIN_DEBT,
    )


@view
@external
def position(owner: address) -> (uint256, uint256):
    """@notice Collateral, and debt with interest until now, rounded up."""
    s: ILendingMarket.State = totals._accrued()[0]
    collateral: uint256 = 0
    debt_shares: uint256 = 0
    collateral, debt_shares = packing._unpack_position(self._positions[owner])
    return collateral, shares._to_assets_up(debt_shares, s.borrow_assets, s.borrow_shares)


# Positions, inside


@internal
def _adjust(
    owner: address,
    collateral_delta: int256,
    debt_delta: int256,
    receiver: address,
    data: Bytes[1024],
) -> (uint256, uint256, uint256):
    """@return Collateral and debt afterwards, and what was repaid."""
    if collateral_delta < 0 or debt_delta > 0:
        allowed: bool = authorization._may_act(owner, msg.sender)
        assert allowed, "market: not authorized"
        assert receiver not in [empty(address), self], "market: receiver"
    s: ILendingMarket.State = totals._accrue()
    collateral_before: uint256 = 0
    debt_shares: uint256 = 0
    collateral_before, debt_shares = packing._unpack_position(self._positions[owner])
    debt_before: uint256 = shares._to_assets_up(debt_shares, s.borrow_assets, s.borrow_shares)

    borrowed: uint256 = 0
    repaid: uint256 = 0
    if debt_delta > 0:
        borrowed = convert(debt_delta, uint256)
        assert borrowed <= s.supply_assets - s.borrow_assets, "market: not enough cash"
        added: uint256 = shares._to_shares_up(borrowed, s.borrow_assets, s.borrow_shares)
        s.borrow_assets += borrowed
        s.borrow_shares += added
        debt_shares += added
        assert s.borrow_assets <= totals._read_caps().borrow, "market: borrow cap"
        assert s.borrow_shares <= MAX_112, "market: borrow width"
    elif debt_delta < 0:
        offered: uint256 = convert(-debt_delta, uint256)
        repaid = min(offered, debt_before)
        burned: uint256 = debt_shares
        if offered < debt_before:
            burned = shares._to_shares_down(repaid, s.borrow_assets, s.borrow_shares)
        s.borrow_assets -= min(s.borrow_assets, repaid)
        s.borrow_shares -= burned
        debt_shares -= burned
    totals._store(s)

    paid_in: uint256 = 0
    paid_out: uint256 = 0
    collateral: uint256 = collateral_before
    if collateral_delta >= 0:
        paid_in = convert(collateral_delta, uint256)
        collateral += paid_in
    else:
        paid_out = convert(-collateral_delta, uint256)
        assert paid_out <= collateral, "market: not enough collateral"
        collateral -= paid_out
    self._positions[owner] = packing._pack_position(collateral, debt_shares)

    token._push(COLLATERAL, receiver, paid_out)
    token._push(lenders.LOAN, receiver, borrowed)
    if len(data) != 0:
        settled: int256 = convert(borrowed, int256) - convert(repaid, int256)
        answer: uint256 = extcall IAdjustCallback(msg.sender).on_adjust(
            owner, collateral_delta, settled, data
        )
        if paid_out == 0:
            assert answer >= paid_in, "market: callback short"
            collateral += answer - paid_in
            paid_in = answer
            self._positions[owner] = packing._pack_position(collateral, debt_shares)
    assert collateral <= max(collateral_before, MAX_112), "market: collateral width"
    token._pull(COLLATERAL, msg.sender, paid_in)
    token._pull(lenders.LOAN, msg.sender, repaid)

    debt: uint256 = shares._to_assets_up(debt_shares, s.borrow_assets, s.borrow_shares)
    # Debt that does not rise over collateral that does not fall by more needs no price: no dead
    # oracle stops it.
    if borrowed > 0 or debt * collateral_before > debt_before * collateral:
        price: uint256 = extcall IOracleAdapter(ORACLE).poke_price()
        assert debt >= MIN_DEBT, "market: debt below minimum"
        worth: uint256 = health._worth_down(collateral, price)
        assert health._within(debt, worth, MAX_LTV), "market: unhealthy"
    log ILendingMarket.Adjusted(
        owner=owner,
        caller=msg.sender,
        receiver=receiver,
        collateral_delta=convert(paid_in, int256) - convert(paid_out, int256),
        debt_delta=convert(borrowed, int256) - convert(repaid, int256),
    )
    return collateral, debt, repaid


@internal
def _size_liquidation(
    collateral: uint256, debt: uint256, max_repay: uint256
) -> (uint256, uint256):
    """
    @notice What is repaid, rounded up, and seized, rounded down: both against the liquidator.
    @dev A part restores target health. It is allowed only while the collateral, at the price at which
         it is handed over, covers debt and bonus, for only then does a part improve health; else,
         and where the rest would be below the minimum debt, the position goes whole.
         A position that goes whole for want of collateral is paid for at its fundamental worth: debt
         which the stake behind it covers is not forgiven because the market pays less today.
    """
    fundamental: uint256 = 0
    market: uint256 = 0
    usable: bool = False
    fundamental, market, usable = extcall IOracleAdapter(ORACLE).poke_liquidation_prices()
    worth: uint256 = health._worth_down(collateral, fundamental)
    assert not health._within(debt, worth, THRESHOLD), "market: healthy"
    hand_over: uint256 = min(fundamental, market) if usable else fundamental
    hand_over_worth: uint256 = health._worth_down(collateral, hand_over)
    bonus: uint256 = health._bonus(
        debt, worth, hand_over_worth, THRESHOLD, BASE_BONUS, MAX_BONUS
    )

    if hand_over_worth * WAD < debt * (WAD + bonus):
        whole: uint256 = min(debt, health._repay_for_all_up(worth, BASE_BONUS))
        assert max_repay >= whole, "market: repay must be whole"
        return whole, collateral

    wanted: uint256 = health._repay_to_target_up(
        debt, worth, hand_over_worth, THRESHOLD, TARGET_HEALTH, bonus
    )
    if debt - wanted < MIN_DEBT:
        wanted = debt
    repaid: uint256 = min(max_repay, wanted)
    if repaid < debt and debt - repaid < MIN_DEBT:
        assert debt > MIN_DEBT, "market: repay must be whole"
        repaid = debt - MIN_DEBT
    assert repaid > 0, "market: nothing repaid"
    return repaid, min(collateral, health._seized_down(repaid, hand_over, bonus))


@view
@internal
def _fee_shares_for(bad_debt: uint256, s: ILendingMarket.State) -> uint256:
    """@notice The protocol's shares that a write-off burns, rounded up, at most all of them."""
    if bad_debt == 0:
        return 0
    needed: uint256 = shares._to_shares_up(bad_debt, s.supply_assets, s.supply_shares)
    return min(share_token._balances[self], needed)


@pure
@internal
def _delta(amount: uint256) -> int256:
    """@notice An amount as a signed change."""
    assert amount <= MAX_112, "market: amount width"
    return convert(amount, int256)
