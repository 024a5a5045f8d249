"""Liquidations: when, how much, at what price, and who bears what is not covered."""

from fractions import Fraction

import pytest

from relever.chain import Event, Receipt
from relever.protocol import Deployment
from tests import scene
from tests.unit.market.conftest import (
    BASE_BONUS,
    DAY,
    MAX_CAP,
    MIN_DEBT,
    NOBODY,
    PRICE,
    TARGET_HEALTH,
    THRESHOLD,
    UNLIMITED,
    WAD,
    YEAR,
    Setup,
    assets_down,
    assets_up,
    ceil,
    shares_down,
    shares_up,
)
from tests.unit.market.liquidation import (
    COLLATERAL,
    DATA,
    DEBT,
    DUST,
    E36,
    EDGE,
    bonus_at,
    exchanged,
    halted,
    health_at,
    liquidate,
    liquidated,
    seized_for,
    sized,
    to_target,
)

# When


def test_liquidate__at_the_threshold__reverts_and_a_hair_below_works(scene_set: Setup) -> None:
    scene_set.oracle.set_price(EDGE)
    for max_repay in (0, 1, DEBT, UNLIMITED):
        with scene_set.refused("market: healthy"):
            liquidate(scene_set, max_repay)
    scene_set.oracle.set_price(EDGE - 1)
    liquidate(scene_set, 1)


def test_liquidate__interest__can_make_a_position_unhealthy(scene_set: Setup) -> None:
    scene_set.oracle.set_price(EDGE)
    before = scene_set.market.state()
    scene_set.chain.advance(DAY)
    now = scene_set.market.state()

    receipt = liquidate(scene_set, WAD)

    debt = assets_up(now.borrow_shares, now.borrow_assets, now.borrow_shares)
    seized = seized_for(WAD, EDGE, bonus_at(EDGE, debt), debt)
    assert receipt.events == [
        *scene_set.accrued(before, now),
        *exchanged(scene_set, WAD, seized),
        liquidated(scene_set, WAD, seized),
    ]


def test_liquidate__empty_position__reverts(lent: Setup) -> None:
    lent.market.supply_collateral(WAD, lent.actors.borrower, sender=lent.actors.borrower)
    lent.oracle.set_price(1)
    for owner in (lent.actors.borrower, lent.actors.stranger, NOBODY):
        with lent.refused("market: healthy"):
            liquidate(lent, owner=owner)


# How much


