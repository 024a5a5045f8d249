import pytest

from relever.artifacts import artifact
from relever.chain import Revert
from tests.suites import deploy_adapter
from tests.unit.adapters.conftest import Eigen


def test_create__terms__are_as_given(eigen: Eigen) -> None:
    adapter, core = eigen.adapter, eigen.world.core
    assert adapter.vault() == eigen.vault.address
    assert adapter.asset() == eigen.token.address
    assert adapter.strategy() == core.wsteth_strategy.address
    assert adapter.operator() == eigen.world.roles.operator
    assert adapter.delegation_manager() == core.delegation_manager.address
    assert adapter.strategy_manager() == core.strategy_manager.address


def test_create__delegation__is_done_by_the_constructor(eigen: Eigen) -> None:
    delegation = eigen.world.core.delegation_manager
    assert delegation.delegatedTo(eigen.adapter.address) == eigen.world.roles.operator


def test_create__nothing_staked__is_worth_nothing(eigen: Eigen) -> None:
    adapter = eigen.adapter
    assert adapter.staked() == adapter.exiting() == adapter.total_assets() == 0


def test_create__not_an_operator__reverts(eigen: Eigen) -> None:
    with pytest.raises(Revert) as failure:
        deploy_adapter(eigen.world, eigen.vault, operator=eigen.world.roles.stranger)
    assert failure.value.reason == "OperatorNotRegistered()"


def test_create__strategy_of_another_asset__reverts(eigen: Eigen) -> None:
    world, core = eigen.world, eigen.world.core
    # Stands for a vault of WETH: it answers with that asset.
    vault = eigen.chain.deploy(artifact("SettableAdapter"), world.roles.owner, core.weth.address)
    with pytest.raises(Revert) as failure:
        deploy_adapter(world, vault)
    assert failure.value.reason == "eigen: strategy asset"
