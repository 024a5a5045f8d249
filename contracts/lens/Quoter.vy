# pragma version 0.4.3
# pragma optimize codesize
"""
@title Quoter
@custom:contract-name Quoter
@license GNU Affero General Public License v3.0 only
@author Relever
@notice What the router would do now, to the unit; see `IQuoter`.
@dev It has no storage, no token and no rights, and so no lock: what it tries out reverts.
"""
from ethereum.ercs import IERC20
from ethereum.ercs import IERC4626

from ..interfaces import ILendingMarket
from ..interfaces import ILRTVault
from ..interfaces import IMarketFactory
from ..interfaces import IQuoter
from ..interfaces import IRoute
from ..interfaces import IStETH
from ..interfaces import IWstETH

# The router's own tokens, ways and choice between pool and vault.
from ..modules import lrt_entry
from ..modules import lrt_exit
from ..modules import lrt_purchase

# What comes of each step.
from ..modules import health
from ..modules import oracle_after
from ..modules import pool_quotes
from ..modules import position_quote
from ..modules import vault_after
from ..modules import vault_shares

initializes: lrt_entry
initializes: lrt_exit[lrt_entry := lrt_entry]
initializes: lrt_purchase[lrt_entry := lrt_entry, lrt_exit := lrt_exit]

implements: IQuoter

exports: (
    pool_quotes.uniswapV3SwapCallback,
    vault_after.rehearse_sync,
)


interface Router:
    def FACTORY() -> address: view
    def LRT() -> address: view
    def LST() -> address: view
    def WETH() -> address: view
    def SWAP() -> address: view
    def STABLE_SWAP() -> address: view


# What the interfaces of these do not have.
interface Factory:
    def is_market(market: address) -> bool: view


interface LiveVault:
    def live_total_assets(leaving: bool) -> uint256: view


# An opening before it is known how much is borrowed.
struct Plan:
    terms: ILendingMarket.Terms
    state: ILendingMarket.State
    collateral: uint256
    debt_shares: uint256
    # From `lrt_purchase._rate_to_swap`.
    rate: uint256
    # What is put in, as the router takes it.
    weth_in: uint256
    lst_in: uint256
    lrt_in: uint256
    # The vault's books as a sync leaves them, and the supply before that.
    books: vault_after.Books
    supply: uint256
    # Lido's.
    pooled: uint256
    lido_shares: uint256


struct Outcome:
    # As in `IQuoter.Opening`.
    sold: uint256
    bought: uint256
    minted: uint256
    returned: uint256
    # WstETH that is deposited, and the vault's total assets that price it.
    assets: uint256
    total: uint256
    collateral: uint256
    debt: uint256
    prices: oracle_after.Prices


WAD: constant(uint256) = 10**18
# What `quote_leverage` may be short, in wei.
STEP: constant(uint256) = 10**9
MOST_LEVERAGE: constant(uint256) = 1_000 * WAD
# Three for each halving of what a position can be, to a step.
ROUNDS: constant(uint256) = 200

ROUTER: public(immutable(address))
FACTORY: immutable(address)


@deploy
def __init__(router: address):
    lrt: address = staticcall Router(router).LRT()
    lst: address = staticcall Router(router).LST()
    weth: address = staticcall Router(router).WETH()
    swap: address = staticcall Router(router).SWAP()
    stable_swap: address = staticcall Router(router).STABLE_SWAP()
    ROUTER = router
    FACTORY = staticcall Router(router).FACTORY()
    lrt_entry.__init__(lrt, lst, weth)
    lrt_exit.__init__(swap, stable_swap)


# The way in


@external
def quote_open(
    owner: address, market: address, token_in: address, amount_in: uint256, borrow: uint256
) -> IQuoter.Opening:
    """@notice See `IQuoter`."""
    self._check_listed(market)
    assert amount_in + borrow > 0, "router: nothing to do"
    plan: Plan = self._plan(owner, market, token_in, amount_in, borrow != 0)
    return self._open(market, plan, borrow)


