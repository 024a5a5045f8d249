"""A slash in Symbiotic itself, at once or after a veto window, to the holders of the LRT."""

from collections.abc import Iterator

import pytest

from relever.artifacts import artifact
from relever.baselayer import Symbiotic, build_world, deploy_core
from relever.chain import Anvil, Chain, Contract, Event, Revert
from tests.suites import (
    SEED,
    UNLIMITED,
    WAD,
    Suite,
    deploy_exits,
    deploy_symbiotic_adapter,
    deploy_vault,
    enter,
    stake,
)

# What a slash can miss an adapter's exact share by: 2 between stake and exits, 2 for each of three.
DUST = 8


class SymbioticSuite(Suite):
    """The depositor holds 60 shares, the lender 40; 40 are staked in each of Symbiotic's two
    vaults, where a stranger has 40 too, and 20 are idle.
    """

    @property
    def instant(self) -> Contract:
        return self.adapters[0]

    @property
    def veto(self) -> Contract:
        return self.adapters[1]

    @property
    def symbiotic(self) -> Symbiotic:
        return self.world.symbiotic

    def capture(self) -> int:
        """A time for a slash to answer for, and a second more."""
        captured = self.chain.timestamp
        self.chain.advance(1)
        return captured


@pytest.fixture(scope="module")
def built() -> Iterator[SymbioticSuite]:
    with Anvil.start() as node:
        world = build_world(deploy_core(Chain.connect(node.ipc)))
        roles, wsteth, vault = world.roles, world.core.wsteth, deploy_vault(world)
        queue = deploy_exits(world, vault)
        for who, amount in ((roles.depositor, 60), (roles.lender, 40), (roles.stranger, 0)):
            enter(world, vault, who, amount * WAD)
        adapters = []
        for place in (world.symbiotic.instant, world.symbiotic.veto):
            adapter = deploy_symbiotic_adapter(world, vault, place.vault.address)
            stake(world, vault, adapter, 40 * WAD)
            wsteth.approve(place.vault.address, UNLIMITED, sender=roles.stranger)
            place.vault.deposit(roles.stranger, 40 * WAD, sender=roles.stranger)
            adapters.append(adapter)
        # Past the first epochs, so that there are some before.
        for _ in range(3):
            world.symbiotic.instant.pass_epoch()
        yield SymbioticSuite(world, vault, queue, tuple(adapters))


@pytest.fixture
def suite(built: SymbioticSuite) -> Iterator[SymbioticSuite]:
    with built.chain.isolated():
        yield built


# --- at once ---


def test_instant_slash__synced_by_anyone__falls_on_every_holder_alike(
    suite: SymbioticSuite,
) -> None:
    vault, adapter, roles = suite.vault, suite.instant, suite.world.roles
    # 16 of 80, half of which are the vault's.
    suite.symbiotic.slash(16 * WAD)
    assert vault.rate() == WAD

    receipt = vault.sync(sender=roles.stranger)

    arguments = {"adapter": adapter.address, "gain": 0, "loss": 8 * WAD, "booked": 32 * WAD}
    assert receipt.events == [Event("Synced", arguments, vault.address)]
    total = 92 * WAD + SEED
    assert vault.totalAssets() == total
    assert vault.rate() == vault.live_rate() == suite.worth(total, WAD)
    for who, shares in ((roles.depositor, 60 * WAD), (roles.lender, 40 * WAD)):
        assert vault.convertToAssets(vault.balanceOf(who)) == suite.worth(total, shares)
    suite.conserved()


def test_instant_slash__stake_and_exits_in_flight__bear_their_shares(suite: SymbioticSuite) -> None:
    vault, adapter, place = suite.vault, suite.instant, suite.symbiotic.instant
    first = suite.start_exit(adapter, 10 * WAD)
    place.pass_epoch()
    second = suite.start_exit(adapter, 8 * WAD)
    # For the epoch before this one, in which 80 were at stake: 10 + 8 + 22 of the vault's.
    suite.symbiotic.slash(20 * WAD, place.vault.currentEpochStart() - 1)
    exact = 3 * WAD // 4
    assert adapter.staked() == 22 * exact
    assert adapter.exiting() == 18 * exact
    vault.sync()
    assert vault.totalAssets() == 90 * WAD + SEED

    place.pass_epoch()
    assert suite.finish_exit(adapter, first) == 10 * exact
    place.pass_epoch()
    assert suite.finish_exit(adapter, second) == 8 * exact
    assert vault.idle() == 20 * WAD + SEED + 18 * exact
    assert vault.totalAssets() == 90 * WAD + SEED
    suite.conserved()


def test_instant_slash__redeem_before_anyone_synced__pays_no_more_than_waiting(
    suite: SymbioticSuite,
) -> None:
    vault, roles = suite.vault, suite.world.roles
    suite.symbiotic.slash(40 * WAD)
    total = 80 * WAD + SEED
    preview = vault.previewRedeem(5 * WAD)
    assert preview == suite.worth(total, 5 * WAD)
    runner = suite.redeem(5 * WAD, roles.depositor)
    waiter = suite.redeem(5 * WAD, roles.lender)
    assert runner == preview <= waiter <= runner + 1
    suite.conserved()


