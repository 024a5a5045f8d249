"""Taking out an exact amount."""

from tests.unit.market.conftest import (
    MAX_CAP,
    NOBODY,
    UNLIMITED,
    WAD,
    Setup,
    shares_down,
    shares_up,
)


def test_withdraw__own_shares__pays_exactly_and_rounds_shares_up(busy: Setup) -> None:
    market, lender, receiver = busy.market, busy.actors.lender, busy.actors.stranger
    state, assets = market.state(), 11 * WAD + 1
    burned = shares_up(assets, state.supply_assets, state.supply_shares)
    assert burned == shares_down(assets, state.supply_assets, state.supply_shares) + 1
    assert market.withdraw.call(assets, receiver, lender, sender=lender) == burned
    held = busy.loan.balanceOf(receiver)

    receipt = market.withdraw(assets, receiver, lender, sender=lender)

    assert receipt.events == [
        busy.moved(market, lender, NOBODY, burned),
        busy.moved(busy.loan, market.address, receiver, assets),
        busy.event(
            "Withdraw", sender=lender, receiver=receiver, owner=lender, assets=assets, shares=burned
        ),
    ]
    assert busy.loan.balanceOf(receiver) == held + assets
    assert market.state() == state._replace(
        supply_assets=state.supply_assets - assets, supply_shares=state.supply_shares - burned
    )


def test_withdraw__interest_since__is_booked_first(aged: Setup) -> None:
    market, lender = aged.market, aged.actors.lender
    now = market.state()
    before = now._replace(supply_assets=1_000 * WAD, supply_shares=1_000 * WAD * 10**6)
    burned = shares_up(WAD, now.supply_assets, now.supply_shares)
    receipt = market.withdraw(WAD, lender, lender, sender=lender)
    assert receipt.events == [
        aged.moved(market, lender, NOBODY, burned),
        *aged.accrued(before, now),
        aged.moved(aged.loan, market.address, lender, WAD),
        aged.event(
            "Withdraw", sender=lender, receiver=lender, owner=lender, assets=WAD, shares=burned
        ),
    ]


def test_withdraw__anothers_shares__needs_and_uses_an_allowance(lent: Setup) -> None:
    market, lender, spender = lent.market, lent.actors.lender, lent.actors.stranger
    with lent.refused("market: allowance"):
        market.withdraw(WAD, spender, lender, sender=spender)
    market.approve(spender, WAD * 10**6 + 5, sender=lender)
    with lent.refused("market: allowance"):
        market.withdraw(WAD + 1, spender, lender, sender=spender)

    receipt = market.withdraw(WAD, spender, lender, sender=spender)

    assert receipt.events == [
        lent.moved(market, lender, NOBODY, WAD * 10**6),
        lent.moved(lent.loan, market.address, spender, WAD),
        lent.event(
            "Withdraw",
            sender=spender,
            receiver=spender,
            owner=lender,
            assets=WAD,
            shares=WAD * 10**6,
        ),
    ]
    assert market.allowance(lender, spender) == 5


def test_withdraw__unlimited_allowance__is_not_used_up(lent: Setup) -> None:
    market, lender, spender = lent.market, lent.actors.lender, lent.actors.stranger
    market.approve(spender, UNLIMITED, sender=lender)
    market.withdraw(WAD, spender, lender, sender=spender)
    assert market.allowance(lender, spender) == UNLIMITED


def test_withdraw__more_than_owned__reverts(lent: Setup) -> None:
    market, actors = lent.market, lent.actors
    lent.lend(WAD, actors.other_lender)
    with lent.refused("market: not enough shares"):
        market.withdraw(
            WAD + 1, actors.other_lender, actors.other_lender, sender=actors.other_lender
        )
    market.withdraw(WAD, actors.other_lender, actors.other_lender, sender=actors.other_lender)


def test_withdraw__lent_out__cannot_be_taken(borrowed: Setup) -> None:
    market, lender = borrowed.market, borrowed.actors.lender
    with borrowed.refused("market: not enough cash"):
        market.withdraw(910 * WAD + 1, lender, lender, sender=lender)
    market.withdraw(910 * WAD, lender, lender, sender=lender)
    # Everything is lent out now.
    assert market.state().supply_assets == market.state().borrow_assets
    for assets in (1, MAX_CAP):
        with borrowed.refused("market: not enough cash"):
            market.withdraw(assets, lender, lender, sender=lender)
    assert market.maxWithdraw(lender) == market.maxRedeem(lender) == 0
    # A repayment frees as much, to the wei.
    market.repay(WAD, borrowed.actors.borrower, sender=borrowed.actors.borrower)
    market.withdraw(WAD, lender, lender, sender=lender)


def test_withdraw__donated_cash__cannot_be_taken(borrowed: Setup) -> None:
    borrowed.loan.mint(borrowed.market.address, 90 * WAD)
    lender = borrowed.actors.lender
    with borrowed.refused("market: not enough cash"):
        borrowed.market.withdraw(910 * WAD + 1, lender, lender, sender=lender)


def test_withdraw__zero__reverts(lent: Setup) -> None:
    lender = lent.actors.lender
    with lent.refused("market: zero amount"):
        lent.market.withdraw(0, lender, lender, sender=lender)


def test_withdraw__to_nobody_or_the_market__reverts(lent: Setup) -> None:
    lender = lent.actors.lender
    for receiver in (NOBODY, lent.market.address):
        with lent.refused("market: receiver"):
            lent.market.withdraw(WAD, receiver, lender, sender=lender)


def test_withdraw__protocols_shares__are_no_strangers(busy: Setup) -> None:
    market, stranger = busy.market, busy.actors.stranger
    assert market.maxWithdraw(market.address) > 0
    for caller in (stranger, busy.actors.owner):
        with busy.refused("market: allowance"):
            market.withdraw(1, caller, market.address, sender=caller)
