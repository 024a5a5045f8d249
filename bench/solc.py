"""Peers' contracts compiled from their npm sources by npm's solc, cached under build/bench/solc.

What is cached depends on every source that goes in, the settings and the compiler: with any of them
changed, the contract is compiled again.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import re
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from relever.artifacts import Artifact, CompileError, artifact_from_json
from relever.parts import PartError, manifest, node_binary, npm_folder

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / "build" / "bench" / "solc"
OWN = "bench/solidity"
_DRIVER = ROOT / OWN / "compile.js"
_TIMEOUT = 600  # seconds; the largest takes about 20
_IMPORT = re.compile(r"^import\b[^;\"']*[\"']([^\"']+)[\"']\s*;", re.M)


@dataclass(frozen=True)
class Solidity:
    """One contract and how its authors, or those who use it, compile it; always via IR.

    Attributes:
        unit: the source, named like an import: an npm part and a path in it, or one of our own.
        name: the contract in it.
        solc: the part that is the compiler.
        evm: the EVM version.
        runs: what the optimizer assumes.
        pragma: a version pragma of the sources and the one to read in its place; for sources whose
            authors compile them with an older compiler than their packager's pragma admits.
    """

    unit: str
    name: str
    solc: str
    evm: str
    runs: int
    pragma: tuple[str, str] | None = None


def compiled(
    contracts: Sequence[Solidity], progress: Callable[[str], None] | None = None
) -> list[Artifact]:
    """The contracts, compiled side by side where not cached.

    Args:
        contracts: what to compile.
        progress: is told each name that had to be compiled, when it is done.

    Raises:
        CompileError: for the first that does not compile.
        PartError: a source or the compiler is not there.
    """
    inputs = {contract: _standard_json(contract) for contract in contracts}
    files = {contract: _cache_file(contract, content) for contract, content in inputs.items()}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {
            pool.submit(_compile, contract, inputs[contract], file): contract.name
            for contract, file in files.items()
            if not _is_cached(contract.name, file)
        }
        try:
            for job in as_completed(jobs):
                job.result()
                if progress is not None:
                    progress(jobs[job])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [_load(contract.name, files[contract]) for contract in contracts]


def sources(contract: Solidity) -> dict[str, str]:
    """Every source that the contract imports, itself too, by its name.

    Raises:
        PartError: one of them is not there.
    """
    found: dict[str, str] = {}
    wanted = [contract.unit]
    while wanted:
        unit = wanted.pop()
        if unit in found:
            continue
        text = _text(unit)
        if contract.pragma is not None:
            packed, written = contract.pragma
            text = text.replace(f"pragma solidity {packed};", f"pragma solidity {written};")
        found[unit] = text
        wanted += [_resolve(unit, path) for path in _IMPORT.findall(text)]
    return found


def _resolve(unit: str, path: str) -> str:
    if not path.startswith("."):
        return path
    return posixpath.normpath(posixpath.join(posixpath.dirname(unit), path))


def _text(unit: str) -> str:
    file = (ROOT if unit.startswith(f"{OWN}/") else npm_folder("")) / unit
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PartError(f"a source is missing ({file}): run `make bench-gas`") from None


def _standard_json(contract: Solidity) -> str:
    outputs = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]
    return json.dumps(
        {
            "language": "Solidity",
            "sources": {
                unit: {"content": text} for unit, text in sorted(sources(contract).items())
            },
            "settings": {
                "evmVersion": contract.evm,
                "metadata": {"bytecodeHash": "none"},
                "optimizer": {"enabled": True, "runs": contract.runs},
                "outputSelection": {contract.unit: {contract.name: outputs}},
                "viaIR": True,
            },
        }
    )


def _cache_file(contract: Solidity, content: str) -> Path:
    packages = manifest().npm | manifest().bench
    compiler = packages[contract.solc].integrity
    key = hashlib.sha256(f"{compiler}\n{contract.name}\n{content}".encode()).hexdigest()[:16]
    return CACHE / f"{contract.name}-{key}.json"


def _is_cached(name: str, file: Path) -> bool:
    try:
        _load(name, file)
    except (OSError, ValueError, KeyError, TypeError):
        # No entry, or one cut short by hand: compile.
        return False
    return True


def _load(name: str, file: Path) -> Artifact:
    entry = json.loads(file.read_bytes())
    code, runtime = entry["evm"]["bytecode"], entry["evm"]["deployedBytecode"]
    return artifact_from_json(name, entry["abi"], code["object"], runtime["object"])


def _compile(contract: Solidity, content: str, file: Path) -> None:
    compiler = npm_folder(contract.solc) / "soljson.js"
    if not compiler.is_file():
        raise PartError(f"a compiler is missing ({compiler}): run `make bench-gas`")
    try:
        done = subprocess.run(
            [node_binary(), _DRIVER, compiler],
            input=content,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=True,
        )
        output = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise CompileError(f"{contract.name}: {contract.solc} took over {_TIMEOUT} s") from None
    except (subprocess.CalledProcessError, ValueError) as error:
        said = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
        raise CompileError(f"{contract.name}: {contract.solc} failed: {said.strip()}") from None
    for problem in output.get("errors", []):
        if problem["severity"] == "error":
            raise CompileError(f"{contract.name}: {problem['formattedMessage'].strip()}")
    entry = output["contracts"][contract.unit][contract.name]
    file.parent.mkdir(parents=True, exist_ok=True)
    # Moved in whole, so that another process never reads half of it.
    draft = file.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(entry), encoding="utf-8")
    draft.replace(file)
