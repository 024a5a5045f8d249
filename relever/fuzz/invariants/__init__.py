"""The sentences that must hold, each with an ID, on what the contracts say alone.

`G` hold after every step, `P` are about what one action did, `N` are about what must be refused.
IDs are those of the catalogue of invariants in the specification; RLV-n are our own.
"""

from relever.fuzz.invariants import helpers, market
from relever.fuzz.invariants.base import Facts, Invariant, Look, Seen

INVARIANTS: tuple[Invariant, ...] = (*market.INVARIANTS, *helpers.INVARIANTS)

__all__ = ["INVARIANTS", "Facts", "Invariant", "Look", "Seen"]
