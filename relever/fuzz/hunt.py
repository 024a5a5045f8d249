"""Every replica of an incident, until its flaw is found: by the sentences, without the model."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from relever.fuzz.campaign import Budget, Settings, opened
from relever.fuzz.findings import Finding
from relever.fuzz.replicas import Replica, prepare, replicas


@dataclass(frozen=True)
class Hunt:
    """What came of one: the finding, if any; seconds from the first step on, shrinking included."""

    replica: Replica
    seconds: float
    steps: int
    finding: Finding | None


def hunt(replica: Replica, budget: Budget, seed: int = 1) -> Hunt:
    """Play on a replica until something breaks. Raises `ReplicaError`."""
    with opened(Settings(seed=seed, compare=False, replica=replica.number)) as campaign:
        start, steps, found = time.monotonic(), 0, None
        for example in campaign.examples(budget.numbers()):
            steps += example.tally.steps
            if example.tally.findings:
                (found,) = example.tally.findings
                break
        return Hunt(replica, time.monotonic() - start, steps, found)


def hunts(budget: Budget, seed: int, progress: Callable[[str], None]) -> Iterator[Hunt]:
    """All of them, in their order. Raises `ReplicaError`, `CompileError`."""
    known = replicas()
    prepare(known.values(), lambda name: progress(f"compiled {name}"))
    for replica in known.values():
        progress(f"{replica} ...")
        yield hunt(replica, budget, seed)


def report(
    found: Iterable[Hunt], folder: Path, console: Console, near: Callable[[Path], Path]
) -> int:
    """Show and write what came of them; 1 when one was not found."""
    table = Table(title="Replicas of incidents, found without the model")
    table.add_column("replica")
    table.add_column("broken sentence")
    for column in ("seconds", "steps played", "calls"):
        table.add_column(column, justify="right")
    rows, missed, lengths = [], list[str](), list[int]()
    for one in found:
        finding, name = one.finding, str(one.replica)
        said, calls, path = "none", "", None
        if finding is None:
            missed.append(name)
        else:
            path = near(finding.write(folder / "replicas"))
            said, calls = finding.identifier, str(len(finding.steps))
            lengths.append(len(finding.steps))
        table.add_row(name, said, f"{one.seconds:.1f}", f"{one.steps:,}", calls)
        rows.append(
            {
                **asdict(one),
                "replica": name,
                "incident": one.replica.incident,
                "replay": path and f'make fuzz ARGS="--replay {path}"',
            }
        )
    console.print(table)
    document = {"missed": missed, "median_calls": median(lengths or [0]), "replicas": rows}
    (folder / "replicas.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    where = near(folder / "replicas.json")
    console.print(
        f"{len(lengths)} of {len(rows)} found, by {document['median_calls']:g} calls in the median;"
        f" the calls, and how to play them again: {where}.",
        highlight=False,
        soft_wrap=True,
    )
    return 1 if missed else 0
