"""Where a request stands: what is ahead of it, what it would be paid, and when at the latest."""

from relever.protocol import WAD, Deployment
from tests.scene import ETHER, restake, stake_everything


def ask(scene: Deployment, shares: int, who: str) -> int:
    vault, queue = scene.protocol.vault, scene.protocol.queue
    vault.approve(queue.address, shares, sender=who)
    queue.requestRedeem(shares, who, who, sender=who)
    return int(queue.next_id()) - 1


def requests(scene: Deployment, *ids: int) -> list[tuple[object, ...]]:
    views = scene.protocol.lens.requests(scene.protocol.vault.address, list(ids))
    return [tuple(view) for view in views]


def test_requests__idle_reaches_the_first_only__show_place_worth_and_time(
    scene: Deployment,
) -> None:
    vault, queue, who = scene.protocol.vault, scene.protocol.queue, scene.roles.depositor
    restake(scene, 30 * ETHER)
    stake_everything(scene)
    restake(scene, 10 * ETHER)
    first, second = ask(scene, 5 * ETHER, who), ask(scene, 20 * ETHER, who)
    scene.chain.advance(100)
    rate = vault.live_rate()
    longest = max(scene.protocol.eigenlayer.exit_delay(), scene.protocol.symbiotic.exit_delay())
    oldest = queue.request(first).requested_at
    patience_left = oldest + queue.patience() - scene.chain.timestamp
    worth = [queue.request(first).assets, queue.request(second).assets]
    assert requests(scene, first, second) == [
        (first, who, 0, 0, 5 * ETHER, min(worth[0], 5 * ETHER * rate // WAD), 0, 0),
        (
            *(second, who, 1, 5 * ETHER, 20 * ETHER),
            *(min(worth[1], 20 * ETHER * rate // WAD), 0, patience_left + longest),
        ),
    ]


def test_requests__exits_on_their_way_suffice__wait_for_the_longest_of_them(
    scene: Deployment,
) -> None:
    protocol, roles = scene.protocol, scene.roles
    restake(scene, 30 * ETHER)
    stake_everything(scene)
    which = ask(scene, 20 * ETHER, roles.depositor)
    protocol.vault.deallocate(protocol.eigenlayer.address, 30 * ETHER, sender=roles.allocator)
    ((*_, seconds),) = requests(scene, which)
    assert seconds == protocol.eigenlayer.exit_delay()


def test_requests__patience_is_over__only_the_exit_is_left(scene: Deployment) -> None:
    protocol = scene.protocol
    restake(scene, 30 * ETHER)
    stake_everything(scene)
    which = ask(scene, 20 * ETHER, scene.roles.depositor)
    scene.chain.advance(protocol.queue.patience() + 1)
    delays = (protocol.eigenlayer.exit_delay(), protocol.symbiotic.exit_delay())
    ((*_, seconds),) = requests(scene, which)
    assert seconds == max(delays)


def test_requests__slashed_since__are_worth_the_lesser_rate(scene: Deployment) -> None:
    protocol = scene.protocol
    restake(scene, 30 * ETHER)
    stake_everything(scene)
    which = ask(scene, 20 * ETHER, scene.roles.depositor)
    scene.world.slash(WAD // 10)
    ((*_, worth, _claimable, _seconds),) = requests(scene, which)
    assert worth == 20 * ETHER * protocol.vault.live_rate() // WAD
    assert worth < protocol.queue.request(which).assets


def test_requests__paid_cancelled_and_unknown__wait_for_nothing(scene: Deployment) -> None:
    queue, who = scene.protocol.queue, scene.roles.depositor
    restake(scene, 30 * ETHER)
    paid, cancelled = ask(scene, ETHER, who), ask(scene, ETHER, who)
    queue.cancel(cancelled, sender=who)
    scene.chain.advance(queue.wait())
    queue.finalize(2)
    claimable = queue.request(paid).claimable_assets
    nobody = "0x0000000000000000000000000000000000000000"
    assert requests(scene, paid, cancelled, 99) == [
        (paid, who, 0, 0, 0, 0, claimable, 0),
        (cancelled, who, 0, 0, 0, 0, 0, 0),
        (99, nobody, 0, 0, 0, 0, 0, 0),
    ]


def test_requests__cancelled_ahead__does_not_count(scene: Deployment) -> None:
    queue, who = scene.protocol.queue, scene.roles.depositor
    restake(scene, 30 * ETHER)
    first, second = ask(scene, ETHER, who), ask(scene, 2 * ETHER, who)
    third = ask(scene, 3 * ETHER, who)
    queue.cancel(first, sender=who)
    ((_, _, ahead, shares_ahead, *_),) = requests(scene, third)
    assert (ahead, shares_ahead) == (1, 2 * ETHER)
    assert second < third
