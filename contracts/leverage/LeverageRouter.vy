# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title LeverageRouter
@custom:contract-name LeverageRouter
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Opens, raises, lowers and closes a leveraged position in one transaction, for its caller only.
@dev No target comes from the caller but a market that is listed, or was when it comes to closing. The market's callback is answered only while
     the router's own call to that market runs. The bounds are checked at the end of every call,
     whatever came before. Between calls the router holds no token, allowance or debt; what someone
     sends it by mistake is paid to nobody, since only differences of balances are used.
"""
from ..interfaces import IAdjustCallback
from ..interfaces import ILendingMarket
from ..interfaces import ILeverageRouter
from ..interfaces import IMarketFactory
from ..interfaces import IRoute
from ..modules import lrt_entry
from ..modules import lrt_exit
from ..modules import token

initializes: lrt_entry
initializes: lrt_exit[lrt_entry := lrt_entry]

implements: ILeverageRouter
implements: IAdjustCallback

exports: (
    lrt_entry.LRT,
    lrt_entry.LST,
    lrt_entry.STETH,
    lrt_entry.WETH,
    lrt_exit.STABLE_SWAP,
    lrt_exit.SWAP,
)


FACTORY: public(immutable(address))

# The market that the running call has entered.
_active_market: transient(address)


@deploy
def __init__(
    factory: address, lrt: address, lst: address, weth: address, swap: address, stable_swap: address
):
    FACTORY = factory
    lrt_entry.__init__(lrt, lst, weth)
    lrt_exit.__init__(swap, stable_swap)


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
) -> (uint256, uint256):
    """@notice See `ILeverageRouter`."""
    listed: bool = staticcall IMarketFactory(FACTORY).is_listed(market)
    assert listed, "router: market not listed"
    self._enter(market, bounds.deadline)
    assert amount_in + borrow > 0, "router: nothing to do"
    lst_in: uint256 = 0
    lrt_in: uint256 = 0
    lst_in, lrt_in = self._take(token_in, amount_in)
    collateral: uint256 = 0
    debt: uint256 = 0
    collateral, debt = extcall ILendingMarket(market).adjust(
        msg.sender, 0, convert(borrow, int256), self, abi_encode(lst_in, lrt_in)
    )
    self._leave(collateral, debt, bounds)
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
) -> (uint256, uint256, uint256):
    """@notice See `ILeverageRouter`."""
    known: bool = staticcall IMarketFactory(FACTORY).was_listed(market)
    assert known, "router: market never listed"
    self._enter(market, bounds.deadline)
    assert collateral_out > 0, "router: nothing to do"
    before: uint256 = token._balance(lrt_entry.WETH, self)
    collateral: uint256 = 0
    debt: uint256 = 0
    debt_before: uint256 = 0
    collateral, debt_before = staticcall ILendingMarket(market).position(msg.sender)
    repaid: uint256 = min(repay, debt_before)
    collateral, debt = extcall ILendingMarket(market).adjust(
        msg.sender,
        -convert(collateral_out, int256),
        -convert(repaid, int256),
        self,
        abi_encode(collateral_out, route),
    )
    after: uint256 = token._balance(lrt_entry.WETH, self)
    paid_out: uint256 = after - before
    assert paid_out >= bounds.min_out, "router: too little out"
    token._push(lrt_entry.WETH, msg.sender, paid_out)
    self._leave(collateral, debt, bounds)
    log ILeverageRouter.Closed(
        market=market,
        owner=msg.sender,
        collateral_out=collateral_out,
        repaid=repaid,
        paid_out=paid_out,
        collateral=collateral,
        debt=debt,
    )
    return paid_out, collateral, debt


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
        received: uint256 = lrt_exit._sell(sold, route, owner)
        repaid: uint256 = convert(-debt_delta, uint256)
        assert received >= repaid, "router: sale below repayment"
        token._approve(lrt_entry.WETH, msg.sender, repaid)
        return 0
    lst_in: uint256 = 0
    lrt_in: uint256 = 0
    lst_in, lrt_in = abi_decode(data, (uint256, uint256))
    staked: uint256 = lrt_entry._stake_weth(convert(debt_delta, uint256))
    minted: uint256 = lrt_entry._deposit(lst_in + staked, self)
    token._approve(lrt_entry.LRT, msg.sender, lrt_in + minted)
    return lrt_in + minted


@internal
def _enter(market: address, deadline: uint256):
    assert block.timestamp <= deadline, "router: deadline passed"
    lrt_exit._check_market(market)
    self._active_market = market


@internal
def _leave(collateral: uint256, debt: uint256, bounds: ILeverageRouter.Bounds):
    self._active_market = empty(address)
    assert collateral >= bounds.min_collateral, "router: collateral below bound"
    assert debt <= bounds.max_debt, "router: debt above bound"


@payable
@internal
def _take(token_in: address, amount: uint256) -> (uint256, uint256):
    """@notice Pull the caller's input. @return What it is as wstETH, or as LRT."""
    if token_in == empty(address):
        assert msg.value == amount, "router: ether sent is not amount"
    else:
        assert msg.value == 0, "router: ether with a token"
    from_lrt: bool = token_in == lrt_entry.LRT
    known: bool = from_lrt or lrt_entry._is_input(token_in)
    assert known, "router: token not accepted"
    if amount == 0:
        return 0, 0
    if from_lrt:
        token._pull(token_in, msg.sender, amount)
        return 0, amount
    return lrt_entry._to_lst(token_in, msg.sender, amount), 0
