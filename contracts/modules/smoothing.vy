# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Smoothed discount
@custom:contract-name smoothing
@license GNU Affero General Public License v3.0 only
@author Relever
@notice How far the market is below fundamental, followed slowly down and at once up; and whether it
        has been far below for so long that fundamental is no longer believed.
@dev Discounts in WAD, times in seconds. Only what a poke saw with a usable feed counts.
     The first poke that sees a discount deeper than the smoothed one only arms the clock; later ones
     deepen that by the speed times what has passed since the last that saw it too, a deeper one by
     however little, and at most `MAX_GAP`. A recovery passes at once.
     A smoothed discount of at least `DEEP_DISCOUNT` is deep. The deep time is what passed between two
     pokes that both left it deep, again at most `MAX_GAP` of it, so that a long time in which nobody
     looked proves nothing; a poke that leaves it shallower sets the deep time to zero. At
     `LASTING_TIME` the discount lasts.
     An unusable feed changes none of this, and neither does a replacement of the feed but that the
     clocks must be armed anew: no interval counts that two feeds have seen one end of each.
"""
from ..interfaces import IOracleAdapter


struct Smoothing:
    discount: uint256
    # Time of the last poke that saw a discount deeper than the smoothed one; 0 when the last saw none.
    armed_at: uint256
    # Time of the last poke that left the smoothed discount deep; 0 when the last did not. It stands
    # still once the discount lasts.
    deep_at: uint256
    deep_time: uint256


WAD: constant(uint256) = 10**18
MAX_40: constant(uint256) = 2**40 - 1
MAX_64: constant(uint256) = 2**64 - 1
LEAST_LASTING: constant(uint256) = 86_400
LONGEST_LASTING: constant(uint256) = 365 * 86_400

# How fast the smoothed discount may deepen, WAD per second, and for how long one poke counts.
DISCOUNT_SPEED: public(immutable(uint256))
MAX_GAP: public(immutable(uint256))
# From where a discount is deep, WAD, and when it lasts.
DEEP_DISCOUNT: public(immutable(uint256))
LASTING_TIME: public(immutable(uint256))

# From the low end: discount 64 | armed_at 40 | deep_at 40 | deep_time 40.
_smoothing: uint256


@deploy
def __init__(speed: uint256, max_gap: uint256, deep: uint256, lasting: uint256):
    """@param deep The whole price when no discount is to last."""
    assert speed <= WAD, "oracle: discount speed"
    assert 0 < deep and deep <= WAD, "oracle: deep discount"
    assert LEAST_LASTING <= lasting and lasting <= LONGEST_LASTING, "oracle: lasting time"
    DISCOUNT_SPEED = speed
    MAX_GAP = max_gap
    DEEP_DISCOUNT = deep
    LASTING_TIME = lasting


@internal
def _see(raw: uint256) -> Smoothing:
    """@notice A poke sees a discount of the market to fundamental. @return What that leaves."""
    before: Smoothing = self._unpack()
    after: Smoothing = self._follow(before, raw)
    if after.discount != before.discount:
        log IOracleAdapter.Poked(discount=after.discount)
    lasts: bool = self._lasts(after)
    if lasts != self._lasts(before):
        log IOracleAdapter.Lasting(lasts=lasts)
    self._pack(after)
    return after


@view
@internal
def _look(raw: uint256) -> Smoothing:
    """@return What `_see` would leave now."""
    return self._follow(self._unpack(), raw)


@internal
def _disarm():
    """@notice Let both clocks be armed anew; what they have counted stands."""
    state: Smoothing = self._unpack()
    state.armed_at = 0
    state.deep_at = 0
    self._pack(state)


@view
@internal
def _lasts(state: Smoothing) -> bool:
    return state.deep_time == LASTING_TIME


@view
@internal
def _follow(before: Smoothing, raw: uint256) -> Smoothing:
    after: Smoothing = before
    if raw <= before.discount:
        after.discount = raw
        after.armed_at = 0
    else:
        after.discount = min(raw, before.discount + DISCOUNT_SPEED * self._since(before.armed_at))
        after.armed_at = block.timestamp
    if after.discount < DEEP_DISCOUNT:
        after.deep_at = 0
        after.deep_time = 0
    elif before.deep_time < LASTING_TIME:
        after.deep_time = min(LASTING_TIME, before.deep_time + self._since(before.deep_at))
        after.deep_at = block.timestamp
    return after


@view
@internal
def _since(time: uint256) -> uint256:
    """@notice The seconds that count since the clock was armed, none when it was not."""
    if time == 0:
        return 0
    return min(block.timestamp - time, MAX_GAP)


@view
@internal
def _unpack() -> Smoothing:
    word: uint256 = self._smoothing
    return Smoothing(
        discount=word & MAX_64,
        armed_at=(word >> 64) & MAX_40,
        deep_at=(word >> 104) & MAX_40,
        deep_time=word >> 144,
    )


@internal
def _pack(state: Smoothing):
    self._smoothing = (
        state.discount
        | (state.armed_at << 64)
        | (state.deep_at << 104)
        | (state.deep_time << 144)
    )
