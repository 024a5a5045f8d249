"""Auctions are taken with no capital: for a profit to who calls, by named ways, or not at all."""

from __future__ import annotations

import pytest

from relever.artifacts import artifact
from relever.chain import Receipt, Revert, RpcError
from relever.protocol import NOBODY, WAD
from tests.leveraged import Tokens
from tests.lrt_paths import pool_sale
from tests.scene import ETHER, REDEEM, STABLE, SWAP, empty_pool, reverts
from tests.unit.leveraged.test_zap import fill_idle

HOUR = 3_600
# Leads the 8x token beyond its danger line.
LARGE_LOSS = 5 * WAD // 100
BOTH = pytest.mark.parametrize("leverage", [3, 8])


def take(
    tokens: Tokens, leverage: int, lowers: bool, amount: int, route: int = SWAP, least: int = 0
) -> Receipt:
    """By somebody with nothing but ether."""
    token, keeper = tokens.token(leverage), tokens.scene.roles.keeper
    arguments = token.address, lowers, amount, route, least
    receipt: Receipt = tokens.leveraged.rebalancer.take(*arguments, sender=keeper)
    return receipt


def out_of_band(tokens: Tokens) -> None:
    """Both tokens' leverage is too high, and their auctions pay most."""
    tokens.lose(9 * WAD // 100)
    for leverage in (3, 8):
        token = tokens.token(leverage)
        if token.leverage() <= token.terms().danger:
            tokens.start(token, 2 * HOUR - 1)


def gained(receipt: Receipt) -> int:
    return int(receipt.events[-1].args["profit"])


@BOTH
def test_take__leverage_falls__pays_what_the_sale_leaves(tokens: Tokens, leverage: int) -> None:
    out_of_band(tokens)
    token, keeper, scene = tokens.token(leverage), tokens.scene.roles.keeper, tokens.scene
    brought, got = token.quote_rebalance(True, ETHER)
    sale = pool_sale(scene.lrt_pool, tokens.vault.address, got)
    before = token.leverage()
    receipt = take(tokens, leverage, True, ETHER)
    profit = sale.amount_out - brought
    said = receipt.events[-1]
    assert (said.name, said.address) == ("Taken", tokens.leveraged.rebalancer.address)
    assert said.args == {
        "token": token.address,
        "caller": keeper,
        "lowers": True,
        "brought": brought,
        "got": got,
        "profit": profit,
    }
    assert tokens.holdings(keeper) == {"lrt": 0, "weth": profit, "rLRT3": 0, "rLRT8": 0}
    assert token.leverage() < before


def test_take__by_redeeming__pays_what_that_leaves(tokens: Tokens) -> None:
    out_of_band(tokens)
    scene = tokens.scene
    empty_pool(scene, scene.lrt_pool)
    with reverts("swap: not enough liquidity"):
        take(tokens, 8, True, ETHER)
    fill_idle(tokens)
    receipt = take(tokens, 8, True, ETHER, REDEEM)
    assert gained(receipt) == tokens.weth.balanceOf(scene.roles.keeper) > 0


def test_take__leverage_rises__pays_the_lrt_that_is_left(tokens: Tokens) -> None:
    tokens.gain(3 * WAD // 100)
    token, keeper = tokens.token(8), tokens.scene.roles.keeper
    if token.leverage() >= token.band()[0]:
        tokens.gain(WAD // 100)
    assert token.leverage() < token.band()[0]
    tokens.start(token, 2 * HOUR)
    brought, got = token.quote_rebalance(False, 5 * ETHER)
    receipt = take(tokens, 8, False, 5 * ETHER)
    said = receipt.events[-1].args
    assert (said["brought"], said["got"], said["lowers"]) == (brought, got, False)
    assert tokens.holdings(keeper)["lrt"] == said["profit"] > 0


def test_take__in_danger__needs_no_auction(tokens: Tokens) -> None:
    tokens.lose(LARGE_LOSS)
    token = tokens.token(8)
    assert token.leverage() > token.terms().danger
    assert gained(take(tokens, 8, True, ETHER)) > 0


@pytest.mark.parametrize("more", [0, 1])
def test_take__least_profit__is_kept_to_the_wei(tokens: Tokens, more: int) -> None:
    out_of_band(tokens)
    with tokens.scene.chain.isolated():
        profit = gained(take(tokens, 8, True, ETHER))
    if more:
        with reverts("rebalancer: profit too small"):
            take(tokens, 8, True, ETHER, least=profit + 1)
    else:
        assert gained(take(tokens, 8, True, ETHER, least=profit)) == profit


def test_take__sale_below_what_is_owed__reverts(tokens: Tokens) -> None:
    """An auction that has just begun pays less than backing, and redeeming pays no more."""
    fill_idle(tokens)
    tokens.slash(3 * WAD // 100)
    tokens.start(tokens.token(8), 0)
    with reverts("rebalancer: sale below payment"):
        take(tokens, 8, True, ETHER, REDEEM)


def test_take__purchase_below_what_is_owed__reverts(tokens: Tokens) -> None:
    """The same where leverage rises, with no pool to buy from."""
    empty_pool(tokens.scene, tokens.scene.lrt_pool)
    tokens.gain(4 * WAD // 100)
    tokens.start(tokens.token(8), 0)
    with reverts("rebalancer: too little bought"):
        take(tokens, 8, False, ETHER)


def test_take__token_not_served__reverts(tokens: Tokens) -> None:
    rebalancer, keeper = tokens.leveraged.rebalancer, tokens.scene.roles.keeper
    assert rebalancer.serves(tokens.token(3).address)
    for stranger in (tokens.market.address, tokens.wallet.address, NOBODY):
        assert not rebalancer.serves(stranger)
        with reverts("rebalancer: token not served"):
            rebalancer.take(stranger, True, ETHER, SWAP, 0, sender=keeper)


@pytest.mark.parametrize("route", [STABLE, 8, SWAP | REDEEM])
def test_take__route_that_there_is_not__reverts(tokens: Tokens, route: int) -> None:
    tokens.lose(LARGE_LOSS)
    with reverts("path: no such route"):
        take(tokens, 8, True, ETHER, route)


def test_take__in_the_band__reverts_in_the_tokens_words(tokens: Tokens) -> None:
    with reverts("token: leverage in band"):
        take(tokens, 8, True, ETHER)


def test_take__what_lies_there__is_paid_to_nobody(tokens: Tokens) -> None:
    tokens.lose(LARGE_LOSS)
    rebalancer, looper = tokens.leveraged.rebalancer, tokens.scene.roles.looper
    with tokens.scene.chain.isolated():
        profit = gained(take(tokens, 8, True, ETHER))
    with tokens.scene.chain.isolated():
        for coin in (tokens.weth, tokens.vault):
            coin.transfer(rebalancer.address, ETHER, sender=looper)
        assert gained(take(tokens, 8, True, ETHER)) == profit
        assert tokens.weth.balanceOf(rebalancer.address) == ETHER
        assert tokens.vault.balanceOf(rebalancer.address) == ETHER


@pytest.mark.parametrize("who", ["stranger", "owner"])
def test_on_leveraged__outside_of_its_own_call__reverts(tokens: Tokens, who: str) -> None:
    rebalancer, sender = tokens.leveraged.rebalancer, getattr(tokens.scene.roles, who)
    with reverts("rebalancer: not the active token"):
        rebalancer.on_leveraged(-ETHER, -ETHER, bytes(64), sender=sender)


def test_on_leveraged__by_a_served_token_for_another_caller__reverts(tokens: Tokens) -> None:
    """A wallet rebalances with data, and has the rebalancer called in the middle of it."""
    tokens.lose(LARGE_LOSS)
    token, rebalancer = tokens.token(8), tokens.leveraged.rebalancer
    stranger = tokens.scene.roles.stranger
    data = rebalancer.on_leveraged.encode(-ETHER, -ETHER, bytes(64))
    inner = rebalancer.take.encode(token.address, True, ETHER, SWAP, 0)
    for call in (data, inner):
        tokens.wallet.set_steps([(rebalancer.address, call)], sender=stranger)
        outer = token.rebalance.encode(True, ETHER, 0, b"x")
        with pytest.raises(Revert):
            tokens.wallet.run(token.address, outer, sender=stranger)


def test_default__ether_from_anybody_else__reverts(tokens: Tokens) -> None:
    chain, sender = tokens.scene.chain, tokens.scene.roles.stranger
    sent = {"from": sender, "to": tokens.leveraged.rebalancer.address, "value": hex(1)}
    with pytest.raises(RpcError, match="rebalancer: ether only from weth"):
        chain.rpc("eth_call", [sent, "latest"])


def test_creation__token_of_other_coins__reverts(tokens: Tokens) -> None:
    scene, core = tokens.scene, tokens.scene.world.core
    places = tokens.vault.address, core.wsteth.address, core.wsteth.address
    served = [tokens.token(3).address]
    with reverts("path: market of other tokens"):
        scene.chain.deploy(
            artifact("Rebalancer"),
            *places,
            scene.protocol.swap.address,
            NOBODY,
            served,
            sender=scene.roles.owner,
        )


def test_take__everything__leaves_the_equity_within_its_bound(tokens: Tokens) -> None:
    """As often as anyone likes: what the token pays is bound, and the rest stays its holders'."""
    tokens.lose(LARGE_LOSS)
    token = tokens.token(8)
    equity, bound = token.equity(), token.terms().danger_loss
    for _ in range(40):
        try:
            take(tokens, 8, True, 20 * ETHER)
        except Revert:
            break
    assert token.equity() >= equity * (WAD - bound) // WAD - 4
    assert token.leverage() <= token.terms().danger
