"""What the lens says of a leveraged token, beside what follows from whole numbers alone."""

from typing import Any

import pytest

from relever.artifacts import artifact
from relever.chain import Contract
from relever.protocol import PRICE_SCALE, UNLIMITED, WAD
from tests.leveraged import Tokens
from tests.scene import DAY, reverts

BOTH = pytest.mark.parametrize("leverage", [3, 8])


def seen(tokens: Tokens, token: Contract) -> Any:
    return tokens.leveraged.lens.leveraged_token(token.address)


def assert_valued(tokens: Tokens, token: Contract) -> Any:
    """The position, its worth, and where leverage is to be, by whole numbers alone."""
    state, terms, (collateral, debt) = seen(tokens, token), token.terms(), tokens.position(token)
    supply, worth = token.totalSupply(), collateral * tokens.backing() // PRICE_SCALE
    equity = max(0, worth - debt)
    assert (state.market, state.collateral, state.debt) == (tokens.market.address, collateral, debt)
    assert (state.supply, state.backing, state.worth) == (supply, tokens.backing(), worth)
    assert (state.equity, state.nav) == (equity, equity * WAD // supply)
    assert state.leverage == (worth * WAD // equity if equity else UNLIMITED)
    target = terms.target - state.stepped
    band = [terms.least * target // terms.target, target, terms.most * target // terms.target]
    assert [state.least, state.target, state.most] == band == list(token.band())
    assert state.next_checkpoint == token.last_checkpoint().time + terms.period
    assert state.danger == terms.danger
    assert state.in_danger == (equity == 0 or worth * WAD > terms.danger * equity)
    return state


def assert_priced(tokens: Tokens, state: Any) -> None:
    price = tokens.scene.protocol.oracle.price()
    equity = max(0, state.collateral * price // PRICE_SCALE - state.debt)
    assert (state.usable, state.price) == (True, price)
    assert (state.price_equity, state.price_nav) == (equity, equity * WAD // state.supply)


def assert_no_auction(state: Any) -> None:
    assert state.auction_usable
    assert tuple(state.auction) == (False, False, 0, 0, 0)
    assert state.auction_gets == 0


@BOTH
def test_leveraged_token__in_its_band__nobody_is_served(tokens: Tokens, leverage: int) -> None:
    token = tokens.token(leverage)
    state = assert_valued(tokens, token)
    assert_priced(tokens, state)
    assert_no_auction(state)
    assert (state.auction_started, state.auction_ends) == (0, 0)
    assert (state.counted_loss, state.cooldown) == (0, 0)
    assert state.loss_left == token.terms().max_loss
    assert (state.stepped, state.in_danger) == (0, False)


@BOTH
@pytest.mark.parametrize("lowers", [True, False])
def test_leveraged_token__in_an_auction__says_what_a_taker_pays_and_gets(
    tokens: Tokens, leverage: int, lowers: bool
) -> None:
    token, terms = tokens.token(leverage), tokens.token(leverage).terms()
    if lowers:
        tokens.lose(WAD * 7 // 100 if leverage == 3 else WAD * 2 // 100)
    else:
        tokens.gain(WAD * 9 // 100 if leverage == 3 else WAD * 4 // 100)
    assert_no_auction(assert_valued(tokens, token))
    tokens.start(token, terms.duration)
    state = assert_valued(tokens, token)
    assert_priced(tokens, state)
    assert (state.auction_usable, state.auction.is_open) == (True, True)
    assert (state.auction.lowers, state.auction.bid) == (lowers, WAD + terms.max_pay)
    assert state.auction_started == tokens.scene.chain.timestamp - terms.duration
    assert state.auction_ends == state.auction_started + 2 * terms.duration
    asked = lowers, UNLIMITED // 2, state.auction.price
    taker = tokens.scene.roles.liquidator
    before = tokens.holdings(taker)
    token.rebalance(*asked, sender=taker)
    after = tokens.holdings(taker)
    pays, gets = ("weth", "lrt") if lowers else ("lrt", "weth")
    assert before[pays] - after[pays] == state.auction.most > 0
    assert after[gets] - before[gets] == state.auction_gets > 0


def test_leveraged_token__after_a_rebalance__says_what_counts_and_how_long(tokens: Tokens) -> None:
    token, terms = tokens.token(3), tokens.token(3).terms()
    tokens.lose(WAD * 7 // 100)
    tokens.start(token, terms.duration)
    token.rebalance(True, UNLIMITED // 2, 0, sender=tokens.scene.roles.liquidator)
    state = assert_valued(tokens, token)
    assert 0 < state.counted_loss == token.faded_loss() < terms.max_loss
    assert state.loss_left == terms.max_loss - state.counted_loss
    assert state.cooldown == -(-state.counted_loss * terms.cooldown // terms.max_loss)
    tokens.wait(state.cooldown - 2)
    assert token.faded_loss() > 0
    tokens.wait(2)
    assert (seen(tokens, token).counted_loss, seen(tokens, token).cooldown) == (0, 0)


@BOTH
def test_leveraged_token__in_danger__is_served_without_an_auction(
    tokens: Tokens, leverage: int
) -> None:
    token = tokens.token(leverage)
    tokens.lose(WAD * 17 // 100 if leverage == 3 else WAD * 4 // 100)
    state = assert_valued(tokens, token)
    assert state.in_danger
    assert state.auction.is_open
    assert state.auction_started == 0
    assert state.auction.bid == WAD + token.terms().danger_pay
    assert state.auction_gets == token.quote_rebalance(True, UNLIMITED // 2)[1]


def test_leveraged_token__no_equity__has_no_leverage_and_no_nav(tokens: Tokens) -> None:
    token = tokens.token(8)
    tokens.lose(WAD * 14 // 100)
    state = assert_valued(tokens, token)
    assert (state.equity, state.nav, state.leverage) == (0, 0, UNLIMITED)
    assert_no_auction(state)


@BOTH
def test_leveraged_token__feed_dead__says_so_and_all_else(tokens: Tokens, leverage: int) -> None:
    token = tokens.token(leverage)
    tokens.gain(WAD * 9 // 100 if leverage == 3 else WAD * 4 // 100)
    tokens.start(token, token.terms().duration // 2)
    assert seen(tokens, token).auction.is_open
    with tokens.scene.chain.isolated():
        tokens.scene.chain.advance(2 * DAY)
        with reverts("oracle: stale feed"):
            tokens.scene.protocol.oracle.price()
        state = assert_valued(tokens, token)
        assert (state.usable, state.price, state.price_equity, state.price_nav) == (False, 0, 0, 0)
        # The auction has lapsed before the feed was too old; it asks for no price then.
        assert_no_auction(state)
        token.start_auction()
        state = assert_valued(tokens, token)
        assert (state.usable, state.auction_usable, state.auction_gets) == (False, False, 0)
        assert tuple(state.auction) == (False, False, 0, 0, 0)
        assert state.auction_started == tokens.scene.chain.timestamp


def test_leveraged_token__carry_stop_has_stepped__shows_the_lower_band(tokens: Tokens) -> None:
    token, terms = tokens.token(3), tokens.token(3).terms()
    tokens.wait(terms.period)
    token.checkpoint(sender=tokens.scene.roles.stranger)
    state = assert_valued(tokens, token)
    assert state.stepped == terms.step
    assert state.next_checkpoint == tokens.scene.chain.timestamp + terms.period


def test_leveraged_token__slash_that_nobody_booked__is_in_it(tokens: Tokens) -> None:
    token = tokens.token(3)
    before = assert_valued(tokens, token)
    tokens.slash(WAD // 50)
    after = assert_valued(tokens, token)
    assert after.backing < before.backing
    assert after.leverage > before.leverage


def test_leveraged_token__over_another_collateral__reverts(tokens: Tokens) -> None:
    other = tokens.scene.chain.deploy(artifact("SettableLrt"), WAD, WAD)
    lens = tokens.scene.chain.deploy(artifact("DerivativesLens"), other.address)
    with reverts("lens: another collateral"):
        lens.leveraged_token(tokens.token(3).address)


@BOTH
def test_fee_owed__is_what_the_receiver_gets(tokens: Tokens, leverage: int) -> None:
    token, lens = tokens.token(leverage), tokens.leveraged.lens
    receiver = token.terms().fee_receiver
    tokens.wait(30 * DAY)
    had, owed = token.balanceOf(receiver), lens.fee_owed.call(token.address)
    lens.fee_owed(token.address)
    assert token.balanceOf(receiver) == had
    with tokens.scene.chain.isolated():
        token.accrue_fee()
        assert token.balanceOf(receiver) - had == owed > 0
        assert lens.fee_owed.call(token.address) == 0


def test_fee_owed__no_leveraged_token__reverts(tokens: Tokens) -> None:
    with reverts("lens: no fee to be had"):
        tokens.leveraged.lens.fee_owed.call(tokens.market.address)
