"""What a campaign did and saw, in counts that can be added up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from relever.fuzz.findings import Finding


@dataclass
class Tally:
    """Counts of one or many examples.

    `done` and `refused` are steps by action, `reasons` are refusals by "action: reason", `states`
    are examples in which a state was reached, `checked` how often each sentence was asked: it
    may still have had nothing to say of what it saw.
    """

    examples: int = 0
    steps: int = 0
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count another's too."""
        self.examples += other.examples
        self.steps += other.steps
        for name in ("done", "refused", "reasons", "states", "checked"):
            getattr(self, name).update(getattr(other, name))
        self.findings += other.findings

    @property
    def actions(self) -> list[str]:
        """All that was tried, by name."""
        return sorted({*self.done, *self.refused})

    def tries(self, action: str) -> int:
        """How often it was done or refused."""
        return self.done[action] + self.refused[action]

    def document(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {
            "examples": self.examples,
            "steps": self.steps,
            "violations": [asdict(finding) for finding in self.findings],
            "actions": {
                name: {"done": self.done[name], "refused": self.refused[name]}
                for name in self.actions
            },
            "reasons": dict(sorted(self.reasons.items())),
            "states": dict(sorted(self.states.items())),
            "checked": dict(sorted(self.checked.items())),
        }


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them together."""
    whole = Tally()
    for tally in tallies:
        whole.add(tally)
    return whole
