"""A manager gives its right up."""

from tests.unit.market.conftest import Setup


def test_renounce_authorization__manager__loses_its_own_right_only(borrowed: Setup) -> None:
    market, actors = borrowed.market, borrowed.actors
    owner = actors.borrower
    for manager in (actors.manager, actors.stranger):
        market.set_authorization(manager, True, sender=owner)

    receipt = market.renounce_authorization(owner, sender=actors.manager)

    assert receipt.events == [
        borrowed.event("AuthorizationSet", owner=owner, manager=actors.manager, authorized=False)
    ]
    assert not market.is_authorized(owner, actors.manager)
    assert market.is_authorized(owner, actors.stranger)
    with borrowed.refused("market: not authorized"):
        market.borrow(1, owner, actors.manager, sender=actors.manager)


def test_renounce_authorization__nothing_to_give_up__gives_nothing(borrowed: Setup) -> None:
    market, actors = borrowed.market, borrowed.actors
    market.renounce_authorization(actors.borrower, sender=actors.stranger)
    assert not market.is_authorized(actors.borrower, actors.stranger)
