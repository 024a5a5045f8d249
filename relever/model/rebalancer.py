"""The rebalancer: takes auctions of leveraged tokens with no capital of its own."""

from __future__ import annotations

from dataclasses import dataclass

from relever.model.parts import LEVERAGED, REBALANCER, Parts
from relever.model.paths import Paths
from relever.model.refused import Refused, require
from relever.model.swap import SWAP
from relever.model.tokens import push


@dataclass
class Rebalancer:
    """Holds nothing between two calls."""

    parts: Parts

    def take(
        self, caller: str, name: str, lowers: bool, amount: int, route: int, min_profit: int
    ) -> int:
        """Turn what the token gives into what it asks for; returns what is left."""
        require(name in LEVERAGED, "rebalancer: token not served")
        parts, paths = self.parts, Paths(self.parts, REBALANCER)
        weth, lrt = parts.weth, parts.vault.lrt
        earned = weth if lowers else lrt
        before = earned.balances[REBALANCER]

        def sell(collateral: int, debt: int) -> None:
            fetched = paths.sell(-collateral, route, caller)
            require(fetched >= -debt, "rebalancer: sale below payment")
            weth.approve(REBALANCER, name, -debt)

        def buy(collateral: int, debt: int) -> None:
            rate = paths.rate_to_swap(0)
            if rate:
                push(weth, REBALANCER, SWAP, debt)
            bought = paths.buy(debt, rate, 0, caller, REBALANCER)
            require(bought >= collateral, "rebalancer: too little bought")
            lrt.approve(REBALANCER, name, collateral)

        turn = sell if lowers else buy
        parts.leveraged[name].rebalance(REBALANCER, lowers, amount, 0, turn)
        profit = earned.balances[REBALANCER] - before
        require(profit >= min_profit, "rebalancer: profit too small")
        push(earned, REBALANCER, caller, profit)
        return profit

    def on_leveraged(self, caller: str, collateral: int, debt: int, data: bytes) -> None:
        """For the token of the running call alone, which does it as a part of that."""
        raise Refused("rebalancer: not the active token")
