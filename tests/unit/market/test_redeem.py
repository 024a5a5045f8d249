"""Burning an exact number of shares."""

from tests.unit.market.conftest import (
    DAY,
    NOBODY,
    WAD,
    Setup,
    assets_down,
    assets_up,
)


def test_redeem__own_shares__rounds_assets_down(busy: Setup) -> None:
    market, lender, receiver = busy.market, busy.actors.lender, busy.actors.stranger
    state, shares = market.state(), 9 * WAD * 10**6 + 1
    assets = assets_down(shares, state.supply_assets, state.supply_shares)
    assert assets == assets_up(shares, state.supply_assets, state.supply_shares) - 1
    assert market.redeem.call(shares, receiver, lender, sender=lender) == assets

    receipt = market.redeem(shares, receiver, lender, sender=lender)

    assert receipt.events == [
        busy.moved(market, lender, NOBODY, shares),
        busy.moved(busy.loan, market.address, receiver, assets),
        busy.event(
            "Withdraw", sender=lender, receiver=receiver, owner=lender, assets=assets, shares=shares
        ),
    ]
    assert market.state() == state._replace(
        supply_assets=state.supply_assets - assets, supply_shares=state.supply_shares - shares
    )


def test_redeem__everyone__gets_out_with_interest(busy: Setup) -> None:
    market, actors = busy.market, busy.actors
    for owner in (actors.borrower, actors.other_borrower):
        market.repay(10**30, owner, sender=owner)
    market.request_fees(sender=actors.owner)
    busy.chain.advance(DAY)
    market.collect_fees(actors.owner, sender=actors.owner)
    paid = 0
    for lender in (actors.lender, actors.other_lender, actors.owner):
        held = busy.loan.balanceOf(lender)
        market.redeem(market.balanceOf(lender), lender, lender, sender=lender)
        paid += busy.loan.balanceOf(lender) - held
    state = market.state()
    assert paid > 1_333 * WAD + 7
    assert (state.supply_shares, state.borrow_shares) == (0, 0)
    # The virtual share's part of the interest stays, a wei or two, and the tokens cover the books.
    assert 0 <= state.supply_assets - state.borrow_assets <= 2
    assert busy.loan.balanceOf(market.address) >= state.supply_assets - state.borrow_assets


def test_redeem__worth_less_than_a_unit__reverts(busy: Setup) -> None:
    lender = busy.actors.lender
    for shares in (0, 1, 10**5):
        with busy.refused("market: zero amount"):
            busy.market.redeem(shares, lender, lender, sender=lender)


def test_redeem__anothers_shares__needs_and_uses_an_allowance(lent: Setup) -> None:
    market, lender, spender = lent.market, lent.actors.lender, lent.actors.stranger
    shares = WAD * 10**6
    with lent.refused("market: allowance"):
        market.redeem(shares, spender, lender, sender=spender)
    market.approve(spender, shares, sender=lender)
    with lent.refused("market: allowance"):
        market.redeem(shares + 1, spender, lender, sender=spender)
    market.redeem(shares, spender, lender, sender=spender)
    assert market.allowance(lender, spender) == 0


def test_redeem__more_than_owned__reverts(lent: Setup) -> None:
    market, other = lent.market, lent.actors.other_lender
    lent.lend(WAD, other)
    with lent.refused("market: not enough shares"):
        market.redeem(WAD * 10**6 + 1, other, other, sender=other)


def test_redeem__more_than_there_are_at_all__reverts(lent: Setup) -> None:
    """The only lender asks for one share too many; in assets it is not even one unit."""
    market, lender = lent.market, lent.actors.lender
    with lent.refused("market: not enough shares"):
        market.redeem(market.totalSupply() + 1, lender, lender, sender=lender)


def test_redeem__lent_out__cannot_be_taken(borrowed: Setup) -> None:
    market, lender = borrowed.market, borrowed.actors.lender
    with borrowed.refused("market: not enough cash"):
        market.redeem((910 * WAD + 1) * 10**6, lender, lender, sender=lender)
    market.redeem(910 * WAD * 10**6, lender, lender, sender=lender)


def test_redeem__to_nobody_or_the_market__reverts(lent: Setup) -> None:
    lender = lent.actors.lender
    for receiver in (NOBODY, lent.market.address):
        with lent.refused("market: receiver"):
            lent.market.redeem(WAD, receiver, lender, sender=lender)
