"""An adapter that is written off: what it gives back goes to those who held shares then."""

from collections.abc import Callable

import pytest

from relever.artifacts import artifact
from relever.chain import Contract, Event, Revert
from tests.unit.vault.conftest import (
    DAY,
    LARGEST,
    MOST_DEPOSITS,
    NOBODY,
    SEED,
    UNLOCK_PERIOD,
    VIRTUAL,
    WAD,
    Exits,
    Setup,
    assets_down,
    assets_up,
    shares_down,
)

WHOLE = 10**36
# What is left when the 60 of the first adapter are written off, and the shares that there are.
REST = 40 * WAD + SEED
SUPPLY = 100 * WAD + SEED
# Steps of idle work that cost the adapter nearly all that a reading may.
WORK = 29_700


@pytest.fixture
def lost(exits: Exits) -> Exits:
    """The first adapter is under quarantine; the depositor has 70 shares, the holder 30."""
    vault, actors = exits.setup.vault, exits.setup.actors
    vault.transfer(actors.holder, 30 * WAD, sender=actors.depositor)
    vault.quarantine(exits.setup.adapter.address, sender=actors.owner)
    return exits


def give_back(exits: Exits, amount: int, adapter: Contract | None = None) -> list[Event]:
    """The adapter in quarantine sends an amount; returns what happened."""
    setup = exits.setup
    adapter = adapter or setup.adapter
    id = adapter.exits()
    setup.vault.deallocate(adapter.address, WAD, sender=setup.actors.allocator)
    adapter.set_exit(id, amount, amount)
    return list(setup.vault.finish_exit(adapter.address, id, sender=setup.actors.stranger).events)


def pocket_event(exits: Exits, name: str, **arguments: object) -> Event:
    return Event(name, arguments, exits.pocket.address)


def fail_to_answer(setup: Setup, fault: str) -> None:
    match fault:
        case "reverts":
            setup.adapter.set_broken(True)
        case "no code":
            setup.chain.set_code(setup.adapter.address, b"")
        case "too much":
            setup.report(2**120)
        case "too much at risk":
            setup.report(60 * WAD, at_risk=2**120)
        case "too dear":
            setup.adapter.set_work(WORK + 300)


FAULTS = ["reverts", "no code", "too much", "too much at risk", "too dear"]


# Who may


@pytest.mark.parametrize("fault", FAULTS)
def test_quarantine__guardian_while_it_cannot_be_read__writes_it_off(
    exits: Exits, fault: str
) -> None:
    setup = exits.setup
    fail_to_answer(setup, fault)
    setup.vault.quarantine(setup.adapter.address, sender=setup.actors.guardian)
    assert setup.vault.in_quarantine(setup.adapter.address)
    assert setup.vault.totalAssets() == REST


def test_quarantine__guardian_while_it_can_be_read__reverts(exits: Exits) -> None:
    setup = exits.setup
    setup.report(0, at_risk=2**100)
    with pytest.raises(Revert) as failure:
        setup.vault.quarantine(setup.adapter.address, sender=setup.actors.guardian)
    assert failure.value.reason == "vault: adapter can be read"
    assert not setup.vault.in_quarantine(setup.adapter.address)


def test_quarantine__guardian_who_rations_the_gas__cannot_make_it_look_unreadable(
    exits: Exits,
) -> None:
    setup = exits.setup
    setup.adapter.set_work(WORK)
    reasons = set()
    for gas in range(30_000, 5_000_000, 20_000):
        with setup.chain.isolated(), pytest.raises(Revert) as failure:
            setup.vault.quarantine(setup.adapter.address, sender=setup.actors.guardian, gas=gas)
        reasons.add(failure.value.reason)
    assert {"vault: adapter can be read", "vault: too little gas"} <= reasons
    assert reasons <= {"vault: adapter can be read", "vault: too little gas", "out of gas", ""}


@pytest.mark.parametrize("role", ["allocator", "depositor", "stranger"])
def test_quarantine__anyone_else__reverts(exits: Exits, role: str) -> None:
    setup = exits.setup
    setup.adapter.set_broken(True)
    with pytest.raises(Revert) as failure:
        setup.vault.quarantine(setup.adapter.address, sender=getattr(setup.actors, role))
    assert failure.value.reason == "vault: not owner or guardian"


@pytest.mark.parametrize("role", ["owner", "guardian"])
def test_quarantine__unknown_adapter__reverts(exits: Exits, role: str) -> None:
    setup = exits.setup
    with pytest.raises(Revert) as failure:
        setup.vault.quarantine(setup.actors.stranger, sender=getattr(setup.actors, role))
    assert failure.value.reason == "vault: unknown adapter"


