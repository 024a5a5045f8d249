import pytest

from relever.artifacts import artifact
from relever.baselayer.balancer import create_stable_pool
from relever.protocol import Deployment
from tests.lrt_paths import NOBODY
from tests.scene import ETHER, reverts
from tests.stable import AMPLIFICATION, FEE_WAD, Stable

NO_POOL = bytes(32)


def test_create__pools__are_found_both_ways_without_their_shares(
    scene: Deployment, stable: Stable
) -> None:
    swap, pool = stable.swap, stable.pool
    lrt, weth = scene.protocol.vault.address, scene.world.core.weth.address
    assert swap.VAULT() == stable.balancer.vault.address
    assert swap.pool_of(lrt, weth) == swap.pool_of(weth, lrt) == pool.pool_id
    registered = stable.balancer.vault.getPoolTokens(pool.pool_id)[0]
    assert pool.address in registered
    for token in registered:
        assert swap.pool_of(token, token) == NO_POOL
        assert swap.pool_of(pool.address, token) == swap.pool_of(token, pool.address) == NO_POOL


def test_create__pool_of_three_tokens__knows_every_pair(scene: Deployment, stable: Stable) -> None:
    core, chain, provider = scene.world.core, scene.chain, scene.roles.liquidity_provider
    third = chain.deploy(artifact("UnrulyToken"))
    third.mint(provider, ETHER)
    scene.world.fund(provider, weth=ETHER, wsteth=ETHER)
    tokens = core.weth, core.wsteth, third
    amounts = [(token, ETHER, NOBODY) for token in tokens]
    pool = create_stable_pool(stable.balancer, amounts, AMPLIFICATION, FEE_WAD, provider)
    pools = [stable.pool.pool_id, pool.pool_id]
    swap = chain.deploy(artifact("BalancerSwap"), stable.balancer.vault.address, pools)
    for sold in tokens:
        for bought in tokens:
            found = NO_POOL if sold == bought else pool.pool_id
            assert swap.pool_of(sold.address, bought.address) == found
    lrt = scene.protocol.vault.address
    assert swap.pool_of(lrt, core.weth.address) == stable.pool.pool_id
    assert swap.pool_of(lrt, core.wsteth.address) == NO_POOL


def test_create__two_pools_for_a_pair__reverts(scene: Deployment, stable: Stable) -> None:
    with reverts("swap: two pools for a pair"):
        scene.chain.deploy(
            artifact("BalancerSwap"), stable.balancer.vault.address, [stable.pool.pool_id] * 2
        )


@pytest.mark.parametrize("name", [bytes(32), b"\x01" * 32])
def test_create__pool_that_the_vault_does_not_know__reverts(
    scene: Deployment, stable: Stable, name: bytes
) -> None:
    with reverts("BAL#500"):
        scene.chain.deploy(artifact("BalancerSwap"), stable.balancer.vault.address, [name])
