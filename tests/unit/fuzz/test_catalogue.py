"""The page of all sentences is what the code says."""

from __future__ import annotations

from pathlib import Path

from relever.fuzz.catalogue import markdown
from relever.fuzz.invariants import INVARIANTS

PAGE = Path(__file__).parents[3] / "docs" / "invariants.md"


def test_catalogue__page__is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown(), (
        "docs/invariants.md is out of date: python -m relever.fuzz.catalogue > docs/invariants.md"
    )


def test_catalogue__each_sentence__has_an_id_of_its_own_and_says_where_it_is_from() -> None:
    identifiers = [one.identifier for one in INVARIANTS]
    assert len(set(identifiers)) == len(identifiers)
    assert all(one.sentence.endswith(".") and one.reference for one in INVARIANTS)
