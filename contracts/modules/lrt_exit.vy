# pragma version 0.4.3
"""
@title The ways out of the LRT
@custom:contract-name lrt_exit
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The LRT becomes WETH by one of its own pools, or by instant redemption and the LST's pool.
@dev Every target is immutable. Amounts are what arrived, not what was asked for.
"""
from ethereum.ercs import IERC4626

from ..interfaces import ILendingMarket
from ..interfaces import ILRTVault
from ..interfaces import IRoute
from ..interfaces import ISidePocket
from ..interfaces import ISwap

# The tokens.
from . import lrt_entry
from . import token

uses: lrt_entry


SWAP: public(immutable(address))
# The zero address where there is none.
STABLE_SWAP: public(immutable(address))


@deploy
def __init__(swap: address, stable_swap: address):
    SWAP = swap
    STABLE_SWAP = stable_swap


@internal
@view
def _check_market(market: address) -> (address, uint256):
    """
    @notice One factory may list markets of other tokens, which these ways do not lead to.
    @return The market's oracle and threshold.
    """
    terms: ILendingMarket.Terms = staticcall ILendingMarket(market).terms()
    fits: bool = terms.collateral == lrt_entry.LRT and terms.loan == lrt_entry.WETH
    assert fits, "path: market of other tokens"
    return terms.oracle, terms.threshold


@internal
@view
def _seat(route: IRoute.Route) -> address:
    """@return Where LRT must lie to be sold on this route: with a pool's swap, or here to be redeemed."""
    if route == IRoute.Route.SWAP:
        return SWAP
    if route == IRoute.Route.STABLE:
        assert STABLE_SWAP != empty(address), "path: no such route"
        return STABLE_SWAP
    assert route == IRoute.Route.REDEEM, "path: no such route"
    return self


@internal
def _sell(amount: uint256, route: IRoute.Route, seller: address) -> uint256:
    """
    @param seller Who gets the claim that is left when an adapter of the vault is under quarantine.
    @return WETH received for LRT that this contract holds. The caller checks that it is enough.
    """
    seat: address = self._seat(route)
    if seat != self:
        token._push(lrt_entry.LRT, seat, amount)
    return self._sell_seated(amount, seat, seller)


@internal
def _sell_seated(amount: uint256, seat: address, seller: address) -> uint256:
    """@return WETH received for LRT that lies where `_seat` says."""
    if seat != self:
        return extcall ISwap(seat).swap(lrt_entry.LRT, lrt_entry.WETH, amount, 0, self)
    redeemed: uint256 = extcall IERC4626(lrt_entry.LRT).redeem(amount, self, self)
    leaves_claim: bool = staticcall ILRTVault(lrt_entry.LRT).had_quarantine()
    if leaves_claim:
        pocket: address = staticcall ILRTVault(lrt_entry.LRT).side_pocket()
        extcall ISidePocket(pocket).hand_over(seller)
    token._push(lrt_entry.LST, SWAP, redeemed)
    return extcall ISwap(SWAP).swap(lrt_entry.LST, lrt_entry.WETH, redeemed, 0, self)
