import pytest

from relever.chain import Event
from relever.protocol import Deployment
from tests.lrt_paths import NOBODY
from tests.scene import reverts

OUTSIDERS = ["stranger", "guardian", "allocator", "keeper"]


def test_set_guardian__by_the_owner__replaces_it(deployment: Deployment) -> None:
    factory, roles = deployment.protocol.factory, deployment.roles
    receipt = factory.set_guardian(roles.keeper, sender=roles.owner)
    assert receipt.events == [Event("GuardianSet", {"guardian": roles.keeper}, factory.address)]
    assert factory.guardian() == roles.keeper
    # The old one has no say any more.
    market = deployment.protocol.market.address
    with reverts("factory: not owner or guardian"):
        factory.delist_market(market, sender=roles.guardian)
    factory.delist_market(market, sender=roles.keeper)


def test_set_guardian__to_nobody__reverts(deployment: Deployment) -> None:
    factory, roles = deployment.protocol.factory, deployment.roles
    with reverts("factory: guardian"):
        factory.set_guardian(NOBODY, sender=roles.owner)
    assert factory.guardian() == roles.guardian


@pytest.mark.parametrize("role", OUTSIDERS)
def test_set_guardian__by_anyone_else__reverts(deployment: Deployment, role: str) -> None:
    factory, caller = deployment.protocol.factory, getattr(deployment.roles, role)
    with reverts("ownable: caller is not the owner"):
        factory.set_guardian(caller, sender=caller)
    assert factory.guardian() == deployment.roles.guardian


def test_transfer_ownership__in_two_steps__moves_it(deployment: Deployment) -> None:
    factory, roles = deployment.protocol.factory, deployment.roles
    started = {"previous_owner": roles.owner, "new_owner": roles.keeper}
    receipt = factory.transfer_ownership(roles.keeper, sender=roles.owner)
    assert receipt.events == [Event("OwnershipTransferStarted", started, factory.address)]
    assert (factory.owner(), factory.pending_owner()) == (roles.owner, roles.keeper)
    receipt = factory.accept_ownership(sender=roles.keeper)
    assert receipt.events == [Event("OwnershipTransferred", started, factory.address)]
    assert (factory.owner(), factory.pending_owner()) == (roles.keeper, NOBODY)
    # Every market follows.
    market = deployment.protocol.market
    with reverts("market: not owner or guardian"):
        market.set_caps((1, 1, 0), sender=roles.owner)
    market.set_caps((1, 1, 0), sender=roles.keeper)


@pytest.mark.parametrize("role", OUTSIDERS)
def test_transfer_ownership__by_anyone_else__reverts(deployment: Deployment, role: str) -> None:
    factory, caller = deployment.protocol.factory, getattr(deployment.roles, role)
    with reverts("ownable: caller is not the owner"):
        factory.transfer_ownership(caller, sender=caller)


def test_accept_ownership__by_who_was_not_asked__reverts(deployment: Deployment) -> None:
    factory, roles = deployment.protocol.factory, deployment.roles
    factory.transfer_ownership(roles.keeper, sender=roles.owner)
    for caller in (roles.stranger, roles.owner):
        with reverts("ownable_2step: caller is not the new owner"):
            factory.accept_ownership(sender=caller)


def test_renounce__does_not_exist(deployment: Deployment) -> None:
    factory = deployment.protocol.factory
    assert hasattr(factory, "transfer_ownership")
    assert not hasattr(factory, "renounce_ownership")
