"""The oracle as readers of Chainlink feeds expect it."""

import pytest

from relever.chain import Contract
from relever.protocol import WAD
from tests.scene import reverts
from tests.unit.faces.conftest import (
    BELOW,
    CONSERVATIVE,
    FUNDAMENTAL,
    deploy_face,
    let_discount_last,
)
from tests.unit.oracle.conftest import FAIR, LST_RATE, PARAMETERS, Setup, smoothed

NAME = "rLRT / WETH"


def chainlink(setup: Setup, mode: bool = FUNDAMENTAL, decimals: int = 18) -> Contract:
    return deploy_face(setup, "ChainlinkFace", mode, decimals, NAME)


def test_latest_round_data__fundamental__is_made_now(setup: Setup) -> None:
    face = chainlink(setup)
    setup.chain.advance(600)
    now = setup.chain.timestamp
    assert face.latestRoundData() == (now, FAIR // WAD, now, now, now)
    assert face.latestAnswer() == FAIR // WAD


def test_latest_round_data__fundamental_with_a_dead_feed__goes_on(setup: Setup) -> None:
    face = chainlink(setup)
    setup.feed.set_broken(True)
    setup.chain.advance(10 * PARAMETERS.max_age)
    now = setup.chain.timestamp
    assert face.latestRoundData() == (now, FAIR // WAD, now, now, now)


def test_latest_round_data__conservative__has_the_time_of_the_feeds_answer(setup: Setup) -> None:
    face = chainlink(setup, CONSERVATIVE)
    setup.answer_discount(BELOW)
    answered_at = setup.chain.timestamp
    setup.chain.advance(600)
    now = setup.chain.timestamp
    answer = FAIR * 9 // 10 // WAD
    assert face.latestRoundData() == (now, answer, answered_at, answered_at, now)
    assert face.latestAnswer() == answer


def test_latest_round_data__conservative_and_a_stale_feed__reverts(setup: Setup) -> None:
    face = chainlink(setup, CONSERVATIVE)
    setup.chain.advance(PARAMETERS.max_age + 1)
    for read in (face.latestRoundData, face.latestAnswer):
        with reverts("oracle: stale feed"):
            read()


def test_latest_round_data__lasting_discount__has_the_time_of_the_feeds_answer(
    quick: Setup,
) -> None:
    face = chainlink(quick)
    let_discount_last(quick)
    answered_at = quick.chain.timestamp
    quick.chain.advance(600)
    now = quick.chain.timestamp
    answer = smoothed(FAIR, BELOW) // WAD
    assert face.latestRoundData() == (now, answer, answered_at, answered_at, now)
    # The discount has lasted, and its feed is gone: no old answer passes for a new one.
    quick.feed.set_broken(True)
    with reverts("oracle: discount lasts, no feed"):
        face.latestRoundData()


@pytest.mark.parametrize("decimals", [1, 8, 18, 36])
def test_latest_answer__any_decimals__rounds_down(setup: Setup, decimals: int) -> None:
    setup.rates.set_rate(123_456_789_123_456_789)
    price = 123_456_789_123_456_789 * LST_RATE
    face = chainlink(setup, decimals=decimals)
    assert face.decimals() == decimals
    assert face.latestAnswer() == price // 10 ** (36 - decimals)


def test_latest_answer__rate_of_nothing__is_nothing(setup: Setup) -> None:
    """It would be worse to repeat the last price."""
    face = chainlink(setup)
    setup.rates.set_rate(0)
    assert face.latestAnswer() == 0


def test_get_round_data__any_round__reverts_clearly(setup: Setup) -> None:
    face = chainlink(setup)
    for round_id in (0, 1, face.latestRoundData()[0]):
        with reverts("face: rounds are not kept"):
            face.getRoundData(round_id)


def test_description_and_version__are_told(setup: Setup) -> None:
    face = chainlink(setup)
    assert (face.description(), face.version()) == (NAME, 1)


@pytest.mark.parametrize("decimals", [0, 37, 255])
def test_create__decimals_out_of_range__reverts(setup: Setup, decimals: int) -> None:
    with reverts("face: decimals"):
        chainlink(setup, decimals=decimals)


@pytest.mark.parametrize("mode", [FUNDAMENTAL, CONSERVATIVE])
def test_latest_round_data__gas__takes_what_it_says(setup: Setup, mode: bool) -> None:
    face = chainlink(setup, mode)
    assert face.latestRoundData.call(gas=300_000)[1] == FAIR // WAD
    with reverts("feed: not enough gas"):
        face.latestRoundData.call(gas=180_000)
