"""Document, page and tables of a run that nobody played."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from relever.fuzz.findings import load
from relever.fuzz.invariants import INVARIANTS
from relever.fuzz.report import Pace, Run
from relever.fuzz.report.page import page
from relever.fuzz.report.tables import show
from relever.fuzz.states import STATES
from relever.fuzz.tally import Tally

from .conftest import finding

VOID = {"meta", "br", "link", "img", "hr", "wbr"}
Of = Callable[..., Run]


class Reader(HTMLParser):
    """Which elements there are; fails where one is closed that is not open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count: Counter[str] = Counter()
        self.identifiers: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.count[tag] += 1
        self.identifiers += [value or "" for name, value in attributes if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.count[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_document__any_run__has_the_keys_that_readers_rely_on(tally: Tally, run_of: Of) -> None:
    document = run_of(tally).document()
    assert {"steps", "examples", "violations", "seed", "actions", "states"} <= set(document)
    assert {"machine", "mode", "workers", "checked", "reasons", "seconds"} <= set(document)
    assert {"length", "compare", "replica", "steps_per_s"} <= set(document)
    assert (document["steps"], document["examples"], document["seed"]) == (180, 3, 7)
    assert (document["steps_per_s"], document["seconds"]) == (456.8, 12.3)
    assert document["violations"] == []
    assert document["actions"]["market.borrow"] == {"done": 30, "refused": 39}
    assert set(document["states"]) == set(STATES)
    assert (document["states"]["liquidation"], document["states"]["depeg"]) == (2, 0)
    assert {rule.identifier for rule in INVARIANTS} <= set(document["checked"])
    assert document["checked"]["SOLV-1"] == 180


def test_document__written__is_json_and_its_violations_can_be_played_again(
    tally: Tally, run_of: Of, tmp_path: Path
) -> None:
    tally.findings.append(finding())
    run_of(tally).write(tmp_path / "report.json")
    (violation,) = json.loads((tmp_path / "report.json").read_text())["violations"]
    assert violation["identifier"] == "HF-2"
    name = "build/fuzz/findings/HF-2-protocol-7-4.json"
    assert violation["file"] == name
    assert violation["replay"] == f'make fuzz ARGS="--replay {name}"'
    assert load(finding().write(tmp_path)) == finding()


def test_run__violation_or_too_little_met__fails(tally: Tally, run_of: Of) -> None:
    assert not run_of(tally).failed
    assert run_of(tally).verdict == "No violation; too short to judge by what it met."
    tally.steps, tally.examples = 200_000, 3_333
    assert run_of(tally).failed
    assert run_of(tally).verdict.startswith("No violation, but")
    tally.findings.append(finding())
    assert run_of(tally).verdict == "1 violation."


@pytest.mark.parametrize("found", [[], [finding("<script>alert(1)</script>")]])
def test_page__any_run__is_whole_and_needs_nothing_from_elsewhere(
    tally: Tally, run_of: Of, found: list[object]
) -> None:
    tally.findings += found
    text = page(run_of(tally))
    reader = Reader(text)
    assert reader.open == []
    assert reader.count["svg"] == 4
    assert reader.count["table"] == 4
    assert len(reader.identifiers) == len(set(reader.identifiers)) > 0
    assert reader.count["script"] == reader.count["link"] == reader.count["img"] == 0
    assert not re.search(r"https?:|src=|@import|url\((?!#)|href=\"(?!#)", text)
    assert "prefers-color-scheme: dark" in text
    # Plots are drawn in the page's colours only, which follow the scheme.
    assert not re.search(r"(fill|stroke): #", text)


def test_page__any_run__tells_every_number(tally: Tally, run_of: Of) -> None:
    tally.findings.append(finding())
    run = run_of(tally)
    words = "".join(Reader(page(run)).words)
    told = [*STATES, *run.actions, *(rule.sentence for rule in INVARIANTS)]
    told += ["market: <unhealthy> & more", "A debt of 5.", run.replay(finding().name)]
    told += [*finding().words, *run.coverage.short]
    assert [text for text in told if text not in words] == []


def test_page__a_run_that_did_nothing__is_whole_too(run_of: Of) -> None:
    assert Reader(page(run_of(Tally()))).open == []


def test_tables__any_run__tell_what_matters(tally: Tally, run_of: Of) -> None:
    tally.findings.append(finding())
    out = io.StringIO()
    show(Console(file=out, width=100), run_of(tally))
    text = out.getvalue()
    (row,) = re.findall(r"market\.borrow +(\d+) +(\d+) +(\d+)%", text)
    assert row == ("30", "39", "43")
    assert re.search(r"liquidation +2 +66\.7% +0", text)
    assert re.search(r"SOLV-1 +180 ", text)
    assert 'make fuzz ARGS="--replay build/fuzz/findings/HF-2-protocol-7-4.json"' in text
    assert "2. 600 s and 2 blocks later, looper: market.borrow(5, looper, looper)" in text
    assert text.splitlines()[-1] == "1 violation."


def test_pace__from_the_first_example_on__what_went_before_is_not_counted() -> None:
    times = iter([100.0, 100.0, 130.0, 130.5, 131.5, 132.0, 132.0])
    pace = Pace(lambda: next(times))
    assert (pace.seconds, pace.steps_per_s, pace.windows()) == (0.0, 0.0, [])
    pace.add(60)
    # Of a single example nothing better is known.
    assert pace.steps_per_s == 2.0
    for _ in range(3):
        pace.add(60)
    assert pace.seconds == 32.0
    assert pace.steps_per_s == 90.0
    assert pace.windows() == [(0.5, 60.0), (1.5, 60.0)]
    assert pace.windows(most=1) == [(1.0, 60.0)]
