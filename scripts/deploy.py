"""ape run deploy: put the suite onto a network, see `relever.deploy`."""

from __future__ import annotations

import sys

import click
from ape import accounts, networks
from ape.cli import ConnectedProviderCommand

from relever.deploy.__main__ import main


@click.command(
    cls=ConnectedProviderCommand,
    context_settings={"ignore_unknown_options": True},
)
@click.option("--account", required=True, help="alias of an account that Ape keeps")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def cli(account: str, arguments: tuple[str, ...]) -> None:
    """Deploy, or go on deploying (--dry-run, --yes, --record, --config, --doubles)."""
    provider = networks.provider
    keystore = accounts.containers["accounts"].data_folder / f"{account}.json"
    name = provider.network.name.removesuffix("-fork")
    given = ["--network", name, "--rpc", provider.http_uri, "--keystore", str(keystore)]
    sys.exit(main([*given, *arguments]))
