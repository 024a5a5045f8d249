"""Interest, booked by anyone."""

from decimal import Decimal, localcontext

from tests.unit.market.conftest import (
    BORROW_CAP,
    DAY,
    FEE,
    MAX_CAP,
    SUPPLY_CAP,
    WAD,
    YEAR,
    Setup,
    shares_down,
)


def test_accrue__interest__is_shared_with_the_protocol(aged: Setup) -> None:
    market = aged.market
    now = market.state()
    before = now._replace(supply_assets=1_000 * WAD, supply_shares=1_000 * WAD * 10**6)
    interest = now.supply_assets - before.supply_assets
    assert interest == now.borrow_assets - 90 * WAD > 0
    fee = interest * FEE // WAD
    fee_shares = shares_down(fee, now.supply_assets - fee, before.supply_shares)
    # The fee is what the fee's shares are worth, and lenders have the rest.
    assert now.supply_shares == before.supply_shares + fee_shares
    assert fee - 1 <= market.convertToAssets(fee_shares) <= fee

    receipt = market.accrue(sender=aged.actors.stranger)

    assert receipt.events == aged.accrued(before, now)
    assert market.state() == now
    assert market.balanceOf(market.address) == fee_shares
    assert aged.loan.balanceOf(market.address) == 910 * WAD


def test_accrue__low_use__is_a_quarter_of_a_falling_rate(aged: Setup) -> None:
    """A hundred days at 9 % utilisation: from 4 % the rate at target falls to its least, 0.1 %."""
    market = aged.market
    interest = market.state().borrow_assets - 90 * WAD
    with localcontext(prec=50):
        utilisation, years = Decimal("0.09"), Decimal(100) / 365
        deviation = (utilisation - Decimal("0.9")) / Decimal("0.9")
        least, start = Decimal("0.001"), Decimal("0.04")
        middle = max(least, start * (50 * deviation * years / 2).exp())
        end = max(least, start * (50 * deviation * years).exp())
        assert middle == end == least
        at_target = (start + 2 * middle + end) / 4
        rate = at_target * (1 + Decimal("0.75") * deviation)
        x = rate * years
        expected = 90 * WAD * (x + x**2 / 2 + x**3 / 6)
    assert abs(interest - expected) < expected * Decimal("1e-8")
    assert market.state().rate_code == 0


def test_accrue__twice_in_a_block__books_it_once(aged: Setup) -> None:
    market = aged.market
    market.accrue()
    state = market.state()
    receipt = market.accrue()
    assert receipt.events == []
    assert market.state() == state


def test_accrue__nothing_borrowed__moves_the_rate_and_the_time_only(lent: Setup) -> None:
    market, before = lent.market, lent.market.state()
    lent.chain.advance(DAY)
    receipt = market.accrue()
    assert receipt.events == []
    after = market.state()
    assert after.rate_code < before.rate_code
    assert after.updated == before.updated + DAY
    assert after[:4] == before[:4]


def test_accrue__no_fee__gives_lenders_everything(borrowed: Setup) -> None:
    market, actors = borrowed.market, borrowed.actors
    market.set_caps((SUPPLY_CAP, BORROW_CAP, 0), sender=actors.owner)
    borrowed.chain.advance(DAY)
    state = market.state()
    interest = state.supply_assets - 1_000 * WAD
    receipt = market.accrue()
    assert receipt.events == [borrowed.event("Accrued", interest=interest)]
    assert market.balanceOf(market.address) == 0
    assert state.supply_shares == 1_000 * WAD * 10**6


def test_accrue__cash__does_not_move_with_time(aged: Setup) -> None:
    market = aged.market
    for days in (0, 1, 100, 1_000):
        aged.chain.advance(days * DAY)
        state = market.state()
        assert state.supply_assets - state.borrow_assets == 910 * WAD


