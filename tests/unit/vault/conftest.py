"""A vault over a plain token, with two adapters whose answers the tests set."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from relever.artifacts import artifact
from relever.chain import Anvil, Chain, Contract, Event
from relever.protocol import contract_address

WAD = 10**18
UNLIMITED = 2**256 - 1
NOBODY = "0x0000000000000000000000000000000000000000"
DEAD = "0x000000000000000000000000000000000000dEaD"
SEED = 10**15
VIRTUAL = 10**9
LARGEST = 2**120 - 1
MOST_DEPOSITS = 2**112
DAY = 86_400
UNLOCK_PERIOD = 7 * DAY
DEPOSIT_CAP = 1_000_000 * WAD
ADAPTER_CAP = 500_000 * WAD
HOLDING = 100_000 * WAD


@dataclass(frozen=True)
class Actors:
    """One account per role."""

    owner: str
    allocator: str
    guardian: str
    depositor: str
    holder: str
    attacker: str
    payer: str
    stranger: str


@dataclass(frozen=True)
class Setup:
    """The vault and what stands around it."""

    chain: Chain
    actors: Actors
    token: Contract
    vault: Contract
    adapter: Contract
    second_adapter: Contract

    def deposit(self, assets: int, who: str | None = None) -> int:
        """Deposit and return the shares."""
        who = who or self.actors.depositor
        before = self.vault.balanceOf(who)
        self.vault.deposit(assets, who, sender=who)
        return int(self.vault.balanceOf(who) - before)

    def allocate(self, amount: int, adapter: Contract | None = None) -> None:
        """Stake idle assets into the adapter, by default the first."""
        adapter = adapter or self.adapter
        self.vault.allocate(adapter.address, amount, sender=self.actors.allocator)

    def report(self, value: int, adapter: Contract | None = None, at_risk: int = 0) -> None:
        """Let the adapter be worth `value` from now on. Nobody syncs yet."""
        adapter = adapter or self.adapter
        adapter.set_value(value, 0)
        adapter.set_at_risk(at_risk)

    def books(self) -> tuple[int, ...]:
        """Everything that the vault accounts for, to compare before and after."""
        vault = self.vault
        return (
            vault.totalAssets(),
            vault.totalSupply(),
            vault.idle(),
            vault.locked_profit(),
            vault.booked(self.adapter.address),
            vault.booked(self.second_adapter.address),
            self.token.balanceOf(vault.address),
        )

    def event(self, name: str, **arguments: object) -> Event:
        """An event of the vault's."""
        return Event(name, arguments, self.vault.address)

    def moved(self, sender: str, receiver: str, value: int) -> Event:
        """A transfer of the asset."""
        arguments = {"sender": sender, "receiver": receiver, "value": value}
        return Event("Transfer", arguments, self.token.address)

    def synced(self, adapter: Contract, gain: int, loss: int, booked: int) -> Event:
        return self.event("Synced", adapter=adapter.address, gain=gain, loss=loss, booked=booked)


@dataclass(frozen=True)
class Exits:
    """A vault with its withdrawal queue and its side pocket."""

    setup: Setup
    queue: Contract
    pocket: Contract


def shares_down(assets: int, total: int, supply: int) -> int:
    return assets * (supply + VIRTUAL) // (total + VIRTUAL)


def shares_up(assets: int, total: int, supply: int) -> int:
    return -(-assets * (supply + VIRTUAL) // (total + VIRTUAL))


def assets_down(shares: int, total: int, supply: int) -> int:
    return shares * (total + VIRTUAL) // (supply + VIRTUAL)


def assets_up(shares: int, total: int, supply: int) -> int:
    return -(-shares * (total + VIRTUAL) // (supply + VIRTUAL))


def exit_fee(vault: Contract, paid: int) -> int:
    """What an instant exit that pays so much leaves behind now, rounded up."""
    buffer, most = vault.exit_terms()
    if buffer == 0:
        return 0
    # The line keeps its worth without what is at risk.
    total, supply = vault.live_total_assets(False), vault.totalSupply()
    free = max(0, vault.idle() - assets_up(vault.queued_shares(), total, supply))
    beyond = max(0, paid - free)
    high, low = min(free, buffer), min(free - (paid - beyond), buffer)
    missing = (high - low) * (2 * buffer - high - low) + 2 * buffer * beyond
    return -(-most * missing // (2 * buffer * WAD))


@pytest.fixture(scope="session")
def vault_chain() -> Iterator[Chain]:
    with Anvil.start() as node:
        yield Chain.connect(node.ipc)


def deploy_vault(
    chain: Chain, actors: Actors, token: Contract, unlock_period: int = UNLOCK_PERIOD
) -> Contract:
    """A vault whose seed the owner pays."""
    token.approve(contract_address(chain, actors.owner, after=1), UNLIMITED, sender=actors.owner)
    return chain.deploy(
        artifact("LRTVault"),
        token.address,
        "Relever LRT",
        "rLRT",
        actors.allocator,
        actors.guardian,
        unlock_period,
        DEPOSIT_CAP,
        actors.owner,
        sender=actors.owner,
    )


def build(chain: Chain) -> Setup:
    """A vault with two adapters, and money and approvals for every actor."""
    actors = Actors(*chain.accounts[:8])
    token = chain.deploy(artifact("SettableToken"), 18, 0, sender=actors.owner)
    for account in chain.accounts[:8]:
        token.mint(account, HOLDING, sender=account)
    vault = deploy_vault(chain, actors, token)
    adapters = []
    for _ in range(2):
        adapter = chain.deploy(
            artifact("SettableAdapter"), vault.address, token.address, sender=actors.owner
        )
        vault.add_adapter(adapter.address, ADAPTER_CAP, WAD, sender=actors.owner)
        # So that it can send what a test lets it send.
        token.mint(adapter.address, HOLDING, sender=actors.owner)
        adapters.append(adapter)
    for account in chain.accounts[:8]:
        token.approve(vault.address, UNLIMITED, sender=account)
    return Setup(chain, actors, token, vault, adapters[0], adapters[1])


@pytest.fixture(scope="session")
def built(vault_chain: Chain) -> Setup:
    return build(vault_chain)


@pytest.fixture
def setup(built: Setup) -> Iterator[Setup]:
    """A fresh vault: nothing in it but the seed."""
    with built.chain.isolated():
        yield built


@pytest.fixture
def staked(setup: Setup) -> Setup:
    """100 deposited, 60 of them staked in the first adapter and 20 in the second."""
    setup.deposit(100 * WAD)
    setup.allocate(60 * WAD)
    setup.allocate(20 * WAD, setup.second_adapter)
    return setup


@pytest.fixture
def exits(staked: Setup) -> Exits:
    """The same with a queue, which every actor has approved, and a side pocket."""
    chain, vault, actors = staked.chain, staked.vault, staked.actors
    queue = chain.deploy(artifact("WithdrawalQueue"), vault.address, DAY, 0, sender=actors.stranger)
    pocket = chain.deploy(artifact("SidePocket"), vault.address, sender=actors.stranger)
    vault.set_exits(queue.address, pocket.address, sender=actors.owner)
    for account in chain.accounts[:8]:
        vault.approve(queue.address, UNLIMITED, sender=account)
    return Exits(staked, queue, pocket)
