import pytest

from relever.chain import Revert
from tests.unit.vault.conftest import DAY, SEED, WAD, Setup


@pytest.fixture
def leaving(staked: Setup) -> Setup:
    """25 of the 60 in the first adapter are on their way out, as exit 0."""
    staked.vault.deallocate(staked.adapter.address, 25 * WAD, sender=staked.actors.allocator)
    return staked


def test_finish_exit__by_anyone__brings_the_assets_home(leaving: Setup) -> None:
    vault, adapter = leaving.vault, leaving.adapter
    total = vault.totalAssets()
    assert vault.finish_exit.call(adapter.address, 0, sender=leaving.actors.stranger) == 25 * WAD

    receipt = vault.finish_exit(adapter.address, 0, sender=leaving.actors.stranger)

    assert receipt.events == [
        leaving.moved(adapter.address, vault.address, 25 * WAD),
        leaving.event("ExitFinished", adapter=adapter.address, id=0, amount=25 * WAD),
    ]
    assert vault.booked(adapter.address) == 35 * WAD
    assert vault.idle() == 45 * WAD + SEED
    assert vault.totalAssets() == total


@pytest.mark.parametrize("action", ["sync", "finish_exit"])
def test_finish_exit__nothing_gained_or_lost__leaves_the_line_of_locked_profit(
    leaving: Setup, action: str
) -> None:
    """Drawn anew from what is left, rounded up, it would be a unit higher half a day later."""
    vault, chain = leaving.vault, leaving.chain
    vault.pay_rewards(7, sender=leaving.actors.payer)
    chain.advance(DAY // 2)
    getattr(vault, action)(*([leaving.adapter.address, 0] if action == "finish_exit" else []))
    assert vault.locked_profit() == 7
    chain.advance(DAY // 2)
    assert vault.locked_profit() == 6


def test_finish_exit__slashed_on_the_way__books_the_loss(leaving: Setup) -> None:
    vault, adapter = leaving.vault, leaving.adapter
    adapter.set_exit(0, 20 * WAD, 25 * WAD)

    receipt = vault.finish_exit(adapter.address, 0)

    assert receipt.events == [
        leaving.moved(adapter.address, vault.address, 20 * WAD),
        leaving.synced(adapter, 0, 5 * WAD, 35 * WAD),
        leaving.event("ExitFinished", adapter=adapter.address, id=0, amount=20 * WAD),
    ]
    assert vault.totalAssets() == 95 * WAD + SEED


def test_finish_exit__adapter_lies__only_what_arrived_counts(leaving: Setup) -> None:
    vault, adapter = leaving.vault, leaving.adapter
    adapter.set_exit(0, 0, 1_000 * WAD)
    assert vault.finish_exit.call(adapter.address, 0) == 0
    vault.finish_exit(adapter.address, 0)
    assert vault.idle() == 20 * WAD + SEED
    assert vault.totalAssets() == 75 * WAD + SEED


def test_finish_exit__more_than_the_books_know__is_locked_profit(leaving: Setup) -> None:
    vault, adapter = leaving.vault, leaving.adapter
    adapter.set_exit(0, 70 * WAD, 0)
    total = vault.totalAssets()

    receipt = vault.finish_exit(adapter.address, 0)

    # Ten above the sixty in the books, and what the adapter still has on top.
    assert receipt.events == [
        leaving.moved(adapter.address, vault.address, 70 * WAD),
        leaving.synced(adapter, 35 * WAD, 0, 35 * WAD),
        leaving.event("ExitFinished", adapter=adapter.address, id=0, amount=70 * WAD),
    ]
    assert vault.booked(adapter.address) == 35 * WAD
    assert vault.idle() == 90 * WAD + SEED
    assert vault.locked_profit() == 45 * WAD
    assert vault.totalAssets() == total


def test_finish_exit__more_than_the_adapter_was_worth__is_a_loss_and_locked_profit(
    leaving: Setup,
) -> None:
    vault, adapter = leaving.vault, leaving.adapter
    adapter.set_exit(0, 70 * WAD, 0)
    adapter.set_value(0, 25 * WAD)
    total = vault.totalAssets()

    receipt = vault.finish_exit(adapter.address, 0)

    # Whoever synced a moment before would have booked the loss; so does the exit.
    assert receipt.events == [
        leaving.synced(adapter, 0, 35 * WAD, 25 * WAD),
        leaving.moved(adapter.address, vault.address, 70 * WAD),
        leaving.event("ExitFinished", adapter=adapter.address, id=0, amount=70 * WAD),
    ]
    assert vault.booked(adapter.address) == 0
    assert vault.idle() == 90 * WAD + SEED
    assert vault.locked_profit() == 45 * WAD
    assert vault.totalAssets() == total - 35 * WAD


def test_finish_exit__gain_on_the_way__is_locked_profit(leaving: Setup) -> None:
    vault, adapter = leaving.vault, leaving.adapter
    adapter.set_exit(0, 30 * WAD, 30 * WAD)
    total = vault.totalAssets()
    receipt = vault.finish_exit(adapter.address, 0)
    assert receipt.events == [
        leaving.moved(adapter.address, vault.address, 30 * WAD),
        leaving.synced(adapter, 5 * WAD, 0, 35 * WAD),
        leaving.event("ExitFinished", adapter=adapter.address, id=0, amount=30 * WAD),
    ]
    assert vault.locked_profit() == 5 * WAD
    assert vault.totalAssets() == total


def test_finish_exit__unknown_adapter__reverts(leaving: Setup) -> None:
    with pytest.raises(Revert) as failure:
        leaving.vault.finish_exit(leaving.actors.stranger, 0)
    assert failure.value.reason == "vault: unknown adapter"


def test_finish_exit__unreadable_adapter__still_brings_the_assets_home(leaving: Setup) -> None:
    vault, adapter = leaving.vault, leaving.adapter
    adapter.set_broken(True)
    leaving.report(19 * WAD, leaving.second_adapter)
    total = vault.totalAssets()

    receipt = vault.finish_exit(adapter.address, 0)

    assert receipt.events == [
        leaving.synced(leaving.second_adapter, 0, WAD, 19 * WAD),
        leaving.moved(adapter.address, vault.address, 25 * WAD),
        leaving.event("ExitFinished", adapter=adapter.address, id=0, amount=25 * WAD),
    ]
    assert vault.booked(adapter.address) == 35 * WAD
    assert vault.idle() == 45 * WAD + SEED
    assert vault.totalAssets() == total - WAD
