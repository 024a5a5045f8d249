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
     A gain is booked as locked profit that unlocks over `unlock_period`, a loss at once. Deposits and
     exits first book what the adapters say. Who enters pays the booked rate; who leaves gets the
     live one, which also counts the slashes that are visible but not yet executed.
     Failure mode: an adapter that cannot be read stops deposits, exits and its own sync, and changes
     no booked value; `rate()`, transfers and the other adapters' sync go on.
     While an action runs, every function is locked but the ERC-20 ones and the four `max*`, which
     then return zero.
"""
from ethereum.ercs import IERC20Detailed
from ethereum.ercs import IERC4626

# Ownership in two steps. Left out: renouncing it, for a vault without an owner could never again list
# an adapter or replace a lost allocator.
from snekmate.auth import ownable
from snekmate.auth import ownable_2step

# The share token with permit. Left out: its public mint, burn and minter role, for shares come and go
# with assets only; and its one-step transfer of ownership.
from snekmate.tokens import erc20

from ..interfaces import ILRTVault
from ..interfaces import IStakingAdapter

# Gains that unlock with time.
from ..modules import locked_profit as profit
from ..modules import token
from ..modules import vault_packing

# Assets to shares and back, with virtual parts.
from ..modules import vault_shares

initializes: ownable
initializes: ownable_2step[ownable := ownable]
initializes: erc20[ownable := ownable]
initializes: profit

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
)


# What the adapters say, against the books.
struct Survey:
    live: DynArray[uint256, MAX_ADAPTERS]
    gain: uint256
    loss: uint256
    # What the loss would be if the visible slashes were executed too.
    loss_at_risk: uint256


WAD: constant(uint256) = 10**18
MAX_ADAPTERS: constant(uint256) = 8
MAX_UNLOCK_PERIOD: constant(uint256) = 365 * 86_400
# Shares that nobody can redeem: the vault is never empty, and moving the price of a share by one asset
# unit costs a thousandth of a whole token.
SEED: constant(uint256) = 10**15
DEAD: constant(address) = 0x000000000000000000000000000000000000dEaD

asset: public(immutable(address))
# Seconds over which a gain unlocks.
unlock_period: public(immutable(uint256))

allocator: public(address)
guardian: public(address)
# The most that `totalAssets()` may reach by deposits.
deposit_cap: public(uint256)
booked: public(HashMap[address, uint256])
adapter_cap: public(HashMap[address, uint256])
_listed: HashMap[address, bool]
_adapters: DynArray[address, MAX_ADAPTERS]
# Idle assets and the sum of `booked`, in one word.
_funds: uint256


@deploy
def __init__(
    asset_: address,
    name: String[25],
    symbol: String[5],
    allocator: address,
    guardian: address,
    unlock_period_: uint256,
    deposit_cap: uint256,
    seeder: address,
):
    """
    @notice The deployer owns the vault.
    @param unlock_period_ Seconds over which gains unlock, from one second to a year.
    @param deposit_cap In asset units.
    @param seeder Pays `SEED` of the asset; it has approved this address before it exists.
    """
    decimals: uint8 = staticcall IERC20Detailed(asset_).decimals()
    assert decimals == 18, "vault: asset decimals"
    assert 0 < unlock_period_ and unlock_period_ <= MAX_UNLOCK_PERIOD, "vault: unlock period"
    asset = asset_
    unlock_period = unlock_period_
    ownable.__init__()
    ownable_2step.__init__()
    erc20.__init__(name, symbol, 18, name, "1")
    self._set_allocator(allocator)
    self._set_guardian(guardian)
    self._set_deposit_cap(deposit_cap)

    held: uint256 = token._balance(asset_, self)
    token._pull(asset_, seeder, SEED)
    held_after: uint256 = token._balance(asset_, self)
    assert held_after - held == SEED, "vault: asset takes a fee"
    self._funds = vault_packing._pack_funds(SEED, 0)
    erc20._mint(DEAD, SEED)
    log IERC4626.Deposit(sender=seeder, owner=DEAD, assets=SEED, shares=SEED)


# ERC-4626


@external
def deposit(assets: uint256, receiver: address) -> uint256:
    """@notice Pay `assets`. @return Shares minted to `receiver`, rounded down."""
    total: uint256 = self._sync_all(False)
    shares: uint256 = vault_shares._to_shares_down(assets, total, erc20.totalSupply)
    self._enter(assets, shares, total, receiver)
    return shares


@external
def mint(shares: uint256, receiver: address) -> uint256:
    """@notice Mint exactly `shares` to `receiver`. @return Assets paid, rounded up."""
    total: uint256 = self._sync_all(False)
    assets: uint256 = vault_shares._to_assets_up(shares, total, erc20.totalSupply)
    self._enter(assets, shares, total, receiver)
    return assets


@external
def withdraw(assets: uint256, receiver: address, owner: address) -> uint256:
    """@notice Send exactly `assets` out of idle to `receiver`. @return Shares burned, rounded up."""
    total: uint256 = self._sync_all(True)
    shares: uint256 = vault_shares._to_shares_up(assets, total, erc20.totalSupply)
    self._leave(assets, shares, receiver, owner)
    return shares


@external
def redeem(shares: uint256, receiver: address, owner: address) -> uint256:
    """@notice Burn `shares`. @return Assets sent out of idle to `receiver`, rounded down."""
    total: uint256 = self._sync_all(True)
    assets: uint256 = vault_shares._to_assets_down(shares, total, erc20.totalSupply)
    self._leave(assets, shares, receiver, owner)
    return assets


@view
@external
def totalAssets() -> uint256:
    """@notice Booked assets of the shares: idle and staked, without what is still locked."""
    return self._total_after(0)


@view
@external
def convertToShares(assets: uint256) -> uint256:
    """@notice At the booked rate, rounded down."""
    return vault_shares._to_shares_down(assets, self._total_after(0), erc20.totalSupply)


@view
@external
def convertToAssets(shares: uint256) -> uint256:
    """@notice At the booked rate, rounded down."""
    return vault_shares._to_assets_down(shares, self._total_after(0), erc20.totalSupply)


@view
@external
def previewDeposit(assets: uint256) -> uint256:
    """@notice What `deposit` returns in this block."""
    total: uint256 = self._live_total(False)
    return vault_shares._to_shares_down(assets, total, erc20.totalSupply)


@view
@external
def previewMint(shares: uint256) -> uint256:
    """@notice What `mint` returns in this block."""
    total: uint256 = self._live_total(False)
    return vault_shares._to_assets_up(shares, total, erc20.totalSupply)


@view
@external
def previewWithdraw(assets: uint256) -> uint256:
    """@notice What `withdraw` returns in this block."""
    total: uint256 = self._live_total(True)
    return vault_shares._to_shares_up(assets, total, erc20.totalSupply)


@view
@external
def previewRedeem(shares: uint256) -> uint256:
    """@notice What `redeem` returns in this block."""
    total: uint256 = self._live_total(True)
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
    return min(self._idle(), vault_shares._to_assets_down(shares, total, erc20.totalSupply))


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
    # One share less than the least that would be worth more than idle.
    payable_shares: uint256 = vault_shares._to_shares_up(self._idle() + 1, total, supply) - 1
    shares: uint256 = min(erc20.balanceOf[owner], payable_shares)
    return shares if vault_shares._to_assets_down(shares, total, supply) != 0 else 0


# Rates and books


@view
@external
def rate() -> uint256:
    """@notice Booked assets per share, WAD, rounded down. Reads no adapter."""
    return vault_shares._to_assets_down(WAD, self._total_after(0), erc20.totalSupply)


@view
@external
def live_rate() -> uint256:
    """@notice Assets per share, WAD, rounded down, that an exit gets now. Never above `rate()`."""
    total: uint256 = self._live_total(True)
    return vault_shares._to_assets_down(WAD, total, erc20.totalSupply)


@view
@external
def live_total_assets(leaving: bool) -> uint256:
    """
    @notice Total assets as if every adapter were synced now, which price a deposit; or, for who is
            leaving, as if every visible slash were executed too. Never above `totalAssets()`.
    """
    return self._live_total(leaving)


@view
@external
def idle() -> uint256:
    """@notice Assets held by the vault itself, as booked."""
    return self._idle()


@view
@external
def locked_profit() -> uint256:
    """@notice Gain that is booked but not yet part of `totalAssets()`."""
    return profit._locked_up()


@view
@external
def adapter_count() -> uint256:
    """@notice Number of adapters."""
    return len(self._adapters)


@view
@external
def adapter_at(index: uint256) -> address:
    """@notice The adapter at `index`, in the order in which they were added."""
    return self._adapters[index]


@external
def sync(adapter: address) -> (uint256, uint256):
    """@notice Book an adapter's live value. Open to anyone. @return Gain and loss booked by it."""
    return self._sync(adapter)


