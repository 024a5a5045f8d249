"""What the line needs stays idle: instant exits and allocations leave it alone."""

import pytest

from relever.chain import Revert
from tests.unit.queue.conftest import Line
from tests.unit.vault.conftest import SEED, WAD, assets_up

IDLE = 20 * WAD + SEED


def test_reserve__part_of_idle_needed__maxima_and_exits_use_the_rest(line: Line) -> None:
    vault, who = line.vault, line.actors.holder
    line.join(8 * WAD)
    free = IDLE - 8 * WAD
    assert vault.maxWithdraw(who) == vault.maxRedeem(who) == free
    for leave in (vault.withdraw, vault.redeem):
        with line.chain.isolated():
            with pytest.raises(Revert) as failure:
                leave(free + 1, who, who, sender=who)
            assert failure.value.reason == "vault: not enough idle"
            leave(free, who, who, sender=who)
            line.queue.finalize(1)
            assert line.queue.request(1).claimable_assets == 8 * WAD


@pytest.mark.parametrize("state", ["slashed", "at_risk", "profitable"])
def test_reserve__any_rate__maximum_works_and_one_more_does_not(line: Line, state: str) -> None:
    vault, who = line.vault, line.actors.holder
    line.join(8 * WAD + 5)
    match state:
        case "slashed":
            line.setup.report(44 * WAD + 3)
        case "at_risk":
            line.setup.report(60 * WAD, at_risk=20 * WAD + 1)
        case "profitable":
            vault.pay_rewards(3 * WAD + 1, sender=line.actors.payer)
            line.chain.advance(100_001)
    # Without what is at risk: the line may be paid once that is over.
    total, supply = vault.live_total_assets(False), vault.totalSupply()
    assert vault.maxWithdraw(who) == vault.idle() - assets_up(8 * WAD + 5, total, supply)
    for most, leave in ((vault.maxWithdraw, vault.withdraw), (vault.maxRedeem, vault.redeem)):
        with line.chain.isolated():
            amount = most(who)
            assert amount > 0
            with pytest.raises(Revert) as failure:
                leave(amount + 1, who, who, sender=who)
            assert failure.value.reason == "vault: not enough idle"
            leave(amount, who, who, sender=who)
            line.queue.finalize(1, sender=line.actors.depositor)
            assert line.queue.request(1).shares == 0


def test_reserve__line_longer_than_idle__no_instant_exit(line: Line) -> None:
    vault, who = line.vault, line.actors.holder
    line.join(IDLE + 1)
    assert vault.maxWithdraw(who) == vault.maxRedeem(who) == 0
    with pytest.raises(Revert) as failure:
        vault.withdraw(1, who, who, sender=who)
    assert failure.value.reason == "vault: not enough idle"


def test_reserve__previews__do_not_know_it(line: Line) -> None:
    before = (line.vault.previewRedeem(WAD), line.vault.previewWithdraw(WAD))
    line.join(70 * WAD)
    assert (line.vault.previewRedeem(WAD), line.vault.previewWithdraw(WAD)) == before


def test_allocate__into_the_reserve__reverts(line: Line) -> None:
    vault, allocator = line.vault, line.actors.allocator
    line.join(8 * WAD)
    with pytest.raises(Revert) as failure:
        vault.allocate(line.adapter.address, IDLE - 8 * WAD + 1, sender=allocator)
    assert failure.value.reason == "vault: queue unfunded"
    vault.allocate(line.adapter.address, IDLE - 8 * WAD, sender=allocator)
    line.queue.finalize(1)
    assert line.queue.request(1).claimable_assets == 8 * WAD


def test_allocate__queue_unfunded__reverts_until_it_is_paid(line: Line) -> None:
    vault, adapter, allocator = line.vault, line.adapter.address, line.actors.allocator
    line.join(50 * WAD)
    with pytest.raises(Revert) as failure:
        vault.allocate(adapter, 1, sender=allocator)
    assert failure.value.reason == "vault: queue unfunded"
    line.bring_home(30 * WAD)
    line.queue.finalize(1)
    vault.allocate(adapter, vault.idle(), sender=allocator)


def test_deposit__queue_unfunded__pays_those_who_wait(line: Line) -> None:
    line.join(50 * WAD)
    line.setup.deposit(40 * WAD, line.actors.payer)
    line.queue.finalize(1)
    assert line.queue.request(1).claimable_assets == 50 * WAD
    assert line.vault.rate() == WAD
