"""A listed market of other tokens: a helper that takes it for its own sells what is not seized.

Found before release: at a market whose collateral was another token, the liquidator received that
token and sold, in its place, LRT which somebody had sent it by mistake; a stranger got the money.
"""

import pytest

from relever.artifacts import artifact
from relever.chain import Contract
from relever.protocol import Deployment
from tests.scene import ETHER, SWAP, holdings, restake, reverts
from tests.unit.router.conftest import FREE


@pytest.fixture
def other(scene: Deployment) -> Contract:
    """A listed market of the same loan token and another collateral."""
    protocol, owner = scene.protocol, scene.roles.owner
    token = scene.chain.deploy(artifact("SettableToken"), 18, 0)
    oracle = scene.chain.deploy(artifact("ConstantOracle"), 10**36)
    terms = protocol.market.terms()._replace(collateral=token.address, oracle=oracle.address)
    made = protocol.factory.create_market(tuple(terms), "Other", "OTHER", sender=owner)
    market = scene.chain.contract(made.events[-1].args["market"], artifact("LendingMarket"))
    market.set_caps((10**24, 10**24, 0), sender=owner)
    protocol.factory.list_market(market.address, sender=owner)
    return market


def test_liquidate__market_of_another_collateral__sells_no_lrt_left_by_mistake(
    scene: Deployment, other: Contract
) -> None:
    roles, protocol = scene.roles, scene.protocol
    token = scene.chain.contract(other.terms().collateral, artifact("SettableToken"))
    weth = scene.world.core.weth
    scene.world.fund(roles.lender, weth=100 * ETHER)
    weth.approve(other.address, 100 * ETHER, sender=roles.lender)
    other.deposit(100 * ETHER, roles.lender, sender=roles.lender)
    token.mint(roles.borrower, 10 * ETHER)
    token.approve(other.address, 10 * ETHER, sender=roles.borrower)
    other.adjust(roles.borrower, 10 * ETHER, 9 * ETHER, roles.borrower, sender=roles.borrower)
    oracle = scene.chain.contract(other.terms().oracle, artifact("ConstantOracle"))
    oracle.set_price(95 * 10**34)
    restake(scene, 12 * ETHER)
    protocol.vault.transfer(protocol.liquidator.address, 12 * ETHER, sender=roles.depositor)

    before = holdings(scene, protocol.liquidator.address)
    with reverts("path: market of other tokens"):
        protocol.liquidator.liquidate(
            other.address, roles.borrower, 2**255, SWAP, 0, sender=roles.stranger
        )
    assert holdings(scene, protocol.liquidator.address) == before


def test_router__market_of_another_collateral__is_not_entered(
    scene: Deployment, other: Contract
) -> None:
    router, looper = scene.protocol.router, scene.roles.looper
    with reverts("path: market of other tokens"):
        router.open(other.address, scene.world.core.weth.address, 0, ETHER, FREE, sender=looper)
    with reverts("path: market of other tokens"):
        router.close(other.address, ETHER, 0, SWAP, FREE, sender=looper)
