from fractions import Fraction

import pytest

from relever.chain import Event
from relever.protocol import PRICE_SCALE, UNLIMITED, WAD
from tests.leveraged import Tokens
from tests.lrt_paths import Log
from tests.scene import DAY, ETHER, reverts

HOUR = 3_600
BOTH = pytest.mark.parametrize("leverage", [3, 8])
# Discount at the start, pay at the end, in danger: as the parameters have them.
PAYS = {3: (2 * 10**15, 10**16, 15 * 10**15), 8: (10**15, 8 * 10**15, 12 * 10**15)}


def fall(tokens: Tokens, leverage: int) -> None:
    tokens.lose(WAD // (12 if leverage == 3 else 60))


def rise(tokens: Tokens, leverage: int) -> None:
    tokens.gain(WAD // (10 if leverage == 3 else 50))


def exact(tokens: Tokens, leverage: int) -> Fraction:
    """Leverage as it is, at what backs the LRT."""
    collateral, debt = tokens.position(tokens.token(leverage))
    worth = Fraction(collateral * tokens.backing(), PRICE_SCALE)
    return worth / (worth - debt)


@BOTH
def test_rebalance__downwards__exact_amounts_and_log(tokens: Tokens, leverage: int) -> None:
    token, taker, log = tokens.token(leverage), tokens.scene.roles.liquidator, Log(tokens.scene)
    fall(tokens, leverage)
    tokens.start(token, HOUR)
    tokens.settle()
    discount, pay, _ = PAYS[leverage]
    bid = WAD - discount + (discount + pay) // 2
    brought = ETHER + 7
    got = brought * (bid * 10**54 // tokens.backing()) // PRICE_SCALE
    before = tokens.holdings(taker)
    assert token.quote_rebalance(True, brought) == (brought, got)
    answer = token.rebalance.call(True, brought, 0, sender=taker)
    assert answer == (brought, got)

    receipt = token.rebalance(True, brought, 0, sender=taker)

    rebalanced = {
        "taker": taker,
        "lowers": True,
        "collateral": got,
        "debt": brought,
        "bid": bid,
    }
    assert receipt.events == [
        log.moved(tokens.vault, tokens.market.address, taker, got),
        *tokens.paid_in(tokens.weth, taker, brought),
        tokens.adjusted(token, taker, -got, -brought),
        Event("Rebalanced", rebalanced, token.address),
    ]
    after = tokens.holdings(taker)
    assert after["lrt"] == before["lrt"] + got
    assert after["weth"] == before["weth"] - brought


@BOTH
def test_rebalance__upwards__exact_amounts_and_log(tokens: Tokens, leverage: int) -> None:
    token, taker, log = tokens.token(leverage), tokens.scene.roles.liquidator, Log(tokens.scene)
    rise(tokens, leverage)
    tokens.start(token, HOUR)
    tokens.settle()
    discount, pay, _ = PAYS[leverage]
    bid = WAD - discount + (discount + pay) // 2
    brought = ETHER + 7
    market_price = tokens.scene.protocol.oracle.price()
    # The growth cap holds the oracle below what backs the LRT.
    assert market_price < tokens.backing()
    got = brought * (market_price * bid // WAD) // PRICE_SCALE
    before = tokens.holdings(taker)
    assert token.quote_rebalance(False, brought) == (brought, got)

    receipt = token.rebalance(False, brought, 0, sender=taker)

    rebalanced = {
        "taker": taker,
        "lowers": False,
        "collateral": brought,
        "debt": got,
        "bid": bid,
    }
    assert receipt.events == [
        log.moved(tokens.weth, tokens.market.address, taker, got),
        *tokens.paid_in(tokens.vault, taker, brought),
        tokens.adjusted(token, taker, brought, got),
        Event("Rebalanced", rebalanced, token.address),
    ]
    after = tokens.holdings(taker)
    assert after["lrt"] == before["lrt"] - brought
    assert after["weth"] == before["weth"] + got


@BOTH
@pytest.mark.parametrize("waited", [0, HOUR, 2 * HOUR, 4 * HOUR - 1])
def test_rebalance__all_of_a_fall__ends_at_the_target_and_not_past_it(
    tokens: Tokens, leverage: int, waited: int
) -> None:
    token, taker = tokens.token(leverage), tokens.scene.roles.liquidator
    fall(tokens, leverage)
    tokens.start(token, waited)
    auction = token.auction()
    assert auction.most == token.quote_rebalance(True, UNLIMITED)[0]
    token.rebalance(True, UNLIMITED, auction.price, sender=taker)
    assert leverage <= exact(tokens, leverage) < leverage + Fraction(1, 10**15)
    assert token.auction_started() == (0, False)
    with reverts("token: leverage in band"):
        token.rebalance(True, UNLIMITED, 0, sender=taker)


@BOTH
@pytest.mark.parametrize("waited", [0, HOUR, 2 * HOUR])
def test_rebalance__all_of_a_rise__does_not_go_past_the_target(
    tokens: Tokens, leverage: int, waited: int
) -> None:
    token, taker = tokens.token(leverage), tokens.scene.roles.liquidator
    rise(tokens, leverage)
    was = exact(tokens, leverage)
    tokens.start(token, waited)
    token.rebalance(False, UNLIMITED, 0, sender=taker)
    assert was < exact(tokens, leverage) <= leverage
    least = token.band()[0]
    assert exact(tokens, leverage) * WAD >= least


def test_rebalance__in_parts__is_served_no_better(tokens: Tokens) -> None:
    token, taker = tokens.token(8), tokens.scene.roles.liquidator
    fall(tokens, 8)
    tokens.start(token, HOUR)
    total = token.auction().most // 10
    _, got = token.quote_rebalance(True, total)
    before = tokens.holdings(taker)
    for _ in range(10):
        token.rebalance(True, total // 10, 0, sender=taker)
    assert tokens.holdings(taker)["lrt"] - before["lrt"] <= got


def test_rebalance__a_part__leaves_the_auction_running(tokens: Tokens) -> None:
    token, taker = tokens.token(8), tokens.scene.roles.liquidator
    fall(tokens, 8)
    tokens.start(token, HOUR)
    started = token.auction_started()
    token.rebalance(True, ETHER // 10, 0, sender=taker)
    assert token.auction_started() == started
    assert token.auction().is_open


@pytest.mark.parametrize("lowers", [True, False])
def test_rebalance__in_the_band__reverts(tokens: Tokens, lowers: bool) -> None:
    taker = tokens.scene.roles.liquidator
    for leverage in (3, 8):
        token = tokens.token(leverage)
        with reverts("token: leverage in band"):
            token.rebalance(lowers, ETHER, 0, sender=taker)
        with reverts("token: leverage in band"):
            token.quote_rebalance(lowers, ETHER)


def test_rebalance__back_in_the_band_by_itself__reverts(tokens: Tokens) -> None:
    token = tokens.token(8)
    fall(tokens, 8)
    tokens.start(token, HOUR)
    tokens.gain(WAD // 60)
    with reverts("token: leverage in band"):
        token.rebalance(True, ETHER, 0, sender=tokens.scene.roles.liquidator)


def test_rebalance__no_auction__reverts(tokens: Tokens) -> None:
    token, taker = tokens.token(8), tokens.scene.roles.liquidator
    fall(tokens, 8)
    with reverts("token: no auction"):
        token.rebalance(True, ETHER, 0, sender=taker)
    tokens.start(token, 4 * HOUR)
    with reverts("token: no auction"):
        token.rebalance(True, ETHER, 0, sender=taker)


def test_rebalance__the_wrong_way__reverts(tokens: Tokens) -> None:
    token = tokens.token(8)
    fall(tokens, 8)
    tokens.start(token, HOUR)
    with reverts("token: leverage in band"):
        token.rebalance(False, ETHER, 0, sender=tokens.scene.roles.liquidator)


def test_rebalance__below_the_takers_price__reverts(tokens: Tokens) -> None:
    token, taker = tokens.token(8), tokens.scene.roles.liquidator
    fall(tokens, 8)
    tokens.start(token, HOUR)
    price = token.auction().price
    with reverts("token: price below bound"):
        token.rebalance(True, ETHER, price + 1, sender=taker)
    token.rebalance(True, ETHER, price, sender=taker)


@pytest.mark.parametrize("amount", [0, 1])
def test_rebalance__nothing_to_get__reverts(tokens: Tokens, amount: int) -> None:
    token = tokens.token(8)
    fall(tokens, 8)
    tokens.start(token, HOUR)
    with reverts("token: nothing to do"):
        token.rebalance(True, amount, 0, sender=tokens.scene.roles.liquidator)


@BOTH
def test_rebalance__dead_feed__lowers_and_does_not_raise(tokens: Tokens, leverage: int) -> None:
    token, taker = tokens.token(leverage), tokens.scene.roles.liquidator
    with tokens.scene.chain.isolated():
        fall(tokens, leverage)
        tokens.scene.chain.advance(3 * DAY)
        token.start_auction(sender=taker)
        token.rebalance(True, UNLIMITED, 0, sender=taker)
        assert exact(tokens, leverage) < leverage + Fraction(1, 10**15)
    rise(tokens, leverage)
    tokens.scene.chain.advance(3 * DAY)
    token.start_auction(sender=taker)
    with reverts("oracle: stale feed"):
        token.rebalance(False, UNLIMITED, 0, sender=taker)


def test_rebalance__full_use__lowers_and_does_not_raise(tokens: Tokens) -> None:
    token, market, roles = tokens.token(8), tokens.market, tokens.scene.roles
    cash = market.maxFlashLoan(tokens.weth.address)
    market.adjust(roles.borrower, 1_900 * ETHER, cash, roles.borrower, sender=roles.borrower)
    with tokens.scene.chain.isolated():
        fall(tokens, 8)
        tokens.start(token, HOUR)
        token.rebalance(True, UNLIMITED, 0, sender=roles.liquidator)
        assert exact(tokens, 8) < 8 + Fraction(1, 10**15)
    rise(tokens, 8)
    tokens.start(token, HOUR)
    with reverts("market: not enough cash"):
        token.rebalance(False, UNLIMITED, 0, sender=roles.liquidator)


@BOTH
def test_rebalance__in_danger__waits_for_nobody_and_leads_to_the_edge(
    tokens: Tokens, leverage: int
) -> None:
    token, taker = tokens.token(leverage), tokens.scene.roles.liquidator
    tokens.lose(17 * WAD // 100 if leverage == 3 else 35 * WAD // 1_000)
    danger = 5 if leverage == 3 else Fraction(21, 2)
    assert exact(tokens, leverage) > danger
    # The market does not liquidate yet.
    with reverts("market: healthy"):
        tokens.market.liquidate(token.address, UNLIMITED, 0, sender=taker)
    assert token.auction().bid == WAD + PAYS[leverage][2]
    equity = token.equity()
    token.rebalance(True, UNLIMITED, 0, sender=taker)
    most = Fraction(token.band()[2], WAD)
    assert most <= exact(tokens, leverage) < most + Fraction(1, 10**15)
    limit = Fraction(3 if leverage == 3 else 6, 100)
    assert equity * (1 - limit) <= token.equity() < equity


def test_rebalance__deep_fall__is_bound_by_the_loss_in_danger(tokens: Tokens) -> None:
    """What was paid counts against the next payment too, and fades by an auction's limit a day."""
    token, taker = tokens.token(8), tokens.scene.roles.liquidator
    tokens.lose(6 * WAD // 100)
    equity = token.equity()
    token.rebalance(True, UNLIMITED, 0, sender=taker)
    assert 6 * 10**16 - 10 <= token.faded_loss() <= 6 * 10**16 + 1
    assert equity * 94 // 100 - 10 <= token.equity() <= equity * 94 // 100 + 10
    if token.leverage() > 105 * WAD // 10:
        with reverts("token: nothing to do"):
            token.rebalance(True, UNLIMITED, 0, sender=taker)
    tokens.wait(DAY)
    assert token.faded_loss() <= 45 * 10**15 + 1


def test_rebalance__after_a_loss_at_the_limit__serves_who_is_paid_nothing(tokens: Tokens) -> None:
    token, taker = tokens.token(8), tokens.scene.roles.liquidator
    tokens.lose(5 * WAD // 100)
    token.rebalance(True, UNLIMITED, 0, sender=taker)
    tokens.lose(WAD // 300)
    assert token.faded_loss() > 15 * 10**15
    assert 89 * WAD // 10 < token.leverage() < 105 * WAD // 10
    tokens.start(token, 2 * HOUR)
    with reverts("token: nothing to do"):
        token.rebalance(True, UNLIMITED, 0, sender=taker)
    tokens.wait(2 * HOUR)
    tokens.start(token, 0)
    before = token.equity()
    token.rebalance(True, UNLIMITED, 0, sender=taker)
    assert token.equity() > before


def test_rebalance__no_equity__reverts(tokens: Tokens) -> None:
    token, taker = tokens.token(8), tokens.scene.roles.liquidator
    tokens.lose(14 * WAD // 100)
    with reverts("token: no equity"):
        token.rebalance(True, UNLIMITED, 0, sender=taker)
    assert token.auction() == (False, False, 0, 0, 0)


def test_rebalance__next_to_no_equity__pays_half_of_it_at_most_and_helps(tokens: Tokens) -> None:
    """With pay above what is left of equity per debt, leverage would rise."""
    token, taker = tokens.token(8), tokens.scene.roles.liquidator
    tokens.lose(116 * WAD // 1_000)
    _, debt = tokens.position(token)
    worth = tokens.worth(token)
    assert 0 < worth - debt < debt * 24 // 1_000
    bid = WAD + (worth - debt) * WAD // (2 * debt)
    assert token.auction().bid == bid < WAD + 12 * 10**15
    was = exact(tokens, 8)
    token.rebalance(True, UNLIMITED, 0, sender=taker)
    assert exact(tokens, 8) < was


def test_rebalance__a_slash_that_nobody_booked__counts(tokens: Tokens) -> None:
    token, taker = tokens.token(8), tokens.scene.roles.liquidator
    tokens.slash(25 * WAD // 1_000)
    assert tokens.vault.previewMint(WAD) < tokens.vault.rate()
    tokens.start(token, HOUR)
    token.rebalance(True, UNLIMITED, 0, sender=taker)
    assert 8 <= exact(tokens, 8) < 8 + Fraction(1, 10**15)


def test_rebalance__unreadable_adapter__lowers_at_the_booked_rate(tokens: Tokens) -> None:
    token, taker, scene = tokens.token(8), tokens.scene.roles.liquidator, tokens.scene
    fall(tokens, 8)
    booked = tokens.vault.rate() * scene.world.core.wsteth.stEthPerToken()
    scene.chain.set_code(scene.protocol.eigenlayer.address, b"")
    with reverts("vault: adapter unreadable"):
        tokens.vault.previewMint(WAD)
    tokens.start(token, HOUR)
    assert token.auction().price == (WAD + 35 * 10**14) * 10**54 // booked
    token.rebalance(True, UNLIMITED, 0, sender=taker)
    assert 8 * WAD <= token.leverage() <= 8 * WAD + 1_000
