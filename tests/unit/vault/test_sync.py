import pytest

from relever.chain import Revert
from tests.unit.vault.conftest import DAY, SEED, UNLOCK_PERIOD, WAD, Setup


def test_sync__loss__is_booked_at_once(staked: Setup) -> None:
    vault, adapter = staked.vault, staked.adapter
    staked.report(50 * WAD)
    assert vault.sync.call(adapter.address, sender=staked.actors.stranger) == (0, 10 * WAD)

    receipt = vault.sync(adapter.address, sender=staked.actors.stranger)

    assert receipt.events == [staked.synced(adapter, 0, 10 * WAD, 50 * WAD)]
    assert vault.booked(adapter.address) == 50 * WAD
    assert vault.totalAssets() == 90 * WAD + SEED
    assert vault.locked_profit() == 0


def test_sync__gain__is_locked_and_unlocks_along_a_line(staked: Setup) -> None:
    vault, adapter = staked.vault, staked.adapter
    staked.report(67 * WAD)

    receipt = vault.sync(adapter.address, sender=staked.actors.stranger)

    assert receipt.events == [staked.synced(adapter, 7 * WAD, 0, 67 * WAD)]
    for day in range(8):
        assert vault.locked_profit() == (7 - day) * WAD
        assert vault.totalAssets() == (100 + day) * WAD + SEED
        staked.chain.advance(DAY)
    assert vault.locked_profit() == 0
    assert vault.totalAssets() == 107 * WAD + SEED


def test_sync__exiting_stake__counts_too(staked: Setup) -> None:
    staked.adapter.set_value(10 * WAD, 45 * WAD)
    staked.vault.sync(staked.adapter.address)
    assert staked.vault.booked(staked.adapter.address) == 55 * WAD


def test_sync__value_at_risk__is_not_booked(staked: Setup) -> None:
    staked.report(60 * WAD, at_risk=60 * WAD)
    assert staked.vault.sync(staked.adapter.address).events == []


def test_sync__nothing_new__emits_nothing(staked: Setup) -> None:
    before = staked.books()
    receipt = staked.vault.sync(staked.adapter.address)
    assert receipt.events == []
    assert staked.vault.sync.call(staked.adapter.address) == (0, 0)
    assert staked.books() == before


def test_sync__loss_below_the_locked_profit__leaves_the_rate(staked: Setup) -> None:
    vault = staked.vault
    vault.pay_rewards(7 * WAD, sender=staked.actors.payer)
    staked.chain.advance(2 * DAY)
    staked.report(57 * WAD)
    total = vault.totalAssets()

    vault.sync(staked.adapter.address)

    assert vault.locked_profit() == 2 * WAD
    assert vault.totalAssets() == total
    # The rest unlocks by the time it would have.
    staked.chain.advance(5 * DAY - 1)
    assert 0 < vault.locked_profit() < 2 * WAD
    staked.chain.advance(1)
    assert vault.locked_profit() == 0


def test_sync__loss_above_the_locked_profit__takes_the_rest_from_the_rate(staked: Setup) -> None:
    vault = staked.vault
    vault.pay_rewards(7 * WAD, sender=staked.actors.payer)
    total = vault.totalAssets()
    staked.report(50 * WAD)

    vault.sync(staked.adapter.address)

    assert vault.locked_profit() == 0
    assert vault.totalAssets() == total - 3 * WAD
    staked.chain.advance(UNLOCK_PERIOD)
    assert vault.totalAssets() == total - 3 * WAD


def test_sync__everything_lost__leaves_a_vault_that_works(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.holder
    staked.allocate(vault.idle())
    for adapter in (staked.adapter, staked.second_adapter):
        staked.report(0, adapter)
        vault.sync(adapter.address)
    assert vault.totalAssets() == vault.locked_profit() == 0
    vault.pay_rewards(WAD, sender=staked.actors.payer)
    staked.chain.advance(DAY)
    assert vault.totalAssets() == WAD // 7
    shares = staked.deposit(WAD, who)
    assert shares > 0
    assert WAD - 1000 <= vault.previewRedeem(shares) <= WAD


def test_sync__later_gain__averages_the_time_by_amount(staked: Setup) -> None:
    vault = staked.vault
    vault.pay_rewards(7 * WAD, sender=staked.actors.payer)
    staked.chain.advance(6 * DAY)
    assert vault.locked_profit() == WAD
    staked.report(62 * WAD)

    vault.sync(staked.adapter.address)

    assert vault.locked_profit() == 3 * WAD
    # One with a day left and two with seven: five days.
    staked.chain.advance(5 * DAY - 1)
    assert vault.locked_profit() > 0
    staked.chain.advance(1)
    assert vault.locked_profit() == 0


def test_sync__dust_gains_every_hour__do_not_hold_the_profit_back(staked: Setup) -> None:
    vault = staked.vault
    vault.pay_rewards(7 * WAD, sender=staked.actors.payer)
    for hour in range(1, 7 * 24 + 1):
        staked.chain.advance(3600)
        staked.report(60 * WAD + hour)
        vault.sync(staked.adapter.address)
    assert vault.locked_profit() <= 1
    assert vault.totalAssets() >= 107 * WAD + SEED


def test_sync__unknown_adapter__reverts(setup: Setup) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.sync(setup.actors.stranger)
    assert failure.value.reason == "vault: unknown adapter"


@pytest.mark.parametrize("fault", ["reverts", "no code", "too much"])
def test_sync__unreadable_adapter__reverts_and_the_others_still_sync(
    staked: Setup, fault: str
) -> None:
    vault, adapter = staked.vault, staked.adapter
    reason = "vault: adapter unreadable"
    match fault:
        case "reverts":
            adapter.set_broken(True)
        case "no code":
            staked.chain.set_code(adapter.address, b"")
        case "too much":
            staked.report(2**120)
            reason = "vault: adapter value too large"
    before = staked.books()
    with pytest.raises(Revert) as failure:
        vault.sync(adapter.address)
    assert failure.value.reason == reason
    assert staked.books() == before
    staked.report(19 * WAD, staked.second_adapter)
    vault.sync(staked.second_adapter.address)
    assert vault.booked(staked.second_adapter.address) == 19 * WAD


def test_sync__starved_of_gas__books_the_truth_or_nothing(staked: Setup) -> None:
    """A caller who rations the gas cannot make a reading fail and pass for zero."""
    vault, adapter = staked.vault, staked.adapter
    adapter.set_work(1_000)
    staked.report(59 * WAD)
    booked, starved = 0, 0
    for gas in range(30_000, 300_000, 3_000):
        with staked.chain.isolated():
            reason = None
            try:
                vault.sync(adapter.address, gas=gas)
            except Revert as failure:
                reason = failure.reason
            assert reason in (None, "vault: adapter unreadable", "out of gas", "")
            assert vault.booked(adapter.address) == (60 if reason is not None else 59) * WAD
            booked += reason is None
            starved += reason == "vault: adapter unreadable"
    assert booked > 0
    assert starved > 0
