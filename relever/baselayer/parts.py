"""The bytecode of other people's contracts, read from the pinned packages."""

from __future__ import annotations

from functools import cache

from relever.artifacts import Artifact, artifact_from_json
from relever.parts import npm_json, wheel_json


@cache
def weth9() -> Artifact:
    part = npm_json("canonical-weth", "build/contracts/WETH9.json")
    return artifact_from_json("WETH9", part["abi"], part["bytecode"])


@cache
def eigenlayer_core(name: str) -> Artifact:
    """A core contract of EigenLayer's slashing era."""
    part = wheel_json("eigensdk", f"eigensdk/contracts/ABI/{name}.json")
    return artifact_from_json(name, part["abi"], part["bytecode"]["object"])


@cache
def eigenlayer_periphery(name: str) -> Artifact:
    """A strategy, proxy or registry, from EigenLayer's release of October 2024."""
    part = npm_json("eigenlayer-contracts", f"out/{name}.sol/{name}.json")
    return artifact_from_json(name, part["abi"], part["bytecode"]["object"])


@cache
def symbiotic(name: str) -> Artifact:
    """A contract of Symbiotic's core."""
    part = npm_json("@symbioticfi/rewards", f"out/{name}.sol/{name}.json")
    return artifact_from_json(name, part["abi"], part["bytecode"]["object"])


@cache
def chainlink(name: str) -> Artifact:
    part = npm_json("@chainlink/abi", f"v0.6/{name}.json")
    return artifact_from_json(name, part["abi"], part["bytecode"])


@cache
def uniswap_core(name: str) -> Artifact:
    part = npm_json("@uniswap/v3-core", f"artifacts/contracts/{name}.sol/{name}.json")
    return artifact_from_json(name, part["abi"], part["bytecode"])


@cache
def uniswap_periphery(name: str) -> Artifact:
    part = npm_json("@uniswap/v3-periphery", f"artifacts/contracts/{name}.sol/{name}.json")
    return artifact_from_json(name, part["abi"], part["bytecode"])


@cache
def balancer(task: str, name: str) -> Artifact:
    """A contract of Balancer v2 by the deployment that it was a part of."""
    path = f"dist/tasks/{task}/artifact/{name}.json"
    part = npm_json("@balancer-labs/v2-deployments", path)
    return artifact_from_json(name, part["abi"], part["bytecode"])
