"""What the adapter says it is worth: withdrawable shares, never deposit shares."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.suites import WAD
from tests.unit.adapters.conftest import Eigen


def test_staked__slash__falls_with_it_though_deposit_shares_do_not(staked: Eigen) -> None:
    staked.world.slash(WAD // 10)
    assert staked.adapter.staked() == staked.adapter.total_assets() == 90 * WAD
    deposited = staked.world.core.strategy_manager.stakerDepositShares(
        staked.adapter.address, staked.strategy
    )
    assert deposited == 100 * WAD


def test_staked__slashed_shares_burnt__is_unchanged(staked: Eigen) -> None:
    staked.world.slash(WAD // 10)
    staked.world.core.strategy_manager.burnShares(staked.strategy)
    assert staked.adapter.staked() == 90 * WAD


def test_staked__strategy_gains__rises_with_its_rate(staked: Eigen) -> None:
    staked.token.transfer(staked.strategy, 10 * WAD, sender=staked.vault.address)
    # The strategy keeps a thousand virtual shares and units.
    expected = 100 * WAD * (110 * WAD + 1000) // (100 * WAD + 1000)
    assert staked.adapter.staked() == expected


def test_total_assets__every_slash__is_the_sum_of_the_parts(staked: Eigen) -> None:
    staked.start_exit(30 * WAD)
    staked.start_exit(7)
    for part in (WAD // 7, WAD // 3, WAD - 1, WAD):
        staked.world.slash(part)
        adapter = staked.adapter
        assert adapter.total_assets() == adapter.staked() + adapter.exiting()
    assert staked.adapter.total_assets() == 0


def test_value_at_risk__always__is_nothing(staked: Eigen) -> None:
    assert staked.adapter.value_at_risk() == 0
    staked.world.slash(WAD // 10)
    assert staked.adapter.value_at_risk() == 0


def test_exit_delay__one_block_a_slot__is_when_an_exit_can_be_finished(staked: Eigen) -> None:
    delay = staked.adapter.exit_delay()
    blocks = staked.world.core.delegation_manager.minWithdrawalDelayBlocks()
    assert delay == (blocks + 1) * 12
    exit_id = staked.start_exit(WAD)
    staked.chain.mine(delay // 12 - 1)
    staked.adapter.finish_exit(exit_id, sender=staked.vault.address)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    first=st.integers(1, WAD * 99 // 100),
    second=st.integers(1, WAD * 99 // 100),
    leaving=st.integers(WAD, 99 * WAD),
)
def test_total_assets__two_slashes_with_an_exit_between__is_the_product(
    staked: Eigen, first: int, second: int, leaving: int
) -> None:
    """The published rule: what is left is the stake times what each slash leaves."""
    with staked.chain.isolated():
        staked.world.slash(first)
        staked.start_exit(min(leaving, staked.adapter.staked()))
        staked.world.slash(second)
        exact = 100 * WAD * (WAD - first) * (WAD - second) // WAD**2
        assert abs(staked.adapter.total_assets() - exact) <= 200


@pytest.mark.parametrize("call", ["staked", "exiting", "total_assets"])
def test_views__eigenlayer_paused__still_answer(staked: Eigen, call: str) -> None:
    world = staked.world
    staked.start_exit(30 * WAD)
    expected = getattr(staked.adapter, call)()
    world.core.delegation_manager.pauseAll(sender=world.roles.base_admin)
    assert getattr(staked.adapter, call)() == expected > 0
