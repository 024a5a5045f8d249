"""Tables of quotes: a position and its carry, what opening would do, and every way out; and what
a leveraged token and the backstop pool would do for the owner, who must hold and have approved it.

`ape run quote NODE`, where NODE is a node's address such as http://127.0.0.1:8545, of a chain with
a deployment. Nothing is sent.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation, localcontext
from pathlib import Path

from rich.console import Console
from rich.table import Table

from relever.artifacts import artifact
from relever.chain import Chain, Contract, Revert, RpcError
from relever.derivative_quotes import (
    quote_backing,
    quote_cash,
    quote_enter,
    quote_exit,
    quote_mint,
    quote_redeem,
)
from relever.protocol import PRICE_SCALE, WAD, Protocol
from relever.quotes import (
    Carry,
    Exit,
    Opening,
    Position,
    QuoteRefused,
    carry,
    exits,
    position,
    quote_leverage,
    quote_open,
    token_address,
)
from relever.reasons import explain

_DEPLOYMENT = Path(__file__).parents[1] / "build" / "demo.json"
_DAY = 86_400


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; 0 when all that was asked could be quoted."""
    parser = argparse.ArgumentParser(
        prog="quote", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("node", help="the node's address")
    parser.add_argument(
        "--deployment", type=Path, default=_DEPLOYMENT, help="JSON of addresses by name"
    )
    parser.add_argument("--owner", required=True, help="whose position")
    parser.add_argument("--token", default="ether", help="ether, weth, steth, wsteth or lrt")
    parser.add_argument("--amount", type=_amount, help="whole tokens to put in")
    much = parser.add_mutually_exclusive_group()
    much.add_argument("--borrow", type=_amount, help="whole WETH to borrow")
    much.add_argument("--leverage", type=_amount, help="worth per equity afterwards")
    parser.add_argument("--exit", type=_amount, help="whole LRT; else the position's collateral")
    parser.add_argument("--leveraged", help="a leveraged token's address")
    parser.add_argument("--zap", help="its zap's address: --token and --amount are its input then")
    parser.add_argument("--mint", type=_amount, help="whole shares of the leveraged token")
    parser.add_argument("--redeem", type=_amount, help="whole shares of the leveraged token")
    parser.add_argument("--back", type=_amount, help="whole WETH into the backstop pool")
    parser.add_argument("--unback", type=_amount, help="whole shares of the backstop pool")
    options = parser.parse_args(arguments)
    needed = (options.zap, options.mint, options.redeem)
    if options.leveraged is None and any(one is not None for one in needed):
        parser.error("--zap, --mint and --redeem are of a token: name it with --leveraged")
    if options.zap is not None and options.amount is None:
        parser.error("--zap takes what --amount says: give it")
    console = Console(highlight=False)
    try:
        chain = Chain.connect(options.node)
        protocol = Protocol.at(chain, json.loads(options.deployment.read_text(encoding="utf-8")))
        for table in _tables(protocol, options):
            console.print(table)
    except (OSError, ValueError, RpcError, QuoteRefused, Revert) as error:
        print(f"relever: {error}", file=sys.stderr)
        return 1
    return 0


def _tables(protocol: Protocol, options: argparse.Namespace) -> Iterator[Table]:
    held = position(protocol, options.owner)
    yield _position_table("The position", held, carry(protocol, options.owner))
    yield from _derivative_tables(protocol, options)
    put_in = None if options.zap is not None else options.amount
    if any(asked is not None for asked in (put_in, options.borrow, options.leverage)):
        token, amount = token_address(protocol, options.token), options.amount or 0
        if options.leverage is not None:
            asked = (protocol, options.owner, token, amount, options.leverage)
            borrow, quote = quote_leverage(*asked)
        else:
            borrow = options.borrow or 0
            quote = quote_open(protocol, options.owner, token, amount, borrow)
        yield _opening_table(borrow, quote)
        yield _position_table("The position afterwards", quote.position)
        held = quote.position
    leaving = held.collateral if options.exit is None else options.exit
    if leaving:
        yield _exit_table(leaving, exits(protocol, leaving))


def _derivative_tables(protocol: Protocol, options: argparse.Namespace) -> Iterator[Table]:
    owner, chain, pool = options.owner, protocol.chain, protocol.backstop
    if options.leveraged is not None:
        token = chain.contract(options.leveraged, artifact("LeveragedToken"))
        yield from _leveraged_tables(protocol, token, options)
    if options.back is not None:
        shares = quote_backing(pool, owner, options.back)
        rows = [("paid", f"{_decimal(options.back)} WETH"), ("shares", _decimal(shares))]
        yield _table("Into the backstop", ("", ""), rows)
    if options.unback is not None:
        line = quote_exit(pool, owner, options.unback)
        try:
            now = f"{_decimal(quote_cash(pool, owner, options.unback))} WETH"
        except QuoteRefused as refused:
            now = explain(refused.reason)
        rows = [
            ("at once", now),
            ("by the line, at most", f"{_decimal(line.worth)} WETH"),
            ("shares ahead in the line", _decimal(line.ahead)),
        ]
        yield _table(f"{_decimal(options.unback)} shares out of the backstop", ("", ""), rows)


def _leveraged_tables(
    protocol: Protocol, token: Contract, options: argparse.Namespace
) -> Iterator[Table]:
    owner, symbol = options.owner, token.symbol()
    if options.zap is not None:
        zap = protocol.chain.contract(options.zap, artifact("LeveragedTokenZap"))
        token_in = token_address(protocol, options.token)
        entering = quote_enter(zap, owner, token, token_in, options.amount)
        rows = [
            ("paid", f"{_decimal(options.amount)} {options.token}"),
            ("shares", _decimal(entering.shares)),
            ("given back", f"{_decimal(entering.returned)} LRT"),
        ]
        yield _table(f"{symbol} by its zap", ("", ""), rows)
    if options.mint is not None:
        mint = quote_mint(token, owner, options.mint)
        rows = [("paid", f"{_decimal(mint.lrt)} LRT"), ("had", f"{_decimal(mint.weth)} WETH")]
        yield _table(f"Minting {_decimal(options.mint)} {symbol}", ("", ""), rows)
    if options.redeem is not None:
        redeem = quote_redeem(token, owner, options.redeem)
        rows = [("paid", f"{_decimal(redeem.weth)} WETH"), ("had", f"{_decimal(redeem.lrt)} LRT")]
        yield _table(f"Redeeming {_decimal(options.redeem)} {symbol}", ("", ""), rows)


def _position_table(title: str, held: Position, earned: Carry | None = None) -> Table:
    rows = [
        ("collateral", f"{_decimal(held.collateral)} LRT"),
        ("worth at the fundamental price", f"{_decimal(held.worth)} WETH"),
        ("debt", f"{_decimal(held.debt)} WETH"),
        ("leverage", _ratio(held.leverage)),
        ("LTV", _ratio(held.ltv)),
        ("health", _ratio(held.health)),
        ("health at the price for borrowing", _ratio(held.conservative_health)),
        ("liquidated below a fundamental of", _price(held.liquidation_price)),
        ("deleveraged below a market of", _price(held.deleverage_price)),
        ("and not any more below", _price(held.deleverage_floor)),
    ]
    if earned is not None:
        left = earned.seconds_to_liquidation
        measured = f"{earned.measured / _DAY:.1f} days"
        rows += [
            ("borrow rate", f"{_percent(earned.borrow_rate)} a year"),
            ("yield of the collateral", f"{_percent(earned.collateral_yield)} a year ({measured})"),
            ("net carry", f"{_decimal(earned.net)} WETH a year"),
            ("on the equity", f"{_percent(earned.net_on_equity)} a year"),
            (
                "liquidated by carry alone in",
                "never" if left is None else f"{left / _DAY:.1f} days",
            ),
        ]
    return _table(title, ("", ""), rows)


def _opening_table(borrow: int, quote: Opening) -> Table:
    rows = [
        ("borrowed", f"{_decimal(borrow)} WETH"),
        ("sold in the pool", f"{_decimal(quote.sold)} WETH"),
        ("for", f"{_decimal(quote.bought)} LRT"),
        ("minted", f"{_decimal(quote.minted)} LRT"),
        ("given back", f"{_decimal(quote.returned)} WETH"),
        ("refused", explain(quote.refusal) if quote.refusal else "no"),
    ]
    return _table("Opening", ("", ""), rows)


def _exit_table(amount: int, found: Sequence[Exit]) -> Table:
    rows = [
        (way.name, "-", "-", "-", way.refusal)
        if way.refusal
        else (way.name, _decimal(way.paid), _decimal(way.cost), f"{way.days:.2f}", "")
        for way in found
    ]
    head = ("way", "pays WETH", "costs WETH", "days", "refused")
    return _table(f"Ways out of {_decimal(amount)} LRT", head, rows)


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left", show_header=any(head))
    for index, name in enumerate(head):
        table.add_column(name, justify="left" if index == 0 or name == "refused" else "right")
    for row in rows:
        table.add_row(*row)
    return table


def _amount(text: str) -> int:
    """Whole units as WAD, exactly. Raises `ArgumentTypeError`."""
    with localcontext() as context:
        context.prec = 80
        try:
            scaled = Decimal(text) * WAD
        except InvalidOperation:
            raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
        if not scaled.is_finite() or scaled < 0 or scaled != scaled.to_integral_value():
            raise argparse.ArgumentTypeError(
                f"{text!r} must not be negative nor have more than 18 decimals"
            )
        return int(scaled)


def _decimal(amount: int) -> str:
    return f"{Decimal(amount) / WAD:,.6f}"


def _ratio(value: int | None) -> str:
    return "endless" if value is None else f"{Decimal(value) / WAD:.4f}"


def _percent(rate: int) -> str:
    return f"{Decimal(rate) * 100 / WAD:.2f} %"


def _price(price: int) -> str:
    return f"{Decimal(price) / PRICE_SCALE:.6f} WETH"
