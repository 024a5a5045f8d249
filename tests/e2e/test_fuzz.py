"""`make fuzz` as a user runs it: one seed is one log, and a longer run only goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def run(out: Path, examples: int) -> tuple[str, dict[str, Any]]:
    """The log and the document of so many examples."""
    command = [sys.executable, "-m", "relever.fuzz", "--seed", "1", "--workers", "1"]
    done = subprocess.run(
        [*command, "--examples", str(examples), "--out", str(out)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return (out / "log.txt").read_text(), json.loads((out / "report.json").read_text())


def test_fuzz__one_seed__is_one_log_and_a_longer_run_goes_on(tmp_path: Path) -> None:
    log, document = run(tmp_path / "first", 3)
    assert len(log.splitlines()) == document["examples"] == 3
    assert document["steps"] == 3 * document["length"]
    assert document["violations"] == []
    assert run(tmp_path / "second", 3)[0] == log
    longer, document = run(tmp_path / "longer", 4)
    assert longer.startswith(log)
    assert len(longer.splitlines()) == document["examples"] == 4
