"""The market feed dips for a block, or a thin market is pushed, to have positions liquidated.

After Renzo's ezETH (2024-04-24, more than 60 million dollars liquidated), Compound UNI (2024-02-23)
and Binance's wBETH (2025-10-10).
"""

from relever.protocol import UNLIMITED, WAD, Deployment
from tests.scene import ETHER, SWAP, open_leveraged, reverts

HOUR = 3_600


def test_dip__of_one_block__liquidates_nobody_and_is_forgotten(scene: Deployment) -> None:
    protocol, roles = scene.protocol, scene.roles
    oracle, market = protocol.oracle, protocol.market
    open_leveraged(scene, 3 * ETHER, 30 * ETHER)
    scene.chain.advance(HOUR)
    scene.answer_fundamental(discount=4 * WAD // 10)
    fundamental = oracle.fundamental()
    for _ in range(5):
        oracle.poke(sender=roles.stranger)
        with reverts("market: healthy"):
            protocol.liquidator.liquidate(
                market.address, roles.looper, UNLIMITED, SWAP, 0, sender=roles.stranger
            )
    assert oracle.liquidation_prices() == (fundamental, fundamental, True)
    # Borrowing sees it at once.
    assert oracle.price() < fundamental * 61 // 100
    scene.answer_fundamental()
    oracle.poke(sender=roles.stranger)
    assert (oracle.discount(), oracle.discount_state().armed_at) == (0, 0)


def test_clock__armed_early_and_left__gains_the_longest_gap_and_no_more(
    scene: Deployment,
) -> None:
    """Someone pokes in a dip, nobody pokes when it is over, and months later comes another dip."""
    protocol, roles = scene.protocol, scene.roles
    oracle = protocol.oracle
    scene.answer_fundamental(discount=WAD // 10)
    oracle.poke(sender=roles.stranger)
    scene.answer_fundamental()
    scene.chain.advance(60 * 24 * HOUR)
    scene.answer_fundamental(discount=WAD // 10)
    oracle.poke(sender=roles.stranger)
    step = oracle.DISCOUNT_SPEED() * oracle.MAX_GAP()
    assert oracle.discount() == step
    # A two-hundredth, as the parameters say.
    assert step == 1_388_888_888_888 * HOUR < WAD // 200
    # In the same block there is nothing more to gain.
    for _ in range(5):
        oracle.poke(sender=roles.stranger)
    assert oracle.discount() == step


def test_clock__poked_between_the_dips__starts_anew(scene: Deployment) -> None:
    oracle, stranger = scene.protocol.oracle, scene.roles.stranger
    scene.answer_fundamental(discount=WAD // 10)
    oracle.poke(sender=stranger)
    scene.answer_fundamental()
    oracle.poke(sender=stranger)
    scene.chain.advance(60 * 24 * HOUR)
    scene.answer_fundamental(discount=WAD // 10)
    oracle.poke(sender=stranger)
    assert oracle.discount() == 0
    assert oracle.discount_state().armed_at == scene.chain.timestamp


def test_discount__pressed_every_second__falls_no_faster_than_the_speed(scene: Deployment) -> None:
    oracle, stranger = scene.protocol.oracle, scene.roles.stranger
    scene.answer_fundamental(discount=WAD // 10)
    start = scene.chain.timestamp
    for _ in range(20):
        oracle.poke(sender=stranger)
        scene.chain.advance(1)
    oracle.poke(sender=stranger)
    assert oracle.discount() == oracle.DISCOUNT_SPEED() * (scene.chain.timestamp - start)
