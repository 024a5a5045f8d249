"""The market pays less than what backs the collateral, for hours, and somebody makes use of it.

Renzo's ezETH, 2024-04-24 (more than 60 million dollars liquidated, 10.96 WETH of bad debt), and
Binance's USDe and wBETH, 2025-10-10 (wBETH at 11 % of its worth on one venue): positions that were
whole again hours later had been liquidated at the bottom. Here a liquidator would try to take more
than its share by parts, by many accounts or many calls, and a borrower would try to be spared by
using the share up. What stops it: while what backs the collateral covers the debt, only a set share
of it an hour can be repaid, at the smallest bonus and the smoothed price, counted to the unit.
"""

from fractions import Fraction

import pytest

from relever.chain import Revert
from relever.protocol import Deployment
from tests.attacks.purse import owned, purse
from tests.scene import ETHER, open_leveraged, reverts, slash_and_sync
from tests.unit.market.conftest import (
    BASE_BONUS,
    DELEVERAGE_SHARE,
    MIN_DEBT,
    PRICE,
    UNLIMITED,
    WAD,
    Setup,
)

HOUR = 3_600
COLLATERAL, DEBT = 100 * WAD, 90 * WAD
# Under the threshold by its market, not by what backs it; and still worth debt and bonus.
DEPEG = 95 * PRICE // 100
# Brings a looper who opened at the maximum to the edge of the threshold.
SLASH = 42 * WAD // 1_000


@pytest.fixture
def depegged(lent: Setup) -> Setup:
    lent.open(COLLATERAL, DEBT)
    lent.oracle.set_market_price(DEPEG)
    return lent


def deleverage(setup: Setup, most: int = UNLIMITED, by: str | None = None) -> int:
    """Returns what was repaid; nothing when there is nothing left to take."""
    liquidator = by or setup.actors.liquidator
    try:
        done = setup.market.liquidate(setup.actors.borrower, most, 0, sender=liquidator)
    except Revert as failure:
        refused = failure.reason
        if refused != "market: nothing repaid":
            raise
        return 0
    assert done.events[-1].args["deleverage"] is True
    assert done.events[-1].args["bad_debt"] == 0
    return int(done.events[-1].args["repaid"])


