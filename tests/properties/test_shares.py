"""Shares of a pool with a million virtual shares and one virtual asset."""

from fractions import Fraction
from itertools import pairwise
from math import ceil, floor

from tests.properties.maths import MAX_112, MAX_128, Draw, Maths

EXAMPLES = 2_000
VIRTUAL_SHARES, VIRTUAL_ASSETS = 10**6, 1


def pools(draw: Draw) -> list[tuple[int, int, int]]:
    """An amount, and a pool's assets and shares: of every kind, and such as use makes them."""
    drawn = []
    for number in range(EXAMPLES):
        assets, shares = draw.amount(MAX_112), draw.amount(MAX_112)
        if number % 2:
            shares = draw.near(min(assets * VIRTUAL_SHARES, MAX_112), 0, MAX_112)
        drawn.append((draw.amount(MAX_128), assets, shares))
    return drawn


def price(assets: int, shares: int) -> Fraction:
    """Assets for one share."""
    return Fraction(assets + VIRTUAL_ASSETS, shares + VIRTUAL_SHARES)


def test_to_shares__exact_quotient__is_rounded_as_the_name_says(maths: Maths) -> None:
    # Those at the end leave a remainder of one: all of the rounding shows only there.
    examples = [*pools(Draw("to shares")), *((1, s + VIRTUAL_SHARES - 2, s) for s in (2, 10**24))]
    maths.compare("to_shares_down", examples, lambda got, x, a, s: got == floor(x / price(a, s)))
    maths.compare("to_shares_up", examples, lambda got, x, a, s: got == ceil(x / price(a, s)))


def test_to_assets__exact_product__is_rounded_as_the_name_says(maths: Maths) -> None:
    examples = [*pools(Draw("to assets")), *((1, s + VIRTUAL_SHARES, s) for s in (2, 10**24))]
    maths.compare("to_assets_down", examples, lambda got, x, a, s: got == floor(x * price(a, s)))
    maths.compare("to_assets_up", examples, lambda got, x, a, s: got == ceil(x * price(a, s)))


def test_there_and_back__never_gains(maths: Maths) -> None:
    pooled = [(x % 2**100, a, s) for x, a, s in pools(Draw("there and back"))]
    for there, back, gains in (
        ("to_shares_down", "to_assets_down", lambda x, y: y > x),
        ("to_assets_down", "to_shares_down", lambda x, y: y > x),
    ):
        between = list(maths.ask(there, pooled))
        fit = [
            (example, (middle, *example[1:]))
            for example, middle in zip(pooled, between, strict=True)
            if middle <= MAX_128
        ]
        assert len(fit) > EXAMPLES // 2
        ends = maths.ask(back, [second for _, second in fit])
        for (example, _), end in zip(fit, ends, strict=True):
            assert not gains(example[0], end), f"{there} and {back} of {example}"


def test_pool__after_each_movement__is_worth_no_less_a_share(maths: Maths) -> None:
    """Who comes or goes leaves the others' shares at the same price or a better one."""
    examples = [(x, a, s) for x, a, s in pools(Draw("movements")) if x <= a]
    assert len(examples) > EXAMPLES // 10
    maths.compare(
        "to_shares_down", examples, lambda got, x, a, s: price(a + x, s + got) >= price(a, s)
    )
    maths.compare(
        "to_shares_up",
        examples,
        lambda got, x, a, s: got > s or price(a - x, s - got) >= price(a, s),
    )


def test_conversions__greater_amounts__never_give_less(maths: Maths) -> None:
    draw = Draw("order")
    for function in ("to_shares_down", "to_shares_up", "to_assets_down", "to_assets_up"):
        assets, shares = draw.amount(MAX_112), draw.amount(MAX_112)
        amounts = sorted(draw.amount(MAX_128) for _ in range(500))
        got = list(maths.ask(function, [(x, assets, shares) for x in amounts]))
        assert all(less <= more for less, more in pairwise(got))
