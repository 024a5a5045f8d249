"""What `make bench-gas` says of our market is what the receipts say; peers are left out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from bench import market
from bench.market import AMOUNT, BLOCK, FEE, TARGETS, play
from bench.oracle import oracle_rows
from bench.venues import Relever
from relever.chain import Anvil, Call, Chain, Receipt

# What each row is, on the chain.
FUNCTIONS = {
    "lend": "LendingMarket.deposit",
    "supply collateral": "LendingMarket.supply_collateral",
    "borrow": "LendingMarket.borrow",
    "repay, part": "LendingMarket.repay",
    "repay, whole": "LendingMarket.repay",
    "withdraw collateral with debt": "LendingMarket.withdraw_collateral",
    "withdraw": "LendingMarket.withdraw",
    "supply collateral + borrow": "LendingMarket.adjust",
    "liquidate, part": "LendingMarket.liquidate",
    "liquidate, whole debt": "LendingMarket.liquidate",
    "liquidate, bad debt": "LendingMarket.liquidate",
    "flash loan": "FlashLooper.borrow_relever",
}
# Whatever else moves the books has to bring them up to date first.
CHANGE_NO_DEBT = ("supply collateral", "withdraw collateral with debt", "flash loan")


@dataclass
class Played:
    """Figures of one play, and each of its transactions with the time since the one before."""

    gas: dict[str, int]
    transactions: list[tuple[str, Receipt, int]] = field(default_factory=list)

    def found(self, what: str) -> tuple[Receipt, int]:
        """The transaction that a figure is of."""
        return next(
            (receipt, wait)
            for label, receipt, wait in reversed(self.transactions)
            if label == FUNCTIONS[what] and receipt.gas_used == self.gas[what]
        )

    def logged(self, what: str, name: str) -> dict[str, Any]:
        """What the market said in that transaction."""
        receipt, _ = self.found(what)
        (event,) = (event for event in receipt.events if event.name == name)
        return event.args


@pytest.fixture(scope="module", params=[0, FEE], ids=["no fee", "fee"])
def played(request: pytest.FixtureRequest) -> Iterator[Played]:
    transactions: list[tuple[str, Receipt, int]] = []
    with Anvil.start() as node, pytest.MonkeyPatch.context() as patch:
        chain = Chain.connect(node.ipc)
        last = chain.timestamp
        send = chain.send

        def noted(call: Call) -> Receipt:
            nonlocal last
            receipt = send(call)
            transactions.append((call.label, receipt, receipt.timestamp - last))
            last = receipt.timestamp
            return receipt

        patch.setattr(chain, "send", noted)
        before = chain.block_number
        gas = play(chain, lambda tokens: Relever(tokens, request.param))
        assert chain.block_number == before
        yield Played(gas, transactions)


@pytest.mark.parametrize("what", TARGETS)
def test_play__row_with_a_target__is_a_receipt_after_12_seconds(played: Played, what: str) -> None:
    _, wait = played.found(what)
    assert wait == BLOCK


@pytest.mark.parametrize("what", [what for what in TARGETS if what not in CHANGE_NO_DEBT])
def test_play__row_where_interest_is_due__has_booked_it(played: Played, what: str) -> None:
    accrued = played.logged(what, "Accrued")
    assert accrued["interest"] > 0


def test_play__amounts__are_those_that_the_peers_get(played: Played) -> None:
    assert played.logged("lend", "Deposit")["assets"] == AMOUNT
    assert played.logged("withdraw", "Withdraw")["assets"] == AMOUNT
    for what, collateral, debt in (
        ("supply collateral", AMOUNT, 0),
        ("borrow", 0, AMOUNT),
        ("supply collateral + borrow", AMOUNT, AMOUNT),
        ("repay, part", 0, -AMOUNT),
        ("withdraw collateral with debt", -AMOUNT, 0),
    ):
        adjusted = played.logged(what, "Adjusted")
        assert (adjusted["collateral_delta"], adjusted["debt_delta"]) == (collateral, debt)
    assert played.logged("flash loan", "FlashLoan")["amount"] == AMOUNT


def test_play__whole__leaves_no_debt(played: Played) -> None:
    _, owed = market.USUAL
    assert -played.logged("repay, whole", "Adjusted")["debt_delta"] > owed


def test_play__liquidations__are_of_the_kind_that_they_are_called(played: Played) -> None:
    part, whole, bad = (
        played.logged(f"liquidate, {kind}", "Liquidated")
        for kind in ("part", "whole debt", "bad debt")
    )
    assert (part["repaid"], part["bad_debt"]) == (AMOUNT, 0)
    collateral, debt = market.SMALL
    assert whole["repaid"] >= debt
    assert whole["seized"] < collateral
    assert whole["bad_debt"] == 0
    assert bad["bad_debt"] > 0


def test_play__first_use__costs_more(played: Played) -> None:
    gas = played.gas
    for what in ("lend", "supply collateral", "borrow", "supply collateral + borrow"):
        assert gas[what] < gas[f"{what}, new user"]
    # A balance that was nothing.
    assert gas["liquidate, part, new user"] - gas["liquidate, part"] == 17_100


def test_oracle_rows__second_adapter__costs_what_reads_it() -> None:
    with Anvil.start() as node:
        rows = oracle_rows(Chain.connect(node.ipc))
    gas = {row.operation: row.relever for row in rows}
    assert len(gas) == len(rows)
    assert [row.operation for row in rows if row.missed] == []
    for what in ("borrow", "open", "close"):
        assert gas[f"one adapter: {what}"] < gas[f"two adapters: {what}"]
    # A liquidation goes by what is booked.
    for what in ("liquidate", "liquidate, no capital"):
        assert gas[f"one adapter: {what}"] == gas[f"two adapters: {what}"]
