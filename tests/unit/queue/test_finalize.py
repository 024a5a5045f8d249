"""Finalising: in order, at the lesser of two rates, out of idle assets, which are set aside."""

import pytest

from relever.artifacts import artifact
from relever.chain import Revert
from tests.unit.queue.conftest import Line
from tests.unit.vault.conftest import DAY, NOBODY, SEED, WAD, assets_down, deploy_vault

IDLE = 20 * WAD + SEED


def test_finalize__enough_idle__sets_the_assets_aside(line: Line) -> None:
    vault, queue, token = line.vault, line.queue, line.token
    line.join(5 * WAD)
    line.join(3 * WAD, line.actors.holder)
    rate, total, supply = vault.rate(), vault.totalAssets(), vault.totalSupply()
    assert queue.finalize.call(2) == 8 * WAD

    receipt = queue.finalize(2, sender=line.actors.stranger)

    place = queue.address
    assert receipt.events == [
        line.event("RequestFilled", request_id=1, shares=5 * WAD, assets=5 * WAD),
        line.event("RequestFilled", request_id=2, shares=3 * WAD, assets=3 * WAD),
        line.shares_moved(place, NOBODY, 8 * WAD),
        line.setup.moved(vault.address, place, 8 * WAD),
        line.setup.event(
            "Withdraw", sender=place, receiver=place, owner=place, assets=8 * WAD, shares=8 * WAD
        ),
    ]
    assert vault.rate() == rate
    assert (vault.totalAssets(), vault.totalSupply()) == (total - 8 * WAD, supply - 8 * WAD)
    assert vault.idle() == IDLE - 8 * WAD
    assert vault.queued_shares() == vault.balanceOf(place) == 0
    assert queue.set_aside() == token.balanceOf(place) == 8 * WAD
    assert queue.head() == queue.next_id() == 3
    assert queue.pendingRedeemRequest(1, line.actors.depositor) == 0
    assert queue.claimableRedeemRequest(1, line.actors.depositor) == 5 * WAD


@pytest.mark.parametrize("most", [0, 1, 2**256 - 1])
def test_finalize__nobody_waits__does_nothing(line: Line, most: int) -> None:
    line.adapter.set_broken(True)
    assert line.queue.finalize.call(most) == 0
    assert line.queue.finalize(most).events == []


def test_finalize__no_requests_allowed__does_nothing(line: Line) -> None:
    line.join(WAD)
    before = line.state()
    assert line.queue.finalize(0).events == []
    assert line.state() == before


def test_finalize__bounded__walks_no_further(line: Line) -> None:
    for _ in range(4):
        line.join(WAD)
    assert line.queue.finalize.call(3) == 3 * WAD
    line.queue.finalize(3)
    assert line.queue.head() == 4
    assert line.queue.request(4).shares == WAD


def test_finalize__head_larger_than_idle__is_filled_in_part_and_nobody_overtakes(
    line: Line,
) -> None:
    queue, vault, who, later = line.queue, line.vault, line.actors.depositor, line.actors.holder
    line.join(50 * WAD)
    line.join(WAD, later)

    queue.finalize(10)

    assert queue.claimableRedeemRequest(1, who) == IDLE
    assert queue.pendingRedeemRequest(1, who) == 50 * WAD - IDLE
    assert queue.claimableRedeemRequest(2, later) == 0
    assert queue.head() == 1
    assert vault.idle() == 0
    assert queue.finalize(10).events == []
    line.bring_home(35 * WAD)
    queue.finalize(10)
    assert queue.claimableRedeemRequest(1, who) == 50 * WAD
    assert queue.request(1).claimable_assets == 50 * WAD
    assert queue.claimableRedeemRequest(2, later) == WAD
    assert queue.head() == 3


def test_finalize__slash_while_waiting__pays_the_rate_now(line: Line) -> None:
    vault = line.vault
    line.join(10 * WAD)
    line.setup.report(30 * WAD)
    total, supply = vault.totalAssets() - 30 * WAD, vault.totalSupply()
    expected = assets_down(10 * WAD, total, supply)

    receipt = line.queue.finalize(1)

    assert receipt.events[0] == line.setup.synced(line.adapter, 0, 30 * WAD, 30 * WAD)
    assert receipt.events[1].args["assets"] == expected < 10 * WAD
    assert vault.locked_profit() == 0


