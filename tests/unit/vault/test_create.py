"""What the vault is made of, and what it refuses to be made of."""

import pytest

from relever.artifacts import artifact
from relever.chain import Event, Revert
from relever.protocol import contract_address
from tests.unit.vault.conftest import (
    DAY,
    DEAD,
    DEPOSIT_CAP,
    HOLDING,
    NOBODY,
    SEED,
    UNLOCK_PERIOD,
    WAD,
    Setup,
    deploy_vault,
)


def test_create__terms__are_as_given(setup: Setup) -> None:
    vault, actors = setup.vault, setup.actors
    assert (vault.name(), vault.symbol(), vault.decimals()) == ("Relever LRT", "rLRT", 18)
    assert vault.asset() == setup.token.address
    assert vault.owner() == actors.owner
    assert vault.allocator() == actors.allocator
    assert vault.guardian() == actors.guardian
    assert vault.unlock_period() == UNLOCK_PERIOD
    assert vault.deposit_cap() == DEPOSIT_CAP


def test_create__seed__is_paid_and_nobodys(setup: Setup) -> None:
    vault = setup.vault
    assert vault.totalSupply() == vault.balanceOf(DEAD) == SEED
    assert vault.totalAssets() == vault.idle() == SEED
    assert setup.token.balanceOf(vault.address) == SEED
    assert setup.token.balanceOf(setup.actors.owner) == HOLDING - SEED
    assert vault.rate() == vault.live_rate() == WAD


def test_create__events__name_every_role_and_the_seed(setup: Setup) -> None:
    chain, actors = setup.chain, setup.actors
    vault = deploy_vault(chain, actors, setup.token)

    logs = chain.rpc("eth_getLogs", [{"fromBlock": "latest", "toBlock": "latest"}])

    def event(name: str, **arguments: object) -> Event:
        return Event(name, arguments, vault.address)

    assert [chain.decode_log(log) for log in logs] == [
        event("OwnershipTransferred", previous_owner=NOBODY, new_owner=actors.owner),
        event("RoleMinterChanged", minter=actors.owner, status=True),
        event("AllocatorSet", allocator=actors.allocator),
        event("GuardianSet", guardian=actors.guardian),
        event("DepositCapSet", cap=DEPOSIT_CAP),
        setup.moved(actors.owner, vault.address, SEED),
        event("Transfer", sender=NOBODY, receiver=DEAD, value=SEED),
        event("Deposit", sender=actors.owner, owner=DEAD, assets=SEED, shares=SEED),
    ]


@pytest.mark.parametrize("decimals", [6, 17, 19])
def test_create__asset_without_18_decimals__reverts(setup: Setup, decimals: int) -> None:
    token = setup.chain.deploy(artifact("SettableToken"), decimals, 0)
    with pytest.raises(Revert) as failure:
        deploy_vault(setup.chain, setup.actors, token)
    assert failure.value.reason == "vault: asset decimals"


def test_create__asset_that_takes_a_fee__reverts(setup: Setup) -> None:
    token = setup.chain.deploy(artifact("SettableToken"), 18, 1)
    token.mint(setup.actors.owner, WAD)
    with pytest.raises(Revert) as failure:
        deploy_vault(setup.chain, setup.actors, token)
    assert failure.value.reason == "vault: asset takes a fee"


def test_create__assets_sent_there_before__change_nothing(setup: Setup) -> None:
    chain, actors = setup.chain, setup.actors
    setup.token.mint(contract_address(chain, actors.owner, after=1), WAD, sender=actors.stranger)
    vault = deploy_vault(chain, actors, setup.token)
    assert setup.token.balanceOf(vault.address) == WAD + SEED
    assert vault.totalAssets() == vault.idle() == SEED


@pytest.mark.parametrize("period", [0, 365 * DAY + 1])
def test_create__unlock_period_out_of_bounds__reverts(setup: Setup, period: int) -> None:
    with pytest.raises(Revert) as failure:
        deploy_vault(setup.chain, setup.actors, setup.token, period)
    assert failure.value.reason == "vault: unlock period"


@pytest.mark.parametrize("period", [1, 365 * DAY])
def test_create__unlock_period_at_the_bounds__works(setup: Setup, period: int) -> None:
    assert deploy_vault(setup.chain, setup.actors, setup.token, period).unlock_period() == period


def test_create__seeder_has_not_approved__reverts(setup: Setup) -> None:
    chain, actors = setup.chain, setup.actors
    setup.token.approve(contract_address(chain, actors.stranger), SEED, sender=actors.owner)
    with pytest.raises(Revert) as failure:
        chain.deploy(
            artifact("LRTVault"),
            setup.token.address,
            "Relever LRT",
            "rLRT",
            actors.allocator,
            actors.guardian,
            UNLOCK_PERIOD,
            DEPOSIT_CAP,
            actors.owner,
            sender=actors.attacker,
        )
    assert failure.value.reason == "token: allowance"
