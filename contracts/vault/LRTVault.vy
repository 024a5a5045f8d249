# pragma version 0.4.3
# pragma nonreentrancy on
# pragma optimize codesize
"""
@title LRTVault
@custom:contract-name LRTVault
@license GNU Affero General Public License v3.0 only
@author Relever
@notice ERC-4626 shares (the liquid restaking token) over one plain ERC-20 of 18 decimals, which the
        allocator stakes through listed adapters, each under a cap.
@dev Assets in the asset's unit, shares with 18 decimals, rates in WAD, times in seconds.
     Accounting is internal: tokens sent here without a call change nothing.
     A gain is booked as locked profit that unlocks over `unlock_period`, a loss at once. Deposits
     and exits first book what the adapters say. Who enters pays the booked rate; who leaves gets
     the live one, which also counts the slashes that are visible but not yet executed, less a fee
     that rises as the idle assets dwindle.
     Shares that wait in the withdrawal queue are shares like others until they are paid; idle assets
     that they are worth are left for them by instant exits and by the allocator.
     Failure mode: an adapter that cannot be read stops deposits and instant exits, and changes no
     booked value; `rate()`, transfers, queue requests and the sync of the others go on. A quarantine
     writes it off: who leaves afterwards gets the rest, and a claim in the side pocket on what it
     gives back; who enters pays for the part of that which the shares have.
     This file is ERC-4626 and its prices; a fifth of its lines only list what the modules export.
     While an action runs, every function is locked but those of ERC-20 and ownership, `asset`,
     `unlock_period` and the four `max*`, which then return zero.
"""
from ethereum.ercs import IERC20Detailed
from ethereum.ercs import IERC4626

# Ownership in two steps. Left out: renouncing it, for a vault without an owner could never again
# list an adapter or replace a lost allocator.
from snekmate.auth import ownable
from snekmate.auth import ownable_2step

# The share token with permit. Left out: its public mint, burn and minter role (which it gives the
# deployer, but nothing here asks for it), for shares come and go with assets only; and its one-step
# transfer of ownership. Also the lesser used ERC-5267, for want of room.
from snekmate.tokens import erc20

from ..interfaces import ILRTVault

from ..modules import checks
from ..modules import exit_fee
from ..modules import token

# What the vault holds where, and what the adapters say to that.
from ..modules import vault_books

# What the withdrawal queue and the side pocket need.
from ..modules import vault_exits

# Who may do what, and how much.
from ..modules import vault_limits

# Assets to shares and back, with virtual parts.
from ..modules import vault_shares

# Stake out and home, and the adapters that carry it.
from ..modules import vault_staking

initializes: ownable
initializes: ownable_2step[ownable := ownable]
initializes: erc20[ownable := ownable]
initializes: exit_fee
initializes: vault_limits[ownable := ownable]
initializes: vault_books[erc20 := erc20]
initializes: vault_exits[ownable := ownable, erc20 := erc20, vault_books := vault_books]

initializes: vault_staking[
    ownable := ownable,
    vault_limits := vault_limits,
    vault_books := vault_books,
    vault_exits := vault_exits,
]

implements: ILRTVault
implements: IERC4626

exports: (
    ownable_2step.owner,
    ownable_2step.pending_owner,
    ownable_2step.transfer_ownership,
    ownable_2step.accept_ownership,
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
    exit_fee.exit_terms,
    vault_limits.allocator,
    vault_limits.guardian,
    vault_limits.deposit_cap,
    vault_limits.paused_until,
    vault_limits.pause_again_from,
    vault_limits.adapter_caps,
    vault_limits.pause,
    vault_limits.set_deposit_cap,
    vault_limits.set_allocator,
    vault_limits.set_guardian,
    vault_books.asset,
    vault_books.side_pocket,
    vault_books.unlock_period,
    vault_books.idle,
    vault_books.locked_profit,
    vault_books.adapter_count,
    vault_books.adapter_at,
    vault_books.booked,
    vault_books.in_quarantine,
    vault_books.had_quarantine,
    vault_books.expected_back,
    vault_staking.add_adapter,
    vault_staking.set_adapter_caps,
    vault_staking.allocate,
    vault_staking.deallocate,
    vault_staking.finish_exit,
    vault_staking.quarantine,
    vault_exits.queue,
    vault_exits.queued_shares,
    vault_exits.queue_exits,
    vault_exits.set_exits,
    vault_exits.join_queue,
    vault_exits.settle_queue,
    vault_exits.pass_claim,
    vault_exits.pull_back,
    vault_books.performance_fee.performance_fee,
    vault_books.performance_fee.fee_recipient,
    vault_books.performance_fee.unrecovered_loss,
)


