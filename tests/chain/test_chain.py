"""Blocks, time, snapshots and batches."""

import time

import pytest

from relever.artifacts import artifact
from relever.chain import Anvil, Chain, Contract, Revert, RpcError


def test_connect__time__stands_still_but_for_us(chain: Chain, probe: Contract) -> None:
    start = chain.timestamp
    for _ in range(3):
        # Longer than the second that block times are counted in.
        time.sleep(0.4)
        assert probe.add(1).timestamp == start
    assert probe.time() == chain.timestamp == start


@pytest.mark.parametrize(("seconds", "blocks"), [(0, 1), (1, 1), (12, 5), (31_536_000, 2)])
def test_advance__seen_by_calls_and_transactions(
    chain: Chain, probe: Contract, seconds: int, blocks: int
) -> None:
    start, height = chain.timestamp, chain.block_number
    chain.advance(seconds, blocks)
    assert chain.timestamp == probe.time() == start + seconds
    assert chain.block_number == height + blocks
    assert probe.add(1).timestamp == start + seconds


@pytest.mark.parametrize(("seconds", "blocks"), [(-1, 1), (1, 0), (1, -1)])
def test_advance__backwards__refused(chain: Chain, seconds: int, blocks: int) -> None:
    with pytest.raises(ValueError, match="time moves on only"):
        chain.advance(seconds, blocks)


def test_mine__blocks_without_time(chain: Chain) -> None:
    start, height = chain.timestamp, chain.block_number
    chain.mine(7)
    chain.mine(0)
    assert (chain.timestamp, chain.block_number) == (start, height + 7)


def test_revert__restores_state_block_and_time(chain: Chain, probe: Contract) -> None:
    start, height = chain.timestamp, chain.block_number
    snapshot = chain.snapshot()
    chain.advance(500)
    probe.add(1)
    chain.set_balance(chain.accounts[0], 3)
    chain.revert(snapshot)
    assert (chain.timestamp, chain.block_number, probe.count()) == (start, height, 5)
    assert probe.time() == start
    assert chain.balance(chain.accounts[0]) > 3
    receipt = probe.add(1)
    assert (receipt.timestamp, receipt.block_number) == (start, height + 1)


def test_revert__after_more_blocks_than_are_kept__restores(chain: Chain, probe: Contract) -> None:
    snapshot = chain.snapshot()
    for _ in range(150):
        probe.add(1)
    chain.revert(snapshot)
    assert probe.count() == 5
    probe.add(2)
    assert probe.count() == 7


def test_revert__used_up__refused(chain: Chain) -> None:
    outer = chain.snapshot()
    inner = chain.snapshot()
    chain.revert(outer)
    for snapshot in (outer, inner):
        with pytest.raises(RpcError, match="unknown or used up"):
            chain.revert(snapshot)


def test_isolated__error_inside__undone_and_passed_on(chain: Chain, probe: Contract) -> None:
    def fail() -> None:
        with chain.isolated():
            probe.add(1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert probe.count() == 5


@pytest.mark.parametrize("forked", [False, True])
def test_revert__thousands_of_rounds__no_transaction_is_lost(forked: bool) -> None:
    with Anvil.start() as node:
        upstream = Chain.connect(node.url)
        address = upstream.deploy(artifact("Probe"), 0).address
        if not forked:
            _rounds(upstream, address)
            return
        with Anvil.fork(node.url) as fork:
            _rounds(Chain.connect(fork.url), address)


def _rounds(chain: Chain, address: str) -> None:
    probe = chain.contract(address, artifact("Probe"))
    count = 0
    for i in range(1_500):
        snapshot = chain.snapshot()
        block = probe.add(1, sender=chain.accounts[i % 20]).block_number
        assert probe.count() == count + 1
        if i % 10 == 0:
            with pytest.raises(Revert, match="probe: amount"):
                probe.add(0)
        chain.revert(snapshot)
        if i % 3 == 0:
            # The first one right after going back is the one that can get lost.
            count += 1
            assert probe.add(1, sender=chain.accounts[i % 20]).block_number == block
        assert probe.count() == count
    assert count == 500


def test_send_batch__one_block_in_order(chain: Chain, probe: Contract) -> None:
    height = chain.block_number
    calls = [probe.add.build(i + 1, sender=chain.accounts[0]) for i in range(300)]
    receipts = chain.send_batch(calls)
    assert {r.block_number for r in receipts} == {height + 1}
    assert [r.index for r in receipts] == list(range(300))
    counts = [r.events[0].args["count"] for r in receipts]
    assert counts == [5 + (i + 1) * (i + 2) // 2 for i in range(300)]


def test_send_batch__many_senders__each_in_its_own_order(chain: Chain, probe: Contract) -> None:
    calls = [probe.add.build(1, sender=chain.accounts[i % 5]) for i in range(100)]
    receipts = chain.send_batch(calls)
    for sender in range(5):
        places = [r.index for r in receipts[sender::5]]
        assert places == sorted(places)
    assert probe.count() == 105


def test_send_batch__a_failure__raised_or_told(chain: Chain, probe: Contract) -> None:
    calls = [probe.add.build(1), probe.add.build(0), probe.add.build(2)]
    with pytest.raises(Revert, match=r"Probe\.add reverted: probe: amount"):
        chain.send_batch(calls)
    assert probe.count() == 8
    assert [r.status for r in chain.send_batch(calls, check=False)] == [True, False, True]
    assert probe.count() == 11


def test_send_batch__one_refused__none_carried_out(chain: Chain, probe: Contract) -> None:
    height = chain.block_number
    calls = [probe.add.build(1), probe.add.build(1, sender="0x" + "34" * 20)]
    with pytest.raises(RpcError, match="is locked"):
        chain.send_batch(calls)
    assert chain.block_number == height
    probe.add(2)
    assert probe.count() == 7


def test_send_batch__nothing__mines_nothing(chain: Chain) -> None:
    height = chain.block_number
    assert chain.send_batch([]) == []
    assert chain.block_number == height


def test_read_batch__values_in_order(chain: Chain, probe: Contract) -> None:
    calls = [probe.count.build(), probe.owner.build(), probe.add.build(4)]
    assert chain.read_batch(calls) == [5, chain.accounts[0], 9]
    assert probe.count() == 5
    with pytest.raises(Revert, match=r"Probe\.viewed_revert reverted: probe: viewed"):
        chain.read_batch([probe.count.build(), probe.viewed_revert.build()])


def test_balance__fees__are_nil(chain: Chain, probe: Contract, stranger: str) -> None:
    before = chain.balance(stranger)
    probe.add(1, sender=stranger, value=5)
    assert chain.balance(stranger) == before - 5


def test_set_code__is_run(chain: Chain, stranger: str) -> None:
    chain.set_code(stranger, bytes.fromhex("602a60005260206000f3"))
    assert int(chain.rpc("eth_call", [{"to": stranger}, "latest"]), 16) == 42


def test_connect__no_node__says_so() -> None:
    with Anvil.start() as node:
        url = node.url
    with pytest.raises(RpcError, match="is the node running"):
        Chain.connect(url)
