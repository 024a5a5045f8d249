# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title MarketFactory
@custom:contract-name MarketFactory
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Anyone creates a market from the blueprint; the market itself refuses terms that cannot work.
        The owner lists where the router may open positions and sets every market's caps and fee, the
        guardian delists and lowers caps.
"""
# Ownership in two steps. Left out: renouncing it, for markets would be left without caps.
from snekmate.auth import ownable
from snekmate.auth import ownable_2step

from ..interfaces import ILendingMarket
from ..interfaces import IMarketFactory

initializes: ownable
initializes: ownable_2step[ownable := ownable]

implements: IMarketFactory

exports: (
    ownable_2step.owner,
    ownable_2step.pending_owner,
    ownable_2step.transfer_ownership,
    ownable_2step.accept_ownership,
)


# ERC-5202: the bytes 0xFE7100 come before a blueprint's code.
PREAMBLE: constant(uint256) = 3

BLUEPRINT: public(immutable(address))

guardian: public(address)
is_market: public(HashMap[address, bool])
is_listed: public(HashMap[address, bool])
# Stays true after a delisting.
was_listed: public(HashMap[address, bool])


@deploy
def __init__(blueprint: address, guardian: address):
    """@notice The deployer owns the factory."""
    ownable.__init__()
    ownable_2step.__init__()
    BLUEPRINT = blueprint
    self._set_guardian(guardian)


@external
def create_market(terms: ILendingMarket.Terms, name: String[32], symbol: String[16]) -> address:
    """@notice See `IMarketFactory`. A new market has caps of zero and is not listed."""
    market: address = create_from_blueprint(
        BLUEPRINT, self, terms, name, symbol, code_offset=PREAMBLE
    )
    self.is_market[market] = True
    log IMarketFactory.MarketCreated(market=market, creator=msg.sender)
    return market


@external
def list_market(market: address):
    """@notice Let the router open positions at a market of this factory. Owner only."""
    ownable._check_owner()
    assert self.is_market[market], "factory: unknown market"
    self.is_listed[market] = True
    self.was_listed[market] = True
    log IMarketFactory.ListingSet(market=market, listed=True)


@external
def delist_market(market: address):
    """@notice Owner or guardian. Opening stops; closing and liquidating go on."""
    allowed: bool = msg.sender in [ownable.owner, self.guardian]
    assert allowed, "factory: not owner or guardian"
    assert self.is_listed[market], "factory: not listed"
    self.is_listed[market] = False
    log IMarketFactory.ListingSet(market=market, listed=False)


@external
def set_guardian(guardian: address):
    """@notice Owner only."""
    ownable._check_owner()
    self._set_guardian(guardian)


@internal
def _set_guardian(guardian: address):
    assert guardian != empty(address), "factory: guardian"
    self.guardian = guardian
    log IMarketFactory.GuardianSet(guardian=guardian)
