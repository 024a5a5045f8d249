"""Several keepers do not spend on the same thing, and one that died is not missed for long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount

from relever.keeper import Share
from relever.keeper.journal import JournalError
from relever.protocol import Deployment
from tests.keepers import FaultyNode, Make, Told, liquidations
from tests.scene import ETHER, borrow_against, slash_and_sync, worth


def blind(method: str, params: list[Any], result: Callable[[], Any]) -> Any:
    """A fault: the pending state is the latest."""
    if params[-1:] == ["pending"]:
        params[-1] = "latest"
    return result()


def test_look__two_with_one_node__the_second_sees_the_firsts_transaction(
    breached: Deployment, make: Make, told: Told, other_account: LocalAccount
) -> None:
    make().look()
    make(signer=other_account, folder="other").look()
    assert len(told.events("sent")) == 1
    assert [line["why"] for line in told.events("skipped")] == ["market: healthy"]
    breached.chain.mine()
    assert len(liquidations(breached)) == 1


def test_look__two_in_turns_that_see_nothing_pending__only_one_sends(
    breached: Deployment, make: Make, told: Told, other_account: LocalAccount, faulty: FaultyNode
) -> None:
    faulty.fault = blind
    first = make(faulty.url, share=Share(1, 2))
    second = make(faulty.url, signer=other_account, folder="other", share=Share(2, 2))
    for _ in range(6):
        first.look()
        second.look()
        breached.chain.mine()
    assert len(told.events("sent")) == 1
    assert len(liquidations(breached)) == 1
    assert [line["failed"] for line in told.events("mined")] == [False]


def test_look__the_other_is_dead__acts_in_the_next_turn(
    breached: Deployment, make: Make, other_account: LocalAccount
) -> None:
    second = make(signer=other_account, folder="other", share=Share(2, 2))
    for _ in range(2):
        second.look()
        breached.chain.mine()
    assert len(liquidations(breached)) == 1


def test_look__block_ends_on_the_way__sends_no_more(
    breached: Deployment, make: Make, told: Told, faulty: FaultyNode
) -> None:
    number = int(breached.chain.rpc("eth_blockNumber"), 16)
    share = Share(number % 2 + 1, 2)
    keeper = make(faulty.url, share=share)

    def moved_on(method: str, params: list[Any], result: Callable[[], Any]) -> Any:
        return {"result": hex(number + 1)} if method == "eth_blockNumber" else result()

    faulty.fault = moved_on
    keeper.look()
    (line,) = told.events("no more for this block")
    assert line["why"] == "the next has come"
    assert not told.events("sent")


@pytest.fixture
def three(scene: Deployment) -> Deployment:
    """Three positions that can be liquidated."""
    for owner in (scene.roles.stranger, scene.roles.depositor):
        borrow_against(scene, 10 * ETHER, worth(scene, 9 * ETHER), owner=owner)
    slash_and_sync(scene, 5 * 10**16)
    return scene


def test_look__node_simulates_one_after_the_other__each_bid_is_what_is_earned(
    three: Deployment, make: Make, told: Told, faulty: FaultyNode
) -> None:
    faulty.fault = blind
    keeper = make(faulty.url)
    keeper.look()
    assert "eth_estimateGas" not in faulty.asked
    three.chain.mine()
    keeper.look()
    expected = [line["expected_wei"] for line in told.events("sent")]
    assert len(expected) == 3
    assert [line["profit_wei"] for line in told.events("mined")] == expected


def old_node(method: str, params: list[Any], result: Callable[[], Any]) -> Any:
    """A fault: the node does not know how to simulate several calls."""
    if method == "eth_simulateV1":
        return {"error": {"code": -32601, "message": "the method does not exist"}}
    return result()


def test_look__node_simulates_singly__each_bid_sees_those_before(
    three: Deployment, make: Make, told: Told, faulty: FaultyNode
) -> None:
    faulty.fault = old_node
    keeper = make(faulty.url)
    keeper.look()
    three.chain.mine()
    keeper.look()
    expected = [line["expected_wei"] for line in told.events("sent")]
    assert len(expected) == 3
    assert [line["profit_wei"] for line in told.events("mined")] == expected


def test_look__node_simulates_singly_and_shows_nothing_pending__sells_once_a_block(
    three: Deployment, make: Make, told: Told, faulty: FaultyNode
) -> None:
    faulty.fault = lambda method, params, result: old_node(
        method, params, lambda: blind(method, params, result)
    )
    keeper = make(faulty.url)
    keeper.look()
    assert len(told.events("sent")) == 1
    for _ in range(2):
        three.chain.mine()
        keeper.look()
    assert len(told.events("sent")) == 3
    assert not any(line["failed"] for line in told.events("mined"))


def test_keeper__folder_of_another_that_runs__is_refused(
    breached: Deployment, make: Make, other_account: LocalAccount
) -> None:
    make()
    with pytest.raises(JournalError, match="in use"):
        make(signer=other_account)


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "a/b", "1/0", "-1/2", "1/2/3"])
def test_parse__no_share__says_so(text: str) -> None:
    with pytest.raises(ValueError, match="share"):
        Share.parse(text)


def test_has_turn__each_block__is_one_keepers() -> None:
    shares = [Share(index, 3, turn_blocks=2) for index in (1, 2, 3)]
    turns = [[one.index for one in shares if one.has_turn(block)] for block in range(8)]
    assert turns == [[1], [1], [2], [2], [3], [3], [1], [1]]
