"""What must still be possible, tried on a snapshot that is thrown away."""

from __future__ import annotations

from relever.fuzz.player import Player


def check_liveness(player: Player) -> None:
    """Raises `Violation`."""
