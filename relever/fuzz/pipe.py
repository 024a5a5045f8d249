"""An actor in a process of its own: it plays one script while the author writes the next.

The process sets up a stage for itself, which is the same to the last bit, and reads scripts from
its standard input until that ends.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from io import FileIO
from typing import IO, Any

from relever.artifacts import ROOT
from relever.fuzz.liveness import check_liveness
from relever.fuzz.player import Actor, Violation
from relever.fuzz.script import End, Line
from relever.fuzz.storage import Layout

# What runs as a program has other names for its things than what is imported.
_START = "import sys; from relever.fuzz.pipe import main; main(*sys.argv[1:])"


class PipeError(Exception):
    """The other process is gone; says what its last words were."""


@dataclass(frozen=True)
class Broke:
    """What broke: after so many steps, the sentence's ID, the sentence, and what was found."""

    steps: int
    identifier: str
    sentence: str
    found: str


class Remote:
    """The process, as its owner sees it."""

    def __init__(self, replica: int | None, compare: bool) -> None:
        """Start it; it is ready when it answers."""
        told = ["none" if replica is None else str(replica), str(compare)]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, *told],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            # Ctrl-C is for its owner, who ends it.
            start_new_session=True,
        )

    def send(self, lines: Sequence[Line], end: End) -> None:
        """Have a script played. Raises `PipeError`."""
        assert self._process.stdin is not None
        try:
            _write(self._process.stdin, (packed(lines), end))
        except OSError as error:
            raise self._gone() from error

    def receive(self) -> Broke | None:
        """What the script that was sent first broke. Raises `PipeError`."""
        assert self._process.stdout is not None
        try:
            broke: Broke | None = pickle.load(self._process.stdout)
        except (EOFError, OSError) as error:
            raise self._gone() from error
        return broke

    def close(self) -> None:
        """End it."""
        # Before it sees its input end: a node's watch is surer than an orderly end cut short.
        self._process.kill()
        # Closes the pipes, whatever is still in them.
        self._process.communicate()

    def _gone(self) -> PipeError:
        status = self._process.wait()
        return PipeError(
            f"the process that plays has ended with status {status}: what it said is above;"
            " play the same example with --mode single to see where"
        )


def packed(lines: Sequence[Line]) -> list[tuple[Any, ...]]:
    """Lines by what differs from the one before."""
    found: list[tuple[Any, ...]] = []
    layout: Layout | None = None
    words: list[int] = []
    for line in lines:
        plain = line.step, line.outcome, line.says
        if line.layout is layout:
            pairs = enumerate(zip(words, line.words, strict=True))
            found.append((*plain, None, [(i, new) for i, (old, new) in pairs if old != new]))
        else:
            found.append((*plain, line.layout, line.words))
        layout, words = line.layout, line.words
    return found


def unpacked(parts: Sequence[tuple[Any, ...]]) -> list[Line]:
    """Lines as they were."""
    found: list[Line] = []
    for step, outcome, says, layout, words in parts:
        if layout is None:
            layout, changed = found[-1].layout, words
            words = list(found[-1].words)
            for index, word in changed:
                words[index] = word
        found.append(Line(step, outcome, says, layout, words))
    return found


def play(actor: Actor, lines: Sequence[Line], end: End) -> Broke | None:
    """Play a script; what broke."""
    actor.begin()
    done = 0
    try:
        for line in lines:
            actor.perform(line.step, [line].pop)
            done += 1
        actor.settle(lines[-1], end)
        check_liveness(actor)
    except Violation as violation:
        return Broke(done, violation.identifier, violation.sentence, violation.found)
    return None


def _write(to: IO[bytes] | FileIO, what: Any) -> None:
    pickle.dump(what, to, protocol=5)
    to.flush()


def main(replica: str, compare: str) -> None:
    """Play scripts until there are no more."""
    # Opening a campaign brings all of it.
    from relever.fuzz.campaign import staged

    sys.stdout = sys.stderr
    with (
        # Without a buffer nothing is left to complain of when the owner has gone.
        open(os.dup(1), "wb", buffering=0) as answers,
        staged(None if replica == "none" else int(replica)) as stage,
    ):
        author = stage.author(stage.hot)
        actor = Actor(stage, stage.in_process(), author.state(), compare == "True")
        while True:
            try:
                parts, end = pickle.load(sys.stdin.buffer)
            except (EOFError, pickle.UnpicklingError):
                # The owner has ended, perhaps in the middle of a script.
                return
            broke = play(actor, unpacked(parts), end)
            try:
                _write(answers, broke)
            except BrokenPipeError:
                return
