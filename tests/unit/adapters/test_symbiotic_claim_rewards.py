import pytest
from eth_abi.abi import encode

from relever.artifacts import artifact
from relever.chain import Contract, Event, Revert
from tests.suites import NOBODY, UNLIMITED, WAD, deploy_symbiotic_adapter, deploy_vault
from tests.unit.adapters.conftest import Symbio

# The adapter has 100 of 160 staked.
DISTRIBUTED = 16 * WAD + 8
EARNED = DISTRIBUTED * 100 // 160


def distribute(symbio: Symbio, amount: int = DISTRIBUTED, token: Contract | None = None) -> None:
    world = symbio.world
    token = token or world.core.weth
    name = "weth" if token == world.core.weth else "wsteth"
    world.fund(world.roles.avs, **{name: amount})
    symbio.place.distribute_rewards(token, amount)


def claim(
    symbio: Symbio,
    token: Contract | None = None,
    max_rewards: int = UNLIMITED,
    network: str | None = None,
) -> list[Event]:
    token = token or symbio.world.core.weth
    network = network or symbio.world.roles.avs
    stranger = symbio.world.roles.stranger
    receipt = symbio.adapter.claim_rewards(network, token.address, max_rewards, sender=stranger)
    return receipt.events


def refused(symbio: Symbio, reason: str, max_rewards: int = UNLIMITED) -> None:
    with pytest.raises(Revert) as failure:
        claim(symbio, max_rewards=max_rewards)
    assert failure.value.reason == reason


def books(symbio: Symbio) -> tuple[object, ...]:
    """What the adapter is worth, and what it and its vault hold of the asset."""
    adapter, token = symbio.adapter, symbio.token
    return (
        adapter.staked(),
        adapter.exiting(),
        adapter.total_assets(),
        adapter.open_exits(),
        token.balanceOf(adapter.address),
        token.balanceOf(symbio.vault.address),
    )


def test_claim_rewards__by_a_stranger__pays_the_seller(staked_symbio: Symbio) -> None:
    symbio, weth, roles = staked_symbio, staked_symbio.world.core.weth, staked_symbio.world.roles
    distribute(symbio)

    events = claim(symbio)

    assert weth.balanceOf(symbio.seller.address) == EARNED
    assert weth.balanceOf(symbio.adapter.address) == weth.balanceOf(roles.stranger) == 0
    arguments = {
        "network": roles.avs,
        "token": weth.address,
        "claimer": symbio.adapter.address,
        "amount": EARNED,
        "recipient": symbio.seller.address,
    }
    assert Event("ClaimRewards", arguments, symbio.place.rewards.address) in events


def test_claim_rewards__in_the_vaults_own_asset__books_stay(staked_symbio: Symbio) -> None:
    symbio = staked_symbio
    distribute(symbio, token=symbio.token)
    exit_id = symbio.start_exit(40 * WAD)
    before = books(symbio)

    claim(symbio, symbio.token)

    assert books(symbio) == before
    assert symbio.token.balanceOf(symbio.seller.address) == EARNED
    symbio.mature()
    assert symbio.finish_exit(exit_id) == 40 * WAD


def test_claim_rewards__after_everything_left__still_paid(staked_symbio: Symbio) -> None:
    symbio = staked_symbio
    distribute(symbio)
    symbio.start_exit(UNLIMITED)
    claim(symbio)
    assert symbio.world.core.weth.balanceOf(symbio.seller.address) == EARNED


def test_claim_rewards__twice__refused(staked_symbio: Symbio) -> None:
    distribute(staked_symbio)
    claim(staked_symbio)
    refused(staked_symbio, "NoRewardsToClaim()")


def test_claim_rewards__some_of_many__the_rest_waits(staked_symbio: Symbio) -> None:
    symbio, weth = staked_symbio, staked_symbio.world.core.weth
    for _ in range(3):
        distribute(symbio)
    claim(symbio, max_rewards=2)
    assert weth.balanceOf(symbio.seller.address) == 2 * EARNED
    claim(symbio, max_rewards=2)
    assert weth.balanceOf(symbio.seller.address) == 3 * EARNED


def test_claim_rewards__of_none__refused(staked_symbio: Symbio) -> None:
    distribute(staked_symbio)
    refused(staked_symbio, "NoRewardsToClaim()", max_rewards=0)


def test_claim_rewards__nothing_staked_when_distributed__nothing_moves(symbio: Symbio) -> None:
    distribute(symbio)
    symbio.stake(100 * WAD)
    claim(symbio)
    assert symbio.world.core.weth.balanceOf(symbio.seller.address) == 0


