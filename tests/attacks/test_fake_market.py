"""A helper is pointed at a market of the attacker's own, which then spends what users approved.

After Exactly (2023-08-18, about 7 million dollars) and Xocolatl (2026-03-24).
"""

import pytest
from eth_abi import encode

from relever.artifacts import artifact
from relever.protocol import UNLIMITED, Deployment
from tests.lrt_paths import NOBODY
from tests.scene import ETHER, REDEEM, SWAP, holdings, reverts
from tests.unit.router.conftest import FREE


def approve_everything(scene: Deployment) -> None:
    """A looper who is careless: whatever it has is approved to both helpers."""
    looper, core, protocol = scene.roles.looper, scene.world.core, scene.protocol
    scene.world.fund(looper, weth=10 * ETHER, wsteth=10 * ETHER)
    for token in (core.weth, core.wsteth, core.steth, protocol.vault):
        for helper in (protocol.router, protocol.liquidator):
            token.approve(helper.address, UNLIMITED, sender=looper)


def test_fake_market__chosen_by_the_attacker__is_never_entered(scene: Deployment) -> None:
    protocol, roles = scene.protocol, scene.roles
    approve_everything(scene)
    before = holdings(scene, roles.looper)
    fake = scene.chain.deploy(artifact("HostileMarket"), sender=roles.stranger).address
    with reverts("router: market not listed"):
        protocol.router.open(fake, NOBODY, 0, ETHER, FREE, sender=roles.stranger)
    with reverts("router: market never listed"):
        protocol.router.close(fake, ETHER, 0, SWAP, FREE, sender=roles.stranger)
    with reverts("liquidator: never listed"):
        protocol.liquidator.liquidate(fake, roles.looper, 0, SWAP, 0, sender=roles.stranger)
    assert holdings(scene, roles.looper) == before


def test_fake_market__made_by_the_real_factory_with_the_attackers_oracle__is_not_entered(
    scene: Deployment,
) -> None:
    protocol, roles = scene.protocol, scene.roles
    approve_everything(scene)
    oracle = scene.chain.deploy(artifact("ConstantOracle"), 10**39, sender=roles.stranger)
    terms = protocol.market.terms()._replace(oracle=oracle.address)
    made = protocol.factory.create_market(tuple(terms), "Trap", "TRAP", sender=roles.stranger)
    trap = made.events[-1].args["market"]
    before = holdings(scene, roles.looper)
    with reverts("router: market not listed"):
        protocol.router.open(trap, NOBODY, 0, ETHER, FREE, sender=roles.looper)
    with reverts("liquidator: never listed"):
        protocol.liquidator.liquidate(trap, roles.looper, 0, REDEEM, 0, sender=roles.stranger)
    assert holdings(scene, roles.looper) == before


@pytest.mark.parametrize("victim", ["router", "liquidator"])
def test_fake_market__calls_back_out_of_the_blue__is_refused(
    scene: Deployment, victim: str
) -> None:
    """What lies in a helper by mistake is no prize either."""
    protocol, roles = scene.protocol, scene.roles
    helper = getattr(protocol, victim)
    approve_everything(scene)
    scene.world.core.wsteth.transfer(helper.address, ETHER, sender=roles.looper)
    scene.world.core.weth.transfer(helper.address, ETHER, sender=roles.looper)
    fake = scene.chain.deploy(artifact("HostileMarket"), sender=roles.stranger)
    for call in (
        protocol.router.on_adjust.encode(
            roles.looper, 0, ETHER, encode(["uint256"] * 5, [0, ETHER, 0, 0, 0])
        ),
        protocol.router.on_adjust.encode(
            roles.looper, -ETHER, -ETHER, encode(["uint256", "uint256"], [ETHER, SWAP])
        ),
        protocol.liquidator.on_liquidate.encode(
            roles.looper, ETHER, ETHER, SWAP.to_bytes(32, "big")
        ),
    ):
        fake.set_call(helper.address, call)
        fake.adjust(NOBODY, 0, 0, NOBODY, b"", sender=roles.stranger)
        assert fake.called() is True
        assert fake.succeeded() is False
    held = holdings(scene, helper.address)
    assert (held["weth"], held["wsteth"]) == (ETHER, ETHER)