def test_finalize__gain_while_waiting__pays_the_rate_then_and_locks_the_rest(line: Line) -> None:
    vault, chain = line.vault, line.chain
    line.join(10 * WAD)
    vault.pay_rewards(50 * WAD, sender=line.actors.payer)
    chain.advance(vault.unlock_period())
    total, supply, rate = vault.totalAssets(), vault.totalSupply(), vault.rate()
    worth = assets_down(10 * WAD, total, supply)
    assert worth > 14 * WAD

    receipt = line.queue.finalize(1)

    assert receipt.events[0].args["assets"] == 10 * WAD
    # What the lesser rate leaves is not there for who buys in now: it unlocks to those who stay.
    assert vault.locked_profit() == worth - 10 * WAD
    assert rate <= vault.rate() <= rate + 1
    chain.advance(vault.unlock_period())
    assert vault.totalAssets() == total - 10 * WAD


def test_finalize__visible_slash__waits_unless_who_asked_takes_it_as_executed(line: Line) -> None:
    """A stranger must not sell out who waits for a slash that may yet be vetoed."""
    vault, who = line.vault, line.actors.depositor
    line.join(10 * WAD)
    line.setup.report(60 * WAD, at_risk=30 * WAD)
    total, supply = vault.totalAssets(), vault.totalSupply()
    expected = assets_down(10 * WAD, total - 30 * WAD, supply)
    assert line.queue.finalize(1, sender=line.actors.stranger).events == []
    assert line.queue.head() == 1
    with line.chain.isolated():
        line.setup.report(60 * WAD)
        line.queue.finalize(1, sender=line.actors.stranger)
        assert line.queue.request(1).claimable_assets == 10 * WAD
    with line.chain.isolated():
        line.queue.setOperator(line.actors.stranger, True, sender=who)
        receipt = line.queue.finalize(1, sender=line.actors.stranger)
        assert receipt.events[0].args["assets"] == expected
    rate = vault.live_rate()
    receipt = line.queue.finalize(1, sender=who)
    assert receipt.events[0].args["assets"] == expected
    # What the visible slash took off is nobody's to wait for: the others' price does not move.
    assert vault.locked_profit() == 0
    assert rate <= vault.live_rate() <= rate + 1
    # Executed after that, the slash leaves the others what it would have left them anyway.
    line.setup.report(30 * WAD)
    rate_if_waited = assets_down(WAD, total - 30 * WAD, supply)
    assert rate_if_waited <= vault.live_rate() <= rate_if_waited + 1


def test_finalize__own_request_behind_anothers__waits_for_it(line: Line) -> None:
    """In a veto window the line stops at the first who has not agreed."""
    line.join(10 * WAD)
    line.join(5 * WAD, line.actors.holder)
    line.setup.report(60 * WAD, at_risk=30 * WAD)
    assert line.queue.finalize(2, sender=line.actors.holder).events == []
    line.queue.finalize(2, sender=line.actors.depositor)
    assert line.queue.head() == 2
    line.queue.finalize(2, sender=line.actors.holder)
    assert line.queue.head() == 3


def test_finalize__before_the_wait_is_over__stops_there(line: Line) -> None:
    """Who cannot wait pays the fee of an instant exit: the line is no way around it."""
    setup, who, wait = line.setup, line.actors.depositor, 3_600
    vault = deploy_vault(line.chain, line.actors, line.token)
    queue = line.chain.deploy(artifact("WithdrawalQueue"), vault.address, DAY, wait)
    pocket = line.chain.deploy(artifact("SidePocket"), vault.address)
    vault.set_exits(queue.address, pocket.address, sender=line.actors.owner)
    setup.token.approve(vault.address, 10 * WAD, sender=who)
    vault.deposit(10 * WAD, who, sender=who)
    vault.approve(queue.address, 10 * WAD, sender=who)
    queue.requestRedeem(WAD, who, who, sender=who)
    asked_at = queue.request(1).requested_at
    line.chain.advance(asked_at + wait - 1 - line.chain.timestamp)
    assert queue.finalize.call(1) == 0
    line.chain.advance(1)
    assert queue.finalize.call(1) == WAD


