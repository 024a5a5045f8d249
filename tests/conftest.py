"""One chain per test process, put back after each test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from relever.baselayer import Roles, World, build_world, deploy_core, load_core
from relever.chain import Anvil, Chain
from relever.fuzz.machine import steady_constants
from relever.protocol import Deployment, Protocol, deploy

# What a state machine does shall not depend on which tests ran before it in the same process.
steady_constants()

# Set to a node's URL to run the fork tests on a real network instead of our own upstream node.
FORK_URL = os.environ.get("RELEVER_FORK_URL")
FORK_NETWORK = os.environ.get("RELEVER_FORK_NETWORK", "mainnet")


@pytest.fixture(scope="session")
def deployed() -> Iterator[Deployment]:
    """The suite on a local chain with the real base layer, right after deployment."""
    with Anvil.start() as node:
        chain = Chain.connect(node.ipc)
        yield deploy(build_world(deploy_core(chain)))
        chain.close()


@pytest.fixture
def deployment(deployed: Deployment) -> Iterator[Deployment]:
    """The same, put back after the test."""
    with deployed.chain.isolated():
        yield deployed


@pytest.fixture
def protocol(deployment: Deployment) -> Protocol:
    return deployment.protocol


@pytest.fixture
def world(deployment: Deployment) -> World:
    return deployment.world


@pytest.fixture
def roles(deployment: Deployment) -> Roles:
    return deployment.roles


@pytest.fixture
def chain(deployment: Deployment) -> Chain:
    return deployment.chain


@pytest.fixture(scope="session")
def forked() -> Iterator[Deployment]:
    """The suite deployed on a fork: of a real network, or of our own node with the base layer."""
    if FORK_URL:
        with Anvil.fork(FORK_URL) as fork:
            chain = Chain.connect(fork.ipc)
            yield deploy(build_world(load_core(chain, FORK_NETWORK)))
            chain.close()
        return
    with Anvil.start() as upstream:
        base = Chain.connect(upstream.ipc)
        world = build_world(deploy_core(base))
        with Anvil.fork(upstream.url) as fork:
            chain = Chain.connect(fork.ipc)
            yield deploy(world.on(chain))
            chain.close()
        base.close()