@external
def pay_rewards(amount: uint256):
    """@notice Hand `amount` of the asset to the holders; it unlocks linearly. Open to anyone."""
    assert amount != 0, "vault: no rewards"
    token._pull(asset, msg.sender, amount)
    idle: uint256 = 0
    staked: uint256 = 0
    idle, staked = vault_packing._unpack_funds(self._funds)
    self._funds = vault_packing._pack_funds(idle + amount, staked)
    profit._book(amount, 0, unlock_period)
    log ILRTVault.RewardsPaid(payer=msg.sender, amount=amount)


# Staking


@external
def allocate(adapter: address, amount: uint256):
    """@notice Stake idle assets. Allocator only."""
    self._check_allocator()
    self._check_listed(adapter)
    assert amount != 0, "vault: zero amount"
    idle: uint256 = 0
    staked: uint256 = 0
    idle, staked = vault_packing._unpack_funds(self._funds)
    assert amount <= idle, "vault: not enough idle"
    self._funds = vault_packing._pack_funds(idle - amount, staked + amount)
    self.booked[adapter] += amount
    token._push(asset, adapter, amount)
    extcall IStakingAdapter(adapter).stake(amount)
    log ILRTVault.Allocated(adapter=adapter, amount=amount)
    self._sync(adapter)
    assert self.booked[adapter] <= self.adapter_cap[adapter], "vault: adapter cap"


