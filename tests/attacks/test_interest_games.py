"""Interest is pushed up against those who owe, or taken by those who did not earn it.

Aave's WETH market, 2025-07-16 to 25: lenders left, the rate went to 10 to 18 %, exits by the queue
took 18 to 21 days, and loops ran under water on their carry. Here a whale would use the whole cash
for a block to move the rate, hold it for a day, or come and go around the moment at which interest
is booked. What stops it: a rate moves by time alone, a day at full use costs a borrower a bounded
part of its debt, repaying and unwinding work at full use, and a deposit books the interest first.
"""

from fractions import Fraction

import pytest

from relever.protocol import Deployment
from tests.attacks.purse import owned, purse
from tests.scene import ETHER, SWAP, open_leveraged
from tests.unit.market.conftest import DAY, UNLIMITED, WAD, Setup
from tests.unit.router.conftest import FREE


def use_everything(setup: Setup, whale: str) -> None:
    """Borrow all the cash."""
    cash = setup.market.maxFlashLoan(setup.loan.address)
    setup.open(2 * cash, cash, whale)
    assert setup.market.maxFlashLoan(setup.loan.address) == 0


@pytest.mark.parametrize("times", [1, 5])
def test_all_the_cash__borrowed_for_a_block__moves_no_rate(busy: Setup, times: int) -> None:
    """With a flash loan's money, for nothing: the rate afterwards is the rate before."""
    market, whale, actors = busy.market, busy.actors.stranger, busy.actors
    victims = (actors.borrower, actors.other_borrower)
    lenders = (actors.lender, actors.other_lender)
    mine, rate = owned(busy, whale), market.borrow_rate()
    with busy.chain.isolated():
        busy.chain.advance(DAY)
        market.accrue(sender=whale)
        debts = [busy.debt(victim) for victim in victims]
        rest = market.state().rate_code, [owned(busy, lender) for lender in lenders]
    for _ in range(times):
        use_everything(busy, whale)
        market.accrue(sender=whale)
        assert market.borrow_rate() > 3 * rate
        market.adjust(whale, -busy.held(whale), -(2**111), whale, sender=whale)
        market.accrue(sender=whale)
    assert market.borrow_rate() == rate
    assert owned(busy, whale) <= mine
    busy.chain.advance(DAY)
    market.accrue(sender=whale)
    assert market.state().rate_code == rest[0]
    for victim, debt in zip(victims, debts, strict=True):
        # The whale's rounding falls to the others.
        assert debt - 2 * times <= busy.debt(victim) <= debt + 1
    for lender, had in zip(lenders, rest[1], strict=True):
        assert owned(busy, lender) >= had - 1


def test_all_the_cash__borrowed_for_a_day__costs_a_borrower_a_bounded_part(busy: Setup) -> None:
    """From a rate at target of r: at most 4 r e**(50/365); the whale pays it too."""
    market, whale, victim = busy.market, busy.actors.stranger, busy.actors.other_borrower
    mine, debt = owned(busy, whale), busy.debt(victim)
    use_everything(busy, whale)
    at_target = Fraction(market.borrow_rate(), 4 * WAD)
    busy.chain.advance(DAY)
    cost = busy.debt(victim) - debt
    # e**(50/365) is less than 1.147, and what compounds within a day is beyond the thousandth.
    most = debt * 4 * at_target * Fraction(1_148, 1_000) / 365
    assert 0 < cost < most < debt * Fraction(1, 1_000)
    assert market.repay(UNLIMITED, victim, sender=victim)
    assert busy.debt(victim) == 0
    market.adjust(whale, -busy.held(whale), -(2**111), whale, sender=whale)
    assert owned(busy, whale) < mine


def test_lenders_gone__at_full_use__a_looper_unwinds_by_the_router(scene: Deployment) -> None:
    """July 2025: nobody needs the market's cash, nor the vault's, to get out."""
    protocol, roles = scene.protocol, scene.roles
    market, looper = protocol.market, roles.looper
    open_leveraged(scene, 3 * ETHER, 20 * ETHER)
    cash = market.maxWithdraw(roles.lender)
    market.withdraw(cash, roles.lender, roles.lender, sender=roles.lender)
    assert market.maxWithdraw(roles.lender) == 0
    collateral, debt = market.position(looper)
    before = purse(scene, looper)
    protocol.router.close(market.address, collateral, UNLIMITED, SWAP, FREE, sender=looper)
    assert tuple(market.position(looper)) == (0, 0)
    # The pool's fee and slippage are all that it cost.
    assert before - purse(scene, looper) < debt // 50


