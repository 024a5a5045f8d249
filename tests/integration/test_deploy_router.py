"""Router and venues in one call."""

import pytest

from relever.protocol import contract_address
from relever.venues import MOST, deploy_router
from relever.venues import MorphoMarket as Place
from tests.scene import reverts
from tests.venues import Morpho, Places


def place_of(places: Places) -> Place:
    morpho = places["morpho"]
    assert isinstance(morpho, Morpho)
    return Place(morpho.pool.address, morpho.market.parameters)


def test_deploy_router__most_venues__name_one_another(places: Places) -> None:
    protocol, owner = places.scene.protocol, places.scene.roles.owner
    router, venues = deploy_router(protocol, [place_of(places)] * MOST, owner)
    for name in ("FACTORY", "LRT", "LST", "STETH", "WETH", "SWAP", "STABLE_SWAP"):
        assert getattr(router, name)() == getattr(protocol.router, name)()
    assert len(venues) == MOST
    for venue in venues:
        assert venue.ROUTER() == router.address
        assert router.is_venue(venue.address) is True
        assert places.router.is_venue(venue.address) is False


def test_deploy_router__one_venue_too_many__raises(places: Places) -> None:
    protocol, owner = places.scene.protocol, places.scene.roles.owner
    before = contract_address(places.scene.chain, owner)
    with pytest.raises(ValueError, match="8 venues at most, not 9"):
        deploy_router(protocol, [place_of(places)] * (MOST + 1), owner)
    assert contract_address(places.scene.chain, owner) == before


def test_deploy_router__no_such_market__reverts(places: Places) -> None:
    known = place_of(places)
    loan, collateral, oracle, irm, lltv = known.parameters
    other = Place(known.morpho, (loan, collateral, oracle, irm, lltv + 1))
    with reverts("venue: no such market"):
        deploy_router(places.scene.protocol, [other], places.scene.roles.owner)
