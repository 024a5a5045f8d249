"""Flash loans of what is not lent out, for nothing."""

import pytest

from relever.chain import Event
from tests.unit.market.conftest import UNLIMITED, WAD, Setup

DATA = b"whatever"


def test_flash_loan__paid_back__costs_nothing(borrowed: Setup) -> None:
    market, wallet, caller = borrowed.market, borrowed.wallet.address, borrowed.actors.stranger
    loan, amount, state = borrowed.loan, 910 * WAD, market.state()
    held = loan.balanceOf(wallet)
    arguments = (wallet, loan.address, amount, DATA)
    assert market.flashLoan.call(*arguments, sender=caller) is True
    borrowed.wallet.set_steps([(loan.address, loan.balanceOf.encode(wallet))])

    receipt = market.flashLoan(*arguments, sender=caller)

    called = {
        "caller": market.address,
        "initiator": caller,
        "token": loan.address,
        "amount": amount,
        "fee": 0,
        "data": DATA,
    }
    assert receipt.events == [
        borrowed.moved(loan, market.address, wallet, amount),
        Event("FlashLoanCalled", called, wallet),
        borrowed.moved(loan, wallet, market.address, amount),
        borrowed.event("FlashLoan", receiver=wallet, amount=amount),
    ]
    (seen,) = borrowed.wallet.all_outcomes()
    assert int.from_bytes(seen.answer, "big") == held + amount
    assert loan.balanceOf(wallet) == held
    assert market.state() == state


def test_flash_loan__more_than_the_cash__reverts(borrowed: Setup) -> None:
    market, loan, caller = borrowed.market, borrowed.loan, borrowed.actors.stranger
    arguments = (borrowed.wallet.address, loan.address)
    for amount in (910 * WAD + 1, UNLIMITED):
        with borrowed.refused("token: balance"):
            market.flashLoan(*arguments, amount, b"", sender=caller)
    # A donation can be lent for as long: it comes back in the same call.
    loan.mint(market.address, WAD)
    state = market.state()
    market.flashLoan(*arguments, 911 * WAD, b"", sender=caller)
    assert (market.state(), loan.balanceOf(market.address)) == (state, 911 * WAD)


def test_flash_loan__other_token__reverts(borrowed: Setup) -> None:
    market, caller = borrowed.market, borrowed.actors.stranger
    for token in (borrowed.collateral, market):
        with borrowed.refused("market: flash loan token"):
            market.flashLoan(borrowed.wallet.address, token.address, 1, b"", sender=caller)


@pytest.mark.parametrize("answer", [b"\0" * 32, b"\xff" * 32])
def test_flash_loan__wrong_answer__reverts(borrowed: Setup, answer: bytes) -> None:
    borrowed.wallet.set_flash_answer(answer)
    with borrowed.refused("market: flash loan refused"):
        borrowed.market.flashLoan(
            borrowed.wallet.address,
            borrowed.loan.address,
            WAD,
            b"",
            sender=borrowed.actors.stranger,
        )


def test_flash_loan__not_allowed_back__reverts(borrowed: Setup) -> None:
    market, loan, wallet = borrowed.market, borrowed.loan, borrowed.wallet.address
    approve = loan.approve.encode(market.address, WAD - 1)
    borrowed.wallet.run(loan.address, approve)
    with borrowed.refused("token: allowance"):
        market.flashLoan(wallet, loan.address, WAD, b"", sender=borrowed.actors.stranger)


def test_flash_loan__spent__reverts(borrowed: Setup) -> None:
    market, loan, wallet = borrowed.market, borrowed.loan, borrowed.wallet.address
    everything = loan.balanceOf(wallet) + WAD
    borrowed.wallet.set_steps(
        [(loan.address, loan.transfer.encode(borrowed.actors.stranger, everything))]
    )
    with borrowed.refused("token: balance"):
        market.flashLoan(wallet, loan.address, WAD, b"", sender=borrowed.actors.stranger)


def test_flash_loan__to_an_account_without_code__reverts(borrowed: Setup) -> None:
    lender = borrowed.actors.lender
    with borrowed.refused(""):
        borrowed.market.flashLoan(lender, borrowed.loan.address, WAD, b"", sender=lender)


def test_flash_loan__to_the_market_itself__reverts(borrowed: Setup) -> None:
    market = borrowed.market
    with borrowed.refused(""):
        market.flashLoan(
            market.address, borrowed.loan.address, WAD, b"", sender=borrowed.actors.stranger
        )


def test_max_flash_loan__cash__is_what_is_not_lent_out(aged: Setup) -> None:
    market = aged.market
    # Interest is not cash.
    assert market.maxFlashLoan(aged.loan.address) == 910 * WAD
    aged.loan.mint(market.address, WAD)
    assert market.maxFlashLoan(aged.loan.address) == 910 * WAD
    for token in (aged.collateral, market):
        assert market.maxFlashLoan(token.address) == 0


def test_flash_fee__loan_token__is_nothing(borrowed: Setup) -> None:
    assert borrowed.market.flashFee(borrowed.loan.address, WAD) == 0
    with borrowed.refused("market: flash loan token"):
        borrowed.market.flashFee(borrowed.collateral.address, WAD)
