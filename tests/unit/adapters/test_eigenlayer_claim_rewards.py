from dataclasses import replace
from typing import Any

import pytest

from relever.artifacts import artifact
from relever.baselayer import RewardsClaim
from relever.chain import Contract, Event, Revert
from tests.suites import NOBODY, WAD, deploy_adapter, deploy_vault
from tests.unit.adapters.conftest import Eigen

EARNED = 3 * WAD + 7
PROCESS_CLAIM_PAUSED = 1 << 2


def reverts_with(eigen: Eigen, claim: Any, reason: str, sender: str | None = None) -> None:
    with pytest.raises(Revert) as failure:
        eigen.adapter.claim_rewards(claim, sender=sender or eigen.world.roles.stranger)
    assert failure.value.reason == reason


def earn(eigen: Eigen, *tokens: Contract, amount: int = EARNED) -> RewardsClaim:
    """The AVS pays `amount` of each token, beside others' rewards, and the root says it is ours."""
    world, roles = eigen.world, eigen.world.roles
    for token in tokens:
        world.fund(roles.avs, **{name_of(eigen, token): 2 * amount})
        world.submit_rewards(token, 2 * amount)
    ours = {token.address: amount for token in tokens}
    earnings = {roles.depositor: {world.core.weth.address: 1}, eigen.adapter.address: ours}
    return world.reward_earners({**earnings, roles.lender: ours})[eigen.adapter.address]


def name_of(eigen: Eigen, token: Contract) -> str:
    core = eigen.world.core
    return {core.weth.address: "weth", core.wsteth.address: "wsteth"}[token.address]


def books(eigen: Eigen) -> tuple[object, ...]:
    """What the adapter is worth, and what it and its vault hold of the asset."""
    adapter, token = eigen.adapter, eigen.token
    return (
        adapter.staked(),
        adapter.exiting(),
        adapter.total_assets(),
        token.balanceOf(adapter.address),
        token.balanceOf(eigen.vault.address),
    )


def test_claim_rewards__by_a_stranger__pays_the_seller(staked: Eigen) -> None:
    eigen, weth = staked, staked.world.core.weth
    claim = earn(eigen, weth)
    stranger, coordinator = eigen.world.roles.stranger, eigen.world.core.rewards_coordinator

    receipt = eigen.adapter.claim_rewards(claim, sender=stranger)

    assert weth.balanceOf(eigen.seller.address) == EARNED
    assert weth.balanceOf(stranger) == weth.balanceOf(eigen.adapter.address) == 0
    assert coordinator.cumulativeClaimed(eigen.adapter.address, weth.address) == EARNED
    arguments = {
        "root": coordinator.getDistributionRootAtIndex(claim.root_index).root,
        "earner": eigen.adapter.address,
        "claimer": eigen.adapter.address,
        "recipient": eigen.seller.address,
        "token": weth.address,
        "claimedAmount": EARNED,
    }
    assert receipt.events[-1] == Event("RewardsClaimed", arguments, coordinator.address)


def test_claim_rewards__in_the_vaults_own_asset__books_stay(staked: Eigen) -> None:
    eigen = staked
    exit_id = eigen.start_exit(40 * WAD)
    claim = earn(eigen, eigen.token)
    before = books(eigen)

    eigen.adapter.claim_rewards(claim, sender=eigen.world.roles.stranger)

    assert books(eigen) == before
    assert eigen.token.balanceOf(eigen.seller.address) == EARNED
    eigen.mature()
    assert eigen.finish_exit(exit_id) == 40 * WAD


def test_claim_rewards__several_tokens__all_in_one_call(staked: Eigen) -> None:
    eigen, core = staked, staked.world.core
    claim = earn(eigen, core.weth, core.wsteth)
    eigen.adapter.claim_rewards(claim)
    assert core.weth.balanceOf(eigen.seller.address) == EARNED
    assert core.wsteth.balanceOf(eigen.seller.address) == EARNED


def test_claim_rewards__twice__refused(staked: Eigen) -> None:
    claim = earn(staked, staked.world.core.weth)
    staked.adapter.claim_rewards(claim)
    reverts_with(staked, claim, "EarningsNotGreaterThanClaimed()")


