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
     feed is stale, a live rate while an adapter cannot be read) is answered by 0. It is longer than
     other contracts, for it is structs and a read for each of their fields, and nothing else.
"""
from ethereum.ercs import IERC20
from ethereum.ercs import IERC4626

from ..interfaces import IAggregatorV3
from ..interfaces import IFeedReplacement
from ..interfaces import ILendingMarket
from ..interfaces import ILRTVault
from ..interfaces import IOracleAdapter
from ..interfaces import ISidePocket
from ..interfaces import IWithdrawalQueue
from ..modules import exit_time as exits


struct AdapterView:
    adapter: address
    booked: uint256
    # After slashing; and of that, what is on its way out, and what visible slashes would take.
    live: uint256
    exiting: uint256
    at_risk: uint256
    # The caps in asset units and as a part of idle and staked assets.
    cap: uint256
    share_cap: uint256
    exit_delay: uint256
    # Under quarantine, and what is still expected of it then.
    quarantined: bool
    expected: uint256


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
    # Losses that no gain has made up for yet: gains are free of the performance fee until then.
    unrecovered_loss: uint256
    deposit_cap: uint256
    # Of the last pause.
    paused_until: uint256
    # In their order, those under quarantine last.
    adapters: DynArray[AdapterView, MAX_ADAPTERS]


struct RequestView:
    id: uint256
    controller: address
    # Requests before it that wait, and their shares.
    ahead: uint256
    shares_ahead: uint256
    # Shares that wait, and what they would be paid now.
    shares: uint256
    worth: uint256
    # Assets that can be claimed.
    claimable: uint256
    # Seconds until it can be paid if everyone acts as soon as he may and nothing is slashed: none if
    # idle assets reach it, the longest exit of what is leaving if that does too, or else the longest
    # exit of all after the rest of the queue's patience.
    expected_seconds: uint256


struct OracleView:
    fundamental: uint256
    market: uint256
    feed_usable: bool
    smoothed_market: uint256
    discount: uint256
    growth_cap: uint256
    # What risk-increasing actions get now; 0 when they would be refused.
    borrow_price: uint256
    # Whether the supply of the LRT grows slowly enough for new collateral.
    supply_accepted: bool


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
    # When borrowing may begin again after a large write-off; 0 when it may.
    halted_until: uint256


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
    # Healthy, but not at the smoothed market price, at which the collateral still pays for debt and
    # base bonus: a part can be deleveraged, unless the hour's share is used up.
    deleverageable: bool
    # Least fundamental price at which the position is healthy.
    liquidation_price: uint256


struct Snapshot:
    time: uint256
    block: uint256
    vault: VaultView
    oracle: OracleView
    market: MarketView
    positions: DynArray[PositionView, 64]


# The oracle's liquidation prices.
struct Prices:
    fundamental: uint256
    smoothed: uint256
    usable: bool


# What an adapter can tell of itself now.
struct AdapterState:
    live: uint256
    exiting: uint256
    at_risk: uint256


struct Watch:
    time: uint256
    block: uint256
    # In the vault's order, and the side pocket's after them.
    adapters: DynArray[AdapterState, MAX_ADAPTERS]
    prices: Prices
    # What the feed in use said last and when, whatever the oracle thinks of it.
    answer: int256
    answered_at: uint256
    # Totals with interest until now, and what each owner owes.
    state: ILendingMarket.State
    debts: DynArray[uint256, MAX_POSITIONS]


WAD: constant(uint256) = 10**18
PRICE_SCALE: constant(uint256) = 10**36
MAX_POSITIONS: constant(uint256) = 64
# The bounds of the vault's list, and of that and the side pocket's together.
MAX_LISTED: constant(uint256) = exits.MAX_LISTED
MAX_QUARANTINED: constant(uint256) = 16
MAX_ADAPTERS: constant(uint256) = MAX_LISTED + MAX_QUARANTINED
MAX_REQUESTS: constant(uint256) = 64
# Requests of the line that are looked at.
MAX_LINE: constant(uint256) = 4096


@view
@external
def snapshot(market: address, owners: DynArray[address, MAX_POSITIONS]) -> Snapshot:
    """@notice Vault, oracle, market and the positions of `owners`, all of one block."""
    terms: ILendingMarket.Terms = staticcall ILendingMarket(market).terms()
    prices: Prices = self._prices(terms.oracle)
    positions: DynArray[PositionView, MAX_POSITIONS] = []
    for owner: address in owners:
        positions.append(self._position(market, terms, prices, owner))
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
def watch(market: address, owners: DynArray[address, MAX_POSITIONS]) -> Watch:
    """
    @notice What the storage of vault, oracle and market does not tell by itself, for who reads that
            too: a third of what `snapshot` costs. Reverts when the feed does not answer.
    """
    terms: ILendingMarket.Terms = staticcall ILendingMarket(market).terms()
    adapters: DynArray[AdapterState, MAX_ADAPTERS] = []
    listed: DynArray[address, MAX_LISTED] = exits._listed(terms.collateral)
    for adapter: address in listed:
        adapters.append(self._state(adapter))
    quarantined: DynArray[address, MAX_QUARANTINED] = self._quarantined(terms.collateral)
    for adapter: address in quarantined:
        adapters.append(self._state(adapter))
    debts: DynArray[uint256, MAX_POSITIONS] = []
    for owner: address in owners:
        collateral: uint256 = 0
        debt: uint256 = 0
        collateral, debt = staticcall ILendingMarket(market).position(owner)
        debts.append(debt)
    feeds: IFeedReplacement.Feeds = staticcall IFeedReplacement(terms.oracle).feeds()
    round: uint80 = 0
    answer: int256 = 0
    started_at: uint256 = 0
    answered_at: uint256 = 0
    answered_in: uint80 = 0
    round, answer, started_at, answered_at, answered_in = (
        staticcall IAggregatorV3(feeds.feed).latestRoundData()
    )
    return Watch(
        time=block.timestamp,
        block=block.number,
        adapters=adapters,
        prices=self._prices(terms.oracle),
        answer=answer,
        answered_at=answered_at,
        state=staticcall ILendingMarket(market).state(),
        debts=debts,
    )


@view
@external
def vault(lrt: address) -> VaultView:
    """@notice The vault and each of its adapters."""
    return self._vault(lrt)


@view
@external
def requests(lrt: address, ids: DynArray[uint256, MAX_REQUESTS]) -> DynArray[RequestView, 64]:
    """@notice Where requests of a vault's queue stand."""
    queue: address = staticcall ILRTVault(lrt).queue()
    views: DynArray[RequestView, MAX_REQUESTS] = []
    for id: uint256 in ids:
        views.append(self._request(lrt, queue, id))
    return views


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
    return self._position(market_, terms, self._prices(terms.oracle), owner)


