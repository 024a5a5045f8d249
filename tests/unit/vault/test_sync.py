import pytest

from relever.chain import Revert
from tests.unit.vault.conftest import DAY, SEED, UNLOCK_PERIOD, WAD, Setup

# Steps of idle work that cost the adapter nearly all that a reading may.
WORK = 29_700


def test_sync__loss__is_booked_at_once(staked: Setup) -> None:
    vault, adapter = staked.vault, staked.adapter
    staked.report(50 * WAD)
    supply = vault.totalSupply()
    answer = vault.sync.call(sender=staked.actors.stranger)[:3]
    assert answer == (90 * WAD + SEED, supply, True)

    receipt = vault.sync(sender=staked.actors.stranger)

    assert receipt.events == [staked.synced(adapter, 0, 10 * WAD, 50 * WAD)]
    assert vault.booked(adapter.address) == 50 * WAD
    assert vault.totalAssets() == 90 * WAD + SEED
    assert vault.locked_profit() == 0


def test_sync__gain__is_locked_and_unlocks_along_a_line(staked: Setup) -> None:
    vault, adapter = staked.vault, staked.adapter
    staked.report(67 * WAD)

    receipt = vault.sync(sender=staked.actors.stranger)

    assert receipt.events == [staked.synced(adapter, 7 * WAD, 0, 67 * WAD)]
    for day in range(8):
        assert vault.locked_profit() == (7 - day) * WAD
        assert vault.totalAssets() == (100 + day) * WAD + SEED
        staked.chain.advance(DAY)
    assert vault.locked_profit() == 0
    assert vault.totalAssets() == 107 * WAD + SEED


def test_sync__exiting_stake__counts_too(staked: Setup) -> None:
    staked.adapter.set_value(10 * WAD, 45 * WAD)
    staked.vault.sync()
    assert staked.vault.booked(staked.adapter.address) == 55 * WAD


def test_sync__value_at_risk__is_not_booked_but_not_paid_either(staked: Setup) -> None:
    vault = staked.vault
    staked.report(60 * WAD, at_risk=60 * WAD)
    assert vault.sync.call()[:3] == (40 * WAD + SEED, vault.totalSupply(), True)
    assert vault.sync().events == []


def test_sync__nothing_new__emits_nothing(staked: Setup) -> None:
    before = staked.books()
    receipt = staked.vault.sync()
    assert receipt.events == []
    assert staked.vault.sync.call()[:3] == (100 * WAD + SEED, 100 * WAD + SEED, True)
    assert staked.books() == before


def test_sync__loss_below_the_locked_profit__leaves_the_rate(staked: Setup) -> None:
    vault = staked.vault
    vault.pay_rewards(7 * WAD, sender=staked.actors.payer)
    staked.chain.advance(2 * DAY)
    staked.report(57 * WAD)
    total = vault.totalAssets()

    vault.sync()

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

    vault.sync()

    assert vault.locked_profit() == 0
    assert vault.totalAssets() == total - 3 * WAD
    staked.chain.advance(UNLOCK_PERIOD)
    assert vault.totalAssets() == total - 3 * WAD


