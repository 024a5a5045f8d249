"""Deals mutants out to workers and keeps what came of each, so that a run can go on another day."""

import hashlib
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any

from relever.mutants import suite, tree
from relever.mutants.job import (
    BROKEN,
    DUPLICATE,
    EQUIVALENT,
    KILLED,
    SURVIVED,
    TIMEOUT,
    UNCOMPILABLE,
    Job,
    Outcome,
)
from relever.mutants.operators import Mutant

Progress = Callable[[str], None]
# A mutant's tests may take so many times as long as without it, and so many seconds more.
_PATIENCE, _GRACE = 4, 40
_TRIES = 3
_END_SECONDS = 10.0


class MutantsError(Exception):
    """The campaign cannot go on; says why, and what to do."""


@dataclass(frozen=True)
class Result:
    """What came of a mutant, and the state of the repository that it rests on."""

    key: str
    path: str
    function: str
    outcome: Outcome
    # Hashes: of all contracts, of everything, and of the file of the test that killed it.
    contracts: str
    everything: str
    killer: str = ""

    @property
    def counts(self) -> bool:
        """Whether it was a mutant at all."""
        return self.outcome.state in (KILLED, SURVIVED, TIMEOUT)

    def stands(self, state: "State") -> bool:
        """Whether another run would find the same.

        A kill stands while the test that killed is the same, a survivor while nothing changed.
        """
        if self.outcome.state == KILLED:
            return self.killer == state.of(self.outcome.killer)
        if self.outcome.state in (UNCOMPILABLE, EQUIVALENT, DUPLICATE):
            return self.contracts == state.contracts
        return self.everything == state.everything

    @classmethod
    def read(cls, line: str) -> "Result":
        fields = json.loads(line)
        return cls(**{**fields, "outcome": Outcome(**fields["outcome"])})


class State:
    """Hashes of a copy of the repository."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.contracts = tree.digest(root, ("contracts",))
        self.everything = tree.digest(root)

    def of(self, test: str) -> str:
        """The file that a test stands in; nothing when it is gone."""
        path = self._root / test.split("::")[0]
        if not path.is_file():
            return ""
        return hashlib.sha256(path.read_bytes()).hexdigest()[:20]

    def around(self, test: str) -> str:
        """Everything but the other tests, for a folder or file of them."""

        def another(path: str) -> bool:
            return PurePosixPath(path).match("test_*.py") and not f"{path}/".startswith(f"{test}/")

        return tree.digest(self._root, leave_out=another)


class Store:
    """Results on disk, a line each, the last one of a mutant being the one that holds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.results: dict[str, Result] = {}
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines()
            for number, line in enumerate(lines):
                try:
                    result = Result.read(line)
                except (ValueError, TypeError, KeyError):
                    if number == len(lines) - 1:
                        # Cut short when the run was ended: that mutant runs again.
                        break
                    raise MutantsError(
                        f"{path} is damaged in line {number + 1}: delete that line, or the file"
                    ) from None
                self.results[result.key] = result

    def add(self, result: Result) -> None:
        """Keep a result at once."""
        self.results[result.key] = result
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(result)) + "\n")

    def forget(self, state: State) -> None:
        """Leave out what no longer stands."""
        self.results = {key: one for key, one in self.results.items() if one.stands(state)}


@dataclass
class Sample:
    """The first so many true mutants of an order, found out one by one."""

    order: Sequence[Mutant]
    size: int
    taken: int = 0
    running: int = 0

    def counted(self, results: Mapping[str, Result]) -> list[tuple[Mutant, Result]]:
        """Those that count: they compile, to a code that none before them has."""
        by_code = {one.outcome.code: one for one in results.values() if one.counts}
        seen: set[tuple[str, str]] = set()
        found: list[tuple[Mutant, Result]] = []
        for mutant in self.order[: self.taken]:
            result = results.get(mutant.key)
            if result is None:
                continue
            if result.outcome.state == DUPLICATE:
                result = by_code.get(result.outcome.code, result)
            code = (mutant.path, result.outcome.code)
            if result.counts and code not in seen:
                seen.add(code)
                found.append((mutant, result))
        return found[: self.size]

    def next(self, results: Mapping[str, Result]) -> Mutant | None:
        """The next mutant to run, if more may be needed than those that run now."""
        while self.taken < len(self.order):
            if len(self.counted(results)) + self.running >= self.size:
                return None
            mutant = self.order[self.taken]
            self.taken += 1
            if mutant.key not in results:
                self.running += 1
                return mutant
        return None


