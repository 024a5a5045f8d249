# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title WithdrawalQueue
@custom:contract-name WithdrawalQueue
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The line of those who leave one LRT vault with more than it holds idle. A request is paid the
        lesser of the rates at request and at finalisation, after losses; then its assets are set aside
        here, and no later loss reaches them.
@dev Shares and assets in their smallest units, times in seconds. Calls go from here to the vault only.
     Waiting shares stay shares: they bear losses, and what the lesser rate leaves goes, unlocking, to
     those who stay. Nobody owns this contract and nothing in it can be paused or changed.
     Rounding is against the requester: one asset unit for each part in which a request is filled.
     Tokens sent here without a call stay here and count nowhere.
     Visible slashes do not count at the request. While there are any, a request is only finalised by
     its own controller, as if they were executed, and stops those behind it.
     After a quarantine in the vault, whoever is paid here keeps a claim in the side pocket too.
     Failure mode: an adapter that cannot be read stops finalisations and taking stake back, until it
     is put under quarantine; requests, cancelling and claiming go on. The vault must be of 18 decimals
     with a plain asset, as `LRTVault` demands.
"""
from ethereum.ercs import IERC20
from ethereum.ercs import IERC4626

from ..interfaces import ILRTVault
from ..interfaces import IStakingAdapter
from ..interfaces import IWithdrawalQueue
from ..modules import token

# The vault's own arithmetic: a request is worth what the vault's `redeem` would pay.
from ..modules import vault_shares

implements: IWithdrawalQueue


# What shares are worth to who leaves now.
struct Rates:
    total: uint256
    supply: uint256
    # What quarantines are to give back to the shares on top.
    expected: uint256
    # What visible slashes took off the total.
    risk: uint256


WAD: constant(uint256) = 10**18
# A hundredth of a share, or a whole balance: filling a request costs whoever finalises some gas,
# making one costs its maker several times as much.
MIN_SHARES: constant(uint256) = 10**16
# 0.1 % in WAD: some days of staking reward, what an exit in vain costs the others.
CANCEL_FEE: constant(uint256) = 10**15
# Adapters bound their open exits (EigenLayer's at 16): dust must not use them up. A smaller exit is
# started only where none is open.
MIN_PULL: constant(uint256) = 10**18
# And parts of what is missing must not either.
MAX_PARTS: constant(uint256) = 8
MAX_PATIENCE: constant(uint256) = 90 * 86_400
MAX_WAIT: constant(uint256) = 7 * 86_400
# Requests that one call walks at most: some 8 million gas when it fills them all.
MAX_WALK: constant(uint256) = 128
# The bound of the vault's list.
MAX_ADAPTERS: constant(uint256) = 8

vault: public(immutable(address))
asset: public(immutable(address))
# Seconds after which anyone may take stake back for the head.
patience: public(immutable(uint256))
# Seconds that a request waits at least: who cannot wait pays the vault's exit fee.
wait: public(immutable(uint256))

# No request before this id waits.
head: public(uint256)
next_id: public(uint256)
# Sum of `claimable_assets`.
set_aside: public(uint256)
isOperator: public(HashMap[address, HashMap[address, bool]])
_requests: HashMap[uint256, IWithdrawalQueue.Request]


@deploy
def __init__(vault_: address, patience_: uint256, wait_: uint256):
    """@param patience_ Seconds, at most 90 days. @param wait_ Seconds, at most a week."""
    assert patience_ <= MAX_PATIENCE, "queue: patience"
    vault = vault_
    asset = staticcall IERC4626(vault_).asset()
    assert wait_ <= MAX_WAIT, "queue: wait"
    patience = patience_
    wait = wait_
    self.head = 1
    self.next_id = 1


# Requests


@external
def requestRedeem(shares: uint256, controller: address, owner: address) -> uint256:
    """
    @notice Put shares of `owner`, who has approved this contract, at the end of the line. By the
            owner or its operator; at least `MIN_SHARES`, or the whole balance.
    @return The request's id.
    """
    self._check_acts_for(owner)
    assert controller != empty(address), "queue: no controller"
    balance: uint256 = staticcall IERC20(vault).balanceOf(owner)
    assert shares >= MIN_SHARES or shares == balance, "queue: request too small"
    total: uint256 = 0
    supply: uint256 = 0
    complete: bool = False
    # Who cannot be read counts as booked: what is paid in the end is the lesser rate anyway. And so
    # counts what quarantines may give back: it may have come by then, or is left as a claim.
    risk: uint256 = 0
    total, supply, complete, risk = extcall ILRTVault(vault).sync()
    expected: uint256 = staticcall ILRTVault(vault).expected_back()
    # Visible slashes count once they fall, if they do.
    whole: uint256 = total + risk + expected
    worth: uint256 = vault_shares._to_assets_down(shares, whole, supply)
    assert worth != 0, "queue: worth nothing"
    exits: uint256 = staticcall ILRTVault(vault).queue_exits()
    id: uint256 = self.next_id
    self.next_id = id + 1
    self._requests[id] = IWithdrawalQueue.Request(
        controller=controller,
        requested_at=block.timestamp,
        exits_before=exits,
        shares=shares,
        assets=worth,
        claimable_shares=0,
        claimable_assets=0,
    )
    token._pull(vault, owner, shares)
    extcall ILRTVault(vault).join_queue(shares)
    log IWithdrawalQueue.RedeemRequest(
        controller=controller, owner=owner, requestId=id, sender=msg.sender, shares=shares
    )
    return id


@external
def cancel(requestId: uint256):
    """
    @notice Give the shares that still wait back to the controller. By it or its operator. Free while
            the vault has started no exit for the line since the request; then `CANCEL_FEE` of the
            shares, rounded up, is burnt for the holders.
    @dev Any exit for the line counts, also one that only reaches requests ahead of this one: those may
         have cancelled or been paid from elsewhere, and it serves this one then.
    """
    found: IWithdrawalQueue.Request = self._requests[requestId]
    self._check_acts_for(found.controller)
    assert found.shares != 0, "queue: nothing waits"
    exits: uint256 = staticcall ILRTVault(vault).queue_exits()
    fee: uint256 = 0
    if exits != found.exits_before:
        fee = (found.shares * CANCEL_FEE + WAD - 1) // WAD
        # A loss that is not booked yet must not eat what the fee locks.
        extcall ILRTVault(vault).sync()
    self._requests[requestId].shares = 0
    self._requests[requestId].assets = 0
    extcall ILRTVault(vault).settle_queue(found.shares, fee, 0, max_value(uint256))
    token._push(vault, found.controller, found.shares - fee)
    log IWithdrawalQueue.RequestCancelled(request_id=requestId, shares=found.shares, fee=fee)


@external
def finalize(max_requests: uint256) -> uint256:
    """
    @notice Pay from the head what idle assets pay, walking at most `max_requests` (and `MAX_WALK`);
            the last one in part when they do not suffice. Open to anyone.
    @dev The walk ends at a request that has not waited for `wait`. While a slash is visible, shares are
         worth less than they may be soon: then it ends at every request that is not the caller's own.
    @return Shares filled.
    """
    end: uint256 = self.next_id
    id: uint256 = self.head
    if id == end or max_requests == 0:
        return 0
    now: Rates = self._rates()
    left: uint256 = staticcall ILRTVault(vault).idle()
    all_shares: uint256 = 0
    all_assets: uint256 = 0
    all_locked: uint256 = 0
    claims: bool = staticcall ILRTVault(vault).had_quarantine()
    for _: uint256 in range(min(max_requests, MAX_WALK), bound=MAX_WALK):
        if id == end:
            break
        found: IWithdrawalQueue.Request = self._requests[id]
        if found.shares != 0 and not self._may_fill(found, now.risk):
            break
        shares: uint256 = 0
        assets: uint256 = 0
        locked: uint256 = 0
        shares, assets, locked = self._fill(id, found, left, now)
        if claims and shares != 0:
            extcall ILRTVault(vault).pass_claim(found.controller, shares, now.supply - all_shares)
        left -= assets
        all_shares += shares
        all_assets += assets
        all_locked += locked
        if found.shares != shares:
            break
        id += 1
    self.head = id
    if all_shares != 0:
        self.set_aside += all_assets
        extcall ILRTVault(vault).settle_queue(all_shares, all_shares, all_assets, all_locked)
    return all_shares


@external
def claim(requestId: uint256, receiver: address) -> uint256:
    """@notice Pay what is set aside for a request. By its controller or operator. @return Assets."""
    found: IWithdrawalQueue.Request = self._requests[requestId]
    self._check_acts_for(found.controller)
    assert found.claimable_shares != 0, "queue: nothing to claim"
    self._requests[requestId].claimable_shares = 0
    self._requests[requestId].claimable_assets = 0
    self.set_aside -= found.claimable_assets
    token._push(asset, receiver, found.claimable_assets)
    log IWithdrawalQueue.RequestClaimed(
        request_id=requestId,
        receiver=receiver,
        shares=found.claimable_shares,
        assets=found.claimable_assets,
    )
    return found.claimable_assets


@external
def pull_back(adapter: address, amount: uint256) -> uint256:
    """
    @notice Take stake back when the head has waited for `patience` and what is idle and leaving does
            not cover the line: at most `amount`, and at most what is missing. Open to anyone. Behind
            more than `MAX_WALK` cancelled requests, `finalize` has to walk first.
    @return The exit's id.
    """
    self._skip_cancelled()
    oldest: IWithdrawalQueue.Request = self._requests[self.head]
    assert oldest.shares != 0, "queue: nothing waits"
    assert block.timestamp - oldest.requested_at >= patience, "queue: not overdue"
    missing: uint256 = 0
    leaving: uint256 = 0
    missing, leaving = self._missing(adapter)
    pulled: uint256 = min(amount, missing)
    assert pulled != 0, "queue: nothing missing"
    assert pulled * MAX_PARTS >= missing, "queue: exit too small"
    assert pulled >= MIN_PULL or leaving == 0, "queue: exit too small"
    exit_id: uint256 = extcall ILRTVault(vault).pull_back(adapter, pulled)
    log IWithdrawalQueue.PulledBack(
        adapter=adapter, exit_id=exit_id, caller=msg.sender, amount=pulled
    )
    return exit_id


@external
def setOperator(operator: address, approved: bool) -> bool:
    """@notice Let an operator request, cancel and claim for the sender, or no longer."""
    self.isOperator[msg.sender][operator] = approved
    log IWithdrawalQueue.OperatorSet(controller=msg.sender, operator=operator, approved=approved)
    return True


# Views


@view
@external
def request(request_id: uint256) -> IWithdrawalQueue.Request:
    """@notice A request as it stands."""
    return self._requests[request_id]


@view
@external
def pendingRedeemRequest(requestId: uint256, controller: address) -> uint256:
    """@notice Shares of the request that still wait; 0 when it is not the controller's."""
    if self._requests[requestId].controller != controller:
        return 0
    return self._requests[requestId].shares


