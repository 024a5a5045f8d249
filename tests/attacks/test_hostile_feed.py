"""A feed that answers with rubbish, with too much, too late, or only after eating all gas.

Whatever it does, liquidations and reads of the fundamental price go on, and nothing is stored.
"""

import pytest

from relever.artifacts import artifact
from relever.chain import Revert
from relever.protocol import WAD
from tests.scene import reverts
from tests.unit.oracle.conftest import FAIR, Setup

# What one read of a feed may cost, with the reads around it.
GAS_BOUND = 150_000 + 60_000


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big") for value in values)


def assert_unusable(setup: Setup, reason: str) -> None:
    before = setup.state()
    with reverts(reason):
        setup.oracle.price()
    with reverts(reason):
        setup.oracle.poke_price()
    assert setup.oracle.liquidation_prices() == (FAIR, FAIR, False)
    assert setup.oracle.market_price() == (0, False)
    assert setup.oracle.fundamental() == FAIR
    receipt = setup.oracle.poke_liquidation_prices()
    assert receipt.gas_used < 2 * GAS_BOUND
    assert receipt.events == []
    assert setup.state() == before


@pytest.mark.parametrize("length", [0, 1, 31, 32, 64, 128, 159])
def test_feed__answers_too_little__does_not_answer(oracle_alone: Setup, length: int) -> None:
    feed = oracle_alone.chain.deploy(artifact("RawAnswerFeed"))
    setup = oracle_alone.over(feed)
    now = setup.chain.timestamp
    feed.set_answer(words(1, WAD, now, now, 1)[:length])
    assert_unusable(setup, "oracle: feed does not answer")


@pytest.mark.parametrize("extra", [0, 1, 32, 864])
def test_feed__answers_with_more__is_read_like_any_other(oracle_alone: Setup, extra: int) -> None:
    feed = oracle_alone.chain.deploy(artifact("RawAnswerFeed"))
    setup = oracle_alone.over(feed)
    now = setup.chain.timestamp
    feed.set_answer(words(1, WAD, now, now, 1) + b"\xff" * extra)
    assert setup.oracle.price() == 10**36


@pytest.mark.parametrize(
    ("answer", "updated_at", "reason"),
    [
        (2**256 - 1, 0, "oracle: bad answer"),
        (2**255, 0, "oracle: bad answer"),
        (2**255 - 1, 2**256 - 1, "oracle: stale feed"),
        (2**255 - 1, 2**255, "oracle: stale feed"),
        (1, 0, "oracle: stale feed"),
    ],
)
def test_feed__answers_words_of_rubbish__is_unusable(
    oracle_alone: Setup, answer: int, updated_at: int, reason: str
) -> None:
    feed = oracle_alone.chain.deploy(artifact("RawAnswerFeed"))
    setup = oracle_alone.over(feed)
    feed.set_answer(words(2**256 - 1, answer, 2**256 - 1, updated_at, 2**256 - 1))
    assert_unusable(setup, reason)


def test_feed__round_in_the_future__stays_fresh_for_nobody(oracle_alone: Setup) -> None:
    """Else one answer, dated far ahead, would be good for ever."""
    setup = oracle_alone
    setup.answer(FAIR, updated_at=setup.chain.timestamp + 10)
    assert_unusable(setup, "oracle: stale feed")
    setup.chain.advance(10)
    assert setup.oracle.price() == FAIR


def test_feed__has_no_code_any_more__does_not_answer(oracle_alone: Setup) -> None:
    oracle_alone.chain.set_code(oracle_alone.feed.address, b"")
    assert_unusable(oracle_alone, "oracle: feed does not answer")


def test_feed__eats_all_its_gas__costs_no_more_than_its_share(oracle_alone: Setup) -> None:
    feed = oracle_alone.chain.deploy(artifact("GasEatingFeed"))
    setup = oracle_alone.over(feed)
    assert setup.oracle.price() == 10**36
    feed.set_appetite(10**9)
    assert_unusable(setup, "oracle: feed does not answer")
    assert setup.oracle.poke().gas_used < GAS_BOUND


def test_feed__writes_instead_of_answering__does_not_answer(oracle_alone: Setup) -> None:
    """It is read statically: a feed cannot use the read to do something."""
    code = bytes.fromhex("600160995500")  # SSTORE(0x99, 1); STOP
    oracle_alone.chain.set_code(oracle_alone.feed.address, code)
    assert_unusable(oracle_alone, "oracle: feed does not answer")
    where = [oracle_alone.feed.address, "0x99", "latest"]
    assert int(oracle_alone.chain.rpc("eth_getStorageAt", where), 16) == 0


@pytest.mark.parametrize("reverting", [False, True])
def test_feed__answers_with_a_bomb__is_not_copied(oracle_alone: Setup, reverting: bool) -> None:
    feed = oracle_alone.chain.deploy(artifact("ReturnBombFeed"))
    setup = oracle_alone.over(feed)
    feed.set_reverting(reverting)
    if reverting:
        assert_unusable(setup, "oracle: feed does not answer")
    else:
        assert setup.oracle.price() == 10**36
    assert setup.oracle.poke().gas_used < GAS_BOUND


def dearest_appetite(setup: Setup) -> int:
    """The most that the feed may use and still be read."""
    low, high = 100_000, 150_000
    while low < high:
        middle = (low + high + 1) // 2
        setup.feed.set_appetite(middle)
        if setup.oracle.market_price()[1]:
            low = middle
        else:
            high = middle - 1
    return low


@pytest.mark.parametrize("function", ["poke", "poke_liquidation_prices", "poke_price"])
def test_poke__starved_of_gas__never_takes_a_good_feed_for_a_dead_one(
    oracle_alone: Setup, function: str
) -> None:
    """Else anyone could borrow or liquidate on a price of its choice.

    The feed is as dear as may be. At every gas limit the call either fails or sees the feed.
    """
    setup = oracle_alone.over(oracle_alone.chain.deploy(artifact("GasEatingFeed")))
    setup.feed.set_appetite(dearest_appetite(setup))
    method = getattr(setup.oracle, function)

    def outcome(gas: int) -> str:
        try:
            answer = method.call(gas=gas)
        except Revert as failure:
            return failure.reason
        if function == "poke_price":
            return "seen" if answer == 10**36 else "wrong"
        return "seen" if (answer if function == "poke" else answer[2]) else "unseen"

    # The least gas that is let through to the feed, and every limit around it.
    low, high = 50_000, 400_000
    while low < high:
        middle = (low + high) // 2
        if outcome(middle) in ("feed: not enough gas", "out of gas"):
            low = middle + 1
        else:
            high = middle
    limits = [*range(low - 15_000, low + 15_000, 250), *range(60_000, 700_000, 20_000)]
    outcomes = {outcome(gas) for gas in limits}
    assert "seen" in outcomes
    assert "feed: not enough gas" in outcomes
    assert outcomes <= {"seen", "feed: not enough gas", "out of gas", ""}
