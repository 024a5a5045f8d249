"""The protocol's shares."""

import pytest

from tests.unit.market.conftest import DAY, NOBODY, WAD, Setup


@pytest.fixture
def due(busy: Setup) -> Setup:
    """The owner has asked for all fees, a day ago."""
    busy.market.request_fees(sender=busy.actors.owner)
    busy.chain.advance(DAY)
    return busy


def test_collect_fees__due__gets_what_was_asked_for_and_books_no_interest(due: Setup) -> None:
    market, owner, receiver = due.market, due.actors.owner, due.actors.stranger
    shares = market.balanceOf(market.address)
    assert shares > 0
    assert market.collect_fees.call(receiver, sender=owner) == shares
    now = market.state()

    receipt = market.collect_fees(receiver, sender=owner)

    assert receipt.events == [
        due.moved(market, market.address, receiver, shares),
        due.event("FeesCollected", receiver=receiver, shares=shares),
    ]
    assert market.balanceOf(market.address) == 0
    assert market.balanceOf(receiver) == shares
    assert market.state() == now
    # The interest of the last day waits for its booking, and the fees of it for another request.
    market.accrue()
    assert market.balanceOf(market.address) == now.supply_shares - sum_of_shares(due) > 0
    market.redeem(shares, receiver, receiver, sender=receiver)


def sum_of_shares(setup: Setup) -> int:
    """Of everyone but the market."""
    return sum(setup.market.balanceOf(account) for account in vars(setup.actors).values())


def test_collect_fees__nothing_there__moves_nothing(lent: Setup) -> None:
    receiver = lent.actors.owner
    assert lent.market.request_fees.call(sender=receiver) == 0
    lent.market.request_fees(sender=receiver)
    lent.chain.advance(DAY)
    receipt = lent.market.collect_fees(receiver, sender=receiver)
    assert receipt.events == [
        lent.moved(lent.market, lent.market.address, receiver, 0),
        lent.event("FeesCollected", receiver=receiver, shares=0),
    ]


def test_collect_fees__anyone_else__reverts(due: Setup) -> None:
    for caller in (due.actors.stranger, due.actors.guardian, due.actors.lender):
        with due.refused("market: not owner"):
            due.market.collect_fees(caller, sender=caller)


def test_collect_fees__new_owner_of_the_factory__may(due: Setup) -> None:
    actors = due.actors
    due.factory.transfer_ownership(actors.manager, sender=actors.owner)
    due.factory.accept_ownership(sender=actors.manager)
    with due.refused("market: not owner"):
        due.market.collect_fees(actors.owner, sender=actors.owner)
    due.market.collect_fees(actors.manager, sender=actors.manager)


def test_collect_fees__to_nobody_or_the_market__reverts(due: Setup) -> None:
    for receiver in (NOBODY, due.market.address):
        with due.refused("market: receiver"):
            due.market.collect_fees(receiver, sender=due.actors.owner)


def test_collect_fees__all_lent_out__leaves_the_shares_to_wait(borrowed: Setup) -> None:
    market, actors = borrowed.market, borrowed.actors
    market.withdraw(910 * WAD, actors.lender, actors.lender, sender=actors.lender)
    borrowed.chain.advance(DAY)
    market.request_fees(sender=actors.owner)
    borrowed.chain.advance(DAY)
    market.collect_fees(actors.owner, sender=actors.owner)
    assert market.balanceOf(actors.owner) > 0
    assert market.maxRedeem(actors.owner) == 0
    with borrowed.refused("market: not enough cash"):
        market.redeem(
            market.balanceOf(actors.owner), actors.owner, actors.owner, sender=actors.owner
        )
