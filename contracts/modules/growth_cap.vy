# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Growth cap
@custom:contract-name growth_cap
@license GNU Affero General Public License v3.0 only
@author Relever
@notice Bounds a price from above by a checkpoint that grows by so much a year. Anyone proposes the
        next checkpoint, and anyone promotes it a day later.
@dev Prices scaled by 1e36, times in seconds. Ratio and time of a checkpoint always move together.
"""
from ..interfaces import IOracleAdapter


WAD: constant(uint256) = 10**18
YEAR: constant(uint256) = 365 * 86_400
# A proposal must stand this long before it is promoted, and is void after twice that.
CHECKPOINT_DELAY: constant(uint256) = 86_400
MAX_216: constant(uint256) = 2**216 - 1

# Most growth since the checkpoint, WAD per year.
MAX_GROWTH: public(immutable(uint256))

# Checkpoints: ratio 216 | time 40, from the low end.
_checkpoint: uint256
_proposal: uint256


@deploy
def __init__(max_growth: uint256, ratio: uint256):
    """@param ratio The first checkpoint's."""
    assert max_growth <= WAD, "oracle: max growth"
    MAX_GROWTH = max_growth
    self._checkpoint = self._pack(ratio, block.timestamp)
    log IOracleAdapter.CheckpointPromoted(ratio=ratio, time=block.timestamp)


@view
@external
def checkpoint_ratio() -> uint256:
    """@notice Base of the cap, a price."""
    return self._ratio(self._checkpoint)


@view
@external
def checkpoint_time() -> uint256:
    """@notice Since when the base grows."""
    return self._time(self._checkpoint)


@view
@external
def proposed_ratio() -> uint256:
    """@notice The last proposal's price."""
    return self._ratio(self._proposal)


@view
@external
def proposed_time() -> uint256:
    """@notice When it was proposed; 0 when there is none to promote."""
    return self._time(self._proposal)


@internal
def _propose(price: uint256):
    """
    @notice Propose the present price, under the cap, or a cap 1 % lower than now where that is more;
            one proposal stands at a time.
    @dev A checkpoint taken in a dip must not hold the price down when the dip is over; after a lasting
         loss the cap follows by 1 % a day.
    """
    pending: bool = block.timestamp < self._time(self._proposal) + 2 * CHECKPOINT_DELAY
    assert not pending, "oracle: proposal pending"
    cap: uint256 = self._cap()
    ratio: uint256 = max(min(price, cap), cap - cap // 100)
    self._proposal = self._pack(ratio, block.timestamp)
    log IOracleAdapter.CheckpointProposed(ratio=ratio)


@internal
def _promote(price: uint256):
    """
    @notice Make the standing proposal the cap's base, dated when it was proposed.
    @dev It was under the cap when it was proposed, so that ratio and time move together along a path
         that was allowed. One that would cut the present price is refused.
    """
    ratio: uint256 = self._ratio(self._proposal)
    proposed: uint256 = self._time(self._proposal)
    assert proposed != 0, "oracle: no proposal"
    assert block.timestamp >= proposed + CHECKPOINT_DELAY, "oracle: proposal too young"
    assert block.timestamp < proposed + 2 * CHECKPOINT_DELAY, "oracle: proposal expired"
    before: uint256 = min(price, self._cap())
    self._checkpoint = self._proposal
    # The ratio stays readable.
    self._proposal = ratio
    assert self._cap() >= before, "oracle: checkpoint cuts price"
    log IOracleAdapter.CheckpointPromoted(ratio=ratio, time=proposed)


@view
@internal
def _cap() -> uint256:
    word: uint256 = self._checkpoint
    ratio: uint256 = self._ratio(word)
    elapsed: uint256 = block.timestamp - self._time(word)
    return ratio + ratio * MAX_GROWTH * elapsed // (WAD * YEAR)


@pure
@internal
def _pack(ratio: uint256, time: uint256) -> uint256:
    """@dev A ratio too wide for the word becomes its largest: the cap is then lower."""
    return min(ratio, MAX_216) | (time << 216)


@pure
@internal
def _ratio(word: uint256) -> uint256:
    return word & MAX_216


@pure
@internal
def _time(word: uint256) -> uint256:
    return word >> 216
