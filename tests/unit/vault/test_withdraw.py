import pytest

from relever.chain import Revert
from tests.unit.vault.conftest import NOBODY, SEED, WAD, Setup, shares_up


def test_withdraw__fresh_vault__burns_as_many_shares(setup: Setup) -> None:
    vault, who, receiver = setup.vault, setup.actors.depositor, setup.actors.holder
    setup.deposit(5 * WAD)
    assert vault.withdraw.call(2 * WAD, receiver, who, sender=who) == 2 * WAD

    receipt = vault.withdraw(2 * WAD, receiver, who, sender=who)

    assert receipt.events == [
        setup.event("Transfer", sender=who, receiver=NOBODY, value=2 * WAD),
        setup.moved(vault.address, receiver, 2 * WAD),
        setup.event(
            "Withdraw", sender=who, receiver=receiver, owner=who, assets=2 * WAD, shares=2 * WAD
        ),
    ]
    assert vault.balanceOf(who) == 3 * WAD
    assert vault.idle() == vault.totalAssets() == 3 * WAD + SEED


def test_withdraw__rate_above_one__rounds_shares_up(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.depositor
    vault.pay_rewards(7, sender=staked.actors.payer)
    staked.chain.advance(vault.unlock_period())
    total, supply = vault.totalAssets(), vault.totalSupply()
    expected = shares_up(15 * WAD, total, supply)
    assert 15 * WAD * (supply + 10**9) % (total + 10**9) != 0

    assert vault.withdraw.call(15 * WAD, who, who, sender=who) == expected


def test_withdraw__one_unit_at_a_rate_above_one__still_costs_a_share(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.depositor
    vault.pay_rewards(WAD, sender=staked.actors.payer)
    staked.chain.advance(vault.unlock_period())
    assert vault.withdraw.call(1, who, who, sender=who) == 1


def test_withdraw__slash_not_yet_synced__costs_the_shares_after_it(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.depositor
    staked.report(50 * WAD)
    expected = shares_up(WAD, vault.totalAssets() - 10 * WAD, vault.totalSupply())

    receipt = vault.withdraw(WAD, who, who, sender=who)

    assert receipt.events == [
        staked.synced(staked.adapter, 0, 10 * WAD, 50 * WAD),
        staked.event("Transfer", sender=who, receiver=NOBODY, value=expected),
        staked.moved(vault.address, who, WAD),
        staked.event("Withdraw", sender=who, receiver=who, owner=who, assets=WAD, shares=expected),
    ]


def test_withdraw__visible_slash__costs_as_if_executed(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.depositor
    staked.report(60 * WAD, at_risk=30 * WAD)
    expected = shares_up(WAD, vault.totalAssets() - 30 * WAD, vault.totalSupply())
    assert vault.withdraw.call(WAD, who, who, sender=who) == expected


def test_withdraw__more_than_idle__reverts(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.depositor
    idle = vault.idle()
    with pytest.raises(Revert) as failure:
        vault.withdraw(idle + 1, who, who, sender=who)
    assert failure.value.reason == "vault: not enough idle"
    vault.withdraw(idle, who, who, sender=who)
    assert vault.idle() == 0


def test_withdraw__by_a_spender_one_share_short__reverts(setup: Setup) -> None:
    vault, who, spender = setup.vault, setup.actors.depositor, setup.actors.holder
    setup.deposit(5 * WAD)
    vault.approve(spender, 2 * WAD - 1, sender=who)
    with pytest.raises(Revert) as failure:
        vault.withdraw(2 * WAD, spender, who, sender=spender)
    assert failure.value.reason == "erc20: insufficient allowance"
    vault.withdraw(2 * WAD - 1, spender, who, sender=spender)
    assert vault.allowance(who, spender) == 0


def test_withdraw__more_than_the_shares_are_worth__reverts(setup: Setup) -> None:
    vault, who = setup.vault, setup.actors.depositor
    setup.deposit(5 * WAD)
    setup.deposit(5 * WAD, setup.actors.holder)
    with pytest.raises(Revert) as failure:
        vault.withdraw(5 * WAD + 1, who, who, sender=who)
    assert failure.value.reason == "erc20: burn amount exceeds balance"


def test_withdraw__nothing__reverts(setup: Setup) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.withdraw(0, setup.actors.stranger, setup.actors.stranger)
    assert failure.value.reason == "vault: zero assets"


def test_withdraw__unreadable_risk__reverts(staked: Setup) -> None:
    staked.chain.set_code(staked.adapter.address, b"")
    with pytest.raises(Revert) as failure:
        staked.vault.withdraw(WAD, staked.actors.depositor, staked.actors.depositor)
    assert failure.value.reason == "vault: adapter unreadable"
