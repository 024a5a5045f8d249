"""The table of the fast lane leaves out no contract and names no test that is not there."""

from pathlib import Path

import pytest

from relever.mutants import suite, tree

ROOT = Path(__file__).parents[3]


def test_suite__every_contract_and_module__stands_in_it_once() -> None:
    named = [path for files in suite.SUITE.values() for path in files]
    assert sorted(named) == sorted(tree.sources(ROOT))


def test_suite__every_test__is_there() -> None:
    tests = {test for files in suite.SUITE.values() for lane in files.values() for test in lane}
    assert [test for test in sorted(tests) if not (ROOT / test).exists()] == []


def test_suite__no_lane__names_a_test_twice_or_within_another() -> None:
    for files in suite.SUITE.values():
        for lane in files.values():
            inside = [a for a in lane for b in lane if a is not b and a.startswith(f"{b}/")]
            assert (len(set(lane)), inside) == (len(lane), [])


def test_chosen__layer_contract_module_or_path__is_found() -> None:
    market = list(suite.SUITE["market"])
    assert suite.chosen(["market"]) == market
    assert suite.chosen(["health"]) == ["contracts/modules/health.vy"]
    assert suite.chosen(["LRTVault.vy"]) == ["contracts/vault/LRTVault.vy"]
    assert suite.chosen(["contracts/lens/Lens.vy", "checks"]) == [
        "contracts/modules/checks.vy",
        "contracts/lens/Lens.vy",
    ]
    assert len(suite.chosen(["all"])) == len(tree.sources(ROOT))


def test_chosen__unknown_name__says_what_there_is() -> None:
    with pytest.raises(suite.UnknownFile, match="nonsense is neither a layer"):
        suite.chosen(["market", "nonsense"])


@pytest.mark.parametrize(
    ("test", "kind"),
    [
        ("tests/unit/market/test_borrow.py::test_a", "unit test"),
        ("tests/properties/test_market_machine.py::test_a", "invariant"),
        ("tests/properties/test_market_model.py::test_a[1-2]", "model"),
        ("tests/properties/test_health.py::test_a", "property"),
        ("tests/attacks/test_depeg.py::test_a", "attack"),
    ],
)
def test_kind_of__test__is_told_by_its_place(test: str, kind: str) -> None:
    assert suite.kind_of(test) == kind
