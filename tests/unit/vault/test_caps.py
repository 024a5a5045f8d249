"""Both caps: the owner moves them freely, the guardian only down."""

import pytest

from relever.chain import Revert
from tests.unit.vault.conftest import ADAPTER_CAP, DEPOSIT_CAP, UNLIMITED, WAD, Setup


@pytest.mark.parametrize("cap", [0, DEPOSIT_CAP - 1, DEPOSIT_CAP + 1, UNLIMITED])
def test_set_deposit_cap__owner__moves_it_freely(setup: Setup, cap: int) -> None:
    receipt = setup.vault.set_deposit_cap(cap, sender=setup.actors.owner)
    assert receipt.events == [setup.event("DepositCapSet", cap=cap)]
    assert setup.vault.deposit_cap() == cap


def test_set_deposit_cap__guardian__lowers_it(setup: Setup) -> None:
    vault, guardian = setup.vault, setup.actors.guardian
    receipt = vault.set_deposit_cap(DEPOSIT_CAP - 1, sender=guardian)
    assert receipt.events == [setup.event("DepositCapSet", cap=DEPOSIT_CAP - 1)]
    vault.set_deposit_cap(0, sender=guardian)
    assert vault.deposit_cap() == 0


def test_set_deposit_cap__guardian_raises__reverts(setup: Setup) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.set_deposit_cap(DEPOSIT_CAP + 1, sender=setup.actors.guardian)
    assert failure.value.reason == "vault: guardian only lowers"


@pytest.mark.parametrize("role", ["allocator", "depositor", "stranger"])
def test_set_deposit_cap__anyone_else__reverts(setup: Setup, role: str) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.set_deposit_cap(0, sender=getattr(setup.actors, role))
    assert failure.value.reason == "vault: not owner or guardian"


def test_set_deposit_cap__below_the_assets__stops_deposits_not_exits(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.depositor
    vault.set_deposit_cap(0, sender=staked.actors.guardian)
    assert vault.maxDeposit(who) == 0
    vault.redeem(WAD, who, who, sender=who)


@pytest.mark.parametrize("cap", [0, ADAPTER_CAP - 1, ADAPTER_CAP + 1, UNLIMITED])
def test_set_adapter_cap__owner__moves_it_freely(setup: Setup, cap: int) -> None:
    vault, adapter = setup.vault, setup.adapter.address
    receipt = vault.set_adapter_cap(adapter, cap, sender=setup.actors.owner)
    assert receipt.events == [setup.event("AdapterCapSet", adapter=adapter, cap=cap)]
    assert vault.adapter_cap(adapter) == cap
    assert vault.adapter_cap(setup.second_adapter.address) == ADAPTER_CAP


def test_set_adapter_cap__guardian__lowers_it(setup: Setup) -> None:
    vault, adapter = setup.vault, setup.adapter.address
    vault.set_adapter_cap(adapter, 0, sender=setup.actors.guardian)
    assert vault.adapter_cap(adapter) == 0


def test_set_adapter_cap__guardian_raises__reverts(setup: Setup) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.set_adapter_cap(
            setup.adapter.address, ADAPTER_CAP + 1, sender=setup.actors.guardian
        )
    assert failure.value.reason == "vault: guardian only lowers"


@pytest.mark.parametrize("role", ["allocator", "depositor", "stranger"])
def test_set_adapter_cap__anyone_else__reverts(setup: Setup, role: str) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.set_adapter_cap(setup.adapter.address, 0, sender=getattr(setup.actors, role))
    assert failure.value.reason == "vault: not owner or guardian"


@pytest.mark.parametrize("role", ["owner", "guardian"])
def test_set_adapter_cap__unknown_adapter__reverts(setup: Setup, role: str) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.set_adapter_cap(setup.actors.stranger, 0, sender=getattr(setup.actors, role))
    assert failure.value.reason == "vault: unknown adapter"
