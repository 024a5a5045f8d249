# pragma version 0.4.3
"""
@title DerivativesLens
@custom:contract-name DerivativesLens
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The state of a leveraged token, and of the backstop pool, each in one call; see
        `IDerivativesLens`.
@dev It has no storage and so no lock, and trusts whom it is asked about to be what it is called.
"""
from ethereum.ercs import IERC20
from ethereum.ercs import IERC4626

from ..interfaces import IBackstopPool
from ..interfaces import IDerivativesLens
from ..interfaces import ILendingMarket
from ..interfaces import ILeveragedToken
from ..interfaces import IMarketPrice
from ..interfaces import IWithdrawalQueue
from ..modules import leverage_maths

# What the collateral is worth, as the token has it.
from ..modules import lrt_backing

initializes: lrt_backing

implements: IDerivativesLens


# Public variables of the pool that its interface does not have.
interface Books:
    def QUEUE() -> address: view
    def cash() -> uint256: view
    def unqueued() -> uint256: view
    def unqueued_cost() -> uint256: view
    def claim_cost(claim: uint256) -> uint256: view
    def lst() -> uint256: view
    def lst_cost() -> uint256: view
    def lst_since() -> uint256: view
    def head() -> uint256: view
    def next_id() -> uint256: view
    def waiting_shares() -> uint256: view
    def waiting_worth() -> uint256: view
    def paused_until() -> uint256: view


WAD: constant(uint256) = 10**18
E36: constant(uint256) = 10**36
# Stands for all that a rebalance may move.
MOST: constant(uint256) = 2**255

LRT: public(immutable(address))


@deploy
def __init__(lrt: address):
    lrt_backing.__init__(lrt)
    LRT = lrt


@view
@external
def leveraged_token(leveraged: address) -> IDerivativesLens.TokenState:
    """@notice See `IDerivativesLens`."""
    terms: ILeveragedToken.Terms = staticcall ILeveragedToken(leveraged).terms()
    state: IDerivativesLens.TokenState = empty(IDerivativesLens.TokenState)
    state.market = staticcall ILeveragedToken(leveraged).market()
    of_market: ILendingMarket.Terms = staticcall ILendingMarket(state.market).terms()
    assert of_market.collateral == LRT, "lens: another collateral"

    state.collateral, state.debt = staticcall ILendingMarket(state.market).position(leveraged)
    state.supply = staticcall IERC20(leveraged).totalSupply()
    state.backing = lrt_backing._live()
    state.worth = state.collateral * state.backing // E36
    state.equity = state.worth - min(state.worth, state.debt)
    state.nav = state.equity * WAD // state.supply
    state.usable, state.price = self._try_price(of_market.oracle)
    price_worth: uint256 = state.collateral * state.price // E36
    state.price_equity = price_worth - min(price_worth, state.debt)
    state.price_nav = state.price_equity * WAD // state.supply

    state.leverage = leverage_maths._leverage_down(state.worth, state.debt)
    state.least, state.target, state.most = staticcall ILeveragedToken(leveraged).band()
    state.stepped = terms.target - state.target
    last: ILeveragedToken.Checkpoint = staticcall ILeveragedToken(leveraged).last_checkpoint()
    state.next_checkpoint = last.time + terms.period
    state.danger = terms.danger
    state.in_danger = leverage_maths._is_above(state.worth, state.debt, terms.danger)

    state.auction_usable, state.auction = self._try_auction(leveraged)
    if state.auction.is_open:
        state.auction_gets = self._try_gets(leveraged, state.auction.lowers)
    lowers: bool = False
    state.auction_started, lowers = staticcall ILeveragedToken(leveraged).auction_started()
    if state.auction_started != 0:
        state.auction_ends = state.auction_started + 2 * terms.duration
    state.counted_loss = staticcall ILeveragedToken(leveraged).faded_loss()
    state.loss_left = terms.max_loss - min(terms.max_loss, state.counted_loss)
    state.cooldown = self._cooldown_up(state.counted_loss, terms)
    return state


@view
@external
def backstop(pool: address) -> IDerivativesLens.PoolState:
    """@notice See `IDerivativesLens`."""
    state: IDerivativesLens.PoolState = empty(IDerivativesLens.PoolState)
    state.assets = staticcall IERC4626(pool).totalAssets()
    state.supply = staticcall IERC20(pool).totalSupply()
    state.cash = staticcall Books(pool).cash()
    state.liquid = staticcall IBackstopPool(pool).free_cash()
    state.locked_profit = staticcall IBackstopPool(pool).locked_profit()

    state.leaver_usable, state.leaver_assets = self._try_one(pool, method_id("low_assets()"))
    if state.leaver_usable:
        state.leaver_price = staticcall IERC4626(pool).previewRedeem(WAD)
    state.joiner_usable, state.joiner_assets, state.joiner_shares = self._try_joining(pool)
    if state.joiner_usable:
        state.joiner_price = staticcall IERC4626(pool).previewMint(WAD)

    state.unqueued = staticcall Books(pool).unqueued()
    state.unqueued_cost = staticcall Books(pool).unqueued_cost()
    state.claims = self._claims(pool)
    state.lst = staticcall Books(pool).lst()
    state.lst_cost = staticcall Books(pool).lst_cost()
    state.lst_since = staticcall Books(pool).lst_since()
    state.head = staticcall Books(pool).head()
    state.next_id = staticcall Books(pool).next_id()
    state.waiting_shares = staticcall Books(pool).waiting_shares()
    state.waiting_worth = staticcall Books(pool).waiting_worth()
    state.discount = staticcall IBackstopPool(pool).discount()
    state.paused_until = staticcall Books(pool).paused_until()
    return state


