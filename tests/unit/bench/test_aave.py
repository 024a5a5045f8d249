"""Aave's code before it is deployed: libraries in their places, and a word when it is missing."""

from pathlib import Path

import pytest

from bench.aave import _part, linked
from relever import parts
from relever.parts import PartError

FIRST, SECOND = "0x" + "Aa" * 20, "0x" + "bB" * 20


def test_linked__two_libraries__stand_in_all_their_places() -> None:
    hole = "__$3f57a1b0c2d4e6f8091a2b3c4d5e6f7081$__"
    assert len(hole) == 40
    bytecode = {
        "object": f"0x6001{hole}6002{hole}{hole}00",
        "linkReferences": {
            "src/First.sol": {"First": [{"start": 2, "length": 20}, {"start": 44, "length": 20}]},
            "src/Second.sol": {"Second": [{"start": 24, "length": 20}]},
        },
    }
    assert linked(bytecode, {"First": FIRST, "Second": SECOND}) == (
        f"6001{'aa' * 20}6002{'bb' * 20}{'aa' * 20}00"
    )


def test_linked__no_libraries__is_as_it_was() -> None:
    assert linked({"object": "0x6001", "linkReferences": {}}, {}) == "6001"


def test_part__not_fetched__says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PARTS", tmp_path)
    with pytest.raises(PartError, match=r"^a part is missing .*run `make setup`$"):
        _part("PoolInstance")
