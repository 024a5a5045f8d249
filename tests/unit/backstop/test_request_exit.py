import pytest

from tests.scene import reverts
from tests.unit.backstop.conftest import BACKED, SEED, WAD, Backstop, assets_down
from tests.unit.vault.conftest import NOBODY


def test_request_exit__shares__wait_at_their_low_mark(backed: Backstop) -> None:
    pool, owner, receiver = backed.pool, backed.actors.depositor, backed.actors.stranger
    backed.bought(500 * WAD)
    backed.slash(WAD // 7)
    shares = 300 * WAD + 7
    worth = assets_down(shares, pool.low_assets(), BACKED + SEED)
    assert pool.request_exit.call(shares, receiver, owner, sender=owner) == 1
    receipt = pool.request_exit(shares, receiver, owner, sender=owner)
    moved = {"sender": owner, "receiver": pool.address, "value": shares}
    assert [event.name for event in receipt.events] == ["Transfer", "ExitRequested"]
    assert dict(receipt.events[0].args) == moved
    assert receipt.events[1] == backed.event(
        "ExitRequested", id=1, owner=owner, receiver=receiver, shares=shares, worth=worth
    )
    assert tuple(pool.exit_at(1)) == (receiver, shares, worth)
    assert (pool.waiting_shares(), pool.waiting_worth()) == (shares, worth)
    assert pool.least_rate() == worth * WAD // shares
    assert pool.balanceOf(pool.address) == shares
    assert (pool.head(), pool.next_id(), pool.totalSupply()) == (1, 2, BACKED + SEED)
    assert pool.free_cash() == max(0, pool.cash() - worth)


def test_request_exit__marks__stay(backed: Backstop) -> None:
    """Who leaves gets the same as before; who joins pays for what the line leaves to the others."""
    pool = backed.pool
    backed.bought(500 * WAD)
    low, (high, supply) = pool.low_assets(), pool.joining()
    backed.ask(300 * WAD, backed.actors.depositor)
    total, staying = pool.joining()
    assert pool.low_assets() == low
    assert staying == supply - 300 * WAD
    assert total * supply > high * staying


def test_request_exit__lower_mark_later__lowers_the_least_rate_only(backed: Backstop) -> None:
    pool, owner = backed.pool, backed.actors.depositor
    backed.bought(500 * WAD)
    backed.ask(100 * WAD, owner)
    first = pool.least_rate()
    backed.slash(WAD // 7)
    backed.ask(100 * WAD, owner)
    second = pool.least_rate()
    assert second < first
    backed.slash(-WAD // 6)
    backed.ask(100 * WAD, owner)
    assert pool.least_rate() == second
    # An empty line begins anew.
    pool.serve(3)
    backed.pool.serve(3)
    backed.ask(WAD, owner)
    assert pool.least_rate() == pool.exit_at(4).worth * WAD // WAD


def test_request_exit__by_another__needs_the_owners_allowance(backed: Backstop) -> None:
    pool, owner, spender = backed.pool, backed.actors.depositor, backed.actors.stranger
    with reverts("erc20: insufficient allowance"):
        pool.request_exit(WAD, spender, owner, sender=spender)
    pool.approve(spender, WAD, sender=owner)
    pool.request_exit(WAD, spender, owner, sender=spender)
    assert pool.allowance(owner, spender) == 0
    assert pool.exit_at(1).receiver == spender


def test_request_exit__to_nobody_or_the_pool__reverts(backed: Backstop) -> None:
    owner = backed.actors.depositor
    for receiver in (NOBODY, backed.pool.address):
        with reverts("backstop: receiver"):
            backed.pool.request_exit(WAD, receiver, owner, sender=owner)


def test_request_exit__more_than_one_has__reverts(backed: Backstop) -> None:
    with reverts("erc20: transfer amount exceeds balance"):
        backed.ask(BACKED + 1, backed.actors.depositor)


@pytest.mark.parametrize("shares", [1, 10**15 - 1])
def test_request_exit__dust__only_as_a_whole_balance(backed: Backstop, shares: int) -> None:
    owner, other = backed.actors.depositor, backed.actors.holder
    with reverts("backstop: exit too small"):
        backed.ask(shares, owner)
    backed.ask(10**15, owner)
    backed.pool.transfer(other, shares, sender=owner)
    backed.ask(shares, other)


def test_request_exit__nothing__reverts(backed: Backstop) -> None:
    with reverts("backstop: worth nothing"):
        backed.ask(0, backed.actors.depositor)


def test_request_exit__while_buying_is_paused__goes_on(backed: Backstop) -> None:
    backed.pool.pause(60, sender=backed.actors.guardian)
    backed.ask(WAD, backed.actors.depositor)
