import pytest

from relever.chain import Event
from relever.protocol import UNLIMITED, WAD
from tests.leveraged import Tokens
from tests.lrt_paths import NOBODY, Log
from tests.scene import DAY, ETHER, reverts

BOTH = pytest.mark.parametrize("leverage", [3, 8])
SHARES = 5 * ETHER + 7


def parts(tokens: Tokens, leverage: int, shares: int) -> tuple[int, int]:
    """Collateral up, debt down and less a unit, from the market's own answer."""
    token = tokens.token(leverage)
    collateral, debt = tokens.position(token)
    supply = token.totalSupply()
    return -(-collateral * shares // supply), debt * shares // supply - 1


@BOTH
def test_mint__shares__cost_their_part_and_log_it(tokens: Tokens, leverage: int) -> None:
    token, market, looper = tokens.token(leverage), tokens.market, tokens.scene.roles.looper
    stranger = tokens.scene.roles.stranger
    log, before = Log(tokens.scene), tokens.holdings(looper)
    paid, borrowed = parts(tokens, leverage, SHARES)
    assert token.preview_mint(SHARES) == (paid, borrowed)
    assert token.mint.call(SHARES, paid, borrowed, stranger, sender=looper) == (paid, borrowed)

    receipt = token.mint(SHARES, paid, borrowed, stranger, sender=looper)

    minted = {
        "caller": looper,
        "receiver": stranger,
        "shares": SHARES,
        "collateral": paid,
        "debt": borrowed,
    }
    assert receipt.events == [
        log.moved(tokens.weth, market.address, looper, borrowed),
        *tokens.paid_in(tokens.vault, looper, paid),
        tokens.adjusted(token, looper, paid, borrowed),
        log.moved(token, NOBODY, stranger, SHARES),
        Event("Minted", minted, token.address),
    ]
    after = tokens.holdings(looper)
    assert after["lrt"] == before["lrt"] - paid
    assert after["weth"] == before["weth"] + borrowed
    assert token.balanceOf(stranger) == SHARES


@BOTH
@pytest.mark.parametrize("shares", [1, 2, 10**9 + 7, ETHER, 100 * ETHER + 1])
def test_mint__any_amount__takes_nothing_from_who_holds(
    tokens: Tokens, leverage: int, shares: int
) -> None:
    token, looper = tokens.token(leverage), tokens.scene.roles.looper
    supply, (collateral, debt) = token.totalSupply(), tokens.position(token)
    tokens.mint(token, shares, looper)
    now, (new_collateral, new_debt) = token.totalSupply(), tokens.position(token)
    assert now == supply + shares
    assert new_collateral * supply >= collateral * now
    assert new_debt * supply <= debt * now
    assert new_debt * collateral <= debt * new_collateral


def test_mint__in_parts__costs_no_less(tokens: Tokens) -> None:
    token, looper = tokens.token(3), tokens.scene.roles.looper
    paid, borrowed = token.preview_mint(7 * ETHER)
    before = tokens.holdings(looper)
    for _ in range(7):
        tokens.mint(token, ETHER, looper)
    after = tokens.holdings(looper)
    assert before["lrt"] - after["lrt"] >= paid
    assert after["weth"] - before["weth"] <= borrowed


def test_mint__nothing__reverts(tokens: Tokens) -> None:
    token = tokens.token(3)
    with reverts("token: zero shares"):
        tokens.mint(token, 0, tokens.scene.roles.looper)
    with reverts("token: zero shares"):
        token.preview_mint(0)


def test_mint__beyond_a_bound__reverts(tokens: Tokens) -> None:
    token, looper = tokens.token(3), tokens.scene.roles.looper
    paid, borrowed = token.preview_mint(SHARES)
    with reverts("token: too much to pay"):
        token.mint(SHARES, paid - 1, 0, looper, sender=looper)
    with reverts("token: too little out"):
        token.mint(SHARES, paid, borrowed + 1, looper, sender=looper)


def test_mint__without_lrt__reverts(tokens: Tokens) -> None:
    stranger = tokens.scene.roles.stranger
    with reverts("erc20: insufficient allowance"):
        tokens.mint(tokens.token(3), SHARES, stranger)


def test_mint__for_nobody__reverts(tokens: Tokens) -> None:
    looper = tokens.scene.roles.looper
    with reverts("erc20: mint to the zero address"):
        tokens.token(3).mint(SHARES, UNLIMITED, 0, NOBODY, sender=looper)


@BOTH
def test_mint__dead_feed__reverts_as_the_market(tokens: Tokens, leverage: int) -> None:
    tokens.scene.chain.advance(2 * DAY)
    with reverts("oracle: stale feed"):
        tokens.mint(tokens.token(leverage), SHARES, tokens.scene.roles.looper)


def test_mint__more_than_the_market_has__reverts(tokens: Tokens) -> None:
    token, looper = tokens.token(8), tokens.scene.roles.looper
    with reverts("market: not enough cash"):
        tokens.mint(token, 800 * ETHER, looper)


def test_mint__no_equity_left__reverts_as_the_market(tokens: Tokens) -> None:
    token = tokens.token(8)
    tokens.lose(14 * WAD // 100)
    assert (token.equity(), token.leverage()) == (0, UNLIMITED)
    with reverts("market: unhealthy"):
        tokens.mint(token, SHARES, tokens.scene.roles.looper)


def test_mint__no_collateral_left__reverts(tokens: Tokens) -> None:
    token, liquidator = tokens.token(8), tokens.scene.roles.liquidator
    tokens.lose(20 * WAD // 100)
    tokens.market.liquidate(token.address, UNLIMITED, 0, sender=liquidator)
    assert tokens.position(token) == (0, 0)
    assert token.leverage() == token.equity() == 0
    with reverts("token: no collateral"):
        tokens.mint(token, SHARES, tokens.scene.roles.looper)
