import pytest

from relever.artifacts import artifact
from relever.chain import Revert
from tests.unit.side_pocket.conftest import WHOLE, Side


def test_create__vault__is_as_given_and_nothing_is_expected(side: Side) -> None:
    pocket = side.pocket
    assert pocket.vault() == side.vault
    assert pocket.asset() == side.setup.token.address
    assert pocket.adapter_count() == pocket.expected() == 0


def test_create__for_something_without_an_asset__reverts(side: Side) -> None:
    with pytest.raises(Revert):
        side.setup.chain.deploy(artifact("SidePocket"), side.actors.stranger)


def test_open__vault__begins_with_all_for_the_shares(side: Side) -> None:
    pocket, (first, second) = side.pocket, side.adapters
    receipt = side.open(60)
    assert receipt.events == [side.event("Opened", adapter=first, expected=60)]
    side.open(7, second)
    assert [pocket.adapter_at(i) for i in range(pocket.adapter_count())] == [first, second]
    assert (pocket.expected_of(first), pocket.expected_of(second)) == (60, 7)
    assert pocket.shares_part(first) == pocket.shares_part(second) == WHOLE
    assert pocket.expected() == 67


def test_open__seventeenth__reverts(side: Side) -> None:
    accounts = side.setup.chain.accounts
    for index in range(16):
        side.open(1, accounts[index])
    with pytest.raises(Revert) as failure:
        side.open(1, accounts[16])
    assert failure.value.reason == "pocket: too many adapters"
    # Who leaves then still gets a claim on each.
    who = side.actors.depositor
    side.leave(who, 1, 2)
    assert all(side.pocket.claim_of(accounts[i], who) == WHOLE // 2 for i in range(16))


@pytest.mark.parametrize("role", ["owner", "allocator", "guardian", "depositor", "stranger"])
def test_pocket__not_the_vault__reverts(opened: Side, role: str) -> None:
    pocket, sender, adapter = opened.pocket, getattr(opened.actors, role), opened.adapters[0]
    for act in (
        lambda: pocket.open(adapter, 1, sender=sender),
        lambda: pocket.leave(sender, 1, 1, sender=sender),
        lambda: pocket.share_out(adapter, 1, sender=sender),
    ):
        with pytest.raises(Revert) as failure:
            act()
        assert failure.value.reason == "pocket: not the vault"
