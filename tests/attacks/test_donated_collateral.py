"""Collateral is made dearer by a gift, and then lent on, or others are pushed over by the jump.

Venus wUSDM, 2025-02-27 (86.7 WETH): a donation to an ERC-4626 vault lifted the price of its share.
Resupply, 2025-06-26 (9.6 million dollars): the same with an empty vault. LlamaLend sDOLA,
2026-03-02 (27 borrowers, 822,000 crvUSD): a share's price jumped by 13.8 % and moved the path along
which others were liquidated. Venus THE, 2026-03-15: collateral given to the market itself. Here the
gift would go to the vault, to an adapter, to the restaking protocol behind it, or come as rewards.
What stops it: balances are no assets, gains unlock over a week, and the price has a growth cap.
"""

from collections.abc import Callable
from fractions import Fraction

import pytest

from relever.protocol import PRICE_SCALE, UNLIMITED, WAD, Deployment
from tests.attacks.purse import lrt_price, purse
from tests.scene import DAY, ETHER, borrow_against, lend, open_leveraged, pass_days, reverts

COLLATERAL = 100 * ETHER
GIFT = 60 * ETHER
YEAR = 365 * DAY


def to_address(name: str) -> Callable[[Deployment, str], None]:
    """A plain transfer of the vault's asset."""

    def give(scene: Deployment, giver: str) -> None:
        target = getattr(scene.protocol, name).address
        scene.world.core.wsteth.transfer(target, GIFT, sender=giver)

    return give


def to_strategy(scene: Deployment, giver: str) -> None:
    """EigenLayer's strategy counts its balance: what is staked there is worth more at once."""
    core, adapter = scene.world.core, scene.protocol.eigenlayer
    before = adapter.total_assets()
    core.wsteth.transfer(core.wsteth_strategy.address, GIFT, sender=giver)
    assert adapter.total_assets() > before


def to_symbiotic(scene: Deployment, giver: str) -> None:
    place = scene.world.symbiotic.veto.vault.address
    scene.world.core.wsteth.transfer(place, GIFT, sender=giver)


def as_rewards(scene: Deployment, giver: str) -> None:
    vault = scene.protocol.vault
    scene.world.core.wsteth.approve(vault.address, GIFT, sender=giver)
    vault.pay_rewards(GIFT, sender=giver)


GIFTS = {
    "the vault": to_address("vault"),
    "the queue": to_address("queue"),
    "the EigenLayer adapter": to_address("eigenlayer"),
    "the Symbiotic adapter": to_address("symbiotic"),
    "the oracle": to_address("oracle"),
    "the market": to_address("market"),
    "EigenLayer's strategy": to_strategy,
    "Symbiotic's vault": to_symbiotic,
    "the holders, as rewards": as_rewards,
}


