"""What one call of the Lens says, read fast: words by their places instead of a codec.

The names are the Lens's own, as in `sight.prices.fundamental` or `sight.debts[0]`. Every word is
an integer here, an address and a truth too.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any

AbiEntry = Mapping[str, Any]
# Reads from words a value that begins at a place.
Reader = Callable[[Sequence[int], int], Any]
# A type of records whose fields only the ABI knows.
_record_of: Callable[[str, Sequence[str]], Any] = namedtuple


def reader(outputs: Sequence[AbiEntry]) -> Callable[[bytes], Any]:
    """Reads the one value that a function of these outputs returns.

    Raises `ValueError` for types that are neither words, nor structs and lists of such.
    """
    (output,) = outputs
    read = _value(output)
    dynamic = _size(output) is None

    def whole(data: bytes) -> Any:
        words = [int.from_bytes(data[at : at + 32], "big") for at in range(0, len(data), 32)]
        return read(words, words[0] // 32 if dynamic else 0)

    return whole


def _size(entry: AbiEntry) -> int | None:
    """How many words a value takes in place; none where it stands elsewhere."""
    kind: str = entry["type"]
    if kind.endswith("]"):
        return None
    if kind != "tuple":
        return 1
    sizes = [_size(part) for part in entry["components"]]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def _value(entry: AbiEntry) -> Reader:
    kind: str = entry["type"]
    if kind.endswith("]"):
        return _list({**entry, "type": kind[: kind.rindex("[")]})
    if kind == "tuple":
        return _struct(entry["components"])
    if kind.startswith(("bytes", "string")):
        raise ValueError(f"{kind} is no word")
    return lambda words, at: words[at]


def _list(item: AbiEntry) -> Reader:
    read, size = _value(item), _size(item)
    if size is None:
        raise ValueError(f"a list of {item['type']} that stand elsewhere")

    def values(words: Sequence[int], at: int) -> list[Any]:
        return [read(words, at + 1 + size * index) for index in range(words[at])]

    return values


def _struct(parts: Sequence[AbiEntry]) -> Reader:
    names = [part["name"] for part in parts]
    record = _record_of("Record", names)
    sizes = [_size(part) for part in parts]
    places = [sum(size or 1 for size in sizes[:index]) for index in range(len(parts))]
    if all(part["type"] != "tuple" and size == 1 for part, size in zip(parts, sizes, strict=True)):
        length = len(parts)
        return lambda words, at: record(*words[at : at + length])
    readers = [
        (_value(part), place, size is None)
        for part, place, size in zip(parts, places, sizes, strict=True)
    ]

    def values(words: Sequence[int], at: int) -> Any:
        return record(
            *[
                read(words, at + (words[at + place] // 32 if away else place))
                for read, place, away in readers
            ]
        )

    return values
