"""A borrower makes its own position bad, or waits until it is, and liquidates itself for the bonus.

Euler, 2023-03-13 (about 200 million dollars): one call gave collateral away without a health check,
and a bonus that grew with the shortfall let the same person liquidate itself at a profit. Here a
borrower would look for a path on which collateral falls unchecked, or liquidate itself from a
second account: in the block of the loan, in one part or a hundred, or one unit at a time. What
stops it: every path ends in the same check, a part leaves the position healthier, no split is paid
more than one liquidation, and lenders lose no more than if a stranger had come.
"""

from fractions import Fraction

import pytest

from relever.chain import Call, Revert
from relever.protocol import UNLIMITED, Deployment
from tests.attacks.purse import owned
from tests.scene import ETHER, borrow_against, price_e36, reverts
from tests.unit.market.conftest import BASE_BONUS, DAY, MIN_DEBT, PRICE, THRESHOLD, WAD, Setup

COLLATERAL, DEBT = 100 * WAD + 7, 91 * WAD


@pytest.fixture
def levered(lent: Setup) -> Setup:
    """The attacker owes what can be owed, and will liquidate itself from a second account."""
    lent.open(COLLATERAL, DEBT)
    return lent


def test_collateral__lowered_by_any_door__is_checked(levered: Setup) -> None:
    """Euler: one function of many forgot to ask."""
    market, owner, manager = levered.market, levered.actors.borrower, levered.actors.manager
    wallet, to = levered.wallet, levered.actors.lender
    for trusted in (manager, wallet.address):
        market.set_authorization(trusted, True, sender=owner)
    wallet.set_answer(UNLIMITED)
    down = [(-WAD, 0), (-WAD, -1), (0, WAD), (1, WAD), (-WAD, WAD), (1 - COLLATERAL, 1 - DEBT)]
    for deltas in down:
        tries: list[Call] = [
            market.adjust.build(owner, *deltas, to, sender=owner),
            market.adjust.build(owner, *deltas, to, sender=manager),
            wallet.run.build(market.address, market.adjust.encode(owner, *deltas, to)),
        ]
        if deltas[0] < 0:
            # What a callback answers counts for nothing where collateral goes out.
            data = market.adjust.encode(owner, *deltas, to, b"answer")
            tries.append(wallet.run.build(market.address, data))
        for attempt in tries:
            with pytest.raises(Revert) as failure:
                levered.chain.send(attempt)
            assert failure.value.reason in ("market: unhealthy", "market: debt below minimum")
    for function in ("withdraw_collateral", "borrow"):
        for sender in (owner, manager):
            with levered.refused("market: unhealthy"):
                getattr(market, function)(WAD, owner, to, sender=sender)
    assert tuple(market.position(owner)) == (COLLATERAL, DEBT)


