"""ape run demo: the whole story on a local chain, see `relever.demo`."""

import sys

import click

from relever.demo import main


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def cli(arguments: tuple[str, ...]) -> None:
    """Tell the whole story on a local chain (--json, --keep, --port)."""
    sys.exit(main(arguments))
