"""Known ways to rob or to block a withdrawal queue, each tried and each without profit."""

import pytest

from relever.chain import Revert
from tests.unit.queue.conftest import MIN_SHARES, PATIENCE, Line
from tests.unit.vault.conftest import NOBODY, SEED, WAD

# By name: an example of the arguments of each function of the queue that changes something.
ACTIONS = {
    "requestRedeem": (WAD, NOBODY, NOBODY),
    "cancel": (1,),
    "finalize": (5,),
    "pull_back": (NOBODY, 1),
}


def test_whale__requests_everything_and_cancels__pays_for_the_exits_it_caused(line: Line) -> None:
    vault, whale = line.vault, line.actors.depositor
    line.join(70 * WAD)
    line.start_exit(50 * WAD)
    line.queue.cancel(1, sender=whale)
    line.chain.advance(vault.unlock_period())
    lost = 70 * WAD - vault.previewRedeem(vault.balanceOf(whale))
    # A thousandth of its shares, of which its own shares get their part back.
    assert 70 * WAD // 1000 * 29 // 100 < lost < 70 * WAD // 1000
    assert vault.previewRedeem(30 * WAD) > 30 * WAD


def test_whale__two_requests_the_first_cancelled_for_free__pays_for_the_second(line: Line) -> None:
    """Cancelling what stands ahead must not hide that the exits now serve what stands behind."""
    whale = line.actors.depositor
    line.join(30 * WAD)
    line.join(30 * WAD)
    line.queue.cancel(1, sender=whale)
    line.start_exit(10 * WAD)
    receipt = line.queue.cancel(2, sender=whale)
    assert receipt.events[-1].args["fee"] == 30 * WAD // 1000


def test_whale__holds_the_line__anyone_ends_it_by_finalising(line: Line) -> None:
    line.join(70 * WAD)
    line.queue.finalize(1, sender=line.actors.stranger)
    line.queue.cancel(1, sender=line.actors.depositor)
    line.setup.deposit(WAD, line.actors.payer)
    assert line.vault.maxWithdraw(line.actors.holder) == WAD


def test_splitting__a_request_in_a_hundred_parts__gains_nothing(line: Line) -> None:
    queue, who = line.queue, line.actors.depositor
    line.setup.report(44 * WAD + 3, at_risk=7 * WAD)
    paid = []
    for parts in (1, 100):
        with line.chain.isolated():
            for _ in range(parts):
                line.join(15 * WAD // parts)
            line.setup.report(41 * WAD + 1)
            queue.finalize(parts)
            paid.append(queue.set_aside())
            for id in range(1, parts + 1):
                queue.claim(id, who, sender=who)
            assert queue.set_aside() == line.token.balanceOf(queue.address) == 0
    at_once, in_parts = paid
    assert at_once - 100 <= in_parts <= at_once


def test_escape__request_just_before_a_slash_is_shown__bears_it(line: Line) -> None:
    vault, runner = line.vault, line.actors.depositor
    line.join(10 * WAD)
    line.setup.report(30 * WAD)
    line.queue.finalize(1)
    paid = line.queue.request(1).claimable_assets
    waited = vault.redeem.call(10 * WAD, line.actors.holder, line.actors.holder,
                               sender=line.actors.holder)  # fmt: skip
    assert paid <= waited <= paid + 1
    assert vault.balanceOf(runner) == 60 * WAD


def test_sandwich__around_a_finalisation_below_the_rate__earns_nothing(line: Line) -> None:
    vault, attacker = line.vault, line.actors.attacker
    line.join(20 * WAD)
    vault.pay_rewards(100 * WAD, sender=line.actors.payer)
    line.chain.advance(vault.unlock_period())
    shares = line.setup.deposit(1_000 * WAD, attacker)
    line.queue.finalize(1)
    assert vault.locked_profit() > 15 * WAD
    assert vault.redeem.call(shares, attacker, attacker, sender=attacker) <= 1_000 * WAD


def test_donation__to_the_queue__changes_nothing(line: Line) -> None:
    queue, who = line.queue, line.actors.depositor
    line.join(50 * WAD)
    before = line.state()[7:]
    line.token.transfer(queue.address, 9 * WAD, sender=line.actors.attacker)
    assert line.state()[7:] == before
    queue.finalize(1)
    assert queue.claim.call(1, who, sender=who) == 20 * WAD + SEED
    line.vault.transfer(queue.address, WAD, sender=line.actors.holder)
    assert line.vault.queued_shares() == 30 * WAD - SEED


def test_dust__a_hundred_smallest_requests__cost_their_maker_more_than_who_finalises(
    line: Line,
) -> None:
    attacker = line.actors.attacker
    line.setup.deposit(2 * WAD, attacker)
    made = 0
    for _ in range(100):
        made += line.queue.requestRedeem(MIN_SHARES, attacker, attacker, sender=attacker).gas_used
    line.join(5 * WAD)
    walked = line.queue.finalize(101, sender=line.actors.stranger).gas_used
    assert 2 * walked < made
    assert line.queue.request(101).shares == 0


def test_dust__one_share_of_idle_at_a_time__fills_without_loss_of_more_than_a_unit_each(
    line: Line,
) -> None:
    """A head filled in part a hundred times by next to nothing is not robbed."""
    queue = line.queue
    line.setup.report(45 * WAD + 1)
    line.join(70 * WAD)
    worth = queue.request(1).assets
    queue.finalize(1)
    for _ in range(100):
        line.setup.deposit(3, line.actors.attacker)
        queue.finalize(1)
    line.setup.deposit(90 * WAD, line.actors.payer)
    queue.finalize(1)
    assert worth - 200 <= queue.request(1).claimable_assets <= worth


def test_dust__open_exits_of_an_adapter__are_not_used_up(line: Line) -> None:
    line.join(50 * WAD)
    line.chain.advance(PATIENCE)
    stranger = line.actors.stranger
    missing = 30 * WAD - SEED
    line.queue.pull_back(line.adapter.address, missing - 2, sender=stranger)
    with pytest.raises(Revert) as failure:
        line.queue.pull_back(line.adapter.address, 1, sender=stranger)
    assert failure.value.reason == "queue: exit too small"


@pytest.mark.parametrize("name", ACTIONS)
def test_reentry__adapter_calls_the_queue_in_the_middle_of_an_action__gets_nowhere(
    line: Line, name: str
) -> None:
    queue, adapter = line.queue, line.adapter
    line.setup.vault.transfer(adapter.address, WAD, sender=line.actors.depositor)
    line.join(50 * WAD)
    line.chain.advance(PATIENCE)
    arguments = tuple(adapter.address if part == NOBODY else part for part in ACTIONS[name])
    adapter.set_hook(queue.address, getattr(queue, name).encode(*arguments))

    queue.pull_back(adapter.address, 5 * WAD, sender=line.actors.stranger)
    assert (adapter.hook_success(), adapter.hook_answer()) == (False, b"")

    line.vault.finish_exit(adapter.address, 0)
    assert adapter.hook_success() is False
