import pytest

from relever.artifacts import artifact
from relever.chain import Contract, Revert
from tests.unit.queue.conftest import PATIENCE, Line
from tests.unit.vault.conftest import DAY, NOBODY, deploy_vault


def test_create__fresh__knows_its_vault_and_has_no_request(line: Line) -> None:
    queue = line.queue
    assert (queue.vault(), queue.asset()) == (line.vault.address, line.token.address)
    assert queue.patience() == PATIENCE
    assert (queue.head(), queue.next_id(), queue.set_aside()) == (1, 1, 0)


def test_create__too_much_patience__reverts(line: Line) -> None:
    queue = artifact("WithdrawalQueue")
    line.chain.deploy(queue, line.vault.address, 90 * DAY, 7 * DAY)
    with pytest.raises(Revert) as failure:
        line.chain.deploy(queue, line.vault.address, 90 * DAY + 1, 0)
    assert failure.value.reason == "queue: patience"


def exits_of(line: Line, vault: Contract) -> tuple[str, str]:
    queue = line.chain.deploy(artifact("WithdrawalQueue"), vault.address, 0, 0)
    pocket = line.chain.deploy(artifact("SidePocket"), vault.address)
    return queue.address, pocket.address


def test_set_exits__by_the_owner__works_once(line: Line) -> None:
    owner = line.actors.owner
    vault = deploy_vault(line.chain, line.actors, line.token)
    assert vault.queue() == vault.side_pocket() == NOBODY
    queue, pocket = exits_of(line, vault)

    receipt = vault.set_exits(queue, pocket, sender=owner)

    (event,) = receipt.events
    assert (event.name, event.args) == ("ExitsSet", {"queue": queue, "side_pocket": pocket})
    assert (vault.queue(), vault.side_pocket()) == (queue, pocket)
    with pytest.raises(Revert) as failure:
        vault.set_exits(queue, pocket, sender=owner)
    assert failure.value.reason == "vault: exits are set"


@pytest.mark.parametrize("foreign", [0, 1])
def test_set_exits__of_another_vault__reverts(line: Line, foreign: int) -> None:
    vault = deploy_vault(line.chain, line.actors, line.token)
    exits = list(exits_of(line, vault))
    exits[foreign] = exits_of(line, line.vault)[foreign]
    with pytest.raises(Revert) as failure:
        vault.set_exits(*exits, sender=line.actors.owner)
    assert failure.value.reason == "vault: exits of another vault"


@pytest.mark.parametrize("role", ["allocator", "guardian", "depositor", "stranger"])
def test_set_exits__not_the_owner__reverts(line: Line, role: str) -> None:
    vault = deploy_vault(line.chain, line.actors, line.token)
    with pytest.raises(Revert) as failure:
        vault.set_exits(*exits_of(line, vault), sender=getattr(line.actors, role))
    assert failure.value.reason == "ownable: caller is not the owner"


@pytest.mark.parametrize("role", ["owner", "allocator", "guardian", "stranger"])
def test_vault__what_only_the_queue_may__refuses_everyone(line: Line, role: str) -> None:
    vault, sender = line.vault, getattr(line.actors, role)
    acts = [
        lambda: vault.join_queue(1, sender=sender),
        lambda: vault.settle_queue(0, 0, 0, 0, sender=sender),
        lambda: vault.pass_claim(sender, 1, 1, sender=sender),
        lambda: vault.pull_back(line.adapter.address, 1, sender=sender),
    ]
    for act in acts:
        with pytest.raises(Revert) as failure:
            act()
        assert failure.value.reason == "vault: not the queue"


def test_vault__queue_that_lies__is_paid_no_more_than_the_booked_rate(line: Line) -> None:
    vault, queue = line.vault, line.queue.address
    line.join(20 * 10**18)
    line.chain.impersonate(queue)
    line.chain.set_balance(queue, 10**18)
    with pytest.raises(Revert) as failure:
        vault.settle_queue(10**18, 10**18, 10**18 + 1, 0, sender=queue)
    assert failure.value.reason == "vault: paid above the rate"
    vault.settle_queue(10**18, 10**18, 10**18, 0, sender=queue)
