"""EigenLayer: one strategy, one operator with one operator set, and those who stake with it.

Three kinds of share, none of which may be taken for another:

- *Deposit shares* are what the strategy gave for the tokens. Slashing never lowers them.
- *Scaled shares* are deposit shares times the staker's scaling factor. The factor makes up for what
  the operator had lost before the deposit, and a withdrawal in the queue is remembered in them.
- *Withdrawable shares* are scaled shares times the operator's magnitude: what is really left.

A slash lowers the magnitude and nothing else of a staker, so it reaches all of them at once, those
in the queue too until they mature. The slashed shares still belong to the strategy until someone
has them burnt. EigenLayer rounds every one of these products down, but a slash up.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from relever.model.clock import Clock
from relever.model.refused import require
from relever.model.rounding import WAD, mul_div, mul_div_up

# A strategy adds so many shares and tokens to its own when it computes its price, against
# donations before the first deposit.
VIRTUAL = 1_000

# Exits that the adapter lets be open at once.
MAX_EXITS = 16


@dataclass
class Strategy:
    """A pool of one token, priced by its balance."""

    shares: int = 0
    balance: int = 0
    # Slashed shares, not burnt yet.
    burnable: int = 0

    def worth(self, shares: int) -> int:
        """Tokens for shares, rounded down."""
        return mul_div(shares, self.balance + VIRTUAL, self.shares + VIRTUAL)

    def shares_for(self, amount: int) -> int:
        """Shares for tokens, rounded down."""
        return mul_div(amount, self.shares + VIRTUAL, self.balance + VIRTUAL)

    def deposit(self, amount: int) -> int:
        """Take tokens; returns the shares that they gave."""
        shares = self.shares_for(amount)
        require(shares > 0, "StrategyBase.deposit: newShares cannot be zero")
        self.shares += shares
        self.balance += amount
        return shares

    def withdraw(self, shares: int) -> int:
        """Give tokens for shares; returns how many."""
        amount = self.worth(shares)
        self.shares -= shares
        self.balance -= amount
        return amount


@dataclass
class Operator:
    """What slashing has left of an operator.

    Its maximum magnitude starts at 1 and only falls. The part of it that the operator set can slash
    is `allocated`. `shares` is EigenLayer's own count of what is delegated; it runs a little above
    the sum of what the stakers can withdraw, since each of theirs is rounded down.
    """

    allocated: int = WAD
    shares: int = 0
    # The magnitude from each block on, and the scaled shares that were queued in each.
    magnitudes: list[tuple[int, int]] = field(default_factory=lambda: [(0, WAD)])
    queued: list[tuple[int, int]] = field(default_factory=list)

    @property
    def magnitude(self) -> int:
        return self.magnitudes[-1][1]

    def magnitude_at(self, block: int) -> int:
        """The magnitude at the end of a block."""
        return next(value for since, value in reversed(self.magnitudes) if since <= block)

    def queued_since(self, block: int) -> int:
        """Scaled shares that entered the queue in a block or after it."""
        return sum(scaled for queued_in, scaled in self.queued if queued_in >= block)


@dataclass
class Withdrawal:
    """One entry of the queue: what it holds, when it was queued, and whether it can be slashed."""

    scaled_shares: int
    start_block: int
    delegated: bool


@dataclass
class Staker:
    """Someone's stake in the strategy and their entries in the queue, by number."""

    delegated: bool = True
    deposit_shares: int = 0
    scaling_factor: int = WAD
    withdrawals: dict[int, Withdrawal] = field(default_factory=dict)
    # How many were ever queued.
    count: int = 0


