"""The command line, the keystore, the log and the metrics."""

from __future__ import annotations

import io
import json
import urllib.request
from pathlib import Path

import pytest
from eth_account import Account

from relever.chain import Anvil, Chain
from relever.keeper import DeploymentError, Log, Metrics, Policy, Suite
from relever.keeper.__main__ import main
from relever.keeper.account import AccountError, unlock
from relever.keeper.node import Node
from relever.protocol import Deployment
from tests.keepers import TRUST, Make

KEY = (7).to_bytes(32, "big")


@pytest.fixture
def keystore(tmp_path: Path) -> Path:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(Account.encrypt(KEY, "secret", iterations=2)))
    return path


@pytest.fixture
def record(scene: Deployment, tmp_path: Path) -> Path:
    path = tmp_path / "deployment.json"
    path.write_text(json.dumps({"addresses": scene.protocol.addresses(), "start_block": 3}))
    return path


def test_unlock__right_password__is_the_account(keystore: Path) -> None:
    assert unlock(keystore, "secret").address == Account.from_key(KEY).address


@pytest.mark.parametrize("password", ["", "Secret"])
def test_unlock__wrong_password__says_so(keystore: Path, password: str) -> None:
    with pytest.raises(AccountError, match="cannot be opened"):
        unlock(keystore, password)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"crypto": 3}', "7"])
def test_unlock__no_keystore__says_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(AccountError):
        unlock(path, "secret")
    with pytest.raises(AccountError, match="cannot be read"):
        unlock(tmp_path / "none.json", "secret")


def test_load__record_or_bare_addresses__are_both_read(
    scene: Deployment, record: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "bare.json"
    bare.write_text(json.dumps(scene.protocol.addresses()))
    assert Suite.load(record).addresses == Suite.load(bare).addresses
    assert (Suite.load(record).start_block, Suite.load(bare).start_block) == (3, 0)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"addresses": 1}', '{"vault": "0x12"}'])
def test_load__no_addresses__says_what_is_missing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(DeploymentError):
        Suite.load(path)


def test_check__address_without_code__says_which(scene: Deployment) -> None:
    addresses = {**scene.protocol.addresses(), "lens": scene.roles.stranger}
    with pytest.raises(DeploymentError, match=r"lens at .* holds no code"):
        Suite(addresses).check(Node(scene.chain._rpc.url, TRUST))


def test_main__no_ether__says_so_in_a_line(
    scene: Deployment,
    record: Path,
    keystore: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    password = tmp_path / "password"
    password.write_text("secret\n")
    scene.chain.set_balance(Account.from_key(KEY).address, 0)
    arguments = ["--node", scene.chain._rpc.url, "--deployment", str(record)]
    arguments += ["--folder", str(tmp_path / "keeper"), "--keystore", str(keystore)]
    assert main([*arguments, "--password-file", str(password)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("keeper: ")
    assert "has no ether for gas on chain 31337" in line


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ([], "--keystore is needed"),
        (["--keystore", "nowhere.json", "--password-file", "nowhere"], "cannot be read"),
        (["--dry-run", "--node", "http://127.0.0.1:1"], "does not answer"),
        (["--dry-run", "--deployment", "nowhere.json"], "cannot be read"),
    ],
)
def test_main__cannot_begin__says_so_in_a_line(
    scene: Deployment,
    record: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    extra: list[str],
    message: str,
) -> None:
    arguments = ["--node", scene.chain._rpc.url, "--deployment", str(record)]
    assert main([*arguments, "--folder", str(tmp_path / "keeper"), *extra]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


@pytest.mark.parametrize(
    "settings", [{"tip_wei_per_gas": -1}, {"bump_per_cent": 9}, {"confirmations": 0}]
)
def test_policy__that_cannot_work__is_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        Policy(**settings)


def test_log__large_amounts__stay_exact() -> None:
    stream = io.StringIO()
    Log(stream, keeper="1/2").info("sent", wei=10**20, gas=21_000, ok=True, raw=b"\1", none=None)
    line = json.loads(stream.getvalue())
    assert {name: line[name] for name in ("keeper", "wei", "gas", "ok", "raw", "none")} == {
        "keeper": "1/2",
        "wei": str(10**20),
        "gas": 21_000,
        "ok": True,
        "raw": "0x01",
        "none": None,
    }


def test_metrics__served__tell_what_was_done(breached: Deployment, make: Make) -> None:
    keeper = make()
    keeper.look()
    breached.chain.mine()
    keeper.look()
    port = keeper.metrics.serve(0)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    assert 'keeper_transactions_sent_total{kind="liquidate"} 1.0' in lines
    assert 'keeper_transactions_mined_total{kind="liquidate",result="done"} 1.0' in lines
    assert "keeper_node_trusted 1.0" in lines


def test_metrics__two_in_one_process__are_apart() -> None:
    first, second = Metrics(), Metrics()
    first.reorgs.inc()
    assert second.registry.get_sample_value("keeper_reorganisations_total") == 0


@pytest.mark.parametrize("scheme", ["http", "ws"])
def test_node__by_http_and_websocket__answers(scheme: str) -> None:
    with Anvil.start() as anvil:
        chain = Chain.connect(anvil.url)
        node = Node(f"{scheme}://127.0.0.1:{anvil.port}", TRUST)
        assert node.head().number == 0
        chain.mine(3)
        assert node.head().number == 3
        node.close()
        chain.close()
