"""The rebalancer beside both leveraged tokens, put back after each test."""

from collections.abc import Iterator

import pytest

from relever.protocol import Deployment
from tests.leveraged import Tokens, build


@pytest.fixture(scope="module")
def built_tokens(deployed: Deployment) -> Iterator[Tokens]:
    """Made once for a module: each test puts it back."""
    with deployed.chain.isolated():
        yield build(deployed)


@pytest.fixture
def tokens(built_tokens: Tokens) -> Iterator[Tokens]:
    """Whatever a test does, tokens and zap are empty after it."""
    with built_tokens.scene.chain.isolated():
        yield built_tokens
        built_tokens.assert_empty()
