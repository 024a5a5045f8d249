"""Every exported function, called from the middle of every callback."""

from collections.abc import Callable
from typing import Any

import pytest

from relever.artifacts import artifact
from relever.chain import Receipt, Revert
from relever.chain.abi import signature
from tests.unit.market.conftest import DAY, PRICE, UNLIMITED, WAD, Setup

# Open while the market is locked: constants, tokens' bookkeeping and what must never revert.
OPEN = {
    "FACTORY()",
    "allowance(address,address)",
    "asset()",
    "balanceOf(address)",
    "decimals()",
    "is_authorized(address,address)",
    "maxDeposit(address)",
    "maxFlashLoan(address)",
    "maxMint(address)",
    "maxRedeem(address)",
    "maxWithdraw(address)",
    "name()",
    "nonces(address)",
    "symbol()",
    "terms()",
}


def exported() -> list[dict[str, Any]]:
    return [entry for entry in artifact("LendingMarket").abi if entry["type"] == "function"]


def arguments(setup: Setup, entry: dict[str, Any]) -> list[Any]:
    """Arguments with which the function works for the wallet, were it not locked."""
    wallet = setup.wallet.address
    values = {
        "address": wallet,
        "uint256": 0 if entry["name"] in ("borrow", "withdraw_collateral") else WAD,
        "int256": 0,
        "bool": True,
        "bytes": b"",
        "tuple": (0, 0, 0),
    }
    special = {"liquidate": [setup.actors.borrower, WAD, 0]}
    given = special.get(entry["name"], [])
    kinds = [part["type"] for part in entry["inputs"]]
    filled = [*given, *(values[kind] for kind in kinds[len(given) :])]
    for position, part in enumerate(entry["inputs"]):
        if part["name"] == "token_":
            filled[position] = setup.loan.address
        elif part["name"] == "deadline":
            filled[position] = UNLIMITED
    return filled


def steps(setup: Setup) -> list[tuple[str, bytes]]:
    """One call of each exported function."""
    return [
        (
            setup.market.address,
            setup.market.fn(signature(entry)).encode(*arguments(setup, entry)),
        )
        for entry in exported()
    ]


def from_adjust(setup: Setup) -> Receipt:
    setup.wallet.set_answer(WAD)
    return setup.run("adjust", setup.wallet.address, WAD, 0, setup.wallet.address, b"again")


def from_liquidate(setup: Setup) -> Receipt:
    setup.oracle.set_price(96 * PRICE // 100)
    return setup.run("liquidate", setup.actors.borrower, WAD, 0, b"again")


def from_flash_loan(setup: Setup) -> Receipt:
    return setup.run("flashLoan", setup.wallet.address, setup.loan.address, WAD, b"again")


@pytest.fixture
def ready(busy: Setup) -> Setup:
    """The wallet lends, and owns the factory: nothing but the lock stands in its way."""
    busy.run("deposit", 100 * WAD, busy.wallet.address)
    busy.factory.transfer_ownership(busy.wallet.address, sender=busy.actors.owner)
    busy.run("accept_ownership", contract=busy.factory)
    busy.run("request_fees")
    busy.chain.advance(DAY)
    busy.market.accrue(sender=busy.actors.stranger)
    return busy


@pytest.mark.parametrize("enter", [from_adjust, from_liquidate, from_flash_loan])
def test_reentrancy__every_function__is_locked_or_known_to_be_open(
    ready: Setup, enter: Callable[[Setup], Receipt]
) -> None:
    with ready.chain.isolated():
        plain = enter(ready).events
    calls = steps(ready)
    ready.wallet.set_steps(calls)

    receipt = enter(ready)

    outcomes = ready.wallet.all_outcomes()
    names = [signature(entry) for entry in exported()]
    went_through = {name for name, done in zip(names, outcomes, strict=True) if done.success}
    assert went_through == OPEN
    # The lock says nothing, so that nothing else can have stopped the rest.
    refused = [done.answer for done in outcomes if not done.success]
    assert refused == [b""] * len(refused)
    assert receipt.events == plain


def test_reentrancy__the_same_calls_outside__go_through(ready: Setup) -> None:
    """It was the lock that stopped them: outside only the made-up signature is refused."""
    ready.oracle.set_price(96 * PRICE // 100)
    stopped = {}
    for entry, (target, data) in zip(exported(), steps(ready), strict=True):
        with ready.chain.isolated():
            try:
                ready.wallet.run(target, data, sender=ready.actors.stranger)
            except Revert as failure:
                stopped[entry["name"]] = failure.reason
    assert stopped == {"set_authorization_by_signature": "market: nonce"}
