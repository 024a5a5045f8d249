"""The Python side: names, words for refusals, and the tables of the command."""

import json
from pathlib import Path

import pytest

from relever.artifacts import artifact
from relever.protocol import NOBODY, UNLIMITED, WAD, Deployment
from relever.quotes import (
    QuoteRefused,
    exits,
    position,
    quote_close,
    quote_leverage,
    quote_open,
    token_address,
)
from relever.quoting import main
from tests.scene import ETHER, REDEEM, SWAP, open_leveraged


def test_token_address__names__are_the_routers_tokens(scene: Deployment) -> None:
    core, protocol = scene.world.core, scene.protocol
    names = {
        "ether": NOBODY,
        "weth": core.weth.address,
        "steth": core.steth.address,
        "wsteth": core.wsteth.address,
        "lrt": protocol.vault.address,
    }
    assert {name: token_address(protocol, name) for name in names} == names
    with pytest.raises(ValueError, match="no token 'dai': take one of ether, weth"):
        token_address(protocol, "dai")


def test_quote_refused__says_what_happened_why_and_what_to_do(scene: Deployment) -> None:
    protocol, looper = scene.protocol, scene.roles.looper
    with pytest.raises(QuoteRefused) as failure:
        quote_open(protocol, looper, NOBODY, 0, 0)
    assert str(failure.value) == (
        "quote open: 'router: nothing to do': nothing is paid in, borrowed, taken out or repaid."
        " To do: give an amount or a loan"
    )
    with pytest.raises(QuoteRefused, match="quote close: 'market: not enough collateral'"):
        quote_close(protocol, looper, 1, 0, SWAP)
    with pytest.raises(QuoteRefused, match="quote leverage: 'quote: leverage below one'"):
        quote_leverage(protocol, looper, NOBODY, ETHER, 0)


def test_quotes__another_market__is_asked_there(scene: Deployment) -> None:
    protocol, roles = scene.protocol, scene.roles
    made = protocol.factory.create_market(
        tuple(protocol.market.terms()), "Other", "O", sender=roles.stranger
    )
    other = scene.chain.contract(made.events[-1].args["market"], artifact("LendingMarket"))
    open_leveraged(scene, 3 * ETHER, 10 * ETHER)
    assert position(protocol, roles.looper).debt >= 10 * ETHER
    assert position(protocol, roles.looper, other).debt == 0
    assert exits(protocol, ETHER, other) == exits(protocol, ETHER)
    with pytest.raises(QuoteRefused, match="market not listed"):
        quote_open(protocol, roles.looper, NOBODY, ETHER, 0, other)


def test_quotes__route_without_a_pool__is_refused(scene: Deployment) -> None:
    swap, redeem, stable, queue = exits(scene.protocol, ETHER)
    assert (swap.refusal, redeem.refusal, queue.refusal) == ("", "", "")
    assert stable.refusal == "path: no such route"


def test_quoter__sent_as_a_transaction__changes_nothing(scene: Deployment) -> None:
    protocol, roles = scene.protocol, scene.roles
    open_leveraged(scene, 3 * ETHER, 10 * ETHER)
    scene.world.slash(10**16)
    before = protocol.snapshot(roles.looper).vault
    market = protocol.market.address
    for receipt in (
        protocol.quoter.quote_open(roles.looper, market, NOBODY, ETHER, ETHER, sender=roles.looper),
        protocol.quoter.quote_leverage(
            roles.looper, market, NOBODY, ETHER, 6 * WAD, sender=roles.looper
        ),
        protocol.quoter.quote_close(
            roles.looper, market, ETHER, UNLIMITED, REDEEM, sender=roles.looper
        ),
        protocol.quoter.quote_sale(ETHER, SWAP, sender=roles.looper),
    ):
        assert receipt.events == []
    assert protocol.snapshot(roles.looper).vault == before


@pytest.fixture
def kept(scene: Deployment, tmp_path: Path) -> list[str]:
    """The command's first arguments for this deployment."""
    file = tmp_path / "deployment.json"
    file.write_text(json.dumps(scene.protocol.addresses()), encoding="utf-8")
    open_leveraged(scene, 3 * ETHER, 10 * ETHER)
    node: str = scene.chain._rpc._path or ""
    return [node, "--deployment", str(file), "--owner", scene.roles.looper]


def test_main__leverage__prints_what_would_be(
    kept: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*kept, "--amount", "1.5", "--token", "weth", "--leverage", "5"]) == 0
    said = capsys.readouterr().out
    for words in ("The position", "net carry", "Opening", "5.0000", "Ways out of", "queue"):
        assert words in said


def test_main__refused__prints_why_beside_the_numbers(
    kept: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*kept, "--borrow", "100"]) == 0
    assert "market: unhealthy" in capsys.readouterr().out
    assert main([*kept, "--borrow", "100000"]) == 1
    assert "'market: not enough cash'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--token", "dai", "--amount", "1"], "no token 'dai'"),
        (["--deployment", "/nowhere.json"], "nowhere.json"),
    ],
)
def test_main__bad_arguments__say_so(
    kept: list[str], capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main([*kept, *arguments]) == 1
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("amount", ["x", "-1", "1e-19", "nan", "inf"])
def test_main__amount_that_is_none__is_refused(
    kept: list[str], capsys: pytest.CaptureFixture[str], amount: str
) -> None:
    with pytest.raises(SystemExit):
        main([*kept, f"--amount={amount}"])
    assert "--amount" in capsys.readouterr().err
