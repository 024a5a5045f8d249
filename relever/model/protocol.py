"""The whole protocol as one model: do something, and see what must come of it.

An action is a call of one function of one contract, or something that happens in the world. A step
says what it returns, or the reason for which it must be refused; a refusal changes nothing but the
block. `state` is everything that the contracts then say of themselves, `views` tells where they say
it. Accounts and contracts are names.

Not in here: ether balances, what happens at other markets than the first, more adapters than the
two, and the ends of the machine's words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from relever.model import readings
from relever.model.backstop import BACKSTOP
from relever.model.contracts.adapters import EigenLayerContract, SymbioticContract
from relever.model.contracts.backstop import BackstopContract
from relever.model.contracts.exits import PocketContract, QueueContract
from relever.model.contracts.factory import FactoryContract
from relever.model.contracts.leveraged import LeveragedContract
from relever.model.contracts.market import MarketContract
from relever.model.contracts.oracle import OracleContract
from relever.model.contracts.seller import SellerContract
from relever.model.contracts.tokens import StEthContract, WethContract, WstEthContract
from relever.model.contracts.vault import VaultContract
from relever.model.leveraged_zap import LeveragedZap
from relever.model.liquidator import Liquidator
from relever.model.market import MARKET
from relever.model.orders import StopOrders
from relever.model.parts import (
    EIGENLAYER,
    LEVERAGED_ZAP,
    LOCKED,
    REBALANCER,
    SYMBIOTIC,
    VAULT,
    Parts,
)
from relever.model.readings import Value, View
from relever.model.rebalancer import Rebalancer
from relever.model.refused import Refused, require
from relever.model.router import Router
from relever.model.snapshot import Snapshot
from relever.model.swap import Swap
from relever.model.world import World
from relever.model.zap import Zap


@dataclass(frozen=True)
class Action:
    """What somebody does: "contract.function", who, the arguments, the ether sent along."""

    name: str
    caller: str
    arguments: tuple[Any, ...] = ()
    ether: int = 0

    def __str__(self) -> str:
        said = ", ".join(map(_said, self.arguments))
        ether = f" with {_said(self.ether)} ether" if self.ether else ""
        return f"{self.caller}: {self.name}({said}){ether}"


@dataclass(frozen=True)
class Step:
    """Time passes, if any does, and then an action happens in a block of its own."""

    action: Action
    seconds: int = 0
    # Blocks without transactions, in the first of which the time passes: one at least if it does.
    blocks: int = 0

    def __str__(self) -> str:
        passed = f"after {self.seconds} s and {self.blocks} blocks, " if self.blocks else ""
        return f"{passed}{self.action}"


@dataclass(frozen=True)
class Outcome:
    """What came of it: a result, or the reason of a refusal; a refusal may be without a word."""

    result: Any = None
    refused: str | None = None


class Protocol:
    """All parts, and who may call them how."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        vault, swap = VaultContract(parts, parts.vault.lrt, VAULT), Swap(parts)
        market = MarketContract(parts, self._attempt)
        self._doors: dict[str, Any] = {
            "weth": WethContract(parts, parts.weth),
            "steth": StEthContract(parts),
            "wsteth": WstEthContract(parts, parts.wsteth),
            "vault": vault,
            "queue": QueueContract(parts),
            "side_pocket": PocketContract(parts),
            "oracle": OracleContract(parts),
            "seller": SellerContract(parts, vault, swap),
            EIGENLAYER: EigenLayerContract(parts),
            SYMBIOTIC: SymbioticContract(parts),
            MARKET: market,
            "factory": FactoryContract(parts),
            "zap": Zap(parts),
            "router": Router(parts),
            "swap": swap,
            "liquidator": Liquidator(parts),
            "orders": StopOrders(parts, market),
            BACKSTOP: BackstopContract(parts, parts.backstop.shares, BACKSTOP),
            LEVERAGED_ZAP: LeveragedZap(parts),
            REBALANCER: Rebalancer(parts),
            **{
                name: LeveragedContract(parts, token.shares, name, self._attempt)
                for name, token in parts.leveraged.items()
            },
            "world": World(parts),
        }

    def step(self, action: Action, undo: bool = True) -> Outcome:
        """Do it in a block of its own.

        Args:
            undo: whether what a refused action has changed is taken back. That costs most of a
                step; without it, a model that has refused is of no more use.
        """
        self.parts.clock.advance(blocks=1)
        return self._attempt(action, undo)

    def _attempt(self, action: Action, undo: bool = True) -> Outcome:
        """Do it as a transaction, or as a call in the middle of one."""
        before = self.snapshot() if undo else None
        door, _, function = action.name.partition(".")
        method = getattr(self._doors[door], function)
        with_ether = {"ether": action.ether} if (door, function) in PAYABLE else {}
        try:
            require(not (door == MARKET and self.parts.market.locked), LOCKED)
            return Outcome(method(action.caller, *action.arguments, **with_ether))
        except Refused as refusal:
            if before is not None:
                before.restore()
            return Outcome(refused=str(refusal))

    def advance(self, seconds: int = 0, blocks: int = 1) -> None:
        """Time passes, in the first of so many blocks."""
        self.parts.clock.advance(seconds, blocks)

    def snapshot(self) -> Snapshot:
        """How everything is now; to be restored as often as one likes."""
        return Snapshot(self.parts)

    def state(self) -> dict[str, Value]:
        """Every variable by its name; for a view that must revert the reason."""
        return {
            name: value
            for reading in readings.of(self.parts)
            for name, value in zip(reading.names, reading.values, strict=True)
        }

    def views(self) -> dict[View, tuple[str, ...]]:
        """Which calls of contracts answer which variables, in their order."""
        return {reading.view: reading.names for reading in readings.of(self.parts)}


# What takes ether.
PAYABLE = {
    ("weth", "deposit"),
    ("steth", "submit"),
    ("steth", "accrue_rewards"),
    ("zap", "deposit"),
    ("router", "open"),
    (LEVERAGED_ZAP, "enter"),
}


def _said(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:_}"
    return str(value)
