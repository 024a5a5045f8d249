"""The router's scene, with a position that a slash has made unhealthy."""

import pytest

from relever.chain import Contract
from relever.protocol import NOBODY, WAD, Deployment
from tests.scene import ETHER, open_leveraged, slash_and_sync
from tests.unit.router.conftest import deploy_hostile, prepared, scene

__all__ = ["hostile", "prepared", "scene", "unhealthy"]


@pytest.fixture
def unhealthy(scene: Deployment) -> Deployment:
    """Health a little below one, still worth more than debt and bonus."""
    open_leveraged(scene, 3 * ETHER, 30 * ETHER)
    slash_and_sync(scene, WAD // 10)
    view = scene.protocol.lens.position(scene.protocol.market.address, scene.roles.looper)
    assert 97 * WAD // 100 < view.health < WAD
    return scene


@pytest.fixture
def hostile(scene: Deployment) -> tuple[Contract, Contract]:
    """A liquidator that takes any market for listed, and a market that uses that."""
    return deploy_hostile(scene, "Liquidator", NOBODY)
