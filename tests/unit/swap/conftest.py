"""The swap contracts over real pools, and over pools that cheat."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from eth_abi.abi import encode

from relever.artifacts import artifact
from relever.baselayer.balancer import deploy_balancer
from relever.chain import Chain, Contract
from relever.protocol import Deployment
from tests.scene import ETHER, assert_empty, mint_lrt
from tests.stable import Stable, add_stable_pool
from tests.unit.router.conftest import prepared

__all__ = ["cheat", "prepared", "scene", "stable", "stable_cheat"]

BOTH = pytest.mark.parametrize("direction", ["sell lrt", "buy lrt"])


@pytest.fixture
def scene(prepared: Deployment) -> Iterator[Deployment]:
    with prepared.chain.isolated():
        yield prepared
        assert_empty(prepared, prepared.protocol.swap.address)


def pair(scene: Deployment, direction: str) -> tuple[Contract, Contract]:
    """What is sold and what is bought."""
    vault, weth = scene.protocol.vault, scene.world.core.weth
    return (vault, weth) if direction == "sell lrt" else (weth, vault)


def send(scene: Deployment, swap: Contract, token: Contract, amount: int) -> None:
    """Whoever wants to sell sends it to the swap first."""
    trader = scene.roles.trader
    if token == scene.protocol.vault:
        mint_lrt(scene, swap.address, amount)
    else:
        scene.world.fund(trader, weth=amount)
        token.transfer(swap.address, amount, sender=trader)


@dataclass(frozen=True)
class Cheat:
    """A swap contract over one pool that does what the test says, for two plain tokens."""

    chain: Chain
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
    return Cheat(chain, swap, pool, tokens[0], tokens[1])


@pytest.fixture
def stable(scene: Deployment) -> Iterator[Stable]:
    """A swap contract over Balancer's own bytecode, empty after each test."""
    made = add_stable_pool(scene)
    yield made
    assert_empty(scene, made.swap.address)
    for token in (scene.protocol.vault, scene.world.core.weth):
        assert token.allowance(made.swap.address, made.balancer.vault.address) == 0
        assert made.balancer.vault.getInternalBalance(made.swap.address, [token.address]) == [0]


@dataclass(frozen=True)
class StableCheat:
    """A swap contract over one pool in the real Vault that does what the test says."""

    swap: Contract
    vault: Contract
    pool: Contract
    sold: Contract
    bought: Contract

    def allowance(self) -> int:
        """What the Vault may take of what is sold."""
        left: int = self.sold.allowance(self.swap.address, self.vault.address)
        return left

    def set_inner_sale(self, by: str, inner: str) -> Contract:
        """From now on the pool, or a token, first tries to sell by the swap; which one it is."""
        hooked: Contract = getattr(self, by)
        again = (self.sold.address, self.bought.address, ETHER, 0, self.pool.address)
        hooked.set_hook(self.swap.address, getattr(self.swap, inner).encode(*again))
        return hooked


@pytest.fixture
def stable_cheat(scene: Deployment) -> StableCheat:
    chain, provider = scene.chain, scene.roles.liquidity_provider
    vault = deploy_balancer(scene.world.core, scene.roles.base_admin).vault
    tokens = sorted(
        (chain.deploy(artifact("UnrulyToken")) for _ in range(2)), key=lambda t: int(t.address, 16)
    )
    addresses = [token.address for token in tokens]
    pool = chain.deploy(artifact("CheatingStablePool"), vault.address, *addresses)
    pool_id = pool.getPoolId()
    swap = chain.deploy(artifact("BalancerSwap"), vault.address, [pool_id])
    tokens[1].mint(provider, 10 * ETHER + 1)
    tokens[1].approve(vault.address, 10 * ETHER + 1, sender=provider)
    amounts = [0, 10 * ETHER + 1]
    request = addresses, amounts, encode(["uint256[]"], [amounts]), False
    vault.joinPool(pool_id, provider, provider, request, sender=provider)
    tokens[0].mint(swap.address, 10 * ETHER)
    return StableCheat(swap, vault, pool, tokens[0], tokens[1])
