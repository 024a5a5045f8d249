"""`ape run deploy` and `ape run verify` are the same as `python -m relever.deploy`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from relever.artifacts import ROOT
from tests.unit.deploy.conftest import Network


def ape(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).parent / "ape"), "run", *arguments],
        cwd=ROOT,
        env={**os.environ, "APE_DATA_FOLDER": str(home)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_ape__deploy_and_verify__know_network_node_and_account(
    network: Network, record: Path, tmp_path: Path
) -> None:
    home = tmp_path / "ape"
    (home / "accounts").mkdir(parents=True)
    shutil.copy(network.keystore.file, home / "accounts" / "deployer.json")
    # Else nothing would come after the last transaction, to confirm it.
    network.chain.rpc("evm_setIntervalMining", [1])
    where = ["--network", f"ethereum:sepolia:{network.url}", "--record", str(record)]
    settings = ["--config", str(network.settings_file)]
    password = ["--password-file", str(network.keystore.password_file)]
    done = ape(home, "deploy", *where, *settings, "--account", "deployer", *password, "--dry-run")
    assert (done.returncode, "Nothing was sent" in done.stderr) == (0, True), done.stderr
    # What the command says of itself as the network is what the other must read.
    network.run(record)
    done = ape(home, "verify", *where, *settings)
    assert (done.returncode, "are as record and settings say" in done.stderr) == (0, True)


def test_ape__unknown_account__says_so(network: Network, record: Path, tmp_path: Path) -> None:
    settings = ["--config", str(network.settings_file), "--record", str(record)]
    done = ape(
        tmp_path,
        *("deploy", "--network", f"ethereum:sepolia:{network.url}"),
        *("--account", "nobody", "--yes", *settings),
    )
    assert done.returncode == 1
    assert "nobody.json" in done.stderr