@external
def quote_leverage(
    owner: address, market: address, token_in: address, amount_in: uint256, leverage: uint256
) -> (uint256, IQuoter.Opening):
    """@notice See `IQuoter`."""
    self._check_listed(market)
    assert leverage >= WAD, "quote: leverage below one"
    assert leverage <= MOST_LEVERAGE, "quote: leverage too high"
    plan: Plan = self._plan(owner, market, token_in, amount_in, True)
    borrow: uint256 = self._borrow_for(plan, leverage)
    return borrow, self._open(market, plan, borrow)


@internal
def _plan(
    owner: address, market: address, token_in: address, amount: uint256, borrows: bool
) -> Plan:
    """@notice All that is known before it is known how much is borrowed."""
    plan: Plan = empty(Plan)
    plan.terms = self._terms_of(market)
    debt: uint256 = 0
    plan.collateral, debt = staticcall ILendingMarket(market).position(owner)
    plan.debt_shares = staticcall ILendingMarket(market).debt_shares(owner)
    plan.state = staticcall ILendingMarket(market).state()
    if borrows or token_in in [empty(address), lrt_entry.WETH]:
        plan.rate = lrt_purchase._rate_to_swap(0)
    if token_in == lrt_entry.LRT:
        plan.lrt_in = amount
    elif token_in == empty(address) or token_in == lrt_entry.WETH:
        plan.weth_in = amount
    elif token_in == lrt_entry.LST:
        plan.lst_in = amount
    else:
        assert token_in == lrt_entry.STETH, "router: token not accepted"
        plan.lst_in = self._wrapped(amount)
    plan.supply = staticcall IERC20(lrt_entry.LRT).totalSupply()
    plan.books = vault_after._synced(lrt_entry.LRT)
    plan.pooled = staticcall IStETH(lrt_entry.STETH).getTotalPooledEther()
    plan.lido_shares = staticcall IStETH(lrt_entry.STETH).getTotalShares()
    return plan


@view
@internal
def _wrapped(amount: uint256) -> uint256:
    """@return WstETH for stETH: `lrt_entry` moves whole shares and wraps a wei more than their worth."""
    moved: uint256 = staticcall IStETH(lrt_entry.STETH).getSharesByPooledEth(amount)
    pooled: uint256 = staticcall IStETH(lrt_entry.STETH).getPooledEthByShares(moved)
    return staticcall IStETH(lrt_entry.STETH).getSharesByPooledEth(pooled + 1)


@internal
def _open(market: address, plan: Plan, borrow: uint256) -> IQuoter.Opening:
    """@notice What comes of it; stops where the router and the market would, and in their order."""
    if borrow != 0:
        self._check_room(market, plan.state, borrow)
    o: Outcome = self._outcome(plan, borrow)
    if o.assets != 0:
        vault_after._check_deposit(lrt_entry.LRT, o.assets, o.total, o.minted)
    refusal: String[32] = ""
    if borrow != 0:
        refusal = position_quote._refusal(plan.terms, o.collateral, o.debt, o.prices)
    return IQuoter.Opening(
        refusal=refusal,
        sold=o.sold,
        bought=o.bought,
        minted=o.minted,
        returned=o.returned,
        position=position_quote._view(plan.terms, o.collateral, o.debt, o.prices),
    )


