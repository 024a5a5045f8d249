"""The factory of markets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from relever.model.contracts.owned import Owned
from relever.model.parts import WRONG_ORACLE, Parts
from relever.model.refused import require
from relever.model.rounding import WAD
from relever.model.rule import Rule
from relever.model.tokens import NOBODY

MAX_112 = 2**112 - 1
MAX_PRICE = 2**140
# What a whole collateral token of 18 decimals may be worth, in whole loan tokens of as many.
LEAST_WORTH, MOST_WORTH = 10**30, 10**42
TOKENS = ("weth", "steth", "wsteth", "vault")


@dataclass
class FactoryContract(Owned):
    """Markets beside the one that the suite is about are only counted, and listed."""

    parts: Parts

    @property
    def rule(self) -> Rule:
        return self.parts.rules["factory"]

    def create_market(self, caller: str, terms: tuple[Any, ...], name: str, symbol: str) -> str:
        """Loan, collateral and oracle, then the ratios of `market.Terms`, in their order."""
        self._check_terms(*terms)
        made = f"market{len(self.parts.markets) + 1}"
        self.parts.markets[made] = False
        return made

    def list_market(self, caller: str, market: str) -> None:
        self.rule.only_owner(caller)
        require(market in self.parts.markets, "factory: unknown market")
        self.parts.markets[market] = True

    def delist_market(self, caller: str, market: str) -> None:
        allowed = caller in (self.rule.owner, self.rule.guardian)
        require(allowed, "factory: not owner or guardian")
        require(self.parts.markets.get(market, False), "factory: not listed")
        self.parts.markets[market] = False

    def set_guardian(self, caller: str, guardian: str) -> None:
        self.rule.only_owner(caller)
        require(guardian != NOBODY, "factory: guardian")
        self.rule.guardian = guardian

    def _check_terms(
        self,
        loan: str,
        collateral: str,
        oracle: str,
        max_ltv: int,
        threshold: int,
        target_health: int,
        base_bonus: int,
        max_bonus: int,
        min_debt: int,
        deleverage_share: int,
    ) -> None:
        require(loan != collateral, "factory: same token")
        require(0 < max_ltv < threshold, "factory: max ltv")
        require(base_bonus <= max_bonus, "factory: base bonus")
        require(threshold < WAD and max_bonus < WAD, "factory: threshold")
        require((WAD + max_bonus) * threshold < WAD * WAD, "factory: threshold")
        require(WAD < target_health < 2 * WAD, "factory: target health")
        require(0 < min_debt < MAX_112, "factory: minimum debt")
        require(0 < deleverage_share < WAD, "factory: deleverage share")
        # Who is none of these has nothing to say.
        known = loan in TOKENS and collateral in TOKENS and oracle in ("oracle", WRONG_ORACLE)
        require(known, "")
        require(oracle != WRONG_ORACLE, "factory: oracle price")
        price = self.parts.oracle.fundamental
        sane = price < MAX_PRICE and LEAST_WORTH <= price <= MOST_WORTH
        require(sane, "factory: oracle price")