@external
def fee_owed(leveraged: address) -> uint256:
    """@notice See `IDerivativesLens`."""
    success: bool = False
    answer: Bytes[64] = b""
    success, answer = raw_call(
        self,
        abi_encode(leveraged, method_id=method_id("try_fee(address)")),
        max_outsize=64,
        revert_on_failure=False,
    )
    # A reason would be longer.
    assert not success and len(answer) == 32, "lens: no fee to be had"
    return convert(slice(answer, 0, 32), uint256)


@external
def try_fee(leveraged: address):
    """@notice See `IDerivativesLens`."""
    terms: ILeveragedToken.Terms = staticcall ILeveragedToken(leveraged).terms()
    before: uint256 = staticcall IERC20(leveraged).balanceOf(terms.fee_receiver)
    extcall ILeveragedToken(leveraged).accrue_fee()
    after: uint256 = staticcall IERC20(leveraged).balanceOf(terms.fee_receiver)
    raw_revert(abi_encode(after - before))


# Internals


@internal
@view
def _claims(pool: address) -> DynArray[IDerivativesLens.Claim, 16]:
    queue: address = staticcall Books(pool).QUEUE()
    ids: DynArray[uint256, 16] = staticcall IBackstopPool(pool).open_claims()
    claims: DynArray[IDerivativesLens.Claim, 16] = []
    for id: uint256 in ids:
        found: IWithdrawalQueue.Request = staticcall IWithdrawalQueue(queue).request(id)
        cost: uint256 = staticcall Books(pool).claim_cost(id)
        claims.append(
            IDerivativesLens.Claim(
                id=id, cost=cost, waiting=found.shares, claimable=found.claimable_assets
            )
        )
    return claims


@internal
@pure
def _cooldown_up(counted: uint256, terms: ILeveragedToken.Terms) -> uint256:
    """@return Seconds until nothing counts, if nothing more is paid."""
    if counted == 0:
        return 0
    if terms.max_loss == 0:
        return max_value(uint256)
    return (counted * terms.cooldown + terms.max_loss - 1) // terms.max_loss


@internal
@view
def _try_price(oracle: address) -> (bool, uint256):
    return self._try_one(oracle, method_id("price()"))


@internal
@view
def _try_one(target: address, selector: Bytes[4]) -> (bool, uint256):
    """@return Whether it answers, and the number."""
    success: bool = False
    answer: Bytes[32] = b""
    success, answer = raw_call(
        target, selector, max_outsize=32, is_static_call=True, revert_on_failure=False
    )
    if not success or len(answer) != 32:
        return False, 0
    return True, convert(answer, uint256)


@internal
@view
def _try_joining(pool: address) -> (bool, uint256, uint256):
    """@return Whether anybody may join, and assets and shares that price it."""
    success: bool = False
    answer: Bytes[64] = b""
    success, answer = raw_call(
        pool,
        method_id("joining()"),
        max_outsize=64,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not success or len(answer) != 64:
        return False, 0, 0
    assets: uint256 = 0
    shares: uint256 = 0
    assets, shares = abi_decode(answer, (uint256, uint256))
    return True, assets, shares


@internal
@view
def _try_auction(leveraged: address) -> (bool, ILeveragedToken.Auction):
    """@return Whether it could be asked: it asks the oracle where leverage is to rise."""
    success: bool = False
    answer: Bytes[160] = b""
    success, answer = raw_call(
        leveraged,
        method_id("auction()"),
        max_outsize=160,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not success or len(answer) != 160:
        return False, empty(ILeveragedToken.Auction)
    return True, abi_decode(answer, ILeveragedToken.Auction)


@internal
@view
def _try_gets(leveraged: address, lowers: bool) -> uint256:
    """@return What a taker gets who brings all; 0 where nothing is left to be paid for it."""
    success: bool = False
    answer: Bytes[64] = b""
    success, answer = raw_call(
        leveraged,
        abi_encode(lowers, MOST, method_id=method_id("quote_rebalance(bool,uint256)")),
        max_outsize=64,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not success or len(answer) != 64:
        return 0
    brought: uint256 = 0
    got: uint256 = 0
    brought, got = abi_decode(answer, (uint256, uint256))
    return got
