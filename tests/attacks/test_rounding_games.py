"""Many small steps, each of which rounds, add up to what no single step would be allowed.

WiseLending, 2024-01-12 (0.46 million dollars): health was checked before shares were rounded.
Abracadabra, 2024-01-30 (6.5 million): others' debts were repaid until debt shares stood for nearly
nothing, and then a loan cost no debt. Balancer, 2025-11-03 (about 120 million): a batch of swaps
rounded the same way each time. Here it would be one who lends, borrows, repays and takes out single
units, or repays everyone to the last wei before borrowing. What stops it: every conversion rounds
against who acts, health is checked once at the end on the debt as it is then, rounded up, and a
repayment takes whole units for the shares it burns.
"""

import random
from fractions import Fraction

import pytest

from relever.chain import Call, Revert
from tests.attacks.purse import owned
from tests.unit.market.conftest import (
    DAY,
    MAX_LTV,
    MIN_DEBT,
    PRICE,
    VIRTUAL_SHARES,
    WAD,
    Setup,
    assets_up,
)

# Around what one debt share and one unit are worth.
UNITS = [1, 2, 3, 7, 10**6 - 1, 10**6 + 1]


@pytest.fixture
def odd(busy: Setup) -> Setup:
    """Interest has made both kinds of shares worth a few times as much, and unround."""
    market, lender = busy.market, busy.actors.lender
    busy.oracle.set_price(40 * PRICE)
    market.withdraw(market.maxWithdraw(lender), lender, lender, sender=lender)
    for days in (111, 33):
        busy.chain.advance(days * DAY)
        market.accrue(sender=lender)
    busy.lend(2_000 * WAD)
    state = market.state()
    assert state.borrow_assets * 10**6 > 3 * state.borrow_shares
    assert state.supply_assets * 10**6 > 2 * state.supply_shares
    return busy


def assert_sums(setup: Setup) -> None:
    """Lenders claim no more than the books say, borrowers owe no less, but for what the virtual
    million of shares stands for: a few units, that nobody owes.
    """
    actors, market = setup.actors, setup.market
    accounts = (*vars(actors).values(), setup.wallet.address)
    state = market.state()
    held = [market.balanceOf(account) for account in (*accounts, market.address)]
    assert sum(held) == state.supply_shares
    assert sum(market.convertToAssets(shares) for shares in held) <= state.supply_assets
    owed = sum(setup.debt(account) for account in accounts)
    nobodys = Fraction(10**6 * (state.borrow_assets + 1), state.borrow_shares + 10**6)
    assert owed - state.borrow_assets >= 1 - nobodys


@pytest.mark.parametrize("seed", range(5))
def test_single_units__in_one_block__never_gain_a_wei(odd: Setup, seed: int) -> None:
    market, attacker = odd.market, odd.actors.stranger
    victims = (odd.actors.lender, odd.actors.other_lender, odd.actors.borrower)
    odd.lend(50 * WAD + 1, attacker)
    odd.open(10 * WAD, 5 * WAD + 1, attacker)
    pick = random.Random(seed)
    mine, theirs = owned(odd, attacker), [owned(odd, victim) for victim in victims]
    done = 0
    for _ in range(80):
        unit = pick.choice(UNITS)
        steps: list[Call] = [
            market.deposit.build(unit, attacker, sender=attacker),
            market.mint.build(unit, attacker, sender=attacker),
            market.withdraw.build(unit, attacker, attacker, sender=attacker),
            market.redeem.build(unit, attacker, attacker, sender=attacker),
            market.borrow.build(unit, attacker, attacker, sender=attacker),
            market.repay.build(unit, attacker, sender=attacker),
            market.adjust.build(attacker, unit, unit, attacker, sender=attacker),
            market.adjust.build(attacker, -unit, -unit, attacker, sender=attacker),
        ]
        try:
            odd.chain.send(pick.choice(steps))
        except Revert as failure:
            refused = failure.reason
            if refused != "market: zero amount":
                raise
            continue
        done += 1
        # Whoever acts pays the rounding, each time and not on balance.
        now = owned(odd, attacker)
        assert now <= mine
        mine = now
    assert done > 40
    for victim, had in zip(victims, theirs, strict=True):
        assert owned(odd, victim) >= had
    assert_sums(odd)


