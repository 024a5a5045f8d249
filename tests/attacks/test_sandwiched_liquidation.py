"""The pool is pushed just before a liquidation sells what it seized, and pulled back after it."""

import pytest

from relever.protocol import UNLIMITED, WAD, Deployment
from tests.lrt_paths import add_far_liquidity, pool_sale, push_lrt_price
from tests.scene import (
    ETHER,
    REDEEM,
    SWAP,
    assert_empty,
    open_leveraged,
    reverts,
    slash_and_sync,
)


@pytest.fixture
def unhealthy(scene: Deployment) -> Deployment:
    open_leveraged(scene, 3 * ETHER, 30 * ETHER)
    slash_and_sync(scene, WAD // 10)
    add_far_liquidity(scene)
    return scene


def test_liquidate__sandwiched__the_keepers_bound_stops_it(unhealthy: Deployment) -> None:
    protocol, roles = unhealthy.protocol, unhealthy.roles
    market, liquidator = protocol.market, protocol.liquidator
    arguments = (market.address, roles.looper, UNLIMITED, SWAP)
    fair = liquidator.liquidate.call(*arguments, 0, sender=roles.keeper)
    before = market.position(roles.looper), market.state()
    push_lrt_price(unhealthy, 99 * WAD // 100)
    with reverts("liquidator: profit too small"):
        liquidator.liquidate(*arguments, fair * 9 // 10, sender=roles.keeper)
    assert (market.position(roles.looper), market.state()) == before
    assert_empty(unhealthy, liquidator.address)


def test_liquidate__sandwiched_deeper_than_the_bonus__lets_no_lender_pay(
    unhealthy: Deployment,
) -> None:
    """Even with no bound the sale must cover the repayment: the loss is never the market's."""
    protocol, roles = unhealthy.protocol, unhealthy.roles
    market, liquidator = protocol.market, protocol.liquidator
    before = market.position(roles.looper), market.state()
    push_lrt_price(unhealthy, 9 * WAD // 10)
    with reverts("liquidator: sale below repayment"):
        liquidator.liquidate(market.address, roles.looper, UNLIMITED, SWAP, 0, sender=roles.keeper)
    assert (market.position(roles.looper), market.state()) == before
    # The other exit is out of the attacker's reach.
    receipt = liquidator.liquidate(
        market.address, roles.looper, UNLIMITED, REDEEM, 0, sender=roles.keeper
    )
    assert receipt.events[-1].args["profit"] > 0


def test_pool__pushed__moves_no_price_of_ours(unhealthy: Deployment) -> None:
    """Nothing that decides over a position reads a pool (Inverse 2022, UwU 2024, Polter 2024)."""
    protocol = unhealthy.protocol
    oracle = protocol.oracle
    before = oracle.price(), oracle.liquidation_prices(), protocol.snapshot().oracle
    sale = pool_sale(unhealthy.lrt_pool, protocol.vault.address, ETHER).amount_out
    push_lrt_price(unhealthy, 9 * WAD // 10)
    assert pool_sale(unhealthy.lrt_pool, protocol.vault.address, ETHER).amount_out < sale
    assert (oracle.price(), oracle.liquidation_prices(), protocol.snapshot().oracle) == before
