"""A deployment with lenders and LRT, and a user with a keystore on its node."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from relever.client import Client
from relever.client.__main__ import main
from relever.protocol import Deployment
from tests.scene import ETHER, lend, restake

PASSWORD = "correct horse"
FUNDS = 100 * ETHER


@dataclass
class User:
    """Somebody at a terminal: an account with `FUNDS` of ether, its files, and the node."""

    scene: Deployment
    address: str
    node: str
    record: Path
    keystore: Path
    password: Path

    def client(self) -> Client:
        return Client.connect(self.node, self.record, str(self.keystore), self.password)

    def argv(self, *words: str) -> list[str]:
        """The words with everything that they need beside them."""
        return [
            *words,
            *("--node", self.node, "--deployment", str(self.record)),
            *("--account", str(self.keystore), "--password-file", str(self.password)),
        ]

    def run(self, *words: str) -> int:
        """The exit code of a command."""
        with self.mining():
            return main(self.argv(*words))

    @contextmanager
    def mining(self) -> Iterator[None]:
        """The node mines by itself, as a real one does."""
        self.scene.chain.rpc("evm_setAutomine", [True])
        try:
            yield
        finally:
            self.scene.chain.rpc("evm_setAutomine", [False])

    def state(self) -> tuple[Any, ...]:
        """What a dry run must not change."""
        chain = self.scene.chain
        return (
            chain.block_number,
            chain.balance(self.address),
            chain.rpc("eth_getTransactionCount", [self.address, "pending"]),
        )


@pytest.fixture
def user(deployment: Deployment, tmp_path: Path) -> User:
    restake(deployment, 500 * ETHER)
    lend(deployment, 1_000 * ETHER)
    account = Account.from_key("0x" + "5e" * 32)
    deployment.chain.set_balance(deployment.chain.impersonate(account.address), FUNDS)
    record, keystore, password = (
        tmp_path / name for name in ("local.json", "keystore.json", "password")
    )
    chain_id = deployment.chain.chain_id
    record.write_text(
        json.dumps({"chain_id": chain_id, "addresses": deployment.protocol.addresses()})
    )
    keystore.write_text(
        json.dumps(Account.encrypt(account.key, PASSWORD, kdf="pbkdf2", iterations=2))
    )
    password.write_text(PASSWORD + "\n")
    node = deployment.chain._rpc.url
    return User(deployment, account.address, node, record, keystore, password)
