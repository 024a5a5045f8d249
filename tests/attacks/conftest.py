"""The router's scene: lenders, a vault that stakes, a looper who trusts the router.

Beside it an oracle alone, and a market alone over two plain tokens.
"""

from collections.abc import Iterator

import pytest

from relever.protocol import Deployment
from tests.stage import built_places, places
from tests.unit.leveraged.conftest import built_tokens, tokens
from tests.unit.market.conftest import aged, borrowed, built, busy, lent, setup
from tests.unit.oracle.conftest import setup as oracle_alone
from tests.unit.router.conftest import prepared

__all__ = [
    "aged",
    "borrowed",
    "built",
    "built_places",
    "built_tokens",
    "busy",
    "lent",
    "oracle_alone",
    "places",
    "prepared",
    "scene",
    "setup",
    "tokens",
]


@pytest.fixture
def scene(prepared: Deployment) -> Iterator[Deployment]:
    with prepared.chain.isolated():
        yield prepared
