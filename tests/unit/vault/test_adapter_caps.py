"""What may stand booked in an adapter after an allocation: an amount, and a share of the whole."""

import pytest

from relever.chain import Revert
from tests.unit.vault.conftest import ADAPTER_CAP, SEED, WAD, Setup

WHOLE = 100 * WAD + SEED


def set_caps(setup: Setup, cap: int, share_cap: int) -> None:
    setup.vault.set_adapter_caps(setup.adapter.address, cap, share_cap, sender=setup.actors.owner)


def check_room(setup: Setup, most: int, reason: str) -> None:
    """The first adapter takes `most` more, and not one unit above that."""
    vault, adapter, allocator = setup.vault, setup.adapter.address, setup.actors.allocator
    with pytest.raises(Revert) as failure:
        vault.allocate.call(adapter, most + 1, sender=allocator)
    assert failure.value.reason == reason
    if most:
        vault.allocate.call(adapter, most, sender=allocator)


def test_caps__amount__binds_at_the_unit(staked: Setup) -> None:
    set_caps(staked, 70 * WAD + 7, WAD)
    check_room(staked, 10 * WAD + 7, "vault: adapter cap")


@pytest.mark.parametrize("share_cap", [WAD * 7 // 10, WAD * 7 // 10 + 1, 600_000_000_000_000_001])
def test_caps__share__binds_at_the_unit(staked: Setup, share_cap: int) -> None:
    set_caps(staked, ADAPTER_CAP, share_cap)
    check_room(staked, WHOLE * share_cap // WAD - 60 * WAD, "vault: adapter share cap")


def test_caps__both__the_lower_binds(staked: Setup) -> None:
    set_caps(staked, 65 * WAD, WAD * 64 // 100)
    check_room(staked, WHOLE * 64 // 100 - 60 * WAD, "vault: adapter share cap")
    set_caps(staked, 63 * WAD, WAD * 64 // 100)
    check_room(staked, 3 * WAD, "vault: adapter cap")


@pytest.mark.parametrize(
    ("cap", "share_cap", "reason"),
    [(0, WAD, "vault: adapter cap"), (ADAPTER_CAP, 0, "vault: adapter share cap")],
)
def test_caps__nothing__takes_nothing(staked: Setup, cap: int, share_cap: int, reason: str) -> None:
    set_caps(staked, cap, share_cap)
    check_room(staked, 0, reason)


def test_caps__whole_share__takes_all_that_is_idle(staked: Setup) -> None:
    set_caps(staked, ADAPTER_CAP, WAD)
    staked.allocate(20 * WAD + SEED)
    assert staked.vault.idle() == 0


def test_caps__gain_not_yet_booked__counts(staked: Setup) -> None:
    """The gain adds to the adapter and to the whole."""
    set_caps(staked, ADAPTER_CAP, WAD * 7 // 10)
    staked.report(65 * WAD)
    check_room(staked, (WHOLE + 5 * WAD) * 7 // 10 - 65 * WAD, "vault: adapter share cap")
    set_caps(staked, 70 * WAD, WAD)
    check_room(staked, 5 * WAD, "vault: adapter cap")


def test_caps__loss_elsewhere_not_yet_booked__makes_the_whole_smaller(staked: Setup) -> None:
    set_caps(staked, ADAPTER_CAP, WAD * 7 // 10)
    staked.report(10 * WAD, staked.second_adapter)
    check_room(staked, (WHOLE - 10 * WAD) * 7 // 10 - 60 * WAD, "vault: adapter share cap")


def test_caps__locked_profit__is_part_of_the_whole(staked: Setup) -> None:
    set_caps(staked, ADAPTER_CAP, WAD * 7 // 10)
    staked.vault.pay_rewards(10 * WAD, sender=staked.actors.payer)
    check_room(staked, (WHOLE + 10 * WAD) * 7 // 10 - 60 * WAD, "vault: adapter share cap")


def test_caps__exits_lift_the_share__stop_nobody_from_leaving(staked: Setup) -> None:
    """A share that grows because others left is no reason to keep anyone."""
    vault, who = staked.vault, staked.actors.depositor
    set_caps(staked, ADAPTER_CAP, WAD * 6 // 10)
    vault.withdraw(vault.idle(), who, who, sender=who)
    staked.deposit(WAD)
    check_room(staked, 0, "vault: adapter share cap")


def test_caps__of_one_adapter__do_not_bind_the_other(staked: Setup) -> None:
    set_caps(staked, 0, 0)
    staked.allocate(20 * WAD, staked.second_adapter)
    assert staked.vault.booked(staked.second_adapter.address) == 40 * WAD


def test_caps__lowered_below_what_is_there__let_it_come_back(staked: Setup) -> None:
    vault, adapter = staked.vault, staked.adapter.address
    vault.set_adapter_caps(adapter, 0, 0, sender=staked.actors.guardian)
    vault.deallocate(adapter, 60 * WAD, sender=staked.actors.allocator)
    vault.finish_exit(adapter, 0)
    assert vault.booked(adapter) == 0
