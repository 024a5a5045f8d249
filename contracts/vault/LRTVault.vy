# pragma version 0.4.3
# pragma nonreentrancy on
# pragma optimize gas
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
     the live one, which also counts the slashes that are visible but not yet executed.
     Shares that wait in the withdrawal queue are shares like others until they are paid; idle assets
     that they are worth are left for them by instant exits and by the allocator.
     Failure mode: an adapter that cannot be read stops deposits, exits and its own sync, and
     changes no booked value; `rate()`, transfers and the other adapters' sync go on.
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
# transfer of ownership.
from snekmate.tokens import erc20

from ..interfaces import ILRTVault
from ..interfaces import IStakingAdapter
from ..interfaces import IWithdrawalQueue

from ..modules import token

# What the vault holds where, and what the adapters say to that.
from ..modules import vault_books

# Assets to shares and back, with virtual parts.
from ..modules import vault_shares

initializes: ownable
initializes: ownable_2step[ownable := ownable]
initializes: erc20[ownable := ownable]
initializes: vault_books

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
    erc20.eip712Domain,
    vault_books.unlock_period,
    vault_books.idle,
    vault_books.locked_profit,
    vault_books.adapter_count,
    vault_books.adapter_at,
    vault_books.booked,
)


WAD: constant(uint256) = 10**18
# Shares that nobody can redeem: the vault is never empty, and moving the price of a share by one
# asset unit costs a thousandth of a whole token.
SEED: constant(uint256) = 10**15
DEAD: constant(address) = 0x000000000000000000000000000000000000dEaD

asset: public(immutable(address))

allocator: public(address)
guardian: public(address)
# The most that `totalAssets()` may reach by deposits.
deposit_cap: public(uint256)
# The most that may stand booked in an adapter after an allocation.
adapter_cap: public(HashMap[address, uint256])

# The withdrawal queue; zero until it is set, once.
queue: public(address)
# Shares that wait in the queue.
queued_shares: public(uint256)
# Exits that were started while idle did not cover the queue.
queue_exits: public(uint256)


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
    assert decimals == 18, "vault: asset decimals"
    asset = asset_
    ownable.__init__()
    ownable_2step.__init__()
    erc20.__init__(name, symbol, 18, name, "1")
    vault_books.__init__(unlock_period)
    self._set_allocator(allocator)
    self._set_guardian(guardian)
    self._set_deposit_cap(deposit_cap)

    held: uint256 = token._balance(asset_, self)
    token._pull(asset_, seeder, SEED)
    held_after: uint256 = token._balance(asset_, self)
    assert held_after - held == SEED, "vault: asset takes a fee"
    vault_books._put_idle(SEED)
    erc20._mint(DEAD, SEED)
    log IERC4626.Deposit(sender=seeder, owner=DEAD, assets=SEED, shares=SEED)


# ERC-4626


@external
def deposit(assets: uint256, receiver: address) -> uint256:
    """@notice Pay `assets`. @return Shares minted to `receiver`, rounded down."""
    total: uint256 = vault_books._sync_all(False)
    shares: uint256 = vault_shares._to_shares_down(assets, total, erc20.totalSupply)
    self._enter(assets, shares, total, receiver)
    return shares


@external
def mint(shares: uint256, receiver: address) -> uint256:
    """@notice Mint exactly `shares` to `receiver`. @return Assets paid, rounded up."""
    assert shares != 0, "vault: zero shares"
    total: uint256 = vault_books._sync_all(False)
    assets: uint256 = vault_shares._to_assets_up(shares, total, erc20.totalSupply)
    self._enter(assets, shares, total, receiver)
    return assets


@external
def withdraw(assets: uint256, receiver: address, owner: address) -> uint256:
    """@notice Send exactly `assets` of idle to `receiver`. @return Shares burned, rounded up."""
    total: uint256 = vault_books._sync_all(True)
    shares: uint256 = vault_shares._to_shares_up(assets, total, erc20.totalSupply)
    self._leave(assets, shares, total, receiver, owner)
    return shares


