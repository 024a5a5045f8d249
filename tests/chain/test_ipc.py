"""The same client over the node's Unix socket."""

from __future__ import annotations

from pathlib import Path

import pytest

from relever.artifacts import artifact
from relever.chain import Anvil, Chain, Revert, RpcError


def test_ipc__same_calls__same_blocks_as_by_url() -> None:
    hashes = []
    for door in ("url", "ipc"):
        with Anvil.start() as node:
            chain = Chain.connect(getattr(node, door))
            probe = chain.deploy(artifact("Probe"), 7)
            probe.add(3)
            with pytest.raises(Revert, match="underflow reverted"):
                probe.underflow(1_000)
            chain.advance(60, blocks=3)
            assert chain.read_batch([probe.count.build()] * 50) == [10] * 50
            hashes.append(chain.rpc("eth_getBlockByNumber", ["latest", False])["hash"])
            chain.close()
    assert hashes[0] == hashes[1]


def test_ipc__answer_larger_than_one_read__arrives_whole() -> None:
    with Anvil.start() as node:
        chain = Chain.connect(node.ipc)
        code = b"\x00" * 400_000
        chain.set_code(chain.accounts[3], code)
        assert chain.rpc("eth_getCode", [chain.accounts[3], "latest"]) == "0x" + code.hex()


def test_ipc__node_ended__says_so() -> None:
    with Anvil.start() as node:
        chain = Chain.connect(node.ipc)
    with pytest.raises(RpcError, match="is the node running"):
        chain.rpc("eth_blockNumber")


def test_ipc__long_folder__falls_back_to_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relever.chain.anvil._LONGEST_SOCKET_PATH", 10)
    with Anvil.start() as node:
        assert node.ipc == node.url


def test_ipc__node__puts_its_socket_into_its_own_folder() -> None:
    with Anvil.start() as node:
        assert Path(node.ipc).is_socket()
        folder = Path(node.ipc).parent
    assert not folder.exists()
