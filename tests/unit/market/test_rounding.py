"""Each row of the market's table in docs/rounding.md: a case in which it rounds, and who gains.

Prices of shares are exact fractions of the totals: what a side as a whole gains is the rise of its
price. The scene has interest in it, so that no price is round.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any

import pytest

from tests.properties import curve
from tests.unit.market.conftest import (
    BASE_BONUS,
    BORROW_CAP,
    DAY,
    DELEVERAGE_SHARE,
    FEE,
    MAX_BONUS,
    MAX_LTV,
    PRICE,
    SUPPLY_CAP,
    TARGET_HEALTH,
    THRESHOLD,
    UNLIMITED,
    VIRTUAL_SHARES,
    WAD,
    Setup,
)

TABLE = Path(__file__).parents[3] / "docs" / "rounding.md"
E36 = 10**36
# Odd, so that nothing divides it.
AMOUNT = 7 * WAD + 3

Case = Callable[[Setup], None]
_rows: dict[str, Case] = {}


def row(operation: str) -> Callable[[Case], Case]:
    """The case that shows the row of this operation."""

    def add(case: Case) -> Case:
        assert operation not in _rows
        _rows[operation] = case
        return case

    return add


@pytest.fixture
def still(busy: Setup) -> Setup:
    """The busy market, where no interest is due until time moves on."""
    busy.market.accrue()
    return busy


# Prices


def supply_price(state: Any) -> Fraction:
    """Loan units for a lender's share."""
    return Fraction(state.supply_assets + 1, state.supply_shares + VIRTUAL_SHARES)


def debt_price(state: Any) -> Fraction:
    """Loan units for a debt share."""
    return Fraction(state.borrow_assets + 1, state.borrow_shares + VIRTUAL_SHARES)


def rounded_down(rounded: int, exact: Fraction) -> None:
    """It did round, and by less than one."""
    assert 0 < exact - rounded < 1


def rounded_up(rounded: int, exact: Fraction) -> None:
    assert 0 < rounded - exact < 1


def lenders_gain(setup: Setup, before: Any) -> Fraction:
    """What all lenders' shares from before have gained, loan units: some, and less than one."""
    gain = (supply_price(setup.market.state()) - supply_price(before)) * before.supply_shares
    assert 0 < gain < 1
    return gain


def borrowers_gain(setup: Setup, before: Any) -> Fraction:
    """By how much all debt shares from before have become lighter, loan units."""
    gain = (debt_price(before) - debt_price(setup.market.state())) * before.borrow_shares
    assert 0 < gain < 1
    return gain


# Lenders


@row("lend")
def lend(setup: Setup) -> None:
    before = setup.market.state()
    minted = setup.lend(AMOUNT).events[-1].args["shares"]
    rounded_down(minted, AMOUNT / supply_price(before))
    lenders_gain(setup, before)


@row("mint")
def mint(setup: Setup) -> None:
    before, lender = setup.market.state(), setup.actors.lender
    shares = AMOUNT * 10**6
    paid = setup.market.mint(shares, lender, sender=lender).events[-1].args["assets"]
    rounded_up(paid, shares * supply_price(before))
    lenders_gain(setup, before)


@row("withdraw")
def withdraw(setup: Setup) -> None:
    before, lender = setup.market.state(), setup.actors.lender
    receipt = setup.market.withdraw(AMOUNT, lender, lender, sender=lender)
    rounded_up(receipt.events[-1].args["shares"], AMOUNT / supply_price(before))
    lenders_gain(setup, before)


@row("redeem")
def redeem(setup: Setup) -> None:
    before, lender = setup.market.state(), setup.actors.lender
    shares = AMOUNT * 10**6
    receipt = setup.market.redeem(shares, lender, lender, sender=lender)
    rounded_down(receipt.events[-1].args["assets"], shares * supply_price(before))
    lenders_gain(setup, before)


# Borrowers


