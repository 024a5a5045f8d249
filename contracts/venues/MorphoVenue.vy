# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title MorphoVenue
@custom:contract-name MorphoVenue
@license GNU Affero General Public License v3.0 only
@author Relever
@notice One market of Morpho Blue behind the doors of our own market, for one router.
@dev Who uses it authorises this contract at Morpho, best by a signature in the same call and taken back
     by another at its end: Morpho's authorisation is over all that one has there. This contract makes
     use of it only for the router, in its one market. It holds nothing between calls.
     Raising borrows by a free flash loan first, since what the router will make of it is not known
     beforehand; Morpho lends out of all its markets, so that the loan is there when the borrowing is.
     Lowering needs none: Morpho calls back before it pulls the repayment in.
"""
from ..interfaces import IAdjustCallback
from ..interfaces import IForeignVenue
from ..interfaces import IGrants
from ..interfaces import ILendingMarket
from ..interfaces import IVenue
from ..interfaces.morpho import IIrm
from ..interfaces.morpho import IMorpho
from ..modules import signature_parts
from ..modules import token
from ..modules import venue_call

initializes: venue_call

implements: IForeignVenue
implements: IVenue

exports: venue_call.ROUTER


WAD: constant(uint256) = 10**18
# Virtual parts of a market's debt.
VIRTUAL_SHARES: constant(uint256) = 10**6
VIRTUAL_ASSETS: constant(uint256) = 1

MORPHO: public(immutable(address))
ID: public(immutable(bytes32))
LOAN: immutable(address)
COLLATERAL: immutable(address)
ORACLE: immutable(address)
IRM: immutable(address)
LLTV: immutable(uint256)


@deploy
def __init__(router: address, morpho: address, params: IMorpho.MarketParams):
    """@param router May be deployed after this contract, and names it in turn."""
    venue_call.__init__(router)
    MORPHO = morpho
    LOAN = params.loanToken
    COLLATERAL = params.collateralToken
    ORACLE = params.oracle
    IRM = params.irm
    LLTV = params.lltv
    ID = keccak256(abi_encode(params))
    market: IMorpho.Market = staticcall IMorpho(morpho).market(keccak256(abi_encode(params)))
    assert market.lastUpdate != 0, "venue: no such market"


@external
def adjust(
    owner: address,
    collateral_delta: int256,
    debt_delta: int256,
    receiver: address,
    data: Bytes[1024] = b"",
) -> (uint256, uint256):
    """@notice See `IForeignVenue`."""
    shares: uint256 = 0
    debt: uint256 = 0
    shares, debt = self._debt(owner)
    call: venue_call.Call = venue_call._begin(
        owner, collateral_delta, debt_delta, debt, receiver, data
    )
    if call.borrowed != 0:
        extcall IMorpho(MORPHO).flashLoan(LOAN, call.borrowed, abi_encode(call))
    elif call.repaid != 0:
        # The whole debt goes by shares, which leaves none of them.
        if call.repaid == debt:
            extcall IMorpho(MORPHO).repay(self._params(), 0, shares, owner, abi_encode(call))
        else:
            extcall IMorpho(MORPHO).repay(self._params(), call.repaid, 0, owner, abi_encode(call))
    elif call.paid_out != 0:
        self._pay_out(call)
        venue_call._take_loan(call, LOAN)
    else:
        self._supply(call)
    venue_call._end()
    return self._position(owner)


@external
@reentrant
def onMorphoFlashLoan(assets: uint256, data: Bytes[2048]):
    """@notice What is to be borrowed is here: hand it out, take the collateral, and borrow it."""
    call: venue_call.Call = venue_call._resume(MORPHO, data)
    token._push(LOAN, call.receiver, assets)
    self._supply(call)
    extcall IMorpho(MORPHO).borrow(self._params(), assets, 0, call.owner, self)
    token._approve(LOAN, MORPHO, assets)


@external
@reentrant
def onMorphoRepay(assets: uint256, data: Bytes[2048]):
    """@notice The debt is down already: hand out the collateral, and take what Morpho will pull in."""
    call: venue_call.Call = venue_call._resume(MORPHO, data)
    self._pay_out(call)
    call.repaid = assets
    venue_call._take_loan(call, LOAN)
    token._approve(LOAN, MORPHO, assets)


@external
def authorize(
    owner: address, collateral_delta: int256, debt_delta: int256, signed: IGrants.Signed
):
    """@notice See `IForeignVenue`. Morpho's signature is over all that the owner has there."""
    self._submit(owner, True, signed)


