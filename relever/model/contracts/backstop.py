"""The backstop pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from relever.model.backstop import BACKSTOP, MAX_CLAIMS
from relever.model.contracts.tokens import ShareContract
from relever.model.parts import FACTORY, Parts, TokenBackstop
from relever.model.refused import Refused, require
from relever.model.swap import SWAP, Swap
from relever.model.tokens import push


@dataclass
class LstPool:
    """Where the pool sells wstETH, which it sends along."""

    parts: Parts

    def sell(self, amount: int, min_rate: int) -> tuple[int, int]:
        """Returns what is taken, and the WETH for it: nothing below the rate."""
        swap, sold, bought = Swap(self.parts), "wsteth", "weth"
        if not swap.pays(BACKSTOP, sold, bought, min_rate):
            return 0, 0
        push(self.parts.wsteth, BACKSTOP, SWAP, amount)
        return swap.swap_up_to(BACKSTOP, sold, bought, amount, min_rate, BACKSTOP)


@dataclass
class BackstopContract(ShareContract):
    """Its shares are its token."""

    @property
    def pool(self) -> TokenBackstop:
        return self.parts.backstop

    # What it does with the money

    def buy(self, caller: str, amount: int) -> int:
        """For the liquidator alone, which does it as a part of a sale."""
        raise Refused("backstop: not the liquidator")

    def enqueue(self, caller: str) -> int:
        return self.pool.enqueue()

    def harvest(self, caller: str, claims: Sequence[int]) -> int:
        require(len(claims) <= MAX_CLAIMS, "")
        return self.pool.harvest(claims, LstPool(self.parts))

    def recover(self, caller: str) -> int:
        return self.pool.recover(self.parts.wsteth.balances[BACKSTOP])

    # Depositors

    def deposit(self, caller: str, assets: int, receiver: str) -> int:
        return self.pool.deposit(caller, assets, receiver)

    def mint(self, caller: str, shares: int, receiver: str) -> int:
        return self.pool.mint(caller, shares, receiver)

    def withdraw(self, caller: str, assets: int, receiver: str, owner: str) -> int:
        return self.pool.withdraw(owner, assets, receiver, caller)

    def redeem(self, caller: str, shares: int, receiver: str, owner: str) -> int:
        return self.pool.redeem(owner, shares, receiver, caller)

    def request_exit(self, caller: str, shares: int, receiver: str, owner: str) -> int:
        return self.pool.request_exit(owner, shares, receiver, caller)

    def serve(self, caller: str, most: int) -> int:
        return sum(due for _, due in self.pool.serve(most, caller))

    # The factory's owner and guardian

    def set_discount(self, caller: str, discount: int) -> None:
        require(caller == self.parts.rules[FACTORY].owner, "backstop: not the owner")
        self.pool.set_discount(discount)

    def pause(self, caller: str, duration: int) -> None:
        rule = self.parts.rules[FACTORY]
        require(caller in (rule.owner, rule.guardian), "backstop: not owner or guardian")
        self.pool.pause(duration)
