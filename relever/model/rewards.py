"""EigenLayer's rewards coordinator: roots that say what the adapter has earned in all."""

from __future__ import annotations

from dataclasses import dataclass, field

from relever.model.clock import Clock
from relever.model.refused import require
from relever.model.tokens import Weth, push

COORDINATOR = "rewards_coordinator"


@dataclass
class Rewards:
    """Rewards are WETH that the coordinator holds; `delay` is from a root to claims under it."""

    clock: Clock
    weth: Weth
    delay: int
    # Of each root: from when on it counts, and what was earned until then, claimed or not.
    roots: list[tuple[int, int]] = field(default_factory=list)
    # The last second that a root is about.
    until: int = 0
    claimed: int = 0

    def post(self, amount: int) -> None:
        """A root for the second that has passed: so much more was earned."""
        require(self.clock.time - 1 > self.until, "NewRootMustBeForNewCalculatedPeriod()")
        earned = self.roots[-1][1] if self.roots else 0
        self.roots.append((self.clock.time + self.delay, earned + amount))
        self.until = self.clock.time - 1

    def claim(self, root: int, receiver: str) -> None:
        """Pay what was earned until a root and not claimed."""
        require(root < len(self.roots), "panic 0x32")
        counts_from, earned = self.roots[root]
        require(self.clock.time >= counts_from, "RootNotActivated()")
        require(earned > self.claimed, "EarningsNotGreaterThanClaimed()")
        amount = earned - self.claimed
        require(
            amount <= self.weth.balances.get(COORDINATOR, 0), "SafeERC20: low-level call failed"
        )
        push(self.weth, COORDINATOR, receiver, amount)
        self.claimed = earned
