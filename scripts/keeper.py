"""ape run keeper: liquidations and upkeep of a deployment, see `relever.keeper`."""

import sys

import click

from relever.keeper.__main__ import main


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def cli(arguments: tuple[str, ...]) -> None:
    """Run a keeper (--node, --deployment, --folder, --keystore, --share, --dry-run)."""
    sys.exit(main(arguments))
