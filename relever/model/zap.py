"""The deposit zap: ether, WETH, stETH or wstETH into the LRT in one call."""

from __future__ import annotations

from dataclasses import dataclass

from relever.model.parts import ZAP, Parts
from relever.model.paths import ETHER, INPUTS, Paths
from relever.model.refused import require
from relever.model.tokens import NOBODY


@dataclass
class Zap:
    """Holds nothing between two calls."""

    parts: Parts

    def deposit(
        self,
        caller: str,
        token: str,
        amount: int,
        min_shares: int,
        receiver: str,
        *,
        ether: int = 0,
    ) -> int:
        """Returns the LRT that an input buys for somebody."""
        require(token in INPUTS, "zap: token not accepted")
        require(amount > 0, "zap: zero amount")
        require(receiver != NOBODY, "zap: zero receiver")
        require(receiver != ZAP, "zap: receiver is the zap")
        if token == ETHER:
            require(ether == amount, "zap: ether sent is not amount")
        else:
            require(ether == 0, "zap: ether with a token")
        paths = Paths(self.parts, ZAP)
        shares = paths.deposit(paths.to_lst(token, caller, amount), receiver)
        require(shares > 0, "zap: zero shares")
        require(shares >= min_shares, "zap: too few shares")
        return shares
