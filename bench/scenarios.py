"""Slashes and depegs over a ladder of positions, in our market and beside it in Morpho Blue.

One Anvil with the full deployment, both restaking protocols under it. Morpho Blue is the real one,
with the same threshold, the same fee, the same lenders and positions, and an oracle that says the
market price, which is the usual choice. The exit code is 1 when a check fails.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.morpho import Code, MorphoBlue, compile_morpho
from relever.artifacts import CompileError, artifacts
from relever.baselayer import Roles, build_world, deploy_core
from relever.chain import Anvil, AnvilError, Chain, Revert
from relever.parts import PartError
from relever.protocol import PRICE_SCALE, WAD, Deployment, deploy
from relever.risk import Cast, OurMarket, Outcome, Stage
from relever.risk.liquidators import RULE
from relever.risk.scenarios import Scenario, most_in_an_hour, percent, play
from relever.risk.stage import AGE, EQUITY

OUTPUT = Path(__file__).resolve().parents[1] / "build" / "scenarios.json"
POSITIONS = 100
# The accounts that one node is started with.
MOST_POSITIONS = 1_000
LENDERS = 5
# What is deployed, named here to be compiled side by side.
OURS = (
    *("LRTVault", "WithdrawalQueue", "SidePocket", "DepositZap", "RewardsSeller"),
    *("EigenLayerAdapter", "SymbioticAdapter", "OracleAdapter", "MarketFactory", "LendingMarket"),
    *("UniswapV3Swap", "LeverageRouter", "BackstopPool", "Liquidator", "StopOrders", "Lens"),
    *("StETHDouble", "WstETHDouble", "EigenPodManagerDouble", "AVSRegistrarDouble"),
    "ConstantOracle",
)


def run(
    positions: int, code: Code, progress: Callable[[str], None]
) -> tuple[Stage, list[Scenario]]:
    """Play every scenario on a chain of its own.

    Args:
        positions: how many borrowers there are, two at least.
        code: Morpho Blue, compiled.
        progress: is told what goes on.
    """
    needed = len(fields(Roles)) + 2 + LENDERS + positions
    with Anvil.start(accounts=needed) as node:
        progress("deploying")
        chain = Chain.connect(node.ipc)
        scene = deploy(build_world(deploy_core(chain)))
        progress("opening the positions")
        stage = _stage(scene, positions, code)
        scenarios = play(stage, progress)
        chain.close()
        return stage, scenarios


def _stage(scene: Deployment, positions: int, code: Code) -> Stage:
    first, second, *others = scene.chain.accounts[len(fields(Roles)) :]
    cast = Cast(tuple(others[:LENDERS]), tuple(others[LENDERS : LENDERS + positions]))
    venues = [OurMarket(scene, cast, first), MorphoBlue(scene, cast, second, code)]
    return Stage(scene, cast, venues)


# --- tables ---------------------------------------------------------------------------------------


def setting(stage: Stage) -> str:
    """What all scenarios start from, in a sentence or two."""
    first, last = stage.plans[0].leverage, stage.plans[-1].leverage
    return (
        f"{len(stage.plans)} positions, opened {AGE} days ago at {first / WAD:.1f}x to "
        f"{last / WAD:.1f}x with {EQUITY // WAD} WETH each, every tenth with ten times as much, on "
        f"WETH of {len(stage.cast.lenders)} lenders; liquidated from a loan-to-value of "
        f"{percent(stage.terms.threshold, WAD)}. Borrowers do nothing, and interest does not count "
        "as their loss."
    )


def table(scenario: Scenario) -> Table:
    """What happened at each venue, side by side."""
    shown = _table(scenario, scenario.title)
    columns = [figures(outcome) for outcome in scenario.outcomes]
    for name in columns[0]:
        shown.add_row(name, *(column[name] for column in columns))
    return shown


def figures(outcome: Outcome) -> dict[str, str]:
    """The lines of a table by their names; amounts in WETH where they do not say otherwise."""
    losses, equities = outcome.loss_by_borrower(), outcome.equity_before()
    parts = outcome.loss_parts()
    in_an_hour = max(
        hour * WAD // position.debt
        for hour, position in zip(most_in_an_hour(outcome), outcome.positions_before, strict=True)
    )
    claims_before, claims_after = outcome.books_before.lenders, outcome.books_after.lenders
    return {
        "positions touched": f"{outcome.touched}",
        "positions closed": f"{outcome.closed}",
        "liquidations": f"{len(outcome.taken)}",
        "of them deleverages": f"{sum(one.done.deleverage for one in outcome.taken)}",
        "most of a debt deleveraged in an hour": percent(in_an_hour, WAD),
        "debt repaid": _amount(outcome.repaid),
        "collateral sold, rLRT": _amount(outcome.seized),
        "collateral sold": percent(outcome.sold_part, WAD),
        "borrowers' equity lost": _amount(sum(losses) // PRICE_SCALE),
        "borrowers' equity lost, all together": percent(sum(losses), sum(equities)),
        "borrowers' equity lost, mean": percent(sum(parts), WAD * len(parts)),
        "borrowers' equity lost, worst": percent(max(parts), WAD),
        "liquidators' profit": _amount(outcome.profit),
        "bad debt": _amount(outcome.bad_debt),
        "interest meanwhile": _amount(outcome.interest),
        "lenders' claims rose by": _amount(sum(claims_after) - sum(claims_before)),
        "borrowing afterwards": outcome.borrowing_refused or "goes on",
        "borrowing a day later": outcome.borrowing_refused_a_day_later or "goes on",
    }


def reconciliation(scenario: Scenario) -> Table:
    """Who bears what, to the wei: the lines above each sum add up to it."""
    shown = _table(scenario, "Who bears it, in wei at the fundamental price afterwards")
    columns = [outcome.who_bears_it() for outcome in scenario.outcomes]
    for name in columns[0]:
        style = "bold" if name.startswith("=") else None
        shown.add_row(name, *(f"{column[name]:,}" for column in columns), style=style)
    return shown


def _table(scenario: Scenario, title: str) -> Table:
    shown = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    shown.add_column("", no_wrap=True)
    for outcome in scenario.outcomes:
        shown.add_column(outcome.venue, justify="right", no_wrap=True)
    return shown


def show(scenario: Scenario, console: Console) -> None:
    """Print a scenario: its tables, its sentence, and whether its checks hold."""
    console.print(table(scenario))
    if scenario.no_time_passed:
        console.print(reconciliation(scenario))
    console.print(scenario.sentence, style="bold")
    failed = [check for check in scenario.checks if not check.ok]
    console.print(f"{len(scenario.checks) - len(failed)} of {len(scenario.checks)} checks hold\n")
    for check in failed:
        console.print(
            f"  NO: {check.sentence}: {check.left} {check.relation} {check.right}", style="red"
        )


def _amount(wei: int) -> str:
    sign, wei = ("-" if wei < 0 else ""), abs(wei)
    return f"{sign}{wei // WAD:,}.{wei % WAD // 10**14:04d}"


# --- the document ---------------------------------------------------------------------------------


def document(stage: Stage, scenarios: Sequence[Scenario]) -> dict[str, Any]:
    """Everything in whole units; amounts are strings, since JSON keeps no large integers."""
    return {
        "rule": RULE,
        "terms": {name: str(value) for name, value in stage.terms._asdict().items()},
        "plans": [_plain(asdict(plan)) for plan in stage.plans],
        "scenarios": [_scenario(scenario) for scenario in scenarios],
    }


def _scenario(scenario: Scenario) -> dict[str, Any]:
    return {
        "name": scenario.name,
        "title": scenario.title,
        "sentence": scenario.sentence,
        "outcomes": [_outcome(outcome) for outcome in scenario.outcomes],
        "checks": [{**_plain(asdict(check)), "ok": check.ok} for check in scenario.checks],
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        **_plain(asdict(outcome)),
        "loss_by_borrower": _plain(outcome.loss_by_borrower()),
        "who_bears_it": _plain(outcome.who_bears_it()),
        "figures": figures(outcome),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


# --- the command ----------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Compile, play, print the tables, write build/scenarios.json; the exit code."""
    parser = argparse.ArgumentParser(prog="scenarios", description=__doc__)
    parser.add_argument("--positions", type=_count, default=POSITIONS, help="100 by default")
    options = parser.parse_args(arguments)
    out, log = Console(highlight=False), Console(stderr=True, highlight=False)

    def said(what: str) -> None:
        log.print(f"  {what}", style="dim")

    try:
        log.print("Compiling ours and Morpho Blue (kept under build/ for the next time) ...")
        with log.status("compiling"):
            artifacts(OURS, said)
            code = compile_morpho(said)
        log.print(f"Playing the scenarios with {options.positions} positions ...")
        with log.status("playing"):
            stage, scenarios = run(options.positions, code, said)
    except (AnvilError, CompileError, PartError, Revert) as error:
        log.print(f"scenarios: {error}", style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        log.print("scenarios: stopped")
        return 130
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(document(stage, scenarios), indent=1) + "\n", encoding="utf-8")
    out.print(f"{setting(stage)}\n{RULE}\n")
    for scenario in scenarios:
        show(scenario, out)
    log.print(f"Every figure: {OUTPUT.relative_to(OUTPUT.parents[1])}")
    return 0 if all(check.ok for scenario in scenarios for check in scenario.checks) else 1


def _count(text: str) -> int:
    count = int(text)
    if not 2 <= count <= MOST_POSITIONS:
        raise argparse.ArgumentTypeError(f"between 2 and {MOST_POSITIONS}, not {count}")
    return count


if __name__ == "__main__":
    sys.exit(main())
