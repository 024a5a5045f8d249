# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title MarketFactory
@custom:contract-name MarketFactory
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Anyone creates a market from the blueprint; terms that cannot work are refused here, once for
        all, since a market's terms never change. The owner lists where the router may open positions
        and sets every market's caps and fee, the guardian delists and lowers caps.
"""
from ethereum.ercs import IERC20Detailed

# Ownership in two steps. Left out: renouncing it, for markets would be left without caps.
from snekmate.auth import ownable
from snekmate.auth import ownable_2step

from ..interfaces import ILendingMarket
from ..interfaces import IMarketFactory
from ..interfaces import IOracleAdapter

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

WAD: constant(uint256) = 10**18
MAX_DECIMALS: constant(uint256) = 18
# Widths of the market's packed words.
MAX_112: constant(uint256) = 2**112 - 1
MAX_PRICE: constant(uint256) = 2**140
# A whole collateral token is worth from a millionth to a million whole loan tokens: what lies outside
# comes from decimals that were forgotten. Scaled like a price, by 1e36.
LEAST_WORTH: constant(uint256) = 10**30
MOST_WORTH: constant(uint256) = 10**42

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
    self._check_terms(terms)
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


@view
@internal
def _check_terms(terms: ILendingMarket.Terms):
    """
    @dev With (1 + max bonus) * threshold < 1 a liquidation at the threshold leaves the position less in
         debt for its collateral than before, and so does every part of one; with a target above
         (1 + max bonus) * threshold a part exists that reaches it.
    """
    assert terms.loan != terms.collateral, "factory: same token"
    assert 0 < terms.max_ltv and terms.max_ltv < terms.threshold, "factory: max ltv"
    assert terms.base_bonus <= terms.max_bonus, "factory: base bonus"
    assert terms.threshold < WAD and terms.max_bonus < WAD, "factory: threshold"
    paid: uint256 = (WAD + terms.max_bonus) * terms.threshold
    assert paid < WAD * WAD, "factory: threshold"
    assert WAD < terms.target_health and terms.target_health < 2 * WAD, "factory: target health"
    assert 0 < terms.min_debt and terms.min_debt < MAX_112, "factory: minimum debt"
    # A whole debt is not a share.
    deleverages: bool = 0 < terms.deleverage_share and terms.deleverage_share < WAD
    assert deleverages, "factory: deleverage share"
    self._check_price(terms)


@view
@internal
def _check_price(terms: ILendingMarket.Terms):
    loan_decimals: uint8 = staticcall IERC20Detailed(terms.loan).decimals()
    collateral_decimals: uint8 = staticcall IERC20Detailed(terms.collateral).decimals()
    decimals: uint256 = convert(max(loan_decimals, collateral_decimals), uint256)
    assert decimals <= MAX_DECIMALS, "factory: token decimals"
    price: uint256 = staticcall IOracleAdapter(terms.oracle).fundamental()
    assert price < MAX_PRICE, "factory: oracle price"
    worth: uint256 = price * 10 ** convert(collateral_decimals, uint256)
    unit: uint256 = 10 ** convert(loan_decimals, uint256)
    sane: bool = LEAST_WORTH * unit <= worth and worth <= MOST_WORTH * unit
    assert sane, "factory: oracle price"
