"""Lenders lose a lot: nobody borrows for a day."""

import pytest

from relever.chain import Event, Receipt
from tests.unit.market.conftest import (
    BORROW_CAP,
    DAY,
    MIN_DEBT,
    NOBODY,
    PRICE,
    SUPPLY_CAP,
    UNLIMITED,
    WAD,
    YEAR,
    Setup,
)

LENT = 1_000 * WAD
# What halts at once: 1 % of what lenders are owed.
BOUND = LENT // 100
# Losses fade, and a halt ends, in whole steps.
STEP = 12
# Marks are steps modulo this.
WRAP = 2**23


@pytest.fixture
def fresh(setup: Setup) -> Setup:
    """1000 lent as a step begins, nothing borrowed, and no fee to stand before it."""
    setup.market.set_caps((SUPPLY_CAP, BORROW_CAP, 0), sender=setup.actors.owner)
    setup.chain.advance(STEP - setup.chain.timestamp % STEP)
    setup.lend(LENT)
    return setup


@pytest.fixture
def halted(fresh: Setup) -> Setup:
    """Just so much has been lost, and another owes 90 on 100."""
    fresh.open(100 * WAD, 90 * WAD)
    lose(fresh, BOUND)
    assert fresh.market.halted_until() == fresh.chain.timestamp + DAY
    return fresh


def lose(setup: Setup, debt: int) -> Receipt:
    """Lenders lose so much; no interest is due, for it all happens in one block's time."""
    receipt = setup.write_off(debt)
    assert receipt.events[-1].args["lenders_loss"] == debt
    return receipt


def halt_events(receipt: Receipt) -> list[Event]:
    return [event for event in receipt.events if event.name == "BorrowingHalted"]


def borrow(setup: Setup, debt: int = MIN_DEBT) -> None:
    """Somebody with collateral in plenty."""
    setup.open(10 * debt, debt, setup.actors.manager)


def assert_open(setup: Setup) -> None:
    assert setup.market.halted_until() == 0
    with setup.chain.isolated():
        borrow(setup)


def assert_halted(setup: Setup, until: int) -> None:
    assert setup.market.halted_until() == until
    with setup.refused("market: borrowing halted"):
        borrow(setup)


# How much


def test_halt__one_percent_in_one__halts_and_a_unit_less_does_not(fresh: Setup) -> None:
    assert fresh.market.halted_until() == 0
    # A loss counts in steps of a 7,200th of the bound, rounded down.
    with fresh.chain.isolated():
        assert halt_events(lose(fresh, BOUND - 1)) == []
        assert_open(fresh)
    receipt = lose(fresh, BOUND)
    until = fresh.chain.timestamp + DAY
    assert halt_events(receipt) == [fresh.event("BorrowingHalted", until=until)]
    assert_halted(fresh, until)


def test_halt__almost_total_loss__is_a_halt_like_any_other(fresh: Setup) -> None:
    lose(fresh, 99 * BOUND)
    fresh.lend(WAD)
    assert_halted(fresh, fresh.chain.timestamp + DAY)


