"""The vault's arithmetic by itself: packed words, share conversions, locked profit."""

from collections.abc import Iterator
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from relever.artifacts import artifact
from relever.chain import Chain, Contract, Revert
from tests.unit.vault.conftest import DAY, LARGEST, VIRTUAL

word_128 = st.one_of(st.integers(0, 2**128 - 1), st.sampled_from([0, 1, 2**127, 2**128 - 1]))
word_120 = st.one_of(st.integers(0, LARGEST), st.sampled_from([0, 1, 2**119, LARGEST]))
word_64 = st.one_of(st.integers(0, 2**64 - 1), st.sampled_from([0, 1, 2**63, 2**64 - 1]))
amounts = st.one_of(st.integers(0, LARGEST), st.integers(0, 10**20), st.just(LARGEST))
property_of = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="session")
def deployed_modules(vault_chain: Chain) -> Contract:
    return vault_chain.deploy(artifact("VaultModules"))


@pytest.fixture
def modules(vault_chain: Chain, deployed_modules: Contract) -> Iterator[Contract]:
    with vault_chain.isolated():
        yield deployed_modules


@property_of
@given(idle=word_120, booked=word_120, quarantine=st.integers(0, 1))
def test_pack_funds__any_values__come_back(
    modules: Contract, idle: int, booked: int, quarantine: int
) -> None:
    word = modules.pack_funds(idle, booked, quarantine)
    assert tuple(modules.unpack_funds(word)) == (idle, booked)
    assert word >> 240 == quarantine


@property_of
@given(amount=word_128, first=word_64, second=word_64)
def test_pack_timed__any_values__come_back(
    modules: Contract, amount: int, first: int, second: int
) -> None:
    word = modules.pack_timed(amount, first, second)
    assert tuple(modules.unpack_timed(word)) == (amount, first, second)


@property_of
@given(amount=word_128, ratio=word_128)
def test_pack_pair__any_values__come_back(modules: Contract, amount: int, ratio: int) -> None:
    word = modules.pack_pair(amount, ratio)
    assert tuple(modules.unpack_pair(word)) == (amount, ratio)


@pytest.mark.parametrize("values", [(2**120, 0), (0, 2**120)])
def test_pack_funds__too_wide__reverts(modules: Contract, values: tuple[int, int]) -> None:
    with pytest.raises(Revert) as failure:
        modules.pack_funds(*values, 0)
    assert failure.value.reason == "vault: funds overflow"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ((2**128, 0, 0), "vault: amount overflow"),
        ((0, 2**64, 0), "vault: time overflow"),
        ((0, 0, 2**64), "vault: time overflow"),
    ],
)
def test_pack_timed__too_wide__reverts(
    modules: Contract, values: tuple[int, int, int], reason: str
) -> None:
    with pytest.raises(Revert) as failure:
        modules.pack_timed(*values)
    assert failure.value.reason == reason


@pytest.mark.parametrize("values", [(2**128, 0), (0, 2**128)])
def test_pack_pair__too_wide__reverts(modules: Contract, values: tuple[int, int]) -> None:
    with pytest.raises(Revert) as failure:
        modules.pack_pair(*values)
    assert failure.value.reason == "vault: pair overflow"


@property_of
@given(amount=amounts, total=amounts, supply=amounts)
# Remainders of one: all of a rounding shows only there.
@example(amount=1, total=10**20, supply=10**20 + 1)
@example(amount=1, total=10**20 + 1, supply=10**20)
def test_conversions__any_amounts__round_as_they_say(
    modules: Contract, amount: int, total: int, supply: int
) -> None:
    shares = Fraction(amount * (supply + VIRTUAL), total + VIRTUAL)
    assets = Fraction(amount * (total + VIRTUAL), supply + VIRTUAL)
    assert modules.to_shares_down(amount, total, supply) == floor(shares)
    assert modules.to_shares_up(amount, total, supply) == ceil(shares)
    assert modules.to_assets_down(amount, total, supply) == floor(assets)
    assert modules.to_assets_up(amount, total, supply) == ceil(assets)


@property_of
@given(amount=amounts, shares=amounts, supply=amounts)
@example(amount=1, shares=1, supply=10**20)
def test_part_up__any_amounts__is_rounded_up(
    modules: Contract, amount: int, shares: int, supply: int
) -> None:
    part = Fraction(amount * shares, supply + VIRTUAL)
    assert modules.part_up(amount, shares, supply) == ceil(part)


@property_of
@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, 3 * DAY),
            st.one_of(st.just(0), st.integers(0, 1_000), st.integers(0, 10**24)),
            st.one_of(st.just(0), st.integers(0, 1_000), st.integers(0, 10**24)),
        ),
        min_size=1,
        max_size=6,
    ),
    period=st.integers(1, 7 * DAY),
)
def test_book__any_history__follows_the_line(
    modules: Contract, steps: list[tuple[int, int, int]], period: int
) -> None:
    """The same in exact fractions: what is locked, and when the last of it unlocks."""
    chain: Chain = modules._chain
    with chain.isolated():
        locked, start, end = 0, chain.timestamp, chain.timestamp
        for waited, gain, loss in steps:
            chain.advance(waited)
            now = chain.timestamp
            left = ceil(Fraction(locked * (end - now), end - start)) if now < end else 0
            assert modules.locked_up() == left
            rest = end - now if left > loss else 0
            left -= min(left, loss)
            locked, start = left + gain, now
            end = now + (floor(Fraction(left * rest + gain * period, locked)) if locked else 0)
            modules.book(gain, loss, period)
            assert modules.locked_up() == locked
            # Never sooner than the old rest, never later than a period.
            assert rest <= end - now <= max(period, rest)


def test_book__nothing__keeps_the_line(modules: Contract, vault_chain: Chain) -> None:
    modules.book(7_000, 0, 7 * DAY)
    for _ in range(7):
        vault_chain.advance(DAY)
        modules.book(0, 0, 7 * DAY)
    assert modules.locked_up() == 0
