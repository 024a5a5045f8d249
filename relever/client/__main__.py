"""Use a deployment: positions, loans, stakes and liquidations, from a keystore account.

Amounts have a unit (5ether, 20gwei, 1wei; a token's unit is its ether), a leverage an x (3.5x),
slippage a % (0.5%). What is sent is bound on chain by the quote less slippage and a deadline of 20
minutes, and was simulated as a whole right before. --dry-run stops there.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from relever.chain import Revert, RpcError
from relever.client.client import DEADLINE_SECONDS, SLIPPAGE, Client, OpenQuote, Plan
from relever.client.live import ClientError
from relever.client.units import UnitError, written
from relever.quotes import ROUTES, QuoteRefused, carry
from relever.reasons import explain

_DEPLOYMENT = Path(__file__).parents[2] / "build" / "demo.json"
_NODE = "http://127.0.0.1:8545"
_WAYS = ("best", *ROUTES)
_RATIOS = ("ltv", "leverage", "health", "conservative_health")

Say = Callable[[Any], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when it is done, 1 when it is refused or not confirmed, 2 when it is badly written."""
    options = _parser().parse_args(arguments)
    try:
        client = Client.connect(
            options.node, options.deployment, options.account, options.password_file
        )
        document = options.run(client, options)
    except (Revert, QuoteRefused) as error:
        return _failed(f"refused: {explain(error.reason)}")
    except (ClientError, UnitError, RpcError) as error:
        return _failed(str(error))
    except KeyboardInterrupt:
        return _failed("stopped")
    if options.json:
        print(json.dumps(_plain(document), indent=2))
    else:
        print("\n".join(_lines(document)))
    return 0


def _failed(why: str) -> int:
    print(f"relever: {why}", file=sys.stderr)
    return 1


# Each command


def _quote(client: Client, options: argparse.Namespace) -> Any:
    return asdict(_opening(client, options))


def _open(client: Client, options: argparse.Namespace) -> Any:
    return _act(client, options, client.plan_open(_opening(client, options)))


def _opening(client: Client, options: argparse.Namespace) -> OpenQuote:
    return client.quote_open(
        options.amount,
        options.leverage,
        options.borrow,
        options.token,
        options.slippage,
        options.deadline,
    )


def _close(client: Client, options: argparse.Namespace) -> Any:
    quote = client.quote_close(
        options.collateral, options.repay, options.route, options.slippage, options.deadline
    )
    return _act(client, options, client.plan_close(quote))


def _adjust(client: Client, options: argparse.Namespace) -> Any:
    quote = client.quote_adjust(options.leverage, options.route, options.slippage, options.deadline)
    if isinstance(quote, OpenQuote):
        return _act(client, options, client.plan_open(quote))
    return _act(client, options, client.plan_close(quote))


def _show(client: Client, options: argparse.Namespace) -> Any:
    if options.owner is None and client.account is None:
        raise ClientError("whose position? Give --owner or --account")
    held = client.position(options.owner)
    earned = carry(client.protocol, options.owner or client.owner)
    return {"position": asdict(held), "carry": asdict(earned)}


def _lend(client: Client, options: argparse.Namespace) -> Any:
    if options.withdraw is not None:
        return _act(client, options, client.plan_withdraw(options.withdraw))
    return _act(client, options, client.plan_lend(options.amount, options.token))


def _stake(client: Client, options: argparse.Namespace) -> Any:
    plan = client.plan_stake(options.amount, options.token, options.slippage)
    return _act(client, options, plan)


def _redeem(client: Client, options: argparse.Namespace) -> Any:
    if options.claim is not None:
        return _act(client, options, client.plan_claim(options.claim))
    return _act(client, options, client.plan_redeem(options.amount, options.queue))


def _liquidate(client: Client, options: argparse.Namespace) -> Any:
    plan = client.plan_liquidate(options.owner, options.max_repay, options.route, options.slippage)
    return _act(client, options, plan)


