"""A mix of actions is sought after which the check at the end does not run.

After Abracadabra (2025-10-04): a flag that one action set made the solvency check be left out.
"""

import pytest

from relever.protocol import UNLIMITED, Deployment
from tests.lrt_paths import NOBODY
from tests.scene import ETHER, NO_DEADLINE, REDEEM, SWAP, open_leveraged, reverts
from tests.unit.router.conftest import FREE


@pytest.fixture
def at_the_limit(scene: Deployment) -> Deployment:
    """Nearly the highest LTV."""
    open_leveraged(scene, 3 * ETHER, 36 * ETHER)
    return scene


@pytest.mark.parametrize("amount", [0, 1])
@pytest.mark.parametrize("name", ["ether", "weth", "wsteth"])
def test_open__borrows_against_next_to_nothing__is_checked(
    at_the_limit: Deployment, name: str, amount: int
) -> None:
    protocol, core, looper = (
        at_the_limit.protocol,
        at_the_limit.world.core,
        at_the_limit.roles.looper,
    )
    at_the_limit.world.fund(looper, weth=1, wsteth=2)
    tokens = {"weth": core.weth, "wsteth": core.wsteth}
    address, value = NOBODY, amount
    if name in tokens:
        address, value = tokens[name].address, 0
        tokens[name].approve(protocol.router.address, amount, sender=looper)
    with reverts("market: unhealthy"):
        protocol.router.open(
            protocol.market.address, address, amount, 50 * ETHER, FREE, sender=looper, value=value
        )


@pytest.mark.parametrize("route", [SWAP, REDEEM])
@pytest.mark.parametrize("repay", [0, 1, ETHER // 10])
def test_close__takes_more_than_it_repays__is_checked(
    at_the_limit: Deployment, route: int, repay: int
) -> None:
    protocol, looper = at_the_limit.protocol, at_the_limit.roles.looper
    with reverts("market: unhealthy"):
        protocol.router.close(protocol.market.address, 2 * ETHER, repay, route, FREE, sender=looper)


def test_close__takes_all_and_repays_all_but_a_wei__is_checked(at_the_limit: Deployment) -> None:
    protocol, looper = at_the_limit.protocol, at_the_limit.roles.looper
    collateral, debt = protocol.market.position(looper)
    with reverts("market: debt below minimum"):
        protocol.router.close(
            protocol.market.address, collateral, debt - 1, REDEEM, FREE, sender=looper
        )


@pytest.mark.parametrize("borrow", [0, ETHER])
def test_open__bounds_of_any_call__are_checked(scene: Deployment, borrow: int) -> None:
    protocol, looper = scene.protocol, scene.roles.looper
    for bounds, reason in (
        ((UNLIMITED, UNLIMITED, 0, NO_DEADLINE, 0), "router: collateral below bound"),
        ((UNLIMITED, 0, 0, NO_DEADLINE, 0), "router: collateral below bound"),
    ):
        with reverts(reason):
            protocol.router.open(
                protocol.market.address,
                NOBODY,
                2 * ETHER,
                borrow,
                bounds,
                sender=looper,
                value=2 * ETHER,
            )
