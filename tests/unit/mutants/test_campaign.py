"""What is run, what is kept, what counts; on paper and in a small repository of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from relever import artifacts
from relever.mutants import __main__ as command
from relever.mutants import campaign, suite
from relever.mutants.campaign import MutantsError, Result, Sample, State, Store, order, shuffled
from relever.mutants.job import (
    DUPLICATE,
    EQUIVALENT,
    KILLED,
    SURVIVED,
    TIMEOUT,
    UNCOMPILABLE,
    Outcome,
)
from relever.mutants.operators import Mutant
from relever.mutants.report import Report

ROOT = Path(__file__).parents[3]
PATH = "contracts/One.vy"
TEST = "tests/unit/test_one.py"


def mutant(number: int, operator: str = "constant") -> Mutant:
    return Mutant(PATH, operator, "one", number, "a", "b", ((PATH, f"text {number}\n"),))


def result(of: Mutant, state: str, code: str = "", killer: str = "") -> Result:
    outcome = Outcome(state, code or of.key, killer, seconds=2.0)
    return Result(of.key, of.path, of.function, outcome, "contracts", "everything", killer)


def results(*given: Result) -> dict[str, Result]:
    return {one.key: one for one in given}


# --- what counts ---


def test_counted__no_mutant_and_the_same_code_again__count_nowhere() -> None:
    one, two, three, four, five = order = [mutant(number) for number in range(5)]
    sample = Sample(order, 9, taken=5)
    found = results(
        result(one, UNCOMPILABLE),
        result(two, KILLED, "a"),
        result(three, EQUIVALENT),
        result(four, SURVIVED, "a"),
        result(five, TIMEOUT, "b"),
    )
    assert [m for m, _ in sample.counted(found)] == [two, five]


def test_counted__duplicate_of_a_later_one__has_its_result() -> None:
    one, two = order = [mutant(1), mutant(2)]
    sample = Sample(order, 9, taken=2)
    known = result(two, KILLED, "a", TEST)
    assert sample.counted(results(result(one, DUPLICATE, "a"), known)) == [(one, known)]


def test_next__sample__runs_on_until_enough_count() -> None:
    order = [mutant(number) for number in range(4)]
    sample, found = Sample(order, 2), results()
    assert [sample.next(found), sample.next(found), sample.next(found)] == [*order[:2], None]
    found |= results(result(order[0], UNCOMPILABLE), result(order[1], KILLED))
    sample.running -= 2
    assert sample.next(found) == order[2]
    assert sample.next(found) is None


def test_next__known_results__are_not_run_again() -> None:
    order = [mutant(number) for number in range(4)]
    found = results(result(order[0], KILLED), result(order[1], SURVIVED))
    sample = Sample(order, 3)
    assert [sample.next(found), sample.next(found)] == [order[2], None]


def test_shuffled__seed__decides() -> None:
    many = [mutant(number) for number in range(50)]
    assert shuffled(many, 1) == shuffled(many, 1)
    assert shuffled(many, 1) != shuffled(many, 2)
    assert sorted(map(str, shuffled(many, 1))) == sorted(map(str, many))


def test_order__killers_and_namesakes__come_first_then_the_lane() -> None:
    lane = ["tests/b", "tests/a.py"]
    seconds = {"tests/b/t.py::slow": 9.0, "tests/b/t.py::fast": 0.1, "tests/a.py::x": 0.01}
    seconds |= {"tests/a.py::far": 0.1, "tests/a.py::near": 0.1, "tests/other.py::x": 0.1}
    seconds |= {"tests/a.py::test_one__named": 0.2, "tests/a.py::test_oneself": 8.0}
    alike = [
        replace(result(mutant(1), KILLED, killer="tests/a.py::far"), function="two"),
        result(mutant(2), KILLED, killer="tests/a.py::near"),
        result(mutant(3), KILLED, killer="tests/other.py::x"),
    ]
    assert order(mutant(4), alike, seconds, lane) == [
        *("tests/a.py::near", "tests/a.py::far", "tests/a.py::test_one__named"),
        *("tests/b/t.py::fast", "tests/b/t.py::slow", "tests/a.py::x", "tests/a.py::test_oneself"),
    ]


# --- what is kept ---


def test_store__results__are_there_again(tmp_path: Path) -> None:
    first = Store(tmp_path / "deep" / "results.jsonl")
    first.add(result(mutant(1), SURVIVED))
    first.add(result(mutant(1), KILLED))
    first.add(result(mutant(2), SURVIVED))
    again = Store(tmp_path / "deep" / "results.jsonl")
    assert again.results == first.results
    assert again.results[mutant(1).key].outcome.state == KILLED


def test_store__last_line_cut_short__is_left_out_and_any_other_named(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    Store(path).add(result(mutant(1), KILLED))
    whole = path.read_text()
    path.write_text(whole + whole[:20])
    assert list(Store(path).results) == [mutant(1).key]
    path.write_text(whole[:20] + "\n" + whole)
    with pytest.raises(MutantsError, match="is damaged in line 1"):
        Store(path)


def test_forget__something_changed__leaves_only_what_still_holds(tmp_path: Path) -> None:
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "One.vy").write_text("x")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_one.py").write_text("1")
    state = State(tmp_path)
    killer = "tests/test_one.py::test_a"
    killed = replace(result(mutant(1), KILLED, killer=killer), killer=state.of(killer))
    alive = replace(result(mutant(2), SURVIVED), everything=state.everything)
    same = replace(result(mutant(3), EQUIVALENT), contracts=state.contracts)
    store = Store(tmp_path / "results.jsonl")
    for one in (killed, alive, same):
        store.add(one)

    def left() -> list[str]:
        store.forget(State(tmp_path))
        return list(store.results)

    assert left() == [killed.key, alive.key, same.key]
    (tmp_path / "tests" / "test_two.py").write_text("more tests may kill more")
    assert left() == [killed.key, same.key]
    (tmp_path / "contracts" / "Two.vy").write_text("y")
    assert left() == [killed.key]
    (tmp_path / "tests" / "test_one.py").write_text("2")
    assert left() == []


def test_around__another_test_changed__is_the_same_for_this_one(tmp_path: Path) -> None:
    """What a folder of tests or a file of them sees: shared parts, and itself."""
    texts = ["contracts/One.vy", "tests/conftest.py", "tests/unit/conftest.py"]
    tests = ["tests/unit/test_one.py", "tests/unit_two/test_two.py", "tests/test_three.py"]
    for name in (*texts, *tests):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    state = State(tmp_path)

    def changed_by(name: str) -> list[str]:
        before = {test: state.around(test) for test in ("tests/unit", *tests[1:])}
        (tmp_path / name).write_text("2")
        return [test for test, was in before.items() if state.around(test) != was]

    assert changed_by(tests[0]) == ["tests/unit"]
    assert changed_by(tests[1]) == [tests[1]]
    assert changed_by(tests[2]) == [tests[2]]
    for name in texts:
        assert changed_by(name) == ["tests/unit", *tests[1:]]


# --- what is reported ---


def test_report__sums__fit_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "SUITE", {"market": {PATH: ("tests/unit",)}})
    counted = [
        (mutant(1), result(mutant(1), KILLED, killer="tests/unit/t.py::a")),
        (mutant(2), result(mutant(2), KILLED, killer="tests/properties/x_model.py::a")),
        (mutant(3, "update"), result(mutant(3, "update"), SURVIVED)),
        (mutant(4), result(mutant(4), TIMEOUT)),
    ]
    report = Report(counted, {EQUIVALENT: 5}, {PATH: "text\n"}, ran=9, seconds=30.0, seed=7)
    report.write(tmp_path / "deep" / "report.json")
    said = json.loads((tmp_path / "deep" / "report.json").read_text())
    assert (said["total"], said["killed"], said["survived"]) == (4, 3, 1)
    assert (said["score"], said["seconds"], said["per_minute"]) == (0.75, 30.0, 18.0)
    assert said["killed_by"] == {"unit test": 1, "model": 1, "timeout": 1}
    assert said["operators"]["update"] == {"total": 1, "killed": 0, "survived": 1, "score": 0.0}
    assert [(one["line"], one["diff"].splitlines()[-1]) for one in said["survivors"]] == [
        (3, "+text 3")
    ]
    assert len(said["mutants"]) == 4
    console = Console(record=True, width=120, file=(tmp_path / "shown").open("w"))
    report.show(console)
    shown = console.export_text()
    assert "3 of 4 killed (75.0%)" in shown
    assert f"survived: {PATH}:3 one [update]" in shown


def test_main__wrong_options__are_refused_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--files", "nonsense"]) == 1
    assert "nonsense is neither a layer" in capsys.readouterr().err
    for wrong in (["--operators", "typo"], ["--sample", "0"], ["--workers", "x"]):
        with pytest.raises(SystemExit):
            command.main(wrong)
    assert "typo is none of comparison" in capsys.readouterr().err


def test_main__list__names_candidates_and_runs_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list", "--files", "packing", "--operators", "arithmetic"]) == 0
    shown = capsys.readouterr().out
    assert "contracts/modules/packing.vy:" in shown
    assert "candidates:" in shown.splitlines()[-1]
    assert "[constant]" not in shown


# --- the whole of it ---

CONTRACT = """# pragma version 0.4.3
UNUSED: constant(uint256) = 7
LIMIT: constant(uint256) = 5 + 5


