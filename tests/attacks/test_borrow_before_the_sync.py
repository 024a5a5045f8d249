"""A slash has happened, the vault's books do not know it yet, and someone borrows in between."""

from relever.protocol import UNLIMITED, WAD, Deployment
from tests.scene import ETHER, borrow_against, reverts


def test_borrow__after_a_slash_and_before_its_sync__gets_the_live_price(scene: Deployment) -> None:
    protocol, roles = scene.protocol, scene.roles
    oracle, market = protocol.oracle, protocol.market
    borrow_against(scene, 10 * ETHER, 5 * ETHER, owner=roles.trader)
    booked = oracle.fundamental()
    scene.world.slash(WAD // 5)
    # Feed and books still say the old price.
    assert oracle.fundamental() == booked
    assert oracle.market_price() == (booked // WAD * WAD, True)
    live = protocol.vault.live_rate() * scene.world.core.wsteth.stEthPerToken()
    assert live < booked * 93 // 100
    assert oracle.price() == live

    most = 10 * ETHER * live // 10**36 * market.terms().max_ltv // WAD
    _, debt = market.position(roles.trader)
    with reverts("market: unhealthy"):
        market.borrow(most - debt + 2, roles.trader, roles.trader, sender=roles.trader)
    market.borrow(most - debt - 2, roles.trader, roles.trader, sender=roles.trader)
    # Booking the loss shows what was already counted: nobody is pushed under by it.
    protocol.vault.sync(sender=roles.stranger)
    with reverts("market: healthy"):
        market.liquidate(roles.trader, UNLIMITED, 0, sender=roles.keeper)


def test_donation__to_the_vault__moves_no_price(scene: Deployment) -> None:
    """Resupply (2025-06-26), Venus wUSDM (2025-02-27): a balance that is a price can be given."""
    protocol, roles, wsteth = scene.protocol, scene.roles, scene.world.core.wsteth
    before = protocol.oracle.price(), protocol.oracle.liquidation_prices()
    scene.world.fund(roles.stranger, wsteth=300 * ETHER)
    for target in (protocol.vault, protocol.eigenlayer, protocol.oracle, protocol.market):
        wsteth.transfer(target.address, 100 * ETHER // 2, sender=roles.stranger)
    assert (protocol.oracle.price(), protocol.oracle.liquidation_prices()) == before
    protocol.vault.sync()
    assert (protocol.oracle.price(), protocol.oracle.liquidation_prices()) == before