def test_claim_rewards__later_root__pays_only_what_came_since(staked: Eigen) -> None:
    eigen, weth = staked, staked.world.core.weth
    eigen.adapter.claim_rewards(earn(eigen, weth))
    eigen.adapter.claim_rewards(earn(eigen, weth, amount=EARNED + 5))
    assert weth.balanceOf(eigen.seller.address) == EARNED + 5


def test_claim_rewards__more_than_earned__proof_fails(staked: Eigen) -> None:
    claim = earn(staked, staked.world.core.weth)
    leaf = claim.token_leaves[0]._replace(cumulative_earnings=EARNED + 1)
    reverts_with(staked, claim._replace(token_leaves=[leaf]), "InvalidClaimProof()")


@pytest.mark.parametrize("part", ["earner_proof", "token_proofs", "earner_index"])
def test_claim_rewards__wrong_proof__refused(staked: Eigen, part: str) -> None:
    claim = earn(staked, staked.world.core.weth, staked.token)
    wrong = {
        "earner_proof": claim.earner_proof[:-1] + bytes([claim.earner_proof[-1] ^ 1]),
        "token_proofs": claim.token_proofs[::-1],
        "earner_index": claim.earner_index ^ 1,
    }
    reverts_with(staked, claim._replace(**{part: wrong[part]}), "InvalidClaimProof()")
    assert staked.world.core.weth.balanceOf(staked.seller.address) == 0


def test_claim_rewards__of_another_earner__refused(staked: Eigen) -> None:
    world, weth = staked.world, staked.world.core.weth
    world.fund(world.roles.avs, weth=EARNED)
    world.submit_rewards(weth, EARNED)
    lender = world.roles.lender
    claim = world.reward_earners({lender: {weth.address: EARNED}})[lender]
    reverts_with(staked, claim, "UnauthorizedCaller()")


def test_claim_rewards__of_an_earner_who_named_the_adapter__is_a_gift(staked: Eigen) -> None:
    world, weth, lender = staked.world, staked.world.core.weth, staked.world.roles.lender
    world.fund(world.roles.avs, weth=EARNED)
    world.submit_rewards(weth, EARNED)
    claim = world.reward_earners({lender: {weth.address: EARNED}})[lender]
    coordinator = world.core.rewards_coordinator
    coordinator.fn("setClaimerFor(address)")(staked.adapter.address, sender=lender)
    staked.adapter.claim_rewards(claim)
    assert weth.balanceOf(staked.seller.address) == EARNED


def test_claim_rewards__at_the_coordinator_itself__only_by_the_adapter(staked: Eigen) -> None:
    # So a claim can never be paid elsewhere: the adapter names the recipient, and it is fixed.
    claim = earn(staked, staked.world.core.weth)
    coordinator, roles = staked.world.core.rewards_coordinator, staked.world.roles
    for claimer in (roles.stranger, roles.owner, roles.operator, roles.avs, staked.vault.address):
        with pytest.raises(Revert) as failure:
            coordinator.processClaim(claim, claimer, sender=claimer)
        assert failure.value.reason == "UnauthorizedCaller()"
        with pytest.raises(Revert) as failure:
            coordinator.fn("setClaimerFor(address,address)")(
                staked.adapter.address, claimer, sender=claimer
            )
        assert failure.value.reason == "InvalidPermissions()"


def test_claim_rewards__before_the_root_is_active__refused(staked: Eigen) -> None:
    world, weth = staked.world, staked.world.core.weth
    coordinator = world.core.rewards_coordinator
    earn(staked, weth)
    claim = earn(staked, weth, amount=EARNED + 1)
    inactive = claim._replace(root_index=claim.root_index + 1)
    coordinator.submitRoot(bytes(32), world.chain.timestamp - 1, sender=world.roles.base_admin)
    reverts_with(staked, inactive, "RootNotActivated()")


def test_claim_rewards__paused_by_eigenlayer__refused_until_it_is_not(staked: Eigen) -> None:
    claim = earn(staked, staked.world.core.weth)
    coordinator, admin = staked.world.core.rewards_coordinator, staked.world.roles.base_admin
    coordinator.pause(PROCESS_CLAIM_PAUSED, sender=admin)
    reverts_with(staked, claim, "CurrentlyPaused()")
    coordinator.unpause(0, sender=admin)
    staked.adapter.claim_rewards(claim)


