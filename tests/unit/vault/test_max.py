"""The maxima never revert, the maximum works, and one unit more does not."""

from collections.abc import Callable

import pytest

from relever.chain import Receipt, Revert
from tests.unit.vault.conftest import (
    DAY,
    DEPOSIT_CAP,
    LARGEST,
    MOST_DEPOSITS,
    SEED,
    WAD,
    Setup,
    assets_down,
)

MAXIMA = ["maxDeposit", "maxMint", "maxWithdraw", "maxRedeem"]


def action(setup: Setup, name: str, who: str) -> Callable[[int], Receipt]:
    vault = setup.vault
    return {
        "maxDeposit": lambda amount: vault.deposit(amount, who, sender=who),
        "maxMint": lambda amount: vault.mint(amount, who, sender=who),
        "maxWithdraw": lambda amount: vault.withdraw(amount, who, who, sender=who),
        "maxRedeem": lambda amount: vault.redeem(amount, who, who, sender=who),
    }[name]


def check(setup: Setup, name: str, who: str) -> int:
    """The maximum works and one more reverts; returns the maximum."""
    most: int = getattr(setup.vault, name)(who)
    act = action(setup, name, who)
    with setup.chain.isolated(), pytest.raises(Revert):
        act(most + 1)
    if most:
        with setup.chain.isolated():
            act(most)
    return most


def test_max_deposit__fresh_vault__is_the_room_under_the_cap(setup: Setup) -> None:
    assert setup.vault.maxDeposit(setup.actors.stranger) == DEPOSIT_CAP - SEED
    assert setup.vault.maxMint(setup.actors.stranger) == DEPOSIT_CAP - SEED


def test_max_withdraw__nothing_staked__is_the_holding(setup: Setup) -> None:
    setup.deposit(5 * WAD)
    assert setup.vault.maxWithdraw(setup.actors.depositor) == 5 * WAD
    assert setup.vault.maxRedeem(setup.actors.depositor) == 5 * WAD
    assert setup.vault.maxWithdraw(setup.actors.stranger) == 0
    assert setup.vault.maxRedeem(setup.actors.stranger) == 0


def test_max_withdraw__most_staked__is_what_is_idle(staked: Setup) -> None:
    assert staked.vault.maxWithdraw(staked.actors.depositor) == 20 * WAD + SEED
    assert staked.vault.maxRedeem(staked.actors.depositor) == 20 * WAD + SEED


@pytest.mark.parametrize("name", MAXIMA)
@pytest.mark.parametrize("state", ["even", "profitable", "slashed", "at_risk", "drained", "capped"])
def test_max__any_state__is_exact(staked: Setup, name: str, state: str) -> None:
    vault, actors = staked.vault, staked.actors
    vault.set_deposit_cap(10_000 * WAD + 11, sender=actors.owner)
    match state:
        case "profitable":
            vault.pay_rewards(3 * WAD + 1, sender=actors.payer)
            staked.chain.advance(2 * DAY + 1)
        case "slashed":
            staked.report(44 * WAD + 3)
        case "at_risk":
            staked.report(60 * WAD, at_risk=20 * WAD + 1)
        case "drained":
            vault.withdraw(
                vault.idle(), actors.depositor, actors.depositor, sender=actors.depositor
            )
        case "capped":
            vault.set_deposit_cap(90 * WAD, sender=actors.guardian)
    most = check(staked, name, actors.depositor)
    closed = (state == "drained" and name in ("maxWithdraw", "maxRedeem")) or (
        state == "capped" and name in ("maxDeposit", "maxMint")
    )
    assert (most == 0) is closed


@pytest.mark.parametrize("at_risk", [0, 20 * WAD + 1])
@pytest.mark.parametrize("name", ["maxWithdraw", "maxRedeem"])
def test_max__holding_smaller_than_idle__is_exact(staked: Setup, name: str, at_risk: int) -> None:
    staked.deposit(3 * WAD + 1, staked.actors.holder)
    staked.report(51 * WAD + 1, at_risk=at_risk)
    most = check(staked, name, staked.actors.holder)
    total, supply = staked.vault.live_total_assets(True), staked.vault.totalSupply()
    worth = assets_down(3 * WAD + 1, total, supply)
    assert most == (worth if name == "maxWithdraw" else 3 * WAD + 1)


@pytest.mark.parametrize("name", ["maxDeposit", "maxMint"])
def test_max__highest_cap__is_the_room_under_it(staked: Setup, name: str) -> None:
    vault, who = staked.vault, staked.actors.depositor
    vault.set_deposit_cap(MOST_DEPOSITS, sender=staked.actors.owner)
    staked.token.mint(who, 2**121, sender=who)
    assert check(staked, name, who) == MOST_DEPOSITS - 100 * WAD - SEED


def test_max__shares_worth_little__is_bounded_by_the_supply(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.depositor
    vault.set_deposit_cap(MOST_DEPOSITS, sender=staked.actors.owner)
    staked.token.mint(who, 2**121, sender=who)
    staked.allocate(vault.idle())
    staked.report(0)
    staked.report(WAD // 10, staked.second_adapter)
    supply = vault.totalSupply()
    assert check(staked, "maxMint", who) == LARGEST - supply
    most = vault.maxDeposit(who)
    assert most == assets_down(LARGEST - supply, WAD // 10, supply) < MOST_DEPOSITS // 2
    vault.deposit(most, who, sender=who)


def test_max__room_for_less_than_a_share__is_zero(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.depositor
    vault.pay_rewards(100 * WAD, sender=staked.actors.payer)
    staked.chain.advance(vault.unlock_period())
    vault.set_deposit_cap(vault.totalAssets() + 1, sender=staked.actors.owner)
    assert check(staked, "maxDeposit", who) == 0
    assert check(staked, "maxMint", who) == 0


def test_max_redeem__shares_worth_less_than_a_unit__is_zero(staked: Setup) -> None:
    vault, actors = staked.vault, staked.actors
    staked.report(0)
    vault.transfer(actors.holder, 1, sender=actors.depositor)
    assert vault.maxRedeem(actors.holder) == vault.maxWithdraw(actors.holder) == 0


@pytest.mark.parametrize("name", MAXIMA)
def test_max__adapter_reverts__is_zero(staked: Setup, name: str) -> None:
    staked.adapter.set_broken(True)
    assert getattr(staked.vault, name)(staked.actors.depositor) == 0


@pytest.mark.parametrize("name", MAXIMA)
def test_max__adapter_without_code__is_zero(staked: Setup, name: str) -> None:
    staked.chain.set_code(staked.adapter.address, b"")
    assert getattr(staked.vault, name)(staked.actors.depositor) == 0


@pytest.mark.parametrize("name", MAXIMA)
def test_max__everything_lost__does_not_revert(staked: Setup, name: str) -> None:
    staked.allocate(staked.vault.idle())
    staked.report(0)
    staked.report(0, staked.second_adapter)
    staked.token.mint(staked.actors.depositor, DEPOSIT_CAP, sender=staked.actors.depositor)
    check(staked, name, staked.actors.depositor)
