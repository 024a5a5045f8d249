"""What leveraged tokens and the backstop pool cost, on the whole deployment.

Every figure but that of an auction's start is of who has done the same before, 12 seconds after the
transaction before it.
Both adapters have stake, so that each look at what backs the LRT reads EigenLayer and Symbiotic
once: that binds wherever a worth is needed. What else does stands with the ceilings. The peer has
neither lots nor a line: what a deposit into the backstop costs beyond it is the marks, though
nothing waits here, and the pool's own books.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from bench.peers import Code
from bench.report import Row
from bench.venues import gas_of
from relever.baselayer import build_world, deploy_core
from relever.chain import Chain, Contract
from relever.leveraged import Leveraged, deploy_leveraged
from relever.protocol import UNLIMITED, WAD, Deployment, deploy
from relever.risk.backstop import Lab, Result

# Gas of each operation when it was cheapest, rounded up: no change makes it dearer unseen.
CEILINGS = {
    # The market's check of who borrows: its oracle reads the vault with both adapters. Redeeming
    # asks for no price.
    "leveraged token: mint": 383_000,
    "leveraged token: redeem": 131_000,
    # That, the rate of the vault, the choice between pool and vault, and the vault's deposit.
    "leveraged token: mint by the zap, LRT": 549_000,
    "leveraged token: mint by the zap, wstETH": 607_000,
    "leveraged token: mint by the zap, WETH": 643_000,
    # A sale in Uniswap's pool; with wstETH a redemption from the vault, which reads both adapters.
    "leveraged token: redeem by the zap, LRT": 249_000,
    "leveraged token: redeem by the zap, wstETH": 416_000,
    "leveraged token: redeem by the zap, WETH": 243_000,
    # One look at what backs the LRT; to raise leverage borrows, so that the oracle reads it again.
    "leveraged token: start auction, lower": 218_000,
    "leveraged token: rebalance, lower": 278_000,
    "leveraged token: start auction, raise": 218_000,
    "leveraged token: rebalance, raise": 436_000,
    "backstop: deposit": 88_000,
    "backstop: withdraw": 84_000,
    # The vault as it is for who leaves, for the price; the market's own liquidation.
    "backstop: liquidation, no capital": 423_000,
    # The queue values the request. The second claim: the first fills more empty words.
    "backstop: enqueue": 372_000,
    # A claim on the queue, and the sale in Uniswap's pool.
    "backstop: harvest, one claim": 218_000,
    "backstop: serve, one exit": 91_000,
}
PEER = "OpenZeppelin"
BLOCK = 12  # seconds
LENT, RESTAKED, PURSE = 1_000 * WAD, 1_500 * WAD, 200 * WAD
HELD = 20 * WAD
GAIN = 11 * WAD // 100  # of all stETH: out of the band of 3x
FALL = 9 * WAD // 100
SWAP, BACKSTOP = 1, 8  # of the ways out that `IRoute` knows


def derivative_rows(chain: Chain, code: Code) -> list[Row]:
    """Every row, each with its ceiling, and a peer's figure where there is one."""
    with chain.isolated():
        peer = _peer(chain, code)
    return [
        Row(what, gas, peer.get(what), PEER if what in peer else None, ceiling=CEILINGS[what])
        for what, gas in derivative_gas(chain).items()
    ]


def derivative_gas(chain: Chain) -> dict[str, int]:
    """Gas of every operation."""
    with chain.isolated():
        token = _token(chain)
    with chain.isolated():
        backstop = _backstop(chain)
    found = {f"leveraged token: {what}": gas for what, gas in token.items()}
    return found | {f"backstop: {what}": gas for what, gas in backstop.items()}


# The token of 3x


def _token(chain: Chain) -> dict[str, int]:
    scene = deploy(build_world(deploy_core(chain)))
    leveraged = _prepare(scene)
    token, zap, user = leveraged.tokens["rLRT3"], leveraged.zap, scene.roles.looper
    core, lrt = scene.world.core, scene.protocol.vault
    inputs = {"LRT": lrt, "wstETH": core.wsteth, "WETH": core.weth}

    def enter(coin: Contract) -> Any:
        return zap.enter(token.address, coin.address, WAD, 0, user, UNLIMITED, sender=user)

    def leave(coin: Contract) -> Any:
        terms = coin.address, 2 * WAD, SWAP, 0, 0
        return zap.leave(token.address, WAD, terms, user, UNLIMITED, sender=user)

    gas = {
        "mint": _second(scene.chain, lambda: token.mint(WAD, UNLIMITED, 0, user, sender=user)),
        "redeem": _second(scene.chain, lambda: token.redeem(WAD, UNLIMITED, 0, user, sender=user)),
    }
    for name, coin in inputs.items():
        gas[f"mint by the zap, {name}"] = _second(scene.chain, partial(enter, coin))
    for name, coin in inputs.items():
        gas[f"redeem by the zap, {name}"] = _second(scene.chain, partial(leave, coin))
    for what, lowers in (("lower", True), ("raise", False)):
        with scene.chain.isolated():
            gas |= _rebalance(scene, token, what, lowers)
    return gas