@view
@internal
def _vault(lrt: address) -> VaultView:
    adapters: DynArray[AdapterView, MAX_ADAPTERS] = []
    listed: DynArray[address, MAX_LISTED] = exits._listed(lrt)
    for adapter: address in listed:
        adapters.append(self._adapter(lrt, adapter, empty(address)))
    set_aside: uint256 = 0
    queue: address = staticcall ILRTVault(lrt).queue()
    if queue != empty(address):
        set_aside = staticcall IWithdrawalQueue(queue).set_aside()
        pocket: address = staticcall ILRTVault(lrt).side_pocket()
        quarantined: DynArray[address, MAX_QUARANTINED] = self._quarantined(lrt)
        for adapter: address in quarantined:
            adapters.append(self._adapter(lrt, adapter, pocket))
    return VaultView(
        rate=staticcall ILRTVault(lrt).rate(),
        live_rate=exits._or_zero(lrt, method_id("live_rate()")),
        total_assets=staticcall IERC4626(lrt).totalAssets(),
        total_supply=staticcall IERC20(lrt).totalSupply(),
        idle=staticcall ILRTVault(lrt).idle(),
        locked_profit=staticcall ILRTVault(lrt).locked_profit(),
        queued_shares=staticcall ILRTVault(lrt).queued_shares(),
        set_aside=set_aside,
        unrecovered_loss=staticcall ILRTVault(lrt).unrecovered_loss(),
        deposit_cap=staticcall ILRTVault(lrt).deposit_cap(),
        paused_until=staticcall ILRTVault(lrt).paused_until(),
        adapters=adapters,
    )


@view
@internal
def _quarantined(lrt: address) -> DynArray[address, MAX_QUARANTINED]:
    found: DynArray[address, MAX_QUARANTINED] = []
    pocket: address = staticcall ILRTVault(lrt).side_pocket()
    if pocket == empty(address):
        return found
    count: uint256 = staticcall ISidePocket(pocket).adapter_count()
    for i: uint256 in range(count, bound=MAX_QUARANTINED):
        found.append(staticcall ISidePocket(pocket).adapter_at(i))
    return found


