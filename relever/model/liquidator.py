"""The liquidator: liquidates with no capital of its own and pays the profit to its caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from relever.model.market import MARKET
from relever.model.parts import LIQUIDATOR, Parts
from relever.model.paths import Paths
from relever.model.refused import Refused, require
from relever.model.snapshot import Snapshot
from relever.model.tokens import UNLIMITED, push


@dataclass
class Liquidator:
    """Holds nothing between two calls."""

    parts: Parts

    def liquidate(
        self, caller: str, market: str, owner: str, max_repay: int, route: int, min_profit: int
    ) -> int:
        """Sell what is seized, repay with that; returns what is left of it."""
        require(market == MARKET, "liquidator: never listed")
        before = self.parts.weth.balances[LIQUIDATOR]
        self._liquidate(caller, owner, max_repay, route)
        return self._pay(caller, before, min_profit)

    def liquidate_many(
        self, caller: str, market: str, owners: Sequence[str], route: int, min_profit: int
    ) -> int:
        """The same with each of them, passing over whoever cannot be liquidated."""
        require(market == MARKET, "liquidator: never listed")
        before = self.parts.weth.balances[LIQUIDATOR]
        for owner in owners:
            untouched = Snapshot(self.parts)
            try:
                self._liquidate(caller, owner, UNLIMITED, route)
            except Refused:
                untouched.restore()
        return self._pay(caller, before, min_profit)

    def _liquidate(self, caller: str, owner: str, max_repay: int, route: int) -> None:
        parts = self.parts

        def sell(repaid: int, seized: int) -> None:
            received = Paths(parts, LIQUIDATOR).sell_best(seized, route, caller)
            require(received >= repaid, "liquidator: sale below repayment")
            push(parts.weth, LIQUIDATOR, MARKET, repaid)

        parts.oracle.poke_liquidation_prices()
        parts.market.liquidate(LIQUIDATOR, owner, max_repay, 0, sell)

    def _pay(self, caller: str, before: int, min_profit: int) -> int:
        profit = self.parts.weth.balances[LIQUIDATOR] - before
        require(profit >= min_profit, "liquidator: profit too small")
        push(self.parts.weth, LIQUIDATOR, caller, profit)
        return profit

    def try_sale(self, caller: str, amount: int, route: int, seller: str) -> None:
        """For itself alone, which does it as a part of a sale."""
        raise Refused("path: trials are its own")

    def on_liquidate(self, caller: str, owner: str, repaid: int, seized: int, data: bytes) -> None:
        """For the market of the running call alone, which does it as a part of that."""
        raise Refused("liquidator: not active market")
