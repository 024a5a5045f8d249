"""ape run scenarios: slashes and depegs beside Morpho Blue, see `bench.scenarios`."""

import sys

import click

from bench.scenarios import main


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def cli(arguments: tuple[str, ...]) -> None:
    """Play slashes and depegs over a ladder of positions, beside Morpho Blue (--positions)."""
    sys.exit(main(arguments))
