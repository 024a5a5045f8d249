import pytest

from tests.scene import reverts
from tests.unit.backstop.conftest import (
    BACKED,
    DAY,
    MAX_SALE_LOSS,
    RATE,
    ROLES,
    SALE_LOSS,
    SEED,
    UNLOCK_PERIOD,
    WAD,
    WAIT,
    Backstop,
)

LOT = 500 * WAD


@pytest.fixture
def paid(backed: Backstop) -> Backstop:
    """A claim of 500 LRT that the queue has paid in full."""
    backed.bought(LOT)
    backed.pay_line()
    return backed


def min_rate(loss: int) -> int:
    """Of a sale that may lose so much (WAD)."""
    return -(-RATE * (WAD - loss) // WAD)


@pytest.mark.parametrize("role", ROLES)
def test_harvest__claim_paid_in_full__is_sold_and_its_gain_locked(
    paid: Backstop, role: str
) -> None:
    pool, queue, swap = paid.pool, paid.queue, paid.swap
    cost, lst = pool.claim_cost(1), queue.request(1).claimable_assets
    assert cost == paid.worth(LOT) * 99 // 100
    received = lst * RATE // WAD
    gain, low, joining = received - cost, pool.low_assets(), pool.joining()
    caller = getattr(paid.actors, role)
    assert pool.harvest.call([1], sender=caller) == received
    receipt = pool.harvest([1], sender=caller)
    collected = {"request_id": 1, "receiver": pool.address, "shares": LOT, "assets": lst}
    assert [event.name for event in receipt.events] == [
        *("Transfer", "RequestClaimed", "Collected"),
        *("Transfer", "Transfer", "Transfer", "Sold"),
    ]
    assert dict(receipt.events[1].args) == collected
    assert [receipt.events[at] for at in (0, 2, 3, 4, 5, 6)] == [
        paid.moved(paid.lst, queue.address, pool.address, lst),
        paid.event("Collected", claim=1, paid=lst, cost=cost, loss=0),
        paid.moved(paid.lst, pool.address, swap.address, lst),
        paid.moved(paid.weth, swap.address, pool.address, received),
        paid.moved(paid.lst, swap.address, pool.address, 0),
        paid.event("Sold", caller=caller, sold=lst, received=received, gain=gain, loss=0),
    ]
    assert pool.cash() == paid.weth.balanceOf(pool.address) == BACKED + SEED + gain
    assert pool.open_claims() == []
    assert (pool.claim_cost(1), pool.lst(), pool.lst_cost()) == (0, 0, 0)
    assert pool.locked_profit() == gain > 0
    # Neither who leaves nor who joins has anything of it at once.
    assert pool.low_assets() == low == BACKED + SEED
    assert pool.joining() == joining


def test_harvest__gain__unlocks_along_a_line(paid: Backstop) -> None:
    pool = paid.pool
    start = pool.harvest([1]).timestamp
    gain = pool.locked_profit()
    for part in (1, 5, 13, 14):
        passed = part * UNLOCK_PERIOD // 14
        paid.chain.advance(start + passed - paid.chain.timestamp)
        locked = -(-gain * (UNLOCK_PERIOD - passed) // UNLOCK_PERIOD)
        assert pool.locked_profit() == locked
        assert pool.low_assets() == BACKED + SEED + gain - locked
    assert pool.joining()[0] == pool.low_assets() == BACKED + SEED + gain


def test_harvest__nothing_paid_yet__passes_the_claim_over(backed: Backstop) -> None:
    backed.bought(LOT)
    before = backed.state()
    receipt = backed.pool.harvest([1])
    assert receipt.events == []
    assert backed.state() == before


@pytest.mark.parametrize("claims", [[0], [2], [1, 1], [1, 2]])
def test_harvest__claim_that_is_not_open__reverts(paid: Backstop, claims: list[int]) -> None:
    """A request of somebody else's too; and one that is collected already."""
    stranger = paid.actors.depositor
    paid.vault.approve(paid.queue.address, WAD, sender=stranger)
    paid.queue.requestRedeem(WAD, paid.pool.address, stranger, sender=stranger)
    with reverts("backstop: not an open claim"):
        paid.pool.harvest(claims)


def test_harvest__paid_in_part__takes_the_part_of_the_cost(backed: Backstop) -> None:
    """The vault has 1,000 idle and the request is for more."""
    pool, queue = backed.pool, backed.queue
    backed.deposit(1_000 * WAD, backed.actors.holder)
    backed.bought(1_400 * WAD)
    cost, low = pool.claim_cost(1), pool.low_assets()
    backed.pay_line()
    request = queue.request(1)
    assert 0 < request.shares < 1_400 * WAD
    part = cost * request.claimable_shares // (request.claimable_shares + request.shares)
    received = backed.in_weth(request.claimable_assets)
    backed.pool.harvest([1])
    assert pool.open_claims() == [1]
    assert pool.claim_cost(1) == cost - part
    assert pool.locked_profit() == received - part
    assert low - 1 <= pool.low_assets() <= low
    backed.setup.deposit(1_000 * WAD)
    backed.pay_line()
    pool.harvest([1])
    assert (pool.open_claims(), pool.claim_cost(1)) == ([], 0)


def test_harvest__slashed_claim__books_the_loss_at_once(backed: Backstop) -> None:
    pool = backed.pool
    backed.bought(LOT)
    cost = pool.claim_cost(1)
    backed.slash(WAD // 10)
    low = pool.low_assets()
    backed.pay_line()
    lst = backed.queue.request(1).claimable_assets
    least = backed.least(lst)
    assert low == BACKED + SEED - cost + least
    receipt = pool.harvest([1])
    assert backed.event("Collected", claim=1, paid=lst, cost=cost, loss=cost - least) in (
        receipt.events
    )
    # Who leaves has it all before and after; what the sale brings above the least is a gain.
    assert pool.low_assets() == low
    assert pool.locked_profit() == backed.in_weth(lst) - least
    assert pool.cash() == BACKED + SEED - cost + backed.in_weth(lst)


def test_harvest__loss__meets_what_is_locked_first(backed: Backstop) -> None:
    pool = backed.pool
    backed.bought(200 * WAD)
    backed.pay_line()
    pool.harvest([1])
    gain = pool.locked_profit()
    backed.bought(LOT)
    low, cost = pool.low_assets(), pool.claim_cost(2)
    # A loss smaller than what is locked is nobody's; a larger one is, beyond that.
    backed.slash(WAD // 80)
    small = cost - backed.least(backed.worth(LOT) * WAD // RATE)
    assert 0 < small < gain
    assert low - 3 <= pool.low_assets() <= low + gain
    backed.slash(WAD // 10)
    backed.pay_line()
    loss = cost - backed.least(backed.queue.request(2).claimable_assets)
    locked = pool.locked_profit()
    assert loss > locked
    before = pool.low_assets()
    assert before == pool.cash() + cost - loss
    pool.harvest([2])
    assert pool.low_assets() == before


def test_harvest__gain_beside_a_loss__does_not_make_up_for_it(backed: Backstop) -> None:
    """One claim is paid before a slash, the other after: each stands for itself."""
    pool = backed.pool
    backed.bought(300 * WAD)
    backed.pay_line()
    backed.bought(400 * WAD)
    backed.slash(WAD // 10)
    backed.pay_line()
    low = pool.low_assets()
    first, second = (backed.queue.request(n).claimable_assets for n in (1, 2))
    loss = pool.claim_cost(2) - backed.least(second)
    assert loss > 0
    assert low == BACKED + SEED - loss
    pool.harvest([1, 2])
    kept = pool.totalAssets() - pool.cash() + pool.locked_profit()
    assert kept == pool.lst_cost() == 0
    assert 0 <= low - pool.low_assets() <= 1
    assert pool.locked_profit() >= backed.in_weth(first + second) - BACKED
    backed.chain.advance(UNLOCK_PERIOD)
    assert pool.low_assets() == pool.cash()


def test_harvest__everything_lost__is_a_loss_of_all_that_it_cost(backed: Backstop) -> None:
    pool, setup = backed.pool, backed.setup
    backed.bought(300 * WAD)
    backed.bought(400 * WAD)
    cost = pool.claim_cost(1) + pool.claim_cost(2)
    setup.report(0)
    setup.report(0, setup.second_adapter)
    backed.pay_line()
    # A thirtieth of the vault was idle.
    left = sum(backed.least(backed.queue.request(claim).claimable_assets) for claim in (1, 2))
    assert 0 < left < cost // 25
    pool.harvest([2, 1])
    assert pool.low_assets() == BACKED + SEED - cost + left
    assert pool.open_claims() == []


def test_harvest__pool_that_pays_too_little__leaves_the_wsteth(paid: Backstop) -> None:
    pool, lst = paid.pool, paid.queue.request(1).claimable_assets
    cost, low = pool.claim_cost(1), pool.low_assets()
    paid.pay_well(min_rate(SALE_LOSS) - 1)
    assert pool.harvest.call([1]) == 0
    receipt = pool.harvest([1])
    assert [event.name for event in receipt.events] == ["Transfer", "RequestClaimed", "Collected"]
    assert (pool.lst(), pool.lst_cost()) == (lst, cost)
    assert pool.lst_since() == receipt.timestamp
    assert pool.low_assets() == low
    paid.pay_well(min_rate(SALE_LOSS))
    with paid.chain.isolated():
        # The next block is of the same second.
        pool.harvest([])
        assert pool.lst() == 0


@pytest.mark.parametrize("days", [1, 3, 6, 7, 8])
def test_harvest__wsteth_that_waits__gives_way_with_time(paid: Backstop, days: int) -> None:
    pool = paid.pool
    paid.pay_well(1)
    pool.harvest([1])
    paid.chain.advance(days * DAY)
    waited = min(days, 7) * DAY
    loss = SALE_LOSS + (MAX_SALE_LOSS - SALE_LOSS) * waited // (7 * DAY)
    paid.pay_well(min_rate(loss) - 1)
    pool.harvest([])
    assert pool.lst() != 0
    paid.pay_well(min_rate(loss))
    pool.harvest([])
    assert pool.lst() == 0


def test_harvest__new_wsteth__makes_what_waits_younger(backed: Backstop) -> None:
    """Or a few units that have waited for a week would let a large fresh lot be sold for less."""
    pool = backed.pool
    backed.bought(WAD)
    backed.pay_line()
    backed.pay_well(1)
    start = pool.harvest([1]).timestamp
    had = pool.lst()
    backed.chain.advance(7 * DAY)
    backed.bought(99 * WAD)
    backed.pay_line()
    now = pool.harvest([2]).timestamp
    added = pool.lst() - had
    assert pool.lst_since() == now - (now - start) * had // (had + added)
    assert now - pool.lst_since() < DAY // 10


def test_harvest__shallow_pool__sells_what_it_takes(paid: Backstop) -> None:
    pool, lst = paid.pool, paid.queue.request(1).claimable_assets
    cost, low = pool.claim_cost(1), pool.low_assets()
    depth = 123 * WAD + 7
    paid.pay_well(depth=depth)
    pool.harvest([1])
    part = cost * depth // lst
    assert (pool.lst(), pool.lst_cost()) == (lst - depth, cost - part)
    assert pool.locked_profit() == paid.in_weth(depth) - part
    assert pool.low_assets() == low
    paid.pay_well()
    pool.harvest([])
    assert (pool.lst(), pool.lst_cost()) == (0, 0)
    assert pool.low_assets() == low


def test_harvest__sale_below_cost__is_a_loss(paid: Backstop) -> None:
    """StETH has lost since, and nobody pays above its new rate."""
    pool = paid.pool
    paid.pay_well(1)
    pool.harvest([1])
    cost, cash = pool.lst_cost(), pool.cash()
    paid.lst.set_rate(RATE * 97 // 100)
    low = pool.low_assets()
    assert low == cash + paid.least(pool.lst())
    paid.pay_well()
    lst = pool.lst()
    caller = paid.actors.stranger
    receipt = pool.harvest([], sender=caller)
    received = paid.in_weth(lst)
    assert receipt.events[-1] == paid.event(
        "Sold",
        caller=caller,
        sold=lst,
        received=received,
        gain=0,
        loss=cost - received,
    )
    assert pool.low_assets() == cash + received >= low


def test_harvest__donated_wsteth__is_not_sold(paid: Backstop) -> None:
    paid.lst.mint(paid.pool.address, 5 * WAD)
    lst = paid.queue.request(1).claimable_assets
    receipt = paid.pool.harvest([1])
    assert receipt.events[-1].args["sold"] == lst
    assert paid.lst.balanceOf(paid.pool.address) == 5 * WAD


def test_harvest__sale_below_cost__meets_what_is_locked_first(backed: Backstop) -> None:
    pool = backed.pool
    backed.bought(300 * WAD)
    backed.pay_line()
    pool.harvest([1])
    locked = pool.locked_profit()
    backed.bought(300 * WAD)
    backed.pay_line()
    backed.pay_well(1)
    pool.harvest([2])
    backed.lst.set_rate(RATE * 988 // 1000)
    backed.pay_well()
    cost, low = pool.lst_cost(), pool.low_assets()
    loss = cost - backed.in_weth(pool.lst())
    assert 0 < loss < locked
    still = -(-locked * (UNLOCK_PERIOD - WAIT) // UNLOCK_PERIOD)
    assert pool.locked_profit() == still
    pool.harvest([])
    assert pool.locked_profit() == still - loss
    assert pool.low_assets() == low


@pytest.fixture
def ruined(backed: Backstop) -> Backstop:
    """Nothing was idle, and all that was staked is lost: a claim of dust and a large one."""
    setup = backed.setup
    setup.allocate(backed.vault.idle())
    backed.bought(10)
    backed.bought(500 * WAD)
    setup.report(0)
    setup.report(0, setup.second_adapter)
    backed.pay_line()
    return backed


def test_harvest__claim_paid_nothing_at_all__is_closed_as_a_loss(ruined: Backstop) -> None:
    pool = ruined.pool
    request = ruined.queue.request(1)
    assert (request.claimable_shares, request.claimable_assets) == (10, 0)
    cost, low = pool.claim_cost(1), pool.low_assets()
    receipt = pool.harvest([1])
    assert receipt.events[-1] == ruined.event("Collected", claim=1, paid=0, cost=cost, loss=cost)
    assert pool.open_claims() == [2]
    assert (pool.lst(), pool.lst_cost(), pool.low_assets()) == (0, 0, low)


def test_harvest__every_claim_slashed__leaves_the_cash_to_all_alike(ruined: Backstop) -> None:
    """The large claim waits for assets to pay its virtual part from; nobody else does."""
    pool, who, other = ruined.pool, ruined.actors.depositor, ruined.actors.holder
    pool.harvest([1, 2])
    assert pool.open_claims() == [2]
    worthless = ruined.worth(500 * WAD)
    assert worthless < 10**9
    cash, low = pool.cash(), pool.low_assets()
    assert 0 <= low - cash <= worthless
    # Half of the shares for half of the cash: now, and by the line.
    pool.transfer(other, BACKED // 2, sender=who)
    now = pool.redeem.call(BACKED // 2, who, who, sender=who)
    pool.redeem(BACKED // 2, who, who, sender=who)
    ruined.ask(BACKED // 2, other)
    had = ruined.weth.balanceOf(other)
    pool.serve(1)
    then = ruined.weth.balanceOf(other) - had
    assert 0 <= then - now <= 1
    assert (pool.waiting_shares(), pool.totalSupply()) == (0, SEED)
    # Who joins now is not asked to pay for the lost.
    shares = ruined.deposit(WAD, other)
    assert 0 <= WAD - pool.previewRedeem(shares) <= 10**9
