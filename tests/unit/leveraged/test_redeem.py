import pytest

from relever.chain import Event
from relever.protocol import UNLIMITED, WAD
from tests.leveraged import Tokens
from tests.lrt_paths import NOBODY, Log
from tests.scene import DAY, ETHER, reverts

BOTH = pytest.mark.parametrize("leverage", [3, 8])
SHARES = 5 * ETHER + 7


def parts(tokens: Tokens, leverage: int, shares: int) -> tuple[int, int]:
    """Collateral down, debt up and a unit more."""
    token = tokens.token(leverage)
    collateral, debt = tokens.position(token)
    supply = token.totalSupply()
    return collateral * shares // supply, -(-debt * shares // supply) + 1


@BOTH
def test_redeem__shares__fetch_their_part_and_log_it(tokens: Tokens, leverage: int) -> None:
    token, market, looper = tokens.token(leverage), tokens.market, tokens.scene.roles.looper
    log, before = Log(tokens.scene), tokens.holdings(looper)
    got, repaid = parts(tokens, leverage, SHARES)
    assert token.preview_redeem(SHARES) == (got, repaid)
    assert token.redeem.call(SHARES, repaid, got, looper, sender=looper) == (got, repaid)

    receipt = token.redeem(SHARES, repaid, got, looper, sender=looper)

    redeemed = {
        "caller": looper,
        "owner": looper,
        "shares": SHARES,
        "collateral": got,
        "debt": repaid,
    }
    assert receipt.events == [
        log.moved(token, looper, NOBODY, SHARES),
        log.moved(tokens.vault, market.address, looper, got),
        *tokens.paid_in(tokens.weth, looper, repaid),
        tokens.adjusted(token, looper, -got, -repaid),
        Event("Redeemed", redeemed, token.address),
    ]
    after = tokens.holdings(looper)
    assert after["lrt"] == before["lrt"] + got
    assert after["weth"] == before["weth"] - repaid
    assert token.balanceOf(looper) == before[f"rLRT{leverage}"] - SHARES


@BOTH
@pytest.mark.parametrize("shares", [1, 2, 10**9 + 7, ETHER, 20 * ETHER])
@pytest.mark.parametrize("case", ["live feed", "dead feed"])
def test_redeem__any_amount__reads_no_price_and_takes_nothing_from_who_holds(
    tokens: Tokens, leverage: int, shares: int, case: str
) -> None:
    token, looper = tokens.token(leverage), tokens.scene.roles.looper
    if case == "dead feed":
        tokens.scene.chain.advance(30 * DAY)
        with reverts("oracle: stale feed"):
            tokens.scene.protocol.oracle.price()
    supply, (collateral, debt) = token.totalSupply(), tokens.position(token)
    tokens.redeem(token, shares, looper)
    now, (new_collateral, new_debt) = token.totalSupply(), tokens.position(token)
    assert now == supply - shares
    assert new_collateral * supply >= collateral * now
    assert new_debt * supply <= debt * now
    assert new_debt * collateral <= debt * new_collateral


def test_redeem__in_parts__fetches_no_more(tokens: Tokens) -> None:
    token, looper = tokens.token(8), tokens.scene.roles.looper
    got, repaid = token.preview_redeem(7 * ETHER)
    before = tokens.holdings(looper)
    for _ in range(7):
        tokens.redeem(token, ETHER, looper)
    after = tokens.holdings(looper)
    assert after["lrt"] - before["lrt"] <= got
    assert before["weth"] - after["weth"] >= repaid


@BOTH
def test_redeem__right_after_a_mint__gains_nothing(tokens: Tokens, leverage: int) -> None:
    token, looper = tokens.token(leverage), tokens.scene.roles.looper
    for shares in (1, 2, 10**9 + 7, SHARES):
        before = tokens.holdings(looper)
        tokens.mint(token, shares, looper)
        tokens.redeem(token, shares, looper)
        after = tokens.holdings(looper)
        assert after["lrt"] <= before["lrt"]
        assert after["weth"] <= before["weth"]


