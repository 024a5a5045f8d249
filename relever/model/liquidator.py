"""The liquidator: liquidates with no capital of its own and pays the profit to its caller."""

from __future__ import annotations

from dataclasses import dataclass

from relever.model.market import MARKET
from relever.model.parts import LIQUIDATOR, Parts
from relever.model.paths import Paths
from relever.model.refused import Refused, require
from relever.model.tokens import push


@dataclass
class Liquidator:
    """Holds nothing between two calls."""

    parts: Parts

    def liquidate(
        self, caller: str, market: str, owner: str, max_repay: int, route: int, min_profit: int
    ) -> int:
        """Sell what is seized, repay with that; returns what is left of it."""
        parts, paths = self.parts, Paths(self.parts, LIQUIDATOR)
        require(market == MARKET, "liquidator: never listed")
        before = parts.weth.balances[LIQUIDATOR]

        def sell(repaid: int, seized: int) -> None:
            received = paths.sell(seized, route, caller)
            require(received >= repaid, "liquidator: sale below repayment")
            parts.weth.approve(LIQUIDATOR, MARKET, repaid)

        parts.oracle.poke_liquidation_prices()
        parts.market.liquidate(LIQUIDATOR, owner, max_repay, 0, sell)
        profit = parts.weth.balances[LIQUIDATOR] - before
        require(profit >= min_profit, "liquidator: profit too small")
        push(parts.weth, LIQUIDATOR, caller, profit)
        return profit

    def on_liquidate(self, caller: str, owner: str, repaid: int, seized: int, data: bytes) -> None:
        """For the market of the running call alone, which does it as a part of that."""
        raise Refused("liquidator: not active market")
