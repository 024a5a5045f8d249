"""What happens around the suite: time, feeds, slashes, other stakers, traders."""

from __future__ import annotations

from dataclasses import dataclass

from relever.model.parts import EIGENLAYER, STRATEGY, SYMBIOTIC_VAULT, Parts
from relever.model.refused import Refused, require
from relever.model.tokens import pull, push

FEED_DECIMALS = 18
# Where Symbiotic sends what was slashed.
BURNER = "dead"
# Uniswap's own router, which traders have approved.
SWAP_ROUTER = "swap_router"
STRATEGY_MANAGER = "strategy_manager"


@dataclass
class World:
    """Each method is one transaction, by the one whose part it is."""

    parts: Parts

    def answer(self, caller: str, feed: str, price: int) -> None:
        """The feed says a price, in units of 1e-18."""
        found = self.parts.feeds[feed]
        found.answer = price
        found.started_at = found.updated_at = self.parts.clock.time

    def slash(self, caller: str, part: int) -> None:
        """The AVS slashes the operator in EigenLayer, by a part in WAD."""
        self.parts.eigenlayer.slash(part)

    def burn(self, caller: str) -> None:
        """What was slashed leaves EigenLayer's strategy."""
        amount = self.parts.eigenlayer.burn()
        push(self.parts.wsteth, STRATEGY, "burnt", amount)

    def undelegate(self, caller: str) -> None:
        """The operator throws the adapter out."""
        self.parts.eigenlayer.undelegate(self.parts.eigen.staker)

    def request_slash(self, caller: str, amount: int, captured: int) -> int:
        """In Symbiotic, for the stake of a past time; returns the request's number."""
        return self.parts.symbiotic.request_slash(amount, captured)

    def execute_slash(self, caller: str, number: int) -> int:
        taken = self.parts.symbiotic.execute_slash(number)
        push(self.parts.wsteth, SYMBIOTIC_VAULT, BURNER, taken)
        return taken

    def veto_slash(self, caller: str, number: int) -> None:
        self.parts.symbiotic.veto_slash(number)

    def stake_beside(self, caller: str, adapter: str, amount: int) -> None:
        """Someone else stakes in the same pool."""
        if adapter == EIGENLAYER:
            self.parts.eigenlayer.deposit(self.parts.neighbour, amount)
            self.parts.wsteth.transfer_from(STRATEGY_MANAGER, caller, STRATEGY, amount)
        else:
            self.parts.symbiotic.deposit(caller, amount)
            pull(self.parts.wsteth, caller, SYMBIOTIC_VAULT, amount)

    def leave_beside(self, caller: str, adapter: str, amount: int) -> None:
        """He begins to leave: deposit shares in EigenLayer, an amount in Symbiotic."""
        if adapter == EIGENLAYER:
            self.parts.eigenlayer.queue(self.parts.neighbour, amount)
        else:
            self.parts.symbiotic.withdraw(caller, amount)

    def give_stake(self, caller: str, amount: int) -> None:
        """Stake in Symbiotic in the adapter's name."""
        self.parts.symbiotic.deposit(self.parts.symbio.who, amount)
        pull(self.parts.wsteth, caller, SYMBIOTIC_VAULT, amount)

    def post_rewards(self, caller: str, amount: int) -> None:
        """EigenLayer's updater posts that its adapter has earned so much more WETH."""
        self.parts.rewards.post(amount)

    def silence(self, caller: str, adapter: str) -> None:
        """An adapter answers no more. No transaction can do that: its code is taken away."""
        self.parts.vault.adapters[adapter].answers = False

    def restore(self, caller: str, adapter: str) -> None:
        """It answers again."""
        self.parts.vault.adapters[adapter].answers = True

    def trade(self, caller: str, pool: str, token: str, amount: int, limit: int) -> int:
        """Sell a token by Uniswap's own router, until the price reaches the limit."""
        found = self.parts.pools[pool]
        sell0 = found.token0 == token
        bought = found.token1 if sell0 else found.token0
        wrong_side = limit >= found.sqrt_price if sell0 else limit <= found.sqrt_price
        require(not wrong_side, "SPL")
        paid, got = found.swap(sell0, amount, limit)
        # Uniswap's router swaps nothing for nothing.
        require(paid > 0 or got > 0, "")
        push(self.parts.token(bought), pool, caller, got)
        try:
            self.parts.token(token).transfer_from(SWAP_ROUTER, caller, pool, paid)
        except Refused as refusal:
            raise Refused("STF") from refusal
        return got
