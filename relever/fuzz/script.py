"""What is planned: steps, each with all that must come of it by the model.

The author needs no chain for it, so that it is ahead of those who play by as much as one likes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from relever.fuzz import views
from relever.fuzz.storage import Layout, Storage
from relever.model.protocol import Outcome, Protocol, Step
from relever.model.snapshot import Snapshot


@dataclass(frozen=True)
class Line:
    """A step, and what must come of it: the outcome, what the Lens says, the words of storage.

    A step that leaves all but time and block as it was has the layout and the words of the one
    before it themselves.
    """

    step: Step
    outcome: Outcome
    says: list[int]
    layout: Layout
    words: list[int]


@dataclass(frozen=True)
class End:
    """What must be the case in the end: every word, and what each view answers, if it is asked."""

    layout: Layout
    words: list[int]
    views: dict[Any, tuple[str, ...]]
    state: dict[str, Any]


class Author:
    """Writes lines from the stage's state on, with the model there is."""

    def __init__(self, model: Protocol, start: Snapshot, storage: Storage, whole: Storage) -> None:
        """Which words are looked at after each step, and which in the end."""
        self.model = model
        self._start, self._storage, self._whole = start, storage, whole

    def begin(self) -> None:
        """Go back to the stage's state."""
        self._start.restore()

    def state(self) -> tuple[list[int], Layout, list[int]]:
        """What the Lens says, and the words of storage, as things stand."""
        parts = self.model.parts
        return views.expected(parts), *self._storage.expected(parts)

    def write(self, step: Step) -> Line:
        """The next line."""
        if step.blocks:
            self.model.advance(step.seconds, step.blocks)
        outcome = self.model.step(step.action)
        return Line(step, outcome, *self.state())

    def end(self, whole: bool) -> End:
        """What must be the case now.

        Args:
            whole: whether views are asked.
        """
        layout, words = self._whole.expected(self.model.parts)
        if not whole:
            return End(layout, words, {}, {})
        return End(layout, words, self.model.views(), self.model.state())
