# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title AaveVenue
@custom:contract-name AaveVenue
@license GNU Affero General Public License v3.0 only
@author Relever
@notice A pool of Aave v3 behind the doors of our own market, for one router.
@dev Who raises delegates its credit to this contract, and who lowers allows it its aTokens; either for
     just the amount, best by a signature in the same call, so that nothing is left at its end. This
     contract makes use of it only for the router. It holds nothing between calls.
     Raising is a flash loan of Aave's that stays as the owner's debt, at no premium. Lowering repays out
     of a free flash loan of `LENDER`'s, and waits where that one has nothing to lend.
     Only LRT and WETH of the owner's account are seen, at the LRT's own threshold. The LRT must not be
     lent out in the pool: one aToken is one LRT. Both tokens have 18 decimals.
"""
from ethereum.ercs import IERC20

from ..interfaces import IFlashBorrower
from ..interfaces import IFlashLender
from ..interfaces import IForeignVenue
from ..interfaces import IGrants
from ..interfaces import ILendingMarket
from ..interfaces import IMarketPrice
from ..interfaces import IVenue
from ..interfaces.aave import IAaveOracle
from ..interfaces.aave import IAavePool
from ..interfaces.aave import IAddressesProvider
from ..interfaces.aave import IDebtToken
from ..modules import signature_parts
from ..modules import token
from ..modules import venue_call

initializes: venue_call

implements: IFlashBorrower
implements: IForeignVenue
implements: IMarketPrice
implements: IVenue

exports: venue_call.ROUTER


PRICE_SCALE: constant(uint256) = 10**36
WAD_PER_BASIS_POINT: constant(uint256) = 10**14
MAX_16: constant(uint256) = 2**16 - 1
VARIABLE_RATE: constant(uint256) = 2
FLASH_LOAN_SUCCESS: constant(bytes32) = keccak256("ERC3156FlashBorrower.onFlashLoan")

POOL: public(immutable(address))
LENDER: public(immutable(address))
LOAN: immutable(address)
COLLATERAL: immutable(address)
A_TOKEN: public(immutable(address))
DEBT_TOKEN: public(immutable(address))


@deploy
def __init__(router: address, pool: address, lender: address, loan: address, collateral: address):
    """
    @param router May be deployed after this contract, and names it in turn.
    @param lender Gives ERC-3156 flash loans of the loan token for nothing, such as a market of ours.
    """
    venue_call.__init__(router)
    loan_data: IAavePool.ReserveData = staticcall IAavePool(pool).getReserveData(loan)
    data: IAavePool.ReserveData = staticcall IAavePool(pool).getReserveData(collateral)
    listed: bool = empty(address) not in [loan_data.variableDebtTokenAddress, data.aTokenAddress]
    assert listed, "venue: no such reserve"
    POOL = pool
    LENDER = lender
    LOAN = loan
    COLLATERAL = collateral
    A_TOKEN = data.aTokenAddress
    DEBT_TOKEN = loan_data.variableDebtTokenAddress


@external
def adjust(
    owner: address,
    collateral_delta: int256,
    debt_delta: int256,
    receiver: address,
    data: Bytes[1024] = b"",
) -> (uint256, uint256):
    """@notice See `IForeignVenue`."""
    debt: uint256 = staticcall IDebtToken(DEBT_TOKEN).balanceOf(owner)
    call: venue_call.Call = venue_call._begin(
        owner, collateral_delta, debt_delta, debt, receiver, data
    )
    if call.borrowed != 0:
        extcall IAavePool(POOL).flashLoan(
            self, [LOAN], [call.borrowed], [VARIABLE_RATE], owner, abi_encode(call), 0
        )
    elif call.repaid == 0 and call.paid_out == 0:
        self._supply(call)
    elif len(data) == 0:
        token._pull(LOAN, venue_call.ROUTER, call.repaid)
        self._repay_and_pay_out(call)
    elif call.repaid == 0:
        self._repay_and_pay_out(call)
        venue_call._take_loan(call, LOAN)
    else:
        lent: bool = extcall IFlashLender(LENDER).flashLoan(
            self, LOAN, call.repaid, abi_encode(call)
        )
        assert lent, "venue: no flash loan"
    venue_call._end()
    return self._position(owner)


@external
@reentrant
def executeOperation(
    assets: DynArray[address, 1],
    amounts: DynArray[uint256, 1],
    premiums: DynArray[uint256, 1],
    initiator: address,
    params: Bytes[2048],
) -> bool:
    """@notice Aave's: what will be the owner's debt is here. Hand it out, and take the collateral."""
    call: venue_call.Call = venue_call._resume(POOL, params)
    assert initiator == self, "venue: not its own loan"
    token._push(LOAN, call.receiver, call.borrowed)
    self._supply(call)
    return True


@external
@reentrant
def onFlashLoan(
    initiator: address, token_: address, amount: uint256, fee: uint256, data: Bytes[1024]
) -> bytes32:
    """@notice The lender's: repay, hand out the collateral, and take what goes back to the lender."""
    call: venue_call.Call = venue_call._resume(LENDER, data)
    assert initiator == self, "venue: not its own loan"
    assert fee == 0, "venue: flash loan fee"
    self._repay_and_pay_out(call)
    venue_call._take_loan(call, LOAN)
    token._approve(LOAN, LENDER, amount)
    return FLASH_LOAN_SUCCESS


