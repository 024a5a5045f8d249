"""The fuzzer's fast lane: all machines for a while, on both chains, with every check.

`make fuzz` plays the same for as long as one likes; what it finds stays as a test of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from relever.fuzz.actions.machines import MACHINES
from relever.fuzz.actions.planner import Planner
from relever.fuzz.campaign import BULK, SINGLE, Budget, Campaign, Example, Settings, opened
from relever.fuzz.pipe import packed, unpacked
from relever.fuzz.player import Player, Violation
from relever.fuzz.tally import total
from relever.model.protocol import Action, Step

SEED = 1


@pytest.fixture(scope="module")
def campaign() -> Iterator[Campaign]:
    with opened(Settings(seed=SEED, mode=BULK)) as campaign:
        yield campaign


def play(campaign: Campaign, machine: str, examples: int) -> list[Example]:
    """So many examples of one machine on a campaign's stage."""
    there = Campaign(campaign.stage, Settings(seed=SEED, machine=machine), campaign.on_node)
    try:
        return list(there.examples(Budget(examples=examples).numbers()))
    finally:
        there.close()


@pytest.mark.parametrize("machine", MACHINES)
def test_fuzz_machine__bulk__nothing_breaks_and_it_lives(campaign: Campaign, machine: str) -> None:
    examples = play(campaign, machine, 40)
    tally = total(example.tally for example in examples)
    assert [(f.identifier, f.found, f.words) for f in tally.findings] == []
    assert tally.steps == 40 * campaign.settings.length
    assert tally.done.total() > tally.steps // 2
    assert tally.states["liquidation"] > 0 or machine == "vault"


def test_fuzz_machine__hypothesis_on_anvil__nothing_breaks(campaign: Campaign) -> None:
    settings = Settings(seed=SEED, mode=SINGLE)
    example = Campaign(campaign.stage, settings, campaign.on_node).example(0)
    assert [(f.identifier, f.found, f.words) for f in example.tally.findings] == []
    assert example.tally.steps >= 8 * 40


def test_fuzz_machine__comparison_off__nothing_breaks(campaign: Campaign) -> None:
    player = Player(campaign.stage, campaign.stage.in_process(), compare=False)
    for number in range(10):
        player.begin()
        planner = Planner(player.model, Random(f"off-{number}"))
        for _ in range(40):
            player.play(planner.next())


def test_fuzz_machine__both_chains__say_the_same(campaign: Campaign) -> None:
    """Each word of storage, each outcome and what the Lens says, after each step."""
    here = campaign.player
    planned: list[Step] = []
    here.begin()
    planner, said = Planner(here.model, Random(7)), []
    for _ in range(60):
        planned.append(planner.next())
        seen = here.play(planned[-1])
        said.append((seen.outcome, seen.after.sight))
    there = campaign.on_node
    there.begin()
    for step, (outcome, sight) in zip(planned, said, strict=True):
        seen = there.play(step)
        assert (seen.outcome, seen.after.sight[:-1]) == (outcome, sight[:-1]), step


def test_fuzz_machine__a_word_that_is_wrong__is_seen_by_the_comparison(
    campaign: Campaign,
) -> None:
    player = campaign.player
    player.begin()
    # As if a transfer had moved one unit more than the chain did.
    balances = player.model.parts.weth.balances
    balances["looper"] += 1
    with pytest.raises(Violation, match=r"weth.balanceOf\[looper\]") as failure:
        player.play(Step(Action("market.accrue", "stranger")))
    assert failure.value.identifier == "MODEL"


def test_pipe__lines_that_went_through__are_the_same(campaign: Campaign) -> None:
    author = campaign.stage.author(campaign.stage.hot)
    author.begin()
    planner = Planner(author.model, Random(3))
    lines = [author.write(planner.next()) for _ in range(60)]
    assert unpacked(packed(lines)) == lines
