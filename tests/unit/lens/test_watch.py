"""What the Lens says beside storage, which must be what its snapshot says of the same."""

from __future__ import annotations

from typing import Any

from relever.protocol import WAD, Deployment
from tests.scene import ETHER, open_leveraged, pass_days, stake_everything


def watched(scene: Deployment, *owners: str) -> Any:
    suite = scene.protocol
    return suite.lens.watch(suite.market.address, list(owners))


def test_watch__staked_leveraged_and_depegged__is_what_the_snapshot_says(
    scene: Deployment,
) -> None:
    stake_everything(scene)
    open_leveraged(scene, 3 * ETHER, 28 * ETHER)
    pass_days(scene, 3)
    scene.world.slash(WAD // 20)
    scene.answer_fundamental(discount=WAD // 50)
    scene.protocol.oracle.poke()
    owners = scene.roles.looper, scene.roles.stranger
    watch, whole = watched(scene, *owners), scene.protocol.snapshot(*owners)
    assert (watch.time, watch.block) == (whole.time, whole.block)
    assert [tuple(state) for state in watch.adapters] == [
        (adapter.live, adapter.exiting, adapter.at_risk) for adapter in whole.vault.adapters
    ]
    assert len(watch.adapters) == 2
    assert watch.adapters[0].live < whole.vault.adapters[0].booked
    assert tuple(watch.prices) == (
        *(whole.oracle.fundamental, whole.oracle.smoothed_market, whole.oracle.feed_usable),
    )
    _, answer, _, answered_at, _ = scene.feed.proxy.latestRoundData()
    assert (watch.answer, watch.answered_at) == (answer, answered_at)
    assert watch.state == whole.market.state
    assert watch.debts == [position.debt for position in whole.positions]
    assert watch.debts[0] > 28 * ETHER
    assert watch.debts[1] == 0


def test_watch__quarantined__stands_after_those_that_are_listed(scene: Deployment) -> None:
    stake_everything(scene)
    suite = scene.protocol
    suite.vault.quarantine(suite.eigenlayer.address, sender=scene.roles.owner)
    states = watched(scene).adapters
    assert [state.live for state in states] == [
        suite.symbiotic.total_assets(),
        suite.eigenlayer.total_assets(),
    ]