def _act(client: Client, options: argparse.Namespace, plan: Plan) -> Any:
    """Simulate; then ask, unless told not to, and send."""
    seen = client.run(plan, dry_run=True)
    if options.dry_run:
        return asdict(seen)
    if not options.yes:
        if not sys.stdin.isatty():
            raise ClientError("nobody is there to confirm it: add --yes, or --dry-run to look")
        print("\n".join(_lines(asdict(seen))), file=sys.stderr)
        print("Send this? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            raise ClientError("not confirmed: nothing was sent")
    return asdict(client.run(plan))


# What is written


def _plain(value: Any) -> Any:
    """JSON keeps no large integers: whole numbers become strings."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value) if type(value) is int else value


def _lines(value: Any, indent: str = "") -> list[str]:
    lines = []
    for name, one in value.items():
        if isinstance(one, dict):
            lines += [f"{indent}{name}:", *_lines(one, indent + "  ")]
        elif isinstance(one, list | tuple):
            lines += [f"{indent}{name}:", *(f"{indent}  {item}" for item in one)]
        else:
            lines.append(f"{indent}{name.replace('_', ' ')}: {_said(name, one)}")
    return lines


def _said(name: str, value: Any) -> str:
    if value is None:
        return "endless"
    if type(value) is not int or name in ("deadline", "gas_used", "requestId", "request_id"):
        return str(value)
    if name in _RATIOS:
        return written(value).removesuffix("ether")
    if name.endswith("_price") or name == "deleverage_floor":
        return f"{written(value // 10**18)} per LRT"
    if "seconds" in name or name == "measured":
        return f"{value} s"
    if name in ("borrow_rate", "collateral_yield", "net_on_equity"):
        return f"{written(value * 100).removesuffix('ether')} % a year"
    return written(value)


# The command line


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="relever.client",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    place = commands.add_parser("position", help="quote, open, close, adjust or show a position")
    actions = place.add_subparsers(required=True, metavar="ACTION")

    for name, run, what in (
        ("quote", _quote, "what opening would do"),
        ("open", _open, "open or raise a position"),
    ):
        one = _command(actions, name, run, what)
        one.add_argument("--amount", default="0ether", help="what to put in, as 5ether")
        one.add_argument("--token", default="ether", help="of ether, weth, steth, wsteth or lrt")
        much = one.add_mutually_exclusive_group(required=True)
        much.add_argument("--leverage", help="worth per equity afterwards, as 3.5x")
        much.add_argument("--borrow", help="WETH to borrow, as 10ether")
        _bounds(one)
    one = _command(actions, "close", _close, "close or lower a position")
    one.add_argument("--collateral", default="max", help="LRT to take out, or max")
    one.add_argument("--repay", default="max", help="WETH to repay, or max")
    one.add_argument("--route", choices=_WAYS, default="best", help="how the LRT is sold")
    _bounds(one)
    one = _command(actions, "adjust", _adjust, "bring a position to a leverage")
    one.add_argument("--leverage", required=True, help="afterwards, as 2x")
    one.add_argument("--route", choices=_WAYS, default="best", help="how LRT is sold, if any")
    _bounds(one)
    one = _command(actions, "show", _show, "a position and its carry")
    one.add_argument("--owner", help="whose, else the account's")

    one = _command(commands, "lend", _lend, "lend WETH, or take it back")
    much = one.add_mutually_exclusive_group(required=True)
    much.add_argument("--amount", help="what to lend, as 5ether")
    much.add_argument("--withdraw", help="what to take back in WETH, as 5ether, or max")
    one.add_argument("--token", default="ether", help="ether (it is wrapped) or weth")

    one = _command(commands, "stake", _stake, "ether, WETH, stETH or wstETH into the LRT")
    one.add_argument("--amount", required=True, help="as 5ether")
    one.add_argument("--token", default="ether", help="ether, weth, steth or wsteth")
    _slippage(one)

    one = _command(commands, "redeem", _redeem, "LRT back into wstETH")
    much = one.add_mutually_exclusive_group(required=True)
    much.add_argument("--amount", help="LRT, as 5ether, or max")
    much.add_argument("--claim", type=int, help="number of a request that has been paid")
    one.add_argument("--queue", action="store_true", help="ask for it in the queue")

    one = _command(commands, "liquidate", _liquidate, "liquidate a position, without capital")
    one.add_argument("--owner", required=True, help="whose")
    one.add_argument("--max-repay", default="max", help="most WETH repaid, or max")
    one.add_argument("--route", choices=_WAYS, default="best", help="how the LRT is sold")
    _slippage(one)
    return parser


def _command(
    group: Any, name: str, run: Callable[[Client, argparse.Namespace], Any], what: str
) -> argparse.ArgumentParser:
    one: argparse.ArgumentParser = group.add_parser(name, help=what, description=what)
    one.set_defaults(run=run)
    environment = os.environ.get
    one.add_argument("--node", default=environment("RELEVER_NODE", _NODE), help="its address")
    one.add_argument(
        "--deployment",
        type=Path,
        default=Path(environment("RELEVER_DEPLOYMENT", str(_DEPLOYMENT))),
        help="JSON of addresses by name",
    )
    one.add_argument(
        "--account",
        default=environment("RELEVER_ACCOUNT"),
        help="a keystore file, or the name of an Ape account",
    )
    one.add_argument("--password-file", type=Path, help="else the password is asked for")
    one.add_argument("--json", action="store_true", help="print one document; amounts in wei")
    if run not in (_quote, _show):
        one.add_argument("--dry-run", action="store_true", help="simulate, and send nothing")
        one.add_argument("--yes", action="store_true", help="do not ask before sending")
    return one


def _bounds(one: argparse.ArgumentParser) -> None:
    _slippage(one)
    one.add_argument(
        "--deadline", type=int, default=DEADLINE_SECONDS, help="seconds in which it may be mined"
    )


def _slippage(one: argparse.ArgumentParser) -> None:
    one.add_argument("--slippage", default=SLIPPAGE, help="how much less than quoted, as 0.5%%")


if __name__ == "__main__":
    sys.exit(main())
