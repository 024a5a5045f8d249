import pytest

from tests.unit.side_pocket.conftest import WHOLE, Side


def test_share_out__nobody_left__is_all_for_the_shares(opened: Side) -> None:
    pocket, adapter = opened.pocket, opened.adapters[0]
    assert pocket.share_out.call(adapter, 45, sender=opened.vault) == (0, 45)
    receipt = pocket.share_out(adapter, 45, sender=opened.vault)
    assert receipt.events == [opened.event("Recovered", adapter=adapter, amount=45, left=0)]
    assert pocket.expected_of(adapter) == pocket.expected() == 15
    assert pocket.returned(adapter) == 45


def test_share_out__some_left__rounds_up_for_the_claims(opened: Side) -> None:
    pocket, adapter = opened.pocket, opened.adapters[0]
    opened.leave(opened.actors.depositor, 1, 3)
    receipt = pocket.share_out(adapter, 10, sender=opened.vault)
    assert receipt.events == [opened.event("Recovered", adapter=adapter, amount=10, left=4)]
    assert pocket.claimable(adapter, opened.actors.depositor) == 3
    assert pocket.expected_of(adapter) == 50


def test_share_out__least_claim__rounds_a_unit_up_too(opened: Side) -> None:
    opened.leave(opened.actors.depositor, 1, WHOLE)
    assert opened.share_out(1) == (1, 0)


def test_share_out__everybody_left__is_all_for_the_claims(opened: Side) -> None:
    opened.leave(opened.actors.depositor, 1, 1)
    assert opened.share_out(45) == (45, 0)


def test_share_out__more_than_expected__says_how_much_was(opened: Side) -> None:
    pocket, adapter = opened.pocket, opened.adapters[0]
    assert opened.share_out(50) == (0, 50)
    assert opened.share_out(17) == (0, 10)
    assert pocket.expected_of(adapter) == 0
    assert opened.share_out(3) == (0, 0)
    assert pocket.owed_of(adapter) == 0
    assert pocket.returned(adapter) == 60


def test_share_out__nothing__changes_nothing(opened: Side) -> None:
    opened.leave(opened.actors.depositor, 1, 3)
    assert opened.share_out(0) == (0, 0)
    assert opened.pocket.expected_of(opened.adapters[0]) == 60


def test_share_out__of_one_adapter__leaves_the_other(opened: Side) -> None:
    pocket, (first, second), who = opened.pocket, opened.adapters, opened.actors.depositor
    opened.open(40, second)
    opened.leave(who, 1, 2)
    opened.share_out(40, second)
    assert pocket.claimable(first, who) == 0
    assert pocket.claimable(second, who) == 20
    assert (pocket.expected_of(first), pocket.expected_of(second)) == (60, 0)
    assert pocket.returned(first) == 0


@pytest.mark.parametrize("amount", [2**120 - 1, 2**112])
def test_share_out__largest_amount__does_not_overflow(opened: Side, amount: int) -> None:
    second = opened.adapters[1]
    opened.open(amount, second)
    opened.leave(opened.actors.depositor, 1, 3)
    left, _ = opened.share_out(amount, second)
    assert left == -(-amount * (WHOLE // 3) // WHOLE)
