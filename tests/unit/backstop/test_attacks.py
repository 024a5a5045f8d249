"""What one might try on the backstop; each story ends with nothing gained."""

import pytest

from tests.scene import reverts
from tests.unit.backstop.conftest import (
    BACKED,
    DAY,
    SEED,
    UNLOCK_PERIOD,
    WAD,
    Backstop,
    assets_down,
)


def wealth(place: Backstop, who: str) -> int:
    """WETH, and what the shares would be paid now."""
    pool = place.pool
    return int(place.weth.balanceOf(who)) + int(pool.previewRedeem(pool.balanceOf(who)))


def test_donation__of_anything__changes_nothing(backed: Backstop) -> None:
    pool, attacker = backed.pool, backed.actors.attacker
    backed.bought(300 * WAD)
    before = (pool.low_assets(), pool.joining(), pool.totalAssets(), pool.quote(WAD))
    limits = [
        pool.maxWithdraw(backed.actors.depositor),
        pool.free_cash(),
        pool.maxDeposit(attacker),
    ]
    backed.weth.transfer(pool.address, 100 * WAD, sender=attacker)
    backed.lst.transfer(pool.address, 100 * WAD, sender=attacker)
    backed.setup.deposit(100 * WAD, attacker)
    backed.vault.transfer(pool.address, 100 * WAD, sender=attacker)
    assert (pool.low_assets(), pool.joining(), pool.totalAssets(), pool.quote(WAD)) == before
    assert limits == [
        pool.maxWithdraw(backed.actors.depositor),
        pool.free_cash(),
        pool.maxDeposit(attacker),
    ]


@pytest.mark.parametrize("gift", [1, SEED, WAD, 10_000 * WAD])
@pytest.mark.parametrize("victims", [2, SEED, WAD])
def test_first_depositor__with_a_gift__gains_nothing_and_costs_nobody(
    empty: Backstop, gift: int, victims: int
) -> None:
    """In first, WETH pushed into the pool, then the victim: its shares are what it paid for."""
    pool, attacker, victim = empty.pool, empty.actors.attacker, empty.actors.holder
    before = wealth(empty, attacker)
    empty.deposit(1, attacker)
    empty.weth.transfer(pool.address, gift, sender=attacker)
    shares = empty.deposit(victims, victim)
    assert shares == victims
    pool.redeem(1, attacker, attacker, sender=attacker)
    assert wealth(empty, attacker) == before - gift
    assert pool.previewRedeem(shares) == victims


def test_join_before_a_gain_is_booked__earns_nothing(backed: Backstop) -> None:
    """A deposit right before a harvest, out right after it."""
    pool, attacker = backed.pool, backed.actors.attacker
    claim = backed.bought(750 * WAD)
    backed.pay_line()
    before = wealth(backed, attacker)
    shares = backed.deposit(10_000 * WAD, attacker)
    pool.harvest([claim])
    assert pool.locked_profit() > 9 * WAD
    pool.redeem(shares, attacker, attacker, sender=attacker)
    assert wealth(backed, attacker) < before


@pytest.mark.parametrize("days", [0, 1, 7, 14, 30])
def test_join_before_a_gain__and_stay_until_it_has_unlocked__earns_nothing(
    backed: Backstop, days: int
) -> None:
    """It was paid for at the door; the others have all of it."""
    pool, attacker = backed.pool, backed.actors.attacker
    claim = backed.bought(750 * WAD)
    backed.pay_line()
    before = wealth(backed, attacker)
    shares = backed.deposit(10_000 * WAD, attacker)
    pool.harvest([claim])
    gain = pool.locked_profit()
    backed.chain.advance(days * DAY)
    pool.redeem(shares, attacker, attacker, sender=attacker)
    assert wealth(backed, attacker) <= before
    if days >= 14:
        assert before - wealth(backed, attacker) <= 2
        # The seed's shares are the others too.
        without = assets_down(BACKED, BACKED + SEED + gain, BACKED + SEED)
        assert without <= pool.previewRedeem(BACKED) <= without + 2


