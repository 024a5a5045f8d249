from typing import Any

import pytest
from eth_abi import encode

from relever.artifacts import artifact
from relever.chain import Call, Contract, Event
from relever.protocol import UNLIMITED, WAD
from tests.leveraged import Tokens
from tests.lrt_paths import NOBODY, VAULT_VIRTUAL, Lido, Log, pool_sale, push_lrt_price
from tests.scene import DAY, ETHER, REDEEM, STABLE, SWAP, reverts
from tests.unit.router.conftest import mint_rate

AMOUNT = 3 * ETHER + 7
# Sold within one range of the pool.
SMALL = ETHER // 10
INPUTS = ["ether", "weth", "steth", "wsteth", "lrt"]
BOTH = pytest.mark.parametrize("leverage", [3, 8])


def coin(tokens: Tokens, name: str) -> Contract | None:
    core = tokens.scene.world.core
    return {
        "ether": None,
        "weth": core.weth,
        "steth": core.steth,
        "wsteth": core.wsteth,
        "lrt": tokens.vault,
    }[name]


def give(tokens: Tokens, name: str, amount: int) -> str:
    """The depositor gets exactly so much and lets the zap take it."""
    scene, depositor = tokens.scene, tokens.scene.roles.depositor
    given = coin(tokens, name)
    if given is None:
        return NOBODY
    if name == "lrt":
        tokens.vault.transfer(depositor, amount, sender=scene.roles.looper)
    else:
        scene.world.fund(depositor, **{name: amount + (2 if name == "steth" else 0)})
    given.approve(tokens.leveraged.zap.address, amount, sender=depositor)
    return given.address


def enter(tokens: Tokens, leverage: int, name: str, amount: int = AMOUNT, least: int = 0) -> Any:
    token, depositor = tokens.token(leverage), tokens.scene.roles.depositor
    given = give(tokens, name, amount)
    value = amount if name == "ether" else 0
    arguments = (token.address, given, amount, least, depositor, UNLIMITED)
    return tokens.leveraged.zap.enter(*arguments, sender=depositor, value=value)


def fill_idle(tokens: Tokens) -> None:
    """Somebody deposits, and nobody stakes it: instant exits can be paid."""
    scene, lender = tokens.scene, tokens.scene.roles.lender
    scene.world.fund(lender, wsteth=300 * ETHER)
    scene.world.core.wsteth.approve(tokens.vault.address, 300 * ETHER, sender=lender)
    tokens.vault.deposit(300 * ETHER, lender, sender=lender)


def hold(tokens: Tokens, leverage: int, shares: int = AMOUNT) -> str:
    """The depositor holds shares and lets the zap redeem them."""
    token, roles = tokens.token(leverage), tokens.scene.roles
    token.transfer(roles.depositor, shares, sender=roles.looper)
    token.approve(tokens.leveraged.zap.address, shares, sender=roles.depositor)
    return str(roles.depositor)


def leave(tokens: Tokens, leverage: int, terms: tuple[Any, ...], shares: int = AMOUNT) -> Any:
    token, roles = tokens.token(leverage), tokens.scene.roles
    arguments = (token.address, shares, terms, roles.stranger, UNLIMITED)
    return tokens.leveraged.zap.leave(*arguments, sender=roles.depositor)


@BOTH
@pytest.mark.parametrize("name", INPUTS)
def test_enter__each_input__mints_what_it_pays_for(
    tokens: Tokens, leverage: int, name: str
) -> None:
    token, depositor = tokens.token(leverage), tokens.scene.roles.depositor
    wsteth_rate = tokens.scene.world.core.wsteth.stEthPerToken()
    worth = {
        "wsteth": AMOUNT * wsteth_rate // WAD,
        "lrt": AMOUNT * tokens.backing() // 10**36,
    }.get(name, AMOUNT)
    held = token.balanceOf(depositor)
    lrt_before = tokens.vault.balanceOf(depositor)
    equity, supply = token.equity(), token.totalSupply()

    receipt = enter(tokens, leverage, name)

    event = receipt.events[-1]
    shares = token.balanceOf(depositor) - held
    given = coin(tokens, name)
    assert (event.name, event.args) == (
        "Entered",
        {
            "caller": depositor,
            "token": token.address,
            "receiver": depositor,
            "token_in": given.address if given else NOBODY,
            "amount_in": AMOUNT,
            "shares": shares,
            "returned": event.args["returned"],
        },
    )
    left = tokens.vault.balanceOf(depositor) - lrt_before
    assert event.args["returned"] == left > 0
    # The pool gave at least what the vault mints: no less equity than was paid in.
    bought = shares * equity // supply
    assert 0 <= worth - bought < worth // 1_000 or bought > worth


