import pytest

from relever.chain import Revert
from tests.unit.vault.conftest import NOBODY, SEED, WAD, Setup, assets_up


def test_mint__fresh_vault__costs_as_many_assets(setup: Setup) -> None:
    vault, who, receiver = setup.vault, setup.actors.depositor, setup.actors.holder
    assert vault.mint.call(3 * WAD, receiver, sender=who) == 3 * WAD

    receipt = vault.mint(3 * WAD, receiver, sender=who)

    assert receipt.events == [
        setup.moved(who, vault.address, 3 * WAD),
        setup.event("Transfer", sender=NOBODY, receiver=receiver, value=3 * WAD),
        setup.event("Deposit", sender=who, owner=receiver, assets=3 * WAD, shares=3 * WAD),
    ]
    assert vault.balanceOf(receiver) == 3 * WAD
    assert vault.idle() == 3 * WAD + SEED


def test_mint__rate_above_one__rounds_assets_up(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.holder
    vault.pay_rewards(7, sender=staked.actors.payer)
    staked.chain.advance(vault.unlock_period())
    total, supply = vault.totalAssets(), vault.totalSupply()
    expected = assets_up(WAD, total, supply)
    assert expected == WAD + 1

    assert vault.mint.call(WAD, who, sender=who) == expected


def test_mint__slash_not_yet_synced__books_it_first(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.holder
    staked.report(50 * WAD)
    expected = assets_up(WAD, vault.totalAssets() - 10 * WAD, vault.totalSupply())

    receipt = vault.mint(WAD, who, sender=who)

    assert receipt.events == [
        staked.synced(staked.adapter, 0, 10 * WAD, 50 * WAD),
        staked.moved(who, vault.address, expected),
        staked.event("Transfer", sender=NOBODY, receiver=who, value=WAD),
        staked.event("Deposit", sender=who, owner=who, assets=expected, shares=WAD),
    ]


def test_mint__above_the_cap__reverts(setup: Setup) -> None:
    vault, who = setup.vault, setup.actors.depositor
    vault.set_deposit_cap(10 * WAD, sender=setup.actors.owner)
    with pytest.raises(Revert) as failure:
        vault.mint(10 * WAD - SEED + 1, who, sender=who)
    assert failure.value.reason == "vault: deposit cap"


def test_mint__nothing__reverts(setup: Setup) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.mint(0, setup.actors.depositor, sender=setup.actors.depositor)
    assert failure.value.reason == "vault: zero shares"


def test_mint__unreadable_adapter__reverts(staked: Setup) -> None:
    staked.adapter.set_broken(True)
    with pytest.raises(Revert) as failure:
        staked.vault.mint(WAD, staked.actors.depositor, sender=staked.actors.depositor)
    assert failure.value.reason == "vault: adapter unreadable"
