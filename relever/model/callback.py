"""What a contract does when the market calls it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from relever.model.protocol import Action

# The one contract that answers callbacks: as the data says that come with them.
SCRIPTED = "scripted"


@dataclass(frozen=True)
class Callback:
    """The data of a call at whose middle the market calls `SCRIPTED`.

    It tries the steps one after the other, whatever becomes of each, and then answers.
    """

    # To `on_adjust`, the collateral that may be pulled in.
    answer: int = 0
    # By `SCRIPTED`, without ether.
    steps: tuple[Action, ...] = ()
    # Whether it answers a flash loan as it must.
    agrees: bool = True
