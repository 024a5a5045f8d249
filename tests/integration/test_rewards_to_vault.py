"""Rewards of EigenLayer and Symbiotic themselves, by the seller and real pools to the holders."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from relever.artifacts import artifact
from relever.baselayer import Feed, RewardsClaim, World, build_world, deploy_core
from relever.chain import Anvil, Chain, Contract
from tests.scene import reverts
from tests.suites import (
    DAY,
    NOBODY,
    SEED,
    UNLIMITED,
    VIRTUAL,
    WAD,
    deploy_adapter,
    deploy_symbiotic_adapter,
    deploy_vault,
    enter,
    stake,
)

# A reward token is worth 0.002 ETH; its pool takes 0.3 %, the LST's 0.01 %.
PRICE = 2 * 10**15
TERMS_MAX_AGE, DISCOUNT = DAY, 2 * 10**16


@dataclass(frozen=True)
class Suite:
    """The depositor holds 60 shares, the lender 40; 40 are staked in EigenLayer, 40 in Symbiotic
    with a stranger's 40.
    """

    world: World
    vault: Contract
    eigenlayer: Contract
    symbiotic: Contract
    seller: Contract
    reward: Contract
    feed: Feed

    @property
    def chain(self) -> Chain:
        return self.world.chain

    @property
    def weth(self) -> Contract:
        return self.world.core.weth

    @property
    def asset(self) -> Contract:
        return self.world.core.wsteth

    def earn_in_eigenlayer(self, token: Contract, amount: int) -> RewardsClaim:
        """The AVS pays, and the root gives the adapter `amount`, others the rest."""
        world = self.world
        world.submit_rewards(token, 2 * amount)
        earned = {token.address: amount}
        adapter = self.eigenlayer.address
        return world.reward_earners({world.roles.stranger: earned, adapter: earned})[adapter]

    def claim_symbiotic(self, token: Contract) -> None:
        roles = self.world.roles
        self.symbiotic.claim_rewards(roles.avs, token.address, UNLIMITED, sender=roles.stranger)

    def sell(self, token: Contract, amount: int) -> int:
        """A keeper sells; returns the proceeds."""
        receipt = self.seller.sell(token.address, amount, 0, sender=self.world.roles.keeper)
        return int(receipt.events[-1].args["out"])

    def rate_of(self, total: int) -> int:
        """The rate at so many assets, without asking the vault."""
        return WAD * (total + VIRTUAL) // (int(self.vault.totalSupply()) + VIRTUAL)

    def conserved(self) -> None:
        """Every unit is idle or booked, every token in its place."""
        vault, booked = self.vault, 0
        for adapter in (self.eigenlayer, self.symbiotic):
            assert vault.booked(adapter.address) == adapter.total_assets()
            assert self.asset.balanceOf(adapter.address) == 0
            booked += adapter.total_assets()
        assert self.asset.balanceOf(vault.address) == vault.idle()
        assert vault.totalAssets() + vault.locked_profit() == vault.idle() + booked


@pytest.fixture(scope="module")
def built() -> Iterator[Suite]:
    with Anvil.start() as node:
        world = build_world(deploy_core(Chain.connect(node.ipc)))
        chain, roles, core = world.chain, world.roles, world.core
        wsteth, weth = core.wsteth, core.weth
        for who in (roles.stranger, roles.trader):
            world.fund(who, wsteth=1_000 * WAD)
        vault = deploy_vault(world)

        provider, rate = roles.liquidity_provider, wsteth.stEthPerToken()
        reward = chain.deploy(artifact("SettableToken"), 18, 0)
        for who in (provider, roles.avs, roles.trader):
            reward.mint(who, 10**6 * WAD)
        world.fund(roles.avs, weth=1_000 * WAD, wsteth=1_000 * WAD)
        world.fund(provider, weth=10_000 * WAD, wsteth=5_000 * WAD)
        pools = [
            world.pool(wsteth, weth, 100, rate, 5_000 * WAD, 5_000 * rate),
            world.pool(reward, weth, 3_000, PRICE, 10**6 * WAD, 10**6 * PRICE, 2_400),
        ]
        swap = chain.deploy(artifact("UniswapV3Swap"), [pool.address for pool in pools])
        seller = chain.deploy(
            artifact("RewardsSeller"),
            *(vault.address, weth.address, swap.address, roles.guardian),
            sender=roles.owner,
        )
        feed = world.feed("REWARD / ETH")
        feed.answer(PRICE)
        terms = (feed.proxy.address, TERMS_MAX_AGE, DISCOUNT, swap.address)
        seller.set_terms(reward.address, terms, sender=roles.owner)
        seller.set_terms(weth.address, (NOBODY, 0, DISCOUNT, NOBODY), sender=roles.owner)

        coordinator, place = core.rewards_coordinator.address, world.symbiotic.instant
        eigenlayer = deploy_adapter(world, vault, coordinator=coordinator, seller=seller.address)
        symbiotic = deploy_symbiotic_adapter(
            world, vault, place.vault.address, place.rewards.address, seller.address
        )
        for who, amount in ((roles.depositor, 60), (roles.lender, 40)):
            enter(world, vault, who, amount * WAD)
        for adapter in (eigenlayer, symbiotic):
            stake(world, vault, adapter, 40 * WAD)
        wsteth.approve(place.vault.address, UNLIMITED, sender=roles.stranger)
        place.vault.deposit(roles.stranger, 40 * WAD, sender=roles.stranger)
        yield Suite(world, vault, eigenlayer, symbiotic, seller, reward, feed)


@pytest.fixture
def suite(built: Suite) -> Iterator[Suite]:
    with built.chain.isolated():
        yield built


def test_rewards__of_both_protocols__unlock_linearly(suite: Suite) -> None:
    vault, world, stranger = suite.vault, suite.world, suite.world.roles.stranger
    earned = suite.earn_in_eigenlayer(suite.reward, 1_000 * WAD)
    world.symbiotic.instant.distribute_rewards(suite.weth, 4 * WAD)
    world.symbiotic.instant.distribute_rewards(suite.asset, 3 * WAD)
    before, total = vault.rate(), vault.totalAssets()

    suite.eigenlayer.claim_rewards(earned, sender=stranger)
    suite.claim_symbiotic(suite.weth)
    suite.claim_symbiotic(suite.asset)
    # Half of what the network gave is the stranger's.
    held = [token.balanceOf(suite.seller.address) for token in (suite.weth, suite.asset)]
    assert held == [2 * WAD, 3 * WAD // 2]
    suite.conserved()

    suite.feed.answer(PRICE)
    proceeds = (
        suite.sell(suite.reward, 1_000 * WAD)
        + suite.sell(suite.weth, 2 * WAD)
        + suite.sell(suite.asset, 3 * WAD // 2)
    )

    # 4 ETH at the pools' fees of 0.3 % and little slippage, and the asset as it is.
    fair = (2 * WAD + 2 * WAD) * WAD // suite.asset.stEthPerToken() + 3 * WAD // 2
    assert fair * 9_970 // 10_000 < proceeds < fair
    assert vault.rate() == vault.live_rate() == before
    assert vault.locked_profit() == proceeds
    suite.conserved()
    period = vault.unlock_period()
    for part in (4, 2):
        with suite.chain.isolated():
            suite.chain.advance(period // part)
            unlocked = proceeds // part
            assert vault.totalAssets() == total + unlocked
            assert vault.rate() == suite.rate_of(total + unlocked)
    suite.chain.advance(period)
    assert vault.totalAssets() == total + proceeds
    assert vault.rate() == vault.live_rate() == suite.rate_of(total + proceeds) > before
    suite.conserved()


def test_rewards__holders__redeem_their_part(suite: Suite) -> None:
    vault, roles = suite.vault, suite.world.roles
    suite.world.symbiotic.instant.distribute_rewards(suite.asset, 20 * WAD)
    suite.claim_symbiotic(suite.asset)
    suite.sell(suite.asset, 10 * WAD)
    suite.chain.advance(vault.unlock_period())
    total, supply = 110 * WAD + SEED, 100 * WAD + SEED
    paid = vault.redeem.call(10 * WAD, roles.lender, roles.lender, sender=roles.lender)
    assert paid == 10 * WAD * (total + VIRTUAL) // (supply + VIRTUAL)


def test_rewards__who_comes_for_the_sale__leaves_with_nothing_more(suite: Suite) -> None:
    vault, trader = suite.vault, suite.world.roles.trader
    suite.world.symbiotic.instant.distribute_rewards(suite.weth, 100 * WAD)
    suite.claim_symbiotic(suite.weth)
    suite.asset.approve(vault.address, 500 * WAD, sender=trader)
    before = suite.asset.balanceOf(trader)
    vault.deposit(500 * WAD, trader, sender=trader)
    suite.seller.sell(suite.weth.address, 50 * WAD, 0, sender=trader)
    vault.redeem(vault.balanceOf(trader), trader, trader, sender=trader)
    assert suite.asset.balanceOf(trader) <= before


def test_rewards__sold_after_a_slash_nobody_synced__do_not_hide_it(suite: Suite) -> None:
    vault, stranger = suite.vault, suite.world.roles.stranger
    total = vault.totalAssets()
    earned = suite.earn_in_eigenlayer(suite.asset, 6 * WAD)
    suite.world.slash(WAD // 4)
    suite.eigenlayer.claim_rewards(earned, sender=stranger)
    assert suite.eigenlayer.total_assets() == 30 * WAD
    suite.sell(suite.asset, 6 * WAD)
    # 10 were lost before the 6 came: the loss is booked first, and the gain is locked.
    assert vault.locked_profit() == 6 * WAD
    assert vault.totalAssets() == total - 10 * WAD
    suite.conserved()


def test_rewards__with_exits_in_flight__exits_bring_the_same(suite: Suite) -> None:
    vault, world, roles = suite.vault, suite.world, suite.world.roles
    exits = [
        (adapter, vault.deallocate(adapter.address, 10 * WAD, sender=roles.allocator))
        for adapter in (suite.eigenlayer, suite.symbiotic)
    ]
    earned = suite.earn_in_eigenlayer(suite.asset, 6 * WAD)
    world.symbiotic.instant.distribute_rewards(suite.asset, 6 * WAD)
    suite.eigenlayer.claim_rewards(earned)
    suite.claim_symbiotic(suite.asset)
    suite.conserved()
    world.pass_withdrawal_delay()
    world.symbiotic.instant.pass_exit_delay()
    for adapter, receipt in exits:
        idle = vault.idle()
        vault.finish_exit(adapter.address, receipt.events[-1].args["id"])
        assert vault.idle() == idle + 10 * WAD
    suite.conserved()
    assert vault.locked_profit() == 0
    # When the network gave, 30 were staked beside the stranger's 40.
    assert suite.asset.balanceOf(suite.seller.address) == 6 * WAD + 6 * WAD * 30 // 70


def test_rewards__unknown_token__waits_until_the_owner_knows_it(suite: Suite) -> None:
    world, seller, roles = suite.world, suite.seller, suite.world.roles
    seller.remove_token(suite.reward.address, sender=roles.guardian)
    suite.eigenlayer.claim_rewards(suite.earn_in_eigenlayer(suite.reward, WAD))
    with reverts("rewards: token without terms"):
        suite.sell(suite.reward, WAD)
    swap = suite.seller.exit_swap()
    terms = (suite.feed.proxy.address, TERMS_MAX_AGE, DISCOUNT, swap)
    seller.set_terms(suite.reward.address, terms, sender=roles.owner)
    suite.feed.answer(PRICE)
    assert suite.sell(suite.reward, WAD) > 0
    assert world.core.weth.balanceOf(seller.address) == 0


def test_rewards__pool_far_off_the_price__wait_and_the_vault_goes_on(suite: Suite) -> None:
    vault, world, trader = suite.vault, suite.world, suite.world.roles.trader
    world.symbiotic.instant.distribute_rewards(suite.reward, 2_000 * WAD)
    suite.claim_symbiotic(suite.reward)
    factory = world.core.uniswap_factory
    address = factory.getPool(suite.reward.address, suite.weth.address, 3_000)
    router = world.core.swap_router
    suite.reward.approve(router.address, UNLIMITED, sender=trader)
    pair = (suite.reward.address, suite.weth.address, 3_000)
    router.exactInputSingle((*pair, trader, UNLIMITED, 300_000 * WAD, 0, 0), sender=trader)
    assert suite.reward.balanceOf(address) > 10**6 * WAD
    with reverts("rewards: too little out"):
        suite.sell(suite.reward, 1_000 * WAD)
    depositor = world.roles.depositor
    vault.deposit(WAD, depositor, sender=depositor)
    suite.conserved()
    # The market's price has fallen so far indeed, says the feed.
    suite.feed.answer(PRICE * 93 // 100)
    suite.sell(suite.reward, 1_000 * WAD)
    suite.conserved()
