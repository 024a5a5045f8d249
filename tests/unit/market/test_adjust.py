"""The one door of a position."""

import pytest

from relever.chain import Contract, Event, Revert
from relever.protocol import Deployment
from tests import scene
from tests.unit.market.conftest import (
    CAPS,
    DAY,
    FEE,
    MAX_112,
    MAX_LTV,
    MIN_DEBT,
    NOBODY,
    PRICE,
    SUPPLY_CAP,
    WAD,
    Setup,
    assets_up,
    shares_down,
    shares_up,
)

DATA = b"whatever"


def told(setup: Setup, collateral_delta: int, debt_delta: int, owner: str | None = None) -> Event:
    """What the wallet logs when the market calls it back."""
    arguments = {
        "caller": setup.market.address,
        "owner": owner or setup.wallet.address,
        "collateral_delta": collateral_delta,
        "debt_delta": debt_delta,
        "data": DATA,
    }
    return Event("AdjustCalled", arguments, setup.wallet.address)


# Success


@pytest.mark.parametrize(
    ("collateral_delta", "debt_delta"),
    [
        (0, 0),
        (50 * WAD, 0),
        (-WAD, 0),
        (0, WAD),
        (0, -10 * WAD),
        (50 * WAD, 10 * WAD),
        (5 * WAD, -10 * WAD),
        (-10 * WAD, -20 * WAD),
        (1, 0),
        (0, -1),
    ],
)
def test_adjust__each_pair_of_signs__moves_exactly_that(
    borrowed: Setup, collateral_delta: int, debt_delta: int
) -> None:
    market, owner, receiver = borrowed.market, borrowed.actors.borrower, borrowed.actors.stranger
    loan, collateral, state = borrowed.loan, borrowed.collateral, market.state()
    arguments = (owner, collateral_delta, debt_delta, receiver)
    expected = (100 * WAD + collateral_delta, 90 * WAD + debt_delta)
    assert tuple(market.adjust.call(*arguments, sender=owner)) == expected

    receipt = market.adjust(*arguments, sender=owner)

    transfers = [
        (collateral, market.address, receiver, -collateral_delta),
        (loan, market.address, receiver, debt_delta),
        (collateral, owner, market.address, collateral_delta),
        (loan, owner, market.address, -debt_delta),
    ]
    assert receipt.events == [
        *(borrowed.moved(*move) for move in transfers if move[-1] > 0),
        borrowed.adjusted(owner, collateral_delta, debt_delta, receiver=receiver),
    ]
    assert tuple(market.position(owner)) == expected
    assert market.state() == state._replace(
        borrow_assets=expected[1], borrow_shares=expected[1] * 10**6
    )


def test_adjust__out_and_borrow__pays_both_out(borrowed: Setup) -> None:
    market, owner = borrowed.market, borrowed.actors.borrower
    market.supply_collateral(100 * WAD, owner, sender=owner)

    receipt = market.adjust(owner, -10 * WAD, 10 * WAD, owner, sender=owner)

    assert receipt.events == [
        borrowed.moved(borrowed.collateral, market.address, owner, 10 * WAD),
        borrowed.moved(borrowed.loan, market.address, owner, 10 * WAD),
        borrowed.adjusted(owner, -10 * WAD, 10 * WAD),
    ]
    assert tuple(market.position(owner)) == (190 * WAD, 100 * WAD)


def test_adjust__interest_since__is_booked_first(aged: Setup) -> None:
    market, owner = aged.market, aged.actors.borrower
    before = borrowed_then(aged)
    now = market.state()
    debt = aged.debt()
    assert debt > 90 * WAD

    receipt = market.adjust(owner, 0, -WAD, owner, sender=owner)

    assert receipt.events == [
        *aged.accrued(before, now),
        aged.moved(aged.loan, owner, market.address, WAD),
        aged.adjusted(owner, 0, -WAD),
    ]
    after = market.state()
    assert after.supply_assets == now.supply_assets
    assert after.borrow_assets == now.borrow_assets - WAD
    assert after.supply_assets - after.borrow_assets == 1_000 * WAD - 90 * WAD + WAD


