"""What a vault sees of a restaking protocol, whichever it is."""

from __future__ import annotations

from typing import Protocol


class Position(Protocol):
    """One stake in one protocol: what its adapter says of it and does with it, in asset units."""

    @property
    def staked(self) -> int:
        """Live value of the stake that is not leaving."""
        ...

    @property
    def exiting(self) -> int:
        """Live value of the exits that are not finished."""
        ...

    @property
    def total_assets(self) -> int:
        """Both together."""
        ...

    @property
    def value_at_risk(self) -> int:
        """What slashes that are visible, but not yet executed, would take."""
        ...

    def stake(self, amount: int) -> None:
        """Stake an amount."""
        ...

    def start_exit(self, amount: int) -> int:
        """Begin to take at most `amount` out; returns the exit's id."""
        ...

    def finish_exit(self, exit_id: int) -> int:
        """Complete a matured exit; returns what it pays."""
        ...