def test_claim_rewards__proof_of_the_deepest_tree__decodes(staked: Eigen) -> None:
    claim = earn(staked, staked.world.core.weth)
    deepest = claim._replace(earner_proof=bytes(32 * 32))
    reverts_with(staked, deepest, "InvalidClaimProof()")


@pytest.mark.parametrize("missing", ["coordinator", "seller"])
def test_claim_rewards__created_without__reverts(eigen: Eigen, missing: str) -> None:
    coordinator = eigen.world.core.rewards_coordinator.address
    given = {"coordinator": coordinator, "seller": eigen.seller.address, missing: NOBODY}
    bare = replace(eigen, adapter=deploy_adapter(eigen.world, eigen.vault, **given))
    reason = {"coordinator": "eigen: no rewards", "seller": "eigen: no rewards seller"}[missing]
    reverts_with(bare, earn(bare, eigen.world.core.weth), reason)


def test_create__coordinator_of_other_stakers__reverts(eigen: Eigen) -> None:
    fake = eigen.chain.deploy(artifact("RewardsDouble"), eigen.world.roles.stranger)
    with pytest.raises(Revert) as failure:
        deploy_adapter(eigen.world, eigen.vault, coordinator=fake.address)
    assert failure.value.reason == "eigen: foreign coordinator"


def test_create__seller_of_another_vault__reverts(eigen: Eigen) -> None:
    other = deploy_vault(eigen.world)
    with pytest.raises(Revert) as failure:
        deploy_adapter(eigen.world, other, seller=eigen.seller.address)
    assert failure.value.reason == "eigen: foreign seller"


def test_create__something_else_of_the_vault_as_seller__reverts(eigen: Eigen) -> None:
    for other in (eigen.adapter, deploy_adapter(eigen.world, eigen.vault)):
        with pytest.raises(Revert):
            deploy_adapter(eigen.world, eigen.vault, seller=other.address)
    fake = eigen.chain.deploy(artifact("FakeSeller"), eigen.vault.address)
    with pytest.raises(Revert) as failure:
        deploy_adapter(eigen.world, eigen.vault, seller=fake.address)
    assert failure.value.reason == "eigen: no seller of rewards"


def test_claim_rewards__more_tokens_than_one_call_takes__in_two(staked: Eigen) -> None:
    eigen, chain, avs = staked, staked.chain, staked.world.roles.avs
    tokens = [chain.deploy(artifact("SettableToken"), 18, 0) for _ in range(9)]
    for token in tokens:
        token.mint(avs, EARNED)
        eigen.world.submit_rewards(token, EARNED)
    earned = {token.address: EARNED for token in tokens}
    claim = eigen.world.reward_earners({eigen.adapter.address: earned})[eigen.adapter.address]
    with pytest.raises(Revert):
        eigen.adapter.claim_rewards(claim)
    for part in (slice(0, 8), slice(8, 9)):
        eigen.adapter.claim_rewards(
            claim._replace(
                token_indices=claim.token_indices[part],
                token_proofs=claim.token_proofs[part],
                token_leaves=claim.token_leaves[part],
            )
        )
    assert [token.balanceOf(eigen.seller.address) for token in tokens] == [EARNED] * 9


def test_claim_rewards__hostile_reward_token__can_read_the_adapter(staked: Eigen) -> None:
    """A token of the AVS that runs code when it is paid out: an adapter that locked itself for the
    claim could not be read meanwhile, and a guardian could have the vault write it off.
    """
    world, chain, adapter = staked.world, staked.chain, staked.adapter
    token = chain.deploy(artifact("UnrulyToken"))
    token.mint(world.roles.avs, EARNED)
    world.submit_rewards(token, EARNED)
    earned = {adapter.address: {token.address: EARNED}}
    claim = world.reward_earners(earned)[adapter.address]
    before = books(staked)

    token.set_hook(adapter.address, adapter.total_assets.encode())
    adapter.claim_rewards(claim)

    assert token.hook_calls() == 1
    assert token.hook_success()
    assert books(staked) == before
