"""Who rules a contract."""

from __future__ import annotations

from dataclasses import dataclass

from relever.model.refused import require
from relever.model.tokens import NOBODY

NOT_OWNER = "ownable: caller is not the owner"


@dataclass
class Rule:
    """An owner, who hands it over in two steps, and a guardian."""

    owner: str
    guardian: str
    # To whom it is being handed over.
    pending: str = NOBODY

    def only_owner(self, caller: str) -> None:
        require(caller == self.owner, NOT_OWNER)

    def transfer(self, caller: str, new_owner: str) -> None:
        self.only_owner(caller)
        self.pending = new_owner

    def accept(self, caller: str) -> None:
        require(caller == self.pending, "ownable_2step: caller is not the new owner")
        self.owner, self.pending = caller, NOBODY