WAD: constant(uint256) = 10**18
# Shares that nobody can redeem: the vault is never empty, and moving the price of a share by one
# asset unit costs a thousandth of a whole token.
SEED: constant(uint256) = 10**15
DEAD: constant(address) = 0x000000000000000000000000000000000000dEaD

@deploy
def __init__(
    asset_: address,
    name: String[25],
    symbol: String[5],
    allocator: address,
    guardian: address,
    unlock_period: uint256,
    deposit_cap: uint256,
    seeder: address,
):
    """
    @notice The deployer owns the vault.
    @param unlock_period Seconds over which gains unlock, from one second to a year.
    @param deposit_cap In asset units.
    @param seeder Pays `SEED` of the asset; it has approved this address before it exists.
    """
    decimals: uint8 = staticcall IERC20Detailed(asset_).decimals()
    if decimals != 18:
        checks._fail("vault: asset decimals")
    ownable.__init__()
    ownable_2step.__init__()
    erc20.__init__(name, symbol, 18, name, "1")
    vault_books.__init__(asset_, unlock_period)
    vault_limits.__init__(allocator, guardian, deposit_cap)

    held: uint256 = token._balance(asset_, self)
    token._pull(asset_, seeder, SEED)
    held_after: uint256 = token._balance(asset_, self)
    if held_after - held != SEED:
        checks._fail("vault: asset takes a fee")
    vault_books._put_idle(SEED)
    erc20._mint(DEAD, SEED)
    log IERC4626.Deposit(sender=seeder, owner=DEAD, assets=SEED, shares=SEED)


# ERC-4626


@external
def deposit(assets: uint256, receiver: address) -> uint256:
    """@notice Pay `assets`. @return Shares minted to `receiver`, rounded down."""
    total: uint256 = 0
    supply: uint256 = 0
    total, supply = self._sync_to_enter()
    priced: uint256 = total + vault_books._expected()
    shares: uint256 = vault_shares._to_shares_down(assets, priced, supply)
    self._enter(assets, shares, total, receiver)
    return shares


@external
def mint(shares: uint256, receiver: address) -> uint256:
    """@notice Mint exactly `shares` to `receiver`. @return Assets paid, rounded up."""
    if shares == 0:
        checks._fail("vault: zero shares")
    total: uint256 = 0
    supply: uint256 = 0
    total, supply = self._sync_to_enter()
    priced: uint256 = total + vault_books._expected()
    assets: uint256 = vault_shares._to_assets_up(shares, priced, supply)
    self._enter(assets, shares, total, receiver)
    return assets


@external
def withdraw(assets: uint256, receiver: address, owner: address) -> uint256:
    """@notice Send exactly `assets` of idle to `receiver`. @return Shares burned, rounded up."""
    total: uint256 = 0
    supply: uint256 = 0
    free: uint256 = 0
    total, supply, free = self._sync_to_leave()
    fee: uint256 = exit_fee._fee_up(assets, free)
    shares: uint256 = vault_shares._to_shares_up(assets + fee, total, supply)
    self._leave(assets, fee, shares, supply, free, receiver, owner)
    return shares


@external
def redeem(shares: uint256, receiver: address, owner: address) -> uint256:
    """@notice Burn `shares`. @return Assets sent out of idle to `receiver`, rounded down."""
    if shares == 0:
        checks._fail("vault: zero shares")
    total: uint256 = 0
    supply: uint256 = 0
    free: uint256 = 0
    total, supply, free = self._sync_to_leave()
    worth: uint256 = vault_shares._to_assets_down(shares, total, supply)
    assets: uint256 = exit_fee._paid_down(worth, free)
    self._leave(assets, worth - assets, shares, supply, free, receiver, owner)
    return assets


@view
@external
def totalAssets() -> uint256:
    """@notice Booked assets of the shares: idle and staked, without what is still locked."""
    return vault_books._total_after(0, 0)


@view
@external
def convertToShares(assets: uint256) -> uint256:
    """@notice At the booked rate, rounded down."""
    return vault_shares._to_shares_down(
        assets, vault_books._total_after(0, 0), erc20.totalSupply
    )


@view
@external
def convertToAssets(shares: uint256) -> uint256:
    """@notice At the booked rate, rounded down."""
    return vault_shares._to_assets_down(
        shares, vault_books._total_after(0, 0), erc20.totalSupply
    )


