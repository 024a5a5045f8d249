"""Examples played by many processes, here or on other machines, through Dask.

A shard is a few numbers in a row. Shards are dealt out in order and come back in any; what they
bring is put in order again, so that nobody can tell how many have played. A shard whose worker is
lost is played again by another.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import cache, partial
from itertools import islice
from threading import Lock
from typing import Protocol

from relever.artifacts import ROOT
from relever.fuzz import replicas
from relever.fuzz.campaign import BULK, SINGLE, Budget, Campaign, Example, Settings, opened
from relever.mutants import tree

# Examples of a shard, by mode: about a second, for the time to deal it out not to count.
SHARD = {BULK: 8, SINGLE: 1}
# What an example depends on.
_SOURCES = ("contracts", "relever", "tests/doubles", "tests/replicas")


class ScaleError(Exception):
    """The campaign cannot go on; says which examples, why, and what to do."""


class Pool(Protocol):
    """Who plays shards."""

    @property
    def room(self) -> int:
        """How many shards it takes at once."""

    def send(self, numbers: Sequence[int]) -> None:
        """Have a shard played."""

    def receive(self) -> Sequence[Example]:
        """What came of a shard, of any that was sent; waits for it. Raises `ScaleError`."""


def play(
    settings: Settings, budget: Budget, workers: int, scheduler: str | None = None
) -> Iterator[Example]:
    """Examples in the order of their numbers, each exactly once, played by so many processes.

    Args:
        settings: how they are played.
        budget: how many; its time begins when every worker is set up.
        workers: processes on this machine; with one, it is this process.
        scheduler: the address of a Dask scheduler, whose workers play instead, however many.

    Raises:
        ScaleError: the scheduler or its workers cannot be had, or an example cannot be played.
        ReplicaError: there is no such replica.
    """
    if workers == 1 and scheduler is None:
        with opened(settings) as campaign:
            yield from _examples(campaign, budget.numbers())
        return
    # Takes a second to load, and is not needed alone.
    from relever.fuzz.cluster import Workers, connected

    if settings.replica is not None:
        # Once and here, not by each worker at the same time.
        with replicas.deploying(settings.replica):
            pass
    with connected(workers, scheduler) as client:
        pool = Workers(client, partial(shard, settings, sources()))
        pool.set_up()
        yield from in_order(budget.numbers(), pool, SHARD[settings.mode])


def in_order(numbers: Iterator[int], pool: Pool, size: int) -> Iterator[Example]:
    """Have examples played, those of the lowest numbers first; yields them in order.

    Args:
        numbers: in order, without gaps, from 0 on.
        pool: who plays them.
        size: examples of a shard.
    """
    early: dict[int, Example] = {}
    next_one = sent = 0
    while True:
        while sent < pool.room and (some := list(islice(numbers, size))):
            pool.send(some)
            sent += 1
        if not sent:
            return
        early.update((example.number, example) for example in pool.receive())
        sent -= 1
        while next_one in early:
            yield early.pop(next_one)
            next_one += 1


def shard(settings: Settings, expected: str, numbers: Sequence[int]) -> list[Example]:
    """Play examples in this process, which keeps its stage for the next shard.

    Args:
        settings: how they are played.
        expected: the sources of whoever asks.
        numbers: which examples; none to set up the stage only.

    Raises:
        ScaleError: the sources differ, or an example cannot be played.
    """
    if expected != sources():
        raise ScaleError(
            f"the worker on {platform.node()} has other sources than this process: bring both to"
            " the same commit, run `make setup` there and start the worker again"
        )
    with _LOCK:
        try:
            campaign = _HOME.campaign(settings)
        except Exception as error:
            raise ScaleError(
                f"the worker on {platform.node()} cannot set up: {_said(error)}"
            ).with_traceback(error.__traceback__) from error
        try:
            return list(_examples(campaign, numbers))
        except ScaleError:
            # Nobody knows in what state it was left.
            _HOME.leave()
            raise


@cache
def sources() -> str:
    """A hash of all that examples depend on, as it was when this process first asked."""
    return tree.digest(ROOT, _SOURCES)


class _Home:
    """The campaign of this process: it ends with the process, or when another is asked for."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._kept: tuple[Settings, Campaign] | None = None

    def campaign(self, settings: Settings) -> Campaign:
        if self._kept is None or self._kept[0] != settings:
            self.leave()
            self._kept = settings, self._stack.enter_context(opened(settings))
        return self._kept[1]

    def leave(self) -> None:
        self._kept = None
        self._stack.close()


# A worker may have been started with many threads.
_HOME, _LOCK = _Home(), Lock()


def _examples(campaign: Campaign, numbers: Iterable[int]) -> Iterator[Example]:
    """Raises `ScaleError`, which names those that were begun and not finished."""
    begun: list[int] = []

    def noted() -> Iterator[int]:
        for number in numbers:
            begun.append(number)
            yield number

    try:
        for example in campaign.examples(noted()):
            begun.remove(example.number)
            yield example
    except Exception as error:
        # Dask brings home neither the cause of an error nor one that takes arguments.
        raise ScaleError(f"{named(begun)} cannot be played: {_said(error)}").with_traceback(
            error.__traceback__
        ) from error


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def named(numbers: Sequence[int]) -> str:
    """Examples in words."""
    if not numbers:
        return "the set-up"
    first, last = numbers[0], numbers[-1]
    return f"example {first}" if first == last else f"examples {first} to {last}"
