"""`explain` names what binds, and answers whatever else does not."""

from dataclasses import replace
from typing import Any

import pytest

from relever.artifacts import artifact
from relever.protocol import WAD
from tests.unit.oracle.conftest import (
    DAY,
    FAIR,
    LST_RATE,
    PARAMETERS,
    VAULT_RATE,
    Setup,
    deploy_oracle,
    smoothed,
)

GAP, SPEED = PARAMETERS.max_gap, PARAMETERS.discount_speed


def explain(setup: Setup) -> Any:
    return setup.oracle.explain()


def test_explain__quiet_market__tells_every_number(setup: Setup) -> None:
    setup.rates.set_supply(7 * WAD)
    setup.chain.advance(DAY)
    setup.answer(FAIR)
    now = setup.chain.timestamp
    expected = {
        "price": FAIR,
        "price_source": "feed",
        "liquidation_price": FAIR,
        "liquidation_rule": "fundamental",
        "fundamental": FAIR,
        "smoothed": FAIR,
        "growth_cap": setup.oracle.growth_cap(),
        "checkpoint_ratio": FAIR,
        "checkpoint_time": setup.oracle.checkpoint_time(),
        "feed": setup.feed.address,
        "feed_usable": True,
        "feed_fault": "",
        "feed_answer": FAIR,
        "feed_updated_at": now,
        "sequencer_fault": "",
        "raw_discount": 0,
        "discount": 0,
        "deep_time": 0,
        "lasting_time": PARAMETERS.lasting_time,
        "gate_open": True,
        "gate_level": 7 * WAD,
        "gate_capacity": PARAMETERS.gate_floor,
    }
    told = explain(setup)
    assert {name: getattr(told, name) for name in expected} == expected
    assert len(told) == len(expected)


