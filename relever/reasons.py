"""What a contract's reason for refusing means: why it is so, and what to do."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

_TABLE = Path(__file__).with_suffix(".yaml")
# Reasons of others' code stand under this, whole; custom errors by their name.
_FOREIGN = "others"


@cache
def reasons() -> dict[str, tuple[str, str]]:
    """Every reason that is known, with why it is so and what to do."""
    found = {}
    for prefix, lines in yaml.safe_load(_TABLE.read_text(encoding="utf-8")).items():
        for reason, said in lines.items():
            why, _, then = said.partition(" -> ")
            found[reason if prefix == _FOREIGN else f"{prefix}: {reason}"] = (why, then)
    return found


def explain(reason: str) -> str:
    """A contract's reason with why it is so and what to do.

    Args:
        reason: as `Revert.reason` has it: words, or a custom error as `name(arguments)`.
    """
    known = reasons()
    if not reason:
        why, then = "the contract gives no reason", "look at what was sent, and at its gas"
        return f"{why}. To do: {then}"
    why, then = (
        known.get(reason)
        or known.get(reason.partition("(")[0])
        or ("the contract refuses", "look the words up in the contract's source")
    )
    return f"{reason!r}: {why}. To do: {then}"