def _rebalance(scene: Deployment, token: Contract, what: str, lowers: bool) -> dict[str, int]:
    """A small part of the way twice: it ends out of the band, so that the auction goes on."""
    world, taker = scene.world, scene.roles.looper
    pooled = world.core.steth.getTotalPooledEther()
    if lowers:
        world.slash_validators(pooled * FALL // WAD)
    else:
        world.accrue_rewards(pooled * GAIN // WAD)
    scene.answer_fundamental()
    started = token.start_auction(sender=taker)
    scene.chain.advance(token.terms().duration)
    part = token.auction().most // 1_000

    def act() -> Any:
        return token.rebalance(lowers, part, 0, sender=taker)

    return {
        f"start auction, {what}": gas_of(started),
        f"rebalance, {what}": _second(scene.chain, act),
    }


def _prepare(scene: Deployment) -> Leveraged:
    """Lenders, stake in both protocols, and a user with some of everything."""
    world, roles, protocol = scene.world, scene.roles, scene.protocol
    core, vault, user = world.core, protocol.vault, scene.roles.looper
    world.fund(roles.lender, weth=LENT)
    core.weth.approve(protocol.market.address, LENT, sender=roles.lender)
    protocol.market.deposit(LENT, roles.lender, sender=roles.lender)
    world.fund(user, wsteth=RESTAKED + PURSE, weth=PURSE)
    core.wsteth.approve(vault.address, UNLIMITED, sender=user)
    vault.deposit(RESTAKED, user, sender=user)
    vault.allocate(protocol.symbiotic.address, RESTAKED // 4, sender=roles.allocator)
    vault.allocate(protocol.eigenlayer.address, RESTAKED // 2, sender=roles.allocator)
    leveraged = deploy_leveraged(scene)
    token = leveraged.tokens["rLRT3"]
    for coin in (vault, core.weth, core.wsteth, token):
        for spender in (token, leveraged.zap):
            coin.approve(spender.address, UNLIMITED, sender=user)
    scene.answer_fundamental()
    token.mint(HELD, UNLIMITED, 0, user, sender=user)
    return leveraged


# The backstop


def _backstop(chain: Chain) -> dict[str, int]:
    lab = Lab(deploy(build_world(deploy_core(chain))))
    scene, pool, user = lab.scene, lab.pool, lab.scene.roles.lender
    weth, stranger = scene.world.core.weth, scene.roles.stranger
    scene.world.fund(user, weth=PURSE)
    weth.approve(pool.address, UNLIMITED, sender=user)
    gas = _in_and_out(scene.chain, pool, user)
    protocol, market, roles = scene.protocol, scene.protocol.market, scene.roles

    def liquidate() -> Any:
        asked = market.address, roles.looper, WAD, BACKSTOP, 0
        return protocol.liquidator.liquidate(*asked, sender=roles.keeper)

    def enqueue() -> Any:
        liquidate()
        return pool.enqueue(sender=stranger)

    gas["liquidation, no capital"] = _second(scene.chain, liquidate)
    gas["enqueue"] = _second(scene.chain, enqueue)
    claims = pool.open_claims()
    for _ in range(2):
        pool.request_exit(WAD, user, user, sender=user)
    lab.wait(Result("gas"))
    scene.chain.advance(BLOCK)
    pool.harvest(claims[:1], sender=stranger)
    gas["harvest, one claim"] = gas_of(pool.harvest(claims[1:], sender=stranger))
    gas["serve, one exit"] = _second(scene.chain, lambda: pool.serve(1, sender=stranger))
    return gas


def _peer(chain: Chain, code: Code) -> dict[str, int]:
    """ERC-4626 of the same WETH, and nothing else."""
    world = build_world(deploy_core(chain))
    weth, user = world.core.weth, world.roles.lender
    vault = chain.deploy(code.openzeppelin_vault, weth.address, sender=world.roles.owner)
    world.fund(user, weth=PURSE)
    weth.approve(vault.address, UNLIMITED, sender=user)
    vault.deposit(HELD, user, sender=user)
    return {f"backstop: {what}": gas for what, gas in _in_and_out(chain, vault, user).items()}


def _in_and_out(chain: Chain, pool: Contract, user: str) -> dict[str, int]:
    """Of who has shares before and after."""
    return {
        "deposit": _second(chain, lambda: pool.deposit(WAD, user, sender=user)),
        "withdraw": _second(chain, lambda: pool.withdraw(WAD, user, user, sender=user)),
    }


def _second(chain: Chain, act: Callable[[], Any]) -> int:
    """Gas of doing something for the second time, a block after the first."""
    act()
    chain.advance(BLOCK)
    return gas_of(act())
