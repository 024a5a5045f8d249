"""Every reason that a contract has is explained, and no other."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

from relever.reasons import explain, reasons

CONTRACTS = Path(__file__).parents[2] / "contracts"
# Only these of snekmate's modules refuse in our contracts' names.
SNEKMATE = ("auth/ownable.vy", "auth/ownable_2step.vy", "tokens/erc20.vy")
# Whose code says what stands under "others": Uniswap v3's pool, and OpenZeppelin's ERC-20.
OTHERS = {"AS", "IIA", "LOK", "SPL", "ERC20InsufficientAllowance", "ERC20InsufficientBalance"}


def code(path: Path) -> str:
    """A source without its docstrings and comments."""
    text = re.sub(r'""".*?"""', "", path.read_text(encoding="utf-8"), flags=re.S)
    return re.sub(r"#.*", "", text)


def said_by_contracts() -> set[str]:
    texts = {path.name: code(path) for path in CONTRACTS.rglob("*.vy")}
    found = {one for text in texts.values() for one in re.findall(r'"([a-z]+: [^"\n]+)"', text)}
    # Some say what is wrong without their name, which the caller puts before it.
    faults = {
        name: set(re.findall(r'(?:return|fault =)[^"\n]* "([a-z ]+)"', texts[name]))
        for name in ("feed.vy", "market_feed.vy")
    }
    found |= {f"oracle: {fault}" for some in faults.values() for fault in some}
    found |= {f"rewards: {fault}" for fault in faults["feed.vy"]}
    spec = importlib.util.find_spec("snekmate")
    assert spec is not None
    assert spec.submodule_search_locations
    for name in SNEKMATE:
        text = code(Path(spec.submodule_search_locations[0]) / name)
        found |= set(re.findall(r'"((?:ownable|ownable_2step|erc20): [^"\n]+)"', text))
    return found


def test_reasons__are_exactly_what_the_contracts_say() -> None:
    said = said_by_contracts()
    assert len(said) > 300
    assert set(reasons()) - OTHERS == said
    assert set(reasons()) >= OTHERS


def test_reasons__each_says_why_and_what_to_do() -> None:
    for reason, (why, then) in reasons().items():
        assert len(why) > 10, reason
        assert len(then) > 3, reason
        assert not why.endswith("."), reason
        assert explain(reason) == f"{reason!r}: {why}. To do: {then}"


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (
            "ERC20InsufficientBalance(0x12, 1, 2)",
            "'ERC20InsufficientBalance(0x12, 1, 2)': the account has less of the token than that."
            " To do: get more, or take less",
        ),
        (
            "x: y",
            "'x: y': the contract refuses. To do: look the words up in the contract's source",
        ),
        (
            "",
            "the contract gives no reason. To do: look at what was sent, and at its gas",
        ),
    ],
)
def test_explain__others_unknown_and_none(reason: str, sentence: str) -> None:
    assert explain(reason) == sentence
