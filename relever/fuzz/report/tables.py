"""A run as tables on a terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from relever.fuzz.invariants import INVARIANTS
from relever.fuzz.report.run import Run
from relever.fuzz.states import STATES

# Violations that are shown; all have their file.
SHOWN = 20


def show(console: Console, run: Run) -> None:
    """All of it, what matters most last."""
    for table in (_actions(run), _states(run), _sentences(run)):
        console.print(table)
    findings = run.tally.findings
    for finding in findings[:SHOWN]:
        console.print(Text(f"{finding.identifier}: {finding.sentence}", style="bold red"))
        console.print(Text(f"  {finding.found}"), soft_wrap=True)
        for number, words in enumerate(finding.words, 1):
            console.print(Text(f"  {number:2}. {words}"), soft_wrap=True)
        console.print(Text(f"  {run.replay(finding.name)}", style="bold"), soft_wrap=True)
    if len(findings) > SHOWN:
        console.print(f"and {len(findings) - SHOWN} more, each with its file")
    for line in run.coverage.short:
        console.print(Text(f"too seldom: {line}", style="yellow"), soft_wrap=True)
    tally, settings = run.tally, run.settings
    console.print(
        Text(
            f"{tally.steps:,} steps in {tally.examples:,} examples, {run.steps_per_s:,.0f}"
            f" a second, {run.seconds:,.0f} s in all; machine {settings.machine},"
            f" seed {settings.seed}."
        ),
        soft_wrap=True,
    )
    if run.ended:
        console.print(Text(f"Ended before its budget: {run.ended}"), soft_wrap=True)
    console.print(Text(run.verdict, style="bold red" if run.failed else "bold green"))


def _actions(run: Run) -> Table:
    table = _table("action", "done", "refused", "succeed", "least")
    done, refused, coverage = run.tally.done, run.tally.refused, run.coverage
    for name in run.actions:
        rate = run.rate(name)
        least = coverage.actions.get(name)
        table.add_row(
            name,
            f"{done[name]:,}",
            f"{refused[name]:,}",
            "" if rate is None else f"{rate:.0%}",
            "never" if least is None else f"{least}",
            style=_style(done[name], least),
        )
    return table


def _states(run: Run) -> Table:
    table = _table("state", "examples", "of all", "least")
    tally = run.tally
    for name in STATES:
        found, least = tally.states[name], run.coverage.states.get(name)
        share = found / tally.examples if tally.examples else 0.0
        asked = "" if least is None else f"{least}"
        table.add_row(name, f"{found:,}", f"{share:.1%}", asked, style=_style(found, least))
    return table


def _sentences(run: Run) -> Table:
    table = _table("sentence", "asked")
    table.add_column("what it says", ratio=1)
    says = {rule.identifier: rule.sentence for rule in INVARIANTS}
    for name, count in run.checked.items():
        table.add_row(name, f"{count:,}", says.get(name, ""), style=None if count else "dim")
    return table


def _table(first: str, *numbers: str) -> Table:
    table = Table(first, box=SIMPLE_HEAD, pad_edge=False)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _style(found: int, least: int | None) -> str | None:
    """Nothing is asked, too little was found, or all is well."""
    if least is None:
        return "dim"
    return "red" if found < least else None