@view
@external
def previewDeposit(assets: uint256) -> uint256:
    """@notice What `deposit` returns in this block."""
    total: uint256 = vault_books._live_total(False) + vault_books._expected()
    return vault_shares._to_shares_down(assets, total, erc20.totalSupply)


@view
@external
def previewMint(shares: uint256) -> uint256:
    """@notice What `mint` returns in this block."""
    total: uint256 = vault_books._live_total(False) + vault_books._expected()
    return vault_shares._to_assets_up(shares, total, erc20.totalSupply)


@view
@external
def previewWithdraw(assets: uint256) -> uint256:
    """@notice What `withdraw` returns in this block, also for more than is free."""
    total: uint256 = vault_books._live_total(True)
    fee: uint256 = exit_fee._fee_up(assets, self._live_free_idle())
    return vault_shares._to_shares_up(assets + fee, total, erc20.totalSupply)


@view
@external
def previewRedeem(shares: uint256) -> uint256:
    """@notice What `redeem` returns in this block, also for more than is free."""
    total: uint256 = vault_books._live_total(True)
    worth: uint256 = vault_shares._to_assets_down(shares, total, erc20.totalSupply)
    return exit_fee._paid_down(worth, self._live_free_idle())


@view
@reentrant
@external
def maxDeposit(receiver: address) -> uint256:
    """@notice The most that `deposit` takes now; zero while locked or an adapter cannot be read."""
    readable: bool = False
    total: uint256 = 0
    readable, total = self._try_live_total(False)
    if not readable:
        return 0
    supply: uint256 = erc20.totalSupply
    priced: uint256 = total + vault_books._expected()
    assets: uint256 = min(
        vault_limits._room(total),
        vault_shares._to_assets_down(vault_shares.MAX - supply, priced, supply),
    )
    return assets if vault_shares._to_shares_down(assets, priced, supply) != 0 else 0


@view
@reentrant
@external
def maxMint(receiver: address) -> uint256:
    """@notice The most that `mint` gives now; zero while locked or an adapter cannot be read."""
    readable: bool = False
    total: uint256 = 0
    readable, total = self._try_live_total(False)
    if not readable:
        return 0
    supply: uint256 = erc20.totalSupply
    priced: uint256 = total + vault_books._expected()
    return min(
        vault_shares.MAX - supply,
        vault_shares._to_shares_down(vault_limits._room(total), priced, supply),
    )


@view
@reentrant
@external
def maxWithdraw(owner: address) -> uint256:
    """@notice The most that `withdraw` pays now; zero while locked or an adapter cannot be read."""
    readable: bool = False
    total: uint256 = 0
    readable, total = self._try_live_total(True)
    if not readable:
        return 0
    supply: uint256 = erc20.totalSupply
    free: uint256 = self._live_free_idle()
    worth: uint256 = vault_shares._to_assets_down(erc20.balanceOf[owner], total, supply)
    return min(free, exit_fee._paid_down(worth, free))


@view
@reentrant
@external
def maxRedeem(owner: address) -> uint256:
    """@notice The most that `redeem` burns now; zero while locked or an adapter cannot be read."""
    readable: bool = False
    total: uint256 = 0
    readable, total = self._try_live_total(True)
    if not readable:
        return 0
    supply: uint256 = erc20.totalSupply
    free: uint256 = self._live_free_idle()
    # One share less than the least that would be paid more than what is free.
    too_much: uint256 = free + 1 + exit_fee._fee_up(free + 1, free)
    payable_shares: uint256 = vault_shares._to_shares_up(too_much, total, supply) - 1
    shares: uint256 = min(erc20.balanceOf[owner], payable_shares)
    worth: uint256 = vault_shares._to_assets_down(shares, total, supply)
    return shares if exit_fee._paid_down(worth, free) != 0 else 0


# Rates and books


@view
@external
def rate() -> uint256:
    """@notice Booked assets per share, WAD, rounded down. Reads no adapter."""
    return vault_shares._to_assets_down(WAD, vault_books._total_after(0, 0), erc20.totalSupply)


@view
@external
def live_rate() -> uint256:
    """@notice Assets per share, WAD, rounded down, of who leaves now. Never above `rate()`."""
    total: uint256 = vault_books._live_total(True)
    return vault_shares._to_assets_down(WAD, total, erc20.totalSupply)


@view
@external
def live_total_assets(leaving: bool) -> uint256:
    """
    @notice Total assets as if every adapter were synced now; or, for who is leaving, as if every
            visible slash were executed too. Never above `totalAssets()`.
    """
    return vault_books._live_total(leaving)


