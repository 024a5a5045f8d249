"""ERC-4626 on the backstop pool, from whatever it can have gone through. No tolerance anywhere."""

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relever.chain import Anvil, Chain, Revert
from tests.unit.backstop.conftest import BACKED, DAY, WAD, Backstop, build_backstop

# An amount: so many units, or so many less than the most, or a part of it.
AMOUNTS = st.one_of(
    st.tuples(st.just("least"), st.integers(1, 2_000)),
    st.tuples(st.just("most"), st.integers(0, 2_000)),
    st.tuples(st.just("part"), st.integers(1, 10**18)),
)
ENTRIES, EXITS = ("deposit", "mint"), ("withdraw", "redeem")
MONEY = 2**121
property_of = partial(
    settings,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def fresh(place: Backstop) -> None:
    """Nothing in it but the seed."""


def backed(place: Backstop) -> None:
    """Two depositors, nothing bought."""
    place.deposit(BACKED, place.actors.depositor)
    place.deposit(BACKED // 3 + 1, place.actors.holder)


def bought(place: Backstop) -> None:
    """Half of the money is in a claim, and some in LRT that is not queued."""
    backed(place)
    place.bought(500 * WAD)
    place.sell(10 * WAD + 1)


def gained(place: Backstop) -> None:
    """One claim was sold at a gain, half of which is locked; another is open."""
    bought(place)
    place.pay_well()
    place.pay_line()
    place.pool.harvest([1])
    place.bought(300 * WAD)
    place.chain.advance(7 * DAY)


def slashed(place: Backstop) -> None:
    """The claims have lost; a slash is visible; wstETH has found no buyer."""
    gained(place)
    place.pay_well(1)
    place.pay_line()
    place.pool.harvest([2])
    place.bought(200 * WAD)
    place.slash(WAD // 7)
    place.see_slash(WAD // 9)


def waited_for(place: Backstop) -> None:
    """After all that, somebody is in the line, at two prices; there is cash for all of it."""
    slashed(place)
    place.ask(100 * WAD, place.actors.holder)
    place.see_slash(0)
    place.ask(50 * WAD + 1, place.actors.holder)


STATES: tuple[Callable[[Backstop], None], ...] = (
    *(fresh, backed, bought),
    *(gained, slashed, waited_for),
)


@pytest.fixture(scope="module")
def built() -> Iterator[Backstop]:
    with Anvil.start() as node:
        place = build_backstop(Chain.connect(node.ipc))
        place.weth.mint(place.actors.depositor, MONEY)
        yield place


@pytest.fixture(params=STATES, ids=lambda made: made.__name__, scope="module")
def place(built: Backstop, request: pytest.FixtureRequest) -> Iterator[Backstop]:
    with built.chain.isolated():
        request.param(built)
        yield built


def most(place: Backstop, action: str) -> int:
    """By the `max*` of an action, for the depositor."""
    return int(getattr(place.pool, f"max{action.capitalize()}")(place.actors.depositor))


def draw(place: Backstop, action: str, amount: tuple[str, int]) -> int:
    """An amount from one unit to the most that the action takes; zero when it takes none."""
    (way, number), limit = amount, most(place, action)
    if way == "least":
        return min(number, limit)
    if way == "most":
        return max(min(1, limit), limit - number)
    return -(-limit * number // 10**18)


def act(place: Backstop, action: str, amount: int) -> int:
    """For oneself; returns assets for shares, or shares for assets, as the event says."""
    pool, who = place.pool, place.actors.depositor
    receivers = (who,) if action in ENTRIES else (who, who)
    event = getattr(pool, action)(amount, *receivers, sender=who).events[-1]
    return int(event.args["shares" if action in ("deposit", "withdraw") else "assets"])


def others(place: Backstop) -> tuple[int, int]:
    """What a share is worth to who stays, as a fraction with the virtual parts."""
    return place.pool.low_assets() + 10**9, place.pool.totalSupply() + 10**9


@pytest.mark.parametrize("action", [*ENTRIES, *EXITS])
@property_of(max_examples=15)
@given(amount=AMOUNTS)
def test_action__any_amount__does_what_was_previewed_and_costs_nobody(
    place: Backstop, action: str, amount: tuple[str, int]
) -> None:
    given_amount = draw(place, action, amount)
    if given_amount == 0:
        return
    previewed = getattr(place.pool, f"preview{action.capitalize()}")(given_amount)
    total, supply = others(place)
    with place.chain.isolated():
        if previewed == 0:
            # Of too little to give anything for.
            with pytest.raises(Revert) as failure:
                act(place, action, given_amount)
            what = "shares" if action in ENTRIES else "assets"
            assert failure.value.reason == f"backstop: zero {what}"
            return
        assert act(place, action, given_amount) == previewed
        now, shares = others(place)
        assert now * supply >= total * shares


@pytest.mark.parametrize("action", [*ENTRIES, *EXITS])
def test_max__any_state__is_taken_and_one_more_is_not(place: Backstop, action: str) -> None:
    limit = most(place, action)
    if limit:
        with place.chain.isolated():
            act(place, action, limit)
    # Where the supply is what ends, some units more may buy no more shares.
    more = limit + 1 if action != "deposit" else 2 * limit + 1
    with place.chain.isolated(), pytest.raises(Revert):
        act(place, action, more)


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("leave", EXITS)
@property_of(max_examples=10)
@given(amount=AMOUNTS, part=st.integers(1, 10**18))
def test_round_trip__in_and_out__never_enriches(
    place: Backstop, entry: str, leave: str, amount: tuple[str, int], part: int
) -> None:
    """Of one who had nothing before."""
    pool, weth, who = place.pool, place.weth, place.actors.attacker
    with place.chain.isolated():
        had = weth.balanceOf(who)
        entered = min(draw(place, entry, amount), had * 9 // 10)
        if not getattr(pool, f"preview{entry.capitalize()}")(entered):
            return
        getattr(pool, entry)(entered, who, sender=who)
        limit = getattr(pool, f"max{leave.capitalize()}")(who)
        left = -(-limit * part // 10**18)
        if getattr(pool, f"preview{leave.capitalize()}")(left):
            getattr(pool, leave)(left, who, who, sender=who)
        assert weth.balanceOf(who) + pool.previewRedeem(pool.balanceOf(who)) <= had


@property_of(max_examples=20)
@given(assets=st.integers(0, 2**110), shares=st.integers(0, 2**110))
def test_conversions__any_amounts__never_give_more_back(
    place: Backstop, assets: int, shares: int
) -> None:
    pool = place.pool
    assert pool.convertToAssets(pool.convertToShares(assets)) <= assets
    assert pool.convertToShares(pool.convertToAssets(shares)) <= shares
