"""Transactions told whole, on a node and on an EVM in this process: the two say the same."""

from __future__ import annotations

from typing import Any

import pytest

from relever.artifacts import artifact
from relever.chain import Anvil, Call, Chain, Contract, Revert, RpcError
from relever.chain.revm import Revm

Engine = Chain | Revm
COUNT = artifact("Probe").storage["count"]


@pytest.fixture
def revm(chain: Chain, node: Anvil, probe: Contract) -> Revm:
    def visit(evm: Revm) -> None:
        evm.read(probe.count.build())

    return Revm(chain, node.url, visit)


@pytest.fixture(params=["node", "in process"])
def engine(request: pytest.FixtureRequest, chain: Chain, revm: Revm) -> Engine:
    return chain if request.param == "node" else revm


def test_run__done__tells_output_events_and_what_is_done_meanwhile(
    engine: Engine, probe: Contract
) -> None:
    done: list[str] = []
    ran = engine.run(probe.add.build(3), logs=True, meanwhile=lambda: done.append("this"))
    assert ran.failed is None
    assert [(event.name, event.args) for event in ran.events] == [("Counted", {"count": 8})]
    assert done == ["this"]
    assert engine.read(probe.count.build()) == 8
    assert engine.words([(probe.address, COUNT)]) == [8]


def test_run__on_a_node__tells_each_word_that_was_written(chain: Chain, probe: Contract) -> None:
    assert chain.run(probe.add.build(3), changes=True).changed == {(probe.address, COUNT): 8}


@pytest.mark.parametrize(
    ("function", "arguments", "reason"),
    [
        ("add", (0,), "probe: amount"),
        ("underflow", (9,), ""),
        ("silent", (), ""),
        ("unreachable", (), "invalid opcode"),
        ("burn", (), "out of gas"),
    ],
)
def test_run__refused__tells_why_and_changes_nothing(
    engine: Engine, probe: Contract, function: str, arguments: tuple[Any, ...], reason: str
) -> None:
    height = engine.block_number
    ran = engine.run(getattr(probe, function).build(*arguments))
    assert ran.failed == reason
    assert engine.read(probe.count.build()) == 5
    assert engine.block_number == height + 1


def test_read__reverts__says_why(engine: Engine, probe: Contract) -> None:
    with pytest.raises(Revert) as failure:
        engine.read(probe.viewed_revert.build())
    assert failure.value.reason == "probe: viewed"


def test_run__more_ether_than_there_is__is_an_error(engine: Engine, probe: Contract) -> None:
    call = probe.add.build(1, sender=engine.accounts[1], value=10**30)
    with pytest.raises(RpcError, match="was not"):
        engine.run(call)


def test_advance__seen_by_calls(engine: Engine, probe: Contract) -> None:
    start, height = engine.timestamp, engine.block_number
    engine.advance(500, 3)
    assert engine.read(probe.time.build()) == start + 500 == engine.timestamp
    assert engine.read(probe.height.build()) == height + 3 == engine.block_number


def test_revert__in_process__restores_state_time_and_code(revm: Revm, probe: Contract) -> None:
    start, height = revm.timestamp, revm.block_number
    for _ in range(2):
        snapshot = revm.snapshot()
        revm.advance(60)
        revm.run(probe.add.build(1))
        revm.set_code(probe.address, bytes.fromhex("5f5ffd"))
        with pytest.raises(Revert):
            revm.read(probe.count.build())
        revm.revert(snapshot)
        assert (revm.timestamp, revm.block_number) == (start, height)
        assert revm.read(probe.count.build()) == 5


def test_revert__to_a_later_snapshot__keeps_code_that_was_put_before(
    revm: Revm, probe: Contract
) -> None:
    first = revm.snapshot()
    revm.set_code(probe.address, bytes.fromhex("5f5ffd"))
    second = revm.snapshot()
    # Returns 42.
    revm.set_code(probe.address, bytes.fromhex("602a60005260206000f3"))
    assert revm.read(probe.count.build()) == 42
    revm.revert(second)
    with pytest.raises(Revert):
        revm.read(probe.count.build())
    revm.revert(first)
    assert revm.read(probe.count.build()) == 5


def test_in_process__a_contract_that_has_made_one__makes_the_next(
    chain: Chain, node: Anvil
) -> None:
    """A copy of its code has another nonce, by which the next address was taken already."""
    # Runtime code that makes an empty contract and returns its address.
    maker = bytes.fromhex("5f5f5ff05f5260205ff3")
    account = chain.accounts[3]
    address = "0x" + "77" * 20
    chain.set_code(address, maker)
    chain.rpc("anvil_setNonce", [address, "0x1"])
    send = {"from": account, "to": address, "gas": hex(10**6), "gasPrice": "0x0"}
    chain.rpc("eth_sendTransaction", [send])
    chain.mine()
    call = Call(account, address, b"")

    def visit(evm: Revm) -> None:
        evm.run(call)

    made = Revm(chain, node.url, visit).run(call).output
    assert made == chain.run(call).output != bytes(32)