def borrowed_then(aged: Setup) -> object:
    """The totals of `aged` before its hundred days."""
    return aged.market.state()._replace(
        supply_assets=1_000 * WAD,
        supply_shares=1_000 * WAD * 10**6,
        borrow_assets=90 * WAD,
    )


def test_adjust__borrow__rounds_shares_up_and_repay_down(aged: Setup) -> None:
    market, owner = aged.market, aged.actors.borrower
    # So that the health of what follows does not matter.
    market.supply_collateral(100 * WAD, owner, sender=owner)
    amount = 7 * WAD + 1

    before = market.state()
    market.borrow(amount, owner, owner, sender=owner)
    between = market.state()
    added = shares_up(amount, before.borrow_assets, before.borrow_shares)
    assert added != shares_down(amount, before.borrow_assets, before.borrow_shares)
    assert between.borrow_shares - before.borrow_shares == added
    assert between.borrow_assets - before.borrow_assets == amount

    market.repay(amount, owner, sender=owner)
    after = market.state()
    burned = shares_down(amount, between.borrow_assets, between.borrow_shares)
    assert burned != shares_up(amount, between.borrow_assets, between.borrow_shares)
    assert between.borrow_shares - after.borrow_shares == burned
    # Going there and back leaves the borrower with no less debt.
    assert after.borrow_shares >= before.borrow_shares


def test_adjust__debt__is_rounded_up(aged: Setup) -> None:
    state = aged.market.state()
    exact = state.borrow_shares * (state.borrow_assets + 1)
    assert exact % (state.borrow_shares + 10**6) != 0
    assert aged.debt() == assets_up(state.borrow_shares, state.borrow_assets, state.borrow_shares)


def test_adjust__nothing_on_nothing__is_allowed_and_logged(setup: Setup) -> None:
    owner = setup.actors.stranger
    receipt = setup.market.adjust(owner, 0, 0, NOBODY, sender=owner)
    assert receipt.events == [setup.adjusted(owner, 0, 0, receiver=NOBODY)]


def test_adjust__repay_more_than_owed__takes_the_debt(aged: Setup) -> None:
    market, owner, payer = aged.market, aged.actors.borrower, aged.actors.stranger
    before, now, debt = borrowed_then(aged), market.state(), aged.debt()
    held = aged.loan.balanceOf(payer)

    receipt = market.adjust(owner, 0, -(debt + 1), NOBODY, sender=payer)

    assert receipt.events == [
        *aged.accrued(before, now),
        aged.moved(aged.loan, payer, market.address, debt),
        aged.adjusted(owner, 0, -debt, caller=payer, receiver=NOBODY),
    ]
    assert held - aged.loan.balanceOf(payer) == debt
    assert tuple(market.position(owner)) == (100 * WAD, 0)
    assert market.state().borrow_shares == 0


@pytest.mark.parametrize("beyond", [0, 1])
def test_adjust__whole_debt__leaves_no_share(aged: Setup, beyond: int) -> None:
    market, owner = aged.market, aged.actors.borrower
    market.adjust(owner, -100 * WAD, -(aged.debt() + beyond), owner, sender=owner)
    assert tuple(market.position(owner)) == (0, 0)
    assert market.state().borrow_shares == 0


def test_adjust__all_but_one_wei_of_debt__leaves_it(aged: Setup) -> None:
    market, owner = aged.market, aged.actors.borrower
    market.adjust(owner, 0, -(aged.debt() - 1), owner, sender=owner)
    assert aged.debt() in (1, 2)
    assert market.state().borrow_shares > 0


# Who


@pytest.mark.parametrize(("collateral_delta", "debt_delta"), [(-1, 0), (0, 1), (1, 1), (-1, -WAD)])
def test_adjust__stranger_takes_out__reverts(
    borrowed: Setup, collateral_delta: int, debt_delta: int
) -> None:
    owner, stranger = borrowed.actors.borrower, borrowed.actors.stranger
    for caller in (stranger, borrowed.actors.owner, borrowed.actors.guardian):
        with borrowed.refused("market: not authorized"):
            borrowed.market.adjust(owner, collateral_delta, debt_delta, caller, sender=caller)


