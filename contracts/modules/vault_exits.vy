# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Exits of the LRT vault
@custom:contract-name vault_exits
@license GNU Affero General Public License v3.0 only
@author Relever
@notice What the vault does for the two contracts that serve those who leave: for the withdrawal queue it
        keeps idle assets, starts exits and burns the shares that were paid; in the side pocket who
        leaves after a quarantine keeps a claim.
@dev Assets in the asset's unit, shares with 18 decimals. Calls between queue and vault go from the queue
     to here only.
"""
from ethereum.ercs import IERC4626

# The owner, who sets both contracts once.
from snekmate.auth import ownable

# Waiting shares are burned when they are paid.
from snekmate.tokens import erc20

from ..interfaces import ILRTVault
from ..interfaces import ISidePocket
from ..interfaces import IStakingAdapter
from ..interfaces import IWithdrawalQueue
from . import checks
from . import token
from . import vault_books
from . import vault_shares

uses: ownable
uses: erc20
uses: vault_books


# The withdrawal queue; zero until it is set, once.
queue: public(address)
# Shares that wait in the queue.
queued_shares: public(uint256)
# Exits that were started while idle did not cover the queue.
queue_exits: public(uint256)


@external
def set_exits(queue: address, side_pocket: address):
    """@notice Set the withdrawal queue and the side pocket of this vault, once. Owner only."""
    ownable._check_owner()
    if self.queue != empty(address):
        checks._fail("vault: exits are set")
    of_queue: address = staticcall IWithdrawalQueue(queue).vault()
    of_pocket: address = staticcall ISidePocket(side_pocket).vault()
    if of_queue != self or of_pocket != self:
        checks._fail("vault: exits of another vault")
    self.queue = queue
    vault_books.side_pocket = side_pocket
    log ILRTVault.ExitsSet(queue=queue, side_pocket=side_pocket)


@external
def join_queue(shares: uint256):
    """@notice `shares` that the queue holds begin to wait. Queue only."""
    self._check_queue()
    self.queued_shares += shares


@external
def settle_queue(shares: uint256, burnt: uint256, assets: uint256, locked: uint256):
    """
    @notice `shares` no longer wait: `burnt` of them are burned, for `assets` out of idle. Queue only.
    @dev Of what the burnt shares were worth above `assets` at most `locked` becomes locked profit of
         those who stay, so that nobody can buy in before it and leave with it after. What a visible
         slash took off stays theirs at once, as by an instant exit.
    """
    self._check_queue()
    self.queued_shares -= shares
    if burnt == 0:
        return
    total: uint256 = vault_books._total_after(0, 0)
    worth: uint256 = vault_shares._to_assets_down(burnt, total, erc20.totalSupply)
    if assets > worth:
        checks._fail("vault: paid above the rate")
    vault_books._take_idle(assets)
    vault_books._lock(min(locked, worth - assets))
    erc20._burn(msg.sender, burnt)
    token._push(vault_books.asset, msg.sender, assets)
    log IERC4626.Withdraw(
        sender=msg.sender, receiver=msg.sender, owner=msg.sender, assets=assets, shares=burnt
    )


@external
def pass_claim(account: address, shares: uint256, supply: uint256):
    """
    @notice Of `supply`, `shares` of `account` leave by the queue: after a quarantine it keeps a claim.
            Queue only.
    """
    self._check_queue()
    self._keep_claim(account, shares, supply)


@external
def pull_back(adapter: address, amount: uint256) -> uint256:
    """@notice Start to take at most `amount` back. Queue only. @return The exit's id."""
    self._check_queue()
    vault_books._check_listed(adapter)
    return self._start_exit(adapter, amount)


@internal
def _start_exit(adapter: address, amount: uint256) -> uint256:
    vault_books._check_known(adapter)
    if amount == 0:
        checks._fail("vault: zero amount")
    if not self._covers_queue():
        self.queue_exits += 1
    id: uint256 = extcall IStakingAdapter(adapter).start_exit(amount)
    log ILRTVault.ExitStarted(adapter=adapter, id=id, amount=amount)
    return id


@internal
@view
def _free_idle(total: uint256, supply: uint256) -> uint256:
    """@return Idle assets less what the waiting shares are worth at this price, rounded up."""
    idle: uint256 = vault_books._idle()
    waiting: uint256 = self.queued_shares
    if waiting == 0:
        return idle
    return idle - min(idle, vault_shares._to_assets_up(waiting, total, supply))


@internal
@view
def _covers_queue() -> bool:
    """@return Whether idle pays the waiting shares at the booked rate: never below the live one."""
    needed: uint256 = vault_shares._to_assets_up(
        self.queued_shares, vault_books._total_after(0, 0), erc20.totalSupply
    )
    return needed <= vault_books._idle()


@internal
def _keep_claim(account: address, shares: uint256, supply: uint256):
    """@notice Who leaves keeps his part of what quarantined adapters give back."""
    if vault_books._had_quarantine():
        extcall ISidePocket(vault_books.side_pocket).leave(account, shares, supply)


@internal
@view
def _check_queue():
    if msg.sender != self.queue:
        checks._fail("vault: not the queue")

