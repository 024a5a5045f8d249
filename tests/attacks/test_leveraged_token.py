"""What leveraged tokens have been robbed of, and what else somebody may try on ours.

Index tokens lost to who minted and redeemed around a rebalance (2021, and each time again where
shares were priced); vaults to a first deposit and a donation (Hundred Finance, 2023-04-15, 7
million dollars; Sonne, 2024-05-14, 20 million); leveraged tokens to their own schedule, when
everybody knew what they had to trade. Ours prices no share, is never empty, and trades only at a
price that it names itself.
"""

from __future__ import annotations

from fractions import Fraction

import pytest
from eth_abi import encode

from relever.chain import Contract
from relever.protocol import PRICE_SCALE, UNLIMITED, WAD
from tests.leveraged import DEAD, Tokens
from tests.scene import DAY, ETHER, REDEEM, SWAP, reverts

HOUR = 3_600
BOTH = pytest.mark.parametrize("leverage", [3, 8])


def purse(tokens: Tokens, *people: str) -> Fraction:
    """LRT and WETH in hand and what shares stand for, at what backs the LRT, in WETH; exactly."""
    price = Fraction(tokens.backing(), PRICE_SCALE)
    total = Fraction(0)
    for who in people:
        held = tokens.holdings(who)
        total += held["lrt"] * price + held["weth"]
        for name, token in tokens.leveraged.tokens.items():
            total += held[name] * share(tokens, token)
    return total


def share(tokens: Tokens, token: Contract) -> Fraction:
    """What a share stands for, at what backs the LRT."""
    collateral, debt = tokens.position(token)
    worth = Fraction(collateral * tokens.backing(), PRICE_SCALE)
    return (worth - debt) / token.totalSupply()


# Around a rebalance, a slash, a depeg, an accrual


