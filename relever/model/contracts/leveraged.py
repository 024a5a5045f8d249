"""A leveraged token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from relever.model.callback import SCRIPTED, Callback
from relever.model.contracts.tokens import ShareContract
from relever.model.leveraged_token import Turn
from relever.model.parts import LOCKED, MarketToken
from relever.model.refused import Refused, require

if TYPE_CHECKING:
    from relever.model.protocol import Action, Outcome


@dataclass
class LeveragedContract(ShareContract):
    """Its shares are its token. Where there is a callback, what became of its steps comes last."""

    # How the steps of a callback are done.
    attempt: Callable[[Action], Outcome]

    @property
    def own(self) -> MarketToken:
        return self.parts.leveraged[self.name]

    def mint(
        self,
        caller: str,
        shares: int,
        max_collateral: int,
        min_debt: int,
        receiver: str,
        callback: Callback | None = None,
    ) -> tuple[Any, ...]:
        said: list[Outcome] = []
        with self._lock():
            turn = self._turn(caller, callback, said)
            done = self.own.mint(caller, shares, max_collateral, min_debt, receiver, turn)
        return _told(done, callback, said)

    def redeem(
        self,
        caller: str,
        shares: int,
        max_debt: int,
        min_collateral: int,
        owner: str,
        callback: Callback | None = None,
    ) -> tuple[Any, ...]:
        said: list[Outcome] = []
        with self._lock():
            turn = self._turn(caller, callback, said)
            done = self.own.redeem(caller, shares, max_debt, min_collateral, owner, turn)
        return _told(done, callback, said)

    def rebalance(
        self,
        caller: str,
        lowers: bool,
        amount: int,
        min_price: int,
        callback: Callback | None = None,
    ) -> tuple[Any, ...]:
        said: list[Outcome] = []
        with self._lock():
            turn = self._turn(caller, callback, said)
            done = self.own.rebalance(caller, lowers, amount, min_price, turn)
        return _told(done, callback, said)

    def start_auction(self, caller: str) -> None:
        with self._lock():
            self.own.start_auction()

    def checkpoint(self, caller: str) -> None:
        with self._lock():
            self.own.checkpoint()

    def accrue_fee(self, caller: str) -> None:
        require(not self.own.locked, LOCKED)
        self.own.accrue_fee()

    def on_adjust(self, caller: str, owner: str, collateral: int, debt: int, data: bytes) -> int:
        """For the market of the running call alone, which does it as a part of that."""
        raise Refused("token: not the market's turn")

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Nobody comes in while somebody is."""
        own = self.own
        require(not own.locked, LOCKED)
        own.locked = True
        yield
        own.locked = False

    def _turn(self, caller: str, callback: Callback | None, said: list[Outcome]) -> Turn | None:
        if callback is None:
            return None

        def turn(collateral: int, debt: int) -> None:
            require(caller == SCRIPTED, "")
            said.extend(self.attempt(step) for step in callback.steps)

        return turn


def _told(done: tuple[int, int], callback: Callback | None, said: list[Outcome]) -> tuple[Any, ...]:
    return done if callback is None else (*done, tuple(said))
