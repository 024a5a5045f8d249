"""An adapter under quarantine calls back in the middle of giving back.

It is not believed any more, and what it sends is shared between holders and claims: in the middle
of that it may not touch the books of vault, queue or side pocket, and what it gives on the way
counts as given back.
"""

from collections.abc import Callable

import pytest

from tests.unit.vault.conftest import WAD, Exits, built, exits, setup, staked, vault_chain

__all__ = ["built", "exits", "setup", "staked", "vault_chain"]

GIFT = 7 * WAD


@pytest.fixture
def returning(exits: Exits) -> Exits:
    """60 of 100 written off, 10 of 100 shares gone since, and the 60 about to come home."""
    vault, adapter, actors = exits.setup.vault, exits.setup.adapter, exits.setup.actors
    vault.transfer(actors.holder, 10 * WAD, sender=actors.depositor)
    vault.deallocate(adapter.address, 60 * WAD, sender=actors.allocator)
    vault.quarantine(adapter.address, sender=actors.owner)
    vault.redeem(10 * WAD, actors.holder, actors.holder, sender=actors.holder)
    return exits


def after_the_return(exits: Exits) -> tuple[int, ...]:
    setup, pocket = exits.setup, exits.pocket
    setup.vault.finish_exit(setup.adapter.address, 0)
    return (
        *setup.books(),
        setup.token.balanceOf(pocket.address),
        pocket.claimable(setup.adapter.address, setup.actors.holder),
        pocket.expected(),
        exits.queue.next_id(),
    )


CALLS: dict[str, Callable[[Exits], tuple[str, bytes]]] = {
    "vault sync": lambda e: (e.setup.vault.address, e.setup.vault.sync.encode()),
    "vault finish": lambda e: (
        e.setup.vault.address,
        e.setup.vault.finish_exit.encode(e.setup.adapter.address, 0),
    ),
    "vault quarantine": lambda e: (
        e.setup.vault.address,
        e.setup.vault.quarantine.encode(e.setup.second_adapter.address),
    ),
    "queue finalize": lambda e: (e.queue.address, e.queue.finalize.encode(1)),
    "pocket leave": lambda e: (
        e.pocket.address,
        e.pocket.leave.encode(e.setup.adapter.address, WAD, WAD),
    ),
    "pocket share_out": lambda e: (
        e.pocket.address,
        e.pocket.share_out.encode(e.setup.adapter.address, WAD),
    ),
    "pocket claim": lambda e: (
        e.pocket.address,
        e.pocket.claim.encode(e.setup.adapter.address, e.setup.actors.holder),
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_reentry__in_the_middle_of_a_return__changes_nothing(returning: Exits, name: str) -> None:
    setup, queue, actors = returning.setup, returning.queue, returning.setup.actors
    # Somebody waits, so that `finalize` has something to do.
    queue.requestRedeem(10 * WAD, actors.depositor, actors.depositor, sender=actors.depositor)
    with setup.chain.isolated():
        undisturbed = after_the_return(returning)
    setup.adapter.set_hook(*CALLS[name](returning))
    assert after_the_return(returning) == undisturbed
    assert setup.adapter.hook_success() is False


def test_gift__in_the_middle_of_a_return__is_given_back_like_the_rest(returning: Exits) -> None:
    setup = returning.setup
    idle = setup.vault.idle()
    setup.adapter.set_hook(
        setup.token.address, setup.token.transfer.encode(setup.vault.address, GIFT)
    )
    after_the_return(returning)
    assert setup.adapter.hook_success() is True
    sent_on = setup.token.balanceOf(returning.pocket.address)
    assert setup.vault.idle() == idle + 60 * WAD + GIFT - sent_on
    assert setup.token.balanceOf(setup.vault.address) == setup.vault.idle()