@BOTH
def test_enter__shares_told_beforehand__are_a_bound(tokens: Tokens, leverage: int) -> None:
    token, depositor = tokens.token(leverage), tokens.scene.roles.depositor
    given = give(tokens, "wsteth", AMOUNT)
    arguments = (token.address, given, AMOUNT)
    shares, _ = tokens.leveraged.zap.enter.call(
        *arguments, 0, depositor, UNLIMITED, sender=depositor
    )
    with reverts("zap: too few shares"):
        tokens.leveraged.zap.enter(*arguments, shares + 1, depositor, UNLIMITED, sender=depositor)
    tokens.leveraged.zap.enter(*arguments, shares, depositor, UNLIMITED, sender=depositor)
    assert token.balanceOf(depositor) == shares


def test_enter__wsteth__mints_exactly_and_logs_it(tokens: Tokens) -> None:
    """The pool pays no more than the vault mints for, so that all of it is minted."""
    scene, zap, depositor = tokens.scene, tokens.leveraged.zap, tokens.scene.roles.depositor
    token, market, vault, log = tokens.token(8), tokens.market, tokens.vault, Log(tokens.scene)
    assert not scene.protocol.swap.pays(tokens.weth.address, vault.address, mint_rate(scene))
    given, at = give(tokens, "wsteth", AMOUNT), zap.address
    lido = Lido.now(scene)
    total, minted = vault.totalAssets() + VAULT_VIRTUAL, vault.totalSupply() + VAULT_VIRTUAL
    first = AMOUNT * minted // total
    total, minted = total + AMOUNT, minted + first
    rate = lido.shares_down(WAD) * minted // total
    (collateral, debt), supply = tokens.position(token), token.totalSupply()
    shares = (first - 1_100) * supply // (collateral - debt * rate // WAD)
    paid, borrowed = -(-collateral * shares // supply), debt * shares // supply - 1
    events = [
        log.approved(log.wsteth, depositor, at, 0),
        log.moved(log.wsteth, depositor, at, AMOUNT),
        *log.deposited(at, AMOUNT, first, at),
        log.moved(tokens.weth, market.address, at, borrowed),
        log.unwrapped(at, borrowed),
    ]
    had = lido.shares
    events += log.staked(lido, at, borrowed)
    second = (lido.shares - had) * minted // total
    left = first + second - paid
    entered = {
        "caller": depositor,
        "token": token.address,
        "receiver": depositor,
        "token_in": given,
        "amount_in": AMOUNT,
        "shares": shares,
        "returned": left,
    }
    logged = {
        "caller": at,
        "receiver": depositor,
        "shares": shares,
        "collateral": paid,
        "debt": borrowed,
    }
    events += [
        *log.deposited(at, lido.shares - had, second, at),
        log.approved(vault, at, token.address, paid),
        log.approved(vault, at, token.address, 0),
        *tokens.paid_in(vault, at, paid),
        tokens.adjusted(token, at, paid, borrowed),
        log.moved(token, NOBODY, depositor, shares),
        Event("Minted", logged, token.address),
        log.moved(vault, at, depositor, left),
        Event("Entered", entered, at),
    ]
    assert 0 < left < 1_200

    receipt = zap.enter(
        token.address, given, AMOUNT, shares, depositor, UNLIMITED, sender=depositor
    )

    assert receipt.events == events


def test_leave__to_weth__pays_exactly_and_logs_it(tokens: Tokens) -> None:
    depositor, stranger = hold(tokens, 8, SMALL), tokens.scene.roles.stranger
    token, market, zap, log = (
        tokens.token(8),
        tokens.market,
        tokens.leveraged.zap,
        Log(tokens.scene),
    )
    vault, weth, at = tokens.vault, tokens.weth, zap.address
    redeemed, repaid = token.preview_redeem(SMALL)
    sale = pool_sale(tokens.scene.lrt_pool, vault.address, redeemed)
    out = sale.amount_out - repaid
    terms = (weth.address, 0, SWAP, out, 0)

    receipt = leave(tokens, 8, terms, SMALL)

    logged = {
        "caller": at,
        "owner": depositor,
        "shares": SMALL,
        "collateral": redeemed,
        "debt": repaid,
    }
    left = {
        "caller": depositor,
        "token": token.address,
        "receiver": stranger,
        "shares": SMALL,
        "amount_out": out,
        "returned": 0,
    }
    assert receipt.events == [
        log.approved(token, depositor, at, 0),
        log.moved(token, depositor, NOBODY, SMALL),
        log.moved(vault, market.address, at, redeemed),
        *log.sold(sale, vault, at),
        log.approved(weth, at, token.address, repaid),
        *tokens.paid_in(weth, at, repaid),
        tokens.adjusted(token, at, -redeemed, -repaid),
        Event("Redeemed", logged, token.address),
        log.moved(weth, at, stranger, out),
        Event("Left", left, at),
    ]


def test_enter__a_cheap_pool__returns_what_it_gave_more(tokens: Tokens) -> None:
    push_lrt_price(tokens.scene, 98 * WAD // 100)
    receipt = enter(tokens, 8, "lrt")
    assert receipt.events[-1].args["returned"] > ETHER // 100


@pytest.mark.parametrize("amount", [0, 1, 1_100])
def test_enter__next_to_nothing__reverts(tokens: Tokens, amount: int) -> None:
    with reverts("zap: too little to mint"):
        enter(tokens, 3, "lrt", amount)


def test_enter__ether_that_is_not_the_amount__reverts(tokens: Tokens) -> None:
    zap, token, depositor = tokens.leveraged.zap, tokens.token(3), tokens.scene.roles.depositor
    with reverts("zap: ether sent is not amount"):
        zap.enter(token.address, NOBODY, 2, 0, depositor, UNLIMITED, sender=depositor, value=1)
    with reverts("zap: ether with a token"):
        zap.enter(
            token.address,
            tokens.weth.address,
            2,
            0,
            depositor,
            UNLIMITED,
            sender=depositor,
            value=1,
        )


def test_enter__unknown_input__reverts(tokens: Tokens) -> None:
    zap, token, depositor = tokens.leveraged.zap, tokens.token(3), tokens.scene.roles.depositor
    with reverts("zap: token not accepted"):
        zap.enter(token.address, token.address, 2, 0, depositor, UNLIMITED, sender=depositor)


@pytest.mark.parametrize("way", ["enter", "leave"])
def test_zap__after_the_deadline__reverts(tokens: Tokens, way: str) -> None:
    zap, token, depositor = tokens.leveraged.zap, tokens.token(3), tokens.scene.roles.depositor
    past = tokens.scene.chain.timestamp - 1
    with reverts("zap: deadline passed"):
        if way == "enter":
            zap.enter(token.address, tokens.weth.address, 2, 0, depositor, past, sender=depositor)
        else:
            terms = (tokens.weth.address, 0, SWAP, 0, 0)
            zap.leave(token.address, 1, terms, depositor, past, sender=depositor)


@pytest.mark.parametrize("way", ["enter", "leave"])
@pytest.mark.parametrize("name", ["market", "router", "vault"])
def test_zap__a_target_that_is_not_served__reverts(tokens: Tokens, way: str, name: str) -> None:
    zap, depositor = tokens.leveraged.zap, tokens.scene.roles.depositor
    target = getattr(tokens.scene.protocol, name).address
    assert not zap.serves(target)
    with reverts("zap: token not served"):
        if way == "enter":
            zap.enter(target, NOBODY, 2, 0, depositor, UNLIMITED, sender=depositor, value=2)
        else:
            terms = (tokens.weth.address, 0, SWAP, 0, 0)
            zap.leave(target, 1, terms, depositor, UNLIMITED, sender=depositor)


def test_enter__dead_feed__reverts_as_the_market(tokens: Tokens) -> None:
    tokens.scene.chain.advance(3 * DAY)
    with reverts("oracle: stale feed"):
        enter(tokens, 3, "lrt")


def test_enter__no_equity__reverts(tokens: Tokens) -> None:
    tokens.lose(14 * WAD // 100)
    with reverts("zap: token has no equity"):
        enter(tokens, 8, "lrt")


@BOTH
@pytest.mark.parametrize("route", [SWAP, REDEEM])
def test_leave__to_weth__sells_all_and_pays_the_rest(
    tokens: Tokens, leverage: int, route: int
) -> None:
    token, weth, stranger = tokens.token(leverage), tokens.weth, tokens.scene.roles.stranger
    fill_idle(tokens)
    depositor = hold(tokens, leverage)
    had = weth.balanceOf(stranger)
    worth = AMOUNT * token.equity() // token.totalSupply()

    receipt = leave(tokens, leverage, (weth.address, 0, route, 0, 0))

    paid = weth.balanceOf(stranger) - had
    event = receipt.events[-1]
    assert (event.name, event.args) == (
        "Left",
        {
            "caller": depositor,
            "token": token.address,
            "receiver": stranger,
            "shares": AMOUNT,
            "amount_out": paid,
            "returned": 0,
        },
    )
    assert token.balanceOf(depositor) == 0
    # The pools' fee and slippage on the whole of the collateral.
    assert worth * (100 - 12 * leverage) // 100 < paid < worth


@BOTH
@pytest.mark.parametrize("name", ["lrt", "wsteth"])
@pytest.mark.parametrize("feed", ["live", "dead"])
def test_leave__selling_for_the_repayment_only__pays_the_rest_in_kind(
    tokens: Tokens, leverage: int, name: str, feed: str
) -> None:
    token, weth, stranger = tokens.token(leverage), tokens.weth, tokens.scene.roles.stranger
    fill_idle(tokens)
    if feed == "dead":
        tokens.scene.chain.advance(3 * DAY)
    hold(tokens, leverage)
    received, repaid = token.preview_redeem(AMOUNT)
    sold = repaid * 10**36 // tokens.backing() * 104 // 100
    out = coin(tokens, name)
    assert out is not None
    had, had_weth = out.balanceOf(stranger), weth.balanceOf(stranger)
    receipt = leave(tokens, leverage, (out.address, sold, SWAP, 1, 1))
    event = receipt.events[-1]
    got = out.balanceOf(stranger) - had
    assert event.args["amount_out"] == got > 0
    assert event.args["returned"] == weth.balanceOf(stranger) - had_weth > 0
    if name == "lrt":
        assert got == received - sold


def test_leave__bounds__hold_to_the_unit(tokens: Tokens) -> None:
    depositor, token = hold(tokens, 3), tokens.token(3)
    zap, stranger = tokens.leveraged.zap, tokens.scene.roles.stranger
    lrt = tokens.vault.address
    sold = token.preview_redeem(AMOUNT)[0] * 3 // 4
    out, weth = zap.leave.call(
        token.address, AMOUNT, (lrt, sold, SWAP, 0, 0), stranger, UNLIMITED, sender=depositor
    )
    with reverts("zap: too little out"):
        leave(tokens, 3, (lrt, sold, SWAP, out + 1, weth))
    with reverts("zap: too little weth"):
        leave(tokens, 3, (lrt, sold, SWAP, out, weth + 1))
    leave(tokens, 3, (lrt, sold, SWAP, out, weth))


def test_leave__too_little_sold__reverts(tokens: Tokens) -> None:
    hold(tokens, 3)
    with reverts("zap: sale below repayment"):
        leave(tokens, 3, (tokens.vault.address, 0, SWAP, 0, 0))


def test_leave__without_allowance__reverts(tokens: Tokens) -> None:
    hold(tokens, 3)
    token, depositor = tokens.token(3), tokens.scene.roles.depositor
    token.approve(tokens.leveraged.zap.address, AMOUNT - 1, sender=depositor)
    with reverts("erc20: insufficient allowance"):
        leave(tokens, 3, (tokens.weth.address, 0, SWAP, 0, 0))


def test_leave__odd_routes_outputs_and_receivers__reverts(tokens: Tokens) -> None:
    depositor, token, zap = hold(tokens, 3), tokens.token(3), tokens.leveraged.zap
    with reverts("path: no such route"):
        leave(tokens, 3, (tokens.weth.address, 0, STABLE, 0, 0))
    with reverts("zap: token not accepted"):
        leave(tokens, 3, (tokens.scene.world.core.steth.address, 0, SWAP, 0, 0))
    for receiver in (NOBODY, zap.address):
        with reverts("zap: receiver"):
            zap.leave(
                token.address,
                1,
                (tokens.weth.address, 0, SWAP, 0, 0),
                receiver,
                UNLIMITED,
                sender=depositor,
            )


@pytest.mark.parametrize("role", ["stranger", "looper", "owner"])
def test_on_leveraged__by_anyone__reverts(tokens: Tokens, role: str) -> None:
    caller = getattr(tokens.scene.roles, role)
    data = encode(["address", "uint256", "uint256"], [caller, 1, 1])
    for collateral, debt in ((1, 1), (-1, -1)):
        with reverts("zap: not the active token"):
            tokens.leveraged.zap.on_leveraged(collateral, debt, data, sender=caller)


def test_on_leveraged__by_a_token_at_rest__reverts(tokens: Tokens) -> None:
    caller = tokens.scene.chain.impersonate(tokens.token(3).address)
    with reverts("zap: not the active token"):
        tokens.leveraged.zap.on_leveraged(1, 1, b"", sender=caller)


def test_default__ether_from_anyone__reverts(tokens: Tokens) -> None:
    zap = tokens.leveraged.zap.address
    with reverts("zap: ether only from weth"):
        tokens.scene.chain.send(Call(tokens.scene.roles.stranger, zap, b"", ETHER))


def test_create__token_of_other_tokens__reverts(tokens: Tokens) -> None:
    """The zap's WETH is not what the leveraged token's market lends."""
    protocol, core = tokens.scene.protocol, tokens.scene.world.core
    with reverts("path: market of other tokens"):
        tokens.scene.chain.deploy(
            artifact("LeveragedTokenZap"),
            protocol.vault.address,
            core.wsteth.address,
            core.steth.address,
            protocol.swap.address,
            NOBODY,
            [tokens.token(3).address],
        )


def test_zap__tokens_sent_by_mistake__stay_out_of_it(tokens: Tokens) -> None:
    """Neither way pays with them: who comes next gets what he would have without."""
    zap, roles = tokens.leveraged.zap, tokens.scene.roles
    with tokens.scene.chain.isolated():
        without = enter(tokens, 8, "lrt").events[-1].args
    with tokens.scene.chain.isolated():
        tokens.vault.transfer(zap.address, ETHER, sender=roles.looper)
        tokens.weth.transfer(zap.address, ETHER, sender=roles.looper)
        assert enter(tokens, 8, "lrt").events[-1].args == without
        assert tokens.vault.balanceOf(zap.address) == ETHER
        assert tokens.weth.balanceOf(zap.address) == ETHER
        hold(tokens, 8)
        leave(tokens, 8, (tokens.weth.address, 0, SWAP, 0, 0))
        assert tokens.vault.balanceOf(zap.address) == ETHER
        assert tokens.weth.balanceOf(zap.address) == ETHER


def test_leave__after_a_quarantine__claims_are_the_callers(tokens: Tokens) -> None:
    """What was sold for the repayment and what was redeemed both leave one behind."""
    scene, vault, zap = tokens.scene, tokens.vault, tokens.leveraged.zap
    fill_idle(tokens)
    adapter = scene.protocol.symbiotic.address
    vault.quarantine(adapter, sender=scene.roles.owner)
    scene.answer_fundamental()
    depositor = hold(tokens, 3)
    pocket = scene.protocol.side_pocket
    assert pocket.claim_of(adapter, depositor) == 0
    sold = tokens.token(3).preview_redeem(AMOUNT)[0] * 95 // 100
    wsteth = scene.world.core.wsteth.address
    claims = []
    for route in (SWAP, REDEEM):
        with scene.chain.isolated():
            leave(tokens, 3, (wsteth, sold, route, 1, 0))
            assert pocket.claim_of(adapter, zap.address) == 0
            claims.append(pocket.claim_of(adapter, depositor))
    assert 0 < claims[0] < claims[1]
