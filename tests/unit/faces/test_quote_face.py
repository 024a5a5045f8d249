"""The oracle as ERC-7726 has it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relever.chain import Contract, Revert
from relever.protocol import NOBODY, PRICE_SCALE, WAD
from tests.scene import reverts
from tests.unit.faces.conftest import (
    BELOW,
    CONSERVATIVE,
    FUNDAMENTAL,
    deploy_face,
    let_discount_last,
)
from tests.unit.oracle.conftest import FAIR, Setup, smoothed

MAX = 2**256 - 1


def quotes(setup: Setup, mode: bool = FUNDAMENTAL) -> tuple[Contract, str, str]:
    """The face, and the two tokens of its pair."""
    weth = setup.feed.address
    return deploy_face(setup, "QuoteFace", mode, weth), setup.rates.address, weth


def test_get_quote__selector__is_the_standards(setup: Setup) -> None:
    """`getQuote(uint256,address,address)`: 0xae68676c."""
    face, lrt, weth = quotes(setup)
    assert face.getQuote.encode(1, lrt, weth)[:4].hex() == "ae68676c"


def test_get_quote__collateral_in_loan__rounds_down(setup: Setup) -> None:
    face, lrt, weth = quotes(setup)
    assert face.getQuote(WAD, lrt, weth) == FAIR // WAD
    assert [face.getQuote(amount, lrt, weth) for amount in range(5)] == [0, 1, 2, 3, 5]


def test_get_quote__loan_in_collateral__rounds_down(setup: Setup) -> None:
    face, lrt, weth = quotes(setup)
    assert face.getQuote(FAIR // WAD, weth, lrt) == WAD
    assert [face.getQuote(amount, weth, lrt) for amount in range(5)] == [0, 0, 1, 2, 3]


def test_get_quote__any_amount__is_exact_and_never_gains_there_and_back(setup: Setup) -> None:
    setup.rates.set_rate(1_049_999_999_999_999_983)
    face, lrt, weth = quotes(setup)
    price = setup.oracle.fundamental()

    @settings(max_examples=100, deadline=None, derandomize=True, database=None)
    @given(st.one_of(st.integers(0, 10**30), st.integers(0, MAX)))
    def check(amount: int) -> None:
        for pair, numerator, divisor in (
            ((lrt, weth), price, PRICE_SCALE),
            ((weth, lrt), PRICE_SCALE, price),
        ):
            expected = amount * numerator // divisor
            if expected > MAX:
                with pytest.raises(Revert):
                    face.getQuote(amount, *pair)
            else:
                assert face.getQuote(amount, *pair) == expected
        if amount * price // PRICE_SCALE <= MAX:
            assert face.getQuote(face.getQuote(amount, lrt, weth), weth, lrt) <= amount

    check()


@pytest.mark.parametrize("pair", ["same", "turned", "other base", "other quote", "none"])
def test_get_quote__unknown_pair__reverts(setup: Setup, pair: str) -> None:
    face, lrt, weth = quotes(setup)
    stranger = setup.stranger
    base, quote = {
        "same": (lrt, lrt),
        "turned": (weth, weth),
        "other base": (stranger, weth),
        "other quote": (lrt, stranger),
        "none": (NOBODY, NOBODY),
    }[pair]
    with reverts("face: unknown pair"):
        face.getQuote(WAD, base, quote)


def test_get_quote__conservative__is_the_least_and_reverts_without_a_fresh_feed(
    setup: Setup,
) -> None:
    face, lrt, weth = quotes(setup, CONSERVATIVE)
    setup.answer_discount(BELOW)
    assert face.getQuote(WAD, lrt, weth) == FAIR * 9 // 10 // WAD
    setup.feed.set_broken(True)
    with reverts("oracle: feed does not answer"):
        face.getQuote(WAD, lrt, weth)


def test_get_quote__fundamental_that_nobody_believes__is_what_liquidations_use(
    quick: Setup,
) -> None:
    face, lrt, weth = quotes(quick)
    let_discount_last(quick)
    assert face.getQuote(WAD, lrt, weth) == smoothed(FAIR, BELOW) // WAD


def test_get_quote__price_of_nothing__sells_for_nothing_and_buys_not(setup: Setup) -> None:
    face, lrt, weth = quotes(setup)
    setup.rates.set_rate(0)
    assert face.getQuote(WAD, lrt, weth) == 0
    with reverts("face: no price"):
        face.getQuote(WAD, weth, lrt)


def test_create__tokens_and_mode__are_kept(setup: Setup) -> None:
    face, lrt, weth = quotes(setup, CONSERVATIVE)
    assert (face.LRT(), face.WETH(), face.CONSERVATIVE()) == (lrt, weth, True)


def test_create__no_pair__reverts(setup: Setup) -> None:
    for weth in (NOBODY, setup.rates.address):
        with reverts("face: quote token"):
            deploy_face(setup, "QuoteFace", FUNDAMENTAL, weth)
