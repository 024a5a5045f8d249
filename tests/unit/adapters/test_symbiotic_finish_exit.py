import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relever.artifacts import artifact
from relever.chain import Revert
from tests.suites import UNLIMITED, WAD
from tests.unit.adapters.conftest import Symbio


def test_finish_exit__matured__sends_everything_to_the_vault(staked_symbio: Symbio) -> None:
    adapter, vault = staked_symbio.adapter, staked_symbio.vault.address
    exit_id = staked_symbio.start_exit(30 * WAD)
    staked_symbio.mature()
    held = staked_symbio.token.balanceOf(vault)
    assert adapter.finish_exit.call(exit_id, sender=vault) == 30 * WAD

    receipt = adapter.finish_exit(exit_id, sender=vault)

    assert receipt.events == [
        staked_symbio.moved(staked_symbio.place.vault.address, vault, 30 * WAD),
        staked_symbio.sent(
            "Claim", claimer=adapter.address, recipient=vault, epoch=exit_id, amount=30 * WAD
        ),
        staked_symbio.event("ExitFinished", id=exit_id, amount=30 * WAD),
    ]
    assert staked_symbio.token.balanceOf(vault) == held + 30 * WAD
    assert staked_symbio.token.balanceOf(adapter.address) == 0
    assert adapter.exiting() == 0
    assert adapter.staked() == adapter.total_assets() == 70 * WAD
    assert adapter.open_exits() == []


def test_finish_exit__a_second_early__reverts(staked_symbio: Symbio) -> None:
    exit_id = staked_symbio.start_exit(30 * WAD)
    delay = staked_symbio.adapter.exit_delay()
    # The exit started with its epoch: it takes as long as one can.
    staked_symbio.chain.advance(delay - 1)
    with pytest.raises(Revert) as failure:
        staked_symbio.finish_exit(exit_id)
    assert failure.value.reason == "symbiotic: exit not matured"
    staked_symbio.chain.advance(1)
    assert staked_symbio.finish_exit(exit_id) == 30 * WAD


def test_finish_exit__merged_exits__are_paid_at_once_and_once(staked_symbio: Symbio) -> None:
    exit_id = staked_symbio.start_exit(30 * WAD)
    assert staked_symbio.start_exit(5 * WAD) == exit_id
    staked_symbio.mature()
    assert staked_symbio.finish_exit(exit_id) == 35 * WAD
    with pytest.raises(Revert) as failure:
        staked_symbio.finish_exit(exit_id)
    assert failure.value.reason == "AlreadyClaimed()"
    assert staked_symbio.adapter.total_assets() == 65 * WAD


def test_finish_exit__long_after__still_counts_and_still_pays(staked_symbio: Symbio) -> None:
    exit_id = staked_symbio.start_exit(30 * WAD)
    for _ in range(20):
        staked_symbio.place.pass_epoch()
    assert staked_symbio.adapter.total_assets() == 100 * WAD
    assert staked_symbio.finish_exit(exit_id) == 30 * WAD


@pytest.mark.parametrize("exit_id", [0, 1])
def test_finish_exit__never_started__reverts(staked_symbio: Symbio, exit_id: int) -> None:
    with pytest.raises(Revert) as failure:
        staked_symbio.finish_exit(exit_id)
    assert failure.value.reason == "symbiotic: unknown exit"


@pytest.mark.parametrize("exit_id", [3, 4, 5, UNLIMITED])
def test_finish_exit__epoch_not_over__reverts(staked_symbio: Symbio, exit_id: int) -> None:
    assert staked_symbio.epoch == 3
    with pytest.raises(Revert) as failure:
        staked_symbio.finish_exit(exit_id)
    assert failure.value.reason == "symbiotic: exit not matured"