@external
def revoke(owner: address, signed: IGrants.Signed):
    """@notice See `IForeignVenue`."""
    self._submit(owner, False, signed)
    still: bool = staticcall IMorpho(MORPHO).isAuthorized(owner, self)
    assert not still, "venue: still authorized"


@view
@external
def terms() -> ILendingMarket.Terms:
    """@notice See `IVenue`."""
    terms: ILendingMarket.Terms = empty(ILendingMarket.Terms)
    terms.loan = LOAN
    terms.collateral = COLLATERAL
    terms.oracle = ORACLE
    terms.max_ltv = LLTV
    terms.threshold = LLTV
    return terms


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
        token._approve(COLLATERAL, MORPHO, taken)
        extcall IMorpho(MORPHO).supplyCollateral(self._params(), taken, call.owner, b"")


@internal
def _pay_out(call: venue_call.Call):
    if call.paid_out != 0:
        extcall IMorpho(MORPHO).withdrawCollateral(
            self._params(), call.paid_out, call.owner, call.receiver
        )


@internal
def _submit(owner: address, authorized: bool, signed: IGrants.Signed):
    v: uint8 = 0
    r: bytes32 = empty(bytes32)
    s: bytes32 = empty(bytes32)
    v, r, s = signature_parts._split(signed.signature)
    success: bool = raw_call(
        MORPHO,
        abi_encode(
            owner,
            self,
            authorized,
            signed.nonce,
            signed.deadline,
            v,
            r,
            s,
            method_id=method_id(
                "setAuthorizationWithSig((address,address,bool,uint256,uint256),(uint8,bytes32,bytes32))"
            ),
        ),
        revert_on_failure=False,
    )


@view
@internal
def _params() -> IMorpho.MarketParams:
    return IMorpho.MarketParams(
        loanToken=LOAN, collateralToken=COLLATERAL, oracle=ORACLE, irm=IRM, lltv=LLTV
    )


@view
@internal
def _position(owner: address) -> (uint256, uint256):
    position: IMorpho.Position = staticcall IMorpho(MORPHO).position(ID, owner)
    shares: uint256 = 0
    debt: uint256 = 0
    shares, debt = self._debt(owner)
    return convert(position.collateral, uint256), debt


@view
@internal
def _debt(owner: address) -> (uint256, uint256):
    """@return Debt shares, and what they are worth with Morpho's interest until now, rounded up."""
    position: IMorpho.Position = staticcall IMorpho(MORPHO).position(ID, owner)
    shares: uint256 = convert(position.borrowShares, uint256)
    market: IMorpho.Market = staticcall IMorpho(MORPHO).market(ID)
    assets: uint256 = convert(market.totalBorrowAssets, uint256)
    elapsed: uint256 = block.timestamp - convert(market.lastUpdate, uint256)
    if elapsed != 0 and IRM != empty(address):
        rate: uint256 = staticcall IIrm(IRM).borrowRateView(self._params(), market)
        # Three terms of the exponential, each rounded down, as Morpho compounds.
        first: uint256 = rate * elapsed
        second: uint256 = first * first // (2 * WAD)
        third: uint256 = second * first // (3 * WAD)
        assets += assets * (first + second + third) // WAD
    total: uint256 = convert(market.totalBorrowShares, uint256) + VIRTUAL_SHARES
    return shares, (shares * (assets + VIRTUAL_ASSETS) + total - 1) // total