@external
def deallocate(adapter: address, amount: uint256) -> uint256:
    """@notice Start to take at most `amount` back. Allocator only. @return The exit's id."""
    self._check_allocator()
    self._check_listed(adapter)
    assert amount != 0, "vault: zero amount"
    id: uint256 = extcall IStakingAdapter(adapter).start_exit(amount)
    log ILRTVault.ExitStarted(adapter=adapter, id=id, amount=amount)
    return id


@external
def finish_exit(adapter: address, id: uint256) -> uint256:
    """
    @notice Bring a matured exit home. Open to anyone.
    @dev What arrives is measured, not believed. What it brings above the books is a gain, locked.
    @return The amount that came back.
    """
    self._check_listed(adapter)
    held: uint256 = token._balance(asset, self)
    extcall IStakingAdapter(adapter).finish_exit(id)
    held_after: uint256 = token._balance(asset, self)
    amount: uint256 = held_after - held

    booked: uint256 = self.booked[adapter]
    returned: uint256 = min(amount, booked)
    self.booked[adapter] = booked - returned
    idle: uint256 = 0
    staked: uint256 = 0
    idle, staked = vault_packing._unpack_funds(self._funds)
    self._funds = vault_packing._pack_funds(idle + amount, staked - returned)
    if amount > returned:
        profit._book(amount - returned, 0, unlock_period)
    log ILRTVault.ExitFinished(adapter=adapter, id=id, amount=amount)
    self._sync(adapter)
    return amount


# Roles


@external
def add_adapter(adapter: address, cap: uint256):
    """@notice List an adapter of this vault and asset. Owner only."""
    ownable._check_owner()
    assert not self._listed[adapter], "vault: adapter listed"
    assert len(self._adapters) < MAX_ADAPTERS, "vault: too many adapters"
    vault: address = staticcall IStakingAdapter(adapter).vault()
    assert vault == self, "vault: adapter of another vault"
    adapter_asset: address = staticcall IStakingAdapter(adapter).asset()
    assert adapter_asset == asset, "vault: adapter of another asset"
    self._listed[adapter] = True
    self._adapters.append(adapter)
    self.adapter_cap[adapter] = cap
    log ILRTVault.AdapterAdded(adapter=adapter, cap=cap)


@external
def set_adapter_cap(adapter: address, cap: uint256):
    """@notice Change a cap: the owner freely, the guardian only downwards."""
    self._check_cap_change(self.adapter_cap[adapter], cap)
    self._check_listed(adapter)
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
    """@param total Total assets that priced the shares."""
    assert assets != 0, "vault: zero assets"
    assert shares != 0, "vault: zero shares"
    assert assets <= self._room(total), "vault: deposit cap"
    assert shares <= vault_shares.MAX - erc20.totalSupply, "vault: supply limit"
    token._pull(asset, msg.sender, assets)
    idle: uint256 = 0
    staked: uint256 = 0
    idle, staked = vault_packing._unpack_funds(self._funds)
    self._funds = vault_packing._pack_funds(idle + assets, staked)
    erc20._mint(receiver, shares)
    log IERC4626.Deposit(sender=msg.sender, owner=receiver, assets=assets, shares=shares)


