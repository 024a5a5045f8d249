"""Lending for an exact number of shares."""

from tests.unit.market.conftest import (
    NOBODY,
    SUPPLY_CAP,
    WAD,
    Setup,
    assets_down,
    assets_up,
)


def test_mint__empty_market__costs_a_millionth(setup: Setup) -> None:
    market, lender, receiver = setup.market, setup.actors.lender, setup.actors.stranger
    shares = 2 * WAD * 10**6
    assert market.mint.call(shares, receiver, sender=lender) == 2 * WAD

    receipt = market.mint(shares, receiver, sender=lender)

    assert receipt.events == [
        setup.moved(market, NOBODY, receiver, shares),
        setup.moved(setup.loan, lender, market.address, 2 * WAD),
        setup.event("Deposit", sender=lender, owner=receiver, assets=2 * WAD, shares=shares),
    ]
    assert market.balanceOf(receiver) == shares


def test_mint__price_above_one__rounds_the_cost_up(busy: Setup) -> None:
    market, lender, state = busy.market, busy.actors.lender, busy.market.state()
    shares = 7 * WAD * 10**6 + 1
    assets = assets_up(shares, state.supply_assets, state.supply_shares)
    assert assets == assets_down(shares, state.supply_assets, state.supply_shares) + 1

    receipt = market.mint(shares, lender, sender=lender)

    assert receipt.events == [
        busy.moved(market, NOBODY, lender, shares),
        busy.moved(busy.loan, lender, market.address, assets),
        busy.event("Deposit", sender=lender, owner=lender, assets=assets, shares=shares),
    ]


def test_mint__one_share__costs_a_whole_unit(busy: Setup) -> None:
    lender = busy.actors.lender
    assert busy.market.mint.call(1, lender, sender=lender) == 1


def test_mint__zero__reverts(busy: Setup) -> None:
    with busy.refused("market: zero amount"):
        busy.market.mint(0, busy.actors.lender, sender=busy.actors.lender)


def test_mint__to_nobody_or_the_market__reverts(busy: Setup) -> None:
    for receiver in (NOBODY, busy.market.address):
        with busy.refused("market: receiver"):
            busy.market.mint(WAD, receiver, sender=busy.actors.lender)


def test_mint__supply_cap__is_kept(setup: Setup) -> None:
    market, lender = setup.market, setup.actors.lender
    with setup.refused("market: supply cap"):
        market.mint(SUPPLY_CAP * 10**6 + 1, lender, sender=lender)
    market.mint(SUPPLY_CAP * 10**6, lender, sender=lender)
