"""A pause stops what brings money in, and nothing that takes it out; it ends by itself."""

import pytest

from relever.chain import Revert
from tests.unit.vault.conftest import DAY, DEPOSIT_CAP, SEED, WAD, Exits, Setup

LONGEST = 3 * DAY


def paused(setup: Setup, duration: int = DAY) -> int:
    """Pause by the guardian; returns the time at which it ends."""
    receipt = setup.vault.pause(duration, sender=setup.actors.guardian)
    return int(receipt.events[0].args["time"])


@pytest.mark.parametrize("role", ["owner", "guardian"])
@pytest.mark.parametrize("duration", [1, DAY, LONGEST])
def test_pause__owner_or_guardian__sets_its_end(setup: Setup, role: str, duration: int) -> None:
    vault = setup.vault
    assert vault.paused_until() == vault.pause_again_from() == 0
    receipt = vault.pause(duration, sender=getattr(setup.actors, role))
    end = receipt.timestamp + duration
    assert receipt.events == [setup.event("PausedUntil", time=end)]
    assert vault.paused_until() == end
    assert vault.pause_again_from() == end + duration
    assert vault.deposit_cap() == DEPOSIT_CAP


@pytest.mark.parametrize("role", ["allocator", "depositor", "stranger"])
def test_pause__anyone_else__reverts(setup: Setup, role: str) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.pause(DAY, sender=getattr(setup.actors, role))
    assert failure.value.reason == "vault: not owner or guardian"


@pytest.mark.parametrize("duration", [0, LONGEST + 1, 2**256 - 1])
def test_pause__no_time_or_too_long__reverts(setup: Setup, duration: int) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.pause(duration, sender=setup.actors.owner)
    assert failure.value.reason == "vault: pause duration"


def test_pause__entries__stop_to_the_last_second(staked: Setup) -> None:
    vault, who, allocator = staked.vault, staked.actors.depositor, staked.actors.allocator
    end = paused(staked)
    acts = (
        lambda: vault.deposit.call(WAD, who, sender=who),
        lambda: vault.mint.call(WAD, who, sender=who),
        lambda: vault.allocate.call(staked.adapter.address, WAD, sender=allocator),
    )
    for act in acts:
        with pytest.raises(Revert) as failure:
            act()
        assert failure.value.reason == "vault: paused"
    assert vault.maxDeposit(who) == vault.maxMint(who) == 0
    staked.chain.advance(end - 1 - staked.chain.timestamp)
    for act in acts:
        with pytest.raises(Revert) as failure:
            act()
        assert failure.value.reason == "vault: paused"
    assert vault.maxDeposit(who) == vault.maxMint(who) == 0

    staked.chain.advance(1)

    for act in acts:
        act()
    assert vault.maxDeposit(who) == vault.maxMint(who) == DEPOSIT_CAP - 100 * WAD - SEED


def test_pause__instant_exits__go_on(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.depositor
    most = vault.maxWithdraw(who), vault.maxRedeem(who)
    paused(staked)
    assert (vault.maxWithdraw(who), vault.maxRedeem(who)) == most == (20 * WAD + SEED,) * 2
    vault.redeem(5 * WAD, who, who, sender=who)
    vault.withdraw(15 * WAD + SEED, who, who, sender=who)
    assert vault.idle() == 0


def test_pause__queue__goes_on_to_the_claim(exits: Exits) -> None:
    setup, vault, queue = exits.setup, exits.setup.vault, exits.queue
    who, adapter = setup.actors.depositor, setup.adapter.address
    paused(setup)
    queue.requestRedeem(50 * WAD, who, who, sender=who)
    queue.requestRedeem(10 * WAD, who, who, sender=who)
    queue.cancel(2, sender=who)
    vault.deallocate(adapter, 20 * WAD, sender=setup.actors.allocator)
    setup.chain.advance(DAY - 3600)
    vault.finish_exit(adapter, 0, sender=setup.actors.stranger)
    setup.report(39 * WAD)
    assert vault.sync().events == [setup.synced(setup.adapter, 0, WAD, 39 * WAD)]
    assert setup.chain.timestamp < vault.paused_until()
    queue.finalize(2, sender=setup.actors.stranger)
    held = setup.token.balanceOf(who)
    paid = queue.set_aside()
    assert paid > 40 * WAD
    queue.claim(1, who, sender=who)
    assert setup.token.balanceOf(who) == held + paid


def test_pause__overdue_request__stake_is_pulled_back(exits: Exits) -> None:
    setup, queue, who = exits.setup, exits.queue, exits.setup.actors.depositor
    queue.requestRedeem(50 * WAD, who, who, sender=who)
    setup.chain.advance(queue.patience())
    paused(setup)
    queue.pull_back(setup.adapter.address, 10 * WAD, sender=setup.actors.stranger)
    assert setup.adapter.exiting() == 10 * WAD


def test_pause__rewards_quarantine_and_settings__go_on(exits: Exits) -> None:
    setup, vault, actors = exits.setup, exits.setup.vault, exits.setup.actors
    paused(setup)
    vault.pay_rewards(WAD, sender=actors.payer)
    vault.transfer(actors.holder, WAD, sender=actors.depositor)
    vault.set_deposit_cap(DEPOSIT_CAP - 1, sender=actors.guardian)
    vault.set_adapter_caps(setup.adapter.address, 0, 0, sender=actors.guardian)
    setup.adapter.set_broken(True)
    vault.quarantine(setup.adapter.address, sender=actors.guardian)
    assert vault.in_quarantine(setup.adapter.address)


def test_set_deposit_cap__in_a_pause__keeps_its_times(setup: Setup) -> None:
    vault = setup.vault
    end = paused(setup)
    vault.set_deposit_cap(7, sender=setup.actors.owner)
    assert vault.deposit_cap() == 7
    assert (vault.paused_until(), vault.pause_again_from()) == (end, end + DAY)


@pytest.mark.parametrize("role", ["owner", "guardian"])
def test_pause__again_before_as_much_time_has_passed__reverts(setup: Setup, role: str) -> None:
    vault, sender = setup.vault, getattr(setup.actors, role)
    end = paused(setup, LONGEST)
    for time in (end - 1, end, end + LONGEST - 1):
        setup.chain.advance(time - setup.chain.timestamp)
        with pytest.raises(Revert) as failure:
            vault.pause.call(1, sender=sender)
        assert failure.value.reason == "vault: paused lately"
    setup.chain.advance(1)
    vault.pause.call(LONGEST, sender=sender)


def test_pause__one_after_the_other__leaves_half_of_the_time_open(setup: Setup) -> None:
    vault, who = setup.vault, setup.actors.depositor
    open_hours = 0
    for _ in range(8 * 24):
        if setup.chain.timestamp >= vault.pause_again_from():
            vault.pause(2 * DAY, sender=setup.actors.guardian)
        open_hours += vault.maxDeposit(who) != 0
        setup.chain.advance(3600)
    assert open_hours == 4 * 24
