"""The router's scene, with a looper at three quarters of the threshold who trusts the orders."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from relever.chain import Contract, Receipt
from relever.model import signing
from relever.orders import Kind, Order
from relever.protocol import UNLIMITED, WAD, Deployment
from tests.scene import ETHER, open_leveraged, stake_everything
from tests.unit.router.conftest import deploy_hostile, prepared, scene

__all__ = ["desk", "hostile", "prepared", "scene"]

CHAIN_ID = 31337
FEE = ETHER // 50
MAX_LOSS = WAD // 50
NO_GRANT = (0, 0, b"")


@dataclass(frozen=True)
class Desk:
    """Makes, signs and executes the looper's orders on a deployment."""

    scene: Deployment

    @property
    def contract(self) -> Contract:
        return self.scene.protocol.orders

    @property
    def owner(self) -> str:
        return self.scene.roles.looper

    @property
    def price(self) -> int:
        found: int = self.scene.protocol.oracle.price()
        return found

    @property
    def health(self) -> int:
        """At the price at which a liquidation hands over, rounded down."""
        view = self.scene.protocol.lens.position(self.scene.protocol.market.address, self.owner)
        return min(view.health, view.market_health)

    def position(self, owner: str | None = None) -> tuple[int, int]:
        collateral, debt = self.scene.protocol.market.position(owner or self.owner)
        return collateral, debt

    def order(self, kind: Kind = Kind.STOP_LOSS, **changes: Any) -> Order:
        """One that is due, over the whole position."""
        deleverages = kind == Kind.DELEVERAGE
        plain = Order(
            owner=self.owner,
            market=self.scene.protocol.market.address,
            kind=kind,
            trigger=self.health + 1 if deleverages else self.price,
            target_health=2 * WAD if deleverages else 0,
            amount=UNLIMITED,
            max_loss=MAX_LOSS,
            fee=FEE,
            epoch=0,
            nonce=7,
            deadline=self.scene.chain.timestamp + 1_000,
        )
        return replace(plain, **changes)

    def sign(self, order: Order, signer: str | None = None, **other: Any) -> bytes:
        """By the node's own account; for another chain or contract if told."""
        key = signing.account(self.scene.chain, signer or self.owner)
        chain_id, contract = other.get("chain_id", CHAIN_ID), self.contract.address
        message = order.typed(chain_id, other.get("contract", contract))
        return bytes(key.sign_message(message).signature)

    def execute(
        self,
        order: Order,
        signature: bytes | None = None,
        grant: Any = None,
        sender: str | None = None,
        gas: int | None = None,
    ) -> Receipt:
        """By the keeper, signed by the looper, if nothing else is said."""
        arguments = [order.values, self.sign(order) if signature is None else signature]
        if grant is not None:
            arguments.append(grant)
        receipt: Receipt = self.contract.execute(
            *arguments, sender=sender or self.scene.roles.keeper, gas=gas
        )
        return receipt

    def status(self, order: Order) -> str:
        found: str = self.contract.status(order.values)
        return found


@pytest.fixture
def desk(scene: Deployment) -> Desk:
    """Debt of 10 WETH on collateral of about 12; nothing idle, so that the LRT's pool pays most."""
    open_leveraged(scene, 3 * ETHER // 2, 10 * ETHER)
    stake_everything(scene)
    roles, protocol = scene.roles, scene.protocol
    protocol.market.set_authorization(protocol.orders.address, True, sender=roles.looper)
    return Desk(scene)


@pytest.fixture
def hostile(scene: Deployment) -> tuple[Contract, Contract]:
    """Orders that take any market for listed, and a market that uses that."""
    return deploy_hostile(scene, "StopOrders")
