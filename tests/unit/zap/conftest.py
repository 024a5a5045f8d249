"""A vault that has staked and earned, at rates that are no round numbers, and a depositor."""

from collections.abc import Iterator
from typing import Any

import pytest

from relever.chain import Contract
from relever.protocol import Deployment
from tests.lrt_paths import NOBODY
from tests.scene import assert_empty
from tests.unit.router.conftest import prepared

__all__ = ["prepared", "scene"]

TOKENS = ["ether", "weth", "steth", "wsteth"]


@pytest.fixture
def scene(prepared: Deployment) -> Iterator[Deployment]:
    """Whatever a test does, the zap is empty after it."""
    with prepared.chain.isolated():
        yield prepared
        assert_empty(prepared, prepared.protocol.zap.address)


def token_of(scene: Deployment, name: str) -> Contract | None:
    """The input's contract; None for ether."""
    return None if name == "ether" else getattr(scene.world.core, name)


def give(scene: Deployment, name: str, amount: int) -> str:
    """The depositor gets `amount` of the token and approves the zap; the token's address."""
    depositor, token = scene.roles.depositor, token_of(scene, name)
    if token is None:
        return NOBODY
    # Lido rounds what it mints.
    scene.world.fund(depositor, **{name: amount + 2 if name == "steth" else amount})
    token.approve(scene.protocol.zap.address, amount, sender=depositor)
    return token.address


def zap(
    scene: Deployment, name: str, amount: int, least: int = 0, receiver: str | None = None
) -> Any:
    """The depositor zaps for itself, or for a receiver; the receipt."""
    depositor = scene.roles.depositor
    token, value = give(scene, name, amount), amount if name == "ether" else 0
    return scene.protocol.zap.deposit(
        token, amount, least, receiver or depositor, sender=depositor, value=value
    )