@dataclass
class EigenLayer:
    """The strategy, the operator and the queue. `delay` is in blocks."""

    clock: Clock
    delay: int
    strategy: Strategy = field(default_factory=Strategy)
    operator: Operator = field(default_factory=Operator)

    def withdrawable(self, staker: Staker) -> int:
        """Shares of a staker's that are not queued, after slashing."""
        return self._withdrawable(staker, staker.deposit_shares)

    def deposit_shares_for(self, staker: Staker, withdrawable: int) -> int:
        """Deposit shares that stand for withdrawable ones, each division rounded down."""
        scaled = mul_div(withdrawable, WAD, staker.scaling_factor)
        return mul_div(scaled, WAD, self._factor(staker))

    def queued_shares(self, withdrawal: Withdrawal) -> int:
        """What an entry of the queue gives: slashes count until the block in which it matures."""
        factor = WAD
        if withdrawal.delegated:
            last = withdrawal.start_block + self.delay
            factor = self.operator.magnitude_at(min(last, self.clock.block))
        return mul_div(withdrawal.scaled_shares, factor, WAD)

    def deposit(self, staker: Staker, amount: int) -> int:
        """Deposit tokens; returns the deposit shares that they gave.

        The new scaling factor is the one that leaves the staker with what was there and what came;
        rounded down twice.
        """
        had, kept = staker.deposit_shares, self.withdrawable(staker)
        factor = self._factor(staker)
        added = self.strategy.deposit(amount)
        require(factor > 0, "FullySlashed()")
        if had == 0:
            staker.scaling_factor = mul_div(staker.scaling_factor, WAD, factor)
        else:
            mean = mul_div(kept + added, WAD, had + added)
            staker.scaling_factor = mul_div(mean, WAD, factor)
        staker.deposit_shares = had + added
        if staker.delegated:
            self.operator.shares += added
        return added

    def queue(self, staker: Staker, deposit_shares: int) -> int:
        """Queue deposit shares for withdrawal; returns the entry's number."""
        require(deposit_shares > 0, "SharesAmountZero()")
        scaled = mul_div(deposit_shares, staker.scaling_factor, WAD)
        if staker.delegated:
            # Before the staker is asked for his, so that an operator who has fewer ends it.
            gone = self._withdrawable(staker, deposit_shares)
            require(gone <= self.operator.shares, "panic 0x11")
        require(deposit_shares <= staker.deposit_shares, "SharesAmountTooHigh()")
        if staker.delegated:
            self.operator.shares -= gone
            self.operator.queued.append((self.clock.block, scaled))
        staker.deposit_shares -= deposit_shares
        if staker.deposit_shares == 0:
            staker.scaling_factor = WAD
        number = staker.count
        staker.withdrawals[number] = Withdrawal(scaled, self.clock.block, staker.delegated)
        staker.count += 1
        return number

    def complete(self, staker: Staker, number: int) -> int:
        """Complete a matured entry of the queue; returns the tokens that it gives."""
        withdrawal = staker.withdrawals[number]
        matured = withdrawal.start_block + self.delay < self.clock.block
        require(matured, "WithdrawalDelayNotElapsed()")
        shares = self.queued_shares(withdrawal)
        del staker.withdrawals[number]
        return self.strategy.withdraw(shares) if shares else 0

    def undelegate(self, staker: Staker) -> int | None:
        """Cut a staker off from the operator, which queues all that they have; returns its number.

        They themselves may ask for it, and so may the operator.
        """
        require(staker.delegated, "NotActivelyDelegated()")
        number = self.queue(staker, staker.deposit_shares) if staker.deposit_shares else None
        staker.delegated = False
        return number

    def slash(self, part: int) -> None:
        """Slash the operator set's part of the operator, `part` in WAD.

        What the strategy may burn for it is rounded down, on the stake as in the queue.
        """
        operator, before = self.operator, self.operator.magnitude
        if operator.allocated == 0:
            return
        slashed = mul_div_up(operator.allocated, part, WAD)
        operator.allocated -= slashed
        operator.magnitudes.append((self.clock.block, before - slashed))

        of_stake = operator.shares - mul_div_up(operator.shares, before - slashed, before)
        in_queue = operator.queued_since(self.clock.block - self.delay)
        operator.shares -= of_stake
        self.strategy.burnable += of_stake + mul_div(in_queue, slashed, WAD)

    def burn(self) -> int:
        """Burn what was slashed until now, as anyone may ask; returns the tokens."""
        shares, self.strategy.burnable = self.strategy.burnable, 0
        return self.strategy.withdraw(shares) if shares else 0

    def donate(self, amount: int) -> None:
        """Send tokens to the strategy for nothing."""
        self.strategy.balance += amount

    def _factor(self, staker: Staker) -> int:
        return self.operator.magnitude if staker.delegated else WAD

    def _withdrawable(self, staker: Staker, deposit_shares: int) -> int:
        scaled = mul_div(deposit_shares, staker.scaling_factor, WAD)
        return mul_div(scaled, self._factor(staker), WAD)


@dataclass
class EigenLayerPosition:
    """One staker as the adapter sees it, in tokens; an exit's id is its number in the queue."""

    eigenlayer: EigenLayer
    staker: Staker = field(default_factory=Staker)

    @property
    def staked(self) -> int:
        return self.eigenlayer.strategy.worth(self.eigenlayer.withdrawable(self.staker))

    @property
    def exiting(self) -> int:
        """The shares of all exits together, so that only one division rounds."""
        queued = map(self.eigenlayer.queued_shares, self.staker.withdrawals.values())
        return self.eigenlayer.strategy.worth(sum(queued))

    @property
    def total_assets(self) -> int:
        return self.staked + self.exiting

    @property
    def value_at_risk(self) -> int:
        """Nothing: a slash is executed as it is asked for."""
        return 0

    def stake(self, amount: int) -> None:
        require(self.staker.delegated, "eigen: undelegated")
        require(self.eigenlayer.operator.magnitude > 0, "eigen: operator fully slashed")
        self.eigenlayer.deposit(self.staker, amount)

    def start_exit(self, amount: int) -> int:
        """Queue deposit shares so that at most `amount` leaves; all when that is no less."""
        require(len(self.staker.withdrawals) < MAX_EXITS, "eigen: too many open exits")
        require(self.eigenlayer.withdrawable(self.staker) > 0, "eigen: nothing staked")
        shares = self.staker.deposit_shares
        if amount < self.staked:
            wanted = self.eigenlayer.strategy.shares_for(amount)
            shares = self.eigenlayer.deposit_shares_for(self.staker, wanted)
            require(shares > 0, "eigen: exit too small")
        return self.eigenlayer.queue(self.staker, shares)

    def finish_exit(self, exit_id: int) -> int:
        require(exit_id in self.staker.withdrawals, "eigen: unknown exit")
        return self.eigenlayer.complete(self.staker, exit_id)

    def slash(self, part: int) -> None:
        """Slash the operator, and with it all who are with it; `part` in WAD."""
        self.eigenlayer.slash(part)
