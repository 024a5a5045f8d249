"""What is quoted is what is opened: to the wei, from every token, in every state."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relever.chain import Contract
from relever.protocol import WAD, Deployment
from relever.quotes import QuoteRefused, quote_open
from tests.lrt_paths import NOBODY, push_lrt_price
from tests.scene import DAY, ETHER, restake, reverts
from tests.unit.quoter.conftest import (
    STATES,
    assert_left_nothing,
    cheap_pool,
    opens,
    opens_as_quoted,
)
from tests.unit.router.conftest import FREE, TOKENS, buy_cheap_lrt, give, mint_rate


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", TOKENS)
def test_quote_open__each_token_in_each_state__is_what_happens(
    scene: Deployment, name: str, state: Callable[[Deployment], None]
) -> None:
    token = give(scene, name, 8 * ETHER + 14)
    state(scene)
    quote = opens(scene, token, 7 * ETHER + 13, 21 * ETHER + 7)
    assert quote.refusal == ""
    assert quote.sold + quote.minted
    assert quote.sold or state is not cheap_pool
    # On top of it without a loan, and a loan alone.
    assert opens(scene, token, ETHER + 1, 0).refusal == ""
    assert opens(scene, token, 0, ETHER + 1).refusal == ""
    assert_left_nothing(scene)


@pytest.mark.parametrize("name", TOKENS)
def test_quote_open__pool_runs_out_of_cheap_lrt__mints_the_rest(
    scene: Deployment, name: str
) -> None:
    push_lrt_price(scene, 995 * WAD // 1_000)
    quote = opens_as_quoted(scene, name, 50 * ETHER, 150 * ETHER)
    assert min(quote.sold, quote.bought, quote.minted) > 0


def test_quote_open__sale_leaves_dust__gives_it_back(scene: Deployment) -> None:
    push_lrt_price(scene, 995 * WAD // 1_000)
    give(scene, "weth", 200 * ETHER)
    weth = scene.world.core.weth.address
    sold = quote_open(scene.protocol, scene.roles.looper, weth, 200 * ETHER, 0).sold
    assert 0 < sold < 200 * ETHER
    with scene.chain.isolated():
        assert opens(scene, weth, sold + 999, 0).returned == 999
    quote = opens(scene, weth, sold + 1_000, 0)
    assert (quote.returned, bool(quote.minted)) == (0, True)


def test_quote_open__stake_moves_the_last_digit_of_the_lst_rate__is_in_the_worth(
    scene: Deployment,
) -> None:
    """Lido rounds shares down: the rate is so near its next digit that a stake takes it there."""
    steth, wsteth = scene.world.core.steth, scene.world.core.wsteth
    pooled, shares = steth.getTotalPooledEther(), steth.getTotalShares()
    reward = next(r for r in range(1, 10**6) if -WAD * (pooled + r) % shares <= WAD)
    scene.world.accrue_rewards(reward)
    pooled, rate = pooled + reward, wsteth.stEthPerToken()
    buy_cheap_lrt(scene, mint_rate(scene))

    def after(ether: int) -> int:
        return WAD * (pooled + ether) // (shares + ether * shares // pooled)

    amount = next(a for a in range(5 * ETHER, 5 * ETHER + 10**4) if after(a) != rate)
    token = give(scene, "ether", amount)
    with scene.chain.isolated():
        assert opens(scene, token, amount, 0).refusal == ""
        assert wsteth.stEthPerToken() == rate + 1


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    state=st.sampled_from(STATES),
    name=st.sampled_from(TOKENS),
    amount=st.one_of(st.integers(0, 3_000), st.integers(0, 60 * ETHER)),
    borrow=st.one_of(st.integers(0, 3_000), st.integers(0, 400 * ETHER)),
)
def test_quote_open__any_amounts__are_opened_or_refused_as_quoted(
    scene: Deployment,
    state: Callable[[Deployment], None],
    name: str,
    amount: int,
    borrow: int,
) -> None:
    with scene.chain.isolated():
        token = give(scene, name, amount or ETHER)
        state(scene)
        try:
            opens(scene, token, amount, borrow)
        except QuoteRefused as refused:
            value = amount if token == NOBODY else 0
            arguments = (scene.protocol.market.address, token, amount, borrow, FREE)
            with reverts(refused.reason):
                scene.protocol.router.open(*arguments, sender=scene.roles.looper, value=value)


# Refused


def refused(scene: Deployment, amount: int, borrow: int, reason: str) -> None:
    """Neither is opened nor quoted, for one reason."""
    token = give(scene, "wsteth", amount) if amount else scene.world.core.wsteth.address
    both_refuse(scene, scene.protocol.market.address, token, amount, borrow, reason)


def both_refuse(
    scene: Deployment, market: str, token: str, amount: int, borrow: int, reason: str
) -> None:
    protocol, looper = scene.protocol, scene.roles.looper
    with reverts(reason):
        protocol.quoter.quote_open.call(looper, market, token, amount, borrow)
    with reverts(reason):
        protocol.router.open(market, token, amount, borrow, FREE, sender=looper)


def test_quote_open__no_room_for_the_loan__says_which(scene: Deployment) -> None:
    market, owner = scene.protocol.market, scene.roles.owner
    state, caps = market.state(), market.caps()
    cash = state.supply_assets - state.borrow_assets
    refused(scene, 2_000 * ETHER, cash + 1, "market: not enough cash")
    market.set_caps((caps.supply, state.borrow_assets + 5 * ETHER, caps.fee), sender=owner)
    refused(scene, 10 * ETHER, 5 * ETHER + 1, "market: borrow cap")
    assert opens_as_quoted(scene, "wsteth", 10 * ETHER, 5 * ETHER).refusal == ""


def test_quote_open__no_room_in_the_vault__says_which(scene: Deployment) -> None:
    vault, guardian = scene.protocol.vault, scene.roles.guardian
    refused(scene, 0, 0, "router: nothing to do")
    wsteth = give(scene, "wsteth", 10 * ETHER)
    vault.set_deposit_cap(vault.totalAssets() + 3 * ETHER, sender=guardian)
    with scene.chain.isolated():
        assert opens(scene, wsteth, 3 * ETHER, 0).refusal == ""
    market = scene.protocol.market.address
    both_refuse(scene, market, wsteth, 3 * ETHER + 1, 0, "vault: deposit cap")
    vault.pause(DAY, sender=guardian)
    both_refuse(scene, market, wsteth, ETHER, 0, "vault: paused")
    # The rate is above one: a wei is not worth a share.
    both_refuse(scene, market, wsteth, 1, 0, "vault: zero shares")


def test_quote_open__adapter_cannot_be_read__says_so(scene: Deployment) -> None:
    give(scene, "wsteth", ETHER)
    scene.chain.set_code(scene.protocol.eigenlayer.address, b"")
    wsteth = scene.world.core.wsteth.address
    market = scene.protocol.market.address
    both_refuse(scene, market, wsteth, ETHER, ETHER // 2, "vault: adapter unreadable")


def test_quote_open__adapter_cannot_be_read__stops_no_lrt_alone(scene: Deployment) -> None:
    lrt = give(scene, "lrt", ETHER)
    scene.chain.set_code(scene.protocol.eigenlayer.address, b"")
    assert opens(scene, lrt, ETHER, 0).refusal == ""


def answer_only(scene: Deployment, adapter: Contract, method: str) -> None:
    """The adapter goes on to answer one method as it does now, and reverts on all others."""
    selector, value = getattr(adapter, method).encode(), getattr(adapter, method)()
    code = "5f3560e01c63" + selector.hex() + "146011575f5ffd5b7f" + f"{value:064x}" + "5f5260205ff3"
    scene.chain.set_code(adapter.address, bytes.fromhex(code))


def test_quote_open__risk_cannot_be_read__is_refused_a_loan_only(scene: Deployment) -> None:
    token = give(scene, "wsteth", 10 * ETHER)
    answer_only(scene, scene.protocol.eigenlayer, "total_assets")
    assert opens(scene, token, 3 * ETHER, 6 * ETHER).refusal == "vault: adapter unreadable"
    assert opens(scene, token, 3 * ETHER, 0).refusal == ""


def test_quote_open__market_is_not_listed__says_so(scene: Deployment) -> None:
    protocol, roles = scene.protocol, scene.roles
    wsteth = give(scene, "wsteth", ETHER)
    for market in (protocol.vault.address, NOBODY):
        both_refuse(scene, market, wsteth, ETHER, 0, "router: market not listed")
    protocol.factory.delist_market(protocol.market.address, sender=roles.guardian)
    refused(scene, ETHER, 0, "router: market not listed")


def test_quote_open__token_that_is_none_of_the_five__says_so(scene: Deployment) -> None:
    market = scene.protocol.market.address
    both_refuse(scene, market, market, 1, ETHER, "router: token not accepted")


def test_quote_open__too_much_or_too_little_debt__has_the_numbers_too(scene: Deployment) -> None:
    least = scene.protocol.market.terms().min_debt
    quote = opens_as_quoted(scene, "wsteth", 3 * ETHER, least - 2)
    assert quote.refusal == "market: debt below minimum"
    quote = opens_as_quoted(scene, "wsteth", 3 * ETHER, 60 * ETHER)
    assert quote.refusal == "market: unhealthy"
    assert (quote.position.ltv or 0) > 9 * 10**17
    assert quote.position.debt >= 60 * ETHER


def test_quote_open__largest_loan__is_found_to_the_wei(scene: Deployment) -> None:
    """The last wei that is not refused, and the first that is."""
    token = give(scene, "wsteth", 3 * ETHER)
    low, high = 3 * ETHER, 60 * ETHER
    while high - low > 1:
        middle = (low + high) // 2
        quote = quote_open(scene.protocol, scene.roles.looper, token, 3 * ETHER, middle)
        low, high = (low, middle) if quote.refusal else (middle, high)
    with scene.chain.isolated():
        assert opens(scene, token, 3 * ETHER, low).refusal == ""
    assert opens(scene, token, 3 * ETHER, high).refusal == "market: unhealthy"


def stale_feed(scene: Deployment) -> None:
    scene.chain.advance(2 * DAY)


def supply_burst(scene: Deployment) -> None:
    """As much LRT as the gate lets in has just been minted."""
    opened, level, capacity = scene.protocol.oracle.supply_gate()
    assert opened
    restake(scene, (capacity - level) * scene.protocol.vault.rate() // WAD - ETHER)


@pytest.mark.parametrize(
    ("obstacle", "reason"),
    [(stale_feed, "oracle: stale feed"), (supply_burst, "oracle: supply burst")],
)
def test_quote_open__oracle_gives_no_price__says_why(
    scene: Deployment, obstacle: Callable[[Deployment], None], reason: str
) -> None:
    token = give(scene, "wsteth", 10 * ETHER)
    obstacle(scene)
    quote = opens(scene, token, 3 * ETHER, 6 * ETHER)
    assert quote.refusal == reason
    assert quote.position.conservative_health == 0
    # Collateral alone is always taken.
    assert opens(scene, token, 3 * ETHER, 0).refusal == ""