@row("borrow")
def borrow(setup: Setup) -> None:
    before, owner = setup.market.state(), setup.actors.borrower
    setup.market.adjust(owner, 100 * WAD, AMOUNT, owner, sender=owner)
    added = setup.market.state().borrow_shares - before.borrow_shares
    rounded_up(added, AMOUNT / debt_price(before))
    borrowers_gain(setup, before)


@row("repay, part")
def repay_part(setup: Setup) -> None:
    before, owner = setup.market.state(), setup.actors.borrower
    setup.market.repay(AMOUNT, owner, sender=owner)
    burned = before.borrow_shares - setup.market.state().borrow_shares
    rounded_down(burned, AMOUNT / debt_price(before))
    borrowers_gain(setup, before)


@row("repay, whole")
def repay_whole(setup: Setup) -> None:
    before, owner = setup.market.state(), setup.actors.borrower
    repaid = setup.market.repay.call(UNLIMITED, owner, sender=owner)
    setup.market.repay(UNLIMITED, owner, sender=owner)
    after = setup.market.state()
    burned = before.borrow_shares - after.borrow_shares
    rounded_up(repaid, burned * debt_price(before))
    assert before.borrow_assets - after.borrow_assets == repaid
    # Those who are left owe less for it.
    assert 0 < (debt_price(before) - debt_price(after)) * after.borrow_shares < 1


@row("health")
def check_health(setup: Setup) -> None:
    """A debt that exact fractions still allow is refused; two units less pass."""
    owner, bites = setup.actors.borrower, 0
    setup.market.repay(UNLIMITED, owner, sender=owner)
    state, collateral = setup.market.state(), setup.held(owner)
    for step in range(10):
        price = PRICE + step * 333 * 10**13
        setup.oracle.set_price(price)
        worth = Fraction(collateral * price, PRICE)
        most = floor(worth * MAX_LTV / WAD)
        # What the debt shares, rounded up, come to.
        owed = ceil(most / debt_price(state)) * debt_price(state)
        if owed <= worth * MAX_LTV / WAD:
            with setup.refused("market: unhealthy"):
                setup.market.borrow(most, owner, owner, sender=owner)
            with setup.chain.isolated():
                setup.market.borrow(most - 2, owner, owner, sender=owner)
            bites += 1
    assert bites > 0


# Interest


@row("interest")
def interest(setup: Setup) -> None:
    """Of a million units lent nine tenths earn a unit and a half: borrowers keep the half."""
    setup = setup.another(min_debt=1)
    setup.market.set_caps((SUPPLY_CAP, BORROW_CAP, 0), sender=setup.actors.owner)
    setup.lend(10**6)
    setup.open(10**7, 9 * 10**5)
    before = setup.market.state()
    seconds = 3 * 365 * DAY * 25 // (2 * 9 * 10**5)
    setup.chain.advance(seconds)
    setup.market.accrue()
    after = setup.market.state()
    with curve.exact():
        growth = curve.period(curve.INITIAL, 9, 10, seconds).growth
    rounded_down(after.borrow_assets - before.borrow_assets, 9 * 10**5 * Fraction(growth))
    assert after.borrow_assets - before.borrow_assets == 1
    assert after.supply_assets - before.supply_assets == 1
    assert after.rate_code == before.rate_code


@row("fee")
def fee(setup: Setup) -> None:
    """Cut twice, to a unit and to a share, and lenders have the rest."""
    before, held = setup.market.state(), setup.market.balanceOf(setup.market.address)
    setup.chain.advance(DAY)
    setup.market.accrue()
    after = setup.market.state()
    earned = after.supply_assets - before.supply_assets
    minted = setup.market.balanceOf(setup.market.address) - held
    assert minted == after.supply_shares - before.supply_shares
    due = Fraction(earned * FEE, WAD)
    without = Fraction(after.supply_assets - floor(due) + 1, before.supply_shares + VIRTUAL_SHARES)
    rounded_down(floor(due), due)
    rounded_down(minted, floor(due) / without)
    assert supply_price(after) * minted < due < supply_price(after) * minted + 2


