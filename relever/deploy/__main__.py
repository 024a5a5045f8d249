"""Put the suite onto a network, or compare what stands there with record and settings.

    python -m relever.deploy --network sepolia --rpc URL --keystore FILE --password-file FILE
    python -m relever.deploy verify --network sepolia --rpc URL

The first shows on a fork what it would do and cost, asks, and does it step by step. Killed at any
point and run again, it goes on and deploys nothing twice.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from eth_account.signers.local import LocalAccount
from rich.console import Console
from rich.table import Table

from relever.artifacts import CompileError
from relever.chain import AnvilError, Chain, Revert, Rpc, RpcError
from relever.deploy import record as records
from relever.deploy.plan import Plan, PlanError
from relever.deploy.preflight import check_chain, check_parts, check_places
from relever.deploy.record import RecordError, describe, genesis, opened
from relever.deploy.rehearsal import Rehearsal, rehearse
from relever.deploy.runner import GWEI, Progress, RunError, Runner
from relever.deploy.settings import Settings, SettingsError, read
from relever.deploy.suite import NOBODY
from relever.deploy.verify import verify
from relever.keeper.account import AccountError, asked_password, unlock
from relever.parts import PartError

ROOT = Path(__file__).resolve().parents[2]
ETHER = 10**18
_TABLE_WIDTH = 100
FAILURES = (
    SettingsError,
    PlanError,
    RecordError,
    RunError,
    AccountError,
    RpcError,
    AnvilError,
    CompileError,
    PartError,
    Revert,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 done, 1 not done or differences found, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    verifies = given[:1] == ["verify"]
    options = _parser(verifies).parse_args(given[1:] if verifies else given)
    console = Console(stderr=True, highlight=False)
    try:
        return _verify(options, console) if verifies else _deploy(options, console)
    except FAILURES as error:
        console.print(f"deploy: {error}", style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("\ndeploy: interrupted; run the same again, and it goes on", style="yellow")
        return 130


def _deploy(options: argparse.Namespace, console: Console) -> int:
    settings = read(options.network, options.config)
    check_parts(settings, str(options.config or options.network), doubles=options.doubles)
    # Who asks does not matter.
    chain = Chain(Rpc(options.rpc), [NOBODY])
    check_chain(chain, settings)
    check_places(chain, settings)
    account = _account(options)
    plan = Plan(chain, settings, account.address)
    about = describe(plan, options.network, genesis(chain))
    path = _path(options)
    with opened(path, about) as record:
        if not record.finished and not _agreed(options, settings, account, console):
            console.print("Nothing was sent.")
            return 0 if options.dry_run else 1

        def tell(progress: Progress) -> None:
            _say(console, progress)

        Runner(
            chain,
            account,
            plan,
            record,
            confirmations=settings.network.confirmations_blocks,
            poll_seconds=options.poll_seconds,
            most_fee_gwei=options.most_fee_gwei,
            tell=tell,
        ).run()
    console.print(f"Deployed, and recorded in {path}", style="green", soft_wrap=True)
    return 0


def _verify(options: argparse.Namespace, console: Console) -> int:
    settings, document = read(options.network, options.config), records.read(_path(options))
    doubles = "feed" in document["contracts"]
    check_parts(settings, str(options.config or options.network), doubles=doubles)
    chain = Chain(Rpc(options.rpc), [NOBODY])
    check_chain(chain, settings)
    plan = Plan(chain, settings, document.get("deployer", NOBODY))
    found = verify(plan, describe(plan, options.network, genesis(chain)), document)
    if not found:
        contracts, values = len(plan.creations) + 1, len(plan.facts())
        console.print(
            f"{contracts} contracts and {values} values are as record and settings say",
            style="green",
        )
        return 0
    table = Table(title=f"{len(found)} differences")
    for heading in ("what", "on the chain", "expected"):
        table.add_column(heading, overflow="fold")
    for one in found:
        table.add_row(one.what, one.found, one.expected)
    console.print(table, markup=False)
    return 1


def _agreed(
    options: argparse.Namespace, settings: Settings, account: LocalAccount, console: Console
) -> bool:
    """Whether to go on, once it has been played on a fork."""
    if not options.no_dry_run:
        console.print("Playing it on a fork ...", style="dim")
        path = _path(options)
        _show(rehearse(options.rpc, settings, options.network, account, path), console)
    if options.dry_run:
        return False
    if options.yes:
        return True
    if not sys.stdin.isatty():
        raise PlanError("nobody can be asked whether to go on: give --yes")
    return console.input("Deploy? [y/N] ").strip().lower() in ("y", "yes")


def _show(found: Rehearsal, console: Console) -> None:
    table = Table(title="The plan")
    for heading in ("step", "address", "gas", "ether"):
        right = heading in ("gas", "ether")
        table.add_column(heading, justify="right" if right else "left", no_wrap=not right)
    for step, gas in found.gas.items():
        shown = (f"{gas:,}", f"{gas * found.price / ETHER:.6f}") if gas else ("done", "")
        table.add_row(step, found.places.get(step, ""), *shown)
    table.add_row("seeds and first loan", "", "", f"{found.seeds / ETHER:.6f}")
    total = sum(found.gas.values())
    table.add_row("all", "", f"{total:,}", f"{found.cost / ETHER:.6f}", style="bold")
    # Not narrower where nobody looks, as in a log.
    console.print(table, width=max(console.width, _TABLE_WIDTH), crop=False)
    price, held = found.price / GWEI, found.balance / ETHER
    console.print(f"At {price:.3f} gwei for a unit of gas; the account has {held:.6f} ether.")


def _say(console: Console, progress: Progress) -> None:
    number = f"{progress.number:3} of {progress.count}" if progress.number else " " * 9
    gas = f", {progress.gas:,} gas" if progress.gas else ""
    console.print(f"{number}  {progress.step}: {progress.what}{gas}")


def _path(options: argparse.Namespace) -> Path:
    return options.record or ROOT / "deployments" / f"{options.network}.json"


def _account(options: argparse.Namespace) -> LocalAccount:
    if options.keystore is None:
        raise AccountError("--keystore is needed to deploy")
    return unlock(options.keystore, asked_password(options.keystore, options.password_file))


def _parser(verifies: bool) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deploy verify" if verifies else "deploy",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--network", default="custom", help="a file's name in relever/config: sepolia, hoodi")
    add("--config", type=Path, help="a file of that form anywhere, in its place")
    add("--rpc", required=True, help="http(s) URL of a node")
    add("--record", type=Path, help="default: deployments/NETWORK.json")
    if not verifies:
        add("--doubles", action="store_true", help="on testnets: doubles for missing parts")
        add("--keystore", type=Path, help="encrypted key, such as ~/.ape/accounts/NAME.json")
        add("--password-file", type=Path, help="else it is asked for")
        first = parser.add_mutually_exclusive_group().add_argument
        first("--dry-run", action="store_true", help="play it on a fork, and send nothing")
        first("--no-dry-run", action="store_true", help="do not play it on a fork first")
        add("--yes", action="store_true", help="do not ask")
        add("--poll-seconds", type=float, default=0.5, help="between looks at the chain")
        add("--most-fee-gwei", type=int, default=300, help="offered for a unit of gas")
    return parser


if __name__ == "__main__":
    sys.exit(main())
