"""A slash in EigenLayer's own AllocationManager, all the way to the holders of the LRT."""

from collections.abc import Iterator

import pytest

from relever.baselayer import build_world, deploy_core
from relever.chain import Anvil, Chain, Contract, Event, Revert
from tests.suites import (
    DAY,
    SEED,
    WAD,
    Suite,
    deploy_adapter,
    deploy_exits,
    deploy_vault,
    enter,
    stake,
)

# EigenLayer's scaling factors have 18 decimals: a unit for each whole token staked, at most.
DUST = 100


class EigenSuite(Suite):
    """The depositor holds 60 shares, the lender 40; 80 are staked in EigenLayer, 20 idle."""

    @property
    def adapter(self) -> Contract:
        return self.adapters[0]

    def slash(self, part: int) -> None:
        """Slash the operator; EigenLayer itself reports the loss."""
        receipt = self.world.slash(part)
        assert receipt.events[-1].name == "OperatorSlashed"
        assert receipt.events[-1].address == self.world.core.allocation_manager.address


@pytest.fixture(scope="module")
def built() -> Iterator[EigenSuite]:
    with Anvil.start() as node:
        world = build_world(deploy_core(Chain.connect(node.ipc)))
        roles, vault = world.roles, deploy_vault(world)
        adapter = deploy_adapter(world, vault)
        queue = deploy_exits(world, vault)
        for who, amount in ((roles.depositor, 60), (roles.lender, 40), (roles.stranger, 0)):
            enter(world, vault, who, amount * WAD)
        stake(world, vault, adapter, 80 * WAD)
        yield EigenSuite(world, vault, queue, (adapter,))


@pytest.fixture
def suite(built: EigenSuite) -> Iterator[EigenSuite]:
    with built.chain.isolated():
        yield built


