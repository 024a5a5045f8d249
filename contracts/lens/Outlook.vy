# pragma version 0.4.3
"""
@title Outlook
@custom:contract-name Outlook
@license GNU Affero General Public License v3.0 only
@author Relever
@notice What a position is worth and owes, what would be done to it, and what time does to it; see
        `IOutlook`.
@dev Views alone: it has no storage and so no lock.
"""
from ethereum.ercs import IERC20

from ..interfaces import ILendingMarket
from ..interfaces import ILRTVault
from ..interfaces import IOutlook
from ..interfaces import IWithdrawalQueue
from ..modules import carry_forecast
from ..modules import exit_time
from ..modules import oracle_after
from ..modules import position_quote
from ..modules import vault_shares

implements: IOutlook


# What the interfaces of these do not have.
interface LiveVault:
    def live_total_assets(leaving: bool) -> uint256: view


interface Queue:
    def wait() -> uint256: view


WAD: constant(uint256) = 10**18


@pure
@external
def ltv_of(leverage: uint256) -> uint256:
    """@notice See `IOutlook`."""
    return position_quote._ltv_of(leverage)


@pure
@external
def leverage_of(ltv: uint256) -> uint256:
    """@notice See `IOutlook`."""
    return position_quote._leverage_of(ltv)


@view
@external
def position(market: address, owner: address) -> IOutlook.Position:
    """@notice See `IOutlook`."""
    terms: ILendingMarket.Terms = staticcall ILendingMarket(market).terms()
    collateral: uint256 = 0
    debt: uint256 = 0
    collateral, debt = staticcall ILendingMarket(market).position(owner)
    return position_quote._view(terms, collateral, debt, oracle_after._now(terms.oracle))


@view
@external
def carry(market: address, owner: address) -> IOutlook.Carry:
    """@notice See `IOutlook`."""
    terms: ILendingMarket.Terms = staticcall ILendingMarket(market).terms()
    collateral: uint256 = 0
    debt: uint256 = 0
    collateral, debt = staticcall ILendingMarket(market).position(owner)
    prices: oracle_after.Prices = oracle_after._now(terms.oracle)
    worth: uint256 = position_quote._view(terms, collateral, debt, prices).worth
    rate: uint256 = staticcall ILendingMarket(market).borrow_rate()
    collateral_yield: int256 = 0
    measured: uint256 = 0
    collateral_yield, measured = carry_forecast._yield_since_checkpoint(terms.oracle)
    earned: int256 = carry_forecast._yearly(worth, collateral_yield)
    net: int256 = earned - carry_forecast._yearly(debt, convert(rate, int256))
    on_equity: int256 = 0
    if worth > debt:
        on_equity = net * convert(WAD, int256) // convert(worth - debt, int256)
    return IOutlook.Carry(
        borrow_rate=rate,
        collateral_yield=collateral_yield,
        measured=measured,
        net=net,
        net_on_equity=on_equity,
        seconds_to_liquidation=carry_forecast._seconds_left(
            market, terms, owner, prices.fundamental, collateral_yield
        ),
    )


@view
@external
def seconds_to_liquidation(market: address, owner: address, collateral_yield: int256) -> uint256:
    """@notice See `IOutlook`."""
    terms: ILendingMarket.Terms = staticcall ILendingMarket(market).terms()
    price: uint256 = oracle_after._now(terms.oracle).fundamental
    return carry_forecast._seconds_left(market, terms, owner, price, collateral_yield)


@view
@external
def queue_exit(lrt: address, amount: uint256) -> (uint256, uint256):
    """@notice See `IOutlook`."""
    total: uint256 = staticcall LiveVault(lrt).live_total_assets(True)
    supply: uint256 = staticcall IERC20(lrt).totalSupply()
    queue: address = staticcall ILRTVault(lrt).queue()
    waiting: uint256 = staticcall ILRTVault(lrt).queued_shares()
    head: uint256 = staticcall IWithdrawalQueue(queue).head()
    oldest: IWithdrawalQueue.Request = staticcall IWithdrawalQueue(queue).request(head)
    oldest_at: uint256 = oldest.requested_at if oldest.shares != 0 else block.timestamp
    needed: uint256 = vault_shares._to_assets_up(waiting + amount, total, supply)
    time: uint256 = exit_time._seconds_until(lrt, queue, needed, oldest_at)
    wait: uint256 = staticcall Queue(queue).wait()
    return vault_shares._to_assets_down(amount, total, supply), max(time, wait)
