"""Each command by its words, on a chain: what it prints, changes, and predicts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relever import Protocol
from relever.client import OpenQuote
from relever.client.__main__ import main
from relever.protocol import WAD
from tests.scene import ETHER, open_leveraged
from tests.unit.client.conftest import FUNDS, User

Out = pytest.CaptureFixture[str]


def done(user: User, out: Out, *words: str) -> dict[str, Any]:
    """A command that succeeds, dry first: nothing changes, and all that it predicts is true."""
    before = user.state()
    assert user.run(*words, "--dry-run", "--json") == 0
    dry = json.loads(out.readouterr().out)
    assert user.state() == before
    assert (dry["dry_run"], dry["transactions"]) == (True, [])
    assert user.run(*words, "--yes", "--json") == 0
    wet: dict[str, Any] = json.loads(out.readouterr().out)
    assert (wet["dry_run"], len(wet["transactions"])) == (False, len(wet["steps"]))
    for same in ("action", "steps", "amounts"):
        assert wet[same] == dry[same], same
    return wet


def open_position(user: User, out: Out) -> dict[str, Any]:
    return done(user, out, "position", "open", "--amount", "5ether", "--leverage", "3.5x")


def test_open__predicts_to_the_wei_and_leaves_no_right(user: User, capsys: Out) -> None:
    suite = user.scene.protocol
    opened = open_position(user, capsys)
    collateral, debt = suite.market.position(user.address)
    assert opened["steps"] == [
        "LendingMarket.set_authorization",
        "LeverageRouter.open",
        "LendingMarket.set_authorization",
    ]
    amounts, bounds = opened["amounts"], opened["bounds"]
    assert (int(amounts["collateral"]), int(amounts["debt"])) == (collateral, debt)
    assert int(amounts["amount_in"]) == 5 * ETHER
    assert int(bounds["min_collateral"]) == collateral * 995 // 1000
    assert int(bounds["max_debt"]) == -(-debt * 1005 // 1000)
    assert not suite.market.is_authorized(user.address, suite.router.address)
    gas = FUNDS - 5 * ETHER - user.scene.chain.balance(user.address)
    assert 0 <= gas < ETHER // 10


def test_open__by_a_token__approves_just_that(user: User, capsys: Out) -> None:
    scene = user.scene
    scene.world.fund(user.address, wsteth=2 * ETHER)
    words = ("position", "open", "--amount", "2ether", "--token", "wsteth", "--borrow", "3ether")
    opened = done(user, capsys, *words)
    assert len(opened["steps"]) == 4
    wsteth = scene.world.core.wsteth
    assert wsteth.allowance(user.address, scene.protocol.router.address) == 0
    assert int(opened["amounts"]["borrowed"]) == 3 * ETHER


def test_quote__needs_no_account(user: User, capsys: Out) -> None:
    place = ["--node", user.node, "--deployment", str(user.record)]
    words = ["position", "quote", "--amount", "5ether", "--leverage", "3.5x", *place]
    assert main([*words, "--json"]) == 0
    quoted = json.loads(capsys.readouterr().out)
    leverage = int(quoted["opening"]["position"]["leverage"])
    assert 3.49 * WAD < leverage <= 3.5 * WAD
    assert main(words) == 0
    assert "\nborrow: 12." in capsys.readouterr().out


@pytest.mark.parametrize("leverage", ["2x", "6x"])
def test_adjust__both_ways__ends_at_the_leverage(user: User, capsys: Out, leverage: str) -> None:
    open_position(user, capsys)
    done(user, capsys, "position", "adjust", "--leverage", leverage)
    reached = user.scene.protocol.outlook.position(
        user.scene.protocol.market.address, user.address
    ).leverage
    target = int(leverage[0]) * WAD
    assert target * 999 // 1000 < reached <= target


def test_close__all__leaves_nothing(user: User, capsys: Out) -> None:
    scene = user.scene
    open_position(user, capsys)
    closed = done(user, capsys, "position", "close")
    assert tuple(scene.protocol.market.position(user.address)) == (0, 0)
    paid = int(closed["amounts"]["paid_out"])
    assert scene.world.core.weth.balanceOf(user.address) == paid > 49 * ETHER // 10
    assert int(closed["bounds"]["min_out"]) == paid * 995 // 1000


def test_show__position_and_carry(user: User, capsys: Out) -> None:
    open_position(user, capsys)
    assert user.run("position", "show", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    _, debt = user.scene.protocol.market.position(user.address)
    assert int(shown["position"]["debt"]) == debt
    assert int(shown["carry"]["borrow_rate"]) > 0
    assert user.run("position", "show", "--owner", user.scene.roles.stranger) == 0
    assert "debt: 0ether" in capsys.readouterr().out


def test_lend__ether_and_back(user: User, capsys: Out) -> None:
    market = user.scene.protocol.market
    lent = done(user, capsys, "lend", "--amount", "7ether")
    assert int(lent["amounts"]["shares"]) == market.balanceOf(user.address)
    part = done(user, capsys, "lend", "--withdraw", "2ether")
    assert int(part["amounts"]["assets"]) == 2 * ETHER
    done(user, capsys, "lend", "--withdraw", "max")
    assert market.balanceOf(user.address) == 0
    weth = user.scene.world.core.weth.balanceOf(user.address)
    assert 7 * ETHER - 2 <= weth <= 7 * ETHER
    done(user, capsys, "lend", "--amount", "6ether", "--token", "weth")


def test_stake_and_redeem__at_once_and_by_the_queue(user: User, capsys: Out) -> None:
    suite, chain = user.scene.protocol, user.scene.chain
    staked = done(user, capsys, "stake", "--amount", "10ether")
    shares = suite.vault.balanceOf(user.address)
    assert int(staked["amounts"]["shares"]) == shares
    assert int(staked["bounds"]["min_shares"]) == shares * 995 // 1000
    redeemed = done(user, capsys, "redeem", "--amount", "1ether")
    wsteth = user.scene.world.core.wsteth
    assert int(redeemed["amounts"]["assets"]) == wsteth.balanceOf(user.address)
    asked = done(user, capsys, "redeem", "--amount", "max", "--queue")
    assert suite.vault.balanceOf(user.address) == 0
    chain.advance(suite.queue.patience())
    suite.queue.finalize(1, sender=user.scene.roles.stranger)
    number = asked["amounts"]["requestId"]
    before = wsteth.balanceOf(user.address)
    claimed = done(user, capsys, "redeem", "--claim", number)
    assert int(claimed["amounts"]["assets"]) == wsteth.balanceOf(user.address) - before > 0
    assert chain.balance(suite.zap.address) == 0


def test_liquidate__for_a_profit_that_is_bound(user: User, capsys: Out) -> None:
    scene = user.scene
    suite, looper = scene.protocol, scene.roles.looper
    assert user.run("liquidate", "--owner", looper, "--dry-run") == 1
    assert "'market: " in capsys.readouterr().err
    suite.vault.allocate(
        suite.eigenlayer.address, suite.vault.totalAssets() // 2, sender=scene.roles.allocator
    )
    open_leveraged(scene, 5 * ETHER, 50 * ETHER)
    scene.world.slash(WAD // 10)
    suite.vault.sync(sender=scene.roles.stranger)
    won = done(user, capsys, "liquidate", "--owner", looper, "--route", "redeem")
    profit = scene.world.core.weth.balanceOf(user.address)
    assert int(won["amounts"]["profit"]) == profit > 0
    assert int(won["bounds"]["min_profit"]) == profit * 995 // 1000


def test_python__three_lines(user: User) -> None:
    with user.mining():
        protocol = Protocol.connect(user.node, user.record, str(user.keystore), user.password)
        quote = protocol.quote_open(amount="5ether", leverage="3.5x")
        position = protocol.open(quote)
        assert isinstance(quote, OpenQuote)
        assert position == quote.opening.position
        left = protocol.close(protocol.quote_close())
    assert (left.collateral, left.debt) == (0, 0)


def test_confirmation__nobody_there__sends_nothing(user: User, capsys: Out) -> None:
    before = user.state()
    assert user.run("stake", "--amount", "1ether") == 1
    assert "add --yes" in capsys.readouterr().err
    assert user.state() == before
