"""A side pocket whose vault the tests play themselves."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from relever.artifacts import artifact
from relever.chain import Anvil, Chain, Contract, Event, Receipt
from tests.unit.vault.conftest import Actors, Setup, build

WHOLE = 10**36


@dataclass(frozen=True)
class Side:
    """The pocket, and the vault in whose name the tests call it."""

    setup: Setup
    pocket: Contract
    adapters: tuple[str, str]

    @property
    def actors(self) -> Actors:
        return self.setup.actors

    @property
    def vault(self) -> str:
        return self.setup.vault.address

    def open(self, expected: int, adapter: str | None = None) -> Receipt:
        return self.pocket.open(adapter or self.adapters[0], expected, sender=self.vault)

    def leave(self, account: str, shares: int, supply: int) -> Receipt:
        return self.pocket.leave(account, shares, supply, sender=self.vault)

    def share_out(self, amount: int, adapter: str | None = None) -> tuple[int, int]:
        """Share an amount out, send what is asked for, and return the answer."""
        arguments = (adapter or self.adapters[0], amount)
        left, expected = self.pocket.share_out.call(*arguments, sender=self.vault)
        self.pocket.share_out(*arguments, sender=self.vault)
        self.setup.token.mint(self.pocket.address, left)
        return int(left), int(expected)

    def event(self, name: str, **arguments: object) -> Event:
        return Event(name, arguments, self.pocket.address)


@pytest.fixture(scope="session")
def side_built() -> Iterator[Side]:
    with Anvil.start() as node:
        setup = build(Chain.connect(node.ipc))
        pocket = setup.chain.deploy(
            artifact("SidePocket"), setup.vault.address, sender=setup.actors.stranger
        )
        setup.chain.impersonate(setup.vault.address)
        yield Side(setup, pocket, (setup.adapter.address, setup.second_adapter.address))


@pytest.fixture
def side(side_built: Side) -> Iterator[Side]:
    """Nothing was put under quarantine yet."""
    with side_built.setup.chain.isolated():
        yield side_built


@pytest.fixture
def opened(side: Side) -> Side:
    """60 are expected of the first adapter."""
    side.open(60)
    return side
