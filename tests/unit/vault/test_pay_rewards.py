import pytest

from relever.chain import Revert
from tests.unit.vault.conftest import DAY, HOLDING, LARGEST, SEED, WAD, Setup


def test_pay_rewards__anyone__pays_and_it_is_locked(staked: Setup) -> None:
    vault, payer = staked.vault, staked.actors.payer

    receipt = vault.pay_rewards(7 * WAD, sender=payer)

    assert receipt.events == [
        staked.moved(payer, vault.address, 7 * WAD),
        staked.event("RewardsPaid", payer=payer, amount=7 * WAD),
    ]
    assert vault.idle() == 27 * WAD + SEED
    assert vault.locked_profit() == 7 * WAD
    assert vault.rate() == WAD
    assert vault.totalSupply() == 100 * WAD + SEED
    assert staked.token.balanceOf(payer) == HOLDING - 7 * WAD


def test_pay_rewards__locked_rest__rounds_up(staked: Setup) -> None:
    vault = staked.vault
    vault.pay_rewards(7, sender=staked.actors.payer)
    staked.chain.advance(DAY + 1)
    assert vault.locked_profit() == 6
    staked.chain.advance(DAY - 2)
    assert vault.locked_profit() == 6
    staked.chain.advance(1)
    assert vault.locked_profit() == 5


def test_pay_rewards__one_unit_again_and_again__does_not_postpone(staked: Setup) -> None:
    vault, payer = staked.vault, staked.actors.payer
    vault.pay_rewards(7 * WAD, sender=payer)
    for _ in range(7 * 24):
        staked.chain.advance(3600)
        vault.pay_rewards(1, sender=payer)
    assert vault.locked_profit() <= 1


def test_pay_rewards__nothing__reverts(setup: Setup) -> None:
    with pytest.raises(Revert) as failure:
        setup.vault.pay_rewards(0)
    assert failure.value.reason == "vault: no rewards"


def test_pay_rewards__up_to_what_the_books_hold__works_and_not_one_more(setup: Setup) -> None:
    vault, payer = setup.vault, setup.actors.payer
    setup.token.mint(payer, 2 * LARGEST)
    vault.pay_rewards(LARGEST - SEED, sender=payer)
    assert vault.idle() == LARGEST
    with pytest.raises(Revert) as failure:
        vault.pay_rewards(1, sender=payer)
    assert failure.value.reason == "vault: idle overflow"


def test_pay_rewards__unreadable_adapter__still_works(staked: Setup) -> None:
    staked.adapter.set_broken(True)
    staked.vault.pay_rewards(WAD, sender=staked.actors.payer)
    assert staked.vault.locked_profit() == WAD


def test_pay_rewards__loss_not_yet_booked__is_not_covered_by_them(staked: Setup) -> None:
    """Nobody escapes a loss by paying rewards before anyone has synced."""
    vault, who = staked.vault, staked.actors.depositor
    staked.report(50 * WAD)
    out = vault.previewRedeem(10 * WAD)
    vault.pay_rewards(10 * WAD, sender=staked.actors.payer)
    assert vault.booked(staked.adapter.address) == 50 * WAD
    assert vault.locked_profit() == 10 * WAD
    assert vault.redeem.call(10 * WAD, who, who, sender=who) == out
