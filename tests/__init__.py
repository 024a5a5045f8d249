"""Tests. A package, so that they share `tests.scene`."""
