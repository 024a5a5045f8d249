"""Relever: leveraged liquid restaking, its contracts' Python side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from relever.protocol import Protocol

__version__ = "0.1.0"
__all__ = ["Protocol"]


def __getattr__(name: str) -> Any:
    """`Protocol`, once it is asked for: what it needs takes a moment to load."""
    if name != "Protocol":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from relever.protocol import Protocol

    return Protocol
