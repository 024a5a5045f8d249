"""The router's scene, which has debt, interest, fees and rates that are no round numbers."""

from tests.unit.router.conftest import prepared, scene

__all__ = ["prepared", "scene"]
