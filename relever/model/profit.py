"""Gains of the LRT vault: what of them is still locked, and what the fee takes."""

from __future__ import annotations

from dataclasses import dataclass

from relever.model.rounding import WAD

DAY = 86_400


@dataclass
class LockedProfit:
    """A gain becomes the holders' with time, along a straight line; what is locked meets losses.

    A gain that finds nothing locked takes the whole period. One that finds something brings the
    end to the average of the two, weighted by their amounts.
    """

    period: int
    amount: int = 0
    since: int = 0
    until: int = 0

    def at(self, now: int) -> int:
        """What is locked, rounded up."""
        if now >= self.until:
            return 0
        return -(-self.amount * (self.until - now) // (self.until - self.since))

    def book(self, now: int, gain: int, loss: int) -> None:
        """Take a loss from what is locked, as far as it goes, then lock a gain."""
        rest = max(0, self.at(now) - loss)
        seconds = rest * (self.until - now) + gain * self.period
        self.amount = rest + gain
        self.since = now
        self.until = now + (seconds // self.amount if self.amount else 0)


@dataclass
class PerformanceFee:
    """A part, in WAD, of the gains that do not only make up for losses."""

    part: int = 0
    recipient: str = ""
    # Losses that nothing has made up for yet.
    missing: int = 0
    # Gains that were charged and are not forgotten yet, and when that was.
    charged: int = 0
    since: int = 0

    def charge(self, now: int, gain: int, loss: int, whole: int) -> int:
        """Count a loss, then a gain; returns the fee on the gain, rounded down.

        At most a tenth of the whole is charged at once, and as much again in a day.
        """
        missing = self.missing + loss
        self.missing = max(0, missing - gain)
        new = max(0, gain - missing)
        if not (new and self.part):
            return 0
        most = whole // 10
        still = max(0, self.charged - most * (now - self.since) // DAY)
        new = min(new, max(0, most - still))
        self.charged, self.since = still + new, now
        return new * self.part // WAD

    def recover(self, amount: int) -> None:
        """Something of the losses is back."""
        self.missing = max(0, self.missing - amount)
