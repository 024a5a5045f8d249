"""What must still be possible, tried on a snapshot that is thrown away."""

from __future__ import annotations

from relever.fuzz.player import Actor


def check_liveness(actor: Actor) -> None:
    """Raises `Violation`."""