def test_sync__everything_lost__leaves_a_vault_that_works(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.holder
    staked.allocate(vault.idle())
    for adapter in (staked.adapter, staked.second_adapter):
        staked.report(0, adapter)
        vault.sync()
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

    vault.sync()

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
        vault.sync()
    assert vault.locked_profit() <= 1
    assert vault.totalAssets() >= 107 * WAD + SEED


def test_sync__both_adapters__are_booked_together(staked: Setup) -> None:
    """The loss of one meets the profit that was locked before, not the gain of the other."""
    vault = staked.vault
    vault.pay_rewards(4 * WAD, sender=staked.actors.payer)
    staked.report(70 * WAD)
    staked.report(15 * WAD, staked.second_adapter)
    assert vault.sync.call()[:3] == (99 * WAD + SEED, 100 * WAD + SEED, True)

    receipt = vault.sync(sender=staked.actors.stranger)

    assert receipt.events == [
        staked.synced(staked.adapter, 10 * WAD, 0, 70 * WAD),
        staked.synced(staked.second_adapter, 0, 5 * WAD, 15 * WAD),
    ]
    assert vault.locked_profit() == 10 * WAD
    assert vault.totalAssets() == 99 * WAD + SEED


@pytest.mark.parametrize("fault", ["reverts", "no code", "too much"])
def test_sync__unreadable_adapter__stays_as_booked_and_the_others_sync(
    staked: Setup, fault: str
) -> None:
    vault, adapter = staked.vault, staked.adapter
    match fault:
        case "reverts":
            adapter.set_broken(True)
        case "no code":
            staked.chain.set_code(adapter.address, b"")
        case "too much":
            staked.report(2**116)
    before = staked.books()
    assert vault.sync.call()[:3] == (100 * WAD + SEED, 100 * WAD + SEED, False)
    assert vault.sync().events == []
    assert staked.books() == before

    staked.report(19 * WAD, staked.second_adapter)
    assert vault.sync.call()[:3] == (99 * WAD + SEED, 100 * WAD + SEED, False)

    assert vault.sync().events == [staked.synced(staked.second_adapter, 0, WAD, 19 * WAD)]
    assert vault.booked(adapter.address) == 60 * WAD
    assert vault.booked(staked.second_adapter.address) == 19 * WAD


def test_sync__unreadable_risk__books_the_value_and_says_so(staked: Setup) -> None:
    vault, adapter = staked.vault, staked.adapter
    staked.report(59 * WAD, at_risk=2**116)
    assert vault.sync.call()[:3] == (99 * WAD + SEED, 100 * WAD + SEED, False)
    assert vault.sync().events == [staked.synced(adapter, 0, WAD, 59 * WAD)]


@pytest.mark.parametrize("answer", [0, 2**116 - 1])
def test_sync__largest_and_smallest_answer__count(staked: Setup, answer: int) -> None:
    vault = staked.vault
    for adapter in (staked.adapter, staked.second_adapter):
        staked.report(answer, adapter)
    vault.sync()
    for adapter in (staked.adapter, staked.second_adapter):
        assert vault.booked(adapter.address) == answer


def test_sync__starved_of_gas__books_the_truth_or_nothing(staked: Setup) -> None:
    """A caller who rations the gas cannot make a reading fail and pass for zero."""
    vault = staked.vault
    for adapter in (staked.adapter, staked.second_adapter):
        adapter.set_work(WORK)
        staked.report(vault.booked(adapter.address) - WAD, adapter)
    booked, starved = 0, 0
    for gas in range(30_000, 6_000_000, 30_000):
        with staked.chain.isolated():
            reason, values = None, (59 * WAD, 19 * WAD)
            try:
                assert vault.sync.call(gas=gas)[2] is True
                vault.sync(gas=gas)
            except Revert as failure:
                reason, values = failure.reason, (60 * WAD, 20 * WAD)
            assert reason in (None, "vault: too little gas", "out of gas", "")
            assert vault.booked(staked.adapter.address) == values[0]
            assert vault.booked(staked.second_adapter.address) == values[1]
            booked += reason is None
            starved += reason == "vault: too little gas"
    assert booked > 0
    assert starved > 0


def test_sync__just_too_little_gas_for_the_last_reading__reverts(staked: Setup) -> None:
    """Where a starved reading leaves enough to go on, and no other reading follows it."""
    vault, second = staked.vault, staked.second_adapter
    second.set_work(WORK)
    staked.report(19 * WAD, second)
    for gas in range(1_500_000, 1_700_000, 2_000):
        with pytest.raises(Revert) as failure:
            vault.sync.call(gas=gas)[:3]
        assert failure.value.reason in ("vault: too little gas", "out of gas", "")


def test_sync__reading_that_costs_too_much__is_no_reading(staked: Setup) -> None:
    vault, adapter = staked.vault, staked.adapter
    adapter.set_work(WORK + 300)
    staked.report(59 * WAD)
    assert vault.sync.call()[:3] == (100 * WAD + SEED, 100 * WAD + SEED, False)
    assert vault.sync().events == []


def test_sync__reading__is_given_its_share_of_gas_exactly(staked: Setup) -> None:
    """By an adapter that answers how much it has once it has asked, which costs two."""
    staked.chain.set_code(staked.adapter.address, bytes.fromhex("5a5f5260205ff3"))
    staked.vault.sync()
    assert staked.vault.booked(staked.adapter.address) == 1_500_000 - 2
