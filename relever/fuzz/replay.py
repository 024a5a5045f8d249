"""Plays a saved counterexample again, step by step on a forked Anvil."""

from __future__ import annotations

from collections.abc import Callable

from relever.fuzz.campaign import BULK, ENGINE, SINGLE, Campaign, Settings, opened
from relever.fuzz.findings import Finding, in_words
from relever.fuzz.liveness import check_liveness
from relever.fuzz.player import Violation
from relever.model.protocol import Outcome


def replay(finding: Finding, say: Callable[[str], None]) -> bool:
    """Whether it still breaks something.

    Args:
        finding: the counterexample.
        say: is told each step in words, what came of it, and what is broken.

    Raises:
        FindingError: a step of it is none.
        ReplicaError: it was met on a replica that there is not.
    """
    steps = finding.played()
    # Where the two chains do not agree, it takes both to see it.
    mode = BULK if finding.identifier == ENGINE else SINGLE
    settings = Settings(
        seed=finding.seed,
        machine=finding.machine,
        mode=mode,
        compare=finding.compare,
        replica=finding.replica,
    )
    say(f"{finding.identifier}: {finding.sentence}")
    say("Deploying everything ...")
    with opened(settings) as campaign:
        player = campaign.on_node
        player.begin()
        broken = None
        try:
            for number, step in enumerate(steps, 1):
                say(f"{number:3}. {in_words(step)}")
                say(f"     {_said(player.play(step).outcome)}")
            player.settle()
            check_liveness(player.actor)
        except Violation as violation:
            broken = violation
            say(f"Broken: {violation}")
        if mode == BULK:
            return _disagree(campaign, finding, broken, say)
    if broken is None:
        say("Nothing breaks any more.")
    elif broken.identifier != finding.identifier:
        say(f"That is another sentence than the file's, {finding.identifier}.")
    return broken is not None


def _disagree(
    campaign: Campaign, finding: Finding, there: Violation | None, say: Callable[[str], None]
) -> bool:
    """Whether the chain in this process still says something else than Anvil does."""
    here = campaign.breaks(campaign.player, finding.played())
    say(f"On Anvil: {there or 'nothing is broken'}")
    say(f"In this process: {here or 'nothing is broken'}")
    return (here and here.identifier) != (there and there.identifier)


def _said(outcome: Outcome) -> str:
    """What came of a step, in words."""
    if outcome.refused is not None:
        return f"refused: {outcome.refused or 'without a word'}"
    if outcome.result is None:
        return "done"
    result = outcome.result
    return f"done: {result:_}" if type(result) is int else f"done: {result}"
