"""Somebody makes a loss for the lenders on purpose, or runs away from one that others must bear.

Halts and fees are new doors: who can make a loss can stop everyone's borrowing, and who sees one
coming can leave before it. It stands beside the market incidents of DESIGN section 6: bad debt is
written off in the call that makes it, the protocol's fees bear it first, and borrowing halts only
for a loss that is large. Here an attacker would let dust positions rot to keep the market shut, or
the protocol's owner would take the fees in the block before the write-off. What stops it: losses
count by their size and fade, a halt ends by itself with as long a pause before the next, and fees
come out only a day after they were asked for.
"""

from fractions import Fraction

import pytest

from relever.chain import Revert
from tests.attacks.purse import lent as worth_of_shares
from tests.attacks.purse import owned
from tests.unit.market.conftest import DAY, MIN_DEBT, PRICE, UNLIMITED, WAD, Setup

HOUR = 3_600
BAD = 70 * PRICE // 100


def write_off(setup: Setup, owner: str) -> int:
    """The collateral loses its worth, a stranger liquidates; returns what lenders lose."""
    setup.oracle.set_price(BAD)
    done = setup.market.liquidate(owner, UNLIMITED, 0, sender=setup.actors.stranger)
    setup.oracle.set_price(PRICE)
    return int(done.events[-1].args["lenders_loss"])