def test_accrue__debts_and_claims__never_fall_with_time(busy: Setup) -> None:
    market, actors = busy.market, busy.actors

    def standing() -> list[int]:
        return [
            busy.debt(actors.borrower),
            busy.debt(actors.other_borrower),
            market.convertToAssets(market.balanceOf(actors.lender)),
            market.convertToAssets(market.balanceOf(actors.other_lender)),
        ]

    before = standing()
    for seconds in (1, 12, DAY, YEAR):
        busy.chain.advance(seconds)
        expected = standing()
        market.accrue()
        # What a view says is what the books say after.
        assert standing() == expected
        assert all(now >= then for now, then in zip(expected, before, strict=True))
        before = expected


def test_accrue__sums__match_to_the_wei(busy: Setup) -> None:
    market, actors = busy.market, busy.actors
    busy.chain.advance(DAY)
    state = market.state()
    debts = busy.debt(actors.borrower) + busy.debt(actors.other_borrower)
    assert abs(debts - state.borrow_assets) <= 2
    market.accrue()
    owners = (actors.lender, actors.other_lender, market.address)
    assert sum(market.balanceOf(owner) for owner in owners) == state.supply_shares
    claims = sum(market.convertToAssets(market.balanceOf(owner)) for owner in owners)
    assert state.supply_assets - 4 <= claims <= state.supply_assets
    cash = busy.loan.balanceOf(market.address)
    assert cash + state.borrow_assets >= state.supply_assets


def test_accrue__every_block__is_the_same_as_once(borrowed: Setup) -> None:
    """At 90 % use, where the rate stays, 300 blocks of 12 seconds against one hour.

    Tolerance: 1e-5 of the interest. In steps, utilisation climbs with the interest and the rate
    with it, 3 * 10 times as much; in one step it is that of the start.
    """
    market, chain = borrowed.market, borrowed.chain
    borrowed.open(2_000 * WAD, 810 * WAD, borrowed.actors.other_borrower)
    before = market.state()
    with chain.isolated():
        chain.advance(3_600)
        once = market.state()
    for _ in range(300):
        chain.advance(12)
        market.accrue()
    often = market.state()
    assert once.rate_code == before.rate_code
    assert abs(often.rate_code - once.rate_code) <= 300
    interest = once.borrow_assets - before.borrow_assets
    assert 0 <= often.borrow_assets - once.borrow_assets < interest // 100_000


def test_accrue__every_block__lets_the_rate_drift_the_same(lent: Setup) -> None:
    """At full use, where the rate climbs fastest: each step rounds the code to the nearest."""
    market, chain = lent.market, lent.chain
    lent.open(2_000 * WAD, 1_000 * WAD)
    with chain.isolated():
        chain.advance(3_600)
        once = market.state()
    for _ in range(300):
        chain.advance(12)
        market.accrue()
    often = market.state()
    assert abs(often.rate_code - once.rate_code) <= 150
    # The rate climbs by 0.6 % in the hour: its curve is followed by three points to 1e-5.
    interest = once.borrow_assets - 1_000 * WAD
    assert abs(often.borrow_assets - once.borrow_assets) < interest // 50_000


def test_accrue__after_a_century__saturates_rather_than_stops(setup: Setup) -> None:
    market, actors = setup.market, setup.actors
    market.set_caps((MAX_CAP, MAX_CAP, FEE), sender=actors.owner)
    setup.lend(10**26)
    setup.open(2 * 10**26, 10**26)
    # All is used, so the rate goes to 800 % a year; a hundred years of it end at the width.
    for _ in range(100):
        setup.chain.advance(YEAR)
        market.accrue()
    state = market.state()
    assert state.supply_assets == state.borrow_assets == 2**90 - 1
    owner = actors.borrower
    market.repay(10**26, owner, sender=owner)
    market.withdraw(10**26, actors.lender, actors.lender, sender=actors.lender)
    receipt = market.liquidate(owner, 2**255, 0, sender=actors.liquidator)
    assert receipt.events[-1].name == "Liquidated"
    assert tuple(market.position(owner)) == (0, 0)
