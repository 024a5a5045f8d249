# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title BackstopPool
@custom:contract-name BackstopPool
@license GNU Affero General Public License v3.0 only
@author Relever
@notice ERC-4626 shares over WETH. The pool buys LRT that the liquidator has just seized, at a discount to
        what the vault's withdrawal queue would pay for it, waits in that queue, sells the wstETH that
        it is paid, and gives its depositors the gain.
@dev WETH, LRT and wstETH in their smallest units, shares with 18 decimals, ratios in WAD, times in
     seconds. Accounting is internal: WETH or LRT sent here without a call changes nothing.
     Who joins pays the high mark, who leaves gets the low one, see `backstop_book`. Exits take free
     cash; beyond that there is a line, see `backstop_line`.
     Everything that it calls was named at creation. What can be changed is in `backstop_terms`; nobody
     stops who leaves.
     Failure mode: while LRT of the pool waits for its rate and the vault cannot be read, it neither buys,
     nor takes deposits, nor pays; collecting, selling and transfers go on. Once the vault had a
     quarantine the pool winds down: what comes back of that has no mark, so nobody joins it, and it
     buys nothing.
     The file is long for the sixteen functions of ERC-4626, each of which says what it rounds.
     While an action runs, every function is locked but those of ERC-20 and the four `max*`, which then
     return zero.
