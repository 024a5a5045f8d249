"""ape run lend: use a deployment from an account, see `relever.client`."""

import sys

import click

from relever.client.__main__ import main


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def cli(arguments: tuple[str, ...]) -> None:
    """Lend WETH, or take it back (--amount or --withdraw, --dry-run)."""
    sys.exit(main(["lend", *arguments]))
