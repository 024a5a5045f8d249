"""ape run mutants: the mutation score of the contracts, see `relever.mutants`."""

import sys

import click

from relever.mutants.__main__ import main


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def cli(arguments: tuple[str, ...]) -> None:
    """Mutate the contracts and see which tests notice (--sample, --seed, --files, --list)."""
    sys.exit(main(arguments))