@view
@external
def claimableRedeemRequest(requestId: uint256, controller: address) -> uint256:
    """@notice Shares of the request that are paid and not claimed; 0 when not the controller's."""
    if self._requests[requestId].controller != controller:
        return 0
    return self._requests[requestId].claimable_shares


# Internals


@internal
@view
def _may_fill(found: IWithdrawalQueue.Request, risk: uint256) -> bool:
    if block.timestamp - found.requested_at < wait:
        return False
    return risk == 0 or self._acts_for(found.controller)


@internal
def _fill(
    id: uint256, found: IWithdrawalQueue.Request, left: uint256, now: Rates
) -> (uint256, uint256, uint256):
    """
    @notice Fill a request as far as `left` assets go. A cancelled one takes nothing.
    @return Shares filled, the assets set aside for them, rounded down, and what the rate at the
            request took off them.
    """
    if found.shares == 0:
        return 0, 0, 0
    shares: uint256 = found.shares
    worth: uint256 = found.assets
    due: uint256 = self._due_down(shares, worth, now)
    if due > left:
        # Pro rata, so that the part is paid no better than the whole.
        shares = shares * left // due
        worth = found.assets * shares // found.shares
        due = self._due_down(shares, worth, now)
        if due == 0:
            return 0, 0, 0
    self._requests[id].shares = found.shares - shares
    self._requests[id].assets = found.assets - worth
    self._requests[id].claimable_shares = found.claimable_shares + shares
    self._requests[id].claimable_assets = found.claimable_assets + due
    log IWithdrawalQueue.RequestFilled(request_id=id, shares=shares, assets=due)
    unbound: uint256 = self._due_down(shares, max_value(uint256), now)
    return shares, due, unbound - due


