"""What was sent, on disk before it is sent, so that a restart acts on nothing twice.

One line a change, only ever added to, and on the disk before anything is sent: a transaction that
is not in the journal was never sent. All attempts at one nonce stand in one entry, and of them the
chain takes one at most.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

# How long final entries are kept, for sums of a day.
_KEPT_SECONDS = 2 * 86_400
# An attempt that only uses the nonce up.
CANCEL = "cancel"


class JournalError(Exception):
    """The journal is another's, in use, or damaged; says what to do."""


@dataclass(frozen=True)
class Attempt:
    """One signed transaction.

    Attributes:
        kind: what it does, with `target` to whom: for both together one is under way at a time.
        call: the request that it makes, as JSON-RPC takes it.
        profit: what it must bring on chain or fail, in wei.
        hash: the transaction's.
        raw: the transaction, signed.
        gas: its limit.
        fee: most wei per gas, tip included.
        tip: wei per gas.
        block: number of the head when it was sent.
        time: the head's, in seconds.
    """

    kind: str
    target: str
    call: dict[str, str]
    profit: int
    hash: str
    raw: str
    gas: int
    fee: int
    tip: int
    block: int
    time: int


@dataclass
class Entry:
    """One nonce.

    Attributes:
        attempts: the later ones replace the earlier, though one of these may win.
        idle: no node has it any more, as far as can be seen: its nonce can be used anew.
        mined: the hash of the attempt that is in a block; `block` is its number.
        cost: gas spent, in wei; `failed` when for nothing.
    """

    nonce: int
    attempts: list[Attempt] = field(default_factory=list)
    idle: bool = False
    mined: str = ""
    block: int = 0
    cost: int = 0
    failed: bool = False

    @property
    def last(self) -> Attempt:
        return self.attempts[-1]

    @property
    def in_flight(self) -> bool:
        """Sent, and neither mined nor lost."""
        return not self.idle and not self.mined

    @property
    def winner(self) -> Attempt:
        """The attempt that was mined."""
        return next(one for one in self.attempts if one.hash == self.mined)


