"""A withdrawal queue before a vault over a plain token, with two adapters that the tests set."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from relever.artifacts import artifact
from relever.chain import Anvil, Chain, Contract, Event
from tests.unit.vault.conftest import DAY, UNLIMITED, WAD, Actors, Setup, build

PATIENCE = 3 * DAY
MIN_SHARES = 10**16
MIN_PULL = WAD


@dataclass(frozen=True)
class Line:
    """The queue, its vault and what stands around them."""

    setup: Setup
    queue: Contract

    @property
    def chain(self) -> Chain:
        return self.setup.chain

    @property
    def actors(self) -> Actors:
        return self.setup.actors

    @property
    def vault(self) -> Contract:
        return self.setup.vault

    @property
    def token(self) -> Contract:
        return self.setup.token

    @property
    def adapter(self) -> Contract:
        return self.setup.adapter

    def join(self, shares: int, who: str | None = None) -> int:
        """Request for oneself and return the id."""
        who = who or self.actors.depositor
        receipt = self.queue.requestRedeem(shares, who, who, sender=who)
        return int(receipt.events[-1].args["requestId"])

    def start_exit(self, amount: int) -> int:
        """The allocator takes stake of the first adapter back; returns the exit's id."""
        receipt = self.vault.deallocate(self.adapter.address, amount, sender=self.actors.allocator)
        return int(receipt.events[-1].args["id"])

    def bring_home(self, amount: int) -> None:
        """Take stake of the first adapter back at once."""
        self.vault.finish_exit(self.adapter.address, self.start_exit(amount))

    def state(self) -> tuple[int, ...]:
        """Everything that vault and queue account for, to compare before and after."""
        vault, queue = self.vault, self.queue
        return (
            *self.setup.books(),
            vault.queued_shares(),
            vault.balanceOf(queue.address),
            queue.set_aside(),
            queue.head(),
            queue.next_id(),
        )

    def event(self, name: str, **arguments: object) -> Event:
        """An event of the queue's."""
        return Event(name, arguments, self.queue.address)

    def shares_moved(self, sender: str, receiver: str, value: int) -> Event:
        return self.setup.event("Transfer", sender=sender, receiver=receiver, value=value)


@pytest.fixture(scope="session")
def queue_built() -> Iterator[Line]:
    """100 deposited, 60 staked in the first adapter, 20 in the second; the holder has 30 shares."""
    with Anvil.start() as node:
        setup = build(Chain.connect(node.url))
        actors, vault = setup.actors, setup.vault
        queue = setup.chain.deploy(
            artifact("WithdrawalQueue"), vault.address, PATIENCE, 0, sender=actors.stranger
        )
        pocket = setup.chain.deploy(artifact("SidePocket"), vault.address, sender=actors.stranger)
        vault.set_exits(queue.address, pocket.address, sender=actors.owner)
        setup.deposit(70 * WAD)
        setup.deposit(30 * WAD, actors.holder)
        setup.allocate(60 * WAD)
        setup.allocate(20 * WAD, setup.second_adapter)
        for account in setup.chain.accounts[:8]:
            vault.approve(queue.address, UNLIMITED, sender=account)
        yield Line(setup, queue)


@pytest.fixture
def line(queue_built: Line) -> Iterator[Line]:
    """Nobody waits; 20 and the seed are idle."""
    with queue_built.chain.isolated():
        yield queue_built