@external
def redeem(shares: uint256, receiver: address, owner: address) -> uint256:
    """@notice Burn `shares`. @return Assets sent out of idle to `receiver`, rounded down."""
    assert shares != 0, "vault: zero shares"
    total: uint256 = vault_books._sync_all(True)
    assets: uint256 = vault_shares._to_assets_down(shares, total, erc20.totalSupply)
    self._leave(assets, shares, total, receiver, owner)
    return assets


@view
@external
def totalAssets() -> uint256:
    """@notice Booked assets of the shares: idle and staked, without what is still locked."""
    return vault_books._total_after(0)


@view
@external
def convertToShares(assets: uint256) -> uint256:
    """@notice At the booked rate, rounded down."""
    return vault_shares._to_shares_down(assets, vault_books._total_after(0), erc20.totalSupply)


@view
@external
def convertToAssets(shares: uint256) -> uint256:
    """@notice At the booked rate, rounded down."""
    return vault_shares._to_assets_down(shares, vault_books._total_after(0), erc20.totalSupply)


@view
@external
def previewDeposit(assets: uint256) -> uint256:
    """@notice What `deposit` returns in this block."""
    total: uint256 = vault_books._live_total(False)
    return vault_shares._to_shares_down(assets, total, erc20.totalSupply)


@view
@external
def previewMint(shares: uint256) -> uint256:
    """@notice What `mint` returns in this block."""
    total: uint256 = vault_books._live_total(False)
    return vault_shares._to_assets_up(shares, total, erc20.totalSupply)


@view
@external
def previewWithdraw(assets: uint256) -> uint256:
    """@notice What `withdraw` returns in this block."""
    total: uint256 = vault_books._live_total(True)
    return vault_shares._to_shares_up(assets, total, erc20.totalSupply)


