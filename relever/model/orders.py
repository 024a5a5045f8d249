"""Stop orders: what owners have signed is executed when it is due, by anyone."""

from __future__ import annotations

from dataclasses import dataclass

from relever.model import health
from relever.model.contracts.market import MarketContract
from relever.model.health import ceil_div
from relever.model.market import MARKET
from relever.model.parts import ORDERS, Parts
from relever.model.paths import BEST, Paths
from relever.model.refused import Refused, require
from relever.model.rounding import WAD
from relever.model.tokens import NOBODY, push

STOP_LOSS, TAKE_PROFIT, DELEVERAGE = 1, 2, 4
E36 = 10**36
MAX_HEALTH, MAX_FEE = 100 * WAD, 2**96

# Nonce, deadline and signer of an authorisation.
Grant = tuple[int, int, str]


@dataclass(frozen=True)
class Order:
    """As the contract takes it, owner and market by name."""

    owner: str
    market: str
    kind: int
    trigger: int
    target_health: int
    amount: int
    max_loss: int
    fee: int
    epoch: int
    nonce: int
    deadline: int


@dataclass
class StopOrders:
    """Holds nothing between two calls but what is used up."""

    parts: Parts
    market: MarketContract

    def execute(self, caller: str, order: Order, signer: str, grant: Grant | None = None) -> int:
        """Sell, repay, pay the caller its fee and the owner the rest; returns that."""
        parts = self.parts
        if grant is not None and order.market == MARKET and grant[2] != NOBODY:
            given = order.owner, ORDERS, True, *grant
            self.market.set_authorization_by_signature(ORDERS, *given)
        missing = self.status(order)
        require(not missing, missing)
        require(signer == order.owner, "orders: signature")
        parts.orders.used.add((order.owner, order.nonce))

        had, owed = parts.market.positions[order.owner].collateral, parts.market.debt(order.owner)
        sold, repaid, least = self.size(order, had, owed)
        before = parts.weth.balances[ORDERS]

        def sell(change: int) -> int:
            received = Paths(parts, ORDERS).sell_best(sold, BEST, order.owner)
            require(received >= least, "orders: sale brings too little")
            push(parts.weth, ORDERS, MARKET, -change)
            return 0

        left, debt = parts.market.adjust(ORDERS, order.owner, -sold, -repaid, ORDERS, sell)
        paid_out = parts.weth.balances[ORDERS] - before - order.fee
        push(parts.weth, ORDERS, caller, order.fee)
        push(parts.weth, ORDERS, order.owner, paid_out)
        require(debt <= owed and debt * had <= owed * left, "orders: risk raised")
        return paid_out

    def cancel(self, caller: str, nonce: int) -> None:
        self.parts.orders.used.add((caller, nonce))

    def cancel_all(self, caller: str) -> int:
        """Returns the new epoch."""
        epochs = self.parts.orders.epochs
        epochs[caller] = epochs.get(caller, 0) + 1
        return epochs[caller]

    def on_adjust(self, caller: str, owner: str, collateral: int, debt: int, data: bytes) -> int:
        """For the market of the running call alone, which does it as a part of that."""
        raise Refused("orders: not the active market")

    def try_sale(self, caller: str, amount: int, route: int, seller: str) -> None:
        """For itself alone, which does it as a part of a sale."""
        raise Refused("path: trials are its own")

    def status(self, order: Order) -> str:
        """What is missing, or nothing."""
        parts, market = self.parts, self.parts.market
        collateral = market.positions[order.owner].collateral if self._has_position(order) else 0
        worth = health.worth_down(collateral, market.oracle.hand_over)
        for holds, missing in (
            (_has_terms(order), "orders: bad terms"),
            (parts.clock.time <= order.deadline, "orders: expired"),
            (order.epoch == parts.orders.epochs.get(order.owner, 0), "orders: all cancelled"),
            ((order.owner, order.nonce) not in parts.orders.used, "orders: nonce used"),
            (order.market == MARKET, "orders: never listed"),
            ((order.owner, ORDERS) in market.managers, "orders: not authorized"),
            (collateral > 0, "orders: no position"),
        ):
            if not holds:
                return missing
        if order.kind == DELEVERAGE:
            health_left = worth * market.terms.threshold
            due = health_left <= order.trigger * market.debt(order.owner)
        else:
            try:
                price = parts.oracle.price
            except Refused:
                return "orders: no price"
            due = price <= order.trigger if order.kind == STOP_LOSS else price >= order.trigger
        return "" if due else "orders: not triggered"

    def _has_position(self, order: Order) -> bool:
        return order.owner in self.parts.market.positions

    def size(self, order: Order, collateral: int, debt: int) -> tuple[int, int, int]:
        """What is sold, what is repaid, and what the sale must bring."""
        market, terms = self.parts.market, self.parts.market.terms
        worst = ceil_div(self.parts.oracle.fundamental * (WAD - order.max_loss), WAD)
        sold = min(order.amount, collateral)
        if order.kind == DELEVERAGE:
            price = market.oracle.hand_over
            raised = health.repay_to_target_up(
                debt + order.fee,
                health.worth_down(collateral, price),
                price,
                worst,
                terms.threshold,
                order.target_health,
                0,
            )
            sold = min(sold, ceil_div(raised * E36, worst))
            raised = min(raised, sold * worst // E36)
            require(raised > order.fee, "orders: nothing to repay")
            repaid = min(debt, raised - order.fee)
        else:
            repaid = min(debt, ceil_div(debt * sold, collateral) + 1)
        return sold, repaid, max(ceil_div(sold * worst, E36), repaid + order.fee)


def _has_terms(order: Order) -> bool:
    if order.amount == 0 or order.max_loss >= WAD or order.fee > MAX_FEE:
        return False
    if order.kind == DELEVERAGE:
        return order.trigger < order.target_health <= MAX_HEALTH
    return order.kind in (STOP_LOSS, TAKE_PROFIT)
