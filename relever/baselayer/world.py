"""The world on top of a core: an operator that can be slashed, feeds, pools and money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from relever.artifacts import artifact
from relever.baselayer.chainlink import Feed, deploy_feed
from relever.baselayer.core import Core
from relever.baselayer.rewards import RewardsClaim, rewards_tree
from relever.baselayer.roles import Roles
from relever.baselayer.settings import local_base_layer
from relever.baselayer.symbiotic import Symbiotic, build_symbiotic
from relever.baselayer.uniswap import Pool, create_pool, swap
from relever.chain import Call, Chain, Contract, Receipt

WAD = 10**18
_NOBODY = "0x0000000000000000000000000000000000000000"
_OPERATOR_SET_ID = 1


@dataclass(frozen=True)
class World:
    """A core with everything on it that Relever needs from others.

    The operator has put its whole magnitude of the wstETH strategy behind one operator set of the
    AVS, so a slash of `wad` takes exactly that part of what is delegated to it, and every further
    slash the same part of what is left. What happens in Symbiotic is under `symbiotic`.
    """

    core: Core
    roles: Roles
    registrar: Contract
    symbiotic: Symbiotic

    @property
    def chain(self) -> Chain:
        return self.core.chain

    @property
    def operator_set(self) -> tuple[str, int]:
        """EigenLayer's name for the operator set: the AVS and a number."""
        return self.roles.avs, _OPERATOR_SET_ID

    def addresses(self) -> dict[str, str]:
        """The address book: what was there before any feed or pool."""
        return {
            **self.core.addresses(),
            "avs_registrar": self.registrar.address,
            **self.symbiotic.addresses(),
        }

    def on(self, chain: Chain) -> World:
        """The same world seen through another chain, such as a fork of this one."""
        return World(
            self.core.on(chain),
            self.roles,
            chain.contract(self.registrar.address, artifact("AVSRegistrarDouble")),
            self.symbiotic.on(chain),
        )

    def slash(self, wad: int, why: str = "misbehaved") -> Receipt:
        """The AVS slashes the operator in EigenLayer's AllocationManager.

        Args:
            wad: the part of the operator's stake to take, in WAD, above 0 and at most 1.
            why: what the event says.
        """
        strategies = [self.core.wsteth_strategy.address]
        receipt: Receipt = self.core.allocation_manager.slashOperator(
            self.roles.avs,
            (self.roles.operator, _OPERATOR_SET_ID, strategies, [wad], why),
            sender=self.roles.avs,
        )
        return receipt

    def submit_rewards(self, token: Contract, amount: int) -> Receipt:
        """The AVS pays EigenLayer's rewards coordinator, for its operator's stakers.

        Args:
            token: any; the AVS holds it.
            amount: in the token's units.
        """
        coordinator = self.core.rewards_coordinator
        interval = coordinator.CALCULATION_INTERVAL_SECONDS()
        start = self.chain.timestamp // interval * interval
        weights = [(self.core.wsteth_strategy.address, WAD)]
        token.approve(coordinator.address, amount, sender=self.roles.avs)
        receipt: Receipt = coordinator.createAVSRewardsSubmission(
            [(weights, token.address, amount, start, interval)], sender=self.roles.avs
        )
        return receipt

    def reward_earners(self, earnings: Mapping[str, Mapping[str, int]]) -> dict[str, RewardsClaim]:
        """EigenLayer's rewards updater posts what earners have earned in all.

        Time moves on until it can be claimed. What is claimed must be in the coordinator, see
        `submit_rewards`.

        Args:
            earnings: by earner, then by token address, what was ever earned, claimed or not.

        Returns:
            Each earner's claim.
        """
        coordinator = self.core.rewards_coordinator
        root, claims = rewards_tree(earnings, coordinator.getDistributionRootsLength())
        # A root is for a time that has passed, later than that of the root before.
        until = self.chain.timestamp
        self.chain.advance(1)
        updater = self.chain.impersonate(coordinator.rewardsUpdater())
        coordinator.submitRoot(root, until, sender=updater)
        self.chain.advance(coordinator.activationDelay())
        return claims

    def accrue_rewards(self, amount: int) -> Receipt:
        """Staking rewards for all stETH, in wei. Only with the doubles."""
        oracle = self.roles.lido_oracle
        self._add_ether(oracle, amount)
        receipt: Receipt = self.core.steth.accrue_rewards(sender=oracle, value=amount)
        return receipt

    def slash_validators(self, amount: int) -> Receipt:
        """A loss for all stETH, in wei. Only with the doubles."""
        oracle = self.roles.lido_oracle
        receipt: Receipt = self.core.steth.slash_validators(amount, sender=oracle)
        return receipt

    def pass_withdrawal_delay(self) -> None:
        """Mine until a withdrawal queued by now can be completed in the next block."""
        self.chain.mine(self.core.delegation_manager.minWithdrawalDelayBlocks())

    def feed(self, description: str) -> Feed:
        """Deploy a price feed, described like "rLRT / WETH", that the feed oracle answers."""
        roles = self.roles
        return deploy_feed(self.chain, description, roles.base_admin, roles.feed_oracle)

    def pool(
        self,
        base: Contract,
        quote: Contract,
        fee_millionths: int,
        price: int,
        base_amount: int,
        quote_amount: int,
        half_width_ticks: int = 200,
    ) -> Pool:
        """Create a Uniswap pool with the liquidity provider's tokens, see `create_pool`.

        The default range is 200 ticks, about 2 %, on each side.
        """
        return create_pool(
            self.core,
            base,
            quote,
            fee_millionths,
            price,
            base_amount,
            quote_amount,
            half_width_ticks,
            self.roles.liquidity_provider,
        )

    def swap(self, pool: Pool, token_in: Contract, amount_in: int, trader: str) -> Receipt:
        """Sell an exact amount to the pool at any price, see `relever.baselayer.uniswap.swap`."""
        return swap(self.core, pool, token_in, amount_in, trader)

    def fund(self, account: str, *, weth: int = 0, steth: int = 0, wsteth: int = 0) -> None:
        """Give an account tokens, made of new ether; its own ether stays.

        Args:
            account: one of the node's unlocked accounts.
            weth: in wei, exactly.
            steth: in wei; Lido's rounding may leave it a wei or two short.
            wsteth: in wei, exactly while one wstETH is worth one ether or more.
        """
        core = self.core
        if weth:
            self._add_ether(account, weth)
            core.weth.deposit(sender=account, value=weth)
        if steth:
            self._add_ether(account, steth)
            core.steth.submit(_NOBODY, sender=account, value=steth)
        if wsteth:
            pooled, shares = core.steth.getTotalPooledEther(), core.steth.getTotalShares()
            ether = -(-wsteth * pooled // shares)
            self._add_ether(account, ether)
            self.chain.send(Call(account, core.wsteth.address, b"", ether, label="stake"))

    def _add_ether(self, account: str, amount: int) -> None:
        self.chain.set_balance(account, self.chain.balance(account) + amount)


def build_world(core: Core) -> World:
    """Register the operator and the AVS, the operator slashable, in EigenLayer and Symbiotic.

    Mines past EigenLayer's configuration delay, for which an operator's first allocation waits; on
    mainnet that is 126,000 blocks and takes minutes. A chain younger than the withdrawal delay is
    mined past that too, since slashing subtracts it from the block number and would underflow.
    """
    chain, roles, allocations = core.chain, Roles.of(core.chain), core.allocation_manager
    registrar = chain.deploy(artifact("AVSRegistrarDouble"), sender=roles.base_admin)
    strategies = [core.wsteth_strategy.address]

    allocation_delay = local_base_layer().operator_allocation_delay_blocks
    core.delegation_manager.registerAsOperator(_NOBODY, allocation_delay, "", sender=roles.operator)
    allocations.updateAVSMetadataURI(roles.avs, "", sender=roles.avs)
    allocations.setAVSRegistrar(roles.avs, registrar.address, sender=roles.avs)
    allocations.createOperatorSets(roles.avs, [(_OPERATOR_SET_ID, strategies)], sender=roles.avs)
    allocations.registerForOperatorSets(
        roles.operator, (roles.avs, [_OPERATOR_SET_ID], b""), sender=roles.operator
    )
    chain.mine(allocations.ALLOCATION_CONFIGURATION_DELAY() + 1)
    whole_magnitude = WAD
    allocations.modifyAllocations(
        roles.operator,
        [((roles.avs, _OPERATOR_SET_ID), strategies, [whole_magnitude])],
        sender=roles.operator,
    )
    oldest_slashable = chain.block_number - core.delegation_manager.minWithdrawalDelayBlocks()
    chain.mine(max(allocation_delay, -oldest_slashable) + 1)
    return World(core, roles, registrar, build_symbiotic(core, roles))
