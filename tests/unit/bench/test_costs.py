"""What our contracts cost: the figures that are kept, and the words when they change."""

from pathlib import Path

import pytest

import bench.costs
from bench.costs import COMMAND, changes, contracts, load, measure, on_chain_size
from relever.artifacts import artifact
from relever.protocol import Deployment

OLD = {"bytes": {"Vault": 20_000, "Queue": 8_000}, "gas": {"lend": 70_825, "borrow": 75_536}}


def test_costs__as_kept__are_the_same_to_the_unit() -> None:
    changed = changes(load(), measure())
    assert not changed, "\n".join(
        ["what our contracts cost has changed:", *changed, f"if that is right, run `{COMMAND}`"]
    )


def test_changes__none__is_silent() -> None:
    assert changes(OLD, {unit: dict(figures) for unit, figures in OLD.items()}) == []


def test_changes__each_kind__has_its_line() -> None:
    new = {"bytes": {"Queue": 8_050, "Pocket": 4_000}, "gas": {"lend": 65_000, "borrow": 75_536}}
    assert changes(OLD, new) == [
        "Vault: gone, was 20,000 bytes",
        "Queue: 8,000 -> 8,050 bytes (+50)",
        "Pocket: new, 4,000 bytes",
        "lend: 70,825 -> 65,000 gas (-5,825)",
    ]


def test_changes__no_snapshot_yet__all_are_new() -> None:
    assert changes({}, {"gas": {"lend": 1}}) == ["lend: new, 1 gas"]


def test_on_chain_size__every_deployed_contract__is_its_code(deployed: Deployment) -> None:
    protocol = deployed.protocol
    for name, address in protocol.addresses().items():
        code = deployed.chain.rpc("eth_getCode", [address, "latest"])
        contract = repr(getattr(protocol, name)).partition("(")[0]
        assert on_chain_size(artifact(contract)) == len(code) // 2 - 1
        assert contract in contracts()


def test_main__writes_what_is_measured_and_says_what_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench.costs, "SNAPSHOT", tmp_path / "snapshots" / "costs.json")
    monkeypatch.setattr(bench.costs, "measure", lambda: OLD)
    assert bench.costs.main() == 0
    assert "lend: new, 70,825 gas" in capsys.readouterr().out
    assert load() == OLD
    assert bench.costs.main() == 0
    assert capsys.readouterr().out == "nothing changed\n"
