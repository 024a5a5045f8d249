"""What the adapter says it is worth, live, after every slash."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.suites import UNLIMITED, WAD
from tests.unit.adapters.conftest import Symbio


def test_staked__slash__falls_by_the_adapters_share_of_it(staked_symbio: Symbio) -> None:
    # 16 of 160, of which the adapter has 100.
    staked_symbio.slash(16 * WAD)
    assert staked_symbio.adapter.staked() == staked_symbio.adapter.total_assets() == 90 * WAD


def test_staked__given_by_a_stranger__is_a_gain(staked_symbio: Symbio) -> None:
    adapter, stranger = staked_symbio.adapter, staked_symbio.world.roles.stranger
    staked_symbio.place.vault.deposit(adapter.address, 3 * WAD, sender=stranger)
    assert adapter.staked() == adapter.total_assets() == 103 * WAD


def test_staked__tokens_sent_to_symbiotic__change_nothing(staked_symbio: Symbio) -> None:
    token, place = staked_symbio.token, staked_symbio.place.vault.address
    token.transfer(place, 50 * WAD, sender=staked_symbio.world.roles.stranger)
    token.transfer(staked_symbio.adapter.address, WAD, sender=staked_symbio.world.roles.stranger)
    assert staked_symbio.adapter.total_assets() == 100 * WAD


def test_staked__others_come_and_go__is_unchanged(staked_symbio: Symbio) -> None:
    place, stranger = staked_symbio.place.vault, staked_symbio.world.roles.stranger
    staked_symbio.slash(WAD + 1)
    before = staked_symbio.adapter.total_assets()
    for amount in (7, WAD, 33 * WAD + 1):
        place.deposit(stranger, amount, sender=stranger)
        place.withdraw(stranger, amount // 2 + 1, sender=stranger)
    # Each of the six rounds against who acts, by less than a unit.
    assert before <= staked_symbio.adapter.total_assets() <= before + 6


def test_total_assets__every_slash__is_the_sum_of_the_parts(staked_symbio: Symbio) -> None:
    adapter = staked_symbio.adapter
    captured = staked_symbio.capture()
    staked_symbio.start_exit(30 * WAD)
    staked_symbio.place.pass_epoch()
    staked_symbio.start_exit(7)
    for amount in (WAD // 7, 23 * WAD, 1, UNLIMITED):
        staked_symbio.slash(amount, captured)
        assert adapter.total_assets() == adapter.staked() + adapter.exiting()
    assert adapter.total_assets() == 0


def test_total_assets__an_epoch_turns__is_unchanged(staked_symbio: Symbio) -> None:
    adapter = staked_symbio.adapter
    staked_symbio.start_exit(30 * WAD)
    staked_symbio.slash(WAD)
    value = adapter.total_assets()
    for _ in range(4):
        left = staked_symbio.place.vault.nextEpochStart() - staked_symbio.chain.timestamp
        staked_symbio.chain.advance(left - 1)
        assert adapter.total_assets() == value
        staked_symbio.chain.advance(1)
        assert adapter.total_assets() == value


def test_total_assets__exit_in_an_epochs_last_second__a_slash_reaches_it(
    staked_symbio: Symbio,
) -> None:
    # The last second of an epoch: the exit goes into the next bucket, which is the present one a
    # second later, when the slash comes for the time before.
    adapter, place = staked_symbio.adapter, staked_symbio.place
    staked_symbio.chain.advance(place.vault.nextEpochStart() - 2 - staked_symbio.chain.timestamp)
    captured = staked_symbio.capture()
    exit_id = staked_symbio.start_exit(100 * WAD)
    staked_symbio.chain.advance(1)
    staked_symbio.slash(80 * WAD, captured)
    assert staked_symbio.epoch == exit_id
    assert adapter.exiting() == adapter.total_assets() == 50 * WAD


def test_exit_delay__exit_at_any_time__is_enough(staked_symbio: Symbio) -> None:
    delay, epoch = staked_symbio.adapter.exit_delay(), staked_symbio.adapter.epoch_duration()
    assert delay == 2 * epoch
    for second in (0, 1, epoch // 2, epoch - 1):
        with staked_symbio.chain.isolated():
            if second:
                staked_symbio.chain.advance(second)
            exit_id = staked_symbio.start_exit(WAD)
            staked_symbio.chain.advance(delay)
            assert staked_symbio.finish_exit(exit_id) == WAD


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    slashes=st.lists(st.integers(1, 50 * WAD), min_size=1, max_size=3),
    leaving=st.integers(1, 100 * WAD),
    others=st.integers(0, 60 * WAD),
    epochs=st.integers(0, 1),
)
def test_total_assets__slashes_for_one_capture__take_the_adapters_share(
    staked_symbio: Symbio, slashes: list[int], leaving: int, others: int, epochs: int
) -> None:
    """Published rule: a slash falls on stake and buckets alike, by what each holds."""
    adapter, place = staked_symbio.adapter, staked_symbio.place
    with staked_symbio.chain.isolated():
        captured = staked_symbio.capture()
        staked_symbio.start_exit(leaving)
        if others:
            stranger = staked_symbio.world.roles.stranger
            place.vault.withdraw(stranger, others, sender=stranger)
        for _ in range(epochs):
            place.pass_epoch()
        for amount in slashes:
            staked_symbio.slash(amount, captured)
        exact = 100 * WAD - 100 * sum(slashes) // 160
        # Per slash 2 between the parts and 1 for each of them, as far as the adapter holds them.
        assert abs(adapter.total_assets() - exact) <= 8 * len(slashes)
