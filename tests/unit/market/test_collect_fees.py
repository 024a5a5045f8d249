"""The protocol's shares."""

from tests.unit.market.conftest import NOBODY, WAD, Setup


def test_collect_fees__owner__gets_them_with_interest_until_now(aged: Setup) -> None:
    market, owner, receiver = aged.market, aged.actors.owner, aged.actors.stranger
    now = market.state()
    before = now._replace(supply_assets=1_000 * WAD, supply_shares=1_000 * WAD * 10**6)
    shares = now.supply_shares - before.supply_shares
    assert shares > 0
    assert market.collect_fees.call(receiver, sender=owner) == shares

    receipt = market.collect_fees(receiver, sender=owner)

    assert receipt.events == [
        *aged.accrued(before, now),
        aged.moved(market, market.address, receiver, shares),
        aged.event("FeesCollected", receiver=receiver, shares=shares),
    ]
    assert market.balanceOf(market.address) == 0
    assert market.balanceOf(receiver) == shares
    assert market.state() == now
    market.redeem(shares, receiver, receiver, sender=receiver)


def test_collect_fees__nothing_there__moves_nothing(lent: Setup) -> None:
    receiver = lent.actors.owner
    receipt = lent.market.collect_fees(receiver, sender=receiver)
    assert receipt.events == [
        lent.moved(lent.market, lent.market.address, receiver, 0),
        lent.event("FeesCollected", receiver=receiver, shares=0),
    ]


def test_collect_fees__anyone_else__reverts(busy: Setup) -> None:
    for caller in (busy.actors.stranger, busy.actors.guardian, busy.actors.lender):
        with busy.refused("market: not owner"):
            busy.market.collect_fees(caller, sender=caller)


def test_collect_fees__new_owner_of_the_factory__may(busy: Setup) -> None:
    actors = busy.actors
    busy.factory.transfer_ownership(actors.manager, sender=actors.owner)
    busy.factory.accept_ownership(sender=actors.manager)
    with busy.refused("market: not owner"):
        busy.market.collect_fees(actors.owner, sender=actors.owner)
    busy.market.collect_fees(actors.manager, sender=actors.manager)


def test_collect_fees__to_nobody_or_the_market__reverts(busy: Setup) -> None:
    for receiver in (NOBODY, busy.market.address):
        with busy.refused("market: receiver"):
            busy.market.collect_fees(receiver, sender=busy.actors.owner)


def test_collect_fees__all_lent_out__leaves_the_shares_to_wait(borrowed: Setup) -> None:
    market, actors = borrowed.market, borrowed.actors
    market.withdraw(910 * WAD, actors.lender, actors.lender, sender=actors.lender)
    borrowed.chain.advance(86_400)
    market.collect_fees(actors.owner, sender=actors.owner)
    assert market.balanceOf(actors.owner) > 0
    assert market.maxRedeem(actors.owner) == 0
    with borrowed.refused("market: not enough cash"):
        market.redeem(
            market.balanceOf(actors.owner), actors.owner, actors.owner, sender=actors.owner
        )
