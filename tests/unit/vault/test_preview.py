"""Previews are exact in the same block, whatever the action books on its way."""

import pytest

from relever.chain import Revert
from tests.unit.vault.conftest import DAY, WAD, Setup

STATES = ["fresh", "profitable", "slashed", "unsynced_loss", "unsynced_gain", "at_risk", "mixed"]
AMOUNTS = [2, 10**9 + 7, WAD // 3, 7 * WAD + 1]


@pytest.fixture(params=STATES)
def in_state(request: pytest.FixtureRequest, staked: Setup) -> Setup:
    vault = staked.vault
    match request.param:
        case "profitable":
            vault.pay_rewards(3 * WAD + 1, sender=staked.actors.payer)
            staked.chain.advance(2 * DAY)
        case "slashed":
            staked.report(44 * WAD + 3)
            vault.sync()
        case "unsynced_loss":
            vault.pay_rewards(WAD, sender=staked.actors.payer)
            staked.chain.advance(DAY)
            staked.report(44 * WAD + 3)
        case "unsynced_gain":
            staked.report(77 * WAD + 3)
        case "at_risk":
            staked.report(60 * WAD, at_risk=20 * WAD + 1)
        case "mixed":
            vault.pay_rewards(WAD, sender=staked.actors.payer)
            staked.chain.advance(DAY + 1)
            staked.report(44 * WAD + 3)
            staked.report(25 * WAD, staked.second_adapter, at_risk=9 * WAD)
    return staked


@pytest.mark.parametrize("amount", AMOUNTS)
def test_preview__any_state__equals_the_action(in_state: Setup, amount: int) -> None:
    vault, who = in_state.vault, in_state.actors.depositor
    actions = {
        "previewDeposit": lambda: vault.deposit(amount, who, sender=who),
        "previewMint": lambda: vault.mint(amount, who, sender=who),
        "previewWithdraw": lambda: vault.withdraw(amount, who, who, sender=who),
        "previewRedeem": lambda: vault.redeem(amount, who, who, sender=who),
    }
    for name, act in actions.items():
        with in_state.chain.isolated():
            expected = getattr(vault, name)(amount)
            event = act().events[-1]
            asked_in_assets = name in ("previewDeposit", "previewWithdraw")
            assert event.args["shares" if asked_in_assets else "assets"] == expected, name


def test_preview__unreadable_adapter__reverts(staked: Setup) -> None:
    staked.adapter.set_broken(True)
    for name in ("previewDeposit", "previewMint", "previewWithdraw", "previewRedeem"):
        with pytest.raises(Revert) as failure:
            getattr(staked.vault, name)(WAD)
        assert failure.value.reason == "vault: adapter unreadable"
