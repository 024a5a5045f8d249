import pytest

from relever.chain import Revert
from tests.unit.vault.conftest import NOBODY, SEED, UNLIMITED, WAD, Setup, assets_down


def test_redeem__fresh_vault__returns_the_assets(setup: Setup) -> None:
    vault, who, receiver = setup.vault, setup.actors.depositor, setup.actors.holder
    setup.deposit(5 * WAD)
    assert vault.redeem.call(2 * WAD, receiver, who, sender=who) == 2 * WAD

    receipt = vault.redeem(2 * WAD, receiver, who, sender=who)

    assert receipt.events == [
        setup.event("Transfer", sender=who, receiver=NOBODY, value=2 * WAD),
        setup.moved(vault.address, receiver, 2 * WAD),
        setup.event(
            "Withdraw", sender=who, receiver=receiver, owner=who, assets=2 * WAD, shares=2 * WAD
        ),
    ]
    assert vault.balanceOf(who) == 3 * WAD
    assert vault.idle() == vault.totalAssets() == 3 * WAD + SEED


def test_redeem__rate_above_one__rounds_assets_down(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.depositor
    vault.pay_rewards(7, sender=staked.actors.payer)
    staked.chain.advance(vault.unlock_period())
    total, supply = vault.totalAssets(), vault.totalSupply()
    expected = assets_down(15 * WAD, total, supply)
    assert 15 * WAD * (total + 10**9) % (supply + 10**9) != 0

    assert vault.redeem.call(15 * WAD, who, who, sender=who) == expected


def test_redeem__slash_not_yet_synced__pays_the_rate_after_it(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.depositor
    staked.report(50 * WAD)
    expected = assets_down(WAD, vault.totalAssets() - 10 * WAD, vault.totalSupply())
    assert expected < WAD * 91 // 100

    receipt = vault.redeem(WAD, who, who, sender=who)

    assert receipt.events == [
        staked.synced(staked.adapter, 0, 10 * WAD, 50 * WAD),
        staked.event("Transfer", sender=who, receiver=NOBODY, value=WAD),
        staked.moved(vault.address, who, expected),
        staked.event("Withdraw", sender=who, receiver=who, owner=who, assets=expected, shares=WAD),
    ]


def test_redeem__visible_slash__pays_as_if_executed_and_books_nothing(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.depositor
    staked.report(60 * WAD, at_risk=30 * WAD)
    total = vault.totalAssets()
    expected = assets_down(WAD, total - 30 * WAD, vault.totalSupply())

    assert vault.redeem.call(WAD, who, who, sender=who) == expected
    receipt = vault.redeem(WAD, who, who, sender=who)

    assert [event.name for event in receipt.events] == ["Transfer", "Transfer", "Withdraw"]
    assert vault.booked(staked.adapter.address) == 60 * WAD
    assert vault.totalAssets() == total - expected
    # What is not paid out stays with the holders who stay.
    assert vault.rate() > WAD


def test_redeem__more_at_risk_than_there_is__counts_the_stake_as_lost(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.depositor
    staked.report(60 * WAD, at_risk=UNLIMITED >> 140)
    expected = assets_down(WAD, vault.totalAssets() - 60 * WAD, vault.totalSupply())
    assert vault.redeem.call(WAD, who, who, sender=who) == expected


def test_redeem__more_than_idle__reverts(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.depositor
    idle = vault.idle()
    assert idle == 20 * WAD + SEED
    with pytest.raises(Revert) as failure:
        vault.redeem(idle + 1, who, who, sender=who)
    assert failure.value.reason == "vault: not enough idle"
    vault.redeem(idle, who, who, sender=who)
    assert vault.idle() == 0


def test_redeem__by_a_spender__uses_up_the_allowance(setup: Setup) -> None:
    vault, who, spender = setup.vault, setup.actors.depositor, setup.actors.holder
    setup.deposit(5 * WAD)
    vault.approve(spender, 2 * WAD, sender=who)

    receipt = vault.redeem(2 * WAD, spender, who, sender=spender)

    assert receipt.events == [
        setup.event("Approval", owner=who, spender=spender, value=0),
        setup.event("Transfer", sender=who, receiver=NOBODY, value=2 * WAD),
        setup.moved(vault.address, spender, 2 * WAD),
        setup.event(
            "Withdraw", sender=spender, receiver=spender, owner=who, assets=2 * WAD,
            shares=2 * WAD,
        ),
    ]  # fmt: skip
    assert vault.allowance(who, spender) == 0


def test_redeem__allowance_one_share_short__reverts(setup: Setup) -> None:
    vault, who, spender = setup.vault, setup.actors.depositor, setup.actors.holder
    setup.deposit(5 * WAD)
    vault.approve(spender, 2 * WAD - 1, sender=who)
    with pytest.raises(Revert) as failure:
        vault.redeem(2 * WAD, spender, who, sender=spender)
    assert failure.value.reason == "erc20: insufficient allowance"


def test_redeem__more_shares_than_held__reverts(setup: Setup) -> None:
    vault, who = setup.vault, setup.actors.depositor
    setup.deposit(5 * WAD)
    setup.deposit(5 * WAD, setup.actors.holder)
    with pytest.raises(Revert) as failure:
        vault.redeem(5 * WAD + 1, who, who, sender=who)
    assert failure.value.reason == "erc20: burn amount exceeds balance"


def test_redeem__nothing__reverts(setup: Setup) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.redeem(0, setup.actors.stranger, setup.actors.stranger)
    assert failure.value.reason == "vault: zero shares"


def test_redeem__shares_worth_less_than_a_unit__reverts(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.depositor
    staked.report(50 * WAD)
    with pytest.raises(Revert) as failure:
        vault.redeem(1, who, who, sender=who)
    assert failure.value.reason == "vault: zero assets"


def test_redeem__unreadable_adapter__reverts_and_changes_nothing(staked: Setup) -> None:
    staked.second_adapter.set_broken(True)
    before = staked.books()
    with pytest.raises(Revert) as failure:
        staked.vault.redeem(WAD, staked.actors.depositor, staked.actors.depositor)
    assert failure.value.reason == "vault: adapter unreadable"
    assert staked.books() == before


def test_redeem__last_holder__leaves_the_seed_only(setup: Setup) -> None:
    vault, who = setup.vault, setup.actors.depositor
    setup.deposit(5 * WAD)
    vault.redeem(5 * WAD, who, who, sender=who)
    assert vault.totalSupply() == vault.totalAssets() == SEED


def test_redeem__worthless_vault_with_locked_rewards__does_not_break_the_books(
    staked: Setup,
) -> None:
    """The virtual assets are worth up to 1e9 units to holders of shares that are worth nothing."""
    vault, who = staked.vault, staked.actors.depositor
    staked.allocate(vault.idle())
    staked.report(0)
    staked.report(0, staked.second_adapter)
    vault.sync()
    assert vault.totalAssets() == 0
    vault.pay_rewards(WAD, sender=staked.actors.payer)

    vault.redeem(100 * WAD, who, who, sender=who)

    assert vault.totalAssets() == 0
    assert WAD - 10**9 < vault.idle() < WAD == vault.locked_profit()
    staked.chain.advance(vault.unlock_period())
    assert vault.totalAssets() == vault.idle()
