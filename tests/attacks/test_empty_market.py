"""The first lender or borrower of an empty market sets its share price against those who follow.

Hundred, 2023-04-15 (7 million dollars), and Resupply, 2025-06-26 (9.6 million): a donation to an
empty pool. Raft, 2023-11-10 (3.2 million), and Radiant, 2024-01-02 (4.5 million): the same with the
rounding of an index. Sonne, 2024-05-14 (20 million): a new market was opened before it was seeded.
Here the attacker would deposit a wei, give the market tokens, and have the next lender's shares
rounded away. What stops it: a balance is no asset, a million virtual shares stand beside the first
real one, amounts of nothing are refused, and a new market has caps of zero until its owner acts.
"""

import random

import pytest

from relever.chain import Revert
from tests.attacks.purse import owned
from tests.unit.market.conftest import (
    CAPS,
    DAY,
    MAX_112,
    MIN_DEBT,
    PRICE,
    UNLIMITED,
    WAD,
    Setup,
)

YEAR = 365 * DAY


@pytest.mark.parametrize("first", [1, 2, 1_000, 10**9])
@pytest.mark.parametrize("gift", [1, 10**6, WAD, 10_000 * WAD])
def test_first_lender__donates_before_the_second__loses_the_gift_alone(
    setup: Setup, first: int, gift: int
) -> None:
    market, attacker, victim = setup.market, setup.actors.stranger, setup.actors.lender
    mine, theirs = owned(setup, attacker), owned(setup, victim)
    setup.lend(first, attacker)
    setup.loan.transfer(market.address, gift, sender=attacker)
    setup.lend(WAD, victim)
    market.redeem(market.balanceOf(attacker), attacker, attacker, sender=attacker)
    assert market.balanceOf(attacker) == 0
    assert owned(setup, attacker) <= mine - gift
    # A wei of the loan token for the rounding, and no more.
    assert theirs - owned(setup, victim) < 1
    market.redeem(market.balanceOf(victim), victim, victim, sender=victim)
    assert theirs - owned(setup, victim) <= 1


@pytest.mark.parametrize("seed", range(4))
def test_first_lender__plays_with_single_units__never_makes_a_share_dear(
    setup: Setup, seed: int
) -> None:
    """Every small step in every order: the rounding stays, and it buys nothing from who comes."""
    market, attacker, victim = setup.market, setup.actors.stranger, setup.actors.lender
    pick = random.Random(seed)
    mine, theirs = owned(setup, attacker), owned(setup, victim)
    spent, refusals = 0, set()
    for _ in range(60):
        amount = pick.choice([1, 2, 3, 10, 10**6 - 1, 10**6, 10**6 + 1])
        function = pick.choice(["deposit", "mint", "withdraw", "redeem"])
        parties = (attacker,) if function in ("deposit", "mint") else (attacker, attacker)
        try:
            getattr(market, function)(amount, *parties, sender=attacker)
        except Revert as failure:
            refusals.add(failure.reason)
            continue
        spent += 1
        assert owned(setup, attacker) <= mine
        state = market.state()
        # A share never costs more than the unit it was rounded to.
        assert state.supply_assets + 1 <= state.supply_shares + 10**6
    assert spent > 10
    assert refusals <= {
        "market: zero amount",
        "market: not enough cash",
        "market: not enough shares",
    }
    setup.lend(WAD, victim)
    held = market.balanceOf(attacker)
    if market.previewRedeem(held):
        market.redeem(held, attacker, attacker, sender=attacker)
    assert owned(setup, attacker) <= mine
    assert theirs - owned(setup, victim) < 1


def test_new_market__before_its_owner_acts__takes_no_first_lender_and_no_first_borrower(
    setup: Setup,
) -> None:
    """Sonne: whoever came first in the block of the listing found the market empty and open."""
    market, attacker = setup.create(), setup.actors.stranger
    setup.loan.approve(market.address, UNLIMITED, sender=attacker)
    setup.collateral.approve(market.address, UNLIMITED, sender=attacker)
    setup.factory.list_market(market.address, sender=setup.actors.owner)
    for call in (
        market.deposit.build(1, attacker, sender=attacker),
        market.mint.build(1, attacker, sender=attacker),
    ):
        with pytest.raises(Revert) as failure:
            setup.chain.send(call)
        assert failure.value.reason == "market: supply cap"
    market.supply_collateral(WAD, attacker, sender=attacker)
    with pytest.raises(Revert) as failure:
        market.borrow(MIN_DEBT, attacker, attacker, sender=attacker)
    assert failure.value.reason == "market: not enough cash"
    assert tuple(market.state())[:4] == (0, 0, 0, 0)


