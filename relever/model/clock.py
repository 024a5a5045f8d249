"""The time that all parts of a model share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Clock:
    """When what is done next happens: its block's number, and its time in seconds."""

    block: int = 0
    time: int = 0

    def advance(self, seconds: int = 0, blocks: int = 0) -> None:
        """Let time pass. EigenLayer counts blocks, Symbiotic seconds."""
        self.time += seconds
        self.block += blocks
