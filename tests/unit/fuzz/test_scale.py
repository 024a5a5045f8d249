"""Budgets, shards and their order, without a chain and without workers."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from relever.fuzz import scale
from relever.fuzz.campaign import Budget, Example, Settings
from relever.fuzz.scale import ScaleError, in_order, play, shard
from relever.fuzz.tally import Tally


def example(number: int) -> Example:
    return Example(number, Tally(examples=1), f"example {number}")


class Clock:
    """Stands still until it is moved."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Shuffling:
    """A pool whose shards come back in any order, each after so many seconds as it is long."""

    def __init__(self, room: int, seed: int = 0) -> None:
        self.room, self.most, self._draw = room, 0, Random(seed)
        self.clock = Clock()
        self.sent: list[int] = []
        self._out: list[Sequence[int]] = []

    def send(self, numbers: Sequence[int]) -> None:
        self.sent += numbers
        self._out.append(numbers)
        self.most = max(self.most, len(self._out))

    def receive(self) -> list[Example]:
        numbers = self._out.pop(self._draw.randrange(len(self._out)))
        self.clock.now += len(numbers)
        return [example(number) for number in numbers]


@pytest.mark.parametrize(("examples", "seconds"), [(None, None), (1, 1.0)])
def test_budget__not_exactly_one__is_none(examples: int | None, seconds: float | None) -> None:
    with pytest.raises(ValueError, match="either examples or seconds"):
        Budget(examples, seconds)


def test_budget__examples__are_so_many_numbers() -> None:
    assert list(Budget(examples=3).numbers()) == [0, 1, 2]


def test_budget__seconds__count_from_the_first_number_on() -> None:
    clock = Clock()
    numbers = Budget(seconds=10).numbers(clock)
    clock.now += 100
    assert next(numbers) == 0
    clock.now += 9.9
    assert next(numbers) == 1
    clock.now += 0.1
    assert list(numbers) == []


@pytest.mark.parametrize("examples", [1, 3, 101])
@pytest.mark.parametrize("seed", range(5))
def test_in_order__any_order_of_shards__each_number_once_and_in_order(
    examples: int, seed: int
) -> None:
    pool = Shuffling(room=6, seed=seed)
    found = [one.number for one in in_order(iter(range(examples)), pool, 3)]
    assert found == list(range(examples))
    assert pool.sent == found


def test_in_order__room__is_used_whole_and_never_more() -> None:
    pool = Shuffling(room=4)
    assert len(list(in_order(iter(range(50)), pool, 2))) == 50
    assert pool.most == 4


def test_in_order__time_is_up__finishes_what_is_out_and_has_no_gap() -> None:
    pool = Shuffling(room=5)
    found = [one.number for one in in_order(Budget(seconds=30).numbers(pool.clock), pool, 2)]
    assert found == pool.sent == list(range(30 + 4 * 2))


def test_in_order__first_results__do_not_wait_for_the_last() -> None:
    assert next(in_order(count(), Shuffling(room=1), 2)).number == 0


class Stages:
    """Campaigns that play nothing, and which of them are open."""

    def __init__(self) -> None:
        self.opened: list[Settings] = []
        self.open: list[Settings] = []
        self.broken: set[int] = set()

    @contextmanager
    def __call__(self, settings: Settings) -> Iterator[Any]:
        self.opened.append(settings)
        self.open.append(settings)
        yield SimpleNamespace(examples=self._examples)
        self.open.remove(settings)

    def _examples(self, numbers: Iterable[int]) -> Iterator[Example]:
        for number in numbers:
            if number in self.broken:
                raise KeyError("no such action")
            yield example(number)


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Stages:
    found = Stages()
    monkeypatch.setattr(scale, "opened", found)
    monkeypatch.setattr(scale, "_HOME", scale._Home())
    return found


ONE, OTHER = Settings(seed=1), Settings(seed=2)


def test_play__one_worker__plays_here_without_dask(
    stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody could load it.
    monkeypatch.setitem(sys.modules, "relever.fuzz.cluster", None)
    assert [one.number for one in play(ONE, Budget(examples=5), workers=1)] == [0, 1, 2, 3, 4]
    assert (stages.opened, stages.open) == ([ONE], [])


def test_play__error_here__names_the_example(stages: Stages) -> None:
    stages.broken = {2}
    with pytest.raises(
        ScaleError, match=r"^example 2 cannot be played: KeyError: 'no such action'"
    ):
        list(play(ONE, Budget(examples=5), workers=1))


def test_shard__same_settings__keeps_the_stage(stages: Stages) -> None:
    assert shard(ONE, scale.sources(), ()) == []
    for numbers in ([0, 1], [6, 7]):
        assert [one.number for one in shard(ONE, scale.sources(), numbers)] == numbers
    assert (stages.opened, stages.open) == ([ONE], [ONE])


def test_shard__other_settings__ends_the_stage_before(stages: Stages) -> None:
    for settings in (ONE, OTHER, ONE):
        shard(settings, scale.sources(), [0])
    assert (stages.opened, stages.open) == ([ONE, OTHER, ONE], [ONE])


def test_shard__error__names_the_example_and_ends_the_stage(stages: Stages) -> None:
    stages.broken = {7}
    with pytest.raises(ScaleError, match=r"^example 7 cannot be played: KeyError"):
        shard(ONE, scale.sources(), [6, 7])
    assert stages.open == []
    assert [one.number for one in shard(ONE, scale.sources(), [6])] == [6]


def test_shard__other_sources__are_told(stages: Stages) -> None:
    with pytest.raises(ScaleError, match="has other sources than this process: bring both to"):
        shard(ONE, "another commit", [0])
    assert stages.opened == []


def test_shard__stage_cannot_be_set_up__is_told(
    stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(settings: Settings) -> None:
        raise OSError("no node")

    monkeypatch.setattr(scale, "opened", broken)
    with pytest.raises(ScaleError, match="cannot set up: OSError: no node"):
        shard(ONE, scale.sources(), ())
