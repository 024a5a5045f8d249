import pytest

from relever.chain import Revert
from tests.unit.vault.conftest import WAD, Setup


def test_deallocate__part__starts_an_exit_and_changes_no_book(staked: Setup) -> None:
    vault, adapter, allocator = staked.vault, staked.adapter, staked.actors.allocator
    before = staked.books()
    vault.deallocate(adapter.address, WAD, sender=allocator)
    assert vault.deallocate.call(adapter.address, 5 * WAD, sender=allocator) == 1

    receipt = vault.deallocate(adapter.address, 5 * WAD, sender=allocator)

    assert receipt.events == [
        staked.event("ExitStarted", adapter=adapter.address, id=1, amount=5 * WAD)
    ]
    assert (adapter.staked(), adapter.exiting()) == (54 * WAD, 6 * WAD)
    assert staked.books() == before


def test_deallocate__nothing__reverts(staked: Setup) -> None:
    with pytest.raises(Revert) as failure:
        staked.vault.deallocate(staked.adapter.address, 0, sender=staked.actors.allocator)
    assert failure.value.reason == "vault: zero amount"


def test_deallocate__unknown_adapter__reverts(staked: Setup) -> None:
    with pytest.raises(Revert) as failure:
        staked.vault.deallocate(staked.actors.stranger, 1, sender=staked.actors.allocator)
    assert failure.value.reason == "vault: unknown adapter"


@pytest.mark.parametrize("role", ["owner", "guardian", "depositor", "stranger"])
def test_deallocate__not_the_allocator__reverts(staked: Setup, role: str) -> None:
    with pytest.raises(Revert) as failure:
        staked.vault.deallocate(staked.adapter.address, 1, sender=getattr(staked.actors, role))
    assert failure.value.reason == "vault: not the allocator"


def test_deallocate__unreadable_adapter__still_works(staked: Setup) -> None:
    staked.adapter.set_broken(True)
    staked.vault.deallocate(staked.adapter.address, WAD, sender=staked.actors.allocator)
    assert staked.adapter.exiting() == WAD
