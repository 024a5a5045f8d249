"""A run's plots, as SVG that stands inside a page and takes the page's colours and font."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import StringIO

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from relever.fuzz.report.run import Run
from relever.fuzz.states import STATES

# Colours that are drawn with, and the page's variables that take their place.
INK, MUTED, GRID, GOOD, WEAK, BAD = (f"#{number:06x}" for number in range(0xA1B2C1, 0xA1B2C7))
_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--line",
    GOOD: "--good",
    WEAK: "--weak",
    BAD: "--bad",
}
# Inches: about a phone's width, so that it is never made much smaller; and a bar's height.
WIDTH, BAR = 4.3, 0.19
# Inches for all above and below the bars.
MARGIN = 0.5
# Bars of a plot of actions, and reasons that are shown.
ROWS, REASONS = 34, 30
# Letters of a label.
LETTERS = 54


def actions(run: Run) -> list[tuple[str, str]]:
    """Success rate per action: titles and plots of so many actions each, by name."""
    names = [name for name in run.actions if run.rate(name) is not None]
    count = max(1, -(-len(names) // ROWS))
    size = -(-len(names) // count) if names else 1
    parts = [names[start : start + size] for start in range(0, len(names), size)]
    return [
        (f"Success rate per action: {part[0]} to {part[-1]}", _rates(run, part)) for part in parts
    ]


def _rates(run: Run, names: Sequence[str]) -> str:
    figure, axes = _bars(names)
    rates = [run.rate(name) or 0.0 for name in names]
    least = run.coverage.actions
    colours = [
        WEAK if name not in least else BAD if run.tally.done[name] < least[name] else GOOD
        for name in names
    ]
    places = range(len(names))
    axes.barh(places, [1.0] * len(names), color=GRID, height=0.62)
    axes.barh(places, rates, color=colours, height=0.62)
    for place, name in enumerate(names):
        done, refused = run.tally.done[name], run.tally.refused[name]
        axes.text(
            1.02, place, f"{done:,} of {done + refused:,}", va="center", color=MUTED, size=7.5
        )
    axes.set_xlim(0, 1.32)
    axes.set_xticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    return _svg(figure)


def states(run: Run) -> str:
    """The part of all examples that reached a state, and the least that was asked, if any."""
    figure, axes = _bars(list(STATES))
    tally, least = run.tally, run.coverage.states
    whole = max(1, tally.examples)
    for place, name in enumerate(STATES):
        found, asked = tally.states[name], least.get(name)
        share = found / whole
        colour = WEAK if asked is None else BAD if found < asked else GOOD
        axes.barh(place, share, color=colour, height=0.62)
        if asked is not None:
            axes.plot([asked / whole] * 2, [place - 0.42, place + 0.42], color=INK, linewidth=1.4)
        axes.text(
            max(share, (asked or 0) / whole) + 0.02,
            place,
            f"{share:.1%}",
            va="center",
            color=MUTED,
            size=7.5,
        )
    axes.set_xlim(0, 1.15)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    axes.grid(axis="x", color=GRID, linewidth=0.6)
    return _svg(figure)


def pace(run: Run) -> str:
    """Steps a second over time; empty for a run too short to have any."""
    if len(run.windows) < 2:
        return ""
    figure = Figure(figsize=(WIDTH, 2.6), layout="constrained")
    axes = figure.add_subplot()
    seconds, rates = zip(*run.windows, strict=True)
    axes.fill_between(seconds, rates, color=GOOD, alpha=0.2, linewidth=0)
    axes.plot(seconds, rates, color=GOOD, linewidth=1.6)
    axes.axhline(run.steps_per_s, color=INK, linewidth=0.8, linestyle="--")
    axes.set_xlim(0, seconds[-1] + seconds[0])
    axes.set_ylim(0, max(rates) * 1.12 or 1)
    axes.set_xlabel("seconds since the first example", color=MUTED, size=8)
    axes.grid(color=GRID, linewidth=0.6)
    _plain(axes)
    return _svg(figure)


def reasons(run: Run) -> str:
    """The most frequent refusals by action and reason; empty where nothing was refused."""
    found = run.tally.reasons.most_common(REASONS)
    if not found:
        return ""
    # A label as long as these leaves no room beside the bars: it stands above them.
    figure = Figure(figsize=(WIDTH, MARGIN + 1.7 * BAR * len(found)), layout="constrained")
    axes = figure.add_subplot()
    most = found[0][1]
    for place, (reason, count) in enumerate(found):
        axes.barh(place, count, color=WEAK, height=0.34)
        axes.text(0, place - 0.27, _short(reason), va="bottom", color=INK, size=8)
        axes.text(count + most * 0.012, place, f"{count:,}", va="center", color=MUTED, size=7.5)
    axes.set_xlim(0, most * 1.15)
    axes.set_ylim(len(found) - 0.6, -0.95)
    axes.set_yticks([])
    _plain(axes)
    axes.set_xticks([])
    return _svg(figure)


def _bars(names: Sequence[str]) -> tuple[Figure, Axes]:
    """Room for a bar of each name, the first above."""
    figure = Figure(figsize=(WIDTH, MARGIN + BAR * max(1, len(names))), layout="constrained")
    axes = figure.add_subplot()
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_yticks(range(len(names)), [_short(name) for name in names])
    _plain(axes)
    return figure, axes


def _plain(axes: Axes) -> None:
    """No frame, quiet ticks, what is drawn above the grid."""
    axes.set_axisbelow(True)
    axes.tick_params(length=0, labelsize=8, colors=MUTED)
    axes.tick_params(axis="y", labelcolor=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _short(text: str) -> str:
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 1]}…"


def _svg(figure: Figure) -> str:
    """As an element of a page: no header, no references outwards, names of its own."""
    figure.patch.set_alpha(0)
    for axes in figure.axes:
        axes.patch.set_alpha(0)
    written = StringIO()
    # Text stays text, and the same figure is the same file.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "relever"}):
        figure.savefig(written, format="svg", metadata={"Date": None})
    svg = written.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = re.sub(r' xmlns(:\w+)?="[^"]*"', "", svg)
    # Its size is the page's matter.
    svg = re.sub(r'(<svg [^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg [^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    return svg


def distinct(svgs: Sequence[str]) -> list[str]:
    """The same plots with identifiers that differ from plot to plot, to stand in one page."""
    return [
        re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>plot{number}-", svg)
        for number, svg in enumerate(svgs)
    ]
