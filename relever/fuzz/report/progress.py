"""How a campaign goes, while it goes."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from relever.fuzz.campaign import Settings
from relever.fuzz.coverage import NEVER
from relever.fuzz.invariants import INVARIANTS
from relever.fuzz.report.run import Pace
from relever.fuzz.states import STATES
from relever.fuzz.tally import Tally

# Seconds between two pictures on a terminal, and between two lines elsewhere.
LIVE, PLAIN = 0.25, 5.0
# Actions that are shown, and how often one must have been tried to be.
WORST, TRIED = 6, 10


class Progress:
    """A picture on a terminal that is kept up to date; elsewhere a line now and then."""

    def __init__(self, console: Console, settings: Settings, workers: int) -> None:
        self._console = console
        what = "on a forked Anvil" if settings.mode == "single" else "in bulk"
        self._title = (
            f"fuzz {_where(settings)}, seed {settings.seed}, {what},"
            f" {workers} worker{'s' if workers > 1 else ''}"
        )
        self._spinner = Spinner("dots")
        self._live: Live | None = None
        self._next = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            waiting = Text("deploying everything", style="dim")
            self._live = Live(self._picture(waiting), console=self._console, transient=True)
            self._live.start()
        else:
            self._console.print(f"{self._title}: deploying everything", soft_wrap=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, tally: Tally, pace: Pace) -> None:
        """Where it stands, unless that was said just now."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (PLAIN if self._live is None else LIVE)
        if self._live is None:
            self._console.print(_line(tally, pace), soft_wrap=True, highlight=False)
        else:
            self._live.update(self._picture(_numbers(tally, pace), _worst(tally)))

    def _picture(self, *parts: Text | Table) -> Group:
        title = Table.grid(padding=(0, 1))
        title.add_row(self._spinner, Text(self._title, style="bold"))
        return Group(title, *parts)


def _line(tally: Tally, pace: Pace) -> str:
    reached, asked = sum(count > 0 for count in tally.states.values()), len(+tally.checked)
    return (
        f"{pace.seconds:5.0f} s: {tally.examples:,} examples, {tally.steps:,} steps,"
        f" {pace.steps_per_s:,.0f} a second, {reached} of {len(STATES)} states,"
        f" {asked} of {len(INVARIANTS)} sentences, {len(tally.findings)} violations"
    )


def _numbers(tally: Tally, pace: Pace) -> Table:
    table = Table.grid(padding=(0, 2))
    missing = [name for name in STATES if not tally.states[name]]
    reached = f"{len(STATES) - len(missing)} of {len(STATES)}"
    if missing:
        reached += f", not yet: {', '.join(missing)}"
    broken = [finding.identifier for finding in tally.findings]
    table.add_row("time", f"{pace.seconds:,.0f} s")
    table.add_row("examples", f"{tally.examples:,}")
    table.add_row("steps", f"{tally.steps:,}, {pace.steps_per_s:,.0f} a second")
    table.add_row("states", reached)
    table.add_row(
        "sentences",
        f"{len(+tally.checked)} of {len(INVARIANTS)}, asked {tally.checked.total():,} times",
    )
    names = ", ".join(dict.fromkeys(broken))
    found = f"{len(broken)}: {names}" if broken else "0"
    table.add_row("violations", Text(found, style="bold red" if broken else "green"))
    return table


def _worst(tally: Tally) -> Table:
    """The actions that succeed least, of those that can."""
    tries = {name: tally.tries(name) for name in tally.actions}
    known = [name for name in tries if tries[name] >= TRIED and name not in NEVER]
    known.sort(key=lambda name: tally.done[name] / tries[name])
    table = Table.grid(padding=(0, 2))
    for name in known[:WORST]:
        rate = f"{tally.done[name] / tries[name]:.0%}"
        table.add_row(Text(rate, justify="right"), f"of {tries[name]:,}", name, style="dim")
    return table


def _where(settings: Settings) -> str:
    """The machine, and what it plays on if not the contracts as they are."""
    on = "" if settings.replica is None else f" on replica {settings.replica}"
    return f"{settings.machine}{on}"
