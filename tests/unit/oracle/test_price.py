import pytest

from relever.artifacts import artifact
from relever.protocol import WAD
from tests.scene import reverts
from tests.unit.oracle.conftest import (
    FAIR,
    LST_RATE,
    PARAMETERS,
    PRICE,
    VAULT_RATE,
    YEAR,
    Setup,
)

HIGHEST_INT = 2**255 - 1


def test_price__feed_at_fundamental__is_both(setup: Setup) -> None:
    assert setup.oracle.price() == FAIR


def test_price__feed_above_fundamental__is_fundamental(setup: Setup) -> None:
    setup.answer(FAIR * 2)
    assert setup.oracle.price() == FAIR


def test_price__feed_below_fundamental__is_the_raw_feed_at_once(setup: Setup) -> None:
    setup.answer(FAIR * 9 // 10)
    assert setup.oracle.price() == FAIR * 9 // 10
    assert setup.oracle.discount() == 0


def test_price__live_rate_below_the_booked_one__is_the_live_fundamental(setup: Setup) -> None:
    setup.rates.set_live_rate(VAULT_RATE - 1)
    assert setup.oracle.price() == (VAULT_RATE - 1) * LST_RATE
    assert setup.oracle.fundamental() == FAIR


def test_price__feed_below_the_live_rate__is_the_feed(setup: Setup) -> None:
    setup.rates.set_live_rate(VAULT_RATE * 9 // 10)
    setup.answer(FAIR * 8 // 10)
    assert setup.oracle.price() == FAIR * 8 // 10


def test_price__rate_above_the_growth_cap__is_the_cap(setup: Setup) -> None:
    setup.rates.set_rate(VAULT_RATE * 3 // 2)
    setup.answer(FAIR * 3 // 2)
    assert setup.oracle.price() == FAIR
    setup.chain.advance(YEAR // 2)
    setup.answer(FAIR * 3 // 2)
    assert setup.oracle.price() == FAIR + FAIR // 20


def test_price__adapter_unreadable__reverts(setup: Setup) -> None:
    setup.rates.set_unreadable(True)
    with reverts("vault: adapter unreadable"):
        setup.oracle.price()


@pytest.mark.parametrize("answer", [0, -1, -HIGHEST_INT - 1])
def test_price__answer_not_positive__reverts(setup: Setup, answer: int) -> None:
    setup.answer_word(answer, setup.chain.timestamp)
    with reverts("oracle: bad answer"):
        setup.oracle.price()


def test_price__answer_of_its_oldest_second__is_taken_and_one_later_reverts(setup: Setup) -> None:
    setup.chain.advance(PARAMETERS.max_age)
    assert setup.oracle.price() == FAIR
    setup.chain.advance(1)
    with reverts("oracle: stale feed"):
        setup.oracle.price()


def test_price__answer_from_the_future__reverts(setup: Setup) -> None:
    setup.answer(FAIR, updated_at=setup.chain.timestamp + 1)
    with reverts("oracle: stale feed"):
        setup.oracle.price()
    setup.answer(FAIR, updated_at=2**256 - 1)
    with reverts("oracle: stale feed"):
        setup.oracle.price()
    setup.answer(FAIR, updated_at=setup.chain.timestamp)
    assert setup.oracle.price() == FAIR


def test_price__round_that_is_not_complete__reverts(setup: Setup) -> None:
    setup.answer(FAIR, updated_at=0)
    with reverts("oracle: stale feed"):
        setup.oracle.price()


def test_price__answer_at_its_bounds__is_taken_and_one_beyond_reverts(setup: Setup) -> None:
    setup.answer(PARAMETERS.min_answer)
    assert setup.oracle.price() == PARAMETERS.min_answer
    setup.answer(PARAMETERS.max_answer)
    assert setup.oracle.price() == FAIR
    for beyond in (PARAMETERS.min_answer - WAD, PARAMETERS.max_answer + WAD):
        setup.answer(beyond)
        with reverts("oracle: answer out of bounds"):
            setup.oracle.price()


def test_price__answer_that_overflows_when_scaled__reverts_for_its_bound(setup: Setup) -> None:
    setup.answer_word(HIGHEST_INT, setup.chain.timestamp)
    with reverts("oracle: answer out of bounds"):
        setup.oracle.price()


@pytest.mark.parametrize("decimals", [6, 8, 18, 36])
def test_price__feed_of_other_decimals__has_the_same_bounds(setup: Setup, decimals: int) -> None:
    other = setup.over(setup.chain.deploy(artifact("SettableFeed"), decimals))
    unit, now = 10**decimals, setup.chain.timestamp
    other.answer_word(unit // 2, now)
    assert other.oracle.price() == PRICE // 2
    other.answer_word(4 * unit, now)
    assert other.oracle.price() == FAIR
    for beyond in (unit // 2 - 1, 4 * unit + 1):
        other.answer_word(beyond, now)
        with reverts("oracle: answer out of bounds"):
            other.oracle.price()


def test_price__feed_reverts__says_that_it_does_not_answer(setup: Setup) -> None:
    setup.feed.set_broken(True)
    with reverts("oracle: feed does not answer"):
        setup.oracle.price()


def test_price__read_twice__is_the_same(setup: Setup) -> None:
    setup.answer_discount(WAD // 10)
    setup.poke()
    assert setup.oracle.price() == setup.oracle.price() == FAIR * 9 // 10
