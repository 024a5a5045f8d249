"""The compiler, twice as fast and to the same bytes, for compiling one contract again and again.

Its optimiser looks at each finished part of the tree once for every level above it; here such a
part is remembered. The runtime code, which the creation code contains, is not made a second time.
"""

import gc
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from relever import artifacts

_OPEN = object()


def accelerate() -> None:
    """Make every compilation of this process faster; `Artifact.runtime` is empty from then on."""
    optimizer: Any = import_module("vyper.ir.optimizer")
    compiler: Any = import_module("vyper.compiler")
    optimise = optimizer._optimize

    def remembering(node: Any, parent: Any) -> tuple[bool, Any]:
        # What stands above matters to it by its value only.
        above = None if parent is None else parent.value
        if getattr(node, "settled_under", _OPEN) == above:
            return False, node
        changed, settled = optimise(node, parent)
        settled.settled_under = above
        return changed, settled

    optimizer._optimize = remembering
    compiler.OUTPUT_FORMATS["bytecode_runtime"] = lambda _: "0x"


def compiled(name: str, root: Path) -> dict[str, Any]:
    """Compile a contract of `root` and keep the result there. Raises `CompileError`."""
    with _no_collections():
        try:
            return artifacts._compile(_source(name, root), root)
        except (artifacts.CompileError, MemoryError, OSError):
            raise
        except Exception as error:  # whatever it raises at what nobody writes, like 0**36
            raise artifacts.CompileError(f"{name} breaks the compiler: {error!r}") from None


def code_of(entry: dict[str, Any]) -> str:
    """A hash of a contract's code without what the compiler says of its sources at the end."""
    code = bytes.fromhex(entry["bytecode"].removeprefix("0x"))
    length = int.from_bytes(code[-2:], "big")
    return hashlib.sha256(code[:-length]).hexdigest()[:20]


def entries(root: Path) -> dict[str, dict[str, Any]]:
    """What is kept of each contract of `root`, by name."""
    names = (path.stem for top in artifacts.FOLDERS for path in (root / top).glob("**/*.vy"))
    places = {name: artifacts._entry_path(_source(name, root), root) for name in names}
    return {name: json.loads(at.read_text()) for name, at in places.items() if at.exists()}


def hand_over(names: Sequence[str], root: Path, there: Path) -> None:
    """Give a copy of the repository what was compiled in `root`, with its own paths."""
    for name in names:
        at = artifacts._entry_path(_source(name, root), root)
        text = at.read_text()
        for top in artifacts.FOLDERS:
            text = text.replace(str(root / top), str(there / top))
        artifacts._write(
            artifacts._entry_path(there / _source(name, root).relative_to(root), there),
            json.loads(text),
        )


def _source(name: str, root: Path) -> Path:
    return next(path for top in artifacts.FOLDERS for path in (root / top).glob(f"**/{name}.vy"))


@contextmanager
def _no_collections() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
