"""What the keepers watch: lenders, two hundred borrowers, stop orders, and pools to sell into."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, fields

from relever.baselayer import Roles, build_world, deploy_core
from relever.chain import Chain
from relever.model import signing
from relever.orders import Kind, Order, SignedOrder
from relever.protocol import PRICE_SCALE, UNLIMITED, WAD, Deployment, deploy
from relever.risk import Plan

POSITIONS = 200
# The node's accounts: roles, the arbitrageur, and the borrowers.
ACCOUNTS = len(fields(Roles)) + 1 + POSITIONS
# Leverage from a little above the least that the scenario reaches to nearly the most at opening.
LEAST_LEVERAGE, MOST_LEVERAGE = 4 * WAD, 11 * WAD
LEAST_EQUITY, MOST_EQUITY = 2 * WAD, 8 * WAD
# In a range of a quarter to each side, on top of the deployment's thin pool: ezETH's pool had 5,870
# WETH before its fall.
DEPTH, HALF_WIDTH_TICKS = 6_000 * WAD, 3_000
# The least leveraged have signed stop orders, in turn a deleverage and a stop-loss.
ORDERS = 24
# A deleverage from and to which health, the market prices at which a stop-loss is spread out, as
# parts of the first one, what either may lose, and its fee in wei of WETH.
TRIGGER, TARGET = 115 * WAD // 100, 125 * WAD // 100
HIGHEST, LOWEST = 96 * WAD // 100, 88 * WAD // 100
MOST_LOSS, FEE = WAD // 5, 3 * WAD // 100
# Left idle in the vault, for instant exits.
IDLE = 300 * WAD
# What those hold who trade the pool back to what the market says.
INVENTORY = 5_000 * WAD


@dataclass(frozen=True)
class Stage:
    """The deployment, who trades, and who borrows, with what they opened and signed."""

    scene: Deployment
    arbitrageur: str
    plans: tuple[Plan, ...]
    orders: tuple[SignedOrder, ...]

    @property
    def chain(self) -> Chain:
        return self.scene.chain

    @property
    def borrowers(self) -> tuple[str, ...]:
        return tuple(plan.owner for plan in self.plans)


def build(chain: Chain, seed: int) -> Stage:
    """Deploy everything and open the positions; leverages and sizes come from the seed."""
    scene = deploy(build_world(deploy_core(chain)))
    arbitrageur, *borrowers = chain.accounts[len(fields(Roles)) :][: 1 + POSITIONS]
    price: int = scene.protocol.oracle.fundamental()
    plans = _plans(borrowers, price, random.Random(seed))
    needed = sum(plan.collateral for plan in plans)
    _restake(scene, needed + DEPTH + INVENTORY)
    _deepen(scene)
    _trader(scene, arbitrageur)
    _lend(scene, sum(plan.debt for plan in plans))
    _open(scene, plans)
    careful = sorted(plans, key=lambda plan: plan.leverage)[:ORDERS]
    orders = tuple(_sign(scene, plan.owner, number) for number, plan in enumerate(careful))
    return Stage(scene, arbitrageur, tuple(plans), orders)


def _plans(borrowers: Sequence[str], price: int, chance: random.Random) -> list[Plan]:
    """One position in each equal step of leverage, at a random place in it, in random order."""
    steps = len(borrowers)
    width = (MOST_LEVERAGE - LEAST_LEVERAGE) // steps
    leverages = [LEAST_LEVERAGE + width * i + chance.randrange(width) for i in range(steps)]
    chance.shuffle(leverages)
    plans = []
    for owner, leverage in zip(borrowers, leverages, strict=True):
        equity = chance.randrange(LEAST_EQUITY, MOST_EQUITY)
        collateral = equity * leverage // WAD * PRICE_SCALE // price
        debt = collateral * price // PRICE_SCALE * (leverage - WAD) // leverage
        plans.append(Plan(owner, leverage, collateral, debt))
    return plans


def _restake(scene: Deployment, shares: int) -> None:
    """The depositor makes the LRT; EigenLayer gets most of the stake, and some assets stay idle."""
    vault, roles, wsteth = scene.protocol.vault, scene.roles, scene.world.core.wsteth
    assets = vault.previewMint(shares)
    scene.world.fund(roles.depositor, wsteth=assets)
    wsteth.approve(vault.address, assets, sender=roles.depositor)
    vault.mint(shares, roles.depositor, sender=roles.depositor)
    staked = vault.totalAssets() - IDLE
    symbiotic, eigenlayer = scene.protocol.symbiotic, scene.protocol.eigenlayer
    vault.allocate(symbiotic.address, staked // 9, sender=roles.allocator)
    vault.allocate(eigenlayer.address, vault.idle() - IDLE, sender=roles.allocator)


def _deepen(scene: Deployment) -> None:
    """The liquidity provider makes the LRT's pool as deep as one of a well-known LRT."""
    vault, roles, core = scene.protocol.vault, scene.roles, scene.world.core
    price = scene.protocol.oracle.fundamental() // WAD
    vault.transfer(roles.liquidity_provider, DEPTH, sender=roles.depositor)
    scene.world.fund(roles.liquidity_provider, weth=DEPTH * price // WAD)
    scene.world.pool(
        vault,
        core.weth,
        scene.lrt_pool.fee_millionths,
        price,
        DEPTH,
        DEPTH * price // WAD,
        HALF_WIDTH_TICKS,
    )


def _trader(scene: Deployment, arbitrageur: str) -> None:
    vault, core = scene.protocol.vault, scene.world.core
    vault.transfer(arbitrageur, INVENTORY, sender=scene.roles.depositor)
    scene.world.fund(arbitrageur, weth=4 * INVENTORY)
    for token in (vault, core.weth):
        token.approve(core.swap_router.address, UNLIMITED, sender=arbitrageur)


def _lend(scene: Deployment, borrowed: int) -> None:
    amount, lender, market = borrowed * 10 // 9, scene.roles.lender, scene.protocol.market
    scene.world.fund(lender, weth=amount)
    scene.world.core.weth.approve(market.address, amount, sender=lender)
    market.deposit(amount, lender, sender=lender)


def _open(scene: Deployment, plans: Sequence[Plan]) -> None:
    vault, market, depositor = scene.protocol.vault, scene.protocol.market, scene.roles.depositor
    chain = scene.chain
    # Else the supply that has just come would not count as collateral yet.
    chain.advance(86_400)
    scene.answer_fundamental()
    scene.protocol.oracle.poke(sender=scene.roles.stranger)
    chain.send_batch([vault.transfer.build(p.owner, p.collateral, sender=depositor) for p in plans])
    chain.send_batch(
        [vault.approve.build(market.address, UNLIMITED, sender=plan.owner) for plan in plans]
    )
    chain.send_batch(
        [
            market.adjust.build(p.owner, p.collateral, p.debt, p.owner, b"", sender=p.owner)
            for p in plans
        ]
    )


def _sign(scene: Deployment, owner: str, number: int) -> SignedOrder:
    """An order of everything, which its contract may execute from now on."""
    protocol, chain = scene.protocol, scene.chain
    protocol.market.set_authorization(protocol.orders.address, True, sender=owner)
    deleverages = number % 2 == 0
    part = HIGHEST - (HIGHEST - LOWEST) * number // ORDERS
    order = Order(
        owner=owner,
        market=protocol.market.address,
        kind=Kind.DELEVERAGE if deleverages else Kind.STOP_LOSS,
        trigger=TRIGGER if deleverages else protocol.oracle.price() * part // WAD,
        target_health=TARGET if deleverages else 0,
        amount=UNLIMITED,
        max_loss=MOST_LOSS,
        fee=FEE,
        epoch=0,
        nonce=number,
        deadline=UNLIMITED,
    )
    return order.sign(chain.chain_id, protocol.orders.address, signing.account(chain, owner))
