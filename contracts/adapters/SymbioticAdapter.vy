# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title SymbioticAdapter
@custom:contract-name SymbioticAdapter
@license GNU Affero General Public License v3.0 only
@author Relever
@notice One position of an LRT vault in Symbiotic: a stake in one Symbiotic vault.
@dev An exit's id is the number of the epoch in whose bucket it waits: the one after the epoch in
     which it was started. Exits of one epoch merge under one id, are slashed alike, and are claimed
     by one call; Symbiotic pays a bucket once, and epochs only count up, so no id comes back. An id
     stays open, and its value counts, until it is finished.
     A slash that is requested but not executed shows in `value_at_risk`, and nothing is staked
     meanwhile, for a slash also falls on stake that came after the fault.
     Rewards are claimed to the rewards seller of the same vault, by anyone and nowhere else, and are
     no part of the value here. A claim takes no lock: whatever a reward token does meanwhile, this
     contract can be read as before.
     Failure mode: what Symbiotic refuses reverts here with Symbiotic's own error. Nobody can pause
     withdrawals or claims there. A Symbiotic vault whose owner moves it to other code may mean
     something else by the same words: it can no longer be read or staked into, but exits are still
     tried. Stake that strangers give to this address is a gain, and so is what they withdraw to it,
     once it is finished or while an exit of the same epoch is open. Tokens sent here without a call
     stay here and count nowhere. Whoever can run code in the middle of a slash, as the delegator's
     hook does, can act before it counts, as if ahead of it.
