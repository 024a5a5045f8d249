"""Probes for the property tests."""

from collections.abc import Iterator

import pytest

from relever.artifacts import artifact
from relever.baselayer import build_world, deploy_core
from relever.chain import Anvil, Chain
from relever.model.deployed import Deployed
from relever.protocol import deploy
from tests.properties.maths import Maths

# What everybody has of each token.
EACH = 4_000 * 10**18


@pytest.fixture(scope="session")
def deployed() -> Iterator[Deployed]:
    """The whole protocol, prepared, under the names of its model. Whoever uses it isolates it."""
    with Anvil.start() as node:
        deployment = deploy(build_world(deploy_core(Chain.connect(node.ipc))))
        found = Deployed.of(deployment)
        found.prepare(EACH)
        yield found
        deployment.chain.close()


@pytest.fixture(scope="session")
def maths() -> Iterator[Maths]:
    """The market's arithmetic, on a chain of its own."""
    with Anvil.start() as node:
        chain = Chain.connect(node.ipc)
        yield Maths(chain, chain.deploy(artifact("MathsProbe")))
        chain.close()
