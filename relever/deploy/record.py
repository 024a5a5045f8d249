"""What was deployed, on disk before it is sent, so that nothing is deployed twice.

One JSON file, always whole: it is replaced at once, never written into. A transaction is in it
before it is sent, signed, so that whoever goes on can ask for it, or send the very same again.
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak

from relever.artifacts import EVM_VERSION, version
from relever.chain import Chain
from relever.deploy.plan import Plan

FORMAT = 1


class RecordError(Exception):
    """The record is damaged, in use, or of something else; says what to do."""


@dataclass
class Attempt:
    """One signed transaction; `raw` goes once it is final. Prices in wei per gas."""

    hash: str
    raw: str
    gas: int
    fee: int
    tip: int
    block: int


@dataclass
class Entry:
    """What became of one step: all attempts have its nonce, so that one is mined at most.

    Attributes:
        found: it was done already, by no transaction that is known.
        block: where it was mined, 0 when not.
        final: so deep that it stays.
    """

    nonce: int = -1
    attempts: list[Attempt] = field(default_factory=list)
    found: bool = False
    hash: str = ""
    block: int = 0
    block_hash: str = ""
    time: int = 0
    gas_used: int = 0
    fee_wei: int = 0
    final: bool = False

    @property
    def mined(self) -> bool:
        return self.block > 0


class Record:
    """One deployment. Made by `opened`, which holds its lock."""

    def __init__(self, path: Path, about: dict[str, Any]) -> None:
        self.path = path
        self.about = about
        self.steps: dict[str, Entry] = {}
        self.codes: dict[str, str] = {}
        self.finished = False

    def keep(self) -> None:
        """Put it on disk, whole, before anything else happens."""
        write(self.path, self.document())

    def document(self) -> dict[str, Any]:
        """The file's content."""
        contracts = {
            name: {
                **contract,
                # Without the time of creation, which leveraged tokens hold.
                "code_keccak": self.codes.get(name),
                **self._transaction(name, contract["step"]),
            }
            for name, contract in self.about["contracts"].items()
        }
        mined = [entry.block for entry in self.steps.values() if entry.mined]
        return {
            **self.about,
            "contracts": contracts,
            "start_block": min(mined, default=0),
            "finished": self.finished,
            "steps": {name: asdict(entry) for name, entry in self.steps.items()},
        }

    def _transaction(self, name: str, step: str) -> dict[str, Any]:
        entry = self.steps.get(step, Entry())
        return {"transaction": entry.hash or None, "block": entry.block or None}


def write(path: Path, document: dict[str, Any]) -> None:
    """Replace a JSON file at once: whoever is killed leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def genesis(chain: Chain) -> str:
    """The hash of a chain's first block, which two chains of one id do not share."""
    return str(chain.rpc("eth_getBlockByNumber", ["0x0", False])["hash"])


def describe(plan: Plan, network: str, first_block: str) -> dict[str, Any]:
    """All that is known of a deployment before it begins."""
    steps = {step.creation.name: step.name for step in plan.steps if step.creation is not None}
    contracts = {
        name: {
            "kind": creation.artifact.name,
            "address": creation.address,
            "arguments": plain(creation.arguments),
            "salt": None if creation.salt is None else "0x" + creation.salt.hex(),
            "source_sha256": creation.artifact.source_sha256,
            "creation_keccak": "0x" + keccak(creation.code).hex(),
            "step": steps[name],
        }
        for name, creation in plan.creations.items()
    }
    contracts["market"] = {
        "kind": "LendingMarket",
        "address": plan.book["market"],
        "arguments": plain(plan.market_arguments()),
        "salt": None,
        "source_sha256": plan.creations["blueprint"].artifact.source_sha256,
        "creation_keccak": contracts["blueprint"]["creation_keccak"],
        "step": "factory",
    }
    return {
        "format": FORMAT,
        "network": network,
        "chain_id": plan.settings.network.chain_id,
        "genesis": first_block,
        "deployer": plan.deployer,
        "compiler": {
            "vyper": version("vyper"),
            "snekmate": version("snekmate"),
            "evm_version": EVM_VERSION,
            # As the sources' pragmas leave it.
            "optimize": "gas",
            "experimental_codegen": False,
        },
        "settings": plan.settings.text(),
        "addresses": dict(plan.book),
        "contracts": contracts,
    }


def lasting(document: dict[str, Any]) -> dict[str, Any]:
    """A record without hashes of blocks and transactions, numbers, times and gas."""
    return {
        **{key: one for key, one in document.items() if key not in ("genesis", "start_block")},
        "contracts": {
            name: {key: one for key, one in part.items() if key not in ("transaction", "block")}
            for name, part in document["contracts"].items()
        },
        "steps": {
            name: {"nonce": one["nonce"], "found": one["found"], "final": one["final"]}
            for name, one in document["steps"].items()
        },
    }


def plain(value: Any) -> Any:
    """As JSON gives it back."""
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return value


@contextmanager
def opened(path: Path, about: dict[str, Any]) -> Iterator[Record]:
    """The record at a path, begun or gone on with; nobody else has it meanwhile.

    Args:
        about: what `describe` says now: it must be what it said at the beginning.

    Raises:
        RecordError: it is in use, damaged, or of another deployment.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / f".{path.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RecordError(
                f"{path} is in use by another deployment: wait for it to end"
            ) from None
        record = Record(path, about)
        if path.exists():
            _take_up(record, read(path))
        yield record


def read(path: Path) -> dict[str, Any]:
    """A record's content. Raises `RecordError`."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        fits = document["format"] == FORMAT
        if fits and not all(isinstance(document[key], dict) for key in ("contracts", "steps")):
            raise TypeError("its contracts or steps are no objects")
    except FileNotFoundError:
        raise RecordError(f"there is no record {path}: deploy first, or name another") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordError(
            f"{path} is no record of a deployment ({error}): move it away, and run again: what "
            "stands already is found by its address"
        ) from None
    if not fits:
        raise RecordError(f"{path} has format {document['format']}, not {FORMAT}")
    found: dict[str, Any] = document
    return found


def _take_up(record: Record, document: dict[str, Any]) -> None:
    path = record.path
    for key, now in record.about.items():
        then = document.get(key)
        if key == "contracts":
            then = {
                name: {part: one.get(part) for part in now.get(name, one)}
                for name, one in (then or {}).items()
            }
        if then != now:
            raise RecordError(
                f"{path} is of another deployment: {_first_difference(key, then, now)}. Go on with "
                "what it was begun with, or name another record; a second deployment by the same "
                "account takes another salt in the network's file"
            )
    try:
        record.steps = {
            name: Entry(**{**one, "attempts": [Attempt(**raw) for raw in one["attempts"]]})
            for name, one in document["steps"].items()
        }
        record.codes = {
            name: one["code_keccak"]
            for name, one in document["contracts"].items()
            if one["code_keccak"] is not None
        }
        record.finished = document["finished"]
    except (KeyError, TypeError) as error:
        raise RecordError(f"{path} is damaged ({error}): move it away, and run again") from None


def _first_difference(where: str, then: Any, now: Any) -> str:
    if isinstance(then, dict) and isinstance(now, dict):
        for key in [*now, *then]:
            if then.get(key) != now.get(key):
                return _first_difference(f"{where}.{key}", then.get(key), now.get(key))
    return f"{where} was {then!r:.100} and is {now!r:.100}"
