"""The backstop pool: it buys what no pool does, is paid by the queue, and shares what comes of it.

Four plays from one state of the full deployment: a position is to be liquidated, the LRT's pool is
empty, the vault has nothing idle. The exit code is 1 when a check fails.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from matplotlib.figure import Figure
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from relever.artifacts import CompileError
from relever.baselayer import build_world, deploy_core
from relever.chain import Anvil, AnvilError, Chain, Revert
from relever.parts import PartError
from relever.protocol import SEED, WAD, deploy
from relever.risk.backstop import DAY, DEPOSITS, VIRTUAL, Lab, Result, Turn

OUTPUT = Path(__file__).resolve().parents[1] / "build" / "backstop"
# Of the stake, while it waits.
SLASH = WAD // 5
# Units that rounding may take: of what the queue pays in parts, and of a depositor's part.
_QUEUE_UNITS, _UNITS = 2, 2
# Letters of a line where the output is no terminal.
_WIDTH = 110
_YEAR = 365 * DAY
_COLOURS = {"paid in full": "#1f6f8b", "slashed while it waits": "#c2571a"}


@dataclass(frozen=True)
class Check:
    """Whether a sentence holds."""

    sentence: str
    ok: bool


@dataclass(frozen=True)
class Run:
    """Everybody leaves at once: what waits of each, and what he is paid, first and in the end."""

    result: Result
    cash: int
    first: list[tuple[int, int]]
    then: list[tuple[int, int]]


def play(progress: Callable[[str], None]) -> tuple[Result, Result, Run, list[Turn]]:
    """All plays."""
    with Anvil.start() as node:
        chain = Chain.connect(node.ipc)
        try:
            progress("deploying")
            lab = Lab(deploy(build_world(deploy_core(chain))))
            progress("a liquidation that nobody else buys")
            full = _whole(lab, "paid in full", 0)
            progress("the same with a slash while it waits")
            slashed = _whole(lab, "slashed while it waits", SLASH)
            progress("everybody leaves")
            return full, slashed, _run(lab), _turns(lab)
        finally:
            chain.close()


def _whole(lab: Lab, name: str, slash: int) -> Result:
    with lab.play(name) as result:
        claim = lab.buy(result)
        if slash:
            lab.slash(result, slash)
        lab.wait(result)
        lab.harvest(result, claim)
        lab.end(result)
        return result


def _run(lab: Lab) -> Run:
    with lab.play("a run") as result:
        claim = lab.buy(result)
        cash = lab.pool.cash()
        first = lab.leave_at_once(result)
        lab.wait(result)
        lab.harvest(result, claim)
        return Run(result, cash, first, lab.serve())


def _turns(lab: Lab) -> list[Turn]:
    with lab.play("turns") as result:
        claim = lab.buy(result)
        out = lab.step_out(SLASH)
        lab.wait(result)
        return [lab.step_in(claim), out]


def judge_whole(result: Result) -> list[Check]:
    """What must hold of a play to its end."""
    name, deposited = result.name, sum(DEPOSITS.values())
    total = deposited + SEED - result.cost + result.received
    checks = [
        Check(f"{name}: neither pool nor vault would have bought", len(result.refused) == 2),
        Check(f"{name}: each depositor is paid his exact part", result.left == result.fair),
        Check(
            f"{name}: all that came and went is accounted for to the wei",
            sum(result.left) + result.rest == total,
        ),
        Check(f"{name}: all have gained or lost the same part", _alike(result)),
    ]
    if result.received >= result.cost:
        full = 0 <= result.worth - result.paid <= _QUEUE_UNITS
        checks.append(Check(f"{name}: the queue pays the whole worth at purchase", full))
    return checks


def _alike(result: Result) -> bool:
    """Whether the parts of all are the same but for units."""
    amounts = list(DEPOSITS.values())
    first, whole = result.left[0], amounts[0]
    return all(
        abs(got * whole - first * amount) <= _UNITS * (whole + amount)
        for got, amount in zip(result.left, amounts, strict=True)
    )


def judge_run(run: Run) -> list[Check]:
    """First come, first served, and no more than what was asked for."""
    paid = [now for _, now in run.first]
    done = [waits == 0 for waits, _ in run.first]
    in_turn = done == sorted(done, reverse=True)
    owed = list(DEPOSITS.values())
    got = [sum(both) for both in zip(paid, (now for _, now in run.then), strict=True)]
    return [
        Check("a run: cash goes to who asked first", in_turn and not all(done)),
        Check("a run: all the cash is paid out", sum(paid) == min(run.cash, sum(owed))),
        Check(
            "a run: the rest is paid from the harvest, nobody more than he asked for",
            all(waits == 0 for waits, _ in run.then)
            and all(
                amount - VIRTUAL <= one <= amount for one, amount in zip(got, owed, strict=True)
            ),
        ),
    ]


def judge_turns(turns: Sequence[Turn]) -> list[Check]:
    """Nobody gains by when he comes or goes."""
    return [Check(f"who {turn.what} gains nothing", turn.gain <= 0) for turn in turns]


# Tables and a plot


def return_table(results: Sequence[Result]) -> Table:
    """What was paid, and what came of it."""
    table = _table("What no pool bought")
    names = ("", "LRT", "cost", "sold for", "days", "on the cost", "on all deposits", "a year*")
    for name in names:
        table.add_column(name, justify="left" if not name else "right")
    for one in results:
        gain, deposited = one.received - one.cost, sum(DEPOSITS.values())
        yearly = gain / one.cost * _YEAR / one.waited
        table.add_row(
            one.name,
            *(f"{amount / WAD:.4f}" for amount in (one.bought, one.cost, one.received)),
            f"{one.waited / DAY:.1f}",
            f"{gain * 100 / one.cost:+.3f} %",
            f"{gain * 100 / deposited:+.3f} %",
            f"{yearly * 100:+.1f} %" if gain > 0 else "",
        )
    table.caption = "* on the cost, were the money always out for as long as here"
    table.caption_justify = "left"
    return table


def depositor_table(results: Sequence[Result]) -> Table:
    """What each has put in and got."""
    table = _table("Its depositors")
    table.add_column("who")
    table.add_column("put in", justify="right")
    for one in results:
        table.add_column(f"{one.name}: got, wei", justify="right")
        table.add_column("return", justify="right")
    for index, (who, amount) in enumerate(DEPOSITS.items()):
        row = [who, f"{amount / WAD:.0f}"]
        for one in results:
            row += [f"{one.left[index]:,}", f"{one.left[index] * 100 / amount - 100:+.4f} %"]
        table.add_row(*row)
    return table


def run_table(run: Run) -> Table:
    """What the line pays."""
    table = _table(f"Everybody leaves at once, with {run.cash / WAD:.4f} WETH of cash")
    for name in ("who, in turn", "asks for", "paid at once", "after the payment"):
        table.add_column(name, justify="left" if "who" in name else "right")
    for (who, amount), (_, now), (_, later) in zip(
        DEPOSITS.items(), run.first, run.then, strict=True
    ):
        amounts = (amount, now, later)
        table.add_row(who, *(f"{one / WAD:.6f}" for one in amounts))
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)


def plot(results: Sequence[Result], path: Path) -> None:
    """The two marks over time."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    for one in results:
        days = [moment.seconds / DAY for moment in one.moments]
        for mark, line in (("low", "-"), ("high", ":")):
            values = [getattr(moment, mark) / WAD for moment in one.moments]
            said = f"{one.name}: {'who leaves' if mark == 'low' else 'who joins'}"
            axes.plot(days, values, line, color=_COLOURS[one.name], label=said, marker="o", ms=3)
    axes.set_xlabel("days since the purchase")
    axes.set_ylabel("what all shares are worth, WETH")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize="small")
    figure.savefig(path, dpi=110)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play all, print tables, write a plot and the numbers; 1 when a check fails."""
    parser = argparse.ArgumentParser(prog="backstop", description=__doc__)
    parser.parse_args(arguments)
    width = None if sys.stdout.isatty() else _WIDTH
    out, log = Console(highlight=False, width=width), Console(stderr=True, highlight=False)
    try:
        with log.status("deploying") as status:
            full, slashed, run, turns = play(status.update)
    except (AnvilError, CompileError, PartError, Revert) as error:
        log.print(f"backstop: {error}", style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        log.print("backstop: stopped")
        return 130
    results = (full, slashed)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    plot(results, OUTPUT / "marks.png")
    document = [asdict(one) for one in (*results, run.result)]
    (OUTPUT / "plays.json").write_text(json.dumps(document, indent=1) + "\n")
    for table in (return_table(results), depositor_table(results), run_table(run)):
        out.print(table)
    for turn in turns:
        out.print(f"Who {turn.what}: {turn.gain / WAD:+.6f} WETH", markup=False)
    checks = [check for one in results for check in judge_whole(one)]
    checks += judge_run(run) + judge_turns(turns)
    for check in checks:
        if not check.ok:
            out.print(f"  NO: {check.sentence}", style="red", markup=False)
    held = sum(check.ok for check in checks)
    out.print(f"{held} of {len(checks)} checks hold; plot and numbers: build/backstop/")
    return 0 if held == len(checks) else 1


if __name__ == "__main__":
    sys.exit(main())
