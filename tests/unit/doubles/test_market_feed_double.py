"""The testnets' market feed: fresh, in par with a wstETH, and only its reporter says otherwise."""

from __future__ import annotations

import pytest

from relever.artifacts import artifact
from relever.chain import Chain, Contract, Revert
from tests.unit.doubles.conftest import Actors

WAD = 10**18


@pytest.fixture
def feed(chain: Chain, wsteth: Contract, actors: Actors) -> Contract:
    double = artifact("MarketFeedDouble")
    return chain.deploy(double, wsteth.address, actors.oracle, sender=actors.admin)


def test_latest_round_data__new__is_the_rate_now(
    feed: Contract, wsteth: Contract, chain: Chain
) -> None:
    chain.advance(1_000_000)
    round_, answer, started, updated, answered = feed.latestRoundData()
    assert answer == wsteth.stEthPerToken()
    assert (round_, answered) == (1, 1)
    assert started == updated == chain.timestamp
    assert feed.decimals() == 18


def test_set_discount__by_the_reporter__lowers_the_answer(
    feed: Contract, wsteth: Contract, actors: Actors
) -> None:
    feed.set_discount(WAD // 50, sender=actors.oracle)
    round_, answer = feed.latestRoundData()[:2]
    assert answer == wsteth.stEthPerToken() * 49 // 50
    assert round_ == 2


def test_set_discount__by_another__reverts(feed: Contract, actors: Actors) -> None:
    with pytest.raises(Revert, match="feed: not reporter"):
        feed.set_discount(1, sender=actors.admin)


def test_set_discount__all_of_it__reverts(feed: Contract, actors: Actors) -> None:
    with pytest.raises(Revert, match="feed: discount"):
        feed.set_discount(WAD, sender=actors.oracle)
