"""A token calls its receiver in the middle of a transfer, and the receiver calls the market again.

Rari and Fuse, 2022-04-30 (80 million dollars): ether was paid out before the debt was written, and
the receiver took its collateral back in the same call. Curve, 2023-07-30 (about 70 million): the
compiler gave each function a lock of its own, so that one function could be entered from another.
Here it would be a borrower who withdraws collateral while the loan is being paid out. What stops
it: positions and totals are stored before the first token moves, and one lock holds every function.
"""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from relever.artifacts import artifact
from relever.chain import Contract
from tests.attacks.purse import owned
from tests.unit.market.conftest import PRICE, WAD, Setup
from tests.unit.market.test_reentrancy import OPEN, exported, steps

Entry = tuple[str, list[Any]]


def entries(setup: Setup) -> dict[str, Entry]:
    """Every way in which a market moves a token, with arguments for the wallet."""
    wallet, borrower = setup.wallet.address, setup.actors.borrower
    return {
        "deposit": ("deposit", [WAD, wallet]),
        "mint": ("mint", [WAD, wallet]),
        "withdraw": ("withdraw", [WAD, wallet, wallet]),
        "redeem": ("redeem", [WAD, wallet, wallet]),
        "supply_collateral": ("supply_collateral", [WAD, wallet]),
        "withdraw_collateral": ("withdraw_collateral", [WAD, wallet, wallet]),
        "borrow": ("borrow", [WAD, wallet, wallet]),
        "repay": ("repay", [WAD, wallet]),
        "adjust in": ("adjust", [wallet, WAD, WAD // 2, wallet]),
        "adjust out": ("adjust", [wallet, -WAD, -WAD, wallet]),
        "adjust and back": ("adjust", [wallet, WAD, WAD // 2, wallet, b"again"]),
        "liquidate": ("liquidate", [borrower, WAD, 0]),
        "flash loan": ("flashLoan", [wallet, setup.loan.address, WAD, b""]),
    }


# Which tokens each of them moves.
LOAN = {"deposit", "mint", "withdraw", "redeem", "borrow", "repay", "flash loan"}
COLLATERAL = {"supply_collateral", "withdraw_collateral"}
BOTH = {"adjust in", "adjust out", "adjust and back", "liquidate"}
CASES = [(name, "loan") for name in sorted(LOAN | BOTH)]
CASES += [(name, "collateral") for name in sorted(COLLATERAL | BOTH)]


@pytest.fixture
def hooked(setup: Setup) -> Setup:
    """A market over two tokens with hooks; its wallet lends, owes and owns the factory."""
    tokens = [setup.chain.deploy(artifact("UnrulyToken")) for _ in range(2)]
    made = setup.another(loan=tokens[0].address, collateral=tokens[1].address)
    made = replace(made, loan=tokens[0], collateral=tokens[1])
    made.lend(1_000 * WAD)
    made.open(100 * WAD, 90 * WAD)
    made.run("deposit", 100 * WAD, made.wallet.address)
    made.run("adjust", made.wallet.address, 50 * WAD, 20 * WAD, made.wallet.address)
    made.factory.transfer_ownership(made.wallet.address, sender=made.actors.owner)
    made.run("accept_ownership", contract=made.factory)
    made.wallet.set_answer(WAD)
    made.oracle.set_price(96 * PRICE // 100)
    return made


def call_back(setup: Setup, token: Contract) -> None:
    """From now on each transfer of the token first lets the wallet make its steps."""
    wallet = setup.wallet
    token.set_hook(wallet.address, wallet.on_liquidate.encode(wallet.address, 0, 0, b""))


@pytest.mark.parametrize(("name", "side"), CASES)
def test_hook__in_every_transfer__enters_no_function(hooked: Setup, name: str, side: str) -> None:
    function, arguments = entries(hooked)[name]
    with hooked.chain.isolated():
        plain = hooked.run(function, *arguments).events
        books = hooked.books()
    hooked.wallet.set_steps(steps(hooked))
    token: Contract = getattr(hooked, side)
    call_back(hooked, token)

    receipt = hooked.run(function, *arguments)

    assert token.hook_calls() > 0
    assert token.hook_success() is True
    outcomes = hooked.wallet.all_outcomes()
    names = [entry["name"] for entry in exported()]
    entered = {name for name, done in zip(names, outcomes, strict=True) if done.success}
    assert entered == {name.partition("(")[0] for name in OPEN}
    # The wallet says that it was called, the market says nothing more than without it.
    mine = [event for event in receipt.events if event.address != hooked.wallet.address]
    assert mine == [event for event in plain if event.address != hooked.wallet.address]
    assert hooked.books() == books


# In the middle of what each theft is tried: the market's callback, or a transfer of one token.
THEFTS = [
    ("collateral while the loan is paid out", "loan"),
    ("more of the loan while collateral is paid out", "collateral"),
    ("the same shares twice", "loan"),
    ("what is flash-borrowed is lent", "loan"),
    ("what is flash-borrowed is lent", "callback"),
    ("one position twice", "loan"),
    ("one position twice", "collateral"),
    ("one position twice", "callback"),
    ("another's debt in the middle of one's own", "loan"),
    ("another's debt in the middle of one's own", "collateral"),
    ("another's debt in the middle of one's own", "callback"),
]


def theft(setup: Setup, name: str) -> tuple[Entry, list[Entry]]:
    """What is called, and what is called again in the middle of it."""
    wallet, victim = setup.wallet.address, setup.actors.borrower
    shares = 100 * WAD * 10**6
    thefts: dict[str, tuple[Entry, list[Entry]]] = {
        "collateral while the loan is paid out": (
            ("borrow", [WAD, wallet, wallet]),
            [("withdraw_collateral", [50 * WAD, wallet, wallet])],
        ),
        "more of the loan while collateral is paid out": (
            ("withdraw_collateral", [20 * WAD, wallet, wallet]),
            [("borrow", [20 * WAD, wallet, wallet])],
        ),
        "the same shares twice": (
            ("redeem", [shares, wallet, wallet]),
            [("redeem", [shares, wallet, wallet]), ("transfer", [victim, shares])],
        ),
        "what is flash-borrowed is lent": (
            ("flashLoan", [wallet, setup.loan.address, 900 * WAD, b"again"]),
            [("deposit", [900 * WAD, wallet]), ("repay", [20 * WAD, wallet])],
        ),
        "one position twice": (
            ("liquidate", [victim, 2**255, 0, b"again"]),
            [("liquidate", [victim, 2**255, 0]), ("supply_collateral", [WAD, victim])],
        ),
        "another's debt in the middle of one's own": (
            ("adjust", [wallet, WAD, WAD // 2, wallet, b"again"]),
            [
                ("repay", [WAD, victim]),
                ("supply_collateral", [WAD, victim]),
                ("adjust", [victim, 1, -1, wallet]),
                ("liquidate", [victim, 2**255, 0]),
            ],
        ),
    }
    return thefts[name]


@pytest.mark.parametrize(("name", "by"), THEFTS)
def test_theft__by_callback_and_by_hook__leaves_everyone_what_they_have_without_it(
    hooked: Setup, name: str, by: str
) -> None:
    """The tries come to nothing, without a reason: it is the lock that stops them."""
    (function, arguments), again = theft(hooked, name)
    market, actors = hooked.market, hooked.actors
    everyone = (hooked.wallet.address, actors.borrower, actors.lender)

    def outcome() -> list[Fraction]:
        hooked.run(function, *arguments)
        return [owned(hooked, account) for account in everyone]

    with hooked.chain.isolated():
        without = outcome()
    tries = [(market.address, getattr(market, inner).encode(*given)) for inner, given in again]
    hooked.wallet.set_steps(tries)
    if by != "callback":
        call_back(hooked, getattr(hooked, by))

    assert outcome() == without
    outcomes = [(done.success, done.answer) for done in hooked.wallet.all_outcomes()]
    assert outcomes == [(False, b"")] * len(tries)
