import pytest

from relever.chain import Revert
from tests.suites import WAD
from tests.unit.adapters.conftest import Eigen


def test_stake__vault__deposits_and_delegates(eigen: Eigen) -> None:
    world, adapter, core = eigen.world, eigen.adapter, eigen.world.core
    manager = core.strategy_manager.address
    eigen.token.transfer(adapter.address, 7 * WAD, sender=eigen.vault.address)

    receipt = adapter.stake(7 * WAD, sender=eigen.vault.address)

    assert eigen.ours(receipt) == [
        eigen.approved(adapter.address, manager, 7 * WAD),
        eigen.approved(adapter.address, manager, 0),
        eigen.moved(adapter.address, eigen.strategy, 7 * WAD),
        eigen.event("Staked", amount=7 * WAD),
    ]
    assert adapter.staked() == adapter.total_assets() == 7 * WAD
    assert adapter.exiting() == 0
    assert core.delegation_manager.operatorShares(world.roles.operator, eigen.strategy) == 7 * WAD
    assert eigen.token.allowance(adapter.address, manager) == 0
    assert eigen.token.balanceOf(adapter.address) == 0


@pytest.mark.parametrize("role", ["owner", "allocator", "operator", "stranger"])
def test_stake__not_the_vault__reverts(eigen: Eigen, role: str) -> None:
    with pytest.raises(Revert) as failure:
        eigen.adapter.stake(1, sender=getattr(eigen.world.roles, role))
    assert failure.value.reason == "eigen: not the vault"


def test_stake__nothing__is_refused_by_eigenlayer(eigen: Eigen) -> None:
    with pytest.raises(Revert) as failure:
        eigen.adapter.stake(0, sender=eigen.vault.address)
    assert failure.value.reason == "StrategyBase.deposit: newShares cannot be zero"


def test_stake__more_than_was_sent__reverts(eigen: Eigen) -> None:
    eigen.token.transfer(eigen.adapter.address, WAD, sender=eigen.vault.address)
    with pytest.raises(Revert):
        eigen.adapter.stake(WAD + 1, sender=eigen.vault.address)
    assert eigen.adapter.total_assets() == 0


def test_stake__slashed_operator__is_worth_what_was_staked(staked: Eigen) -> None:
    staked.world.slash(WAD // 3)
    before = staked.adapter.total_assets()
    staked.stake(9 * WAD)
    gained = staked.adapter.total_assets() - before
    # EigenLayer's scaling factor has 18 decimals, so it costs up to a unit for each whole token.
    assert 9 * WAD - 120 <= gained <= 9 * WAD


def test_stake__operator_slashed_to_nothing__reverts(staked: Eigen) -> None:
    staked.world.slash(WAD)
    with pytest.raises(Revert) as failure:
        staked.stake(WAD)
    assert failure.value.reason == "eigen: operator fully slashed"


def test_stake__after_a_forced_undelegation__reverts(staked: Eigen) -> None:
    staked.undelegate()
    with pytest.raises(Revert) as failure:
        staked.stake(WAD)
    assert failure.value.reason == "eigen: undelegated"


def test_stake__eigenlayer_paused__reverts(eigen: Eigen) -> None:
    world = eigen.world
    world.core.strategy_manager.pauseAll(sender=world.roles.base_admin)
    with pytest.raises(Revert) as failure:
        eigen.stake(WAD)
    assert failure.value.reason == "CurrentlyPaused()"
