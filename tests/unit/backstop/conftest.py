"""A backstop before a vault over a plain token; liquidator and swap are what the tests set."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from relever.artifacts import artifact
from relever.chain import Anvil, Chain, Contract, Event
from relever.protocol import contract_address
from tests.unit.vault.conftest import (
    DAY,
    HOLDING,
    SEED,
    UNLIMITED,
    VIRTUAL,
    WAD,
    Actors,
    Setup,
    assets_down,
    build,
    shares_down,
)

# stETH per wstETH, in WAD; divides nothing evenly.
RATE = 1_234_567_890_123_456_789
DISCOUNT = 10**16
SALE_LOSS = 2 * 10**14
MAX_SALE_LOSS = 5 * 10**15
UNLOCK_PERIOD = 14 * DAY
WAIT = 3_600
BACKED = 1_000 * WAD
ROLES = ("owner", "allocator", "guardian", "depositor", "holder", "attacker", "payer", "stranger")


@dataclass(frozen=True)
class Backstop:
    """The pool and what stands around it."""

    setup: Setup
    queue: Contract
    pocket: Contract
    weth: Contract
    swap: Contract
    liquidator: Contract
    pool: Contract

    @property
    def chain(self) -> Chain:
        return self.setup.chain

    @property
    def actors(self) -> Actors:
        return self.setup.actors

    @property
    def vault(self) -> Contract:
        return self.setup.vault

    @property
    def adapters(self) -> tuple[Contract, Contract]:
        return self.setup.adapter, self.setup.second_adapter

    @property
    def lst(self) -> Contract:
        return self.setup.token

    def sell(self, amount: int) -> int:
        """The liquidator sells so much of its LRT; returns the WETH."""
        given = (self.pool.address, self.vault.address, amount)
        paid: int = self.liquidator.sell.call(*given)
        self.liquidator.sell(*given)
        return paid

    def enqueue(self) -> int:
        """Returns the claim."""
        claim: int = self.pool.enqueue.call()
        self.pool.enqueue()
        return claim

    def bought(self, amount: int) -> int:
        """Bought and queued; returns the claim."""
        self.sell(amount)
        return self.enqueue()

    def pay_line(self) -> None:
        """The queue pays what idle assets pay, after its least wait."""
        self.chain.advance(WAIT)
        self.queue.finalize(128, sender=self.actors.stranger)

    def deposit(self, assets: int, who: str) -> int:
        """Returns the shares."""
        before: int = self.pool.balanceOf(who)
        self.pool.deposit(assets, who, sender=who)
        return int(self.pool.balanceOf(who)) - before

    def ask(self, shares: int, who: str) -> int:
        """Request an exit for oneself; returns its id."""
        number: int = self.pool.next_id()
        self.pool.request_exit(shares, who, who, sender=who)
        return number

    def slash(self, part: int) -> None:
        """The first adapter loses a part (WAD) of what it holds. Nobody syncs."""
        adapter = self.setup.adapter
        staked = adapter.staked()
        adapter.set_value(staked - staked * part // WAD, adapter.exiting())

    def see_slash(self, part: int) -> None:
        """The first adapter may lose a part (WAD) of what it holds soon."""
        adapter = self.setup.adapter
        adapter.set_at_risk(adapter.staked() * part // WAD)

    def worth(self, lrt: int, leaving: bool = True) -> int:
        """What the queue would pay for LRT now, in WETH, rounded down as it goes."""
        total = self.vault.live_total_assets(leaving)
        return self.in_weth(assets_down(lrt, total, self.vault.totalSupply()))

    def in_weth(self, lst: int) -> int:
        """By stETH per wstETH, rounded down."""
        return int(lst * self.lst.stEthPerToken() // WAD)

    def least(self, lst: int) -> int:
        """What a sale of so much wstETH brings in any case."""
        return self.in_weth(lst) * (WAD - MAX_SALE_LOSS) // WAD

    def pay_well(self, rate: int | None = None, depth: int = 10**6 * WAD) -> None:
        """The pool buys wstETH at its full rate, or at another one (WAD)."""
        self.swap.set_terms(self.lst.stEthPerToken() if rate is None else rate, depth)

    def state(self) -> tuple[object, ...]:
        """Everything that the pool accounts for, to compare before and after."""
        pool = self.pool
        claims = pool.open_claims()
        return (
            pool.cash(),
            pool.unqueued(),
            pool.unqueued_cost(),
            tuple((claim, pool.claim_cost(claim)) for claim in claims),
            (pool.lst(), pool.lst_cost(), pool.lst_since()),
            (pool.head(), pool.next_id(), pool.waiting_shares(), pool.waiting_worth()),
            pool.locked_profit(),
            pool.totalSupply(),
            self.weth.balanceOf(pool.address),
            self.vault.balanceOf(pool.address),
            self.lst.balanceOf(pool.address),
        )

    def event(self, name: str, **arguments: object) -> Event:
        """An event of the pool's."""
        return Event(name, arguments, self.pool.address)

    def moved(self, token: Contract, sender: str, receiver: str, value: int) -> Event:
        """A transfer."""
        arguments = {"sender": sender, "receiver": receiver, "value": value}
        return Event("Transfer", arguments, token.address)

    def approved(self, token: Contract, owner: str, spender: str, value: int) -> Event:
        """An allowance that is given, or used up."""
        arguments = {"owner": owner, "spender": spender, "value": value}
        return Event("Approval", arguments, token.address)


