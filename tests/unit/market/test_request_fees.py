"""The protocol asks for its shares a day before it takes them, and bears losses until then."""

from typing import Any

import pytest

from tests.unit.market.conftest import (
    DAY,
    MAX_CAP,
    MIN_DEBT,
    PRICE,
    UNLIMITED,
    WAD,
    Setup,
    shares_up,
)


def fees(setup: Setup) -> int:
    """The protocol's shares that are booked."""
    held: int = setup.market.balanceOf(setup.market.address)
    return held


@pytest.fixture
def asked(busy: Setup) -> Setup:
    busy.market.request_fees(sender=busy.actors.owner)
    return busy


def collect(setup: Setup) -> Any:
    """The owner takes them. @return Shares."""
    owner = setup.actors.owner
    before = setup.market.balanceOf(owner)
    receipt = setup.market.collect_fees(owner, sender=owner)
    shares = receipt.events[-1].args["shares"]
    assert setup.market.balanceOf(owner) == before + shares
    return shares


def refused_for_now(setup: Setup) -> None:
    owner = setup.actors.owner
    with setup.refused("market: fees not due"):
        setup.market.collect_fees(owner, sender=owner)


def lose_a_little(setup: Setup) -> int:
    """Bad debt that is less than the fees. @return Shares that are burned for it."""
    market, owner = setup.market, setup.actors.manager
    setup.open(MIN_DEBT * 10 // 9, MIN_DEBT, owner)
    setup.oracle.set_price(864 * PRICE // 1000)
    state = market.state()
    done = market.liquidate(owner, UNLIMITED, 0, sender=setup.actors.liquidator).events[-1].args
    setup.oracle.set_price(PRICE)
    assert done["bad_debt"] > done["lenders_loss"] == 0
    return shares_up(done["bad_debt"], state.supply_assets, state.supply_shares)


def test_request_fees__interest_until_now__is_in_it(aged: Setup) -> None:
    market, owner = aged.market, aged.actors.owner
    now = market.state()
    before = now._replace(supply_assets=1_000 * WAD, supply_shares=1_000 * WAD * 10**6)
    shares = now.supply_shares - before.supply_shares
    assert shares > 0
    assert market.request_fees.call(sender=owner) == shares

    receipt = market.request_fees(sender=owner)

    assert receipt.events == [
        *aged.accrued(before, now),
        aged.event("FeesRequested", shares=shares),
    ]
    # It only notes them.
    assert fees(aged) == shares
    assert market.balanceOf(owner) == 0
    assert market.state() == now


def test_request_fees__anyone_else__reverts(busy: Setup) -> None:
    for caller in (busy.actors.stranger, busy.actors.guardian, busy.actors.lender):
        with busy.refused("market: not owner"):
            busy.market.request_fees(sender=caller)


def test_request_fees__new_owner_of_the_factory__may(busy: Setup) -> None:
    actors = busy.actors
    busy.factory.transfer_ownership(actors.manager, sender=actors.owner)
    busy.factory.accept_ownership(sender=actors.manager)
    with busy.refused("market: not owner"):
        busy.market.request_fees(sender=actors.owner)
    busy.market.request_fees(sender=actors.manager)


def test_request_fees__never_made__nothing_is_due(busy: Setup) -> None:
    assert fees(busy) > 0
    refused_for_now(busy)
    busy.chain.advance(10 * DAY)
    refused_for_now(busy)


def test_request_fees__a_day__is_kept_to_the_second(asked: Setup) -> None:
    noted = fees(asked)
    refused_for_now(asked)
    asked.chain.advance(DAY - 1)
    refused_for_now(asked)
    asked.chain.advance(1)
    assert collect(asked) == noted > 0


def test_request_fees__two_days__it_lapses(asked: Setup) -> None:
    """No standing request runs from a loss that is seen coming."""
    noted = fees(asked)
    asked.chain.advance(2 * DAY - 1)
    with asked.chain.isolated():
        assert collect(asked) == noted
    asked.chain.advance(1)
    refused_for_now(asked)
    asked.chain.advance(DAY)
    refused_for_now(asked)
    asked.market.request_fees(sender=asked.actors.owner)
    asked.chain.advance(DAY)
    assert collect(asked) > noted


def test_request_fees__collected__is_cleared(asked: Setup) -> None:
    asked.chain.advance(DAY)
    collect(asked)
    asked.market.accrue()
    assert fees(asked) > 0
    refused_for_now(asked)


def test_request_fees__refused_collection__leaves_it_standing(asked: Setup) -> None:
    market, owner = asked.market, asked.actors.owner
    asked.chain.advance(DAY)
    with asked.refused("market: receiver"):
        market.collect_fees(market.address, sender=owner)
    assert collect(asked) > 0


def test_request_fees__once_more__replaces_amount_and_time(asked: Setup) -> None:
    noted = fees(asked)
    asked.chain.advance(DAY - 1)
    asked.market.request_fees(sender=asked.actors.owner)
    more = fees(asked)
    assert more > noted
    asked.chain.advance(1)
    refused_for_now(asked)
    asked.chain.advance(DAY - 2)
    refused_for_now(asked)
    asked.chain.advance(1)
    assert collect(asked) == more


def test_request_fees__earned_since__stays(asked: Setup) -> None:
    noted = fees(asked)
    asked.chain.advance(DAY)
    asked.market.accrue()
    earned = fees(asked) - noted
    assert earned > 0
    assert collect(asked) == noted
    assert fees(asked) == earned


def test_request_fees__bad_debt_meanwhile__takes_them_first(asked: Setup) -> None:
    noted = fees(asked)
    burned = lose_a_little(asked)
    assert fees(asked) == noted - burned
    asked.chain.advance(DAY)
    # The interest of the day is not booked, and collecting does not book it.
    assert collect(asked) == noted - burned
    assert fees(asked) == 0


def test_request_fees__bad_debt_of_all__leaves_nothing_to_take(asked: Setup) -> None:
    receipt = asked.write_off(100 * WAD, asked.actors.manager)
    assert receipt.events[-1].args["lenders_loss"] > 0
    assert fees(asked) == 0
    asked.chain.advance(DAY)
    assert collect(asked) == 0


def test_request_fees__bad_debt_and_new_interest__is_what_was_noted_at_most(asked: Setup) -> None:
    """What has been earned again since counts for what was lost, up to what was asked for."""
    market = asked.market
    noted = fees(asked)
    lose_a_little(asked)
    with asked.chain.isolated():
        asked.chain.advance(DAY)
        market.accrue()
        held = fees(asked)
        assert held < noted
        assert collect(asked) == held
    # At full use, with the most that there may be of a fee.
    market.set_caps((MAX_CAP, MAX_CAP, 25 * 10**16), sender=asked.actors.owner)
    state = market.state()
    cash = state.supply_assets - state.borrow_assets
    asked.open(2 * cash, cash, asked.actors.manager)
    asked.chain.advance(2 * DAY - 1)
    market.accrue()
    assert fees(asked) > noted
    assert collect(asked) == noted


def test_request_fees__of_nothing__is_a_request(lent: Setup) -> None:
    market, owner = lent.market, lent.actors.owner
    receipt = market.request_fees(sender=owner)
    assert receipt.events == [lent.event("FeesRequested", shares=0)]
    lent.chain.advance(DAY)
    assert collect(lent) == 0
    refused_for_now(lent)
