# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Staking of the LRT vault
@custom:contract-name vault_staking
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The allocator stakes idle assets through listed adapters, each under its caps, and starts to take
        them back; anyone brings a matured exit home. An adapter that cannot be believed is put under
        quarantine: from then on it only gives back.
@dev Amounts in asset units.
"""
# The owner, who lists adapters.
from snekmate.auth import ownable

from ..interfaces import ILRTVault
from ..interfaces import ISidePocket
from ..interfaces import IStakingAdapter
from . import checks
from . import token
from . import vault_books
from . import vault_exits
from . import vault_limits

uses: ownable
uses: vault_limits
uses: vault_books
uses: vault_exits


@external
def add_adapter(adapter: address, cap: uint256, share_cap: uint256):
    """@notice List an adapter of this vault and asset. Owner only."""
    ownable._check_owner()
    vault: address = staticcall IStakingAdapter(adapter).vault()
    if vault != self:
        checks._fail("vault: adapter of another vault")
    adapter_asset: address = staticcall IStakingAdapter(adapter).asset()
    if adapter_asset != vault_books.asset:
        checks._fail("vault: adapter of another asset")
    vault_books._list(adapter)
    log ILRTVault.AdapterAdded(adapter=adapter)
    vault_limits._change_adapter_caps(adapter, cap, share_cap)


@external
def set_adapter_caps(adapter: address, cap: uint256, share_cap: uint256):
    """@notice Change the caps: the owner freely, the guardian only downwards."""
    vault_books._check_listed(adapter)
    vault_limits._change_adapter_caps(adapter, cap, share_cap)


@external
def allocate(adapter: address, amount: uint256):
    """@notice Stake idle assets. Allocator only."""
    vault_limits._check_allocator()
    vault_limits._check_not_paused()
    vault_books._check_listed(adapter)
    if amount == 0:
        checks._fail("vault: zero amount")
    vault_books._stake(adapter, amount)
    if not vault_exits._covers_queue():
        checks._fail("vault: queue unfunded")
    token._push(vault_books.asset, adapter, amount)
    extcall IStakingAdapter(adapter).stake(amount)
    log ILRTVault.Allocated(adapter=adapter, amount=amount)
    vault_books._sync(True, False)
    whole: uint256 = vault_books._idle() + vault_books._staked()
    vault_limits._check_allocation(adapter, vault_books.booked[adapter], whole)


@external
def deallocate(adapter: address, amount: uint256) -> uint256:
    """@notice Start to take at most `amount` back. Allocator only. @return The exit's id."""
    vault_limits._check_allocator()
    return vault_exits._start_exit(adapter, amount)


@external
def finish_exit(adapter: address, id: uint256) -> uint256:
    """
    @notice Bring a matured exit home. Open to anyone.
    @dev What arrives is measured, not believed. What it brings above the books is a gain. What comes
         from a quarantine is shared with those who have left since.
    @return The amount that came back.
    """
    quarantined: bool = vault_books._check_known(adapter)
    vault_books._sync(False, False)
    held: uint256 = token._balance(vault_books.asset, self)
    extcall IStakingAdapter(adapter).finish_exit(id)
    held_after: uint256 = token._balance(vault_books.asset, self)
    amount: uint256 = held_after - held
    if quarantined:
        pocket: address = vault_books.side_pocket
        left: uint256 = 0
        expected: uint256 = 0
        left, expected = extcall ISidePocket(pocket).share_out(adapter, amount)
        token._push(vault_books.asset, pocket, left)
        vault_books._put_recovered(expected, amount - left - expected)
    else:
        vault_books._unstake(adapter, amount)
        vault_books._sync(False, False)
    log ILRTVault.ExitFinished(adapter=adapter, id=id, amount=amount)
    return amount


@external
def quarantine(adapter: address):
    """
    @notice Write an adapter off. The owner any time, the guardian only while it cannot be read.
    @dev The loss is booked at once. Exits from it go on, and `finish_exit` shares out what they bring.
    """
    by_owner: bool = vault_limits._is_owner_or_guardian()
    if not by_owner:
        vault_books._check_unreadable(adapter)
    booked: uint256 = 0
    missing: uint256 = 0
    booked, missing = vault_books._write_off(adapter)
    extcall ISidePocket(vault_books.side_pocket).open(adapter, missing)
    log ILRTVault.Quarantined(adapter=adapter, written_off=booked)
