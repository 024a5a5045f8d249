"""Whether the keepers did what they should, by what the chain says and nothing that they say.

At every block each position is reckoned from the market's and the oracle's own views, and where it
is beyond the threshold the liquidator is called, by somebody else, without sending anything. That
shows who could be liquidated at a profit then. Whom the keepers took, and what they paid, is in the
blocks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.keepers.stage import Stage
from bench.keepers.weather import GWEI
from relever.chain import Call, RpcError
from relever.protocol import PRICE_SCALE, UNLIMITED, WAD

# Gas is reckoned at the block's base fee and this tip; profitable is what leaves so much after it.
TIP = GWEI
LEAST_PROFIT = 15 * 10**15
# A position is dealt with within so many blocks of being profitable.
ALLOWED_BLOCKS = 3
_ROUTES = (1, 2)


@dataclass(frozen=True)
class Taken:
    """A liquidation: of whom, in which block, what kind."""

    owner: str
    block: int
    deleverage: bool


@dataclass(frozen=True)
class Paid:
    """A keeper's transaction; amounts in wei. `liquidates` when it called the liquidator."""

    sender: str
    block: int
    liquidates: bool
    failed: bool
    gas: int
    profit: int

    @property
    def lost(self) -> bool:
        """It was there to earn, and did not."""
        return self.failed or (self.liquidates and self.profit <= self.gas)


@dataclass
class Verdict:
    """What was seen, and what was wrong with it, in sentences."""

    taken: list[Taken] = field(default_factory=list)
    paid: list[Paid] = field(default_factory=list)
    delays: list[int] = field(default_factory=list)
    # Who was profitable, and then was not without anybody having come.
    passed: int = 0
    twice: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def full(self) -> int:
        return sum(not one.deleverage for one in self.taken)

    @property
    def deleverages(self) -> int:
        return sum(one.deleverage for one in self.taken)


class Observer:
    """Looks at one block after the other; it may lag behind the head by what the node keeps."""

    def __init__(self, stage: Stage, keepers: Sequence[str]) -> None:
        self._stage = stage
        self._keepers = {keeper.lower() for keeper in keepers}
        self._threshold = stage.scene.protocol.market.terms().threshold
        self.verdict = Verdict()
        # Since which block each position has been profitable, at the end of every block.
        self._since: dict[str, int] = {}
        # When each was last liquidated for the fundamental price's sake.
        self._full: dict[str, int] = {}

    def look(self, block: int) -> None:
        """At the state after a block, and at what is in it. Blocks come in order."""
        taken = self._read(block)
        profitable = self._profitable(block)
        for owner, liquidations in taken.items():
            self._judge(owner, liquidations, block)
        for owner in [one for one in self._since if one not in profitable]:
            if owner not in taken:
                self.verdict.passed += 1
            del self._since[owner]
        for owner in profitable:
            if owner in taken:
                self._since.pop(owner, None)
            since = self._since.setdefault(owner, block)
            if block - since == ALLOWED_BLOCKS:
                self.verdict.wrong.append(
                    f"{owner} has been profitable since block {since} and nobody came"
                )

    def _judge(self, owner: str, liquidations: Sequence[Taken], block: int) -> None:
        if (since := self._since.get(owner)) is not None:
            self.verdict.delays.append(block - since)
        # A deleverage can be followed by another as its share comes free; a full liquidation makes
        # the position healthy, so that a second one soon after would be one too many.
        full = any(not one.deleverage for one in liquidations)
        last = self._full.get(owner)
        if len(liquidations) > 1 or (full and last and block - last <= ALLOWED_BLOCKS):
            self.verdict.twice += 1
            self.verdict.wrong.append(f"{owner} was taken twice, in block {last} and {block}")
        if full:
            self._full[owner] = block

    # Reading

    def _read(self, block: int) -> dict[str, list[Taken]]:
        chain, liquidator = self._stage.chain, self._stage.scene.protocol.liquidator.address
        found: dict[str, list[Taken]] = defaultdict(list)
        for receipt in chain.rpc("eth_getBlockReceipts", [hex(block)]) or ():
            events = [chain.decode_log(log) for log in receipt["logs"]]
            for event in events:
                if event.name == "Liquidated":
                    one = Taken(event.args["owner"], block, event.args["deleverage"])
                    found[one.owner].append(one)
                    self.verdict.taken.append(one)
            if receipt["from"].lower() in self._keepers:
                profits = [e.args["profit"] for e in events if e.name == "LiquidatedFor"]
                self._note(receipt, block, liquidator, sum(profits))
        return found

    def _note(self, receipt: dict[str, Any], block: int, liquidator: str, profit: int) -> None:
        paid = Paid(
            sender=receipt["from"].lower(),
            block=block,
            liquidates=(receipt["to"] or "").lower() == liquidator.lower(),
            failed=receipt["status"] != "0x1",
            gas=int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16),
            profit=profit,
        )
        self.verdict.paid.append(paid)
        if paid.lost:
            self.verdict.wrong.append(
                f"a transaction of {paid.sender} in block {block} cost {paid.gas} wei and brought "
                f"{profit}" + (", failing" if paid.failed else "")
            )

    def _profitable(self, block: int) -> set[str]:
        fee = int(self._block(block)["baseFeePerGas"], 16) + TIP
        return {one for one in self._beyond(block) if self._pays(one, block, fee)}

    def _beyond(self, block: int) -> list[str]:
        """Who is beyond the threshold, at the lower of the two prices."""
        protocol = self._stage.scene.protocol
        fundamental, smoothed, usable = self._at(block, protocol.oracle.liquidation_prices.build())
        price = min(fundamental, smoothed) if usable else fundamental
        owners = self._stage.borrowers
        calls = [protocol.market.position.build(owner) for owner in owners]
        positions = [self._at(block, call) for call in calls]
        return [
            owner
            for owner, (collateral, debt) in zip(owners, positions, strict=True)
            if debt * WAD > collateral * price // PRICE_SCALE * self._threshold
        ]

    def _pays(self, owner: str, block: int, fee: int) -> bool:
        protocol, stranger = self._stage.scene.protocol, self._stage.scene.roles.stranger
        market = protocol.market.address
        for route in _ROUTES:
            call = protocol.liquidator.liquidate.build(
                market, owner, UNLIMITED, route, 0, sender=stranger
            )
            try:
                profit = self._at(block, call)
                if profit < LEAST_PROFIT:
                    continue
                gas = int(self._stage.chain.rpc("eth_estimateGas", [_body(call), hex(block)]), 16)
            except RpcError:
                continue
            if profit - gas * fee >= LEAST_PROFIT:
                return True
        return False

    def _at(self, block: int, call: Call) -> Any:
        answer = self._stage.chain.rpc("eth_call", [_body(call), hex(block)])
        assert call.function is not None
        return call.function.decode(bytes.fromhex(answer[2:]))

    def _block(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self._stage.chain.rpc("eth_getBlockByNumber", [hex(number), False])
        return found


def _body(call: Call) -> dict[str, str]:
    return {"from": call.sender, "to": str(call.to), "data": "0x" + call.data.hex()}
