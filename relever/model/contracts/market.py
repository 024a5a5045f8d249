"""The lending market."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relever.model.callback import SCRIPTED, Callback
from relever.model.market import MARKET, Caps
from relever.model.parts import Parts
from relever.model.refused import require
from relever.model.tokens import pull, push

if TYPE_CHECKING:
    from relever.model.protocol import Action, Outcome


@dataclass
class MarketContract:
    parts: Parts
    # How the steps of a callback are done.
    attempt: Callable[[Action], Outcome]

    # Lenders

    def deposit(self, caller: str, assets: int, receiver: str) -> int:
        return self.parts.market.deposit(caller, assets, receiver)

    def mint(self, caller: str, shares: int, receiver: str) -> int:
        return self.parts.market.mint(caller, shares, receiver)

    def withdraw(self, caller: str, assets: int, receiver: str, owner: str) -> int:
        return self.parts.market.withdraw(caller, assets, receiver, owner)

    def redeem(self, caller: str, shares: int, receiver: str, owner: str) -> int:
        return self.parts.market.redeem(caller, shares, receiver, owner)

    def transfer(self, caller: str, receiver: str, amount: int) -> bool:
        self.parts.market.transfer(caller, receiver, amount)
        return True

    def transferFrom(self, caller: str, owner: str, receiver: str, amount: int) -> bool:
        self.parts.market.transfer_from(caller, owner, receiver, amount)
        return True

    def approve(self, caller: str, spender: str, amount: int) -> bool:
        self.parts.market.approve(caller, spender, amount)
        return True

    # Borrowers

    def adjust(
        self,
        caller: str,
        owner: str,
        collateral: int,
        debt: int,
        receiver: str,
        callback: Callback | None = None,
    ) -> tuple[Any, ...]:
        """What became of the callback's steps comes last, where there is one."""
        market = self.parts.market
        if callback is None:
            return market.adjust(caller, owner, collateral, debt, receiver)
        said: list[Outcome] = []

        def answer(_: int) -> int:
            said.extend(self._call_back(caller, callback))
            return callback.answer

        done = market.adjust(caller, owner, collateral, debt, receiver, answer)
        return *done, tuple(said)

    def supply_collateral(self, caller: str, amount: int, owner: str) -> None:
        self.parts.market.supply_collateral(caller, amount, owner)

    def withdraw_collateral(self, caller: str, amount: int, owner: str, receiver: str) -> None:
        self.parts.market.withdraw_collateral(caller, amount, owner, receiver)

    def borrow(self, caller: str, amount: int, owner: str, receiver: str) -> None:
        self.parts.market.borrow(caller, amount, owner, receiver)

    def repay(self, caller: str, amount: int, owner: str) -> int:
        repaid = min(amount, self.parts.market.debt(owner))
        self.parts.market.repay(caller, amount, owner)
        return repaid

    def liquidate(
        self,
        caller: str,
        owner: str,
        max_repay: int,
        min_seized: int,
        callback: Callback | None = None,
    ) -> tuple[Any, ...]:
        """See `adjust`."""
        market = self.parts.market
        self.parts.oracle.poke_liquidation_prices()
        if callback is None:
            done = market.liquidate(caller, owner, max_repay, min_seized)
            return done.repaid, done.seized
        said: list[Outcome] = []

        def answer(repaid: int, seized: int) -> None:
            said.extend(self._call_back(caller, callback))

        done = market.liquidate(caller, owner, max_repay, min_seized, answer)
        return done.repaid, done.seized, tuple(said)

    def flashLoan(
        self, caller: str, receiver: str, token: str, amount: int, callback: Callback
    ) -> tuple[Any, ...]:
        """See `adjust`."""
        market = self.parts.market
        require(token == "weth", "market: flash loan token")
        with market.lock():
            push(market.weth, MARKET, receiver, amount)
            said = self._call_back(receiver, callback)
            require(callback.agrees, "market: flash loan refused")
            pull(market.weth, receiver, MARKET, amount)
        return True, tuple(said)

    def set_authorization(self, caller: str, manager: str, authorized: bool) -> None:
        self.parts.market.set_authorization(caller, manager, authorized)

    def renounce_authorization(self, caller: str, owner: str) -> None:
        self.parts.market.renounce_authorization(caller, owner)

    def set_authorization_by_signature(
        self,
        caller: str,
        owner: str,
        manager: str,
        authorized: bool,
        nonce: int,
        deadline: int,
        signer: str,
    ) -> None:
        """Somebody brings what `signer` has signed; once is enough."""
        market = self.parts.market
        market.set_authorization_signed(owner, manager, authorized, nonce, deadline, signer)

    # Everyone, and the factory's owner and guardian

    def accrue(self, caller: str) -> None:
        self.parts.market.accrue()

    def set_caps(self, caller: str, caps: tuple[int, int, int]) -> None:
        self.parts.market.set_caps(caller, Caps(*caps))

    def request_fees(self, caller: str) -> int:
        return self.parts.market.request_fees(caller)

    def collect_fees(self, caller: str, receiver: str) -> int:
        return self.parts.market.collect_fees(caller, receiver)

    def _call_back(self, who: str, callback: Callback) -> list[Outcome]:
        """The market is locked; nobody but one contract can be called back."""
        require(who == SCRIPTED, "")
        return [self.attempt(step) for step in callback.steps]