@pytest.mark.parametrize("parts", [2, 3, 12, 72])
def test_halt__one_percent_in_many__halts_with_the_last(fresh: Setup, parts: int) -> None:
    """Each an equal part of what is there by then: a slash that goes through many positions."""
    for _ in range(parts - 1):
        part = fresh.market.totalAssets() // (100 * parts) + 1
        assert halt_events(lose(fresh, part)) == []
        assert_open(fresh)
    receipt = lose(fresh, fresh.market.totalAssets() // (100 * parts) + 1)
    assert len(halt_events(receipt)) == 1
    assert_halted(fresh, fresh.chain.timestamp + DAY)


def test_halt__many_small_positions__count_like_a_large_one(fresh: Setup) -> None:
    """A hundred losses of 0.0101 % of what lenders are owed."""
    fresh.lend(9 * LENT)
    for _ in range(99):
        lose(fresh, fresh.market.totalAssets() * 101 // 1_000_000)
        assert fresh.market.halted_until() == 0
    lose(fresh, fresh.market.totalAssets() * 101 // 1_000_000)
    assert_halted(fresh, fresh.chain.timestamp + DAY)


def test_halt__losses_below_a_7200th_of_the_bound__are_not_counted(fresh: Setup) -> None:
    """A whole step is 0.00014 % of what lenders are owed: nobody halts a market with dust."""
    fresh.market.set_caps((1_000 * LENT, BORROW_CAP, 0), sender=fresh.actors.owner)
    fresh.lend(999 * LENT)
    for _ in range(100):
        lose(fresh, (fresh.market.totalAssets() - 1) // 720_000)
    with fresh.chain.isolated():
        lose(fresh, fresh.market.totalAssets() * 9_999 // 1_000_000)
        assert_open(fresh)
    lose(fresh, fresh.market.totalAssets() // 100 + 1)
    assert_halted(fresh, fresh.chain.timestamp + DAY)


# By whom it is borne


def test_halt__fee_shares__bear_it_first_and_that_does_not_count(setup: Setup) -> None:
    """The protocol has earned more than 1 % of all: what its shares bear halts nothing."""
    market, actors = setup.market, setup.actors
    market.set_caps((SUPPLY_CAP, BORROW_CAP, 25 * 10**16), sender=actors.owner)
    setup.lend(LENT)
    setup.open(1_500 * WAD, 950 * WAD)
    setup.chain.advance(YEAR)
    market.repay(UNLIMITED, actors.borrower, sender=actors.borrower)
    fees = market.convertToAssets(market.balanceOf(market.address))
    assets = market.totalAssets()
    kept = assets // 100
    assert fees > 3 * kept
    receipt = setup.write_off(fees - kept)
    assert receipt.events[-1].args["lenders_loss"] == 0
    assert_open(setup)

    # The rest of them, and then just less than 1 % of what lenders are owed.
    lenders = market.totalAssets()
    with setup.chain.isolated():
        receipt = setup.write_off(kept + lenders * 99 // 10_000)
        assert 98 * lenders < receipt.events[-1].args["lenders_loss"] * 10_000 < 100 * lenders
        assert_open(setup)
    receipt = setup.write_off(kept + lenders * 101 // 10_000)
    assert receipt.events[-1].args["lenders_loss"] * 100 > lenders
    assert len(halt_events(receipt)) == 1
    assert market.balanceOf(market.address) == 0


# For how long


def test_halt__a_day__ends_to_the_second(halted: Setup) -> None:
    until = halted.market.halted_until()
    halted.chain.advance(until - halted.chain.timestamp - 1)
    assert_halted(halted, until)
    halted.chain.advance(1)
    assert_open(halted)
    borrow(halted)


@pytest.mark.parametrize("within", [1, STEP // 2, STEP - 1])
def test_halt__within_a_step__counts_from_its_beginning(fresh: Setup, within: int) -> None:
    start = fresh.chain.timestamp
    fresh.chain.advance(within)
    receipt = lose(fresh, BOUND)
    assert halt_events(receipt) == [fresh.event("BorrowingHalted", until=start + DAY)]
    assert_halted(fresh, start + DAY)
    fresh.chain.advance(DAY - within - 1)
    assert_halted(fresh, start + DAY)
    fresh.chain.advance(1)
    assert_open(fresh)


@pytest.mark.parametrize("hours", [1, 6, 18])
def test_halt__losses_fade__along_a_line(fresh: Setup, hours: int) -> None:
    """Half the bound is half faded after six hours, and gone after twelve."""
    lose(fresh, BOUND // 2)
    fresh.chain.advance(hours * 3_600)
    left = max(3_600 - 300 * hours, 0)
    owed = fresh.market.totalAssets()
    # A loss of so many steps, the least of them and a unit less.
    enough = -(-owed * (7_200 - left) // 720_000)
    with fresh.chain.isolated():
        lose(fresh, enough - 1)
        assert_open(fresh)
    lose(fresh, enough)
    assert_halted(fresh, fresh.chain.timestamp + DAY)


def test_halt__more_losses_during_it__make_it_no_longer(halted: Setup) -> None:
    until = halted.market.halted_until()
    halted.chain.advance(DAY // 2)
    # A borrower who was there before.
    halted.oracle.set_price(0)
    receipt = halted.market.liquidate(halted.actors.borrower, 0, 0, sender=halted.actors.liquidator)
    assert receipt.events[-1].args["lenders_loss"] > 9 * BOUND - WAD
    assert halt_events(receipt) == []
    halted.oracle.set_price(PRICE)
    assert_halted(halted, until)
    halted.chain.advance(until - halted.chain.timestamp)
    assert_open(halted)


@pytest.mark.parametrize("into", [0, DAY // 2, DAY - 1])
def test_halt__cool_down__counts_no_loss(halted: Setup, into: int) -> None:
    """For a day after it: a halt never follows upon a halt, whatever is lost."""
    end = halted.market.halted_until()
    halted.chain.advance(end + into - halted.chain.timestamp)
    for _ in range(3):
        receipt = halted.write_off(20 * BOUND)
        assert receipt.events[-1].args["lenders_loss"] > 0
        assert halt_events(receipt) == []
        assert_open(halted)
    # Nor is it kept for later.
    halted.chain.advance(end + DAY - halted.chain.timestamp)
    owed = halted.market.totalAssets()
    with halted.chain.isolated():
        halted.write_off(owed * 99 // 10_000)
        assert_open(halted)
    halted.write_off(owed * 101 // 10_000)
    assert_halted(halted, end + 2 * DAY)


# What goes on


def test_halt__any_debt_more__is_refused(halted: Setup) -> None:
    market, owner, manager = halted.market, halted.actors.borrower, halted.actors.manager
    market.set_authorization(manager, True, sender=owner)
    for caller in (owner, manager):
        with halted.refused("market: borrowing halted"):
            market.borrow(1, owner, caller, sender=caller)
        with halted.refused("market: borrowing halted"):
            market.adjust(owner, 100 * WAD, 1, caller, sender=caller)
        with halted.refused("market: borrowing halted"):
            market.adjust(owner, -1, 1, caller, sender=caller)
    with halted.refused("market: borrowing halted"):
        halted.run("adjust", halted.wallet.address, WAD, MIN_DEBT, halted.wallet.address, b"x")


def test_halt__the_other_reasons__come_first(halted: Setup) -> None:
    owner = halted.actors.borrower
    with halted.refused("market: not enough cash"):
        halted.market.borrow(UNLIMITED, owner, owner, sender=owner)
    with halted.refused("market: receiver"):
        halted.market.borrow(1, owner, NOBODY, sender=owner)


def test_halt__positions__can_be_made_safer_and_left(halted: Setup) -> None:
    market, owner, stranger = halted.market, halted.actors.borrower, halted.actors.stranger
    market.supply_collateral(WAD, owner, sender=stranger)
    market.adjust(owner, WAD, -WAD, owner, sender=owner)
    market.repay(WAD, owner, sender=stranger)
    # In proportion, which needs no price, and as far as health allows, which does.
    held, debt = market.position(owner)
    halted.oracle.set_dead(True)
    market.adjust(owner, -(held // 2), -(debt // 2 + 1), owner, sender=owner)
    halted.oracle.set_dead(False)
    market.withdraw_collateral(WAD, owner, owner, sender=owner)
    market.adjust(owner, -halted.held(), -halted.debt(), owner, sender=owner)
    assert tuple(market.position(owner)) == (0, 0)


def test_halt__lenders__come_and_go(halted: Setup) -> None:
    market, actors = halted.market, halted.actors
    shares = halted.lend(WAD, actors.other_lender).events[-1].args["shares"]
    market.mint(shares, actors.other_lender, sender=actors.other_lender)
    market.transfer(actors.stranger, shares, sender=actors.other_lender)
    market.redeem(shares, actors.stranger, actors.stranger, sender=actors.stranger)
    cash = market.maxWithdraw(actors.lender)
    assert cash > 0
    market.withdraw(cash, actors.lender, actors.lender, sender=actors.lender)


def test_halt__liquidations__go_on(halted: Setup) -> None:
    """By the market price alone, by both, and whole."""
    market, actors = halted.market, halted.actors
    halted.oracle.set_market_price(95 * PRICE // 100)
    for deleverage in (True, False):
        receipt = market.liquidate(actors.borrower, WAD, 0, sender=actors.liquidator)
        assert receipt.events[-1].args["deleverage"] is deleverage
        halted.oracle.set_price(95 * PRICE // 100)
    halted.oracle.set_price(PRICE // 2)
    market.liquidate(actors.borrower, UNLIMITED, 0, sender=actors.liquidator)
    assert tuple(market.position(actors.borrower)) == (0, 0)


def test_halt__flash_loans_and_offices__go_on(halted: Setup) -> None:
    market, owner, wallet = halted.market, halted.actors.owner, halted.wallet.address
    market.flashLoan(wallet, halted.loan.address, WAD, b"", sender=owner)
    market.set_caps((SUPPLY_CAP, 0, 0), sender=owner)
    market.accrue()
    market.request_fees(sender=owner)
    halted.chain.advance(DAY)
    market.collect_fees(owner, sender=owner)


# The end of the count


@pytest.mark.parametrize("before", [1, 5_000, 7_199, 7_200, 10_000, 14_400, 14_401])
def test_halt__count_of_steps_begins_anew__changes_nothing(fresh: Setup, before: int) -> None:
    """The mark is a step modulo 2**23, here on both sides of its end."""
    now = fresh.chain.timestamp // STEP
    fresh.chain.advance((WRAP - before - now % WRAP) * STEP)
    start = fresh.chain.timestamp
    assert (start // STEP + before) % WRAP == 0
    lose(fresh, BOUND)
    assert_halted(fresh, start + DAY)
    fresh.chain.advance(DAY - 1)
    assert_halted(fresh, start + DAY)
    fresh.chain.advance(1)
    assert_open(fresh)
    # The cool-down.
    fresh.chain.advance(DAY - 1)
    fresh.write_off(2 * BOUND)
    assert_open(fresh)
    fresh.chain.advance(1)
    fresh.write_off(2 * BOUND)
    assert_halted(fresh, start + 3 * DAY)


def test_halt__before_the_count_ends__losses_fade_across_it(fresh: Setup) -> None:
    now = fresh.chain.timestamp // STEP
    fresh.chain.advance((WRAP - 15_000 - now % WRAP) * STEP)
    # One step of loss: a mark of this round of the count.
    lose(fresh, BOUND // 100)
    fresh.chain.advance(14_500 * STEP)
    lose(fresh, BOUND // 2)
    fresh.chain.advance(1_800 * STEP)
    owed = fresh.market.totalAssets()
    with fresh.chain.isolated():
        lose(fresh, owed * 74 // 10_000)
        assert_open(fresh)
    lose(fresh, owed * 76 // 10_000)
    assert_halted(fresh, fresh.chain.timestamp + DAY)


def test_halt__years_later__the_mark_of_a_halt_means_nothing_once_somebody_borrowed(
    halted: Setup,
) -> None:
    """The count of steps comes to the same point every three years."""
    halted.chain.advance(2 * DAY)
    borrow(halted)
    # By the mark it would be the first of its two days again.
    halted.chain.advance((WRAP - 10_000) * STEP)
    halted.oracle.set_price(10**6 * PRICE)
    assert_open(halted)
