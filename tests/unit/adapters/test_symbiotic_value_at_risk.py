"""Slashes that are requested and not yet executed: never less than what they would take."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from relever.chain import Revert
from tests.suites import UNLIMITED, WAD
from tests.unit.adapters.conftest import Symbio

EPOCH = 3_600
VETO = 1_200
# What the adapter adds for Symbiotic's rounding, per request.
ROUNDING = 8


def slashable(veto_symbio: Symbio, index: int) -> int:
    """What a request can still take at most."""
    symbiotic, slasher = veto_symbio.world.symbiotic, veto_symbio.place.slasher
    captured = slasher.slashRequests(index).captureTimestamp
    amount: int = slasher.slashableStake(
        symbiotic.subnetwork, veto_symbio.world.roles.operator, captured, b""
    )
    return amount


def test_value_at_risk__instant_slasher__is_nothing(staked_symbio: Symbio) -> None:
    assert staked_symbio.adapter.value_at_risk() == 0
    staked_symbio.slash(10 * WAD)
    assert staked_symbio.adapter.value_at_risk() == 0


def test_value_at_risk__requested__is_the_adapters_share_until_executed(
    veto_symbio: Symbio,
) -> None:
    adapter, symbiotic = veto_symbio.adapter, veto_symbio.world.symbiotic
    assert adapter.value_at_risk() == 0
    index = symbiotic.request_slash(16 * WAD)
    assert adapter.value_at_risk() == 10 * WAD + ROUNDING
    assert adapter.total_assets() == 100 * WAD
    # It stays after the veto deadline, for then it can be executed.
    symbiotic.pass_veto_window()
    assert adapter.value_at_risk() == 10 * WAD + ROUNDING
    symbiotic.execute_slash(index)
    assert adapter.value_at_risk() == 0
    assert adapter.total_assets() == 90 * WAD


def test_value_at_risk__a_single_unit__rounds_up(veto_symbio: Symbio) -> None:
    veto_symbio.world.symbiotic.request_slash(1)
    assert veto_symbio.adapter.value_at_risk() == 1 + ROUNDING


def test_value_at_risk__vetoed__is_nothing(veto_symbio: Symbio) -> None:
    index = veto_symbio.world.symbiotic.request_slash(16 * WAD)
    veto_symbio.world.symbiotic.veto_slash(index)
    assert veto_symbio.adapter.value_at_risk() == 0


def test_value_at_risk__never_executed__ends_with_its_last_second(veto_symbio: Symbio) -> None:
    adapter, symbiotic = veto_symbio.adapter, veto_symbio.world.symbiotic
    captured = veto_symbio.chain.timestamp
    index = symbiotic.request_slash(16 * WAD, captured)
    veto_symbio.chain.advance(captured + EPOCH - veto_symbio.chain.timestamp)
    assert adapter.value_at_risk() == 10 * WAD + ROUNDING
    with veto_symbio.chain.isolated():
        symbiotic.execute_slash(index)
    veto_symbio.chain.advance(1)
    assert adapter.value_at_risk() == 0
    with pytest.raises(Revert) as failure:
        symbiotic.execute_slash(index)
    assert failure.value.reason == "SlashPeriodEnded()"


def test_value_at_risk__captured_long_ago__ends_before_a_younger_request(
    veto_symbio: Symbio,
) -> None:
    adapter, symbiotic = veto_symbio.adapter, veto_symbio.world.symbiotic
    captured = veto_symbio.chain.timestamp
    veto_symbio.chain.advance(EPOCH - VETO)
    symbiotic.request_slash(16 * WAD)
    symbiotic.request_slash(32 * WAD, captured + 1)
    assert adapter.value_at_risk() == 30 * WAD + 2 * ROUNDING
    # The younger request has the older fault, and so the earlier end.
    veto_symbio.chain.advance(captured + 1 + EPOCH + 1 - veto_symbio.chain.timestamp)
    assert adapter.value_at_risk() == 10 * WAD + ROUNDING


def test_value_at_risk__exit_in_the_window__does_not_escape(veto_symbio: Symbio) -> None:
    adapter, symbiotic = veto_symbio.adapter, veto_symbio.world.symbiotic
    index = symbiotic.request_slash(16 * WAD)
    exit_id = veto_symbio.start_exit(UNLIMITED)
    assert adapter.value_at_risk() == 10 * WAD + ROUNDING
    symbiotic.pass_veto_window()
    symbiotic.execute_slash(index)
    assert adapter.exiting() == 90 * WAD
    veto_symbio.mature()
    assert veto_symbio.finish_exit(exit_id) == 90 * WAD


def test_value_at_risk__the_next_epoch_begins__is_unchanged(veto_symbio: Symbio) -> None:
    adapter, symbiotic, place = veto_symbio.adapter, veto_symbio.world.symbiotic, veto_symbio.place
    veto_symbio.start_exit(20 * WAD)
    place.vault.withdraw(
        veto_symbio.world.roles.stranger, 5 * WAD, sender=veto_symbio.world.roles.stranger
    )
    index = symbiotic.request_slash(16 * WAD)
    at_risk = adapter.value_at_risk()
    assert at_risk == 10 * WAD + ROUNDING
    place.pass_epoch()
    # Exits of the new epoch go into another bucket, and are reached there.
    veto_symbio.start_exit(30 * WAD)
    assert at_risk == adapter.value_at_risk()
    before = adapter.total_assets()
    symbiotic.execute_slash(index)
    assert before - at_risk <= adapter.total_assets() <= before - 10 * WAD + ROUNDING


def test_value_at_risk__left_in_the_epoch_before_the_fault__is_out_of_reach(
    veto_symbio: Symbio,
) -> None:
    adapter, symbiotic = veto_symbio.adapter, veto_symbio.world.symbiotic
    veto_symbio.start_exit(40 * WAD)
    veto_symbio.place.pass_epoch()
    # The adapter has 60 of 120 that were at stake at the fault; the 40 in the bucket were not.
    index = symbiotic.request_slash(UNLIMITED)
    assert adapter.value_at_risk() == 60 * WAD + ROUNDING
    symbiotic.pass_veto_window()
    symbiotic.execute_slash(index)
    assert adapter.total_assets() == adapter.exiting() == 40 * WAD


def test_value_at_risk__more_than_there_is__is_all_that_can_be_reached(
    veto_symbio: Symbio,
) -> None:
    adapter, symbiotic = veto_symbio.adapter, veto_symbio.world.symbiotic
    exit_id = veto_symbio.start_exit(40 * WAD)
    veto_symbio.mature()
    for _ in range(3):
        symbiotic.request_slash(UNLIMITED)
    assert veto_symbio.place.vault.activeBalanceOf(adapter.address) == 60 * WAD
    # The exit that has matured is safe.
    assert adapter.value_at_risk() == 60 * WAD
    assert adapter.total_assets() == 100 * WAD
    assert veto_symbio.finish_exit(exit_id) == 40 * WAD


def test_value_at_risk__nothing_staked__is_nothing(veto_symbio: Symbio) -> None:
    veto_symbio.start_exit(UNLIMITED)
    veto_symbio.mature()
    veto_symbio.world.symbiotic.request_slash(UNLIMITED)
    assert veto_symbio.adapter.value_at_risk() == 0


def test_value_at_risk__all_slashed__is_nothing(veto_symbio: Symbio) -> None:
    symbiotic = veto_symbio.world.symbiotic
    captured = veto_symbio.chain.timestamp
    index = symbiotic.request_slash(UNLIMITED, captured)
    symbiotic.request_slash(WAD, captured)
    symbiotic.pass_veto_window()
    symbiotic.execute_slash(index)
    assert veto_symbio.adapter.value_at_risk() == veto_symbio.adapter.total_assets() == 0


def test_value_at_risk__thirty_two_requests__are_all_counted(veto_symbio: Symbio) -> None:
    symbiotic = veto_symbio.world.symbiotic
    for _ in range(32):
        symbiotic.request_slash(WAD)
    assert veto_symbio.adapter.value_at_risk() == 20 * WAD + 32 * ROUNDING


def test_value_at_risk__too_many_to_look_at__is_everything_for_an_epoch(
    veto_symbio: Symbio,
) -> None:
    adapter, symbiotic = veto_symbio.adapter, veto_symbio.world.symbiotic
    start = veto_symbio.chain.timestamp
    for _ in range(33):
        symbiotic.request_slash(1)
    assert adapter.value_at_risk() == 100 * WAD
    with pytest.raises(Revert) as failure:
        veto_symbio.stake(WAD)
    assert failure.value.reason == "symbiotic: slash pending"
    # The first is as old as an epoch is long: what is left of them can be counted.
    veto_symbio.chain.advance(start + 1 + EPOCH - veto_symbio.chain.timestamp)
    assert adapter.value_at_risk() == 32 * 100 // 160 + 32 * ROUNDING
    veto_symbio.chain.advance(EPOCH)
    assert adapter.value_at_risk() == 0


def test_value_at_risk__old_requests__are_not_walked(veto_symbio: Symbio) -> None:
    for _ in range(40):
        veto_symbio.world.symbiotic.request_slash(1)
    veto_symbio.chain.advance(EPOCH)
    veto_symbio.world.symbiotic.request_slash(16 * WAD)
    assert veto_symbio.adapter.value_at_risk() == 10 * WAD + ROUNDING


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    before=st.integers(0, 40 * WAD),
    amounts=st.lists(st.tuples(st.integers(1, 170 * WAD), st.booleans()), min_size=1, max_size=3),
    leaving=st.integers(0, 100 * WAD),
    others=st.integers(0, 60 * WAD),
    late=st.booleans(),
    data=st.data(),
)
@example(before=0, amounts=[(160 * WAD // 3, False)], leaving=7, others=WAD, late=True, data=None)
def test_value_at_risk__executed_in_any_order__was_never_too_little(
    veto_symbio: Symbio,
    before: int,
    amounts: list[tuple[int, bool]],
    leaving: int,
    others: int,
    late: bool,
    data: st.DataObject | None,
) -> None:
    """Whatever leaves, for whichever epoch, and also when an epoch turns in between."""
    adapter, symbiotic, place = veto_symbio.adapter, veto_symbio.world.symbiotic, veto_symbio.place
    stranger = veto_symbio.world.roles.stranger
    with veto_symbio.chain.isolated():
        if before:
            veto_symbio.start_exit(before)
        veto_symbio.chain.advance(EPOCH - VETO - 60)
        captured = veto_symbio.chain.timestamp
        veto_symbio.chain.advance(VETO + 60)
        requests = [
            symbiotic.request_slash(amount, captured if earlier else None)
            for amount, earlier in amounts
        ]
        staked = adapter.staked()
        if leaving and staked:
            veto_symbio.start_exit(min(leaving, staked))
        if others:
            place.vault.withdraw(stranger, others, sender=stranger)
        at_risk, value = adapter.value_at_risk(), adapter.total_assets()
        if late:
            veto_symbio.chain.advance(captured + EPOCH - veto_symbio.chain.timestamp)
        else:
            symbiotic.pass_veto_window()
        order = data.draw(st.permutations(requests)) if data else requests
        executed = 0
        for index in order:
            # Symbiotic refuses what comes after the slash of a later fault, and where none is left.
            if slashable(veto_symbio, index):
                symbiotic.execute_slash(index)
                executed += 1
        assert executed > 0
        loss = value - adapter.total_assets()
        assert loss <= at_risk
        assert adapter.value_at_risk() == 0 or executed < len(requests)
        if len(requests) == executed == 1:
            assert at_risk - 2 * ROUNDING - 1 <= loss
