"""Anyone takes stake back for a line that has waited too long, and never more than it lacks."""

import pytest

from relever.chain import Revert
from tests.unit.queue.conftest import MIN_PULL, PATIENCE, Line
from tests.unit.vault.conftest import SEED, WAD

MISSING = 50 * WAD - 20 * WAD - SEED


def pull(line: Line, amount: int, adapter: str | None = None) -> list[object]:
    events: list[object] = line.queue.pull_back(
        adapter or line.adapter.address, amount, sender=line.actors.stranger
    ).events
    return events


def refused(line: Line, amount: int, reason: str, adapter: str | None = None) -> None:
    with pytest.raises(Revert) as failure:
        pull(line, amount, adapter)
    assert failure.value.reason == reason


def test_pull_back__overdue__starts_an_exit_of_what_is_missing(line: Line) -> None:
    line.join(50 * WAD)
    line.chain.advance(PATIENCE)

    events = pull(line, 60 * WAD)

    address = line.adapter.address
    assert events == [
        line.setup.event("ExitStarted", adapter=address, id=0, amount=MISSING),
        line.event(
            "PulledBack", adapter=address, exit_id=0, caller=line.actors.stranger, amount=MISSING
        ),
    ]
    assert line.adapter.exiting() == MISSING
    assert line.vault.queue_exits() == 1
    refused(line, 60 * WAD, "queue: nothing missing")


def test_pull_back__then_home_and_finalised__pays_the_head_whole(line: Line) -> None:
    line.join(50 * WAD)
    line.chain.advance(PATIENCE)
    pull(line, 60 * WAD)
    line.vault.finish_exit(line.adapter.address, 0, sender=line.actors.stranger)
    line.queue.finalize(1, sender=line.actors.stranger)
    assert line.queue.request(1).claimable_assets == 50 * WAD


def test_pull_back__one_second_early__reverts(line: Line) -> None:
    requested_at = line.queue.request(line.join(50 * WAD)).requested_at
    line.chain.advance(requested_at + PATIENCE - 1 - line.chain.timestamp)
    assert line.chain.timestamp == requested_at + PATIENCE - 1
    with pytest.raises(Revert) as failure:
        line.queue.pull_back.call(line.adapter.address, MISSING, sender=line.actors.stranger)
    assert failure.value.reason == "queue: not overdue"
    line.chain.advance(1)
    line.queue.pull_back.call(line.adapter.address, MISSING, sender=line.actors.stranger)


def test_pull_back__covered_by_idle__reverts(line: Line) -> None:
    line.join(20 * WAD + SEED)
    line.chain.advance(PATIENCE)
    refused(line, WAD, "queue: nothing missing")


def test_pull_back__from_two_adapters__counts_what_leaves_both(line: Line) -> None:
    second = line.setup.second_adapter.address
    line.join(50 * WAD)
    line.chain.advance(PATIENCE)
    pull(line, 10 * WAD, second)
    pull(line, 60 * WAD)
    assert line.adapter.exiting() == MISSING - 10 * WAD
    refused(line, WAD, "queue: nothing missing", second)


def test_pull_back__slash_shrinks_the_line__pulls_less(line: Line) -> None:
    line.join(50 * WAD)
    line.chain.advance(PATIENCE)
    line.setup.report(30 * WAD)
    pull(line, 60 * WAD)
    supply = 100 * WAD + SEED
    total = 70 * WAD + SEED
    needed = -(-50 * WAD * (total + 10**9) // (supply + 10**9))
    assert line.adapter.exiting() == needed - 20 * WAD - SEED
    # `report` says that nothing was exiting, so all of it is new.


def test_pull_back__little_beside_an_open_exit__reverts(line: Line) -> None:
    """Adapters bound their open exits: a hundred pulls of a unit must not use them up."""
    line.join(50 * WAD)
    line.chain.advance(PATIENCE)
    first = MISSING - MIN_PULL - 1
    pull(line, first)
    refused(line, MIN_PULL - 1, "queue: exit too small")
    pull(line, MIN_PULL)
    assert line.adapter.exiting() == first + MIN_PULL


def test_pull_back__less_than_an_eighth_of_what_is_missing__reverts(line: Line) -> None:
    """EigenLayer's sixteen exits then reach most of it, however they are cut."""
    line.join(50 * WAD)
    line.chain.advance(PATIENCE)
    eighth = -(-MISSING // 8)
    refused(line, eighth - 1, "queue: exit too small")
    pull(line, eighth)
    assert line.adapter.exiting() == eighth


def test_pull_back__nobody_waits__reverts(line: Line) -> None:
    refused(line, WAD, "queue: nothing waits")
    line.join(WAD)
    line.queue.cancel(1, sender=line.actors.depositor)
    line.chain.advance(PATIENCE)
    refused(line, WAD, "queue: nothing waits")


def test_pull_back__old_request_was_cancelled__the_next_ones_age_counts(line: Line) -> None:
    line.join(WAD)
    line.chain.advance(PATIENCE)
    line.join(50 * WAD)
    line.queue.cancel(1, sender=line.actors.depositor)
    refused(line, WAD, "queue: not overdue")
    line.chain.advance(PATIENCE)
    pull(line, MISSING)
    assert line.queue.head() == 2


def test_pull_back__nothing__reverts(line: Line) -> None:
    line.join(50 * WAD)
    line.chain.advance(PATIENCE)
    refused(line, 0, "queue: nothing missing")


def test_pull_back__unknown_adapter__reverts(line: Line) -> None:
    line.join(50 * WAD)
    line.chain.advance(PATIENCE)
    with pytest.raises(Revert):
        pull(line, MISSING, line.actors.stranger)


def test_pull_back__unreadable_adapter__reverts(line: Line) -> None:
    line.join(50 * WAD)
    line.chain.advance(PATIENCE)
    line.setup.second_adapter.set_broken(True)
    refused(line, WAD, "queue: adapter unreadable")
