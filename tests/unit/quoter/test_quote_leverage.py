"""A leverage is asked for: the most that may be borrowed for it is answered."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relever.protocol import WAD, Deployment
from relever.quotes import STEP, QuoteRefused, quote_leverage, quote_open
from tests.lrt_paths import push_lrt_price
from tests.scene import ETHER
from tests.unit.quoter.conftest import STATES, opens, position_of
from tests.unit.router.conftest import TOKENS, give

TARGETS = [WAD, 15 * 10**17, 3 * WAD + 7, 5 * WAD, 8 * WAD]


def check(scene: Deployment, name: str, amount: int, target: int) -> None:
    """Just below the leverage, and above it a step further; and it is what happens."""
    token, protocol, looper = give(scene, name, amount), scene.protocol, scene.roles.looper
    borrow, quote = quote_leverage(protocol, looper, token, amount, target)
    assert quote == quote_open(protocol, looper, token, amount, borrow)
    further = quote_open(protocol, looper, token, amount, borrow + STEP)
    assert below(quote.position.worth, quote.position.debt, target)
    assert not below(further.position.worth, further.position.debt, target)
    assert opens(scene, token, amount, borrow) == quote


def below(worth: int, debt: int, target: int) -> bool:
    return worth * (target - WAD) >= debt * target


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", TOKENS)
def test_quote_leverage__each_token_in_each_state__is_just_below(
    scene: Deployment, name: str, state: Callable[[Deployment], None]
) -> None:
    state(scene)
    for target in TARGETS:
        with scene.chain.isolated():
            check(scene, name, 6 * ETHER + 13, target)


def test_quote_leverage__position_is_there__is_raised(scene: Deployment) -> None:
    position_of(scene)
    check(scene, "ether", ETHER, 6 * WAD)


def test_quote_leverage__half_from_the_pool__is_just_below(scene: Deployment) -> None:
    push_lrt_price(scene, 995 * WAD // 1_000)
    for target in TARGETS:
        with scene.chain.isolated():
            check(scene, "wsteth", 30 * ETHER, target)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(TOKENS),
    amount=st.integers(10**12, 40 * ETHER),
    target=st.integers(WAD, 9 * WAD),
)
def test_quote_leverage__any_amount__is_just_below(
    scene: Deployment, name: str, amount: int, target: int
) -> None:
    with scene.chain.isolated():
        check(scene, name, amount, target)


def test_quote_leverage__cannot_be_had__says_why(scene: Deployment) -> None:
    protocol, looper = scene.protocol, scene.roles.looper
    position_of(scene)
    token = give(scene, "ether", ETHER)
    for target, reason in (
        (2 * WAD, "quote: leverage above target"),
        (WAD - 1, "quote: leverage below one"),
        (1_000 * WAD + 1, "quote: leverage too high"),
        (900 * WAD, "market: not enough cash"),
    ):
        with pytest.raises(QuoteRefused) as failure:
            quote_leverage(protocol, looper, token, ETHER, target)
        assert failure.value.reason == reason
    borrow, quote = quote_leverage(protocol, looper, token, ETHER, 30 * WAD)
    assert quote.refusal == "market: unhealthy"
    assert opens(scene, token, ETHER, borrow) == quote