def shuffled(mutants: Sequence[Mutant], seed: int) -> list[Mutant]:
    """An order that depends on the seed alone."""
    order = list(mutants)
    random.Random(seed).shuffle(order)
    return order


class Hand:
    """A worker process in its own copy of the repository."""

    def __init__(self, folder: Path, tests: Sequence[str]) -> None:
        self._folder = folder
        environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONHASHSEED": "0"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "relever.mutants.worker", *tests],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            # Away from the terminal's Ctrl-C: we end it.
            start_new_session=True,
        )

    def ready(self) -> None:
        """Wait until it has loaded everything. Raises `MutantsError`."""
        self._answer()

    def do(self, job: Job) -> Outcome:
        """Run a job. Raises `MutantsError`."""
        if self._process.stdin is None:
            raise MutantsError("the worker has no standard input")
        try:
            print(json.dumps(asdict(job)), file=self._process.stdin, flush=True)
        except OSError as error:
            raise self._lost() from error
        return Outcome(**self._answer())

    def stop(self) -> None:
        """End it, whatever it does."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answer(self) -> dict[str, Any]:
        line = "" if self._process.stdout is None else self._process.stdout.readline()
        if not line:
            raise self._lost()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _lost(self) -> MutantsError:
        return MutantsError(f"a worker died: see {self._folder / 'build' / 'worker.log'}")


@dataclass
class Campaign:
    """The copies, the workers and what they found."""

    root: Path
    build: Path
    workers: int
    tests: Sequence[str]
    progress: Progress
    hands: list[Hand] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self.folders = [self.build / f"tree-{number}" for number in range(self.workers)]
        tree.make(self.root, self.folders[0])
        self.sources = tree.sources(self.folders[0])
        self.state = State(self.folders[0])
        self.store = Store(self.build / "results.jsonl")
        self.store.forget(self.state)
        self.readers: dict[str, list[str]] = {}

    def __enter__(self) -> "Campaign":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for hand in self.hands:
            hand.stop()

    def start(self) -> None:
        """Compile, copy, load, and see that the tests pass without any mutant."""
        for folder in self.folders[1:]:
            tree.make(self.folders[0], folder)
        for folder in self.folders:
            tree.compile_all(self.root, folder, lambda name: self.progress(f"compiled {name}"))
        self.readers = tree.readers(self.folders[0])
        self.progress(f"loading {self.workers} workers")
        self.hands = [Hand(folder, self.tests) for folder in self.folders]
        for hand in self.hands:
            hand.ready()
        self._measure()

    def run(self, sample: Sample) -> None:
        """Run what is missing of a sample. Raises `MutantsError`."""
        self._everywhere(lambda hand: self._serve(hand, sample))

    def _serve(self, hand: Hand, sample: Sample) -> None:
        while True:
            with self._lock:
                mutant = sample.next(self.store.results)
                if mutant is None and not sample.running:
                    return
                job = None if mutant is None else self._job(mutant)
            if mutant is None or job is None:
                # What runs elsewhere may prove to be no mutant, and another be needed.
                time.sleep(0.05)
                continue
            try:
                outcome = self._insist(hand, job, str(mutant))
            finally:
                with self._lock:
                    sample.running -= 1
            with self._lock:
                self.store.add(self._result(mutant, outcome))
                done = len(sample.counted(self.store.results))
                self.progress(_line(done, sample.size, mutant, outcome))

    def _insist(self, hand: Hand, job: Job, what: str) -> Outcome:
        for _ in range(_TRIES):
            outcome = hand.do(job)
            if outcome.state != BROKEN:
                return outcome
        raise MutantsError(f"{what}\ncannot be tested: {outcome.reason}")

    def _result(self, mutant: Mutant, outcome: Outcome) -> Result:
        killer = self.state.of(outcome.killer) if outcome.killer else ""
        return Result(
            *(mutant.key, mutant.path, mutant.function, outcome),
            *(self.state.contracts, self.state.everything, killer),
        )

    def _job(self, mutant: Mutant) -> Job:
        tests = suite.lane_of(mutant.path)
        usual = sum(spent for test, spent in self.seconds.items() if _within(test, tests))
        alike = [one for one in self.store.results.values() if one.path == mutant.path]
        known = [one.outcome.code for one in alike if one.counts]
        return Job(
            files=dict(mutant.files),
            readers=self.readers[mutant.path],
            tests=tests,
            first=order(mutant, alike, self.seconds, tests),
            known=known,
            timeout=_GRACE + _PATIENCE * usual,
        )

    def _measure(self) -> None:
        """How long each test takes without a mutant, kept until something changes that it sees."""
        kept = self.build / "baseline.json"
        known = json.loads(kept.read_text()) if kept.exists() else {}
        states = {test: self.state.around(test) for test in self.tests}
        missing = [test for test in self.tests if known.get(test, {}).get("state") != states[test]]
        if missing:
            self.progress(f"running {len(missing)} test folders and files without a mutant")

        def measure(hand: Hand) -> None:
            while missing:
                try:
                    test = missing.pop(0)
                except IndexError:
                    return
                job = Job({}, [], [test], [], [], timeout=3600.0, measure=True)
                outcome = hand.do(job)
                if outcome.state != SURVIVED:
                    raise MutantsError(
                        f"{outcome.killer or test} fails without any mutant"
                        f" ({outcome.reason or outcome.state}): mend it first"
                    )
                known[test] = {"state": states[test], "durations": outcome.durations}
                self.progress(f"{test}: {len(outcome.durations)} tests, {outcome.seconds:.0f} s")

        self._everywhere(measure)
        kept.write_text(json.dumps(known))
        for test in self.tests:
            self.seconds |= known[test]["durations"]

    def _everywhere(self, serve: Callable[[Hand], None]) -> None:
        """Let each worker be served by a thread; the first error ends them all."""
        errors: list[BaseException] = []

        def serving(hand: Hand) -> None:
            try:
                serve(hand)
            except BaseException as error:  # raised again below, in the main thread
                errors.append(error)

        threads = [threading.Thread(target=serving, args=(h,), daemon=True) for h in self.hands]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads) and not errors:
            time.sleep(0.05)
        if errors:
            raise errors[0]


def order(
    mutant: Mutant, alike: Iterable[Result], seconds: Mapping[str, float], tests: Sequence[str]
) -> list[str]:
    """All tests of a mutant, the likeliest to kill it in the next second first.

    Those that killed mutants of the same file come first, or are named after the function, by how
    often and how fast; a kill in the same function tells more. The others follow as their folders
    and files do, the fast ones first.
    """
    topic = re.sub(r"_(up|down)$", "", mutant.function).strip("_")
    lane = [test for test in seconds if _within(test, tests)]
    worth = Counter(test for test in lane if re.search(rf"test_{topic}(_|\.)", test))
    for one in alike:
        if one.outcome.state == KILLED and _within(one.outcome.killer, tests):
            worth[one.outcome.killer] += 5 if one.function == mutant.function else 1
    worth_a_second = {test: n / (0.1 + seconds.get(test, 1.0)) for test, n in worth.items()}
    killers = sorted(worth_a_second, key=lambda test: (-worth_a_second[test], test))
    others = [test for test in lane if test not in worth]
    return killers + sorted(others, key=lambda test: (_place(test, tests), seconds[test], test))


def _place(test: str, tests: Sequence[str]) -> int:
    return next(n for n, one in enumerate(tests) if test.startswith((f"{one}/", f"{one}::")))


def _within(test: str, tests: Sequence[str]) -> bool:
    return any(test.startswith((f"{one}/", f"{one}::")) for one in tests)


def _line(done: int, size: int, mutant: Mutant, outcome: Outcome) -> str:
    by = f"  <- {outcome.killer} ({suite.kind_of(outcome.killer)})" if outcome.killer else ""
    return f"{done:>4}/{size} {outcome.state:<12} {outcome.seconds:6.1f} s  {mutant}{by}"
