"""A slash has happened and is not booked; who liquidates or borrows chooses what comes first.

After Kelp (2026-04-18) and the staking losses of 2025: between a loss and its booking there is a
price that is too high, and an order of calls that pays. Here the borrower would liquidate itself at
the old price before anyone calls `sync`, a liquidator would take collateral before or after it, or
book the loss and liquidate in one transaction. What stops it: who liquidates at the old price pays
it, for collateral that is worth less, a loan counts the live price, and the booking is open to all.
"""

from fractions import Fraction

import pytest

from relever.protocol import UNLIMITED, WAD, Deployment
from tests.attacks.purse import purse
from tests.scene import ETHER, borrow_against, reverts

ORDERS = ("sync first", "liquidate first", "in between")


@pytest.fixture
def levered(scene: Deployment) -> Deployment:
    """The attacker owes so much that a small first slash, which is booked, makes it unhealthy."""
    protocol, roles = scene.protocol, scene.roles
    price = protocol.oracle.price()
    worth = 40 * ETHER * price // 10**36
    borrow_against(scene, 40 * ETHER, worth * 91 // 100 - 1, roles.stranger)
    for who in (roles.keeper, roles.trader):
        scene.world.fund(who, weth=100 * ETHER)
        scene.world.core.weth.approve(protocol.market.address, UNLIMITED, sender=who)
    scene.world.slash(6 * WAD // 100)
    protocol.vault.sync(sender=roles.stranger)
    scene.answer_fundamental()
    return scene


def play(scene: Deployment, order: str, liquidator: str) -> None:
    """A second slash, and what the one who knows of it does before and after its booking."""
    market, vault, owner = scene.protocol.market, scene.protocol.vault, scene.roles.stranger
    scene.world.slash(WAD // 10)
    if order == "sync first":
        vault.sync(sender=liquidator)
        market.liquidate(owner, UNLIMITED, 0, sender=liquidator)
        return
    part = UNLIMITED if order == "liquidate first" else 10 * ETHER
    market.liquidate(owner, part, 0, sender=liquidator)
    vault.sync(sender=liquidator)
    if order == "in between":
        market.liquidate(owner, UNLIMITED, 0, sender=liquidator)


def booked(scene: Deployment) -> None:
    """Everyone sees what is left: liquidated again if that is possible, and then counted."""
    protocol, roles = scene.protocol, scene.roles
    protocol.vault.sync(sender=roles.keeper)
    scene.answer_fundamental()
    collateral, debt = protocol.market.position(roles.stranger)
    if debt * WAD > collateral * protocol.oracle.fundamental() // 10**36 * 93 * WAD // 100:
        protocol.market.liquidate(roles.stranger, UNLIMITED, 0, sender=roles.keeper)


def lenders_worth(scene: Deployment) -> Fraction:
    market = scene.protocol.market
    return Fraction(market.convertToAssets(market.balanceOf(scene.roles.lender)))


@pytest.mark.parametrize("order", ORDERS)
def test_borrower__liquidates_itself_around_the_booking__lenders_lose_no_more(
    levered: Deployment, order: str
) -> None:
    """Compared with a keeper who books the loss and liquidates at once."""
    scene, roles = levered, levered.roles
    with scene.chain.isolated():
        play(scene, "sync first", roles.keeper)
        booked(scene)
        lenders, two = lenders_worth(scene), purse(scene, roles.stranger, roles.trader)
        bonus = purse(scene, roles.keeper) - 100 * ETHER - scene.chain.balance(roles.keeper)
    play(scene, order, roles.trader)
    booked(scene)
    assert lenders_worth(scene) >= lenders
    # The keeper's bonus is all that the borrower can keep for itself.
    assert purse(scene, roles.stranger, roles.trader) <= two + max(bonus, 0)


def test_liquidator__at_the_old_price__has_paid_more_than_it_got(levered: Deployment) -> None:
    scene, roles = levered, levered.roles
    rich = purse(scene, roles.keeper)
    market, vault = scene.protocol.market, scene.protocol.vault
    with scene.chain.isolated():
        scene.world.slash(WAD // 5)
        vault.sync(sender=roles.keeper)
        booked_first = purse(scene, roles.keeper)
        market.liquidate(roles.stranger, UNLIMITED, 0, sender=roles.keeper)
        fair = purse(scene, roles.keeper) - booked_first
    scene.world.slash(WAD // 5)
    market.liquidate(roles.stranger, UNLIMITED, 0, sender=roles.keeper)
    vault.sync(sender=roles.stranger)
    early = purse(scene, roles.keeper) - rich
    assert early < 0 < fair


@pytest.mark.parametrize("slash", [WAD // 100, WAD // 5])
def test_borrower__takes_out_what_the_old_price_would_allow__is_refused(
    scene: Deployment, slash: int
) -> None:
    """The mirror of it: before the booking nothing leaves on the old price."""
    protocol, attacker = scene.protocol, scene.roles.stranger
    market = protocol.market
    borrow_against(scene, 40 * ETHER, 20 * ETHER, attacker)
    collateral, debt = market.position(attacker)
    old = protocol.oracle.price()
    free = collateral - -(-debt * WAD * 10**36 // (old * market.terms().max_ltv)) - 2
    with scene.chain.isolated():
        market.withdraw_collateral(free, attacker, attacker, sender=attacker)
    scene.world.slash(slash)
    with reverts("market: unhealthy"):
        market.withdraw_collateral(free, attacker, attacker, sender=attacker)
    protocol.vault.sync(sender=attacker)
    with reverts("market: unhealthy"):
        market.withdraw_collateral(free, attacker, attacker, sender=attacker)
    with reverts("market: healthy"):
        market.liquidate(attacker, UNLIMITED, 0, sender=attacker)
