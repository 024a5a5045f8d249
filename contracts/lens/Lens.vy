# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Lens
@custom:contract-name Lens
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The whole state in one call and in plain units: what scripts, keepers and tests read.
@dev Prices are loan units per collateral unit scaled by 1e36, rates, ratios and health WAD, amounts in
     the tokens' own units. A health without debt is 2**256 - 1. What may revert (a price while the
     feed is stale, a live rate while an adapter cannot be read) is answered by 0.
"""
from ethereum.ercs import IERC20
from ethereum.ercs import IERC4626

from ..interfaces import ILendingMarket
from ..interfaces import ILRTVault
from ..interfaces import IOracleAdapter
from ..interfaces import IWithdrawalQueue


struct AdapterView:
    adapter: address
    booked: uint256
    cap: uint256
    staked: uint256
    exiting: uint256
    at_risk: uint256
    exit_delay: uint256


struct VaultView:
    rate: uint256
    live_rate: uint256
    total_assets: uint256
    total_supply: uint256
    idle: uint256
    locked_profit: uint256
    # Shares that wait in the withdrawal queue, and assets that it holds for claims.
    queued_shares: uint256
    set_aside: uint256
    adapters: DynArray[AdapterView, 8]


struct OracleView:
    fundamental: uint256
    market: uint256
    feed_usable: bool
    smoothed_market: uint256
    discount: uint256
    growth_cap: uint256
    # What risk-increasing actions get now; 0 when they would be refused.
    borrow_price: uint256


struct MarketView:
    state: ILendingMarket.State
    caps: ILendingMarket.Caps
    cash: uint256
    utilisation: uint256
    borrow_rate: uint256
    # Loan units held by the market, and collateral units: for checks of solvency, never for prices.
    loan_held: uint256
    collateral_held: uint256
    protocol_shares: uint256


struct PositionView:
    owner: address
    collateral: uint256
    debt: uint256
    # Collateral at the booked fundamental price.
    worth: uint256
    ltv: uint256
    # worth * threshold / debt at the booked fundamental price, and at the smoothed market price.
    health: uint256
    market_health: uint256
    liquidatable: bool
    # Least fundamental price at which the position is healthy.
    liquidation_price: uint256


struct Snapshot:
    time: uint256
    block: uint256
    vault: VaultView
    oracle: OracleView
    market: MarketView
    positions: DynArray[PositionView, 64]


WAD: constant(uint256) = 10**18
PRICE_SCALE: constant(uint256) = 10**36
MAX_POSITIONS: constant(uint256) = 64


@view
@external
def snapshot(market: address, owners: DynArray[address, MAX_POSITIONS]) -> Snapshot:
    """@notice Vault, oracle, market and the positions of `owners`, all of one block."""
    terms: ILendingMarket.Terms = staticcall ILendingMarket(market).terms()
    positions: DynArray[PositionView, MAX_POSITIONS] = []
    for owner: address in owners:
        positions.append(self._position(market, terms, owner))
    return Snapshot(
        time=block.timestamp,
        block=block.number,
        vault=self._vault(terms.collateral),
        oracle=self._oracle(terms.oracle),
        market=self._market(market, terms),
        positions=positions,
    )


@view
@external
def vault(lrt: address) -> VaultView:
    """@notice The vault and each of its adapters."""
    return self._vault(lrt)


@view
@external
def oracle(adapter: address) -> OracleView:
    """@notice Both prices of an oracle adapter and what binds them."""
    return self._oracle(adapter)


@view
@external
def market(market_: address) -> MarketView:
    """@notice Totals, caps and rates of a market."""
    terms: ILendingMarket.Terms = staticcall ILendingMarket(market_).terms()
    return self._market(market_, terms)


@view
@external
def position(market_: address, owner: address) -> PositionView:
    """@notice One position with its health."""
    terms: ILendingMarket.Terms = staticcall ILendingMarket(market_).terms()
    return self._position(market_, terms, owner)


@view
@internal
def _vault(lrt: address) -> VaultView:
    adapters: DynArray[AdapterView, 8] = []
    count: uint256 = staticcall ILRTVault(lrt).adapter_count()
    for i: uint256 in range(count, bound=8):
        adapter: address = staticcall ILRTVault(lrt).adapter_at(i)
        cap: uint256 = 0
        share_cap: uint256 = 0
        cap, share_cap = staticcall ILRTVault(lrt).adapter_caps(adapter)
        adapters.append(
            AdapterView(
                adapter=adapter,
                booked=staticcall ILRTVault(lrt).booked(adapter),
                cap=cap,
                staked=self._or_zero(adapter, method_id("staked()")),
                exiting=self._or_zero(adapter, method_id("exiting()")),
                at_risk=self._or_zero(adapter, method_id("value_at_risk()")),
                exit_delay=self._or_zero(adapter, method_id("exit_delay()")),
            )
        )
    set_aside: uint256 = 0
    queue: address = staticcall ILRTVault(lrt).queue()
    if queue != empty(address):
        set_aside = staticcall IWithdrawalQueue(queue).set_aside()
    return VaultView(
        rate=staticcall ILRTVault(lrt).rate(),
        live_rate=self._or_zero(lrt, method_id("live_rate()")),
        total_assets=staticcall IERC4626(lrt).totalAssets(),
        total_supply=staticcall IERC20(lrt).totalSupply(),
        idle=staticcall ILRTVault(lrt).idle(),
        locked_profit=staticcall ILRTVault(lrt).locked_profit(),
        queued_shares=staticcall ILRTVault(lrt).queued_shares(),
        set_aside=set_aside,
        adapters=adapters,
    )


@view
@internal
def _oracle(adapter: address) -> OracleView:
    fundamental: uint256 = 0
    smoothed: uint256 = 0
    usable: bool = False
    market_price: uint256 = 0
    fundamental, smoothed, usable = staticcall IOracleAdapter(adapter).liquidation_prices()
    market_price, usable = staticcall IOracleAdapter(adapter).market_price()
    return OracleView(
        fundamental=fundamental,
        market=market_price,
        feed_usable=usable,
        smoothed_market=smoothed,
        discount=staticcall IOracleAdapter(adapter).discount(),
        growth_cap=staticcall IOracleAdapter(adapter).growth_cap(),
        borrow_price=self._or_zero(adapter, method_id("price()")),
    )


@view
@internal
def _market(market_: address, terms: ILendingMarket.Terms) -> MarketView:
    state: ILendingMarket.State = staticcall ILendingMarket(market_).state()
    used: uint256 = 0
    if state.supply_assets > 0:
        used = state.borrow_assets * WAD // state.supply_assets
    return MarketView(
        state=state,
        caps=staticcall ILendingMarket(market_).caps(),
        cash=state.supply_assets - state.borrow_assets,
        utilisation=used,
        borrow_rate=staticcall ILendingMarket(market_).borrow_rate(),
        loan_held=staticcall IERC20(terms.loan).balanceOf(market_),
        collateral_held=staticcall IERC20(terms.collateral).balanceOf(market_),
        protocol_shares=staticcall IERC20(market_).balanceOf(market_),
    )


@view
@internal
def _position(market_: address, terms: ILendingMarket.Terms, owner: address) -> PositionView:
    collateral: uint256 = 0
    debt: uint256 = 0
    collateral, debt = staticcall ILendingMarket(market_).position(owner)
    fundamental: uint256 = 0
    smoothed: uint256 = 0
    usable: bool = False
    fundamental, smoothed, usable = staticcall IOracleAdapter(terms.oracle).liquidation_prices()
    worth: uint256 = collateral * fundamental // PRICE_SCALE
    market_worth: uint256 = collateral * smoothed // PRICE_SCALE
    liquidation_price: uint256 = 0
    if collateral > 0:
        # The least worth that is healthy, and the least price that gives it.
        needed: uint256 = (debt * WAD + terms.threshold - 1) // terms.threshold
        liquidation_price = (needed * PRICE_SCALE + collateral - 1) // collateral
    return PositionView(
        owner=owner,
        collateral=collateral,
        debt=debt,
        worth=worth,
        ltv=debt * WAD // worth if worth > 0 else 0,
        health=self._health(debt, worth, terms.threshold),
        market_health=self._health(debt, market_worth, terms.threshold),
        liquidatable=debt * WAD > worth * terms.threshold,
        liquidation_price=liquidation_price,
    )


@pure
@internal
def _health(debt: uint256, worth: uint256, threshold: uint256) -> uint256:
    if debt == 0:
        return max_value(uint256)
    return worth * threshold // debt


@view
@internal
def _or_zero(target: address, call: Bytes[4]) -> uint256:
    """@return The word that `target` answers, or 0 where it reverts."""
    ok: bool = False
    data: Bytes[32] = b""
    ok, data = raw_call(
        target, call, max_outsize=32, is_static_call=True, revert_on_failure=False
    )
    return convert(data, uint256) if ok and len(data) == 32 else 0
