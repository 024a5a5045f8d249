"""What the play of the backstop pool takes for wrong."""

from collections.abc import Sequence
from dataclasses import replace

from bench.backstop import Check, Run, judge_run, judge_turns, judge_whole
from relever.protocol import SEED, WAD
from relever.risk.backstop import DEPOSITS, Result, Turn

# A gain of a hundredth for everybody.
PARTS = [amount * 101 // 100 for amount in DEPOSITS.values()]
PLAY = Result(
    name="play",
    worth=26 * WAD,
    paid=26 * WAD - 1,
    cost=30 * WAD,
    received=31 * WAD,
    left=PARTS,
    fair=PARTS,
    rest=SEED,
    refused=["pool", "vault"],
)
RUN = Run(
    PLAY,
    70 * WAD,
    [(0, 60 * WAD), (20 * WAD, 10 * WAD), (10 * WAD, 0)],
    [(0, 0), (0, 20 * WAD), (0, 10 * WAD)],
)


def wrong(checks: Sequence[Check]) -> list[str]:
    """The last words of the sentences that do not hold."""
    return [check.sentence.split()[-1] for check in checks if not check.ok]


def test_judge__a_play_that_went_well__nothing_is_wrong() -> None:
    assert wrong(judge_whole(PLAY)) == []
    assert wrong(judge_run(RUN)) == []


def test_judge__somebody_else_would_have_bought__is_wrong() -> None:
    assert wrong(judge_whole(replace(PLAY, refused=["pool"]))) == ["bought"]


def test_judge__a_wei_that_is_missing__is_wrong() -> None:
    assert wrong(judge_whole(replace(PLAY, rest=SEED - 1))) == ["wei"]
    first, *others = PARTS
    left = [first - 1, *others]
    assert wrong(judge_whole(replace(PLAY, left=left))) == ["part", "wei"]


def test_judge__one_who_bears_more_than_the_others__is_wrong() -> None:
    first, second, third = PARTS
    moved = [first - 10, second + 10, third]
    assert wrong(judge_whole(replace(PLAY, left=moved, fair=moved))) == ["part"]


def test_judge__the_queue_pays_less_than_the_worth__is_wrong_but_for_units() -> None:
    assert wrong(judge_whole(replace(PLAY, paid=PLAY.worth - 3))) == ["purchase"]
    assert wrong(judge_whole(replace(PLAY, paid=PLAY.worth + 1))) == ["purchase"]


def test_judge__cash_past_who_asked_first__is_wrong() -> None:
    first = [(10 * WAD, 50 * WAD), (0, 20 * WAD), (10 * WAD, 0)]
    then = [(0, 10 * WAD), (0, 10 * WAD), (0, 10 * WAD)]
    assert wrong(judge_run(replace(RUN, first=first, then=then))) == ["first"]


def test_judge__cash_that_is_kept__is_wrong() -> None:
    assert wrong(judge_run(replace(RUN, cash=71 * WAD))) == ["out"]


def test_judge__more_than_was_asked_for_or_somebody_left_waiting__is_wrong() -> None:
    more = [(0, 0), (0, 20 * WAD + 1), (0, 10 * WAD)]
    assert wrong(judge_run(replace(RUN, then=more))) == ["for"]
    waits = [(0, 0), (0, 20 * WAD), (1, 10 * WAD)]
    assert wrong(judge_run(replace(RUN, then=waits))) == ["for"]


def test_judge__who_gains_by_his_timing__is_wrong() -> None:
    turns = [Turn("joins", 0), Turn("leaves", 1)]
    assert wrong(judge_turns(turns)) == ["nothing"]
    assert [check.ok for check in judge_turns(turns)] == [True, False]
