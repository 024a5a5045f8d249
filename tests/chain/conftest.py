"""A small chain of its own for the chain layer's tests, put back after each."""

from collections.abc import Iterator

import pytest

from relever.artifacts import artifact
from relever.chain import Anvil, Chain, Contract


@pytest.fixture(scope="session")
def node() -> Iterator[Anvil]:
    with Anvil.start() as node:
        yield node


@pytest.fixture
def chain(node: Anvil) -> Iterator[Chain]:
    chain = Chain.connect(node.url)
    with chain.isolated():
        yield chain
    chain.close()


@pytest.fixture
def probe(chain: Chain) -> Contract:
    return chain.deploy(artifact("Probe"), 5)


@pytest.fixture
def stranger(chain: Chain) -> str:
    return chain.accounts[7]
