"""Parameters and external addresses per network; every key of the files says its unit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).parent


def section(network: str, name: str) -> dict[str, Any]:
    """One section of a network's file.

    Raises:
        ValueError: there is no such file, or it has no such section.
    """
    path = _FOLDER / f"{network}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in _FOLDER.glob("*.yaml")))
        raise ValueError(f"no settings for network {network!r}: choose one of {known}")
    settings: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    if name not in settings:
        raise ValueError(f"relever/config/{network}.yaml has no section {name!r}: add it")
    found: dict[str, Any] = settings[name]
    return found
