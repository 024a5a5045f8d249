"""What earns nothing is done when it changes something, and for no more than is allowed a day."""

from __future__ import annotations

from relever.keeper import Policy
from relever.protocol import WAD, Deployment
from tests.keepers import GWEI, Make, Told
from tests.scene import DAY, ETHER


def kinds(told: Told) -> list[str]:
    return [line["kind"] for line in told.events("sent")]


def test_look__nothing_to_do__sends_nothing(scene: Deployment, make: Make, told: Told) -> None:
    keeper = make()
    keeper.look()
    scene.chain.mine()
    keeper.look()
    assert kinds(told) == []


def test_look__slash_not_booked__syncs_once_and_liquidates_on_it(
    scene: Deployment, make: Make, told: Told
) -> None:
    keeper = make()
    scene.world.slash(5 * WAD // 100)
    for _ in range(3):
        keeper.look()
        scene.chain.mine()
    assert kinds(told) == ["sync", "liquidate"]


def test_look__discount_that_moves__is_poked_at_intervals(
    scene: Deployment, make: Make, told: Told
) -> None:
    keeper = make(policy=Policy(poke_every_seconds=1_200))
    for _ in range(6):
        scene.chain.advance(600)
        scene.answer_fundamental(discount=2 * WAD // 100)
        keeper.look()
        scene.chain.mine()
    # The first only arms the clock and leaves no trace, so that the next look pokes again.
    assert kinds(told) == ["poke", "poke", "poke", "poke"]
    assert scene.protocol.oracle.discount() > 0


def test_look__request_that_waited__is_paid(scene: Deployment, make: Make, told: Told) -> None:
    vault, queue, owner = scene.protocol.vault, scene.protocol.queue, scene.roles.depositor
    vault.approve(queue.address, 5 * ETHER, sender=owner)
    queue.requestRedeem(5 * ETHER, owner, owner, sender=owner)
    keeper = make()
    keeper.look()
    assert kinds(told) == []
    scene.chain.advance(4_000)
    scene.answer_fundamental()
    keeper.look()
    scene.chain.mine()
    assert kinds(told) == ["finalise"]
    assert queue.claimableRedeemRequest(1, owner) == 5 * ETHER


def test_look__line_full_of_dust__is_walked(scene: Deployment, make: Make, told: Told) -> None:
    # A griefer puts whole balances of a unit each before somebody's request.
    vault, queue, owner = scene.protocol.vault, scene.protocol.queue, scene.roles.depositor
    for _ in range(40):
        griefer = scene.roles.stranger
        vault.transfer(griefer, 1, sender=owner)
        vault.approve(queue.address, 1, sender=griefer)
        queue.requestRedeem(1, griefer, griefer, sender=griefer)
    scene.chain.advance(4_000)
    scene.answer_fundamental()
    keeper = make()
    keeper.look()
    assert kinds(told) == []
    vault.approve(queue.address, 5 * ETHER, sender=owner)
    queue.requestRedeem(5 * ETHER, owner, owner, sender=owner)
    scene.chain.advance(4_000)
    scene.answer_fundamental()
    keeper.look()
    scene.chain.mine()
    assert kinds(told) == ["finalise"]
    assert queue.claimableRedeemRequest(41, owner) == 5 * ETHER


def test_look__line_longer_than_a_walk_of_cancelled__is_walked(
    scene: Deployment, make: Make, told: Told
) -> None:
    vault, queue, owner = scene.protocol.vault, scene.protocol.queue, scene.roles.depositor
    vault.approve(queue.address, 2**255, sender=owner)
    for number in range(1, 130):
        queue.requestRedeem(WAD // 100, owner, owner, sender=owner)
        queue.cancel(number, sender=owner)
    queue.requestRedeem(5 * ETHER, owner, owner, sender=owner)
    scene.chain.advance(4_000)
    scene.answer_fundamental()
    keeper = make()
    for _ in range(2):
        keeper.look()
        scene.chain.mine()
    assert kinds(told) == ["finalise", "finalise"]
    assert queue.claimableRedeemRequest(130, owner) == 5 * ETHER


def test_look__books_of_a_day_ago__are_brought_up_to_date(
    scene: Deployment, make: Make, told: Told
) -> None:
    keeper = make()
    keeper.look()
    scene.chain.advance(DAY)
    scene.answer_fundamental()
    for _ in range(3):
        keeper.look()
        scene.chain.mine()
    assert kinds(told) == ["accrue"]


def test_look__gas_dear__upkeep_waits_and_liquidations_do_not(
    scene: Deployment, make: Make, told: Told
) -> None:
    scene.world.slash(5 * WAD // 100)
    policy = Policy(tip_wei_per_gas=50 * GWEI, most_upkeep_fee_wei_per_gas=40 * GWEI)
    keeper = make(policy=policy)
    keeper.look()
    assert kinds(told) == []
    scene.protocol.vault.sync(sender=scene.roles.stranger)
    scene.answer_fundamental()
    keeper.look()
    assert kinds(told) == ["liquidate"]


def test_look__upkeep_of_the_day_is_spent__waits(scene: Deployment, make: Make, told: Told) -> None:
    scene.world.slash(5 * WAD // 100)
    make(policy=Policy(upkeep_wei_per_day=1)).look()
    assert kinds(told) == []
    assert "upkeep of today is spent" in {line["why"] for line in told.events("skipped")}


def test_look__restarted__neither_pokes_nor_accrues_right_away(
    scene: Deployment, make: Make, told: Told
) -> None:
    keeper = make()
    keeper.look()
    scene.answer_fundamental(discount=2 * WAD // 100)
    keeper.close()
    again = make()
    again.look()
    assert kinds(told) == []
    scene.chain.advance(DAY)
    scene.answer_fundamental(discount=2 * WAD // 100)
    again.look()
    assert kinds(told) == ["poke", "accrue"]
