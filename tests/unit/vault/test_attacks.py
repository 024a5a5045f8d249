"""Known ways to rob a vault, each tried and each unprofitable."""

import pytest

from relever.chain import Revert
from tests.unit.vault.conftest import DAY, SEED, UNLOCK_PERIOD, WAD, Exits, Setup, assets_down


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


@pytest.mark.parametrize("stake", [100 * WAD, 10_000 * WAD])
def test_sandwich__rewards_with_both_fees__costs_the_attacker(staked: Setup, stake: int) -> None:
    """In before the rewards, out in their block, by way of an exit that empties the buffer."""
    vault, attacker, honest = staked.vault, staked.actors.attacker, staked.actors.depositor
    vault.set_performance_fee(WAD // 10, staked.actors.stranger, sender=staked.actors.owner)
    vault.set_exit_fee(200 * WAD, WAD // 100, sender=staked.actors.owner)
    worth = []
    for attacked in (False, True):
        with staked.chain.isolated():
            shares = staked.deposit(stake, attacker) if attacked else 0
            vault.pay_rewards(5 * WAD, sender=staked.actors.payer)
            if attacked:
                receipt = vault.redeem(shares, attacker, attacker, sender=attacker)
                assert receipt.events[-1].args["assets"] < stake
            staked.chain.advance(UNLOCK_PERIOD)
            worth.append(vault.convertToAssets(vault.balanceOf(honest)))
    # What the attacker's exit cost is with the others now.
    assert worth[0] < worth[1] < worth[0] + WAD


@pytest.mark.parametrize("first", ["deposit", "slash"])
def test_slash__deposit_in_its_block__bears_it_only_when_it_was_there(
    staked: Setup, first: str
) -> None:
    vault, newcomer = staked.vault, staked.actors.holder
    calls = [
        vault.deposit.build(100 * WAD, newcomer, sender=newcomer),
        staked.adapter.set_value.build(20 * WAD, 0, sender=newcomer),
    ]
    staked.chain.send_batch(calls if first == "deposit" else calls[::-1])
    worth = vault.previewRedeem(vault.balanceOf(newcomer))
    total = (200 * WAD + SEED) - 40 * WAD
    if first == "deposit":
        assert worth == assets_down(100 * WAD, total, 200 * WAD + SEED) < 81 * WAD
    else:
        assert 100 * WAD - 2 <= worth <= 100 * WAD
    assert vault.live_total_assets(True) == total


def test_slash__all_redeem_in_its_block__each_bears_the_same(staked: Setup) -> None:
    """Nobody has synced: the first books the loss for all, and gets no more than the last."""
    vault, actors = staked.vault, staked.actors
    runners = [actors.depositor, actors.holder, actors.payer, actors.stranger]
    for runner in runners[1:]:
        vault.transfer(runner, 5 * WAD, sender=runners[0])
    staked.report(7 * WAD + 3)
    staked.report(13 * WAD, staked.second_adapter)
    due = assets_down(5 * WAD, 40 * WAD + 3 + SEED, 100 * WAD + SEED)
    receipts = staked.chain.send_batch(
        [vault.redeem.build(5 * WAD, runner, runner, sender=runner) for runner in runners]
    )
    assert len({receipt.block_number for receipt in receipts}) == 1
    for receipt in receipts:
        assert due <= receipt.events[-1].args["assets"] <= due + 1
    events = [event for receipt in receipts for event in receipt.events]
    booked = [event for event in events if event.name == "Synced"]
    assert booked == [
        staked.synced(staked.adapter, 0, 53 * WAD - 3, 7 * WAD + 3),
        staked.synced(staked.second_adapter, 0, 7 * WAD, 13 * WAD),
    ]


def test_splitting__an_exit_with_a_fee_in_a_hundred_parts__gains_nothing(staked: Setup) -> None:
    vault, who = staked.vault, staked.actors.depositor
    vault.set_exit_fee(50 * WAD, WAD // 100, sender=staked.actors.owner)
    staked.report(44 * WAD + 3, at_risk=7 * WAD)
    at_once = vault.redeem.call(15 * WAD, who, who, sender=who)
    in_parts = 0
    for _ in range(100):
        in_parts += vault.redeem(15 * WAD // 100, who, who, sender=who).events[-1].args["assets"]
    # Every part rounds its worth down and its fee up.
    assert at_once - 200 <= in_parts <= at_once


def test_lie__adapter_says_too_much__pays_nobody_more(exits: Exits) -> None:
    """What is not there is locked, and gone again once the owner has written the adapter off."""
    setup, vault, actors = exits.setup, exits.setup.vault, exits.setup.actors
    due = vault.previewRedeem(10 * WAD)
    setup.report(600 * WAD)
    vault.sync()
    assert vault.locked_profit() == 540 * WAD
    assert vault.previewRedeem(10 * WAD) == vault.previewDeposit(10 * WAD) == due == 10 * WAD
    vault.quarantine(setup.adapter.address, sender=actors.owner)
    assert vault.totalAssets() <= 100 * WAD + SEED
    assert vault.maxRedeem(actors.depositor) > 0
    assert vault.sync.call()[2] is True


def test_lie__adapter_says_nothing_for_a_moment__buying_cheaply_pays_nothing_at_once(
    staked: Setup,
) -> None:
    """The price falls and the way back up is locked; what it earns with time is no free lunch."""
    vault, attacker = staked.vault, staked.actors.attacker
    staked.report(0)
    shares = staked.deposit(100 * WAD, attacker)
    staked.report(60 * WAD)
    vault.sync()
    assert vault.locked_profit() == 60 * WAD
    assert vault.redeem.call(shares, attacker, attacker, sender=attacker) <= 100 * WAD


def test_lie__adapter_names_an_exit_that_sent_nothing__is_a_loss(staked: Setup) -> None:
    vault, adapter = staked.vault, staked.adapter
    vault.deallocate(adapter.address, 60 * WAD, sender=staked.actors.allocator)
    adapter.set_exit(0, 0, 60 * WAD)
    vault.finish_exit(adapter.address, 0)
    assert vault.totalAssets() == vault.idle() + 20 * WAD == 40 * WAD + SEED


def test_asset__grows_by_itself__belongs_to_nobody(staked: Setup) -> None:
    """A rebase upwards is a donation: no price moves, and no exit pays it out."""
    vault, who = staked.vault, staked.actors.depositor
    before = staked.books()[:-1]
    for holder in (vault.address, staked.adapter.address):
        staked.token.mint(holder, staked.token.balanceOf(holder))
    assert staked.books()[:-1] == before
    assert vault.maxWithdraw(who) == 20 * WAD + SEED
    with pytest.raises(Revert) as failure:
        vault.withdraw(20 * WAD + SEED + 1, who, who, sender=who)
    assert failure.value.reason == "vault: not enough idle"


def test_asset__shrinks_by_itself__pays_what_is_there_and_no_more(staked: Setup) -> None:
    """A rebase downwards, or a fee that begins later, is not booked: exits end with the tokens."""
    vault, who, token = staked.vault, staked.actors.depositor, staked.token
    staked.chain.impersonate(vault.address)
    token.transfer(staked.actors.stranger, 15 * WAD + SEED, sender=vault.address)
    vault.withdraw(5 * WAD, who, who, sender=who)
    with pytest.raises(Revert) as failure:
        vault.withdraw(1, who, who, sender=who)
    assert failure.value.reason == "token: balance"
    # Who is left bears it, and whatever comes in serves the exits again.
    staked.deposit(WAD, staked.actors.holder)
    vault.withdraw(WAD, who, who, sender=who)