@pytest.mark.parametrize("price", [EDGE - 1, 89 * PRICE // 100, 88 * PRICE // 100 + 7])
def test_liquidate__in_part__restores_target_health_and_no_more(
    scene_set: Setup, price: int
) -> None:
    market, owner = scene_set.market, scene_set.actors.borrower
    scene_set.oracle.set_price(price)
    before = health_at(scene_set, price)
    repaid, seized = sized(scene_set, price)
    state = market.state()

    receipt = liquidate(scene_set)

    assert receipt.events == [
        *exchanged(scene_set, repaid, seized),
        liquidated(scene_set, repaid, seized),
    ]
    assert tuple(market.position(owner)) == (COLLATERAL - seized, DEBT - repaid)
    assert market.state() == state._replace(
        borrow_assets=DEBT - repaid, borrow_shares=(DEBT - repaid) * 10**6
    )
    after, target = health_at(scene_set, price), Fraction(TARGET_HEALTH, WAD)
    assert before < 1 < target
    assert target <= after < target + Fraction(DUST, DEBT)
    with scene_set.refused("market: healthy"):
        liquidate(scene_set)


def test_liquidate__less_than_wanted__repays_that_and_improves_health(scene_set: Setup) -> None:
    price = 88 * PRICE // 100
    scene_set.oracle.set_price(price)
    for repaid in (1, 2, 3, 10**9 + 7, WAD, to_target(price, price) // 2):
        before, held, debt = health_at(scene_set, price), scene_set.held(), scene_set.debt()
        seized = seized_for(repaid, price, bonus_at(price, debt, held), debt, held)

        receipt = liquidate(scene_set, repaid)

        assert receipt.events[-1] == liquidated(scene_set, repaid, seized)
        assert scene_set.debt() == debt - repaid
        assert scene_set.held() == held - seized
        assert health_at(scene_set, price) > before


def test_liquidate__rounding__goes_against_the_liquidator(scene_set: Setup) -> None:
    """The first two wei repaid bring nothing, the others what they are worth with the bonus."""
    price = EDGE - PRICE // 1000
    scene_set.oracle.set_price(price)
    for repaid in (1, 2):
        receipt = liquidate(scene_set, repaid)
        assert receipt.events[-1] == liquidated(scene_set, repaid, 0)
    receipt = liquidate(scene_set, 10)
    # Eight at 0.899 with a bonus of 1.1 % are 8.997.
    assert receipt.events[-1].args["seized"] == 8


def test_liquidate__nothing_offered__reverts(scene_set: Setup) -> None:
    scene_set.oracle.set_price(EDGE - 1)
    with scene_set.refused("market: nothing repaid"):
        liquidate(scene_set, 0)


def test_liquidate__min_seized__is_kept_to_the_wei(scene_set: Setup) -> None:
    scene_set.oracle.set_price(89 * PRICE // 100)
    seized = seized_for(WAD, 89 * PRICE // 100, bonus_at(89 * PRICE // 100))
    with scene_set.refused("market: seized too little"):
        liquidate(scene_set, WAD, seized + 1)
    receipt = liquidate(scene_set, WAD, seized)
    assert receipt.events[-1] == liquidated(scene_set, WAD, seized)


# A six-hundredth of the position: what target health asks for would leave less than the minimum.
SMALL_COLLATERAL, SMALL_DEBT = COLLATERAL // 600, DEBT // 600


@pytest.fixture
def small(lent: Setup) -> Setup:
    """A small position, at a price that makes it unhealthy."""
    lent.open(SMALL_COLLATERAL, SMALL_DEBT)
    price = 89 * PRICE // 100
    lent.oracle.set_price(price)
    assert 0 < SMALL_DEBT - to_target(price, price) // 600 < MIN_DEBT
    return lent


def test_liquidate__rest_below_the_minimum__goes_whole(small: Setup) -> None:
    market, owner, price = small.market, small.actors.borrower, 89 * PRICE // 100
    bonus = bonus_at(price, SMALL_DEBT, SMALL_COLLATERAL)
    seized = seized_for(SMALL_DEBT, price, bonus, SMALL_DEBT, SMALL_COLLATERAL)
    left = SMALL_COLLATERAL - seized
    assert left > 0

    receipt = liquidate(small)

    assert receipt.events == [
        *exchanged(small, SMALL_DEBT, seized),
        liquidated(small, SMALL_DEBT, seized),
    ]
    # The rest of the collateral is still its owner's.
    assert tuple(market.position(owner)) == (left, 0)
    assert market.state().borrow_shares == 0
    market.withdraw_collateral(left, owner, owner, sender=owner)


def test_liquidate__rest_at_the_minimum__stays_and_one_below_does_not(scene_set: Setup) -> None:
    price = 89 * PRICE // 100
    scene_set.oracle.set_price(price)
    repaid, _ = sized(scene_set, price)
    for min_debt, left in ((DEBT - repaid, DEBT - repaid), (DEBT - repaid + 1, 0)):
        scene_set.oracle.set_price(PRICE)
        other = scene_set.another(min_debt=min_debt)
        other.lend(1_000 * WAD)
        other.open(COLLATERAL, DEBT)
        other.oracle.set_price(price)
        liquidate(other)
        assert other.debt() == left


def test_liquidate__almost_all_of_a_small_one__leaves_the_minimum(small: Setup) -> None:
    receipt = liquidate(small, SMALL_DEBT - 1)
    assert receipt.events[-1].args["repaid"] == SMALL_DEBT - MIN_DEBT
    assert small.debt() == MIN_DEBT


def test_liquidate__at_or_below_the_minimum__must_be_whole(lent: Setup) -> None:
    market, borrower, other = lent.market, lent.actors.borrower, lent.actors.other_borrower
    held = MIN_DEBT * 1000 // 837
    for owner in (borrower, other):
        lent.open(held, MIN_DEBT, owner)
    # One of them goes below the minimum by repaying.
    market.adjust(other, -(held // 2), -(MIN_DEBT // 2), other, sender=other)
    lent.oracle.set_price(89 * PRICE // 100)
    for owner, debt in ((borrower, MIN_DEBT), (other, MIN_DEBT // 2)):
        assert lent.debt(owner) == debt
        for part in (1, debt - 1):
            with lent.refused("market: repay must be whole"):
                liquidate(lent, part, owner=owner)
        liquidate(lent, debt, owner=owner)
        assert lent.debt(owner) == 0


@pytest.mark.parametrize("percent", [89, 88, 87, 86, 855, 85])
@pytest.mark.parametrize("parts", [2, 10, 100])
def test_liquidate__split__pays_no_more_than_at_once(
    scene_set: Setup, percent: int, parts: int
) -> None:
    price = percent * PRICE // (100 if percent < 100 else 1000)
    scene_set.oracle.set_price(price)

    def gain(receipt: Receipt) -> Fraction:
        done = receipt.events[-1].args
        return Fraction(done["seized"] * price, PRICE) - done["repaid"]

    with scene_set.chain.isolated():
        whole = liquidate(scene_set)
        at_once = gain(whole)
        repaid = whole.events[-1].args["repaid"]
    split = Fraction(0)
    for _ in range(parts):
        if health_at(scene_set, price) >= 1:
            break
        split += gain(liquidate(scene_set, repaid // parts))
    assert split <= at_once


def test_liquidate__oneself__gains_nothing(scene_set: Setup) -> None:
    owner, price = scene_set.actors.borrower, 87 * PRICE // 100
    scene_set.oracle.set_price(price)

    def wealth() -> Fraction:
        held = scene_set.collateral.balanceOf(owner) + scene_set.held()
        return Fraction(held * price, PRICE) + scene_set.loan.balanceOf(owner) - scene_set.debt()

    before = wealth()
    receipt = scene_set.market.liquidate(owner, UNLIMITED, 0, sender=owner)
    assert receipt.events[-1].args["liquidator"] == owner
    assert before - 3 < wealth() <= before


# At what price


def test_liquidate__market_below_fundamental__hands_over_at_the_market(scene_set: Setup) -> None:
    price, market_price = 89 * PRICE // 100, 88 * PRICE // 100
    scene_set.oracle.set_price(price)
    scene_set.oracle.set_market_price(market_price)
    repaid, seized = sized(scene_set, price, market_price)

    receipt = liquidate(scene_set)

    done = receipt.events[-1].args
    assert (done["repaid"], done["seized"]) == (repaid, seized)
    assert repaid > to_target(price, price) + DUST
    assert abs(health_at(scene_set, price) - Fraction(TARGET_HEALTH, WAD)) < Fraction(DUST, DEBT)


def test_liquidate__market_above_fundamental__hands_over_at_fundamental(scene_set: Setup) -> None:
    price = 89 * PRICE // 100
    scene_set.oracle.set_price(price)
    scene_set.oracle.set_market_price(2 * PRICE)
    repaid, seized = sized(scene_set, price)
    receipt = liquidate(scene_set)
    assert receipt.events[-1] == liquidated(scene_set, repaid, seized)


def test_liquidate__dead_feed__hands_over_at_fundamental(scene_set: Setup) -> None:
    price = 89 * PRICE // 100
    scene_set.oracle.set_price(price)
    scene_set.oracle.set_market_price(PRICE // 2)
    scene_set.oracle.set_dead(True)
    repaid, seized = sized(scene_set, price)
    receipt = liquidate(scene_set)
    assert receipt.events[-1] == liquidated(scene_set, repaid, seized)


def test_liquidate__market_too_low_for_debt_and_bonus__pays_what_the_stake_is_worth(
    scene_set: Setup,
) -> None:
    """It goes whole, but a depeg forgives no debt that is covered at the fundamental price."""
    price = 89 * PRICE // 100
    scene_set.oracle.set_price(price)
    scene_set.oracle.set_market_price(80 * PRICE // 100)
    with scene_set.refused("market: repay must be whole"):
        liquidate(scene_set, DEBT - 1)

    receipt = liquidate(scene_set, DEBT)

    assert receipt.events == [
        *exchanged(scene_set, DEBT, COLLATERAL),
        liquidated(scene_set, DEBT, COLLATERAL),
    ]


def test_liquidate__not_covered_and_market_lower_still__pays_the_fundamental_worth(
    scene_set: Setup,
) -> None:
    scene_set.oracle.set_price(80 * PRICE // 100)
    scene_set.oracle.set_market_price(40 * PRICE // 100)
    repaid = ceil(80 * WAD * WAD, WAD + BASE_BONUS)
    receipt = liquidate(scene_set)
    bad = DEBT - repaid
    assert receipt.events[-1] == liquidated(scene_set, repaid, COLLATERAL, bad, bad)


def test_liquidate__market_between__takes_no_greater_part_than_is_repaid(
    scene_set: Setup,
) -> None:
    """Handed over at 0.85, there are 1.55 % over the debt: less than base and shortfall."""
    price, market_price = 88 * PRICE // 100, 85 * PRICE // 100
    scene_set.oracle.set_price(price)
    scene_set.oracle.set_market_price(market_price)
    seized = (WAD - 2) * COLLATERAL // DEBT
    assert seized < (WAD - 2) * (E36 + bonus_at(price)) // market_price
    receipt = liquidate(scene_set, WAD)
    assert receipt.events[-1] == liquidated(scene_set, WAD, seized)
    # No part of the rest reaches target health: it goes whole, and a dust of collateral stays.
    debt, held = scene_set.debt(), scene_set.held()
    receipt = liquidate(scene_set)
    assert receipt.events[-1] == liquidated(scene_set, debt, (debt - 2) * held // debt)
    assert tuple(scene_set.market.position(scene_set.actors.borrower)) == (3, 0)


def test_liquidate__of_any_size__fits(setup: Setup) -> None:
    market, actors = setup.market, setup.actors
    market.set_caps((MAX_CAP, MAX_CAP, 0), sender=actors.owner)
    setup.lend(10**26)
    setup.open(10**26, 837 * 10**23)
    setup.oracle.set_price(89 * PRICE // 100)
    receipt = liquidate(setup)
    assert receipt.events[-1].args["repaid"] > 10**25
    assert health_at(setup, 89 * PRICE // 100) >= Fraction(TARGET_HEALTH, WAD)


# What is not covered


@pytest.mark.parametrize("percent", [80, 50, 84])
def test_liquidate__not_covered__goes_whole_and_lenders_bear_the_rest(
    scene_set: Setup, percent: int
) -> None:
    market, actors = scene_set.market, scene_set.actors
    scene_set.oracle.set_price(percent * PRICE // 100)
    repaid = ceil(percent * WAD * WAD, WAD + BASE_BONUS)
    bad = DEBT - repaid
    claim, state = market.maxWithdraw(actors.lender), market.state()

    with scene_set.refused("market: repay must be whole"):
        liquidate(scene_set, repaid - 1)
    receipt = liquidate(scene_set, repaid, COLLATERAL)

    # More than 1 % of what lenders are owed.
    halt = [halted(scene_set)] if bad > 10 * WAD else []
    assert receipt.events == [
        *halt,
        *exchanged(scene_set, repaid, COLLATERAL),
        liquidated(scene_set, repaid, COLLATERAL, bad, bad),
    ]
    assert tuple(market.position(actors.borrower)) == (0, 0)
    assert market.state() == state._replace(
        supply_assets=1_000 * WAD - bad, borrow_assets=0, borrow_shares=0
    )
    assert scene_set.loan.balanceOf(market.address) == 1_000 * WAD - bad
    assert claim == 1_000 * WAD - DEBT
    left = market.convertToAssets(market.balanceOf(actors.lender))
    assert left == assets_down(1_000 * WAD * 10**6, 1_000 * WAD - bad, 1_000 * WAD * 10**6)
    market.redeem(
        market.balanceOf(actors.lender), actors.lender, actors.lender, sender=actors.lender
    )


def test_liquidate__just_covered__may_go_in_part_and_just_not__may_not(scene_set: Setup) -> None:
    # Debt and base bonus: 83.7 * 1.01.
    price = 84_537 * PRICE // 100_000
    scene_set.oracle.set_price(price)
    seized = (WAD - 2) * COLLATERAL // DEBT
    assert seized < seized_for(WAD, price, bonus_at(price), collateral=2 * COLLATERAL)
    receipt = liquidate(scene_set, WAD)
    assert receipt.events[-1] == liquidated(scene_set, WAD, seized)
    scene_set.oracle.set_price(price - PRICE // WAD)
    with scene_set.refused("market: repay must be whole"):
        liquidate(scene_set, WAD)


def test_liquidate__worthless_collateral__is_taken_for_nothing(scene_set: Setup) -> None:
    scene_set.oracle.set_price(0)
    receipt = liquidate(scene_set, 0)
    assert receipt.events == [
        halted(scene_set),
        scene_set.moved(
            scene_set.collateral,
            scene_set.market.address,
            scene_set.actors.liquidator,
            COLLATERAL,
        ),
        liquidated(scene_set, 0, COLLATERAL, DEBT, DEBT),
    ]
    assert tuple(scene_set.market.position(scene_set.actors.borrower)) == (0, 0)


def bad_debt(busy: Setup, debt: int, price: int) -> tuple[str, int, int, int]:
    """A position of that debt at a price too low; who, and what is repaid, seized, written off."""
    owner = busy.actors.stranger
    collateral = debt * 10 // 9
    busy.open(collateral, debt, owner)
    busy.oracle.set_price(price)
    owed = busy.debt(owner)
    repaid = ceil(collateral * price // PRICE * WAD, WAD + BASE_BONUS)
    return owner, repaid, collateral, owed - repaid


def test_liquidate__bad_debt_within_the_fee__costs_lenders_nothing(busy: Setup) -> None:
    market, lender = busy.market, busy.actors.lender
    owner, repaid, seized, bad = bad_debt(busy, MIN_DEBT, PRICE * 864 // 1000)
    state, fees = market.state(), market.balanceOf(market.address)
    burned = shares_up(bad, state.supply_assets, state.supply_shares)
    assert 0 < burned < fees
    claim = market.convertToAssets(market.balanceOf(lender))

    receipt = liquidate(busy, owner=owner)

    out, paid = exchanged(busy, repaid, seized)
    assert receipt.events == [
        # The protocol's shares of the interest until now: there is none.
        busy.moved(market, market.address, NOBODY, burned),
        out,
        paid,
        liquidated(busy, repaid, seized, bad, 0, owner),
    ]
    assert market.balanceOf(market.address) == fees - burned
    after = market.state()
    assert after.supply_shares == state.supply_shares - burned
    assert after.supply_assets == state.supply_assets - bad
    assert after.borrow_assets == state.borrow_assets - repaid - bad
    assert claim <= market.convertToAssets(market.balanceOf(lender)) <= claim + 1


def test_liquidate__bad_debt_beyond_the_fee__takes_it_all_and_then_lenders(busy: Setup) -> None:
    market, actors = busy.market, busy.actors
    owner, repaid, seized, bad = bad_debt(busy, 50 * WAD, PRICE // 2)
    state, fees = market.state(), market.balanceOf(market.address)
    covered = assets_down(fees, state.supply_assets, state.supply_shares)
    assert 0 < covered < bad
    lenders = (actors.lender, actors.other_lender)
    claims = sum(market.convertToAssets(market.balanceOf(lender)) for lender in lenders)

    receipt = liquidate(busy, owner=owner)

    out, paid = exchanged(busy, repaid, seized)
    assert receipt.events == [
        busy.moved(market, market.address, NOBODY, fees),
        halted(busy),
        out,
        paid,
        liquidated(busy, repaid, seized, bad, bad - covered, owner),
    ]
    assert market.balanceOf(market.address) == 0
    after = market.state()
    assert after.supply_assets == state.supply_assets - bad
    assert after.supply_shares == state.supply_shares - fees
    left = sum(market.convertToAssets(market.balanceOf(lender)) for lender in lenders)
    assert abs(claims - left - (bad - covered)) <= 2


def test_liquidate__no_bad_debt__costs_lenders_and_protocol_nothing(busy: Setup) -> None:
    market, actors = busy.market, busy.actors
    busy.oracle.set_price(96 * PRICE // 100)
    before, fees = market.state(), market.balanceOf(market.address)
    others = market.position(actors.other_borrower)

    receipt = liquidate(busy)

    assert receipt.events[-1].args["bad_debt"] == receipt.events[-1].args["lenders_loss"] == 0
    after = market.state()
    assert after.supply_assets == before.supply_assets
    assert after.supply_shares == before.supply_shares
    assert market.balanceOf(market.address) == fees
    now = market.position(actors.other_borrower)
    assert now[0] == others[0]
    assert now[1] in (others[1], others[1] - 1)


def test_liquidate__shares_burned__round_down_for_a_part(busy: Setup) -> None:
    market = busy.market
    busy.oracle.set_price(96 * PRICE // 100)
    before = market.state()
    repaid = WAD + 1
    liquidate(busy, repaid)
    burned = shares_down(repaid, before.borrow_assets, before.borrow_shares)
    assert burned != shares_up(repaid, before.borrow_assets, before.borrow_shares)
    assert before.borrow_shares - market.state().borrow_shares == burned


def test_liquidate__the_last_debt__leaves_neither_shares_nor_assets_behind(busy: Setup) -> None:
    market, actors = busy.market, busy.actors
    busy.oracle.set_price(PRICE // 2)
    for owner in (actors.borrower, actors.other_borrower):
        liquidate(busy, owner=owner)
    state = market.state()
    assert state.borrow_shares == 0
    # The virtual share's interest, at most a wei or two.
    assert state.borrow_assets <= 2


# A price at which four whole collateral are worth a wei, and one at which they are worth nothing.
@pytest.mark.parametrize(("price", "paid"), [(26 * WAD // 100, 1), (0, 0)])
def test_liquidate__dust__makes_no_debt_share_cheaper_and_leaves_no_unit_to_nobody(
    setup: Setup, price: int, paid: int
) -> None:
    """Debts of a part of a wei, which count as one each: together more than is lent out."""
    small = setup.another(min_debt=1)
    market, actors = small.market, small.actors
    small.lend(1_000 * WAD)
    owners = list(vars(actors).values())
    for more, owner in enumerate(owners):
        small.open(4 * WAD, WAD + more * 10**17 // 3, owner)
    small.chain.advance(YEAR)
    for owner in owners:
        market.repay(small.debt(owner) - 1, owner, sender=owner)
    small.oracle.set_price(price)
    assert market.state().borrow_assets < len(owners)
    left = []
    for owner in owners:
        before, cash = market.state(), small.loan.balanceOf(market.address)
        done = liquidate(small, owner=owner).events[-1].args
        after = market.state()
        gone = before.borrow_assets - after.borrow_assets
        assert (done["repaid"], done["bad_debt"]) == (paid, gone - min(gone, paid))
        assert small.loan.balanceOf(market.address) == cash + paid
        # Cash is what it was and what was paid; debt shares are no cheaper than the first were.
        assert after.supply_assets - after.borrow_assets == cash + paid
        assert after.borrow_shares < (after.borrow_assets + 1) * 10**6
        left.append(gone)
    # Some took a unit along, and some did not.
    assert set(left) == {0, 1}
    assert market.state().borrow_shares == 0


# By whom, and with a callback


def test_liquidate__callback__comes_between_collateral_and_payment(scene_set: Setup) -> None:
    market, wallet, owner = scene_set.market, scene_set.wallet.address, scene_set.actors.borrower
    price = 89 * PRICE // 100
    scene_set.oracle.set_price(price)
    repaid, seized = sized(scene_set, price)
    held = scene_set.collateral.balanceOf(wallet)
    scene_set.wallet.set_steps(
        [(scene_set.collateral.address, scene_set.collateral.balanceOf.encode(wallet))]
    )

    receipt = scene_set.run("liquidate", owner, UNLIMITED, seized, DATA)

    out, paid = exchanged(scene_set, repaid, seized, wallet)
    called = {
        "caller": market.address,
        "owner": owner,
        "repaid": repaid,
        "seized": seized,
        "data": DATA,
    }
    assert receipt.events == [
        out,
        Event("LiquidateCalled", called, wallet),
        paid,
        liquidated(scene_set, repaid, seized, liquidator=wallet),
    ]
    (seen,) = scene_set.wallet.all_outcomes()
    assert int.from_bytes(seen.answer, "big") == held + seized


@pytest.mark.parametrize("missing", [0, 1, WAD, -WAD])
def test_liquidate__callback_sends_the_payment__only_the_rest_is_pulled(
    scene_set: Setup, missing: int
) -> None:
    market, wallet, owner = scene_set.market, scene_set.wallet.address, scene_set.actors.borrower
    price = 89 * PRICE // 100
    scene_set.oracle.set_price(price)
    repaid, seized = sized(scene_set, price)
    send = scene_set.loan.transfer.encode(market.address, repaid - missing)
    scene_set.wallet.set_steps([(scene_set.loan.address, send)])

    receipt = scene_set.run("liquidate", owner, UNLIMITED, seized, DATA)

    rest = [scene_set.moved(scene_set.loan, wallet, market.address, missing)]
    assert receipt.events[2:] == [
        scene_set.moved(scene_set.loan, wallet, market.address, repaid - missing),
        # What is sent above the payment is a gift.
        *(rest if missing > 0 else []),
        liquidated(scene_set, repaid, seized, liquidator=wallet),
    ]


def test_liquidate__no_data__calls_nobody_back(scene_set: Setup) -> None:
    scene_set.oracle.set_price(EDGE - 1)
    receipt = scene_set.run("liquidate", scene_set.actors.borrower, WAD, 0)
    assert [event.name for event in receipt.events] == ["Transfer", "Transfer", "Liquidated"]


def test_liquidate__payment_fails__reverts(scene_set: Setup) -> None:
    scene_set.oracle.set_price(EDGE - 1)
    loan, liquidator = scene_set.loan, scene_set.actors.liquidator
    loan.approve(scene_set.market.address, WAD - 1, sender=liquidator)
    with scene_set.refused("token: allowance"):
        liquidate(scene_set, WAD)


def test_liquidate__all_lent_out__works(lent: Setup) -> None:
    lent.open(1_100 * WAD, 1_000 * WAD)
    lent.oracle.set_price(PRICE * 95 // 100)
    liquidate(lent)
    assert health_at(lent, PRICE * 95 // 100) >= Fraction(TARGET_HEALTH, WAD)


def test_liquidate__real_slash__hands_over_at_the_live_rate(deployment: Deployment) -> None:
    roles, market = deployment.roles, deployment.protocol.market
    scene.lend(deployment, 100 * WAD)
    scene.restake(deployment, 100 * WAD)
    scene.stake_idle(deployment, 90 * WAD)
    collateral = 10 * WAD
    scene.borrow_against(deployment, collateral, scene.worth(deployment, collateral) * 9 // 10)
    scene.slash_and_sync(deployment, WAD // 10)
    debt = market.position(roles.borrower)[1]
    price = scene.price_e36(deployment)
    assert debt * WAD > scene.worth(deployment, collateral) * THRESHOLD
    weth = deployment.world.core.weth
    deployment.world.fund(roles.liquidator, weth=debt)
    weth.approve(market.address, debt, sender=roles.liquidator)

    receipt = market.liquidate(roles.borrower, UNLIMITED, 0, sender=roles.liquidator)

    done = receipt.events[-1].args
    held, left = market.position(roles.borrower)
    assert (held, left) == (collateral - done["seized"], debt - done["repaid"] - done["bad_debt"])
    worth = Fraction(done["seized"] * price, PRICE)
    assert done["repaid"] * Fraction(101, 100) - 2 <= worth <= done["repaid"] * Fraction(105, 100)
