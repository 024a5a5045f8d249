"""The fee of an instant exit, which rises as the idle assets dwindle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from relever.model.rounding import WAD


@dataclass
class ExitFee:
    """Nothing while more than `buffer` is free, then rising along a line to `most`, in WAD.

    What an exit pays is the area under that line over all its units, so that splitting saves
    nothing. Units beyond what is free are counted at `most`.
    """

    buffer: int = 0
    most: int = 0

    def on(self, paid: int, free: int) -> int:
        """The fee on top of what is paid out of what is free, rounded up."""
        if self.buffer == 0:
            return 0
        area = self._area(free) - self._area(free - paid)
        return -(-area * self.most // (2 * self.buffer * WAD))

    def paid(self, gross: int, free: int) -> int:
        """The most that can be paid so that it and its fee are no more than `gross`."""
        return largest(gross, lambda paid: paid + self.on(paid, free) <= gross)

    def _area(self, free: int) -> int:
        """Under the line from level zero to `free`, times twice the buffer; flat below zero."""
        level = min(free, self.buffer)
        return level * 2 * self.buffer - max(0, level) ** 2


def largest(most: int, holds: Callable[[int], bool]) -> int:
    """The largest number up to `most` that a condition holds for; it holds from zero to there."""
    if holds(most):
        return most
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
