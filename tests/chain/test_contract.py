"""Calls, transactions, reverts and events of a contract that has one of everything."""

from typing import Any

import pytest
from eth_utils.crypto import keccak

from relever.artifacts import artifact, artifact_from_json
from relever.chain import Anvil, Chain, Contract, Event, Revert, RpcError

POINT = (3, -4, "home")


def test_read__single_value__is_bare(probe: Contract, chain: Chain) -> None:
    assert probe.count() == 5
    assert probe.owner() == chain.accounts[0]


def test_read__several_values__struct_has_names(probe: Contract) -> None:
    probe.move(POINT, "note")
    number, itself, digest, points = probe.several()
    assert (number, itself, digest) == (1, probe.address, keccak(text="probe"))
    assert points == [POINT, (-1, 2**255 - 1, "edge")]
    assert (points[0].x, points[0].y, points[0].label) == POINT
    assert probe.point().label == "home"


def test_read__every_kind_of_argument__comes_back(probe: Contract, stranger: str) -> None:
    assert probe.echo(
        stranger.lower(), True, "0x01020304", b"\xff" * 64, -(2**127), [1, 0, 255], [probe]
    ) == (stranger, True, b"\1\2\3\4", b"\xff" * 64, -(2**127), [1, 0, 255], [probe.address])


@pytest.mark.parametrize("point", [POINT, list(POINT), dict(zip("xy", POINT[:2], strict=True))])
def test_send__struct__as_tuple_list_or_mapping(probe: Contract, point: Any) -> None:
    if isinstance(point, dict):
        point["label"] = POINT[2]
    probe.move(point, "note")
    assert probe.point() == POINT
    probe.move(probe.point(), "note")
    assert probe.point() == POINT


def test_send__success__receipt_and_events(probe: Contract, chain: Chain, stranger: str) -> None:
    before = chain.block_number
    receipt = probe.add(3, sender=stranger, value=7)
    assert receipt.block_number == before + 1 == chain.block_number
    assert receipt.timestamp == chain.timestamp
    assert receipt.status
    assert 21_000 < receipt.gas_used < 100_000
    assert receipt.events == [Event("Counted", {"count": 8}, probe.address)]
    assert (probe.count(), probe.seen(stranger), chain.balance(probe)) == (8, 7, 7)


def test_send__several_events__equal_by_value_in_order(probe: Contract, chain: Chain) -> None:
    receipt = probe.move(POINT, "note")
    moved = Event(
        "Moved",
        {"who": chain.accounts[0], "point": POINT, "note": keccak(text="note")},
        probe.address,
    )
    counted = Event("Counted", {"count": 5}, probe.address)
    assert receipt.events == [moved, counted]
    assert receipt.events != [counted, moved]
    assert list(receipt.events[0].args) == ["who", "point", "note"]


def test_events__unknown_contract__stay_raw(probe: Contract, node: Anvil) -> None:
    other = Chain.connect(node.url)
    log = probe.add(1).logs[0]
    assert other.decode_log(log) == Event(
        None,
        {"topics": log["topics"], "data": (6).to_bytes(32, "big")},
        probe.address,
    )
    other.close()


def test_events__known_by_a_second_abi__are_decoded(probe: Contract, node: Anvil) -> None:
    other = Chain.connect(node.url)
    other.contract(probe, [])
    other.contract(probe, artifact("Probe"))
    log = probe.add(1).logs[0]
    assert other.decode_log(log) == Event("Counted", {"count": 6}, probe.address)
    other.close()


@pytest.mark.parametrize(
    ("function", "args", "reason"),
    [
        ("add", (0,), "probe: amount"),
        ("underflow", (6,), ""),
        ("silent", (), ""),
        ("unreachable", (), "invalid opcode"),
        ("burn", (), "out of gas"),
        ("raw", (b"\x01\x02\x03\x04\x05",), "0x0102030405"),
        ("raw", (keccak(text="Panic(uint256)")[:4] + (0x11).to_bytes(32, "big"),), "panic 0x11"),
        ("raw", (keccak(text="Error(string)")[:4] + b"cut",), "0x08c379a0637574"),
    ],
)
def test_revert__any_kind__same_reason_sent_and_called(
    probe: Contract, function: str, args: tuple[Any, ...], reason: str
) -> None:
    method = getattr(probe, function)
    with pytest.raises(Revert) as sent:
        method(*args)
    with pytest.raises(Revert) as called:
        method.call(*args)
    assert sent.value.reason == called.value.reason == reason
    assert sent.value.data == called.value.data
    assert str(sent.value) == f"Probe.{function} reverted: {reason or 'no reason given'}"
    assert sent.value.receipt is not None
    assert not sent.value.receipt.status
    assert called.value.receipt is None
    assert probe.count() == 5


def test_revert__view__has_its_reason(probe: Contract) -> None:
    with pytest.raises(Revert, match=r"^Probe\.viewed_revert reverted: probe: viewed$"):
        probe.viewed_revert()


def test_revert__custom_error_of_another_known_contract__is_decoded(
    probe: Contract, chain: Chain, stranger: str
) -> None:
    inputs = [{"name": "who", "type": "address"}, {"name": "amount", "type": "uint256"}]
    data = (
        keccak(text="NotAllowed(address,uint256)")[:4]
        + bytes(12)
        + bytes.fromhex(stranger[2:])
        + (9).to_bytes(32, "big")
    )
    with pytest.raises(Revert) as unknown:
        probe.raw(data)
    assert unknown.value.reason == "0x" + data.hex()
    chain.contract(stranger, [{"type": "error", "name": "NotAllowed", "inputs": inputs}])
    with pytest.raises(Revert) as known:
        probe.raw(data)
    assert known.value.reason == f"NotAllowed({stranger}, 9)"
    assert known.value.data == data


