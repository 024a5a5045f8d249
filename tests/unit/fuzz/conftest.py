"""A run that nobody played."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from relever.fuzz.campaign import Settings
from relever.fuzz.coverage import coverage
from relever.fuzz.findings import Finding
from relever.fuzz.report import Run
from relever.fuzz.tally import Tally
from relever.model.protocol import Action, Step

STEPS = [
    Step(Action("vault.deposit", "depositor", (10**18, "depositor"))),
    Step(Action("market.borrow", "looper", (5, "looper", "looper")), 600, 2),
]


def finding(found: str = "A debt of 5.", example: int = 4) -> Finding:
    return Finding.of(
        ("HF-2", "Who takes a risk is covered.", found),
        STEPS,
        machine="protocol",
        seed=7,
        example=example,
        replica=None,
        compare=True,
    )


@pytest.fixture
def tally() -> Tally:
    """Of three examples, without a violation."""
    found = Tally(3, 180)
    found.done = Counter({"vault.deposit": 50, "market.borrow": 30, "world.slash": 60})
    found.refused = Counter({"market.borrow": 39, "vault.join_queue": 1})
    found.reasons = Counter(
        {
            "market.borrow: market: <unhealthy> & more": 39,
            "vault.join_queue: vault: not the queue": 1,
        }
    )
    found.states = Counter({"liquidation": 2, "bad debt": 1})
    found.checked = Counter({"SOLV-1": 180, "HF-2": 30})
    return found


@pytest.fixture
def run_of() -> Callable[..., Run]:
    """The run of a tally."""

    def of(tally: Tally, settings: Settings | None = None) -> Run:
        settings = settings or Settings(seed=7)
        every = frozenset({"vault.deposit", "market.borrow"})
        return Run(
            settings=settings,
            workers=2,
            seconds=12.34,
            steps_per_s=456.78,
            windows=[(0.5, 400.0), (1.5, 500.0), (2.5, 450.0)],
            tally=tally,
            coverage=coverage(tally, settings.machine, settings.length, every),
            files={
                found.name: Path("build/fuzz/findings") / found.name for found in tally.findings
            },
        )

    return of
