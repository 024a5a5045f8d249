"""The Lido doubles with an initial stake of 1 ether, at a rate that divides badly."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from relever.artifacts import artifact
from relever.chain import Anvil, Chain, Contract

ETHER = 10**18
INITIAL_STAKE = ETHER
# With one staker beside it, neither shares nor ether divide the other evenly.
REWARDS = 123_456_789_012_345_679
STAKE = 31_000_000_000_000_000_007


@dataclass(frozen=True)
class Actors:
    """One account per role."""

    admin: str
    oracle: str
    staker: str
    receiver: str
    spender: str
    stranger: str


@pytest.fixture(scope="session")
def bare_chain() -> Iterator[Chain]:
    with Anvil.start() as node:
        yield Chain.connect(node.ipc)


@pytest.fixture
def chain(bare_chain: Chain) -> Iterator[Chain]:
    with bare_chain.isolated():
        yield bare_chain


@pytest.fixture
def actors(chain: Chain) -> Actors:
    return Actors(*chain.accounts[:6])


@pytest.fixture
def fresh_steth(chain: Chain, actors: Actors) -> Contract:
    """StETH with its initial stake only, at a rate of 1."""
    return chain.deploy(
        artifact("StETHDouble"), actors.oracle, sender=actors.admin, value=INITIAL_STAKE
    )


@pytest.fixture
def steth(fresh_steth: Contract, actors: Actors) -> Contract:
    """StETH at an uneven rate above 1, of which the staker has most."""
    fresh_steth.accrue_rewards(sender=actors.oracle, value=REWARDS)
    fresh_steth.submit(actors.admin, sender=actors.staker, value=STAKE)
    return fresh_steth


@pytest.fixture
def wsteth(chain: Chain, steth: Contract, actors: Actors) -> Contract:
    return chain.deploy(artifact("WstETHDouble"), steth.address, sender=actors.admin)
