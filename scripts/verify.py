"""ape run verify: compare what stands on a network with its record, see `relever.deploy.verify`."""

from __future__ import annotations

import sys

import click
from ape import networks
from ape.cli import ConnectedProviderCommand

from relever.deploy.__main__ import main


@click.command(
    cls=ConnectedProviderCommand,
    context_settings={"ignore_unknown_options": True},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def cli(arguments: tuple[str, ...]) -> None:
    """Find every difference between chain, record and settings (--record, --config)."""
    provider = networks.provider
    name = provider.network.name.removesuffix("-fork")
    sys.exit(main(["verify", "--network", name, "--rpc", provider.http_uri, *arguments]))
