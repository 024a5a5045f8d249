"""Rows of gas beside a peer's: the table, the document, and which targets are missed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """What one operation costs here, and beside it what a peer charges for the same.

    Attributes:
        operation: what is done and in which state.
        relever: gas of the whole transaction.
        peer: the peer's gas for the same; None where there is no peer.
        peer_name: who that is.
        target: the most that `relever` may be, as a multiple of `peer`; None where there is none.
        ceiling: the most that `relever` may be, in gas; None where there is none.
    """

    operation: str
    relever: int
    peer: int | None = None
    peer_name: str | None = None
    target: float | None = None
    ceiling: int | None = None

    @property
    def ratio(self) -> float | None:
        """Relever's gas over the peer's, rounded to show; `missed` does not use it."""
        return None if self.peer is None else round(self.relever / self.peer, 3)

    @property
    def missed(self) -> bool:
        """Whether the operation costs more than its target or its ceiling."""
        if self.ceiling is not None and self.relever > self.ceiling:
            return True
        if self.peer is None or self.target is None:
            return False
        return self.relever > self.target * self.peer

    @property
    def limit(self) -> str:
        """What it is held to, to show: a multiple of the peer's gas, or gas."""
        if self.ceiling is not None:
            return f"{self.ceiling:,}"
        return "" if self.target is None else f"{self.target:.2f}"


def document(rows: Sequence[Row]) -> str:
    """The rows as JSON."""
    return json.dumps({"rows": [_entry(row) for row in rows]}, indent=2) + "\n"


def write(rows: Sequence[Row], path: Path) -> None:
    """Write the rows as JSON to a file, whose folder is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document(rows), encoding="utf-8")


def table(rows: Sequence[Row], title: str, caption: str) -> Table:
    """The rows as a table, missed targets in red and marked."""
    shown = Table(title=title, caption=caption, box=SIMPLE_HEAD, pad_edge=False)
    shown.add_column("operation")
    for column in ("Relever", "peer", "ratio", "target"):
        shown.add_column(column, justify="right", no_wrap=True)
    shown.add_column("peer's name", no_wrap=True)
    for row in rows:
        shown.add_row(
            row.operation,
            f"{row.relever:,}",
            "" if row.peer is None else f"{row.peer:,}",
            "" if row.ratio is None else f"{row.ratio:.3f}",
            f"missed {row.limit}" if row.missed else row.limit,
            row.peer_name or "",
            style="bold red" if row.missed else None,
        )
    return shown


def verdict(rows: Sequence[Row], console: Console) -> int:
    """Say which targets are missed; the exit code, 1 when there is one."""
    missed = [row for row in rows if row.missed]
    for row in missed:
        gas = f"missed: {row.operation}: {row.relever:,} is"
        if row.ceiling is not None:
            said = f"{gas} above its ceiling of {row.limit}"
        else:
            said = (
                f"{gas} {row.ratio:.3f} times {row.peer_name}'s {row.peer:,},"
                f" and the target is {row.limit}"
            )
        console.print(said, style="red", soft_wrap=True)
    return 1 if missed else 0


def _entry(row: Row) -> dict[str, str | int | float | None]:
    return {
        "operation": row.operation,
        "relever": row.relever,
        "peer": row.peer,
        "peer_name": row.peer_name,
        "ratio": row.ratio,
        "target": row.target,
        "ceiling": row.ceiling,
    }
