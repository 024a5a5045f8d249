"""The shares are an ERC-20 with permit."""

from dataclasses import replace

from tests.scene import reverts
from tests.unit.backstop.conftest import WAD, Backstop
from tests.unit.vault.conftest import NOBODY
from tests.unit.vault.test_token import permit


def test_transfer__shares__move(backed: Backstop) -> None:
    pool, owner, receiver = backed.pool, backed.actors.depositor, backed.actors.holder
    before = pool.balanceOf(owner)
    pool.transfer(receiver, 3 * WAD, sender=owner)
    assert (pool.balanceOf(owner), pool.balanceOf(receiver)) == (before - 3 * WAD, 3 * WAD)
    with reverts("erc20: transfer amount exceeds balance"):
        pool.transfer(owner, 3 * WAD + 1, sender=receiver)
    with reverts("erc20: transfer to the zero address"):
        pool.transfer(NOBODY, 1, sender=owner)


def test_transfer__to_the_pool_itself__gives_nobody_a_place_in_the_line(backed: Backstop) -> None:
    pool, owner = backed.pool, backed.actors.depositor
    pool.transfer(pool.address, WAD, sender=owner)
    assert (pool.waiting_shares(), pool.waiting_worth()) == (0, 0)
    number = backed.ask(WAD, owner)
    pool.serve(5)
    assert pool.exit_at(number).shares == 0
    assert pool.balanceOf(pool.address) == WAD


def test_permit__signed_by_the_holder__lets_the_spender_redeem(backed: Backstop) -> None:
    pool, spender = backed.pool, backed.actors.holder
    signed = permit(replace(backed.setup, vault=pool), 2 * WAD, backed.chain.timestamp)
    owner = str(signed[0])
    pool.deposit(5 * WAD, owner, sender=backed.actors.attacker)

    receipt = pool.permit(*signed, sender=backed.actors.stranger)

    assert receipt.events == [backed.event("Approval", owner=owner, spender=spender, value=2 * WAD)]
    with reverts("erc20: invalid signature"):
        pool.permit(*signed)
    pool.redeem(WAD, spender, owner, sender=spender)
    pool.request_exit(WAD, spender, owner, sender=spender)
    assert (pool.balanceOf(owner), pool.allowance(owner, spender)) == (3 * WAD, 0)
