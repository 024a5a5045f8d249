# pragma version 0.4.3
"""
@title Halt after losses
@custom:contract-name loss_halt
@license GNU Affero General Public License v3.0 only
@author Relever
@notice What lenders lost of late, and the halt of borrowing that too much of it brings.
@dev All of it is a mark of 24 bits: the time at which the losses will have faded, in steps of twelve
     seconds modulo 2**23, and above it whether they brought a halt; 0 where there is nothing to fade.
     Losses add up, those of many small positions like that of a large one, and fade along a line: 1 % of
     what lenders are owed in a day. When they reach that, borrowing halts for a day; for another one no
     loss counts, so that a halt never follows upon a halt. A loss counts in steps of a 7,200th of the
     bound, rounded down: one of less than a 720,000th of what lenders are owed does not count.
     A mark that has faded means the same for three years and is cleared by the first loan after it.
"""


STEP: constant(uint256) = 12
STEPS: constant(uint256) = 2**23
# Steps of a day.
DAY: constant(uint256) = 7_200
# The part of what lenders are owed that fades in a day.
BOUND_DIVISOR: constant(uint256) = 100


@view
@internal
def _after_loss(mark: uint256, loss: uint256, supply_assets: uint256) -> uint256:
    """
    @param supply_assets What lenders were owed before the loss; dust can be lost of nothing.
    @return The mark afterwards.
    """
    left: uint256 = self._left(mark)
    if left > 0 and mark >= STEPS:
        return mark
    left += loss * BOUND_DIVISOR * DAY // max(1, supply_assets)
    if left < DAY:
        return self._in_steps(left)
    return STEPS | self._in_steps(2 * DAY)


@view
@internal
def _still(mark: uint256) -> uint256:
    """@return The mark, or 0 where it has faded."""
    return mark if self._left(mark) > 0 else 0


@view
@internal
def _is_halted(mark: uint256) -> bool:
    return mark >= STEPS and self._left(mark) > DAY


@view
@internal
def _halted_until(mark: uint256) -> uint256:
    """@return When the halt ends; 0 when there is none."""
    if not self._is_halted(mark):
        return 0
    return (block.timestamp // STEP + self._left(mark) - DAY) * STEP


@view
@internal
def _left(mark: uint256) -> uint256:
    """@return Steps until all is faded."""
    if mark == 0:
        return 0
    left: uint256 = (mark + STEPS - block.timestamp // STEP % STEPS) % STEPS
    return left if left <= 2 * DAY else 0


@view
@internal
def _in_steps(steps: uint256) -> uint256:
    return (block.timestamp // STEP + steps) % STEPS
