"""The views that say what shares are worth: totals, conversions, booked and live rate."""

import pytest

from relever.chain import Revert
from tests.unit.vault.conftest import SEED, UNLIMITED, WAD, Setup, assets_down, shares_down


def test_total_assets__idle_and_staked__without_what_is_locked(staked: Setup) -> None:
    vault = staked.vault
    assert vault.totalAssets() == 100 * WAD + SEED
    vault.pay_rewards(7 * WAD, sender=staked.actors.payer)
    assert vault.totalAssets() == 100 * WAD + SEED
    staked.chain.advance(vault.unlock_period() // 7)
    assert vault.totalAssets() == 101 * WAD + SEED
    staked.chain.advance(vault.unlock_period())
    assert vault.totalAssets() == 107 * WAD + SEED


def test_convert__slashed_vault__uses_the_booked_rate_rounded_down(staked: Setup) -> None:
    vault = staked.vault
    staked.report(49 * WAD + 1)
    total, supply = vault.totalAssets(), vault.totalSupply()
    for amount in (0, 1, 10**9, WAD + 1, 10**27):
        assert vault.convertToAssets(amount) == assets_down(amount, total, supply)
        assert vault.convertToShares(amount) == shares_down(amount, total, supply)
    vault.sync()
    total = vault.totalAssets()
    for amount in (0, 1, 10**9, WAD + 1, 10**27):
        assert vault.convertToAssets(amount) == assets_down(amount, total, supply)
        assert vault.convertToShares(amount) == shares_down(amount, total, supply)


def test_rate__slash__falls_when_synced_and_the_live_rate_at_once(staked: Setup) -> None:
    vault = staked.vault
    assert vault.rate() == vault.live_rate() == WAD
    staked.report(50 * WAD)
    total, supply = vault.totalAssets() - 10 * WAD, vault.totalSupply()
    assert vault.rate() == WAD
    assert vault.live_rate() == assets_down(WAD, total, supply)
    vault.sync()
    assert vault.rate() == vault.live_rate() == assets_down(WAD, total, supply)


def test_live_rate__visible_slash__counts_as_executed(staked: Setup) -> None:
    vault = staked.vault
    staked.report(58 * WAD, at_risk=8 * WAD)
    total, supply = vault.totalAssets(), vault.totalSupply()
    assert vault.live_rate() == assets_down(WAD, total - 10 * WAD, supply)
    assert vault.live_total_assets(True) == total - 10 * WAD
    assert vault.live_total_assets(False) == total - 2 * WAD


def test_live_total__only_unit_staked_is_lost__is_seen(setup: Setup) -> None:
    vault = setup.vault
    setup.allocate(1)
    setup.report(0)
    assert vault.live_total_assets(False) == vault.live_total_assets(True)
    assert vault.live_total_assets(True) == vault.totalAssets() - 1


def test_live_rate__gain_not_yet_synced__is_not_counted(staked: Setup) -> None:
    vault = staked.vault
    staked.report(600 * WAD)
    assert vault.live_rate() == vault.rate() == WAD


def test_live_rate__gain_not_yet_synced__does_not_cover_what_is_at_risk(staked: Setup) -> None:
    vault = staked.vault
    staked.report(70 * WAD, at_risk=10 * WAD)
    total = 100 * WAD + SEED
    assert vault.live_total_assets(True) == total - 10 * WAD
    assert vault.live_total_assets(False) == total


def test_live_rate__more_at_risk_than_there_is__counts_what_there_is(staked: Setup) -> None:
    vault = staked.vault
    staked.report(50 * WAD, at_risk=2**116 - 1)
    assert vault.live_total_assets(True) == 40 * WAD + SEED
    staked.report(70 * WAD, at_risk=2**116 - 1)
    assert vault.live_total_assets(True) == 30 * WAD + SEED


def test_live_rate__gain_of_one_adapter__does_not_cover_the_loss_of_another(
    staked: Setup,
) -> None:
    vault = staked.vault
    staked.report(50 * WAD)
    staked.report(40 * WAD, staked.second_adapter)
    assert vault.live_total_assets(True) == vault.totalAssets() - 10 * WAD


def test_live_rate__locked_profit__covers_a_loss_first_but_no_visible_slash(
    staked: Setup,
) -> None:
    vault = staked.vault
    vault.pay_rewards(4 * WAD, sender=staked.actors.payer)
    total = vault.totalAssets()
    staked.report(57 * WAD)
    assert vault.live_total_assets(True) == total
    staked.report(55 * WAD)
    assert vault.live_total_assets(True) == total - WAD
    staked.report(57 * WAD, at_risk=WAD)
    assert vault.live_total_assets(True) == total - WAD
    assert vault.live_total_assets(False) == total
    staked.report(55 * WAD, at_risk=WAD)
    assert vault.live_total_assets(True) == total - 2 * WAD
    assert vault.live_total_assets(False) == total - WAD


def test_live_rate__everything_lost__is_dust_and_does_not_revert(staked: Setup) -> None:
    vault = staked.vault
    staked.allocate(vault.idle())
    staked.report(0)
    staked.report(0, staked.second_adapter)
    supply = vault.totalSupply()
    assert vault.live_total_assets(True) == vault.live_total_assets(False) == 0
    assert vault.live_rate() == WAD * 10**9 // (supply + 10**9)


def test_live_rate__unreadable_adapter__reverts_but_the_booked_rate_does_not(
    staked: Setup,
) -> None:
    vault = staked.vault
    staked.adapter.set_broken(True)
    with pytest.raises(Revert) as failure:
        vault.live_rate()
    assert failure.value.reason == "vault: adapter unreadable"
    assert vault.rate() == WAD


def test_live_rate__adapter_claims_more_than_can_be__reverts(staked: Setup) -> None:
    staked.report(2**116)
    with pytest.raises(Revert) as failure:
        staked.vault.live_rate()
    assert failure.value.reason == "vault: adapter unreadable"
    staked.report(2**116 - 1)
    assert staked.vault.live_rate() == WAD


def test_convert__absurd_amount__overflows(staked: Setup) -> None:
    with pytest.raises(Revert):
        staked.vault.convertToAssets(UNLIMITED)
