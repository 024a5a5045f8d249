"""A feed is replaced, and the new one says something else.

Moonwell's cbETH, 2026-02-15 (1,096 cbETH seized, 1.78 million dollars of bad debt): after a change
of the configuration the ETH/USD factor was left out, and bots liquidated at a dollar and a bit.
Moonwell's wrsETH, 2025-11-04 (over a million): a feed of another price. Here it would be the owner,
by mistake or with a stolen key, who points our oracle at such a feed. What stops it: a new feed
waits a week in the open, must say what the old one says, or what backs the collateral when that has
been found dead for days; the guardian can cancel and go back, and a price that lies later is
smoothed, capped and never enough to liquidate a position whole.
"""

import pytest

from relever.chain import Revert
from relever.protocol import UNLIMITED, WAD, Deployment
from tests.attacks.purse import purse
from tests.scene import DAY, ETHER, open_leveraged, pass_days, reverts

WEEK = 7 * DAY
FACTOR = 2_000


@pytest.fixture
def at_work(scene: Deployment) -> Deployment:
    open_leveraged(scene, 3 * ETHER, 36 * ETHER)
    scene.answer_fundamental()
    return scene


def fair(scene: Deployment) -> int:
    price: int = scene.feed.proxy.latestAnswer()
    return price


@pytest.mark.parametrize("wrong", [FACTOR * WAD, WAD // FACTOR, 102 * WAD // 100, 98 * WAD // 100])
def test_feed__of_another_price__never_takes_the_old_ones_place(
    at_work: Deployment, wrong: int
) -> None:
    scene, oracle, roles = at_work, at_work.protocol.oracle, at_work.roles
    feed = scene.world.feed("other / WETH")
    oracle.propose_feed(feed.proxy.address, sender=roles.owner)
    before = oracle.feed()
    for _ in range(13):
        pass_days(scene, 1)
        feed.answer(fair(scene) * wrong // WAD)
        with pytest.raises(Revert, match=r"oracle: (feed too young|feeds disagree|new feed)"):
            oracle.replace_feed(sender=roles.stranger)
        with reverts("market: healthy"):
            scene.protocol.market.liquidate(roles.looper, UNLIMITED, 0, sender=roles.stranger)
    assert oracle.feed() == before
    pass_days(scene, 1)
    with reverts("oracle: feed proposal expired"):
        oracle.replace_feed(sender=roles.stranger)


def test_feed__that_agrees_for_a_block_and_then_lies__liquidates_nobody_whole(
    at_work: Deployment,
) -> None:
    """The owner's own feed, patient: what it can do in a day, and that it is undone."""
    scene, oracle, roles = at_work, at_work.protocol.oracle, at_work.roles
    market = scene.protocol.market
    feed = scene.world.feed("other / WETH")
    oracle.propose_feed(feed.proxy.address, sender=roles.owner)
    pass_days(scene, 7)
    feed.answer(fair(scene))
    oracle.replace_feed(sender=roles.owner)
    rich, honest = purse(scene, roles.looper), oracle.fundamental()

    # It says far too much: nobody borrows more than against what there is.
    feed.answer(3 * WAD)
    assert oracle.price() <= honest
    # And next to nothing, but inside of its bounds: for six hours keepers take what they may.
    feed.answer(6 * WAD // 10)
    scene.world.fund(roles.keeper, weth=100 * ETHER)
    scene.world.core.weth.approve(market.address, UNLIMITED, sender=roles.keeper)
    deleveraged = 0
    for _ in range(36):
        oracle.poke(sender=roles.keeper)
        (tried,) = scene.chain.send_batch(
            [market.liquidate.build(roles.looper, UNLIMITED, 0, sender=roles.keeper)], check=False
        )
        if tried.status:
            assert tried.events[-1].args["deleverage"] is True
            deleveraged += tried.events[-1].args["repaid"]
        scene.chain.advance(600)
    assert deleveraged > 0
    assert market.position(roles.looper)[1] > 0
    # The smallest bonus, and three parts in a hundred that the lie has come to by then.
    assert rich - purse(scene, roles.looper) < deleveraged * 5 // 100
    oracle.roll_back_feed(sender=roles.guardian)
    scene.answer_fundamental()
    oracle.poke(sender=roles.stranger)
    assert oracle.discount() == 0
    with reverts("market: healthy"):
        market.liquidate(roles.looper, UNLIMITED, 0, sender=roles.keeper)


def test_feed__proposed_by_a_thief__is_cancelled_by_the_guardian(at_work: Deployment) -> None:
    scene, oracle, roles = at_work, at_work.protocol.oracle, at_work.roles
    feed = scene.world.feed("other / WETH").proxy
    with reverts("oracle: not the vault's owner"):
        oracle.propose_feed(feed.address, sender=roles.stranger)
    oracle.propose_feed(feed.address, sender=roles.owner)
    with reverts("oracle: not owner or guardian"):
        oracle.cancel_feed_proposal(sender=roles.stranger)
    with reverts("oracle: not the vault's guardian"):
        oracle.roll_back_feed(sender=roles.owner)
    oracle.cancel_feed_proposal(sender=roles.guardian)
    scene.chain.advance(WEEK)
    with reverts("oracle: no feed proposed"):
        oracle.replace_feed(sender=roles.owner)


def test_dead_feed__replaced_by_one_out_of_band__is_refused(at_work: Deployment) -> None:
    """Nobody is there to agree with: then what backs the collateral has the word."""
    scene, oracle, roles = at_work, at_work.protocol.oracle, at_work.roles
    feed = scene.world.feed("other / WETH")
    oracle.propose_feed(feed.proxy.address, sender=roles.owner)
    scene.chain.advance(2 * DAY)
    # Found dead, hour by hour; a stranger's silence would prove nothing.
    for _ in range(5 * 24 + 1):
        scene.chain.advance(3_600)
        oracle.poke(sender=roles.keeper)
    backing = oracle.fundamental() // WAD
    for wrong in (51 * WAD // 100, backing * 94 // 100, backing * 106 // 100):
        feed.answer(wrong)
        with reverts("oracle: new feed out of band"):
            oracle.replace_feed(sender=roles.owner)
    feed.answer(backing * 99 // 100)
    oracle.replace_feed(sender=roles.owner)
    assert oracle.feed() == feed.proxy.address
