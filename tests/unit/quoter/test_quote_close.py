"""What is quoted is what is closed: to the wei, by every route, in every state."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relever.protocol import UNLIMITED, Deployment
from relever.quotes import QuoteRefused, exits
from tests.lrt_paths import NOBODY
from tests.scene import DAY, ETHER, REDEEM, STABLE, SWAP, open_leveraged, reverts, stake_everything
from tests.unit.quoter.conftest import (
    STATES,
    assert_left_nothing,
    closes_as_quoted,
    little_idle,
    plain,
    position_of,
)
from tests.unit.router.conftest import FREE

ROUTES = [SWAP, REDEEM, STABLE]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("route", ROUTES)
def test_quote_close__each_route_in_each_state__is_what_happens(
    scene: Deployment, route: int, state: Callable[[Deployment], None]
) -> None:
    collateral = position_of(scene)
    state(scene)
    quote = closes_as_quoted(scene, 4 * ETHER + 7, 3 * ETHER + 3, route)
    assert quote.refusal == ""
    assert quote.repaid == 3 * ETHER + 3
    # Only what the debt was the less is the LTV the higher for.
    assert closes_as_quoted(scene, ETHER // 10, 0, route).refusal == ""
    # What is left of it goes whole.
    quote = closes_as_quoted(scene, collateral - 4 * ETHER - 7 - ETHER // 10, UNLIMITED, route)
    assert (quote.refusal, quote.position.collateral, quote.position.debt) == ("", 0, 0)
    assert_left_nothing(scene)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    state=st.sampled_from(STATES),
    route=st.sampled_from([*ROUTES, 0, 3, 7]),
    part=st.one_of(st.integers(0, 3_000), st.integers(0, 16 * ETHER)),
    repay=st.one_of(st.integers(0, 3_000), st.integers(0, 12 * ETHER), st.just(UNLIMITED)),
    equity=st.sampled_from([3 * ETHER, 5 * ETHER // 4, ETHER]),
)
def test_quote_close__any_amounts__are_closed_or_refused_as_quoted(
    scene: Deployment,
    state: Callable[[Deployment], None],
    route: int,
    part: int,
    repay: int,
    equity: int,
) -> None:
    with scene.chain.isolated():
        position_of(scene, equity, 9 * ETHER)
        state(scene)
        both_close_or_refuse(scene, part, repay, route)


def both_close_or_refuse(scene: Deployment, part: int, repay: int, route: int) -> str:
    """Closed as quoted, or refused for one reason, which is returned."""
    protocol, looper = scene.protocol, scene.roles.looper
    try:
        return closes_as_quoted(scene, part, repay, route).refusal
    except QuoteRefused as refused:
        arguments = (protocol.market.address, part, repay, route, FREE)
        with reverts(refused.reason):
            protocol.router.close(*arguments, sender=looper)
        return refused.reason


def no_idle(scene: Deployment) -> None:
    stake_everything(scene)


def stale_feed(scene: Deployment) -> None:
    scene.chain.advance(2 * DAY)


@pytest.mark.parametrize(
    ("state", "part", "repay", "route", "reason"),
    [
        (plain, 0, ETHER, SWAP, "router: nothing to do"),
        (plain, 13 * ETHER, 0, SWAP, "market: not enough collateral"),
        (plain, ETHER, 2 * ETHER, SWAP, "router: sale below repayment"),
        (plain, 3 * ETHER, 0, SWAP, "market: unhealthy"),
        (plain, 11 * ETHER, 10 * ETHER, REDEEM, ""),
        (plain, 11 * ETHER, 10 * ETHER - 5, REDEEM, ""),
        (plain, 11 * ETHER, 991 * ETHER // 100, REDEEM, ""),
        (plain, ETHER, ETHER, 0, "path: no such route"),
        (no_idle, ETHER, ETHER, REDEEM, "vault: not enough idle"),
        (little_idle, 11 * ETHER, 10 * ETHER, REDEEM, ""),
        # A dead feed stops only what makes the position riskier.
        (stale_feed, ETHER, 0, SWAP, "oracle: stale feed"),
        (stale_feed, ETHER, ETHER, SWAP, ""),
    ],
)
def test_quote_close__refused_or_not__as_the_router_says(
    scene: Deployment,
    state: Callable[[Deployment], None],
    part: int,
    repay: int,
    route: int,
    reason: str,
) -> None:
    position_of(scene)
    state(scene)
    assert both_close_or_refuse(scene, part, repay, route) == reason


@pytest.mark.parametrize("route", [SWAP, STABLE])
def test_quote_close__more_than_the_pool_should_sell__says_so(
    scene: Deployment, route: int
) -> None:
    """Of the stable pool's 240 WETH a sale may take half."""
    open_leveraged(scene, 180 * ETHER, 0)
    assert both_close_or_refuse(scene, 120 * ETHER, 0, route) == "swap: not enough liquidity"


