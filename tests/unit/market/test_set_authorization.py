"""Managers, named by their owner."""

from tests.unit.market.conftest import NOBODY, WAD, Setup


def test_set_authorization__owner__gives_and_takes(borrowed: Setup) -> None:
    market, owner, manager = borrowed.market, borrowed.actors.borrower, borrowed.actors.manager
    for nonce, authorized in enumerate((True, True, False, False)):
        assert market.nonces(owner) == nonce
        receipt = market.set_authorization(manager, authorized, sender=owner)
        assert receipt.events == [
            borrowed.event("AuthorizationSet", owner=owner, manager=manager, authorized=authorized)
        ]
        assert market.is_authorized(owner, manager) is authorized
    with borrowed.refused("market: not authorized"):
        market.borrow(1, owner, manager, sender=manager)


def test_set_authorization__one_pair__is_no_other(borrowed: Setup) -> None:
    market, actors = borrowed.market, borrowed.actors
    market.set_authorization(actors.manager, True, sender=actors.borrower)
    assert not market.is_authorized(actors.manager, actors.borrower)
    assert not market.is_authorized(actors.borrower, actors.stranger)
    assert not market.is_authorized(actors.other_borrower, actors.manager)
    assert not market.is_authorized(actors.borrower, actors.borrower)


def test_set_authorization__nobodys_position__is_nobodys(borrowed: Setup) -> None:
    stranger = borrowed.actors.stranger
    with borrowed.refused("market: not authorized"):
        borrowed.market.adjust(NOBODY, -WAD, 0, stranger, sender=stranger)


def test_set_authorization__manager__has_no_right_over_lent_shares(lent: Setup) -> None:
    market, lender, manager = lent.market, lent.actors.lender, lent.actors.manager
    market.set_authorization(manager, True, sender=lender)
    with lent.refused("market: allowance"):
        market.withdraw(1, manager, lender, sender=manager)
    with lent.refused("market: allowance"):
        market.transferFrom(lender, manager, 1, sender=manager)