def build_backstop(chain: Chain) -> Backstop:
    """Everybody has WETH and has approved the pool; the liquidator has LRT; nobody is in yet."""
    setup = build(chain)
    actors, vault, lst = setup.actors, setup.vault, setup.token
    owner = actors.owner
    lst.set_rate(RATE)
    queue = chain.deploy(artifact("WithdrawalQueue"), vault.address, DAY, WAIT, sender=owner)
    pocket = chain.deploy(artifact("SidePocket"), vault.address, sender=owner)
    vault.set_exits(queue.address, pocket.address, sender=owner)
    weth = chain.deploy(artifact("SettableToken"), 18, 0, sender=owner)
    swap = chain.deploy(artifact("SettableDepth"), lst.address, weth.address, sender=owner)
    liquidator = chain.deploy(artifact("SettableLiquidator"), actors.guardian, sender=owner)
    for account in (*chain.accounts[:8], swap.address):
        weth.mint(account, HOLDING)
    weth.approve(contract_address(chain, owner, after=1), UNLIMITED, sender=owner)
    pool = deploy_pool(setup, weth, swap, liquidator)
    for account in chain.accounts[:8]:
        weth.approve(pool.address, UNLIMITED, sender=account)
    # LRT that is staked: 20,000 of it can be sold by the liquidator.
    setup.deposit(30_000 * WAD)
    vault.transfer(liquidator.address, 20_000 * WAD, sender=actors.depositor)
    setup.allocate(20_000 * WAD)
    setup.allocate(9_000 * WAD, setup.second_adapter)
    return Backstop(setup, queue, pocket, weth, swap, liquidator, pool)


def deploy_pool(
    setup: Setup,
    weth: Contract,
    swap: Contract,
    liquidator: Contract,
    discount: int = DISCOUNT,
    sale_loss: int = SALE_LOSS,
    unlock_period: int = UNLOCK_PERIOD,
) -> Contract:
    """The owner pays the seed, which it has approved."""
    owner = setup.actors.owner
    return setup.chain.deploy(
        artifact("BackstopPool"),
        setup.vault.address,
        weth.address,
        liquidator.address,
        swap.address,
        liquidator.address,
        "Relever backstop",
        "rBACK",
        discount,
        sale_loss,
        unlock_period,
        owner,
        sender=owner,
    )


@pytest.fixture(scope="session")
def backstop_chain() -> Iterator[Chain]:
    with Anvil.start() as node:
        yield Chain.connect(node.ipc)


@pytest.fixture(scope="session")
def built_backstop(backstop_chain: Chain) -> Backstop:
    return build_backstop(backstop_chain)


@pytest.fixture
def empty(built_backstop: Backstop) -> Iterator[Backstop]:
    """Nothing in it but the seed."""
    with built_backstop.chain.isolated():
        yield built_backstop


@pytest.fixture
def backed(empty: Backstop) -> Backstop:
    """A depositor has put in 1,000 WETH."""
    empty.deposit(BACKED, empty.actors.depositor)
    empty.pay_well()
    return empty


__all__ = [
    "BACKED",
    "DAY",
    "DISCOUNT",
    "MAX_SALE_LOSS",
    "RATE",
    "ROLES",
    "SALE_LOSS",
    "SEED",
    "UNLIMITED",
    "UNLOCK_PERIOD",
    "VIRTUAL",
    "WAD",
    "WAIT",
    "Backstop",
    "assets_down",
    "build_backstop",
    "deploy_pool",
    "shares_down",
]
