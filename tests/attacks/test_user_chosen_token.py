"""A helper calls a token of its caller's choice, which calls back or lies about what it moved.

After Silo's leverage helper (2025-06-25) and Size (2025-08-15).
"""

from relever.artifacts import artifact
from relever.protocol import UNLIMITED, Deployment
from tests.scene import ETHER, reverts
from tests.unit.router.conftest import FREE


def test_open__token_with_a_hook__is_refused_before_it_is_called(scene: Deployment) -> None:
    protocol, roles = scene.protocol, scene.roles
    # Both of its answers would be caught: that it moved, and that it was asked at all.
    token = scene.chain.deploy(artifact("UnrulyToken"), sender=roles.stranger)
    token.mint(roles.stranger, ETHER)
    token.approve(protocol.router.address, UNLIMITED, sender=roles.stranger)
    token.set_hook(protocol.factory.address, b"")
    with reverts("router: token not accepted"):
        protocol.router.open(
            protocol.market.address, token.address, ETHER, 0, FREE, sender=roles.stranger
        )
    assert token.hook_calls() == 0


def test_open__address_that_is_no_token__is_refused_by_name(scene: Deployment) -> None:
    protocol, roles, core = scene.protocol, scene.roles, scene.world.core
    for token in (roles.stranger, core.delegation_manager.address, protocol.swap.address):
        with reverts("router: token not accepted"):
            protocol.router.open(
                protocol.market.address, token, ETHER, 0, FREE, sender=roles.stranger
            )
