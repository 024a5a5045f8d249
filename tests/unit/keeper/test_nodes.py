"""A node that fails, lags or lies is not acted on, and what it did meanwhile does no harm."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from relever.keeper import NoEther, Trust
from relever.keeper.keeper import Keeper
from relever.keeper.node import Distrusted, Node, NodeError
from relever.protocol import Deployment
from tests.keepers import TRUST, FaultyNode, Make, Told, liquidations


def answering(method: str, answer: Any) -> Callable[[str, list[Any], Callable[[], Any]], Any]:
    """A fault: this answer to this method, the truth to all others."""

    def fault(asked: str, params: list[Any], result: Callable[[], Any]) -> Any:
        return {"result": answer} if asked == method else result()

    return fault


def test_keeper__account_without_ether__says_where_to_send_it(
    breached: Deployment, make: Make, account: Any
) -> None:
    breached.chain.set_balance(account.address, 0)
    with pytest.raises(NoEther, match=f"{account.address} has no ether for gas"):
        make()


def test_look__ether_ran_out__sends_nothing_and_says_so(
    breached: Deployment, make: Make, told: Told, account: Any
) -> None:
    keeper = make()
    breached.chain.set_balance(account.address, 1_000)
    keeper.look()
    assert not told.events("sent")
    (line,) = told.events("not acting")
    assert line["why"] == "too little ether"


def test_look__node_times_out__acts_when_it_answers_again(
    breached: Deployment, make: Make, told: Told, faulty: FaultyNode
) -> None:
    keeper = make(faulty.url, trust=Trust(timeout_seconds=0.3, clock_lag_seconds=None))

    def slow(method: str, params: list[Any], result: Callable[[], Any]) -> Any:
        time.sleep(0.6)
        return result()

    faulty.fault = slow
    with pytest.raises(NodeError, match="does not answer"):
        keeper.look()
    faulty.heal()
    with pytest.raises(NodeError, match="is asked again in"):
        keeper.look()
    _look_until_it_answers(keeper)
    assert len(told.events("sent")) == 1


def test_look__node_times_out_after_sending__does_not_send_twice(
    breached: Deployment, make: Make, told: Told, faulty: FaultyNode
) -> None:
    keeper = make(faulty.url, trust=Trust(timeout_seconds=0.3, clock_lag_seconds=None))

    def taken_and_silent(method: str, params: list[Any], result: Callable[[], Any]) -> Any:
        answer = result()
        if method == "eth_sendRawTransaction":
            time.sleep(0.6)
        return answer

    faulty.fault = taken_and_silent
    with pytest.raises(NodeError):
        keeper.look()
    faulty.heal()
    _look_until_it_answers(keeper)
    breached.chain.mine()
    keeper.look()
    breached.chain.mine()
    assert len(liquidations(breached)) == 1
    assert [line["failed"] for line in told.events("mined")] == [False]


def test_run__node_is_gone_for_a_while__goes_on(
    breached: Deployment, make: Make, told: Told, faulty: FaultyNode
) -> None:
    keeper = make(faulty.url)
    faulty.fault = answering("eth_chainId", "no number")
    looks = iter(range(100))

    def stop() -> bool:
        if next(looks) == 2:
            faulty.heal()
        return bool(told.events("sent"))

    keeper.run(stop)
    assert told.events("node failed")
    assert len(told.events("sent")) == 1


def test_look__nonce_too_low__refuses(
    breached: Deployment, make: Make, told: Told, faulty: FaultyNode
) -> None:
    keeper = make(faulty.url)
    keeper.look()
    breached.chain.mine()
    keeper.look()
    breached.chain.mine()
    faulty.fault = answering("eth_getTransactionCount", "0x0")
    with pytest.raises(Distrusted, match="says nonce 0, but 1 are used"):
        keeper.look()


def test_look__nonce_too_high__refuses(
    breached: Deployment, make: Make, told: Told, faulty: FaultyNode
) -> None:
    keeper = make(faulty.url)
    keeper.look()
    breached.chain.mine()
    faulty.fault = answering("eth_getTransactionCount", "0x9")
    with pytest.raises(Distrusted, match="says nonce 9, but the journal knows of 1 used"):
        keeper.look()


def test_look__account_has_others_transactions_pending__refuses(
    breached: Deployment, make: Make, faulty: FaultyNode
) -> None:
    keeper = make(faulty.url)

    def pending(method: str, params: list[Any], result: Callable[[], Any]) -> Any:
        if method == "eth_getTransactionCount" and params[1] == "pending":
            return {"result": "0x2"}
        return result()

    faulty.fault = pending
    with pytest.raises(Distrusted, match=r"2 transactions of .* are pending"):
        keeper.look()


def test_look__second_node_has_a_higher_nonce__refuses(
    breached: Deployment, make: Make, faulty: FaultyNode
) -> None:
    keeper = make(other_url=faulty.url)
    keeper.look()
    faulty.fault = answering("eth_getTransactionCount", "0x1")
    breached.chain.rpc("anvil_dropAllTransactions")
    breached.chain.mine()
    with pytest.raises(Distrusted, match=r"says nonce 0, .* says 1"):
        keeper.look()


def test_look__hundred_blocks_behind_a_second_node__refuses(
    breached: Deployment, make: Make, told: Told, faulty: FaultyNode
) -> None:
    behind = breached.chain.rpc("eth_getBlockByNumber", ["latest", False])
    breached.chain.mine(100)
    keeper = make(faulty.url, other_url=breached.chain._rpc.url)

    def old(method: str, params: list[Any], result: Callable[[], Any]) -> Any:
        if method == "eth_getBlockByNumber" and params[0] == "latest":
            return {"result": behind}
        return result()

    faulty.fault = old
    with pytest.raises(Distrusted, match="100 behind"):
        keeper.look()
    assert not told.events("sent")
    faulty.heal()
    keeper.look()
    assert len(told.events("sent")) == 1


def test_look__hundred_blocks_back_from_what_it_said__refuses(
    breached: Deployment, make: Make, faulty: FaultyNode
) -> None:
    behind = breached.chain.rpc("eth_getBlockByNumber", ["latest", False])
    keeper = make(faulty.url)
    breached.chain.mine(100)
    keeper.look()
    faulty.fault = answering("eth_getBlockByNumber", behind)
    with pytest.raises(Distrusted, match="and was at"):
        keeper.look()


def test_head__stands_still_too_long__is_not_believed(breached: Deployment) -> None:
    now = 0.0
    node = Node(breached.chain._rpc.url, TRUST, clock=lambda: now)
    node.head()
    now = TRUST.silent_seconds + 1
    with pytest.raises(Distrusted, match="has stood at block"):
        node.head()
    breached.chain.mine()
    node.head()


def test_head__older_than_our_clock_allows__is_not_believed(breached: Deployment) -> None:
    node = Node(breached.chain._rpc.url, Trust(clock_lag_seconds=600))
    with pytest.raises(Distrusted, match="s old"):
        node.head()


def test_head__becomes_another_chain__is_not_believed(
    breached: Deployment, faulty: FaultyNode
) -> None:
    node = Node(faulty.url, TRUST)
    node.head()
    faulty.fault = answering("eth_chainId", "0x1")
    with pytest.raises(Distrusted, match="is 1 now"):
        node.head()


def test_head__second_node_of_another_chain__is_not_believed(
    breached: Deployment, faulty: FaultyNode
) -> None:
    def forked(method: str, params: list[Any], result: Callable[[], Any]) -> Any:
        answer = result()
        if method == "eth_getBlockByNumber":
            answer["result"]["hash"] = "0x" + "11" * 32
        return answer

    faulty.fault = forked
    with pytest.raises(Distrusted, match="different chains"):
        Node(breached.chain._rpc.url, TRUST).head(Node(faulty.url, TRUST))


@pytest.mark.parametrize("answer", [None, 7, [], "text", {"number": "0x1"}])
def test_block__answer_is_none__says_so(
    breached: Deployment, faulty: FaultyNode, answer: Any
) -> None:
    faulty.fault = answering("eth_getBlockByNumber", answer)
    with pytest.raises(NodeError, match="has no block"):
        Node(faulty.url, TRUST).block()


def _look_until_it_answers(keeper: Keeper) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            keeper.look()
            return
        except NodeError:
            time.sleep(0.05)
    raise AssertionError("the node never answered again")