@internal
def _leave(assets: uint256, shares: uint256, receiver: address, owner: address):
    assert assets != 0, "vault: zero assets"
    assert shares != 0, "vault: zero shares"
    idle: uint256 = 0
    staked: uint256 = 0
    idle, staked = vault_packing._unpack_funds(self._funds)
    assert assets <= idle, "vault: not enough idle"
    if msg.sender != owner:
        erc20._spend_allowance(owner, msg.sender, shares)
    erc20._burn(owner, shares)
    self._funds = vault_packing._pack_funds(idle - assets, staked)
    token._push(asset, receiver, assets)
    log IERC4626.Withdraw(
        sender=msg.sender, receiver=receiver, owner=owner, assets=assets, shares=shares
    )


@internal
def _sync(adapter: address) -> (uint256, uint256):
    self._check_listed(adapter)
    live: uint256 = self._read(adapter, method_id("total_assets()"))
    gain: uint256 = 0
    loss: uint256 = 0
    gain, loss = self._book_adapter(adapter, live)
    self._book_totals(gain, loss)
    return gain, loss


@internal
def _sync_all(leaving: bool) -> uint256:
    """
    @notice Book what every adapter says.
    @return Total assets, as they were before this call's gains, that price a deposit or an exit.
    """
    survey: Survey = self._survey(leaving)
    total: uint256 = self._total_after(survey.loss_at_risk)
    if survey.gain != 0 or survey.loss != 0:
        index: uint256 = 0
        for live: uint256 in survey.live:
            self._book_adapter(self._adapters[index], live)
            index += 1
        self._book_totals(survey.gain, survey.loss)
    return total


@internal
def _book_adapter(adapter: address, live: uint256) -> (uint256, uint256):
    """@return Gain and loss against what was booked."""
    booked: uint256 = self.booked[adapter]
    if live == booked:
        return 0, 0
    gain: uint256 = live - min(live, booked)
    loss: uint256 = booked - min(live, booked)
    self.booked[adapter] = live
    log ILRTVault.Synced(adapter=adapter, gain=gain, loss=loss, booked=live)
    return gain, loss


@internal
def _book_totals(gain: uint256, loss: uint256):
    """@notice Losses meet the profit that was locked before, not this call's gains."""
    if gain == 0 and loss == 0:
        return
    idle: uint256 = 0
    staked: uint256 = 0
    idle, staked = vault_packing._unpack_funds(self._funds)
    self._funds = vault_packing._pack_funds(idle, staked + gain - loss)
    profit._book(gain, loss, unlock_period)


@internal
@view
def _survey(with_risk: bool) -> Survey:
    """
    @notice Read every adapter that stands in the books. One that does not can bring no loss.
    @param with_risk Read the visible slashes too; without it `loss_at_risk` is just the loss.
    """
    survey: Survey = empty(Survey)
    if vault_packing._unpack_funds(self._funds)[1] == 0:
        return survey
    for adapter: address in self._adapters:
        booked: uint256 = self.booked[adapter]
        live: uint256 = 0
        safe: uint256 = 0
        if booked != 0:
            live = self._read(adapter, method_id("total_assets()"))
            safe = live
            if with_risk:
                at_risk: uint256 = self._read(adapter, method_id("value_at_risk()"))
                safe -= min(safe, at_risk)
        survey.live.append(live)
        survey.gain += live - min(live, booked)
        survey.loss += booked - min(live, booked)
        survey.loss_at_risk += booked - min(safe, booked)
    return survey


@internal
@view
def _read(adapter: address, method: Bytes[4]) -> uint256:
    """
    @notice Ask an adapter for an amount.
    @dev Only an answer counts: a call that reverts, runs out of gas, or finds no code never passes for
         a zero.
    """
    success: bool = False
    answer: Bytes[32] = b""
    success, answer = raw_call(
        adapter, method, max_outsize=32, is_static_call=True, revert_on_failure=False
    )
    assert success and len(answer) == 32, "vault: adapter unreadable"
    amount: uint256 = convert(answer, uint256)
    assert amount <= vault_shares.MAX, "vault: adapter value too large"
    return amount


@internal
@view
def _live_total(leaving: bool) -> uint256:
    """@return See `live_total_assets`."""
    survey: Survey = self._survey(leaving)
    return self._total_after(survey.loss_at_risk)


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
def _total_after(loss: uint256) -> uint256:
    """
    @notice Total assets once `loss` is booked too.
    @dev It takes from the locked profit first, which is not counted anyway. Neither exceeds the sum:
         the loss is part of what is staked, and no exit pays out what is locked.
    """
    idle: uint256 = 0
    staked: uint256 = 0
    idle, staked = vault_packing._unpack_funds(self._funds)
    return idle + staked - max(profit._locked_up(), loss)


@internal
@view
def _idle() -> uint256:
    return vault_packing._unpack_funds(self._funds)[0]


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
def _check_listed(adapter: address):
    assert self._listed[adapter], "vault: unknown adapter"


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
