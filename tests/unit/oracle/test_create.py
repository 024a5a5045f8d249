from dataclasses import replace
from typing import Any

import pytest

from relever.artifacts import artifact
from relever.protocol import NOBODY, WAD
from tests.scene import reverts
from tests.unit.oracle.conftest import DAY, FAIR, PARAMETERS, PRICE, YEAR, Setup, deploy_oracle


def test_create__fair_parameters__seeds_the_checkpoint(setup: Setup) -> None:
    oracle, now = setup.oracle, setup.chain.timestamp
    assert setup.state() == (0, 0, 0, 0, FAIR, now, 0, 0)
    assert oracle.VAULT() == oracle.LST() == setup.rates.address
    assert oracle.feeds() == (setup.feed.address, 0, 0, NOBODY, 0, NOBODY, 0)
    assert oracle.feed() == setup.feed.address
    assert oracle.SEQUENCER() == NOBODY
    assert (
        oracle.MAX_AGE(),
        oracle.MIN_ANSWER(),
        oracle.MAX_ANSWER(),
        oracle.FEED_AGREEMENT(),
        oracle.FEED_BAND(),
        oracle.SEQUENCER_GRACE(),
        oracle.MAX_GROWTH(),
        oracle.DISCOUNT_SPEED(),
        oracle.MAX_GAP(),
        oracle.DEEP_DISCOUNT(),
        oracle.LASTING_TIME(),
        oracle.GATE_FLOOR(),
        oracle.GATE_SHARE(),
        oracle.GATE_WINDOW(),
    ) == PARAMETERS.as_tuple()
    assert oracle.growth_cap() == oracle.fundamental() == FAIR


def test_create__fair_parameters__logs_the_checkpoint(setup: Setup) -> None:
    created = setup.chain.rpc(
        "eth_getLogs", [{"address": setup.oracle.address, "fromBlock": "0x0"}]
    )
    assert [setup.chain.decode_log(log) for log in created] == [
        setup.event("FeedReplaced", former=NOBODY, feed=setup.feed.address),
        setup.event("CheckpointPromoted", ratio=FAIR, time=setup.chain.timestamp),
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"max_age": 0}, "oracle: max age"),
        ({"min_answer": 0}, "oracle: min answer"),
        ({"max_answer": PRICE // 2}, "oracle: max answer"),
        ({"max_answer": 2**140}, "oracle: max answer"),
        ({"feed_agreement": 0}, "oracle: feed agreement"),
        ({"feed_agreement": WAD // 20 + 1}, "oracle: feed agreement"),
        ({"feed_band": 0}, "oracle: feed band"),
        ({"feed_band": WAD // 5 + 1}, "oracle: feed band"),
        ({"sequencer_grace": 1}, "oracle: grace period"),
        ({"max_growth": WAD + 1}, "oracle: max growth"),
        ({"discount_speed": WAD + 1}, "oracle: discount speed"),
        ({"deep_discount": 0}, "oracle: deep discount"),
        ({"deep_discount": WAD + 1}, "oracle: deep discount"),
        ({"lasting_time": DAY - 1}, "oracle: lasting time"),
        ({"lasting_time": YEAR + 1}, "oracle: lasting time"),
        ({"gate_floor": WAD - 1}, "oracle: gate floor"),
        ({"gate_floor": 2**112}, "oracle: gate floor"),
        ({"gate_share": WAD + 1}, "oracle: gate share"),
        ({"gate_window": 3_599}, "oracle: gate window"),
        ({"gate_window": YEAR + 1}, "oracle: gate window"),
        ({"min_answer": FAIR + 1}, "oracle: rate out of bounds"),
        ({"max_answer": FAIR - 1}, "oracle: rate out of bounds"),
    ],
)
def test_create__parameter_out_of_range__reverts(
    setup: Setup, change: dict[str, Any], reason: str
) -> None:
    with reverts(reason):
        deploy_oracle(setup.chain, setup.rates, setup.feed, replace(PARAMETERS, **change))


@pytest.mark.parametrize(
    "change",
    [
        {"max_age": 1},
        {"max_growth": WAD},
        {"max_growth": 0},
        {"discount_speed": WAD},
        {"discount_speed": 0},
        {"max_gap": 0},
        {"max_gap": 2**256 - 1},
        {"deep_discount": 1},
        {"deep_discount": WAD},
        {"lasting_time": DAY},
        {"lasting_time": YEAR},
        {"feed_agreement": 1},
        {"feed_agreement": WAD // 20},
        {"feed_band": 1},
        {"feed_band": WAD // 5},
        {"gate_floor": WAD},
        {"gate_floor": 2**112 - 1},
        {"gate_share": 0},
        {"gate_share": WAD},
        {"gate_window": 3_600},
        {"gate_window": YEAR},
        {"min_answer": FAIR},
        {"max_answer": FAIR},
        {"max_answer": 2**140 - 1},
    ],
)
def test_create__parameter_at_its_bound__is_taken(setup: Setup, change: dict[str, Any]) -> None:
    oracle = deploy_oracle(setup.chain, setup.rates, setup.feed, replace(PARAMETERS, **change))
    assert oracle.fundamental() == FAIR


@pytest.mark.parametrize("decimals", [0, 6, 8, 18, 27, 36])
def test_create__feed_of_other_decimals__scales_them(setup: Setup, decimals: int) -> None:
    feed = setup.chain.deploy(artifact("SettableFeed"), decimals)
    other = setup.over(feed)
    other.answer_word(10**decimals, setup.chain.timestamp)
    assert other.oracle.market_price() == (PRICE, True)


@pytest.mark.parametrize("decimals", [37, 255])
def test_create__feed_of_too_many_decimals__reverts(setup: Setup, decimals: int) -> None:
    feed = setup.chain.deploy(artifact("SettableFeed"), decimals)
    with reverts("oracle: feed decimals"):
        deploy_oracle(setup.chain, setup.rates, feed)
