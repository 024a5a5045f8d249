"""The performance fee: a part of gains above earlier losses, paid in shares."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relever.artifacts import artifact
from relever.chain import Chain, Contract, Revert
from tests.unit.vault.conftest import (
    DAY,
    NOBODY,
    SEED,
    UNLOCK_PERIOD,
    VIRTUAL,
    WAD,
    Exits,
    Setup,
    shares_down,
)

LARGEST_FEE = 2 * 10**17
TENTH = WAD // 10

property_of = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

# A vault of which no gain is a tenth.
HUGE = 2**119


@pytest.fixture(scope="session")
def deployed_fee(vault_chain: Chain) -> Contract:
    return vault_chain.deploy(artifact("VaultModules"))


@pytest.fixture
def modules(vault_chain: Chain, deployed_fee: Contract) -> Iterator[Contract]:
    with vault_chain.isolated():
        yield deployed_fee


@pytest.fixture
def charged(staked: Setup) -> Setup:
    """A tenth of the gains goes to the stranger."""
    staked.vault.set_performance_fee(TENTH, staked.actors.stranger, sender=staked.actors.owner)
    return staked


def fee_paid(setup: Setup) -> int:
    """Shares that the recipient has got."""
    return int(setup.vault.balanceOf(setup.actors.stranger))


# What is charged


@property_of
@given(
    changes=st.lists(
        st.tuples(
            st.one_of(st.just(0), st.integers(0, 50), st.integers(0, 10**24)),
            st.one_of(st.just(0), st.integers(0, 50), st.integers(0, 10**24)),
        ),
        min_size=1,
        max_size=8,
    ),
    fee=st.integers(0, LARGEST_FEE),
)
def test_charge_down__any_history__charges_new_heights_only(
    modules: Contract, changes: list[tuple[int, int]], fee: int
) -> None:
    """What is charged is how far the sum of gains less losses rises above where it ever was."""
    with modules._chain.isolated():
        modules.set_performance_fee(fee, modules.address)
        height, highest = 0, 0
        for gain, loss in changes:
            height += gain - loss
            charged = max(0, height - highest)
            highest = max(highest, height)
            assert modules.charge_down.call(gain, loss, HUGE) == charged * fee // WAD
            modules.charge_down(gain, loss, HUGE)
            assert modules.unrecovered_loss() == highest - height


@property_of
@given(
    steps=st.lists(
        st.tuples(
            st.one_of(st.just(0), st.integers(0, 2 * DAY)),
            st.one_of(st.integers(1, 200), st.integers(1, 10**24)),
            st.one_of(st.integers(0, 500), st.integers(0, 10**24)),
        ),
        min_size=1,
        max_size=8,
    ),
)
def test_charge_down__any_gains__are_charged_up_to_a_tenth_a_day(
    modules: Contract, steps: list[tuple[int, int, int]]
) -> None:
    """Of what the vault holds then, rounded down; what was charged is forgotten along a line."""
    chain: Chain = modules._chain
    with chain.isolated():
        modules.set_performance_fee(LARGEST_FEE, modules.address)
        charged = last = 0
        for waited, gain, whole in steps:
            chain.advance(waited)
            most = whole // 10
            charged -= min(charged, most * (chain.timestamp - last) // DAY)
            charging = min(gain, max(0, most - charged))
            expected = charging * LARGEST_FEE // WAD
            assert modules.charge_down.call(gain, 0, whole) == expected
            modules.charge_down(gain, 0, whole)
            charged, last = charged + charging, chain.timestamp


def test_charge_down__gains_free_of_a_fee__use_up_nothing(modules: Contract) -> None:
    """Those before there was a fee, and those that make up for a loss, however many in a day."""
    modules.charge_down(10, 0, 50)
    modules.set_performance_fee(LARGEST_FEE, modules.address)
    assert modules.charge_down.call(10, 0, 50) == 1
    modules.charge_down(10, 0, 50)
    assert modules.charge_down.call(10, 0, 50) == 0
    for _ in range(10):
        # In such a step less than a unit is forgotten.
        modules._chain.advance(DAY // 10)
        modules.charge_down(1, 1, 50)
    assert modules.charge_down.call(10, 0, 50) == 1


def test_recover__less_and_more_than_is_missing__stops_at_nothing(modules: Contract) -> None:
    modules.charge_down(0, 10, HUGE)
    modules.recover(4)
    assert modules.unrecovered_loss() == 6
    modules.recover(7)
    assert modules.unrecovered_loss() == 0


# Its terms


@pytest.mark.parametrize("fee", [1, TENTH, LARGEST_FEE])
def test_set_performance_fee__owner__sets_both(setup: Setup, fee: int) -> None:
    vault, recipient = setup.vault, setup.actors.stranger
    receipt = vault.set_performance_fee(fee, recipient, sender=setup.actors.owner)
    assert receipt.events == [setup.event("PerformanceFeeSet", fee=fee, recipient=recipient)]
    assert (vault.performance_fee(), vault.fee_recipient()) == (fee, recipient)
    receipt = vault.set_performance_fee(0, NOBODY, sender=setup.actors.owner)
    assert receipt.events == [setup.event("PerformanceFeeSet", fee=0, recipient=NOBODY)]
    assert (vault.performance_fee(), vault.fee_recipient()) == (0, NOBODY)


def test_set_performance_fee__too_much__reverts(setup: Setup) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.set_performance_fee(
            LARGEST_FEE + 1, setup.actors.stranger, sender=setup.actors.owner
        )
    assert failure.value.reason == "vault: performance fee"


def test_set_performance_fee__to_nobody__reverts(setup: Setup) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.set_performance_fee(1, NOBODY, sender=setup.actors.owner)
    assert failure.value.reason == "vault: no fee recipient"


@pytest.mark.parametrize("role", ["allocator", "guardian", "depositor", "stranger"])
def test_set_performance_fee__not_the_owner__reverts(setup: Setup, role: str) -> None:
    sender = getattr(setup.actors, role)
    with pytest.raises(Revert) as failure:
        setup.vault.set_performance_fee(0, sender, sender=sender)
    assert failure.value.reason == "ownable: caller is not the owner"


# Gains


def test_fee__gain_of_an_adapter__is_paid_in_shares_and_the_rest_is_locked(
    charged: Setup,
) -> None:
    vault, recipient = charged.vault, charged.actors.stranger
    vault.pay_rewards(3 * WAD, sender=charged.actors.payer)
    charged.chain.advance(UNLOCK_PERIOD)
    total, supply = vault.totalAssets(), vault.totalSupply()
    held, locked = fee_paid(charged), vault.locked_profit()
    assert held > 0
    assert locked == 0
    charged.report(67 * WAD + 5)
    fee = (7 * WAD + 5) // 10
    shares = shares_down(fee, total, supply)

    receipt = vault.sync(sender=charged.actors.depositor)

    assert receipt.events == [
        charged.synced(charged.adapter, 7 * WAD + 5, 0, 67 * WAD + 5),
        charged.event("Transfer", sender=NOBODY, receiver=recipient, value=shares),
        charged.event("PerformanceFeePaid", recipient=recipient, gain=7 * WAD + 5, shares=shares),
    ]
    assert fee_paid(charged) == held + shares
    assert vault.totalAssets() == total + fee
    assert vault.locked_profit() == 7 * WAD + 5 - fee
    # The rate stays but for the rounding: with one share more it would have fallen.
    before = (total + VIRTUAL, supply + VIRTUAL)
    after = (total + fee + VIRTUAL, supply + shares + VIRTUAL)
    assert after[0] * before[1] >= before[0] * after[1]
    assert after[0] * before[1] < before[0] * (after[1] + 1)


def test_fee__gains_of_two_adapters__are_charged_together(charged: Setup) -> None:
    vault, recipient = charged.vault, charged.actors.stranger
    charged.report(65 * WAD)
    charged.report(22 * WAD, charged.second_adapter)
    receipt = vault.sync()
    assert receipt.events == [
        charged.synced(charged.adapter, 5 * WAD, 0, 65 * WAD),
        charged.synced(charged.second_adapter, 2 * WAD, 0, 22 * WAD),
        charged.event("Transfer", sender=NOBODY, receiver=recipient, value=7 * TENTH),
        charged.event("PerformanceFeePaid", recipient=recipient, gain=7 * WAD, shares=7 * TENTH),
    ]


def test_fee__rewards__are_a_gain(charged: Setup) -> None:
    vault, payer, recipient = charged.vault, charged.actors.payer, charged.actors.stranger
    receipt = vault.pay_rewards(7 * WAD, sender=payer)
    assert receipt.events == [
        charged.moved(payer, vault.address, 7 * WAD),
        charged.event("Transfer", sender=NOBODY, receiver=recipient, value=7 * TENTH),
        charged.event("PerformanceFeePaid", recipient=recipient, gain=7 * WAD, shares=7 * TENTH),
        charged.event("RewardsPaid", payer=payer, amount=7 * WAD),
    ]
    assert vault.locked_profit() == 63 * TENTH
    assert vault.totalAssets() == 100 * WAD + SEED + 7 * TENTH
    assert vault.rate() == WAD


def test_fee__exit_that_brings_more__is_a_gain(charged: Setup) -> None:
    vault, adapter, recipient = charged.vault, charged.adapter, charged.actors.stranger
    vault.deallocate(adapter.address, 60 * WAD, sender=charged.actors.allocator)
    adapter.set_exit(0, 64 * WAD, 0)
    receipt = vault.finish_exit(adapter.address, 0)
    assert receipt.events == [
        charged.moved(adapter.address, vault.address, 64 * WAD),
        charged.event("Transfer", sender=NOBODY, receiver=recipient, value=4 * TENTH),
        charged.event("PerformanceFeePaid", recipient=recipient, gain=4 * WAD, shares=4 * TENTH),
        charged.event("ExitFinished", adapter=adapter.address, id=0, amount=64 * WAD),
    ]


def test_fee__stake_of_the_vault_gains_while_allocating__is_charged(charged: Setup) -> None:
    charged.report(70 * WAD)
    charged.allocate(WAD)
    assert fee_paid(charged) == WAD


def test_fee__dust_gain__is_too_little_for_a_fee(charged: Setup) -> None:
    vault = charged.vault
    charged.report(60 * WAD + 9)
    assert vault.sync().events == [charged.synced(charged.adapter, 9, 0, 60 * WAD + 9)]
    assert vault.locked_profit() == 9


def test_fee__none_set__charges_nothing_but_counts_losses(staked: Setup) -> None:
    vault = staked.vault
    staked.report(55 * WAD)
    vault.sync()
    assert vault.unrecovered_loss() == 5 * WAD
    staked.report(59 * WAD)
    vault.sync()
    assert vault.unrecovered_loss() == WAD
    assert vault.totalSupply() == 100 * WAD + SEED


# Recoveries


def test_fee__loss_then_gain__is_charged_above_the_loss_only(charged: Setup) -> None:
    vault = charged.vault
    charged.report(50 * WAD)
    vault.sync()
    assert vault.unrecovered_loss() == 10 * WAD
    charged.report(60 * WAD)
    assert vault.sync().events == [charged.synced(charged.adapter, 10 * WAD, 0, 60 * WAD)]
    assert vault.unrecovered_loss() == 0
    assert vault.locked_profit() == 10 * WAD
    total, supply = vault.totalAssets(), vault.totalSupply()
    charged.report(62 * WAD)
    event = vault.sync().events[-1]
    assert event.args["gain"] == 2 * WAD
    assert fee_paid(charged) == event.args["shares"] == shares_down(WAD // 5, total, supply)


def test_fee__gain_loss_gain__is_charged_once(charged: Setup) -> None:
    vault = charged.vault
    for value in (70, 60, 70, 65, 60, 70):
        charged.report(value * WAD)
        vault.sync()
    assert fee_paid(charged) == WAD
    assert vault.unrecovered_loss() == 0


def test_fee__rewards_after_a_loss__recover_it(charged: Setup) -> None:
    vault = charged.vault
    charged.report(50 * WAD)
    vault.sync()
    vault.pay_rewards(10 * WAD, sender=charged.actors.payer)
    assert fee_paid(charged) == 0
    vault.pay_rewards(10, sender=charged.actors.payer)
    assert fee_paid(charged) > 0


def test_fee__rewards_before_the_loss_is_synced__recover_it_too(charged: Setup) -> None:
    charged.report(50 * WAD)
    receipt = charged.vault.pay_rewards(10 * WAD, sender=charged.actors.payer)
    assert receipt.events == [
        charged.synced(charged.adapter, 0, 10 * WAD, 50 * WAD),
        charged.moved(charged.actors.payer, charged.vault.address, 10 * WAD),
        charged.event("RewardsPaid", payer=charged.actors.payer, amount=10 * WAD),
    ]
    assert fee_paid(charged) == charged.vault.unrecovered_loss() == 0


def test_fee__while_something_is_expected_back__its_shares_pay_for_that_too(
    exits: Exits,
) -> None:
    setup, vault = exits.setup, exits.setup.vault
    vault.pay_rewards(60 * WAD, sender=setup.actors.payer)
    setup.chain.advance(UNLOCK_PERIOD)
    vault.quarantine(setup.adapter.address, sender=setup.actors.owner)
    # Other gains have made up for the loss, and the adapter may still give all back.
    vault.pay_rewards(60 * WAD, sender=setup.actors.payer)
    vault.set_performance_fee(TENTH, setup.actors.stranger, sender=setup.actors.owner)
    total, supply = vault.totalAssets() + 60 * WAD, vault.totalSupply()
    vault.pay_rewards(10 * WAD, sender=setup.actors.payer)
    assert fee_paid(setup) == shares_down(WAD, total, supply)


@pytest.mark.parametrize("gain", [4, 5, 8])
def test_fee__loss_and_gain_in_one_sync__is_charged_on_the_difference(
    charged: Setup, gain: int
) -> None:
    vault = charged.vault
    charged.report(55 * WAD)
    charged.report((20 + gain) * WAD, charged.second_adapter)
    total, supply = 95 * WAD + SEED, vault.totalSupply()
    vault.sync()
    above = max(0, gain - 5) * WAD
    assert fee_paid(charged) == shares_down(above // 10, total, supply)
    assert vault.unrecovered_loss() == max(0, 5 - gain) * WAD
    assert vault.locked_profit() == gain * WAD - above // 10
    assert vault.totalAssets() == total + above // 10


def test_fee__quarantine_and_what_comes_back__is_no_gain(exits: Exits) -> None:
    setup, vault, adapter = exits.setup, exits.setup.vault, exits.setup.adapter
    owner, allocator = setup.actors.owner, setup.actors.allocator
    vault.set_performance_fee(TENTH, setup.actors.stranger, sender=owner)
    vault.quarantine(adapter.address, sender=owner)
    assert vault.unrecovered_loss() == 60 * WAD
    for id, sent in enumerate((20 * WAD, 40 * WAD, 3 * WAD)):
        vault.deallocate(adapter.address, WAD, sender=allocator)
        adapter.set_exit(id, sent, sent)
        assert fee_paid(setup) == 0
        vault.finish_exit(adapter.address, id)
    # Three more than were written off.
    assert vault.unrecovered_loss() == 0
    assert fee_paid(setup) == shares_down(3 * TENTH, 100 * WAD + SEED, 100 * WAD + SEED)


# What is no gain


def test_fee__kept_exit_fees__are_not_charged_and_recover_nothing(charged: Setup) -> None:
    vault, who = charged.vault, charged.actors.depositor
    vault.set_exit_fee(1_000 * WAD, WAD // 100, sender=charged.actors.owner)
    charged.report(59 * WAD)
    vault.sync()
    receipt = vault.withdraw(10 * WAD, who, who, sender=who)
    assert vault.locked_profit() > 0
    assert [event.name for event in receipt.events] == [
        "ExitFeeKept", "Transfer", "Transfer", "Withdraw",
    ]  # fmt: skip
    assert fee_paid(charged) == 0
    assert vault.unrecovered_loss() == WAD


def test_fee__what_the_queue_leaves__is_not_charged_and_recovers_nothing(exits: Exits) -> None:
    setup, vault, who = exits.setup, exits.setup.vault, exits.setup.actors.depositor
    # Rewards from before the fee unlock while the request waits.
    vault.pay_rewards(9 * WAD, sender=setup.actors.payer)
    vault.set_performance_fee(TENTH, setup.actors.stranger, sender=setup.actors.owner)
    setup.report(58 * WAD)
    exits.queue.requestRedeem(10 * WAD, who, who, sender=who)
    setup.chain.advance(DAY)
    total = vault.totalAssets()
    exits.queue.finalize(1)
    assert vault.totalAssets() < total - 10 * WAD
    assert fee_paid(setup) == 0
    assert vault.unrecovered_loss() == 2 * WAD


# Around a fee


@pytest.mark.parametrize("amount", [2, 10**9 + 7, WAD // 3, 7 * WAD + 1])
def test_preview__in_the_block_of_a_fee__equals_the_action(charged: Setup, amount: int) -> None:
    vault, who = charged.vault, charged.actors.depositor
    vault.set_exit_fee(40 * WAD, 10**16, sender=charged.actors.owner)
    vault.pay_rewards(3 * WAD + 1, sender=charged.actors.payer)
    charged.chain.advance(DAY)
    charged.report(77 * WAD + 3)
    charged.report(19 * WAD, charged.second_adapter, at_risk=3)
    actions = {
        "previewDeposit": lambda: vault.deposit(amount, who, sender=who),
        "previewMint": lambda: vault.mint(amount, who, sender=who),
        "previewWithdraw": lambda: vault.withdraw(amount, who, who, sender=who),
        "previewRedeem": lambda: vault.redeem(amount, who, who, sender=who),
    }
    for name, act in actions.items():
        with charged.chain.isolated():
            expected = getattr(vault, name)(amount)
            events = act().events
            assert "PerformanceFeePaid" in [event.name for event in events]
            asked_in_assets = name in ("previewDeposit", "previewWithdraw")
            assert events[-1].args["shares" if asked_in_assets else "assets"] == expected, name


@pytest.mark.parametrize("name", ["Withdraw", "Redeem"])
def test_max__in_the_block_of_a_fee__is_exact(charged: Setup, name: str) -> None:
    vault, who = charged.vault, charged.actors.depositor
    vault.set_exit_fee(40 * WAD, 10**16, sender=charged.actors.owner)
    charged.report(77 * WAD + 3)
    most = getattr(vault, f"max{name}")(who)
    act = getattr(vault, name.lower())
    with charged.chain.isolated():
        events = act(most, who, who, sender=who).events
        assert "PerformanceFeePaid" in [event.name for event in events]
    with pytest.raises(Revert):
        act(most + 1, who, who, sender=who)


@property_of
@given(
    before=st.integers(0, 10 * WAD),
    gain=st.integers(1, 80 * WAD),
    loss=st.integers(0, 20 * WAD),
    fee=st.integers(1, LARGEST_FEE),
    amount=st.one_of(st.integers(1, 1_000), st.integers(1, 15 * WAD)),
)
def test_fee__booked_before_or_by_an_action__moves_its_price_by_rounding_only(
    staked: Setup, before: int, gain: int, loss: int, fee: int, amount: int
) -> None:
    vault = staked.vault
    with staked.chain.isolated():
        vault.set_performance_fee(fee, staked.actors.stranger, sender=staked.actors.owner)
        if before:
            vault.pay_rewards(before, sender=staked.actors.payer)
            staked.chain.advance(UNLOCK_PERIOD)
        staked.report(60 * WAD + gain)
        staked.report(20 * WAD - loss, staked.second_adapter)
        names = ("previewDeposit", "previewMint", "previewWithdraw", "previewRedeem")
        unbooked = {name: getattr(vault, name)(amount) for name in names}
        vault.sync()
        booked = {name: getattr(vault, name)(amount) for name in names}
        # The rate may have risen by less than a unit of rounding in the minted shares.
        for name in ("previewDeposit", "previewWithdraw"):
            assert unbooked[name] - 1 <= booked[name] <= unbooked[name]
        for name in ("previewMint", "previewRedeem"):
            assert unbooked[name] <= booked[name] <= unbooked[name] + 1


@property_of
@given(
    gain=st.integers(1, 60 * WAD),
    fee=st.integers(1, LARGEST_FEE),
    paid=st.integers(1_000, 10_000 * WAD),
)
def test_fee__deposit_and_exit_around_a_gain__earns_nothing(
    staked: Setup, gain: int, fee: int, paid: int
) -> None:
    vault, attacker = staked.vault, staked.actors.attacker
    with staked.chain.isolated():
        vault.set_performance_fee(fee, staked.actors.stranger, sender=staked.actors.owner)
        shares = staked.deposit(paid, attacker)
        staked.report(60 * WAD + gain)
        vault.sync()
        assert vault.previewRedeem(shares) <= paid
        # Nor does the deposit dilute the fee: the same worth in shares.
        # On no more of the gain than a tenth of all there was.
        charged = min(gain, (100 * WAD + SEED + paid) // 10)
        assert vault.convertToAssets(fee_paid(staked)) <= charged * fee // WAD
        assert vault.convertToAssets(fee_paid(staked) + 1) >= charged * fee // WAD - 1


def test_fee__recipient__redeems_its_shares_like_anyone(charged: Setup) -> None:
    vault, recipient = charged.vault, charged.actors.stranger
    charged.report(70 * WAD)
    vault.sync()
    held = charged.token.balanceOf(recipient)
    vault.redeem(WAD, recipient, recipient, sender=recipient)
    assert charged.token.balanceOf(recipient) == held + WAD
    assert vault.balanceOf(recipient) == 0


# A lie


def test_fee__adapter_lies_for_a_moment__takes_a_fee_on_a_tenth_at_most(staked: Setup) -> None:
    """Its shares are final, and must not leave the vault to the recipient once the lie is gone."""
    vault, actors = staked.vault, staked.actors
    vault.set_performance_fee(LARGEST_FEE, actors.stranger, sender=actors.owner)
    for _ in range(10):
        staked.report(2**116 - 1)
        vault.sync()
        staked.report(60 * WAD)
        vault.sync()
    supply, whole = 100 * WAD + SEED, 100 * WAD + SEED
    fee = whole // 10 * LARGEST_FEE // WAD
    assert fee_paid(staked) == shares_down(fee, whole, supply)
    assert vault.totalAssets() == whole


def test_fee__large_gains__are_charged_up_to_a_tenth_and_as_much_again_in_a_day(
    staked: Setup,
) -> None:
    vault, actors = staked.vault, staked.actors
    vault.set_performance_fee(LARGEST_FEE, actors.stranger, sender=actors.owner)
    charged = last = 0
    whole = 100 * WAD + SEED
    for wait, gain in ((0, 30 * WAD), (0, 30 * WAD), (DAY // 2, WAD), (DAY // 3, 90 * WAD)):
        staked.chain.advance(wait)
        before = fee_paid(staked)
        receipt = vault.pay_rewards(gain, sender=actors.payer)
        charged -= min(charged, whole // 10 * (receipt.timestamp - last) // DAY)
        charging = min(gain, whole // 10 - charged)
        charged, last = charged + charging, receipt.timestamp
        # The new shares are worth their part of it at the rate that they do not move.
        worth = vault.convertToAssets(fee_paid(staked) - before)
        assert charging * LARGEST_FEE // WAD - 2 <= worth <= charging * LARGEST_FEE // WAD
        whole += gain


def test_set_performance_fee__gain_that_nobody_booked__is_charged_as_before(staked: Setup) -> None:
    vault, actors = staked.vault, staked.actors
    staked.report(65 * WAD)
    vault.set_performance_fee(LARGEST_FEE, actors.stranger, sender=actors.owner)
    assert vault.locked_profit() == 5 * WAD
    vault.sync()
    assert fee_paid(staked) == 0