@pytest.mark.parametrize("parts", [1, 2, 100])
@pytest.mark.parametrize("percent", [97, 95, 93, 92, 91, 85, 60])
def test_second_account__liquidates_the_first__the_two_gain_what_is_written_off_at_most(
    levered: Setup, percent: int, parts: int
) -> None:
    """Whoever stops paying keeps that much anyway; from others' money there is nothing more."""
    market, actors = levered.market, levered.actors
    two = (actors.borrower, actors.liquidator)
    levered.oracle.set_price(percent * PRICE // 100)
    mine, lenders = owned(levered, *two), owned(levered, actors.lender)
    with levered.chain.isolated():
        market.liquidate(actors.borrower, UNLIMITED, 0, sender=actors.stranger)
        loss = lenders - owned(levered, actors.lender)
        wanted = DEBT - levered.debt()
    written_off = 0
    for _ in range(parts):
        most = -(-wanted // parts) if levered.held() and parts > 1 and not loss else UNLIMITED
        try:
            done = market.liquidate(actors.borrower, most, 0, sender=actors.liquidator)
        except Revert as failure:
            refused = failure.reason
            if refused != "market: healthy":
                raise
            break
        written_off += done.events[-1].args["bad_debt"]
        if not levered.debt():
            break
    assert owned(levered, *two) - mine <= written_off
    assert lenders - owned(levered, actors.lender) <= loss
    assert (written_off > 0) == (loss > 0) == (percent < 92)
    # What all of the collateral pays for at the base bonus is repaid.
    paid_for = COLLATERAL * percent * WAD // (100 * (WAD + BASE_BONUS))
    assert written_off <= max(0, DEBT - paid_for)


@pytest.mark.parametrize("percent", [97, 95, 93])
def test_split__among_a_hundred_accounts_or_by_single_units__is_paid_no_more(
    levered: Setup, percent: int
) -> None:
    price = percent * PRICE // 100
    market, actors = levered.market, levered.actors
    levered.oracle.set_price(price)

    def gain(most: int) -> Fraction:
        done = market.liquidate(actors.borrower, most, 0, sender=actors.liquidator)
        last = done.events[-1].args
        return Fraction(last["seized"] * price, PRICE) - last["repaid"]

    with levered.chain.isolated():
        at_once = gain(UNLIMITED)
        wanted = DEBT - levered.debt()
    with levered.chain.isolated():
        total = sum(gain(unit) for unit in [1, 2, 3, 1, 2, 3, 10, 1_000])
        assert total + gain(UNLIMITED) <= at_once
    split = Fraction(0)
    before = Fraction(COLLATERAL, DEBT)
    for _ in range(100):
        if levered.debt() * PRICE * WAD <= levered.held() * price * THRESHOLD:
            break
        split += gain(wanted // 100)
        if levered.debt() == 0:
            break
        health = Fraction(levered.held(), levered.debt())
        assert health > before
        before = health
    assert 0 < split <= at_once


@pytest.mark.parametrize("unit", [1, 2])
def test_single_units__of_a_repayment__buy_nothing(levered: Setup, unit: int) -> None:
    levered.oracle.set_price(95 * PRICE // 100)
    market, actors = levered.market, levered.actors
    held = levered.held()
    for _ in range(20):
        done = market.liquidate(actors.borrower, unit, 0, sender=actors.liquidator)
        assert done.events[-1].args["seized"] == 0
        with levered.refused("market: seized too little"):
            market.liquidate(actors.borrower, unit, 1, sender=actors.liquidator)
    assert levered.held() == held
    # They are not in a keeper's way either.
    market.liquidate(actors.borrower, UNLIMITED, 0, sender=actors.stranger)
    assert levered.held() < held


@pytest.mark.parametrize("discount", [0, WAD // 50, WAD // 5])
def test_block_of_the_loan__the_largest_there_is__cannot_be_liquidated(
    scene: Deployment, discount: int
) -> None:
    """Between the price at which one borrows and that of liquidations there is no gap to use."""
    protocol, attacker = scene.protocol, scene.roles.stranger
    market, oracle = protocol.market, protocol.oracle
    scene.answer_fundamental(discount)
    price = min(price_e36(scene), scene.feed.proxy.latestAnswer() * WAD)
    limit = 50 * ETHER * price // PRICE * market.terms().max_ltv // WAD
    borrow_against(scene, 50 * ETHER, limit - 1, attacker)
    for _ in range(3):
        for book in (oracle.poke, protocol.vault.sync, market.accrue):
            book(sender=attacker)
        with reverts("market: healthy"):
            market.liquidate(attacker, UNLIMITED, 0, sender=attacker)


def test_bad_debt__waited_for_with_interest__is_stopped_by_anyone_before_it_is_there(
    levered: Setup,
) -> None:
    """Even at full use, where the rate rises for months, a day's interest is far from the bonus."""
    market, actors = levered.market, levered.actors
    cash = market.maxWithdraw(actors.lender)
    market.withdraw(cash, actors.lender, actors.lender, sender=actors.lender)
    lenders = owned(levered, actors.lender)
    while levered.debt() * WAD <= levered.held() * THRESHOLD:
        levered.chain.advance(DAY)
    levered.chain.advance(DAY)
    done = market.liquidate(actors.borrower, UNLIMITED, 0, sender=actors.stranger)
    assert done.events[-1].args["bad_debt"] == 0
    assert owned(levered, actors.lender) > lenders
    assert levered.debt() > MIN_DEBT