"""
from ethereum.ercs import IERC4626

# Asked for by the share token; the pool has no owner of its own.
from snekmate.auth import ownable

# The share token with permit. Left out: its public mint, burn and minter role, for shares come and go
# with assets only.
from snekmate.tokens import erc20

from ..interfaces import IBackstopPool
from ..interfaces import ILiquidator
from ..interfaces import ILRTVault

# What the pool owns, and the marks.
from ..modules import backstop_book as book

# Who waits for cash.
from ..modules import backstop_line as line

# When it buys, and for how much.
from ..modules import backstop_terms as terms
from ..modules import token

# Assets to shares and back, with virtual parts.
from ..modules import vault_shares

initializes: ownable
initializes: erc20[ownable := ownable]
initializes: book
initializes: line[erc20 := erc20]
initializes: terms

implements: IBackstopPool
implements: IERC4626

exports: (
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.nonces,
    erc20.transfer,
    erc20.transferFrom,
    erc20.approve,
    erc20.permit,
    erc20.DOMAIN_SEPARATOR,
    book.LRT,
    book.QUEUE,
    book.UNLOCK_PERIOD,
    book.cash,
    book.unqueued,
    book.unqueued_cost,
    book.claim_cost,
    book.open_claims,
    book.locked_profit,
    book.lst_sale.LST,
    book.lst_sale.SWAP,
    book.lst_sale.SALE_LOSS,
    book.lst_sale.lst,
    book.lst_sale.lst_cost,
    book.lst_sale.lst_since,
    line.head,
    line.next_id,
    line.waiting_shares,
    line.waiting_worth,
    line.least_rate,
    line.exit_at,
    terms.FACTORY,
    terms.discount,
    terms.paused_until,
    terms.pause_again_from,
    terms.set_discount,
    terms.pause,
)


# WETH and shares that nobody can take out: the pool is never empty. It is not spent on LRT either.
SEED: constant(uint256) = 10**15
DEAD: constant(address) = 0x000000000000000000000000000000000000dEaD

asset: public(immutable(address))
LIQUIDATOR: public(immutable(address))


@deploy
def __init__(
    lrt: address,
    weth: address,
    factory: address,
    swap: address,
    liquidator: address,
    name: String[25],
    symbol: String[5],
    discount: uint256,
    sale_loss: uint256,
    unlock_period: uint256,
    seeder: address,
):
    """
    @param liquidator May be deployed after the pool, which it names in turn.
    @param sale_loss What a fresh sale of wstETH may lose, in WAD, see `lst_sale`.
    @param unlock_period Seconds over which gains unlock, from one second to a year.
    @param seeder Pays `SEED` of WETH; it has approved this address before it exists.
    """
    ownable.__init__()
    erc20.__init__(name, symbol, 18, name, "1")
    book.__init__(lrt, weth, swap, sale_loss, unlock_period)
    line.__init__()
    terms.__init__(factory, discount)
    asset = weth
    LIQUIDATOR = liquidator
    token._pull(weth, seeder, SEED)
    book.cash = SEED
    erc20._mint(DEAD, SEED)
    log IERC4626.Deposit(sender=seeder, owner=DEAD, assets=SEED, shares=SEED)


# What it does with the money


@external
def buy(amount: uint256) -> uint256:
    """@notice See `IBackstopPool`."""
    assert msg.sender == LIQUIDATOR, "backstop: not the liquidator"
    market: address = empty(address)
    seized: uint256 = 0
    market, seized = staticcall ILiquidator(LIQUIDATOR).seizing()
    assert amount == seized, "backstop: not seized now"
    terms._check_market(market)
    paid: uint256 = self._quote(amount)
    book._put_lrt(amount, paid)
    token._pull(book.LRT, msg.sender, amount)
    token._push(asset, msg.sender, paid)
    log IBackstopPool.Bought(market=market, amount=amount, paid=paid)
    return paid


@view
@external
def quote(amount: uint256) -> uint256:
    """@notice See `IBackstopPool`."""
    return self._quote(amount)


@external
def enqueue() -> uint256:
    """@notice See `IBackstopPool`."""
    claim: uint256 = 0
    amount: uint256 = 0
    cost: uint256 = 0
    claim, amount, cost = book._enqueue()
    log IBackstopPool.Queued(claim=claim, amount=amount, cost=cost)
    return claim


@external
def harvest(claims: DynArray[uint256, book.MAX_CLAIMS]) -> uint256:
    """@notice See `IBackstopPool`."""
    lost: uint256 = 0
    for claim: uint256 in claims:
        paid: uint256 = 0
        cost: uint256 = 0
        short: uint256 = 0
        paid, cost, short = book._collect(claim)
        lost += short
        if cost != 0 or paid != 0:
            log IBackstopPool.Collected(claim=claim, paid=paid, cost=cost, loss=short)
    sold: uint256 = 0
    received: uint256 = 0
    gain: uint256 = 0
    loss: uint256 = 0
    sold, received, gain, loss = book._sell()
    book._settle(gain, lost + loss)
    if sold != 0:
        log IBackstopPool.Sold(
            caller=msg.sender, sold=sold, received=received, gain=gain, loss=loss
        )
    return received


@external
def recover() -> uint256:
    """@notice See `IBackstopPool`."""
    # The one look at a balance: what is there beyond the books came without a call.
    held: uint256 = token._balance(book.lst_sale.LST, self)
    found: uint256 = held - book.lst_sale.lst
    assert found != 0, "backstop: nothing to recover"
    loss: uint256 = book.lst_sale._put(found, 0)
    book._settle(0, loss)
    log IBackstopPool.Recovered(amount=found)
    return found


# ERC-4626


@external
def deposit(assets: uint256, receiver: address) -> uint256:
    """@notice Pay `assets`. @return Shares minted to `receiver`, rounded down."""
    total: uint256 = 0
    supply: uint256 = 0
    total, supply = self._to_join()
    shares: uint256 = vault_shares._to_shares_down(assets, total, supply)
    self._enter(assets, shares, total, receiver)
    return shares


@external
def mint(shares: uint256, receiver: address) -> uint256:
    """@notice Mint exactly `shares` to `receiver`. @return Assets paid, rounded up."""
    total: uint256 = 0
    supply: uint256 = 0
    total, supply = self._to_join()
    assets: uint256 = vault_shares._to_assets_up(shares, total, supply)
    self._enter(assets, shares, total, receiver)
    return assets


@external
def withdraw(assets: uint256, receiver: address, owner: address) -> uint256:
    """@notice Send exactly `assets` of free cash. @return Shares burned, rounded up."""
    low: uint256 = book._low()
    shares: uint256 = vault_shares._to_shares_up(assets, low, erc20.totalSupply)
    self._leave(assets, shares, receiver, owner)
    return shares


@external
def redeem(shares: uint256, receiver: address, owner: address) -> uint256:
    """@notice Burn `shares`. @return Assets sent out of free cash to `receiver`, rounded down."""
    low: uint256 = book._low()
    assets: uint256 = vault_shares._to_assets_down(shares, low, erc20.totalSupply)
    self._leave(assets, shares, receiver, owner)
    return assets


@external
def request_exit(shares: uint256, receiver: address, owner: address) -> uint256:
    """@notice See `IBackstopPool`."""
    if msg.sender != owner:
        erc20._spend_allowance(owner, msg.sender, shares)
    low: uint256 = book._low()
    return line._join(shares, receiver, owner, low, erc20.totalSupply)


@external
def serve(max_exits: uint256) -> uint256:
    """@notice See `IBackstopPool`."""
    seen: book.Lots = book._lots(True)
    unseen: book.Lots = book._lots(False)
    low: uint256 = book._low_of(seen)
    # While a slash is visible, shares are worth less than they may be soon.
    own_only: bool = seen.worth != unseen.worth
    paid: uint256 = line._serve(max_exits, book.cash, low, erc20.totalSupply, own_only, asset)
    book.cash -= paid
    return paid


@view
@external
def totalAssets() -> uint256:
    """@notice As booked: claims at cost, without what is locked. For a price ask the previews."""
    return book._booked()


@view
@external
def convertToShares(assets: uint256) -> uint256:
    """@notice As booked, rounded down."""
    return vault_shares._to_shares_down(assets, book._booked(), erc20.totalSupply)


@view
@external
def convertToAssets(shares: uint256) -> uint256:
    """@notice As booked, rounded down."""
    return vault_shares._to_assets_down(shares, book._booked(), erc20.totalSupply)


@view
@external
def previewDeposit(assets: uint256) -> uint256:
    """@notice What `deposit` returns in this block."""
    total: uint256 = 0
    supply: uint256 = 0
    total, supply = self._to_join()
    return vault_shares._to_shares_down(assets, total, supply)


@view
@external
def previewMint(shares: uint256) -> uint256:
    """@notice What `mint` returns in this block."""
    total: uint256 = 0
    supply: uint256 = 0
    total, supply = self._to_join()
    return vault_shares._to_assets_up(shares, total, supply)


@view
@external
def previewWithdraw(assets: uint256) -> uint256:
    """@notice What `withdraw` returns in this block, also for more than is free."""
    return vault_shares._to_shares_up(assets, book._low(), erc20.totalSupply)


@view
@external
def previewRedeem(shares: uint256) -> uint256:
    """@notice What `redeem` returns in this block, also for more than is free."""
    return vault_shares._to_assets_down(shares, book._low(), erc20.totalSupply)


@view
@reentrant
@external
def maxDeposit(receiver: address) -> uint256:
    """@notice The most that `deposit` takes now; zero while locked or the pool is closed to new money."""
    open: bool = False
    total: uint256 = 0
    supply: uint256 = 0
    open, total, supply = self._try_joining()
    if not open:
        return 0
    shares: uint256 = vault_shares.MAX - erc20.totalSupply
    assets: uint256 = min(
        self._room(total), vault_shares._to_assets_down(shares, total, supply)
    )
    return assets if vault_shares._to_shares_down(assets, total, supply) != 0 else 0


@view
@reentrant
@external
def maxMint(receiver: address) -> uint256:
    """@notice The most that `mint` gives now; zero while locked or the pool is closed to new money."""
    open: bool = False
    total: uint256 = 0
    supply: uint256 = 0
    open, total, supply = self._try_joining()
    if not open:
        return 0
    return min(
        vault_shares.MAX - erc20.totalSupply,
        vault_shares._to_shares_down(self._room(total), total, supply),
    )


@view
@reentrant
@external
def maxWithdraw(owner: address) -> uint256:
    """@notice The most that `withdraw` pays now; zero while locked or the vault cannot be read."""
    readable: bool = False
    low: uint256 = 0
    readable, low = self._try_low()
    if not readable:
        return 0
    worth: uint256 = vault_shares._to_assets_down(erc20.balanceOf[owner], low, erc20.totalSupply)
    return min(self._free(), worth)


@view
@reentrant
@external
def maxRedeem(owner: address) -> uint256:
    """@notice The most that `redeem` burns now; zero while locked or the vault cannot be read."""
    readable: bool = False
    low: uint256 = 0
    readable, low = self._try_low()
    if not readable:
        return 0
    supply: uint256 = erc20.totalSupply
    # One share less than the least that would be paid more than what is free.
    payable_shares: uint256 = vault_shares._to_shares_up(self._free() + 1, low, supply) - 1
    shares: uint256 = min(erc20.balanceOf[owner], payable_shares)
    return shares if vault_shares._to_assets_down(shares, low, supply) != 0 else 0


# Marks


@view
@external
def low_assets() -> uint256:
    """@notice See `IBackstopPool`."""
    return book._low()


@view
@external
def joining() -> (uint256, uint256):
    """@notice See `IBackstopPool`."""
    return self._to_join()


@view
@external
def free_cash() -> uint256:
    """@notice See `IBackstopPool`."""
    return self._free()


# Internals


@internal
@view
def _quote(amount: uint256) -> uint256:
    """@return What is paid for so much LRT, rounded down, or a revert that says why it is not bought."""
    self._check_no_quarantine()
    terms._check_buying(book.LRT)
    free: uint256 = self._free()
    # Asked before the vault is read: who tries every way out shall not pay for one that is closed.
    assert SEED < free, "backstop: not enough cash"
    worth: uint256 = book._worth_down(amount)
    paid: uint256 = terms._price_down(worth)
    assert paid != 0, "backstop: zero amount"
    assert paid + SEED <= free, "backstop: not enough cash"
    return paid


@internal
@view
def _to_join() -> (uint256, uint256):
    """
    @notice The high mark of those who stay.
    @return Assets, without what those who wait in the line would be paid now, and shares without theirs.
    """
    self._check_no_quarantine()
    total: uint256 = book._high()
    supply: uint256 = erc20.totalSupply
    waiting: uint256 = line.waiting_shares
    if waiting != 0:
        low: uint256 = book._low()
        total -= min(total, line._owed_down(low, supply))
    return total, supply - waiting


@internal
@view
def _check_no_quarantine():
    """@notice What comes back of a quarantine has no mark."""
    had: bool = staticcall ILRTVault(book.LRT).had_quarantine()
    assert not had, "backstop: winding down"


@internal
@view
def _free() -> uint256:
    cash: uint256 = book.cash
    return cash - min(cash, line.waiting_worth)


@internal
@pure
def _room(total: uint256) -> uint256:
    """@return Assets that the books can count on top."""
    return vault_shares.MAX - min(vault_shares.MAX, total)


@internal
def _enter(assets: uint256, shares: uint256, total: uint256, receiver: address):
    """@notice Take assets, mint shares."""
    assert assets != 0, "backstop: zero assets"
    assert shares != 0, "backstop: zero shares"
    assert assets <= self._room(total), "backstop: asset limit"
    assert shares <= vault_shares.MAX - erc20.totalSupply, "backstop: supply limit"
    book.cash += assets
    token._pull(asset, msg.sender, assets)
    erc20._mint(receiver, shares)
    log IERC4626.Deposit(sender=msg.sender, owner=receiver, assets=assets, shares=shares)


@internal
def _leave(assets: uint256, shares: uint256, receiver: address, owner: address):
    """@notice Burn shares, send assets. Any assets cost at least one share: they round up."""
    assert assets != 0, "backstop: zero assets"
    assert assets <= self._free(), "backstop: not enough cash"
    if msg.sender != owner:
        erc20._spend_allowance(owner, msg.sender, shares)
    book.cash -= assets
    erc20._burn(owner, shares)
    token._push(asset, receiver, assets)
    log IERC4626.Withdraw(
        sender=msg.sender, receiver=receiver, owner=owner, assets=assets, shares=shares
    )


@internal
@view
def _try_low() -> (bool, uint256):
    """@notice `low_assets` that says so instead of reverting."""
    success: bool = False
    answer: Bytes[32] = b""
    success, answer = raw_call(
        self,
        method_id("low_assets()"),
        max_outsize=32,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not success:
        return False, 0
    return True, convert(answer, uint256)


@internal
@view
def _try_joining() -> (bool, uint256, uint256):
    """@notice `joining` that says so instead of reverting."""
    success: bool = False
    answer: Bytes[64] = b""
    success, answer = raw_call(
        self,
        method_id("joining()"),
        max_outsize=64,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not success:
        return False, 0, 0
    total: uint256 = 0
    supply: uint256 = 0
    total, supply = abi_decode(answer, (uint256, uint256))
    return True, total, supply
