"""Counterexamples: written for people to read, and read back to be played again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

from relever.model.callback import Callback
from relever.model.leveraged_zap import Exit
from relever.model.orders import Order
from relever.model.protocol import Action, Step
from relever.model.router import Bounds, Grants

_KINDS = {kind.__name__: kind for kind in (Action, Bounds, Callback, Exit, Grants, Order)}


class FindingError(Exception):
    """A file that is no counterexample; says what is wrong with it."""


@dataclass(frozen=True)
class Finding:
    """A sentence that did not hold, where, and the steps that break it.

    `machine`, `seed` and `example` are where it was met, `replica` the deliberately broken variant
    that it was met on, none for the contracts as they are; `compare` says whether the model was
    compared, `steps` are from the stage's state on.
    """

    identifier: str
    sentence: str
    found: str
    machine: str
    seed: int
    example: int
    replica: int | None
    compare: bool
    # In words, for people, and as they can be read back.
    words: tuple[str, ...]
    steps: tuple[dict[str, Any], ...]

    @classmethod
    def of(
        cls,
        broken: tuple[str, str, str],
        steps: Sequence[Step],
        *,
        machine: str,
        seed: int,
        example: int,
        replica: int | None,
        compare: bool,
    ) -> Finding:
        """Of what is broken (ID, sentence, what was found) and the steps that did it."""
        return cls(
            *broken,
            machine=machine,
            seed=seed,
            example=example,
            replica=replica,
            compare=compare,
            words=tuple(map(in_words, steps)),
            steps=tuple(map(written, steps)),
        )

    @property
    def name(self) -> str:
        """A file's name for it."""
        where = self.machine if self.replica is None else f"replica{self.replica}"
        return f"{self.identifier}-{where}-{self.seed}-{self.example}.json"

    def played(self) -> list[Step]:
        """The steps. Raises `FindingError`."""
        return [read(step) for step in self.steps]

    def write(self, folder: Path) -> Path:
        """Into a file of its own; its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.name
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        return path


def load(path: Path) -> Finding:
    """The counterexample in a file. Raises `FindingError`."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        fields["words"], fields["steps"] = tuple(fields["words"]), tuple(fields["steps"])
        return Finding(**fields)
    except OSError as error:
        raise FindingError(
            f"{path} cannot be read ({error.strerror}): is the path right?"
        ) from None
    except (ValueError, TypeError, KeyError) as error:
        raise FindingError(
            f"{path} is no counterexample ({error}): give a file that `make fuzz` wrote"
        ) from None


def in_words(step: Step) -> str:
    """What somebody does, and how long after what was before."""
    waits = f"{step.seconds:_} s and {step.blocks} blocks later, " if step.blocks else ""
    return f"{waits}{step.action}"


def written(step: Step) -> dict[str, Any]:
    """As JSON takes it."""
    action = step.action
    return {
        "name": action.name,
        "caller": action.caller,
        "arguments": [_write(argument) for argument in action.arguments],
        "ether": action.ether,
        "seconds": step.seconds,
        "blocks": step.blocks,
    }


def read(fields: dict[str, Any]) -> Step:
    """A step as `written` wrote it. Raises `FindingError`."""
    try:
        arguments = tuple(_read(argument) for argument in fields["arguments"])
        action = Action(fields["name"], fields["caller"], arguments, fields["ether"])
        return Step(action, fields["seconds"], fields["blocks"])
    except (KeyError, TypeError) as error:
        raise FindingError(f"{fields} is no step ({error!r}): it was changed by hand?") from None


def _write(argument: Any) -> Any:
    """Records by their kind; lists for tuples, integers as they are."""
    if is_dataclass(argument) and not isinstance(argument, type):
        values = [_write(value) for value in vars(argument).values()]
        return {"kind": type(argument).__name__, "values": values}
    if isinstance(argument, tuple):
        return {"kind": "tuple", "values": [_write(value) for value in argument]}
    if isinstance(argument, bytes):
        return {"kind": "bytes", "values": argument.hex()}
    return argument


def _read(argument: Any) -> Any:
    if not isinstance(argument, dict):
        return argument
    kind, values = argument["kind"], argument["values"]
    if kind == "bytes":
        return bytes.fromhex(values)
    found = [_read(value) for value in values]
    return tuple(found) if kind == "tuple" else _KINDS[kind](*found)