@internal
def _outcome(plan: Plan, borrow: uint256) -> Outcome:
    """@notice The numbers alone, whatever stands in their way."""
    o: Outcome = empty(Outcome)
    left: uint256 = plan.weth_in + borrow
    if plan.rate != 0:
        o.sold, o.bought = pool_quotes._sale_up_to(
            lrt_exit.SWAP, lrt_entry.WETH, lrt_entry.LRT, left, plan.rate
        )
        left -= o.sold
        if left < lrt_purchase.DUST:
            o.returned = left
            left = 0
    staked: uint256 = left * plan.lido_shares // plan.pooled
    o.assets = plan.lst_in + staked
    if o.assets == 0:
        o.prices = oracle_after._now(plan.terms.oracle)
    else:
        o.total = staticcall LiveVault(lrt_entry.LRT).live_total_assets(False)
        priced: uint256 = o.total + plan.books.expected
        o.minted = vault_shares._to_shares_down(o.assets, priced, plan.supply)
        books: vault_after.Books = vault_after._deposited(plan.books, o.assets, o.minted)
        lst_rate: uint256 = WAD * (plan.pooled + left) // (plan.lido_shares + staked)
        o.prices = self._prices_after(plan.terms.oracle, books, lst_rate)
    o.collateral = plan.collateral + plan.lrt_in + o.bought + o.minted
    o.debt = position_quote._debt_with(plan.state, plan.debt_shares, borrow)
    return o


