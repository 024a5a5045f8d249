"""The rewards of EigenLayer and Symbiotic as the base layer deploys them."""

from collections.abc import Iterator

import pytest

from relever.baselayer import World, build_world, deploy_core
from relever.baselayer.settings import local_base_layer
from relever.chain import Anvil, Chain, Event, Revert

WAD = 10**18


@pytest.fixture(scope="module")
def base_node() -> Iterator[Anvil]:
    with Anvil.start() as node:
        yield node


@pytest.fixture(scope="module")
def built(base_node: Anvil) -> World:
    world = build_world(deploy_core(Chain.connect(base_node.ipc)))
    world.fund(world.roles.avs, weth=1_000 * WAD, wsteth=1_000 * WAD)
    return world


@pytest.fixture
def world(built: World) -> Iterator[World]:
    with built.chain.isolated():
        yield built


def test_build__settings__are_in_force(world: World) -> None:
    coordinator, settings = world.core.rewards_coordinator, local_base_layer()
    assert coordinator.activationDelay() == settings.rewards_activation_delay_seconds
    assert coordinator.CALCULATION_INTERVAL_SECONDS() == settings.rewards_interval_seconds
    assert coordinator.delegationManager() == world.core.delegation_manager.address
    for place in (world.symbiotic.instant, world.symbiotic.veto):
        assert place.rewards.VAULT() == place.vault.address
        assert world.core.symbiotic_staker_rewards_factory.isEntity(place.rewards.address)


def test_submit_rewards__any_token__is_in_the_coordinator(world: World) -> None:
    coordinator, weth = world.core.rewards_coordinator, world.core.weth
    receipt = world.submit_rewards(weth, 3 * WAD)
    assert weth.balanceOf(coordinator.address) == 3 * WAD
    (submitted,) = [e for e in receipt.events if e.name == "AVSRewardsSubmissionCreated"]
    assert coordinator.isAVSRewardsSubmissionHash(
        world.roles.avs, submitted.args["rewardsSubmissionHash"]
    )


@pytest.mark.parametrize("earners", [1, 2, 3, 4, 5, 9])
def test_reward_earners__so_many__each_claims_its_own(world: World, earners: int) -> None:
    core, accounts = world.core, world.chain.accounts[:earners]
    for token in (core.weth, core.wsteth):
        world.submit_rewards(token, 100 * WAD)
    claims = world.reward_earners(
        {
            account: {core.weth.address: WAD + place, core.wsteth.address: 2 * WAD}
            for place, account in enumerate(accounts)
        }
    )
    for place, account in enumerate(accounts):
        before = core.weth.balanceOf(account)
        core.rewards_coordinator.processClaim(claims[account], account, sender=account)
        assert core.weth.balanceOf(account) == before + WAD + place


def test_reward_earners__without_money_in_the_coordinator__claim_reverts(world: World) -> None:
    earner, weth = world.roles.depositor, world.core.weth
    claim = world.reward_earners({earner: {weth.address: WAD}})[earner]
    with pytest.raises(Revert):
        world.core.rewards_coordinator.processClaim(claim, earner, sender=earner)


def test_distribute_rewards__two_stakers__by_their_shares(world: World) -> None:
    place, core, roles = world.symbiotic.instant, world.core, world.roles
    for staker, amount in ((roles.depositor, WAD), (roles.lender, 3 * WAD)):
        world.fund(staker, wsteth=amount)
        core.wsteth.approve(place.vault.address, amount, sender=staker)
        place.vault.deposit(staker, amount, sender=staker)
    captured = world.chain.timestamp

    receipt = place.distribute_rewards(core.weth, 8 * WAD)

    arguments = {
        "network": roles.avs,
        "token": core.weth.address,
        "distributeAmount": 8 * WAD,
        "adminFeeAmount": 0,
        "timestamp": captured,
    }
    assert receipt.events[-1] == Event("DistributeRewards", arguments, place.rewards.address)
    for staker, earned in ((roles.depositor, 2 * WAD), (roles.lender, 6 * WAD)):
        data = bytes.fromhex(f"{int(roles.avs, 16):064x}{1:064x}")
        assert place.rewards.claimable(core.weth.address, staker, data) == earned


def test_fork__of_a_built_chain__same_rewards_contracts(base_node: Anvil, world: World) -> None:
    with Anvil.fork(base_node.url) as node:
        forked = world.on(Chain.connect(node.ipc))
        assert forked.addresses() == world.addresses()
        earner, weth = world.roles.depositor, forked.core.weth
        forked.submit_rewards(weth, WAD)
        claim = forked.reward_earners({earner: {weth.address: WAD}})[earner]
        forked.core.rewards_coordinator.processClaim(claim, earner, sender=earner)
        assert weth.balanceOf(earner) == WAD