def test_instant_slash__deposit_before_anyone_synced__does_not_share_the_loss(
    suite: SymbioticSuite,
) -> None:
    vault, newcomer = suite.vault, suite.world.roles.stranger
    suite.symbiotic.slash(40 * WAD)
    vault.deposit(10 * WAD, newcomer, sender=newcomer)
    worth = vault.previewRedeem(vault.balanceOf(newcomer))
    assert 10 * WAD - 2 <= worth <= 10 * WAD
    suite.conserved()


def test_instant_slash__exit_that_has_matured__is_spared(suite: SymbioticSuite) -> None:
    vault, adapter = suite.vault, suite.instant
    exit_id = suite.start_exit(adapter, 30 * WAD)
    suite.symbiotic.instant.pass_exit_delay()
    # 10 of 50 that are left.
    suite.symbiotic.slash(25 * WAD)
    assert vault.totalAssets() - vault.live_total_assets(False) == 5 * WAD
    assert suite.finish_exit(adapter, exit_id) == 30 * WAD
    assert vault.totalAssets() == 95 * WAD + SEED
    suite.conserved()


# --- after a veto window ---


def test_veto_slash__requested__lowers_what_leaving_pays_and_nothing_else(
    suite: SymbioticSuite,
) -> None:
    vault, roles = suite.vault, suite.world.roles
    suite.symbiotic.request_slash(16 * WAD)
    assert suite.veto.value_at_risk() == 8 * WAD + DUST
    total, safe = 100 * WAD + SEED, 92 * WAD + SEED - DUST
    assert vault.sync().events == []
    assert vault.totalAssets() == total
    assert vault.rate() == WAD
    assert vault.live_rate() == suite.worth(safe, WAD) < vault.rate()
    assert vault.previewRedeem(5 * WAD) == suite.worth(safe, 5 * WAD)
    # Who comes pays for what is there, not for what may be left.
    assert vault.previewDeposit(5 * WAD) == 5 * WAD
    assert vault.maxRedeem(roles.depositor) > 20 * WAD


def test_veto_slash__escape_in_the_window__pays_no_more_than_waiting(suite: SymbioticSuite) -> None:
    vault, roles = suite.vault, suite.world.roles
    index = suite.symbiotic.request_slash(80 * WAD)
    live = vault.live_rate()
    assert live == suite.worth(60 * WAD + SEED, WAD)
    expected = suite.worth(60 * WAD + SEED, 10 * WAD)

    runner = suite.redeem(10 * WAD, roles.depositor)

    assert runner == expected < 10 * (live + 1)
    suite.symbiotic.pass_veto_window()
    suite.symbiotic.execute_slash(index)
    assert runner <= suite.redeem(10 * WAD, roles.lender) <= runner + 1
    suite.conserved()