def test_quarantine__twice__reverts(lost: Exits) -> None:
    setup = lost.setup
    with pytest.raises(Revert) as failure:
        setup.vault.quarantine(setup.adapter.address, sender=setup.actors.owner)
    assert failure.value.reason == "vault: unknown adapter"


def test_quarantine__no_side_pocket_yet__reverts(staked: Setup) -> None:
    before = staked.books()
    with pytest.raises(Revert):
        staked.vault.quarantine(staked.adapter.address, sender=staked.actors.owner)
    assert staked.books() == before
    assert staked.vault.adapter_count() == 2


# What it books


def test_quarantine__owner__writes_the_adapter_off(exits: Exits) -> None:
    setup, vault, adapter = exits.setup, exits.setup.vault, exits.setup.adapter.address
    assert not vault.had_quarantine()

    receipt = vault.quarantine(adapter, sender=setup.actors.owner)

    assert receipt.events == [
        pocket_event(exits, "Opened", adapter=adapter, expected=60 * WAD),
        setup.event("Quarantined", adapter=adapter, written_off=60 * WAD),
    ]
    assert vault.had_quarantine()
    assert vault.in_quarantine(adapter)
    assert not vault.in_quarantine(setup.second_adapter.address)
    assert vault.adapter_count() == 1
    assert vault.adapter_at(0) == setup.second_adapter.address
    assert vault.booked(adapter) == 0
    assert vault.booked(setup.second_adapter.address) == 20 * WAD
    assert vault.totalAssets() == vault.live_total_assets(True) == REST
    assert vault.idle() == 20 * WAD + SEED
    assert vault.unrecovered_loss() == 60 * WAD
    assert exits.pocket.expected() == exits.pocket.expected_of(adapter) == 60 * WAD
    assert exits.pocket.shares_part(adapter) == WHOLE


def test_quarantine__unbooked_values__are_not_booked_by_it(exits: Exits) -> None:
    """Nobody believes what an adapter says last: what is in the books is written off."""
    setup, vault, adapter = exits.setup, exits.setup.vault, exits.setup.adapter
    setup.report(2**116 - 1)
    setup.report(19 * WAD, setup.second_adapter)
    receipt = vault.quarantine(adapter.address, sender=setup.actors.owner)
    assert receipt.events == [
        pocket_event(exits, "Opened", adapter=adapter.address, expected=60 * WAD),
        setup.event("Quarantined", adapter=adapter.address, written_off=60 * WAD),
    ]
    assert vault.unrecovered_loss() == 60 * WAD


@pytest.mark.parametrize("rewards", [25 * WAD, 60 * WAD, 70 * WAD])
def test_quarantine__locked_profit__is_owed_to_nobody_who_leaves(
    exits: Exits, rewards: int
) -> None:
    """What the locked profit takes of the loss is locked again when it comes back."""
    setup, vault, who = exits.setup, exits.setup.vault, exits.setup.actors.attacker
    vault.pay_rewards(rewards, sender=setup.actors.payer)
    held, price = setup.token.balanceOf(who), vault.previewMint(10 * WAD)
    shares = setup.deposit(100 * WAD, who)
    vault.quarantine(setup.adapter.address, sender=setup.actors.owner)
    missing = max(0, 60 * WAD - rewards)
    assert exits.pocket.expected() == exits.pocket.owed_of(setup.adapter.address) == missing
    assert vault.locked_profit() == max(0, rewards - 60 * WAD)
    assert price <= vault.previewMint(10 * WAD) <= price + 1
    vault.redeem(shares, who, who, sender=who)
    give_back(exits, 60 * WAD)
    if missing:
        exits.pocket.claim(setup.adapter.address, who)
    assert rewards - 1 <= vault.locked_profit() <= rewards + 1
    # Virtual shares have no part of what comes back: 1e9 of 1e20 are not asked to pay.
    assert held - 2 <= setup.token.balanceOf(who) <= held + 60 * WAD * VIRTUAL // SUPPLY


