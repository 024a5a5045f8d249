"""State, positions and rates."""

import pytest

from tests.unit.market.conftest import BORROW_CAP, DAY, FEE, SUPPLY_CAP, WAD, Setup


def test_state__interest_until_now__is_in_it(aged: Setup) -> None:
    market = aged.market
    state = market.state()
    assert state.updated == aged.chain.timestamp
    assert state.supply_assets == market.totalAssets() > 1_000 * WAD
    assert state.supply_shares == market.totalSupply() > 1_000 * WAD * 10**6
    market.accrue()
    assert market.state() == state


def test_state__time__is_kept_modulo_two_to_the_32(busy: Setup) -> None:
    market, chain = busy.market, busy.chain
    market.repay(10**30, busy.actors.borrower, sender=busy.actors.borrower)
    market.repay(10**30, busy.actors.other_borrower, sender=busy.actors.other_borrower)
    chain.advance(2**32 - chain.timestamp - 5)
    busy.open(100 * WAD, 90 * WAD)
    assert market.state().updated == 2**32 - 5
    debt = busy.debt()
    chain.advance(10)
    assert market.state().updated == 5
    market.accrue()
    # Ten seconds of interest at some 0.03 % a year, not a hundred years of it.
    assert debt < busy.debt() < debt + 90 * WAD // 10**8


def test_position__debt__has_interest_and_collateral_has_not(aged: Setup) -> None:
    held, debt = aged.market.position(aged.actors.borrower)
    assert held == 100 * WAD
    assert debt > 90 * WAD
    assert tuple(aged.market.position(aged.actors.stranger)) == (0, 0)


def test_debt_shares__of_each__are_all_there_are(busy: Setup) -> None:
    market, actors = busy.market, busy.actors
    shares = {one: market.debt_shares(one) for one in (actors.borrower, actors.other_borrower)}
    state = market.state()
    assert sum(shares.values()) == state.borrow_shares
    for one, held in shares.items():
        total = state.borrow_shares + 10**6
        assert market.position(one)[1] == -(-held * (state.borrow_assets + 1) // total)
    assert market.debt_shares(actors.stranger) == 0


def test_caps__as_set(setup: Setup) -> None:
    assert tuple(setup.market.caps()) == (SUPPLY_CAP, BORROW_CAP, FEE)


@pytest.mark.parametrize(
    ("use", "rate"),
    [(0, 10**16), (45, 10**16 * 5 // 2), (90, 4 * 10**16), (95, 10**17), (100, 16 * 10**16)],
)
def test_borrow_rate__use__gives_the_curve(lent: Setup, use: int, rate: int) -> None:
    if use:
        lent.open(2_000 * WAD, use * 10 * WAD)
    assert lent.market.borrow_rate() == pytest.approx(rate, rel=1.4e-9)


def test_borrow_rate__time__lets_it_drift(lent: Setup) -> None:
    market = lent.market
    lent.open(2_000 * WAD, 1_000 * WAD)
    rates = [market.borrow_rate()]
    for _ in range(3):
        lent.chain.advance(DAY)
        rates.append(market.borrow_rate())
    assert rates == sorted(rates)
    # 50 a year at full use: e**(50 / 365) a day.
    assert rates[1] == pytest.approx(rates[0] * 2.718281828459045 ** (50 / 365), rel=1e-8)
