"""The thin name for less debt."""

from tests.unit.market.conftest import MAX_112, UNLIMITED, WAD, Setup


def test_repay__a_part__takes_exactly_that(borrowed: Setup) -> None:
    market, owner = borrowed.market, borrowed.actors.borrower
    assert market.repay.call(WAD, owner, sender=owner) == WAD

    receipt = market.repay(WAD, owner, sender=owner)

    assert receipt.events == [
        borrowed.moved(borrowed.loan, owner, market.address, WAD),
        borrowed.adjusted(owner, 0, -WAD, receiver="0x0000000000000000000000000000000000000000"),
    ]
    assert tuple(market.position(owner)) == (100 * WAD, 89 * WAD)


def test_repay__more_than_owed__takes_the_debt_at_most(aged: Setup) -> None:
    market, owner, payer = aged.market, aged.actors.borrower, aged.actors.stranger
    for offered in (aged.debt(), aged.debt() + 1, MAX_112 + 1, UNLIMITED):
        with aged.chain.isolated():
            debt, held = aged.debt(), aged.loan.balanceOf(payer)
            assert market.repay.call(offered, owner, sender=payer) == debt
            market.repay(offered, owner, sender=payer)
            assert held - aged.loan.balanceOf(payer) == debt
            assert tuple(market.position(owner)) == (100 * WAD, 0)


def test_repay__nothing_owed__takes_nothing(lent: Setup) -> None:
    stranger = lent.actors.stranger
    assert lent.market.repay.call(WAD, stranger, sender=stranger) == 0
    before = lent.books()
    lent.market.repay(WAD, stranger, sender=stranger)
    assert lent.books() == before


def test_repay__tiny_amounts__never_lower_the_debt_by_more(aged: Setup) -> None:
    market, owner = aged.market, aged.actors.borrower
    for amount in (1, 1, 2, 3, 999, 1):
        debt = aged.debt()
        market.repay(amount, owner, sender=owner)
        assert debt - amount <= aged.debt() <= debt


def test_repay__all_lent_out_and_feed_dead__works(lent: Setup) -> None:
    lent.open(1_100 * WAD, 1_000 * WAD)
    lent.oracle.set_dead(True)
    owner = lent.actors.borrower
    lent.market.repay(1_000 * WAD, owner, sender=owner)
    assert lent.debt() == 0
