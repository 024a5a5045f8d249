# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title LeverageRouter
@custom:contract-name LeverageRouter
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Opens, raises, lowers, closes and moves a leveraged position in one transaction, for its caller
        only.
@dev No target comes from the caller but a market of the factory's list, or one of the venues named at
     creation, each of which names this router in turn. A market's callback is answered only while the
     router's own call to that market runs. Every call ends with the bounds, checked against the position
     as the market's change of it left it, whatever came before. Between calls the router holds no token,
     allowance or debt, and no right that a caller asked it to give back; what someone sends it by
     mistake is paid to nobody, since only differences of balances are used.
"""
from ..interfaces import IAdjustCallback
from ..interfaces import IGrants
from ..interfaces import ILendingMarket
from ..interfaces import ILeverageRouter
from ..interfaces import ILRTVault
from ..interfaces import IRoute
from ..interfaces import IVenue
from ..interfaces import IWETH
from ..interfaces import IWithdrawalQueue

# The tokens and the ways between them.
from ..modules import lrt_entry
from ..modules import lrt_exit
from ..modules import lrt_purchase
# Where a position may be, and what may become of it.
from ..modules import router_bounds
from ..modules import router_markets
from ..modules import signed_grants
from ..modules import token

initializes: lrt_entry
initializes: lrt_exit[lrt_entry := lrt_entry]
initializes: lrt_purchase[lrt_entry := lrt_entry, lrt_exit := lrt_exit]
initializes: router_markets

implements: ILeverageRouter
implements: IAdjustCallback

exports: (
    lrt_entry.LRT,
    lrt_entry.LST,
    lrt_entry.STETH,
    lrt_entry.WETH,
    lrt_exit.STABLE_SWAP,
    lrt_exit.SWAP,
    router_markets.FACTORY,
    router_markets.is_venue,
)


# Stands for the whole debt.
MOST: constant(uint256) = 2**255 - 1

# The market that the running call has entered.
_active_market: transient(address)
# What that market takes of the debt in the running call, and what the sale brings above that.
_repaid: transient(uint256)
_left: transient(uint256)


@deploy
def __init__(
    factory: address,
    lrt: address,
    lst: address,
    weth: address,
    swap: address,
    stable_swap: address,
    venues: DynArray[address, 8],
):
    """@param venues See `router_markets`."""
    router_markets.__init__(factory, venues)
    lrt_entry.__init__(lrt, lst, weth)
    lrt_exit.__init__(swap, stable_swap)
    for venue: address in venues:
        lrt_exit._check_market(venue)


@payable
@external
@reentrant
def __default__():
    """@notice Takes ether from unwrapping WETH, and from nobody else."""
    assert msg.sender == lrt_entry.WETH, "router: ether only from weth"


@payable
@external
def open(
    market: address,
    token_in: address,
    amount_in: uint256,
    borrow: uint256,
    bounds: ILeverageRouter.Bounds,
    mint_rate: uint256 = 0,
    grants: IGrants.Grants = empty(IGrants.Grants),
) -> (uint256, uint256):
    """@notice See `ILeverageRouter`."""
    router_bounds._check_deadline(bounds.deadline)
    foreign: bool = router_markets._check_listed(market)
    oracle: address = empty(address)
    threshold: uint256 = 0
    oracle, threshold = lrt_exit._check_market(market)
    assert amount_in + borrow > 0, "router: nothing to do"
    borrowed: int256 = convert(borrow, int256)
    # Asked here too: without one nothing is copied.
    if len(grants.authorization.signature) != 0:
        signed_grants._authorize(market, foreign, 0, borrowed, grants.authorization)
    rate: uint256 = 0
    # LRT that is only added asks neither pool nor vault.
    if borrow != 0 or token_in in [empty(address), lrt_entry.WETH]:
        rate = lrt_purchase._rate_to_swap(mint_rate)
    seat: address = lrt_purchase._seat(rate)
    weth_in: uint256 = 0
    lst_in: uint256 = 0
    lrt_in: uint256 = 0
    weth_in, lst_in, lrt_in = self._take(token_in, amount_in, seat, grants.permit)
    no_source: address = empty(address)
    data: Bytes[160] = abi_encode(no_source, lrt_in, weth_in, lst_in, rate)
    collateral: uint256 = 0
    debt: uint256 = 0
    collateral, debt = self._adjust(market, 0, borrowed, seat, data)
    if grants.revoke:
        signed_grants._revoke(market, foreign, grants.revocation)
    router_bounds._check(oracle, threshold, collateral, debt, bounds)
    log ILeverageRouter.Opened(
        market=market,
        owner=msg.sender,
        token_in=token_in,
        amount_in=amount_in,
        borrowed=borrow,
        collateral=collateral,
        debt=debt,
    )
    return collateral, debt


@external
def close(
    market: address,
    collateral_out: uint256,
    repay: uint256,
    route: IRoute.Route,
    bounds: ILeverageRouter.Bounds,
    grants: IGrants.Grants = empty(IGrants.Grants),
) -> (uint256, uint256, uint256):
    """@notice See `ILeverageRouter`."""
    request_id: uint256 = 0
    paid_out: uint256 = 0
    collateral: uint256 = 0
    debt: uint256 = 0
    request_id, paid_out, collateral, debt = self._lower(
        market, collateral_out, collateral_out, repay, route, bounds, grants
    )
    return paid_out, collateral, debt


@external
def close_to_queue(
    market: address,
    collateral_out: uint256,
    sold: uint256,
    repay: uint256,
    route: IRoute.Route,
    bounds: ILeverageRouter.Bounds,
    grants: IGrants.Grants = empty(IGrants.Grants),
) -> (uint256, uint256, uint256, uint256):
    """@notice See `ILeverageRouter`."""
    assert sold < collateral_out, "router: nothing to queue"
    return self._lower(market, collateral_out, sold, repay, route, bounds, grants)


@external
def move(
    source: address,
    target: address,
    collateral: uint256,
    debt: uint256,
    bounds: ILeverageRouter.Bounds,
    source_grants: IGrants.Grants = empty(IGrants.Grants),
    target_grants: IGrants.Grants = empty(IGrants.Grants),
) -> (uint256, uint256):
    """@notice See `ILeverageRouter`."""
    router_bounds._check_deadline(bounds.deadline)
    assert source != target, "router: source is target"
    assert collateral > 0, "router: nothing to do"
    from_foreign: bool = router_markets._check_known(source)
    to_foreign: bool = router_markets._check_listed(target)
    source_oracle: address = empty(address)
    source_threshold: uint256 = 0
    source_oracle, source_threshold = lrt_exit._check_market(source)
    oracle: address = empty(address)
    threshold: uint256 = 0
    oracle, threshold = lrt_exit._check_market(target)
    held: uint256 = 0
    owed: uint256 = 0
    held, owed = staticcall IVenue(source).position(msg.sender)
    moved: uint256 = min(debt, owed)
    signed_grants._authorize(
        source,
        from_foreign,
        -convert(collateral, int256),
        -convert(moved, int256),
        source_grants.authorization,
    )
    signed_grants._authorize(
        target, to_foreign, 0, convert(moved, int256), target_grants.authorization
    )
    unused: uint256 = 0
    data: Bytes[160] = abi_encode(source, collateral, unused, unused, unused)
    new_collateral: uint256 = 0
    new_debt: uint256 = 0
    new_collateral, new_debt = self._adjust(target, 0, convert(moved, int256), self, data)
    if source_grants.revoke:
        signed_grants._revoke(source, from_foreign, source_grants.revocation)
    if target_grants.revoke:
        signed_grants._revoke(target, to_foreign, target_grants.revocation)
    held, owed = staticcall IVenue(source).position(msg.sender)
    router_bounds._check_health(source_oracle, source_threshold, held, owed, bounds.min_health)
    log ILeverageRouter.Moved(
        source=source, target=target, owner=msg.sender, collateral=collateral, debt=moved
    )
    router_bounds._check(oracle, threshold, new_collateral, new_debt, bounds)
    return new_collateral, new_debt


@external
@reentrant
def on_adjust(
    owner: address, collateral_delta: int256, debt_delta: int256, data: Bytes[1024]
) -> uint256:
    """@notice Turn what the market paid out into what it will pull in."""
    assert msg.sender == self._active_market, "router: not the active market"
    if collateral_delta < 0:
        sold: uint256 = 0
        route: IRoute.Route = empty(IRoute.Route)
        sold, route = abi_decode(data, (uint256, IRoute.Route))
        repaid: uint256 = convert(-debt_delta, uint256)
        self._repaid = repaid
        self._left = self._sell(convert(-collateral_delta, uint256), sold, route, owner, repaid)
        return 0
    source: address = empty(address)
    lrt_in: uint256 = 0
    weth_in: uint256 = 0
    lst_in: uint256 = 0
    rate: uint256 = 0
    source, lrt_in, weth_in, lst_in, rate = abi_decode(
        data, (address, uint256, uint256, uint256, uint256)
    )
    borrowed: uint256 = convert(debt_delta, uint256)
    if source != empty(address):
        self._take_over(source, owner, lrt_in, borrowed)
    else:
        token._push(lrt_entry.LRT, msg.sender, lrt_in)
        lrt_purchase._buy(weth_in + borrowed, rate, lst_in, owner, msg.sender)
    return 0


# Steps


@internal
def _adjust(
    market: address,
    collateral_delta: int256,
    debt_delta: int256,
    receiver: address,
    data: Bytes[160],
) -> (uint256, uint256):
    """
    @notice Change the caller's position, and answer the market's callback meanwhile.
    @return Collateral and debt of the position. Nothing that the router does afterwards changes them.
    """
    collateral: uint256 = 0
    debt: uint256 = 0
    self._active_market = market
    collateral, debt = extcall IVenue(market).adjust(
        msg.sender, collateral_delta, debt_delta, receiver, data
    )
    self._active_market = empty(address)
    return collateral, debt


@internal
def _lower(
    market: address,
    collateral_out: uint256,
    sold: uint256,
    repay: uint256,
    route: IRoute.Route,
    bounds: ILeverageRouter.Bounds,
    grants: IGrants.Grants,
) -> (uint256, uint256, uint256, uint256):
    """
    @notice Take collateral out, sell a part of it, repay, pay out what is left of the sale, and put
            what is not sold into the withdrawal queue.
    @return The request's id, WETH paid to the caller, collateral and debt of the position.
    """
    router_bounds._check_deadline(bounds.deadline)
    foreign: bool = router_markets._check_known(market)
    oracle: address = empty(address)
    threshold: uint256 = 0
    oracle, threshold = lrt_exit._check_market(market)
    assert collateral_out > 0, "router: nothing to do"
    collateral_delta: int256 = -convert(collateral_out, int256)
    debt_delta: int256 = -convert(min(repay, MOST), int256)
    # As in `open`.
    if len(grants.authorization.signature) != 0:
        signed_grants._authorize(
            market, foreign, collateral_delta, debt_delta, grants.authorization
        )
    # What is sold as a whole goes straight to where it is sold.
    seat: address = lrt_exit._seat(route) if sold == collateral_out else self
    collateral: uint256 = 0
    debt: uint256 = 0
    collateral, debt = self._adjust(
        market, collateral_delta, debt_delta, seat, abi_encode(sold, route)
    )
    repaid: uint256 = self._repaid
    self._repaid = 0
    paid_out: uint256 = self._left
    self._left = 0
    assert paid_out >= bounds.min_out, "router: too little out"
    token._push(lrt_entry.WETH, msg.sender, paid_out)
    request_id: uint256 = 0
    if sold < collateral_out:
        request_id = self._queue(market, collateral_out - sold)
    if grants.revoke:
        signed_grants._revoke(market, foreign, grants.revocation)
    router_bounds._check(oracle, threshold, collateral, debt, bounds)
    log ILeverageRouter.Closed(
        market=market,
        owner=msg.sender,
        collateral_out=collateral_out,
        repaid=repaid,
        paid_out=paid_out,
        collateral=collateral,
        debt=debt,
    )
    return request_id, paid_out, collateral, debt


@internal
def _queue(market: address, shares: uint256) -> uint256:
    """@notice Ask LRT back in the caller's name. @return The request's id."""
    queue: address = staticcall ILRTVault(lrt_entry.LRT).queue()
    token._approve(lrt_entry.LRT, queue, shares)
    request_id: uint256 = extcall IWithdrawalQueue(queue).requestRedeem(shares, msg.sender, self)
    log ILeverageRouter.Queued(
        market=market, owner=msg.sender, request_id=request_id, shares=shares
    )
    return request_id


@internal
def _sell(
    collateral_out: uint256, sold: uint256, route: IRoute.Route, owner: address, repaid: uint256
) -> uint256:
    """
    @notice Sell LRT for at least what the market takes as repayment, and send it that.
    @return WETH that is left.
    """
    received: uint256 = 0
    if sold == collateral_out:
        received = lrt_exit._sell_seated(sold, lrt_exit._seat(route), owner)
    elif sold != 0:
        received = lrt_exit._sell(sold, route, owner)
    assert received >= repaid, "router: sale below repayment"
    token._push(lrt_entry.WETH, msg.sender, repaid)
    return received - repaid


@internal
def _take_over(source: address, owner: address, collateral: uint256, borrowed: uint256):
    """@notice Repay the debt at the source with what the target lent, for the collateral there."""
    if borrowed != 0:
        token._approve(lrt_entry.WETH, source, borrowed)
    extcall IVenue(source).adjust(
        owner, -convert(collateral, int256), -convert(borrowed, int256), msg.sender, b""
    )


@payable
@internal
def _take(
    token_in: address, amount: uint256, seat: address, permit: IGrants.Signed
) -> (uint256, uint256, uint256):
    """
    @notice Pull the caller's input. @param seat Where WETH is to lie.
    @return What it is: as WETH, as wstETH or as LRT.
    """
    if token_in == empty(address):
        assert msg.value == amount, "router: ether sent is not amount"
        if amount != 0:
            extcall IWETH(lrt_entry.WETH).deposit(value=amount)
            if seat != self:
                token._push(lrt_entry.WETH, seat, amount)
        return amount, 0, 0
    assert msg.value == 0, "router: ether with a token"
    from_lrt: bool = token_in == lrt_entry.LRT
    known: bool = from_lrt or lrt_entry._is_input(token_in)
    assert known, "router: token not accepted"
    if amount == 0:
        return 0, 0, 0
    signed_grants._permit(token_in, amount, permit)
    if from_lrt:
        token._pull(token_in, msg.sender, amount)
        return 0, 0, amount
    if token_in == lrt_entry.WETH:
        token._move(token_in, msg.sender, seat, amount)
        return amount, 0, 0
    return 0, lrt_entry._to_lst(token_in, msg.sender, amount), 0
