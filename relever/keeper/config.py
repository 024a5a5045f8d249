"""What a keeper may spend, how long it waits, and whose turn it is. Every name says its unit."""

from __future__ import annotations

from dataclasses import dataclass

GWEI = 10**9
ETHER = 10**18


@dataclass(frozen=True)
class Policy:
    """When to act, and for how much.

    Attributes:
        least_net_profit_wei: what a liquidation must leave after gas at the next block's highest
            base fee and the tip, or else it is not sent.
        tip_wei_per_gas: priority fee.
        most_fee_wei_per_gas: no transaction offers more for a unit of gas, tip included.
        most_upkeep_fee_wei_per_gas: above this, what earns nothing (sync, poke, finalise, accrue)
            waits.
        upkeep_wei_per_day: most spent in any 24 hours for what earns nothing.
        failed_wei_per_day: once transactions of a kind that failed have cost so much in 24 hours,
            no more of that kind is sent until some of it is older: somebody makes them fail.
        least_balance_wei: below this the account sends nothing.
        stuck_blocks: a transaction that is not mined after so many is replaced.
        bump_per_cent: how much more a replacement offers; nodes ask for 10.
        confirmations: blocks until a transaction counts as done for ever.
        most_in_flight: transactions sent and not mined.
        poke_every_seconds: how often a discount that moves is poked; it counts for an hour at most.
        accrue_every_seconds: how old a market's books may become.
        finalise_requests: most requests paid by one transaction.
    """

    least_net_profit_wei: int = ETHER // 1000
    tip_wei_per_gas: int = GWEI
    most_fee_wei_per_gas: int = 300 * GWEI
    most_upkeep_fee_wei_per_gas: int = 60 * GWEI
    upkeep_wei_per_day: int = ETHER // 2
    failed_wei_per_day: int = ETHER // 10
    least_balance_wei: int = ETHER // 100
    stuck_blocks: int = 3
    bump_per_cent: int = 13
    confirmations: int = 12
    most_in_flight: int = 64
    poke_every_seconds: int = 1_800
    accrue_every_seconds: int = 86_400
    finalise_requests: int = 32

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 0:
                raise ValueError(f"{name} is {value}: it cannot be negative")
        if self.bump_per_cent < 10:
            raise ValueError(f"bump_per_cent is {self.bump_per_cent}: nodes ask for 10 at least")
        if self.confirmations < 1 or self.most_in_flight < 1:
            raise ValueError("confirmations and most_in_flight are 1 at least")


@dataclass(frozen=True)
class Trust:
    """When a node is not believed.

    Attributes:
        timeout_seconds: for one answer.
        silent_seconds: no new block for so long, by our clock, and the node is behind or cut off.
        clock_lag_seconds: most that the head's timestamp may be behind our clock; None for a chain
            whose time is not the world's.
        lag_blocks: most that it may be behind a second node, or behind what it said before.
        reorg_blocks: most blocks that a reorganisation may take back.
    """

    timeout_seconds: float = 10.0
    silent_seconds: float = 180.0
    clock_lag_seconds: int | None = 180
    lag_blocks: int = 3
    reorg_blocks: int = 64


@dataclass(frozen=True)
class Share:
    """One of several keepers, which take turns by block number; each does everything in its turn.

    That, and not a part of the owners each, for they all sell into the same pools: two who send for
    the same block spoil each other's price. A keeper that died costs its turns and nothing else.

    Attributes:
        index: from 1.
        count: how many there are.
        turn_blocks: length of a turn. Longer than a transaction takes to be mined.
    """

    index: int = 1
    count: int = 1
    turn_blocks: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise ValueError(f"share {self.index}/{self.count}: from 1/{self.count} on")
        if self.turn_blocks < 1:
            raise ValueError("a turn is one block at least")

    @classmethod
    def parse(cls, text: str, turn_blocks: int = 1) -> Share:
        """From "1/2". Raises `ValueError`."""
        index, slash, count = text.partition("/")
        if not (slash and index.isdecimal() and count.isdecimal()):
            raise ValueError(f"a share is written like 1/2, not {text!r}")
        return cls(int(index), int(count), turn_blocks)

    def has_turn(self, block: int) -> bool:
        """Whether this keeper acts on a head of this number."""
        return block // self.turn_blocks % self.count == self.index - 1