def test_finalize__two_rates_within_one_request__pays_each_part_its_own(line: Line) -> None:
    queue, vault = line.queue, line.vault
    line.setup.report(45 * WAD + 1)
    line.join(50 * WAD)
    first_worth = queue.request(1).assets
    queue.finalize(1)
    part, paid = 50 * WAD - queue.request(1).shares, queue.request(1).claimable_assets
    assert paid in (IDLE, IDLE - 1)
    assert paid == part * first_worth // (50 * WAD)
    line.setup.report(30 * WAD)
    vault.sync()
    rest, total, supply = 50 * WAD - part, vault.totalAssets(), vault.totalSupply()
    line.bring_home(30 * WAD)
    queue.finalize(1)
    assert queue.request(1).claimable_assets == paid + assets_down(rest, total, supply)
    assert queue.request(1).shares == 0


def test_finalize__everything_lost__fills_with_next_to_nothing(line: Line) -> None:
    vault, queue = line.vault, line.queue
    line.join(70 * WAD)
    queue.finalize(1)
    line.setup.report(0)
    line.setup.report(0, line.setup.second_adapter)
    queue.finalize(1)
    # Nothing is idle, and the virtual assets are not there.
    assert queue.request(1).shares > 0
    assert vault.idle() == vault.totalAssets() == 0
    line.setup.deposit(WAD, line.actors.payer)
    queue.finalize(1)
    assert queue.request(1).shares == 0
    assert queue.request(1).claimable_assets <= IDLE + 10**9


def test_finalize__rest_worth_nothing__is_filled_out_of_nothing(line: Line) -> None:
    """A unit of a share, worth less than one of the asset: the line does not stop at it."""
    queue = line.queue
    line.join(IDLE + 1)
    queue.finalize(1)
    assert (queue.request(1).shares, line.vault.idle()) == (1, 0)
    line.setup.report(30 * WAD)
    receipt = queue.finalize(1)
    assert line.event("RequestFilled", request_id=1, shares=1, assets=0) in receipt.events
    assert queue.request(1).claimable_assets == IDLE
    assert queue.head() == 2


def test_finalize__unreadable_adapter__reverts_and_changes_nothing(line: Line) -> None:
    line.join(WAD)
    line.adapter.set_broken(True)
    before = line.state()
    with pytest.raises(Revert) as failure:
        line.queue.finalize(1)
    assert failure.value.reason == "queue: adapter unreadable"
    assert line.state() == before


def test_finalize__assets_set_aside__are_out_of_reach_of_a_slash(line: Line) -> None:
    line.join(10 * WAD)
    line.queue.finalize(1)
    line.setup.report(0)
    line.setup.report(0, line.setup.second_adapter)
    who = line.actors.depositor
    assert line.queue.claim.call(1, who, sender=who) == 10 * WAD


def test_finalize__cancelled_requests__are_walked_over(line: Line) -> None:
    for _ in range(3):
        line.join(WAD)
    for cancelled in (1, 2):
        line.queue.cancel(cancelled, sender=line.actors.depositor)
    assert line.queue.finalize(2).events == []
    assert line.queue.head() == 3
    assert line.queue.finalize.call(1) == WAD


def test_finalize__more_than_one_call_walks__stops_at_its_bound(line: Line) -> None:
    line.vault.transfer(line.actors.holder, 30 * WAD, sender=line.actors.depositor)
    for _ in range(129):
        line.join(10**16)
    receipt = line.queue.finalize(2**256 - 1)
    assert line.queue.head() == 129
    assert line.queue.request(129).shares == 10**16
    assert receipt.gas_used < 9_000_000


def test_finalize__unreadable_adapter_with_nothing_in_it__goes_on(line: Line) -> None:
    """It can bring no loss."""
    setup = line.setup
    idle = setup.chain.deploy(artifact("SettableAdapter"), line.vault.address, line.token.address)
    line.vault.add_adapter(idle.address, WAD, WAD, sender=line.actors.owner)
    idle.set_broken(True)
    line.join(5 * WAD)
    line.queue.finalize(1)
    assert line.queue.request(1).claimable_assets == 5 * WAD