@view
@internal
def _state(adapter: address) -> AdapterState:
    return AdapterState(
        live=exits._or_zero(adapter, method_id("total_assets()")),
        exiting=exits._or_zero(adapter, method_id("exiting()")),
        at_risk=exits._or_zero(adapter, method_id("value_at_risk()")),
    )


@view
@internal
def _adapter(lrt: address, adapter: address, pocket: address) -> AdapterView:
    """@param pocket The side pocket, for an adapter under quarantine."""
    cap: uint256 = 0
    share_cap: uint256 = 0
    cap, share_cap = staticcall ILRTVault(lrt).adapter_caps(adapter)
    expected: uint256 = 0
    if pocket != empty(address):
        expected = staticcall ISidePocket(pocket).expected_of(adapter)
    state: AdapterState = self._state(adapter)
    return AdapterView(
        adapter=adapter,
        booked=staticcall ILRTVault(lrt).booked(adapter),
        live=state.live,
        exiting=state.exiting,
        at_risk=state.at_risk,
        cap=cap,
        share_cap=share_cap,
        exit_delay=exits._or_zero(adapter, method_id("exit_delay()")),
        quarantined=pocket != empty(address),
        expected=expected,
    )


@view
@internal
def _request(lrt: address, queue: address, id: uint256) -> RequestView:
    found: IWithdrawalQueue.Request = staticcall IWithdrawalQueue(queue).request(id)
    view: RequestView = RequestView(
        id=id,
        controller=found.controller,
        ahead=0,
        shares_ahead=0,
        shares=found.shares,
        worth=0,
        claimable=found.claimable_assets,
        expected_seconds=0,
    )
    if found.shares == 0:
        return view
    head: uint256 = staticcall IWithdrawalQueue(queue).head()
    for before: uint256 in range(head, id, bound=MAX_LINE):
        earlier: IWithdrawalQueue.Request = staticcall IWithdrawalQueue(queue).request(before)
        if earlier.shares != 0:
            view.ahead += 1
            view.shares_ahead += earlier.shares
    live_rate: uint256 = exits._or_zero(lrt, method_id("live_rate()"))
    view.worth = min(found.assets, found.shares * live_rate // WAD)
    needed: uint256 = (view.shares_ahead + found.shares) * live_rate // WAD
    oldest: IWithdrawalQueue.Request = staticcall IWithdrawalQueue(queue).request(head)
    view.expected_seconds = exits._seconds_until(lrt, queue, needed, oldest.requested_at)
    return view


@view
@internal
def _oracle(adapter: address) -> OracleView:
    prices: Prices = self._prices(adapter)
    market_price: uint256 = 0
    usable: bool = False
    market_price, usable = staticcall IOracleAdapter(adapter).market_price()
    accepted: bool = False
    level: uint256 = 0
    capacity: uint256 = 0
    accepted, level, capacity = staticcall IOracleAdapter(adapter).supply_gate()
    return OracleView(
        fundamental=prices.fundamental,
        market=market_price,
        feed_usable=usable,
        smoothed_market=prices.smoothed,
        discount=staticcall IOracleAdapter(adapter).discount(),
        growth_cap=staticcall IOracleAdapter(adapter).growth_cap(),
        borrow_price=exits._or_zero(adapter, method_id("price()")),
        supply_accepted=accepted,
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
        halted_until=staticcall ILendingMarket(market_).halted_until(),
    )


@view
@internal
def _position(
    market_: address, terms: ILendingMarket.Terms, prices: Prices, owner: address
) -> PositionView:
    collateral: uint256 = 0
    debt: uint256 = 0
    collateral, debt = staticcall ILendingMarket(market_).position(owner)
    worth: uint256 = collateral * prices.fundamental // PRICE_SCALE
    market_worth: uint256 = collateral * prices.smoothed // PRICE_SCALE
    liquidatable: bool = debt * WAD > worth * terms.threshold
    breached: bool = prices.usable and debt * WAD > market_worth * terms.threshold
    pays: bool = collateral * prices.smoothed // WAD >= debt * (WAD + terms.base_bonus)
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
        liquidatable=liquidatable,
        deleverageable=breached and pays and not liquidatable,
        liquidation_price=liquidation_price,
    )


@view
@internal
def _prices(oracle_: address) -> Prices:
    prices: Prices = empty(Prices)
    prices.fundamental, prices.smoothed, prices.usable = (
        staticcall IOracleAdapter(oracle_).liquidation_prices()
    )
    return prices


@pure
@internal
def _health(debt: uint256, worth: uint256, threshold: uint256) -> uint256:
    if debt == 0:
        return max_value(uint256)
    return worth * threshold // debt
