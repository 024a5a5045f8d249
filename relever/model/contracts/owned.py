"""What has an owner."""

from __future__ import annotations

from relever.model.rule import Rule


class Owned:
    """Changes hands in two steps."""

    @property
    def rule(self) -> Rule:
        """Of this contract."""
        raise NotImplementedError

    def transfer_ownership(self, caller: str, new_owner: str) -> None:
        self.rule.transfer(caller, new_owner)

    def accept_ownership(self, caller: str) -> None:
        self.rule.accept(caller)
