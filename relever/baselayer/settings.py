"""What `relever/config` says about the base layer of a network."""

from __future__ import annotations

from dataclasses import dataclass

from relever.config import section


@dataclass(frozen=True)
class LocalBaseLayer:
    """How the local base layer is made; every name gives the unit, `local.yaml` the reasons."""

    withdrawal_delay_blocks: int
    deallocation_delay_blocks: int
    allocation_configuration_delay_blocks: int
    operator_allocation_delay_blocks: int
    rewards_interval_seconds: int
    rewards_activation_delay_seconds: int
    steth_initial_stake_wei: int
    steth_initial_rewards_wei: int
    symbiotic_epoch_duration_seconds: int
    symbiotic_veto_duration_seconds: int
    uniswap_extra_fee_millionths: int
    uniswap_extra_fee_tick_spacing: int


def local_base_layer() -> LocalBaseLayer:
    """The settings in `local.yaml`."""
    return LocalBaseLayer(**section("local", "base_layer"))


def network_addresses(network: str) -> dict[str, str]:
    """The base layer's addresses on a public network.

    Raises:
        ValueError: there is no file for it, or it lists no addresses.
    """
    settings = section(network, "base_layer")
    if "addresses" not in settings:
        raise ValueError(f"relever/config/{network}.yaml lists no base layer addresses: add them")
    addresses: dict[str, str] = settings["addresses"]
    return addresses
