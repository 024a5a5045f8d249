"""A run as a page that needs nothing but itself: light or dark, wide or narrow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from relever.fuzz.findings import Finding
from relever.fuzz.invariants import INVARIANTS
from relever.fuzz.report import plots
from relever.fuzz.report.run import Run
from relever.fuzz.states import STATES

_STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #1c2330; --muted: #5d6878; --line: #dfe4ea;
  --good: #16816f; --weak: #a3aebb; --bad: #c8372d; --bad-soft: #fdeceb; --good-soft: #e3f4f0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #11151b; --card: #1a2029; --ink: #e6eaf0; --muted: #98a3b3; --line: #2e3743;
    --good: #3fb8a2; --weak: #687586; --bad: #f0695f; --bad-soft: #3a1f20; --good-soft: #14332e;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1240px; padding: 1.5rem 1rem 3rem; background: var(--page);
  color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif;
}
h1 { font-size: 1.5rem; margin: 0; line-height: 1.25; }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .7rem; }
h3 { font-size: .9rem; margin: 0 0 .5rem; }
p { margin: .3rem 0; }
.muted { color: var(--muted); }
.verdict {
  margin: 1rem 0; padding: .7rem 1rem; border-radius: 8px; font-weight: 600;
  border-left: 5px solid var(--good); background: var(--good-soft);
}
.verdict.bad { border-color: var(--bad); background: var(--bad-soft); }
.figures { display: grid; gap: .8rem; grid-template-columns: repeat(auto-fit, minmax(128px, 1fr)); }
.plots { columns: 360px; column-gap: .8rem; }
.plots .card { margin: 0 0 .8rem; break-inside: avoid; }
.card {
  background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .8rem .9rem;
  min-width: 0;
}
.figures b { display: block; font-size: 1.35rem; line-height: 1.3; font-weight: 650; }
.figures span { color: var(--muted); font-size: .82rem; }
svg { display: block; width: 100%; height: auto; font-family: inherit; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; }
th, td { padding: .28rem .6rem; text-align: left; border-bottom: 1px solid var(--line); }
th { color: var(--muted); font-weight: 600; }
td { vertical-align: top; overflow-wrap: break-word; min-width: 11rem; }
td.number { min-width: 0; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td:first-child { min-width: 8rem; overflow-wrap: anywhere; }
@media (max-width: 600px) {
  table { font-size: .8rem; }
  th, td { padding: .25rem .3rem; }
}
tr:last-child td { border-bottom: 0; }
tr.short td { color: var(--bad); font-weight: 600; }
tr.never td { color: var(--muted); }
code, pre { font: .84rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .4rem 0; }
.finding { border-left: 5px solid var(--bad); margin-bottom: .8rem; }
.finding ol { padding-left: 1.6rem; margin: .5rem 0; overflow-wrap: anywhere; }
ul { margin: 0; padding-left: 1.2rem; }
details { margin-bottom: .6rem; }
summary { cursor: pointer; font-weight: 600; padding: .1rem 0; }
details[open] summary { margin-bottom: .5rem; }
"""
# Violations that are written out; the document has all.
SHOWN = 50


def page(run: Run) -> str:
    """The whole page, as HTML."""
    settings = run.settings
    on = "" if settings.replica is None else f" on replica {settings.replica}"
    mode = "on a forked Anvil" if settings.mode == "single" else "in bulk"
    model = "compared with the model" if settings.compare else "not compared with the model"
    ended = f", ended before its budget: {run.ended}" if run.ended else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Fuzzing report</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Fuzzing report</h1>
