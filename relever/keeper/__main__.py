"""The command line of the keeper."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from types import FrameType

from eth_account.signers.local import LocalAccount

from relever.keeper.account import AccountError, asked_password, unlock
from relever.keeper.config import Policy, Share, Trust
from relever.keeper.journal import JournalError
from relever.keeper.keeper import Keeper, NoEther, Options
from relever.keeper.logs import Log
from relever.keeper.metrics import Metrics
from relever.keeper.node import NodeError, Refused
from relever.keeper.suite import DeploymentError, Suite


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until stopped; the exit code: 2 when it cannot begin."""
    options = _parser().parse_args(arguments)
    log = Log(keeper=f"{options.share.index}/{options.share.count}")
    try:
        keeper = _keeper(options, log)
    except (AccountError, DeploymentError, JournalError, NoEther, NodeError, Refused) as error:
        print(f"keeper: {error}", file=sys.stderr)
        return 2
    stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    log.info("begins", node=options.node, dry_run=options.dry_run, positions=len(keeper.book))
    try:
        keeper.run(lambda: stopped)
    finally:
        keeper.close()
    log.info("ends")
    return 0


def _keeper(options: argparse.Namespace, log: Log) -> Keeper:
    suite = Suite.load(options.deployment)
    metrics = Metrics()
    if options.metrics_port is not None:
        metrics.serve(options.metrics_port)
    policy = Policy(**{f.name: getattr(options, f.name) for f in fields(Policy)})
    lag = options.clock_lag_seconds
    trust = Trust(
        timeout_seconds=options.timeout_seconds,
        silent_seconds=options.silent_seconds,
        clock_lag_seconds=lag if lag > 0 else None,
        lag_blocks=options.lag_blocks,
    )
    share = Share(options.share.index, options.share.count, options.turn_blocks)
    settings = Options(
        url=options.node,
        other_url=options.other_node,
        folder=options.folder,
        account=None if options.dry_run else _account(options),
        orders=options.orders,
        dry_run=options.dry_run,
        poll_seconds=options.poll_seconds,
        policy=policy,
        trust=trust,
        share=share,
    )
    return Keeper(suite, settings, log, metrics)


def _account(options: argparse.Namespace) -> LocalAccount:
    if options.keystore is None:
        raise AccountError("--keystore is needed to send; --dry-run needs none")
    return unlock(options.keystore, asked_password(options.keystore, options.password_file))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="keeper", description=__doc__)
    add = parser.add_argument
    add("--node", required=True, help="http(s) or ws(s) URL, or the path of a node's socket")
    add("--other-node", default="", help="a second node to compare with")
    add("--deployment", type=Path, required=True, help="JSON file of addresses by name")
    add("--folder", type=Path, required=True, help="for the journal; each keeper needs its own")
    add("--keystore", type=Path, help="encrypted key, such as ~/.ape/accounts/NAME.json")
    add("--password-file", type=Path, help="else it is asked for")
    add("--orders", type=Path, help="a folder of signed stop orders, one a .json file")
    add("--dry-run", action="store_true", help="decide, say so, and send nothing")
    add("--share", type=_share, default=Share(), help="which of how many keepers: 1/2")
    add("--turn-blocks", type=int, default=1, help="how long a turn is")
    add("--metrics-port", type=int, help="for Prometheus, on 127.0.0.1")
    add("--poll-seconds", type=float, default=1.0, help="between looks")
    trust = Trust()
    add("--timeout-seconds", type=float, default=trust.timeout_seconds, help="for an answer")
    add("--silent-seconds", type=float, default=trust.silent_seconds, help="without a new block")
    add(
        *("--clock-lag-seconds",),
        type=int,
        default=trust.clock_lag_seconds,
        help="most that the head may be behind our clock; 0: any",
    )
    add("--lag-blocks", type=int, default=trust.lag_blocks, help="behind the other node")
    group = parser.add_argument_group("policy", Policy.__doc__)
    for field in fields(Policy):
        assert field.default is not MISSING
        name = "--" + field.name.replace("_", "-")
        group.add_argument(name, type=int, default=field.default, help=f"default {field.default}")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    return parser


def _share(text: str) -> Share:
    try:
        return Share.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