def test_join_while_the_line_leaves_a_gain__earns_nothing(backed: Backstop) -> None:
    """Nine of ten wait at the low mark; the claims' gain is of the tenth, not of a newcomer."""
    pool, actors = backed.pool, backed.actors
    claim = backed.bought(750 * WAD)
    backed.pay_line()
    backed.ask(BACKED * 9 // 10, actors.depositor)
    before = wealth(backed, actors.attacker)
    backed.deposit(5_000 * WAD, actors.attacker)
    pool.serve(5)
    pool.harvest([claim])
    backed.chain.advance(UNLOCK_PERIOD)
    assert wealth(backed, actors.attacker) <= before
    assert before - wealth(backed, actors.attacker) <= 10**4
    left = pool.previewRedeem(BACKED // 10)
    assert left > BACKED // 10 + 9 * WAD


def test_join_while_the_line_waits_at_several_rates__earns_nothing(backed: Backstop) -> None:
    pool, actors = backed.pool, backed.actors
    backed.deposit(BACKED, actors.holder)
    claim = backed.bought(1_000 * WAD)
    backed.ask(BACKED // 2, actors.depositor)
    backed.slash(WAD // 3)
    backed.ask(BACKED // 2, actors.holder)
    backed.slash(-WAD // 4)
    backed.pay_line()
    before = wealth(backed, actors.attacker)
    backed.deposit(5_000 * WAD, actors.attacker)
    pool.serve(5)
    pool.harvest([claim])
    backed.chain.advance(UNLOCK_PERIOD)
    assert wealth(backed, actors.attacker) <= before


@pytest.mark.parametrize("seen", [False, True])
def test_leave_before_a_loss_is_booked__saves_nothing(backed: Backstop, seen: bool) -> None:
    """Before anyone syncs, or while the slash can be seen only."""
    pool, actors = backed.pool, backed.actors
    shares = backed.deposit(BACKED, actors.attacker)
    claim = backed.bought(750 * WAD)
    (backed.see_slash if seen else backed.slash)(WAD // 5)
    with backed.chain.isolated():
        pool.redeem(shares // 2, actors.attacker, actors.attacker, sender=actors.attacker)
        early = wealth(backed, actors.attacker)
    if seen:
        backed.see_slash(0)
        backed.slash(WAD // 5)
    backed.vault.sync()
    backed.pay_line()
    pool.harvest([claim])
    pool.redeem(shares // 2, actors.attacker, actors.attacker, sender=actors.attacker)
    assert early <= wealth(backed, actors.attacker)


def test_leave_with_a_realised_gain__forfeits_what_is_locked(backed: Backstop) -> None:
    pool, actors = backed.pool, backed.actors
    shares = backed.deposit(BACKED, actors.attacker)
    claim = backed.bought(750 * WAD)
    backed.pay_line()
    pool.harvest([claim])
    gain = pool.locked_profit()
    paid = pool.redeem.call(shares, actors.attacker, actors.attacker, sender=actors.attacker)
    pool.redeem(shares, actors.attacker, actors.attacker, sender=actors.attacker)
    assert paid == BACKED
    backed.chain.advance(UNLOCK_PERIOD)
    assert pool.low_assets() == BACKED + SEED + gain


def test_run__who_is_first__is_paid_no_better(backed: Backstop) -> None:
    """Bad news, most money in claims: the fast take the cash, at the price the slow have too."""
    pool, actors = backed.pool, backed.actors
    backed.deposit(BACKED, actors.attacker)
    claim = backed.bought(1_200 * WAD)
    backed.slash(WAD // 5)
    price = (pool.low_assets(), pool.totalSupply())
    fast = pool.maxRedeem(actors.attacker)
    took = pool.redeem.call(fast, actors.attacker, actors.attacker, sender=actors.attacker)
    pool.redeem(fast, actors.attacker, actors.attacker, sender=actors.attacker)
    assert took == assets_down(fast, *price)
    backed.ask(BACKED, actors.depositor)
    backed.setup.deposit(3_000 * WAD)
    backed.pay_line()
    had = backed.weth.balanceOf(actors.depositor)
    pool.harvest([claim])
    pool.serve(5)
    slow = backed.weth.balanceOf(actors.depositor) - had
    assert slow * fast >= took * BACKED


@pytest.mark.parametrize("parts", [2, 7, 50])
def test_rounding__leaving_in_parts__pays_no_more(backed: Backstop, parts: int) -> None:
    pool, who = backed.pool, backed.actors.depositor
    backed.bought(300 * WAD)
    backed.slash(WAD // 7)
    whole = 100 * WAD + 1
    once = pool.previewRedeem(whole)
    had = backed.weth.balanceOf(who)
    for part in [whole // parts] * (parts - 1) + [whole - whole // parts * (parts - 1)]:
        pool.redeem(part, who, who, sender=who)
    assert once - 2 * parts <= backed.weth.balanceOf(who) - had <= once


@pytest.mark.parametrize("parts", [2, 7, 50])
def test_rounding__joining_in_parts__gives_no_more(backed: Backstop, parts: int) -> None:
    backed.bought(300 * WAD)
    whole = 100 * WAD + 1
    once = backed.pool.previewDeposit(whole)
    pieces = [whole // parts] * (parts - 1) + [whole - whole // parts * (parts - 1)]
    got = sum(backed.deposit(part, backed.actors.holder) for part in pieces)
    assert once - 2 * parts <= got <= once


@pytest.mark.parametrize("amount", [1, 2, 3, 1_000])
def test_rounding__in_and_out_a_hundred_times__gains_nothing(backed: Backstop, amount: int) -> None:
    pool, who = backed.pool, backed.actors.attacker
    backed.bought(300 * WAD)
    backed.slash(WAD // 7)
    before = wealth(backed, who)
    for _ in range(100):
        pool.mint(amount, who, sender=who)
        if pool.previewRedeem(amount):
            pool.redeem(amount, who, who, sender=who)
    assert wealth(backed, who) <= before


def test_sale__at_a_pushed_price__waits(backed: Backstop) -> None:
    """Who pushes the pool by more than a fresh sale may lose gets no sale to take back from."""
    pool = backed.pool
    claim = backed.bought(300 * WAD)
    backed.pay_line()
    rate = backed.lst.stEthPerToken()
    backed.pay_well(rate * (WAD - 3 * 10**14) // WAD)
    pool.harvest([claim], sender=backed.actors.attacker)
    assert pool.lst() == backed.queue.request(claim).claimable_assets + pool.lst()
    backed.pay_well()
    pool.harvest([])
    assert pool.lst() == 0


def test_line__blocked_by_dust__is_walked_over(backed: Backstop) -> None:
    """A whole balance of one unit before a real exit: it is paid, or burnt for nothing."""
    pool, actors = backed.pool, backed.actors
    pool.transfer(actors.attacker, 1, sender=actors.depositor)
    backed.ask(1, actors.attacker)
    backed.bought(300 * WAD)
    backed.slash(WAD // 7)
    assert pool.previewRedeem(1) == 0
    backed.ask(100 * WAD, actors.depositor)
    pool.serve(2)
    assert (pool.head(), pool.waiting_shares()) == (3, 0)


def test_liquidator__that_says_it_seized_lrt_of_a_strange_market__sells_nothing(
    backed: Backstop,
) -> None:
    given = (backed.pool.address, backed.vault.address, WAD)
    for market in (backed.actors.attacker, backed.vault.address, backed.pool.address):
        backed.liquidator.set_seizing(market, WAD)
        with reverts("backstop: market not listed"):
            backed.liquidator.buy(*given)
