"""The `max*` views: what they say goes through, one more does not, and they never revert."""

from tests.unit.market.conftest import (
    BORROW_CAP,
    DAY,
    FEE,
    MAX_CAP,
    MAX_SHARES,
    NOBODY,
    SUPPLY_CAP,
    UNLIMITED,
    WAD,
    Setup,
    assets_down,
)


def test_max_deposit__room_under_the_cap__goes_through_and_no_more(busy: Setup) -> None:
    busy.chain.advance(DAY)
    market, lender = busy.market, busy.actors.lender
    most = market.maxDeposit(lender)
    assert most == SUPPLY_CAP - market.totalAssets()
    with busy.refused("market: supply cap"):
        market.deposit(most + 1, lender, sender=lender)
    market.deposit(most, lender, sender=lender)
    assert market.maxDeposit(lender) == market.maxMint(lender) == 0


def test_max_mint__room_under_the_cap__goes_through_and_no_more(busy: Setup) -> None:
    busy.chain.advance(DAY)
    market, lender = busy.market, busy.actors.lender
    most = market.maxMint(lender)
    with busy.refused("market: supply cap"):
        market.mint(most + 1, lender, sender=lender)
    market.mint(most, lender, sender=lender)
    assert market.totalAssets() == SUPPLY_CAP


def test_max_withdraw__own_shares__goes_through_and_no_more(busy: Setup) -> None:
    busy.chain.advance(DAY)
    market, lender = busy.market, busy.actors.other_lender
    most = market.maxWithdraw(lender)
    assert most == market.convertToAssets(market.balanceOf(lender)) > 333 * WAD
    with busy.refused("market: not enough shares"):
        market.withdraw(most + 1, lender, lender, sender=lender)
    market.withdraw(most, lender, lender, sender=lender)


def test_max_withdraw__cash__goes_through_and_no_more(busy: Setup) -> None:
    busy.chain.advance(DAY)
    market, lender = busy.market, busy.actors.lender
    state = market.state()
    most = market.maxWithdraw(lender)
    assert most == state.supply_assets - state.borrow_assets
    with busy.refused("market: not enough cash"):
        market.withdraw(most + 1, lender, lender, sender=lender)
    market.withdraw(most, lender, lender, sender=lender)


def test_max_redeem__own_shares__goes_through_and_no_more(busy: Setup) -> None:
    busy.chain.advance(DAY)
    market, lender = busy.market, busy.actors.other_lender
    most = market.maxRedeem(lender)
    assert most == market.balanceOf(lender)
    with busy.refused("market: not enough shares"):
        market.redeem(most + 1, lender, lender, sender=lender)
    market.redeem(most, lender, lender, sender=lender)
    assert market.balanceOf(lender) == 0


def test_max_redeem__cash__goes_through_and_a_unit_more_does_not(busy: Setup) -> None:
    busy.chain.advance(DAY)
    market, lender = busy.market, busy.actors.lender
    most, cash = market.maxRedeem(lender), market.maxWithdraw(lender)
    assert most < market.balanceOf(lender)
    # The least shares of one more asset unit; fewer are worth no more than the cash.
    too_many = market.previewWithdraw(cash + 1)
    with busy.refused("market: not enough cash"):
        market.redeem(too_many, lender, lender, sender=lender)
    assert market.redeem.call(too_many - 1, lender, lender, sender=lender) == cash
    assert cash - 1 <= market.redeem.call(most, lender, lender, sender=lender) <= cash
    market.redeem(most, lender, lender, sender=lender)


def test_max__all_lent_out__is_nothing(borrowed: Setup) -> None:
    market, lender = borrowed.market, borrowed.actors.lender
    market.withdraw(910 * WAD, lender, lender, sender=lender)
    assert market.maxWithdraw(lender) == market.maxRedeem(lender) == 0
    assert market.maxFlashLoan(borrowed.loan.address) == 0


def test_max__strangers_and_nobody__have_nothing_to_take(busy: Setup) -> None:
    for account in (busy.actors.stranger, NOBODY):
        assert busy.market.maxWithdraw(account) == busy.market.maxRedeem(account) == 0


def test_max__any_caps_and_times__never_revert(busy: Setup) -> None:
    market, actors = busy.market, busy.actors
    for caps in ((0, 0, FEE), (MAX_CAP, MAX_CAP, FEE), (SUPPLY_CAP, BORROW_CAP, 0)):
        market.set_caps(caps, sender=actors.owner)
        for seconds in (0, DAY, 2**32):
            with busy.chain.isolated():
                busy.chain.advance(seconds)
                for view in ("maxDeposit", "maxMint", "maxWithdraw", "maxRedeem"):
                    for account in (actors.lender, market.address, NOBODY):
                        assert 0 <= getattr(market, view)(account) < UNLIMITED


def test_max__emptied_market__never_revert(setup: Setup) -> None:
    """All that was lent is written off: shares are left, and nothing behind them."""
    market, actors = setup.market, setup.actors
    setup.lend(1_000 * WAD)
    setup.open(1_100 * WAD, 1_000 * WAD)
    setup.oracle.set_price(0)
    market.liquidate(actors.borrower, 0, 0, sender=actors.liquidator)
    assert market.totalAssets() == 0 < market.totalSupply()
    assert market.maxWithdraw(actors.lender) == market.maxRedeem(actors.lender) == 0
    # A new unit is worth so many shares that their width is the bound, and the views know it.
    most = market.maxDeposit(actors.lender)
    assert 0 < most < SUPPLY_CAP
    with setup.refused("market: supply width"):
        setup.lend(most + 1)
    shares = market.maxMint(actors.lender)
    with setup.chain.isolated():
        setup.lend(most)
    market.mint(shares, actors.lender, sender=actors.lender)


def test_max__shares_worth_less_than_a_unit__cannot_be_redeemed(busy: Setup) -> None:
    market, actors = busy.market, busy.actors
    one = market.previewWithdraw(1)
    market.transfer(actors.stranger, one - 1, sender=actors.lender)
    assert market.maxRedeem(actors.stranger) == 0
    with busy.refused("market: zero amount"):
        market.redeem(one - 1, actors.stranger, actors.stranger, sender=actors.stranger)
    market.transfer(actors.stranger, 1, sender=actors.lender)
    assert market.maxRedeem(actors.stranger) == one
    market.redeem(one, actors.stranger, actors.stranger, sender=actors.stranger)


def test_max__caps_wider_than_the_shares__end_at_their_width(setup: Setup) -> None:
    market, lender = setup.market, setup.actors.lender
    market.set_caps((MAX_CAP, MAX_CAP, FEE), sender=setup.actors.owner)
    assert market.maxDeposit(lender) == MAX_CAP
    # A loss makes shares cheap enough for their width to come first.
    setup.lend(1_000 * WAD)
    setup.write_off(900 * WAD)
    state = market.state()
    assert (state.supply_assets, state.supply_shares) == (100 * WAD, 1_000 * WAD * 10**6)
    most = market.maxDeposit(lender)
    left = MAX_SHARES - state.supply_shares
    assert most == assets_down(left, state.supply_assets, state.supply_shares) < MAX_CAP
    with setup.refused("market: supply width"):
        setup.lend(most + 1)
    setup.lend(most)
