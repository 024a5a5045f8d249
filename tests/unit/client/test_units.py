"""Quantities as people write them, exactly, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relever.client import units
from relever.client.units import UnitError


@pytest.mark.parametrize(
    ("text", "wei"),
    [
        ("5ether", 5 * 10**18),
        ("0.1ether", 10**17),
        ("5 ether", 5 * 10**18),
        ("5ETHER", 5 * 10**18),
        ("20gwei", 20 * 10**9),
        ("0.000000000000000001ether", 1),
        ("1wei", 1),
        ("0ether", 0),
    ],
)
def test_amount__with_its_unit__is_wei(text: str, wei: int) -> None:
    assert units.amount(text) == wei


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("5", "has no unit"),
        ("5x", "has the unit 'x', which is none"),
        ("5weth", "has the unit 'weth'"),
        ("-5ether", "is negative"),
        ("1e400ether", "is no plain number"),
        ("1e400", "has no unit"),
        ("1_000ether", "is no plain number"),
        ("1,5ether", "is no plain number"),
        (".5ether", "is no plain number"),
        ("5.ether", "is no plain number"),
        ("0.5wei", "is finer than the smallest unit"),
        ("0.0000000000000000001ether", "is finer than the smallest unit"),
        ("9" * 40 + "ether", "is more than there can be"),
        ("9" * 90 + "ether", "is no plain number"),
        ("", "is no quantity"),
        ("ether", "is no quantity"),
        ("max", "is no quantity"),
        ("nan", "is no quantity"),
        ("٣ether", "is no quantity"),
        ("5ether5ether", "is no quantity"),
    ],
)
def test_amount__badly_written__says_why(text: str, why: str) -> None:
    with pytest.raises(UnitError, match=why):
        units.amount(text)


def test_amount_or_max__takes_both() -> None:
    assert units.amount_or_max("max") == 2**256 - 1
    assert units.amount_or_max("1gwei") == 10**9
    with pytest.raises(UnitError, match="no unit"):
        units.amount_or_max("7")


def test_leverage__is_wad_with_an_x() -> None:
    assert units.leverage("3.5x") == 35 * 10**17
    assert units.leverage("1x") == 10**18
    for text, why in (
        ("3.5", "has no x"),
        ("0.99x", "below 1x"),
        ("-2x", "negative"),
        ("1e400x", "no plain number"),
        ("9" * 40 + "x", "more than any market gives"),
    ):
        with pytest.raises(UnitError, match=why):
            units.leverage(text)


def test_share__is_wad_with_a_percent_sign() -> None:
    assert units.share("0.5%") == 5 * 10**15
    assert units.share("0%") == 0
    assert units.share("50%") == 5 * 10**17
    for text, why in (("0.5", "has no %"), ("50.1%", "above 50%"), ("-1%", "negative")):
        with pytest.raises(UnitError, match=why):
            units.share(text)


@given(st.integers(0, 2**128 - 1))
def test_written__is_read_back_exactly(wei: int) -> None:
    assert units.amount(units.written(wei)) == wei
