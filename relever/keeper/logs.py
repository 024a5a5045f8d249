"""One JSON document a line: when, what, and the figures of it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from typing import IO, Any

# JSON readers keep no larger integers.
_EXACT = 2**53


class Log:
    """Writes lines to a stream; every line carries the fields that the log was made with."""

    def __init__(self, stream: IO[str] | None = None, **fields: Any) -> None:
        self._stream = stream or sys.stderr
        self._fields = fields

    def info(self, event: str, **fields: Any) -> None:
        """Something happened as it should."""
        self._write("info", event, fields)

    def warn(self, event: str, **fields: Any) -> None:
        """Something is not as it should be; the keeper goes on."""
        self._write("warning", event, fields)

    def error(self, event: str, **fields: Any) -> None:
        """The keeper does not act, and somebody should look."""
        self._write("error", event, fields)

    def _write(self, level: str, event: str, fields: Mapping[str, Any]) -> None:
        line = {"time": round(time.time(), 3), "level": level, "event": event}
        line |= {name: plain(value) for name, value in {**self._fields, **fields}.items()}
        self._stream.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._stream.flush()


def plain(value: Any) -> Any:
    """As JSON can say it without losing anything: large integers and bytes become strings."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) < _EXACT else str(value)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value if isinstance(value, float) else str(value)
