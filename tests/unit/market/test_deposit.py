"""Lending an exact amount."""

from itertools import pairwise

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
    shares_down,
    shares_up,
    token,
)


def test_deposit__empty_market__a_million_shares_for_each_unit(setup: Setup) -> None:
    market, lender, receiver = setup.market, setup.actors.lender, setup.actors.stranger
    assert market.deposit.call(3 * WAD, receiver, sender=lender) == 3 * WAD * 10**6

    receipt = market.deposit(3 * WAD, receiver, sender=lender)

    assert receipt.events == [
        setup.moved(market, NOBODY, receiver, 3 * WAD * 10**6),
        setup.moved(setup.loan, lender, market.address, 3 * WAD),
        setup.event(
            "Deposit", sender=lender, owner=receiver, assets=3 * WAD, shares=3 * WAD * 10**6
        ),
    ]
    assert market.balanceOf(receiver) == market.totalSupply() == 3 * WAD * 10**6
    assert market.balanceOf(lender) == 0
    assert market.totalAssets() == setup.loan.balanceOf(market.address) == 3 * WAD


def test_deposit__interest_since__is_booked_first_and_shares_round_down(aged: Setup) -> None:
    market, lender = aged.market, aged.actors.other_lender
    now = market.state()
    before = now._replace(supply_assets=1_000 * WAD, supply_shares=1_000 * WAD * 10**6)
    assets = 5 * WAD + 3
    minted = shares_down(assets, now.supply_assets, now.supply_shares)
    assert minted != shares_up(assets, now.supply_assets, now.supply_shares)

    receipt = market.deposit(assets, lender, sender=lender)

    assert receipt.events == [
        *aged.accrued(before, now),
        aged.moved(market, NOBODY, lender, minted),
        aged.moved(aged.loan, lender, market.address, assets),
        aged.event("Deposit", sender=lender, owner=lender, assets=assets, shares=minted),
    ]
    assert market.state() == now._replace(
        supply_assets=now.supply_assets + assets, supply_shares=now.supply_shares + minted
    )


def test_deposit__zero__reverts(busy: Setup) -> None:
    with busy.refused("market: zero amount"):
        busy.market.deposit(0, busy.actors.lender, sender=busy.actors.lender)


def test_deposit__to_nobody_or_the_market__reverts(busy: Setup) -> None:
    for receiver in (NOBODY, busy.market.address):
        with busy.refused("market: receiver"):
            busy.market.deposit(WAD, receiver, sender=busy.actors.lender)


def test_deposit__supply_cap__is_kept_to_the_wei(setup: Setup) -> None:
    with setup.refused("market: supply cap"):
        setup.lend(SUPPLY_CAP + 1)
    setup.lend(SUPPLY_CAP)
    with setup.refused("market: supply cap"):
        setup.lend(1)


def test_deposit__interest__counts_against_the_cap(aged: Setup) -> None:
    market, actors = aged.market, aged.actors
    market.set_caps((1_001 * WAD, BORROW_CAP, FEE), sender=actors.owner)
    room = 1_001 * WAD - market.totalAssets()
    assert 0 < room < WAD
    with aged.refused("market: supply cap"):
        aged.lend(room + 1)
    aged.lend(room)


def test_deposit__share_width__is_the_bound_and_lets_everyone_out(setup: Setup) -> None:
    market, lender = setup.market, setup.actors.lender
    market.set_caps((MAX_CAP, MAX_CAP, FEE), sender=setup.actors.owner)
    # A loss makes shares cheap enough for their width to come before the widest cap.
    setup.lend(1_000 * WAD)
    setup.write_off(900 * WAD)
    setup.chain.advance(2 * DAY)
    most = market.maxDeposit(lender)
    with setup.refused("market: supply width"):
        setup.lend(most + 1)
    setup.lend(most)
    setup.open(2 * most, most // 2)
    setup.chain.advance(10 * DAY)
    # There is no room for the protocol's shares: the interest is still booked.
    market.accrue()
    assert market.totalAssets() > most
    assert market.totalSupply() == MAX_SHARES
    setup.market.repay(UNLIMITED, setup.actors.borrower, sender=setup.actors.borrower)
    shares = market.balanceOf(lender)
    market.redeem(shares, lender, lender, sender=lender)
    assert market.balanceOf(lender) == 0


def test_deposit__payment_fails__reverts(setup: Setup) -> None:
    setup.loan.approve(setup.market.address, WAD - 1, sender=setup.actors.lender)
    with setup.refused("token: allowance"):
        setup.lend(WAD)


def test_deposit__donation__makes_nobody_richer(busy: Setup) -> None:
    market, lender = busy.market, busy.actors.lender
    before = busy.books()[:2], market.convertToAssets(market.balanceOf(lender))
    busy.loan.mint(market.address, 1_000 * WAD)
    assert (busy.books()[:2], market.convertToAssets(market.balanceOf(lender))) == before


def test_deposit__first_lender_donates__steals_nothing(setup: Setup) -> None:
    """The inflation attack: one wei lent, a fortune sent, then the next lender comes."""
    market, attacker, victim = setup.market, setup.actors.stranger, setup.actors.lender
    setup.lend(1, attacker)
    setup.loan.transfer(market.address, 1_000 * WAD, sender=attacker)
    setup.lend(WAD, victim)
    assert market.balanceOf(victim) == WAD * 10**6
    assert market.maxWithdraw(victim) == WAD
    assert market.maxWithdraw(attacker) == 1


def test_deposit__there_and_back__gains_nothing(busy: Setup) -> None:
    market, lender = busy.market, busy.actors.stranger
    for assets in (1, 2, 3, 1_000, WAD + 1):
        held, price = busy.loan.balanceOf(lender), price_of(busy)
        market.deposit(assets, lender, sender=lender)
        if market.convertToAssets(market.balanceOf(lender)):
            market.redeem(market.balanceOf(lender), lender, lender, sender=lender)
        assert busy.loan.balanceOf(lender) <= held
        assert price_of(busy) >= price


def price_of(setup: Setup) -> int:
    """A great many shares in assets, fine enough to see a wei."""
    return int(setup.market.convertToAssets(10**40))


def test_deposit__fee_on_transfer_token__is_what_the_market_does_not_know(setup: Setup) -> None:
    """Nothing in the code refuses such a token; the loss is its own market's alone."""
    loan = token(setup.chain, fee=7)
    feeble = setup.another(loan=loan.address)
    before = setup.books()
    feeble.lend(WAD)
    assert feeble.market.totalAssets() == WAD
    assert loan.balanceOf(feeble.market.address) == WAD - 7
    with feeble.refused("token: balance"):
        feeble.market.withdraw(
            WAD, feeble.actors.lender, feeble.actors.lender, sender=feeble.actors.lender
        )
    assert setup.books()[:2] == before[:2]


def test_deposit__many_small_ones__give_no_more_than_one(busy: Setup) -> None:
    market, actors = busy.market, busy.actors
    minted = market.previewDeposit(1_000)
    sizes = [1, 10, 100, 889]
    assert sum(sizes) == 1_000
    got = [0]
    for size in sizes:
        market.deposit(size, actors.stranger, sender=actors.stranger)
        got.append(market.balanceOf(actors.stranger))
    assert all(later > sooner for sooner, later in pairwise(got))
    assert got[-1] <= minted
