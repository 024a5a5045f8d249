# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title EigenLayerAdapter
@custom:contract-name EigenLayerAdapter
@license GNU Affero General Public License v3.0 only
@author Relever
@notice One position of an LRT vault in EigenLayer: one strategy, delegated to one operator.
@dev Values are *withdrawable* shares turned into the asset, never deposit shares, which do not fall
     by a slash. What is queued is read from EigenLayer's own queue, for an operator can force the
     adapter out by `undelegate` and so queue what it never asked for; such a withdrawal is finished
     by its id like any other.
     An exit's id is EigenLayer's withdrawal root. It can be slashed until it matures.
     Rewards are claimed to the rewards seller of the same vault, by anyone and nowhere else, and are
     no part of the value here. A claim takes no lock: whatever a reward token does meanwhile, this
     contract can be read as before.
     Failure mode: what EigenLayer refuses (paused, not matured) reverts here with EigenLayer's own
     error; an operator slashed to nothing leaves the value at zero, and nothing more can be staked.
     Tokens sent here without a call stay here and count nowhere.
"""
from ethereum.ercs import IERC4626

from ..interfaces import IRewardsSeller
from ..interfaces import IStakingAdapter
from ..interfaces.eigenlayer import IAllocationManager
from ..interfaces.eigenlayer import IDelegationManager
from ..interfaces.eigenlayer import IRewardsCoordinator
from ..interfaces.eigenlayer import IStrategy
from ..interfaces.eigenlayer import IStrategyManager
from ..modules import token

implements: IStakingAdapter


# Exits that may be open at once: reading the queue costs about 33,000 gas for each.
MAX_EXITS: constant(uint256) = 16
# Bound of the array that reads the queue. A forced exit comes on top, but only one, since the
# adapter never delegates again. The same as in `IDelegationManager`, whose constant Vyper does not
# take as a bound here.
MAX_QUEUED: constant(uint256) = 20
# Ethereum's slot. A missed one makes a block later: delays in seconds take every slot for filled.
BLOCK_SECONDS: constant(uint256) = 12

vault: public(immutable(address))
asset: public(immutable(address))
strategy: public(immutable(address))
operator: public(immutable(address))
delegation_manager: public(immutable(address))
strategy_manager: public(immutable(address))
# Where rewards are claimed, and who gets them; without either there are none.
rewards_coordinator: public(immutable(address))
rewards_seller: public(immutable(address))


@deploy
def __init__(
    vault_: address,
    strategy_: address,
    delegation_manager_: address,
    strategy_manager_: address,
    operator_: address,
    rewards_coordinator_: address,
    rewards_seller_: address,
):
    """
    @notice Delegates itself to the operator, which must ask for no approval.
    @dev EigenLayer asks no code of a staker, so this can be done here, once.
    @param rewards_coordinator_ EigenLayer's, or zero.
    @param rewards_seller_ The rewards seller of `vault_`, or zero.
    """
    vault = vault_
    strategy = strategy_
    delegation_manager = delegation_manager_
    strategy_manager = strategy_manager_
    operator = operator_
    asset = staticcall IERC4626(vault_).asset()
    underlying: address = staticcall IStrategy(strategy_).underlyingToken()
    assert underlying == asset, "eigen: strategy asset"
    rewards_coordinator = rewards_coordinator_
    if rewards_coordinator_ != empty(address):
        rewarded: address = staticcall IRewardsCoordinator(rewards_coordinator_).delegationManager()
        assert rewarded == delegation_manager_, "eigen: foreign coordinator"
    rewards_seller = rewards_seller_
    if rewards_seller_ != empty(address):
        served: address = staticcall IRewardsSeller(rewards_seller_).vault()
        assert served == vault_, "eigen: foreign seller"
        # The vault's queue and adapters name the vault too, but only a seller takes the asset.
        taken: uint256 = staticcall IRewardsSeller(rewards_seller_).least_out(asset, 1)
        assert taken == 1, "eigen: no seller of rewards"
    extcall IDelegationManager(delegation_manager_).delegateTo(
        operator_, empty(IDelegationManager.Approval), empty(bytes32)
    )


@external
def stake(amount: uint256):
    """@notice Stake `amount` of the asset that the vault has sent here. Vault only."""
    self._check_vault()
    delegated_to: address = staticcall IDelegationManager(delegation_manager).delegatedTo(self)
    assert delegated_to == operator, "eigen: undelegated"
    magnitudes: address = staticcall IDelegationManager(delegation_manager).allocationManager()
    magnitude: uint64 = staticcall IAllocationManager(magnitudes).getMaxMagnitude(
        operator, strategy
    )
    assert magnitude != 0, "eigen: operator fully slashed"
    token._approve(asset, strategy_manager, amount)
    extcall IStrategyManager(strategy_manager).depositIntoStrategy(strategy, asset, amount)
    log IStakingAdapter.Staked(amount=amount)


@external
def start_exit(amount: uint256) -> uint256:
    """
    @notice Queue at most `amount`, or everything when it is no less. Vault only.
    @return The exit's id: EigenLayer's withdrawal root.
    """
    self._check_vault()
    open_exits: DynArray[bytes32, MAX_QUEUED] = staticcall IDelegationManager(
        delegation_manager
    ).getQueuedWithdrawalRoots(self)
    assert len(open_exits) < MAX_EXITS, "eigen: too many open exits"
    roots: DynArray[bytes32, 1] = extcall IDelegationManager(delegation_manager).queueWithdrawals(
        [
            IDelegationManager.WithdrawalRequest(
                strategies=[strategy],
                deposit_shares=[self._deposit_shares_down(amount)],
                unused=empty(address),
            )
        ]
    )
    withdrawal: IDelegationManager.Withdrawal = empty(IDelegationManager.Withdrawal)
    shares: DynArray[uint256, 1] = []
    withdrawal, shares = staticcall IDelegationManager(delegation_manager).getQueuedWithdrawal(
        roots[0]
    )
    id: uint256 = convert(roots[0], uint256)
    leaving: uint256 = self._value_down(shares[0])
    log IStakingAdapter.ExitStarted(id=id, amount=leaving)
    return id


@external
def finish_exit(id: uint256) -> uint256:
    """
    @notice Complete a matured exit, also one that the operator forced, and send what it gives,
            after slashing, to the vault. Vault only: anyone may ask the vault for it.
    @return The amount sent.
    """
    self._check_vault()
    root: bytes32 = convert(id, bytes32)
    pending: bool = staticcall IDelegationManager(delegation_manager).pendingWithdrawals(root)
    assert pending, "eigen: unknown exit"
    withdrawal: IDelegationManager.Withdrawal = empty(IDelegationManager.Withdrawal)
    shares: DynArray[uint256, 1] = []
    withdrawal, shares = staticcall IDelegationManager(delegation_manager).getQueuedWithdrawal(root)
    held: uint256 = token._balance(asset, self)
    extcall IDelegationManager(delegation_manager).completeQueuedWithdrawal(
        withdrawal, [asset], True
    )
    held_after: uint256 = token._balance(asset, self)
    amount: uint256 = held_after - held
    token._push(asset, vault, amount)
    log IStakingAdapter.ExitFinished(id=id, amount=amount)
    return amount


@reentrant
@external
def claim_rewards(claim: IRewardsCoordinator.Claim):
    """
    @notice Have what this adapter has earned sent to the rewards seller. Open to anyone.
    @param claim With the proofs under one of the coordinator's roots.
    """
    assert rewards_coordinator != empty(address), "eigen: no rewards"
    assert rewards_seller != empty(address), "eigen: no rewards seller"
    extcall IRewardsCoordinator(rewards_coordinator).processClaim(claim, rewards_seller)


@view
@external
def staked() -> uint256:
    """@notice Live value of the stake that is not leaving, after slashing."""
    return self._staked()


@view
@external
def exiting() -> uint256:
    """@notice Live value of every exit in flight, after slashing, whoever started it."""
    return self._exiting()


@view
@external
def total_assets() -> uint256:
    """@notice `staked() + exiting()`."""
    staked: uint256 = self._staked()
    exiting: uint256 = self._exiting()
    return staked + exiting


@view
@external
def value_at_risk() -> uint256:
    """@notice Nothing: EigenLayer executes a slash in the call that asks for it."""
    return 0


@view
@external
def exit_delay() -> uint256:
    """@notice Seconds from `start_exit` until `finish_exit` can succeed, at one block a slot."""
    blocks: uint32 = staticcall IDelegationManager(delegation_manager).minWithdrawalDelayBlocks()
    return (convert(blocks, uint256) + 1) * BLOCK_SECONDS


@internal
@view
def _check_vault():
    assert msg.sender == vault, "eigen: not the vault"


@internal
@view
def _staked() -> uint256:
    withdrawable: DynArray[uint256, 1] = []
    deposited: DynArray[uint256, 1] = []
    withdrawable, deposited = staticcall IDelegationManager(
        delegation_manager
    ).getWithdrawableShares(self, [strategy])
    return self._value_down(withdrawable[0])


@internal
@view
def _exiting() -> uint256:
    """@notice The exits together. Each one by itself rounds down too: a unit less for each."""
    withdrawals: DynArray[IDelegationManager.Withdrawal, MAX_QUEUED] = []
    shares: DynArray[DynArray[uint256, 1], MAX_QUEUED] = []
    withdrawals, shares = staticcall IDelegationManager(delegation_manager).getQueuedWithdrawals(
        self
    )
    queued: uint256 = 0
    for of_one: DynArray[uint256, 1] in shares:
        queued += of_one[0]
    return self._value_down(queued)


@internal
@view
def _deposit_shares_down(amount: uint256) -> uint256:
    """
    @notice Deposit shares to queue so that at most `amount` leaves; all of them when that is no
            less than the stake, so that no dust stays behind.
    """
    withdrawable: DynArray[uint256, 1] = []
    deposited: DynArray[uint256, 1] = []
    withdrawable, deposited = staticcall IDelegationManager(
        delegation_manager
    ).getWithdrawableShares(self, [strategy])
    assert withdrawable[0] != 0, "eigen: nothing staked"
    staked: uint256 = self._value_down(withdrawable[0])
    if amount >= staked:
        return deposited[0]
    wanted: uint256 = staticcall IStrategy(strategy).underlyingToSharesView(amount)
    converted: DynArray[uint256, 1] = staticcall IDelegationManager(
        delegation_manager
    ).convertToDepositShares(self, [strategy], [wanted])
    assert converted[0] != 0, "eigen: exit too small"
    return converted[0]


@internal
@view
def _value_down(shares: uint256) -> uint256:
    """@notice The asset for shares of the strategy after slashing. No call for none."""
    if shares == 0:
        return 0
    return staticcall IStrategy(strategy).sharesToUnderlyingView(shares)
