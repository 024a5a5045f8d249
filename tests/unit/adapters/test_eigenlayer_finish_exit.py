import pytest

from relever.chain import Revert
from tests.suites import WAD
from tests.unit.adapters.conftest import Eigen


def test_finish_exit__matured__sends_everything_to_the_vault(staked: Eigen) -> None:
    adapter, vault = staked.adapter, staked.vault.address
    exit_id = staked.start_exit(30 * WAD)
    staked.mature()
    # A call sees the last block, not the next one.
    staked.chain.mine()
    held = staked.token.balanceOf(vault)
    assert adapter.finish_exit.call(exit_id, sender=vault) == 30 * WAD

    receipt = adapter.finish_exit(exit_id, sender=vault)

    assert staked.ours(receipt) == [
        staked.moved(staked.strategy, adapter.address, 30 * WAD),
        staked.moved(adapter.address, vault, 30 * WAD),
        staked.event("ExitFinished", id=exit_id, amount=30 * WAD),
    ]
    assert staked.token.balanceOf(vault) == held + 30 * WAD
    assert staked.token.balanceOf(adapter.address) == 0
    assert adapter.exiting() == 0
    assert adapter.staked() == 70 * WAD


def test_finish_exit__one_block_early__reverts(staked: Eigen) -> None:
    delegation = staked.world.core.delegation_manager
    exit_id = staked.start_exit(30 * WAD)
    # The next transaction is one block on.
    staked.chain.mine(delegation.minWithdrawalDelayBlocks() - 1)
    with pytest.raises(Revert) as failure:
        staked.adapter.finish_exit(exit_id, sender=staked.vault.address)
    assert failure.value.reason == "WithdrawalDelayNotElapsed()"
    # The refused transaction was mined too.
    staked.adapter.finish_exit(exit_id, sender=staked.vault.address)


def test_finish_exit__slashed_while_queued__sends_what_is_left(staked: Eigen) -> None:
    exit_id = staked.start_exit(40 * WAD)
    staked.world.slash(WAD // 4)
    assert staked.adapter.exiting() == 30 * WAD
    assert staked.adapter.staked() == 45 * WAD
    staked.mature()
    call = staked.adapter.finish_exit.call(exit_id, sender=staked.vault.address)
    assert call == 30 * WAD


def test_finish_exit__slashed_after_it_matured__is_whole(staked: Eigen) -> None:
    exit_id = staked.start_exit(40 * WAD)
    staked.mature()
    staked.chain.mine()
    staked.world.slash(WAD // 4)
    assert staked.adapter.exiting() == 40 * WAD
    assert staked.adapter.staked() == 45 * WAD
    call = staked.adapter.finish_exit.call(exit_id, sender=staked.vault.address)
    assert call == 40 * WAD


def test_finish_exit__slashed_to_nothing__sends_nothing_and_clears_it(staked: Eigen) -> None:
    exit_id = staked.start_exit(40 * WAD)
    staked.world.slash(WAD)
    staked.mature()
    receipt = staked.adapter.finish_exit(exit_id, sender=staked.vault.address)
    assert staked.ours(receipt) == [staked.event("ExitFinished", id=exit_id, amount=0)]
    assert staked.adapter.total_assets() == 0
    with pytest.raises(Revert) as failure:
        staked.adapter.finish_exit(exit_id, sender=staked.vault.address)
    assert failure.value.reason == "eigen: unknown exit"


def test_finish_exit__forced_by_the_operator__comes_home_by_its_id(staked: Eigen) -> None:
    staked.start_exit(40 * WAD)
    ids = staked.undelegate()
    assert staked.adapter.staked() == 0
    assert staked.adapter.exiting() == staked.adapter.total_assets() == 100 * WAD
    staked.mature()
    sent = []
    for exit_id in ids:
        sent.append(staked.adapter.finish_exit.call(exit_id, sender=staked.vault.address))
        staked.adapter.finish_exit(exit_id, sender=staked.vault.address)
    assert sorted(sent) == [40 * WAD, 60 * WAD]
    assert staked.adapter.total_assets() == 0


def test_finish_exit__twice__reverts(staked: Eigen) -> None:
    exit_id = staked.start_exit(WAD)
    staked.mature()
    staked.adapter.finish_exit(exit_id, sender=staked.vault.address)
    with pytest.raises(Revert) as failure:
        staked.adapter.finish_exit(exit_id, sender=staked.vault.address)
    assert failure.value.reason == "eigen: unknown exit"


def test_finish_exit__of_another_staker__reverts(staked: Eigen) -> None:
    world, core, staker = staked.world, staked.world.core, staked.world.roles.stranger
    world.fund(staker, wsteth=WAD)
    core.wsteth.approve(core.strategy_manager.address, WAD, sender=staker)
    core.strategy_manager.depositIntoStrategy(
        staked.strategy, staked.token.address, WAD, sender=staker
    )
    core.delegation_manager.queueWithdrawals([([staked.strategy], [WAD], staker)], sender=staker)
    (root,) = core.delegation_manager.getQueuedWithdrawalRoots(staker)
    staked.mature()
    with pytest.raises(Revert) as failure:
        staked.adapter.finish_exit(int.from_bytes(root, "big"), sender=staked.vault.address)
    assert failure.value.reason == "WithdrawerNotCaller()"


@pytest.mark.parametrize("role", ["owner", "allocator", "operator", "stranger"])
def test_finish_exit__not_the_vault__reverts(staked: Eigen, role: str) -> None:
    exit_id = staked.start_exit(WAD)
    staked.mature()
    with pytest.raises(Revert) as failure:
        staked.adapter.finish_exit(exit_id, sender=getattr(staked.world.roles, role))
    assert failure.value.reason == "eigen: not the vault"


def test_finish_exit__tokens_donated_before__stay_where_they_are(staked: Eigen) -> None:
    exit_id = staked.start_exit(30 * WAD)
    staked.mature()
    staked.token.transfer(staked.adapter.address, WAD, sender=staked.vault.address)
    assert staked.adapter.total_assets() == 100 * WAD
    call = staked.adapter.finish_exit.call(exit_id, sender=staked.vault.address)
    assert call == 30 * WAD
    staked.adapter.finish_exit(exit_id, sender=staked.vault.address)
    assert staked.token.balanceOf(staked.adapter.address) == WAD
