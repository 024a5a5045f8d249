"""The market's callback, which gives an allowance, and calls in the middle of one."""

from typing import Any

import pytest

from relever.chain import Contract
from relever.model import signing
from relever.protocol import NOBODY, Deployment
from tests.scene import ETHER, SWAP, mint_lrt, reason_of, reverts
from tests.unit.orders.conftest import Desk


@pytest.mark.parametrize("role", ["stranger", "keeper", "owner", "looper"])
def test_on_adjust__by_anyone__reverts(desk: Desk, role: str) -> None:
    with reverts("orders: not the active market"):
        desk.contract.on_adjust(
            desk.owner, -ETHER, -ETHER, bytes(32), sender=getattr(desk.scene.roles, role)
        )


@pytest.mark.parametrize("name", ["market", "router", "factory", "liquidator", "orders"])
def test_on_adjust__by_a_contract_of_the_suite_at_rest__reverts(desk: Desk, name: str) -> None:
    caller = desk.scene.chain.impersonate(getattr(desk.scene.protocol, name).address)
    with reverts("orders: not the active market"):
        desk.contract.on_adjust(desk.owner, -ETHER, -ETHER, bytes(32), sender=caller)


def test_on_adjust__by_the_market_for_its_caller__reverts(desk: Desk) -> None:
    """Whoever calls the market is called back himself, and nobody else."""
    market, roles = desk.scene.protocol.market, desk.scene.roles
    before = desk.position()
    with reverts(""):
        market.adjust(
            desk.owner, -ETHER, -ETHER, desk.contract.address, bytes(32), sender=roles.looper
        )
    assert desk.position() == before


class Middle:
    """Orders that are entered, and the market that does something in the middle."""

    def __init__(self, scene: Deployment, orders: Contract, market: Contract) -> None:
        self.scene, self.orders, self.market = scene, orders, market
        market.set_position(ETHER, 0)
        looper = scene.roles.looper
        self.values = (looper, market.address, 2, 1, 0, ETHER, 0, 0, 0, 0, 2**255)
        self.signature = signing.order(scene.chain, orders, looper, self.values)

    def run(self, function: str, *arguments: Any, grant: bool = False) -> str:
        """Execute; why the call in the middle was refused."""
        call = getattr(self.orders, function).encode(*arguments)
        self.market.set_call(self.orders.address, call)
        given = [(0, 0, b"anything")] if grant else []
        self.orders.execute(self.values, self.signature, *given, sender=self.scene.roles.keeper)
        assert self.market.called() is True
        assert self.market.succeeded() is False
        return reason_of(self.market.answer())


@pytest.mark.parametrize("grant", [True, False])
def test_anything__in_the_middle_of_an_execution__is_locked(
    scene: Deployment, hostile: tuple[Contract, Contract], grant: bool
) -> None:
    middle, looper = Middle(scene, *hostile), scene.roles.looper
    calls: dict[str, tuple[Any, ...]] = {
        "execute": (middle.values, middle.signature),
        "cancel": (1,),
        "cancel_all": (),
        "status": (middle.values,),
        "is_used": (looper, 0),
        "try_sale": (0, SWAP, NOBODY),
    }
    for name, arguments in calls.items():
        with scene.chain.isolated():
            reason = "path: trials are its own" if name == "try_sale" else ""
            assert middle.run(name, *arguments, grant=grant) == reason


def test_on_adjust__after_an_execution_in_the_same_transaction__reverts(
    scene: Deployment, hostile: tuple[Contract, Contract]
) -> None:
    middle = Middle(scene, *hostile)
    # Something to sell, so that the callback itself would go through.
    mint_lrt(scene, middle.orders.address, ETHER)
    callback = middle.orders.on_adjust.encode(scene.roles.looper, -ETHER, 0, bytes(32))
    execute = middle.orders.execute.encode(middle.values, middle.signature)
    middle.market.run(middle.orders.address, execute, callback)
    assert middle.market.succeeded() is False
    assert reason_of(middle.market.answer()) == "orders: not the active market"