@pytest.mark.parametrize("just", ["before an accrual", "before a repayment", "around a loan"])
def test_lender__comes_for_the_moment_of_the_interest__earns_none(aged: Setup, just: str) -> None:
    """A hundred days of interest are not booked; the attacker brings ten times the pool."""
    market, actors, attacker = aged.market, aged.actors, aged.actors.stranger
    market.set_caps((10**26, 10**26, WAD // 10), sender=actors.owner)
    aged.chain.advance(100 * DAY)
    mine, theirs = owned(aged, attacker), owned(aged, actors.lender)
    aged.lend(10_000 * WAD, attacker)
    if just == "before an accrual":
        market.accrue(sender=attacker)
    elif just == "before a repayment":
        market.repay(UNLIMITED, actors.borrower, sender=actors.borrower)
    else:
        aged.open(100 * WAD, 90 * WAD, actors.other_borrower)
        market.repay(UNLIMITED, actors.other_borrower, sender=actors.other_borrower)
    market.redeem(market.balanceOf(attacker), attacker, attacker, sender=attacker)
    assert owned(aged, attacker) <= mine
    assert owned(aged, actors.lender) >= theirs


@pytest.mark.parametrize("days", [1, 30, 365])
@pytest.mark.parametrize("share", [WAD // 10, WAD // 2, 99 * WAD // 100])
def test_borrowing_from_oneself__earns_neither_interest_nor_fees(
    busy: Setup, days: int, share: int
) -> None:
    """Lender and borrower in one: what goes to the others and to the protocol is lost."""
    market, me, myself = busy.market, busy.actors.stranger, busy.actors.manager
    lenders = (busy.actors.lender, busy.actors.other_lender)
    honest = (busy.actors.borrower, busy.actors.other_borrower)
    # So much that nearly all of what others owe is owed to the attacker's shares.
    busy.lend(20_000 * WAD, me)
    busy.open(40_000 * share, 20_000 * share, myself)
    mine, others = owned(busy, me, myself), sum(owned(busy, lender) for lender in lenders)
    owed = sum(busy.debt(who) for who in honest)
    busy.chain.advance(days * DAY)
    market.accrue(sender=me)
    paid = sum(busy.debt(who) for who in honest) - owed
    others = sum(owned(busy, lender) for lender in lenders) - others
    assert others > 0 < paid
    # What others paid, less what others earned; a rate pushed up by oneself does not change that.
    assert owned(busy, me, myself) - mine <= paid - others


def test_overpaid_interest__is_not_taken(busy: Setup) -> None:
    """Donated interest: more than is owed is not pulled, and a transfer is nobody's."""
    market, attacker, victim = busy.market, busy.actors.stranger, busy.actors.borrower
    busy.lend(1_000 * WAD, attacker)
    mine, debt = owned(busy, attacker), busy.debt(victim)
    rate, worth = market.borrow_rate(), market.convertToAssets(10**24)
    repaid = market.repay.call(UNLIMITED, victim, sender=attacker)
    market.repay(UNLIMITED, victim, sender=attacker)
    assert repaid == debt
    busy.loan.transfer(market.address, 500 * WAD, sender=attacker)
    assert market.convertToAssets(10**24) == worth
    assert market.borrow_rate() < rate
    assert owned(busy, attacker) <= mine - debt - 500 * WAD


def test_rate__of_a_market_hardly_used__pushed_for_a_month__is_paid_for_by_who_pushed(
    setup: Setup,
) -> None:
    """Known and bounded: an idle market's rate can be driven up by one's own loan, at its rate."""
    market, whale, victim = setup.market, setup.actors.stranger, setup.actors.borrower
    setup.lend(WAD // 10, whale)
    setup.open(WAD, WAD // 10, whale)
    setup.chain.advance(30 * DAY)
    market.accrue(sender=whale)
    # Two hundred per cent at most, and four times that at full use.
    assert market.borrow_rate() <= 8 * WAD
    setup.lend(1_000 * WAD, setup.actors.lender)
    setup.open(200 * WAD, 100 * WAD, victim)
    # With lenders there it is a quarter of that, and half of it gone in a fortnight.
    assert market.borrow_rate() < 2 * WAD * 36 // 100
    rate = market.borrow_rate()
    setup.chain.advance(14 * DAY)
    assert market.borrow_rate() < rate // 2
    assert market.repay(UNLIMITED, victim, sender=victim)
