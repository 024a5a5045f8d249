from tests.unit.router.conftest import prepared, scene

__all__ = ["prepared", "scene"]
