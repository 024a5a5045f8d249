import pytest

from relever.chain import Revert
from tests.unit.side_pocket.conftest import WHOLE, Side


def test_hand_over__claims_on_all_adapters__go_to_the_other(opened: Side) -> None:
    pocket, (first, second) = opened.pocket, opened.adapters
    giver, heir = opened.actors.depositor, opened.actors.holder
    opened.open(40, second)
    opened.leave(giver, 1, 4)
    opened.leave(heir, 1, 3)
    opened.share_out(20)

    receipt = pocket.hand_over(heir, sender=giver)

    assert receipt.events == [
        opened.event("HandedOver", adapter=a, account=giver, to=heir, part=WHOLE // 4, owed=owed)
        for a, owed in ((first, 5), (second, 0))
    ]
    assert [pocket.claim_of(a, giver) for a in (first, second)] == [0, 0]
    parts = WHOLE // 4 + (WHOLE - WHOLE // 4) // 3
    assert [pocket.claim_of(a, heir) for a in (first, second)] == [parts, parts]
    assert pocket.claimable(first, giver) == 0
    assert pocket.claimable(first, heir) == 10
    opened.share_out(40)
    opened.share_out(40, second)
    assert pocket.claimable(first, giver) == pocket.claimable(second, giver) == 0
    assert (pocket.claimable(first, heir), pocket.claimable(second, heir)) == (30, 20)
    pocket.claim(first, heir)
    with pytest.raises(Revert) as failure:
        pocket.claim(first, giver)
    assert failure.value.reason == "pocket: nothing to claim"


def test_hand_over__to_who_has_none__carries_what_is_owed(opened: Side) -> None:
    pocket, adapter = opened.pocket, opened.adapters[0]
    giver, heir = opened.actors.depositor, opened.actors.holder
    opened.leave(giver, 1, 2)
    opened.share_out(20)
    pocket.hand_over(heir, sender=giver)
    # Nothing of what came before the heir had it is counted twice.
    assert pocket.claimable(adapter, heir) == 10
    opened.share_out(40)
    assert pocket.claimable(adapter, heir) == 30


def test_hand_over__to_oneself__changes_nothing(opened: Side) -> None:
    pocket, adapter, who = opened.pocket, opened.adapters[0], opened.actors.depositor
    opened.leave(who, 1, 2)
    opened.share_out(20)
    pocket.hand_over(who, sender=who)
    assert pocket.claim_of(adapter, who) == WHOLE // 2
    assert pocket.claimable(adapter, who) == 10


def test_hand_over__nothing__says_nothing(opened: Side) -> None:
    opened.leave(opened.actors.depositor, 1, 2)
    receipt = opened.pocket.hand_over(opened.actors.holder, sender=opened.actors.stranger)
    assert receipt.events == []


def test_hand_over__all_paid__still_gives_the_part(opened: Side) -> None:
    pocket, adapter = opened.pocket, opened.adapters[0]
    giver, heir = opened.actors.depositor, opened.actors.holder
    opened.leave(giver, 1, 2)
    opened.share_out(20)
    pocket.claim(adapter, giver)
    pocket.hand_over(heir, sender=giver)
    assert pocket.claimable(adapter, heir) == 0
    opened.share_out(20)
    assert pocket.claimable(adapter, heir) == 10
