"""The swap contract over the exit's pools, and one over a pool that cheats."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from relever.artifacts import artifact
from relever.chain import Contract
from relever.protocol import Deployment
from tests.scene import ETHER, assert_empty
from tests.unit.router.conftest import prepared

__all__ = ["cheat", "prepared", "scene"]


@pytest.fixture
def scene(prepared: Deployment) -> Iterator[Deployment]:
    with prepared.chain.isolated():
        yield prepared
        assert_empty(prepared, prepared.protocol.swap.address)


@dataclass(frozen=True)
class Cheat:
    """A swap contract over one pool that does what the test says, for two plain tokens."""

    swap: Contract
    pool: Contract
    sold: Contract
    bought: Contract


@pytest.fixture
def cheat(scene: Deployment) -> Cheat:
    chain = scene.chain
    tokens = sorted(
        (chain.deploy(artifact("UnrulyToken")) for _ in range(2)), key=lambda t: int(t.address, 16)
    )
    pool = chain.deploy(artifact("CheatingPool"), tokens[0].address, tokens[1].address)
    swap = chain.deploy(artifact("UniswapV3Swap"), [pool.address])
    tokens[0].mint(swap.address, 10 * ETHER)
    tokens[1].mint(pool.address, 10 * ETHER)
    return Cheat(swap, pool, tokens[0], tokens[1])