@pytest.fixture
def owing(lent: Setup) -> Setup:
    """The attacker owes a twentieth of all that is lent; others owe more."""
    lent.open(50 * WAD // 9 * 10, 50 * WAD, lent.actors.manager)
    lent.open(300 * WAD, 200 * WAD, lent.actors.other_borrower)
    return lent


def test_loss__above_the_bound__halts_borrowing_for_a_day_and_nothing_else(owing: Setup) -> None:
    market, actors = owing.market, owing.actors
    loss = write_off(owing, actors.manager)
    supply = market.totalAssets() + loss
    assert loss * 100 > supply
    until = market.halted_until()
    assert owing.chain.timestamp + DAY - HOUR < until <= owing.chain.timestamp + DAY
    borrower, lender = actors.other_borrower, actors.lender
    with owing.refused("market: borrowing halted"):
        market.borrow(MIN_DEBT, borrower, borrower, sender=borrower)
    with owing.refused("market: borrowing halted"):
        owing.open(WAD, MIN_DEBT, actors.borrower)

    # Everything else goes on.
    market.repay(WAD, borrower, sender=borrower)
    market.supply_collateral(WAD, borrower, sender=borrower)
    market.withdraw_collateral(WAD, borrower, borrower, sender=borrower)
    market.adjust(borrower, -WAD, -WAD, borrower, sender=borrower)
    owing.lend(WAD, actors.other_lender)
    market.withdraw(WAD, lender, lender, sender=lender)
    cash = market.maxFlashLoan(owing.loan.address)
    owing.run("flashLoan", owing.wallet.address, owing.loan.address, cash, b"")
    owing.oracle.set_price(7 * PRICE // 10)
    market.liquidate(borrower, WAD, 0, sender=actors.liquidator)
    owing.oracle.set_price(PRICE)

    owing.chain.advance(until - owing.chain.timestamp)
    assert market.halted_until() == 0
    market.borrow(MIN_DEBT, borrower, borrower, sender=borrower)


def test_losses__made_again_and_again__keep_the_market_shut_half_of_the_time_at_most(
    owing: Setup,
) -> None:
    """Whatever an attacker is ready to lose: a day open for each day shut."""
    market, actors = owing.market, owing.actors
    shut = hours = 0
    for hour in range(4 * 24):
        if hour % 6 == 0 and not market.halted_until():
            owing.open(50 * WAD // 9 * 10, 49 * WAD, actors.borrower)
            assert write_off(owing, actors.borrower) > 0
            owing.lend(20 * WAD)
        shut += market.halted_until() > 0
        hours += 1
        owing.chain.advance(HOUR)
    assert 0 < shut <= hours // 2 + 1


def test_dust__written_off_many_times__halts_nothing(owing: Setup) -> None:
    """Positions brought down in proportion to a few units: anyone may make as many as wanted."""
    market, attacker = owing.market, owing.actors.borrower
    mine, lenders = owned(owing, attacker), owned(owing, owing.actors.lender)
    total, held = 0, MIN_DEBT * 112 // 100
    for _ in range(30):
        owing.open(held, MIN_DEBT, attacker)
        market.adjust(attacker, 12 - held, 9 - MIN_DEBT, attacker, sender=attacker)
        loss = write_off(owing, attacker)
        assert loss > 0
        assert owing.held(attacker) == market.halted_until() == 0
        total += loss
    assert total <= 30 * 9
    market.borrow(
        MIN_DEBT, owing.actors.other_borrower, attacker, sender=owing.actors.other_borrower
    )
    # What it kept is what it did not repay; what it lost is the collateral behind it.
    assert owned(owing, attacker) - mine - MIN_DEBT <= total
    assert lenders - owned(owing, owing.actors.lender) <= total


def test_loss__small_enough__fades_and_adds_up_to_no_halt(owing: Setup) -> None:
    """A position of a hundredth of what is lent, lost each day: bad, and no reason to shut."""
    market, actors = owing.market, owing.actors
    for _ in range(5):
        owing.open(100 * WAD // 9, 10 * WAD, actors.borrower)
        loss = write_off(owing, actors.borrower)
        assert 0 < loss * 100 < market.totalAssets()
        assert market.halted_until() == 0
        owing.chain.advance(DAY)
    # In one day they do add up, however small each is.
    lost = 0
    while not market.halted_until():
        supply = market.totalAssets()
        owing.open(100 * WAD // 9, 10 * WAD, actors.borrower)
        lost += write_off(owing, actors.borrower)
    assert Fraction(lost, supply) < Fraction(2, 100)


def test_fees__asked_for_in_the_block_of_the_loss__bear_it_first(busy: Setup) -> None:
    market, actors = busy.market, busy.actors
    busy.chain.advance(100 * DAY)
    busy.lend(WAD, actors.other_lender)
    held = market.balanceOf(market.address)
    assert held > 0
    fees = worth_of_shares(market, held)
    market.request_fees(sender=actors.owner)
    with busy.refused("market: fees not due"):
        market.collect_fees(actors.owner, sender=actors.owner)
    busy.oracle.set_price(BAD)
    done = market.liquidate(actors.other_borrower, UNLIMITED, 0, sender=actors.stranger)
    last = done.events[-1].args
    assert last["bad_debt"] > last["lenders_loss"]
    assert last["bad_debt"] - last["lenders_loss"] >= fees - 1
    assert market.balanceOf(market.address) == 0
    busy.chain.advance(DAY)
    assert market.collect_fees.call(actors.owner, sender=actors.owner) == 0


def test_fees__asked_for_every_day__are_never_due_when_wanted(busy: Setup) -> None:
    """A request that is renewed starts anew: the owner has no door that is always open."""
    market, actors = busy.market, busy.actors
    for _ in range(5):
        market.request_fees(sender=actors.owner)
        busy.chain.advance(DAY - 1)
        with busy.refused("market: fees not due"):
            market.collect_fees(actors.owner, sender=actors.owner)


def test_fees__asked_for_long_ago__are_not_due_for_ever(busy: Setup) -> None:
    """A request kept for a bad day would be such a door."""
    market, actors = busy.market, busy.actors
    market.request_fees(sender=actors.owner)
    busy.chain.advance(30 * DAY)
    with busy.refused("market: fees not due"):
        market.collect_fees(actors.owner, sender=actors.owner)


@pytest.mark.parametrize("role", ["guardian", "lender", "stranger"])
def test_fees__asked_for_by_another__are_refused(busy: Setup, role: str) -> None:
    who = getattr(busy.actors, role)
    for call in (
        busy.market.request_fees.build(sender=who),
        busy.market.collect_fees.build(who, sender=who),
    ):
        with pytest.raises(Revert) as failure:
            busy.chain.send(call)
        assert failure.value.reason == "market: not owner"


def test_lender__leaves_and_comes_back_around_a_loss__gains_no_more_than_it_was_spared(
    owing: Setup,
) -> None:
    """Who sees a loss may leave with the cash that is there, and its return robs nobody."""
    market, actors = owing.market, owing.actors
    owing.lend(300 * WAD, actors.other_lender)
    mine, theirs = owned(owing, actors.other_lender), owned(owing, actors.lender)
    held = market.balanceOf(actors.other_lender)
    market.redeem(held, actors.other_lender, actors.other_lender, sender=actors.other_lender)
    loss = write_off(owing, actors.manager)
    owing.lend(300 * WAD, actors.other_lender)
    market.redeem(
        market.balanceOf(actors.other_lender),
        actors.other_lender,
        actors.other_lender,
        sender=actors.other_lender,
    )
    assert owned(owing, actors.other_lender) <= mine
    assert theirs - owned(owing, actors.lender) <= loss