@pure
@external
def one(x: uint256) -> uint256:
    if x > LIMIT:
        return LIMIT
    return x // 1
"""
TESTS = """from relever.artifacts import artifact
from relever.chain import Anvil, Chain


def test_one() -> None:
    with Anvil.start() as node:
        contract = Chain.connect(node.ipc).deploy(artifact("One"))
        assert [contract.one(x) for x in (9, 10, 11, 12)] == [9, 10, 10, 10]
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One contract, one test, and the package."""
    root = tmp_path / "repository"
    for name, text in {PATH: CONTRACT, TEST: TESTS, "tests/doubles/README": ""}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    shutil.copytree(ROOT / "relever", root / "relever")
    shutil.copy2(ROOT / "parts.json", root)
    (root / ".parts").symlink_to(ROOT / ".parts")
    monkeypatch.setattr(artifacts, "ROOT", root)
    monkeypatch.setattr(command, "ROOT", root)
    monkeypatch.setattr(command, "BUILD", root / "build" / "mutants")
    monkeypatch.setattr(suite, "SUITE", {"market": {PATH: ("tests/unit",)}})
    monkeypatch.setattr(suite, "DEFAULT", ("market",))
    monkeypatch.setattr(suite, "LAST", ())
    return root


def content(root: Path) -> dict[str, tuple[int, bytes]]:
    """Everything but what is built."""
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(root.glob("**/*"))
        if path.is_file() and "build" not in path.relative_to(root).parts
    }


def go(arguments: Sequence[str], root: Path) -> tuple[int, dict[str, object]]:
    status = command.main(["--workers", "1", "--least", "0", *arguments])
    return status, json.loads((root / "build" / "mutants" / "report.json").read_text())


def test_main__small_repository__is_scored_once_and_left_as_it_was(repository: Path) -> None:
    before = content(repository)
    status, report = go(["--files", "One"], repository)
    assert content(repository) == before
    assert status == 0
    # x // 1 becomes x // 0; UNUSED is used nowhere; 6 + 5 is 5 + 6.
    dropped = report["dropped"]
    assert isinstance(dropped, dict)
    assert dropped[UNCOMPILABLE] >= 1
    assert dropped[EQUIVALENT] >= 2
    assert dropped[DUPLICATE] >= 1
    # Both limits are ten, so that nobody can tell whether ten itself is beyond the limit.
    survivors = report["survivors"]
    assert isinstance(survivors, list)
    assert {(one["line"], one["after"]) for one in survivors} >= {(9, ">=")}
    mutants = report["mutants"]
    assert isinstance(mutants, list)
    turned = next(one for one in mutants if (one["line"], one["operator"]) == (9, "comparison"))
    assert (turned["state"], turned["killer"]) == (KILLED, f"{TEST}::test_one")

    status, again = go(["--files", "One"], repository)
    assert again["ran"] == 0
    assert again["mutants"] == mutants


DRIVER = """import signal, sys
from relever.mutants import __main__ as command
from relever.mutants import suite
suite.SUITE = {"market": {sys.argv[1]: ("tests/unit",)}}
suite.DEFAULT, suite.LAST = ("market",), ()
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(command.main(["--workers", "2", "--least", "0"]))
"""


def at_work(root: Path) -> list[str]:
    """The command lines of processes that run in a folder or below it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(root):
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


