import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relever.artifacts import artifact
from relever.baselayer.symbiotic import create_vault
from relever.chain import Revert
from tests.suites import UNLIMITED, WAD, deploy_symbiotic_adapter
from tests.unit.adapters.conftest import Symbio


def test_stake__vault__deposits_for_itself(symbio: Symbio) -> None:
    adapter, place = symbio.adapter, symbio.place.vault
    symbio.token.transfer(adapter.address, 7 * WAD, sender=symbio.vault.address)

    receipt = adapter.stake(7 * WAD, sender=symbio.vault.address)

    assert receipt.events == [
        symbio.approved(adapter.address, place.address, 7 * WAD),
        symbio.approved(adapter.address, place.address, 0),
        symbio.moved(adapter.address, place.address, 7 * WAD),
        symbio.sent(
            "Deposit",
            depositor=adapter.address,
            onBehalfOf=adapter.address,
            amount=7 * WAD,
            shares=7 * WAD,
        ),
        symbio.event("Staked", amount=7 * WAD),
    ]
    assert adapter.staked() == adapter.total_assets() == 7 * WAD
    assert adapter.exiting() == 0
    assert symbio.token.allowance(adapter.address, place.address) == 0
    assert symbio.token.balanceOf(adapter.address) == 0


@pytest.mark.parametrize("role", ["owner", "allocator", "operator", "stranger"])
def test_stake__not_the_vault__reverts(symbio: Symbio, role: str) -> None:
    with pytest.raises(Revert) as failure:
        symbio.adapter.stake(1, sender=getattr(symbio.world.roles, role))
    assert failure.value.reason == "symbiotic: not the vault"


def test_stake__nothing__is_refused_by_symbiotic(symbio: Symbio) -> None:
    with pytest.raises(Revert) as failure:
        symbio.adapter.stake(0, sender=symbio.vault.address)
    assert failure.value.reason == "InsufficientDeposit()"


def test_stake__more_than_was_sent__reverts(symbio: Symbio) -> None:
    symbio.token.transfer(symbio.adapter.address, WAD, sender=symbio.vault.address)
    with pytest.raises(Revert):
        symbio.adapter.stake(WAD + 1, sender=symbio.vault.address)
    assert symbio.adapter.total_assets() == 0


def test_stake__whitelist__reverts_until_the_adapter_is_on_it(symbio: Symbio) -> None:
    place, curator = symbio.place.vault, symbio.world.roles.base_admin
    place.setDepositWhitelist(True, sender=curator)
    with pytest.raises(Revert) as failure:
        symbio.stake(WAD)
    assert failure.value.reason == "symbiotic: not whitelisted"
    place.setDepositorWhitelistStatus(symbio.adapter.address, True, sender=curator)
    symbio.stake(WAD)
    assert symbio.adapter.staked() == WAD


def test_stake__deposit_limit__is_taken_up_to_the_last_unit(symbio: Symbio) -> None:
    place, curator = symbio.place.vault, symbio.world.roles.base_admin
    place.setIsDepositLimit(True, sender=curator)
    place.setDepositLimit(65 * WAD, sender=curator)  # a stranger has 60 in
    with pytest.raises(Revert) as failure:
        symbio.stake(5 * WAD + 1)
    assert failure.value.reason == "symbiotic: deposit limit"
    symbio.stake(5 * WAD)
    assert symbio.adapter.staked() == 5 * WAD


def test_stake__asset_with_a_fee__reverts(symbio: Symbio) -> None:
    chain, world = symbio.chain, symbio.world
    token = chain.deploy(artifact("SettableToken"), 18, 1)
    place = create_vault(world.core, world.roles, 0, token.address)
    # Stands for a vault of that token: it answers with that asset.
    vault = chain.deploy(artifact("SettableAdapter"), world.roles.owner, token.address)
    adapter = deploy_symbiotic_adapter(world, vault, place.vault.address)
    token.mint(adapter.address, WAD)
    with pytest.raises(Revert) as failure:
        adapter.stake(WAD, sender=chain.impersonate(vault.address))
    assert failure.value.reason == "symbiotic: asset takes a fee"


def test_stake__slash_requested__waits_until_it_is_executed_or_void(veto_symbio: Symbio) -> None:
    symbiotic = veto_symbio.world.symbiotic
    index = symbiotic.request_slash(WAD)
    with pytest.raises(Revert) as failure:
        veto_symbio.stake(WAD)
    # The newcomer would pay for what others did before.
    assert failure.value.reason == "symbiotic: slash pending"
    with veto_symbio.chain.isolated():
        symbiotic.veto_slash(index)
        veto_symbio.stake(WAD)
    with veto_symbio.chain.isolated():
        veto_symbio.chain.advance(3_600)
        veto_symbio.stake(WAD)
    symbiotic.pass_veto_window()
    symbiotic.execute_slash(index)
    veto_symbio.stake(WAD)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(slash=st.integers(1, 160 * WAD), amount=st.integers(1, 1_000 * WAD))
def test_stake__after_any_slash__is_worth_what_was_staked(
    staked_symbio: Symbio, slash: int, amount: int
) -> None:
    adapter = staked_symbio.adapter
    with staked_symbio.chain.isolated():
        staked_symbio.slash(slash)
        before = adapter.staked()
        staked_symbio.stake(amount)
        # A share is never worth more than a unit, so the shares round away a unit at most, and so
        # does each reading.
        assert before + amount - 2 <= adapter.staked() <= before + amount + 1


def test_stake__everything_slashed_before__is_whole_and_nobody_else_gains(
    staked_symbio: Symbio,
) -> None:
    place, stranger = staked_symbio.place.vault, staked_symbio.world.roles.stranger
    staked_symbio.slash(UNLIMITED)
    assert staked_symbio.adapter.total_assets() == place.activeBalanceOf(stranger) == 0
    staked_symbio.stake(10 * WAD)
    assert 10 * WAD - 1 <= staked_symbio.adapter.staked() <= 10 * WAD
    assert place.activeBalanceOf(stranger) == 0
