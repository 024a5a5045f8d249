from tests.unit.side_pocket.conftest import WHOLE, Side


def test_leave__part_of_the_supply__becomes_a_claim(opened: Side) -> None:
    pocket, adapter, who = opened.pocket, opened.adapters[0], opened.actors.depositor
    receipt = opened.leave(who, 1, 3)
    part = WHOLE // 3
    assert receipt.events == [opened.event("Left", adapter=adapter, account=who, part=part)]
    assert pocket.claim_of(adapter, who) == part
    assert pocket.shares_part(adapter) == WHOLE - part
    # Rounded up: who enters pays for it.
    assert pocket.expected() == 41
    assert pocket.expected_of(adapter) == 60


def test_leave__almost_all_of_the_supply__expects_a_unit_still(side: Side) -> None:
    side.open(1)
    side.leave(side.actors.depositor, WHOLE - 1, WHOLE)
    assert side.pocket.shares_part(side.adapters[0]) == 1
    assert side.pocket.expected() == 1


def test_leave__one_after_another__parts_are_of_what_the_shares_have(opened: Side) -> None:
    pocket, adapter = opened.pocket, opened.adapters[0]
    first, second = opened.actors.depositor, opened.actors.holder
    opened.leave(first, 3, 10)
    opened.leave(second, 2, 7)
    opened.leave(first, 1, 5)
    assert pocket.claim_of(adapter, first) == WHOLE * 4 // 10
    assert pocket.claim_of(adapter, second) == WHOLE * 2 // 10
    assert pocket.shares_part(adapter) == WHOLE * 4 // 10


def test_leave__all_of_the_supply__leaves_nothing_for_shares(opened: Side) -> None:
    pocket, adapter, who = opened.pocket, opened.adapters[0], opened.actors.depositor
    opened.leave(who, 5, 5)
    assert pocket.claim_of(adapter, who) == WHOLE
    assert pocket.shares_part(adapter) == pocket.expected() == 0
    # Shares that are minted later have no part, and leave with none.
    opened.leave(opened.actors.holder, 5, 5)
    assert pocket.claim_of(adapter, opened.actors.holder) == 0


def test_leave__several_adapters__leaves_a_claim_on_each(opened: Side) -> None:
    pocket, (first, second), who = opened.pocket, opened.adapters, opened.actors.depositor
    opened.leave(opened.actors.holder, 1, 2)
    opened.open(7, second)
    receipt = opened.leave(who, 1, 4)
    assert receipt.events == [
        opened.event("Left", adapter=first, account=who, part=WHOLE // 8),
        opened.event("Left", adapter=second, account=who, part=WHOLE // 4),
    ]
    assert pocket.shares_part(first) == WHOLE * 3 // 8
    assert pocket.shares_part(second) == WHOLE * 3 // 4
    assert pocket.expected() == 23 + 6


def test_leave__nothing_expected_any_more__leaves_no_claim(opened: Side) -> None:
    pocket, (first, second), who = opened.pocket, opened.adapters, opened.actors.depositor
    opened.open(7, second)
    opened.share_out(60)
    receipt = opened.leave(who, 1, 4)
    assert receipt.events == [opened.event("Left", adapter=second, account=who, part=WHOLE // 4)]
    assert pocket.claim_of(first, who) == 0
    assert pocket.shares_part(first) == WHOLE


def test_leave__after_a_return__has_no_part_of_it(opened: Side) -> None:
    pocket, adapter, who = opened.pocket, opened.adapters[0], opened.actors.depositor
    opened.share_out(10)
    opened.leave(who, 1, 2)
    assert pocket.claimable(adapter, who) == 0
    opened.share_out(10)
    assert pocket.claimable(adapter, who) == 5
    # Leaving again keeps what is owed, at the part that there was.
    opened.leave(who, 1, 1)
    assert pocket.claimable(adapter, who) == 5
    opened.share_out(10)
    assert pocket.claimable(adapter, who) == 15
