"""Peers' sources and what is cached of them, with a stand-in for the compiler and Node.js."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bench import solc
from bench.solc import Solidity, compiled, sources
from relever.artifacts import CompileError
from relever.parts import PartError, manifest

VAULT = Solidity("vaults/src/Vault.sol", "Vault", "solc-0.8.26", "cancun", 200)
COMPILED = {
    "contracts": {
        VAULT.unit: {
            "Vault": {
                "abi": [{"type": "function", "name": "deposit"}],
                "evm": {
                    "bytecode": {"object": "6001"},
                    "deployedBytecode": {"object": "6002"},
                },
            }
        }
    }
}


class Bench:
    """Parts with one contract and its imports, and a compiler that answers what it is told to."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.source(
            "vaults/src/Vault.sol", 'import {\n    Math,\n    WAD\n} from "../lib/Math.sol";'
        )
        self.source("vaults/lib/Math.sol", 'import "@tokens/all/ERC20.sol";')
        self.source("@tokens/all/ERC20.sol", "contract ERC20 {}")
        self.source("solc-0.8.26/soljson.js", "")
        self.answers(f"cat {self._answer()}")

    def source(self, unit: str, text: str) -> None:
        file = self.root / "npm" / unit
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"pragma solidity ^0.8.20;\n{text}\n")

    def answers(self, script: str, **errors: object) -> None:
        self._answer().write_text(json.dumps(COMPILED | errors))
        node = self.root / "node"
        node.write_text(
            f"#!/bin/sh\ncat >> {self.root}/asked; echo >> {self.root}/asked\n{script}\n"
        )
        node.chmod(0o755)

    def fails(self, *problems: dict[str, str]) -> None:
        """Let the compiler find problems, each with a severity and a message."""
        self.answers(f"cat {self._answer()}", errors=problems)

    def asked(self) -> list[dict[str, object]]:
        """What the compiler was given, each time that it ran."""
        log = self.root / "asked"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def _answer(self) -> Path:
        return self.root / "answer.json"


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(solc, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(solc, "npm_folder", lambda name: tmp_path / "npm" / name)
    monkeypatch.setattr(solc, "node_binary", lambda: tmp_path / "node")
    return Bench(tmp_path)


# --- sources ---


def test_sources__imports__are_followed_within_and_across_packages(bench: Bench) -> None:
    assert sorted(sources(VAULT)) == [
        "@tokens/all/ERC20.sol",
        "vaults/lib/Math.sol",
        "vaults/src/Vault.sol",
    ]


def test_sources__pragma_to_replace__is_replaced_in_all(bench: Bench) -> None:
    older = replace(VAULT, pragma=("^0.8.20", "^0.8.19"))
    for text in sources(older).values():
        assert text.startswith("pragma solidity ^0.8.19;\n")


def test_sources__import_not_there__says_which_and_what_to_run(bench: Bench) -> None:
    (bench.root / "npm/@tokens/all/ERC20.sol").unlink()
    with pytest.raises(PartError, match=r"source is missing .*ERC20\.sol.*`make bench-gas`"):
        sources(VAULT)


def test_sources__of_our_own__are_in_the_repository() -> None:
    vault = Solidity(f"{solc.OWN}/OpenZeppelinVault.sol", "OpenZeppelinVault", "-", "cancun", 1)
    assert "contract OpenZeppelinVault is ERC4626" in solc._text(vault.unit)


# --- compiling ---


def test_compiled__first_time__gives_the_contract_and_tells_its_name(bench: Bench) -> None:
    told: list[str] = []
    (vault,) = compiled([VAULT], told.append)
    assert told == ["Vault"]
    assert (vault.name, vault.bytecode, vault.runtime) == ("Vault", b"\x60\x01", b"\x60\x02")
    assert vault.abi == [{"type": "function", "name": "deposit"}]
    (asked,) = bench.asked()
    assert asked["settings"] == {
        "evmVersion": "cancun",
        "metadata": {"bytecodeHash": "none"},
        "optimizer": {"enabled": True, "runs": 200},
        "outputSelection": {
            VAULT.unit: {"Vault": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]}
        },
        "viaIR": True,
    }


def test_compiled__again__comes_from_the_cache(bench: Bench) -> None:
    first = compiled([VAULT])
    told: list[str] = []
    assert compiled([VAULT], told.append) == first
    assert told == []
    assert len(bench.asked()) == 1


def _another_source(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Solidity:
    bench.source("@tokens/all/ERC20.sol", "contract ERC20 { uint256 supply; }")
    return VAULT


def _another_setting(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Solidity:
    return replace(VAULT, runs=999_999)


def _another_compiler(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Solidity:
    pinned = manifest()
    other = pinned.bench["solc-0.8.26"]._replace(integrity="sha512-another")
    changed = pinned._replace(bench=pinned.bench | {"solc-0.8.26": other})
    monkeypatch.setattr(solc, "manifest", lambda: changed)
    return VAULT


def _broken_entry(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Solidity:
    (entry,) = solc.CACHE.iterdir()
    entry.write_text(entry.read_text()[:-1])
    return VAULT


def _foreign_entry(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Solidity:
    (entry,) = solc.CACHE.iterdir()
    entry.write_text("{}")
    return VAULT


@pytest.mark.parametrize(
    "change",
    [_another_source, _another_setting, _another_compiler, _broken_entry, _foreign_entry],
)
def test_compiled__something_changed__compiles_again(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Bench, pytest.MonkeyPatch], Solidity],
) -> None:
    first = compiled([VAULT])
    assert compiled([change(bench, monkeypatch)]) == first
    assert len(bench.asked()) == 2


def test_compiled__source_in_error__says_where_and_caches_nothing(bench: Bench) -> None:
    bench.fails({"severity": "error", "formattedMessage": "TypeError: no such token\n --> V.sol"})
    with pytest.raises(CompileError, match=r"^Vault: TypeError: no such token\n --> V\.sol$"):
        compiled([VAULT])
    bench.fails({"severity": "warning", "formattedMessage": "unused"})
    assert [found.name for found in compiled([VAULT])] == ["Vault"]


def test_compiled__compiler_dies__says_what_it_said(bench: Bench) -> None:
    bench.answers("echo out of memory >&2; exit 134")
    with pytest.raises(CompileError, match=r"^Vault: solc-0\.8\.26 failed: out of memory$"):
        compiled([VAULT])


def test_compiled__compiler_says_no_json__says_so(bench: Bench) -> None:
    bench.answers("echo Segmentation fault")
    with pytest.raises(CompileError, match=r"^Vault: solc-0\.8\.26 failed: Expecting value"):
        compiled([VAULT])


def test_compiled__compiler_not_there__says_what_to_run(bench: Bench) -> None:
    (bench.root / "npm/solc-0.8.26/soljson.js").unlink()
    with pytest.raises(PartError, match=r"compiler is missing .*soljson\.js.*`make bench-gas`"):
        compiled([VAULT])
