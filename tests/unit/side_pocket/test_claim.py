from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relever.chain import Revert
from tests.unit.side_pocket.conftest import WHOLE, Side

WHO = ["depositor", "holder", "payer"]


def test_claim__by_anyone__pays_its_owner(opened: Side) -> None:
    pocket, adapter, who = opened.pocket, opened.adapters[0], opened.actors.depositor
    token, held = opened.setup.token, opened.setup.token.balanceOf(opened.actors.depositor)
    opened.leave(who, 1, 3)
    opened.share_out(10)
    assert pocket.claim.call(adapter, who, sender=opened.actors.stranger) == 3

    receipt = pocket.claim(adapter, who, sender=opened.actors.stranger)

    assert receipt.events == [
        opened.setup.moved(pocket.address, who, 3),
        opened.event("Claimed", adapter=adapter, account=who, assets=3),
    ]
    assert token.balanceOf(who) == held + 3
    assert token.balanceOf(pocket.address) == 1
    assert pocket.claimable(adapter, who) == 0
    # The claim is on all that is still to come.
    assert pocket.claim_of(adapter, who) == WHOLE // 3


def test_claim__twice__reverts(opened: Side) -> None:
    pocket, adapter, who = opened.pocket, opened.adapters[0], opened.actors.depositor
    opened.leave(who, 1, 2)
    opened.share_out(10)
    pocket.claim(adapter, who)
    with pytest.raises(Revert) as failure:
        pocket.claim(adapter, who)
    assert failure.value.reason == "pocket: nothing to claim"
    opened.share_out(10)
    assert pocket.claim.call(adapter, who) == 5


def test_claim__never_left_or_other_adapter__reverts(opened: Side) -> None:
    pocket, (first, second) = opened.pocket, opened.adapters
    opened.leave(opened.actors.depositor, 1, 2)
    opened.share_out(10)
    for adapter, account in (
        (first, opened.actors.holder),
        (first, opened.vault),
        (second, opened.actors.depositor),
    ):
        with pytest.raises(Revert) as failure:
            pocket.claim(adapter, account)
        assert failure.value.reason == "pocket: nothing to claim"


def test_claim__tokens_sent_here__count_nowhere(opened: Side) -> None:
    pocket, adapter, who = opened.pocket, opened.adapters[0], opened.actors.depositor
    opened.leave(who, 1, 2)
    opened.setup.token.mint(pocket.address, 1_000)
    assert pocket.claimable(adapter, who) == 0
    opened.share_out(10)
    assert pocket.claimable(adapter, who) == 5


def test_claim__dust_in_many_returns__is_counted_together(opened: Side) -> None:
    """Nobody can round a claim away by bringing its adapter's returns home one by one."""
    pocket, adapter, who = opened.pocket, opened.adapters[0], opened.actors.depositor
    opened.leave(who, 1, 2)
    for _ in range(20):
        opened.share_out(1)
    assert pocket.claimable(adapter, who) == 10


def test_lower_expectation__owner__lowers_it_for_who_enters(opened: Side) -> None:
    pocket, adapter, who = opened.pocket, opened.adapters[0], opened.actors.depositor
    opened.leave(who, 1, 2)
    receipt = pocket.lower_expectation(adapter, 20, sender=opened.actors.owner)
    assert receipt.events == [opened.event("ExpectationLowered", adapter=adapter, expected=20)]
    assert pocket.expected_of(adapter) == 20
    assert pocket.expected() == 10
    # Claims are on what comes, whatever was expected.
    opened.share_out(60)
    assert pocket.claimable(adapter, who) == 30


@pytest.mark.parametrize("expected", [60, 61, 2**256 - 1])
def test_lower_expectation__not_lower__reverts(opened: Side, expected: int) -> None:
    with pytest.raises(Revert) as failure:
        opened.pocket.lower_expectation(opened.adapters[0], expected, sender=opened.actors.owner)
    assert failure.value.reason == "pocket: only lower"


@pytest.mark.parametrize("role", ["allocator", "guardian", "depositor", "stranger"])
def test_lower_expectation__not_the_owner__reverts(opened: Side, role: str) -> None:
    with pytest.raises(Revert) as failure:
        opened.pocket.lower_expectation(opened.adapters[0], 1, sender=getattr(opened.actors, role))
    assert failure.value.reason == "pocket: not the vault's owner"


def test_lower_expectation__by_the_vault_itself__reverts(opened: Side) -> None:
    with pytest.raises(Revert) as failure:
        opened.pocket.lower_expectation(opened.adapters[0], 1, sender=opened.vault)
    assert failure.value.reason == "pocket: not the vault's owner"


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["leave", "mint", "return", "claim", "hand over"]),
            st.sampled_from(WHO),
            st.one_of(st.integers(1, 9), st.integers(1, 10**21)),
        ),
        min_size=1,
        max_size=16,
    )
)
def test_claims__any_sequence__add_up_and_are_covered(
    side: Side, steps: list[tuple[str, str, int]]
) -> None:
    pocket, adapter, token = side.pocket, side.adapters[0], side.setup.token
    accounts = {who: getattr(side.actors, who) for who in WHO}
    with side.setup.chain.isolated():
        side.open(10**30)
        supply, shares_part, to_shares, sent = 10**20, Fraction(1), Fraction(0), 0
        parts = dict.fromkeys(WHO, Fraction(0))
        due = dict.fromkeys(WHO, Fraction(0))
        paid = dict.fromkeys(WHO, 0)
        times = 1
        for name, who, size in steps:
            account = accounts[who]
            if name == "leave":
                shares = min(size, supply - 1)
                side.leave(account, shares, supply)
                part = shares_part * shares / supply
                parts[who] += part
                shares_part -= part
                supply -= shares
                times += 1
            elif name == "mint":
                # The pocket does not hear of it: the same part is for more shares now.
                supply += size
            elif name == "return":
                left, expected = side.share_out(size)
                assert left + expected == size
                for each in WHO:
                    due[each] += parts[each] * size
                to_shares += shares_part * size
                sent += left
            elif name == "hand over":
                heir = WHO[size % 3]
                pocket.hand_over(accounts[heir], sender=account)
                if heir != who:
                    for held in (parts, due):
                        held[heir] += held[who]
                        held[who] = Fraction(0)
                    # What was paid before stays with who got it.
                    due[heir] -= paid[who]
                    due[who] += paid[who]
                times += 2
            elif pocket.claimable(adapter, account):
                paid[who] += pocket.claim.call(adapter, account)
                pocket.claim(adapter, account)
                times += 1
            claims = [pocket.claim_of(adapter, each) for each in accounts.values()]
            assert sum(claims) + pocket.shares_part(adapter) == WHOLE
            owed = {each: pocket.claimable(adapter, accounts[each]) for each in WHO}
            assert sum(owed.values()) <= token.balanceOf(pocket.address)
            for each in WHO:
                # Down by less than a unit each time that a claim is counted, and never up but
                # for what the rounding of others left to it, which is no unit.
                exact = due[each]
                assert exact - times - 1 < owed[each] + paid[each] <= exact + Fraction(1, 10**9)
        assert token.balanceOf(pocket.address) == sent - sum(paid.values())
