"""Go back to how a model was, without a copy of it: cheaper, and its parts stay what they are."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

_CONTAINERS = (dict, defaultdict, list, set)


class Snapshot:
    """What every object held that can be reached from a root; `restore` may be called again.

    Mutable are the dataclasses that are not frozen and Python's containers. A container holds
    things of one kind, and what is immutable holds nothing that is not.
    """

    __slots__ = ("_held",)

    def __init__(self, root: object) -> None:
        held: list[tuple[Any, Any]] = []
        seen = {id(root)}
        todo: list[Any] = [root]
        while todo:
            found = todo.pop()
            kind = type(found)
            if kind is dict or kind is defaultdict:
                held.append((found, found.copy()))
                values = found.values()
                if not values or not _changes(type(next(iter(values)))):
                    continue
            elif kind is list or kind is set:
                held.append((found, found.copy()))
                if not found or not _changes(type(next(iter(found)))):
                    continue
                values = found
            else:
                attributes = found.__dict__
                held.append((found, attributes.copy()))
                values = attributes.values()
            for value in values:
                if _changes(type(value)) and id(value) not in seen:
                    seen.add(id(value))
                    todo.append(value)
        self._held = held

    def restore(self) -> None:
        """Put back what each of them held."""
        for found, content in self._held:
            if isinstance(found, list):
                found[:] = content
                continue
            place = found if isinstance(found, dict | set) else found.__dict__
            place.clear()
            place.update(content)


_known: dict[type, bool] = {}


def _changes(kind: type) -> bool:
    """Whether things of a kind can change."""
    changes = _known.get(kind)
    if changes is None:
        # Only dataclasses have parameters.
        parameters = getattr(kind, "__dataclass_params__", None)
        changes = kind in _CONTAINERS or (parameters is not None and not parameters.frozen)
        _known[kind] = changes
    return changes
