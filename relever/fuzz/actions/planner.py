"""Chooses what is done next by the state of the model."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import accumulate
from random import Random
from typing import Any, TypeVar

from relever.fuzz.actions import settings
from relever.fuzz.actions.machines import MACHINES
from relever.model.callback import SCRIPTED
from relever.model.market import MARKET, Position
from relever.model.parts import BORROWERS, EIGENLAYER, LEVERAGED, ORDERS, PEOPLE, SYMBIOTIC
from relever.model.protocol import Action, Protocol, Step
from relever.model.rounding import WAD
from relever.model.router import Bounds
from relever.model.tokens import UNLIMITED

HOUR, DAY = 3_600, 86_400
# Who can call: people, roles, and the one contract that does what it is told.
CALLERS = (
    *("owner", "guardian", "allocator", "keeper", "operator", "avs", "resolver", "treasury"),
    *("feed_oracle", "lido_oracle", *PEOPLE, SCRIPTED),
)
NO_BOUNDS = Bounds(0, 2**256 - 1, 0, 2**256 - 1)
# Seconds that may pass between two actions, and blocks without transactions.
TIMES = (1, 12, 600, 1_200, 1_200, HOUR, HOUR, 6 * HOUR, DAY, 3 * DAY)
BLOCKS = (1, 1, 1, 20, 60)
_NONE = Position()

T = TypeVar("T")
Chooser = Callable[["Planner"], Action]


class Planner:
    """Plans step after step; the caller does each of them before it asks for the next.

    Args:
        model: what it looks at, and never changes.
        draw: all chance there is.
        machine: which ways it takes, one of `MACHINES`.

    Raises:
        ValueError: there is no such machine.
    """

    def __init__(self, model: Protocol, draw: Random, machine: str = "protocol") -> None:
        if machine not in MACHINES:
            raise ValueError(f"no machine is called {machine!r}: choose one of {list(MACHINES)}")
        self.model, self.parts, self.draw = model, model.parts, draw
        ways = MACHINES[machine]
        self._choosers = [choose for _, _, choose in ways]
        self._weights = list(accumulate(weight for weight, _, _ in ways))
        # What is done next, whatever chance says: seconds and blocks that pass, and then what.
        self._plan: deque[tuple[int, int, Chooser]] = deque()
        # What is left of each list that is gone through in turn.
        self._turns: dict[str, list[Any]] = {}

    def opening(self) -> list[Step]:
        """So that there is something to act on: loans, stake, positions, someone in line."""
        router = "router", True
        opened = [
            (MARKET, "wsteth", 30 * WAD, 110 * WAD, NO_BOUNDS),
            (MARKET, "weth", 20 * WAD, 150 * WAD, NO_BOUNDS),
            (MARKET, "steth", 10 * WAD, 60 * WAD, NO_BOUNDS),
        ]
        actions = [
            Action("market.deposit", "lender", (1_500 * WAD, "lender")),
            *(Action("vault.deposit", who, (60 * WAD, who)) for who in PEOPLE),
            Action("vault.deposit", "stranger", (60 * WAD, SCRIPTED)),
            *(Action("market.set_authorization", who, router) for who in BORROWERS),
            *(Action("market.set_authorization", who, (ORDERS, True)) for who in BORROWERS[1:]),
            *(
                Action("router.open", who, what)
                for who, what in zip(BORROWERS, opened, strict=True)
            ),
            Action("world.stake_beside", "stranger", (EIGENLAYER, 30 * WAD + 1)),
            Action("world.stake_beside", "stranger", (SYMBIOTIC, 40 * WAD + 3)),
            Action("backstop.deposit", "lender", (250 * WAD, "lender")),
            Action("backstop.deposit", "depositor", (20 * WAD, "depositor")),
            *(
                Action(f"{name}.mint", who, (2 * WAD, UNLIMITED, 0, who))
                for name in LEVERAGED
                for who in ("depositor", "stranger")
            ),
            Action("vault.allocate", "allocator", (EIGENLAYER, 300 * WAD)),
            Action("vault.allocate", "allocator", (SYMBIOTIC, 150 * WAD)),
            Action("queue.requestRedeem", "depositor", (5 * WAD, "depositor", "depositor")),
        ]
        return [Step(action) for action in actions]

    def next(self) -> Step:
        """What is done next, and how much time passes before."""
        draw = self.draw
        if self._plan:
            seconds, blocks, choose = self._plan.popleft()
            return Step(choose(self), seconds, blocks)
        # What stops everything else does not last.
        repair = settings.repair(self)
        if repair is not None:
            return Step(repair)
        (choose,) = draw.choices(self._choosers, cum_weights=self._weights)
        action = choose(self)
        if self._plan or draw.random() >= 0.25:
            return Step(action)
        return Step(action, draw.choice(TIMES), draw.choice(BLOCKS))

    def then(self, choose: Chooser | Action, seconds: int = 0, blocks: int = 0) -> None:
        """Do this after all that is planned, and after so much time.

        Args:
            choose: the action, or who chooses it then: by how things are before the time passes.
            seconds: that pass before.
            blocks: that pass before; one at least if seconds do.
        """
        chosen = (lambda _, action=choose: action) if isinstance(choose, Action) else choose
        self._plan.append((seconds, max(blocks, 1 if seconds else 0), chosen))

    def wait(self, seconds: int, blocks: int = 0) -> None:
        """Let time pass by itself, so that what comes after it is chosen by how things are then."""
        self.then(Action("oracle.poke", "keeper"), seconds, blocks)

    # Chance

    def who(self) -> str:
        """Someone with tokens."""
        return self.draw.choice(PEOPLE)

    def account(self, name: str) -> str:
        """The one of this name if that can call anything, or someone with tokens."""
        return name if name in CALLERS else self.who()

    def mostly(self, usual: T, odd: T) -> T:
        """The one, and in one of twelve draws the other."""
        return odd if self.draw.random() < 0.08 else usual

    def part(self, whole: int) -> int:
        """A part of it; or all, a unit more, little or nothing."""
        if self.draw.random() < 0.08:
            return self.draw.choice((whole, whole + 1, 1, 0))
        return whole * self.draw.choice((100, 90, 75, 50, 50, 33, 25, 10, 1)) // 100

    def turn(self, name: str, all_of_them: Sequence[T]) -> T:
        """One of a list by chance, but none again before all have had their turn."""
        left = self._turns.get(name)
        if not left:
            left = self._turns[name] = self.draw.sample(all_of_them, len(all_of_them))
        found: T = left.pop()
        return found

    def amount(self, most: int) -> int:
        """Some amount up to the most, or one of `part`'s odd ones."""
        return self.part(1 + int(self.draw.random() * most))

    # What the model says now

    @property
    def now(self) -> int:
        return self.parts.clock.time

    def held(self, token: str, who: str) -> int:
        """Someone's balance of a plain token, or of the market's shares."""
        if token == MARKET:
            return self.parts.market.shares.get(who, 0)
        return self.parts.token(token).balances.get(who, 0)

    def position(self, owner: str) -> Position:
        return self.parts.market.positions.get(owner, _NONE)

    def debt(self, owner: str) -> int:
        """By the market's books; interest since the last accrual comes on top."""
        return self.parts.market.books.borrow.assets_up(self.position(owner).debt_shares)

    def worth(self, collateral: int) -> int:
        """What collateral is worth to who borrows, in loan units."""
        oracle = self.parts.oracle
        price = min(oracle.fundamental, oracle.feed.answer * WAD)
        return max(0, collateral * price // 10**36)

    def room(self, owner: str, more: int = 0) -> int:
        """What may still be borrowed on a position and so much more collateral, about."""
        limit = self.worth(self.position(owner).collateral + more)
        return max(0, limit * self.parts.market.terms.max_ltv // WAD - self.debt(owner))

    @property
    def owing(self) -> list[str]:
        """Who owes something, the leveraged tokens too."""
        positions = self.parts.market.positions
        return [who for who, position in positions.items() if position.debt_shares]

    @property
    def borrowers(self) -> list[str]:
        """Who owes something and can call."""
        return [who for who in self.owing if who in CALLERS]

    def riskiest(self, owing: Sequence[str] | None = None) -> str:
        """Who owes most for his collateral; a borrower by habit if nobody owes anything."""
        positions = self.parts.market.positions
        owing = self.owing if owing is None else owing
        if not owing:
            return self.draw.choice(BORROWERS)

        def leverage(who: str) -> float:
            return positions[who].debt_shares / (positions[who].collateral + 1)

        return max(owing, key=leverage)

    def borrower(self) -> str:
        """The riskiest, or someone who owes, or seldom someone who does not."""
        if self.draw.random() < 0.5:
            return self.riskiest(self.borrowers)
        return self.draw.choice(self.mostly(self.borrowers, []) or BORROWERS)

    def broken(self) -> str | None:
        """The riskiest, if one of the two prices lets anyone liquidate him."""
        owner = self.riskiest()
        first, smoothed, usable = self.parts.oracle.liquidation_prices
        price = min(first, smoothed) if usable else first
        return owner if self.edge(owner) >= price else None

    def edge(self, owner: str) -> int:
        """The price, scaled by 1e36, under which a position can be liquidated; 0 without one."""
        position, terms = self.position(owner), self.parts.market.terms
        if not position.collateral:
            return 0
        return self.debt(owner) * WAD * 10**36 // (position.collateral * terms.threshold)

    def say(self, discount: int, feed: str = "") -> Action:
        """A feed, mostly the one in use, answers the fundamental price less a discount."""
        oracle = self.parts.oracle
        price = max(1, oracle.fundamental * (WAD - discount) // 10**36)
        return Action("world.answer", "feed_oracle", (feed or oracle.feed.name, price))
