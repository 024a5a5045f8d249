import pytest

from relever.chain import Revert
from tests.unit.vault.conftest import ADAPTER_CAP, SEED, WAD, Setup


def test_allocate__idle_assets__stand_booked_in_the_adapter(setup: Setup) -> None:
    vault, adapter = setup.vault, setup.adapter
    setup.deposit(10 * WAD)
    held = setup.token.balanceOf(adapter.address)

    receipt = vault.allocate(adapter.address, 6 * WAD, sender=setup.actors.allocator)

    assert receipt.events == [
        setup.moved(vault.address, adapter.address, 6 * WAD),
        setup.event("Allocated", adapter=adapter.address, amount=6 * WAD),
    ]
    assert vault.idle() == 4 * WAD + SEED
    assert vault.booked(adapter.address) == adapter.staked() == 6 * WAD
    assert vault.totalAssets() == 10 * WAD + SEED
    assert setup.token.balanceOf(adapter.address) == held + 6 * WAD


def test_allocate__stake_that_loses__books_the_loss_at_once(setup: Setup) -> None:
    vault, adapter = setup.vault, setup.adapter
    setup.deposit(10 * WAD)
    adapter.set_stake_loss(2)

    receipt = vault.allocate(adapter.address, 6 * WAD, sender=setup.actors.allocator)

    assert receipt.events[1:] == [
        setup.event("Allocated", adapter=adapter.address, amount=6 * WAD),
        setup.synced(adapter, 0, 2, 6 * WAD - 2),
    ]
    assert vault.totalAssets() == 10 * WAD + SEED - 2


def test_allocate__to_the_cap__works_and_not_one_more(staked: Setup) -> None:
    vault, adapter = staked.vault, staked.adapter
    vault.set_adapter_caps(adapter.address, 70 * WAD, WAD, sender=staked.actors.owner)
    with pytest.raises(Revert) as failure:
        vault.allocate(adapter.address, 10 * WAD + 1, sender=staked.actors.allocator)
    assert failure.value.reason == "vault: adapter cap"
    staked.allocate(10 * WAD)
    assert vault.booked(adapter.address) == 70 * WAD


def test_allocate__gain_beyond_the_cap__leaves_no_room(staked: Setup) -> None:
    staked.report(ADAPTER_CAP)
    with pytest.raises(Revert) as failure:
        staked.vault.allocate(staked.adapter.address, 1, sender=staked.actors.allocator)
    assert failure.value.reason == "vault: adapter cap"


def test_allocate__more_than_idle__reverts(staked: Setup) -> None:
    vault = staked.vault
    with pytest.raises(Revert) as failure:
        vault.allocate(staked.adapter.address, vault.idle() + 1, sender=staked.actors.allocator)
    assert failure.value.reason == "vault: not enough idle"
    staked.allocate(vault.idle())
    assert vault.idle() == 0


def test_allocate__donated_tokens__are_not_idle(setup: Setup) -> None:
    setup.token.mint(setup.vault.address, 10 * WAD)
    with pytest.raises(Revert) as failure:
        setup.vault.allocate(setup.adapter.address, SEED + 1, sender=setup.actors.allocator)
    assert failure.value.reason == "vault: not enough idle"


def test_allocate__nothing__reverts(staked: Setup) -> None:
    with pytest.raises(Revert) as failure:
        staked.vault.allocate(staked.adapter.address, 0, sender=staked.actors.allocator)
    assert failure.value.reason == "vault: zero amount"


def test_allocate__unknown_adapter__reverts(staked: Setup) -> None:
    with pytest.raises(Revert) as failure:
        staked.vault.allocate(staked.actors.stranger, WAD, sender=staked.actors.allocator)
    assert failure.value.reason == "vault: unknown adapter"


@pytest.mark.parametrize("role", ["owner", "guardian", "depositor", "stranger"])
def test_allocate__not_the_allocator__reverts(staked: Setup, role: str) -> None:
    with pytest.raises(Revert) as failure:
        staked.vault.allocate(staked.adapter.address, WAD, sender=getattr(staked.actors, role))
    assert failure.value.reason == "vault: not the allocator"


def test_allocate__unreadable_adapter__reverts(staked: Setup) -> None:
    staked.adapter.set_broken(True)
    before = staked.books()
    with pytest.raises(Revert) as failure:
        staked.vault.allocate(staked.adapter.address, WAD, sender=staked.actors.allocator)
    assert failure.value.reason == "vault: adapter unreadable"
    assert staked.books() == before