def test_explain__feed_above_the_live_rate__that_binds(setup: Setup) -> None:
    setup.chain.advance(DAY)
    setup.answer(FAIR * 2)
    setup.rates.set_live_rate(VAULT_RATE * 9 // 10)
    told = explain(setup)
    assert (told.price, told.price_source) == (VAULT_RATE * 9 // 10 * LST_RATE, "live fundamental")
    assert (told.fundamental, told.feed_answer) == (FAIR, FAIR * 2)
    assert told.raw_discount == 0


def test_explain__rate_above_the_cap__that_binds(setup: Setup) -> None:
    setup.rates.set_rate(VAULT_RATE * 2)
    setup.chain.advance(DAY)
    setup.answer(FAIR * 2)
    told = explain(setup)
    cap = setup.oracle.growth_cap()
    assert (told.price, told.price_source) == (cap, "growth cap")
    assert told.fundamental == told.growth_cap == cap > FAIR


def test_explain__discount_seen__market_may_deleverage(armed: Setup) -> None:
    armed.chain.advance(GAP)
    told = explain(armed)
    assert told.liquidation_rule == "market deleverage"
    assert told.liquidation_price == FAIR
    assert told.smoothed == smoothed(FAIR, SPEED * GAP)
    # What is stored, and what the feed says.
    assert (told.discount, told.raw_discount) == (0, WAD // 10)


def test_explain__discount_lasts__says_so(setup: Setup) -> None:
    quick = replace(PARAMETERS, discount_speed=WAD, lasting_time=DAY)
    setup = replace(setup, oracle=deploy_oracle(setup.chain, setup.rates, setup.feed, quick))
    setup.answer_discount(WAD // 10)
    setup.poke()
    setup.press(WAD // 10, GAP)
    setup.press(WAD // 10, DAY)
    told = explain(setup)
    assert told.liquidation_rule == "lasting discount"
    assert told.liquidation_price == told.smoothed == smoothed(FAIR, WAD // 10)
    assert told.fundamental == FAIR
    assert told.deep_time == told.lasting_time == DAY


@pytest.mark.parametrize(
    ("answer", "age", "fault"),
    [
        (0, 0, "oracle: bad answer"),
        (-1, 0, "oracle: bad answer"),
        (FAIR // WAD, PARAMETERS.max_age + 1, "oracle: stale feed"),
        (2**255 - 1, 0, "oracle: answer out of bounds"),
        (1, 0, "oracle: answer out of bounds"),
    ],
)
def test_explain__feed_unusable__tells_why(armed: Setup, answer: int, age: int, fault: str) -> None:
    armed.chain.advance(GAP)
    armed.poke()
    at = armed.chain.timestamp - age
    armed.answer_word(answer, at)
    told = explain(armed)
    assert (told.feed_usable, told.feed_fault) == (False, fault)
    assert (told.feed_answer, told.feed_updated_at) == (0, at)
    assert (told.price, told.price_source) == (0, fault)
    # The discount that is stored binds nobody meanwhile.
    assert told.liquidation_rule == "fundamental"
    assert (told.discount, told.raw_discount) == (SPEED * GAP, 0)


def test_explain__sequencer_down__tells_it(setup: Setup) -> None:
    sequencer = setup.chain.deploy(artifact("SettableFeed"), 0)
    now = setup.chain.timestamp
    sequencer.set_round((1, 1, now, now, 1))
    l2 = replace(PARAMETERS, sequencer_grace=60)
    oracle = deploy_oracle(setup.chain, setup.rates, setup.feed, l2, sequencer.address)
    told = oracle.explain()
    assert told.sequencer_fault == told.feed_fault == told.price_source == "oracle: sequencer down"
    assert told.feed_usable is False


def test_explain__supply_burst__tells_the_gate(setup: Setup) -> None:
    setup.rates.set_supply(PARAMETERS.gate_floor + 1)
    told = explain(setup)
    assert (told.price, told.price_source) == (0, "oracle: supply burst")
    assert (told.gate_open, told.gate_level) == (False, PARAMETERS.gate_floor + 1)


def test_explain__adapter_unreadable__tells_the_vaults_reason(setup: Setup) -> None:
    setup.rates.set_unreadable(True)
    told = explain(setup)
    assert (told.price, told.price_source) == (0, "vault: adapter unreadable")
    assert told.liquidation_price == told.fundamental == FAIR


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        # STOP: an answer of nothing.
        ("00", "no reason given"),
        # REVERT(0, 0) and INVALID.
        ("5f5ffd", "no reason given"),
        ("fe", "no reason given"),
        # A selector that is none of Error(string), and a hundred bytes.
        ("63deadbeef60e01b5f5260645ffd", "no reason given"),
    ],
)
def test_explain__vault_that_is_no_vault_any_more__answers_all_the_same(
    setup: Setup, code: str, reason: str
) -> None:
    setup.chain.set_code(setup.rates.address, bytes.fromhex(code))
    told = explain(setup)
    assert told.price_source == told.liquidation_rule == reason
    assert (told.price, told.liquidation_price, told.fundamental) == (0, 0, 0)
    assert (told.gate_open, told.gate_level, told.gate_capacity) == (False, 0, 0)
    assert (told.feed_usable, told.feed_answer) == (True, FAIR)


def test_explain__vault_with_a_long_reason__tells_its_beginning(setup: Setup) -> None:
    """Also one whose length is a lie."""
    # MSTORE(0, selector), offset 32, length 2**256 - 1, text; REVERT(0, 100).
    text = b"an essay that has no end in sigh".ljust(32)
    code = (
        "6308c379a060e01b5f52"  # the selector
        + "6020600452"  # offset
        + "7f" + "ff" * 32 + "602452"  # length
        + "7f" + text.hex() + "604452"
        + "60645ffd"
    )  # fmt: skip
    setup.chain.set_code(setup.rates.address, bytes.fromhex(code))
    told = explain(setup)
    assert told.price_source == told.liquidation_rule == text.decode()


@pytest.mark.parametrize("feed", ["GasEatingFeed", "ReturnBombFeed", "RawAnswerFeed"])
def test_explain__hostile_feed__answers_all_the_same(setup: Setup, feed: str) -> None:
    hostile = setup.chain.deploy(artifact(feed))
    setup = setup.over(hostile)
    if feed == "GasEatingFeed":
        hostile.set_appetite(10**9)
    if feed == "ReturnBombFeed":
        hostile.set_reverting(True)
    told = explain(setup)
    assert told.price_source == told.feed_fault == "oracle: feed does not answer"
    assert told.liquidation_price == FAIR


def test_explain__rate_of_nothing__has_no_discount(setup: Setup) -> None:
    setup.rates.set_rate(0)
    told = explain(setup)
    assert (told.price, told.price_source) == (0, "live fundamental")
    assert (told.fundamental, told.raw_discount) == (0, 0)
    assert told.liquidation_rule == "fundamental"
