"""What guides and notebook show works as it stands there."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import relever
from relever.protocol import WAD
from tests.scene import ETHER, open_leveraged
from tests.unit.client.conftest import User

DOCS = Path(__file__).parents[3] / "docs"
GUIDES = sorted((DOCS / "guides").glob("*.md"))
NOTEBOOK = json.loads((DOCS / "notebooks" / "position.ipynb").read_text(encoding="utf-8"))


def commands(guide: Path) -> list[list[str]]:
    """The words of each `ape run` that a guide shows."""
    (block,) = re.findall(r"```sh\n(.*?)```", guide.read_text(encoding="utf-8"), re.S)
    lines = [shlex.split(line, comments=True) for line in block.splitlines()]
    assert all(line[:2] == ["ape", "run"] for line in lines)
    return [line[2:] for line in lines]


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: str(guide.stem))
def test_guide__each_command__runs(user: User, guide: Path) -> None:
    scene = user.scene
    suite, looper = scene.protocol, scene.roles.looper
    if guide.stem == "liquidator":
        stake = suite.vault.totalAssets() // 2
        suite.vault.allocate(suite.eigenlayer.address, stake, sender=scene.roles.allocator)
        open_leveraged(scene, 5 * ETHER, 50 * ETHER)
        scene.world.slash(WAD // 10)
        suite.vault.sync(sender=scene.roles.stranger)
    for words in commands(guide):
        assert user.run(*(looper if word == "$OWNER" else word for word in words)) == 0, words


def test_guides__there_is_one_for_each_kind_of_user() -> None:
    assert [guide.stem for guide in GUIDES] == ["depositor", "lender", "liquidator", "looper"]


def test_looper__three_lines_of_python__run(user: User) -> None:
    text = (DOCS / "guides" / "looper.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.S)
    assert len(block.splitlines()) == 3
    block = block.replace("deployments/local.json", str(user.record))
    block = block.replace("keystore.json", str(user.keystore))
    block = block.replace('"password"', f'"{user.password}"')
    names: dict[str, Any] = {"Protocol": relever.Protocol, "node": user.node}
    with user.mining():
        exec(block, names)
    assert names["position"].leverage > 3 * WAD


def test_notebook__cells_run_in_order_and_keep_no_output(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("NODE", user.node),
        ("DEPLOYMENT", user.record),
        ("ACCOUNT", user.keystore),
        ("PASSWORD_FILE", user.password),
    ):
        monkeypatch.setenv(f"RELEVER_{name}", str(value))
    cells = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)
    names: dict[str, Any] = {}
    with user.mining():
        for cell in cells:
            exec("".join(cell["source"]), names)
    assert names["position"].debt > 12 * ETHER
    assert 1.99 * WAD < names["lowered"].leverage <= 2 * WAD
    assert (names["closed"].collateral, names["closed"].debt) == (0, 0)


def test_relever__import__loads_nothing_else() -> None:
    program = "import sys, relever; print(sorted(m for m in sys.modules if 'relever.' in m))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = relever.Nothing


def test_console__has_protocol_at_hand() -> None:
    spec = importlib.util.spec_from_file_location("extras", DOCS.parent / "ape_console_extras.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.Protocol is relever.Protocol
