"""What is wrongly given, or has changed meanwhile: a sentence, an exit code, and nothing sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from relever.chain import Call, Event, Revert
from relever.client import Client, ClientError, Live
from relever.quotes import QuoteRefused
from tests.scene import ETHER
from tests.unit.client.conftest import User

Out = pytest.CaptureFixture[str]
OPEN = ("position", "open", "--amount", "5ether", "--yes", "--leverage")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("stake", "--amount", "5"), "'5' has no unit"),
        (("stake", "--amount=-5ether"), "is negative"),
        (("stake", "--amount", "1e400ether"), "no plain number"),
        (("stake", "--amount", "5ether", "--token", "dai"), "no token 'dai'"),
        (("stake", "--amount", "5ether", "--token", "lrt"), "staked already"),
        (("stake", "--amount", "5ether", "--slippage", "1"), "has no %"),
        (("stake", "--amount", "500ether"), "has 100ether of ether and needs 500ether"),
        (("stake", "--amount", "5ether", "--token", "wsteth"), "has 0ether of wsteth"),
        (("lend", "--amount", "5ether", "--token", "steth"), "lends WETH, not steth"),
        (("redeem", "--amount", "1ether"), "has 0ether of LRT and needs 1ether"),
        (("redeem", "--claim", "12345"), "queue: "),
        (("position", "adjust", "--leverage", "2x"), "has no position to adjust"),
        (("position", "close"), "refused: "),
        (("liquidate", "--owner", "0x12"), "is no address"),
        ((*OPEN, "3.5"), "has no x"),
        ((*OPEN, "0.5x"), "below 1x"),
        ((*OPEN, "40x"), "refused: 'market: unhealthy'"),
        ((*OPEN, "900x"), "refused: "),
    ],
)
def test_command__bad_words__says_why_and_sends_nothing(
    user: User, capsys: Out, words: tuple[str, ...], why: str
) -> None:
    before = user.state()
    assert user.run(*words) == 1
    assert why in capsys.readouterr().err
    assert user.state() == before


def test_command__badly_written__is_usage(user: User, capsys: Out) -> None:
    for words in (("stake",), ("position", "open"), ("lend",), ("nothing",), (*OPEN, "2x", "--x")):
        with pytest.raises(SystemExit) as ended:
            user.run(*words)
        assert ended.value.code == 2
    capsys.readouterr()


def test_account__without_ether__is_told(user: User, capsys: Out) -> None:
    scene = user.scene
    scene.world.fund(user.address, weth=ETHER)
    scene.chain.set_balance(user.address, 0)
    assert user.run("lend", "--amount", "1ether", "--token", "weth", "--yes") == 1
    assert "has no ether to pay gas with" in capsys.readouterr().err


def test_account__unknown_or_locked__is_told(user: User, capsys: Out) -> None:
    user.password.write_text("wrong")
    assert user.run("stake", "--amount", "1ether") == 1
    assert "the password right?" in capsys.readouterr().err
    user.keystore = Path("nobody")
    assert user.run("stake", "--amount", "1ether") == 1
    assert "there is no account 'nobody'" in capsys.readouterr().err


def test_run__without_an_account__is_refused(user: User) -> None:
    client = Client.connect(user.node, user.record)
    with pytest.raises(ClientError, match="no account to act for"):
        client.run(client.plan_claim(1))


def test_node__dead__is_told(user: User, capsys: Out) -> None:
    for node in ("http://127.0.0.1:9", "nonsense"):
        user.node = node
        assert user.scene is not None
        with pytest.raises(ClientError, match=f"no node to talk to at {node}"):
            user.client()


def test_record__of_another_chain__is_told(user: User) -> None:
    record = json.loads(user.record.read_text())
    user.record.write_text(json.dumps({**record, "chain_id": 11155111}))
    with pytest.raises(ClientError, match=r"is of chain 11155111, and .* is of chain 31337"):
        user.client()


def test_record__damaged__is_told(user: User) -> None:
    addresses = user.scene.protocol.addresses()
    stranger = user.scene.roles.stranger
    for document, why in (
        ({n: a for n, a in addresses.items() if n != "zap"}, "has no address for zap"),
        ({**addresses, "zap": "0x12"}, "zap is '0x12', which is no address"),
        ({**addresses, "zap": stranger}, f"zap at {stranger} holds no code"),
        ([], "holds no addresses by name"),
    ):
        user.record.write_text(json.dumps(document))
        with pytest.raises(ClientError, match=why):
            user.client()
    user.record.write_text("{")
    with pytest.raises(ClientError, match="is no JSON"):
        user.client()
    user.record.unlink()
    with pytest.raises(ClientError, match="cannot be read"):
        user.client()


def test_open__stale_feed__is_refused(user: User) -> None:
    user.scene.chain.advance(30 * 86_400)
    with pytest.raises(QuoteRefused, match="oracle: stale feed"):
        user.client().quote_open("1ether", leverage="3x")


def test_open__market_delisted__is_refused(user: User) -> None:
    scene = user.scene
    scene.protocol.factory.delist_market(scene.protocol.market.address, sender=scene.roles.owner)
    with pytest.raises(QuoteRefused, match="router: market not listed"):
        user.client().quote_open("1ether", leverage="3x")


def test_open__quote_too_old__is_refused_and_nothing_sent(user: User) -> None:
    client = user.client()
    quote = client.quote_open("1ether", leverage="3x", deadline_seconds=60)
    user.scene.chain.advance(61)
    before = user.state()
    with pytest.raises(Revert, match="router: deadline passed"):
        client.open(quote)
    assert user.state() == before


def test_open__worse_than_quoted__is_refused_and_nothing_sent(user: User) -> None:
    client = user.client()
    quote = client.quote_open("1ether", leverage="3x", slippage="0%")
    # The vault's rate rises: a unit of WETH mints less.
    user.scene.world.accrue_rewards(user.scene.world.core.steth.getTotalPooledEther() // 10)
    before = user.state()
    with pytest.raises(Revert, match="router: collateral below bound"):
        client.open(quote)
    assert user.state() == before


def test_open__fails_after_the_simulation__takes_the_right_back(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, suite = user.client(), user.scene.protocol
    plan = client.plan_open(client.quote_open("1ether", leverage="3x", deadline_seconds=60))
    simulate = Live.simulate

    def simulate_and_wait(chain: Live, calls: Sequence[Call]) -> list[list[Event]]:
        found = simulate(chain, calls)
        user.scene.chain.advance(61)
        return found

    monkeypatch.setattr(Live, "simulate", simulate_and_wait)
    with user.mining(), pytest.raises(Revert, match="router: deadline passed"):
        client.run(plan)
    assert not suite.market.is_authorized(user.address, suite.router.address)
    nonce = user.scene.chain.rpc("eth_getTransactionCount", [user.address, "latest"])
    assert int(nonce, 16) == 2
