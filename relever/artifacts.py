"""Compiled contracts: Vyper in process, cached under build/artifacts.

A cached result is used only while every file that the compiler read still has the same content
and every place where it looked in vain is still empty, so a change in a module or an interface
recompiles whatever imports it, and only that.
"""

import hashlib
import importlib.util
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module, metadata
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
EVM_VERSION = "cancun"
FOLDERS = ("contracts", "tests/doubles")
# Looked up once: it parses all that the package says of itself.
version = cache(metadata.version)


class CompileError(Exception):
    """A contract is missing, ambiguous, or does not compile; says which file and why."""


@dataclass(frozen=True)
class Artifact:
    """A compiled contract: creation and runtime code, the latter without immutables.

    `storage` has the slot of each of our variables, a module's with its module before it, as in
    `erc20.balanceOf`; `source_sha256` is of everything that the compiler read for it.
    """

    name: str
    abi: list[dict[str, Any]]
    bytecode: bytes
    runtime: bytes
    source_path: Path | None
    storage: dict[str, int] = field(default_factory=dict)
    source_sha256: str = ""


def artifact(name: str) -> Artifact:
    """The contract `name`, from contracts/**/name.vy or tests/doubles/**/name.vy.

    The same object each time within one process while its sources stay the same. Raises
    `CompileError`.
    """
    source = _find(name)
    entry = _cached(source)
    if entry is None:
        entry = _compile(source, ROOT)
    return _loaded(name, source, entry)


def artifacts(
    names: Sequence[str], progress: Callable[[str], None] | None = None
) -> dict[str, Artifact]:
    """Many contracts at once, compiled side by side where not cached.

    `progress` is told each name that had to be compiled, when it is done. Raises
    `CompileError` for the first that fails.
    """
    sources = {name: _find(name) for name in dict.fromkeys(names)}
    cold = [name for name, source in sources.items() if _cached(source) is None]
    workers = min(len(cold), os.cpu_count() or 1)
    if workers > 1:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            jobs = {pool.submit(_compile, sources[name], ROOT): name for name in cold}
            try:
                for job in as_completed(jobs):
                    job.result()
                    if progress is not None:
                        progress(jobs[job])
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    elif cold:
        _compile(sources[cold[0]], ROOT)
        if progress is not None:
            progress(cold[0])
    return {name: artifact(name) for name in sources}


@contextmanager
def sources(root: Path) -> Iterator[None]:
    """Inside, contracts come from another copy of the sources, laid out like the repository."""
    global ROOT
    before, ROOT = ROOT, root
    try:
        yield
    finally:
        ROOT = before


def artifact_from_json(
    name: str,
    abi: Sequence[dict[str, Any]],
    bytecode: str | bytes,
    runtime: str | bytes = b"",
) -> Artifact:
    """A contract that was compiled elsewhere; code as bytes or hex. Raises `CompileError`."""
    return Artifact(name, list(abi), _code(name, bytecode), _code(name, runtime), None)


def _code(name: str, code: str | bytes) -> bytes:
    if isinstance(code, bytes):
        return code
    try:
        return bytes.fromhex(code.removeprefix("0x"))
    except ValueError as error:
        raise CompileError(
            f"{name}: its code is no plain hex ({error}): link its libraries first"
        ) from error


def _find(name: str) -> Path:
    found = sorted(path for top in FOLDERS for path in (ROOT / top).glob(f"**/{name}.vy"))
    if len(found) == 1:
        return found[0]
    if not found:
        raise CompileError(f"there is no {name}.vy under {' or '.join(FOLDERS)}: check the name")
    places = ", ".join(str(path.relative_to(ROOT)) for path in found)
    raise CompileError(f"{name} is ambiguous: {places}: give one of them another name")


_memory: dict[Path, tuple[str, Artifact]] = {}


