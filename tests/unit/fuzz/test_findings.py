"""Counterexamples on disk: for people, and to be played again."""

from __future__ import annotations

from pathlib import Path

import pytest

from relever.fuzz import findings
from relever.fuzz.findings import Finding, FindingError, load
from relever.model.callback import Callback
from relever.model.protocol import Action, Step
from relever.model.router import Bounds

STEPS = [
    Step(Action("zap.deposit", "depositor", ("nobody", 5, 0, "depositor"), 5)),
    Step(Action("router.open", "looper", ("market", "weth", 7, 8, Bounds(1, 2, 3, 4))), 600, 2),
    Step(Action("market.set_caps", "owner", ((10**22, 5, 0),))),
    Step(
        Action(
            "market.adjust",
            "scripted",
            ("scripted", 1, -2, "scripted", Callback(3, (Action("vault.sync", "scripted"),), True)),
        )
    ),
]


def finding() -> Finding:
    return Finding.of(
        ("SOLV-3", "The market has what it owes.", "It has 3 of 4."),
        STEPS,
        machine="market",
        seed=3,
        example=17,
        replica=None,
        compare=False,
    )


def test_load__what_was_written__is_the_same_steps(tmp_path: Path) -> None:
    path = finding().write(tmp_path / "made")
    assert path.name == "SOLV-3-market-3-17.json"
    found = load(path)
    assert found == finding()
    assert found.played() == STEPS


def test_words__say_who_does_what_and_when() -> None:
    words = finding().words
    assert words[0] == "depositor: zap.deposit(nobody, 5, 0, depositor) with 5 ether"
    assert words[1].startswith("600 s and 2 blocks later, looper: router.open(market, weth, 7, 8, ")


def test_load__no_file__says_so(tmp_path: Path) -> None:
    with pytest.raises(FindingError, match="is the path right"):
        load(tmp_path / "none.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"identifier": 1}', "no json"])
def test_load__something_else__says_what_to_give(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(FindingError, match="give a file that `make fuzz` wrote"):
        load(path)


def test_read__a_step_without_a_caller__is_none() -> None:
    fields = findings.written(STEPS[0])
    del fields["caller"]
    with pytest.raises(FindingError, match="is no step"):
        findings.read(fields)