def test_revert__depends_on_state_before_the_block__reason_is_of_that_run(
    probe: Contract, chain: Chain
) -> None:
    # Five can be taken once: the second fails on the state that the first left in the same block.
    calls = [probe.underflow.build(5), probe.underflow.build(5), probe.add.build(0)]
    first, second, third = chain.send_batch(calls, check=False)
    assert (first.status, second.status, third.status) == (True, False, False)
    with pytest.raises(Revert, match=r"Probe\.underflow reverted: no reason given"):
        chain.send_batch([probe.underflow.build(1)])
    assert probe.count() == 0


def test_call__writing_function__decodes_and_changes_nothing(probe: Contract, chain: Chain) -> None:
    block = chain.block_number
    assert probe.add.call(2, value=1) == 7
    assert (probe.count(), chain.block_number) == (5, block)


def test_fn__overload__by_count_or_full_signature(probe: Contract) -> None:
    probe.add(1, "two")
    probe.fn("add(uint256,string)")(1, "two")
    probe.fn("add(uint256)")(1)
    assert probe.count() == 8
    assert probe.add.encode(1)[:4] == keccak(text="add(uint256)")[:4]
    assert probe.add.encode(1, "x")[:4] == keccak(text="add(uint256,string)")[:4]


def test_fn__unknown__says_so(probe: Contract) -> None:
    with pytest.raises(AttributeError, match=r"Probe has no nonsense\(\)"):
        probe.nonsense()
    with pytest.raises(AttributeError, match=r"Probe has no add\(int256\)"):
        probe.fn("add(int256)")


@pytest.mark.parametrize(
    ("function", "args"),
    [
        ("underflow", ()),
        ("underflow", (1, 2)),
        ("underflow", (-1,)),
        ("underflow", (2**256,)),
        ("underflow", ("1",)),
        ("underflow", (1.0,)),
        ("add", ()),
        ("seen", ("0x12",)),
        ("move", ((1, 2), "note")),
    ],
)
def test_send__arguments_do_not_fit__type_error_and_nothing_sent(
    probe: Contract, chain: Chain, function: str, args: tuple[Any, ...]
) -> None:
    block = chain.block_number
    with pytest.raises(TypeError):
        getattr(probe, function)(*args)
    assert chain.block_number == block


def test_deploy__with_value_and_sender(chain: Chain, stranger: str) -> None:
    probe = chain.deploy(artifact("Probe"), 9, sender=stranger, value=11)
    assert (probe.owner(), probe.count(), chain.balance(probe)) == (stranger, 9, 11)


def test_deploy__constructor_fails__its_reason(chain: Chain) -> None:
    with pytest.raises(Revert, match=r"^Probe deployment reverted: probe: start$"):
        chain.deploy(artifact("Probe"), 1_000)


def test_deploy__wrong_count_of_arguments__says_which(chain: Chain) -> None:
    with pytest.raises(TypeError, match=r"Probe is deployed with 1 arguments \(uint256\), not 2"):
        chain.deploy(artifact("Probe"), 1, 2)


def test_deploy__foreign_artifact__from_hex(chain: Chain) -> None:
    # Returns 42 to any call: a contract that no compiler of ours made.
    runtime = "602a60005260206000f3"
    creation = f"0x69{runtime}600052600a6016f3"
    abi = [
        {"type": "function", "name": "ask", "inputs": [], "stateMutability": "view",
         "outputs": [{"name": "", "type": "uint256"}]},
    ]  # fmt: skip
    answer = chain.deploy(artifact_from_json("Answer", abi, creation))
    assert answer.ask() == 42


def test_read__no_contract_there__says_so(chain: Chain, stranger: str) -> None:
    ghost = chain.contract(stranger, artifact("Probe"))
    with pytest.raises(RpcError, match=r"Probe\.count returned 0x that its ABI does not explain"):
        ghost.count()


def test_send__locked_account__says_to_impersonate(probe: Contract, chain: Chain) -> None:
    locked = "0x" + "12" * 20
    with pytest.raises(RpcError, match="is locked: impersonate it first"):
        probe.add(1, sender=locked)
    assert probe.count() == 5
    probe.add(1, sender=chain.impersonate(locked))
    assert probe.count() == 6


def test_send__more_value_than_owned__refused_and_not_carried_out(
    probe: Contract, chain: Chain, stranger: str
) -> None:
    chain.set_balance(stranger, 10)
    with pytest.raises(RpcError, match=r"^Probe\.add was not sent: .*Insufficient funds"):
        probe.add(1, sender=stranger, value=11)
    assert probe.count() == 5
    probe.add(1, sender=stranger, value=10)
    assert probe.count() == 6
    assert chain.balance(stranger) == 0


def test_send__gas_given__binds(probe: Contract) -> None:
    with pytest.raises(Revert, match="out of gas"):
        probe.add(1, gas=22_500)


def test_equality__same_address__same_contract(probe: Contract, chain: Chain) -> None:
    again = chain.contract(probe.address.lower(), artifact("Probe"))
    assert again == probe
    assert {again: 1}[probe] == 1
    assert probe != chain.deploy(artifact("Probe"), 5)
