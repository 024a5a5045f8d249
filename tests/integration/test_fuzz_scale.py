"""Campaigns over many processes: lost workers, a scheduler of somebody else's, and the end."""

import logging
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

import dask
import psutil
import pytest
from distributed import Client, LocalCluster

from relever.fuzz import cluster as dasks
from relever.fuzz.campaign import Budget, Example, Settings
from relever.fuzz.cluster import Workers
from relever.fuzz.scale import ScaleError, play

SETTINGS = Settings(seed=5, length=20)
EXAMPLES = 48


def offspring() -> list[psutil.Process]:
    """All that we have started, and what that has started."""
    return psutil.Process().children(recursive=True)


def ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def all_end(processes: Sequence[psutil.Process], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not all(map(ended, processes)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def tracker(process: psutil.Process) -> bool:
    """Python's own, which stays for the next."""
    return not ended(process) and "resource_tracker" in " ".join(process.cmdline())


@pytest.fixture(scope="module")
def alone() -> list[Example]:
    """What one process makes of it."""
    before = set(offspring())
    examples = play(SETTINGS, Budget(examples=EXAMPLES), workers=1)
    found = [next(examples)]
    started = [process for process in offspring() if process not in before]
    found += examples
    assert len(started) > 2
    assert all_end(started)
    return found


def test_play__two_workers_and_one_is_killed__same_examples_each_once(
    alone: list[Example],
) -> None:
    before = set(offspring())
    found: list[Example] = []
    for example in play(SETTINGS, Budget(examples=EXAMPLES), workers=2):
        found.append(example)
        if len(found) == 3:
            workers = multiprocessing.active_children()
            assert len(workers) == 2
            started = [process for process in offspring() if process not in before]
            os.kill(workers[0].pid, signal.SIGKILL)
            # Ctrl-C is not for the workers.
            os.kill(workers[1].pid, signal.SIGINT)
    assert workers[1].exitcode in (None, -signal.SIGKILL)
    assert [example.number for example in found] == list(range(EXAMPLES))
    assert found == alone
    assert multiprocessing.active_children() == []
    nodes = [process for process in started if not tracker(process)]
    assert len(nodes) > 4
    assert all_end(nodes)


ENDLESS = """
from relever.fuzz.campaign import Budget, Settings
from relever.fuzz.scale import play

try:
    for example in play(Settings(length=20), Budget(seconds=3_600), workers=2):
        print(example.number, flush=True)
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


def test_play__ctrl_c__ends_all_and_is_quiet() -> None:
    # A terminal sends it to each process of the group.
    program = subprocess.Popen(
        [sys.executable, "-c", ENDLESS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "0\n"
    started = psutil.Process(program.pid).children(recursive=True)
    os.killpg(program.pid, signal.SIGINT)
    said, complaints = program.communicate(timeout=20)
    assert said.splitlines()[-1] == "stopped"
    assert complaints == ""
    assert len(started) > 4
    assert all_end(started)


# --- a scheduler of somebody else's ---


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of two workers; it gives up what two of them have died of."""
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            silence_logs=logging.CRITICAL,
            memory_limit=0,
            local_directory=str(tmp_path_factory.mktemp("dask")),
        ) as cluster,
    ):
        yield cluster.scheduler_address


def test_play__scheduler__same_examples_and_its_workers_stay(
    alone: list[Example], scheduler: str
) -> None:
    for many in (20, 3):
        # However many processes are asked for.
        found = list(play(SETTINGS, Budget(examples=many), workers=1, scheduler=scheduler))
        assert found == alone[:many]
    assert len(multiprocessing.active_children()) == 2


def deadly(numbers: Sequence[int]) -> list[Example]:
    os.kill(os.getpid(), signal.SIGKILL)
    return []


def wrong(numbers: Sequence[int]) -> list[Example]:
    raise ZeroDivisionError(f"{len(numbers)} by nothing")


def test_workers__error__names_the_examples(scheduler: str) -> None:
    with Client(scheduler, set_as_default=False) as client:
        pool = Workers(client, wrong)
        pool.send([4])
        with pytest.raises(ScaleError, match=r"^example 4 .*: ZeroDivisionError: 1 by nothing"):
            pool.receive()


def test_workers__shard_kills_each_worker__is_named(scheduler: str) -> None:
    with Client(scheduler, set_as_default=False) as client:
        pool = Workers(client, deadly)
        pool.send([6, 7])
        with pytest.raises(ScaleError, match=r"^2 workers died .* with examples 6 to 7 in hand"):
            pool.receive()


def test_play__nobody_listens__is_told_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dasks, "_CONNECT", 1.0)
    with socket.socket() as taken:
        # Nobody is let in before it listens.
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ScaleError, match=f"^no Dask scheduler answers at {address} .*: start"):
            next(play(SETTINGS, Budget(examples=1), workers=1, scheduler=address))


def test_play__no_workers__is_told_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dasks, "_FIRST", 0.2)
    with (
        LocalCluster(
            n_workers=0, scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"}
        ) as cluster,
        pytest.raises(ScaleError, match=r"has no worker: start one by `\.venv/bin/dask worker"),
    ):
        next(play(SETTINGS, Budget(examples=1), workers=1, scheduler=cluster.scheduler_address))
