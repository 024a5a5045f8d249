from tests.scene import reverts
from tests.unit.backstop.conftest import BACKED, SEED, WAD, Backstop


def test_recover__wsteth_of_a_quarantine__is_a_gain_once_it_is_sold(backed: Backstop) -> None:
    """The whole way: written off, claim paid, given back, sold, unlocked."""
    pool, setup, pocket = backed.pool, backed.setup, backed.pocket
    adapter, allocator = setup.second_adapter, backed.actors.allocator
    backed.bought(600 * WAD)
    cost = pool.claim_cost(1)
    backed.vault.quarantine(adapter.address, sender=backed.actors.owner)
    low = pool.low_assets()
    backed.pay_line()
    least = backed.least(backed.queue.request(1).claimable_assets)
    assert low == BACKED + SEED - cost + least
    pool.harvest([1])
    # Its part of what was written off comes back by a call of a stranger's.
    exit_id = backed.vault.deallocate(adapter.address, 9_000 * WAD, sender=allocator)
    backed.vault.finish_exit(adapter.address, exit_id.events[-1].args["id"])
    back = pocket.claimable(adapter.address, pool.address)
    assert back > 170 * WAD
    pocket.claim(adapter.address, pool.address, sender=backed.actors.stranger)
    before = (pool.low_assets(), pool.cash(), pool.lst(), pool.locked_profit())
    receipt = pool.recover(sender=backed.actors.stranger)
    assert receipt.events == [backed.event("Recovered", amount=back)]
    assert (pool.lst(), pool.lst_cost()) == (back, 0)
    assert pool.low_assets() == before[0]
    pool.harvest([])
    assert pool.locked_profit() == before[3] + backed.in_weth(back)
    assert pool.low_assets() == before[0]
    assert pool.cash() == before[1] + backed.in_weth(back)


def test_recover__nothing__reverts(backed: Backstop) -> None:
    with reverts("backstop: nothing to recover"):
        backed.pool.recover()
    backed.bought(WAD)
    backed.pay_line()
    backed.pay_well(1)
    backed.pool.harvest([1])
    with reverts("backstop: nothing to recover"):
        backed.pool.recover()


def test_recover__beside_what_lost__does_not_hide_the_loss(backed: Backstop) -> None:
    """It meets what is locked, as it did before it was booked."""
    pool = backed.pool
    backed.bought(500 * WAD)
    backed.pay_line()
    pool.harvest([1])
    backed.bought(100 * WAD)
    backed.pay_line()
    backed.pay_well(1)
    pool.harvest([2])
    backed.lst.set_rate(backed.lst.stEthPerToken() * 97 // 100)
    low, least, locked = pool.low_assets(), backed.least(pool.lst()), pool.locked_profit()
    loss = pool.lst_cost() - least
    assert 0 < loss < locked
    backed.lst.mint(pool.address, 1_000 * WAD)
    pool.recover()
    assert pool.low_assets() == low
    assert pool.lst_cost() == least
    assert pool.locked_profit() == locked - loss