def test_debt_at_the_limit__topped_up_by_single_units__never_passes_it(odd: Setup) -> None:
    """The debt that is checked is the debt that is owed: rounded up, after the shares were."""
    market, attacker = odd.market, odd.actors.stranger
    collateral = 10 * WAD + 7
    limit = 40 * collateral * MAX_LTV // WAD
    odd.open(collateral, limit - 100, attacker)
    refused = 0
    for unit in [*UNITS[:4] * 12, 1, 1, 1]:
        try:
            market.borrow(unit, attacker, attacker, sender=attacker)
        except Revert as failure:
            assert_unhealthy(failure)
            refused += 1
        assert odd.debt(attacker) <= limit
    for unit in UNITS[:4] * 4:
        try:
            market.withdraw_collateral(unit, attacker, attacker, sender=attacker)
        except Revert as failure:
            assert_unhealthy(failure)
            refused += 1
        assert odd.debt(attacker) * WAD <= 40 * odd.held(attacker) * MAX_LTV
    assert refused > 4


def assert_unhealthy(failure: Revert) -> None:
    assert failure.reason == "market: unhealthy"


@pytest.mark.parametrize("left", [0, 1, 2])
def test_everyones_debt_repaid__and_then_a_loan__is_owed_in_full(odd: Setup, left: int) -> None:
    """Abracadabra: repay for others what the totals can bear, then borrow for cheap shares."""
    market, attacker, actors = odd.market, odd.actors.stranger, odd.actors
    lenders = (actors.lender, actors.other_lender)
    mine, theirs = owned(odd, attacker), [owned(odd, lender) for lender in lenders]
    given, state = 0, market.state()
    virtual = assets_up(VIRTUAL_SHARES, state.borrow_assets, state.borrow_shares)
    for victim in (actors.borrower, actors.other_borrower):
        debt = odd.debt(victim)
        market.repay(debt - left, victim, sender=attacker)
        given += debt - left
        for _ in range(3):
            given += market.repay.call(1, victim, sender=attacker)
            market.repay(1, victim, sender=attacker)
    # The interest of the virtual shares is nobody's.
    assert market.state().borrow_assets <= virtual
    borrowed = 700 * WAD + 1
    odd.open(1_000 * WAD, borrowed, attacker)
    assert borrowed <= odd.debt(attacker) <= borrowed + 1
    for _ in range(20):
        market.repay(1, attacker, sender=attacker)
        market.borrow(1, attacker, attacker, sender=attacker)
        assert odd.debt(attacker) >= borrowed
    market.repay(2**255, attacker, sender=attacker)
    assert owned(odd, attacker) <= mine - given
    for lender, had in zip(lenders, theirs, strict=True):
        assert owned(odd, lender) >= had


def test_minimum_debt__of_the_least_kind__has_no_free_remainder(odd: Setup) -> None:
    """Positions of the least debt, each repaid to a wei: what is left behind is still owed."""
    market, attacker = odd.market, odd.actors.manager
    mine, lender = owned(odd, attacker), owned(odd, odd.actors.lender)
    for _ in range(10):
        odd.open(WAD, MIN_DEBT, attacker)
        market.repay(odd.debt(attacker) - 1, attacker, sender=attacker)
        assert odd.debt(attacker) >= 1
        market.repay(1, attacker, sender=attacker)
        assert odd.debt(attacker) == 0
        market.withdraw_collateral(WAD, attacker, attacker, sender=attacker)
    assert owned(odd, attacker) <= mine - 10
    assert owned(odd, odd.actors.lender) >= lender
