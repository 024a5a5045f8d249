"""What is asked of a run, and which runs fall short of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest

from relever.fuzz.actions.access import PRIVILEGED
from relever.fuzz.actions.machines import MACHINES
from relever.fuzz.campaign import LENGTH
from relever.fuzz.coverage import (
    ELSEWHERE,
    EXAMPLES_EACH,
    JUDGED_FROM,
    MOST,
    NEVER,
    NEVER_THERE,
    OF_A_PART,
    SELDOM,
    STEPS_EACH,
    TRIED_EACH,
    Coverage,
    coverage,
    functions,
)
from relever.fuzz.states import STATES
from relever.fuzz.tally import Tally
from relever.protocol import CONTRACTS

EVERY = frozenset({"vault.deposit", "market.borrow", "vault.join_queue"})


def tally(steps: int = 10 * STEPS_EACH, **counts: Mapping[str, int]) -> Tally:
    """Of a run that met everything, but for these."""
    examples = steps // LENGTH
    found = Tally(examples, steps)
    found.done = Counter({"vault.deposit": 500, "market.borrow": 300})
    found.refused = Counter({"vault.join_queue": 20})
    found.states = Counter(dict.fromkeys(STATES, examples))
    for name, given in counts.items():
        getattr(found, name).update({key: 0 for key in given})
        getattr(found, name).update(given)
        for key, value in given.items():
            getattr(found, name)[key] = value
    return found


def judged(found: Tally, machine: str = "protocol", length: int = LENGTH) -> Coverage:
    return coverage(found, machine, length, EVERY)


def test_coverage__all_is_met__nothing_is_short() -> None:
    met = judged(tally())
    assert (met.short, met.judged, met.failed) == ((), True, False)
    assert met.actions == {"market.borrow": MOST, "vault.deposit": MOST}
    assert met.never == {"vault.join_queue": NEVER["vault.join_queue"]}


def test_coverage__an_action_that_hardly_ever_succeeds__fails_the_run() -> None:
    met = judged(tally(done={"market.borrow": MOST - 1}, refused={"market.borrow": 900}))
    assert met.short == (
        f"market.borrow succeeded {MOST - 1} of {899 + MOST} times,"
        f" in {10 * STEPS_EACH:,} steps it should {MOST} times",
    )
    assert met.failed
    assert not judged(tally(done={"market.borrow": MOST})).short


def test_coverage__a_function_that_is_never_tried__fails_the_run() -> None:
    found = tally()
    del found.done["vault.deposit"]
    assert "vault.deposit" not in found.actions
    (short,) = judged(found).short
    assert short.startswith("vault.deposit succeeded 0 of 0 times")


def test_coverage__least_of_an_action__grows_with_the_steps_up_to_a_cap() -> None:
    least = [
        judged(tally(steps)).actions["vault.deposit"] for steps in (STEPS_EACH - 1, STEPS_EACH)
    ]
    assert least == [0, 1]
    assert judged(tally(1_000 * STEPS_EACH)).actions["vault.deposit"] == MOST


@pytest.mark.parametrize("name", STATES)
def test_coverage__a_state_that_is_reached_too_seldom__fails_the_run(name: str) -> None:
    found = tally(100 * JUDGED_FROM)
    least = judged(found).states[name]
    assert 1 < least < found.examples
    assert not judged(tally(100 * JUDGED_FROM, states={name: least})).failed
    met = judged(tally(100 * JUDGED_FROM, states={name: least - 1}))
    assert met.failed
    assert met.short == (
        f"{name!r} was reached in {least - 1} of {found.examples:,} examples,"
        f" it should be in {least}",
    )


def test_coverage__a_short_run_or_short_examples__are_only_warned() -> None:
    nothing = dict.fromkeys(STATES, 0)
    long, short = tally(JUDGED_FROM, states=nothing), tally(JUDGED_FROM - 1, states=nothing)
    assert judged(long).failed
    for met in (judged(short), judged(long, length=LENGTH - 1)):
        assert met.short
        assert not met.failed


def test_coverage__a_machine_of_a_part__answers_for_what_it_tries_and_may() -> None:
    seldom = 10 * STEPS_EACH // TRIED_EACH - 1
    refused = {"market.set_caps": 10_000, "queue.pull_back": seldom, "queue.claim": seldom + 1}
    found = tally(refused=refused, done={"market.borrow": 5_000})
    del found.done["vault.deposit"]
    assert set(judged(found, "leverage").actions) == {"market.borrow", "queue.claim"}
    assert set(judged(found, "leverage").never) == {"market.set_caps", "vault.join_queue"}
    assert "paused vault" not in judged(found, "leverage").states
    assert judged(found, "leverage").states["depeg"] == found.examples // OF_A_PART
    whole = {"vault.deposit", "market.borrow", *refused}
    assert set(judged(found).actions) == whole


def test_coverage__its_tables__name_what_there_is() -> None:
    names = set(functions())
    assert {*NEVER, *PRIVILEGED} <= names
    suite = {name for name in SELDOM if name.partition(".")[0] in CONTRACTS}
    assert suite <= names
    assert set(EXAMPLES_EACH) == set(STATES)
    assert {"protocol", *ELSEWHERE} == set(MACHINES)
    assert set(NEVER_THERE) <= set(ELSEWHERE)
    assert set().union(*ELSEWHERE.values()) <= set(STATES)
