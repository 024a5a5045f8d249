"""What `relever/config` says about the base layer of a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # PyYAML brings no types

_CONFIG = Path(__file__).parents[1] / "config"


@dataclass(frozen=True)
class LocalBaseLayer:
    """How the local base layer is made; every name gives the unit, `local.yaml` the reasons."""

    withdrawal_delay_blocks: int
    deallocation_delay_blocks: int
    allocation_configuration_delay_blocks: int
    operator_allocation_delay_blocks: int
    steth_initial_stake_wei: int
    steth_initial_rewards_wei: int
    uniswap_extra_fee_millionths: int
    uniswap_extra_fee_tick_spacing: int


def local_base_layer() -> LocalBaseLayer:
    """The settings in `local.yaml`."""
    return LocalBaseLayer(**_section("local"))


def network_addresses(network: str) -> dict[str, str]:
    """The base layer's addresses on a public network.

    Raises:
        ValueError: there is no file for it, or it lists no addresses.
    """
    section = _section(network)
    if "addresses" not in section:
        raise ValueError(f"relever/config/{network}.yaml lists no base layer addresses: add them")
    addresses: dict[str, str] = section["addresses"]
    return addresses


def _section(network: str) -> dict[str, Any]:
    path = _CONFIG / f"{network}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in _CONFIG.glob("*.yaml")))
        raise ValueError(f"no settings for network {network!r}: choose one of {known}")
    section: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))["base_layer"]
    return section