def test_slash__synced_by_anyone__falls_on_every_holder_alike(suite: EigenSuite) -> None:
    vault, adapter, roles = suite.vault, suite.adapter, suite.world.roles
    before = vault.totalAssets()
    assert before == 100 * WAD + SEED
    suite.slash(WAD // 10)
    assert vault.rate() == WAD

    receipt = vault.sync(sender=roles.stranger)

    arguments = {"adapter": adapter.address, "gain": 0, "loss": 8 * WAD, "booked": 72 * WAD}
    assert receipt.events == [Event("Synced", arguments, vault.address)]
    total = before - 8 * WAD
    assert vault.totalAssets() == total
    assert vault.rate() == vault.live_rate() == suite.worth(total, WAD)
    for who, shares in ((roles.depositor, 60 * WAD), (roles.lender, 40 * WAD)):
        assert vault.convertToAssets(vault.balanceOf(who)) == suite.worth(total, shares)


def test_slash__redeem_before_anyone_synced__pays_no_more_than_waiting(suite: EigenSuite) -> None:
    vault, roles = suite.vault, suite.world.roles
    suite.slash(WAD // 2)
    total = 60 * WAD + SEED
    preview = vault.previewRedeem(5 * WAD)
    assert preview == suite.worth(total, 5 * WAD)

    runner = suite.redeem(5 * WAD, roles.depositor)

    waiter = suite.redeem(5 * WAD, roles.lender)
    assert runner == preview <= waiter <= runner + 1
    assert vault.booked(suite.adapter.address) == 40 * WAD


def test_slash__deposit_before_anyone_synced__does_not_share_the_loss(suite: EigenSuite) -> None:
    vault, newcomer = suite.vault, suite.world.roles.stranger
    suite.slash(WAD // 2)
    vault.deposit(10 * WAD, newcomer, sender=newcomer)
    worth = vault.previewRedeem(vault.balanceOf(newcomer))
    assert 10 * WAD - 2 <= worth <= 10 * WAD


def test_slash__exit_in_the_queue__is_reached_too(suite: EigenSuite) -> None:
    vault, adapter = suite.vault, suite.adapter
    vault.deallocate(adapter.address, 30 * WAD, sender=suite.allocator)
    (root,) = suite.world.core.delegation_manager.getQueuedWithdrawalRoots(adapter.address)
    suite.slash(WAD // 4)
    suite.world.pass_withdrawal_delay()

    vault.finish_exit(adapter.address, int.from_bytes(root, "big"))

    # 30 leaving and 50 staying, each a quarter less.
    assert vault.idle() == 20 * WAD + SEED + 30 * WAD * 3 // 4
    assert vault.booked(adapter.address) == 50 * WAD * 3 // 4
    assert vault.totalAssets() == 80 * WAD + SEED


def test_slash__exit_that_has_matured__is_spared(suite: EigenSuite) -> None:
    vault, adapter = suite.vault, suite.adapter
    vault.deallocate(adapter.address, 30 * WAD, sender=suite.allocator)
    (root,) = suite.world.core.delegation_manager.getQueuedWithdrawalRoots(adapter.address)
    suite.world.pass_withdrawal_delay()
    suite.chain.mine()
    suite.slash(WAD // 4)
    assert vault.totalAssets() - vault.live_total_assets(False) == 50 * WAD // 4
    vault.finish_exit(adapter.address, int.from_bytes(root, "big"))
    assert vault.idle() == 50 * WAD + SEED
    assert vault.booked(adapter.address) == 50 * WAD * 3 // 4


def test_slash__locked_rewards__meet_the_loss_first(suite: EigenSuite) -> None:
    vault, roles = suite.vault, suite.world.roles
    vault.pay_rewards(5 * WAD, sender=roles.stranger)
    suite.slash(WAD // 20)
    vault.sync()
    assert vault.locked_profit() == WAD
    assert vault.totalAssets() == 100 * WAD + SEED
    assert vault.rate() == WAD


def test_slash__everything__kills_the_adapter_and_not_the_vault(suite: EigenSuite) -> None:
    vault, adapter, roles = suite.vault, suite.adapter, suite.world.roles
    suite.slash(WAD)
    assert adapter.total_assets() == 0
    vault.sync()
    assert vault.totalAssets() == vault.idle() == 20 * WAD + SEED
    with pytest.raises(Revert) as failure:
        vault.allocate(adapter.address, WAD, sender=suite.allocator)
    assert failure.value.reason == "eigen: operator fully slashed"
    with pytest.raises(Revert) as failure:
        vault.deallocate(adapter.address, WAD, sender=suite.allocator)
    assert failure.value.reason == "eigen: nothing staked"
    # Who is left shares what is idle, and who comes pays the new price.
    expected = suite.worth(20 * WAD + SEED, 60 * WAD)
    assert suite.redeem(60 * WAD, roles.depositor) == expected
    vault.deposit(WAD, roles.stranger, sender=roles.stranger)
    assert WAD - 10 <= vault.previewRedeem(vault.balanceOf(roles.stranger)) <= WAD


def test_undelegation__forced_by_the_operator__comes_home_whole(suite: EigenSuite) -> None:
    vault, adapter, core = suite.vault, suite.adapter, suite.world.core
    core.delegation_manager.undelegate(adapter.address, sender=suite.world.roles.operator)
    assert (adapter.staked(), adapter.exiting()) == (0, 80 * WAD)
    assert vault.sync().events == []
    with pytest.raises(Revert) as failure:
        vault.allocate(adapter.address, WAD, sender=suite.allocator)
    assert failure.value.reason == "eigen: undelegated"
    (root,) = core.delegation_manager.getQueuedWithdrawalRoots(adapter.address)
    suite.world.pass_withdrawal_delay()

    vault.finish_exit(adapter.address, int.from_bytes(root, "big"))

    assert vault.idle() == vault.totalAssets() == 100 * WAD + SEED
    assert vault.booked(adapter.address) == 0


def test_donation__to_the_strategy__is_a_gain_that_unlocks_slowly(suite: EigenSuite) -> None:
    vault, core = suite.vault, suite.world.core
    core.wsteth.transfer(core.wsteth_strategy.address, 8 * WAD, sender=suite.world.roles.stranger)
    vault.sync()
    assert vault.rate() == WAD
    assert 8 * WAD - DUST <= vault.locked_profit() <= 8 * WAD
    suite.chain.advance(7 * DAY)
    assert 108 * WAD + SEED - DUST <= vault.totalAssets() <= 108 * WAD + SEED


def test_slash__three_in_a_row_with_stakes_and_exits_between__is_conserved(
    suite: EigenSuite,
) -> None:
    """Every unit is idle, staked or lost: the tokens that EigenLayer holds say the same."""
    vault, adapter, roles = suite.vault, suite.adapter, suite.world.roles
    paid = 0
    for part in (WAD // 3, WAD // 7, 3 * WAD // 4):
        vault.deallocate(adapter.address, 5 * WAD, sender=suite.allocator)
        suite.slash(part)
        vault.deposit(7 * WAD, roles.stranger, sender=roles.stranger)
        paid += 7 * WAD
        vault.allocate(adapter.address, 4 * WAD, sender=suite.allocator)
        vault.sync()
    booked = vault.booked(adapter.address)
    assert booked == adapter.total_assets() == adapter.staked() + adapter.exiting()
    assert vault.totalAssets() == vault.idle() + booked
    # The same by the published rule: each tranche times what each later slash leaves.
    left = [WAD - WAD // 3, WAD - WAD // 7, WAD - 3 * WAD // 4]
    stake = 80 * WAD
    for part in left:
        stake = stake * part // WAD + 4 * WAD
    assert abs(booked - stake) <= 3 * DUST
    assert vault.idle() == 20 * WAD + SEED + paid - 3 * 4 * WAD
    assert suite.world.core.wsteth.balanceOf(vault.address) == vault.idle()


@pytest.mark.parametrize("part", [WAD // 10, WAD - 1, WAD])
def test_slash__any_size__every_view_still_answers(suite: EigenSuite, part: int) -> None:
    vault, who = suite.vault, suite.world.roles.depositor
    suite.slash(part)
    assert vault.live_rate() < vault.rate() == WAD
    assert vault.maxDeposit(who) > 0
    assert vault.maxRedeem(who) == min(60 * WAD, vault.maxRedeem(who)) > 0
    vault.sync()
    assert vault.live_rate() == vault.rate()
