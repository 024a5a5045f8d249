import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from relever.chain import Revert
from tests.suites import UNLIMITED, WAD
from tests.unit.adapters.conftest import Eigen


def test_start_exit__part__is_queued_in_eigenlayer(staked: Eigen) -> None:
    adapter, delegation = staked.adapter, staked.world.core.delegation_manager

    receipt = adapter.start_exit(30 * WAD, sender=staked.vault.address)

    (root,) = delegation.getQueuedWithdrawalRoots(adapter.address)
    exit_id = int.from_bytes(root, "big")
    assert staked.ours(receipt) == [staked.event("ExitStarted", id=exit_id, amount=30 * WAD)]
    assert adapter.staked() == 70 * WAD
    assert adapter.exiting() == 30 * WAD
    assert adapter.total_assets() == 100 * WAD


@pytest.mark.parametrize("amount", [100 * WAD, 100 * WAD + 1, UNLIMITED])
@pytest.mark.parametrize("slash", [0, WAD // 3, 7 * WAD // 9])
def test_start_exit__all_or_more__leaves_nothing_staked(
    staked: Eigen, amount: int, slash: int
) -> None:
    if slash:
        staked.world.slash(slash)
    value = staked.adapter.total_assets()
    staked.start_exit(amount)
    assert staked.adapter.staked() == 0
    assert value - 1 <= staked.adapter.exiting() <= value
    deposited = staked.world.core.strategy_manager.stakerDepositShares(
        staked.adapter.address, staked.strategy
    )
    assert deposited == 0


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    slash=st.integers(0, WAD * 999 // 1000),
    restaked=st.integers(0, 50 * WAD),
    amount=st.integers(10, 99 * WAD),
    donated=st.integers(0, 50 * WAD),
)
@example(slash=WAD // 3, restaked=0, amount=10 * WAD, donated=0)
@example(slash=0, restaked=0, amount=10 * WAD, donated=30 * WAD)
@example(slash=WAD * 999 // 1000, restaked=50 * WAD, amount=99 * WAD, donated=50 * WAD)
def test_start_exit__any_slash_and_rate__at_most_the_amount_leaves(
    staked: Eigen, slash: int, restaked: int, amount: int, donated: int
) -> None:
    adapter = staked.adapter
    with staked.chain.isolated():
        if slash:
            staked.world.slash(slash)
        if restaked:
            staked.stake(restaked)
        # StrategyBase prices by its balance: a donation makes a share worth more than a token.
        staked.token.transfer(staked.strategy, donated, sender=staked.vault.address)
        before = adapter.staked()
        # A thousandth of the stake is left, so that this is far above the smallest exit.
        amount = max(1_000, amount * before // (100 * WAD))
        receipt = adapter.start_exit(amount, sender=staked.vault.address)
        left = before - adapter.staked()
        leaving = receipt.events[-1].args["amount"]
        assert leaving == adapter.exiting() <= amount
        # EigenLayer divides by the scaling factor before it divides by the magnitude, so a unit
        # rounded away is worth that factor; a share of the strategy is worth less than two units.
        scaling = staked.world.core.delegation_manager.depositScalingFactor(
            adapter.address, staked.strategy
        )
        assert amount - leaving <= 2 * (scaling // WAD + 3)
        # Nothing but dust is lost on the way into the queue.
        assert abs(left - leaving) <= 6


def test_start_exit__nothing_staked__reverts(eigen: Eigen) -> None:
    with pytest.raises(Revert) as failure:
        eigen.start_exit(WAD)
    assert failure.value.reason == "eigen: nothing staked"


def test_start_exit__operator_slashed_to_nothing__reverts(staked: Eigen) -> None:
    staked.world.slash(WAD)
    with pytest.raises(Revert) as failure:
        staked.start_exit(WAD)
    assert failure.value.reason == "eigen: nothing staked"


def test_start_exit__zero__reverts(staked: Eigen) -> None:
    with pytest.raises(Revert) as failure:
        staked.start_exit(0)
    assert failure.value.reason == "eigen: exit too small"


@pytest.mark.parametrize("role", ["owner", "allocator", "operator", "stranger"])
def test_start_exit__not_the_vault__reverts(staked: Eigen, role: str) -> None:
    with pytest.raises(Revert) as failure:
        staked.adapter.start_exit(1, sender=getattr(staked.world.roles, role))
    assert failure.value.reason == "eigen: not the vault"


def test_start_exit__sixteen_open__refuses_another_until_one_is_finished(staked: Eigen) -> None:
    ids = [staked.start_exit(WAD) for _ in range(16)]
    with pytest.raises(Revert) as failure:
        staked.start_exit(WAD)
    assert failure.value.reason == "eigen: too many open exits"
    # A forced one still fits into what is read.
    with staked.chain.isolated():
        assert len(staked.undelegate()) == 17
        assert staked.adapter.staked() == 0
        assert staked.adapter.exiting() == staked.adapter.total_assets() == 100 * WAD
    staked.mature()
    staked.adapter.finish_exit(ids[0], sender=staked.vault.address)
    staked.start_exit(WAD)
