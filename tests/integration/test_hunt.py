"""Replicas of incidents are found without the model, and what finds them plays again."""

from __future__ import annotations

from pathlib import Path

import pytest

from relever.fuzz.campaign import Budget, Settings, opened
from relever.fuzz.findings import load
from relever.fuzz.hunt import hunt
from relever.fuzz.player import Player
from relever.fuzz.replicas import replicas
from relever.model.protocol import Action, Step

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


def test_findings__that_a_sentence_was_wrong_about__break_nothing() -> None:
    """Two liquidations in one call, dust that comes back, a fee minted after the price is asked."""
    kept = sorted((Path(__file__).parents[1] / "findings").glob("*.json"))
    assert kept
    with opened(Settings()) as campaign:
        for path in kept:
            assert campaign.breaks(campaign.on_node, load(path).played()) is None, path.name


def test_in_process__after_a_sequence_that_made_a_market__begins_where_the_stage_does() -> None:
    """The one who plays in this process is made when the first finding is made small."""
    kept = Path(__file__).parents[1] / "replicas" / "23.json"
    with opened(Settings(compare=False)) as campaign:
        player = campaign.on_node
        player.begin()
        player.play(Step(creation_by_the_owner(player), 0, 1))
        made = set(player.model.parts.markets)
        assert campaign.breaks(campaign.player, load(kept).played()) is None
        assert made > set(campaign.player.model.parts.markets)


def creation_by_the_owner(player: Player) -> Action:
    """Of a market with the terms of the first."""
    terms = player.model.parts.market.terms
    fields = (getattr(terms, name) for name in terms.__dataclass_fields__)
    return Action(
        "factory.create_market", "owner", (("weth", "vault", "oracle", *fields), "Another", "A")
    )
