"""How a model says that the contracts must revert."""

from __future__ import annotations


class Refused(Exception):
    """The contracts must revert with this reason."""


def require(condition: bool, reason: str) -> None:
    """Refuse with the reason unless the condition holds."""
    if not condition:
        raise Refused(reason)
