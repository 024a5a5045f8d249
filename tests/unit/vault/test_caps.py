"""All caps: the owner moves them freely, the guardian only down."""

import pytest

from relever.chain import Revert
from tests.unit.vault.conftest import (
    ADAPTER_CAP,
    DEPOSIT_CAP,
    MOST_DEPOSITS,
    UNLIMITED,
    WAD,
    Setup,
)


@pytest.mark.parametrize("cap", [0, DEPOSIT_CAP - 1, DEPOSIT_CAP + 1, MOST_DEPOSITS])
def test_set_deposit_cap__owner__moves_it_freely(setup: Setup, cap: int) -> None:
    receipt = setup.vault.set_deposit_cap(cap, sender=setup.actors.owner)
    assert receipt.events == [setup.event("DepositCapSet", cap=cap)]
    assert setup.vault.deposit_cap() == cap


@pytest.mark.parametrize("cap", [MOST_DEPOSITS + 1, UNLIMITED])
def test_set_deposit_cap__above_the_bound__reverts(setup: Setup, cap: int) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.set_deposit_cap(cap, sender=setup.actors.owner)
    assert failure.value.reason == "vault: deposit cap too large"


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


@pytest.mark.parametrize("share_cap", [0, 1, WAD // 2, WAD])
@pytest.mark.parametrize("cap", [0, ADAPTER_CAP - 1, ADAPTER_CAP + 1, 2**128 - 1])
def test_set_adapter_caps__owner__moves_them_freely(setup: Setup, cap: int, share_cap: int) -> None:
    vault, adapter = setup.vault, setup.adapter.address
    receipt = vault.set_adapter_caps(adapter, cap, share_cap, sender=setup.actors.owner)
    assert receipt.events == [
        setup.event("AdapterCapsSet", adapter=adapter, cap=cap, share_cap=share_cap)
    ]
    assert vault.adapter_caps(adapter) == (cap, share_cap)
    assert vault.adapter_caps(setup.second_adapter.address) == (ADAPTER_CAP, WAD)


@pytest.mark.parametrize(
    ("cap", "share_cap", "reason"),
    [
        (2**128, 0, "vault: pair overflow"),
        (UNLIMITED, WAD, "vault: pair overflow"),
        (0, WAD + 1, "vault: share cap"),
        (0, UNLIMITED, "vault: share cap"),
    ],
)
def test_set_adapter_caps__out_of_bounds__reverts(
    setup: Setup, cap: int, share_cap: int, reason: str
) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.set_adapter_caps(
            setup.adapter.address, cap, share_cap, sender=setup.actors.owner
        )
    assert failure.value.reason == reason


@pytest.mark.parametrize(
    ("cap", "share_cap"),
    [(ADAPTER_CAP, WAD), (0, WAD), (ADAPTER_CAP, 0), (ADAPTER_CAP - 1, WAD - 1), (0, 0)],
)
def test_set_adapter_caps__guardian__lowers_them(setup: Setup, cap: int, share_cap: int) -> None:
    vault, adapter = setup.vault, setup.adapter.address
    vault.set_adapter_caps(adapter, cap, share_cap, sender=setup.actors.guardian)
    assert vault.adapter_caps(adapter) == (cap, share_cap)


@pytest.mark.parametrize(
    ("cap", "share_cap"), [(ADAPTER_CAP + 1, 0), (0, WAD // 2 + 1), (ADAPTER_CAP + 1, WAD)]
)
def test_set_adapter_caps__guardian_raises_either__reverts(
    setup: Setup, cap: int, share_cap: int
) -> None:
    vault, adapter = setup.vault, setup.adapter.address
    vault.set_adapter_caps(adapter, ADAPTER_CAP, WAD // 2, sender=setup.actors.owner)
    with pytest.raises(Revert) as failure:
        vault.set_adapter_caps(adapter, cap, share_cap, sender=setup.actors.guardian)
    assert failure.value.reason == "vault: guardian only lowers"


@pytest.mark.parametrize("role", ["allocator", "depositor", "stranger"])
def test_set_adapter_caps__anyone_else__reverts(setup: Setup, role: str) -> None:
    sender = getattr(setup.actors, role)
    with pytest.raises(Revert) as failure:
        setup.vault.set_adapter_caps(setup.adapter.address, 0, WAD, sender=sender)
    assert failure.value.reason == "vault: not owner or guardian"


@pytest.mark.parametrize("role", ["owner", "guardian"])
def test_set_adapter_caps__unknown_adapter__reverts(setup: Setup, role: str) -> None:
    sender = getattr(setup.actors, role)
    with pytest.raises(Revert) as failure:
        setup.vault.set_adapter_caps(setup.actors.stranger, 0, WAD, sender=sender)
    assert failure.value.reason == "vault: unknown adapter"