def test_quote_close__market_delisted__goes_on(scene: Deployment) -> None:
    protocol, roles = scene.protocol, scene.roles
    position_of(scene)
    protocol.factory.delist_market(protocol.market.address, sender=roles.guardian)
    assert closes_as_quoted(scene, ETHER, ETHER, SWAP).refusal == ""
    with reverts("router: market never listed"):
        protocol.quoter.quote_close.call(roles.looper, NOBODY, ETHER, ETHER, SWAP)


def test_quote_close__without_a_debt__pays_all_out(scene: Deployment) -> None:
    open_leveraged(scene, 3 * ETHER, 0)
    quote = closes_as_quoted(scene, ETHER, UNLIMITED, SWAP)
    assert (quote.repaid, quote.position.debt, quote.position.health) == (0, 0, None)


# Every way out at once


@pytest.mark.parametrize("state", STATES)
def test_exits__in_each_state__pay_what_each_way_pays(
    scene: Deployment, state: Callable[[Deployment], None]
) -> None:
    open_leveraged(scene, 5 * ETHER, 0)
    state(scene)
    protocol, amount = scene.protocol, 4 * ETHER + 7
    swap, redeem, stable, queue = exits(protocol, amount)
    worth = amount * protocol.oracle.liquidation_prices()[0] // 10**36
    for found, route in ((swap, SWAP), (redeem, REDEEM), (stable, STABLE)):
        assert (found.refusal, found.seconds, found.cost) == ("", 0, worth - found.paid)
        with scene.chain.isolated():
            assert closes_as_quoted(scene, amount, 0, route).received == found.paid
    assert queue.cost == worth - queue.paid
    assert queue.refusal == ""


def test_exits__one_way_is_shut__the_others_are_told(scene: Deployment) -> None:
    amount = 4 * ETHER
    stake_everything(scene)
    swap, redeem, stable, queue = exits(scene.protocol, amount)
    assert (swap.refusal, stable.refusal, queue.refusal) == ("", "", "")
    assert redeem.refusal == "vault: not enough idle"
    assert (redeem.paid, redeem.cost, redeem.seconds) == (0, 0, 0)
    # All of it must come out of EigenLayer or Symbiotic: patience first.
    delays = [scene.protocol.eigenlayer.exit_delay(), scene.protocol.symbiotic.exit_delay()]
    assert queue.seconds == scene.protocol.queue.patience() + max(delays)
    assert queue.days == queue.seconds / DAY
    scene.chain.set_code(scene.protocol.eigenlayer.address, b"")
    assert [e.refusal for e in exits(scene.protocol, amount)] == [
        *("", "vault: adapter unreadable", "", "vault: adapter unreadable")
    ]


def test_exits__queue__pays_then_what_it_said(scene: Deployment) -> None:
    """Asked back and paid out of idle assets: after the line's least wait, to the unit."""
    protocol, holder = scene.protocol, scene.roles.depositor
    queue, vault, amount = protocol.queue, protocol.vault, 5 * ETHER + 3
    wsteth, seconds = protocol.outlook.queue_exit(vault.address, amount)
    assert seconds == queue.wait()
    vault.approve(queue.address, amount, sender=holder)
    queue.requestRedeem(amount, holder, holder, sender=holder)
    id = queue.next_id() - 1
    scene.chain.advance(seconds - 1)
    assert queue.finalize.call(10, sender=scene.roles.stranger) == 0
    scene.chain.advance(1)
    queue.finalize(10, sender=scene.roles.stranger)
    assert queue.request(id).claimable_assets == wsteth