@pytest.mark.parametrize("index", [0, 1, 2])
def test_quarantine__one_of_three__leaves_the_other_two(exits: Exits, index: int) -> None:
    setup, vault = exits.setup, exits.setup.vault
    third = setup.chain.deploy(artifact("SettableAdapter"), vault.address, setup.token.address)
    vault.add_adapter(third.address, 100 * WAD, WAD, sender=setup.actors.owner)
    adapters = [setup.adapter.address, setup.second_adapter.address, third.address]
    gone = adapters[index]
    vault.quarantine(gone, sender=setup.actors.owner)
    left = [vault.adapter_at(i) for i in range(vault.adapter_count())]
    assert sorted(left) == sorted(set(adapters) - {gone})
    assert [adapter for adapter in adapters if vault.in_quarantine(adapter)] == [gone]


@pytest.mark.parametrize("fault", FAULTS)
def test_quarantine__unreadable_adapter__frees_the_rest_of_the_vault(
    exits: Exits, fault: str
) -> None:
    setup, vault, who = exits.setup, exits.setup.vault, exits.setup.actors.depositor
    fail_to_answer(setup, fault)
    assert vault.maxRedeem(who) == 0
    vault.quarantine(setup.adapter.address, sender=setup.actors.guardian)
    assert vault.maxRedeem(who) > 0
    vault.redeem(WAD, who, who, sender=who)
    setup.deposit(WAD)
    setup.allocate(WAD, setup.second_adapter)
    assert vault.sync.call()[2] is True


def test_quarantine__adapter__takes_nothing_more(lost: Exits) -> None:
    setup, vault, adapter = lost.setup, lost.setup.vault, lost.setup.adapter.address
    owner, unknown = setup.actors.owner, "vault: unknown adapter"
    acts: list[tuple[Callable[[], object], str]] = [
        (lambda: vault.allocate(adapter, WAD, sender=setup.actors.allocator), unknown),
        (lambda: vault.set_adapter_caps(adapter, 0, 0, sender=owner), unknown),
        (lambda: vault.add_adapter(adapter, 0, 0, sender=owner), "vault: adapter listed"),
    ]
    for act, reason in acts:
        with pytest.raises(Revert) as failure:
            act()
        assert failure.value.reason == reason


def test_quarantine__its_value__is_read_no_more(lost: Exits) -> None:
    lost.setup.report(1_000 * WAD)
    assert lost.setup.vault.sync().events == []
    assert lost.setup.vault.live_total_assets(True) == REST


def test_quarantine__other_adapters_move_on__is_not_forgotten(lost: Exits) -> None:
    """Whatever is booked afterwards, who leaves keeps a claim and who enters pays for it."""
    setup, vault, who = lost.setup, lost.setup.vault, lost.setup.actors.depositor
    adapter = setup.second_adapter
    setup.allocate(WAD, adapter)
    setup.report(19 * WAD, adapter)
    vault.sync()
    vault.deallocate(adapter.address, WAD, sender=setup.actors.allocator)
    vault.finish_exit(adapter.address, 0)
    vault.pay_rewards(WAD, sender=setup.actors.payer)
    vault.withdraw(WAD, who, who, sender=who)
    assert vault.had_quarantine()
    assert lost.pocket.claim_of(setup.adapter.address, who) > 0
    expected = lost.pocket.expected()
    assert expected > 0
    total, supply = vault.totalAssets() + expected, vault.totalSupply()
    assert vault.previewDeposit(WAD) == shares_down(WAD, total, supply)


# Who leaves


