"""The supply gate: which supply of a liquid token counts as grown slowly enough."""

from __future__ import annotations

from dataclasses import dataclass

WAD = 10**18
HOUR = 3_600


@dataclass(frozen=True)
class Gate:
    """One gate after its last sight. Supplies in share units, times in seconds."""

    floor: int
    share: int
    window: int
    accepted: int
    seen: int
    time: int

    def capacity(self, accepted: int) -> int:
        return max(self.floor, accepted * self.share // WAD)

    def accepts(self, supply: int, now: int) -> int:
        """The accepted supply that a sight of `supply` leaves now."""
        step = self.capacity(self.accepted) * min(now - self.time, HOUR)
        if self.accepted < min(self.seen, supply):
            return min(self.seen, supply, self.accepted + step // self.window)
        if self.accepted > max(self.seen, supply):
            return max(self.seen, supply, self.accepted - step // HOUR)
        return self.accepted

    def answer(self, supply: int, now: int) -> tuple[bool, int, int]:
        """Open, level and capacity."""
        accepted = self.accepts(supply, now)
        level, capacity = max(0, supply - accepted), self.capacity(accepted)
        return level <= capacity, level, capacity

    def after(self, supply: int, now: int, explained: int | None = None) -> Gate:
        """The gate once somebody has looked; the owner may have explained a supply.

        A sight that finds nothing new is not noted.
        """
        accepted = max(self.accepts(supply, now), min(supply, explained or 0))
        if explained is None and (accepted, supply) == (self.accepted, self.seen):
            return self
        return Gate(self.floor, self.share, self.window, accepted, supply, now)

    def most_growth_up(self, accepted: int, seconds: int) -> int:
        """The bound that the contract states, for at most a window; rounded up."""
        parts = self.window * WAD
        part = self.share * seconds
        return -(-self.capacity(accepted) * seconds * (parts + part) // (self.window * parts))
