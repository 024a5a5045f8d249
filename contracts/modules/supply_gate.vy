# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Supply gate
@custom:contract-name supply_gate
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Tells a supply that grew faster than it may, whatever made it grow.
@dev Supplies in share units, times in seconds, ratios in WAD.
     An *accepted* supply follows the real one: up by at most a capacity a `GATE_WINDOW`, down by at most
     a capacity in `LONGEST_INTERVAL`. The level is what the supply has above the accepted one, and the
     gate is open while that is no more than the capacity: a share of the accepted supply, or the floor.
     Between two sights it moves only where both ends of the interval lie beyond it, and an interval
     counts for `LONGEST_INTERVAL` at most. So what comes and goes within a block moves nothing, for no
     time passes there; nor is a supply vouched for by a long time in which nobody looked. In `T`
     seconds, at most a window, the accepted supply grows by no more than
     capacity * x * (1 + GATE_SHARE * x), x = T / GATE_WINDOW, however often and whenever it is looked at.
     A fall is followed, so that leaving and coming again is growth; but not at once, or whoever can
     borrow the token for one transaction could shut the gate with it.
"""
from . import packing


WAD: constant(uint256) = 10**18
MAX_112: constant(uint256) = 2**112 - 1
MAX_32: constant(uint256) = 2**32 - 1
LONGEST_INTERVAL: constant(uint256) = 3_600
LONGEST_WINDOW: constant(uint256) = 365 * 86_400

# Least capacity, in share units.
GATE_FLOOR: public(immutable(uint256))
# Capacity as a share of the accepted supply, WAD.
GATE_SHARE: public(immutable(uint256))
# Seconds in which the accepted supply grows by a capacity.
GATE_WINDOW: public(immutable(uint256))

# Accepted supply, the supply last seen, and when.
_sight: uint256


@deploy
def __init__(least: uint256, share: uint256, window: uint256, supply: uint256):
    """
    @param least The floor: at least one whole share, so that rounding a step down costs nothing that counts.
    @param supply Accepted as it is.
    """
    assert WAD <= least and least <= MAX_112, "oracle: gate floor"
    assert share <= WAD, "oracle: gate share"
    assert LONGEST_INTERVAL <= window and window <= LONGEST_WINDOW, "oracle: gate window"
    GATE_FLOOR = least
    GATE_SHARE = share
    GATE_WINDOW = window
    self._note(supply, supply)


@internal
def _see(supply: uint256) -> (uint256, uint256):
    """@notice Note the supply as it is now. @return Level and capacity."""
    accepted: uint256 = self._accepted(supply)
    stored: uint256 = 0
    seen: uint256 = 0
    time: uint256 = 0
    stored, seen, time = packing._unpack_totals(self._sight)
    # While the supply is what it was and all of it is accepted, its time does not matter.
    if accepted != stored or supply != seen:
        self._note(accepted, supply)
    return self._measure(accepted, supply)


@internal
def _accept(supply: uint256, most: uint256) -> uint256:
    """@notice Take the supply for explained, at most this much of it. @return What is accepted now."""
    accepted: uint256 = max(self._accepted(supply), min(supply, most))
    self._note(accepted, supply)
    return accepted


@view
@internal
def _look(supply: uint256) -> (uint256, uint256):
    """@return Level and capacity as `_see` would return them now."""
    return self._measure(self._accepted(supply), supply)


@view
@internal
def _accepted(supply: uint256) -> uint256:
    """@notice The accepted supply that a sight of `supply` leaves now."""
    accepted: uint256 = 0
    seen: uint256 = 0
    time: uint256 = 0
    accepted, seen, time = packing._unpack_totals(self._sight)
    # The word has room for 32 bits of a time.
    elapsed: uint256 = (block.timestamp - time) & MAX_32
    step: uint256 = self._capacity(accepted) * min(elapsed, LONGEST_INTERVAL)
    lesser: uint256 = min(seen, supply)
    if accepted < lesser:
        return min(lesser, accepted + step // GATE_WINDOW)
    larger: uint256 = max(seen, supply)
    if accepted > larger:
        return max(larger, accepted - min(accepted, step // LONGEST_INTERVAL))
    return accepted


@view
@internal
def _measure(accepted: uint256, supply: uint256) -> (uint256, uint256):
    return supply - min(supply, accepted), self._capacity(accepted)


@view
@internal
def _capacity(accepted: uint256) -> uint256:
    return max(GATE_FLOOR, accepted * GATE_SHARE // WAD)


@internal
def _note(accepted: uint256, supply: uint256):
    """@dev A supply too wide for the word is noted as its largest; the level counts it whole."""
    self._sight = packing._pack_totals(
        min(accepted, MAX_112), min(supply, MAX_112), block.timestamp
    )
