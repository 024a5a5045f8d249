# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Liquidator
@custom:contract-name Liquidator
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Liquidates with no capital of its own: the market hands the collateral over first, it is sold,
        the debt repaid, and the profit goes to the caller.
@dev Only markets of LRT and WETH that are or were listed. The callback is answered only while the
     liquidator's own call to that market runs, and none that loses money ends well. Between calls it
     holds nothing; what is sent here by mistake is paid to nobody.
"""
from ..interfaces import ILendingMarket
from ..interfaces import ILiquidateCallback
from ..interfaces import ILiquidator
from ..interfaces import IMarketFactory
from ..interfaces import IRoute
from ..modules import best_exit
from ..modules import lrt_entry
from ..modules import lrt_exit
from ..modules import token

initializes: lrt_entry
initializes: lrt_exit[lrt_entry := lrt_entry]
initializes: best_exit[lrt_entry := lrt_entry, lrt_exit := lrt_exit]

implements: ILiquidator
implements: ILiquidateCallback

exports: (
    best_exit.BACKSTOP,
    best_exit.try_sale,
    lrt_entry.LRT,
    lrt_entry.LST,
    lrt_entry.STETH,
    lrt_entry.WETH,
    lrt_exit.STABLE_SWAP,
    lrt_exit.SWAP,
)


MAX_OWNERS: constant(uint256) = 64
LIQUIDATE: constant(bytes4) = method_id(
    "liquidate(address,uint256,uint256,bytes)", output_type=bytes4
)

FACTORY: public(immutable(address))

# The market that the running call has entered, and what it has handed over while that is sold.
_active_market: transient(address)
_seized: transient(uint256)


@deploy
def __init__(
    factory: address,
    lrt: address,
    lst: address,
    weth: address,
    swap: address,
    stable_swap: address,
    backstop: address,
):
    """@param backstop The zero address for none."""
    FACTORY = factory
    lrt_entry.__init__(lrt, lst, weth)
    lrt_exit.__init__(swap, stable_swap)
    best_exit.__init__(backstop)


@external
def liquidate(
    market: address, owner: address, max_repay: uint256, route: IRoute.Route, min_profit: uint256
) -> uint256:
    """@notice See `ILiquidator`."""
    self._enter(market)
    before: uint256 = token._balance(lrt_entry.WETH, self)
    repaid: uint256 = 0
    seized: uint256 = 0
    repaid, seized = extcall ILendingMarket(market).liquidate(
        owner, max_repay, 0, abi_encode(route, msg.sender)
    )
    self._active_market = empty(address)
    after: uint256 = token._balance(lrt_entry.WETH, self)
    profit: uint256 = after - before
    assert profit >= min_profit, "liquidator: profit too small"
    token._push(lrt_entry.WETH, msg.sender, profit)
    log ILiquidator.LiquidatedFor(
        market=market,
        owner=owner,
        caller=msg.sender,
        repaid=repaid,
        seized=seized,
        profit=profit,
    )
    return profit


@external
def liquidate_many(
    market: address,
    owners: DynArray[address, MAX_OWNERS],
    route: IRoute.Route,
    min_profit: uint256,
) -> uint256:
    """@notice See `ILiquidator`."""
    self._enter(market)
    before: uint256 = token._balance(lrt_entry.WETH, self)
    for owner: address in owners:
        self._attempt(market, owner, route)
    self._active_market = empty(address)
    after: uint256 = token._balance(lrt_entry.WETH, self)
    profit: uint256 = after - before
    assert profit >= min_profit, "liquidator: profit too small"
    token._push(lrt_entry.WETH, msg.sender, profit)
    return profit


@external
@reentrant
def on_liquidate(owner: address, repaid: uint256, seized: uint256, data: Bytes[1024]):
    """@notice Sell what was seized, and send the market its repayment."""
    assert msg.sender == self._active_market, "liquidator: not active market"
    route: IRoute.Route = empty(IRoute.Route)
    caller: address = empty(address)
    route, caller = abi_decode(data, (IRoute.Route, address))
    self._seized = seized
    received: uint256 = best_exit._sell(seized, route, caller)
    self._seized = 0
    assert received >= repaid, "liquidator: sale below repayment"
    token._push(lrt_entry.WETH, msg.sender, repaid)


@view
@external
@reentrant
def seizing() -> (address, uint256):
    """@notice See `ILiquidator`."""
    return self._active_market, self._seized


@internal
def _enter(market: address):
    """@notice From here on the market may call back."""
    known: bool = staticcall IMarketFactory(FACTORY).was_listed(market)
    assert known, "liquidator: never listed"
    lrt_exit._check_market(market)
    self._active_market = market


@internal
def _attempt(market: address, owner: address, route: IRoute.Route):
    """
    @notice Liquidate as much of a position as can be, or leave everything as it was.
    @dev The market's call is whole or not at all. A failure is passed over only where it cannot be for
         want of gas, see `best_exit`: its own refusals leave a quarter more.
    """
    gas_before: uint256 = msg.gas
    before: uint256 = token._balance(lrt_entry.WETH, self)
    success: bool = False
    answer: Bytes[64] = b""
    success, answer = raw_call(
        market,
        abi_encode(
            owner,
            max_value(uint256),
            empty(uint256),
            abi_encode(route, msg.sender),
            method_id=LIQUIDATE,
        ),
        max_outsize=64,
        revert_on_failure=False,
    )
    if not success:
        assert msg.gas > gas_before // 2 + best_exit.GAS_KEPT, "liquidator: too little gas"
        return
    after: uint256 = token._balance(lrt_entry.WETH, self)
    repaid: uint256 = 0
    seized: uint256 = 0
    repaid, seized = abi_decode(answer, (uint256, uint256))
    log ILiquidator.LiquidatedFor(
        market=market,
        owner=owner,
        caller=msg.sender,
        repaid=repaid,
        seized=seized,
        profit=after - before,
    )