@pytest.fixture
def at_the_limit(scene: Deployment) -> Deployment:
    """The attacker owes all that may be borrowed, holds LRT, and a victim is highly levered."""
    protocol, attacker = scene.protocol, scene.roles.stranger
    open_leveraged(scene, 3 * ETHER, 36 * ETHER)
    price = protocol.oracle.price()
    worth = COLLATERAL * price // PRICE_SCALE
    borrow_against(scene, COLLATERAL, worth * protocol.market.terms().max_ltv // WAD - 1, attacker)
    scene.world.fund(attacker, wsteth=GIFT)
    return scene


@pytest.mark.parametrize("name", list(GIFTS))
def test_gift__in_the_block_of_the_loan__lends_not_a_wei_more(
    at_the_limit: Deployment, name: str
) -> None:
    scene, protocol = at_the_limit, at_the_limit.protocol
    attacker, market, oracle = scene.roles.stranger, protocol.market, protocol.oracle
    before = oracle.price(), oracle.fundamental(), oracle.liquidation_prices()
    mine = purse(scene, attacker)
    GIFTS[name](scene, attacker)
    for book in (protocol.vault.sync, oracle.poke):
        book(sender=attacker)
        # Not up. Down only where a feed that did not move is now above what backs the LRT.
        assert (oracle.price(), oracle.fundamental(), oracle.liquidation_prices()) == before
        with reverts("market: unhealthy"):
            market.borrow(3, attacker, attacker, sender=attacker)
        with reverts("market: unhealthy"):
            market.withdraw_collateral(3, attacker, attacker, sender=attacker)
        # The gift is no jump for anyone else either.
        for victim in (scene.roles.looper, scene.roles.borrower):
            with reverts("market: healthy"):
                market.liquidate(victim, UNLIMITED, 0, sender=attacker)
    assert purse(scene, attacker) < mine - GIFT


@pytest.mark.parametrize("name", ["EigenLayer's strategy", "the holders, as rewards"])
def test_gift__that_unlocks_over_a_week__lends_less_than_it_cost(
    at_the_limit: Deployment, name: str
) -> None:
    """A gain is slow and capped: even in a month the borrowing grows by a fraction of the gift."""
    scene, protocol = at_the_limit, at_the_limit.protocol
    attacker, market, oracle = scene.roles.stranger, protocol.market, protocol.oracle
    lend(scene, 1_000 * ETHER)
    mine, price, rate = purse(scene, attacker), oracle.price(), lrt_price(scene)
    GIFTS[name](scene, attacker)
    protocol.vault.sync(sender=attacker)
    most = oracle.growth_cap()
    for _ in range(3):
        pass_days(scene, 10)
        protocol.vault.sync(sender=attacker)
        scene.answer_fundamental()
        assert price < oracle.price() <= oracle.growth_cap()
    # The rate has risen far more than the price that counts.
    assert lrt_price(scene) / rate > Fraction(105, 100)
    assert oracle.price() <= most + oracle.checkpoint_ratio() // 10 * 30 * DAY // YEAR
    _, debt = market.position(attacker)
    limit = COLLATERAL * oracle.price() // PRICE_SCALE * market.terms().max_ltv // WAD
    if limit > debt + 2:
        market.borrow(limit - debt - 2, attacker, attacker, sender=attacker)
    with reverts("market: unhealthy"):
        market.borrow(3, attacker, attacker, sender=attacker)
    assert market.position(attacker)[1] - debt < GIFT // 10
    assert purse(scene, attacker) < mine


def test_lst_rate__lifted_in_one_block__is_held_by_the_growth_cap(at_the_limit: Deployment) -> None:
    """Not a gift to us but to Lido: every stETH is worth half as much again."""
    scene, protocol = at_the_limit, at_the_limit.protocol
    attacker, market, oracle = scene.roles.stranger, protocol.market, protocol.oracle
    scene.world.accrue_rewards(scene.world.core.steth.getTotalPooledEther() // 2)
    scene.feed.answer(2 * oracle.growth_cap() // WAD)
    assert oracle.price() == oracle.growth_cap()
    _, debt = market.position(attacker)
    limit = COLLATERAL * oracle.growth_cap() // PRICE_SCALE * market.terms().max_ltv // WAD
    # Most of a year's growth that was not used so far, not the half.
    assert limit - debt < debt // 100
    with reverts("market: unhealthy"):
        market.borrow(limit - debt + 2, attacker, attacker, sender=attacker)


def test_collateral__given_to_the_market_or_to_another__counts_for_nobody(
    at_the_limit: Deployment,
) -> None:
    """Venus THE: a transfer that went around the supply function counted as collateral."""
    scene, protocol = at_the_limit, at_the_limit.protocol
    attacker, market, vault = scene.roles.stranger, protocol.market, protocol.vault
    core = scene.world.core
    core.wsteth.approve(vault.address, GIFT, sender=attacker)
    vault.deposit(GIFT, attacker, sender=attacker)
    held, before = vault.balanceOf(attacker), tuple(market.position(attacker))
    mine = purse(scene, attacker)
    vault.transfer(market.address, held, sender=attacker)
    assert tuple(market.position(attacker)) == before
    with reverts("market: unhealthy"):
        market.borrow(3, attacker, attacker, sender=attacker)
    with reverts("market: not enough collateral"):
        market.withdraw_collateral(COLLATERAL + 1, attacker, attacker, sender=attacker)
    assert purse(scene, attacker) == mine - held * lrt_price(scene)
