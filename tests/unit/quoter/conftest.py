"""A router of both pools with its quoter, and states of the suite that change what it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from relever.artifacts import artifact
from relever.protocol import WAD, Deployment
from relever.quotes import Closing, Opening, position, quote_close, quote_open
from tests.lrt_paths import NOBODY, add_far_liquidity, push_lrt_price
from tests.scene import (
    DAY,
    ETHER,
    allowances_given,
    holdings,
    open_leveraged,
    reverts,
)
from tests.stable import add_stable_pool
from tests.unit.router.conftest import FREE, give, prepare


@pytest.fixture(scope="module")
def prepared(deployed: Deployment) -> Iterator[Deployment]:
    """The suite with a router that sells in the stable pool too, and a quoter of that router."""
    with deployed.chain.isolated():
        prepare(deployed)
        protocol, core, chain = deployed.protocol, deployed.world.core, deployed.chain
        path = (
            *(protocol.factory.address, protocol.vault.address, core.wsteth.address),
            *(core.weth.address, protocol.swap.address, add_stable_pool(deployed).swap.address),
        )
        router = chain.deploy(artifact("LeverageRouter"), *path, [])
        quoter = chain.deploy(artifact("Quoter"), router.address)
        protocol.market.set_authorization(router.address, True, sender=deployed.roles.looper)
        yield replace(deployed, protocol=replace(protocol, router=router, quoter=quoter))


@pytest.fixture
def scene(prepared: Deployment) -> Iterator[Deployment]:
    with prepared.chain.isolated():
        yield prepared


def opens_as_quoted(scene: Deployment, name: str, amount: int, borrow: int) -> Opening:
    """The router opens just what was quoted, or refuses it in the words of the quote."""
    return opens(scene, give(scene, name, amount), amount, borrow)


def opens(scene: Deployment, token: str, amount: int, borrow: int) -> Opening:
    """The same for a token that the looper has and has approved."""
    protocol, looper = scene.protocol, scene.roles.looper
    market, weth = protocol.market, scene.world.core.weth
    quote = quote_open(protocol, looper, token, amount, borrow)
    held, before = weth.balanceOf(looper), market.position(looper)
    arguments = (market.address, token, amount, borrow, FREE)
    value = amount if token == NOBODY else 0
    if quote.refusal:
        with reverts(quote.refusal):
            protocol.router.open(*arguments, sender=looper, value=value)
        return quote
    protocol.router.open(*arguments, sender=looper, value=value)
    spent = amount if token == weth.address else 0
    assert weth.balanceOf(looper) == held - spent + quote.returned
    assert position(protocol, looper) == quote.position
    added = quote.position.collateral - before[0]
    assert added == quote.bought + quote.minted + (amount if token == protocol.vault.address else 0)
    return quote


def closes_as_quoted(scene: Deployment, collateral: int, repay: int, route: int) -> Closing:
    """The router closes just what was quoted, or refuses it in the words of the quote."""
    protocol, looper, weth = scene.protocol, scene.roles.looper, scene.world.core.weth
    quote = quote_close(protocol, looper, collateral, repay, route)
    held = weth.balanceOf(looper)
    arguments = (protocol.market.address, collateral, repay, route, FREE)
    if quote.refusal:
        with reverts(quote.refusal):
            protocol.router.close(*arguments, sender=looper)
        return quote
    answered = protocol.router.close.call(*arguments, sender=looper)
    protocol.router.close(*arguments, sender=looper)
    assert answered == (quote.paid_out, quote.position.collateral, quote.position.debt)
    assert weth.balanceOf(looper) == held + quote.paid_out
    assert quote.received == quote.repaid + quote.paid_out
    assert position(protocol, looper) == quote.position
    return quote


def assert_left_nothing(scene: Deployment) -> None:
    for account in (scene.protocol.quoter.address, scene.protocol.outlook.address):
        assert not any(holdings(scene, account).values())
        assert allowances_given(scene, account) == {}


# States


def plain(scene: Deployment) -> None:
    """As it was prepared."""


def unbooked_slash(scene: Deployment) -> None:
    scene.world.slash(10**16)


def unbooked_gain(scene: Deployment) -> None:
    """Somebody gives EigenLayer's strategy something: a gain with a fee that nobody has booked."""
    core, donor = scene.world.core, scene.roles.stranger
    scene.world.fund(donor, wsteth=ETHER // 3)
    core.wsteth.transfer(core.wsteth_strategy.address, ETHER // 3, sender=donor)
    vault = scene.protocol.vault
    with scene.chain.isolated():
        supply = vault.totalSupply()
        vault.sync(sender=donor)
        assert vault.totalSupply() > supply


def locked_profit(scene: Deployment) -> None:
    core, payer, vault = scene.world.core, scene.roles.depositor, scene.protocol.vault
    scene.world.fund(payer, wsteth=ETHER // 2)
    core.wsteth.approve(vault.address, ETHER // 2, sender=payer)
    vault.pay_rewards(ETHER // 2, sender=payer)
    scene.chain.advance(DAY // 3)
    assert vault.locked_profit() != 0


def slash_into_locked_profit(scene: Deployment) -> None:
    locked_profit(scene)
    scene.world.slash(10**15)


def cheap_pool(scene: Deployment) -> None:
    """The LRT is 3 % cheaper in its pool than to mint, and there is liquidity far out."""
    add_far_liquidity(scene)
    push_lrt_price(scene, 97 * WAD // 100)


def little_idle(scene: Deployment) -> None:
    """Less is idle than the exit fee's buffer, and some of that is waited for."""
    protocol, holder = scene.protocol, scene.roles.depositor
    protocol.vault.approve(protocol.queue.address, 4 * ETHER, sender=holder)
    spare = protocol.vault.idle() - 25 * ETHER
    for adapter in (protocol.eigenlayer, protocol.symbiotic):
        protocol.vault.allocate(adapter.address, spare // 2, sender=scene.roles.allocator)
    protocol.queue.requestRedeem(4 * ETHER, holder, holder, sender=holder)
    assert protocol.vault.previewRedeem(5 * ETHER) < protocol.vault.convertToAssets(5 * ETHER)


def quarantine(scene: Deployment) -> None:
    """A part of the stake is written off and expected back."""
    protocol, roles = scene.protocol, scene.roles
    protocol.vault.allocate(protocol.symbiotic.address, 50 * ETHER, sender=roles.allocator)
    protocol.vault.quarantine(protocol.symbiotic.address, sender=roles.owner)
    assert protocol.vault.expected_back() != 0
    scene.answer_fundamental()


def visible_slash(scene: Deployment) -> None:
    """Symbiotic has been asked for a slash that may still be vetoed."""
    protocol, roles = scene.protocol, scene.roles
    protocol.vault.allocate(protocol.symbiotic.address, 50 * ETHER, sender=roles.allocator)
    scene.chain.advance(DAY)
    scene.answer_fundamental()
    scene.world.symbiotic.request_slash(2 * ETHER)
    assert protocol.vault.live_rate() < protocol.vault.rate()


def depeg(scene: Deployment) -> None:
    """The feed is below fundamental, and an hour of it has been smoothed."""
    for _ in range(2):
        scene.answer_fundamental(discount=4 * 10**16)
        scene.protocol.oracle.poke(sender=scene.roles.stranger)
        scene.chain.advance(1_800)


def lasting_discount(scene: Deployment) -> None:
    """The market has been 6 % below fundamental for so long that it is believed."""
    oracle, keeper = scene.protocol.oracle, scene.roles.keeper
    scene.answer_fundamental(discount=6 * 10**16)
    hours = oracle.LASTING_TIME() // 3_600 + 20
    for hour in range(hours):
        if hour % 20 == 0:
            scene.answer_fundamental(discount=6 * 10**16)
        oracle.poke(sender=keeper)
        scene.chain.advance(3_600)
    scene.answer_fundamental(discount=6 * 10**16)
    fundamental, smoothed, _ = oracle.liquidation_prices()
    assert fundamental == smoothed < oracle.fundamental()


def capped(scene: Deployment) -> None:
    """The price grows faster than the cap lets it: the feed and the vault say more."""
    core, payer, vault = scene.world.core, scene.roles.depositor, scene.protocol.vault
    scene.world.fund(payer, wsteth=40 * ETHER)
    core.wsteth.approve(vault.address, 40 * ETHER, sender=payer)
    vault.pay_rewards(40 * ETHER, sender=payer)
    scene.chain.advance(2 * DAY)
    scene.feed.answer(vault.rate() * core.wsteth.stEthPerToken() // WAD)
    oracle = scene.protocol.oracle
    assert oracle.fundamental() == oracle.growth_cap() == oracle.price()


STATES: list[Callable[[Deployment], None]] = [
    plain,
    unbooked_slash,
    unbooked_gain,
    locked_profit,
    slash_into_locked_profit,
    cheap_pool,
    little_idle,
    quarantine,
    visible_slash,
    depeg,
    lasting_discount,
    capped,
]


def position_of(scene: Deployment, equity: int = 3 * ETHER, borrowed: int = 10 * ETHER) -> int:
    """The looper has a position; its collateral."""
    open_leveraged(scene, equity, borrowed)
    collateral: int = scene.protocol.market.position(scene.roles.looper)[0]
    return collateral