def test_adjust__stranger_adds_and_repays__pays_for_the_owner(borrowed: Setup) -> None:
    market, owner, payer = borrowed.market, borrowed.actors.borrower, borrowed.actors.stranger

    receipt = market.adjust(owner, WAD, -2 * WAD, NOBODY, sender=payer)

    assert receipt.events == [
        borrowed.moved(borrowed.collateral, payer, market.address, WAD),
        borrowed.moved(borrowed.loan, payer, market.address, 2 * WAD),
        borrowed.adjusted(owner, WAD, -2 * WAD, caller=payer, receiver=NOBODY),
    ]
    assert tuple(market.position(owner)) == (101 * WAD, 88 * WAD)
    assert tuple(market.position(payer)) == (0, 0)


def test_adjust__manager__acts_on_the_owners_position(borrowed: Setup) -> None:
    market, owner, manager = borrowed.market, borrowed.actors.borrower, borrowed.actors.manager
    market.set_authorization(manager, True, sender=owner)

    receipt = market.adjust(owner, 10 * WAD, WAD, manager, sender=manager)

    assert receipt.events == [
        borrowed.moved(borrowed.loan, market.address, manager, WAD),
        borrowed.moved(borrowed.collateral, manager, market.address, 10 * WAD),
        borrowed.adjusted(owner, 10 * WAD, WAD, caller=manager, receiver=manager),
    ]
    assert tuple(market.position(owner)) == (110 * WAD, 91 * WAD)
    assert tuple(market.position(manager)) == (0, 0)
    # The right does not go the other way.
    with borrowed.refused("market: not authorized"):
        market.adjust(manager, -1, 0, owner, sender=owner)


@pytest.mark.parametrize(("collateral_delta", "debt_delta"), [(-1, -1), (0, 1), (1, 1)])
def test_adjust__payout_to_nobody_or_the_market__reverts(
    borrowed: Setup, collateral_delta: int, debt_delta: int
) -> None:
    owner = borrowed.actors.borrower
    for receiver in (NOBODY, borrowed.market.address):
        with borrowed.refused("market: receiver"):
            borrowed.market.adjust(owner, collateral_delta, debt_delta, receiver, sender=owner)


# Health


def test_adjust__at_max_ltv__is_allowed_and_one_wei_more_is_not(lent: Setup) -> None:
    market, owner = lent.market, lent.actors.borrower
    lent.oracle.set_price(PRICE * 3)
    with lent.refused("market: unhealthy"):
        market.adjust(owner, 100 * WAD, 273 * WAD + 1, owner, sender=owner)
    market.adjust(owner, 100 * WAD, 273 * WAD, owner, sender=owner)
    with lent.refused("market: unhealthy"):
        market.adjust(owner, 0, 1, owner, sender=owner)
    with lent.refused("market: unhealthy"):
        market.adjust(owner, -1, 0, owner, sender=owner)
    # Collateral is worth its floor: a third of a unit counts for nothing.
    lent.oracle.set_price(PRICE * 3 - 1)
    with lent.refused("market: unhealthy"):
        market.adjust(owner, 0, 1, owner, sender=owner)
    assert 273 * WAD * WAD == 300 * WAD * MAX_LTV


