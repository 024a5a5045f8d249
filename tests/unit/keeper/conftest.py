"""A deployment with a position that can be liquidated, a faulty node before it, and keepers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account.signers.local import LocalAccount

from relever.keeper import Keeper, Log, Options, Policy, Share, Suite, Trust
from relever.protocol import Deployment
from tests.keepers import TRUST, FaultyNode, Make, Told, rich
from tests.scene import (
    ETHER,
    borrow_against,
    lend,
    restake,
    slash_and_sync,
    stake_idle,
    worth,
)


@pytest.fixture
def scene(deployment: Deployment) -> Deployment:
    """A market in use: one loan near the limit, another far from it, some idle assets."""
    lend(deployment, 1_000 * ETHER)
    borrow_against(deployment, 20 * ETHER, worth(deployment, 18 * ETHER))
    borrow_against(deployment, 20 * ETHER, 10 * ETHER, owner=deployment.roles.looper)
    restake(deployment, 200 * ETHER)
    stake_idle(deployment, deployment.protocol.vault.idle() * 9 // 10)
    return deployment


@pytest.fixture
def breached(scene: Deployment) -> Deployment:
    """The same after a slash: the borrower can be liquidated at a profit."""
    slash_and_sync(scene, 5 * 10**16)
    return scene


@pytest.fixture
def account(scene: Deployment) -> LocalAccount:
    """The keeper's own account, with ether for gas."""
    return rich(scene, 1)


@pytest.fixture
def other_account(scene: Deployment) -> LocalAccount:
    return rich(scene, 2)


@pytest.fixture
def faulty(scene: Deployment) -> Iterator[FaultyNode]:
    node = FaultyNode(scene.chain._rpc.url)
    yield node
    node.close()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def make(scene: Deployment, tmp_path: Path, account: LocalAccount, told: Told) -> Iterator[Make]:
    """Makes a keeper; by default at the node itself, with the account and one folder."""
    made: list[Keeper] = []

    def keeper(
        url: str = "",
        *,
        signer: LocalAccount | None = account,
        folder: str = "keeper",
        other_url: str = "",
        policy: Policy | None = None,
        trust: Trust = TRUST,
        share: Share | None = None,
        orders: Path | None = None,
        dry_run: bool = False,
        log: Log | None = None,
    ) -> Keeper:
        options = Options(
            url=url or scene.chain._rpc.url,
            other_url=other_url,
            folder=tmp_path / folder,
            account=signer,
            orders=orders,
            dry_run=dry_run,
            policy=policy or Policy(),
            trust=trust,
            share=share or Share(),
        )
        made.append(Keeper(Suite(scene.protocol.addresses()), options, log or told.log))
        return made[-1]

    yield keeper
    for one in made:
        one.close()
