"""The thin name for less collateral."""

from tests.unit.market.conftest import NOBODY, UNLIMITED, WAD, Setup


def test_withdraw_collateral__healthy__pays_out(borrowed: Setup) -> None:
    market, owner, receiver = (
        borrowed.market,
        borrowed.actors.borrower,
        borrowed.actors.stranger,
    )

    receipt = market.withdraw_collateral(WAD, owner, receiver, sender=owner)

    assert receipt.events == [
        borrowed.moved(borrowed.collateral, market.address, receiver, WAD),
        borrowed.adjusted(owner, -WAD, 0, receiver=receiver),
    ]
    assert tuple(market.position(owner)) == (99 * WAD, 90 * WAD)


def test_withdraw_collateral__too_much_for_the_debt__reverts(borrowed: Setup) -> None:
    market, owner = borrowed.market, borrowed.actors.borrower
    # 90 at most 0.91 of what is left: 98.9010989...
    most = 100 * WAD - -(-90 * WAD * 100 // 91)
    with borrowed.refused("market: unhealthy"):
        market.withdraw_collateral(most + 1, owner, owner, sender=owner)
    with borrowed.refused("market: unhealthy"):
        market.withdraw_collateral(100 * WAD, owner, owner, sender=owner)
    market.withdraw_collateral(most, owner, owner, sender=owner)


def test_withdraw_collateral__more_than_there_is__reverts(borrowed: Setup) -> None:
    market, owner = borrowed.market, borrowed.actors.borrower
    for amount in (100 * WAD + 1, UNLIMITED):
        with borrowed.refused("market: not enough collateral"):
            market.withdraw_collateral(amount, owner, owner, sender=owner)


def test_withdraw_collateral__by_whom__owner_or_manager_only(borrowed: Setup) -> None:
    market, owner, manager = (
        borrowed.market,
        borrowed.actors.borrower,
        borrowed.actors.manager,
    )
    with borrowed.refused("market: not authorized"):
        market.withdraw_collateral(1, owner, manager, sender=manager)
    market.set_authorization(manager, True, sender=owner)
    market.withdraw_collateral(1, owner, manager, sender=manager)
    market.set_authorization(manager, False, sender=owner)
    with borrowed.refused("market: not authorized"):
        market.withdraw_collateral(1, owner, manager, sender=manager)


def test_withdraw_collateral__to_nobody_or_the_market__reverts(borrowed: Setup) -> None:
    owner = borrowed.actors.borrower
    for receiver in (NOBODY, borrowed.market.address):
        with borrowed.refused("market: receiver"):
            borrowed.market.withdraw_collateral(1, owner, receiver, sender=owner)


def test_withdraw_collateral__others_collateral__stays(borrowed: Setup) -> None:
    market, other = borrowed.market, borrowed.actors.other_borrower
    market.supply_collateral(WAD, other, sender=other)
    with borrowed.refused("market: not enough collateral"):
        market.withdraw_collateral(WAD + 1, other, other, sender=other)
    market.withdraw_collateral(WAD, other, other, sender=other)