class Journal:
    """The entries of one account on one chain; held by one process at a time."""

    def __init__(self, folder: Path, account: str, chain: str) -> None:
        """Open or begin it.

        Args:
            folder: for it alone.
            account: the sender.
            chain: what tells the chain from others.

        Raises:
            JournalError: another process holds it, or it is of another account or chain.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "journal.jsonl"
        self._entries: dict[int, Entry] = {}
        self._done: list[Entry] = []
        # The first nonce that is not used for ever; -1 before any.
        self.settled = -1
        self._lock = (folder / "lock").open("w")
        try:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise JournalError(f"{folder} is in use: give each keeper its own") from error
            owner = {"account": account, "chain": chain}
            self._replay(owner)
            self._forget()
            self._rewrite(owner)
            self._file: IO[str] = self._path.open("a", encoding="utf-8")
        except BaseException:
            self._lock.close()
            raise

    def close(self) -> None:
        """Let another process have it."""
        self._file.close()
        self._lock.close()

    # Reading

    @property
    def entries(self) -> list[Entry]:
        """All that are not final, by nonce."""
        return [self._entries[nonce] for nonce in sorted(self._entries)]

    @property
    def in_flight(self) -> list[Entry]:
        """Those that are sent and not mined, by nonce."""
        return [one for one in self.entries if one.in_flight]

    def busy(self, kind: str, target: str) -> bool:
        """Whether an act is sent and not mined."""
        return any(
            (attempt.kind, attempt.target) == (kind, target)
            for entry in self.in_flight
            for attempt in entry.attempts
        )

    def free_nonce(self, chain_nonce: int) -> int:
        """The lowest from the chain's on for which nothing is in flight."""
        nonce = chain_nonce
        while (entry := self._entries.get(nonce)) is not None and entry.in_flight:
            nonce += 1
        return nonce

    def spent(self, since: int, kinds: Collection[str]) -> int:
        """Wei of gas since a time in seconds, for acts of these kinds."""
        return sum(one.cost for one in self._mined_since(since) if one.winner.kind in kinds)

    def wasted(self, since: int, kind: str) -> int:
        """Wei of gas since a time in seconds, of what failed of a kind."""
        failed = [one for one in self._mined_since(since) if one.failed]
        return sum(one.cost for one in failed if one.winner.kind == kind)

    def failures(self, target: str, since: int) -> list[Entry]:
        """What failed on a target since a time in seconds."""
        mined = self._mined_since(since)
        return [one for one in mined if one.failed and one.winner.target == target]

    def _mined_since(self, since: int) -> list[Entry]:
        every = [*self._done, *self._entries.values()]
        return [one for one in every if one.mined and one.winner.time >= since]

    # Writing

    def sending(self, nonce: int, attempt: Attempt) -> None:
        """The first attempt at a nonce, or one that replaces; `keep` before it is sent."""
        self._write("sending", {"nonce": nonce, "attempt": asdict(attempt)})

    def keep(self) -> None:
        """Wait until all of it is on the disk."""
        os.fsync(self._file.fileno())

    def idle(self, nonce: int) -> None:
        """No node has it: the nonce may be used anew."""
        self._write("idle", {"nonce": nonce})

    def mined(self, nonce: int, winner: str, block: int, cost: int, failed: bool) -> None:
        """One of its attempts is in a block, which may still be taken back."""
        self._write(
            "mined",
            {"nonce": nonce, "winner": winner, "block": block, "cost": cost, "failed": failed},
        )

    def unmined(self, nonce: int) -> None:
        """Its block was taken back."""
        self._write("unmined", {"nonce": nonce})

    def finish(self, nonce: int) -> None:
        """Its block is not taken back any more, or the nonce was used by a transaction not ours."""
        self._write("finish", {"nonce": nonce})

    def _write(self, event: str, value: dict[str, Any]) -> None:
        self._keep(event, value)
        self._apply(event, value)

    def _keep(self, event: str, value: dict[str, Any]) -> None:
        self._file.write(_line(event, value))
        self._file.flush()

    def _apply(self, event: str, value: dict[str, Any]) -> None:
        nonce: int = value["nonce"]
        if event == "sending":
            entry = self._entries.setdefault(nonce, Entry(nonce))
            entry.attempts.append(Attempt(**value["attempt"]))
            entry.idle = False
            return
        entry = self._entries[nonce]
        match event:
            case "idle":
                entry.idle = True
            case "mined":
                entry.mined, entry.block = value["winner"], value["block"]
                entry.cost, entry.failed = value["cost"], value["failed"]
            case "unmined":
                entry.mined, entry.block, entry.cost, entry.failed = "", 0, 0, False
            case "finish":
                self._done.append(self._entries.pop(nonce))
                self.settled = max(self.settled, nonce + 1)
                self._forget()
            case _:
                raise ValueError(event)

    def _forget(self) -> None:
        """What is final and of no use for the sums of a day; the last is kept for its nonce."""
        times = [one.last.time for one in self._done]
        oldest = max(times, default=0) - _KEPT_SECONDS
        self._done = [one for one in self._done if one.last.time >= oldest]

    def _rewrite(self, owner: dict[str, str]) -> None:
        """The file anew, with what is remembered and nothing else."""
        lines = [_line("journal", owner)]
        for entry in [*self._done, *self.entries]:
            nonce = entry.nonce
            lines += [
                _line("sending", {"nonce": nonce, "attempt": asdict(a)}) for a in entry.attempts
            ]
            if entry.idle:
                lines.append(_line("idle", {"nonce": nonce}))
            if entry.mined:
                found = {"block": entry.block, "cost": entry.cost, "failed": entry.failed}
                lines.append(_line("mined", {"nonce": nonce, "winner": entry.mined, **found}))
        lines += [_line("finish", {"nonce": entry.nonce}) for entry in self._done]
        aside = self._path.with_suffix(".new")
        with aside.open("w", encoding="utf-8") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self._path)

    def _replay(self, owner: dict[str, str]) -> None:
        if not self._path.exists():
            return
        raw = self._path.read_bytes()
        # Killed while writing: a line without its end was not on disk, so nothing was sent on it.
        whole = raw.rfind(b"\n") + 1
        if whole < len(raw):
            os.truncate(self._path, whole)
        for number, line in enumerate(raw[:whole].splitlines(), 1):
            try:
                ((event, value),) = json.loads(line).items()
                if event != "journal":
                    self._apply(event, value)
                    continue
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise JournalError(
                    f"{self._path}, line {number} is damaged: see what is pending for the account, "
                    "then move the folder away"
                ) from error
            if value != owner:
                raise JournalError(
                    f"{self._path} is of another account or chain: give each keeper its own folder"
                )


def _line(event: str, value: dict[str, Any]) -> str:
    return json.dumps({event: value}, separators=(",", ":")) + "\n"
