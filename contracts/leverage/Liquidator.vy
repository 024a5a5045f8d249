# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Liquidator
@custom:contract-name Liquidator
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Liquidates with no capital of its own: the market hands the collateral over first, it is sold,
        the debt repaid, and the profit goes to the caller.
@dev Only markets of LRT and WETH that are or were listed. The callback is answered only while the liquidator's own
     call to that market runs. Between calls it holds nothing; what is sent here by mistake is paid to
     nobody.
"""
from ..interfaces import ILendingMarket
from ..interfaces import ILiquidateCallback
from ..interfaces import ILiquidator
from ..interfaces import IMarketFactory
from ..interfaces import IRoute
from ..modules import lrt_entry
from ..modules import lrt_exit
from ..modules import token

initializes: lrt_entry
initializes: lrt_exit[lrt_entry := lrt_entry]

implements: ILiquidator
implements: ILiquidateCallback

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


@external
def liquidate(
    market: address, owner: address, max_repay: uint256, route: IRoute.Route, min_profit: uint256
) -> uint256:
    """@notice See `ILiquidator`."""
    known: bool = staticcall IMarketFactory(FACTORY).was_listed(market)
    assert known, "liquidator: never listed"
    lrt_exit._check_market(market)
    before: uint256 = token._balance(lrt_entry.WETH, self)
    repaid: uint256 = 0
    seized: uint256 = 0
    self._active_market = market
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
@reentrant
def on_liquidate(owner: address, repaid: uint256, seized: uint256, data: Bytes[1024]):
    """@notice Sell what was seized; the market pulls the repayment after this."""
    assert msg.sender == self._active_market, "liquidator: not active market"
    route: IRoute.Route = empty(IRoute.Route)
    caller: address = empty(address)
    route, caller = abi_decode(data, (IRoute.Route, address))
    received: uint256 = lrt_exit._sell(seized, route, caller)
    assert received >= repaid, "liquidator: sale below repayment"
    token._approve(lrt_entry.WETH, msg.sender, repaid)
