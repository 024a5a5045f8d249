"""Ether that a user sends where none belongs comes back with the revert and is lost to nobody."""

import pytest

from relever.chain import Call
from relever.protocol import UNLIMITED, Deployment
from tests.scene import ETHER, SWAP, holdings, reverts
from tests.unit.router.conftest import FREE


@pytest.mark.parametrize(
    "name",
    [
        *("router", "zap", "liquidator", "backstop", "swap", "factory", "oracle"),
        *("lens", "quoter", "outlook"),
    ],
)
def test_ether__sent_without_a_call__is_refused(scene: Deployment, name: str) -> None:
    target, sender = getattr(scene.protocol, name).address, scene.roles.stranger
    before = scene.chain.balance(sender)
    takers = {"router": "router: ether only from weth", "zap": "zap: ether only from weth"}
    with reverts(takers.get(name, "")):
        scene.chain.send(Call(sender, target, b"", ETHER))
    assert scene.chain.balance(sender) == before
    assert scene.chain.balance(target) == 0


def test_ether__sent_with_a_call_that_takes_none__is_refused(scene: Deployment) -> None:
    protocol, roles = scene.protocol, scene.roles
    market = protocol.market.address
    before = holdings(scene, roles.looper)
    with reverts(""):
        protocol.router.close(market, ETHER, 0, SWAP, FREE, sender=roles.looper, value=1)
    with reverts(""):
        protocol.liquidator.liquidate(
            market, roles.looper, UNLIMITED, SWAP, 0, sender=roles.looper, value=1
        )
    with reverts("router: ether with a token"):
        protocol.router.open(
            market, scene.world.core.wsteth.address, 0, ETHER, FREE, sender=roles.looper, value=1
        )
    assert holdings(scene, roles.looper) == before
