"""Nodes start, fork and end; none is left behind, and none of a stranger's is touched."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from relever.artifacts import artifact
from relever.chain import Anvil, AnvilError, Chain, Rpc, RpcError, anvil
from relever.chain.anvil import ROOT


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # One that ended and that nobody has waited for yet still has a number.
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return state.stdout.strip()[:1] not in ("", "Z")


def ends(pid: int, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pid)


def run_apart(code: str, home: Path | None = None) -> "subprocess.Popen[str]":
    """Run code in a Python process of its own, which prints lines for us to read."""
    lines = f"import os, sys, time\nfrom relever.chain import Anvil, Chain\n{code}"
    return subprocess.Popen(
        [sys.executable, "-c", lines],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **({"HOME": str(home)} if home else {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_start__no_port__answers_until_the_block_ends() -> None:
    with Anvil.start() as node:
        assert node.running
        assert Rpc(node.url).call("eth_chainId") == hex(31337)
        assert alive(node.pid)
    assert not node.running
    assert not alive(node.pid)
    with pytest.raises(RpcError, match="is the node running"):
        Rpc(node.url).call("eth_chainId")


def test_start__two_at_once__each_has_its_own_port() -> None:
    with Anvil.start() as one, Anvil.start() as other:
        assert one.port != other.port


def test_start__given_port__listens_there() -> None:
    with Anvil.start() as node:
        port = node.port
    with Anvil.start(port) as node:
        assert node.url == f"http://127.0.0.1:{port}"


def test_start__taken_port__one_clear_line_and_the_owner_lives() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AnvilError) as refused:
            Anvil.start(port)
        socket.create_connection(("127.0.0.1", port)).close()
    assert str(refused.value) == (
        f"port {port} is taken: stop what listens there, or choose another"
    )


def test_start__options__are_the_chains() -> None:
    with Anvil.start(accounts=3, chain_id=99, timestamp=1_000) as node:
        chain = Chain.connect(node.url)
        assert len(chain.accounts) == 3
        assert int(chain.rpc("eth_chainId"), 16) == 99
        assert chain.timestamp == 1_000
        assert chain.rpc("anvil_nodeInfo")["hardFork"] == "Prague"


def test_start__history_contract__is_gone_so_that_blocks_stay_quick() -> None:
    with Anvil.start() as node:
        code = Rpc(node.url).call(
            "eth_getCode", "0x0000F90827F1C53a10cb7A02335B175320002935", "latest"
        )
    assert code == "0x"


def test_start__block_time__mines_by_the_clock() -> None:
    with Anvil.start(block_time=1) as node:
        rpc = Rpc(node.url)
        deadline = time.monotonic() + 10
        while rpc.call("eth_blockNumber") == "0x0" and time.monotonic() < deadline:
            time.sleep(0.05)
        assert rpc.call("eth_blockNumber") != "0x0"


def test_launch__ends_by_itself__shows_its_last_words_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anvil, "ROOT", tmp_path)
    words = "for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; exit 3"
    with pytest.raises(AnvilError) as failed:
        Anvil(["/bin/sh", "-c", words], None)
    assert str(failed.value) == (
        "Anvil ended with status 3, saying: line 3 | line 4 | line 5 | line 6 | line 7"
    )
    assert list((tmp_path / "build" / "anvil").iterdir()) == []


def test_launch__not_a_program__says_so_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anvil, "ROOT", tmp_path)
    text = tmp_path / "text"
    text.write_bytes(b"\x00 no program")
    text.chmod(0o755)
    with pytest.raises(AnvilError, match="cannot be run"):
        Anvil([str(text)], None)
    with pytest.raises(AnvilError, match="No such file"):
        Anvil([str(tmp_path / "nothing")], None)
    assert list((tmp_path / "build" / "anvil").iterdir()) == []


def test_stop__twice__is_harmless() -> None:
    node = Anvil.start()
    node.stop()
    node.stop()
    assert not alive(node.pid)


def test_stop__node_already_dead__cleans_up() -> None:
    node = Anvil.start()
    os.kill(node.pid, signal.SIGKILL)
    assert ends(node.pid)
    assert not node.running
    folder = node._folder
    node.stop()
    assert not folder.exists()


@pytest.mark.parametrize("way", ["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGSEGV"])
def test_owner__ended_by_signal__node_ends_too(way: str) -> None:
    owner = run_apart("n = Anvil.start(); print(n.pid, n._folder, flush=True); time.sleep(60)")
    pid, folder = first_line(owner).split(" ", 1)
    assert alive(int(pid))
    os.kill(owner.pid, getattr(signal, way))
    owner.communicate(timeout=20)
    assert ends(int(pid))
    deadline = time.monotonic() + 5
    while Path(folder).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(folder).exists()


@pytest.mark.parametrize(
    "end", ["raise RuntimeError", "sys.exit(1)", "os._exit(1)", "pass"], ids=lambda end: end[:8]
)
def test_owner__ends_without_stop__node_ends_too(end: str) -> None:
    owner = run_apart(f"n = Anvil.start(); print(n.pid, flush=True)\n{end}")
    pid = int(first_line(owner))
    owner.communicate(timeout=20)
    assert ends(pid)


def test_owner__forked_copy_exits__node_stays() -> None:
    owner = run_apart(
        "n = Anvil.start()\n"
        "if os.fork() == 0: sys.exit(0)\n"
        "os.wait()\n"
        "there = n.running and n._folder.exists() and n._watch.poll() is None\n"
        "print(there, Chain.connect(n.url).block_number, flush=True); n.stop()"
    )
    assert first_line(owner) == "True 0"
    owner.communicate(timeout=20)


@pytest.mark.parametrize("start", ["Anvil.start(keep=True)", "Anvil.start(); n.detach()"])
def test_detach__owner_ends__node_stays_until_told(start: str) -> None:
    owner = run_apart(f"n = {start}; print(n.pid, n.url, n._folder, flush=True)")
    pid, url, folder = first_line(owner).split(" ", 2)
    owner.communicate(timeout=20)
    try:
        time.sleep(0.2)
        assert Chain.connect(url).block_number == 0
    finally:
        os.kill(int(pid), signal.SIGTERM)
        shutil.rmtree(folder)
    assert ends(int(pid))


def test_start__same_calls__same_hashes() -> None:
    def story() -> list[str]:
        with Anvil.start() as node:
            chain = Chain.connect(node.url)
            probe = chain.deploy(artifact("Probe"), 5)
            probe.add(3, sender=chain.accounts[3], value=7)
            chain.advance(86_400, blocks=3)
            snapshot = chain.snapshot()
            probe.add(1)
            chain.revert(snapshot)
            receipt = probe.move((1, 2, "three"), "note")
            chain.send_batch([probe.add.build(1, sender=a) for a in chain.accounts])
            chain.set_balance(chain.accounts[0], 1)
            chain.mine()
            latest = chain.rpc("eth_getBlockByNumber", ["latest", False])
            return [probe.address, receipt.tx_hash, latest["hash"], latest["stateRoot"]]

    assert story() == story()


def test_fork__reads_upstream_and_leaves_it_alone() -> None:
    with Anvil.start(chain_id=4_242) as upstream_node:
        upstream = Chain.connect(upstream_node.url)
        origin = upstream.deploy(artifact("Probe"), 5)
        upstream.advance(1_000)
        with Anvil.fork(upstream_node.url) as node:
            chain = Chain.connect(node.url)
            probe = chain.contract(origin.address, artifact("Probe"))
            assert int(chain.rpc("eth_chainId"), 16) == 4_242
            assert (chain.block_number, chain.timestamp) == (
                upstream.block_number,
                upstream.timestamp,
            )
            probe.add(1)
            assert (probe.count(), origin.count()) == (6, 5)
            assert chain.timestamp == upstream.timestamp
        assert upstream_node.running


def test_fork__older_block__has_its_state() -> None:
    with Anvil.start() as upstream_node:
        upstream = Chain.connect(upstream_node.url)
        origin = upstream.deploy(artifact("Probe"), 5)
        then = upstream.block_number
        origin.add(1)
        with Anvil.fork(upstream_node.url, then) as node:
            assert Chain.connect(node.url).contract(origin.address, artifact("Probe")).count() == 5


def test_fork__senders_never_seen__one_block_and_one_transaction_each() -> None:
    with Anvil.start() as upstream_node:
        upstream = Chain.connect(upstream_node.url)
        origin = upstream.deploy(artifact("Probe"), 0)
        with Anvil.fork(upstream_node.url) as node:
            chain = Chain.connect(node.url)
            probe = chain.contract(origin.address, artifact("Probe"))
            before = chain.block_number
            blocks = [probe.add(1, sender=a).block_number for a in chain.accounts]
            assert blocks == list(range(before + 1, before + 21))
            assert probe.count() == 20


def test_fork__new_upstream_at_the_same_block__serves_no_stale_storage() -> None:
    counts = []
    port = None
    for start in (1, 2):
        with Anvil.start(port) as upstream_node:
            port = upstream_node.port
            origin = Chain.connect(upstream_node.url).deploy(artifact("Probe"), start)
            with Anvil.fork(upstream_node.url) as node:
                chain = Chain.connect(node.url)
                counts.append(chain.contract(origin.address, artifact("Probe")).count())
    assert counts == [1, 2]


def test_fork__home_folder__stays_untouched(tmp_path: Path) -> None:
    with Anvil.start() as upstream_node:
        Chain.connect(upstream_node.url).mine(100)
        owner = run_apart(
            f"with Anvil.fork({upstream_node.url!r}) as n:\n"
            "    c = Chain.connect(n.url); c.mine(200); print(c.balance(c.accounts[0]))",
            tmp_path,
        )
        out, err = owner.communicate(timeout=60)
    assert out.strip() == str(10_000 * 10**18), err
    assert list(tmp_path.iterdir()) == []


def test_fork__upstream_is_down__says_what_anvil_said() -> None:
    with Anvil.start() as node:
        url = node.url
    with pytest.raises(AnvilError, match="Anvil ended with status"):
        Anvil.fork(url)
