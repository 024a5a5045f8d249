# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Roles and limits of the LRT vault
@custom:contract-name vault_limits
@license GNU Affero General Public License v3.0 only
@author Relever
@notice How much may be deposited and staked, and who says so: the owner freely, the guardian only
        downwards. Either may pause what brings money in; a pause ends by itself, and the next one
        cannot begin before as much time has passed without one.
@dev Amounts in asset units, shares of the whole in WAD, times in seconds.
"""
# The owner, with whom the vault came to be.
from snekmate.auth import ownable

from ..interfaces import ILRTVault
from . import checks
from . import vault_packing

uses: ownable


WAD: constant(uint256) = 10**18
# Far below what the books can hold, so that gains find room.
MAX_DEPOSIT_CAP: constant(uint256) = 2**112
MAX_PAUSE: constant(uint256) = 3 * 86_400

allocator: public(address)
guardian: public(address)
# Deposit cap, end of the pause, and the time from which the next may begin; see `vault_packing`.
_limits: uint256
# By adapter: the cap in asset units and as a share of the whole.
_adapter_caps: HashMap[address, uint256]


@deploy
def __init__(allocator: address, guardian: address, deposit_cap: uint256):
    self._set_allocator(allocator)
    self._set_guardian(guardian)
    self._set_deposit_cap(deposit_cap)


@view
@external
def deposit_cap() -> uint256:
    """@notice The most that `totalAssets()` may reach by deposits."""
    return vault_packing._unpack_timed(self._limits)[0]


@view
@external
def paused_until() -> uint256:
    """@notice Until then no deposit and no allocation."""
    return vault_packing._unpack_timed(self._limits)[1]


@view
@external
def pause_again_from() -> uint256:
    """@notice The next pause can begin then."""
    return vault_packing._unpack_timed(self._limits)[2]


@view
@external
def adapter_caps(adapter: address) -> (uint256, uint256):
    """@notice The cap in asset units, and as a share of the whole, WAD."""
    return vault_packing._unpack_pair(self._adapter_caps[adapter])


@external
def pause(duration: uint256):
    """@notice Stop deposits and allocations for so many seconds. Guardian or owner."""
    self._is_owner_or_guardian()
    if duration == 0 or duration > MAX_PAUSE:
        checks._fail("vault: pause duration")
    cap: uint256 = 0
    until: uint256 = 0
    again_from: uint256 = 0
    cap, until, again_from = vault_packing._unpack_timed(self._limits)
    if block.timestamp < again_from:
        checks._fail("vault: paused lately")
    until = block.timestamp + duration
    self._limits = vault_packing._pack_timed(cap, until, until + duration)
    log ILRTVault.PausedUntil(time=until)


@external
def set_deposit_cap(cap: uint256):
    """@notice Change the deposit cap: the owner freely, the guardian only downwards."""
    by_owner: bool = self._is_owner_or_guardian()
    current: uint256 = vault_packing._unpack_timed(self._limits)[0]
    if not by_owner and cap > current:
        checks._fail("vault: guardian only lowers")
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


@internal
@view
def _room(total: uint256) -> uint256:
    """@return Assets that may be deposited on top of `total` now."""
    cap: uint256 = 0
    until: uint256 = 0
    again_from: uint256 = 0
    cap, until, again_from = vault_packing._unpack_timed(self._limits)
    return cap - min(cap, total) if block.timestamp >= until else 0


@internal
@view
def _check_deposit(assets: uint256, total: uint256):
    """@notice `assets` on top of `total`."""
    limits: uint256 = self._limits
    cap: uint256 = limits & vault_packing.MAX_128
    if block.timestamp < (limits >> 128) & vault_packing.MAX_64:
        checks._fail("vault: paused")
    if assets + total > cap:
        checks._fail("vault: deposit cap")


@internal
@view
def _check_not_paused():
    until: uint256 = vault_packing._unpack_timed(self._limits)[1]
    if block.timestamp < until:
        checks._fail("vault: paused")


@internal
@view
def _check_allocation(adapter: address, booked: uint256, whole: uint256):
    """@notice What stands booked in an adapter now, against its caps; `whole` is idle and staked."""
    cap: uint256 = 0
    share_cap: uint256 = 0
    cap, share_cap = vault_packing._unpack_pair(self._adapter_caps[adapter])
    if booked > cap:
        checks._fail("vault: adapter cap")
    if booked > whole * share_cap // WAD:
        checks._fail("vault: adapter share cap")


@internal
@view
def _check_allocator():
    if msg.sender != self.allocator:
        checks._fail("vault: not the allocator")


@internal
@view
def _is_owner_or_guardian() -> bool:
    """@return Whether it is the owner; reverts for anyone but the two."""
    by_owner: bool = msg.sender == ownable.owner
    if not by_owner and msg.sender != self.guardian:
        checks._fail("vault: not owner or guardian")
    return by_owner


@internal
def _change_adapter_caps(adapter: address, cap: uint256, share_cap: uint256):
    """@notice The owner freely, the guardian only downwards."""
    by_owner: bool = self._is_owner_or_guardian()
    current: uint256 = 0
    current_share: uint256 = 0
    current, current_share = vault_packing._unpack_pair(self._adapter_caps[adapter])
    lowers: bool = cap <= current and share_cap <= current_share
    if not by_owner and not lowers:
        checks._fail("vault: guardian only lowers")
    self._set_adapter_caps(adapter, cap, share_cap)


@internal
def _set_adapter_caps(adapter: address, cap: uint256, share_cap: uint256):
    if share_cap > WAD:
        checks._fail("vault: share cap")
    self._adapter_caps[adapter] = vault_packing._pack_pair(cap, share_cap)
    log ILRTVault.AdapterCapsSet(adapter=adapter, cap=cap, share_cap=share_cap)


@internal
def _set_deposit_cap(cap: uint256):
    if cap > MAX_DEPOSIT_CAP:
        checks._fail("vault: deposit cap too large")
    old: uint256 = 0
    until: uint256 = 0
    again_from: uint256 = 0
    old, until, again_from = vault_packing._unpack_timed(self._limits)
    self._limits = vault_packing._pack_timed(cap, until, again_from)
    log ILRTVault.DepositCapSet(cap=cap)


@internal
def _set_allocator(allocator: address):
    self.allocator = allocator
    log ILRTVault.AllocatorSet(allocator=allocator)


@internal
def _set_guardian(guardian: address):
    self.guardian = guardian
    log ILRTVault.GuardianSet(guardian=guardian)
