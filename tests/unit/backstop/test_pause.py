import pytest

from tests.scene import reverts
from tests.unit.backstop.conftest import BACKED, DAY, ROLES, WAD, WAIT, Backstop


@pytest.mark.parametrize("role", ["owner", "guardian"])
def test_pause__by_owner_or_guardian__ends_by_itself(backed: Backstop, role: str) -> None:
    pool, caller = backed.pool, getattr(backed.actors, role)
    receipt = pool.pause(3 * DAY, sender=caller)
    until = receipt.timestamp + 3 * DAY
    assert receipt.events == [backed.event("PausedUntil", time=until)]
    assert (pool.paused_until(), pool.pause_again_from()) == (until, until + 3 * DAY)
    backed.chain.advance(3 * DAY - 1)
    with reverts("backstop: paused"):
        backed.sell(WAD)
    backed.chain.advance(1)
    backed.sell(WAD)


@pytest.mark.parametrize("role", [r for r in ROLES if r not in ("owner", "guardian")])
def test_pause__by_anyone_else__reverts(backed: Backstop, role: str) -> None:
    with reverts("backstop: not owner or guardian"):
        backed.pool.pause(DAY, sender=getattr(backed.actors, role))


@pytest.mark.parametrize("duration", [0, 3 * DAY + 1, 2**256 - 1])
def test_pause__duration_out_of_bounds__reverts(backed: Backstop, duration: int) -> None:
    with reverts("backstop: pause duration"):
        backed.pool.pause(duration, sender=backed.actors.guardian)


def test_pause__again_before_as_long_a_rest__reverts(backed: Backstop) -> None:
    pool, actors = backed.pool, backed.actors
    pool.pause(DAY, sender=actors.guardian)
    backed.chain.advance(2 * DAY - 1)
    for caller in (actors.owner, actors.guardian):
        with reverts("backstop: paused lately"):
            pool.pause(1, sender=caller)
    backed.chain.advance(1)
    pool.pause(1, sender=actors.guardian)


def test_pause__coming_and_leaving__go_on(backed: Backstop) -> None:
    pool, actors = backed.pool, backed.actors
    backed.sell(100 * WAD)
    pool.pause(DAY, sender=actors.guardian)
    claim = backed.enqueue()
    backed.deposit(WAD, actors.holder)
    pool.redeem(WAD, actors.depositor, actors.depositor, sender=actors.depositor)
    number = backed.ask(BACKED // 2, actors.depositor)
    backed.chain.advance(WAIT)
    backed.queue.finalize(1)
    pool.harvest([claim])
    pool.serve(1)
    assert pool.exit_at(number).shares == 0
