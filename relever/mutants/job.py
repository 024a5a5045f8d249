"""What a worker is asked, and what it answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Job:
    """One mutant, or none, and what to run on it."""

    # Text by path in the repository.
    files: Mapping[str, str]
    # The contracts that the files can be part of.
    readers: Sequence[str]
    tests: Sequence[str]
    # Test ids that are likely to fail, the likeliest first.
    first: Sequence[str]
    # Codes of mutants that are known already.
    known: Sequence[str]
    # Seconds.
    timeout: float
    # Run everything, whatever fails.
    measure: bool = False


@dataclass
class Outcome:
    """What came of a job: `state` is one of those below."""

    state: str = "broken"
    # The changed code, by the first contract that changes.
    code: str = ""
    # The test that failed first, and why.
    killer: str = ""
    reason: str = ""
    # From the start of compiling to the first failure or the end.
    seconds: float = 0.0
    # Of processor time, nodes and all: what it costs on a machine that does other things too.
    processor: float = 0.0
    durations: dict[str, float] = field(default_factory=dict)


KILLED, SURVIVED, TIMEOUT = "killed", "survived", "timeout"
# These are no mutants, and count nowhere.
UNCOMPILABLE, EQUIVALENT, DUPLICATE = "uncompilable", "equivalent", "duplicate"
# The machine failed: it is tried again.
BROKEN = "broken"