# Liquidation


def unhealthy(setup: Setup, part: int) -> tuple[str, int, int]:
    """The other borrower, debt and price, at a worth of so many thousandths of the debt."""
    owner = setup.actors.other_borrower
    debt = setup.debt(owner)
    # One more, lest it divide.
    price = debt * PRICE // setup.held(owner) * part // 1_000 + 1
    setup.oracle.set_price(price)
    return owner, debt, price


def exact_bonus(setup: Setup, owner: str, debt: int, price: int) -> Fraction:
    health = Fraction(setup.held(owner) * price * THRESHOLD, PRICE * WAD * debt)
    return min(Fraction(MAX_BONUS, WAD), Fraction(BASE_BONUS, WAD) + 1 - health)


def liquidate(setup: Setup, owner: str, most: int = UNLIMITED) -> Any:
    receipt = setup.market.liquidate(owner, most, 0, sender=setup.actors.liquidator)
    return receipt.events[-1].args


@row("liquidate, part")
def liquidate_part(setup: Setup) -> None:
    """Repaid for target health, up; seized for all of it but two units, down; debt shares too."""
    before, held = setup.market.state(), setup.held(setup.actors.other_borrower)
    owner, debt, price = unhealthy(setup, 1_060)
    bonus = exact_bonus(setup, owner, debt, price)
    done = liquidate(setup, owner)
    threshold, target = Fraction(THRESHOLD, WAD), Fraction(TARGET_HEALTH, WAD)
    worth = Fraction(held * price, PRICE)
    exact = (target * debt - worth * threshold) / (target - (1 + bonus) * threshold)
    # To a unit of the worth, at most twenty of the repayment, and 1e-18 of a repayment's cost.
    assert 0 < done["repaid"] - exact < 20 + Fraction(done["repaid"] * 40, WAD)
    paid = (done["repaid"] - 2) * (1 + bonus) * PRICE / price
    rounded_down(done["seized"], paid)
    burned = before.borrow_shares - setup.market.state().borrow_shares
    rounded_down(burned, done["repaid"] / debt_price(before))
    borrowers_gain(setup, before)


