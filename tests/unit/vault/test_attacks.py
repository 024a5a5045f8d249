"""Known ways to rob a vault, each tried and each unprofitable."""

import pytest

from relever.chain import Revert
from tests.unit.vault.conftest import DAY, SEED, UNLOCK_PERIOD, WAD, Setup


@pytest.mark.parametrize("first", [1, 10**9, SEED])
@pytest.mark.parametrize("donation", [WAD, 1_000 * WAD, 90_000 * WAD])
@pytest.mark.parametrize("gift", ["transfer", "rewards"])
def test_inflation__first_deposit_then_a_gift__robs_nobody(
    setup: Setup, first: int, donation: int, gift: str
) -> None:
    """The attacker mints little, inflates the price, and hopes that shares round away."""
    vault, attacker, victim = setup.vault, setup.actors.attacker, setup.actors.depositor
    setup.deposit(first, attacker)
    if gift == "transfer":
        setup.token.transfer(vault.address, donation, sender=attacker)
    else:
        vault.pay_rewards(donation, sender=attacker)
        setup.chain.advance(UNLOCK_PERIOD)
    paid = 10 * WAD
    shares = setup.deposit(paid, victim)

    # The victim loses at most a thousandth, the attacker most of the gift.
    assert vault.previewRedeem(shares) >= paid * 999 // 1000
    assert vault.previewRedeem(first) < first + donation


def test_donation__sent_to_the_vault__changes_nothing(staked: Setup) -> None:
    vault = staked.vault
    *before, held = staked.books()
    staked.token.mint(vault.address, 1_000 * WAD)
    *after, held_now = staked.books()
    assert after == before
    assert held_now == held + 1_000 * WAD
    assert vault.rate() == vault.live_rate() == WAD
    assert vault.maxWithdraw(staked.actors.depositor) == 20 * WAD + SEED
    assert vault.sync().events == []


@pytest.mark.parametrize("way", ["paid", "synced", "finished"])
def test_sandwich__around_a_gain__earns_nothing(staked: Setup, way: str) -> None:
    """In before the gain, out right after it: the gain has not unlocked."""
    vault, attacker = staked.vault, staked.actors.attacker
    staked.vault.deallocate(staked.adapter.address, 10 * WAD, sender=staked.actors.allocator)
    shares = staked.deposit(1_000 * WAD, attacker)
    match way:
        case "paid":
            vault.pay_rewards(50 * WAD, sender=staked.actors.payer)
        case "synced":
            staked.report(110 * WAD)
            vault.sync()
        case "finished":
            staked.adapter.set_exit(0, 100 * WAD, 100 * WAD)
            vault.finish_exit(staked.adapter.address, 0)
    assert vault.locked_profit() >= 40 * WAD
    out = vault.redeem.call(shares, attacker, attacker, sender=attacker)
    assert out <= 1_000 * WAD


def test_sandwich__staying_a_while__earns_the_share_of_the_time(staked: Setup) -> None:
    vault, attacker = staked.vault, staked.actors.attacker
    shares = staked.deposit(100 * WAD, attacker)
    vault.pay_rewards(14 * WAD, sender=staked.actors.payer)
    staked.chain.advance(DAY)
    out = vault.redeem.call(shares, attacker, attacker, sender=attacker)
    # Half of the shares, a seventh of the time: a fourteenth of the gain.
    assert 101 * WAD - 10**14 < out <= 101 * WAD


def test_escape__redeem_in_the_block_of_a_slash__pays_the_loss(staked: Setup) -> None:
    """Nobody has synced yet: who runs first gets no more than who waits."""
    vault, runner, waiter = staked.vault, staked.actors.depositor, staked.actors.holder
    vault.transfer(waiter, 50 * WAD, sender=runner)
    staked.report(30 * WAD)
    out = vault.redeem.call(10 * WAD, runner, runner, sender=runner)
    vault.redeem(10 * WAD, runner, runner, sender=runner)
    after = vault.redeem.call(10 * WAD, waiter, waiter, sender=waiter)
    assert out <= after <= out + 1


def test_escape__redeem_while_a_slash_is_vetoable__pays_the_loss(staked: Setup) -> None:
    vault, runner = staked.vault, staked.actors.depositor
    staked.report(60 * WAD, at_risk=30 * WAD)
    out = vault.redeem.call(10 * WAD, runner, runner, sender=runner)
    vault.redeem(10 * WAD, runner, runner, sender=runner)
    staked.report(30 * WAD)
    after = vault.redeem.call(10 * WAD, runner, runner, sender=runner)
    assert out <= after <= out + 1


def test_late_entry__deposit_after_an_unsynced_slash__does_not_carry_the_loss(
    staked: Setup,
) -> None:
    vault, newcomer = staked.vault, staked.actors.holder
    staked.report(30 * WAD)
    shares = staked.deposit(10 * WAD, newcomer)
    assert 10 * WAD - 2 <= vault.previewRedeem(shares) <= 10 * WAD


def test_splitting__an_exit_in_a_hundred_parts__gains_nothing(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.depositor
    staked.report(44 * WAD + 3, at_risk=7 * WAD)
    at_once = vault.redeem.call(15 * WAD, who, who, sender=who)
    in_parts = 0
    for _ in range(100):
        in_parts += vault.redeem(15 * WAD // 100, who, who, sender=who).events[-1].args["assets"]
    # Every part rounds down by itself.
    assert at_once - 100 <= in_parts <= at_once


def test_dust__a_hundred_deposits_of_little__gain_nothing(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.attacker
    staked.report(44 * WAD + 3)
    for amount in (1, 2, 7, 1_000):
        with staked.chain.isolated():
            held = staked.token.balanceOf(who)
            for _ in range(100):
                vault.deposit(amount, who, sender=who)
            shares = vault.balanceOf(who)
            vault.redeem(shares, who, who, sender=who)
            assert staked.token.balanceOf(who) <= held


def test_stuck_adapter__others__do_not_lose_by_who_leaves_first(staked: Setup) -> None:
    """While an adapter cannot be read nobody leaves at a price that hides its loss."""
    vault, who = staked.vault, staked.actors.depositor
    staked.adapter.set_broken(True)
    for leave in (vault.redeem, vault.withdraw):
        with pytest.raises(Revert) as failure:
            leave(WAD, who, who, sender=who)
        assert failure.value.reason == "vault: adapter unreadable"
