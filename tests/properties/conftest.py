"""Probes for the property tests."""

from collections.abc import Iterator

import pytest

from relever.artifacts import artifact
from relever.chain import Anvil, Chain
from tests.properties.maths import Maths


@pytest.fixture(scope="session")
def maths() -> Iterator[Maths]:
    """The market's arithmetic, on a chain of its own."""
    with Anvil.start() as node:
        chain = Chain.connect(node.ipc)
        yield Maths(chain, chain.deploy(artifact("MathsProbe")))
        chain.close()
