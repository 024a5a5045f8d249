"""The laboratory of the leveraged tokens, on the contracts themselves."""

import pytest

from relever.protocol import WAD, Deployment
from relever.risk.leveraged import Lab
from relever.risk.paths import DAY


@pytest.fixture
def lab(deployment: Deployment) -> Lab:
    return Lab(deployment)


def test_lab__slash__is_led_out_of_danger_inside_the_bound(lab: Lab) -> None:
    lab.slash(WAD // 20)
    lab.step(0)
    (three, eight) = lab.tracks
    assert three.rebalances == []
    (done,) = eight.rebalances
    assert done.before > eight.terms.danger >= done.after
    assert 0 < done.lost <= done.bound == eight.terms.danger_loss
    # A ghost loses just the leverage times the slash, of which a trifle that is idle is spared.
    for track, leverage in ((three, 3), (eight, 8)):
        kept = track.points[-1].ghost * WAD // track.points[0].value
        assert abs(kept - (WAD - leverage * WAD // 20)) * 10**5 < leverage * WAD
    assert eight.points[-1].distance < 0 <= three.points[-1].distance


def test_lab__dear_loans__are_as_dear_as_asked_for(lab: Lab) -> None:
    rate = 6 * WAD // 100
    lab.charge(rate)
    market = lab.scene.protocol.market
    assert abs(market.borrow_rate() - rate) * 100 < rate
    before = market.state()
    lab.step(DAY)
    after = market.state()
    paid = (after.borrow_assets - before.borrow_assets) * 365 * WAD // before.borrow_assets
    assert abs(paid - rate) * 50 < rate


def test_lab__yield__is_what_the_ghost_earns(lab: Lab) -> None:
    lab.step(0)
    lab.grow(WAD // 1_000)
    lab.step(0)
    for track, leverage in zip(lab.tracks, (3, 8), strict=True):
        grown = track.points[-1].ghost * WAD // track.points[-2].ghost - WAD
        assert abs(grown - leverage * WAD // 1_000) < WAD // 10**5
        assert track.points[-1].value > track.points[-2].value
