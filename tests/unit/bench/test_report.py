"""Rows, table and document of the gas bench; and a missed target, which fails the command."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

import bench.gas
from bench.report import Row, document, table, verdict, write
from relever.artifacts import CompileError

MET = Row("deposit", 120, 100, "OpenZeppelin", 1.20)
MISSED = Row("deposit, first", 121, 100, "OpenZeppelin", 1.20)
NO_TARGET = Row("deposit", 120, 300, "MetaMorpho")
ALONE = Row("both: claim", 55_978)
UNDER = Row("one adapter: borrow", 254_000, ceiling=254_000)
ABOVE = Row("one adapter: open", 394_001, ceiling=394_000)


def printed(rows: list[Row]) -> str:
    out = io.StringIO()
    Console(file=out, width=100).print(table(rows, "Gas", "a note"))
    return out.getvalue()


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Row]:
    """What the command will find, for a test to fill in; nothing is compiled or run."""
    rows: list[Row] = []
    monkeypatch.setattr("sys.argv", ["bench-gas"])
    monkeypatch.setattr(bench.gas, "OUTPUT", tmp_path / "build" / "gas.json")
    monkeypatch.setattr(bench.gas, "artifacts", lambda names, progress: None)
    monkeypatch.setattr(bench.gas, "compile_peers", lambda progress: None)
    monkeypatch.setattr(bench.gas, "measure", lambda code, parts: rows)
    return rows


def test_row__at_its_target__is_met_and_one_more_is_missed() -> None:
    assert not MET.missed
    assert MISSED.missed
    assert not NO_TARGET.missed
    assert not ALONE.missed


def test_row__at_its_ceiling__is_met_and_one_more_is_missed() -> None:
    assert not UNDER.missed
    assert ABOVE.missed


def test_row__target_met_and_ceiling_not__is_missed() -> None:
    assert Row("borrow", 100, 200, "Morpho Blue", 0.75, ceiling=99).missed
    assert Row("borrow", 160, 200, "Morpho Blue", 0.75, ceiling=170).missed


def test_row__missed_by_less_than_the_ratio_shows__is_missed() -> None:
    row = Row("deposit", 120_001, 100_000, "OpenZeppelin", 1.20)
    assert row.ratio == 1.2
    assert row.missed


def test_document__every_row__has_every_field_in_order() -> None:
    assert json.loads(document([MET, NO_TARGET, ALONE, UNDER])) == {
        "rows": [
            {
                "operation": "deposit",
                "relever": 120,
                "peer": 100,
                "peer_name": "OpenZeppelin",
                "ratio": 1.2,
                "target": 1.2,
                "ceiling": None,
            },
            {
                "operation": "deposit",
                "relever": 120,
                "peer": 300,
                "peer_name": "MetaMorpho",
                "ratio": 0.4,
                "target": None,
                "ceiling": None,
            },
            {
                "operation": "both: claim",
                "relever": 55_978,
                "peer": None,
                "peer_name": None,
                "ratio": None,
                "target": None,
                "ceiling": None,
            },
            {
                "operation": "one adapter: borrow",
                "relever": 254_000,
                "peer": None,
                "peer_name": None,
                "ratio": None,
                "target": None,
                "ceiling": 254_000,
            },
        ]
    }


def test_write__old_document_there__is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "build" / "bench" / "gas.json"
    write([MET, ALONE], path)
    write([ALONE], path)
    assert path.read_text() == document([ALONE])


def test_table__rows__show_gas_ratio_and_what_is_missed() -> None:
    lines = [
        line.split() for line in printed([MISSED, NO_TARGET, ALONE, UNDER, ABOVE]).splitlines()
    ]
    first = ["deposit,", "first", "121", "100", "1.210", "missed", "1.20", "OpenZeppelin"]
    assert first in lines
    assert ["deposit", "120", "300", "0.400", "MetaMorpho"] in lines
    assert ["both:", "claim", "55,978"] in lines
    assert ["one", "adapter:", "borrow", "254,000", "254,000"] in lines
    assert ["one", "adapter:", "open", "394,001", "missed", "394,000"] in lines


def test_verdict__every_target_met__is_0_and_silent() -> None:
    out = io.StringIO()
    assert verdict([MET, NO_TARGET, ALONE, UNDER], Console(file=out)) == 0
    assert out.getvalue() == ""


def test_verdict__target_missed__is_1_and_names_the_row() -> None:
    out = io.StringIO()
    assert verdict([MET, MISSED, ALONE], Console(file=out)) == 1
    assert out.getvalue() == (
        "missed: deposit, first: 121 is 1.210 times OpenZeppelin's 100, and the target is 1.20\n"
    )


def test_verdict__ceiling_exceeded__is_1_and_names_the_row() -> None:
    out = io.StringIO()
    assert verdict([UNDER, ABOVE], Console(file=out)) == 1
    assert out.getvalue() == (
        "missed: one adapter: open: 394,001 is above its ceiling of 394,000\n"
    )


def test_bench_gas__target_met__is_0_with_table_and_document(
    measured: list[Row], capsys: pytest.CaptureFixture[str]
) -> None:
    measured += [MET, ALONE]
    assert bench.gas.main() == 0
    said = capsys.readouterr()
    assert "OpenZeppelin" in said.out
    assert "missed" not in said.out + said.err
    assert bench.gas.OUTPUT.read_text() == document(measured)


def test_bench_gas__target_missed__is_1_and_still_writes_all(
    measured: list[Row], capsys: pytest.CaptureFixture[str]
) -> None:
    measured += [MISSED, ALONE]
    assert bench.gas.main() == 1
    said = capsys.readouterr()
    assert "missed 1.20" in said.out
    assert "\nmissed: deposit, first: 121 is 1.210 times OpenZeppelin's 100" in said.err
    assert bench.gas.OUTPUT.read_text() == document(measured)


def test_bench_gas__peer_does_not_compile__is_1_and_says_why(
    measured: list[Row],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(progress: object) -> None:
        raise CompileError("Morpho: solc-0.8.19 failed: no [memory]")

    monkeypatch.setattr(bench.gas, "compile_peers", fail)
    assert bench.gas.main() == 1
    said = capsys.readouterr().err
    assert said.endswith("\nbench-gas: Morpho: solc-0.8.19 failed: no [memory]\n")
    assert not bench.gas.OUTPUT.exists()


def test_bench_gas__one_part_asked_for__measures_that_alone(
    measured: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Sequence[str]] = []
    monkeypatch.setattr(bench.gas, "measure", lambda code, parts: asked.append(parts) or [MET])
    monkeypatch.setattr("sys.argv", ["bench-gas", "market"])
    assert bench.gas.main() == 0
    monkeypatch.setattr("sys.argv", ["bench-gas"])
    assert bench.gas.main() == 0
    assert [list(parts) for parts in asked] == [["market"], list(bench.gas.PARTS)]


def test_bench_gas__unknown_part__is_2_and_says_which_there_are(
    measured: list[Row], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["bench-gas", "bridge"])
    with pytest.raises(SystemExit) as stopped:
        bench.gas.main()
    assert stopped.value.code == 2
    said = "no such part: bridge; there are market, oracle, router, vault, derivatives\n"
    assert said in capsys.readouterr().err
