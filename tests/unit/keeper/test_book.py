"""Positions are found once, kept up by events, and known again after a restart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relever.protocol import Deployment
from tests.keepers import FaultyNode, Make, Told
from tests.scene import ETHER, borrow_against, slash_and_sync


def asked_blocks(faulty: FaultyNode) -> list[tuple[int, int]]:
    """What spans of blocks events are asked for from now on."""
    spans: list[tuple[int, int]] = []

    def noting(method: str, params: list[Any], result: Callable[[], Any]) -> Any:
        if method == "eth_getLogs":
            spans.append((int(params[0]["fromBlock"], 16), int(params[0]["toBlock"], 16)))
        return result()

    faulty.fault = noting
    return spans


def test_follow__after_a_restart__reads_from_the_checkpoint_on(
    scene: Deployment, make: Make, faulty: FaultyNode
) -> None:
    keeper = make(faulty.url)
    keeper.look()
    known, head = len(keeper.book), keeper.book.block
    keeper.close()
    spans = asked_blocks(faulty)
    again = make(faulty.url)
    again.look()
    assert len(again.book) == known == 2
    assert min(first for first, _ in spans) == head - 12 + 1


def test_follow__next_block__reads_that_alone(
    scene: Deployment, make: Make, faulty: FaultyNode
) -> None:
    keeper = make(faulty.url)
    keeper.look()
    scene.chain.mine()
    spans = asked_blocks(faulty)
    keeper.look()
    assert set(spans) == {(keeper.book.block, keeper.book.block)}


def test_follow__node_gives_few_blocks__asks_for_fewer(
    scene: Deployment, make: Make, faulty: FaultyNode, told: Told
) -> None:
    def stingy(method: str, params: list[Any], result: Callable[[], Any]) -> Any:
        if method == "eth_getLogs":
            span = int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16)
            if span > 30:
                return {"error": {"code": -32005, "message": "range too large"}}
        return result()

    faulty.fault = stingy
    keeper = make(faulty.url)
    keeper.look()
    assert told.events("node gives fewer blocks at once")
    assert len(keeper.book) == 2


def test_follow__checkpoint_of_another_chain__reads_everything(
    scene: Deployment, make: Make, told: Told
) -> None:
    keeper = make()
    keeper.look()
    keeper.close()
    path = keeper._options.folder / "positions.json"
    path.write_text(path.read_text().replace('"hash": "0x', '"hash": "0xdead'))
    again = make()
    assert told.events("checkpoint of another chain, reading everything")
    again.look()
    assert len(again.book) == 2


def test_follow__checkpoint_unreadable__reads_everything(
    scene: Deployment, make: Make, told: Told
) -> None:
    keeper = make()
    keeper.look()
    keeper.close()
    (keeper._options.folder / "positions.json").write_text("{")
    again = make()
    assert told.events("checkpoint unreadable, reading everything")
    again.look()
    assert len(again.book) == 2


def test_follow__collateral_without_debt__is_not_watched(scene: Deployment, make: Make) -> None:
    # Anyone can fill the events with positions that owe nothing.
    keeper = make()
    keeper.look()
    market, vault, owner = scene.protocol.market, scene.protocol.vault, scene.roles.depositor
    vault.approve(market.address, ETHER, sender=owner)
    for index in range(20):
        market.supply_collateral(1, scene.chain.accounts[-1 - index], sender=owner)
    scene.chain.mine()
    keeper.look()
    assert len(keeper.book) == 2


def test_follow__repaid_and_that_taken_back__is_watched_again(
    scene: Deployment, make: Make
) -> None:
    keeper = make()
    keeper.look()
    market, looper, weth = scene.protocol.market, scene.roles.looper, scene.world.core.weth
    # The loan is older than what is read again.
    scene.chain.mine(100)
    keeper.look()
    snapshot = scene.chain.rpc("evm_snapshot")
    scene.world.fund(looper, weth=20 * ETHER)
    weth.approve(market.address, 20 * ETHER, sender=looper)
    market.repay(20 * ETHER, looper, sender=looper)
    keeper.look()
    assert len(keeper.book) == 1
    scene.chain.rpc("evm_revert", [snapshot])
    scene.chain.rpc("evm_mine", [scene.chain.timestamp + 5])
    keeper.look()
    assert len(keeper.book) == 2


def test_breaches__healthy_positions__are_not_read_again(
    scene: Deployment, make: Make, faulty: FaultyNode
) -> None:
    keeper = make(faulty.url)
    keeper.look()
    lens = scene.protocol.lens
    selector = "0x" + lens.snapshot.of(2).selector.hex()
    read: list[str] = []

    def noting(method: str, params: list[Any], result: Callable[[], Any]) -> Any:
        if method == "eth_call" and params[0]["data"].startswith(selector):
            read.append(params[0]["data"])
        return result()

    faulty.fault = noting
    scene.chain.mine()
    keeper.look()
    assert read == []
    slash_and_sync(scene, 5 * 10**16)
    keeper.look()
    (only,) = read
    assert scene.roles.borrower[2:].lower() in only
    assert scene.roles.looper[2:].lower() not in only


def test_breaches__more_than_one_batch__finds_all(scene: Deployment, make: Make) -> None:
    for owner in scene.chain.accounts[:19]:
        borrow_against(scene, ETHER, ETHER // 2, owner=owner)
    keeper = make()
    keeper.look()
    assert len(keeper.book) == 19
