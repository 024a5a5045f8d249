# pragma version 0.4.3
"""
@title Books of the LRT vault after a deposit or a redemption
@custom:contract-name vault_after
@license GNU Affero General Public License v3.0 only
@author Relever
@notice What the vault's rates will be when shares have come or gone, to the last digit.
@dev Either syncs the vault first, and only the vault knows what fee shares that brings: so it is synced
     in a call that ends by a revert. What is priced is the supply before them, as the vault does.
     A deposit does not look at an adapter in which nothing stands booked, as a sync does: should one have
     been given something, the last digit of a rate may differ.
"""
from ethereum.ercs import IERC20
from ethereum.ercs import IERC4626

from ..interfaces import ILRTVault
from ..interfaces import ISidePocket
from . import revert_reason
from . import vault_shares


struct Books:
    # Booked assets of the shares, those of who leaves now, and whether these can be read.
    total: uint256
    leaving: uint256
    readable: bool
    supply: uint256
    # What quarantined adapters are to give back.
    expected: uint256


interface LiveVault:
    def live_total_assets(leaving: bool) -> uint256: view


WAD: constant(uint256) = 10**18
# Scale of the parts in the side pocket.
WHOLE: constant(uint256) = 10**36
MAX_QUARANTINED: constant(uint256) = 16


@external
def rehearse_sync(vault: address):
    """@notice Tells what a sync of a vault leaves, and undoes it. Always reverts."""
    extcall ILRTVault(vault).sync()
    total: uint256 = staticcall IERC4626(vault).totalAssets()
    supply: uint256 = staticcall IERC20(vault).totalSupply()
    expected: uint256 = staticcall ILRTVault(vault).expected_back()
    readable: bool = False
    answer: Bytes[32] = b""
    readable, answer = raw_call(
        vault,
        abi_encode(True, method_id=method_id("live_total_assets(bool)")),
        max_outsize=32,
        is_static_call=True,
        revert_on_failure=False,
    )
    leaving: uint256 = convert(answer, uint256) if readable else 0
    raw_revert(abi_encode(Books(
        total=total, leaving=leaving, readable=readable, supply=supply, expected=expected
    )))


@internal
def _synced(vault: address) -> Books:
    """@return The books as a sync now would leave them."""
    done: bool = False
    answer: Bytes[160] = b""
    done, answer = raw_call(
        self,
        abi_encode(vault, method_id=method_id("rehearse_sync(address)")),
        max_outsize=160,
        revert_on_failure=False,
    )
    if len(answer) != 160:
        raw_revert(answer)
    return abi_decode(answer, Books)


@view
@internal
def _check_deposit(vault: address, assets: uint256, total: uint256, shares: uint256):
    """
    @notice As the vault checks it.
    @param total Total assets that price it.
    """
    assert shares != 0, "vault: zero shares"
    paused_until: uint256 = staticcall ILRTVault(vault).paused_until()
    assert block.timestamp >= paused_until, "vault: paused"
    cap: uint256 = staticcall ILRTVault(vault).deposit_cap()
    assert assets + total <= cap, "vault: deposit cap"


@pure
@internal
def _deposited(before: Books, assets: uint256, shares: uint256) -> Books:
    after: Books = before
    after.total += assets
    after.leaving += assets
    after.supply += shares
    return after


@view
@internal
def _redeemed(vault: address, before: Books, shares: uint256) -> Books:
    """@param before Of a sync; the vault has not been synced yet."""
    after: Books = before
    leaving: uint256 = staticcall LiveVault(vault).live_total_assets(True)
    supply: uint256 = staticcall IERC20(vault).totalSupply()
    # What is paid leaves, and the fee on it is locked.
    worth: uint256 = vault_shares._to_assets_down(shares, leaving, supply)
    after.total -= worth
    after.leaving -= worth
    after.supply -= shares
    after.expected = self._expected_without(vault, shares, supply)
    return after


@view
@internal
def _free_idle(vault: address) -> uint256:
    """@return Idle assets that a redemption may take."""
    idle: uint256 = staticcall ILRTVault(vault).idle()
    waiting: uint256 = staticcall ILRTVault(vault).queued_shares()
    if waiting == 0:
        return idle
    total: uint256 = staticcall LiveVault(vault).live_total_assets(False)
    supply: uint256 = staticcall IERC20(vault).totalSupply()
    return idle - min(idle, vault_shares._to_assets_up(waiting, total, supply))


@view
@internal
def _expected_without(vault: address, shares: uint256, supply: uint256) -> uint256:
    """@return What is still expected when these shares have left with their part of it."""
    left: uint256 = 0
    had: bool = staticcall ILRTVault(vault).had_quarantine()
    if not had:
        return left
    pocket: address = staticcall ILRTVault(vault).side_pocket()
    count: uint256 = staticcall ISidePocket(pocket).adapter_count()
    for i: uint256 in range(count, bound=MAX_QUARANTINED):
        adapter: address = staticcall ISidePocket(pocket).adapter_at(i)
        part: uint256 = staticcall ISidePocket(pocket).shares_part(adapter)
        owed: uint256 = staticcall ISidePocket(pocket).owed_of(adapter)
        expected: uint256 = staticcall ISidePocket(pocket).expected_of(adapter)
        if owed != 0:
            part -= min(part, part * shares // supply)
        left += (expected * part + WHOLE - 1) // WHOLE
    return left


@pure
@internal
def _rate(books: Books) -> uint256:
    """@return Assets per share that collateral is priced at: booked, with what is expected back."""
    booked: uint256 = vault_shares._to_assets_down(WAD, books.total, books.supply)
    return booked + books.expected * WAD // (books.supply + vault_shares.VIRTUAL)


@pure
@internal
def _live_rate(books: Books) -> uint256:
    return vault_shares._to_assets_down(WAD, books.leaving, books.supply)
