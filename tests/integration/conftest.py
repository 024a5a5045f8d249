from tests.stage import built_places, places

__all__ = ["built_places", "places"]
