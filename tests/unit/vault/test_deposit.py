import pytest

from relever.chain import Revert
from tests.unit.vault.conftest import (
    MOST_DEPOSITS,
    NOBODY,
    SEED,
    WAD,
    Setup,
    shares_down,
)


def test_deposit__fresh_vault__gives_as_many_shares(setup: Setup) -> None:
    vault, who, receiver = setup.vault, setup.actors.depositor, setup.actors.holder
    assert vault.deposit.call(3 * WAD, receiver, sender=who) == 3 * WAD

    receipt = vault.deposit(3 * WAD, receiver, sender=who)

    assert receipt.events == [
        setup.moved(who, vault.address, 3 * WAD),
        setup.event("Transfer", sender=NOBODY, receiver=receiver, value=3 * WAD),
        setup.event("Deposit", sender=who, owner=receiver, assets=3 * WAD, shares=3 * WAD),
    ]
    assert vault.balanceOf(receiver) == 3 * WAD
    assert vault.balanceOf(who) == 0
    assert vault.idle() == vault.totalAssets() == vault.totalSupply() == 3 * WAD + SEED
    assert setup.token.balanceOf(vault.address) == 3 * WAD + SEED


def test_deposit__rate_above_one__rounds_shares_down(staked: Setup) -> None:
    vault = staked.vault
    vault.pay_rewards(7, sender=staked.actors.payer)
    staked.chain.advance(vault.unlock_period())
    total, supply = vault.totalAssets(), vault.totalSupply()
    assets = 5 * WAD
    expected = shares_down(assets, total, supply)
    # Something is rounded away, so the direction shows.
    assert assets * (supply + 10**9) % (total + 10**9) != 0

    assert staked.deposit(assets) == expected


def test_deposit__slash_not_yet_synced__books_it_first(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.holder
    staked.report(50 * WAD)
    total = vault.totalAssets() - 10 * WAD
    expected = shares_down(WAD, total, vault.totalSupply())
    assert expected > WAD

    receipt = vault.deposit(WAD, who, sender=who)

    assert receipt.events == [
        staked.synced(staked.adapter, 0, 10 * WAD, 50 * WAD),
        staked.moved(who, vault.address, WAD),
        staked.event("Transfer", sender=NOBODY, receiver=who, value=expected),
        staked.event("Deposit", sender=who, owner=who, assets=WAD, shares=expected),
    ]
    assert vault.totalAssets() == total + WAD


def test_deposit__only_unit_staked_is_lost__books_it_first(setup: Setup) -> None:
    setup.deposit(WAD)
    setup.allocate(1)
    setup.report(0)
    setup.deposit(WAD)
    assert setup.vault.booked(setup.adapter.address) == 0
    assert setup.vault.totalAssets() == SEED + 2 * WAD - 1


def test_deposit__gain_not_yet_synced__locks_it_first(staked: Setup) -> None:
    vault = staked.vault
    staked.report(66 * WAD)
    assert staked.deposit(WAD) == WAD
    assert vault.locked_profit() == 6 * WAD
    assert vault.booked(staked.adapter.address) == 66 * WAD


def test_deposit__visible_slash__does_not_make_shares_cheaper(staked: Setup) -> None:
    staked.report(60 * WAD, at_risk=30 * WAD)
    assert staked.deposit(WAD) == WAD


def test_deposit__up_to_the_cap__works_and_not_one_more(setup: Setup) -> None:
    vault, who = setup.vault, setup.actors.depositor
    vault.set_deposit_cap(10 * WAD, sender=setup.actors.owner)
    room = 10 * WAD - SEED
    with pytest.raises(Revert) as failure:
        vault.deposit(room + 1, who, sender=who)
    assert failure.value.reason == "vault: deposit cap"
    assert setup.deposit(room) == room
    with pytest.raises(Revert) as failure:
        vault.deposit(1, who, sender=who)
    assert failure.value.reason == "vault: deposit cap"


def test_deposit__highest_cap__is_reached_exactly(setup: Setup) -> None:
    vault, who = setup.vault, setup.actors.depositor
    vault.set_deposit_cap(MOST_DEPOSITS, sender=setup.actors.owner)
    setup.token.mint(who, MOST_DEPOSITS, sender=who)
    with pytest.raises(Revert) as failure:
        vault.deposit(MOST_DEPOSITS - SEED + 1, who, sender=who)
    assert failure.value.reason == "vault: deposit cap"
    assert setup.deposit(MOST_DEPOSITS - SEED) == MOST_DEPOSITS - SEED


def test_deposit__vault_worth_nothing__refuses_a_supply_beyond_its_bound(staked: Setup) -> None:
    vault, who, actors = staked.vault, staked.actors.holder, staked.actors
    staked.allocate(vault.idle())
    staked.report(0)
    staked.report(0, staked.second_adapter)
    vault.set_deposit_cap(MOST_DEPOSITS, sender=actors.owner)
    staked.token.mint(who, 10**30, sender=who)
    with pytest.raises(Revert) as failure:
        vault.deposit(10**28, who, sender=who)
    assert failure.value.reason == "vault: supply limit"
    # What fits is priced: the books know nobody's assets but the virtual ones.
    supply = vault.totalSupply()
    assert staked.deposit(WAD, who) == WAD * (supply + 10**9) // 10**9


def test_deposit__nothing__reverts(setup: Setup) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.deposit(0, setup.actors.depositor, sender=setup.actors.depositor)
    assert failure.value.reason == "vault: zero assets"


def test_deposit__too_little_for_a_share__reverts(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.depositor
    vault.pay_rewards(WAD, sender=staked.actors.payer)
    staked.chain.advance(vault.unlock_period())
    with pytest.raises(Revert) as failure:
        vault.deposit(1, who, sender=who)
    assert failure.value.reason == "vault: zero shares"


def test_deposit__unreadable_adapter__reverts_and_changes_nothing(staked: Setup) -> None:
    staked.adapter.set_broken(True)
    before = staked.books()
    with pytest.raises(Revert) as failure:
        staked.vault.deposit(WAD, staked.actors.depositor, sender=staked.actors.depositor)
    assert failure.value.reason == "vault: adapter unreadable"
    assert staked.books() == before


def test_deposit__adapter_without_anything_booked__is_not_read(setup: Setup) -> None:
    setup.adapter.set_broken(True)
    assert setup.deposit(WAD) == WAD
    setup.allocate(WAD, setup.second_adapter)
    assert setup.deposit(WAD) == WAD


def test_deposit__to_nobody__reverts(setup: Setup) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.deposit(WAD, NOBODY, sender=setup.actors.depositor)
    assert failure.value.reason == "erc20: mint to the zero address"
