"""The zap of the leveraged tokens: mints them from what its caller has, and turns them back."""

from __future__ import annotations

from dataclasses import dataclass

from relever.model.parts import LEVERAGED, LEVERAGED_ZAP, VAULT, MarketToken, Parts
from relever.model.paths import ETHER, INPUTS, Paths
from relever.model.refused import Refused, require
from relever.model.rounding import WAD
from relever.model.swap import SWAP
from relever.model.tokens import NOBODY, UNLIMITED, pull, push

# LRT that is not minted against.
MARGIN = 1_100


@dataclass(frozen=True)
class Exit:
    """As `ILeveragedTokenZap.Exit`: amounts in wei of what they are of."""

    token: str
    sold: int
    route: int
    min_out: int
    min_weth: int


@dataclass
class LeveragedZap:
    """Holds nothing between two calls."""

    parts: Parts

    def enter(
        self,
        caller: str,
        name: str,
        token_in: str,
        amount: int,
        min_shares: int,
        receiver: str,
        deadline: int,
        *,
        ether: int = 0,
    ) -> tuple[int, int]:
        """Returns the shares, and the LRT that is left."""
        parts, token = self.parts, self._served(name, deadline)
        paths = Paths(parts, LEVERAGED_ZAP)
        rate = paths.rate_to_swap(0)
        lrt = self._take(caller, token_in, amount, rate, ether)
        shares = self._affordable(token, lrt)
        require(shares >= min_shares, "zap: too few shares")

        def buy(collateral: int, debt: int) -> None:
            nonlocal lrt
            if rate:
                push(parts.weth, LEVERAGED_ZAP, SWAP, debt)
            lrt += paths.buy(debt, rate, 0, caller, LEVERAGED_ZAP)
            parts.vault.lrt.approve(LEVERAGED_ZAP, name, collateral)

        paid, _ = token.mint(LEVERAGED_ZAP, shares, UNLIMITED, 0, receiver, buy)
        require(lrt >= paid, "zap: too little bought")
        push(parts.vault.lrt, LEVERAGED_ZAP, caller, lrt - paid)
        return shares, lrt - paid

    def leave(
        self, caller: str, name: str, shares: int, terms: Exit, receiver: str, deadline: int
    ) -> tuple[int, int]:
        """Returns what is paid out of what was asked for, and the WETH that is left beside it."""
        parts, token = self.parts, self._served(name, deadline)
        require(receiver not in (NOBODY, LEVERAGED_ZAP), "zap: receiver")
        to_weth = terms.token == "weth"
        require(to_weth or terms.token in (VAULT, "wsteth"), "zap: token not accepted")
        most, sold, fetched = UNLIMITED if to_weth else terms.sold, 0, 0

        def sell(collateral: int, debt: int) -> None:
            nonlocal sold, fetched
            sold = min(most, -collateral)
            if sold:
                fetched = Paths(parts, LEVERAGED_ZAP).sell(sold, terms.route, caller)
            require(fetched >= -debt, "zap: sale below repayment")
            parts.weth.approve(LEVERAGED_ZAP, name, -debt)

        redeemed, repaid = token.redeem(LEVERAGED_ZAP, shares, UNLIMITED, 0, caller, sell)
        weth, rest = fetched - repaid, redeemed - sold
        require(weth >= terms.min_weth, "zap: too little weth")
        push(parts.weth, LEVERAGED_ZAP, receiver, weth)
        out = weth if to_weth else rest
        if terms.token == VAULT:
            push(parts.vault.lrt, LEVERAGED_ZAP, receiver, rest)
        elif terms.token == "wsteth" and rest:
            out = parts.vault.redeem(LEVERAGED_ZAP, rest)
            push(parts.wsteth, VAULT, receiver, out)
            parts.vault.pocket.hand_over(LEVERAGED_ZAP, caller)
        require(out >= terms.min_out, "zap: too little out")
        return out, 0 if to_weth else weth

    def on_leveraged(self, caller: str, collateral: int, debt: int, data: bytes) -> None:
        """For the token of the running call alone, which does it as a part of that."""
        raise Refused("zap: not the active token")

    def _served(self, name: str, deadline: int) -> MarketToken:
        require(self.parts.clock.time <= deadline, "zap: deadline passed")
        require(name in LEVERAGED, "zap: token not served")
        return self.parts.leveraged[name]

    def _take(self, caller: str, token_in: str, amount: int, rate: int, ether: int) -> int:
        """The caller's input; returns the LRT that it becomes."""
        parts, paths = self.parts, Paths(self.parts, LEVERAGED_ZAP)
        if token_in == ETHER:
            require(ether == amount, "zap: ether sent is not amount")
        else:
            require(ether == 0, "zap: ether with a token")
        if token_in == VAULT:
            pull(parts.vault.lrt, caller, LEVERAGED_ZAP, amount)
            return amount
        require(token_in in INPUTS, "zap: token not accepted")
        if token_in in ("steth", "wsteth"):
            return paths.deposit(paths.to_lst(token_in, caller, amount), LEVERAGED_ZAP)
        seat = SWAP if rate else LEVERAGED_ZAP
        if token_in == ETHER:
            parts.weth.mint(seat, amount)
        elif amount:
            parts.weth.transfer_from(LEVERAGED_ZAP, caller, seat, amount)
        return paths.buy(amount, rate, 0, caller, LEVERAGED_ZAP)

    def _affordable(self, token: MarketToken, lrt: int) -> int:
        """Shares whose collateral is that LRT and what the vault mints for their debt."""
        require(lrt > MARGIN, "zap: too little to mint")
        parts, (collateral, debt) = self.parts, token.position
        bought = debt * parts.vault.preview_deposit(parts.steth.shares_for(WAD)) // WAD
        require(bought < collateral, "zap: token has no equity")
        return (lrt - MARGIN) * token.supply // (collateral - bought)
