"""A market with lenders and rates that are no round numbers, and a looper who trusts the router."""

from collections.abc import Iterator

import pytest

from relever.artifacts import artifact
from relever.chain import Contract
from relever.protocol import NOBODY, UNLIMITED, WAD, Deployment
from tests.scene import (
    ETHER,
    NO_DEADLINE,
    assert_empty,
    borrow_against,
    lend,
    mint_lrt,
    pass_days,
    restake,
    stake_idle,
)

TOKENS = ["ether", "weth", "steth", "wsteth", "lrt"]
# No bound but those that a test is about.
FREE = (0, UNLIMITED, 0, NO_DEADLINE, 0)


@pytest.fixture(scope="module")
def prepared(deployed: Deployment) -> Iterator[Deployment]:
    """Made once for a module: each test puts it back."""
    with deployed.chain.isolated():
        prepare(deployed)
        yield deployed


@pytest.fixture
def scene(prepared: Deployment) -> Iterator[Deployment]:
    """Whatever a test does, the helpers are empty after it."""
    protocol, roles = prepared.protocol, prepared.roles
    with prepared.chain.isolated():
        yield prepared
        for helper in (protocol.router, protocol.liquidator, protocol.orders, protocol.swap):
            assert_empty(prepared, helper.address)
            assert not protocol.market.is_authorized(roles.borrower, helper.address)


def deploy_hostile(scene: Deployment, name: str, *last: object) -> tuple[Contract, Contract]:
    """A helper that takes any market for listed, and a market that uses that.

    Args:
        name: of the helper's contract.
        last: what its constructor takes after the pools.
    """
    protocol, core = scene.protocol, scene.world.core
    market = scene.chain.deploy(artifact("HostileMarket"))
    tokens = (protocol.vault.address, core.wsteth.address, core.weth.address)
    pools = (protocol.swap.address, NOBODY)
    helper = scene.chain.deploy(artifact(name), market.address, *tokens, *pools, *last)
    return helper, market


def token_of(scene: Deployment, name: str) -> Contract | None:
    """The input's contract; None for ether."""
    core = scene.world.core
    tokens = {"weth": core.weth, "steth": core.steth, "wsteth": core.wsteth}
    return {**tokens, "ether": None, "lrt": scene.protocol.vault}[name]


def give(scene: Deployment, name: str, amount: int) -> str:
    """The looper gets `amount` of the token and approves the router; the token's address."""
    looper, token = scene.roles.looper, token_of(scene, name)
    if token is None:
        return NOBODY
    if name == "lrt":
        mint_lrt(scene, looper, amount)
    else:
        # Lido rounds what it mints.
        scene.world.fund(looper, **{name: amount + 2 if name == "steth" else amount})
    token.approve(scene.protocol.router.address, amount, sender=looper)
    return token.address


def mint_rate(scene: Deployment) -> int:
    """LRT that a WETH mints, in WAD: rounded up twice, as the router takes it."""
    staked = scene.world.core.wsteth.getWstETHByStETH(WAD) + 1
    return int(scene.protocol.vault.previewDeposit(staked)) + 1


def buy_cheap_lrt(scene: Deployment, rate: int) -> None:
    """A trader buys LRT in its pool until a WETH fetches no more than the rate there."""
    trader, swap, weth = scene.roles.trader, scene.protocol.swap, scene.world.core.weth
    amount = 50 * ETHER
    scene.world.fund(trader, weth=amount)
    weth.transfer(swap.address, amount, sender=trader)
    tokens = (weth.address, scene.protocol.vault.address)
    sold, _ = swap.swap_up_to.call(*tokens, amount, rate, trader, sender=trader)
    swap.swap_up_to(*tokens, amount, rate, trader, sender=trader)
    assert 0 < sold < amount


def prepare(scene: Deployment) -> None:
    protocol, roles, core = scene.protocol, scene.roles, scene.world.core
    lend(scene, 1_000 * ETHER)
    restake(scene, 500 * ETHER)
    stake_idle(scene, 300 * ETHER)
    scene.world.accrue_rewards(7_777_777_777_777)
    # Little enough for the growth cap, over eight days.
    rewards = ETHER // 2 + 7
    scene.world.fund(roles.depositor, wsteth=rewards)
    core.wsteth.approve(protocol.vault.address, rewards, sender=roles.depositor)
    protocol.vault.pay_rewards(rewards, sender=roles.depositor)
    borrow_against(scene, 20 * ETHER, 11 * ETHER)
    pass_days(scene, 8)
    # So that interest and fees are booked, and no test has to count their events.
    protocol.market.accrue(sender=roles.stranger)
    protocol.market.set_authorization(protocol.router.address, True, sender=roles.looper)
    # So that the pool pays no more than minting does, but where a test wants it.
    buy_cheap_lrt(scene, mint_rate(scene))
    assert protocol.oracle.fundamental() < protocol.oracle.growth_cap()
    assert protocol.vault.rate() > WAD
