# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title What a rebalance moves
@custom:contract-name rebalance_trade
@license GNU Affero General Public License v3.0 only
@author Relever
@notice What a taker is served now, at what price, and how much of it; and that it went the right
        way.
@dev Collateral and debt in units, their prices scaled by 1e36, leverage, bids and shares of the
     equity in WAD. Leverage falls at what backs the LRT, with no oracle. It rises at the market's
     price where that is lower: LRT that fetches less elsewhere is not bought for more.
"""
from ..interfaces import IMarketPrice
from . import leverage_maths
from . import leverage_target
from . import rebalance_auction

uses: leverage_target
uses: rebalance_auction


# What the taker brings and gets, how they are priced, and what it takes off the equity.
struct Trade:
    brought: uint256
    got: uint256
    bid: uint256
    price: uint256
    paid: uint256


WAD: constant(uint256) = 10**18
E36: constant(uint256) = 10**36
E54: constant(uint256) = 10**54

ORACLE: immutable(address)
DANGER: immutable(uint256)


@deploy
def __init__(oracle: address, danger: uint256):
    """@param danger Leverage in WAD."""
    ORACLE = oracle
    DANGER = danger


@internal
@view
def _refusal(lowers: bool, worth: uint256, debt: uint256) -> String[32]:
    """@return Why there is no rebalance this way now; empty where there is."""
    if lowers and leverage_maths._is_above(worth, debt, DANGER):
        return ""
    least: uint256 = 0
    target: uint256 = 0
    most: uint256 = 0
    least, target, most = leverage_target._band()
    out: bool = leverage_maths._is_below(worth, debt, least)
    if lowers:
        out = leverage_maths._is_above(worth, debt, most)
    if not out:
        return "token: leverage in band"
    return "" if rebalance_auction._runs(lowers) else "token: no auction"


@internal
@view
def _trade(
    lowers: bool, amount: uint256, collateral: uint256, debt: uint256, backing: uint256
) -> Trade:
    """@return What a taker who brings at most `amount` would be served now."""
    worth: uint256 = collateral * backing // E36
    refusal: String[32] = self._refusal(lowers, worth, debt)
    assert len(refusal) == 0, refusal
    assert worth > debt, "token: no equity"
    in_danger: bool = lowers and leverage_maths._is_above(worth, debt, DANGER)
    least: uint256 = 0
    target: uint256 = 0
    upper: uint256 = 0
    least, target, upper = leverage_target._band()
    # The higher pay leads out of danger only: the rest of the way is the auction's.
    aim: uint256 = upper if in_danger else target
    trade: Trade = empty(Trade)
    trade.bid = rebalance_auction._bid(in_danger)
    most: uint256 = 0
    if lowers:
        trade.bid = min(trade.bid, leverage_maths._helping_bid(worth, debt))
        trade.price = trade.bid * E54 // backing
        most = leverage_maths._most_repaid_down(worth, debt, backing, aim, trade.bid)
    else:
        # What is bought with new debt is bought at the price that debt is given by.
        market_price: uint256 = staticcall IMarketPrice(ORACLE).price()
        trade.price = min(market_price, backing) * trade.bid // WAD
        most = leverage_maths._most_added_down(worth, debt, backing, aim, trade.bid)
    if trade.bid > WAD:
        left: uint256 = rebalance_auction._left(in_danger)
        payout: uint256 = left * (worth - debt) // (trade.bid - WAD)
        most = min(most, payout if lowers else payout * E36 // backing)
    trade.brought = min(amount, most)
    trade.got = trade.brought * trade.price // E36
    lost: uint256 = 0
    if lowers:
        given: uint256 = (trade.got * backing + E36 - 1) // E36
        lost = given - min(given, trade.brought)
    else:
        lost = trade.got - min(trade.got, trade.brought * backing // E36)
    trade.paid = leverage_maths._part_up(lost, WAD, worth - debt)
    return trade


@internal
def _check_moved(
    lowers: bool,
    collateral_before: uint256,
    debt_before: uint256,
    collateral: uint256,
    debt: uint256,
    backing: uint256,
):
    """
    @notice Toward the target and not past it, whatever came before; in the band the auction is
            over.
    """
    worth: uint256 = collateral * backing // E36
    least: uint256 = 0
    target: uint256 = 0
    most: uint256 = 0
    least, target, most = leverage_target._band()
    before: uint256 = debt_before * collateral
    after: uint256 = debt * collateral_before
    toward: bool = after < before if lowers else after > before
    assert toward, "token: wrong way"
    past: bool = leverage_maths._is_above(worth, debt, target)
    if lowers:
        past = leverage_maths._is_below(worth, debt, target)
    assert not past, "token: past the target"
    above: bool = leverage_maths._is_above(worth, debt, most)
    if not above and not leverage_maths._is_below(worth, debt, least):
        rebalance_auction._stop()
