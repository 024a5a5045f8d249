"""In the middle of our market's call the caller uses everything else of ours.

Curve, 2023-07-30, and Sturdy, 2023-06-12, once more, across contracts: the market is locked, but
vault, oracle, factory and helpers are not. Here the caller of `adjust`, `liquidate` or a flash loan
would move the price that the check at the end reads, enter the market by the router or the
liquidator, or make a market in between. What stops it: the market asks for the price after the
callback and counts what it has pulled in, and no helper gets past its lock.
"""

from typing import Any

import pytest

from relever.chain import Contract
from relever.protocol import UNLIMITED, WAD, Deployment
from tests.attacks.purse import new_wallet, purse
from tests.scene import ETHER, REDEEM, SWAP, open_leveraged, reverts, slash_and_sync
from tests.unit.router.conftest import FREE

Step = tuple[str, bytes]


@pytest.fixture
def caller(scene: Deployment) -> Contract:
    """A contract with some of everything, that has approved everything to everyone."""
    roles, core, protocol = scene.roles, scene.world.core, scene.protocol
    wallet, owner = new_wallet(scene, scene.roles.stranger), scene.roles.stranger
    open_leveraged(scene, 3 * ETHER, 36 * ETHER)
    scene.world.fund(owner, weth=100 * ETHER, wsteth=200 * ETHER)
    core.wsteth.approve(protocol.vault.address, UNLIMITED, sender=owner)
    protocol.vault.mint(100 * ETHER, wallet.address, sender=owner)
    core.weth.transfer(wallet.address, 100 * ETHER, sender=owner)
    core.wsteth.transfer(wallet.address, 50 * ETHER, sender=owner)
    spenders = (protocol.market, protocol.router, protocol.liquidator, protocol.vault)
    for token in (core.weth, core.wsteth, protocol.vault):
        for spender in spenders:
            wallet.run(token.address, token.approve.encode(spender.address, UNLIMITED))
    for helper in (protocol.router, protocol.liquidator):
        data = protocol.market.set_authorization.encode(helper.address, True)
        wallet.run(protocol.market.address, data)
    data = protocol.market.adjust.encode(wallet.address, 50 * ETHER, 10 * ETHER, wallet.address)
    wallet.run(protocol.market.address, data, sender=roles.stranger)
    slash_and_sync(scene, 6 * WAD // 100)
    return wallet


def step(contract: Contract, function: str, *arguments: Any) -> Step:
    return contract.address, getattr(contract, function).encode(*arguments)


def into_the_market(scene: Deployment, me: str) -> list[Step]:
    """Ways into the market that lead through something else."""
    protocol, weth = scene.protocol, scene.world.core.weth.address
    market = protocol.market.address
    return [
        step(protocol.router, "open", market, weth, ETHER, ETHER, FREE),
        step(protocol.router, "close", market, ETHER, ETHER, SWAP, FREE),
        step(protocol.router, "close", market, ETHER, ETHER, REDEEM, FREE),
        step(protocol.liquidator, "liquidate", market, scene.roles.looper, UNLIMITED, SWAP, 0),
        step(protocol.liquidator, "liquidate", market, scene.roles.looper, UNLIMITED, REDEEM, 0),
        step(protocol.router, "on_adjust", me, 0, ETHER, b"\0" * 160),
        step(protocol.liquidator, "on_liquidate", me, ETHER, ETHER, b"\0" * 32),
    ]


def around_the_market(scene: Deployment, me: str) -> list[Step]:
    """What is open to anyone at any time, to move what the market reads."""
    protocol = scene.protocol
    terms = tuple(protocol.market.terms())
    return [
        step(protocol.vault, "deposit", 20 * ETHER, me),
        step(protocol.vault, "pay_rewards", ETHER),
        step(protocol.vault, "sync"),
        step(protocol.oracle, "poke"),
        step(protocol.oracle, "propose_checkpoint"),
        step(protocol.factory, "create_market", terms, "Mine", "MINE"),
        step(protocol.vault, "redeem", 5 * ETHER, me, me),
        step(protocol.oracle, "poke"),
    ]


def enter(scene: Deployment, wallet: Contract, how: str) -> None:
    market, me, looper = scene.protocol.market, wallet.address, scene.roles.looper
    data = {
        "adjust up": market.adjust.encode(me, 0, 5 * ETHER, me, b"go"),
        "adjust down": market.adjust.encode(me, -ETHER, -2 * ETHER, me, b"go"),
        "liquidate": market.liquidate.encode(looper, UNLIMITED, 0, b"go"),
        "flash loan": market.flashLoan.encode(
            me, scene.world.core.weth.address, 100 * ETHER, b"go"
        ),
    }
    wallet.run(market.address, data[how], sender=scene.roles.stranger)


ENTRIES = ["adjust up", "adjust down", "liquidate", "flash loan"]


@pytest.mark.parametrize("how", ENTRIES)
def test_callback__enters_the_market_through_the_helpers__finds_it_locked(
    scene: Deployment, caller: Contract, how: str
) -> None:
    protocol, me = scene.protocol, caller.address
    people = (me, scene.roles.looper, scene.roles.lender, scene.roles.borrower)
    with scene.chain.isolated():
        enter(scene, caller, how)
        plain = [purse(scene, who) for who in people], protocol.market.state()
    caller.set_steps(into_the_market(scene, me))
    enter(scene, caller, how)
    assert [done.success for done in caller.all_outcomes()] == [False] * 7
    assert ([purse(scene, who) for who in people], protocol.market.state()) == plain


@pytest.mark.parametrize("how", ENTRIES)
def test_callback__moves_vault_oracle_and_factory__changes_no_price_and_no_outcome(
    scene: Deployment, caller: Contract, how: str
) -> None:
    protocol, me = scene.protocol, caller.address
    victims = (scene.roles.lender, scene.roles.depositor, scene.roles.borrower)
    with scene.chain.isolated():
        enter(scene, caller, how)
        mine, positions = purse(scene, me), protocol.market.position(scene.roles.looper)
        theirs = [purse(scene, victim) for victim in victims]
        state, prices = protocol.market.state(), protocol.oracle.liquidation_prices()
    steps = around_the_market(scene, me)
    caller.set_steps(steps)
    enter(scene, caller, how)
    assert [done.success for done in caller.all_outcomes()] == [True] * len(steps)
    assert protocol.market.state() == state
    assert protocol.market.position(scene.roles.looper) == positions
    assert protocol.oracle.liquidation_prices() == prices
    assert purse(scene, me) <= mine
    for victim, had in zip(victims, theirs, strict=True):
        assert purse(scene, victim) >= had


def test_callback__brings_the_price_down_after_the_loan__is_checked_at_that_price(
    scene: Deployment, caller: Contract
) -> None:
    """Borrowed to the limit, and then a loss is shown in the middle: the check is the last word."""
    protocol, me = scene.protocol, caller.address
    market, vault = protocol.market, protocol.vault
    limit = 50 * ETHER * protocol.oracle.price() // 10**36 * market.terms().max_ltv // WAD
    more = limit - market.position(me)[1] - 2
    data = market.adjust.encode(me, 0, more, me, b"go")
    caller.set_steps([step(vault, "sync")])
    with scene.chain.isolated():
        caller.run(market.address, data, sender=scene.roles.stranger)
        assert limit - 2 <= market.position(me)[1] <= limit
    scene.world.slash(WAD // 100)
    with reverts("market: unhealthy"):
        caller.run(market.address, data, sender=scene.roles.stranger)
