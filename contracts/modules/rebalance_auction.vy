# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Auction of a rebalance
@custom:contract-name rebalance_auction
@license GNU Affero General Public License v3.0 only
@author Relever
@notice What a taker is paid: it begins below nothing and rises along a line, stays as long at its
        most, and lapses; in danger it is more, at once. And how much of the equity may be paid in
        all.
@dev What was paid is counted as a share of the equity it was paid from, and fades: the limit of an
     auction within each cooldown. So whatever triggers rebalances, and however they are split, no
     more is lost at once than the limit, nor in any time of n cooldowns than it and n times that of
     an auction. Bids are what a taker gets for what it brings, both by worth; shares and bids in
     WAD, time in seconds.
"""
from ..interfaces import ILeveragedToken


WAD: constant(uint256) = 10**18
MAX_64: constant(uint256) = 2**64 - 1
MAX_128: constant(uint256) = 2**128 - 1
MAX_DISCOUNT: constant(uint256) = 2 * 10**16
MAX_PAY: constant(uint256) = 5 * 10**16
MAX_LOSS: constant(uint256) = 10**17
MIN_TIME: constant(uint256) = 600
MAX_TIME: constant(uint256) = 30 * 86_400

START_DISCOUNT: immutable(uint256)
PAY: immutable(uint256)
DANGER_PAY: immutable(uint256)
DURATION: immutable(uint256)
LOSS: immutable(uint256)
DANGER_LOSS: immutable(uint256)
COOLDOWN: immutable(uint256)

# Start in the lower 64 bits, 1 above them where leverage is to fall; 0 where none was started.
_auction: uint256
# Share of the equity paid and not faded at a time, and that time above 128 bits.
_paid: uint256


@deploy
def __init__(terms: ILeveragedToken.Terms):
    assert terms.start_discount <= MAX_DISCOUNT, "token: start discount"
    assert terms.max_pay <= terms.danger_pay and terms.danger_pay <= MAX_PAY, "token: pay"
    assert terms.max_loss <= terms.danger_loss and terms.danger_loss <= MAX_LOSS, "token: loss"
    assert MIN_TIME <= terms.duration and terms.duration <= MAX_TIME, "token: duration"
    assert MIN_TIME <= terms.cooldown and terms.cooldown <= MAX_TIME, "token: cooldown"
    START_DISCOUNT = terms.start_discount
    PAY = terms.max_pay
    DANGER_PAY = terms.danger_pay
    DURATION = terms.duration
    LOSS = terms.max_loss
    DANGER_LOSS = terms.danger_loss
    COOLDOWN = terms.cooldown


@view
@external
def auction_started() -> (uint256, bool):
    """@notice See `ILeveragedToken`."""
    return self._auction & MAX_64, self._auction >> 64 != 0


@view
@external
def faded_loss() -> uint256:
    """@notice See `ILeveragedToken`."""
    return self._counted()


@internal
def _start(lowers: bool):
    assert not self._runs(lowers), "token: auction runs"
    self._auction = block.timestamp | (convert(lowers, uint256) << 64)
    log ILeveragedToken.AuctionStarted(lowers=lowers)


@internal
def _stop():
    self._auction = 0


@internal
@view
def _runs(lowers: bool) -> bool:
    word: uint256 = self._auction
    since: uint256 = block.timestamp - (word & MAX_64)
    return word != 0 and (word >> 64 != 0) == lowers and since < 2 * DURATION


@internal
@view
def _bid(in_danger: bool) -> uint256:
    """@notice What is bid now. Of an auction that runs, unless in danger."""
    if in_danger:
        return WAD + DANGER_PAY
    since: uint256 = min(block.timestamp - (self._auction & MAX_64), DURATION)
    return WAD - START_DISCOUNT + (START_DISCOUNT + PAY) * since // DURATION


@internal
@view
def _left(in_danger: bool) -> uint256:
    """@notice Share of the equity that may still be paid."""
    limit: uint256 = DANGER_LOSS if in_danger else LOSS
    return limit - min(limit, self._counted())


@internal
def _count(share: uint256):
    """@notice So much of the equity was paid now."""
    self._paid = (self._counted() + share) | (block.timestamp << 128)


@internal
@view
def _counted() -> uint256:
    paid: uint256 = self._paid & MAX_128
    return paid - min(paid, LOSS * (block.timestamp - (self._paid >> 128)) // COOLDOWN)
