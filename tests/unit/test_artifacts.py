"""Compiling and caching: a change anywhere below a contract reaches it, and nothing else."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from relever import artifacts as unit
from relever.artifacts import CompileError, artifact, artifact_from_json, artifacts, sources

MODULE = "# pragma version 0.4.3\n@internal\n@pure\ndef _one() -> uint256:\n    return 1\n"
INTERFACE = "# pragma version 0.4.3\n@external\n@view\ndef one() -> uint256: ...\n"
CONTRACT = """# pragma version 0.4.3
from modules import ones
from interfaces import IOne
implements: IOne

@external
@view
def one() -> uint256:
    return ones._one()
"""
LONER = "# pragma version 0.4.3\nfrom snekmate.utils import math\n\nx: public(uint256)\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of its own: one contract with a module and an interface, one without."""
    for path, text in {
        "contracts/modules/ones.vy": MODULE,
        "contracts/interfaces/IOne.vyi": INTERFACE,
        "contracts/deep/down/One.vy": CONTRACT,
        "tests/doubles/Loner.vy": LONER,
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    monkeypatch.setattr(unit, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names compiled so far, in order."""
    names: list[str] = []
    real = unit._compile

    def noting(source: Path, root: Path) -> dict[str, object]:
        names.append(source.stem)
        return real(source, root)

    monkeypatch.setattr(unit, "_compile", noting)
    return names


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_artifact__deep_contract__code_abi_and_source(root: Path) -> None:
    one = artifact("One")
    assert one.name == "One"
    assert [entry["name"] for entry in one.abi] == ["one"]
    assert one.runtime in one.bytecode
    assert one.source_path == root / "contracts/deep/down/One.vy"


def test_artifact__again__not_compiled_and_the_same(root: Path, compiled: list[str]) -> None:
    assert artifact("One") is artifact("One")
    unit._memory.clear()
    artifact("One")
    assert compiled == ["One"]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("contracts/modules/ones.vy", "return 1", "return 2"),
        ("contracts/interfaces/IOne.vyi", "@external", "# said\n@external"),
        ("contracts/deep/down/One.vy", "def one()", "def one() "),
    ],
)
def test_artifact__a_file_below_changes__compiled_anew(
    root: Path, compiled: list[str], file: str, old: str, new: str
) -> None:
    before = artifact("One")
    artifact("Loner")
    edit(root / file, old, new)
    assert artifact("One").bytecode != before.bytecode
    artifact("Loner")
    assert compiled == ["One", "Loner", "One"]


def test_artifact__a_nearer_file_appears__compiled_anew(root: Path, compiled: list[str]) -> None:
    before = artifact("One").runtime
    nearer = root / "contracts/deep/down/modules/ones.vy"
    nearer.parent.mkdir()
    nearer.write_text(MODULE.replace("return 1", "return 3"))
    assert artifact("One").runtime != before
    assert compiled == ["One", "One"]


def test_artifact__unrelated_file_appears__not_compiled(root: Path, compiled: list[str]) -> None:
    artifact("One")
    (root / "contracts/Other.vy").write_text(LONER)
    artifact("One")
    assert compiled == ["One"]


def test_artifact__change_undone__first_code_again(root: Path) -> None:
    before = artifact("One")
    module = root / "contracts/modules/ones.vy"
    edit(module, "return 1", "return 2")
    assert artifact("One").runtime != before.runtime
    edit(module, "return 2", "return 1")
    assert artifact("One") == before


@pytest.mark.parametrize("garbage", ["", "{", "[]", "{}", '{"read": [], "missed": []}'])
def test_artifact__cache_damaged__compiled_anew(
    root: Path, compiled: list[str], garbage: str
) -> None:
    before = artifact("One")
    (entry,) = (root / "build/artifacts").iterdir()
    entry.write_text(garbage)
    assert artifact("One") == before
    assert compiled == ["One", "One"]
    assert json.loads(entry.read_text())["abi"] == before.abi


def test_artifact__other_compiler_version__compiled_anew(
    root: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact("One")
    monkeypatch.setattr(unit, "version", lambda name: "0.4.4")
    artifact("One")
    assert compiled == ["One", "One"]


def test_artifact__does_not_compile__whole_error_with_file_and_no_cache(root: Path) -> None:
    edit(root / "contracts/modules/ones.vy", "return 1", "return undefined_name")
    for _ in range(2):
        with pytest.raises(CompileError) as failed:
            artifact("One")
        told = str(failed.value)
        assert told.startswith("contracts/deep/down/One.vy does not compile:\n")
        assert "ones.vy" in told
        assert "undefined_name" in told


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("Broken.vy", "def ("),
        ("Broken.vy", "import nothing_there\n"),
        ("Broken.vy", "# pragma version 0.3.10\n"),
    ],
)
def test_artifact__nonsense__compile_error(root: Path, file: str, text: str) -> None:
    (root / "contracts" / file).write_text(text)
    with pytest.raises(CompileError, match=r"contracts/Broken\.vy does not compile"):
        artifact("Broken")


def test_artifact__unknown_name__says_where_it_looked(root: Path) -> None:
    with pytest.raises(
        CompileError, match=r"no Nothing\.vy under contracts or tests/doubles: check the name"
    ):
        artifact("Nothing")


def test_artifact__two_of_a_name__says_which(root: Path) -> None:
    (root / "tests/doubles/One.vy").write_text(CONTRACT)
    with pytest.raises(CompileError, match=r"One is ambiguous: .*/One\.vy, tests/doubles/One\.vy"):
        artifact("One")


def test_artifact__optimize_pragma__decides(root: Path) -> None:
    path = root / "contracts/deep/down/One.vy"
    edit(path, "# pragma version 0.4.3\n", "# pragma version 0.4.3\n# pragma optimize none\n")
    plain = artifact("One").runtime
    edit(path, "optimize none", "optimize gas")
    assert len(artifact("One").runtime) < len(plain)


def test_artifacts__cold__side_by_side_and_told(root: Path) -> None:
    told: list[str] = []
    found = artifacts(["One", "Loner", "One"], told.append)
    assert sorted(told) == ["Loner", "One"]
    assert list(found) == ["One", "Loner"]
    assert found["One"] == artifact("One")
    told.clear()
    artifacts(["One", "Loner"], told.append)
    assert told == []


def test_artifacts__one_broken__its_error(root: Path) -> None:
    edit(root / "contracts/modules/ones.vy", "return 1", "return nothing")
    with pytest.raises(CompileError, match=r"One\.vy does not compile"):
        artifacts(["One", "Loner"])


def test_artifact__many_processes_at_once__all_the_same(root: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from relever import artifacts as unit\n"
        "unit.ROOT = Path(sys.argv[1])\n"
        "print(unit.artifact('One').bytecode.hex())"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(root)],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    codes = {process.communicate(timeout=120)[0].strip() for process in running}
    assert codes == {artifact("One").bytecode.hex()}
    assert len(list((root / "build/artifacts").iterdir())) == 1


def test_sources__another_copy__is_used_inside_and_left_after_a_failure(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(root / "contracts", copy / "contracts")
    edit(copy / "contracts/modules/ones.vy", "return 1", "return 2")
    with sources(copy):
        assert artifact("One").source_path == copy / "contracts/deep/down/One.vy"
    with pytest.raises(CompileError, match=r"there is no Two\.vy"), sources(copy):
        artifact("Two")
    assert artifact("One").source_path == root / "contracts/deep/down/One.vy"


def test_import__package__loads_nothing_heavy() -> None:
    code = (
        "import sys, relever, relever.chain, relever.artifacts\n"
        "print([m for m in ('vyper', 'ape', 'web3', 'boa') if m in sys.modules])"
    )
    out = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert out.stdout.strip() == "[]"


def test_artifact_from_json__hex_or_bytes() -> None:
    assert artifact_from_json("A", [], "0x6001").bytecode == b"\x60\x01"
    assert artifact_from_json("A", [], b"\x60\x01", "6002").runtime == b"\x60\x02"


def test_artifact_from_json__unlinked__says_so() -> None:
    with pytest.raises(CompileError, match=r"A: its code is no plain hex .* link its libraries"):
        artifact_from_json("A", [], "0x60__$abc$__")