def test_adjust__lesser_of_both_prices__decides(lent: Setup) -> None:
    owner = lent.actors.borrower
    lent.oracle.set_market_price(PRICE * 9 // 10)
    with lent.refused("market: unhealthy"):
        lent.open(100 * WAD, 90 * WAD)
    lent.open(100 * WAD, 819 * WAD // 10)
    assert lent.debt(owner) == 819 * WAD // 10


def test_adjust__risen_debt_over_risen_collateral__needs_health(borrowed: Setup) -> None:
    """A borrower under water may not borrow, even while it lowers debt per collateral."""
    borrowed.oracle.set_price(PRICE // 2)
    owner = borrowed.actors.borrower
    with borrowed.refused("market: unhealthy"):
        borrowed.market.adjust(owner, 10 * WAD, MIN_DEBT, owner, sender=owner)
    # Without borrowing it may do what helps, however deep it is.
    borrowed.market.adjust(owner, 10 * WAD, 0, owner, sender=owner)
    borrowed.market.adjust(owner, -10 * WAD, -45 * WAD, owner, sender=owner)


def test_adjust__others_debt__is_not_looked_at(borrowed: Setup) -> None:
    actors = borrowed.actors
    borrowed.oracle.set_price(PRICE // 2)
    borrowed.open(100 * WAD, 40 * WAD, actors.other_borrower)
    assert borrowed.debt(actors.other_borrower) == 40 * WAD


@pytest.mark.parametrize("left", [MIN_DEBT - 1, 1])
def test_adjust__debt_below_the_minimum__reverts(borrowed: Setup, left: int) -> None:
    market, owner = borrowed.market, borrowed.actors.borrower
    other = borrowed.actors.other_borrower
    with borrowed.refused("market: debt below minimum"):
        market.adjust(other, WAD, left, other, sender=other)
    # Repaying to dust is always allowed, but nothing that raises risk on it.
    market.adjust(owner, 0, -(90 * WAD - left), owner, sender=owner)
    with borrowed.refused("market: debt below minimum"):
        market.adjust(owner, -1, 0, owner, sender=owner)
    market.adjust(owner, 0, MIN_DEBT - left, owner, sender=owner)
    assert borrowed.debt() == MIN_DEBT


# A dead feed


@pytest.mark.parametrize(
    ("collateral_delta", "debt_delta"),
    [
        (0, 0),
        (1, 0),
        (0, -1),
        (0, -90 * WAD),
        (1, -1),
        # Debt per collateral stays the same.
        (-10 * WAD, -9 * WAD),
        (-10 * WAD, -9 * WAD - 1),
        (-100 * WAD, -90 * WAD),
    ],
)
def test_adjust__dead_feed_and_no_more_risk__works(
    borrowed: Setup, collateral_delta: int, debt_delta: int
) -> None:
    owner = borrowed.actors.borrower
    borrowed.oracle.set_dead(True)
    borrowed.market.adjust(owner, collateral_delta, debt_delta, owner, sender=owner)
    expected = (100 * WAD + collateral_delta, 90 * WAD + debt_delta)
    assert tuple(borrowed.market.position(owner)) == expected


def test_adjust__dead_feed_and_no_debt__lets_collateral_out(borrowed: Setup) -> None:
    market, other = borrowed.market, borrowed.actors.other_borrower
    market.supply_collateral(WAD, other, sender=other)
    borrowed.oracle.set_dead(True)
    market.adjust(other, -1, 0, other, sender=other)
    market.adjust(other, 1 - WAD, 0, other, sender=other)
    assert tuple(market.position(other)) == (0, 0)


@pytest.mark.parametrize(
    ("collateral_delta", "debt_delta"),
    [(-1, 0), (0, 1), (1_000 * WAD, 1), (-10 * WAD - 1, -9 * WAD), (-10 * WAD, -9 * WAD + 1)],
)
def test_adjust__dead_feed_and_more_risk__reverts(
    borrowed: Setup, collateral_delta: int, debt_delta: int
) -> None:
    owner = borrowed.actors.borrower
    borrowed.oracle.set_dead(True)
    with borrowed.refused("oracle: stale feed"):
        borrowed.market.adjust(owner, collateral_delta, debt_delta, owner, sender=owner)


def test_adjust__real_feed_gone_stale__stops_only_what_raises_risk(
    deployment: Deployment,
) -> None:
    roles, market = deployment.roles, deployment.protocol.market
    scene.lend(deployment, 100 * WAD)
    scene.borrow_against(deployment, 10 * WAD, 5 * WAD)
    deployment.world.fund(roles.borrower, weth=WAD)
    weth, owner = deployment.world.core.weth, roles.borrower
    weth.approve(market.address, 10 * WAD, sender=owner)
    deployment.chain.advance(2 * DAY)
    assert deployment.protocol.oracle.market_price()[1] is False

    for deltas in ((0, 1), (-1, 0)):
        with pytest.raises(Revert) as failure:
            market.adjust(owner, *deltas, owner, sender=owner)
        assert failure.value.reason == "oracle: stale feed"
    market.adjust(owner, 0, -WAD, owner, sender=owner)
    debt = market.position(owner)[1]
    market.adjust(owner, -2 * WAD, -(debt * 2 // 10 + 1), owner, sender=owner)
    market.adjust(owner, -8 * WAD, -2 * debt, owner, sender=owner)
    assert tuple(market.position(owner)) == (0, 0)


# Bounds


def test_adjust__borrow_cap__is_kept_to_the_wei(lent: Setup) -> None:
    market, owner = lent.market, lent.actors.borrower
    market.set_caps((SUPPLY_CAP, 100 * WAD, FEE), sender=lent.actors.owner)
    with lent.refused("market: borrow cap"):
        lent.open(200 * WAD, 100 * WAD + 1)
    lent.open(200 * WAD, 100 * WAD)
    with lent.refused("market: borrow cap"):
        market.borrow(1, owner, owner, sender=owner)
    # Interest above the cap stops nobody from paying back.
    lent.chain.advance(DAY)
    assert market.state().borrow_assets > 100 * WAD
    market.adjust(owner, WAD, -1, owner, sender=owner)
    market.adjust(owner, 0, -lent.debt(), owner, sender=owner)


def test_adjust__cash__can_be_borrowed_to_the_wei(lent: Setup) -> None:
    market, owner = lent.market, lent.actors.borrower
    with lent.refused("market: not enough cash"):
        lent.open(2_000 * WAD, 1_000 * WAD + 1)
    lent.open(2_000 * WAD, 1_000 * WAD)
    assert lent.loan.balanceOf(market.address) == 0
    with lent.refused("market: not enough cash"):
        market.borrow(1, owner, owner, sender=owner)
    # All is lent out: repaying and collateral still move.
    lent.chain.advance(DAY)
    market.adjust(owner, -WAD, -10 * WAD, owner, sender=owner)


def test_adjust__donated_cash__cannot_be_borrowed(lent: Setup) -> None:
    lent.loan.mint(lent.market.address, WAD)
    with lent.refused("market: not enough cash"):
        lent.open(2_000 * WAD, 1_000 * WAD + 1)


def test_adjust__more_collateral_out_than_held__reverts(lent: Setup) -> None:
    market, owner = lent.market, lent.actors.borrower
    market.supply_collateral(WAD, owner, sender=owner)
    with lent.refused("market: not enough collateral"):
        market.adjust(owner, -WAD - 1, 0, owner, sender=owner)
    with lent.refused("market: not enough collateral"):
        market.adjust(lent.actors.stranger, -1, 0, owner, sender=lent.actors.stranger)


def test_adjust__collateral_width__is_the_bound_for_adding_only(lent: Setup) -> None:
    market, owner = lent.market, lent.actors.borrower
    with lent.refused("market: collateral width"):
        market.adjust(owner, MAX_112 + 1, 0, owner, sender=owner)
    market.adjust(owner, MAX_112, 0, owner, sender=owner)
    with lent.refused("market: collateral width"):
        market.adjust(owner, 1, 0, owner, sender=owner)
    market.adjust(owner, 0, MIN_DEBT, owner, sender=owner)
    market.adjust(owner, 0, -MIN_DEBT, owner, sender=owner)
    market.adjust(owner, -MAX_112, 0, owner, sender=owner)
    assert tuple(market.position(owner)) == (0, 0)


# With a callback


def test_adjust__callback__comes_between_paying_out_and_pulling_in(lent: Setup) -> None:
    market, wallet = lent.market, lent.wallet.address
    balance = lent.loan.balanceOf(wallet)
    lent.wallet.set_answer(100 * WAD)
    lent.wallet.set_steps([(lent.loan.address, lent.loan.balanceOf.encode(wallet))])

    receipt = lent.run("adjust", wallet, 100 * WAD, 90 * WAD, wallet, DATA)

    assert receipt.events == [
        lent.moved(lent.loan, market.address, wallet, 90 * WAD),
        told(lent, 100 * WAD, 90 * WAD),
        lent.moved(lent.collateral, wallet, market.address, 100 * WAD),
        lent.adjusted(wallet, 100 * WAD, 90 * WAD),
    ]
    assert tuple(market.position(wallet)) == (100 * WAD, 90 * WAD)
    # The borrowed money was there already.
    (seen,) = lent.wallet.all_outcomes()
    assert int.from_bytes(seen.answer, "big") == balance + 90 * WAD


def test_adjust__callback_answers_more__that_is_pulled_and_counts(lent: Setup) -> None:
    market, wallet = lent.market, lent.wallet.address
    lent.wallet.set_answer(100 * WAD)

    receipt = lent.run("adjust", wallet, 1, 90 * WAD, wallet, DATA)

    assert receipt.events == [
        lent.moved(lent.loan, market.address, wallet, 90 * WAD),
        told(lent, 1, 90 * WAD),
        lent.moved(lent.collateral, wallet, market.address, 100 * WAD),
        lent.adjusted(wallet, 100 * WAD, 90 * WAD),
    ]
    assert tuple(market.position(wallet)) == (100 * WAD, 90 * WAD)


def test_adjust__callback_answers_less__reverts(lent: Setup) -> None:
    wallet = lent.wallet.address
    lent.wallet.set_answer(WAD - 1)
    with lent.refused("market: callback short"):
        lent.run("adjust", wallet, WAD, 0, wallet, DATA)
    # One missing unit of collateral is one too few for health, too.
    lent.wallet.set_answer(100 * WAD - 1)
    with lent.refused("market: unhealthy"):
        lent.run("adjust", wallet, 0, 91 * WAD, wallet, DATA)


def test_adjust__callback_answers_beyond_the_width__reverts(lent: Setup) -> None:
    lent.wallet.set_answer(MAX_112 + 1)
    with lent.refused("market: collateral width"):
        lent.run("adjust", lent.wallet.address, 0, 0, lent.wallet.address, DATA)


def test_adjust__callback_on_the_way_out__answer_is_ignored(lent: Setup) -> None:
    market, wallet = lent.market, lent.wallet.address
    lent.run("adjust", wallet, 100 * WAD, 90 * WAD, wallet)
    lent.wallet.set_answer(5)

    receipt = lent.run("adjust", wallet, -100 * WAD, -100 * WAD, wallet, DATA)

    assert receipt.events == [
        lent.moved(lent.collateral, market.address, wallet, 100 * WAD),
        # What is repaid is the debt, not what was offered.
        told(lent, -100 * WAD, -90 * WAD),
        lent.moved(lent.loan, wallet, market.address, 90 * WAD),
        lent.adjusted(wallet, -100 * WAD, -90 * WAD),
    ]
    assert tuple(market.position(wallet)) == (0, 0)


def test_adjust__callback_for_anothers_position__goes_to_the_caller(borrowed: Setup) -> None:
    owner, wallet = borrowed.actors.borrower, borrowed.wallet.address
    borrowed.wallet.set_answer(WAD)

    receipt = borrowed.run("adjust", owner, 0, -WAD, NOBODY, DATA)

    assert receipt.events == [
        told(borrowed, 0, -WAD, owner),
        borrowed.moved(borrowed.collateral, wallet, borrowed.market.address, WAD),
        borrowed.moved(borrowed.loan, wallet, borrowed.market.address, WAD),
        borrowed.adjusted(owner, WAD, -WAD, caller=wallet, receiver=NOBODY),
    ]
    assert tuple(borrowed.market.position(owner)) == (101 * WAD, 89 * WAD)


def sends(setup: Setup, *payments: tuple[Contract, int]) -> None:
    """In its callback the wallet sends the market these tokens."""
    to = setup.market.address
    setup.wallet.set_steps([(t.address, t.transfer.encode(to, amount)) for t, amount in payments])


@pytest.mark.parametrize("sent", [1, 60 * WAD, 100 * WAD])
def test_adjust__callback_sends_collateral__only_the_rest_is_pulled(lent: Setup, sent: int) -> None:
    market, wallet = lent.market, lent.wallet.address
    sends(lent, (lent.collateral, sent))
    lent.wallet.set_answer(100 * WAD - sent)

    receipt = lent.run("adjust", wallet, 100 * WAD, 90 * WAD, wallet, DATA)

    rest = [lent.moved(lent.collateral, wallet, market.address, 100 * WAD - sent)]
    assert receipt.events == [
        lent.moved(lent.loan, market.address, wallet, 90 * WAD),
        told(lent, 100 * WAD, 90 * WAD),
        lent.moved(lent.collateral, wallet, market.address, sent),
        *(rest if sent < 100 * WAD else []),
        lent.adjusted(wallet, 100 * WAD, 90 * WAD),
    ]
    assert tuple(market.position(wallet)) == (100 * WAD, 90 * WAD)
    assert lent.collateral.balanceOf(market.address) == 100 * WAD


def test_adjust__callback_sends_more_than_said__all_of_it_counts(lent: Setup) -> None:
    wallet = lent.wallet.address
    sends(lent, (lent.collateral, 100 * WAD))
    receipt = lent.run("adjust", wallet, 1, 90 * WAD, wallet, DATA)
    assert receipt.events[-1] == lent.adjusted(wallet, 100 * WAD, 90 * WAD)
    assert tuple(lent.market.position(wallet)) == (100 * WAD, 90 * WAD)


def test_adjust__callback_sends_and_answers_too_little__reverts(lent: Setup) -> None:
    sends(lent, (lent.collateral, WAD))
    lent.wallet.set_answer(WAD - 1)
    with lent.refused("market: callback short"):
        lent.run("adjust", lent.wallet.address, 2 * WAD, 0, lent.wallet.address, DATA)
    lent.wallet.set_answer(WAD)
    lent.run("adjust", lent.wallet.address, 2 * WAD, 0, lent.wallet.address, DATA)


def test_adjust__callback_sends_beyond_the_width__reverts(lent: Setup) -> None:
    sends(lent, (lent.collateral, MAX_112))
    lent.wallet.set_answer(1)
    with lent.refused("market: collateral width"):
        lent.run("adjust", lent.wallet.address, 0, 0, lent.wallet.address, DATA)


@pytest.mark.parametrize("sent", [1, 40 * WAD, 90 * WAD])
def test_adjust__callback_sends_the_loan__only_the_rest_is_pulled(lent: Setup, sent: int) -> None:
    market, wallet = lent.market, lent.wallet.address
    lent.run("adjust", wallet, 100 * WAD, 90 * WAD, wallet)
    sends(lent, (lent.loan, sent))

    receipt = lent.run("adjust", wallet, -100 * WAD, -100 * WAD, wallet, DATA)

    rest = [lent.moved(lent.loan, wallet, market.address, 90 * WAD - sent)]
    assert receipt.events == [
        lent.moved(lent.collateral, market.address, wallet, 100 * WAD),
        told(lent, -100 * WAD, -90 * WAD),
        lent.moved(lent.loan, wallet, market.address, sent),
        *(rest if sent < 90 * WAD else []),
        lent.adjusted(wallet, -100 * WAD, -90 * WAD),
    ]
    assert tuple(market.position(wallet)) == (0, 0)


def test_adjust__callback_sends_more_than_the_debt__is_a_gift(lent: Setup) -> None:
    market, wallet = lent.market, lent.wallet.address
    lent.run("adjust", wallet, 100 * WAD, 90 * WAD, wallet)
    sends(lent, (lent.loan, 91 * WAD))
    cash, assets = lent.loan.balanceOf(market.address), market.totalAssets()
    lent.run("adjust", wallet, -100 * WAD, -100 * WAD, wallet, DATA)
    assert tuple(market.position(wallet)) == (0, 0)
    assert lent.loan.balanceOf(market.address) == cash + 91 * WAD
    # It is no lender's, and can be borrowed by nobody.
    assert market.totalAssets() == assets == market.maxFlashLoan(lent.loan.address)


def test_adjust__loan_sent_where_collateral_is_due__pays_for_nothing(lent: Setup) -> None:
    wallet = lent.wallet.address
    sends(lent, (lent.loan, 100 * WAD))
    with lent.refused("market: callback short"):
        lent.run("adjust", wallet, 100 * WAD, 0, wallet, DATA)
    lent.run("adjust", wallet, 100 * WAD, 90 * WAD, wallet)
    # Collateral is paid out, so that none is taken in.
    sends(lent, (lent.collateral, 5 * WAD))
    lent.run("adjust", wallet, -10 * WAD, -90 * WAD, wallet, DATA)
    assert tuple(lent.market.position(wallet)) == (90 * WAD, 0)


def test_adjust__tokens_that_lay_there__pay_for_nothing(lent: Setup) -> None:
    market, wallet, giver = lent.market, lent.wallet.address, lent.actors.borrower
    for token in (lent.collateral, lent.loan):
        token.transfer(market.address, 500 * WAD, sender=giver)
    with lent.refused("market: callback short"):
        lent.run("adjust", wallet, 1, 0, wallet, DATA)
    lent.run("adjust", wallet, 100 * WAD, 90 * WAD, wallet)
    for repaid in (1, 90 * WAD - 1):
        before = lent.loan.balanceOf(wallet)
        lent.run("adjust", wallet, 0, -repaid, NOBODY, DATA)
        assert before - lent.loan.balanceOf(wallet) == repaid


def test_adjust__nothing_is_asked__callback_may_still_give(borrowed: Setup) -> None:
    owner, wallet = borrowed.actors.borrower, borrowed.wallet.address
    sends(borrowed, (borrowed.collateral, WAD), (borrowed.loan, WAD))
    borrowed.run("adjust", owner, 0, -WAD, NOBODY, DATA)
    assert tuple(borrowed.market.position(owner)) == (101 * WAD, 89 * WAD)
    assert borrowed.wallet.all_outcomes()[1].success
    assert wallet != owner


def test_adjust__no_data__calls_nobody_back(lent: Setup) -> None:
    wallet = lent.wallet.address
    receipt = lent.run("adjust", wallet, WAD, 0, wallet)
    assert receipt.events == [
        lent.moved(lent.collateral, wallet, lent.market.address, WAD),
        lent.adjusted(wallet, WAD, 0),
    ]


def test_adjust__account_without_code_sends_data__reverts(lent: Setup) -> None:
    owner = lent.actors.borrower
    with lent.refused(""):
        lent.market.adjust(owner, WAD, 0, owner, DATA, sender=owner)


def test_adjust__payment_fails__reverts(lent: Setup) -> None:
    market, owner = lent.market, lent.actors.borrower
    lent.collateral.approve(market.address, WAD - 1, sender=owner)
    with lent.refused("token: allowance"):
        lent.open(WAD, 0)
    lent.collateral.approve(market.address, WAD, sender=owner)
    lent.open(WAD, 0)


def test_adjust__caps_of_nothing__still_let_debt_be_repaid(borrowed: Setup) -> None:
    market, owner = borrowed.market, borrowed.actors.borrower
    market.set_caps((0, 0, CAPS[2]), sender=borrowed.actors.owner)
    market.adjust(owner, -10 * WAD, -45 * WAD, owner, sender=owner)
    with borrowed.refused("market: borrow cap"):
        market.adjust(owner, 0, 1, owner, sender=owner)
