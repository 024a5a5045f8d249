"""The leverage router: opens, closes and moves a position in one transaction, for its caller."""

from __future__ import annotations

from dataclasses import dataclass

from relever.model import health
from relever.model.market import MARKET
from relever.model.parts import ROUTER, VAULT, Parts
from relever.model.paths import ETHER, INPUTS, Paths
from relever.model.queue import QUEUE
from relever.model.refused import Refused, require
from relever.model.swap import SWAP as SWAP_CONTRACT
from relever.model.tokens import pull, push

# Stands for the whole debt.
MOST = 2**255 - 1


@dataclass(frozen=True)
class Bounds:
    """Of the position afterwards, of what is paid out, and the last second."""

    min_collateral: int
    max_debt: int
    min_out: int
    deadline: int
    # Least health afterwards in WAD; zero where none is asked for.
    min_health: int = 0


@dataclass(frozen=True)
class Grants:
    """The caller's right at the market, by a signature, and whether it is given back.

    `nonce`, `deadline` and `signer` are of the signature; nobody's is none.
    """

    nonce: int = 0
    deadline: int = 0
    signer: str = "nobody"
    revoke: bool = False


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
        mint_rate: int = 0,
        grants: Grants = Grants(),
        *,
        ether: int = 0,
    ) -> tuple[int, int]:
        """Put an input and a loan into the LRT, as collateral; returns collateral and debt."""
        parts, paths = self.parts, Paths(self.parts, ROUTER)
        self._check_deadline(bounds)
        require(market == MARKET and parts.listed, "router: market not listed")
        require(amount + borrow > 0, "router: nothing to do")
        self._authorize(caller, grants)
        rate = paths.rate_to_swap(mint_rate) if borrow or token in (ETHER, "weth") else 0
        seat = SWAP_CONTRACT if rate else ROUTER
        if token == ETHER:
            require(ether == amount, "router: ether sent is not amount")
        else:
            require(ether == 0, "router: ether with a token")
        require(token in (*INPUTS, VAULT), "router: token not accepted")
        weth = lst = lrt = 0
        if amount and token == VAULT:
            pull(parts.vault.lrt, caller, ROUTER, amount)
            lrt = amount
        elif token == ETHER:
            parts.weth.mint(seat, amount)
            weth = amount
        elif amount and token == "weth":
            parts.weth.transfer_from(ROUTER, caller, seat, amount)
            weth = amount
        elif amount:
            lst = paths.to_lst(token, caller, amount)

        def mint(borrowed: int) -> int:
            push(parts.vault.lrt, ROUTER, MARKET, lrt)
            paths.buy(weth + borrowed, rate, lst, caller, MARKET)
            return 0

        parts.market.adjust(ROUTER, caller, 0, borrow, seat, mint)
        self._revoke(caller, grants)
        return self._check_after(caller, bounds)

    def close(
        self,
        caller: str,
        market: str,
        collateral_out: int,
        repay: int,
        route: int,
        bounds: Bounds,
        grants: Grants = Grants(),
    ) -> tuple[int, int, int]:
        """Sell collateral, repay, pay the rest out; returns that, and collateral and debt."""
        sold = collateral_out
        return self._lower(caller, market, collateral_out, sold, repay, route, bounds, grants)[1:]

    def close_to_queue(
        self,
        caller: str,
        market: str,
        collateral_out: int,
        sold: int,
        repay: int,
        route: int,
        bounds: Bounds,
        grants: Grants = Grants(),
    ) -> tuple[int, int, int, int]:
        """Sell a part only, and ask the rest back; returns the request's id too, first."""
        require(sold < collateral_out, "router: nothing to queue")
        return self._lower(caller, market, collateral_out, sold, repay, route, bounds, grants)

    def move(
        self, caller: str, source: str, target: str, collateral: int, debt: int, bounds: Bounds
    ) -> None:
        """To another market: of which there is none that lends, here."""
        self._check_deadline(bounds)
        require(source != target, "router: source is target")
        require(collateral > 0, "router: nothing to do")
        require(source == MARKET, "router: market never listed")
        raise Refused("router: market not listed")

    def on_adjust(self, caller: str, owner: str, collateral: int, debt: int, data: bytes) -> int:
        """For the market of the running call alone, which does it as a part of that."""
        raise Refused("router: not the active market")

    def _lower(
        self,
        caller: str,
        market: str,
        collateral_out: int,
        sold: int,
        repay: int,
        route: int,
        bounds: Bounds,
        grants: Grants,
    ) -> tuple[int, int, int, int]:
        parts, paths = self.parts, Paths(self.parts, ROUTER)
        self._check_deadline(bounds)
        require(market == MARKET, "router: market never listed")
        require(collateral_out > 0, "router: nothing to do")
        self._authorize(caller, grants)
        seat = paths.seat(route) if sold == collateral_out else ROUTER
        paid_out = 0

        def sell(change: int) -> int:
            nonlocal paid_out
            received = 0
            if sold == collateral_out:
                received = paths.sell_seated(sold, seat, caller)
            elif sold:
                received = paths.sell(sold, route, caller)
            require(received >= -change, "router: sale below repayment")
            push(parts.weth, ROUTER, MARKET, -change)
            paid_out = received + change
            return 0

        repaid = min(repay, MOST)
        parts.market.adjust(ROUTER, caller, -collateral_out, -repaid, seat, sell)
        require(paid_out >= bounds.min_out, "router: too little out")
        push(parts.weth, ROUTER, caller, paid_out)
        number = 0
        if sold < collateral_out:
            shares = collateral_out - sold
            parts.vault.lrt.approve(ROUTER, QUEUE, shares)
            number = parts.queue.request(ROUTER, shares, caller, ROUTER)
        self._revoke(caller, grants)
        return number, paid_out, *self._check_after(caller, bounds)

    def _check_deadline(self, bounds: Bounds) -> None:
        require(self.parts.clock.time <= bounds.deadline, "router: deadline passed")

    def _authorize(self, caller: str, grants: Grants) -> None:
        if grants.signer != "nobody":
            said = (caller, ROUTER, True, grants.nonce, grants.deadline, grants.signer)
            self.parts.market.set_authorization_signed(*said)

    def _revoke(self, caller: str, grants: Grants) -> None:
        if grants.revoke:
            self.parts.market.renounce_authorization(ROUTER, caller)

    def _check_after(self, caller: str, bounds: Bounds) -> tuple[int, int]:
        market = self.parts.market
        collateral, debt = market.positions[caller].collateral, market.debt(caller)
        require(collateral >= bounds.min_collateral, "router: collateral below bound")
        require(debt <= bounds.max_debt, "router: debt above bound")
        if bounds.min_health and debt:
            worth = health.worth_down(collateral, self.parts.oracle.price)
            found = worth * market.terms.threshold // debt
            require(found >= bounds.min_health, "router: health below bound")
        return collateral, debt
