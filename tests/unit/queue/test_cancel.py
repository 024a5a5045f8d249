"""Cancelling: free until the vault has started an exit for the line, then for a thousandth."""

import pytest

from relever.chain import Revert
from tests.unit.queue.conftest import Line
from tests.unit.vault.conftest import NOBODY, SEED, WAD


def fee_of(shares: int) -> int:
    return -(-shares // 1000)


def test_cancel__no_exit_started__is_free(line: Line) -> None:
    queue, vault, who = line.queue, line.vault, line.actors.depositor
    before = line.setup.books()
    held = vault.balanceOf(who)
    line.join(50 * WAD)

    receipt = queue.cancel(1, sender=who)

    assert receipt.events == [
        line.shares_moved(queue.address, who, 50 * WAD),
        line.event("RequestCancelled", request_id=1, shares=50 * WAD, fee=0),
    ]
    assert vault.balanceOf(who) == held
    assert vault.queued_shares() == vault.balanceOf(queue.address) == 0
    assert (queue.request(1).shares, queue.request(1).assets) == (0, 0)
    assert line.setup.books() == before


def test_cancel__after_an_exit_for_the_line__costs_a_thousandth_for_the_holders(
    line: Line,
) -> None:
    queue, vault, who = line.queue, line.vault, line.actors.depositor
    shares = 50 * WAD + 1
    held, rate, total = vault.balanceOf(who), vault.rate(), vault.totalAssets()
    line.join(shares)
    line.start_exit(30 * WAD)
    assert vault.queue_exits() == 1

    receipt = queue.cancel(1, sender=who)

    fee = fee_of(shares)
    place = queue.address
    assert fee == 5 * WAD // 100 + 1
    assert receipt.events == [
        line.shares_moved(place, NOBODY, fee),
        line.setup.event(
            "Withdraw", sender=place, receiver=place, owner=place, assets=0, shares=fee
        ),
        line.shares_moved(place, who, shares - fee),
        line.event("RequestCancelled", request_id=1, shares=shares, fee=fee),
    ]
    assert vault.balanceOf(who) == held - fee
    assert vault.queued_shares() == vault.balanceOf(place) == 0
    # It unlocks to the holders; nobody can buy in before it and leave with it after.
    assert (vault.rate(), vault.locked_profit()) == (rate, fee)
    line.chain.advance(vault.unlock_period())
    assert vault.totalAssets() == total


def test_cancel__exit_started_before_the_request__is_free(line: Line) -> None:
    line.join(50 * WAD, line.actors.depositor)
    line.start_exit(30 * WAD)
    line.join(WAD, line.actors.holder)
    receipt = line.queue.cancel(2, sender=line.actors.holder)
    assert receipt.events[-1].args["fee"] == 0


def test_cancel__exit_while_idle_covers_the_line__is_not_for_it(line: Line) -> None:
    line.join(20 * WAD + SEED)
    line.start_exit(30 * WAD)
    assert line.vault.queue_exits() == 0
    receipt = line.queue.cancel(1, sender=line.actors.depositor)
    assert receipt.events[-1].args["fee"] == 0


def test_cancel__line_one_share_longer_than_idle__exit_is_for_it(line: Line) -> None:
    line.join(20 * WAD + SEED + 1)
    line.start_exit(30 * WAD)
    assert line.vault.queue_exits() == 1


def test_cancel__partly_filled__gives_back_the_rest_and_leaves_the_claim(line: Line) -> None:
    queue, vault, who = line.queue, line.vault, line.actors.depositor
    line.join(50 * WAD)
    queue.finalize(1)
    queue.cancel(1, sender=who)
    assert vault.balanceOf(who) == 70 * WAD - (20 * WAD + SEED)
    assert queue.pendingRedeemRequest(1, who) == 0
    assert queue.claim.call(1, who, sender=who) == 20 * WAD + SEED


def test_cancel__then_anything_again__reverts(line: Line) -> None:
    queue, who = line.queue, line.actors.depositor
    line.join(5 * WAD)
    queue.cancel(1, sender=who)
    with pytest.raises(Revert) as failure:
        queue.cancel(1, sender=who)
    assert failure.value.reason == "queue: nothing waits"
    assert queue.finalize(5).events == []
    with pytest.raises(Revert) as failure:
        queue.claim(1, who, sender=who)
    assert failure.value.reason == "queue: nothing to claim"


def test_cancel__filled_request__reverts(line: Line) -> None:
    line.join(5 * WAD)
    line.queue.finalize(1)
    with pytest.raises(Revert) as failure:
        line.queue.cancel(1, sender=line.actors.depositor)
    assert failure.value.reason == "queue: nothing waits"


@pytest.mark.parametrize("role", ["owner", "allocator", "guardian", "holder", "stranger"])
def test_cancel__by_somebody_else__reverts(line: Line, role: str) -> None:
    line.join(5 * WAD)
    with pytest.raises(Revert) as failure:
        line.queue.cancel(1, sender=getattr(line.actors, role))
    assert failure.value.reason == "queue: not for this account"


def test_cancel__by_an_operator__gives_the_shares_to_the_controller(line: Line) -> None:
    who, operator = line.actors.depositor, line.actors.payer
    line.join(5 * WAD)
    line.queue.setOperator(operator, True, sender=who)
    line.queue.cancel(1, sender=operator)
    assert line.vault.balanceOf(who) == 70 * WAD
    assert line.vault.balanceOf(operator) == 0


def test_cancel__unreadable_adapter__works(line: Line) -> None:
    line.join(50 * WAD)
    line.start_exit(WAD)
    line.adapter.set_broken(True)
    line.queue.cancel(1, sender=line.actors.depositor)
    assert line.vault.queued_shares() == 0


def test_cancel__at_a_fee_while_a_loss_is_not_booked__books_it_first(line: Line) -> None:
    """Else the loss would eat what the fee locks, and the others had it at once."""
    vault = line.vault
    number = line.join(50 * WAD)
    vault.deallocate(line.adapter.address, WAD, sender=line.actors.allocator)
    line.setup.report(50 * WAD)
    total, supply = vault.totalAssets() - 10 * WAD, vault.totalSupply()
    line.queue.cancel(number, sender=line.actors.depositor)
    fee = fee_of(50 * WAD) * (total + 10**9) // (supply + 10**9)
    assert fee - 1 <= vault.locked_profit() <= fee
    assert vault.totalAssets() == total - vault.locked_profit()