def test_share_of_an_hour__in_one_block__is_the_same_for_one_and_for_a_hundred(
    depegged: Setup,
) -> None:
    actors = depegged.actors
    capacity = DEBT * DELEVERAGE_SHARE // WAD
    with depegged.chain.isolated():
        assert deleverage(depegged) == capacity
        assert deleverage(depegged) == 0
    repaid = 0
    for part in range(100):
        by = (actors.liquidator, actors.stranger, actors.manager, actors.lender)[part % 4]
        repaid += deleverage(depegged, capacity // 90 + 1, by)
    # The share is of the debt that is left, so that parts get less and not more.
    assert capacity * 9 // 10 < repaid <= capacity


@pytest.mark.parametrize("pause", [12, 60, 600, HOUR])
def test_share_of_an_hour__pressed_for_two_hours__is_kept_to_the_unit(
    depegged: Setup, pause: int
) -> None:
    """However often they come: the first share at once, and then one an hour."""
    repaid, start = 0, depegged.chain.timestamp
    for _ in range(2 * HOUR // pause if pause >= 600 else 60):
        repaid += deleverage(depegged)
        elapsed = depegged.chain.timestamp - start
        debt = depegged.debt()
        if debt * WAD < depegged.held() * 90 * 10**16 * DEPEG // PRICE:
            break
        most = DEBT * DELEVERAGE_SHARE * (HOUR + elapsed)
        assert repaid * WAD * HOUR <= most
        depegged.chain.advance(pause)
    assert repaid > DEBT * DELEVERAGE_SHARE // WAD


def test_depeg__that_heals_in_two_hours__costs_the_borrower_a_bounded_part(
    depegged: Setup,
) -> None:
    """The bonus and the discount on what was repaid, no more, and a whole position again."""
    market, owner = depegged.market, depegged.actors.borrower
    before = owned(depegged, owner)
    repaid = 0
    for _ in range(24):
        repaid += deleverage(depegged)
        depegged.chain.advance(300)
        if repaid > 3 * DEBT * DELEVERAGE_SHARE // WAD:
            break
    depegged.oracle.set_market_price(PRICE)
    with depegged.refused("market: healthy"):
        market.liquidate(owner, UNLIMITED, 0, sender=depegged.actors.liquidator)
    interest = depegged.debt() + repaid - DEBT
    lost = before - owned(depegged, owner) - interest
    handed_over = Fraction(WAD + BASE_BONUS, WAD) * PRICE / DEPEG
    assert 0 < lost <= repaid * (handed_over - 1)
    # Six parts in a hundred of three shares of an hour of the debt.
    assert lost < DEBT * Fraction(1, 100)


@pytest.mark.parametrize("unit", [1, 2, 3])
def test_borrower__deleverages_itself_by_single_units__spares_itself_nothing(
    depegged: Setup, unit: int
) -> None:
    """Each such call uses up what it repays; the keeper finds all the rest."""
    owner, capacity = depegged.actors.borrower, DEBT * DELEVERAGE_SHARE // WAD
    spent = sum(deleverage(depegged, unit, owner) for _ in range(50))
    assert spent == 50 * unit
    # The share is of a debt that is less by what was spent.
    least = capacity - spent - spent * DELEVERAGE_SHARE // WAD - 2
    assert least <= deleverage(depegged) <= capacity - spent


def test_borrower__takes_the_whole_share_itself__has_repaid_it(depegged: Setup) -> None:
    """With the bonus in its own pocket: what it keeps from the keepers is debt that is gone."""
    actors = depegged.actors
    two = (actors.borrower, actors.manager)
    mine, lenders, debt = owned(depegged, *two), owned(depegged, actors.lender), depegged.debt()
    repaid = deleverage(depegged, UNLIMITED, actors.manager)
    assert depegged.debt() == debt - repaid
    assert owned(depegged, *two) <= mine
    assert owned(depegged, actors.lender) >= lenders
    # And nothing can be borrowed again on it.
    with depegged.refused("market: unhealthy"):
        depegged.market.borrow(1, two[0], two[0], sender=two[0])


@pytest.mark.parametrize("part", [2, 10, 100])
def test_borrower__goes_down_in_proportion_after_it__is_safe_for_an_hour_at_most(
    depegged: Setup, part: int
) -> None:
    """What was used of a large debt's share must not stand in the way of a small rest for days."""
    market, owner = depegged.market, depegged.actors.borrower
    deleverage(depegged, UNLIMITED, owner)
    held, debt = market.position(owner)
    out, back = held - held // part - 2, debt - debt // part
    market.adjust(owner, -out, -back, owner, sender=owner)
    depegged.chain.advance(HOUR)
    left = depegged.debt()
    assert left > MIN_DEBT
    assert deleverage(depegged) == min(left * DELEVERAGE_SHARE // WAD, left - MIN_DEBT)


def test_borrower__closes_and_opens_again__has_one_share_and_not_two(depegged: Setup) -> None:
    """A new position in the old account, or in another, is no older than its debt."""
    market, owner, other = depegged.market, depegged.actors.borrower, depegged.actors.manager
    first = deleverage(depegged)
    market.adjust(owner, -depegged.held(), -(2**111), owner, sender=owner)
    assert tuple(market.position(owner)) == (0, 0)
    # It cannot be opened again as high as it was: the market's price counts for a loan.
    with depegged.refused("market: unhealthy"):
        market.adjust(owner, COLLATERAL, DEBT, owner, sender=owner)
    with depegged.refused("market: unhealthy"):
        market.adjust(other, COLLATERAL, DEBT, other, sender=other)
    depegged.oracle.set_market_price(PRICE)
    market.adjust(owner, COLLATERAL, DEBT, owner, sender=owner)
    depegged.oracle.set_market_price(DEPEG)
    again = deleverage(depegged)
    assert first + again <= DEBT * DELEVERAGE_SHARE // WAD
    depegged.chain.advance(HOUR)
    assert deleverage(depegged) > 0


def test_depeg__deeper_than_the_debt__takes_no_position_whole(depegged: Setup) -> None:
    """Bought at the bottom, the whole position would bring the difference to its worth."""
    market, owner = depegged.market, depegged.actors.borrower
    for percent in (90, 80, 50, 11):
        depegged.oracle.set_market_price(percent * PRICE // 100)
        with depegged.refused("market: too deep to deleverage"):
            market.liquidate(owner, UNLIMITED, 0, sender=depegged.actors.liquidator)
    depegged.oracle.set_market_price(PRICE)
    assert tuple(market.position(owner)) == (COLLATERAL, DEBT)


def test_minimum_debts__in_a_depeg__are_no_safer_than_one_large_one(lent: Setup) -> None:
    """Whoever spread a debt over accounts of the least size once kept all of it through a depeg."""
    share = lent.market.terms().deleverage_share
    owners = lent.actors.borrower, lent.actors.other_borrower
    for owner in owners:
        lent.open(MIN_DEBT * 112 // 100, MIN_DEBT, owner)
    lent.oracle.set_market_price(DEPEG)
    for owner in owners:
        lent.market.liquidate(owner, UNLIMITED, 0, sender=lent.actors.liquidator)
        assert lent.debt(owner) == MIN_DEBT - MIN_DEBT * share // WAD
        with lent.refused("market: nothing repaid"):
            lent.market.liquidate(owner, UNLIMITED, 0, sender=lent.actors.liquidator)


@pytest.mark.parametrize("near", [False, True])
def test_real_feed__at_four_fifths_for_two_hours__takes_a_bounded_part_of_a_looper(
    scene: Deployment, near: bool
) -> None:
    """The whole suite, and a keeper every five minutes: Renzo's afternoon, and it heals."""
    protocol, roles = scene.protocol, scene.roles
    market, oracle, looper = protocol.market, protocol.oracle, roles.looper
    open_leveraged(scene, 3 * ETHER, 36 * ETHER)
    if near:
        slash_and_sync(scene, SLASH)
        with reverts("market: healthy"):
            market.liquidate(looper, UNLIMITED, 0, sender=roles.keeper)
    scene.world.fund(roles.keeper, weth=100 * ETHER)
    scene.world.core.weth.approve(market.address, UNLIMITED, sender=roles.keeper)
    rich, debt = purse(scene, looper), market.position(looper)[1]
    others = [purse(scene, who) for who in (roles.lender, roles.borrower)]
    scene.answer_fundamental(discount=WAD // 5)
    repaid = 0
    for _ in range(24):
        call = market.liquidate.build(looper, UNLIMITED, 0, sender=roles.keeper)
        (tried,) = scene.chain.send_batch([call], check=False)
        if tried.status:
            last = tried.events[-1].args
            assert (last["deleverage"], last["bad_debt"]) == (True, 0)
            repaid += last["repaid"]
        oracle.poke(sender=roles.keeper)
        scene.chain.advance(300)
    # Nobody lends on it meanwhile, and the smoothed price has hardly moved.
    with reverts("market: unhealthy"):
        market.borrow(ETHER // 10, looper, looper, sender=looper)
    assert oracle.discount() <= oracle.DISCOUNT_SPEED() * 2 * HOUR
    scene.answer_fundamental()
    oracle.poke(sender=roles.stranger)
    with reverts("market: healthy"):
        market.liquidate(looper, UNLIMITED, 0, sender=roles.keeper)
    # Bonus and discount on what was repaid, and two hours of interest; a forced sale was a fifth.
    interest = market.position(looper)[1] + repaid - debt
    lost = rich - purse(scene, looper) - interest
    share = market.terms().deleverage_share
    assert (repaid > 0) == near
    assert lost <= Fraction(3, 100) * repaid
    assert repaid <= 3 * debt * share // WAD
    for who, had in zip((roles.lender, roles.borrower), others, strict=True):
        assert purse(scene, who) >= had - interest