@row("liquidate, whole")
def liquidate_whole(setup: Setup) -> None:
    """The rest would be too small: all debt is repaid; of two units the owner keeps the worth."""
    owner = setup.actors.borrower
    setup.market.repay(setup.debt(owner) - WAD // 10 - 3, owner, sender=owner)
    setup.market.withdraw_collateral(setup.held(owner) - WAD // 8, owner, owner, sender=owner)
    before, held, debt = setup.market.state(), setup.held(owner), setup.debt(owner)
    price = debt * PRICE // held * 1_060 // 1_000
    setup.oracle.set_price(price)
    bonus = exact_bonus(setup, owner, debt, price)
    done = liquidate(setup, owner)
    assert done["repaid"] == debt
    rounded_down(done["seized"], (debt - 2) * (1 + bonus) * PRICE / price)
    assert setup.held(owner) == held - done["seized"] > 0
    burned = before.borrow_shares - setup.market.state().borrow_shares
    rounded_up(done["repaid"], burned * debt_price(before))


@row("liquidate, deep")
def liquidate_deep(setup: Setup) -> None:
    """All of the collateral, paid for up to a unit of its worth: lenders lose less by it."""
    owner, _, price = unhealthy(setup, 900)
    held = setup.held(owner)
    exact = floor(Fraction(held * price, PRICE)) / (1 + Fraction(BASE_BONUS, WAD))
    done = liquidate(setup, owner)
    assert done["seized"] == held
    rounded_up(done["repaid"], exact)


@row("deleverage")
def deleverage(setup: Setup) -> None:
    """Only the market price is too low: the hour's share is cut, and a part as any other."""
    owner = setup.actors.other_borrower
    debt, held = setup.debt(owner), setup.held(owner)
    price = debt * PRICE // held * 1_060 // 1_000
    setup.oracle.set_market_price(price)
    done = liquidate(setup, owner)
    assert done["deleverage"]
    rounded_down(done["repaid"], Fraction(debt * DELEVERAGE_SHARE, WAD))
    paid = (done["repaid"] - 2) * (1 + Fraction(BASE_BONUS, WAD)) * PRICE / price
    rounded_down(done["seized"], paid)


@row("bonus")
def bonus(setup: Setup) -> None:
    """Rounded up, but by so little that a part of the whole supply would seize no unit more."""
    owner, debt, price = unhealthy(setup, 1_060)
    exact = exact_bonus(setup, owner, debt, price)
    cut = setup.held(owner) * price // WAD * THRESHOLD // debt
    rounded = BASE_BONUS * WAD + E36 - cut
    assert 0 < rounded - exact * E36 < 1 + Fraction(THRESHOLD, debt)
    more = Fraction(rounded, E36) - exact
    assert more * setup.market.state().supply_assets * PRICE / price < Fraction(1, 10**6)


@row("bad debt")
def bad_debt(setup: Setup) -> None:
    """Written off with the unit that rounds the debt up: other borrowers owe the less."""
    before = setup.market.state()
    owner, debt, _ = unhealthy(setup, 900)
    done = liquidate(setup, owner)
    after = setup.market.state()
    burned = before.borrow_shares - after.borrow_shares
    assert done["repaid"] + done["bad_debt"] == debt
    rounded_up(debt, burned * debt_price(before))
    assert before.supply_assets - after.supply_assets == done["bad_debt"]
    assert 0 < (debt_price(before) - debt_price(after)) * after.borrow_shares < 1


@row("fee shares for bad debt")
def fee_shares_for_bad_debt(setup: Setup) -> None:
    """Up to a share more of the protocol's than the loss is worth: the other lenders gain it."""
    market, owner = setup.market, setup.actors.borrower
    setup.market.repay(setup.debt(owner) - WAD // 10 - 3, owner, sender=owner)
    setup.market.withdraw_collateral(setup.held(owner) - WAD // 8, owner, owner, sender=owner)
    setup.oracle.set_price(setup.debt(owner) * PRICE // setup.held(owner) * 9 // 10)
    before, held = market.state(), market.balanceOf(market.address)
    done = liquidate(setup, owner)
    burned = held - market.balanceOf(market.address)
    assert 0 < burned < held
    rounded_up(burned, done["bad_debt"] / supply_price(before))
    assert done["lenders_loss"] == 0
    assert supply_price(market.state()) > supply_price(before)


@row("flash loan")
def flash_loan(setup: Setup) -> None:
    """Nothing to round: what was lent comes back, and the books stand as they were."""
    market, wallet, before = setup.market, setup.wallet, setup.market.state()
    cash, held = market.maxFlashLoan(setup.loan.address), setup.loan.balanceOf(wallet.address)
    assert market.flashFee(setup.loan.address, AMOUNT) == 0
    setup.run("flashLoan", wallet.address, setup.loan.address, AMOUNT, b"")
    assert market.state() == before
    assert market.maxFlashLoan(setup.loan.address) == cash
    assert setup.loan.balanceOf(wallet.address) == held


@pytest.mark.parametrize("operation", _rows)
def test_rounding__as_the_table_says__bites_and_shows_who_gains(
    still: Setup, operation: str
) -> None:
    _rows[operation](still)


def test_rounding__table__has_the_rows_that_are_tested() -> None:
    """The first table of the document, below its heading."""
    text = TABLE.read_text(encoding="utf-8")
    market = text.partition("## Lending market\n")[2].partition("\n## ")[0]
    operations = re.findall(r"^\| ([^|]+?) \|", market, re.M)
    assert operations[:2] == ["operation", "---"]
    assert operations[2:] == list(_rows)