@pytest.mark.parametrize("case", ["full use", "halt", "vault's pause", "unhealthy", "no equity"])
def test_redeem__whatever_stops_others__works(tokens: Tokens, case: str) -> None:
    token, roles, market = tokens.token(8), tokens.scene.roles, tokens.market
    if case == "full use":
        market.adjust(
            roles.borrower,
            1_900 * ETHER,
            market.maxFlashLoan(tokens.weth.address),
            roles.borrower,
            sender=roles.borrower,
        )
        assert market.maxFlashLoan(tokens.weth.address) == 0
    elif case == "halt":
        market.adjust(
            roles.borrower, 1_000 * ETHER, 1_000 * ETHER, roles.borrower, sender=roles.borrower
        )
        tokens.lose(40 * WAD // 100)
        market.liquidate(roles.borrower, UNLIMITED, 0, sender=roles.liquidator)
        assert market.halted_until() > tokens.scene.chain.timestamp
    elif case == "vault's pause":
        tokens.vault.pause(DAY, sender=roles.guardian)
    elif case == "unhealthy":
        tokens.lose(6 * WAD // 100)
        assert token.leverage() > 14 * WAD
    else:
        tokens.lose(14 * WAD // 100)
        assert token.equity() == 0
    got, repaid = token.preview_redeem(SHARES)
    before = tokens.holdings(roles.looper)
    tokens.redeem(token, SHARES, roles.looper)
    after = tokens.holdings(roles.looper)
    assert after["lrt"] - before["lrt"] == got > 0
    assert before["weth"] - after["weth"] == repaid > 0


def test_redeem__nothing_left__burns_for_nothing(tokens: Tokens) -> None:
    token, roles = tokens.token(8), tokens.scene.roles
    tokens.lose(20 * WAD // 100)
    tokens.market.liquidate(token.address, UNLIMITED, 0, sender=roles.liquidator)
    before = tokens.holdings(roles.looper)
    tokens.redeem(token, SHARES, roles.looper)
    assert tokens.holdings(roles.looper) == {**before, "rLRT8": before["rLRT8"] - SHARES}


def test_redeem__for_another__uses_the_allowance(tokens: Tokens) -> None:
    token, roles = tokens.token(3), tokens.scene.roles
    token.approve(roles.liquidator, SHARES, sender=roles.looper)
    held = token.balanceOf(roles.looper)
    token.redeem(SHARES, UNLIMITED, 0, roles.looper, sender=roles.liquidator)
    assert token.balanceOf(roles.looper) == held - SHARES
    assert token.allowance(roles.looper, roles.liquidator) == 0
    with reverts("erc20: insufficient allowance"):
        token.redeem(1, UNLIMITED, 0, roles.looper, sender=roles.liquidator)


def test_redeem__more_than_held__reverts(tokens: Tokens) -> None:
    token, looper = tokens.token(3), tokens.scene.roles.looper
    with reverts("erc20: burn amount exceeds balance"):
        tokens.redeem(token, token.balanceOf(looper) + 1, looper)


def test_redeem__nothing__reverts(tokens: Tokens) -> None:
    token = tokens.token(3)
    with reverts("token: zero shares"):
        tokens.redeem(token, 0, tokens.scene.roles.looper)


def test_redeem__beyond_a_bound__reverts(tokens: Tokens) -> None:
    token, looper = tokens.token(3), tokens.scene.roles.looper
    got, repaid = token.preview_redeem(SHARES)
    with reverts("token: too much to pay"):
        token.redeem(SHARES, repaid - 1, 0, looper, sender=looper)
    with reverts("token: too little out"):
        token.redeem(SHARES, repaid, got + 1, looper, sender=looper)


def test_redeem__without_weth__reverts(tokens: Tokens) -> None:
    token, roles = tokens.token(3), tokens.scene.roles
    token.transfer(roles.stranger, SHARES, sender=roles.looper)
    # WETH refuses without a word.
    with reverts(""):
        tokens.redeem(token, SHARES, roles.stranger)
