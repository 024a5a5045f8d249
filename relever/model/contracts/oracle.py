"""The oracle."""

from __future__ import annotations

from dataclasses import dataclass

from relever.model.parts import VAULT, Parts


@dataclass
class OracleContract:
    parts: Parts

    def poke(self, caller: str) -> bool:
        return self.parts.oracle.poke()

    def poke_price(self, caller: str) -> int:
        return self.parts.oracle.poke_price()

    def poke_liquidation_prices(self, caller: str) -> tuple[int, int, bool]:
        return self.parts.oracle.poke_liquidation_prices()

    def propose_checkpoint(self, caller: str) -> None:
        self.parts.oracle.propose_checkpoint()

    def promote_checkpoint(self, caller: str) -> None:
        self.parts.oracle.promote_checkpoint()

    def accept_supply(self, caller: str, most: int) -> None:
        self.parts.oracle.accept_supply(self._owner(caller), most)

    def propose_feed(self, caller: str, feed: str) -> None:
        self.parts.oracle.propose_feed(self._owner(caller), self.parts.feeds[feed])

    def cancel_feed_proposal(self, caller: str) -> None:
        self.parts.oracle.cancel_feed_proposal(self._owner(caller))

    def replace_feed(self, caller: str) -> None:
        self.parts.oracle.replace_feed()

    def roll_back_feed(self, caller: str) -> None:
        self.parts.oracle.roll_back_feed(self._guardian(caller))

    def _owner(self, caller: str) -> str:
        """His rank, the owner's before the guardian's where he is both."""
        rule = self.parts.rules[VAULT]
        return "owner" if caller == rule.owner else self._guardian(caller)

    def _guardian(self, caller: str) -> str:
        return "guardian" if caller == self.parts.rules[VAULT].guardian else "anyone"