def test_main__interrupted__ends_all_it_started_and_goes_on_the_next_time(
    repository: Path,
) -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", DRIVER, PATH],
        cwd=repository,
        env=os.environ | {"PYTHONPATH": str(repository), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    for line in run.stdout:
        if KILLED in line:
            break
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert (run.returncode, said.strip()) == (
        130,
        "stopped: what was found is kept, run it again to go on",
    )
    assert at_work(repository) == []
    kept = Store(repository / "build" / "mutants" / "results.jsonl").results
    assert len(kept) >= 1

    _, report = go([], repository)
    ran, total, dropped = report["ran"], report["total"], report["dropped"]
    assert isinstance(ran, int)
    assert isinstance(total, int)
    assert isinstance(dropped, dict)
    assert 0 < ran == total + sum(dropped.values()) - len(kept)


def test_main__mutant_that_never_ends__is_killed_by_its_time(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = TESTS.replace(
        "        assert", "        while contract.one(11) != 10: pass\n        assert"
    )
    (repository / TEST).write_text(waiting)
    monkeypatch.setattr(campaign, "_GRACE", 5)
    started = time.monotonic()
    _, report = go(["--operators", "comparison"], repository)
    assert (report["total"], report["killed"], report["timeouts"]) == (1, 1, 1)
    assert report["killed_by"] == {"timeout": 1}
    assert time.monotonic() - started < 120


def test_main__tests_that_fail_anyway__kill_nothing(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / TEST).write_text("def test_one() -> None:\n    assert 1 == 2\n")
    assert command.main(["--workers", "1", "--sample", "1"]) == 1
    assert f"{TEST}::test_one fails without any mutant" in capsys.readouterr().err
