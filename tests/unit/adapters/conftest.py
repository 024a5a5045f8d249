"""EigenLayer as it is published, an operator that can be slashed, a vault and its adapter."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from relever.artifacts import artifact
from relever.baselayer import World, build_world, deploy_core
from relever.chain import Anvil, Chain, Contract, Event, Receipt
from relever.protocol import contract_address

WAD = 10**18
UNLIMITED = 2**256 - 1
NOBODY = "0x0000000000000000000000000000000000000000"
HOLDING = 10_000 * WAD


@dataclass(frozen=True)
class Eigen:
    """The adapter and what stands around it. The vault's own code is not run: its address acts."""

    world: World
    vault: Contract
    adapter: Contract

    @property
    def chain(self) -> Chain:
        return self.world.chain

    @property
    def token(self) -> Contract:
        return self.world.core.wsteth

    @property
    def strategy(self) -> str:
        return self.world.core.wsteth_strategy.address

    def stake(self, amount: int) -> Receipt:
        """Send the asset as the vault does, then stake it."""
        self.token.transfer(self.adapter.address, amount, sender=self.vault.address)
        return self.adapter.stake(amount, sender=self.vault.address)

    def start_exit(self, amount: int) -> int:
        """Start an exit; returns its id."""
        receipt = self.adapter.start_exit(amount, sender=self.vault.address)
        return int(receipt.events[-1].args["id"])

    def mature(self) -> None:
        """Mine until what is queued by now can be completed in the next block."""
        self.world.pass_withdrawal_delay()

    def undelegate(self) -> list[int]:
        """The operator throws the adapter out; returns the ids of all exits."""
        delegation = self.world.core.delegation_manager
        delegation.undelegate(self.adapter.address, sender=self.world.roles.operator)
        roots = delegation.getQueuedWithdrawalRoots(self.adapter.address)
        return [int.from_bytes(root, "big") for root in roots]

    def ours(self, receipt: Receipt) -> list[Event]:
        """The events of the adapter and of the asset, in order; EigenLayer's own left out."""
        return [
            event
            for event in receipt.events
            if event.address in (self.adapter.address, self.token.address)
        ]

    def event(self, name: str, **arguments: object) -> Event:
        return Event(name, arguments, self.adapter.address)

    def moved(self, sender: str, receiver: str, value: int) -> Event:
        arguments = {"sender": sender, "receiver": receiver, "value": value}
        return Event("Transfer", arguments, self.token.address)

    def approved(self, owner: str, spender: str, value: int) -> Event:
        arguments = {"owner": owner, "spender": spender, "value": value}
        return Event("Approval", arguments, self.token.address)


def deploy_vault(world: World) -> Contract:
    """A vault over wstETH whose seed the owner pays."""
    chain, roles = world.chain, world.roles
    address = contract_address(chain, roles.owner, after=1)
    world.core.wsteth.approve(address, UNLIMITED, sender=roles.owner)
    return chain.deploy(
        artifact("LRTVault"),
        world.core.wsteth.address,
        "Relever LRT",
        "rLRT",
        roles.allocator,
        roles.guardian,
        7 * 86_400,
        UNLIMITED,
        roles.owner,
        sender=roles.owner,
    )


def deploy_adapter(world: World, vault: Contract, operator: str | None = None) -> Contract:
    core = world.core
    return world.chain.deploy(
        artifact("EigenLayerAdapter"),
        vault.address,
        core.wsteth_strategy.address,
        core.delegation_manager.address,
        core.strategy_manager.address,
        operator or world.roles.operator,
        sender=world.roles.owner,
    )


@pytest.fixture(scope="session")
def built() -> Iterator[Eigen]:
    with Anvil.start() as node:
        world = build_world(deploy_core(Chain.connect(node.url)))
        world.fund(world.roles.owner, wsteth=10 * WAD)
        vault = deploy_vault(world)
        adapter = deploy_adapter(world, vault)
        world.chain.impersonate(vault.address)
        world.fund(world.roles.depositor, wsteth=HOLDING)
        world.core.wsteth.transfer(vault.address, HOLDING, sender=world.roles.depositor)
        yield Eigen(world, vault, adapter)


@pytest.fixture
def eigen(built: Eigen) -> Iterator[Eigen]:
    """The adapter with nothing staked."""
    with built.chain.isolated():
        yield built


@pytest.fixture
def staked(eigen: Eigen) -> Eigen:
    """100 staked."""
    eigen.stake(100 * WAD)
    return eigen
