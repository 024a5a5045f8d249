# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Target leverage and carry stop
@custom:contract-name leverage_target
@license GNU Affero General Public License v3.0 only
@author Relever
@notice The band of a leveraged token. Its target steps down after each period in which debt has
        grown by more than the collateral, down to a floor, and up again after each in which it has
        not.
@dev Growth is what a loan unit of debt and a unit of collateral have become since the checkpoint
     before: books of market, vault and LST, no feed. Nobody can look before a period is over, and
     each look moves by one step and begins the next period: looking often does nothing, and nobody
     can keep others from looking. A slash makes its own period a costly one, for it is a loss like
     another and less leverage is the safe answer; the next is measured from the rate after it, so
     that it counts once. Leverage in WAD, periods in seconds.
"""
from ..interfaces import ILeveragedToken
from . import leverage_maths


WAD: constant(uint256) = 10**18
MIN_PERIOD: constant(uint256) = 3_600
MAX_PERIOD: constant(uint256) = 30 * 86_400

TARGET: immutable(uint256)
LEAST: immutable(uint256)
MOST: immutable(uint256)
FLOOR: immutable(uint256)
STEP: immutable(uint256)
PERIOD: immutable(uint256)

# How much the target is below its terms.
_stepped: uint256
_checkpoint: ILeveragedToken.Checkpoint


@deploy
def __init__(terms: ILeveragedToken.Terms, collateral: uint256, debt: uint256):
    """@param collateral As in `ILeveragedToken.Checkpoint`, and so `debt`."""
    ordered: bool = terms.least < terms.target and terms.target < terms.most
    assert ordered and terms.most < terms.danger, "token: band"
    assert terms.danger <= leverage_maths.MAX_LEVERAGE, "token: danger"
    assert terms.floor <= terms.target, "token: floor"
    # The whole band stays above one.
    assert terms.least * terms.floor > WAD * terms.target, "token: floor"
    assert terms.step != 0, "token: step"
    assert MIN_PERIOD <= terms.period and terms.period <= MAX_PERIOD, "token: period"
    TARGET = terms.target
    LEAST = terms.least
    MOST = terms.most
    FLOOR = terms.floor
    STEP = terms.step
    PERIOD = terms.period
    self._checkpoint = ILeveragedToken.Checkpoint(
        collateral=collateral, debt=debt, time=block.timestamp
    )


@view
@external
def band() -> (uint256, uint256, uint256):
    """@notice Least, target and most leverage now, WAD."""
    return self._band()


@view
@external
def last_checkpoint() -> ILeveragedToken.Checkpoint:
    """@notice See `ILeveragedToken`."""
    return self._checkpoint


@internal
@view
def _band() -> (uint256, uint256, uint256):
    target: uint256 = TARGET - self._stepped
    return LEAST * target // TARGET, target, MOST * target // TARGET


@internal
def _look(collateral: uint256, debt: uint256):
    """
    @notice See `ILeveragedToken.checkpoint`.
    @param collateral As in `ILeveragedToken.Checkpoint`, and so `debt`.
    """
    last: ILeveragedToken.Checkpoint = self._checkpoint
    assert block.timestamp >= last.time + PERIOD, "token: period not over"
    costly: bool = debt * last.collateral > collateral * last.debt
    if costly:
        self._stepped = min(self._stepped + STEP, TARGET - FLOOR)
    else:
        self._stepped -= min(STEP, self._stepped)
    self._checkpoint = ILeveragedToken.Checkpoint(
        collateral=collateral, debt=debt, time=block.timestamp
    )
    log ILeveragedToken.Checkpointed(stepped=self._stepped, costly=costly)
