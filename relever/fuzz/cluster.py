"""Dask, as far as the fuzzer needs it: a scheduler, its workers, and shards that they play."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from queue import Empty, SimpleQueue
from typing import Any

import dask
from distributed import Client, Future, KilledWorker, LocalCluster, Security
from distributed.client import ClosedClientError
from distributed.core import rpc
from distributed.utils import silence_logging_cmgr

from relever.artifacts import ROOT
from relever.fuzz.campaign import Example
from relever.fuzz.scale import ScaleError, named

Task = Callable[[Sequence[int]], Sequence[Example]]

# Shards that each worker has, so that it need not wait for the next.
_EACH = 2
# Seconds: until a scheduler answers, until it has a worker at first, and while it has none later.
_CONNECT, _FIRST, _PATIENCE = 5.0, 10.0, 60.0
# Seconds between two looks at whether there is a worker.
_LOOK = 1.0
_GONE = "the scheduler is gone: start it and its workers again; the examples will be the same"


class Workers:
    """The workers of a Dask scheduler, as a pool."""

    def __init__(self, client: Client, task: Task) -> None:
        """`task` plays the examples of some numbers on a worker; without any, it only sets up."""
        self._client, self._task = client, task
        self._sent: dict[Any, tuple[Future[Any], Sequence[int]]] = {}
        self._done = SimpleQueue[Future[Any]]()

    def set_up(self) -> None:
        """Have each worker that there is set up, and wait for it. Raises `ScaleError`."""
        for worker in self._threads():
            # Elsewhere if that worker is lost meanwhile.
            self._send((), workers=[worker], allow_other_workers=True)
        while self._sent:
            self.receive()

    @property
    def room(self) -> int:
        return _EACH * max(1, sum(self._threads().values()))

    def send(self, numbers: Sequence[int]) -> None:
        self._send(numbers)

    def receive(self) -> Sequence[Example]:
        future = self._next()
        _, numbers = self._sent.pop(future.key)
        if future.cancelled():
            raise ScaleError(_GONE)
        try:
            found: Sequence[Example] = future.result()
        except KilledWorker as error:
            raise ScaleError(
                f"{error.allowed_failures + 1} workers died one after the other with"
                f" {named(numbers)} in hand or next in line: see whether memory is short; with"
                " --workers 1 nothing is between you and what happens"
            ) from error
        except ScaleError:
            raise
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            raise ScaleError(f"{named(numbers)} cannot be played by a worker: {said}") from error
        return found

    def _threads(self) -> dict[str, int]:
        """By the address of each worker."""
        with _reached():
            found: dict[str, int] = self._client.nthreads()
        return found

    def _send(self, numbers: Sequence[int], **where: Any) -> None:
        # Under a key of its own: what was played for somebody else is not taken for it.
        with _reached():
            future = self._client.submit(self._task, numbers, pure=False, **where)
        self._sent[future.key] = future, numbers
        future.add_done_callback(self._done.put)

    def _next(self) -> Future[Any]:
        left = _PATIENCE
        while left > 0:
            with suppress(Empty):
                return self._done.get(timeout=_LOOK)
            left = _PATIENCE if self._threads() else left - _LOOK
        waiting = sorted(number for _, numbers in self._sent.values() for number in numbers)
        raise ScaleError(f"no worker is left to play {named(waiting)}: see why, and start again")


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except (OSError, ClosedClientError) as error:
        raise ScaleError(_GONE) from error


@contextmanager
def connected(workers: int, scheduler: str | None) -> Iterator[Client]:
    """Of a scheduler that has workers, of our own where no other is named. Raises `ScaleError`."""
    if scheduler is None:
        with _local(workers) as cluster, Client(cluster, set_as_default=False) as client:
            yield client
        return
    try:
        # A client would wait for ever where something else listens.
        asyncio.run(asyncio.wait_for(_greet(scheduler), _CONNECT))
    except (OSError, ValueError) as error:
        raise ScaleError(
            f"no Dask scheduler answers at {scheduler} ({str(error) or 'silence'}): start one by"
            " `.venv/bin/dask scheduler`, which says its address"
        ) from error
    with (
        silence_logging_cmgr(logging.CRITICAL),
        Client(scheduler, set_as_default=False) as client,
    ):
        try:
            client.wait_for_workers(1, timeout=_FIRST)
        except TimeoutError as error:
            raise ScaleError(
                f"the scheduler at {scheduler} has no worker: start one by"
                f" `.venv/bin/dask worker {scheduler} --nthreads 1`"
            ) from error
        yield client


async def _greet(scheduler: str) -> None:
    security = Security().get_connection_args("client")
    async with rpc(scheduler, timeout=_CONNECT, connection_args=security) as there:
        await there.identity()


@contextmanager
def _local(workers: int) -> Iterator[LocalCluster]:
    """A scheduler and so many processes that end with us."""
    quiet = {
        # It would look at each process a hundred times a second.
        "distributed.worker.profile.enabled": False,
        # A worker may have children: what compiles, and nodes.
        "distributed.worker.daemon": False,
    }
    with (
        dask.config.set(quiet),
        LocalCluster(
            n_workers=0,
            threads_per_worker=1,
            host="127.0.0.1",
            # The scheduler serves pages all the same, and would want a fixed port for them.
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            silence_logs=logging.CRITICAL,
            memory_limit=0,
            local_directory=str(ROOT / "build" / "dask"),
        ) as cluster,
    ):
        # Ctrl-C is for us alone: whoever is started by the loop's thread gets its mask. The first
        # start of all would undo it, by that of the tracker.
        resource_tracker.ensure_running()
        cluster.loop.add_callback(signal.pthread_sigmask, signal.SIG_BLOCK, {signal.SIGINT})
        cluster.scale(workers)
        try:
            cluster.wait_for_workers(workers)
            yield cluster
        finally:
            cluster.sync(_end, cluster)


async def _end(cluster: LocalCluster) -> None:
    """Kill the workers, for an example may take long; their nodes end with them."""
    workers = cluster.workers.values()
    pids = [worker.pid for worker in workers if worker.pid is not None]
    closing = asyncio.gather(*(worker.close() for worker in workers), return_exceptions=True)
    # First each has to know that it closes: it would start another process for a dead one.
    await asyncio.sleep(0)
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    await closing
