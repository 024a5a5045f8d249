import pytest

from relever.artifacts import artifact
from relever.chain import Contract, Revert
from tests.unit.vault.conftest import WAD, Setup


def new_adapter(setup: Setup, vault: str | None = None, asset: str | None = None) -> Contract:
    return setup.chain.deploy(
        artifact("SettableAdapter"),
        vault or setup.vault.address,
        asset or setup.token.address,
    )


def test_add_adapter__owner__lists_it_last(setup: Setup) -> None:
    vault, adapter = setup.vault, new_adapter(setup)

    receipt = vault.add_adapter(adapter.address, 5 * WAD, WAD, sender=setup.actors.owner)

    assert receipt.events == [
        setup.event("AdapterAdded", adapter=adapter.address),
        setup.event("AdapterCapsSet", adapter=adapter.address, cap=5 * WAD, share_cap=WAD),
    ]
    assert vault.adapter_count() == 3
    assert [vault.adapter_at(i) for i in range(3)] == [
        setup.adapter.address,
        setup.second_adapter.address,
        adapter.address,
    ]
    assert vault.adapter_caps(adapter.address) == (5 * WAD, WAD)
    assert vault.booked(adapter.address) == 0


def test_add_adapter__one_with_value__brings_it_as_locked_profit(setup: Setup) -> None:
    vault, adapter = setup.vault, new_adapter(setup)
    adapter.set_value(WAD, 0)
    vault.add_adapter(adapter.address, 5 * WAD, WAD, sender=setup.actors.owner)
    total = vault.totalAssets()
    vault.sync()
    assert vault.totalAssets() == total
    assert vault.locked_profit() == WAD


@pytest.mark.parametrize("role", ["allocator", "guardian", "depositor", "stranger"])
def test_add_adapter__not_the_owner__reverts(setup: Setup, role: str) -> None:
    adapter = new_adapter(setup)
    with pytest.raises(Revert) as failure:
        setup.vault.add_adapter(adapter.address, 1, WAD, sender=getattr(setup.actors, role))
    assert failure.value.reason == "ownable: caller is not the owner"


def test_add_adapter__twice__reverts(setup: Setup) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.add_adapter(setup.adapter.address, 1, WAD, sender=setup.actors.owner)
    assert failure.value.reason == "vault: adapter listed"


def test_add_adapter__of_another_vault__reverts(setup: Setup) -> None:
    adapter = new_adapter(setup, vault=setup.actors.stranger)
    with pytest.raises(Revert) as failure:
        setup.vault.add_adapter(adapter.address, 1, WAD, sender=setup.actors.owner)
    assert failure.value.reason == "vault: adapter of another vault"


def test_add_adapter__of_another_asset__reverts(setup: Setup) -> None:
    adapter = new_adapter(setup, asset=setup.actors.stranger)
    with pytest.raises(Revert) as failure:
        setup.vault.add_adapter(adapter.address, 1, WAD, sender=setup.actors.owner)
    assert failure.value.reason == "vault: adapter of another asset"


def test_add_adapter__ninth__reverts(setup: Setup) -> None:
    vault, owner = setup.vault, setup.actors.owner
    for _ in range(6):
        vault.add_adapter(new_adapter(setup).address, WAD, WAD, sender=owner)
    assert vault.adapter_count() == 8
    with pytest.raises(Revert) as failure:
        vault.add_adapter(new_adapter(setup).address, WAD, WAD, sender=owner)
    assert failure.value.reason == "vault: too many adapters"


def test_add_adapter__eight_staked__deposits_and_exits_read_them_all(setup: Setup) -> None:
    vault, owner, who = setup.vault, setup.actors.owner, setup.actors.depositor
    for _ in range(6):
        vault.add_adapter(new_adapter(setup).address, 100 * WAD, WAD, sender=owner)
    setup.deposit(100 * WAD)
    adapters = [
        setup.chain.contract(vault.adapter_at(i), artifact("SettableAdapter")) for i in range(8)
    ]
    for adapter in adapters:
        setup.allocate(10 * WAD, adapter)
    for adapter in adapters:
        setup.report(9 * WAD, adapter)

    receipt = vault.redeem(WAD, who, who, sender=who)

    assert receipt.events[:8] == [setup.synced(adapter, 0, WAD, 9 * WAD) for adapter in adapters]
    assert sum(vault.booked(adapter.address) for adapter in adapters) == 72 * WAD


def test_adapter_at__beyond_the_last__reverts(setup: Setup) -> None:
    with pytest.raises(Revert):
        setup.vault.adapter_at(2)
