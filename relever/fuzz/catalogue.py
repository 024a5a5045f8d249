"""All sentences as a page: `python -m relever.fuzz.catalogue > docs/invariants.md`."""

from __future__ import annotations

from itertools import groupby

from relever.fuzz.invariants import INVARIANTS, Invariant
from relever.fuzz.liveness import SENTENCES

_HEAD = """# What must always hold

The sentences that the fuzzer holds the contracts to, by what they say of themselves. They are
applied after each step that they are about. IDs are those of the invariant suites of lending and
restaking protocols where the sentence is theirs, and go on from there. Made by
`python -m relever.fuzz.catalogue`; a test fails when it is not up to date.
"""


def markdown() -> str:
    """The page."""
    parts = [_HEAD]
    for group, found in groupby(INVARIANTS, _group):
        parts.append(
            f"\n## {group.capitalize()}\n\n| ID | sentence | reference |\n| --- | --- | --- |\n"
        )
        parts += [f"| {one.identifier} | {one.sentence} | {one.reference} |\n" for one in found]
    parts.append("\n## What must still be possible\n\n| ID | sentence |\n| --- | --- |\n")
    parts += [f"| {identifier} | {sentence} |\n" for identifier, sentence in SENTENCES.items()]
    return "".join(parts)


def _group(one: Invariant) -> str:
    """The module that it stands in."""
    return one.check.__module__.rpartition(".")[2]


if __name__ == "__main__":
    print(markdown(), end="")
