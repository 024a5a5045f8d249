"""The faster compiler makes the same bytes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from relever.artifacts import ROOT, CompileError, artifact
from relever.mutants import compiling

FAST = """
import json
from pathlib import Path
from relever import artifacts
from relever.mutants import compiling
compiling.accelerate()
artifacts._write = lambda path, entry: None
root = artifacts.ROOT
print(json.dumps({name: compiling.compiled(name, root) for name in %r}))
"""


def test_accelerate__contracts__compile_to_the_same_bytes() -> None:
    names = ["MathsProbe", "WithdrawalQueue"]
    done = subprocess.run(
        [sys.executable, "-c", FAST % (names,)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    fast = json.loads(done.stdout)
    for name in names:
        assert bytes.fromhex(fast[name]["bytecode"][2:]) == artifact(name).bytecode
        assert fast[name]["abi"] == artifact(name).abi


def test_compiled__what_breaks_the_compiler__does_not_compile(tmp_path: Path) -> None:
    head = "# pragma version 0.4.3\n"
    (tmp_path / "contracts").mkdir()
    for name, text in {
        "zero": "ZERO: constant(uint256) = 0**36\n",
        "Zero": "ZERO: constant(uint256) = 0**36\n",
        "Reader": "import zero\n",
    }.items():
        (tmp_path / "contracts" / f"{name}.vy").write_text(head + text)
    for name, why in (("Zero", "ValueError"), ("Reader", "CompilerPanic")):
        with pytest.raises(CompileError, match=f"{name} breaks the compiler: {why}.*math domain"):
            compiling.compiled(name, tmp_path)


def test_code_of__other_sources_of_the_same_code__are_one() -> None:
    def entry(code: str, said: str) -> dict[str, str]:
        length = f"{len(said) // 2 + 2:04x}"
        return {"bytecode": f"0x{code}{said}{length}"}

    one = compiling.code_of(entry("600160", "aabb"))
    assert one == compiling.code_of(entry("600160", "ccddee"))
    assert one != compiling.code_of(entry("600260", "aabb"))


def test_hand_over__copy__need_not_compile_again(tmp_path: Path) -> None:
    artifact("AssetOf")
    for name in ("contracts", "tests/doubles"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(ROOT / name)
    compiling.hand_over(["AssetOf"], ROOT, tmp_path)
    entry = compiling.entries(tmp_path)["AssetOf"]
    assert str(tmp_path / "tests/doubles/AssetOf.vy") in entry["read"]
    assert not any(path.startswith(str(ROOT / "contracts")) for path in entry["read"])
