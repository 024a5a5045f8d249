"""A helper that many have authorised is made to act on a position that is not its caller's.

After Prisma (2024-03-29, 11 million dollars), DoughFina (2024-07-12) and AaveRebalancer
(2026-04-19).
"""

import pytest

from relever.protocol import UNLIMITED, Deployment
from tests.lrt_paths import NOBODY
from tests.scene import ETHER, REDEEM, SWAP, holdings, open_leveraged, reverts
from tests.unit.router.conftest import FREE


@pytest.fixture
def trusted(scene: Deployment) -> Deployment:
    """The looper has a position, has authorised the router and approved it for everything."""
    open_leveraged(scene, 3 * ETHER, 10 * ETHER)
    scene.world.fund(scene.roles.looper, weth=5 * ETHER, wsteth=5 * ETHER)
    core = scene.world.core
    for token in (core.weth, core.wsteth, core.steth, scene.protocol.vault):
        token.approve(scene.protocol.router.address, UNLIMITED, sender=scene.roles.looper)
    return scene


def test_close__by_another__finds_the_callers_empty_position(trusted: Deployment) -> None:
    protocol, roles = trusted.protocol, trusted.roles
    market = protocol.market
    market.set_authorization(protocol.router.address, True, sender=roles.stranger)
    before = market.position(roles.looper), holdings(trusted, roles.looper)
    for route in (SWAP, REDEEM):
        with reverts("market: not enough collateral"):
            protocol.router.close(market.address, ETHER, 0, route, FREE, sender=roles.stranger)
    assert (market.position(roles.looper), holdings(trusted, roles.looper)) == before


def test_open__by_another__spends_the_callers_tokens_only(trusted: Deployment) -> None:
    protocol, roles, core = trusted.protocol, trusted.roles, trusted.world.core
    market = protocol.market
    market.set_authorization(protocol.router.address, True, sender=roles.stranger)
    before = market.position(roles.looper), holdings(trusted, roles.looper)
    for token in (core.wsteth, protocol.vault):
        with reverts("erc20: insufficient allowance"):
            protocol.router.open(
                market.address, token.address, ETHER, 0, FREE, sender=roles.stranger
            )
    with reverts(""):
        protocol.router.open(
            market.address, core.weth.address, ETHER, 0, FREE, sender=roles.stranger
        )
    with reverts("steth: allowance exceeded"):
        protocol.router.open(
            market.address, core.steth.address, ETHER, 0, FREE, sender=roles.stranger
        )
    # Debt on the looper's name: there is no way to say whose.
    with reverts("market: unhealthy"):
        protocol.router.open(market.address, NOBODY, 0, ETHER, FREE, sender=roles.stranger)
    assert (market.position(roles.looper), holdings(trusted, roles.looper)) == before


def test_market__asked_directly_by_another__refuses(trusted: Deployment) -> None:
    """The router's right over the looper's position is the router's alone."""
    market, roles = trusted.protocol.market, trusted.roles
    for collateral, debt in ((-ETHER, 0), (0, ETHER), (-ETHER, ETHER)):
        with reverts("market: not authorized"):
            market.adjust(roles.looper, collateral, debt, roles.stranger, sender=roles.stranger)