@BOTH
@pytest.mark.parametrize("waited", [0, HOUR, 2 * HOUR])
def test_mint_and_redeem_around_a_rebalance__by_its_taker__gains_the_pay_only(
    tokens: Tokens, leverage: int, waited: int
) -> None:
    """Who owns most of the token while it pays him pays it to himself."""
    token, taker = tokens.token(leverage), tokens.scene.roles.liquidator
    tokens.lose(WAD // (12 if leverage == 3 else 60))
    tokens.start(token, waited)
    with tokens.scene.chain.isolated():
        before = purse(tokens, taker)
        token.rebalance(True, UNLIMITED, 0, sender=taker)
        plain = purse(tokens, taker) - before
        others_plain = share(tokens, token)
    before = purse(tokens, taker)
    tokens.mint(token, 20 * ETHER, taker)
    token.rebalance(True, UNLIMITED, 0, sender=taker)
    tokens.redeem(token, 20 * ETHER, taker)
    gained = purse(tokens, taker) - before
    # Twice the position needs twice the trade; per share, holders bear what they bear without.
    assert abs(share(tokens, token) - others_plain) * 10**15 < 1
    assert gained <= max(plain, Fraction(0)) + Fraction(1, 10**9)


@BOTH
def test_mint_and_redeem_around_a_rebalance__by_a_bystander__avoids_at_most_his_part(
    tokens: Tokens, leverage: int
) -> None:
    """Who leaves before and returns after it pays nothing for it, and nobody pays more for that."""
    token, roles = tokens.token(leverage), tokens.scene.roles
    tokens.lose(WAD // (12 if leverage == 3 else 60))
    tokens.start(token, 2 * HOUR)
    with tokens.scene.chain.isolated():
        token.rebalance(True, UNLIMITED, 0, sender=roles.liquidator)
        stayed = share(tokens, token)
    tokens.redeem(token, 15 * ETHER, roles.looper)
    token.rebalance(True, UNLIMITED, 0, sender=roles.liquidator)
    assert abs(share(tokens, token) - stayed) * 10**15 < 1
    tokens.mint(token, 15 * ETHER, roles.looper)
    assert abs(share(tokens, token) - stayed) * 10**15 < 1


@BOTH
@pytest.mark.parametrize("first", ["mint", "redeem"])
def test_a_slash_that_nobody_booked__is_left_to_nobody_else(
    tokens: Tokens, leverage: int, first: str
) -> None:
    """In kind: who comes or goes between a slash and its booking takes its part along."""
    token, looper = tokens.token(leverage), tokens.scene.roles.looper
    tokens.slash(WAD // 100)
    before, others = purse(tokens, looper), share(tokens, token)
    (tokens.mint if first == "mint" else tokens.redeem)(token, 5 * ETHER, looper)
    assert share(tokens, token) >= others
    tokens.vault.sync(sender=looper)
    (tokens.redeem if first == "mint" else tokens.mint)(token, 5 * ETHER, looper)
    assert purse(tokens, looper) <= before


@BOTH
def test_a_depeg__mint_and_redeem_in_it__gain_nothing(tokens: Tokens, leverage: int) -> None:
    token, looper = tokens.token(leverage), tokens.scene.roles.looper
    tokens.scene.answer_fundamental(2 * WAD // 100)
    before, others = purse(tokens, looper), share(tokens, token)
    tokens.mint(token, 5 * ETHER, looper)
    tokens.redeem(token, 5 * ETHER, looper)
    assert purse(tokens, looper) <= before
    assert share(tokens, token) >= others


def test_a_depeg__lrt_bought_cheaply__is_not_sold_to_the_token_for_more(tokens: Tokens) -> None:
    """Leverage rises at the market's price: the discount is the holders' and not the taker's."""
    token, taker = tokens.token(3), tokens.scene.roles.liquidator
    tokens.gain(WAD // 10)
    tokens.start(token, HOUR)
    tokens.scene.answer_fundamental(3 * WAD // 100)
    market_price = tokens.scene.protocol.oracle.price()
    assert market_price < 98 * tokens.backing() // 100
    auction = token.auction()
    assert auction.price == market_price * auction.bid // WAD
    before = share(tokens, token)
    token.rebalance(False, UNLIMITED, 0, sender=taker)
    assert share(tokens, token) > before


@BOTH
def test_an_accrual_in_the_same_block__is_worth_nothing_to_who_sees_it(
    tokens: Tokens, leverage: int
) -> None:
    """Interest and fee are counted until now by everything: booking them changes no amount."""
    token, looper = tokens.token(leverage), tokens.scene.roles.looper
    tokens.wait(30 * DAY)
    mint, redeem = token.preview_mint(ETHER), token.preview_redeem(ETHER)
    tokens.settle()
    assert token.preview_mint(ETHER) == mint
    assert token.preview_redeem(ETHER) == redeem
    before = purse(tokens, looper)
    tokens.mint(token, ETHER, looper)
    tokens.settle()
    tokens.redeem(token, ETHER, looper)
    assert purse(tokens, looper) <= before


# A first mint of one wei, and donations


@BOTH
@pytest.mark.parametrize("gift", ["collateral", "repayment", "lrt", "weth"])
def test_first_mint_of_one_wei__and_a_gift__robs_nobody(
    tokens: Tokens, leverage: int, gift: str
) -> None:
    """The seed alone holds as the attacker comes: what he gives is the seed's, for ever."""
    token, roles, market = tokens.token(leverage), tokens.scene.roles, tokens.market
    attacker, victim = roles.liquidator, roles.borrower
    tokens.redeem(token, token.balanceOf(roles.looper), roles.looper)
    seed = token.balanceOf(DEAD)
    fee = token.balanceOf(roles.treasury)
    assert token.totalSupply() == seed + fee
    before, victims = purse(tokens, attacker), purse(tokens, victim)

    tokens.mint(token, 1, attacker)
    if gift == "collateral":
        market.supply_collateral(100 * ETHER, token.address, sender=attacker)
    elif gift == "repayment":
        market.repay(tokens.position(token)[1] - ETHER // 5, token.address, sender=attacker)
    else:
        coin = tokens.vault if gift == "lrt" else tokens.weth
        coin.transfer(token.address, 100 * ETHER, sender=attacker)
    tokens.mint(token, ETHER // 1_000, victim)
    tokens.redeem(token, 1, attacker)
    tokens.redeem(token, ETHER // 1_000, victim)

    # A unit of LRT and some of WETH are rounded on each of two ways.
    assert victims - purse(tokens, victim) < 10**4
    assert purse(tokens, attacker) < before
    if gift in ("lrt", "weth"):
        coin = tokens.vault if gift == "lrt" else tokens.weth
        assert coin.balanceOf(token.address) == 100 * ETHER
        tokens.scene.chain.impersonate(token.address)
        tokens.scene.chain.set_balance(token.address, ETHER)
        coin.transfer(attacker, 100 * ETHER, sender=token.address)
        tokens.scene.chain.set_balance(token.address, 0)


@pytest.mark.parametrize("gift", ["lrt", "weth"])
def test_tokens_sent_to_the_token__count_for_nothing(tokens: Tokens, gift: str) -> None:
    token, attacker = tokens.token(8), tokens.scene.roles.liquidator
    coin = tokens.vault if gift == "lrt" else tokens.weth
    views = [token.leverage, token.equity, token.totalSupply, token.auction]
    before = [view() for view in views], token.preview_mint(ETHER), token.preview_redeem(ETHER)
    coin.transfer(token.address, 100 * ETHER, sender=attacker)
    after = [view() for view in views], token.preview_mint(ETHER), token.preview_redeem(ETHER)
    assert after == before
    tokens.scene.chain.impersonate(token.address)
    tokens.scene.chain.set_balance(token.address, ETHER)
    coin.transfer(attacker, 100 * ETHER, sender=token.address)
    tokens.scene.chain.set_balance(token.address, 0)


@BOTH
@pytest.mark.parametrize("gift", ["collateral", "repayment"])
def test_a_gift_that_opens_an_auction__costs_more_than_that_pays(
    tokens: Tokens, leverage: int, gift: str
) -> None:
    """Leverage falls below the band by a gift; its giver then takes the auction at its most."""
    token, market = tokens.token(leverage), tokens.market
    attacker = tokens.scene.roles.liquidator
    before, others = purse(tokens, attacker), share(tokens, token)
    collateral, debt = tokens.position(token)
    if gift == "collateral":
        amount = collateral // (10 if leverage == 3 else 50)
        market.supply_collateral(amount, token.address, sender=attacker)
    else:
        market.repay(debt // (8 if leverage == 3 else 50), token.address, sender=attacker)
    tokens.start(token, 2 * HOUR)
    token.rebalance(False, UNLIMITED, 0, sender=attacker)
    assert purse(tokens, attacker) < before
    assert share(tokens, token) > others


# Rebalances


def test_an_auction_with_no_taker__lapses_and_begins_low_again(tokens: Tokens) -> None:
    """Nobody finds an old clock that pays its most at once when leverage leaves the band later."""
    token, stranger = tokens.token(8), tokens.scene.roles.stranger
    tokens.lose(WAD // 60)
    tokens.start(token, 30 * DAY)
    assert not token.auction().is_open
    with reverts("token: no auction"):
        token.rebalance(True, ETHER, 0, sender=stranger)
    tokens.start(token, 0)
    assert token.auction().bid == WAD - 10**15


def test_rebalances_triggered_over_and_over__lose_no_more_than_the_limit(
    tokens: Tokens,
) -> None:
    """Prices go up and down and every auction is taken at its most; LT-5.

    What the swings do to the position is not the takers' doing: only what they were paid counts.
    """
    token, taker = tokens.token(8), tokens.scene.roles.liquidator
    takes, paid, began = 0, Fraction(0), tokens.scene.chain.timestamp
    for turn in range(12):
        (tokens.lose if turn % 2 == 0 else tokens.gain)(WAD // 40)
        tokens.wait(DAY // 2)
        least, _, most = token.band()
        if least <= token.leverage() <= most:
            continue
        if not token.auction().is_open:
            tokens.start(token, 2 * HOUR)
        auction = token.auction()
        if auction.most < ETHER // 100:
            continue
        takes += 1
        equity, before = token.equity(), purse(tokens, taker)
        token.rebalance(auction.lowers, UNLIMITED, 0, sender=taker)
        paid += max(Fraction(0), (purse(tokens, taker) - before) / equity)
    assert takes >= 3
    days = Fraction(tokens.scene.chain.timestamp - began, DAY)
    limit = Fraction(15, 1_000)
    assert Fraction(0) < paid <= limit * (1 + days)


@BOTH
def test_a_rebalance_split_into_dust__is_no_cheaper(tokens: Tokens, leverage: int) -> None:
    """Units that are rounded are the token's."""
    token, taker = tokens.token(leverage), tokens.scene.roles.liquidator
    tokens.lose(WAD // (12 if leverage == 3 else 60))
    tokens.start(token, 2 * HOUR)
    before = purse(tokens, taker)
    for amount in (2, 3, 4, 5, 7, 11):
        token.rebalance(True, amount, 0, sender=taker)
    assert purse(tokens, taker) <= before


def test_a_rebalance_sandwiched__serves_its_taker_at_his_price_or_not(tokens: Tokens) -> None:
    """Somebody takes the most of it first: who comes then gets less, but at no worse price."""
    token, roles = tokens.token(8), tokens.scene.roles
    tokens.lose(WAD // 60)
    tokens.start(token, HOUR)
    price = token.auction().price
    token.rebalance(True, token.auction().most * 9 // 100, 0, sender=roles.borrower)
    before = tokens.holdings(roles.liquidator)
    token.rebalance(True, UNLIMITED, price, sender=roles.liquidator)
    after = tokens.holdings(roles.liquidator)
    brought, got = before["weth"] - after["weth"], after["lrt"] - before["lrt"]
    assert got == brought * price // PRICE_SCALE


def test_danger__acts_before_the_market_does(tokens: Tokens) -> None:
    """A slash leads to between the two; a taker without a wait makes the token safe again."""
    token, taker = tokens.token(8), tokens.scene.roles.liquidator
    tokens.lose(5 * WAD // 100)
    assert token.leverage() > 105 * WAD // 10
    with reverts("market: healthy"):
        tokens.market.liquidate(token.address, UNLIMITED, 0, sender=taker)
    token.rebalance(True, UNLIMITED, 0, sender=taker)
    assert token.leverage() <= 91 * WAD // 10
    # Two hours later an auction has led it back to the target.
    with reverts("market: healthy"):
        tokens.market.liquidate(token.address, UNLIMITED, 0, sender=taker)


def test_a_slash_requested_to_be_vetoed__sells_nothing_below_its_worth(tokens: Tokens) -> None:
    """Its requester would buy collateral at the worth after a slash that never comes."""
    scene, vault = tokens.scene, tokens.vault
    auctions = [token.auction() for token in tokens.leveraged.tokens.values()]
    backing = tokens.backing()
    staked = scene.protocol.symbiotic.total_assets()
    scene.world.symbiotic.request_slash(staked // 5)
    assert vault.live_rate() < 97 * vault.rate() // 100
    assert [token.auction() for token in tokens.leveraged.tokens.values()] == auctions
    assert tokens.backing() == backing


# Liquidated, halted, used up


@pytest.mark.parametrize("depth", [6, 9, 12, 20])
def test_the_token_itself_liquidated__is_shared_by_all_alike(tokens: Tokens, depth: int) -> None:
    token, roles = tokens.token(8), tokens.scene.roles
    token.transfer(roles.borrower, 7 * ETHER, sender=roles.looper)
    tokens.lose(depth * WAD // 100)
    tokens.market.liquidate(token.address, UNLIMITED, 0, sender=roles.liquidator)
    supply, (collateral, debt) = token.totalSupply(), tokens.position(token)
    for who in (roles.borrower, roles.looper):
        held = token.balanceOf(who)
        before = tokens.holdings(who)
        tokens.redeem(token, held, who)
        after = tokens.holdings(who)
        # The part of the position as it was, up to the units that the first left behind.
        got, paid = after["lrt"] - before["lrt"], before["weth"] - after["weth"]
        assert 0 <= got - collateral * held // supply <= 2
        assert -2 <= paid - debt * held // supply <= 2
    assert token.totalSupply() == supply - 20 * ETHER


def test_the_token_liquidated_whole__lives_on_for_who_gives_it_collateral(tokens: Tokens) -> None:
    """Nothing is left, nobody can mint; a gift would be everybody's, and then it goes on."""
    token, roles = tokens.token(8), tokens.scene.roles
    tokens.lose(20 * WAD // 100)
    tokens.market.liquidate(token.address, UNLIMITED, 0, sender=roles.liquidator)
    with reverts("token: no collateral"):
        tokens.mint(token, ETHER, roles.borrower)
    with reverts("token: leverage in band"):
        token.start_auction(sender=roles.stranger)
    tokens.market.supply_collateral(ETHER, token.address, sender=roles.borrower)
    assert token.leverage() == WAD
    tokens.mint(token, ETHER, roles.borrower)
    tokens.start(token, HOUR)
    assert token.auction().lowers is False


def test_used_up_and_halted__nobody_is_locked_in(tokens: Tokens) -> None:
    token, roles, market = tokens.token(3), tokens.scene.roles, tokens.market
    market.adjust(
        roles.borrower, 1_900 * ETHER, 1_000 * ETHER, roles.borrower, sender=roles.borrower
    )
    tokens.lose(60 * WAD // 100)
    market.liquidate(roles.borrower, UNLIMITED, 0, sender=roles.liquidator)
    assert market.halted_until() > 0
    with reverts("market: borrowing halted"):
        tokens.mint(tokens.token(3), ETHER, roles.liquidator)
    tokens.redeem(token, token.balanceOf(roles.looper), roles.looper)
    assert token.balanceOf(roles.looper) == 0


# Re-entry


def enter(tokens: Tokens, case: str) -> None:
    """The wallet is in the middle of this; what it set was done, and how that went is known."""
    token, stranger, wallet = tokens.token(8), tokens.scene.roles.stranger, tokens.wallet
    arguments = {
        "mint": (ETHER, UNLIMITED, 0, wallet.address, b"ask"),
        "redeem": (ETHER, UNLIMITED, 0, wallet.address, b"ask"),
        "rebalance": (True, UNLIMITED, 0, b"ask"),
    }[case]
    data = getattr(token, case).encode(*arguments)
    wallet.run(token.address, data, sender=stranger)


def prepare(tokens: Tokens, case: str, steps: list[tuple[str, bytes]]) -> None:
    token, roles, wallet = tokens.token(8), tokens.scene.roles, tokens.wallet
    for coin in (tokens.vault, tokens.weth):
        coin.transfer(wallet.address, 500 * ETHER, sender=roles.looper)
        approve = coin.approve.encode(token.address, UNLIMITED)
        wallet.run(coin.address, approve, sender=roles.stranger)
    token.transfer(wallet.address, 5 * ETHER, sender=roles.looper)
    if case == "rebalance":
        tokens.lose(WAD // 60)
        tokens.start(token, HOUR)
    wallet.set_steps(steps, sender=roles.stranger)


@pytest.mark.parametrize("case", ["mint", "redeem", "rebalance"])
def test_every_function__in_a_callback__is_locked_or_harmless(tokens: Tokens, case: str) -> None:
    token, wallet = tokens.token(8), tokens.wallet.address
    locked = [
        token.mint.encode(ETHER, UNLIMITED, 0, wallet),
        token.redeem.encode(ETHER, UNLIMITED, 0, wallet),
        token.start_auction.encode(),
        token.rebalance.encode(True, ETHER, 0),
        token.checkpoint.encode(),
        token.accrue_fee.encode(),
        token.totalSupply.encode(),
        token.leverage.encode(),
        token.equity.encode(),
        token.band.encode(),
        token.auction.encode(),
        token.quote_rebalance.encode(True, ETHER),
        token.preview_mint.encode(ETHER),
        token.preview_redeem.encode(ETHER),
        token.last_checkpoint.encode(),
        token.auction_started.encode(),
        token.faded_loss.encode(),
    ]
    answer = encode(["bytes"], [b""])
    impostor = token.on_adjust.encode(token.address, -1, -1, answer)
    prepare(tokens, case, [(token.address, data) for data in (*locked, impostor)])
    enter(tokens, case)
    outcomes = tokens.wallet.all_outcomes()
    assert [(done.success, done.answer) for done in outcomes[:-1]] == [(False, b"")] * len(locked)
    assert not outcomes[-1].success
    assert b"token: not the market's turn" in outcomes[-1].answer


@pytest.mark.parametrize("case", ["mint", "redeem", "rebalance"])
def test_the_market_and_the_other_token__in_a_callback__are_locked_too(
    tokens: Tokens, case: str
) -> None:
    """So nobody reads a price of either in the middle, nor changes the position under it."""
    token, other, market = tokens.token(8), tokens.token(3), tokens.market
    wallet = tokens.wallet.address
    steps = [
        (market.address, market.position.encode(token.address)),
        (market.address, market.supply_collateral.encode(1, token.address)),
        (market.address, market.repay.encode(1, token.address)),
        (other.address, other.leverage.encode()),
        (other.address, other.mint.encode(ETHER, UNLIMITED, 0, wallet)),
        (other.address, other.redeem.encode(1, UNLIMITED, 0, wallet)),
    ]
    prepare(tokens, case, steps)
    enter(tokens, case)
    assert [done.success for done in tokens.wallet.all_outcomes()] == [False] * len(steps)


@pytest.mark.parametrize("case", ["mint", "redeem", "rebalance"])
def test_shares_given_away_in_a_callback__change_nothing(tokens: Tokens, case: str) -> None:
    """ERC-20 is open: balances in the middle are those of before a mint or after a redemption."""
    token, looper = tokens.token(8), tokens.scene.roles.looper
    before = token.totalSupply()
    prepare(tokens, case, [(token.address, token.transfer.encode(looper, ETHER))])
    enter(tokens, case)
    (done,) = tokens.wallet.all_outcomes()
    assert done.success
    change = {"mint": ETHER, "redeem": -ETHER, "rebalance": 0}[case]
    now = token.totalSupply()
    assert before + change <= now < before + change + 10**15


# The zap


@pytest.mark.parametrize("route", [SWAP, REDEEM])
def test_zap__a_callback_of_its_own__serves_no_other_call(tokens: Tokens, route: int) -> None:
    """A holder's wallet asks the zap to leave, and in a callback of the token's for another."""
    zap, token = tokens.leveraged.zap, tokens.token(8)
    data = encode(["address", "uint256", "uint256"], [tokens.wallet.address, ETHER, route])
    steps = [(zap.address, zap.on_leveraged.encode(-1, -1, data))]
    prepare(tokens, "redeem", steps)
    enter(tokens, "redeem")
    (done,) = tokens.wallet.all_outcomes()
    assert not done.success
    assert b"zap: not the active token" in done.answer
    assert token.balanceOf(zap.address) == 0