def test_sole_lender__borrows_from_itself_for_years__the_next_lender_is_not_robbed(
    setup: Setup,
) -> None:
    """The one way to lift a share's price is interest: the attacker pays it to itself."""
    market, attacker, victim = setup.market, setup.actors.stranger, setup.actors.lender
    market.set_caps((*CAPS[:2], 0), sender=setup.actors.owner)
    mine, theirs = owned(setup, attacker), owned(setup, victim)
    setup.lend(MIN_DEBT, attacker)
    setup.open(WAD, MIN_DEBT, attacker)
    setup.chain.advance(3 * YEAR)
    market.repay(UNLIMITED, attacker, sender=attacker)
    shares = market.balanceOf(attacker)
    market.redeem(shares - 10**6, attacker, attacker, sender=attacker)
    assert market.convertToAssets(10**6) > 3
    setup.lend(WAD, victim)
    market.redeem(market.balanceOf(attacker), attacker, attacker, sender=attacker)
    assert owned(setup, attacker) <= mine
    # What a share is worth by then, at most.
    assert theirs - owned(setup, victim) <= 1


@pytest.mark.parametrize("gift", [0, 1_000 * WAD])
def test_written_off_market__lent_to_again__old_shares_take_nothing_of_the_new(
    setup: Setup, gift: int
) -> None:
    """All was lent and lost: shares are left and nothing behind them, as in an empty market."""
    market, actors = setup.market, setup.actors
    attacker, victim = actors.stranger, actors.lender
    setup.lend(WAD, attacker)
    setup.open(2 * WAD, WAD)
    setup.oracle.set_price(0)
    market.liquidate(actors.borrower, UNLIMITED, 0, sender=actors.liquidator)
    setup.oracle.set_price(PRICE)
    state = market.state()
    assert (state.supply_assets, state.borrow_assets, state.borrow_shares) == (0, 0, 0)
    assert state.supply_shares >= WAD * 10**6
    if gift:
        setup.loan.transfer(market.address, gift, sender=attacker)
    mine, theirs = owned(setup, attacker), owned(setup, victim)

    room = market.maxDeposit(victim)
    assert 0 < room < MAX_112
    lent = min(room, 10**9)
    setup.lend(lent, victim)
    held = market.balanceOf(attacker)
    if market.previewRedeem(held):
        market.redeem(held, attacker, attacker, sender=attacker)
    market.redeem(market.balanceOf(victim), victim, victim, sender=victim)

    assert owned(setup, attacker) - mine < 1
    assert theirs - owned(setup, victim) <= 1


def test_first_borrower__owes_dust_behind_a_repayment__nobodys_debt_falls(setup: Setup) -> None:
    """Repaid to a fraction of a wei, debt shares get as cheap as at first: whoever does it has paid
    for it. From there each dust that goes whole may leave its part of a wei to the others."""
    market, actors = setup.market, setup.actors
    dust = (actors.stranger, actors.manager, actors.liquidator)
    setup.lend(100 * WAD)
    mine = owned(setup, *dust)
    for more, owner in enumerate(dust):
        setup.open(WAD, WAD // 2 + more * 10**16 // 3, owner)
    setup.chain.advance(YEAR)
    for owner in dust:
        market.repay(setup.debt(owner) - 1, owner, sender=owner)
    for _ in range(5):
        for owner in dust:
            market.repay(1, owner, sender=owner)
            market.adjust(owner, 0, MIN_DEBT, owner, sender=owner)
            market.repay(setup.debt(owner) - 1, owner, sender=owner)
    # An honest borrower comes: what it owes is what it took, and a wei.
    theirs, lenders = owned(setup, actors.borrower), owned(setup, actors.lender)
    setup.open(50 * WAD, 40 * WAD)
    assert setup.debt() - 40 * WAD <= 1
    for owner in dust:
        market.repay(UNLIMITED, owner, sender=owner)
    assert theirs - owned(setup, actors.borrower) <= 1 + len(dust)
    market.repay(UNLIMITED, actors.borrower, sender=actors.borrower)
    assert owned(setup, *dust) < mine
    assert owned(setup, actors.lender) >= lenders
