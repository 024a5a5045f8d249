"""`make fuzz` with examples that are made up: what it says, writes and returns."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from relever.fuzz import __main__ as command
from relever.fuzz.campaign import BULK, SINGLE, Budget, Example, Settings
from relever.fuzz.findings import Finding, FindingError, load
from relever.fuzz.scale import ScaleError, play
from relever.fuzz.states import STATES
from relever.fuzz.tally import Tally

from .conftest import finding

Asked = tuple[Settings, Budget, int, str | None]


def example(number: int, *findings: Finding, steps: int = 60, met: bool = True) -> Example:
    tally = Tally(1, steps, Counter({"vault.deposit": steps}), findings=list(findings))
    tally.states = Counter(dict.fromkeys(STATES, 1) if met else {})
    return Example(number, tally, f"example {number}: a line")


class Played:
    """What the command plays, to be filled in, and what it asked for."""

    def __init__(self) -> None:
        self.examples: Sequence[Example] = [example(0), example(1)]
        self.end: BaseException | None = None
        self.asked: list[Asked] = []

    def __call__(
        self, settings: Settings, budget: Budget, workers: int, scheduler: str | None
    ) -> Iterator[Example]:
        self.asked.append((settings, budget, workers, scheduler))
        yield from self.examples
        if self.end is not None:
            raise self.end


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    played = Played()
    monkeypatch.setattr(command, "artifacts", lambda names, progress: None)
    monkeypatch.setattr(command, "functions", lambda: iter(["vault.deposit"]))
    monkeypatch.setattr(command, "play", played)
    return played


def test_fuzz__nothing_broken__writes_all_and_succeeds(
    played: Played, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--examples", "2", "--seed", "7", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "log.txt").read_text() == "example 0: a line\nexample 1: a line\n"
    document = json.loads((tmp_path / "report.json").read_text())
    assert (document["steps"], document["examples"], document["seed"]) == (120, 2, 7)
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    said = capsys.readouterr().out
    assert "deploying everything" in said
    assert "2 examples, 120 steps" not in said
    assert f"Written: {tmp_path / 'report.html'}" in said


def test_fuzz__its_options__reach_who_plays(played: Played, tmp_path: Path) -> None:
    out = ["--out", str(tmp_path)]
    options = ["--minutes", "2.5", "--machine", "vault", "--mode", "single", "--no-model"]
    options += ["--workers", "3", "--length", "9", "--scheduler", "tcp://there:1"]
    command.main(options + out)
    command.main(["--workers", "1", *out])
    assert played.asked == [
        (Settings(0, "vault", SINGLE, False, 9), Budget(seconds=150.0), 3, "tcp://there:1"),
        (Settings(0, "protocol", BULK, True), Budget(seconds=60.0), 1, None),
    ]


def test_fuzz__a_violation__fails_and_leaves_its_file(
    played: Played, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    played.examples = [example(0), example(1, finding()), example(2)]
    assert command.main(["--examples", "3", "--out", str(tmp_path)]) == 1
    path = tmp_path / "findings" / "HF-2-protocol-7-4.json"
    assert load(path) == finding()
    assert f'make fuzz ARGS="--replay {path}"' in capsys.readouterr().out


def test_fuzz__a_long_run_that_meets_too_little__fails(
    played: Played, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    played.examples = [example(number) for number in range(1_000)]
    assert command.main(["--out", str(tmp_path)]) == 0
    played.examples = [example(number, met=False) for number in range(1_000)]
    assert command.main(["--out", str(tmp_path)]) == 1
    said = "too seldom: 'liquidation' was reached in 0 of 1,000 examples, it should be in 10"
    assert said in capsys.readouterr().out


def test_fuzz__stopped__reports_what_was_done(played: Played, tmp_path: Path) -> None:
    played.end = KeyboardInterrupt()
    assert command.main(["--out", str(tmp_path)]) == 130
    document = json.loads((tmp_path / "report.json").read_text())
    assert (document["examples"], document["ended"]) == (2, "stopped")
    played.examples = [example(1, finding())]
    assert command.main(["--out", str(tmp_path)]) == 1


def test_fuzz__cannot_go_on__fails_and_reports_what_was_done(
    played: Played, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    played.end = ScaleError("example 2 cannot be played")
    assert command.main(["--out", str(tmp_path)]) == 1
    document = json.loads((tmp_path / "report.json").read_text())
    assert (document["examples"], document["ended"]) == (2, "example 2 cannot be played")
    assert "Ended before its budget: example 2 cannot be played" in capsys.readouterr().out
    played.examples = []
    assert command.main(["--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "fuzz: example 2 cannot be played\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--machine washing", "invalid choice: 'washing' (choose from"),
        ("--minutes 1 --examples 2", "--examples: not allowed with argument --minutes"),
        ("--replay a.json --minutes 1", "--minutes: not allowed with argument --replay"),
        ("--examples 0", "--examples: 0 is no number of 1 or above"),
        ("--workers two", "--workers: two is no number of 1 or above"),
        ("--minutes 0", "--minutes: 0 is no time to play, in minutes"),
        ("--minutes soon", "--minutes: soon is no time to play, in minutes"),
        ("--mode double", "invalid choice: 'double' (choose from"),
        ("--replica first", "argument --replica: invalid int value: 'first'"),
    ],
)
def test_fuzz__options_that_are_none__are_said(
    options: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(options.split())
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_fuzz__a_replica_that_there_is_not__is_said(
    played: Played,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "play", play)
    assert command.main(["--replica", "999", "--out", str(tmp_path)]) == 1
    assert "fuzz: there is no replica 999: take one of" in capsys.readouterr().err


@pytest.mark.parametrize("text", [None, "", "[]", '{"words": [], "steps": []}', "no JSON"])
def test_replay__a_file_that_is_no_counterexample__is_said(
    text: str | None, played: Played, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "one.json"
    if text is not None:
        path.write_text(text)
    assert command.main(["--replay", str(path)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"fuzz: {path} ")
    with pytest.raises(FindingError):
        load(path)


def test_replay__its_verdict__is_the_exit_code(
    played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = finding().write(tmp_path)
    for broken in (True, False):
        monkeypatch.setattr(command, "replay", lambda found, say, broken=broken: broken)
        assert command.main(["--replay", str(path)]) == int(broken)
