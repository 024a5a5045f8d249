import pytest

from tests.scene import reverts
from tests.unit.backstop.conftest import (
    BACKED,
    ROLES,
    SEED,
    UNLOCK_PERIOD,
    WAD,
    Backstop,
    assets_down,
)


@pytest.fixture
def waiting(backed: Backstop) -> Backstop:
    """Two of three depositors wait, 1,000 shares each; of 3,000 WETH some 180 are not spent."""
    actors = backed.actors
    backed.deposit(BACKED, actors.holder)
    backed.deposit(BACKED, actors.attacker)
    backed.bought(2_300 * WAD)
    backed.ask(BACKED, actors.depositor)
    backed.ask(BACKED, actors.holder)
    assert 0 < backed.pool.cash() < 200 * WAD
    return backed


@pytest.mark.parametrize("role", ROLES)
def test_serve__cash_that_suffices__pays_the_line(backed: Backstop, role: str) -> None:
    pool, actors = backed.pool, backed.actors
    backed.deposit(BACKED, actors.holder)
    backed.ask(BACKED, actors.depositor)
    backed.ask(300 * WAD, actors.holder)
    had = [backed.weth.balanceOf(who) for who in (actors.depositor, actors.holder)]
    caller = getattr(actors, role)
    assert pool.serve.call(5, sender=caller) == BACKED + 300 * WAD
    receipt = pool.serve(5, sender=caller)
    assert receipt.events[:4] == [
        backed.moved(backed.weth, pool.address, actors.depositor, BACKED),
        backed.event("ExitPaid", id=1, receiver=actors.depositor, shares=BACKED, assets=BACKED),
        backed.moved(backed.weth, pool.address, actors.holder, 300 * WAD),
        backed.event("ExitPaid", id=2, receiver=actors.holder, shares=300 * WAD, assets=300 * WAD),
    ]
    assert [event.name for event in receipt.events[4:]] == ["Transfer"]
    assert receipt.events[4].args["value"] == BACKED + 300 * WAD
    now = [backed.weth.balanceOf(who) for who in (actors.depositor, actors.holder)]
    assert now == [had[0] + BACKED, had[1] + 300 * WAD]
    assert (pool.waiting_shares(), pool.waiting_worth(), pool.head()) == (0, 0, 3)
    assert pool.cash() == backed.weth.balanceOf(pool.address) == 700 * WAD + SEED
    assert pool.balanceOf(pool.address) == 0


def test_serve__too_little_cash__pays_the_head_in_part(waiting: Backstop) -> None:
    pool, who = waiting.pool, waiting.actors.depositor
    cash, supply = pool.cash(), pool.totalSupply()
    request = pool.exit_at(1)
    due = min(request.worth, assets_down(request.shares, pool.low_assets(), supply))
    shares = request.shares * cash // due
    worth = request.worth * shares // request.shares
    part = min(worth, assets_down(shares, pool.low_assets(), supply))
    had = waiting.weth.balanceOf(who)
    pool.serve(5)
    assert waiting.weth.balanceOf(who) == had + part
    assert 0 <= cash - part <= 2
    assert tuple(pool.exit_at(1)) == (who, request.shares - shares, request.worth - worth)
    assert pool.head() == 1
    # With nothing left, nothing happens.
    before = waiting.state()
    assert pool.serve.call(5) == 0
    pool.serve(5)
    assert waiting.state() == before


def test_serve__cash_that_comes__is_the_lines_first(waiting: Backstop) -> None:
    """Neither a purchase nor an instant exit overtakes it."""
    pool, actors = waiting.pool, waiting.actors
    waiting.pay_line()
    pool.harvest([1])
    cash = pool.cash()
    assert 0 < cash < pool.waiting_worth()
    assert pool.free_cash() == pool.maxWithdraw(actors.attacker) == 0
    assert pool.maxRedeem(actors.attacker) == 0
    with reverts("backstop: not enough cash"):
        pool.redeem(WAD, actors.attacker, actors.attacker, sender=actors.attacker)
    with reverts("backstop: not enough cash"):
        waiting.sell(WAD)
    had = waiting.weth.balanceOf(actors.depositor)
    pool.serve(5)
    assert waiting.weth.balanceOf(actors.depositor) == had + BACKED
    assert pool.head() == 2


def test_serve__deposit__pays_the_line(waiting: Backstop) -> None:
    pool, actors = waiting.pool, waiting.actors
    waiting.deposit(3 * BACKED, actors.stranger)
    low = pool.low_assets()
    pool.serve(5)
    assert (pool.waiting_shares(), pool.head()) == (0, 3)
    assert low - pool.low_assets() == 2 * BACKED


