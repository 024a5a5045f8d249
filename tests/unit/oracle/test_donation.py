"""What is sent to vault or oracle moves no price, in the same block or later."""

import pytest

from relever.protocol import WAD, Deployment

GIFT = 50 * WAD


def told(scene: Deployment) -> tuple[object, ...]:
    """Every price of the oracle, and what it says of itself at this moment."""
    oracle = scene.protocol.oracle
    return (
        oracle.fundamental(),
        oracle.liquidation_prices(),
        oracle.market_price(),
        oracle.price(),
        oracle.face_price(False)[0],
        oracle.discount_state(),
        oracle.supply_gate(),
        oracle.explain(),
    )


@pytest.mark.parametrize("to", ["vault", "oracle"])
@pytest.mark.parametrize("token", ["wsteth", "weth", "lrt"])
def test_donation__to_vault_or_oracle__moves_nothing(
    deployment: Deployment, to: str, token: str
) -> None:
    protocol, core, donor = deployment.protocol, deployment.world.core, deployment.roles.stranger
    deployment.world.fund(donor, wsteth=GIFT, weth=GIFT)
    if token == "lrt":
        core.wsteth.approve(protocol.vault.address, GIFT, sender=donor)
        protocol.vault.deposit(GIFT, donor, sender=donor)
    before = told(deployment)
    receiver = getattr(protocol, to).address
    given = {"wsteth": core.wsteth, "weth": core.weth, "lrt": protocol.vault}[token]
    amount = given.balanceOf(donor)
    given.transfer(receiver, amount, sender=donor)
    assert amount > 0
    # The growth cap moves with time; a block at the same time shows everything else.
    after = told(deployment)
    assert after[:-1] == before[:-1]
    changed = {
        name for name in before[-1]._fields if getattr(before[-1], name) != getattr(after[-1], name)
    }
    assert changed <= {"growth_cap"}
    protocol.oracle.poke(sender=donor)
    assert told(deployment)[:3] == before[:3]
