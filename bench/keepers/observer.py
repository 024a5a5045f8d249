"""Whether the keepers did what they should, by what the chain says and nothing that they say.

At every block each position is reckoned from the market's and the oracle's own views, and where it
is beyond the threshold the liquidator is called, by somebody else, without sending anything. That
shows who could be liquidated at a profit then; the same call of a stop order whose contract misses
nothing shows what it would bring. Whom the keepers took, and what they paid, is in the blocks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.keepers.stage import Stage
from bench.keepers.weather import GWEI
from relever.chain import Call, RpcError
from relever.orders import SignedOrder
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
    """A keeper's transaction; amounts in wei. `earns` when it was to liquidate or to sell."""

    sender: str
    block: int
    earns: bool
    failed: bool
    gas: int
    profit: int

    @property
    def lost(self) -> bool:
        """It was there to earn, and did not."""
        return self.failed or (self.earns and self.profit <= self.gas)


@dataclass
class Verdict:
    """What was seen, and what was wrong with it, in sentences."""

    taken: list[Taken] = field(default_factory=list)
    paid: list[Paid] = field(default_factory=list)
    delays: list[int] = field(default_factory=list)
    # Stop orders that were executed.
    executed: int = 0
    # What was profitable, and then was not without anybody having come.
    passed: int = 0
    twice: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def full(self) -> int:
        return sum(not one.deleverage for one in self.taken)

    @property
    def deleverages(self) -> int:
        return sum(one.deleverage for one in self.taken)


class Waiting:
    """Since which block each of some things has been profitable, at the end of every block."""

    def __init__(self, verdict: Verdict) -> None:
        self._verdict = verdict
        self._since: dict[str, int] = {}

    def look(self, block: int, profitable: set[str], done: Collection[str]) -> None:
        """After a block, with what was done in it."""
        for one in done:
            if (since := self._since.get(one)) is not None:
                self._verdict.delays.append(block - since)
        for one in self._since.keys() - profitable:
            self._verdict.passed += one not in done
            del self._since[one]
        for one in profitable:
            if one in done:
                self._since.pop(one, None)
            since = self._since.setdefault(one, block)
            if block - since == ALLOWED_BLOCKS:
                self._verdict.wrong.append(
                    f"{one} has been profitable since block {since} and nobody came"
                )


class Observer:
    """Looks at one block after the other; it may lag behind the head by what the node keeps."""

    def __init__(self, stage: Stage, keepers: Sequence[str]) -> None:
        self._stage = stage
        self._keepers = {keeper.lower() for keeper in keepers}
        self._threshold = stage.scene.protocol.market.terms().threshold
        self.verdict = Verdict()
        self._positions, self._orders = Waiting(self.verdict), Waiting(self.verdict)
        self._open = {_name(one.order.owner, one.order.nonce): one for one in stage.orders}
        # When each was last liquidated for the fundamental price's sake.
        self._full: dict[str, int] = {}

    def look(self, block: int) -> None:
        """At the state after a block, and at what is in it. Blocks come in order."""
        taken, executed = self._read(block)
        for owner, liquidations in taken.items():
            self._judge(owner, liquidations, block)
        fee = int(self._block(block)["baseFeePerGas"], 16) + TIP
        pays = {one for one in self._beyond(block) if self._pays(one, block, fee)}
        self._positions.look(block, pays, taken)
        for order in executed:
            del self._open[order]
        due = {name for name, one in self._open.items() if self._is_due(one, block, fee)}
        self._orders.look(block, due, executed)

    def _judge(self, owner: str, liquidations: Sequence[Taken], block: int) -> None:
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

    def _read(self, block: int) -> tuple[dict[str, list[Taken]], list[str]]:
        """Who was liquidated, and which orders were executed."""
        chain = self._stage.chain
        found: dict[str, list[Taken]] = defaultdict(list)
        executed: list[str] = []
        for receipt in chain.rpc("eth_getBlockReceipts", [hex(block)]) or ():
            events = [chain.decode_log(log) for log in receipt["logs"]]
            for event in events:
                if event.name == "Liquidated":
                    one = Taken(event.args["owner"], block, event.args["deleverage"])
                    found[one.owner].append(one)
                    self.verdict.taken.append(one)
                elif event.name == "OrderExecuted":
                    executed.append(_name(event.args["owner"], event.args["nonce"]))
                    self.verdict.executed += 1
            if receipt["from"].lower() in self._keepers:
                profits = [e.args["profit"] for e in events if e.name == "LiquidatedFor"]
                profits += [e.args["fee"] for e in events if e.name == "OrderExecuted"]
                self._note(receipt, block, sum(profits))
        return found, executed

    def _note(self, receipt: dict[str, Any], block: int, profit: int) -> None:
        protocol = self._stage.scene.protocol
        earning = {one.address.lower() for one in (protocol.liquidator, protocol.orders)}
        paid = Paid(
            sender=receipt["from"].lower(),
            block=block,
            earns=(receipt["to"] or "").lower() in earning,
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

    def _is_due(self, signed: SignedOrder, block: int, fee: int) -> bool:
        """Whether executing it then would leave enough of its fee."""
        orders, stranger = self._stage.scene.protocol.orders, self._stage.scene.roles.stranger
        order = signed.order
        if self._at(block, orders.status.build(order.values)) != "":
            return False
        call = orders.execute.build(order.values, signed.signature, sender=stranger)
        try:
            gas = int(self._stage.chain.rpc("eth_estimateGas", [_body(call), hex(block)]), 16)
        except RpcError:
            return False
        return order.fee - gas * fee >= LEAST_PROFIT

    def _at(self, block: int, call: Call) -> Any:
        answer = self._stage.chain.rpc("eth_call", [_body(call), hex(block)])
        assert call.function is not None
        return call.function.decode(bytes.fromhex(answer[2:]))

    def _block(self, number: int) -> dict[str, Any]:
        found: dict[str, Any] = self._stage.chain.rpc("eth_getBlockByNumber", [hex(number), False])
        return found


def _name(owner: str, nonce: int) -> str:
    return f"order {nonce} of {owner}"


def _body(call: Call) -> dict[str, str]:
    return {"from": call.sender, "to": str(call.to), "data": "0x" + call.data.hex()}
