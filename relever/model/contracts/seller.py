"""The seller of rewards."""

from __future__ import annotations

from dataclasses import dataclass

from relever.model.contracts.owned import Owned
from relever.model.contracts.vault import VaultContract
from relever.model.health import ceil_div
from relever.model.parts import SELLER, Parts, RewardTerms
from relever.model.refused import require
from relever.model.rounding import WAD
from relever.model.rule import Rule
from relever.model.swap import Swap
from relever.model.tokens import NOBODY, push

ASSET, WETH = "wsteth", "weth"
MAX_DISCOUNT = WAD // 20
# One whole token, times one whole answer of a feed: both have 18 decimals.
UNIT = WAD * WAD


@dataclass
class SellerContract(Owned):
    """Whatever it holds is a reward."""

    parts: Parts
    vault: VaultContract
    swap: Swap

    @property
    def rule(self) -> Rule:
        return self.parts.rules[SELLER]

    def sell(self, caller: str, reward: str, amount: int, min_out: int) -> int:
        """Returns the wstETH that the vault gets for it."""
        require(amount != 0, "rewards: zero amount")
        require(amount <= self._held(reward), "rewards: more than held")
        least = max(min_out, self._least_out(reward, amount))
        out = amount
        if reward != ASSET:
            if reward != WETH:
                # Nobody sells by a swap that is none.
                require(self.parts.reward_terms[reward].swap == "swap", "")
                out = self._swap(reward, WETH, out)
            out = self._swap(WETH, ASSET, out)
        require(out >= least, "rewards: too little out")
        self.parts.wsteth.approve(SELLER, "vault", out)
        self.vault.pay_rewards(SELLER, out)
        return out

    def set_terms(self, caller: str, reward: str, terms: tuple[str, int, int, str]) -> None:
        """Feed, the age of its answer, the discount, and the swap."""
        self.rule.only_owner(caller)
        new = RewardTerms(*terms)
        require(reward != ASSET, "rewards: terms of the asset")
        require(new.max_discount != 0, "rewards: no discount")
        require(new.max_discount <= MAX_DISCOUNT, "rewards: discount too large")
        if reward == WETH:
            plain = (new.feed, new.max_age, new.swap) == (NOBODY, 0, NOBODY)
            require(plain, "rewards: terms of weth")
        else:
            require(new.max_age != 0, "rewards: max age")
            require(new.swap != NOBODY, "rewards: no swap")
            # Who is no token, or no feed, has no decimals.
            require(reward in ("steth", "vault") and new.feed in self.parts.feeds, "")
        self.parts.reward_terms[reward] = new

    def remove_token(self, caller: str, reward: str) -> None:
        allowed = caller in (self.rule.owner, self.rule.guardian)
        require(allowed, "rewards: not owner or guardian")
        require(reward in self.parts.reward_terms, "rewards: nothing to remove")
        del self.parts.reward_terms[reward]

    def set_guardian(self, caller: str, guardian: str) -> None:
        self.rule.only_owner(caller)
        require(guardian != NOBODY, "rewards: guardian")
        self.rule.guardian = guardian

    def _held(self, reward: str) -> int:
        if reward == "steth":
            steth = self.parts.steth
            return steth.ether_for(steth.shares.get(SELLER, 0))
        # Who is no token has no balances.
        require(reward in ("weth", "wsteth", "vault"), "")
        return self.parts.token(reward).balances.get(SELLER, 0)

    def _swap(self, sold: str, bought: str, amount: int) -> int:
        push(self.parts.token(sold), SELLER, "swap", amount)
        return self.swap.swap(SELLER, sold, bought, amount, 0, SELLER)

    def _least_out(self, reward: str, amount: int) -> int:
        if reward == ASSET:
            return amount
        terms = self.parts.reward_terms.get(reward)
        require(terms is not None, "rewards: token without terms")
        assert terms is not None
        worth = amount
        if reward != WETH:
            worth = ceil_div(amount * self._price(terms) * WAD, UNIT)
        return ceil_div(worth * (WAD - terms.max_discount), self.parts.steth.rate)

    def _price(self, terms: RewardTerms) -> int:
        feed = self.parts.feeds[terms.feed]
        require(feed.answers, "rewards: feed does not answer")
        require(feed.answer > 0, "rewards: bad answer")
        fresh = 0 <= self.parts.clock.time - feed.updated_at <= terms.max_age
        require(fresh, "rewards: stale feed")
        return feed.answer