def test_serve__loss_while_they_wait__is_borne_by_all_alike(waiting: Backstop) -> None:
    pool, actors = waiting.pool, waiting.actors
    waiting.slash(WAD // 2)
    before = assets_down(BACKED, pool.low_assets(), pool.totalSupply())
    waiting.deposit(3 * BACKED, actors.stranger)
    # The newcomer has paid the high mark, and takes none of it.
    each = assets_down(BACKED, pool.low_assets(), pool.totalSupply())
    assert before <= each < BACKED * 3 // 4
    had = [waiting.weth.balanceOf(who) for who in (actors.depositor, actors.holder)]
    pool.serve(5)
    now = [waiting.weth.balanceOf(who) for who in (actors.depositor, actors.holder)]
    assert now[0] - had[0] == now[1] - had[1] == each
    assert pool.waiting_worth() == 0


def test_serve__gain_while_they_wait__is_of_those_who_stay(waiting: Backstop) -> None:
    pool, actors = waiting.pool, waiting.actors
    waiting.setup.deposit(3_000 * WAD)
    waiting.pay_line()
    pool.harvest([1])
    waiting.chain.advance(UNLOCK_PERIOD)
    had = [waiting.weth.balanceOf(who) for who in (actors.depositor, actors.holder)]
    pool.serve(5)
    now = [waiting.weth.balanceOf(who) for who in (actors.depositor, actors.holder)]
    assert [b - a for a, b in zip(had, now, strict=True)] == [BACKED, BACKED]
    assert pool.low_assets() == pool.cash()
    assert pool.previewRedeem(BACKED) == assets_down(BACKED, pool.cash(), BACKED + SEED) > BACKED


def test_serve__visible_slash__only_for_who_asks_for_himself(waiting: Backstop) -> None:
    pool, actors = waiting.pool, waiting.actors
    waiting.deposit(3 * BACKED, actors.stranger)
    waiting.see_slash(WAD // 2)
    for caller in (actors.stranger, actors.holder, actors.attacker):
        assert pool.serve.call(5, sender=caller) == 0
    due = assets_down(BACKED, pool.low_assets(), pool.totalSupply())
    assert due < BACKED
    had = waiting.weth.balanceOf(actors.depositor)
    pool.serve(5, sender=actors.depositor)
    assert waiting.weth.balanceOf(actors.depositor) == had + due
    assert pool.head() == 2
    # It was vetoed: the other is paid in full.
    waiting.see_slash(0)
    had = waiting.weth.balanceOf(actors.holder)
    pool.serve(5)
    assert waiting.weth.balanceOf(actors.holder) == had + BACKED


def test_serve__slash_that_touches_nothing_of_the_pools__stops_nobody(backed: Backstop) -> None:
    backed.ask(BACKED, backed.actors.depositor)
    backed.see_slash(WAD // 2)
    backed.pool.serve(1)
    assert backed.pool.waiting_shares() == 0


@pytest.mark.parametrize(("most", "head"), [(0, 1), (1, 2), (2, 3), (9, 4), (2**256 - 1, 4)])
def test_serve__bound__is_kept(backed: Backstop, most: int, head: int) -> None:
    for _ in range(3):
        backed.ask(WAD, backed.actors.depositor)
    backed.pool.serve(most)
    assert backed.pool.head() == head


def test_serve__nobody_waits__does_nothing(backed: Backstop) -> None:
    before = backed.state()
    assert backed.pool.serve(5).events == []
    assert backed.state() == before


def test_serve__run__ends_with_everybody_paid_alike(backed: Backstop) -> None:
    """All ask at once with most of the money in claims; some is lost; the order does not matter."""
    pool, actors = backed.pool, backed.actors
    people = [actors.depositor, actors.holder, actors.attacker, actors.stranger]
    for who in people[1:]:
        backed.deposit(BACKED, who)
    backed.bought(3_000 * WAD)
    for who in people:
        backed.ask(pool.balanceOf(who), who)
    backed.slash(WAD // 4)
    backed.setup.deposit(5_000 * WAD)
    backed.pay_line()
    had = [backed.weth.balanceOf(who) for who in people]
    for _ in range(3):
        pool.serve(5)
    pool.harvest([1])
    backed.chain.advance(UNLOCK_PERIOD)
    for _ in range(3):
        pool.serve(5)
    got = [backed.weth.balanceOf(who) - before for who, before in zip(people, had, strict=True)]
    assert pool.waiting_shares() == 0
    assert max(got) < BACKED
    # The first were paid a part before the sale brought a little above the least.
    assert max(got) - min(got) < BACKED * 5 // 1_000
    assert 0 <= pool.cash() - pool.low_assets() <= 10**9
