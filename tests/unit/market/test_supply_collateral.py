"""The thin name for more collateral."""

from tests.unit.market.conftest import MAX_112, NOBODY, UNLIMITED, WAD, Setup


def test_supply_collateral__for_anyone__is_theirs(lent: Setup) -> None:
    market, owner, payer = lent.market, lent.actors.borrower, lent.actors.stranger

    receipt = market.supply_collateral(5 * WAD, owner, sender=payer)

    assert receipt.events == [
        lent.moved(lent.collateral, payer, market.address, 5 * WAD),
        lent.adjusted(owner, 5 * WAD, 0, caller=payer, receiver=NOBODY),
    ]
    assert tuple(market.position(owner)) == (5 * WAD, 0)
    assert tuple(market.position(payer)) == (0, 0)


def test_supply_collateral__zero__changes_nothing(borrowed: Setup) -> None:
    before = borrowed.books()
    stranger = borrowed.actors.stranger
    receipt = borrowed.market.supply_collateral(0, stranger, sender=stranger)
    assert receipt.events == [borrowed.adjusted(stranger, 0, 0, receiver=NOBODY)]
    assert borrowed.books() == before


def test_supply_collateral__width__is_the_bound(lent: Setup) -> None:
    market, owner = lent.market, lent.actors.borrower
    for amount in (MAX_112 + 1, UNLIMITED):
        with lent.refused("market: collateral width"):
            market.supply_collateral(amount, owner, sender=owner)
    market.supply_collateral(MAX_112, owner, sender=owner)
    with lent.refused("market: collateral width"):
        market.supply_collateral(1, owner, sender=owner)
    assert market.position(owner)[0] == MAX_112


def test_supply_collateral__donation__is_nobodys(lent: Setup) -> None:
    lent.collateral.mint(lent.market.address, WAD)
    owner = lent.actors.borrower
    with lent.refused("market: not enough collateral"):
        lent.market.withdraw_collateral(1, owner, owner, sender=owner)