@view
@external
def previewRedeem(shares: uint256) -> uint256:
    """@notice What `redeem` returns in this block."""
    total: uint256 = vault_books._live_total(True)
    return vault_shares._to_assets_down(shares, total, erc20.totalSupply)


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
    assets: uint256 = min(
        self._room(total),
        vault_shares._to_assets_down(vault_shares.MAX - supply, total, supply),
    )
    return assets if vault_shares._to_shares_down(assets, total, supply) != 0 else 0


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
    return min(
        vault_shares.MAX - supply,
        vault_shares._to_shares_down(self._room(total), total, supply),
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
    shares: uint256 = erc20.balanceOf[owner]
    return min(
        self._free_idle(total), vault_shares._to_assets_down(shares, total, erc20.totalSupply)
    )


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
    # One share less than the least that would be worth more than what is free.
    free: uint256 = self._free_idle(total)
    payable_shares: uint256 = vault_shares._to_shares_up(free + 1, total, supply) - 1
    shares: uint256 = min(erc20.balanceOf[owner], payable_shares)
    return shares if vault_shares._to_assets_down(shares, total, supply) != 0 else 0


# Rates and books


@view
@external
def rate() -> uint256:
    """@notice Booked assets per share, WAD, rounded down. Reads no adapter."""
    return vault_shares._to_assets_down(WAD, vault_books._total_after(0), erc20.totalSupply)


@view
@external
def live_rate() -> uint256:
    """@notice Assets per share, WAD, rounded down, that an exit gets now. Never above `rate()`."""
    total: uint256 = vault_books._live_total(True)
    return vault_shares._to_assets_down(WAD, total, erc20.totalSupply)


@view
@external
def live_total_assets(leaving: bool) -> uint256:
    """
    @notice Total assets as if every adapter were synced now, which price a deposit; or, for who is
            leaving, as if every visible slash were executed too. Never above `totalAssets()`.
    """
    return vault_books._live_total(leaving)


@external
def sync(adapter: address) -> (uint256, uint256):
    """@notice Book an adapter's live value. Open to anyone. @return Gain and loss booked by it."""
    return vault_books._sync(adapter)


@external
def sync_all() -> uint256:
    """@notice Book every adapter. Open to anyone. @return Total assets for who is leaving."""
    return vault_books._sync_all(True)


@external
def pay_rewards(amount: uint256):
    """@notice Hand `amount` of the asset to the holders; it unlocks linearly. Open to anyone."""
    assert amount != 0, "vault: no rewards"
    token._pull(asset, msg.sender, amount)
    vault_books._put_profit(amount)
    log ILRTVault.RewardsPaid(payer=msg.sender, amount=amount)


# Staking


@external
def allocate(adapter: address, amount: uint256):
    """@notice Stake idle assets. Allocator only."""
    self._check_allocator()
    vault_books._check_listed(adapter)
    assert amount != 0, "vault: zero amount"
    vault_books._stake(adapter, amount)
    assert self._covers_queue(), "vault: queue unfunded"
    token._push(asset, adapter, amount)
    extcall IStakingAdapter(adapter).stake(amount)
    log ILRTVault.Allocated(adapter=adapter, amount=amount)
    vault_books._sync(adapter)
    assert vault_books.booked[adapter] <= self.adapter_cap[adapter], "vault: adapter cap"


@external
def deallocate(adapter: address, amount: uint256) -> uint256:
    """@notice Start to take at most `amount` back. Allocator only. @return The exit's id."""
    self._check_allocator()
    return self._start_exit(adapter, amount)


@external
def finish_exit(adapter: address, id: uint256) -> uint256:
    """
    @notice Bring a matured exit home. Open to anyone.
    @dev What arrives is measured, not believed. What it brings above the books is a gain, locked.
    @return The amount that came back.
    """
    vault_books._check_listed(adapter)
    held: uint256 = token._balance(asset, self)
    extcall IStakingAdapter(adapter).finish_exit(id)
    held_after: uint256 = token._balance(asset, self)
    amount: uint256 = held_after - held
    vault_books._unstake(adapter, amount)
    log ILRTVault.ExitFinished(adapter=adapter, id=id, amount=amount)
    vault_books._sync(adapter)
    return amount


# Withdrawal queue


@external
def join_queue(shares: uint256):
    """@notice `shares` that the queue holds begin to wait. Queue only."""
    self._check_queue()
    self.queued_shares += shares


@external
def settle_queue(shares: uint256, burnt: uint256, assets: uint256):
    """
    @notice `shares` no longer wait: `burnt` of them are burned, for `assets` out of idle. Queue only.
    @dev What the burnt shares were worth above `assets` becomes locked profit of those who stay, so
         that nobody can buy in before it and leave with it after. The rate does not move.
    """
    self._check_queue()
    self.queued_shares -= shares
    if burnt == 0:
        return
    total: uint256 = vault_books._total_after(0)
    worth: uint256 = vault_shares._to_assets_down(burnt, total, erc20.totalSupply)
    assert assets <= worth, "vault: paid above the rate"
    vault_books._take_idle(assets)
    vault_books._lock(worth - assets)
    erc20._burn(msg.sender, burnt)
    token._push(asset, msg.sender, assets)
    log IERC4626.Withdraw(
        sender=msg.sender, receiver=msg.sender, owner=msg.sender, assets=assets, shares=burnt
    )


@external
def pull_back(adapter: address, amount: uint256) -> uint256:
    """@notice Start to take at most `amount` back. Queue only. @return The exit's id."""
    self._check_queue()
    return self._start_exit(adapter, amount)


# Roles


@external
def set_queue(queue: address):
    """@notice Set the withdrawal queue of this vault, once. Owner only."""
    ownable._check_owner()
    assert self.queue == empty(address), "vault: queue is set"
    vault: address = staticcall IWithdrawalQueue(queue).vault()
    assert vault == self, "vault: queue of another vault"
    self.queue = queue
    log ILRTVault.QueueSet(queue=queue)


@external
def add_adapter(adapter: address, cap: uint256):
    """@notice List an adapter of this vault and asset. Owner only."""
    ownable._check_owner()
    vault: address = staticcall IStakingAdapter(adapter).vault()
    assert vault == self, "vault: adapter of another vault"
    adapter_asset: address = staticcall IStakingAdapter(adapter).asset()
    assert adapter_asset == asset, "vault: adapter of another asset"
    vault_books._list(adapter)
    self.adapter_cap[adapter] = cap
    log ILRTVault.AdapterAdded(adapter=adapter, cap=cap)


@external
def set_adapter_cap(adapter: address, cap: uint256):
    """@notice Change a cap: the owner freely, the guardian only downwards."""
    self._check_cap_change(self.adapter_cap[adapter], cap)
    vault_books._check_listed(adapter)
    self.adapter_cap[adapter] = cap
    log ILRTVault.AdapterCapSet(adapter=adapter, cap=cap)


@external
def set_deposit_cap(cap: uint256):
    """@notice Change the deposit cap: the owner freely, the guardian only downwards."""
    self._check_cap_change(self.deposit_cap, cap)
    self._set_deposit_cap(cap)


@external
def set_allocator(allocator: address):
    """@notice Owner only; zero for none."""
    ownable._check_owner()
    self._set_allocator(allocator)


@external
def set_guardian(guardian: address):
    """@notice Owner only; zero for none."""
    ownable._check_owner()
    self._set_guardian(guardian)


# Internals


@internal
def _enter(assets: uint256, shares: uint256, total: uint256, receiver: address):
    """
    @notice Take assets, mint shares.
    @param total Total assets that priced the shares.
    """
    assert assets != 0, "vault: zero assets"
    assert shares != 0, "vault: zero shares"
    assert assets <= self._room(total), "vault: deposit cap"
    assert shares <= vault_shares.MAX - erc20.totalSupply, "vault: supply limit"
    token._pull(asset, msg.sender, assets)
    vault_books._put_idle(assets)
    erc20._mint(receiver, shares)
    log IERC4626.Deposit(sender=msg.sender, owner=receiver, assets=assets, shares=shares)


@internal
def _leave(assets: uint256, shares: uint256, total: uint256, receiver: address, owner: address):
    """
    @notice Burn shares, send assets. Any assets cost at least one share: they round up.
    @param total Total assets that priced the shares.
    """
    assert assets != 0, "vault: zero assets"
    assert assets <= self._free_idle(total), "vault: not enough idle"
    vault_books._take_idle(assets)
    if msg.sender != owner:
        erc20._spend_allowance(owner, msg.sender, shares)
    erc20._burn(owner, shares)
    token._push(asset, receiver, assets)
    log IERC4626.Withdraw(
        sender=msg.sender, receiver=receiver, owner=owner, assets=assets, shares=shares
    )


@internal
def _start_exit(adapter: address, amount: uint256) -> uint256:
    vault_books._check_listed(adapter)
    assert amount != 0, "vault: zero amount"
    if not self._covers_queue():
        self.queue_exits += 1
    id: uint256 = extcall IStakingAdapter(adapter).start_exit(amount)
    log ILRTVault.ExitStarted(adapter=adapter, id=id, amount=amount)
    return id


@internal
@view
def _free_idle(total: uint256) -> uint256:
    """@return Idle assets less what the waiting shares are worth at this total, rounded up."""
    idle: uint256 = vault_books._idle()
    kept: uint256 = vault_shares._to_assets_up(self.queued_shares, total, erc20.totalSupply)
    return idle - min(idle, kept)


@internal
@view
def _covers_queue() -> bool:
    """@return Whether idle pays the waiting shares at the booked rate: never below the live one."""
    needed: uint256 = vault_shares._to_assets_up(
        self.queued_shares, vault_books._total_after(0), erc20.totalSupply
    )
    return needed <= vault_books._idle()


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


@internal
@view
def _room(total: uint256) -> uint256:
    """@return Assets that may still be deposited on top of `total`."""
    cap: uint256 = min(self.deposit_cap, vault_shares.MAX)
    return cap - min(cap, total)


@internal
@view
def _check_allocator():
    assert msg.sender == self.allocator, "vault: not the allocator"


@internal
@view
def _check_queue():
    assert msg.sender == self.queue, "vault: not the queue"


@internal
@view
def _check_cap_change(current: uint256, cap: uint256):
    if msg.sender != ownable.owner:
        assert msg.sender == self.guardian, "vault: not owner or guardian"
        assert cap <= current, "vault: guardian only lowers"


@internal
def _set_deposit_cap(cap: uint256):
    self.deposit_cap = cap
    log ILRTVault.DepositCapSet(cap=cap)


@internal
def _set_allocator(allocator: address):
    self.allocator = allocator
    log ILRTVault.AllocatorSet(allocator=allocator)


@internal
def _set_guardian(guardian: address):
    self.guardian = guardian
    log ILRTVault.GuardianSet(guardian=guardian)
