"""ape run quote: what opening would do and what there is, see `relever.quoting`."""

import sys

import click

from relever.quoting import main


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def cli(arguments: tuple[str, ...]) -> None:
    """Tell before money moves (NODE --owner --amount --token --leverage or --borrow --exit).

    A leveraged token: --leveraged with --mint, --redeem, --zap; the backstop: --back, --unback.
    """
    sys.exit(main(arguments))
