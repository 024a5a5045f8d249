"""The withdrawal queue and the side pocket."""

from __future__ import annotations

from dataclasses import dataclass

from relever.model.parts import POCKET, VAULT, Parts
from relever.model.queue import QUEUE
from relever.model.refused import Refused, require
from relever.model.tokens import push

NOT_VAULT = "pocket: not the vault"


@dataclass
class QueueContract:
    parts: Parts

    def setOperator(self, caller: str, operator: str, approved: bool) -> bool:
        operators = self.parts.queue.operators
        (operators.add if approved else operators.discard)((caller, operator))
        return True

    def requestRedeem(self, caller: str, shares: int, controller: str, owner: str) -> int:
        return self.parts.queue.request(owner, shares, controller, caller)

    def cancel(self, caller: str, number: int) -> None:
        self.parts.queue.cancel(number, caller)

    def finalize(self, caller: str, most: int) -> int:
        fills = self.parts.queue.finalize(most, caller)
        push(self.parts.wsteth, VAULT, QUEUE, sum(fill.assets for fill in fills))
        return sum(fill.shares for fill in fills)

    def claim(self, caller: str, number: int, receiver: str) -> int:
        amount = self.parts.queue.claim(number, caller)
        push(self.parts.wsteth, QUEUE, receiver, amount)
        return amount

    def pull_back(self, caller: str, adapter: str, amount: int) -> int:
        return self.parts.queue.pull_back(adapter, amount)[0]


@dataclass
class PocketContract:
    parts: Parts

    def lower_expectation(self, caller: str, adapter: str, expected: int) -> None:
        pocket = self.parts.vault.pocket
        require(caller == self.parts.rules[VAULT].owner, "pocket: not the vault's owner")
        require(adapter in pocket.adapters, "pocket: only lower")
        pocket.lower_expectation(adapter, expected)

    def hand_over(self, caller: str, to: str) -> None:
        self.parts.vault.pocket.hand_over(caller, to)

    def claim(self, caller: str, adapter: str, account: str) -> int:
        pocket = self.parts.vault.pocket
        require(adapter in pocket.adapters, "pocket: nothing to claim")
        amount = pocket.claim(adapter, account)
        push(self.parts.wsteth, POCKET, account, amount)
        self.parts.vault.paid_out += amount
        return amount

    # For the vault alone, which does it as a part of what is asked of it

    def open(self, caller: str, adapter: str, expected: int) -> None:
        raise Refused(NOT_VAULT)

    def leave(self, caller: str, account: str, shares: int, supply: int) -> None:
        raise Refused(NOT_VAULT)

    def share_out(self, caller: str, adapter: str, amount: int) -> tuple[int, int]:
        raise Refused(NOT_VAULT)
