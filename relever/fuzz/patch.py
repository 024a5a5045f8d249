"""Applies a unified diff to texts that are at hand; needs no program beside Python."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")


class PatchError(Exception):
    """A patch cannot be read or does not apply; says where, why and what to do."""


@dataclass(frozen=True)
class Hunk:
    """Lines of a file and what takes their place; `line` is where they once were, from 1."""

    path: str
    line: int
    old: tuple[str, ...]
    new: tuple[str, ...]


def header(diff: str) -> str:
    """What stands above the diff itself."""
    return diff.partition("\n--- ")[0]


def hunks(diff: str) -> list[Hunk]:
    """All hunks of a diff whose paths begin with a/ and b/, as Git writes them.

    Raises:
        PatchError: it is not such a diff, or has none.
    """
    found: list[Hunk] = []
    path, lines = "", diff.splitlines()
    at = header(diff).count("\n") + 1
    while at < len(lines):
        start = _HUNK.match(lines[at])
        if lines[at].startswith("--- a/") and lines[at + 1 : at + 2] == [f"+++ b/{lines[at][6:]}"]:
            path, at = lines[at][6:], at + 2
        elif start and path:
            end = at + 1
            while end < len(lines) and lines[end][:1] in (" ", "-", "+", ""):
                if lines[end].startswith("--- a/"):
                    break
                end += 1
            body = lines[at + 1 : end]
            old = tuple(line[1:] for line in body if line[:1] != "+")
            new = tuple(line[1:] for line in body if line[:1] != "-")
            found.append(Hunk(path, int(start[1]), old, new))
            at = end
        else:
            raise PatchError(
                f"line {at + 1} is no part of a diff: {lines[at]!r}: make it with git diff,"
                " without its lines 'diff' and 'index'"
            )
    if not found:
        raise PatchError("there is no hunk in it: make it with git diff")
    return found


def apply(diff: str, sources: Mapping[str, str]) -> dict[str, str]:
    """The files that a diff changes, changed.

    A hunk belongs where its old lines are; where they are more than once, at the line it names.

    Args:
        sources: texts by path.

    Raises:
        PatchError: a file or a hunk's lines are not there.
    """
    changed: dict[str, list[str]] = {}
    for number, hunk in enumerate(hunks(diff), 1):
        if hunk.path not in sources:
            raise PatchError(
                f"hunk {number} changes {hunk.path}, which does not exist: make it anew"
            )
        lines = changed.setdefault(hunk.path, sources[hunk.path].splitlines())
        size = len(hunk.old)
        places = [
            at for at in range(len(lines) - size + 1) if tuple(lines[at : at + size]) == hunk.old
        ]
        if len(places) != 1:
            places = [at for at in places if at == hunk.line - 1]
        if not places:
            raise PatchError(
                f"hunk {number}, of {hunk.path} line {hunk.line}, does not apply: the file has"
                " changed there since. Make the same change to it by hand, and the patch anew"
            )
        lines[places[0] : places[0] + size] = hunk.new
    return {path: "\n".join(lines) + "\n" for path, lines in changed.items()}
