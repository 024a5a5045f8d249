"""A stable pool of Balancer's for the LRT and WETH, and the swap contract over it."""

from __future__ import annotations

from dataclasses import dataclass

from relever.artifacts import artifact
from relever.baselayer.balancer import (
    Balancer,
    StablePool,
    create_stable_pool,
    deploy_balancer,
    swap,
)
from relever.chain import Call, Contract
from relever.protocol import UNLIMITED, WAD, Deployment
from tests.lrt_paths import NOBODY
from tests.scene import ETHER, mint_lrt, price_e36

# What such pools have: a fee of 0.04 %.
AMPLIFICATION, FEE_WAD = 200, 4 * 10**14
EACH = 200 * ETHER


@dataclass(frozen=True)
class Stable:
    """The pool's rate of the LRT is the fundamental price at its creation."""

    scene: Deployment
    balancer: Balancer
    pool: StablePool
    rate: Contract
    swap: Contract

    def quote(self, sold: Contract, bought: Contract, amount: int) -> int:
        """What the Vault says that the pool would pay."""
        vault, nobody = self.balancer.vault, (NOBODY, False, NOBODY, False)
        step = self.pool.pool_id, 0, 1, amount, b""
        deltas: list[int] = vault.queryBatchSwap.call(
            0, [step], [sold.address, bought.address], nobody
        )
        return -deltas[1]

    def push(self) -> list[Call]:
        """A trader's calls that lower the LRT's price in the pool by 30 % or more.

        He has the LRT before; the calls only sell it.
        """
        trader, vault, weth = self.scene.roles.trader, self.scene.protocol.vault, self._weth
        amount = 194 * ETHER
        mint_lrt(self.scene, trader, amount)
        with self.scene.chain.isolated():
            fair = self.quote(vault, weth, ETHER)
            swap(self.pool, vault, weth.address, amount, trader)
            assert self.quote(vault, weth, ETHER) < fair * 7 // 10
        sale = self.pool.pool_id, 0, vault.address, weth.address, amount, b""
        funds = trader, False, trader, False
        balancer = self.balancer.vault
        return [
            vault.approve.build(balancer.address, amount, sender=trader),
            balancer.swap.build(sale, funds, 0, UNLIMITED, sender=trader),
        ]

    @property
    def _weth(self) -> Contract:
        return self.scene.world.core.weth


def add_stable_pool(scene: Deployment) -> Stable:
    """Balancer, the pool with as much of each token by worth, and the swap contract."""
    core, roles, vault = scene.world.core, scene.roles, scene.protocol.vault
    balancer = deploy_balancer(core, roles.base_admin)
    price = price_e36(scene) // WAD
    rate = scene.chain.deploy(artifact("SettableRate"), price)
    provider, weth_amount = roles.liquidity_provider, EACH * price // WAD
    mint_lrt(scene, provider, EACH)
    scene.world.fund(provider, weth=weth_amount)
    amounts = [(vault, EACH, rate.address), (core.weth, weth_amount, NOBODY)]
    pool = create_stable_pool(balancer, amounts, AMPLIFICATION, FEE_WAD, provider)
    made = scene.chain.deploy(artifact("BalancerSwap"), balancer.vault.address, [pool.pool_id])
    return Stable(scene, balancer, pool, rate, made)
