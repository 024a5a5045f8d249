"""Replicas of incidents are found without the model, and what finds them plays again."""

from __future__ import annotations

from pathlib import Path

import pytest

from relever.fuzz.campaign import Budget, Settings, opened
from relever.fuzz.findings import load
from relever.fuzz.hunt import hunt
from relever.fuzz.player import Player
from relever.fuzz.replicas import replicas

# One each of vault, market, oracle and router; `make fuzz ARGS=--replicas` finds them all.
SOME = (25, 5, 20, 29)
# Each is found within a tenth of that.
EXAMPLES = Budget(examples=300)


@pytest.mark.parametrize("number", SOME)
def test_hunt__a_replica__is_found_by_few_calls_that_break_nothing_else(
    number: int, tmp_path: Path
) -> None:
    found = hunt(replicas()[number], EXAMPLES)
    assert found.finding is not None
    assert len(found.finding.steps) <= 12
    again = load(found.finding.write(tmp_path))
    assert again.replica == number
    with opened(Settings(replica=number, compare=False)) as campaign:
        broken = campaign.breaks(campaign.on_node, again.played())
        assert broken is not None
        assert broken.identifier == again.identifier


def test_hunt__what_was_found_on_all_of_them__is_refused_or_harmless_on_the_sound_suite() -> None:
    """The shortest calls that were ever found for each, kept beside the patches."""
    kept = sorted((Path(__file__).parents[1] / "replicas").glob("*.json"))
    assert {load(path).replica for path in kept} == set(replicas())
    with opened(Settings()) as campaign:
        player = Player(campaign.stage, campaign.stage.in_process())
        for path in kept:
            assert campaign.breaks(player, load(path).played()) is None, path.name
