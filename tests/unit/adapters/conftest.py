"""EigenLayer and Symbiotic as they are published, slashable, a vault and its adapters."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from relever.artifacts import artifact
from relever.baselayer import SymbioticVault, World, build_world, deploy_core
from relever.chain import Anvil, Chain, Contract, Event, Receipt
from tests.suites import (
    UNLIMITED,
    WAD,
    deploy_adapter,
    deploy_symbiotic_adapter,
    deploy_vault,
)

HOLDING = 10_000 * WAD


@dataclass(frozen=True)
class Position:
    """An adapter and what stands around it. The vault's own code is not run: its address acts."""

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
    def seller(self) -> Contract:
        """Who gets the rewards."""
        return self.chain.contract(self.adapter.rewards_seller(), artifact("RewardsSeller"))

    def stake(self, amount: int) -> Receipt:
        """Send the asset as the vault does, then stake it."""
        self.token.transfer(self.adapter.address, amount, sender=self.vault.address)
        return self.adapter.stake(amount, sender=self.vault.address)

    def start_exit(self, amount: int) -> int:
        """Start an exit; returns its id."""
        receipt = self.adapter.start_exit(amount, sender=self.vault.address)
        return int(receipt.events[-1].args["id"])

    def finish_exit(self, exit_id: int) -> int:
        """Finish an exit; returns what it sent, as the event says."""
        receipt = self.adapter.finish_exit(exit_id, sender=self.vault.address)
        return int(receipt.events[-1].args["amount"])

    def ours(self, receipt: Receipt) -> list[Event]:
        """The events of the adapter and of the asset, in order; the protocol's own left out."""
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


@dataclass(frozen=True)
class Eigen(Position):
    """A position in EigenLayer."""

    @property
    def strategy(self) -> str:
        return self.world.core.wsteth_strategy.address

    def mature(self) -> None:
        """Mine until what is queued by now can be completed in the next block."""
        self.world.pass_withdrawal_delay()

    def undelegate(self) -> list[int]:
        """The operator throws the adapter out; returns the ids of all exits."""
        delegation = self.world.core.delegation_manager
        delegation.undelegate(self.adapter.address, sender=self.world.roles.operator)
        roots = delegation.getQueuedWithdrawalRoots(self.adapter.address)
        return [int.from_bytes(root, "big") for root in roots]


@dataclass(frozen=True)
class Symbio(Position):
    """A position in a Symbiotic vault, in which a stranger has staked too."""

    place: SymbioticVault

    def mature(self) -> None:
        """Move time on until what is leaving by now can be claimed."""
        self.place.pass_exit_delay()

    @property
    def epoch(self) -> int:
        return int(self.place.vault.currentEpoch())

    def capture(self) -> int:
        """The present second, for a slash to answer for, and the next one: what leaves in the same
        second is not in the stake that Symbiotic captures.
        """
        captured = self.chain.timestamp
        self.chain.advance(1)
        return captured

    def slash(self, amount: int, captured: int | None = None) -> None:
        """Slash this place's whole stake at once, or after its veto window."""
        symbiotic = self.world.symbiotic
        if self.place is symbiotic.instant:
            symbiotic.slash(amount, captured)
            return
        index = symbiotic.request_slash(amount, captured)
        symbiotic.pass_veto_window()
        symbiotic.execute_slash(index)

    def sent(self, name: str, **arguments: object) -> Event:
        """An event of the Symbiotic vault."""
        return Event(name, arguments, self.place.vault.address)


def deploy_seller(world: World, vault: Contract) -> Contract:
    """Who gets the rewards. Nothing is sold here, so any address does for its swap."""
    return world.chain.deploy(
        artifact("RewardsSeller"),
        vault.address,
        world.core.weth.address,
        world.core.swap_router.address,
        world.roles.guardian,
        sender=world.roles.owner,
    )


@pytest.fixture(scope="session")
def built() -> Iterator[Eigen]:
    with Anvil.start() as node:
        world = build_world(deploy_core(Chain.connect(node.ipc)))
        vault = deploy_vault(world)
        seller = deploy_seller(world, vault)
        coordinator = world.core.rewards_coordinator.address
        adapter = deploy_adapter(world, vault, coordinator=coordinator, seller=seller.address)
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


@pytest.fixture(scope="session")
def built_symbio() -> Iterator[dict[str, Symbio]]:
    """By the kind of the slasher; of each place a stranger holds 60."""
    with Anvil.start() as node:
        world = build_world(deploy_core(Chain.connect(node.ipc)))
        vault = deploy_vault(world)
        seller = deploy_seller(world, vault)
        world.chain.impersonate(vault.address)
        world.fund(world.roles.depositor, wsteth=HOLDING)
        world.core.wsteth.transfer(vault.address, HOLDING, sender=world.roles.depositor)
        stranger = world.roles.stranger
        world.fund(stranger, wsteth=HOLDING)
        positions = {}
        for kind in ("instant", "veto"):
            place: SymbioticVault = getattr(world.symbiotic, kind)
            world.core.wsteth.approve(place.vault.address, UNLIMITED, sender=stranger)
            place.vault.deposit(stranger, 60 * WAD, sender=stranger)
            adapter = deploy_symbiotic_adapter(
                world, vault, place.vault.address, place.rewards.address, seller.address
            )
            positions[kind] = Symbio(world, vault, adapter, place)
        # Past the first epochs, so that there are some before.
        for _ in range(3):
            world.symbiotic.instant.pass_epoch()
        yield positions


@pytest.fixture
def symbio(built_symbio: dict[str, Symbio]) -> Iterator[Symbio]:
    """The adapter of the vault with an instant slasher, with nothing staked, as an epoch begins."""
    with built_symbio["instant"].chain.isolated():
        yield built_symbio["instant"]


@pytest.fixture
def staked_symbio(symbio: Symbio) -> Symbio:
    """100 staked."""
    symbio.stake(100 * WAD)
    return symbio


@pytest.fixture
def veto_symbio(built_symbio: dict[str, Symbio]) -> Iterator[Symbio]:
    """The adapter of the vault with a veto slasher, 100 staked, as an epoch begins."""
    with built_symbio["veto"].chain.isolated():
        built_symbio["veto"].stake(100 * WAD)
        yield built_symbio["veto"]
