"""Deliberately broken variants of our contracts, each with the flaw of a known incident.

A replica is a small patch under `tests/replicas`, whose header says what is broken. It is applied
to a copy of the sources under `build/replicas`, never in place, and compiled there once.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from relever import artifacts
from relever.fuzz import patch
from relever.mutants import compiling

PATCHES = artifacts.ROOT / "tests" / "replicas"
COPIES = artifacts.ROOT / "build" / "replicas"
_FIELDS = ("Incident", "Flaw", "Invariants", "Attack")


class ReplicaError(Exception):
    """A replica is unknown, or its patch is wrong; says which, why and what to do."""


@dataclass(frozen=True)
class Replica:
    """A variant of the contracts.

    `number` is the incident's, `invariants` are the IDs of those that a campaign should see broken,
    `attack` is the shortest known way to that, step by step.
    """

    number: int
    name: str
    incident: str
    flaw: str
    invariants: tuple[str, ...]
    attack: tuple[str, ...]
    diff: str

    def __str__(self) -> str:
        return f"{self.number:02}_{self.name}"


def replicas(folder: Path = PATCHES) -> dict[int, Replica]:
    """All of them, by number. Raises `ReplicaError`."""
    found = [read(path) for path in sorted(folder.glob("*.patch"))]
    return {replica.number: replica for replica in found}


def read(path: Path) -> Replica:
    """One patch and what its header says. Raises `ReplicaError`."""
    diff = path.read_text(encoding="utf-8")
    number, _, name = path.stem.partition("_")
    fields: dict[str, str] = {}
    field = ""
    for line in patch.header(diff).splitlines():
        word, colon, rest = line.partition(": ")
        if colon and word in _FIELDS:
            field, line = word, rest
        fields[field] = f"{fields.get(field, '')} {line.strip()}".strip()
    missing = [field for field in _FIELDS if not fields.get(field)]
    if not number.isdecimal() or not name or missing or "" in fields:
        raise ReplicaError(
            f"{path.name} must be named NN_short_name.patch and begin with lines"
            f" {', '.join(f'{field}: ...' for field in _FIELDS)}"
            f" (missing: {', '.join(missing) or 'none'})"
        )
    return Replica(
        int(number),
        name,
        fields["Incident"],
        fields["Flaw"],
        tuple(fields["Invariants"].split(", ")),
        tuple(fields["Attack"].split("; ")),
        diff,
    )


def prepare(
    wanted: Iterable[Replica], progress: Callable[[str], None] | None = None
) -> dict[int, Path]:
    """Write the patched sources and compile what differs, side by side.

    Args:
        progress: is told each contract that had to be compiled, when it is done.

    Returns:
        The folder of each, by number, for `artifacts.sources`.

    Raises:
        ReplicaError: a patch does not apply.
        CompileError: a replica does not compile.
    """
    names = _contracts()
    artifacts.artifacts(names)
    compiled = compiling.entries(artifacts.ROOT)
    sources = _sources()
    roots: dict[int, Path] = {}
    cold: list[tuple[str, Path]] = []
    for replica in wanted:
        root = roots[replica.number] = COPIES / f"{replica}"
        changed = _write_sources(replica, sources, root)
        with artifacts.sources(root):
            missing = [name for name in names if artifacts._cached(artifacts._find(name)) is None]
        same = [name for name in missing if changed.isdisjoint(compiled[name]["read"])]
        compiling.hand_over(same, artifacts.ROOT, root)
        cold += [(name, root) for name in missing if name not in same]
    if cold:
        _compile(cold, progress)
    return roots


@contextmanager
def deploying(number: int) -> Iterator[Replica]:
    """Inside, whatever is deployed comes from this replica's sources.

    Raises:
        ReplicaError: there is none of this number, or its patch does not apply.
        CompileError: it does not compile.
    """
    known = replicas()
    if number not in known:
        raise ReplicaError(
            f"there is no replica {number}: take one of {', '.join(map(str, known))}"
        )
    (root,) = prepare([known[number]]).values()
    with artifacts.sources(root):
        yield known[number]


def _contracts() -> list[str]:
    """Everything that can be deployed."""
    found = (path.stem for path in (artifacts.ROOT / "contracts").glob("**/*.vy"))
    return sorted(name for name in found if name[0].isupper())


def _sources() -> dict[str, str]:
    """What the contracts and the doubles of the tests are made of, by path."""
    return {
        path.relative_to(artifacts.ROOT).as_posix(): path.read_text(encoding="utf-8")
        for folder in artifacts.FOLDERS
        for path in (artifacts.ROOT / folder).glob("**/*.vy*")
    }


def _write_sources(replica: Replica, sources: dict[str, str], root: Path) -> set[str]:
    """Bring the copy up to date; returns the originals of the files that the patch changes."""
    try:
        changed = patch.apply(replica.diff, sources)
    except patch.PatchError as error:
        raise ReplicaError(f"tests/replicas/{replica}.patch: {error}") from None
    wanted = {root / path: text for path, text in (sources | changed).items()}
    for folder in artifacts.FOLDERS:
        for path in (root / folder).glob("**/*.vy*"):
            if path not in wanted:
                path.unlink()
    for path, text in wanted.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            _write(path, text)
    return {str(artifacts.ROOT / path) for path in changed}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Moved in whole, so that another process never reads half of it.
    handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(draft, path)


def _compile(wanted: list[tuple[str, Path]], progress: Callable[[str], None] | None = None) -> None:
    workers = min(len(wanted), os.cpu_count() or 1)
    # In processes of their own, for what makes the compiler faster stays in place.
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=compiling.accelerate
    ) as pool:
        jobs = {
            pool.submit(compiling.compiled, name, root): f"{root.name} {name}"
            for name, root in wanted
        }
        try:
            for job in as_completed(jobs):
                job.result()
                if progress is not None:
                    progress(jobs[job])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
