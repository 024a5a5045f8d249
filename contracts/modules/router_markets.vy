# pragma version 0.4.3
"""
@title The markets that a router enters
@custom:contract-name router_markets
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Markets of the factory's list, and venues of other protocols that are named at creation.
"""
from ..interfaces import IForeignVenue
from ..interfaces import IMarketFactory


FACTORY: public(immutable(address))

# Other protocols' markets; set at creation.
is_venue: public(HashMap[address, bool])


@deploy
def __init__(factory: address, venues: DynArray[address, 8]):
    """@param venues Deployed before, with the address of this router, and used by no other."""
    FACTORY = factory
    for venue: address in venues:
        router: address = staticcall IForeignVenue(venue).ROUTER()
        assert router == self, "router: venue of another router"
        self.is_venue[venue] = True


@internal
@view
def _check_listed(market: address) -> bool:
    """@notice A position may be opened there. @return Whether it is a foreign venue."""
    listed: bool = staticcall IMarketFactory(FACTORY).is_listed(market)
    if listed:
        return False
    assert self.is_venue[market], "router: market not listed"
    return True


@internal
@view
def _check_known(market: address) -> bool:
    """@notice A position may be closed there. @return Whether it is a foreign venue."""
    known: bool = staticcall IMarketFactory(FACTORY).was_listed(market)
    if known:
        return False
    assert self.is_venue[market], "router: market never listed"
    return True
