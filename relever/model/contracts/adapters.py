"""The adapters themselves: the vault alone may use them, but anyone claims their rewards."""

from __future__ import annotations

from dataclasses import dataclass

from relever.model.parts import EIGENLAYER, Parts
from relever.model.refused import Refused, require
from relever.model.vault import SILENCE


@dataclass
class AdapterContract:
    """Of one name, and what it says to who is not the vault."""

    parts: Parts
    name: str
    not_vault: str

    def stake(self, caller: str, amount: int) -> None:
        self._refuse()

    def start_exit(self, caller: str, amount: int) -> int:
        return self._refuse()

    def finish_exit(self, caller: str, number: int) -> int:
        return self._refuse()

    def _answer(self) -> None:
        require(self.parts.vault.adapters[self.name].answers, SILENCE)

    def _refuse(self) -> int:
        self._answer()
        raise Refused(self.not_vault)


@dataclass
class EigenLayerContract(AdapterContract):
    name: str = EIGENLAYER
    not_vault: str = "eigen: not the vault"

    def claim_rewards(self, caller: str, root: int) -> None:
        """All that the adapter has earned by one of the coordinator's roots."""
        self._answer()
        self.parts.rewards.claim(root, "seller")


@dataclass
class SymbioticContract(AdapterContract):
    name: str = "symbiotic"
    not_vault: str = "symbiotic: not the vault"

    def claim_rewards(self, caller: str, network: str, token: str, most: int) -> None:
        """No network distributes any."""
        self._answer()
        raise Refused("NoRewardsToClaim()")