<p class="muted">Machine {escape(settings.machine)}{on}, seed {settings.seed}, {mode}, examples of
{settings.length} steps, {model}; {run.workers} worker{"s" if run.workers > 1 else ""},
{run.seconds:,.0f} s{escape(ended)}.</p>
<p class="verdict{" bad" if run.failed else ""}">{escape(run.verdict)}</p>
{_figures(run)}
{_findings(run)}
{_short(run)}
{_plots(run)}
<h2>All numbers</h2>
{_tables(run)}
</body>
</html>
"""


def _figures(run: Run) -> str:
    tally = run.tally
    reached = sum(tally.states[name] > 0 for name in STATES)
    checked = run.checked
    asked = sum(count > 0 for count in checked.values())
    figures = {
        "steps": f"{tally.steps:,}",
        "examples": f"{tally.examples:,}",
        "steps a second": f"{run.steps_per_s:,.0f}",
        "violations": f"{len(tally.findings):,}",
        "states reached": f"{reached} of {len(STATES)}",
        "sentences asked": f"{asked} of {len(checked)}",
        "steps that succeeded": _share(tally.done.total(), tally.steps),
    }
    cards = (
        f'<div class="card"><b>{value}</b><span>{name}</span></div>'
        for name, value in figures.items()
    )
    return f'<div class="figures">{"".join(cards)}</div>'


def _findings(run: Run) -> str:
    findings = run.tally.findings
    if not findings:
        return ""
    shown = "".join(_finding(run, finding) for finding in findings[:SHOWN])
    left = len(findings) - SHOWN
    more = f"<p>And {left} more, each with its file.</p>" if left > 0 else ""
    return f"<h2>Violations</h2>{shown}{more}"


def _finding(run: Run, finding: Finding) -> str:
    steps = "".join(f"<li>{escape(words)}</li>" for words in finding.words)
    title = escape(f"{finding.identifier}: {finding.sentence}")
    return (
        f'<div class="card finding"><h3>{title}</h3>'
        f"<p>{escape(finding.found)}</p><ol>{steps}</ol>"
        f'<p class="muted">Example {finding.example}. To play it again:</p>'
        f"<pre>{escape(run.replay(finding.name))}</pre></div>"
    )


def _short(run: Run) -> str:
    if not run.coverage.short:
        return ""
    lines = "".join(f"<li>{escape(line)}</li>" for line in run.coverage.short)
    judged = "" if run.coverage.judged else ' <span class="muted">(only a warning here)</span>'
    return f'<h2>Met too seldom{judged}</h2><div class="card"><ul>{lines}</ul></div>'


def _plots(run: Run) -> str:
    drawn = [
        ("States, by the part of all examples that reached them", plots.states(run)),
        ("Steps a second over time", plots.pace(run)),
        *plots.actions(run),
        ("Most frequent refusals", plots.reasons(run)),
    ]
    titles = [title for title, svg in drawn if svg]
    svgs = plots.distinct([svg for _, svg in drawn if svg])
    cards = (
        f'<figure class="card"><h3>{escape(title)}</h3>{svg}</figure>'
        for title, svg in zip(titles, svgs, strict=True)
    )
    return f"""<h2>Plots</h2>
<p class="muted">A mark on a state's bar is the least that was asked. Grey: nothing is asked.
Red: too seldom.</p>
<div class="plots">{"".join(cards)}</div>"""


def _tables(run: Run) -> str:
    tally, coverage = run.tally, run.coverage
    done, refused = tally.done, tally.refused
    states: list[Row] = []
    for name in STATES:
        found, least = tally.states[name], coverage.states.get(name)
        asked = "" if least is None else least
        cells = (name, found, _share(found, tally.examples), asked)
        states.append((_kind(found, least), cells))
    actions: list[Row] = []
    for name in run.actions:
        least = coverage.actions.get(name)
        asked = "never" if least is None else least
        share = _share(done[name], tally.tries(name))
        why = coverage.never.get(name, "")
        row = (name, done[name], refused[name], share, asked, why)
        actions.append((_kind(done[name], least), row))
    says = {rule.identifier: (rule.sentence, rule.reference) for rule in INVARIANTS}
    sentences: list[Row] = [
        ("" if count else "never", (name, count, *says.get(name, ("", ""))))
        for name, count in run.checked.items()
    ]
    reasons: list[Row] = []
    for name, count in tally.reasons.most_common():
        action, _, reason = name.partition(": ")
        reasons.append(("", (action, reason or "without a word", count)))
    return "".join(
        (
            _table("States", "state|examples|of all|least", "1,2,3", states),
            _table("Actions", "action|done|refused|succeed|least|why", "1,2,3,4", actions),
            _table("Sentences", "ID|asked|what it says|reference", "1", sentences),
            _table("Refusals", "action|reason|times", "2", reasons),
        )
    )


Cell = str | int
# A row's kind, "short", "never" or none, and its cells.
Row = tuple[str, tuple[Cell, ...]]


def _table(title: str, heads: str, numbers: str, rows: Sequence[Row]) -> str:
    """A table that opens and closes; `numbers` are the columns that have numbers."""
    right = {int(column) for column in numbers.split(",")}

    def cells(tag: str, values: Iterable[Cell]) -> str:
        return "".join(
            f"<{tag}{' class=number' if column in right else ''}>{_cell(value)}</{tag}>"
            for column, value in enumerate(values)
        )

    body = "".join(
        f"<tr{f' class={kind}' if kind else ''}>{cells('td', values)}</tr>" for kind, values in rows
    )
    return (
        f'<details class="card" open><summary>{title} ({len(rows)})</summary><div class="scroll">'
        f"<table><thead><tr>{cells('th', heads.split('|'))}</tr></thead><tbody>{body}</tbody>"
        "</table></div></details>"
    )


def _cell(value: Cell) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    # The name of a function is longer than a phone is wide.
    return re.sub(r"(?<=\w)([._])(?=\w)", r"\1<wbr>", escape(value))


def _kind(found: int, least: int | None) -> str:
    if least is None:
        return "never"
    return "short" if found < least else ""


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else ""
