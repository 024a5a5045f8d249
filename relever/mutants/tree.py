"""Scratch copies of the repository, one for each worker: nothing is ever mutated in place."""

import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from relever import artifacts
from relever.mutants import compiling

# What was set up beside them: read, never written.
_LINKS = (".parts",)
# What a test may depend on.
_RELEVANT = ("contracts", "relever", "tests", "bench", "docs")
_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc")


def make(root: Path, there: Path) -> None:
    """Make or bring up to date a copy of what the tests need."""
    there.mkdir(parents=True, exist_ok=True)
    for path in _copied(there):
        _remove(path)
    for path in _copied(root):
        if path.is_dir():
            shutil.copytree(path, there / path.name, ignore=_IGNORED)
        else:
            shutil.copy2(path, there / path.name)
    for name in _LINKS:
        (there / name).unlink(missing_ok=True)
        if (root / name).exists():
            (there / name).symlink_to(root / name)


def _copied(root: Path) -> list[Path]:
    """All but what was made or set up."""
    return sorted(p for p in root.iterdir() if p.name != "build" and not p.name.startswith("."))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def sources(root: Path) -> dict[str, str]:
    """Every Vyper file that may be mutated, by its path in the repository."""
    paths = sorted((root / "contracts").glob("**/*.vy"))
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for path in paths
        if "doubles" not in path.parts
    }


def compile_all(root: Path, there: Path, progress: Callable[[str], None]) -> None:
    """Compile every contract where that is not done, and give the copy the results."""
    names = contracts(root)
    artifacts.artifacts(names, progress)
    compiling.hand_over(names, root, there)


def contracts(root: Path) -> list[str]:
    """The names of everything that can be deployed."""
    found = (path.stem for top in artifacts.FOLDERS for path in (root / top).glob("**/*.vy"))
    return sorted(name for name in found if name[0].isupper())


def readers(root: Path) -> dict[str, list[str]]:
    """For each Vyper file the contracts that its code can be part of, the smallest first."""
    kept = compiling.entries(root)
    smallest_first = sorted(kept, key=lambda name: len(kept[name]["bytecode"]))
    found: dict[str, list[str]] = {}
    for name in smallest_first:
        for path in map(Path, kept[name]["read"]):
            if path.is_relative_to(root) and path.suffix == ".vy":
                found.setdefault(path.relative_to(root).as_posix(), []).append(name)
    return found


def digest(
    root: Path, names: Sequence[str] = _RELEVANT, leave_out: Callable[[str], bool] = lambda _: False
) -> str:
    """A hash of everything that a result rests on, but for paths that are to be left out."""
    total = hashlib.sha256()
    for name in names:
        for path in sorted((root / name).glob("**/*")):
            place = path.relative_to(root).as_posix()
            if path.is_file() and "__pycache__" not in path.parts and not leave_out(place):
                total.update(f"{place}\0".encode())
                total.update(path.read_bytes())
    return total.hexdigest()[:20]
