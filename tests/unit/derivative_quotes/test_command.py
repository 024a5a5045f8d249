"""What the command prints of a leveraged token and the backstop."""

import json
from pathlib import Path

import pytest

from relever.protocol import UNLIMITED, Deployment
from relever.quoting import main
from relever.risk.backstop import Lab
from tests.leveraged import Tokens
from tests.scene import ETHER, back


@pytest.fixture
def kept(tokens: Tokens, tmp_path: Path) -> list[str]:
    """The command's first arguments for this deployment, with somebody in the backstop."""
    scene, who = tokens.scene, tokens.scene.roles.looper
    back(scene, 4 * ETHER, who)
    tokens.weth.approve(scene.protocol.backstop.address, UNLIMITED, sender=who)
    file = tmp_path / "deployment.json"
    file.write_text(json.dumps(scene.protocol.addresses()), encoding="utf-8")
    return [scene.chain._rpc._path or "", "--deployment", str(file), "--owner", who]


def test_main__derivatives__prints_what_would_be(
    tokens: Tokens, kept: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    of = ["--leveraged", tokens.token(3).address, "--zap", tokens.leveraged.zap.address]
    amounts = ["--amount", "1", "--token", "weth", "--mint", "2", "--redeem", "1.5"]
    assert main([*kept, *of, *amounts, "--back", "3", "--unback", "4"]) == 0
    said = capsys.readouterr().out
    for words in (
        *("rLRT3 by its zap", "Minting 2.000000 rLRT3", "Redeeming 1.500000 rLRT3"),
        *("Into the backstop", "3.000000 WETH", "4.000000 shares out of the backstop"),
        *("at once", "by the line, at most", "shares ahead"),
    ):
        assert words in said
    assert "Opening" not in said


def test_main__more_than_somebody_has__is_refused(
    tokens: Tokens, kept: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*kept, "--unback", "4.000000000000000001"]) == 1
    assert "quote request exit" in capsys.readouterr().err
    assert main([*kept, "--leveraged", tokens.token(3).address, "--mint", "1000000"]) == 1
    assert "quote mint" in capsys.readouterr().err


def test_main__cash_is_spent__the_line_stands_beside_the_refusal(
    deployment: Deployment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lab, roles = Lab(deployment), deployment.roles
    with lab.play("spent") as result:
        lab.buy(result)
        first = roles.depositor
        lab.pool.request_exit(60 * ETHER, first, first, sender=first)
        file = tmp_path / "deployment.json"
        file.write_text(json.dumps(deployment.protocol.addresses()), encoding="utf-8")
        of = ["--deployment", str(file), "--owner", roles.lender]
        node = deployment.chain._rpc._path or ""
        assert main([node, *of, "--unback", "30"]) == 0
    said = capsys.readouterr().out
    for words in ("backstop: not enough cash", "30.000000 WETH", "60.000000"):
        assert words in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--mint", "1"], "--leveraged"), (["--leveraged", "0x1", "--zap", "0x2"], "--amount")],
)
def test_main__a_part_is_missing__says_which(
    kept: list[str], capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    with pytest.raises(SystemExit):
        main([*kept, *arguments])
    assert words in capsys.readouterr().err