def test_redeem__after_a_quarantine__pays_the_rest_and_leaves_a_claim(lost: Exits) -> None:
    setup, vault, adapter = lost.setup, lost.setup.vault, lost.setup.adapter.address
    who, receiver = setup.actors.depositor, setup.actors.payer
    assets = assets_down(10 * WAD, REST, SUPPLY)
    part = WHOLE * 10 * WAD // SUPPLY

    receipt = vault.redeem(10 * WAD, receiver, who, sender=who)

    assert receipt.events == [
        pocket_event(lost, "Left", adapter=adapter, account=who, part=part),
        setup.event("Transfer", sender=who, receiver=NOBODY, value=10 * WAD),
        setup.moved(vault.address, receiver, assets),
        setup.event(
            "Withdraw", sender=who, receiver=receiver, owner=who, assets=assets, shares=10 * WAD
        ),
    ]
    assert lost.pocket.claim_of(adapter, who) == part
    assert lost.pocket.shares_part(adapter) == WHOLE - part
    assert lost.pocket.expected() == -(-60 * WAD * (WHOLE - part) // WHOLE)


def test_withdraw__by_a_spender_after_a_quarantine__leaves_the_owner_a_claim(
    lost: Exits,
) -> None:
    setup, vault = lost.setup, lost.setup.vault
    who, spender = setup.actors.depositor, setup.actors.payer
    vault.approve(spender, 50 * WAD, sender=who)
    shares = vault.withdraw.call(2 * WAD, spender, who, sender=spender)
    vault.withdraw(2 * WAD, spender, who, sender=spender)
    part = WHOLE * shares // SUPPLY
    assert lost.pocket.claim_of(setup.adapter.address, who) == part
    assert lost.pocket.claim_of(setup.adapter.address, spender) == 0


def test_transfer__after_a_quarantine__carries_the_part_along(lost: Exits) -> None:
    setup, vault, heir = lost.setup, lost.setup.vault, lost.setup.actors.payer
    vault.transfer(heir, 30 * WAD, sender=setup.actors.holder)
    assert lost.pocket.claim_of(setup.adapter.address, heir) == 0
    vault.redeem(30 * WAD, heir, heir, sender=heir)
    part = WHOLE * 30 * WAD // SUPPLY
    assert lost.pocket.claim_of(setup.adapter.address, heir) == part
    assert lost.pocket.claim_of(setup.adapter.address, setup.actors.holder) == 0


def test_redeem__before_a_quarantine__leaves_no_claim(exits: Exits) -> None:
    setup, vault, who = exits.setup, exits.setup.vault, exits.setup.actors.depositor
    receipt = vault.redeem(10 * WAD, who, who, sender=who)
    assert [event.name for event in receipt.events] == ["Transfer", "Transfer", "Withdraw"]
    vault.quarantine(setup.adapter.address, sender=setup.actors.owner)
    assert exits.pocket.claim_of(setup.adapter.address, who) == 0


# Who enters


@pytest.mark.parametrize("left", [0, 10 * WAD])
def test_deposit__after_a_quarantine__pays_for_what_is_expected(lost: Exits, left: int) -> None:
    setup, vault, pocket = lost.setup, lost.setup.vault, lost.pocket
    actors = setup.actors
    if left:
        vault.redeem(left, actors.depositor, actors.depositor, sender=actors.depositor)
    supply = vault.totalSupply()
    part = WHOLE - WHOLE * left // SUPPLY
    expected = -(-60 * WAD * part // WHOLE)
    total = vault.totalAssets() + expected
    assert pocket.expected() == expected
    shares = shares_down(10 * WAD, total, supply)
    assert vault.previewDeposit(10 * WAD) == shares
    assert vault.previewMint(shares) == assets_up(shares, total, supply)
    assert setup.deposit(10 * WAD, actors.payer) == shares
    # Nobody sold a part of it: the same, over more shares.
    assert pocket.shares_part(setup.adapter.address) == part


@pytest.mark.parametrize("name", ["Deposit", "Mint"])
def test_max__after_a_quarantine__is_exact(lost: Exits, name: str) -> None:
    """The cap is on what there is, not on what is expected; the price counts both."""
    setup, vault, who = lost.setup, lost.setup.vault, lost.setup.actors.payer
    vault.set_deposit_cap(90 * WAD + 3, sender=setup.actors.owner)
    most, act = getattr(vault, f"max{name}")(who), getattr(vault, name.lower())
    room = 90 * WAD + 3 - REST
    assert most == (room if name == "Deposit" else shares_down(room, REST + 60 * WAD, SUPPLY))
    act.call(most, who, sender=who)
    with pytest.raises(Revert) as failure:
        act(most + 1, who, sender=who)
    assert failure.value.reason == "vault: deposit cap"


def test_max_deposit__shares_worth_little_after_a_quarantine__counts_what_is_expected(
    exits: Exits,
) -> None:
    """Where the supply is the bound, its price is that of who enters."""
    setup, vault, who = exits.setup, exits.setup.vault, exits.setup.actors.payer
    vault.set_deposit_cap(MOST_DEPOSITS, sender=setup.actors.owner)
    setup.token.mint(who, MOST_DEPOSITS, sender=who)
    setup.allocate(vault.idle())
    for adapter in (setup.adapter, setup.second_adapter):
        setup.report(WAD // 10, adapter)
    vault.sync()
    vault.quarantine(setup.adapter.address, sender=setup.actors.owner)
    assert vault.totalAssets() == exits.pocket.expected() == WAD // 10
    most = assets_down(LARGEST - SUPPLY, WAD // 5, SUPPLY)
    assert vault.maxDeposit(who) == most
    vault.deposit.call(most, who, sender=who)


def test_deposit__and_out_at_once__comes_out_even(lost: Exits) -> None:
    """Half is paid back now, half is a claim on what it was paid for."""
    setup, vault, who = lost.setup, lost.setup.vault, lost.setup.actors.payer
    held = setup.token.balanceOf(who)
    shares = setup.deposit(10 * WAD, who)
    vault.redeem(shares, who, who, sender=who)
    give_back(lost, 60 * WAD)
    lost.pocket.claim(setup.adapter.address, who)
    # Virtual shares have no part of what comes back: 1e9 of 1e20 are not asked to pay.
    assert held - 2 <= setup.token.balanceOf(who) <= held + 60 * WAD * VIRTUAL // SUPPLY


# What comes back


def test_finish_exit__nobody_left__goes_to_the_shares_at_once(lost: Exits) -> None:
    setup, vault, adapter = lost.setup, lost.setup.vault, lost.setup.adapter.address
    id = setup.adapter.exits()
    vault.deallocate(adapter, WAD, sender=setup.actors.allocator)
    setup.adapter.set_exit(id, 60 * WAD, 0)

    receipt = vault.finish_exit(adapter, id, sender=setup.actors.stranger)

    assert receipt.events == [
        setup.moved(adapter, vault.address, 60 * WAD),
        pocket_event(lost, "Recovered", adapter=adapter, amount=60 * WAD, left=0),
        setup.event("ExitFinished", adapter=adapter, id=id, amount=60 * WAD),
    ]
    assert vault.totalAssets() == 100 * WAD + SEED
    assert vault.idle() == 80 * WAD + SEED
    assert vault.locked_profit() == vault.unrecovered_loss() == lost.pocket.expected() == 0
    assert vault.rate() == WAD


def test_finish_exit__some_have_left__is_shared_to_the_unit(lost: Exits) -> None:
    setup, vault, pocket = lost.setup, lost.setup.vault, lost.pocket
    adapter, token = setup.adapter.address, setup.token
    holder, depositor = setup.actors.holder, setup.actors.depositor
    vault.redeem(30 * WAD, holder, holder, sender=holder)
    vault.redeem(5 * WAD, depositor, depositor, sender=depositor)
    parts = [WHOLE * 30 * WAD // SUPPLY]
    parts.append((WHOLE - parts[0]) * 5 * WAD // (SUPPLY - 30 * WAD))
    left = -(-45 * WAD * sum(parts) // WHOLE)
    idle, total = vault.idle(), vault.totalAssets()

    events = give_back(lost, 45 * WAD)

    assert events == [
        setup.moved(adapter, vault.address, 45 * WAD),
        pocket_event(lost, "Recovered", adapter=adapter, amount=45 * WAD, left=left),
        setup.moved(vault.address, pocket.address, left),
        setup.event("ExitFinished", adapter=adapter, id=0, amount=45 * WAD),
    ]
    assert vault.idle() == idle + 45 * WAD - left
    assert vault.totalAssets() == total + 45 * WAD - left
    assert pocket.expected_of(adapter) == 15 * WAD
    assert pocket.returned(adapter) == 45 * WAD
    assert token.balanceOf(pocket.address) == left
    for account, part in ((holder, parts[0]), (depositor, parts[1])):
        assets = 45 * WAD * part // WHOLE
        assert pocket.claimable(adapter, account) == assets
        held = token.balanceOf(account)
        receipt = pocket.claim(adapter, account, sender=setup.actors.stranger)
        assert receipt.events == [
            setup.moved(pocket.address, account, assets),
            pocket_event(lost, "Claimed", adapter=adapter, account=account, assets=assets),
        ]
        assert token.balanceOf(account) == held + assets
    assert 0 <= token.balanceOf(pocket.address) <= 2


def test_finish_exit__in_pieces__pays_each_time(lost: Exits) -> None:
    setup, vault, pocket = lost.setup, lost.setup.vault, lost.pocket
    adapter, holder = setup.adapter.address, setup.actors.holder
    vault.redeem(30 * WAD, holder, holder, sender=holder)
    part, total, owed = WHOLE * 30 * WAD // SUPPLY, vault.totalAssets(), 0
    for amount in (WAD, 7, 1, 29 * WAD + 3, 30 * WAD - 11):
        left = -(-amount * (WHOLE - pocket.shares_part(adapter)) // WHOLE)
        give_back(lost, amount)
        total += amount - left
        owed += amount * part // WHOLE
        assert vault.totalAssets() == total
        assert vault.locked_profit() == 0
        # Each return rounds down by itself only when it is counted; here none was in between.
        assert owed <= pocket.claimable(adapter, holder) <= owed + 4
    assert pocket.expected() == 0
    assert pocket.claimable(adapter, holder) == 60 * WAD * part // WHOLE


def test_finish_exit__nothing_comes__changes_nothing(lost: Exits) -> None:
    setup, before = lost.setup, lost.setup.books()
    events = give_back(lost, 0)
    assert [event.name for event in events] == ["Transfer", "Recovered", "ExitFinished"]
    assert setup.books() == before
    assert lost.pocket.expected() == 60 * WAD


def test_finish_exit__more_than_expected__locks_what_is_beyond(lost: Exits) -> None:
    setup, vault = lost.setup, lost.setup.vault
    give_back(lost, 67 * WAD)
    assert vault.totalAssets() == 100 * WAD + SEED
    assert vault.locked_profit() == 7 * WAD
    setup.chain.advance(UNLOCK_PERIOD)
    assert vault.totalAssets() == 107 * WAD + SEED
    assert lost.pocket.expected() == 0


def test_finish_exit__more_than_was_written_off_when_some_left__is_the_shares_alone(
    lost: Exits,
) -> None:
    """What was never booked nobody has left behind; who enters pays as before."""
    setup, vault, who = lost.setup, lost.setup.vault, lost.setup.actors.holder
    vault.redeem(20 * WAD, who, who, sender=who)
    price = vault.previewMint(10 * WAD)
    give_back(lost, 120 * WAD)
    part = WHOLE * 20 * WAD // SUPPLY
    assert lost.pocket.claimable(setup.adapter.address, who) == 60 * WAD * part // WHOLE
    assert price - 1 <= vault.previewMint(10 * WAD) <= price
    assert 60 * WAD <= vault.locked_profit() <= 60 * WAD + 1
    assert lost.pocket.expected() == lost.pocket.owed_of(setup.adapter.address) == 0


def test_finish_exit__unreadable_in_quarantine__still_gives_back(exits: Exits) -> None:
    setup = exits.setup
    setup.adapter.set_broken(True)
    setup.vault.quarantine(setup.adapter.address, sender=setup.actors.guardian)
    give_back(exits, 60 * WAD)
    assert setup.vault.totalAssets() == 100 * WAD + SEED


def test_finish_exit__gains_of_others_meanwhile__stay_with_the_shares(lost: Exits) -> None:
    setup, vault, holder = lost.setup, lost.setup.vault, lost.setup.actors.holder
    vault.redeem(30 * WAD, holder, holder, sender=holder)
    setup.report(27 * WAD, setup.second_adapter)
    part = WHOLE * 30 * WAD // SUPPLY
    events = give_back(lost, 60 * WAD)
    assert events[0] == setup.synced(setup.second_adapter, 7 * WAD, 0, 27 * WAD)
    assert vault.locked_profit() == 7 * WAD
    claimable = lost.pocket.claimable(setup.adapter.address, holder)
    assert claimable == 60 * WAD * part // WHOLE


def test_lower_expectation__given_up__entrants_pay_nothing_and_leavers_keep_their_claim(
    lost: Exits,
) -> None:
    """What the owner expects sets the price of entry only, never who is owed what."""
    setup, vault, pocket = lost.setup, lost.setup.vault, lost.pocket
    adapter, actors = setup.adapter.address, setup.actors
    pocket.lower_expectation(adapter, 0, sender=actors.owner)
    assert vault.previewDeposit(WAD) == shares_down(WAD, REST, SUPPLY)
    vault.redeem(WAD, actors.holder, actors.holder, sender=actors.holder)
    part = WHOLE * WAD // SUPPLY
    assert pocket.claim_of(adapter, actors.holder) == part
    # What comes nevertheless is a gain of those who are there, and it unlocks.
    total = vault.totalAssets()
    give_back(lost, 5 * WAD)
    left = -(-5 * WAD * part // WHOLE)
    assert pocket.claimable(adapter, actors.holder) in (left - 1, left)
    assert vault.totalAssets() == total
    assert vault.locked_profit() == 5 * WAD - left
    # It makes up for losses, as gains do.
    assert vault.unrecovered_loss() == 60 * WAD - (5 * WAD - left)


def test_quarantine__of_both__claims_are_kept_apart(lost: Exits) -> None:
    setup, vault, pocket = lost.setup, lost.setup.vault, lost.pocket
    first, second, actors = setup.adapter, setup.second_adapter, setup.actors
    vault.redeem(30 * WAD, actors.holder, actors.holder, sender=actors.holder)
    vault.quarantine(second.address, sender=actors.owner)
    assert vault.adapter_count() == 0
    assert vault.totalAssets() == vault.idle()
    vault.redeem(7 * WAD, actors.depositor, actors.depositor, sender=actors.depositor)
    supply = SUPPLY - 30 * WAD
    early = WHOLE * 30 * WAD // SUPPLY
    late = (WHOLE - early) * 7 * WAD // supply
    assert pocket.claim_of(first.address, actors.holder) == early
    assert pocket.claim_of(second.address, actors.holder) == 0
    assert pocket.claim_of(first.address, actors.depositor) == late
    assert pocket.claim_of(second.address, actors.depositor) == WHOLE * 7 * WAD // supply
    give_back(lost, 20 * WAD, second)
    assert pocket.claimable(first.address, actors.depositor) == 0
    assert pocket.claimable(second.address, actors.depositor) == (
        20 * WAD * pocket.claim_of(second.address, actors.depositor) // WHOLE
    )
    assert pocket.expected_of(first.address) == 60 * WAD
    assert pocket.expected_of(second.address) == 0


def test_quarantine__of_an_empty_adapter__leaves_no_claims(exits: Exits) -> None:
    setup, vault, pocket = exits.setup, exits.setup.vault, exits.pocket
    vault.deallocate(setup.adapter.address, 60 * WAD, sender=setup.actors.allocator)
    vault.finish_exit(setup.adapter.address, 0)
    vault.quarantine(setup.adapter.address, sender=setup.actors.owner)
    assert vault.totalAssets() == 100 * WAD + SEED
    who = setup.actors.depositor
    vault.redeem(WAD, who, who, sender=who)
    assert pocket.claim_of(setup.adapter.address, who) == 0


# The queue


def test_finalize__after_a_quarantine__gives_the_controllers_claims(lost: Exits) -> None:
    setup, vault, queue, pocket = lost.setup, lost.setup.vault, lost.queue, lost.pocket
    adapter, actors = setup.adapter.address, lost.setup.actors
    queue.requestRedeem(20 * WAD, actors.payer, actors.depositor, sender=actors.depositor)
    queue.requestRedeem(10 * WAD, actors.holder, actors.holder, sender=actors.holder)

    receipt = queue.finalize(2, sender=actors.stranger)

    parts = [WHOLE * 20 * WAD // SUPPLY]
    parts.append((WHOLE - parts[0]) * 10 * WAD // (SUPPLY - 20 * WAD))
    paid = [assets_down(shares, REST, SUPPLY) for shares in (20 * WAD, 10 * WAD)]
    filled = [
        Event("RequestFilled", {"request_id": i, "shares": s, "assets": a}, queue.address)
        for i, s, a in ((1, 20 * WAD, paid[0]), (2, 10 * WAD, paid[1]))
    ]
    left = [
        pocket_event(lost, "Left", adapter=adapter, account=account, part=part)
        for account, part in zip((actors.payer, actors.holder), parts, strict=True)
    ]
    assert receipt.events == [
        filled[0],
        left[0],
        filled[1],
        left[1],
        setup.event("Transfer", sender=queue.address, receiver=NOBODY, value=30 * WAD),
        setup.moved(vault.address, queue.address, sum(paid)),
        setup.event(
            "Withdraw",
            sender=queue.address,
            receiver=queue.address,
            owner=queue.address,
            assets=sum(paid),
            shares=30 * WAD,
        ),
    ]
    assert pocket.claim_of(adapter, actors.payer) == parts[0]
    assert pocket.claim_of(adapter, actors.holder) == parts[1]
    assert pocket.claim_of(adapter, actors.depositor) == 0
    assert pocket.claim_of(adapter, queue.address) == 0
    assert pocket.shares_part(adapter) == WHOLE - sum(parts)


def test_finalize__cancelled_request_on_the_way__leaves_no_claim(lost: Exits) -> None:
    queue, actors = lost.queue, lost.setup.actors
    for who, shares in ((actors.holder, WAD), (actors.depositor, 20 * WAD), (actors.holder, WAD)):
        queue.requestRedeem(shares, who, who, sender=who)
    queue.cancel(2, sender=actors.depositor)
    receipt = queue.finalize(3, sender=actors.stranger)
    left = [event.args["account"] for event in receipt.events if event.name == "Left"]
    assert left == [actors.holder, actors.holder]


def test_finalize__what_came_back_before_it__is_the_requesters_too(lost: Exits) -> None:
    """Whoever orders the return and the payment moves nothing from who waits to who stays."""
    setup, queue, who = lost.setup, lost.queue, lost.setup.actors.holder
    got = []
    queue.requestRedeem(10 * WAD, who, who, sender=who)
    for returned in (0, 20 * WAD, 60 * WAD):
        with setup.chain.isolated():
            give_back(lost, returned)
            queue.finalize(1)
            give_back(lost, 60 * WAD - returned)
            got.append(queue.set_aside() + lost.pocket.claimable(setup.adapter.address, who))
    # Virtual shares have no part of what comes back.
    # Virtual assets are worth a little to shares below a rate of one, as long as they are below it.
    virtual = 60 * WAD * VIRTUAL // SUPPLY // 10
    assert got[0] > got[1] > got[2]
    assert 10 * WAD - 2 <= got[2] <= got[0] <= 10 * WAD + virtual + 2


def test_finalize__requested_before_the_quarantine__bears_it_and_keeps_a_claim(
    exits: Exits,
) -> None:
    setup, vault, queue, who = (
        exits.setup,
        exits.setup.vault,
        exits.queue,
        exits.setup.actors.depositor,
    )
    queue.requestRedeem(30 * WAD, who, who, sender=who)
    vault.quarantine(setup.adapter.address, sender=setup.actors.owner)
    queue.finalize(1)
    assert queue.set_aside() == assets_down(30 * WAD, REST, SUPPLY)
    part = WHOLE * 30 * WAD // SUPPLY
    assert exits.pocket.claim_of(setup.adapter.address, who) == part


def test_finalize__in_part_after_a_quarantine__leaves_a_claim_for_the_part(lost: Exits) -> None:
    setup, vault, queue, who = lost.setup, lost.setup.vault, lost.queue, lost.setup.actors.depositor
    queue.requestRedeem(70 * WAD, who, who, sender=who)
    filled = queue.finalize.call(1)
    queue.finalize(1)
    assert 0 < filled < 70 * WAD
    part = WHOLE * filled // SUPPLY
    assert lost.pocket.claim_of(setup.adapter.address, who) == part
    give_back(lost, 60 * WAD)
    supply = vault.totalSupply()
    rest = WHOLE - part
    queue.finalize(1)
    # Nothing more is expected: who leaves now was paid from what came back.
    assert lost.pocket.claim_of(setup.adapter.address, who) == part
    assert lost.pocket.shares_part(setup.adapter.address) == rest
    assert vault.totalSupply() == supply - (70 * WAD - filled)


def test_cancel__fee_after_a_quarantine__leaves_its_part_with_the_shares(lost: Exits) -> None:
    setup, vault, queue, who = lost.setup, lost.setup.vault, lost.queue, lost.setup.actors.depositor
    queue.requestRedeem(70 * WAD, who, who, sender=who)
    vault.deallocate(setup.second_adapter.address, WAD, sender=setup.actors.allocator)
    queue.cancel(1, sender=who)
    assert vault.totalSupply() == SUPPLY - 70 * WAD // 1000
    assert lost.pocket.shares_part(setup.adapter.address) == WHOLE


def test_pull_back__from_an_adapter_in_quarantine__is_refused(lost: Exits) -> None:
    """What it gives back is for all who held; dust must not use up its exits."""
    setup, queue, who = lost.setup, lost.queue, lost.setup.actors.depositor
    queue.requestRedeem(70 * WAD, who, who, sender=who)
    setup.chain.advance(DAY)
    with pytest.raises(Revert) as failure:
        queue.pull_back(setup.adapter.address, 5 * WAD, sender=setup.actors.stranger)
    assert failure.value.reason == "vault: unknown adapter"


def test_add_adapter__sixteen_quarantines__leave_room_for_no_more(exits: Exits) -> None:
    """Each adapter that is listed can be put under quarantine: it stops exits otherwise."""
    setup, vault, owner = exits.setup, exits.setup.vault, exits.setup.actors.owner

    def add() -> Contract:
        places = (vault.address, setup.token.address)
        adapter = setup.chain.deploy(artifact("SettableAdapter"), *places)
        vault.add_adapter(adapter.address, WAD, WAD, sender=owner)
        return adapter

    for adapter in (setup.adapter, setup.second_adapter):
        vault.quarantine(adapter.address, sender=owner)
    for _ in range(13):
        vault.quarantine(add().address, sender=owner)
    last = add()
    with pytest.raises(Revert) as failure:
        add()
    assert failure.value.reason == "vault: too many adapters"
    vault.quarantine(last.address, sender=owner)
    assert exits.pocket.adapter_count() == 16
    with pytest.raises(Revert):
        add()
