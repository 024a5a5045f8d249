"""What is quoted is what then happens, to the wei and in the same words, in many states."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relever.chain import Contract
from relever.derivative_quotes import (
    quote_backing,
    quote_cash,
    quote_enter,
    quote_exit,
    quote_leave,
    quote_mint,
    quote_rebalance,
    quote_redeem,
)
from relever.protocol import NOBODY, UNLIMITED, WAD, Deployment
from relever.quotes import ROUTES, QuoteRefused
from relever.risk.backstop import Lab
from tests.leveraged import Tokens
from tests.scene import DAY, ETHER, back, reverts

MANY = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
EXAMPLES = settings(MANY, max_examples=25)


def nothing(tokens: Tokens) -> None:
    """As it was built."""


def slash(tokens: Tokens) -> None:
    """Nobody has booked it."""
    tokens.slash(WAD // 100)


def depeg(tokens: Tokens) -> None:
    """The market pays 4 % less, for an hour."""
    tokens.scene.answer_fundamental(WAD // 25)
    tokens.scene.protocol.oracle.poke()
    tokens.scene.chain.advance(3_600)
    tokens.scene.answer_fundamental(WAD // 25)
    tokens.scene.protocol.oracle.poke()


def accrual(tokens: Tokens) -> None:
    """Interest and fees that nobody has booked."""
    tokens.wait(30 * DAY + 7)


def dead_feed(tokens: Tokens) -> None:
    """It has not answered for days."""
    tokens.scene.chain.advance(3 * DAY)


def halted(tokens: Tokens) -> None:
    """A loss that lenders bear halts borrowing."""
    market, borrower = tokens.market, tokens.scene.roles.borrower
    market.adjust(borrower, 1_000 * ETHER, 1_000 * ETHER, borrower, sender=borrower)
    tokens.lose(WAD * 40 // 100)
    market.liquidate(borrower, UNLIMITED, 0, sender=tokens.scene.roles.liquidator)
    assert market.halted_until() > tokens.scene.chain.timestamp


STATES = [nothing, slash, depeg, accrual, dead_feed, halted]


def held(tokens: Tokens, who: str) -> dict[str, int]:
    """All that quotes are about, with wstETH and ether."""
    core, pool = tokens.scene.world.core, tokens.scene.protocol.backstop
    return {
        **tokens.holdings(who),
        "wsteth": int(core.wsteth.balanceOf(who)),
        "backstop": int(pool.balanceOf(who)),
    }


def happens(
    tokens: Tokens, who: str, quote: Callable[[], Any], act: Callable[[], Any]
) -> tuple[Any, dict[str, int]]:
    """The quote, or None where it is refused as the act is; and what the act has changed."""
    before = held(tokens, who)
    said, refusal = None, None
    try:
        said = quote()
    except QuoteRefused as failure:
        refusal = failure.reason
    if refusal is not None:
        with reverts(refusal):
            act()
        return None, {}
    assert held(tokens, who) == before
    act()
    after = held(tokens, who)
    return said, {
        name: after[name] - before[name] for name in before if after[name] != before[name]
    }


def picked(tokens: Tokens, leverage: int) -> tuple[Contract, str, str]:
    """A token, its symbol, and who holds some and enough to bring."""
    return tokens.token(leverage), f"rLRT{leverage}", tokens.scene.roles.looper


@EXAMPLES
@given(
    state=st.sampled_from(STATES),
    leverage=st.sampled_from([3, 8]),
    shares=st.integers(1, 5 * ETHER),
)
def test_in_kind__any_state__is_what_happens(
    tokens: Tokens, state: Callable[[Tokens], None], leverage: int, shares: int
) -> None:
    token, symbol, who = picked(tokens, leverage)
    with tokens.scene.chain.isolated():
        state(tokens)
        said, moved = happens(
            *(tokens, who, lambda: quote_mint(token, who, shares)),
            lambda: tokens.mint(token, shares, who),
        )
        if said is not None:
            assert {"lrt": 0, "weth": 0} | moved == {
                "lrt": -said.lrt,
                "weth": said.weth,
                symbol: shares,
            }
        said, moved = happens(
            *(tokens, who, lambda: quote_redeem(token, who, shares)),
            lambda: tokens.redeem(token, shares, who),
        )
        assert {"lrt": 0, "weth": 0} | moved == {
            "lrt": said.lrt,
            "weth": -said.weth,
            symbol: -shares,
        }


@pytest.mark.parametrize("state", [dead_feed, halted])
def test_mint__market_does_not_lend__is_refused_in_its_words(
    tokens: Tokens, state: Callable[[Tokens], None]
) -> None:
    state(tokens)
    token, _, who = picked(tokens, 3)
    with pytest.raises(QuoteRefused) as refused:
        quote_mint(token, who, ETHER)
    assert refused.value.reason in ("oracle: stale feed", "market: borrowing halted")
    assert quote_redeem(token, who, ETHER).lrt > 0


@MANY
@given(lowers=st.booleans(), part=st.integers(1, 2 * WAD), seconds=st.integers(1_800, 14_000))
def test_rebalance__any_time_of_an_auction__is_what_happens(
    tokens: Tokens, lowers: bool, part: int, seconds: int
) -> None:
    token, _, _ = picked(tokens, 3)
    who = tokens.scene.roles.liquidator
    with tokens.scene.chain.isolated():
        if lowers:
            tokens.lose(WAD * 7 // 100)
        else:
            tokens.gain(WAD * 9 // 100)
        tokens.start(token, seconds)
        most = token.auction().most * part // WAD
        said, moved = happens(
            *(tokens, who, lambda: quote_rebalance(token, who, lowers, most)),
            lambda: token.rebalance(lowers, most, 0, sender=who),
        )
        brings, gets = ("weth", "lrt") if lowers else ("lrt", "weth")
        assert moved == {brings: -said.brought, gets: said.got}


@EXAMPLES
@given(
    state=st.sampled_from(STATES),
    leverage=st.sampled_from([3, 8]),
    coin=st.sampled_from(["ether", "weth", "wsteth", "lrt"]),
    amount=st.integers(1, 3 * ETHER),
)
def test_zap__any_state_and_token__is_what_happens(
    tokens: Tokens, state: Callable[[Tokens], None], leverage: int, coin: str, amount: int
) -> None:
    token, symbol, who = picked(tokens, leverage)
    core, zap, scene = tokens.scene.world.core, tokens.leveraged.zap, tokens.scene
    addresses = {
        "ether": NOBODY,
        "weth": core.weth.address,
        "wsteth": core.wsteth.address,
        "lrt": tokens.vault.address,
    }
    with scene.chain.isolated():
        scene.world.fund(who, wsteth=3 * ETHER)
        core.wsteth.approve(zap.address, UNLIMITED, sender=who)
        token.approve(zap.address, UNLIMITED, sender=who)
        state(tokens)
        address = addresses[coin]
        value = amount if coin == "ether" else 0
        asked = token.address, address, amount, 0, who, UNLIMITED
        said, moved = happens(
            *(tokens, who, lambda: quote_enter(zap, who, token, address, amount)),
            lambda: zap.enter(*asked, sender=who, value=value),
        )
        if said is not None:
            spent = {} if coin == "ether" else {coin: -amount}
            spent["lrt"] = spent.get("lrt", 0) + said.returned
            assert moved == {symbol: said.shares} | {k: v for k, v in spent.items() if v}
        out = addresses["weth" if coin == "ether" else coin]
        shares, sold = amount, (leverage + 1) * amount
        exit_terms = out, sold, ROUTES["swap"], 0, 0
        said, moved = happens(
            *(tokens, who, lambda: quote_leave(zap, who, token, shares, *exit_terms[:3])),
            lambda: zap.leave(token.address, shares, exit_terms, who, UNLIMITED, sender=who),
        )
        if said is not None:
            got = {"weth" if coin == "ether" else coin: said.paid}
            got["weth"] = got.get("weth", 0) + said.returned
            assert moved == {symbol: -shares} | {k: v for k, v in got.items() if v}


@EXAMPLES
@given(
    state=st.sampled_from(STATES),
    assets=st.integers(1, 50 * ETHER),
    shares=st.integers(1, 60 * ETHER),
)
def test_backstop__any_state__is_what_happens(
    tokens: Tokens, state: Callable[[Tokens], None], assets: int, shares: int
) -> None:
    scene, who = tokens.scene, tokens.scene.roles.looper
    pool = scene.protocol.backstop
    with scene.chain.isolated():
        back(scene, 40 * ETHER, who)
        tokens.weth.approve(pool.address, UNLIMITED, sender=who)
        state(tokens)
        said, moved = happens(
            *(tokens, who, lambda: quote_backing(pool, who, assets)),
            lambda: pool.deposit(assets, who, sender=who),
        )
        if said is not None:
            assert moved == {"weth": -assets, "backstop": said}
        with scene.chain.isolated():
            said, moved = happens(
                *(tokens, who, lambda: quote_cash(pool, who, shares)),
                lambda: pool.redeem(shares, who, who, sender=who),
            )
            if said is not None:
                assert moved == {"weth": said, "backstop": -shares}
        for _ in range(2):
            said, moved = happens(
                *(tokens, who, lambda: quote_exit(pool, who, shares // 2)),
                lambda: pool.request_exit(shares // 2, who, who, sender=who),
            )
            if said is not None:
                assert pool.exit_at(said.id).worth == said.worth
                assert pool.waiting_shares() == said.ahead + shares // 2
                assert moved == {"backstop": -(shares // 2)}


@pytest.mark.parametrize("state", STATES)
def test_quotes__each_state__refuses_only_what_needs_the_market(
    tokens: Tokens, state: Callable[[Tokens], None]
) -> None:
    scene, who = tokens.scene, tokens.scene.roles.looper
    pool, zap, token = scene.protocol.backstop, tokens.leveraged.zap, tokens.token(3)
    back(scene, 4 * ETHER, who)
    tokens.weth.approve(pool.address, UNLIMITED, sender=who)
    token.approve(zap.address, UNLIMITED, sender=who)
    state(tokens)
    lrt = tokens.vault.address
    asked: dict[str, Callable[[], Any]] = {
        "mint": lambda: quote_mint(token, who, ETHER),
        "enter": lambda: quote_enter(zap, who, token, NOBODY, ETHER),
        "redeem": lambda: quote_redeem(token, who, ETHER),
        "leave": lambda: quote_leave(zap, who, token, ETHER, lrt, 3 * ETHER, ROUTES["swap"]),
        "deposit": lambda: quote_backing(pool, who, ETHER),
        "cash": lambda: quote_cash(pool, who, ETHER),
        "exit": lambda: quote_exit(pool, who, ETHER),
    }
    refused = {}
    for name, quote in asked.items():
        try:
            quote()
        except QuoteRefused as failure:
            refused[name] = failure.reason
    expected = {
        dead_feed: {"mint": "oracle: stale feed", "enter": "oracle: stale feed"},
        # What halted it took all of the token's equity too.
        halted: {"mint": "market: borrowing halted", "enter": "zap: token has no equity"},
    }
    assert refused == expected.get(state, {})


@MANY
@given(
    slashed=st.booleans(),
    assets=st.integers(2, 50 * ETHER),
    shares=st.integers(2 * 10**15, 10 * ETHER),
)
def test_backstop__a_claim_waits__is_what_happens(
    deployment: Deployment, slashed: bool, assets: int, shares: int
) -> None:
    weth, who = deployment.world.core.weth, deployment.roles.trader
    with deployment.chain.isolated():
        lab = Lab(deployment)
        pool = lab.pool
        with lab.play("waits") as result:
            lab.buy(result)
            if slashed:
                lab.slash(result, WAD // 5)
            deployment.world.fund(who, weth=assets)
            weth.approve(pool.address, assets, sender=who)
            had = weth.balanceOf(who), pool.balanceOf(who)
            with deployment.chain.isolated():
                said = quote_cash(pool, who, shares)
                pool.redeem(shares, who, who, sender=who)
                assert (weth.balanceOf(who) - had[0], pool.balanceOf(who) - had[1]) == (
                    said,
                    -shares,
                )
            with deployment.chain.isolated():
                said = quote_backing(pool, who, assets)
                pool.deposit(assets, who, sender=who)
                assert (weth.balanceOf(who) - had[0], pool.balanceOf(who) - had[1]) == (
                    -assets,
                    said,
                )
            waiting = quote_exit(pool, who, shares)
            pool.request_exit(shares, who, who, sender=who)
            assert pool.exit_at(waiting.id).worth == waiting.worth
