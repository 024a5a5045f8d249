"""The router's scene: lenders, a vault that stakes, a looper who trusts the router."""

from collections.abc import Iterator

import pytest

from relever.protocol import Deployment
from tests.unit.oracle.conftest import setup as oracle_alone
from tests.unit.router.conftest import prepared

__all__ = ["oracle_alone", "prepared", "scene"]


@pytest.fixture
def scene(prepared: Deployment) -> Iterator[Deployment]:
    with prepared.chain.isolated():
        yield prepared
