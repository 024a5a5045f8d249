from relever.protocol import WAD
from tests.unit.oracle.conftest import FAIR, PARAMETERS, Setup


def test_market_price__feed_below_fundamental__is_the_raw_answer(setup: Setup) -> None:
    setup.answer(FAIR * 7 // 10)
    assert setup.oracle.market_price() == (FAIR * 7 // 10, True)


def test_market_price__feed_above_fundamental__is_fundamental(setup: Setup) -> None:
    setup.answer(FAIR + WAD)
    assert setup.oracle.market_price() == (FAIR, True)


def test_market_price__unusable_feed__is_nothing(setup: Setup) -> None:
    setup.answer_word(-1, setup.chain.timestamp)
    assert setup.oracle.market_price() == (0, False)
    setup.answer(FAIR, updated_at=setup.chain.timestamp - PARAMETERS.max_age - 1)
    assert setup.oracle.market_price() == (0, False)
    setup.feed.set_broken(True)
    assert setup.oracle.market_price() == (0, False)