@internal
def _borrow_for(plan: Plan, leverage: uint256) -> uint256:
    """
    @return The most that keeps to the leverage, less than `STEP` short.
    @dev Room is positive while the leverage is below what is asked for, and falls by about a WAD with each
         unit borrowed: a line through the last two looks is soon so near that a step beside it is on the
         other side. Every third look halves the gap, whatever the line says.
    """
    least: uint256 = 0
    looked: uint256 = 0
    room: int256 = self._room(plan, leverage, 0)
    assert room >= 0, "quote: leverage above target"
    slope: int256 = convert(WAD, int256)
    # Twice what would do if nothing were lost on the way in; the leverage is above it there.
    most: uint256 = 2 * convert(room, uint256) // WAD + 2 * STEP
    for round: uint256 in range(ROUNDS):
        if most - least <= STEP:
            break
        guess: int256 = convert(looked, int256) + room // slope
        # Half a step beside it, on the side that was not seen last.
        guess += convert(STEP // 2, int256) if room >= 0 else -convert(STEP // 2, int256)
        next: uint256 = convert(max(guess, 0), uint256)
        if round % 3 == 2 or next <= least or next >= most:
            next = (least + most) // 2
        left: int256 = self._room(plan, leverage, next)
        fall: int256 = (room - left) // (convert(next, int256) - convert(looked, int256))
        if fall > 0:
            slope = fall
        room = left
        looked = next
        if left >= 0:
            least = next
        else:
            most = next
    assert most - least <= STEP, "quote: leverage not found"
    return least


@internal
def _room(plan: Plan, leverage: uint256, borrow: uint256) -> int256:
    """@return By how much worth times (leverage - 1) is above debt times leverage, in WAD units of WETH."""
    o: Outcome = self._outcome(plan, borrow)
    worth: uint256 = health._worth_down(o.collateral, o.prices.fundamental)
    more: int256 = convert(worth * (leverage - WAD), int256)
    return more - convert(o.debt * leverage, int256)


# The way out


@external
def quote_close(
    owner: address, market: address, collateral_out: uint256, repay: uint256, route: IRoute.Route
) -> IQuoter.Closing:
    """@notice See `IQuoter`."""
    known: bool = staticcall IMarketFactory(FACTORY).was_listed(market)
    assert known, "router: market never listed"
    terms: ILendingMarket.Terms = self._terms_of(market)
    assert collateral_out > 0, "router: nothing to do"
    seat: address = lrt_exit._seat(route)
    held: uint256 = 0
    owed: uint256 = 0
    held, owed = staticcall ILendingMarket(market).position(owner)
    assert collateral_out <= held, "market: not enough collateral"
    quote: IQuoter.Closing = empty(IQuoter.Closing)
    quote.received = self._sale(collateral_out, route)
    quote.repaid = min(repay, owed)
    quote.paid_out = quote.received - min(quote.received, quote.repaid)
    collateral: uint256 = held - collateral_out
    state: ILendingMarket.State = staticcall ILendingMarket(market).state()
    debt_shares: uint256 = staticcall ILendingMarket(market).debt_shares(owner)
    debt: uint256 = position_quote._debt_without(state, debt_shares, quote.repaid)
    prices: oracle_after.Prices = self._prices_after_sale(terms.oracle, collateral_out, route)
    quote.position = position_quote._view(terms, collateral, debt, prices)
    if quote.received < quote.repaid:
        quote.refusal = "router: sale below repayment"
    elif debt * held > owed * collateral:
        quote.refusal = position_quote._refusal(terms, collateral, debt, prices)
    return quote


@external
def quote_sale(amount: uint256, route: IRoute.Route) -> uint256:
    """@notice See `IQuoter`."""
    return self._sale(amount, route)


@internal
def _sale(amount: uint256, route: IRoute.Route) -> uint256:
    """@return WETH for LRT on a route."""
    seat: address = lrt_exit._seat(route)
    if route == IRoute.Route.SWAP:
        return pool_quotes._sale(seat, lrt_entry.LRT, lrt_entry.WETH, amount)
    if route == IRoute.Route.STABLE:
        return pool_quotes._stable_sale(seat, lrt_entry.LRT, lrt_entry.WETH, amount)
    assert amount > 0, "vault: zero shares"
    redeemed: uint256 = staticcall IERC4626(lrt_entry.LRT).previewRedeem(amount)
    assert redeemed != 0, "vault: zero assets"
    free: uint256 = vault_after._free_idle(lrt_entry.LRT)
    assert redeemed <= free, "vault: not enough idle"
    return pool_quotes._sale(lrt_exit.SWAP, lrt_entry.LST, lrt_entry.WETH, redeemed)


@internal
def _prices_after_sale(
    oracle: address, amount: uint256, route: IRoute.Route
) -> oracle_after.Prices:
    """@notice Only a redemption changes the vault, and with it what backs the LRT that is left."""
    if route != IRoute.Route.REDEEM:
        return oracle_after._now(oracle)
    synced: vault_after.Books = vault_after._synced(lrt_entry.LRT)
    books: vault_after.Books = vault_after._redeemed(lrt_entry.LRT, synced, amount)
    lst_rate: uint256 = staticcall IWstETH(lrt_entry.LST).stEthPerToken()
    return self._prices_after(oracle, books, lst_rate)


# Of both


@view
@internal
def _terms_of(market: address) -> ILendingMarket.Terms:
    """@notice Of a market of the factory: what a foreign venue says of itself proves nothing here."""
    ours: bool = staticcall Factory(FACTORY).is_market(market)
    assert ours, "quote: no market of the factory"
    lrt_exit._check_market(market)
    return staticcall ILendingMarket(market).terms()


@view
@internal
def _check_listed(market: address):
    listed: bool = staticcall IMarketFactory(FACTORY).is_listed(market)
    assert listed, "router: market not listed"


@view
@internal
def _check_room(market: address, state: ILendingMarket.State, borrow: uint256):
    """@notice As the market checks a loan before it pays it out."""
    assert borrow <= state.supply_assets - state.borrow_assets, "market: not enough cash"
    caps: ILendingMarket.Caps = staticcall ILendingMarket(market).caps()
    assert state.borrow_assets + borrow <= caps.borrow, "market: borrow cap"
    halted_until: uint256 = staticcall ILendingMarket(market).halted_until()
    assert halted_until == 0, "market: borrowing halted"


@view
@internal
def _prices_after(
    oracle: address, books: vault_after.Books, lst_rate: uint256
) -> oracle_after.Prices:
    return oracle_after._after(
        oracle,
        lrt_entry.LRT,
        lrt_entry.LST,
        books.supply,
        vault_after._rate(books) * lst_rate,
        vault_after._live_rate(books) * lst_rate,
        books.readable,
    )
