"""Runs the tests on one mutant after another, in the copy of the repository that it stands in.

Compiler, pytest and all test modules are loaded once; each mutant gets a fork of that, which dies
with it. A job is a line of JSON on standard input, its outcome one on standard output.
"""

import gc
import json
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings

from relever.artifacts import CompileError
from relever.chain import anvil
from relever.mutants import compiling
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

_QUIET = ("-q", "-p", "no:ape_test", "-p", "no:cacheprovider", "--no-header", "--tb=short")
_PASSED = pytest.ExitCode.OK
# The machine's failures, not a mutant's.
_TROUBLE = ("AnvilError", "PartError", "MemoryError")


class Watch:
    """A pytest plugin: likely killers first, and what failed, and how long each took."""

    def __init__(self, first: Sequence[str]) -> None:
        self._rank = {test: rank for rank, test in enumerate(first)}
        self.failed: list[tuple[str, str]] = []
        self.durations: dict[str, float] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: self._rank.get(item.nodeid, len(self._rank)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        spent = self.durations.get(report.nodeid, 0.0)
        self.durations[report.nodeid] = round(spent + report.duration, 4)
        if report.failed:
            self._note(report.nodeid, report.longreprtext)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._note(report.nodeid, report.longreprtext)

    def _note(self, test: str, text: str) -> None:
        self.failed.append((test, text))


def run(job: Job, root: Path) -> Outcome:
    """Compile and test in this very process. The files are in place already."""
    started = time.monotonic()
    outcome = Outcome()
    try:
        _compile(job, root, outcome)
        if not outcome.code or not job.files or outcome.code not in job.known:
            _test(job, outcome)
        else:
            outcome.state = DUPLICATE
    except CompileError as error:
        outcome.state, outcome.reason = UNCOMPILABLE, _last_line(str(error))
    except _SameCode:
        outcome.state = EQUIVALENT
    outcome.seconds = round(time.monotonic() - started, 3)
    return outcome


class _SameCode(Exception):
    """No contract changes by this mutant."""


def _compile(job: Job, root: Path, outcome: Outcome) -> None:
    if not job.files:
        return
    before = compiling.entries(root)
    for name in job.readers:
        entry = compiling.compiled(name, root)
        code = compiling.code_of(entry)
        if code != compiling.code_of(before[name]):
            outcome.code = f"{name}:{code}"
            return
    raise _SameCode


def _test(job: Job, outcome: Outcome) -> None:
    watch = Watch(job.first)
    options = [*_QUIET, *([] if job.measure else ["-x"])]
    status = pytest.main([*options, *job.tests], plugins=[watch])
    outcome.durations = watch.durations if job.measure else {}
    if status == _PASSED:
        outcome.state = SURVIVED
        return
    if not watch.failed:
        outcome.state, outcome.reason = BROKEN, f"pytest ended with {status} and no failed test"
        return
    killer, text = watch.failed[0]
    if "CompileError: " in text and job.files:
        # Another contract that the file is part of.
        outcome.state, outcome.reason = UNCOMPILABLE, _last_line(text)
        return
    if any(f"{error}: " in text for error in _TROUBLE):
        outcome.state, outcome.reason = BROKEN, _last_line(text)
        return
    outcome.state, outcome.killer, outcome.reason = KILLED, killer, _last_line(text)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    marked = [line[1:].strip() for line in lines if line.startswith("E ")]
    return ([*marked[:1], *lines[-1:]] or [""])[0][:200]


class Worker:
    """One copy of the repository, warm, and the forks of it."""

    def __init__(self, root: Path, log: Path) -> None:
        self._root, self._log = root, log
        self._kept = self._artifacts()

    def warm(self, tests: Sequence[str]) -> None:
        """Load all that a fork would have to load."""
        import_module("vyper.compiler")
        compiling.accelerate()
        _lift_size_limit()
        _do_not_shrink()
        if pytest.main([*_QUIET, "--collect-only", *tests]) != _PASSED:
            raise RuntimeError(f"the tests cannot be collected: see {self._log}")
        gc.collect()
        gc.freeze()

    def do(self, job: Job) -> Outcome:
        """Run a job in a fork, at most so long, and put everything back."""
        originals = {path: (self._root / path).read_text() for path in job.files}
        started, used = time.monotonic(), _processor()
        try:
            for path, text in job.files.items():
                (self._root / path).write_text(text)
            outcome = self._forked(job)
        finally:
            for path, text in originals.items():
                (self._root / path).write_text(text)
            self._put_back()
        if outcome is None:
            outcome = Outcome(TIMEOUT, seconds=round(time.monotonic() - started, 3))
        outcome.processor = round(_processor() - used, 3)
        return outcome

    def _forked(self, job: Job) -> Outcome | None:
        here, there = os.pipe()
        child = os.fork()
        if child == 0:
            _be_the_fork(job, self._root, there)
        os.close(there)
        try:
            said = _read(here, job.timeout)
        finally:
            os.close(here)
            with suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
        if said is None:
            return None
        if not said:
            reason = f"the process died: see {self._log}"
            return Outcome(BROKEN, reason=reason)
        return Outcome(**json.loads(said))

    def _artifacts(self) -> dict[Path, tuple[int, bytes]]:
        folder = self._root / "build" / "artifacts"
        return {at: (at.stat().st_mtime_ns, at.read_bytes()) for at in folder.glob("*.json")}

    def _put_back(self) -> None:
        """What mutants were compiled to must not cost the next one a compilation."""
        for at in (self._root / "build" / "artifacts").glob("*.json"):
            if at not in self._kept:
                at.unlink()
            elif at.stat().st_mtime_ns != self._kept[at][0]:
                at.write_bytes(self._kept[at][1])
                self._kept[at] = (at.stat().st_mtime_ns, self._kept[at][1])


def _processor() -> float:
    """Seconds that ended children have used."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _be_the_fork(job: Job, root: Path, answer: int) -> None:
    """Never returns."""
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        # Should nobody be left to end us.
        signal.alarm(int(job.timeout) + 10)
        said = json.dumps(asdict(run(job, root)))
        with os.fdopen(answer, "w") as pipe:
            pipe.write(said)
    except BaseException:  # the fork ends here, and the log says why
        traceback.print_exc()
    finally:
        os._exit(0)


def _read(pipe: int, seconds: float) -> bytes | None:
    """Everything that is written, or None when it takes too long."""
    deadline = time.monotonic() + seconds
    parts: list[bytes] = []
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            return None
        part = os.read(pipe, 1 << 16)
        if not part:
            return b"".join(parts)
        parts.append(part)


def _lift_size_limit() -> None:
    """A mutant must not die of the few bytes that it is longer."""
    module: Any = anvil
    command = module._command

    def without_limit(*args: Any) -> list[str]:
        return [*command(*args), "--disable-code-size-limit"]

    module._command = without_limit


def _do_not_shrink() -> None:
    """That something fails is all that matters, not what the smallest example is."""
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutants", phases=phases, database=None, report_multiple_bugs=False)
    settings.load_profile("mutants")


def main(tests: Sequence[str]) -> None:
    """Serve jobs until standard input ends."""
    # The fork that runs must not outlive us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    root = Path.cwd()
    log = root / "build" / "worker.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    # What tests and nodes print goes to the log; outcomes alone to standard output.
    answers = os.fdopen(os.dup(1), "w")
    sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    worker = Worker(root, log)
    worker.warm(tests)
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        outcome = worker.do(Job(**json.loads(line)))
        print(json.dumps(asdict(outcome)), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
