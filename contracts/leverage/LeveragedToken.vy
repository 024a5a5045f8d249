# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title LeveragedToken
@custom:contract-name LeveragedToken
@license GNU Affero General Public License v3.0 only
@author Relever
@notice An ERC-20 that stands for a position in one lending market at a target leverage.
@dev The token owns the position, and what the market says of that is all that its shares are worth:
     gifts of collateral or repayment, interest, slashes and liquidations belong to all holders
     alike, and no balance is ever read. It has no owner and no setting.
     Minting and redeeming are in kind and proportional, so that they need no price and change no
     leverage; what is rounded stays with those who hold. Whoever moves leverage back toward its
     target is paid out of the equity, inside bounds: `rebalance_auction`.
     Failure mode: while the market does not lend (dead feed, no cash, a halt) nobody can mint, and
     leverage is not raised; redeeming and lowering leverage go on. With no equity left only
     redeeming does, until the market liquidates.
"""
# Not used but by `erc20`; the token has no owner.
from snekmate.auth import ownable

# The share token with permit. Left out: its public mint, burn, minter role and ownership, for
# shares come and go with the position only; its `totalSupply`, for `management_fee` counts the fee
# in.
from snekmate.tokens import erc20

from ..interfaces import IAdjustCallback
from ..interfaces import ILendingMarket
from ..interfaces import ILeveragedCallback
from ..interfaces import ILeveragedToken
from ..modules import leverage_maths
from ..modules import leverage_target
from ..modules import lrt_backing
from ..modules import management_fee
from ..modules import rebalance_auction
from ..modules import rebalance_trade
from ..modules import token

initializes: ownable
initializes: erc20[ownable := ownable]
initializes: management_fee[erc20 := erc20]
# What the collateral is worth.
initializes: lrt_backing
# Where leverage is to be, and what it costs to get there.
initializes: leverage_target
initializes: rebalance_auction
initializes: rebalance_trade[
    leverage_target := leverage_target, rebalance_auction := rebalance_auction
]

implements: ILeveragedToken
implements: IAdjustCallback

exports: (
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.balanceOf,
    erc20.allowance,
    erc20.nonces,
    erc20.transfer,
    erc20.transferFrom,
    erc20.approve,
    erc20.permit,
    erc20.DOMAIN_SEPARATOR,
    management_fee.totalSupply,
    management_fee.accrue_fee,
    leverage_target.band,
    leverage_target.last_checkpoint,
    rebalance_auction.auction_started,
    rebalance_auction.faded_loss,
)


WAD: constant(uint256) = 10**18
E36: constant(uint256) = 10**36
# Of debt shares, beside the market's million virtual ones.
DEBT_SCALE: constant(uint256) = 10**24
VIRTUAL_SHARES: constant(uint256) = 10**6
# Stands for all that a rebalance may move.
MOST: constant(uint256) = 2**255
# Shares that nobody can redeem: the token is never empty, and a unit of rounding is never worth
# anything.
MIN_SEED: constant(uint256) = 10**16
DEAD: constant(address) = 0x000000000000000000000000000000000000dEaD

MARKET: immutable(address)
LRT: immutable(address)
WETH: immutable(address)
TERMS: immutable(ILeveragedToken.Terms)

# Who is dealt with in the running call, and answers for what the market pulls in.
_counterparty: transient(address)


@deploy
def __init__(
    market_: address,
    name: String[25],
    symbol: String[5],
    terms_: ILeveragedToken.Terms,
    seed: uint256,
):
    """
    @param market_ Has at least so much to lend as the seed borrows, and that is its minimum debt or
                   more.
    @param seed LRT that the deployer pays; it has approved this address before it exists, and gets
                the WETH that is borrowed. The shares are nobody's.
    """
    of_market: ILendingMarket.Terms = staticcall ILendingMarket(market_).terms()
    MARKET = market_
    LRT = of_market.collateral
    WETH = of_market.loan
    TERMS = terms_
    opens: bool = terms_.target * (WAD - of_market.max_ltv) <= WAD * WAD
    assert opens, "token: target above market's"
    acts: bool = terms_.danger * (WAD - of_market.threshold) < WAD * WAD
    assert acts, "token: danger above market's"

    ownable.__init__()
    erc20.__init__(name, symbol, 18, name, "1")
    management_fee.__init__(terms_.fee, terms_.fee_receiver)
    lrt_backing.__init__(of_market.collateral)
    rebalance_auction.__init__(terms_)
    rebalance_trade.__init__(of_market.oracle, terms_.danger)
    price: uint256 = lrt_backing._live()
    leverage_target.__init__(terms_, lrt_backing._booked(), self._debt_share())

    worth: uint256 = seed * price // E36
    borrowed: uint256 = worth * (terms_.target - WAD) // terms_.target
    assert worth - borrowed >= MIN_SEED, "token: seed"
    token._pull(LRT, msg.sender, seed)
    token._approve(LRT, MARKET, seed)
    extcall ILendingMarket(MARKET).adjust(
        self, convert(seed, int256), convert(borrowed, int256), msg.sender
    )
    erc20._mint(DEAD, worth - borrowed)


# In and out


@external
def mint(
    shares: uint256,
    max_collateral: uint256,
    min_debt: uint256,
    receiver: address,
    data: Bytes[896] = b"",
) -> (uint256, uint256):
    """@notice See `ILeveragedToken`."""
    management_fee._accrue()
    paid: uint256 = 0
    borrowed: uint256 = 0
    paid, borrowed = self._to_mint(shares)
    assert paid <= max_collateral, "token: too much to pay"
    assert borrowed >= min_debt, "token: too little out"
    self._adjust(convert(paid, int256), convert(borrowed, int256), data)
    erc20._mint(receiver, shares)
    log ILeveragedToken.Minted(
        caller=msg.sender, receiver=receiver, shares=shares, collateral=paid, debt=borrowed
    )
    return paid, borrowed


@external
def redeem(
    shares: uint256,
    max_debt: uint256,
    min_collateral: uint256,
    owner: address,
    data: Bytes[896] = b"",
) -> (uint256, uint256):
    """@notice See `ILeveragedToken`."""
    management_fee._accrue()
    received: uint256 = 0
    repaid: uint256 = 0
    received, repaid = self._to_redeem(shares)
    assert repaid <= max_debt, "token: too much to pay"
    assert received >= min_collateral, "token: too little out"
    if owner != msg.sender:
        erc20._spend_allowance(owner, msg.sender, shares)
    erc20._burn(owner, shares)
    self._adjust(-convert(received, int256), -convert(repaid, int256), data)
    log ILeveragedToken.Redeemed(
        caller=msg.sender, owner=owner, shares=shares, collateral=received, debt=repaid
    )
    return received, repaid


# Back to the target


@external
def start_auction():
    """@notice See `ILeveragedToken`."""
    worth: uint256 = 0
    debt: uint256 = 0
    worth, debt = self._valued()
    least: uint256 = 0
    target: uint256 = 0
    most: uint256 = 0
    least, target, most = leverage_target._band()
    lowers: bool = leverage_maths._is_above(worth, debt, most)
    raises: bool = leverage_maths._is_below(worth, debt, least)
    assert lowers or raises, "token: leverage in band"
    rebalance_auction._start(lowers)


@external
def rebalance(
    lowers: bool, amount: uint256, min_price: uint256, data: Bytes[896] = b""
) -> (uint256, uint256):
    """@notice See `ILeveragedToken`."""
    collateral: uint256 = 0
    debt: uint256 = 0
    collateral, debt = staticcall ILendingMarket(MARKET).position(self)
    backing: uint256 = lrt_backing._live()
    trade: rebalance_trade.Trade = rebalance_trade._trade(
        lowers, amount, collateral, debt, backing
    )
    assert trade.got != 0, "token: nothing to do"
    assert trade.price >= min_price, "token: price below bound"
    rebalance_auction._count(trade.paid)
    collateral_after: uint256 = 0
    debt_after: uint256 = 0
    if lowers:
        collateral_after, debt_after = self._adjust(
            -convert(trade.got, int256), -convert(trade.brought, int256), data
        )
    else:
        collateral_after, debt_after = self._adjust(
            convert(trade.brought, int256), convert(trade.got, int256), data
        )
    rebalance_trade._check_moved(lowers, collateral, debt, collateral_after, debt_after, backing)
    log ILeveragedToken.Rebalanced(
        taker=msg.sender,
        lowers=lowers,
        collateral=trade.got if lowers else trade.brought,
        debt=trade.brought if lowers else trade.got,
        bid=trade.bid,
    )
    return trade.brought, trade.got


@external
def checkpoint():
    """@notice See `ILeveragedToken`."""
    collateral: uint256 = lrt_backing._booked()
    debt: uint256 = self._debt_share()
    leverage_target._look(collateral, debt)


@external
@reentrant
def on_adjust(
    owner: address, collateral_delta: int256, debt_delta: int256, data: Bytes[1024]
) -> uint256:
    """@notice Let the one who is dealt with have its turn, and send the market what it owes."""
    counterparty: address = self._counterparty
    called: bool = msg.sender == MARKET and counterparty != empty(address)
    assert called, "token: not the market's turn"
    passed: Bytes[896] = abi_decode(data, Bytes[896])
    if len(passed) != 0:
        extcall ILeveragedCallback(counterparty).on_leveraged(
            collateral_delta, debt_delta, passed
        )
    token._move(WETH, counterparty, MARKET, convert(max(-debt_delta, 0), uint256))
    token._move(LRT, counterparty, MARKET, convert(max(collateral_delta, 0), uint256))
    # The market counts what was sent, and pulls nothing.
    return 0


# Views


@view
@external
@reentrant
def market() -> address:
    """@notice The market that the position is in."""
    return MARKET


@view
@external
@reentrant
def terms() -> ILeveragedToken.Terms:
    """@notice What never changes."""
    return TERMS


@view
@external
def leverage() -> uint256:
    """@notice See `ILeveragedToken`."""
    worth: uint256 = 0
    debt: uint256 = 0
    worth, debt = self._valued()
    return leverage_maths._leverage_down(worth, debt)


@view
@external
def equity() -> uint256:
    """@notice See `ILeveragedToken`."""
    worth: uint256 = 0
    debt: uint256 = 0
    worth, debt = self._valued()
    return worth - min(worth, debt)


@view
@external
def auction() -> ILeveragedToken.Auction:
    """@notice See `ILeveragedToken`."""
    collateral: uint256 = 0
    debt: uint256 = 0
    collateral, debt = staticcall ILendingMarket(MARKET).position(self)
    backing: uint256 = lrt_backing._live()
    worth: uint256 = collateral * backing // E36
    least: uint256 = 0
    target: uint256 = 0
    most: uint256 = 0
    least, target, most = leverage_target._band()
    lowers: bool = leverage_maths._is_above(worth, debt, most)
    if worth <= debt or len(rebalance_trade._refusal(lowers, worth, debt)) != 0:
        return empty(ILeveragedToken.Auction)
    trade: rebalance_trade.Trade = rebalance_trade._trade(
        lowers, MOST, collateral, debt, backing
    )
    return ILeveragedToken.Auction(
        is_open=True, lowers=lowers, bid=trade.bid, price=trade.price, most=trade.brought
    )


@view
@external
def quote_rebalance(lowers: bool, amount: uint256) -> (uint256, uint256):
    """@notice See `ILeveragedToken`."""
    collateral: uint256 = 0
    debt: uint256 = 0
    collateral, debt = staticcall ILendingMarket(MARKET).position(self)
    backing: uint256 = lrt_backing._live()
    trade: rebalance_trade.Trade = rebalance_trade._trade(
        lowers, amount, collateral, debt, backing
    )
    assert trade.got != 0, "token: nothing to do"
    return trade.brought, trade.got


@view
@external
def preview_mint(shares: uint256) -> (uint256, uint256):
    """@notice See `ILeveragedToken`."""
    return self._to_mint(shares)


@view
@external
def preview_redeem(shares: uint256) -> (uint256, uint256):
    """@notice See `ILeveragedToken`."""
    return self._to_redeem(shares)


# Steps


@internal
@view
def _to_mint(shares: uint256) -> (uint256, uint256):
    """
    @return LRT to pay, and WETH to be had.
    @dev The market may count a unit more than it lends. With one less, debt per share is never
         higher afterwards.
    """
    assert shares != 0, "token: zero shares"
    collateral: uint256 = 0
    debt: uint256 = 0
    collateral, debt = staticcall ILendingMarket(MARKET).position(self)
    # Shares of nothing would cost nothing.
    assert collateral != 0, "token: no collateral"
    supply: uint256 = management_fee._supply()
    paid: uint256 = leverage_maths._part_up(collateral, shares, supply)
    borrowed: uint256 = leverage_maths._part_down(debt, shares, supply)
    return paid, borrowed - min(borrowed, 1)


@internal
@view
def _to_redeem(shares: uint256) -> (uint256, uint256):
    """
    @return LRT to be had, and WETH to repay.
    @dev Of a repayment the market may let a unit count for nothing. With one more, debt per
         collateral is never higher afterwards, and the market asks for no price.
    """
    assert shares != 0, "token: zero shares"
    collateral: uint256 = 0
    debt: uint256 = 0
    collateral, debt = staticcall ILendingMarket(MARKET).position(self)
    supply: uint256 = management_fee._supply()
    repaid: uint256 = min(debt, leverage_maths._part_up(debt, shares, supply) + 1)
    return leverage_maths._part_down(collateral, shares, supply), repaid


@internal
def _adjust(
    collateral_delta: int256, debt_delta: int256, data: Bytes[896]
) -> (uint256, uint256):
    """
    @notice Change the position with the caller at the other side. @return Collateral and debt.
    """
    collateral: uint256 = 0
    debt: uint256 = 0
    self._counterparty = msg.sender
    collateral, debt = extcall ILendingMarket(MARKET).adjust(
        self, collateral_delta, debt_delta, msg.sender, abi_encode(data)
    )
    self._counterparty = empty(address)
    return collateral, debt


@internal
@view
def _valued() -> (uint256, uint256):
    """@return Worth of the collateral, rounded down, and debt."""
    collateral: uint256 = 0
    debt: uint256 = 0
    collateral, debt = staticcall ILendingMarket(MARKET).position(self)
    return collateral * lrt_backing._live() // E36, debt


@internal
@view
def _debt_share() -> uint256:
    """@return What a debt share owes now, in WETH scaled by 1e24."""
    state: ILendingMarket.State = staticcall ILendingMarket(MARKET).state()
    return (state.borrow_assets + 1) * DEBT_SCALE // (state.borrow_shares + VIRTUAL_SHARES)
