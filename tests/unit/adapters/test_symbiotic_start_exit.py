import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from relever.chain import Revert
from tests.suites import UNLIMITED, WAD
from tests.unit.adapters.conftest import Symbio


def test_start_exit__part__waits_in_the_next_epochs_bucket(staked_symbio: Symbio) -> None:
    adapter, epoch = staked_symbio.adapter, staked_symbio.epoch

    receipt = adapter.start_exit(30 * WAD, sender=staked_symbio.vault.address)

    assert receipt.events == [
        staked_symbio.sent(
            "Withdraw",
            withdrawer=adapter.address,
            claimer=adapter.address,
            amount=30 * WAD,
            burnedShares=30 * WAD,
            mintedShares=30 * WAD,
        ),
        staked_symbio.event("ExitStarted", id=epoch + 1, amount=30 * WAD),
    ]
    assert adapter.staked() == 70 * WAD
    assert adapter.exiting() == 30 * WAD
    assert adapter.total_assets() == 100 * WAD
    assert adapter.open_exits() == [epoch + 1]


def test_start_exit__same_epoch__merges_under_one_id(staked_symbio: Symbio) -> None:
    adapter, place = staked_symbio.adapter, staked_symbio.place
    first = staked_symbio.start_exit(30 * WAD)
    # To the last second of the epoch.
    staked_symbio.chain.advance(place.vault.nextEpochStart() - 1 - staked_symbio.chain.timestamp)
    assert staked_symbio.start_exit(5 * WAD) == first
    assert adapter.open_exits() == [first]
    assert adapter.exiting() == 35 * WAD
    # A second later it is another one.
    staked_symbio.chain.advance(1)
    assert staked_symbio.start_exit(WAD) == first + 1
    assert adapter.open_exits() == [first, first + 1]
    assert adapter.exiting() == 36 * WAD


@pytest.mark.parametrize("over", [0, 1, UNLIMITED])
@pytest.mark.parametrize("slash", [0, 160 * WAD // 3, 123_456_789_012_345_678_901])
def test_start_exit__all_or_more__leaves_nothing_staked(
    staked_symbio: Symbio, over: int, slash: int
) -> None:
    adapter = staked_symbio.adapter
    if slash:
        staked_symbio.slash(slash)
    value = adapter.total_assets()
    amount = min(value + over, UNLIMITED)
    receipt = adapter.start_exit(amount, sender=staked_symbio.vault.address)
    assert adapter.staked() == 0
    assert staked_symbio.place.vault.activeSharesOf(adapter.address) == 0
    assert receipt.events[-1].args["amount"] == adapter.exiting() == value


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    slash=st.integers(0, 159 * WAD),
    other=st.integers(0, 40 * WAD),
    slash_between=st.booleans(),
    amount=st.integers(1, 100 * WAD),
)
@example(slash=159 * WAD, other=40 * WAD, slash_between=True, amount=1)
@example(slash=160 * WAD // 3, other=WAD, slash_between=True, amount=7 * WAD)
def test_start_exit__any_slash_and_bucket__what_leaves_is_the_amount(
    staked_symbio: Symbio, slash: int, other: int, slash_between: bool, amount: int
) -> None:
    adapter, place = staked_symbio.adapter, staked_symbio.place.vault
    with staked_symbio.chain.isolated():
        if slash and not slash_between:
            staked_symbio.slash(slash)
        if other:
            stranger = staked_symbio.world.roles.stranger
            balance = place.activeBalanceOf(stranger)
            place.withdraw(stranger, min(other, balance), sender=stranger)
        if slash and slash_between:
            staked_symbio.slash(slash)
        before = adapter.staked()
        amount = min(amount, before)
        receipt = adapter.start_exit(amount, sender=staked_symbio.vault.address)
        assert receipt.events[-1].args["amount"] == amount
        # Shares round up on the way out and down on the way in: a unit each.
        assert amount - 1 <= adapter.exiting() <= amount
        assert before - amount - 1 <= adapter.staked() <= before - amount


def test_start_exit__nothing_staked__reverts(symbio: Symbio) -> None:
    with pytest.raises(Revert) as failure:
        symbio.start_exit(WAD)
    assert failure.value.reason == "symbiotic: nothing staked"


def test_start_exit__slashed_to_nothing__reverts(staked_symbio: Symbio) -> None:
    staked_symbio.slash(UNLIMITED)
    with pytest.raises(Revert) as failure:
        staked_symbio.start_exit(WAD)
    assert failure.value.reason == "symbiotic: nothing staked"


def test_start_exit__zero__reverts(staked_symbio: Symbio) -> None:
    with pytest.raises(Revert) as failure:
        staked_symbio.start_exit(0)
    assert failure.value.reason == "symbiotic: zero exit"


@pytest.mark.parametrize("role", ["owner", "allocator", "operator", "stranger"])
def test_start_exit__not_the_vault__reverts(staked_symbio: Symbio, role: str) -> None:
    with pytest.raises(Revert) as failure:
        staked_symbio.adapter.start_exit(1, sender=getattr(staked_symbio.world.roles, role))
    assert failure.value.reason == "symbiotic: not the vault"


def test_start_exit__eight_epochs_open__refuses_a_ninth_until_one_is_finished(
    staked_symbio: Symbio,
) -> None:
    adapter, ids = staked_symbio.adapter, []
    for _ in range(8):
        ids.append(staked_symbio.start_exit(WAD))
        staked_symbio.place.pass_epoch()
    assert adapter.open_exits() == ids
    assert adapter.exiting() == 8 * WAD
    assert adapter.total_assets() == 100 * WAD
    with pytest.raises(Revert) as failure:
        staked_symbio.start_exit(WAD)
    assert failure.value.reason == "symbiotic: too many open exits"
    # All but the youngest have matured by then, so anyone can make room.
    staked_symbio.finish_exit(ids[0])
    assert adapter.open_exits() == [ids[7], *ids[1:7]]
    ninth = staked_symbio.start_exit(WAD)
    # Full again, but this epoch's exits still merge.
    assert staked_symbio.start_exit(WAD) == ninth
    for exit_id in ids[1:7]:
        assert staked_symbio.finish_exit(exit_id) == WAD
    assert adapter.exiting() == 3 * WAD


def test_start_exit__split_in_a_hundred__is_one_exit(staked_symbio: Symbio) -> None:
    adapter = staked_symbio.adapter
    with staked_symbio.chain.isolated():
        staked_symbio.start_exit(WAD)
        whole = adapter.total_assets()
    for _ in range(100):
        exit_id = staked_symbio.start_exit(WAD // 100)
    assert adapter.open_exits() == [exit_id]
    assert adapter.total_assets() == whole
    staked_symbio.mature()
    assert staked_symbio.finish_exit(exit_id) == WAD
