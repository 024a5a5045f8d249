"""A rewards seller of a real vault, over real pools and a real feed, with a reward token."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from relever.artifacts import artifact
from relever.baselayer import Feed, Pool, World, build_world, deploy_core
from relever.chain import Anvil, Chain, Contract, Event, Receipt
from tests.suites import deploy_vault

WAD = 10**18
DAY = 86_400
NOBODY = "0x0000000000000000000000000000000000000000"
# A reward token is worth 0.002 ETH and may be sold 2 % below, WETH 1 % below.
PRICE = 2 * 10**15
DISCOUNT = 2 * 10**16
WETH_DISCOUNT = 10**16
MAX_AGE = DAY
FEE = 3_000


@dataclass(frozen=True)
class Shop:
    """The seller and what stands around it. The keeper, anyone, sells."""

    world: World
    vault: Contract
    seller: Contract
    reward: Contract
    feed: Feed
    swap: Contract
    reward_pool: Pool
    lst_pool: Pool

    @property
    def chain(self) -> Chain:
        return self.world.chain

    @property
    def weth(self) -> Contract:
        return self.world.core.weth

    @property
    def asset(self) -> Contract:
        return self.world.core.wsteth

    @property
    def owner(self) -> str:
        return self.world.roles.owner

    @property
    def rate(self) -> int:
        """What one wstETH is worth, WAD."""
        return int(self.asset.stEthPerToken())

    def earn(self, amount: int, token: Contract | None = None) -> None:
        """Rewards arrive at the seller."""
        token = token or self.reward
        depositor = self.world.roles.depositor
        if token == self.weth:
            self.world.fund(depositor, weth=amount)
            token.transfer(self.seller.address, amount, sender=depositor)
        elif token == self.asset:
            self.world.fund(depositor, wsteth=amount)
            token.transfer(self.seller.address, amount, sender=depositor)
        else:
            token.mint(self.seller.address, amount)

    def sell(
        self, amount: int, token: Contract | None = None, min_out: int = 0, who: str | None = None
    ) -> Receipt:
        token = token or self.reward
        who = who or self.world.roles.keeper
        return self.seller.sell(token.address, amount, min_out, sender=who)

    def terms(
        self, feed: str | None = None, swap: str | None = None, discount: int = DISCOUNT
    ) -> tuple[object, ...]:
        return (feed or self.feed.proxy.address, MAX_AGE, discount, swap or self.swap.address)

    def set_terms(self, token: Contract, terms: tuple[object, ...]) -> Receipt:
        return self.seller.set_terms(token.address, terms, sender=self.owner)

    def holdings(self, token: Contract) -> tuple[int, ...]:
        """What a sale moves: of the token and the asset at the seller, and the vault's books."""
        seller, vault = self.seller.address, self.vault
        return (
            token.balanceOf(seller),
            self.asset.balanceOf(seller),
            self.asset.balanceOf(vault.address),
            vault.idle(),
            vault.locked_profit(),
        )

    def event(self, name: str, **arguments: object) -> Event:
        return Event(name, arguments, self.seller.address)


def up(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


def least_out(amount: int, rate: int, price: int = PRICE, discount: int = DISCOUNT) -> int:
    """What a sale must give at least, for a token and a feed of 18 decimals."""
    return up(up(amount * price, WAD) * (WAD - discount), rate)


@pytest.fixture(scope="session")
def built() -> Iterator[Shop]:
    with Anvil.start() as node:
        world = build_world(deploy_core(Chain.connect(node.ipc)))
        chain, core, roles = world.chain, world.core, world.roles
        provider = roles.liquidity_provider
        world.fund(roles.owner, wsteth=10 * WAD)
        vault = deploy_vault(world)
        reward = chain.deploy(artifact("SettableToken"), 18, 0)
        reward.mint(provider, 2_000_000 * WAD)
        world.fund(provider, weth=20_000 * WAD, wsteth=6_000 * WAD)
        rate = core.wsteth.stEthPerToken()
        lst_pool = world.pool(
            core.wsteth, core.weth, 100, rate, 5_000 * WAD, 5_000 * rate, half_width_ticks=1_000
        )
        reward_pool = world.pool(
            reward, core.weth, FEE, PRICE, 10**6 * WAD, 10**6 * PRICE, half_width_ticks=2_400
        )
        swap = chain.deploy(
            artifact("UniswapV3Swap"), [lst_pool.address, reward_pool.address], sender=roles.owner
        )
        seller = chain.deploy(
            artifact("RewardsSeller"),
            vault.address,
            core.weth.address,
            swap.address,
            roles.guardian,
            sender=roles.owner,
        )
        feed = world.feed("REWARD / ETH")
        feed.answer(PRICE)
        shop = Shop(world, vault, seller, reward, feed, swap, reward_pool, lst_pool)
        shop.set_terms(reward, shop.terms())
        shop.set_terms(core.weth, (NOBODY, 0, WETH_DISCOUNT, NOBODY))
        yield shop


@pytest.fixture
def shop(built: Shop) -> Iterator[Shop]:
    with built.chain.isolated():
        yield built
        # Whatever happened, nobody has an allowance of the seller's.
        for token in (built.reward, built.weth, built.asset):
            for spender in (built.vault, built.swap):
                assert token.allowance(built.seller.address, spender.address) == 0