@external
def sync() -> (uint256, uint256, bool, uint256):
    """
    @notice Book every adapter that can be read. Open to anyone.
    @return Total assets for who is leaving, the supply that belongs to it, whether every adapter that
            stands in the books could be read, and what visible slashes took off the total.
    """
    return vault_books._sync(False, True)


@external
def pay_rewards(amount: uint256):
    """@notice Hand `amount` of the asset to the holders; it unlocks linearly. Open to anyone."""
    if amount == 0:
        checks._fail("vault: no rewards")
    # A loss that is not booked yet would make the fee too high.
    vault_books._sync(False, False)
    token._pull(vault_books.asset, msg.sender, amount)
    vault_books._put_gain(amount)
    log ILRTVault.RewardsPaid(payer=msg.sender, amount=amount)


# Settings


@external
def set_exit_fee(buffer: uint256, max_fee: uint256):
    """@notice See `exit_fee`. Owner only."""
    ownable._check_owner()
    exit_fee._set(buffer, max_fee)


@external
def set_performance_fee(fee: uint256, recipient: address):
    """@notice `fee` (WAD) of gains above earlier losses, as shares to `recipient`. Owner only."""
    ownable._check_owner()
    # Gains until now are charged as before.
    vault_books._sync(False, False)
    vault_books.performance_fee._set(fee, recipient)


# Internals


@internal
def _sync_to_enter() -> (uint256, uint256):
    """
    @notice Book what every adapter says, or revert.
    @return Total assets, for the cap, and supply that prices the action.
    """
    total: uint256 = 0
    supply: uint256 = 0
    complete: bool = False
    risk: uint256 = 0
    total, supply, complete, risk = vault_books._sync(True, False)
    return total, supply


@internal
def _sync_to_leave() -> (uint256, uint256, uint256):
    """@return Total assets and supply that price the action, and idle assets that it may take."""
    total: uint256 = 0
    supply: uint256 = 0
    complete: bool = False
    risk: uint256 = 0
    total, supply, complete, risk = vault_books._sync(True, True)
    return total, supply, vault_exits._free_idle(total + risk, supply)


@internal
def _enter(assets: uint256, shares: uint256, total: uint256, receiver: address):
    """
    @notice Take assets, mint shares.
    @param total Total assets, for the cap.
    """
    if assets == 0:
        checks._fail("vault: zero assets")
    if shares == 0:
        checks._fail("vault: zero shares")
    vault_limits._check_deposit(assets, total)
    if shares > vault_shares.MAX - erc20.totalSupply:
        checks._fail("vault: supply limit")
    token._pull(vault_books.asset, msg.sender, assets)
    vault_books._put_idle(assets)
    erc20._mint(receiver, shares)
    log IERC4626.Deposit(sender=msg.sender, owner=receiver, assets=assets, shares=shares)


@internal
def _leave(
    assets: uint256,
    fee: uint256,
    shares: uint256,
    supply: uint256,
    free: uint256,
    receiver: address,
    owner: address,
):
    """
    @notice Burn shares, send assets. Any assets cost at least one share: they round up.
    @param fee Stays, and is locked.
    @param supply The supply that priced the shares.
    @param free Idle assets that instant exits may take.
    """
    if assets == 0:
        checks._fail("vault: zero assets")
    if assets > free:
        checks._fail("vault: not enough idle")
    vault_books._take_idle(assets)
    if fee != 0:
        vault_books._lock(fee)
        log ILRTVault.ExitFeeKept(owner=owner, fee=fee)
    if msg.sender != owner:
        erc20._spend_allowance(owner, msg.sender, shares)
    vault_exits._keep_claim(owner, shares, supply)
    erc20._burn(owner, shares)
    token._push(vault_books.asset, receiver, assets)
    log IERC4626.Withdraw(
        sender=msg.sender, receiver=receiver, owner=owner, assets=assets, shares=shares
    )


@internal
@view
def _live_free_idle() -> uint256:
    """@return Idle assets that an instant exit may take: the line keeps its worth without any risk."""
    return vault_exits._free_idle(vault_books._live_total(False), erc20.totalSupply)


@internal
@view
def _try_live_total(leaving: bool) -> (bool, uint256):
    """@notice `live_total_assets` that says so instead of reverting."""
    success: bool = False
    answer: Bytes[32] = b""
    success, answer = raw_call(
        self,
        abi_encode(leaving, method_id=method_id("live_total_assets(bool)")),
        max_outsize=32,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not success:
        return False, 0
    return True, convert(answer, uint256)


