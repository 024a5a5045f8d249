"""Make a sequence that breaks something small, by leaving steps out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from relever.model.protocol import Step

# Whether a sequence still breaks the same sentence.
Breaks = Callable[[Sequence[Step]], bool]


def shrunk(steps: Sequence[Step], breaks: Breaks, most: int = 400) -> list[Step]:
    """The shortest that leaving out finds, in at most so many plays.

    Args:
        steps: a sequence that breaks it with its last step.
    """
    left = list(steps)
    size = max(1, len(left) // 2)
    while True:
        at, before = 0, len(left)
        # The last step is the one that shows it.
        while at < len(left) - 1 and most > 0:
            gone, rest = left[at : at + size], left[at + size :]
            if not rest:
                gone, rest = gone[:-1], [left[-1]]
            # They take their time along, or leave it behind where a later step needs it.
            for fewer in (left[:at] + rest, left[:at] + _later(gone, rest)):
                if most <= 0:
                    break
                most -= 1
                if breaks(fewer):
                    left = fewer
                    break
            else:
                at += size
        if (size == 1 and len(left) == before) or most <= 0:
            break
        size = max(1, size // 2)
    # Time that passes is left out where it does not matter.
    for index, step in enumerate(left):
        if step.blocks and most > 0:
            at_once = [*left[:index], replace(step, seconds=0, blocks=0), *left[index + 1 :]]
            most -= 1
            if breaks(at_once):
                left = at_once
    return left


def _later(gone: Sequence[Step], rest: Sequence[Step]) -> list[Step]:
    """The rest, which begins as late as if those before it had been there."""
    first = rest[0]
    seconds, blocks = sum(step.seconds for step in gone), sum(step.blocks for step in gone)
    first = replace(first, seconds=first.seconds + seconds, blocks=first.blocks + blocks)
    return [first, *rest[1:]]
