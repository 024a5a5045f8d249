"""The thin name for more debt."""

from tests.unit.market.conftest import (
    FEE,
    MAX_CAP,
    MIN_DEBT,
    NOBODY,
    UNLIMITED,
    WAD,
    YEAR,
    Setup,
)


def test_borrow__collateral_there__pays_out_exactly(lent: Setup) -> None:
    market, owner, receiver = lent.market, lent.actors.borrower, lent.actors.stranger
    market.supply_collateral(100 * WAD, owner, sender=owner)
    held = lent.loan.balanceOf(receiver)

    receipt = market.borrow(50 * WAD, owner, receiver, sender=owner)

    assert receipt.events == [
        lent.moved(lent.loan, market.address, receiver, 50 * WAD),
        lent.adjusted(owner, 0, 50 * WAD, receiver=receiver),
    ]
    assert lent.loan.balanceOf(receiver) == held + 50 * WAD
    assert tuple(market.position(owner)) == (100 * WAD, 50 * WAD)


def test_borrow__twice__adds_up(borrowed: Setup) -> None:
    market, owner = borrowed.market, borrowed.actors.borrower
    market.borrow(WAD, owner, owner, sender=owner)
    assert borrowed.debt() == 91 * WAD


def test_borrow__manager__acts_for_the_owner(lent: Setup) -> None:
    market, owner, manager = lent.market, lent.actors.borrower, lent.actors.manager
    market.supply_collateral(WAD, owner, sender=owner)
    with lent.refused("market: not authorized"):
        market.borrow(MIN_DEBT, owner, manager, sender=manager)
    market.set_authorization(manager, True, sender=owner)
    receipt = market.borrow(MIN_DEBT, owner, manager, sender=manager)
    assert receipt.events[-1] == lent.adjusted(owner, 0, MIN_DEBT, caller=manager, receiver=manager)


def test_borrow__payout_to_nobody_or_the_market__reverts(borrowed: Setup) -> None:
    owner = borrowed.actors.borrower
    for receiver in (NOBODY, borrowed.market.address):
        with borrowed.refused("market: receiver"):
            borrowed.market.borrow(1, owner, receiver, sender=owner)


def test_borrow__zero__changes_nothing(borrowed: Setup) -> None:
    owner, before = borrowed.actors.borrower, borrowed.books()
    receipt = borrowed.market.borrow(0, owner, owner, sender=owner)
    assert receipt.events == [borrowed.adjusted(owner, 0, 0)]
    assert borrowed.books() == before


def test_borrow__beyond_every_amount__reverts(borrowed: Setup) -> None:
    owner = borrowed.actors.borrower
    for amount in (910 * WAD + 1, UNLIMITED):
        with borrowed.refused("market: not enough cash"):
            borrowed.market.borrow(amount, owner, owner, sender=owner)


def test_borrow__without_collateral__reverts(lent: Setup) -> None:
    stranger = lent.actors.stranger
    with lent.refused("market: unhealthy"):
        lent.market.borrow(MIN_DEBT, stranger, stranger, sender=stranger)


def test_borrow__dust_that_comes_and_goes__makes_no_debt_share_cheaper(setup: Setup) -> None:
    """Rounded-up repayments of single units once wore the price of a debt share down, until all of
    the shares' width was used up by less debt than the cap."""
    small = setup.another(min_debt=1)
    market, actors = small.market, small.actors
    market.set_caps((MAX_CAP, MAX_CAP, FEE), sender=actors.owner)
    small.lend(MAX_CAP)
    great, *owners = vars(actors).values()
    for _ in range(3):
        for more, owner in enumerate(owners):
            small.open(4 * WAD, WAD + more * 10**17 // 3, owner)
        small.chain.advance(YEAR)
        # Each leaves a part of a wei, which counts as one.
        for owner in owners:
            market.repay(small.debt(owner) - 1, owner, sender=owner)
        for owner in owners:
            market.repay(1, owner, sender=owner)
            state = market.state()
            assert state.borrow_shares < (state.borrow_assets + 1) * 10**6
            # What is paid above the debt's worth is the lenders': no unit is nobody's.
            cash = small.loan.balanceOf(market.address)
            assert cash == state.supply_assets - state.borrow_assets
    assert market.state().borrow_shares == 0

    market.supply_collateral(4 * 10**26, great, sender=great)
    market.borrow(MAX_CAP // 2, great, great, sender=great)
    assert market.position(great)[1] == MAX_CAP // 2
