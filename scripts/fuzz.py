"""ape run fuzz: any order of actions, and whether everything still holds, see `relever.fuzz`."""

import sys

import click

from relever.fuzz.__main__ import main


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def cli(arguments: tuple[str, ...]) -> None:
    """Fuzz the protocol (--minutes, --examples, --seed, --machine, --replica, --replay)."""
    sys.exit(main(arguments))
