"""Tokens that answer in their own way, and the market's part in it."""

import pytest

from relever.artifacts import artifact
from relever.chain import Contract
from tests.unit.market.conftest import MIN_DEBT, PRICE, WAD, Setup

NOTHING, TRUE, FALSE = b"", b"\0" * 31 + b"\1", b"\0" * 32


@pytest.fixture
def unruly(setup: Setup) -> Setup:
    """A market over two unruly tokens, with something lent and borrowed."""
    loan, collateral = (setup.chain.deploy(artifact("UnrulyToken")) for _ in range(2))
    made = setup.another(loan=loan.address, collateral=collateral.address)
    made.lend(10 * WAD)
    made.open(2 * WAD, WAD)
    return made


def odd(setup: Setup, token: Contract) -> Contract:
    return setup.chain.contract(token.address, artifact("UnrulyToken"))


def test_tokens__nothing_answered__counts_as_success(unruly: Setup) -> None:
    market, actors = unruly.market, unruly.actors
    for token in (unruly.loan, unruly.collateral):
        odd(unruly, token).set_answer(NOTHING)
    unruly.lend(WAD)
    unruly.open(WAD, MIN_DEBT, actors.other_borrower)
    market.adjust(actors.borrower, -2 * WAD, -WAD, actors.borrower, sender=actors.borrower)
    market.withdraw(WAD, actors.lender, actors.lender, sender=actors.lender)


def test_tokens__false_answered__reverts(unruly: Setup) -> None:
    market, actors = unruly.market, unruly.actors
    owner, lender = actors.borrower, actors.lender
    odd(unruly, unruly.loan).set_answer(FALSE)
    with unruly.refused("token: transferFrom failed"):
        unruly.lend(WAD)
    with unruly.refused("token: transferFrom failed"):
        market.repay(WAD, owner, sender=owner)
    with unruly.refused("token: transfer failed"):
        market.withdraw(WAD, lender, lender, sender=lender)
    with unruly.refused("token: transfer failed"):
        market.borrow(MIN_DEBT, owner, owner, sender=owner)
    with unruly.refused("token: transfer failed"):
        market.flashLoan(unruly.wallet.address, unruly.loan.address, WAD, b"", sender=lender)
    odd(unruly, unruly.collateral).set_answer(FALSE)
    with unruly.refused("token: transferFrom failed"):
        market.supply_collateral(WAD, owner, sender=owner)
    with unruly.refused("token: transfer failed"):
        market.withdraw_collateral(1, owner, owner, sender=owner)
    unruly.oracle.set_price(PRICE // 2)
    with unruly.refused("token: transfer failed"):
        market.liquidate(owner, WAD, 0, sender=actors.liquidator)


@pytest.mark.parametrize("side", ["loan", "collateral"])
def test_tokens__hook_in_a_transfer__cannot_re_enter(unruly: Setup, side: str) -> None:
    market, owner = unruly.market, unruly.actors.borrower
    token = odd(unruly, getattr(unruly, side))
    deltas = (-WAD // 100, 0) if side == "collateral" else (0, -WAD // 100)
    for call in (
        market.accrue.encode(),
        market.repay.encode(1, owner),
        market.supply_collateral.encode(0, owner),
        market.deposit.encode(1, owner),
        market.state.encode(),
    ):
        token.set_hook(market.address, call)
        calls = token.hook_calls()
        market.adjust(owner, *deltas, owner, sender=owner)
        assert token.hook_calls() == calls + 1
        assert token.hook_success() is False