"""
from ethereum.ercs import IERC4626

from ..interfaces import IRewardsSeller
from ..interfaces import IStakingAdapter
from ..interfaces.symbiotic import ISymbioticSlasher
from ..interfaces.symbiotic import ISymbioticStakerRewards
from ..interfaces.symbiotic import ISymbioticVault
from ..modules import token

implements: IStakingAdapter


# Slashes that are requested and can still be executed.
struct Requested:
    count: uint256
    # Their amounts, by whether the stake was captured in this epoch or in the one before.
    this_epoch: uint256
    last_epoch: uint256


# Ids that may be open at once. Only two epochs have not matured, so when all are taken, anyone can
# finish the others at once. Reading costs about 11,400 gas for each.
MAX_EXITS: constant(uint256) = 8
# Requests that are looked at. When more of them are not too old, everything is at risk.
MAX_REQUESTS: constant(uint256) = 32
# What a slash can take from this adapter beyond its exact share, in asset units: Symbiotic moves up
# to 2 between the stake and the two buckets, and in each of these three the adapter's part rounds
# down (1) and can be worth up to a unit more than it shows (1).
ROUNDING: constant(uint256) = 2 + 3 * 2
# The plain and the tokenized vault. Later versions number withdrawals in another way.
LAST_VERSION: constant(uint64) = 2
INSTANT_SLASHER: constant(uint64) = 0
VETO_SLASHER: constant(uint64) = 1

vault: public(immutable(address))
asset: public(immutable(address))
symbiotic_vault: public(immutable(address))
# Zero when the Symbiotic vault has none.
slasher: public(immutable(address))
# Seconds; zero when slashes are executed at once.
veto_duration: public(immutable(uint256))
epoch_duration: public(immutable(uint256))
# Where rewards are claimed, and who gets them; without either there are none.
staker_rewards: public(immutable(address))
rewards_seller: public(immutable(address))

_version: immutable(uint64)
_epochs_start: immutable(uint256)
_slashes_are_requested: immutable(bool)

_open_exits: DynArray[uint256, MAX_EXITS]


@deploy
def __init__(
    vault_: address, symbiotic_vault_: address, staker_rewards_: address, rewards_seller_: address
):
    """
    @notice The Symbiotic vault must be final but for its code, which its owner may replace.
    @param staker_rewards_ The rewards contract of the Symbiotic vault, or zero.
    @param rewards_seller_ The rewards seller of `vault_`, or zero.
    """
    vault = vault_
    asset = staticcall IERC4626(vault_).asset()
    symbiotic_vault = symbiotic_vault_
    collateral: address = staticcall ISymbioticVault(symbiotic_vault_).collateral()
    assert collateral == asset, "symbiotic: vault asset"
    version: uint64 = staticcall ISymbioticVault(symbiotic_vault_).version()
    assert 0 < version and version <= LAST_VERSION, "symbiotic: vault version"
    final: bool = staticcall ISymbioticVault(symbiotic_vault_).isInitialized()
    assert final, "symbiotic: vault not initialized"
    start: uint48 = staticcall ISymbioticVault(symbiotic_vault_).epochDurationInit()
    duration: uint48 = staticcall ISymbioticVault(symbiotic_vault_).epochDuration()
    _version = version
    _epochs_start = convert(start, uint256)
    epoch_duration = convert(duration, uint256)

    slasher_: address = staticcall ISymbioticVault(symbiotic_vault_).slasher()
    kind: uint64 = INSTANT_SLASHER
    if slasher_ != empty(address):
        kind = staticcall ISymbioticSlasher(slasher_).TYPE()
    assert kind in [INSTANT_SLASHER, VETO_SLASHER], "symbiotic: unknown slasher"
    veto: uint48 = 0
    if kind == VETO_SLASHER:
        veto = staticcall ISymbioticSlasher(slasher_).vetoDuration()
    slasher = slasher_
    veto_duration = convert(veto, uint256)
    _slashes_are_requested = kind == VETO_SLASHER

    staker_rewards = staker_rewards_
    if staker_rewards_ != empty(address):
        rewarded: address = staticcall ISymbioticStakerRewards(staker_rewards_).VAULT()
        assert rewarded == symbiotic_vault_, "symbiotic: foreign rewards"
    rewards_seller = rewards_seller_
    if rewards_seller_ != empty(address):
        served: address = staticcall IRewardsSeller(rewards_seller_).vault()
        assert served == vault_, "symbiotic: foreign seller"
        # The vault's queue and adapters name the vault too, but only a seller takes the asset.
        taken: uint256 = staticcall IRewardsSeller(rewards_seller_).least_out(asset, 1)
        assert taken == 1, "symbiotic: no seller of rewards"


@external
def stake(amount: uint256):
    """@notice Stake `amount` of the asset that the vault has sent here. Vault only."""
    self._check_vault()
    self._check_version()
    listed_only: bool = staticcall ISymbioticVault(symbiotic_vault).depositWhitelist()
    if listed_only:
        listed: bool = staticcall ISymbioticVault(symbiotic_vault).isDepositorWhitelisted(self)
        assert listed, "symbiotic: not whitelisted"
    limited: bool = staticcall ISymbioticVault(symbiotic_vault).isDepositLimit()
    if limited:
        limit: uint256 = staticcall ISymbioticVault(symbiotic_vault).depositLimit()
        total: uint256 = staticcall ISymbioticVault(symbiotic_vault).activeStake()
        assert total + amount <= limit, "symbiotic: deposit limit"
    assert self._requested().count == 0, "symbiotic: slash pending"

    token._approve(asset, symbiotic_vault, amount)
    arrived: uint256 = 0
    shares: uint256 = 0
    arrived, shares = extcall ISymbioticVault(symbiotic_vault).deposit(self, amount)
    assert arrived == amount, "symbiotic: asset takes a fee"
    log IStakingAdapter.Staked(amount=amount)


@external
def start_exit(amount: uint256) -> uint256:
    """
    @notice Withdraw `amount`, or everything when it is no less, into the next epoch. Vault only.
    @return The exit's id, the next epoch's number.
    """
    self._check_vault()
    assert amount != 0, "symbiotic: zero exit"
    staked: uint256 = staticcall ISymbioticVault(symbiotic_vault).activeBalanceOf(self)
    assert staked != 0, "symbiotic: nothing staked"
    id: uint256 = self._epoch_at(block.timestamp) + 1
    if id not in self._open_exits:
        assert len(self._open_exits) < MAX_EXITS, "symbiotic: too many open exits"
        self._open_exits.append(id)

    leaving: uint256 = amount
    burned: uint256 = 0
    minted: uint256 = 0
    if amount < staked:
        burned, minted = extcall ISymbioticVault(symbiotic_vault).withdraw(self, amount)
    else:
        # By shares, so that no dust stays behind.
        shares: uint256 = staticcall ISymbioticVault(symbiotic_vault).activeSharesOf(self)
        leaving, minted = extcall ISymbioticVault(symbiotic_vault).redeem(self, shares)
    log IStakingAdapter.ExitStarted(id=id, amount=leaving)
    return id


@external
def finish_exit(id: uint256) -> uint256:
    """
    @notice Claim all that waits under a matured id, whoever withdrew it, and send it to the vault.
            Vault only: anyone may ask the vault for it.
    @return The amount sent.
    """
    self._check_vault()
    assert id < self._epoch_at(block.timestamp), "symbiotic: exit not matured"
    was_open: bool = self._close(id)
    worth: uint256 = self._leaving(id)
    amount: uint256 = 0
    if worth != 0:
        amount = extcall ISymbioticVault(symbiotic_vault).claim(vault, id)
    else:
        # Symbiotic refuses to claim nothing, which is what a full slash leaves, for good.
        assert was_open, "symbiotic: unknown exit"
        self._check_version()
    log IStakingAdapter.ExitFinished(id=id, amount=amount)
    return amount


@reentrant
@external
def claim_rewards(network: address, reward_token: address, max_rewards: uint256):
    """
    @notice Have what this adapter has earned sent to the rewards seller. Open to anyone.
    @param network Who distributed the rewards.
    @param max_rewards Distributions to go through, from the oldest that is not claimed.
    """
    assert staker_rewards != empty(address), "symbiotic: no rewards"
    assert rewards_seller != empty(address), "symbiotic: no rewards seller"
    hints: DynArray[Bytes[32], 1] = []
    extcall ISymbioticStakerRewards(staker_rewards).claimRewards(
        rewards_seller, reward_token, abi_encode(network, max_rewards, hints)
    )


@view
@external
def open_exits() -> DynArray[uint256, MAX_EXITS]:
    """@notice The ids that are not finished, in no order."""
    return self._open_exits


@view
@external
def staked() -> uint256:
    """@notice Live value of the stake that is not leaving, after slashing."""
    self._check_version()
    return self._staked()


@view
@external
def exiting() -> uint256:
    """@notice Live value of every exit that is not finished, after slashing."""
    self._check_version()
    return self._exiting()


@view
@external
def total_assets() -> uint256:
    """@notice `staked() + exiting()`."""
    self._check_version()
    staked: uint256 = self._staked()
    exiting: uint256 = self._exiting()
    return staked + exiting


@view
@external
def value_at_risk() -> uint256:
    """
    @notice This adapter's share of the slashes that are requested and can still be executed;
            nothing when slashes are executed at once.
    @dev Rounded up, and never less than what they would take, one after the other. Epochs that end
         until then change nothing: a slash falls on all that was not yet leaving when the captured
         epoch began, wherever that is by then.
    """
    self._check_version()
    requested: Requested = self._requested()
    if requested.count == 0:
        return 0
    epoch: uint256 = self._epoch_at(block.timestamp)
    ours: uint256 = self._staked() + self._leaving(epoch + 1)
    # Of these, a slash for the present epoch spares the exits of the last one.
    ours_in_all: uint256 = ours + self._leaving(epoch)
    if requested.count > MAX_REQUESTS:
        return ours_in_all
    active: uint256 = staticcall ISymbioticVault(symbiotic_vault).activeStake()
    next: uint256 = staticcall ISymbioticVault(symbiotic_vault).withdrawals(epoch + 1)
    present: uint256 = staticcall ISymbioticVault(symbiotic_vault).withdrawals(epoch)
    stakes: uint256 = active + next
    at_risk: uint256 = (
        self._share_up(requested.this_epoch, ours, stakes)
        + self._share_up(requested.last_epoch, ours_in_all, stakes + present)
        + requested.count * ROUNDING
    )
    return min(at_risk, ours_in_all)


@view
@external
def exit_delay() -> uint256:
    """@notice Seconds from `start_exit` until `finish_exit` can succeed, at most: two epochs."""
    return 2 * epoch_duration


@internal
@view
def _check_vault():
    assert msg.sender == vault, "symbiotic: not the vault"


@internal
@view
def _check_version():
    version: uint64 = staticcall ISymbioticVault(symbiotic_vault).version()
    assert version == _version, "symbiotic: vault migrated"


@internal
def _close(id: uint256) -> bool:
    """@notice Take an id from the list; the last takes its place. @return Whether it was there."""
    for index: uint256 in range(len(self._open_exits), bound=MAX_EXITS):
        if self._open_exits[index] == id:
            last: uint256 = self._open_exits.pop()
            if last != id:
                self._open_exits[index] = last
            return True
    return False


@internal
@view
def _epoch_at(time: uint256) -> uint256:
    return (time - _epochs_start) // epoch_duration


@internal
@view
def _staked() -> uint256:
    return staticcall ISymbioticVault(symbiotic_vault).activeBalanceOf(self)


@internal
@view
def _leaving(epoch: uint256) -> uint256:
    return staticcall ISymbioticVault(symbiotic_vault).withdrawalsOf(epoch, self)


@internal
@view
def _exiting() -> uint256:
    exiting: uint256 = 0
    for epoch: uint256 in self._open_exits:
        exiting += self._leaving(epoch)
    return exiting


@internal
@view
def _requested() -> Requested:
    """
    @notice The requests that can still be executed: from the newest back to the first one that is
            as old as an epoch is long, for it and all before it are void.
    """
    requested: Requested = empty(Requested)
    if not _slashes_are_requested:
        return requested
    length: uint256 = staticcall ISymbioticSlasher(slasher).slashRequestsLength()
    this_epoch: uint256 = self._epoch_at(block.timestamp)
    for back: uint256 in range(1, MAX_REQUESTS + 2):
        if back > length:
            break
        request: ISymbioticSlasher.SlashRequest = staticcall ISymbioticSlasher(
            slasher
        ).slashRequests(length - back)
        requested_at: uint256 = convert(request.veto_deadline, uint256) - veto_duration
        if requested_at + epoch_duration <= block.timestamp:
            break
        if back > MAX_REQUESTS:
            requested.count = back
            break
        captured_at: uint256 = convert(request.captured_at, uint256)
        if request.completed or captured_at + epoch_duration < block.timestamp:
            continue
        requested.count += 1
        if self._epoch_at(captured_at) == this_epoch:
            requested.this_epoch += request.amount
        else:
            requested.last_epoch += request.amount
    return requested


@internal
@pure
def _share_up(amount: uint256, part: uint256, whole: uint256) -> uint256:
    if part == 0:
        return 0
    return (amount * part + whole - 1) // whole
