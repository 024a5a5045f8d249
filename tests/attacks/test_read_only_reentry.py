"""Another protocol asks for the price of a share while its pool is in the middle of a call.

Sturdy, 2023-06-12 (0.8 million dollars), and Conic, 2023-07-21 (3.25 million): an LP token's rate
was read while its pool had paid out and not yet written that down. Here somebody would start a
liquidation or a flash loan and let a lender value our shares in the callback. What stops it: every
view that tells a price, a total or a position reverts while the market is locked, and the few that
must not revert say in the middle what is true at the end.
"""

import pytest
from eth_abi import decode

from relever.chain import Receipt
from tests.unit.market.conftest import PRICE, UNLIMITED, WAD, Setup

CASES = ["adjust", "adjust with a payout", "liquidate", "bad debt", "flash loan"]
SHARES = 10**24


def enter(setup: Setup, case: str) -> Receipt:
    """A call of the market's that calls the wallet back."""
    wallet, borrower = setup.wallet.address, setup.actors.borrower
    if case == "adjust":
        setup.wallet.set_answer(WAD)
        return setup.run("adjust", wallet, WAD, 0, wallet, b"ask")
    if case == "adjust with a payout":
        return setup.run("adjust", wallet, -WAD, WAD, wallet, b"ask")
    if case == "flash loan":
        cash = setup.market.maxFlashLoan(setup.loan.address)
        return setup.run("flashLoan", wallet, setup.loan.address, cash, b"ask")
    setup.oracle.set_price((96 if case == "liquidate" else 60) * PRICE // 100)
    return setup.run("liquidate", borrower, UNLIMITED, 0, b"ask")


@pytest.fixture
def ready(busy: Setup) -> Setup:
    """The wallet has a position of its own."""
    busy.run("adjust", busy.wallet.address, 50 * WAD, 10 * WAD, busy.wallet.address)
    return busy


@pytest.mark.parametrize("case", CASES)
def test_price_of_a_share__asked_in_a_callback__is_not_told(ready: Setup, case: str) -> None:
    market, borrower = ready.market, ready.actors.borrower
    views = [
        market.convertToAssets.encode(SHARES),
        market.convertToShares.encode(SHARES),
        market.previewRedeem.encode(SHARES),
        market.previewDeposit.encode(SHARES),
        market.previewMint.encode(SHARES),
        market.previewWithdraw.encode(SHARES),
        market.totalAssets.encode(),
        market.totalSupply.encode(),
        market.state.encode(),
        market.position.encode(borrower),
        market.borrow_rate.encode(),
    ]
    ready.wallet.set_steps([(market.address, view) for view in views])
    enter(ready, case)
    outcomes = [(done.success, done.answer) for done in ready.wallet.all_outcomes()]
    assert outcomes == [(False, b"")] * len(views)


@pytest.mark.parametrize("case", CASES)
def test_open_views__asked_in_a_callback__say_what_is_true_afterwards(
    ready: Setup, case: str
) -> None:
    """Lent at a balance times what is withdrawable, nobody gets more than without the callback."""
    market, actors = ready.market, ready.actors
    asked = [market.maxFlashLoan.build(ready.loan.address)]
    for account in (actors.lender, actors.other_lender, market.address, ready.wallet.address):
        asked += [
            market.balanceOf.build(account),
            market.maxWithdraw.build(account),
            market.maxRedeem.build(account),
            market.maxDeposit.build(account),
            market.maxMint.build(account),
        ]
    before = ready.chain.read_batch(asked)
    ready.wallet.set_steps([(market.address, call.data) for call in asked])
    enter(ready, case)
    outcomes = ready.wallet.all_outcomes()
    assert all(done.success for done in outcomes)
    in_the_middle = [decode(["uint256"], done.answer)[0] for done in outcomes]
    assert in_the_middle == ready.chain.read_batch(asked)
    # The question is worth asking only where the answer changes at all.
    assert (in_the_middle == before) == (case in ("adjust", "flash loan"))
