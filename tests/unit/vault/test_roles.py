"""Owner in two steps, allocator and guardian named by the owner."""

import pytest

from relever.chain import Revert
from tests.unit.vault.conftest import DEPOSIT_CAP, NOBODY, WAD, Setup


def test_set_allocator__owner__hands_the_role_over(staked: Setup) -> None:
    vault, actors, adapter = staked.vault, staked.actors, staked.adapter.address
    receipt = vault.set_allocator(actors.holder, sender=actors.owner)
    assert receipt.events == [staked.event("AllocatorSet", allocator=actors.holder)]
    assert vault.allocator() == actors.holder
    vault.allocate(adapter, WAD, sender=actors.holder)
    with pytest.raises(Revert) as failure:
        vault.allocate(adapter, WAD, sender=actors.allocator)
    assert failure.value.reason == "vault: not the allocator"


def test_set_guardian__owner__hands_the_role_over(setup: Setup) -> None:
    vault, actors = setup.vault, setup.actors
    receipt = vault.set_guardian(actors.holder, sender=actors.owner)
    assert receipt.events == [setup.event("GuardianSet", guardian=actors.holder)]
    assert vault.guardian() == actors.holder
    vault.set_deposit_cap(DEPOSIT_CAP - 1, sender=actors.holder)
    with pytest.raises(Revert) as failure:
        vault.set_deposit_cap(0, sender=actors.guardian)
    assert failure.value.reason == "vault: not owner or guardian"


@pytest.mark.parametrize("role", ["allocator", "guardian", "depositor", "stranger"])
@pytest.mark.parametrize("setter", ["set_allocator", "set_guardian", "transfer_ownership"])
def test_roles__not_the_owner__reverts(setup: Setup, setter: str, role: str) -> None:
    sender = getattr(setup.actors, role)
    with pytest.raises(Revert) as failure:
        getattr(setup.vault, setter)(sender, sender=sender)
    assert failure.value.reason == "ownable: caller is not the owner"


@pytest.mark.parametrize("setter", ["set_allocator", "set_guardian"])
def test_roles__nobody__turns_the_role_off(setup: Setup, setter: str) -> None:
    getattr(setup.vault, setter)(NOBODY, sender=setup.actors.owner)
    assert getattr(setup.vault, setter.removeprefix("set_"))() == NOBODY


def test_transfer_ownership__accepted__moves_the_owner_in_two_steps(setup: Setup) -> None:
    vault, owner, heir = setup.vault, setup.actors.owner, setup.actors.holder
    receipt = vault.transfer_ownership(heir, sender=owner)
    assert receipt.events == [
        setup.event("OwnershipTransferStarted", previous_owner=owner, new_owner=heir)
    ]
    assert (vault.owner(), vault.pending_owner()) == (owner, heir)
    with pytest.raises(Revert) as failure:
        vault.accept_ownership(sender=setup.actors.stranger)
    assert failure.value.reason == "ownable_2step: caller is not the new owner"

    receipt = vault.accept_ownership(sender=heir)

    assert receipt.events == [
        setup.event("OwnershipTransferred", previous_owner=owner, new_owner=heir)
    ]
    assert (vault.owner(), vault.pending_owner()) == (heir, NOBODY)
    vault.set_guardian(heir, sender=heir)
