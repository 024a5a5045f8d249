"""Every replica differs from the sound contracts and fits; a bad patch says what is wrong."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from relever import artifacts
from relever.artifacts import artifact
from relever.fuzz import replicas as unit
from relever.fuzz.replicas import Replica, ReplicaError, deploying, prepare, read, replicas
from relever.mutants import compiling

REPLICAS = replicas()
# Those that the table of incidents marks, see tests/replicas.
INCIDENTS = {
    *(3, 5, 6, 10, 12, 13, 14, 15, 16, 17, 18, 20, 21, 22, 23, 25, 26, 29, 30, 34, 38, 40, 41, 42),
    *(45, 48),
}
# What a blueprint can hold beside its preamble.
LARGEST_BLUEPRINT = 24_573


@pytest.fixture(scope="module")
def folders() -> dict[int, Path]:
    return prepare(REPLICAS.values())


def test_replicas__are_those_of_the_incidents() -> None:
    assert REPLICAS.keys() == INCIDENTS
    assert len(list(unit.PATCHES.glob("*.patch"))) == len(REPLICAS)
    names = [replica.name for replica in REPLICAS.values()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("number", REPLICAS)
def test_replica__differs_in_some_contract_and_is_small_enough(
    folders: dict[int, Path], number: int
) -> None:
    sound, found = compiling.entries(artifacts.ROOT), compiling.entries(folders[number])
    assert {
        name for name in found if compiling.code_of(found[name]) != compiling.code_of(sound[name])
    }
    assert len(found["LendingMarket"]["bytecode"]) // 2 - 1 <= LARGEST_BLUEPRINT


@pytest.mark.parametrize("number", REPLICAS)
def test_replica__is_a_small_change_of_contracts_alone(number: int) -> None:
    lines = REPLICAS[number].diff.splitlines()
    changed = [line for line in lines if re.match(r"[-+](?![-+]{2} [ab]/)", line)]
    assert 0 < len(changed) <= 16
    assert all(line.startswith("--- a/contracts/") for line in lines if line.startswith("--- "))
    assert all(re.fullmatch(r"[A-Z]+-[\d./]+", name) for name in REPLICAS[number].invariants)
    assert REPLICAS[number].attack


def test_deploying__inside__contracts_are_the_patched_ones(folders: dict[int, Path]) -> None:
    sound, queue = artifact("LeverageRouter"), artifact("WithdrawalQueue")
    with deploying(21) as replica:
        assert str(replica) == "21_open_callback"
        found = artifact("LeverageRouter")
        assert found.source_path is not None
        assert found.source_path.is_relative_to(folders[21])
        assert found.bytecode != sound.bytecode
        assert artifact("WithdrawalQueue").bytecode == queue.bytecode
        assert artifact("AssetOf").bytecode
    assert artifact("LeverageRouter") is sound


def test_deploying__unknown__says_which_there_are() -> None:
    with (
        pytest.raises(ReplicaError, match="there is no replica 1: take one of 3, 5, 6, "),
        deploying(1),
    ):
        pass


def test_prepare__again__compiles_nothing(folders: dict[int, Path]) -> None:
    told: list[str] = []
    assert prepare(REPLICAS.values(), told.append) == folders
    assert told == []


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(unit, "COPIES", tmp_path)
    return tmp_path


def test_prepare__sources_have_changed__brings_the_copy_up_to_date(elsewhere: Path) -> None:
    (root,) = prepare([REPLICAS[23]]).values()
    factory = root / "contracts/market/MarketFactory.vy"
    sound = (artifacts.ROOT / "contracts/market/MarketFactory.vy").read_text()
    wanted = factory.read_text()
    assert wanted != sound
    factory.write_text(sound)
    (root / "contracts/market/Gone.vy").write_text("")
    told: list[str] = []
    prepare([REPLICAS[23]], told.append)
    assert factory.read_text() == wanted
    assert not (root / "contracts/market/Gone.vy").exists()


def test_prepare__compiles_only_what_the_patch_reaches(elsewhere: Path) -> None:
    told: list[str] = []
    prepare([REPLICAS[21]], told.append)
    assert told == ["21_open_callback LeverageRouter"]


def test_prepare__patch_does_not_apply__says_which_and_why(elsewhere: Path) -> None:
    spoilt = replace(REPLICAS[23], diff=REPLICAS[23].diff.replace("worth <= MOST", "worth < MOST"))
    said = (
        r"tests/replicas/23_any_decimals\.patch: hunk 1, of"
        r" contracts/market/MarketFactory\.vy line \d+, does not apply"
    )
    with pytest.raises(ReplicaError, match=said):
        prepare([spoilt])


def test_prepare__patch_does_not_compile__the_compilers_word(elsewhere: Path) -> None:
    removed = '-    assert sane, "factory: oracle price"\n'
    spoilt = REPLICAS[23].diff.replace(removed, f"{removed}+    assert insane\n")
    with pytest.raises(artifacts.CompileError, match=r"MarketFactory\.vy does not compile"):
        prepare([replace(REPLICAS[23], diff=spoilt)])


@pytest.mark.parametrize(
    ("name", "text", "missing"),
    [
        ("21_x.patch", "Incident: 21\nFlaw: open\nAttack: call\n\n--- a/x\n", "Invariants"),
        ("x_y.patch", "Incident: 1\nFlaw: a\nInvariants: HF-1\nAttack: b\n", "none"),
        ("21_x.patch", "Words\nIncident: 1\nFlaw: a\nInvariants: HF-1\nAttack: b\n", "none"),
    ],
)
def test_read__bad_name_or_header__says_what_it_must_be(
    tmp_path: Path, name: str, text: str, missing: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ReplicaError, match=rf"{name} must be named .* \(missing: {missing}\)"):
        read(tmp_path / name)


def test_read__header__is_taken_apart(tmp_path: Path) -> None:
    text = (
        "Incident: 7, somebody\n  and more.\nFlaw: It breaks.\nInvariants: HF-1, BOR-3/4\n"
        "Attack: first this; then\n  that\n\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"
    )
    path = tmp_path / "07_some_name.patch"
    path.write_text(text)
    assert read(path) == Replica(
        7,
        "some_name",
        "7, somebody and more.",
        "It breaks.",
        ("HF-1", "BOR-3/4"),
        ("first this", "then that"),
        text,
    )
