"""Signed orders are executed once they are due and pay for their gas; fake ones cost nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relever.keeper import Keeper, Policy
from relever.model import signing
from relever.orders import Kind, Order, SignedOrder
from relever.protocol import UNLIMITED, WAD, Deployment
from tests.keepers import Make, Told
from tests.scene import ETHER

Write = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "orders"
    path.mkdir()
    return path


@pytest.fixture
def keeper(scene: Deployment, make: Make, folder: Path) -> Keeper:
    return make(orders=folder)


@pytest.fixture
def write(scene: Deployment, folder: Path) -> Write:
    """Writes an order of the borrower's that is due, or what is changed of it, signed."""
    protocol, owner = scene.protocol, scene.roles.borrower
    protocol.market.set_authorization(protocol.orders.address, True, sender=owner)

    def signed(
        name: str = "one.json", *, signer: str = owner, chain_id: int = 31337, **changes: Any
    ) -> Path:
        fields: dict[str, Any] = {
            "owner": owner,
            "market": protocol.market.address,
            "kind": Kind.STOP_LOSS,
            "trigger": protocol.oracle.price(),
            "target_health": 0,
            "amount": UNLIMITED,
            "max_loss": 3 * WAD // 100,
            "fee": ETHER // 50,
            "epoch": 0,
            "nonce": 7,
            "deadline": scene.chain.timestamp + 10_000,
        }
        order = Order(**fields | changes)
        key = signing.account(scene.chain, signer)
        message = order.typed(chain_id, protocol.orders.address)
        signature = bytes(key.sign_message(message).signature)
        path = folder / name
        path.write_text(SignedOrder(chain_id, protocol.orders.address, order, signature).text())
        return path

    return signed


def executed(scene: Deployment) -> list[int]:
    """Nonces of the orders that were executed."""
    query = {"fromBlock": "0x0", "toBlock": "latest", "address": scene.protocol.orders.address}
    events = [scene.chain.decode_log(log) for log in scene.chain.rpc("eth_getLogs", [query])]
    return [event.args["nonce"] for event in events if event.name == "OrderExecuted"]


def test_look__order_is_due__is_executed_once_for_its_fee(
    scene: Deployment, keeper: Keeper, write: Write, told: Told
) -> None:
    write()
    for _ in range(3):
        keeper.look()
        scene.chain.mine()
    assert executed(scene) == [7]
    (mined,) = told.events("mined")
    assert int(mined["profit_wei"]) == ETHER // 50
    assert int(mined["gas_wei"]) < ETHER // 50
    assert told.events("order is over")


def test_look__order_comes_due__is_executed_then(
    scene: Deployment, keeper: Keeper, write: Write, told: Told
) -> None:
    write(trigger=scene.protocol.oracle.price() * 99 // 100)
    keeper.look()
    assert not told.events("sent", "skipped")
    scene.answer_fundamental(discount=2 * WAD // 100)
    keeper.look()
    assert {line["kind"] for line in told.events("sent")} == {"order", "poke"}


def test_look__deleverage_is_due__is_executed(
    scene: Deployment, keeper: Keeper, write: Write
) -> None:
    write(kind=Kind.DELEVERAGE, trigger=12 * WAD // 10, target_health=13 * WAD // 10)
    keeper.look()
    keeper.look()
    scene.chain.mine()
    keeper.look()
    scene.chain.mine()
    assert executed(scene) == [7]


def test_look__fee_below_gas__waits(
    scene: Deployment, keeper: Keeper, write: Write, told: Told
) -> None:
    write(fee=1)
    keeper.look()
    assert [line["why"] for line in told.events("skipped")] == ["profit below gas"]


def test_look__order_of_another_signer__is_passed_over(
    scene: Deployment, keeper: Keeper, write: Write, told: Told
) -> None:
    write(signer=scene.roles.stranger)
    keeper.look()
    (line,) = told.events("order passed over")
    assert line["why"] == "its owner's key has not signed it"


def test_look__order_for_another_chain__is_passed_over(
    scene: Deployment, keeper: Keeper, write: Write, told: Told
) -> None:
    write(chain_id=1)
    keeper.look()
    (line,) = told.events("order passed over")
    assert line["why"] == "it is for chain 1"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"order": {"amount": 1}}', "x" * 9_000, "\udc80"]
)
def test_look__file_that_is_no_order__is_passed_over_once(
    scene: Deployment, keeper: Keeper, folder: Path, told: Told, text: str
) -> None:
    (folder / "bad.json").write_bytes(text.encode(errors="surrogateescape"))
    keeper.look()
    scene.chain.mine()
    keeper.look()
    assert len(told.events("order passed over")) == 1


def test_look__order_at_a_market_of_nobody__is_not_asked_about(
    scene: Deployment, keeper: Keeper, write: Write, told: Told
) -> None:
    write(market=scene.roles.stranger)
    keeper.look()
    assert not told.events("sent", "skipped")


def test_look__cancelled_in_front__costs_the_orders_budget_and_not_that_of_liquidations(
    breached: Deployment, make: Make, folder: Path, write: Write, told: Told
) -> None:
    # The owner lets the keeper run into it: due when simulated, cancelled when mined.
    policy = Policy(failed_wei_per_day=1, tip_wei_per_gas=10**9)
    keeper = make(policy=policy, orders=folder)
    looper, protocol = breached.roles.looper, breached.protocol
    protocol.market.set_authorization(protocol.orders.address, True, sender=looper)
    write(owner=looper, signer=looper)
    keeper.look()
    journal = keeper._journal
    assert journal is not None
    (order,) = [one.last for one in journal.in_flight if one.last.kind == "order"]
    raws = [one.last.raw for one in journal.in_flight]
    breached.chain.rpc("anvil_dropAllTransactions")
    protocol.orders.cancel(7, sender=looper)
    for raw in raws:
        breached.chain.rpc("eth_sendRawTransaction", [raw])
    breached.chain.mine()
    keeper.look()
    failed = {line["kind"]: line["failed"] for line in told.events("mined")}
    assert failed == {"liquidate": False, "order": True}
    assert order.profit == ETHER // 50
    write("two.json", owner=looper, signer=looper, nonce=8)
    breached.chain.mine()
    keeper.look()
    assert told.events("skipped")[-1]["why"] == "too much lost today"
