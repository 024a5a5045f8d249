"""Leveraged tokens through thirty days with a slash and a depeg, and through dear loans.

Each play is on a chain of its own with the full deployment. A ghost without friction stands beside
each token: see `relever.risk.leveraged`. The exit code is 1 when a check fails.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from relever.artifacts import CompileError
from relever.baselayer import build_world, deploy_core
from relever.chain import Anvil, AnvilError, Chain, Revert
from relever.config import section
from relever.leveraged import deploy_token
from relever.parts import PartError
from relever.protocol import WAD, deploy
from relever.risk.leveraged import Lab, Point, Track, rates, thirty_days
from relever.risk.paths import DAY, Day, ezeth_2024, weth_2025

OUTPUT = Path(__file__).resolve().parents[1] / "build" / "tokens"
# How far a token may stay behind its ghost in the thirty days, a part in WAD. Nearly all of it is
# what leading it out of danger pays after the slash.
FARTHEST = {"rLRT3": WAD // 100, "rLRT8": 6 * WAD // 100}
# Made up: the dearest day of July 2025, for so long.
SIEGE = 120
# Letters of a line where the output is no terminal.
_WIDTH = 120
_NAMES = {"rLRT3": "3x", "rLRT8": "8x", "r3off": "3x, no stop", "r8off": "8x, no stop"}
_COLOURS = {"rLRT3": "#1f6f8b", "rLRT8": "#c2571a", "r3off": "#8fb7c5", "r8off": "#e0aa8a"}


@dataclass(frozen=True)
class Check:
    """Whether a sentence holds of a token."""

    sentence: str
    ok: bool


@contextmanager
def lab() -> Iterator[Lab]:
    """On a chain of its own."""
    with Anvil.start() as node:
        chain = Chain.connect(node.ipc)
        try:
            yield Lab(deploy(build_world(deploy_core(chain))))
        finally:
            chain.close()


def play_month(progress: Callable[[str], None]) -> list[Track]:
    """Thirty days, see `thirty_days`."""
    with lab() as one:
        for said in thirty_days(one, ezeth_2024()):
            progress(f"thirty days: {said}")
        return one.tracks


def play_rates(days: Sequence[Day], title: str, progress: Callable[[str], None]) -> list[Track]:
    """Days of other rates, with and without the carry stop."""
    with lab() as one:
        settings = section("local", "leveraged")["tokens"]
        for name, twin in (("rLRT3", "r3off"), ("rLRT8", "r8off")):
            terms = settings[name]
            # A floor at the target: nowhere to step to.
            off = {**terms, "floor_leverage_wad": terms["target_leverage_wad"]}
            one.follow(twin, deploy_token(one.scene, twin, off))
        for said in rates(one, tuple(days)):
            progress(f"{title}: {said}")
        return one.tracks


def judge(track: Track) -> list[Check]:
    """What must hold of a token at every step."""
    name, farthest = _NAMES[track.name], FARTHEST.get(track.name, WAD)
    lost = [one for one in track.rebalances if one.lost > one.bound]
    behind = min(point.distance for point in track.points)
    return [
        Check(f"{name}: in its band or moving toward it at every step", not _astray(track)),
        Check(f"{name}: equity lost by each rebalance is within its bound", not lost),
        Check(
            f"{name}: never more than {_percent(farthest)} behind its ghost", behind >= -farthest
        ),
    ]


def _astray(track: Track) -> list[Point]:
    """Steps out of the band at which nobody is served, and leverage is no nearer to the target."""
    found = []
    last = track.points[0]
    for point in track.points[1:]:
        nearer = abs(point.leverage - point.target) < abs(last.leverage - point.target)
        if not (point.in_band or point.is_open or nearer):
            found.append(point)
        last = point
    return found


# Tables and plots


def month_table(tracks: Sequence[Track]) -> Table:
    """A line for every second day."""
    table = _table("Thirty days: rewards; a slash of 5 % on day 11; ezETH's fall on day 21")
    table.add_column("day", justify="right")
    for track in tracks:
        for what in ("leverage", "band", "value", "behind"):
            table.add_column(f"{_NAMES[track.name]} {what}", justify="right")
    for day in [*range(0, 10, 2), 10, 11, 12, *range(14, 31, 2)]:
        row = [str(day)]
        for track in tracks:
            point = [one for one in track.points if one.seconds <= day * DAY][-1]
            row += [
                f"{point.leverage / WAD:.2f}",
                f"{point.least / WAD:.2f} - {point.most / WAD:.2f}",
                f"{point.value / WAD:.4f}",
                _percent(max(0, -point.distance)),
            ]
        table.add_row(*row)
    return table


def rebalance_table(tracks: Sequence[Track]) -> Table:
    """Every rebalance."""
    table = _table("Every rebalance")
    for name in ("token", "day", "leverage", "equity lost", "bound"):
        table.add_column(name, justify="left" if name == "token" else "right")
    for track in tracks:
        for one in track.rebalances:
            table.add_row(
                _NAMES[track.name],
                f"{one.seconds / DAY:.2f}",
                f"{one.before / WAD:.2f} to {one.after / WAD:.2f}",
                f"{one.lost * 100 / WAD:.4f} %",
                _percent(one.bound),
            )
    return table


def carry_table(title: str, tracks: Sequence[Track]) -> Table:
    """What the carry stop changed."""
    table = _table(title)
    for name in ("token", "value at the end", "ghost", "lowest", "rebalances", "they cost"):
        table.add_column(name, justify="left" if name == "token" else "right")
    for track in sorted(tracks, key=lambda one: one.terms.target):
        end, cost = track.points[-1], sum(one.lost for one in track.rebalances)
        table.add_row(
            _NAMES[track.name],
            f"{end.value * 100 / WAD - 100:+.2f} %",
            f"{end.ghost * 100 / WAD - 100:+.2f} %",
            f"{min(one.value for one in track.points) * 100 / WAD - 100:+.2f} %",
            str(len(track.rebalances)),
            f"{cost * 100 / WAD:.2f} %",
        )
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)


def _percent(wad: int) -> str:
    return f"{wad * 100 / WAD:.2f} %"


def plot(tracks: Sequence[Track], title: str, path: Path) -> None:
    """Leverage in its band above; value beside the ghost's below."""
    figure = Figure(figsize=(9, 6.4), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    for track in tracks:
        colour, name = _COLOURS[track.name], _NAMES[track.name]
        days = [one.seconds / DAY for one in track.points]
        low, high = ([getattr(one, end) / WAD for one in track.points] for end in ("least", "most"))
        above.fill_between(days, low, high, color=colour, alpha=0.15, linewidth=0)
        above.plot(days, [min(one.leverage / WAD, 15) for one in track.points], color=colour)
        below.plot(days, [one.value / WAD for one in track.points], color=colour, label=name)
        ghost = [one.ghost / WAD for one in track.points]
        below.plot(days, ghost, color=colour, linestyle=":", label=f"{name}, no friction")
    above.set_ylabel("leverage, and its band")
    below.set_ylabel("value of a share, WETH")
    below.set_xlabel("days")
    below.legend(frameon=False, fontsize="small", ncols=2)
    for axes in (above, below):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    with matplotlib.rc_context({"svg.hashsalt": "relever"}):
        figure.savefig(path, dpi=110)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play all, print tables, write plots and numbers; 1 when a check fails."""
    parser = argparse.ArgumentParser(prog="tokens", description=__doc__)
    parser.parse_args(arguments)
    width = None if sys.stdout.isatty() else _WIDTH
    out, log = Console(highlight=False, width=width), Console(stderr=True, highlight=False)
    july = weth_2025()
    dearest = max(july, key=lambda day: day.borrow)
    usual = Day(dearest.borrow, sum(day.growth for day in july) // len(july))
    real = "WETH and wstETH from July 2025: with and without the carry stop"
    made_up = f"Made up: {dearest.borrow * 100 / WAD:.2f} % a year for {SIEGE} days"
    try:
        with log.status("deploying") as status:
            month = play_month(status.update)
            carried = play_rates(july, "July 2025", status.update)
            siege = play_rates([usual] * SIEGE, "made up", status.update)
    except (AnvilError, CompileError, PartError, Revert) as error:
        log.print(f"tokens: {error}", style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        log.print("tokens: stopped")
        return 130
    OUTPUT.mkdir(parents=True, exist_ok=True)
    plays = {"thirty-days": month, "july-2025": carried, "made-up": siege}
    for (name, tracks), title in zip(plays.items(), ("Thirty days", real, made_up), strict=True):
        plot(tracks, title, OUTPUT / f"{name}.png")
        said = [{"name": t.name, "points": [asdict(p) for p in t.points]} for t in tracks]
        (OUTPUT / f"{name}.json").write_text(json.dumps(said) + "\n")
    for table in (
        month_table(month),
        rebalance_table(month),
        carry_table(real, carried),
        carry_table(made_up, siege),
    ):
        out.print(table)
    checks = [check for track in month for check in judge(track)]
    checks += [check for tracks in (carried, siege) for t in tracks for check in judge(t)[:2]]
    for check in checks:
        if not check.ok:
            out.print(f"  NO: {check.sentence}", style="red", markup=False)
    held = sum(check.ok for check in checks)
    out.print(f"{held} of {len(checks)} checks hold; plots and numbers: build/tokens/")
    return 0 if held == len(checks) else 1


if __name__ == "__main__":
    sys.exit(main())
