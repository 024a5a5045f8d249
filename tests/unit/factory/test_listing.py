import pytest

from relever.chain import Event
from relever.protocol import Deployment
from tests.lrt_paths import NOBODY
from tests.scene import reverts

OUTSIDERS = ["stranger", "guardian", "allocator", "keeper", "looper"]


@pytest.fixture
def unlisted(deployment: Deployment) -> str:
    """A market that a stranger has made."""
    protocol = deployment.protocol
    terms = tuple(protocol.market.terms())
    made = protocol.factory.create_market(terms, "A", "A", sender=deployment.roles.stranger)
    return str(made.events[-1].args["market"])


def listing(deployment: Deployment, market: str, listed: bool) -> list[Event]:
    arguments = {"market": market, "listed": listed}
    return [Event("ListingSet", arguments, deployment.protocol.factory.address)]


def test_list_market__by_the_owner__is_listed(deployment: Deployment, unlisted: str) -> None:
    factory = deployment.protocol.factory
    receipt = factory.list_market(unlisted, sender=deployment.roles.owner)
    assert receipt.events == listing(deployment, unlisted, True)
    assert factory.is_listed(unlisted)
    assert factory.was_listed(unlisted)


@pytest.mark.parametrize("role", OUTSIDERS)
def test_list_market__by_anyone_else__reverts(
    deployment: Deployment, unlisted: str, role: str
) -> None:
    factory = deployment.protocol.factory
    with reverts("ownable: caller is not the owner"):
        factory.list_market(unlisted, sender=getattr(deployment.roles, role))
    assert not factory.is_listed(unlisted)
    assert not factory.was_listed(unlisted)


def test_list_market__that_this_factory_did_not_make__reverts(deployment: Deployment) -> None:
    factory = deployment.protocol.factory
    for market in (NOBODY, deployment.roles.stranger, deployment.protocol.vault.address):
        with reverts("factory: unknown market"):
            factory.list_market(market, sender=deployment.roles.owner)
        assert not factory.is_listed(market)


@pytest.mark.parametrize("role", ["owner", "guardian"])
def test_delist_market__by_owner_or_guardian__keeps_that_it_was(
    deployment: Deployment, role: str
) -> None:
    factory, market = deployment.protocol.factory, deployment.protocol.market.address
    receipt = factory.delist_market(market, sender=getattr(deployment.roles, role))
    assert receipt.events == listing(deployment, market, False)
    assert not factory.is_listed(market)
    assert factory.was_listed(market)
    assert factory.is_market(market)
    # And back.
    factory.list_market(market, sender=deployment.roles.owner)
    assert factory.is_listed(market)


@pytest.mark.parametrize("role", [role for role in OUTSIDERS if role != "guardian"])
def test_delist_market__by_anyone_else__reverts(deployment: Deployment, role: str) -> None:
    factory, market = deployment.protocol.factory, deployment.protocol.market.address
    with reverts("factory: not owner or guardian"):
        factory.delist_market(market, sender=getattr(deployment.roles, role))
    assert factory.is_listed(market)


def test_delist_market__not_listed__reverts(deployment: Deployment, unlisted: str) -> None:
    factory = deployment.protocol.factory
    for market in (unlisted, NOBODY):
        with reverts("factory: not listed"):
            factory.delist_market(market, sender=deployment.roles.guardian)