@internal
@pure
def _due_down(shares: uint256, worth: uint256, now: Rates) -> uint256:
    """
    @return The lesser of `worth` at the request and what the shares are worth now, less what they
            leave with as a claim: their part of what is expected.
    """
    whole: uint256 = now.total + now.expected
    assets: uint256 = min(worth, vault_shares._to_assets_down(shares, whole, now.supply))
    return assets - min(assets, vault_shares._part_up(now.expected, shares, now.supply))


@internal
def _skip_cancelled():
    """@notice Move the head to a request that waits, so that no cancelled one looks overdue."""
    id: uint256 = self.head
    end: uint256 = self.next_id
    for _: uint256 in range(MAX_WALK):
        if id == end or self._requests[id].shares != 0:
            break
        id += 1
    self.head = id


@internal
def _missing(from_adapter: address) -> (uint256, uint256):
    """
    @notice Book every adapter and see what the line lacks.
    @return What the line is worth above what is idle and leaving; what is leaving `from_adapter`.
    """
    now: Rates = self._rates()
    waiting: uint256 = staticcall ILRTVault(vault).queued_shares()
    needed: uint256 = vault_shares._to_assets_up(waiting, now.total, now.supply)
    coming: uint256 = staticcall ILRTVault(vault).idle()
    leaving: uint256 = 0
    count: uint256 = staticcall ILRTVault(vault).adapter_count()
    for i: uint256 in range(count, bound=MAX_ADAPTERS):
        adapter: address = staticcall ILRTVault(vault).adapter_at(i)
        exiting: uint256 = staticcall IStakingAdapter(adapter).exiting()
        coming += exiting
        if adapter == from_adapter:
            leaving = exiting
    return needed - min(needed, coming), leaving


@internal
def _rates() -> Rates:
    """@notice Book every adapter."""
    now: Rates = empty(Rates)
    complete: bool = False
    now.total, now.supply, complete, now.risk = extcall ILRTVault(vault).sync()
    assert complete, "queue: adapter unreadable"
    now.expected = staticcall ILRTVault(vault).expected_back()
    return now


@internal
@view
def _acts_for(account: address) -> bool:
    return msg.sender == account or self.isOperator[account][msg.sender]


@internal
@view
def _check_acts_for(account: address):
    assert self._acts_for(account), "queue: not for this account"
