"""Go back to how a model was, without a copy of it: cheaper, and its parts stay what they are."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields
from typing import Any

_DICTS = (dict, defaultdict)
# Types of which things can change, and all that have been looked at.
_changing: set[type] = {dict, defaultdict, list, set}
_known: set[type] = set(_changing)


class Snapshot:
    """What every object held that can be reached from a root; `restore` may be called again.

    Mutable are the dataclasses that are not frozen and Python's containers. A container holds
    things of one kind, and what is immutable holds nothing that is not.
    """

    __slots__ = ("_held", "_lists", "_sets")

    def __init__(self, root: object) -> None:
        # Runs at every step of a model: each object is looked at once, and by its type alone.
        held: list[tuple[dict[Any, Any], dict[Any, Any]]] = []
        lists: list[tuple[list[Any], list[Any]]] = []
        sets: list[tuple[set[Any], set[Any]]] = []
        self._held, self._lists, self._sets = held, lists, sets
        seen = {id(root)}
        todo: list[Any] = [root]
        while todo:
            found = todo.pop()
            kind = type(found)
            if kind in _DICTS:
                held.append((found, found.copy()))
                if not found or not _changes(type(next(iter(found.values())))):
                    continue
                values = found.values()
            elif kind is list:
                lists.append((found, found.copy()))
                if not found or not _changes(type(found[0])):
                    continue
                values = found
            elif kind is set:
                sets.append((found, found.copy()))
                continue
            else:
                attributes = found.__dict__
                held.append((attributes, attributes.copy()))
                followed = _followed.get(kind)
                if followed is None:
                    followed = _followed[kind] = _may_change(kind)
                if not followed:
                    continue
                values = [attributes[name] for name in followed]
            for value in values:
                kind = type(value)
                if (kind in _changing or (kind not in _known and _changes(kind))) and (
                    id(value) not in seen
                ):
                    seen.add(id(value))
                    todo.append(value)

    def restore(self) -> None:
        """Put back what each of them held."""
        for place, content in self._held:
            if place != content or list(place) != list(content):
                place.clear()
            place.update(content)
        for items, before in self._lists:
            items[:] = before
        for members, members_before in self._sets:
            members.clear()
            members |= members_before


# Of each dataclass the fields that may hold something that changes.
_followed: dict[type, tuple[str, ...]] = {}
_PLAIN = ("int", "str", "bool", "int | None", "str | None", "tuple[int, int]")


def _may_change(kind: type) -> tuple[str, ...]:
    """By their annotations, which are words in our modules."""
    return tuple(field.name for field in fields(kind) if field.type not in _PLAIN)


def _changes(kind: type) -> bool:
    """Whether things of a kind can change."""
    if kind not in _known:
        _known.add(kind)
        # Only dataclasses have parameters.
        parameters = getattr(kind, "__dataclass_params__", None)
        if parameters is not None and not parameters.frozen:
            _changing.add(kind)
    return kind in _changing
