"""A chain with Sepolia's id and the base layer on it, and a deployer unknown to the node."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount

from bench.deploys.stage import ETHER, Keystore, keystore, lay_base, network_file
from relever.baselayer import World
from relever.chain import Anvil, Chain, Rpc
from relever.deploy.plan import Plan
from relever.deploy.record import describe, genesis, opened
from relever.deploy.runner import Progress, Runner
from relever.deploy.settings import Settings, read
from relever.keeper.account import unlock

SEPOLIA = 11_155_111
READER = "0x0000000000000000000000000000000000000000"


@dataclass(frozen=True)
class Network:
    """Where is deployed to. `chain` drives the node."""

    chain: Chain
    url: str
    world: World
    addresses: dict[str, Any]
    settings_file: Path
    settings: Settings
    keystore: Keystore
    account: LocalAccount

    def reader(self) -> Chain:
        """A chain that can ask and send what is signed, and nothing else."""
        return Chain(Rpc(self.url), [READER])

    def plan(self, chain: Chain | None = None, settings: Settings | None = None) -> Plan:
        return Plan(chain or self.reader(), settings or self.settings, self.account.address)

    def run(
        self,
        record: Path,
        *,
        chain: Chain | None = None,
        settings: Settings | None = None,
        confirmations: int = 0,
        most_fee_gwei: int = 300,
        tell: Callable[[Progress], None] = lambda progress: None,
    ) -> dict[str, Any]:
        """Deploy, or go on; the record."""
        chain = chain or self.reader()
        plan = self.plan(chain, settings)
        with opened(record, describe(plan, "sepolia", genesis(chain))) as kept:
            Runner(
                chain,
                self.account,
                plan,
                kept,
                confirmations=confirmations,
                poll_seconds=0.01,
                most_fee_gwei=most_fee_gwei,
                tell=tell,
            ).run()
        found: dict[str, Any] = json.loads(record.read_text())
        return found

    def command(self, record: Path) -> list[str]:
        """The arguments of `python -m relever.deploy`."""
        return [
            *("--config", str(self.settings_file)),
            *("--rpc", self.url),
            *("--record", str(record)),
            *("--keystore", str(self.keystore.file)),
            *("--password-file", str(self.keystore.password_file)),
            *("--poll-seconds", "0.01"),
        ]


@pytest.fixture(scope="session")
def bare_network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Before anything is deployed."""
    folder = tmp_path_factory.mktemp("network")
    with Anvil.start(chain_id=SEPOLIA) as node:
        chain = Chain.connect(node.ipc)
        world, addresses = lay_base(chain)
        file = network_file(folder, SEPOLIA, addresses, confirmations_blocks=1)
        kept = keystore(folder, bytes(31) + b"\x07")
        chain.set_balance(kept.address, 100 * ETHER)
        account = unlock(kept.file, kept.password_file.read_text())
        settings = read("custom", file)
        yield Network(chain, node.url, world, addresses, file, settings, kept, account)
        chain.close()


@pytest.fixture
def network(bare_network: Network) -> Iterator[Network]:
    """The same, mining by itself, and put back after the test."""
    chain = bare_network.chain
    with chain.isolated():
        chain.rpc("evm_setAutomine", [True])
        yield bare_network
        chain.rpc("evm_setIntervalMining", [0])
        chain.rpc("evm_setAutomine", [False])
        chain.rpc("anvil_dropAllTransactions")


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Where the record will be."""
    return tmp_path / "record.json"