@external
def authorize(
    owner: address, collateral_delta: int256, debt_delta: int256, signed: IGrants.Signed
):
    """
    @notice See `IForeignVenue`. A delegation of credit for what is borrowed, or an ERC-2612 permit of
            the aToken for the collateral that is taken out.
    """
    v: uint8 = 0
    r: bytes32 = empty(bytes32)
    s: bytes32 = empty(bytes32)
    v, r, s = signature_parts._split(signed.signature)
    target: address = DEBT_TOKEN
    method: bytes4 = method_id(
        "delegationWithSig(address,address,uint256,uint256,uint8,bytes32,bytes32)",
        output_type=bytes4,
    )
    amount: uint256 = convert(max(debt_delta, 0), uint256)
    if collateral_delta < 0:
        target = A_TOKEN
        method = method_id(
            "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)", output_type=bytes4
        )
        amount = convert(-collateral_delta, uint256)
    success: bool = raw_call(
        target,
        concat(method, abi_encode(owner, self, amount, signed.deadline, v, r, s)),
        revert_on_failure=False,
    )


@external
def revoke(owner: address, signed: IGrants.Signed):
    """@notice See `IForeignVenue`. What was granted for just the amount is used up: none is asked for."""
    credit: uint256 = staticcall IDebtToken(DEBT_TOKEN).borrowAllowance(owner, self)
    allowed: uint256 = staticcall IERC20(A_TOKEN).allowance(owner, self)
    assert credit == 0 and allowed == 0, "venue: still authorized"


@view
@external
def terms() -> ILendingMarket.Terms:
    """@notice See `IVenue`. Loan-to-value and threshold are Aave's of this moment."""
    data: IAavePool.ReserveData = staticcall IAavePool(POOL).getReserveData(COLLATERAL)
    terms: ILendingMarket.Terms = empty(ILendingMarket.Terms)
    terms.loan = LOAN
    terms.collateral = COLLATERAL
    terms.oracle = self
    terms.max_ltv = (data.configuration & MAX_16) * WAD_PER_BASIS_POINT
    terms.threshold = ((data.configuration >> 16) & MAX_16) * WAD_PER_BASIS_POINT
    return terms


@view
@external
def price() -> uint256:
    """@notice By Aave's oracle, rounded down."""
    provider: address = staticcall IAavePool(POOL).ADDRESSES_PROVIDER()
    oracle: address = staticcall IAddressesProvider(provider).getPriceOracle()
    collateral: uint256 = staticcall IAaveOracle(oracle).getAssetPrice(COLLATERAL)
    loan: uint256 = staticcall IAaveOracle(oracle).getAssetPrice(LOAN)
    return collateral * PRICE_SCALE // loan


@view
@external
@reentrant
def position(owner: address) -> (uint256, uint256):
    """@notice See `IVenue`."""
    return self._position(owner)


@internal
def _supply(call: venue_call.Call):
    """@notice Take the collateral that the router has made, and add it to the owner's."""
    taken: uint256 = venue_call._take_collateral(call, COLLATERAL)
    if taken != 0:
        token._approve(COLLATERAL, POOL, taken)
        extcall IAavePool(POOL).supply(COLLATERAL, taken, call.owner, 0)


@internal
def _repay_and_pay_out(call: venue_call.Call):
    if call.repaid != 0:
        token._approve(LOAN, POOL, call.repaid)
        repaid: uint256 = extcall IAavePool(POOL).repay(
            LOAN, call.repaid, VARIABLE_RATE, call.owner
        )
        assert repaid == call.repaid, "venue: more than the debt"
    if call.paid_out != 0:
        token._pull(A_TOKEN, call.owner, call.paid_out)
        extcall IAavePool(POOL).withdraw(COLLATERAL, call.paid_out, call.receiver)


@view
@internal
def _position(owner: address) -> (uint256, uint256):
    collateral: uint256 = token._balance(A_TOKEN, owner)
    debt: uint256 = staticcall IDebtToken(DEBT_TOKEN).balanceOf(owner)
    return collateral, debt
