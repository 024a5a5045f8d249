"""What a campaign found, as a table and as JSON."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from relever.mutants import suite
from relever.mutants.campaign import Result
from relever.mutants.job import KILLED, SURVIVED, TIMEOUT
from relever.mutants.operators import Mutant

Counted = Sequence[tuple[Mutant, Result]]


@dataclass(frozen=True)
class Report:
    """The mutants that count, in the order of the sample, and how the run went.

    `dropped` counts those that do not compile, are the same code, or the same as another; `ran`
    and `seconds` are this whole run's, without what was known from earlier ones.
    """

    counted: Counted
    dropped: Mapping[str, int]
    sources: Mapping[str, str]
    ran: int
    seconds: float
    seed: int

    @property
    def killed(self) -> int:
        """Mutants that some test noticed, be it by taking too long."""
        return len(self.counted) - len(self.survivors)

    @property
    def survivors(self) -> list[Mutant]:
        return [mutant for mutant, result in self.counted if result.outcome.state == SURVIVED]

    @property
    def score(self) -> float:
        """The killed part, 1 when there is no mutant."""
        return self.killed / len(self.counted) if self.counted else 1.0

    @property
    def processor(self) -> float:
        """Seconds of processor time that one of them took, on average, in whatever run it was."""
        times = [result.outcome.processor for _, result in self.counted]
        return sum(times) / len(times) if times else 0.0

    @property
    def per_minute(self) -> float:
        """Mutants a minute in this run, dropped ones too."""
        return 60 * self.ran / self.seconds if self.seconds else 0.0

    def as_dict(self) -> dict[str, Any]:
        """The report file."""
        return {
            "total": len(self.counted),
            "killed": self.killed,
            "survived": len(self.survivors),
            "score": round(self.score, 4),
            "seconds": round(self.seconds, 1),
            "seed": self.seed,
            "ran": self.ran,
            "per_minute": round(self.per_minute, 1),
            "processor_seconds": round(self.processor, 2),
            "timeouts": self._states()[TIMEOUT],
            "dropped": dict(self.dropped),
            "layers": self._parts(lambda mutant: suite.layer_of(mutant.path)),
            "files": self._parts(lambda mutant: mutant.path),
            "operators": self._parts(lambda mutant: mutant.operator),
            "killed_by": dict(self.kinds().most_common()),
            "seconds_to_kill": self.time_to_kill(),
            "survivors": [
                {**_described(mutant), "diff": mutant.diff(self.sources)}
                for mutant in self.survivors
            ],
            "mutants": [
                {
                    **_described(mutant),
                    "state": result.outcome.state,
                    "killer": result.outcome.killer,
                    "reason": result.outcome.reason,
                    "seconds": result.outcome.seconds,
                }
                for mutant, result in self.counted
            ],
        }

    def kinds(self) -> Counter[str]:
        """How many each sort of test killed."""
        return Counter(
            suite.kind_of(result.outcome.killer) if result.outcome.killer else "timeout"
            for _, result in self.counted
            if result.outcome.state in (KILLED, TIMEOUT)
        )

    def time_to_kill(self) -> float:
        """The median, with compiling, in seconds; 0 when none was killed."""
        times = sorted(r.outcome.seconds for _, r in self.counted if r.outcome.state == KILLED)
        return times[len(times) // 2] if times else 0.0

    def write(self, path: Path) -> None:
        """Keep it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.as_dict(), indent=1) + "\n", encoding="utf-8")

    def show(self, console: Console) -> None:
        """Tables, then each survivor with its diff."""
        table = Table("file", "mutants", "killed", "survived", "score", box=SIMPLE_HEAD)
        for column in table.columns[1:]:
            column.justify = "right"
        for name, part in self._parts(lambda mutant: mutant.path).items():
            table.add_row(name, *_cells(part))
        table.add_section()
        for name, part in self._parts(lambda mutant: suite.layer_of(mutant.path)).items():
            table.add_row(name, *_cells(part))
        console.print(table)
        operators = Table("operator", "mutants", "killed", "survived", "score", box=SIMPLE_HEAD)
        for name, part in self._parts(lambda mutant: mutant.operator).items():
            operators.add_row(name, *_cells(part))
        console.print(operators)
        for mutant in self.survivors:
            console.print(f"survived: {mutant}", markup=False, highlight=False)
            console.print(mutant.diff(self.sources), markup=False, highlight=False)
        by = ", ".join(f"{count} by {kind}" for kind, count in self.kinds().most_common())
        dropped = ", ".join(f"{count} {state}" for state, count in self.dropped.items())
        console.print(
            f"{self.killed} of {len(self.counted)} killed ({self.score:.1%}): {by or 'none'}; "
            f"half of them within {self.time_to_kill():.1f} s. Not counted: {dropped or 'none'}. "
            f"{self.ran} ran in {self.seconds:.0f} s, {self.per_minute:.1f} a minute; "
            f"each takes {self.processor:.1f} s of a processor.",
            markup=False,
            highlight=False,
        )

    def _states(self) -> Counter[str]:
        return Counter(result.outcome.state for _, result in self.counted)

    def _parts(self, key: Callable[[Mutant], str]) -> dict[str, dict[str, Any]]:
        totals: Counter[str] = Counter(key(mutant) for mutant, _ in self.counted)
        alive: Counter[str] = Counter(key(mutant) for mutant in self.survivors)
        return {
            name: {
                "total": total,
                "killed": total - alive[name],
                "survived": alive[name],
                "score": round((total - alive[name]) / total, 4),
            }
            for name, total in sorted(totals.items())
        }


def _cells(part: Mapping[str, Any]) -> list[str]:
    return [str(part[name]) for name in ("total", "killed", "survived")] + [f"{part['score']:.0%}"]


def _described(mutant: Mutant) -> dict[str, Any]:
    return {
        "key": mutant.key,
        "path": mutant.path,
        "line": mutant.line,
        "function": mutant.function,
        "operator": mutant.operator,
        "before": mutant.before,
        "after": mutant.after,
    }
