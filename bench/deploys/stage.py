"""A network to deploy to: the base layer on a local chain, and the file that names its parts."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from eth_account import Account

from relever.baselayer import World, build_world, deploy_core
from relever.chain import Chain

WAD = 10**18
ETHER = 10**18
POOL_DEPTH = 5_000 * ETHER
POOL_FEE_MILLIONTHS = 100


@dataclass(frozen=True)
class Keystore:
    """An encrypted key, and where its password is."""

    address: str
    file: Path
    password_file: Path


def lay_base(chain: Chain) -> tuple[World, dict[str, Any]]:
    """The base layer, and its addresses as a network's file names them."""
    world = build_world(deploy_core(chain))
    core, provider = world.core, world.roles.liquidity_provider
    rate = core.wsteth.stEthPerToken()
    feed = world.feed("rLRT / WETH")
    feed.answer(rate)
    in_weth = POOL_DEPTH * rate // WAD
    world.fund(provider, weth=in_weth, wsteth=POOL_DEPTH)
    pool = world.pool(core.wsteth, core.weth, POOL_FEE_MILLIONTHS, rate, POOL_DEPTH, in_weth)
    names = (
        *("weth", "wsteth", "wsteth_strategy", "delegation_manager", "strategy_manager"),
        *("rewards_coordinator", "uniswap_factory"),
    )
    addresses = {name: getattr(core, name).address for name in names}
    veto = world.symbiotic.veto
    return world, {
        **addresses,
        "operator": world.roles.operator,
        "symbiotic_vault": veto.vault.address,
        "symbiotic_rewards": veto.rewards.address,
        "lst_pool": pool.address,
        "feed": feed.proxy.address,
    }


def network_file(folder: Path, chain_id: int, addresses: dict[str, Any], **network: Any) -> Path:
    """Write the settings of a testnet with the local parameters."""
    document = {
        "network": {"chain_id": chain_id, "testnet": True, **network},
        "parameters": "local",
        "base_layer": {"addresses": addresses},
    }
    path = folder / "network.yaml"
    path.write_text(yaml.safe_dump(document))
    return path


def keystore(folder: Path, key: bytes | None = None) -> Keystore:
    """A new account in a keystore file, quick to open: the key lives as long as the chain."""
    key = key or secrets.token_bytes(32)
    password = secrets.token_hex(16)
    file, password_file = folder / "key.json", folder / "password"
    password_file.write_text(password)
    file.write_text(json.dumps(Account.encrypt(key, password, kdf="pbkdf2", iterations=1)))
    return Keystore(Account.from_key(key).address, file, password_file)