def _loaded(name: str, source: Path, entry: dict[str, Any]) -> Artifact:
    digest = _digest(json.dumps(entry, sort_keys=True).encode())
    known = _memory.get(source)
    if known is None or known[0] != digest:
        known = _memory[source] = (
            digest,
            Artifact(
                name,
                entry["abi"],
                bytes.fromhex(entry["bytecode"][2:]),
                bytes.fromhex(entry["runtime"][2:]),
                source,
                entry["storage"],
                # Not the paths, which are another machine's elsewhere.
                _digest("".join(sorted(entry["read"].values())).encode()),
            ),
        )
    return known[1]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _entry_path(source: Path, root: Path) -> Path:
    # The root too: the entry names files by their whole path, and a copy of the folder has its own.
    settings = f"{root} {source.relative_to(root)} {EVM_VERSION} {version('vyper')}"
    key = _digest(settings.encode())[:16]
    return root / "build" / "artifacts" / f"{source.stem}-{key}.json"


def _cached(source: Path) -> dict[str, Any] | None:
    try:
        entry: dict[str, Any] = json.loads(_entry_path(source, ROOT).read_bytes())
        if "storage" not in entry:
            return None
        for path, digest in entry["read"].items():
            if _digest(Path(path).read_text().encode()) != digest:
                return None
        if any(os.path.lexists(path) for path in entry["missed"]):
            return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # No entry, or one cut short by hand: compile.
        return None
    return entry


def _compile(source: Path, root: Path) -> dict[str, Any]:
    # The root is given, since another process may do this.
    # Imported here, since it takes a second and a cached contract needs none of it; by name, since
    # Vyper has no types to check against.
    compiler, bundles, settings, exceptions = (
        import_module(f"vyper.{name}")
        for name in ("compiler", "compiler.input_bundle", "compiler.settings", "exceptions")
    )
    read: dict[str, str] = {}
    missed: set[str] = set()

    bundle = bundles.FilesystemInputBundle([_site_packages(), root / "contracts"])
    resolve, load = bundle._normalize_path, bundle._load_from_path

    def resolve_and_note(path: Path) -> Path:
        try:
            resolved: Path = resolve(path)
        except Exception:  # noted and raised again, whatever the compiler raises
            missed.add(str(path))
            raise
        return resolved

    def load_and_note(resolved: Path, asked: Path) -> Any:
        loaded = load(resolved, asked)
        read[str(resolved)] = _digest(loaded.contents.encode())
        return loaded

    bundle._normalize_path, bundle._load_from_path = resolve_and_note, load_and_note
    try:
        out = compiler.compile_from_file_input(
            bundle.load_file(source),
            input_bundle=bundle,
            settings=settings.Settings(evm_version=EVM_VERSION),
            output_formats=["abi", "bytecode", "bytecode_runtime", "layout"],
        )
    except (exceptions.VyperException, SyntaxError, OSError, UnicodeDecodeError) as error:
        raise CompileError(f"{source.relative_to(root)} does not compile:\n{error}") from None
    entry = {
        "abi": out["abi"],
        "bytecode": out["bytecode"],
        "runtime": out["bytecode_runtime"],
        "storage": dict(_slots(out["layout"].get("storage_layout", {}))),
        "read": read,
        "missed": sorted(missed),
    }
    _write(_entry_path(source, root), entry)
    return entry


def _slots(layout: dict[str, Any], module: str = "") -> Iterator[tuple[str, int]]:
    for name, found in layout.items():
        if "slot" in found:
            yield module + name, found["slot"]
        else:
            yield from _slots(found, f"{module}{name}.")


def _site_packages() -> Path:
    found = importlib.util.find_spec("snekmate")
    if found is None or not found.submodule_search_locations:
        raise CompileError("snekmate is not installed: run make first, in this environment")
    return Path(next(iter(found.submodule_search_locations))).parent


def _write(path: Path, entry: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Moved in whole, so that another process never reads half of it.
    handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "w") as file:
        json.dump(entry, file)
    os.replace(draft, path)
