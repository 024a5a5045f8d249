"""The sentences that must hold after each step, by group; `INVARIANTS` has all.

They are judged by what the chain says, in plain integers, and know nothing of the model: they hold
or speak the same with its comparison switched off. IDs are those of the invariant suites of lending
and restaking protocols, which the references name.
"""

from __future__ import annotations

from collections.abc import Sequence

from relever.fuzz.invariants import (
    access,
    backstop,
    helpers,
    leveraged,
    liquidation,
    market,
    oracle,
    orders,
    queue,
    stake,
    value,
    vault,
)
from relever.fuzz.invariants.base import Facts, Invariant, Look, Seen

INVARIANTS: tuple[Invariant, ...] = tuple(
    found
    for group in (
        *(vault, queue, stake, market, liquidation, helpers, orders, leveraged, backstop),
        *(oracle, access, value),
    )
    for found in group.INVARIANTS
)


class Rules:
    """Invariants by what they are about, so that none is asked about what it says nothing of."""

    def __init__(self, invariants: Sequence[Invariant] = INVARIANTS) -> None:
        self._all = tuple(invariants)
        self._tables: dict[tuple[str, bool], tuple[Invariant, ...]] = {}

    def relevant(self, action_name: str, done: bool) -> tuple[Invariant, ...]:
        """Those about an action of this name that was done, or refused."""
        key = action_name, done
        if key not in self._tables:
            self._tables[key] = tuple(
                found for found in self._all if found.concerns(action_name, done)
            )
        return self._tables[key]

    def broken(self, seen: Seen) -> tuple[Invariant, str] | None:
        """The first that does not hold of a step, and what was found."""
        changes = seen.changes
        still = seen.still
        for rule in self.relevant(seen.action.name, seen.done):
            if (rule.always and still) or (rule.reads and rule.reads.isdisjoint(changes)):
                continue
            found = rule.check(seen)
            if found is not None:
                return rule, found
        return None


__all__ = ["INVARIANTS", "Facts", "Invariant", "Look", "Rules", "Seen"]
