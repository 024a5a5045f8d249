"""The market's scene: a factory, two plain tokens and an oracle whose price the tests set."""

from tests.unit.market.conftest import built, setup

__all__ = ["built", "setup"]