def test_finish_exit__slashed_in_either_epoch__sends_what_is_left(staked_symbio: Symbio) -> None:
    adapter = staked_symbio.adapter
    exit_id = staked_symbio.start_exit(40 * WAD)
    # 160 in all: a quarter, then in the next epoch half, captured in the one before.
    staked_symbio.slash(40 * WAD)
    assert (adapter.staked(), adapter.exiting()) == (45 * WAD, 30 * WAD)
    captured = staked_symbio.chain.timestamp
    staked_symbio.place.pass_epoch()
    staked_symbio.slash(60 * WAD, captured)
    assert (adapter.staked(), adapter.exiting()) == (45 * WAD // 2, 15 * WAD)
    staked_symbio.place.pass_epoch()
    assert staked_symbio.finish_exit(exit_id) == 15 * WAD


def test_finish_exit__slashed_after_it_matured__is_whole(staked_symbio: Symbio) -> None:
    adapter = staked_symbio.adapter
    exit_id = staked_symbio.start_exit(40 * WAD)
    staked_symbio.mature()
    staked_symbio.slash(60 * WAD)
    assert (adapter.staked(), adapter.exiting()) == (30 * WAD, 40 * WAD)
    assert staked_symbio.finish_exit(exit_id) == 40 * WAD


def test_finish_exit__slash_for_a_later_epoch__spares_the_exit(staked_symbio: Symbio) -> None:
    # What left in the epoch before was not at stake any more when the fault was made.
    exit_id = staked_symbio.start_exit(40 * WAD)
    staked_symbio.place.pass_epoch()
    staked_symbio.slash(60 * WAD)
    assert staked_symbio.adapter.exiting() == 40 * WAD
    assert staked_symbio.adapter.staked() == 30 * WAD
    staked_symbio.place.pass_epoch()
    assert staked_symbio.finish_exit(exit_id) == 40 * WAD


def test_finish_exit__slashed_to_nothing__sends_nothing_and_forgets_it(
    staked_symbio: Symbio,
) -> None:
    captured = staked_symbio.capture()
    exit_id = staked_symbio.start_exit(40 * WAD)
    staked_symbio.slash(UNLIMITED, captured)
    assert staked_symbio.adapter.total_assets() == 0
    with pytest.raises(Revert) as failure:
        staked_symbio.finish_exit(exit_id)
    assert failure.value.reason == "symbiotic: exit not matured"
    staked_symbio.mature()
    receipt = staked_symbio.adapter.finish_exit(exit_id, sender=staked_symbio.vault.address)
    assert receipt.events == [staked_symbio.event("ExitFinished", id=exit_id, amount=0)]
    assert staked_symbio.adapter.open_exits() == []
    with pytest.raises(Revert) as failure:
        staked_symbio.finish_exit(exit_id)
    assert failure.value.reason == "symbiotic: unknown exit"


@pytest.mark.parametrize("role", ["owner", "allocator", "operator", "stranger"])
def test_finish_exit__not_the_vault__reverts(staked_symbio: Symbio, role: str) -> None:
    exit_id = staked_symbio.start_exit(WAD)
    staked_symbio.mature()
    with pytest.raises(Revert) as failure:
        staked_symbio.adapter.finish_exit(exit_id, sender=getattr(staked_symbio.world.roles, role))
    assert failure.value.reason == "symbiotic: not the vault"


def test_finish_exit__claim_by_a_stranger__gets_only_the_strangers_own(
    staked_symbio: Symbio,
) -> None:
    place, stranger = staked_symbio.place.vault, staked_symbio.world.roles.stranger
    exit_id = staked_symbio.start_exit(30 * WAD)
    staked_symbio.mature()
    with pytest.raises(Revert) as failure:
        place.claim(stranger, exit_id, sender=stranger)
    assert failure.value.reason == "InsufficientClaim()"
    assert staked_symbio.finish_exit(exit_id) == 30 * WAD


def test_finish_exit__withdrawn_to_the_adapter_by_a_stranger__comes_home_too(
    staked_symbio: Symbio,
) -> None:
    adapter, place = staked_symbio.adapter, staked_symbio.place
    stranger = staked_symbio.world.roles.stranger
    place.vault.withdraw(adapter.address, 2 * WAD, sender=stranger)
    given = staked_symbio.epoch + 1
    # No exit of ours is open in that epoch, so it does not count ...
    assert adapter.total_assets() == 100 * WAD
    staked_symbio.start_exit(30 * WAD)
    # ... and now it does, as one gift more.
    assert adapter.total_assets() == 102 * WAD
    place.pass_epoch()
    place.vault.withdraw(adapter.address, WAD, sender=stranger)
    assert adapter.total_assets() == 102 * WAD
    staked_symbio.mature()
    assert staked_symbio.finish_exit(given) == 32 * WAD
    assert staked_symbio.finish_exit(given + 1) == WAD
    assert adapter.total_assets() == 70 * WAD
    with pytest.raises(Revert) as failure:
        staked_symbio.finish_exit(given + 1)
    assert failure.value.reason == "AlreadyClaimed()"


def test_finish_exit__tokens_sent_before__stay_where_they_are(staked_symbio: Symbio) -> None:
    adapter, vault = staked_symbio.adapter, staked_symbio.vault.address
    exit_id = staked_symbio.start_exit(30 * WAD)
    staked_symbio.mature()
    staked_symbio.token.transfer(adapter.address, WAD, sender=vault)
    assert adapter.total_assets() == 100 * WAD
    assert staked_symbio.finish_exit(exit_id) == 30 * WAD
    assert staked_symbio.token.balanceOf(adapter.address) == WAD


def test_finish_exit__vault_closed_for_deposits__still_pays(staked_symbio: Symbio) -> None:
    # The nearest that Symbiotic has to a pause: exits and claims have none.
    place, curator = staked_symbio.place.vault, staked_symbio.world.roles.base_admin
    place.setDepositWhitelist(True, sender=curator)
    place.setIsDepositLimit(True, sender=curator)
    exit_id = staked_symbio.start_exit(UNLIMITED)
    staked_symbio.mature()
    assert staked_symbio.finish_exit(exit_id) == 100 * WAD


def test_migrated_vault__views_and_stake__are_refused_but_exits_are_tried(
    staked_symbio: Symbio,
) -> None:
    world, adapter = staked_symbio.world, staked_symbio.adapter
    exit_id = staked_symbio.start_exit(30 * WAD)
    factory, owner = world.core.symbiotic_vault_factory, world.roles.base_admin
    code = staked_symbio.chain.deploy(
        artifact("MigratedSymbioticVault"), factory.address, staked_symbio.token.address
    )
    factory.whitelist(code.address, sender=owner)
    with pytest.raises(Revert):
        factory.migrate(staked_symbio.place.vault.address, 2, b"", sender=world.roles.stranger)

    factory.migrate(staked_symbio.place.vault.address, 2, b"", sender=owner)

    for view in ("staked", "exiting", "total_assets", "value_at_risk"):
        with pytest.raises(Revert) as failure:
            getattr(adapter, view)()
        assert failure.value.reason == "symbiotic: vault migrated"
    with pytest.raises(Revert) as failure:
        staked_symbio.stake(WAD)
    assert failure.value.reason == "symbiotic: vault migrated"
    staked_symbio.chain.advance(adapter.exit_delay())
    # The new code knows nothing under the old number: that is no reason to forget the exit.
    with pytest.raises(Revert) as failure:
        staked_symbio.finish_exit(exit_id)
    assert failure.value.reason == "symbiotic: vault migrated"
    assert adapter.open_exits() == [exit_id]
    # Whatever number it goes by now, what it gives goes to the vault.
    staked_symbio.chain.advance(10 * adapter.epoch_duration())
    assert staked_symbio.finish_exit(10) == WAD
    assert staked_symbio.start_exit(WAD // 2) > exit_id


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    first=st.integers(1, 60 * WAD),
    second=st.integers(1, 39 * WAD),
    others=st.integers(0, 50 * WAD),
    slash=st.integers(0, 158 * WAD),
    part=st.booleans(),
)
def test_finish_exit__slash_between_two_merged_exits__each_bears_its_own(
    staked_symbio: Symbio, first: int, second: int, others: int, slash: int, part: bool
) -> None:
    """The second exit leaves after the slash has taken from the stake: it pays no second time."""
    adapter, place = staked_symbio.adapter, staked_symbio.place.vault
    with staked_symbio.chain.isolated():
        captured = staked_symbio.capture()
        exit_id = staked_symbio.start_exit(first)
        if others:
            stranger = staked_symbio.world.roles.stranger
            place.withdraw(stranger, others, sender=stranger)
        if slash:
            staked_symbio.slash(slash, captured if part else None)
        taken = 160 * WAD - place.totalStake()
        second = min(second, adapter.staked())
        assert staked_symbio.start_exit(second) == exit_id
        staked_symbio.mature()
        left = first * (160 * WAD - taken) // (160 * WAD)
        # 2 for the bucket's part of the slash, 1 for each exit's shares and 1 for the reading.
        sent = staked_symbio.finish_exit(exit_id)
        assert left + second - 5 <= sent <= left + second + 1
        assert adapter.open_exits() == []
