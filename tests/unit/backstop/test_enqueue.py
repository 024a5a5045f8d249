import pytest

from tests.scene import reverts
from tests.unit.backstop.conftest import BACKED, ROLES, SEED, WAD, Backstop


@pytest.mark.parametrize("role", ROLES)
def test_enqueue__by_anyone__makes_one_claim_of_all(backed: Backstop, role: str) -> None:
    pool, vault, queue = backed.pool, backed.vault, backed.queue
    cost = backed.sell(7 * WAD) + backed.sell(5 * WAD)
    amount = 12 * WAD
    receipt = pool.enqueue(sender=getattr(backed.actors, role))
    asked = {
        "controller": pool.address,
        "owner": pool.address,
        "requestId": 1,
        "sender": pool.address,
        "shares": amount,
    }
    assert receipt.events == [
        backed.approved(vault, pool.address, queue.address, amount),
        backed.approved(vault, pool.address, queue.address, 0),
        backed.moved(vault, pool.address, queue.address, amount),
        receipt.events[3],
        backed.event("Queued", claim=1, amount=amount, cost=cost),
    ]
    assert (receipt.events[3].name, dict(receipt.events[3].args)) == ("RedeemRequest", asked)
    assert pool.open_claims() == [1]
    assert pool.claim_cost(1) == cost
    assert (pool.unqueued(), pool.unqueued_cost()) == (0, 0)
    assert vault.allowance(pool.address, queue.address) == 0
    request = queue.request(1)
    assert (request.controller, request.shares) == (pool.address, amount)


def test_enqueue__marks__stay(backed: Backstop) -> None:
    pool = backed.pool
    backed.sell(9 * WAD + 1)
    before = (pool.low_assets(), pool.joining(), pool.totalAssets())
    backed.enqueue()
    assert (pool.low_assets(), pool.joining(), pool.totalAssets()) == before


def test_enqueue__nothing_bought__reverts(backed: Backstop) -> None:
    with reverts("backstop: nothing to queue"):
        backed.pool.enqueue()
    backed.vault.transfer(backed.pool.address, WAD, sender=backed.actors.depositor)
    with reverts("backstop: nothing to queue"):
        backed.pool.enqueue()


def test_enqueue__less_than_the_queue_takes__waits_for_more(backed: Backstop) -> None:
    backed.sell(10**16 - 1)
    # The whole balance is taken; a gift makes it less than that.
    backed.vault.transfer(backed.pool.address, 1, sender=backed.actors.depositor)
    with reverts("queue: request too small"):
        backed.pool.enqueue()
    backed.sell(2)
    assert backed.enqueue() == 1


def test_enqueue__seventeenth_claim__waits(backed: Backstop) -> None:
    for number in range(16):
        assert backed.bought(WAD) == number + 1
    backed.sell(WAD)
    with reverts("backstop: too many claims"):
        backed.pool.enqueue()
    assert backed.pool.open_claims() == list(range(1, 17))
    # Nothing else is stopped by that.
    assert backed.pool.low_assets() == BACKED + SEED
    backed.setup.deposit(100 * WAD)
    backed.pay_line()
    backed.pool.harvest([3])
    assert backed.enqueue() == 17
    assert backed.pool.open_claims() == [1, 2, 16, *range(4, 16), 17]
