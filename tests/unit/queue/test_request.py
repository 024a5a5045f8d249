"""Requests: shares go into escrow, the worth at the live rate is written down, no price moves."""

import pytest

from relever.artifacts import artifact
from relever.chain import Revert
from tests.unit.queue.conftest import MIN_SHARES, Line
from tests.unit.vault.conftest import NOBODY, UNLIMITED, WAD, assets_down


def test_request__own_shares__wait_in_escrow_at_the_end_of_the_line(line: Line) -> None:
    vault, queue, who, controller = (
        line.vault, line.queue, line.actors.depositor, line.actors.payer,
    )  # fmt: skip
    before = (vault.rate(), vault.live_rate(), vault.totalSupply(), vault.totalAssets())
    assert queue.requestRedeem.call(5 * WAD, controller, who, sender=who) == 1

    receipt = queue.requestRedeem(5 * WAD, controller, who, sender=who)

    assert receipt.events == [
        line.shares_moved(who, queue.address, 5 * WAD),
        line.event(
            "RedeemRequest", controller=controller, owner=who, requestId=1, sender=who,
            shares=5 * WAD,
        ),
    ]  # fmt: skip
    assert (vault.rate(), vault.live_rate(), vault.totalSupply(), vault.totalAssets()) == before
    assert vault.balanceOf(queue.address) == vault.queued_shares() == 5 * WAD
    assert queue.pendingRedeemRequest(1, controller) == 5 * WAD
    assert queue.pendingRedeemRequest(1, who) == 0
    assert queue.claimableRedeemRequest(1, controller) == 0
    found = queue.request(1)
    assert (found.controller, found.shares, found.assets) == (controller, 5 * WAD, 5 * WAD)
    assert found.requested_at == receipt.timestamp
    assert line.join(WAD, line.actors.holder) == 2


def test_request__unbooked_slash__is_booked_first_and_counts(line: Line) -> None:
    vault = line.vault
    line.setup.report(40 * WAD + 7)
    total, supply = vault.totalAssets() - (20 * WAD - 7), vault.totalSupply()
    who = line.actors.depositor

    receipt = line.queue.requestRedeem(5 * WAD, who, who, sender=who)

    assert receipt.events[0] == line.setup.synced(line.adapter, 0, 20 * WAD - 7, 40 * WAD + 7)
    assert line.queue.request(1).assets == assets_down(5 * WAD, total, supply)


def test_request__visible_slash__counts_once_it_falls(line: Line) -> None:
    vault = line.vault
    line.setup.report(60 * WAD, at_risk=30 * WAD)
    total, supply = vault.totalAssets(), vault.totalSupply()
    line.join(5 * WAD)
    assert line.queue.request(1).assets == assets_down(5 * WAD, total, supply)
    assert vault.totalAssets() == total


def test_request__whole_supply__waits(line: Line) -> None:
    line.join(70 * WAD)
    line.join(30 * WAD, line.actors.holder)
    assert line.vault.queued_shares() == line.vault.totalSupply() - 10**15 == 100 * WAD


def test_request__smallest_size__works_and_one_share_less_does_not(line: Line) -> None:
    with pytest.raises(Revert) as failure:
        line.join(MIN_SHARES - 1)
    assert failure.value.reason == "queue: request too small"
    line.join(MIN_SHARES)


def test_request__small_but_the_whole_balance__works(line: Line) -> None:
    line.vault.transfer(line.actors.payer, 3, sender=line.actors.depositor)
    line.join(3, line.actors.payer)
    assert line.queue.request(1).assets == 3


def test_request__nothing__reverts(line: Line) -> None:
    with pytest.raises(Revert) as failure:
        line.join(0, line.actors.stranger)
    assert failure.value.reason == "queue: worth nothing"


def test_request__whole_balance_worth_less_than_a_unit__reverts(line: Line) -> None:
    line.vault.transfer(line.actors.payer, 1, sender=line.actors.depositor)
    line.setup.report(59 * WAD)
    with pytest.raises(Revert) as failure:
        line.join(1, line.actors.payer)
    assert failure.value.reason == "queue: worth nothing"


def test_request__more_than_held__reverts(line: Line) -> None:
    with pytest.raises(Revert) as failure:
        line.join(70 * WAD + 1)
    assert failure.value.reason == "erc20: transfer amount exceeds balance"


def test_request__without_approval__reverts(line: Line) -> None:
    line.vault.approve(line.queue.address, WAD - 1, sender=line.actors.depositor)
    with pytest.raises(Revert) as failure:
        line.join(WAD)
    assert failure.value.reason == "erc20: insufficient allowance"


def test_request__by_a_stranger__reverts(line: Line) -> None:
    who, stranger = line.actors.depositor, line.actors.stranger
    with pytest.raises(Revert) as failure:
        line.queue.requestRedeem(WAD, stranger, who, sender=stranger)
    assert failure.value.reason == "queue: not for this account"


def test_request__by_an_operator_until_it_is_revoked__works(line: Line) -> None:
    queue, who, operator = line.queue, line.actors.depositor, line.actors.payer
    for approved in (True, False):
        receipt = queue.setOperator(operator, approved, sender=who)
        assert receipt.events == [
            line.event("OperatorSet", controller=who, operator=operator, approved=approved)
        ]
        assert queue.isOperator(who, operator) is approved
        if approved:
            queue.requestRedeem(WAD, operator, who, sender=operator)
    assert queue.pendingRedeemRequest(1, operator) == WAD
    with pytest.raises(Revert) as failure:
        queue.requestRedeem(WAD, operator, who, sender=operator)
    assert failure.value.reason == "queue: not for this account"


def test_request__for_nobody__reverts(line: Line) -> None:
    with pytest.raises(Revert) as failure:
        line.queue.requestRedeem(WAD, NOBODY, line.actors.depositor, sender=line.actors.depositor)
    assert failure.value.reason == "queue: no controller"


def test_request__unreadable_adapter__waits_and_is_paid_what_comes_to_light(line: Line) -> None:
    """Who cannot be read counts as booked in the request, and as it is in the end."""
    line.adapter.set_broken(True)
    line.setup.report(15 * WAD, line.setup.second_adapter)
    supply, total = line.vault.totalSupply(), line.vault.totalAssets() - 5 * WAD
    line.join(10 * WAD)
    assert line.queue.request(1).assets == assets_down(10 * WAD, total, supply)
    assert line.vault.booked(line.setup.second_adapter.address) == 15 * WAD
    assert line.vault.booked(line.adapter.address) == 60 * WAD

    line.adapter.set_broken(False)
    line.setup.report(48 * WAD)
    line.queue.finalize(1)

    who = line.actors.depositor
    paid = assets_down(10 * WAD, total - 12 * WAD, supply)
    assert line.queue.claim.call(1, who, sender=who) == paid


def test_request__queue_that_is_not_the_vaults__reverts(line: Line) -> None:
    who = line.actors.depositor
    other = line.chain.deploy(artifact("WithdrawalQueue"), line.vault.address, 0, 0)
    line.vault.approve(other.address, UNLIMITED, sender=who)
    with pytest.raises(Revert) as failure:
        other.requestRedeem(WAD, who, who, sender=who)
    assert failure.value.reason == "vault: not the queue"
