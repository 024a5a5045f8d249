"""The leverage router: opens and closes a leveraged position in one transaction, for its caller."""

from __future__ import annotations

from dataclasses import dataclass

from relever.model.market import MARKET
from relever.model.parts import ROUTER, VAULT, Parts
from relever.model.paths import ETHER, INPUTS, Paths
from relever.model.refused import Refused, require
from relever.model.tokens import pull, push


@dataclass(frozen=True)
class Bounds:
    """Of the position afterwards, of what is paid out, and the last second."""

    min_collateral: int
    max_debt: int
    min_out: int
    deadline: int
    # Least health afterwards in WAD; zero where none is asked for.
    min_health: int = 0


@dataclass
class Router:
    """Holds nothing between two calls."""

    parts: Parts

    def open(
        self,
        caller: str,
        market: str,
        token: str,
        amount: int,
        borrow: int,
        bounds: Bounds,
        *,
        ether: int = 0,
    ) -> tuple[int, int]:
        """Put an input and a loan into the LRT, as collateral; returns collateral and debt."""
        parts, paths = self.parts, Paths(self.parts, ROUTER)
        require(market == MARKET and parts.listed, "router: market not listed")
        require(parts.clock.time <= bounds.deadline, "router: deadline passed")
        require(amount + borrow > 0, "router: nothing to do")
        if token == ETHER:
            require(ether == amount, "router: ether sent is not amount")
        else:
            require(ether == 0, "router: ether with a token")
        require(token in (*INPUTS, VAULT), "router: token not accepted")
        lst = lrt = 0
        if amount and token == VAULT:
            pull(parts.vault.lrt, caller, ROUTER, amount)
            lrt = amount
        elif amount:
            lst = paths.to_lst(token, caller, amount)

        def mint(borrowed: int) -> int:
            minted = paths.deposit(lst + paths.stake_weth(borrowed), ROUTER)
            parts.vault.lrt.approve(ROUTER, MARKET, lrt + minted)
            return lrt + minted

        collateral, debt = parts.market.adjust(ROUTER, caller, 0, borrow, ROUTER, mint)
        _check(collateral, debt, bounds)
        return collateral, debt

    def close(
        self,
        caller: str,
        market: str,
        collateral_out: int,
        repay: int,
        route: int,
        bounds: Bounds,
    ) -> tuple[int, int, int]:
        """Sell collateral, repay, pay the rest out; returns that, and collateral and debt."""
        parts, paths = self.parts, Paths(self.parts, ROUTER)
        require(market == MARKET, "router: market never listed")
        require(parts.clock.time <= bounds.deadline, "router: deadline passed")
        require(collateral_out > 0, "router: nothing to do")
        before = parts.weth.balances[ROUTER]
        repaid = min(repay, parts.market.debt(caller))

        def sell(change: int) -> int:
            received = paths.sell(collateral_out, route, caller)
            require(received >= -change, "router: sale below repayment")
            parts.weth.approve(ROUTER, MARKET, -change)
            return 0

        collateral, debt = parts.market.adjust(
            ROUTER, caller, -collateral_out, -repaid, ROUTER, sell
        )
        paid_out = parts.weth.balances[ROUTER] - before
        require(paid_out >= bounds.min_out, "router: too little out")
        push(parts.weth, ROUTER, caller, paid_out)
        _check(collateral, debt, bounds)
        return paid_out, collateral, debt

    def on_adjust(self, caller: str, owner: str, collateral: int, debt: int, data: bytes) -> int:
        """For the market of the running call alone, which does it as a part of that."""
        raise Refused("router: not the active market")


def _check(collateral: int, debt: int, bounds: Bounds) -> None:
    require(collateral >= bounds.min_collateral, "router: collateral below bound")
    require(debt <= bounds.max_debt, "router: debt above bound")
