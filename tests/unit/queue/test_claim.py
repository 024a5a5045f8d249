"""Claims: once, by the controller or its operator, exactly what was set aside."""

import pytest

from relever.chain import Revert
from tests.unit.queue.conftest import Line
from tests.unit.vault.conftest import SEED, WAD


def test_claim__filled_request__pays_the_receiver_once(line: Line) -> None:
    queue, token, who, receiver = line.queue, line.token, line.actors.depositor, line.actors.payer
    line.join(5 * WAD)
    queue.finalize(1)
    held = token.balanceOf(receiver)
    assert queue.claim.call(1, receiver, sender=who) == 5 * WAD

    receipt = queue.claim(1, receiver, sender=who)

    assert receipt.events == [
        line.setup.moved(queue.address, receiver, 5 * WAD),
        line.event(
            "RequestClaimed", request_id=1, receiver=receiver, shares=5 * WAD, assets=5 * WAD
        ),
    ]
    assert token.balanceOf(receiver) == held + 5 * WAD
    assert queue.set_aside() == token.balanceOf(queue.address) == 0
    assert queue.claimableRedeemRequest(1, who) == 0
    with pytest.raises(Revert) as failure:
        queue.claim(1, receiver, sender=who)
    assert failure.value.reason == "queue: nothing to claim"


def test_claim__part_then_rest__each_pays_what_was_filled(line: Line) -> None:
    queue, who = line.queue, line.actors.depositor
    line.join(50 * WAD)
    queue.finalize(1)
    assert queue.claim.call(1, who, sender=who) == 20 * WAD + SEED
    queue.claim(1, who, sender=who)
    line.bring_home(40 * WAD)
    queue.finalize(1)
    assert queue.claim.call(1, who, sender=who) == 30 * WAD - SEED
    queue.claim(1, who, sender=who)
    assert queue.set_aside() == 0


def test_claim__before_it_is_filled__reverts(line: Line) -> None:
    line.join(5 * WAD)
    with pytest.raises(Revert) as failure:
        line.queue.claim(1, line.actors.depositor, sender=line.actors.depositor)
    assert failure.value.reason == "queue: nothing to claim"


@pytest.mark.parametrize("role", ["owner", "allocator", "guardian", "holder", "stranger"])
def test_claim__by_somebody_else__reverts(line: Line, role: str) -> None:
    line.join(5 * WAD)
    line.queue.finalize(1)
    sender = getattr(line.actors, role)
    with pytest.raises(Revert) as failure:
        line.queue.claim(1, sender, sender=sender)
    assert failure.value.reason == "queue: not for this account"


def test_claim__owner_of_the_shares_that_named_another_controller__reverts(line: Line) -> None:
    who, controller = line.actors.depositor, line.actors.payer
    line.queue.requestRedeem(5 * WAD, controller, who, sender=who)
    line.queue.finalize(1)
    with pytest.raises(Revert) as failure:
        line.queue.claim(1, who, sender=who)
    assert failure.value.reason == "queue: not for this account"
    line.queue.claim(1, who, sender=controller)


def test_claim__by_an_operator__works(line: Line) -> None:
    who, operator = line.actors.depositor, line.actors.payer
    line.join(5 * WAD)
    line.queue.finalize(1)
    line.queue.setOperator(operator, True, sender=who)
    assert line.queue.claim.call(1, who, sender=operator) == 5 * WAD


def test_claim__no_such_request__reverts(line: Line) -> None:
    with pytest.raises(Revert) as failure:
        line.queue.claim(7, line.actors.stranger, sender=line.actors.stranger)
    assert failure.value.reason == "queue: not for this account"


def test_claim__unreadable_adapter__works(line: Line) -> None:
    line.join(5 * WAD)
    line.queue.finalize(1)
    line.adapter.set_broken(True)
    line.queue.claim(1, line.actors.depositor, sender=line.actors.depositor)