@pytest.mark.parametrize("amount", [1, 16 * WAD, 53 * WAD // 3, 79_999_999_999_999_999_999])
def test_veto_slash__escape_at_any_size__leaves_the_others_no_less(
    suite: SymbioticSuite, amount: int
) -> None:
    roles = suite.world.roles
    suite.start_exit(suite.veto, 7 * WAD + 3)
    suite.chain.advance(3_000)
    captured = suite.chain.timestamp
    suite.symbiotic.veto.pass_epoch()
    suite.start_exit(suite.veto, 11 * WAD + 1)
    index = suite.symbiotic.request_slash(amount, captured)
    runner = suite.redeem(10 * WAD, roles.depositor)
    suite.chain.advance(captured + 3_600 - suite.chain.timestamp)
    suite.symbiotic.execute_slash(index)
    waiter = suite.redeem(10 * WAD, roles.lender)
    # At most its rounding is kept from who ran, and shared by those who stay.
    assert runner <= waiter <= runner + 2 * DUST
    suite.conserved()


def test_veto_slash__vetoed__live_rate_comes_back(suite: SymbioticSuite) -> None:
    vault = suite.vault
    index = suite.symbiotic.request_slash(16 * WAD)
    assert vault.live_rate() < WAD
    suite.symbiotic.veto_slash(index)
    assert vault.live_rate() == vault.rate() == WAD


def test_veto_slash__executed__reaches_stake_and_exits_as_it_was_at_risk(
    suite: SymbioticSuite,
) -> None:
    vault, adapter, roles = suite.vault, suite.veto, suite.world.roles
    index = suite.symbiotic.request_slash(16 * WAD)
    # An exit that starts in the window runs from nothing.
    exit_id = suite.start_exit(adapter, 15 * WAD)
    assert adapter.value_at_risk() == 8 * WAD + DUST
    with pytest.raises(Revert) as failure:
        vault.allocate(adapter.address, WAD, sender=roles.allocator)
    assert failure.value.reason == "symbiotic: slash pending"
    suite.symbiotic.pass_veto_window()

    suite.symbiotic.execute_slash(index)

    assert (adapter.staked(), adapter.exiting()) == (20 * WAD, 12 * WAD)
    assert vault.totalAssets() - vault.live_total_assets(False) == 8 * WAD
    suite.symbiotic.veto.pass_exit_delay()
    assert suite.finish_exit(adapter, exit_id) == 12 * WAD
    assert vault.totalAssets() == 92 * WAD + SEED
    suite.conserved()


def test_both_slashes__one_at_once_and_one_requested__add_up(suite: SymbioticSuite) -> None:
    vault = suite.vault
    suite.symbiotic.slash(8 * WAD)
    suite.symbiotic.request_slash(16 * WAD)
    assert vault.live_rate() == suite.worth(100 * WAD + SEED - 4 * WAD - 8 * WAD - DUST, WAD)
    vault.sync()
    assert vault.live_rate() == suite.worth(100 * WAD + SEED - 4 * WAD - 8 * WAD - DUST, WAD)
    assert vault.rate() == suite.worth(96 * WAD + SEED, WAD)


# --- everything ---


def test_full_slash__of_one__kills_the_adapters_stake_and_not_the_vault(
    suite: SymbioticSuite,
) -> None:
    vault, adapter, roles = suite.vault, suite.instant, suite.world.roles
    captured = suite.capture()
    exit_id = suite.start_exit(adapter, 10 * WAD)
    suite.symbiotic.slash(UNLIMITED, captured)
    assert adapter.total_assets() == 0
    vault.sync()
    assert vault.totalAssets() == 60 * WAD + SEED
    with pytest.raises(Revert) as failure:
        vault.deallocate(adapter.address, WAD, sender=roles.allocator)
    assert failure.value.reason == "symbiotic: nothing staked"
    suite.symbiotic.instant.pass_exit_delay()
    assert suite.finish_exit(adapter, exit_id) == 0
    assert suite.redeem(10 * WAD, roles.depositor) > 5 * WAD
    # Symbiotic takes new stake all the same, and it is worth what it was.
    vault.allocate(adapter.address, 5 * WAD, sender=roles.allocator)
    assert 5 * WAD - 1 <= vault.booked(adapter.address) <= 5 * WAD
    suite.conserved()


def test_full_slash__of_both__leaves_what_is_idle_to_all_alike(suite: SymbioticSuite) -> None:
    vault, roles = suite.vault, suite.world.roles
    suite.symbiotic.slash(UNLIMITED)
    index = suite.symbiotic.request_slash(UNLIMITED)
    expected = suite.worth(20 * WAD + SEED, 30 * WAD)
    assert suite.redeem(30 * WAD, roles.depositor) == expected
    suite.symbiotic.pass_veto_window()
    suite.symbiotic.execute_slash(index)
    assert expected <= suite.redeem(30 * WAD, roles.lender) <= expected + 1
    vault.deposit(WAD, roles.stranger, sender=roles.stranger)
    assert WAD - 10 <= vault.previewRedeem(vault.balanceOf(roles.stranger)) <= WAD
    vault.sync()
    suite.conserved()


# --- from the side ---


def test_exit__given_by_a_stranger__comes_home_as_a_locked_gain(suite: SymbioticSuite) -> None:
    vault, adapter, roles = suite.vault, suite.instant, suite.world.roles
    place = suite.symbiotic.instant
    place.vault.withdraw(adapter.address, 3 * WAD, sender=roles.stranger)
    exit_id = place.vault.currentEpoch() + 1
    place.pass_exit_delay()
    assert vault.totalAssets() == 100 * WAD + SEED
    assert suite.finish_exit(adapter, exit_id) == 3 * WAD
    assert vault.locked_profit() == 3 * WAD
    assert vault.rate() == WAD
    with pytest.raises(Revert) as failure:
        suite.finish_exit(adapter, exit_id)
    assert failure.value.reason == "AlreadyClaimed()"
    suite.conserved()


def test_migrated_vault__cannot_be_read__changes_no_booked_value(suite: SymbioticSuite) -> None:
    vault, roles, core = suite.vault, suite.world.roles, suite.world.core
    factory = core.symbiotic_vault_factory
    code = suite.chain.deploy(
        artifact("MigratedSymbioticVault"), factory.address, core.wsteth.address
    )
    factory.whitelist(code.address, sender=roles.base_admin)
    place = suite.symbiotic.instant.vault.address
    factory.migrate(place, 2, b"", sender=roles.base_admin)
    assert vault.sync.call()[2] is False
    for call in (
        lambda: suite.redeem(WAD, roles.depositor),
        lambda: vault.deposit(WAD, roles.stranger, sender=roles.stranger),
    ):
        with pytest.raises(Revert) as failure:
            call()
        assert failure.value.reason == "vault: adapter unreadable"
    assert vault.rate() == WAD
    assert vault.booked(suite.instant.address) == 40 * WAD
    # The other adapter lives on.
    suite.symbiotic.request_slash(16 * WAD)
    assert vault.sync().events == []