def test_claim_rewards__network_that_nobody_knows__refused(staked_symbio: Symbio) -> None:
    distribute(staked_symbio)
    with pytest.raises(Revert) as failure:
        claim(staked_symbio, network=staked_symbio.world.roles.stranger)
    assert failure.value.reason == "NoRewardsToClaim()"


def test_claim_rewards__at_symbiotic_itself__gives_a_stranger_only_their_own(
    staked_symbio: Symbio,
) -> None:
    # So a claim can never be paid elsewhere: the adapter names the recipient, and it is fixed.
    symbio, weth, stranger = (
        staked_symbio,
        staked_symbio.world.core.weth,
        staked_symbio.world.roles.stranger,
    )
    distribute(symbio)
    data = encode(["address", "uint256", "bytes[]"], [symbio.world.roles.avs, UNLIMITED, []])
    symbio.place.rewards.claimRewards(stranger, weth.address, data, sender=stranger)
    assert weth.balanceOf(stranger) == DISTRIBUTED - EARNED
    claim(symbio)
    assert weth.balanceOf(symbio.seller.address) == EARNED


@pytest.mark.parametrize("missing", ["rewards", "seller"])
def test_claim_rewards__created_without__reverts(symbio: Symbio, missing: str) -> None:
    given = {
        "rewards": symbio.place.rewards.address,
        "seller": symbio.seller.address,
        missing: NOBODY,
    }
    place = symbio.place.vault.address
    adapter = deploy_symbiotic_adapter(symbio.world, symbio.vault, place, **given)
    with pytest.raises(Revert) as failure:
        adapter.claim_rewards(symbio.world.roles.avs, symbio.world.core.weth.address, 1)
    expected = {"rewards": "symbiotic: no rewards", "seller": "symbiotic: no rewards seller"}
    assert failure.value.reason == expected[missing]


def test_create__rewards_of_another_symbiotic_vault__reverts(symbio: Symbio) -> None:
    other = symbio.world.symbiotic.veto.rewards.address
    with pytest.raises(Revert) as failure:
        deploy_symbiotic_adapter(symbio.world, symbio.vault, symbio.place.vault.address, other)
    assert failure.value.reason == "symbiotic: foreign rewards"


def test_create__seller_of_another_vault__reverts(symbio: Symbio) -> None:
    place, seller = symbio.place.vault.address, symbio.seller.address
    other = deploy_vault(symbio.world)
    with pytest.raises(Revert) as failure:
        deploy_symbiotic_adapter(symbio.world, other, place, seller=seller)
    assert failure.value.reason == "symbiotic: foreign seller"


def test_create__something_else_of_the_vault_as_seller__reverts(symbio: Symbio) -> None:
    place = symbio.place.vault.address
    with pytest.raises(Revert):
        deploy_symbiotic_adapter(symbio.world, symbio.vault, place, seller=symbio.adapter.address)
    fake = symbio.chain.deploy(artifact("FakeSeller"), symbio.vault.address)
    with pytest.raises(Revert) as failure:
        deploy_symbiotic_adapter(symbio.world, symbio.vault, place, seller=fake.address)
    assert failure.value.reason == "symbiotic: no seller of rewards"


def test_claim_rewards__hostile_network_and_token__can_read_the_adapter(
    staked_symbio: Symbio,
) -> None:
    """Anyone can be a network and distribute a token that runs code when it is paid out: an adapter
    that locked itself for the claim could not be read meanwhile, and a guardian could have the
    vault write it off.
    """
    symbio, core = staked_symbio, staked_symbio.world.core
    hostile = symbio.world.roles.stranger
    core.symbiotic_network_registry.registerNetwork(sender=hostile)
    core.symbiotic_network_middleware.setMiddleware(hostile, sender=hostile)
    token = symbio.chain.deploy(artifact("UnrulyToken"))
    token.mint(hostile, DISTRIBUTED)
    token.approve(symbio.place.rewards.address, DISTRIBUTED, sender=hostile)
    captured = symbio.capture()
    no_fee, no_hint = 0, b""
    terms = encode(["uint48", "uint256", "bytes", "bytes"], [captured, no_fee, no_hint, no_hint])
    symbio.place.rewards.distributeRewards(
        hostile, token.address, DISTRIBUTED, terms, sender=hostile
    )
    before = books(symbio)

    token.set_hook(symbio.adapter.address, symbio.adapter.total_assets.encode())
    claim(symbio, token, network=hostile)

    assert token.hook_calls() == 1
    assert token.hook_success()
    assert token.balanceOf(symbio.seller.address) == EARNED
    assert books(symbio) == before
