"""A run: all that its reports say, and the document that has all of it."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from relever.fuzz.campaign import Settings
from relever.fuzz.coverage import Coverage
from relever.fuzz.invariants import INVARIANTS
from relever.fuzz.states import STATES
from relever.fuzz.tally import Tally

# Why a run ended that somebody stopped.
STOPPED = "stopped"


class Pace:
    """How fast steps come in, from the first example on: what is deployed before is not counted."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._started = clock, clock()
        self._first: float | None = None
        self._last = self._started
        self._steps = 0
        # Steps that came in after the first example, by the second since it did.
        self._seconds: Counter[int] = Counter()

    def add(self, steps: int) -> None:
        """An example has come in."""
        self._last = self._clock()
        self._steps += steps
        if self._first is None:
            self._first = self._last
        else:
            self._seconds[int(self._last - self._first)] += steps

    @property
    def seconds(self) -> float:
        """Since the start."""
        return self._clock() - self._started

    @property
    def steps_per_s(self) -> float:
        """Over all; of a single example, with what was set up before."""
        if self._first is None or self._last == self._started:
            return 0.0
        if self._last == self._first:
            return self._steps / (self._last - self._started)
        return self._seconds.total() / (self._last - self._first)

    def windows(self, most: int = 100) -> list[tuple[float, float]]:
        """Seconds since the first example and steps a second then, in so many windows or fewer.

        The last second is left out, for it is not whole.
        """
        whole = max(self._seconds, default=0)
        width = max(1, -(-whole // most))
        return [
            (
                start + width / 2,
                sum(self._seconds[second] for second in range(start, start + width)) / width,
            )
            for start in range(0, whole - whole % width, width)
        ]


@dataclass(frozen=True)
class Run:
    """A campaign that has ended.

    `seconds` are all that it took, with what is set up first; `windows` are steps a second over
    time, see `Pace`; `files` are the paths of the violations' files by their names; `ended` is why
    it ended before its budget, `STOPPED` or what went wrong, and empty if it did not.
    """

    settings: Settings
    workers: int
    seconds: float
    steps_per_s: float
    windows: list[tuple[float, float]]
    tally: Tally
    coverage: Coverage
    files: Mapping[str, Path]
    ended: str = ""

    @property
    def failed(self) -> bool:
        """Whether something is broken, too little was met, or it could not go on."""
        broke_off = self.ended not in ("", STOPPED)
        return bool(self.tally.findings) or self.coverage.failed or broke_off

    @property
    def verdict(self) -> str:
        """In a sentence."""
        broken, short = len(self.tally.findings), len(self.coverage.short)
        if broken:
            return f"{broken} violation{'s' if broken > 1 else ''}."
        if self.coverage.failed:
            return f"No violation, but {short} of what a run must meet was met too seldom."
        if not self.coverage.judged:
            return "No violation; too short to judge by what it met."
        return "No violation, and all that a run must meet was met."

    @property
    def actions(self) -> list[str]:
        """All that were tried or should have been, by name."""
        return sorted({*self.tally.actions, *self.coverage.actions, *self.coverage.never})

    @property
    def checked(self) -> dict[str, int]:
        """How often each sentence was asked, with those that never were."""
        counts = self.tally.checked
        names = [*(rule.identifier for rule in INVARIANTS), *sorted(counts)]
        return {name: counts[name] for name in dict.fromkeys(names)}

    def rate(self, action: str) -> float | None:
        """The part of its tries that succeeded; None where there was none."""
        tries = self.tally.tries(action)
        return self.tally.done[action] / tries if tries else None

    def replay(self, name: str) -> str:
        """The command that plays a violation again."""
        return f'make fuzz ARGS="--replay {self.files[name]}"'

    def document(self) -> dict[str, Any]:
        """As JSON takes it."""
        tally, coverage = self.tally, self.coverage
        return {
            **asdict(self.settings),
            "workers": self.workers,
            "seconds": round(self.seconds, 1),
            "steps_per_s": round(self.steps_per_s, 1),
            "ended": self.ended,
            "verdict": self.verdict,
            "failed": self.failed,
            **tally.document(),
            "violations": [
                {
                    **asdict(finding),
                    "file": str(self.files[finding.name]),
                    "replay": self.replay(finding.name),
                }
                for finding in tally.findings
            ],
            "actions": {
                name: {"done": tally.done[name], "refused": tally.refused[name]}
                for name in self.actions
            },
            "states": {name: tally.states[name] for name in STATES},
            "checked": self.checked,
            "coverage": asdict(coverage),
            "pace": [[round(second, 1), round(rate, 1)] for second, rate in self.windows],
        }

    def write(self, path: Path) -> None:
        """Into a JSON file."""
        path.write_text(json.dumps(self.document(), indent=1) + "\n", encoding="utf-8")
