"""The suite on one chain: deploy it or find it, and reach each contract by its name.

One deployment path serves demo, tests and networks. `deploy` needs a world (`relever.baselayer`):
the protocols that Relever stands on, and who is who.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rlp
from eth_utils.address import to_checksum_address
from eth_utils.conversions import to_bytes
from eth_utils.crypto import keccak

from relever.artifacts import Artifact, artifact, artifact_from_json
from relever.baselayer import Feed, Pool, Roles, World
from relever.chain import Chain, Contract, Receipt
from relever.config import section
from relever.deploy import suite
from relever.deploy.suite import (
    SetUp,
    arguments,
    blueprint_code,
    create_market,
    open_market,
    set_exits,
    set_rewards,
    set_vault_terms,
)

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from relever.client import Client

WAD = 10**18
PRICE_SCALE = 10**36
UNLIMITED = 2**256 - 1
ADAPTERS, CONTRACTS, NOBODY, SEED = suite.ADAPTERS, suite.CONTRACTS, suite.NOBODY, suite.SEED


@dataclass(frozen=True)
class Protocol:
    """Every contract of one deployment."""

    chain: Chain
    vault: Contract
    queue: Contract
    side_pocket: Contract
    zap: Contract
    seller: Contract
    eigenlayer: Contract
    symbiotic: Contract
    oracle: Contract
    factory: Contract
    market: Contract
    swap: Contract
    router: Contract
    backstop: Contract
    liquidator: Contract
    orders: Contract
    lens: Contract
    quoter: Contract
    outlook: Contract

    def addresses(self) -> dict[str, str]:
        """Every contract's address by name; `at` takes it."""
        return {name: getattr(self, name).address for name in CONTRACTS}

    @classmethod
    def at(cls, chain: Chain, addresses: Mapping[str, str]) -> Protocol:
        """Find a deployment by its addresses.

        Raises:
            ValueError: a contract is missing, or its address holds no code.
        """
        for name in CONTRACTS:
            if name not in addresses:
                raise ValueError(f"the deployment has no address for {name}: add it")
            if chain.rpc("eth_getCode", [addresses[name], "latest"]) == "0x":
                raise ValueError(f"{name} at {addresses[name]} holds no code: is the chain right?")
        return cls(
            chain,
            **{
                name: chain.contract(addresses[name], artifact(kind))
                for name, kind in CONTRACTS.items()
            },
        )

    @staticmethod
    def connect(
        node: str,
        deployment: str | Path,
        account: LocalAccount | str | None = None,
        password_file: str | Path | None = None,
    ) -> Client:
        """A deployment to use from an account of one's own; see `Client.connect`."""
        # It stands on this module.
        from relever.client import Client

        return Client.connect(node, deployment, account, password_file)

    def on(self, chain: Chain) -> Protocol:
        """The same deployment seen through another chain, such as a fork of this one."""
        return Protocol.at(chain, self.addresses())

    def snapshot(self, *owners: str) -> Any:
        """Vault, oracle, market and these owners' positions, by one call of the Lens."""
        return self.lens.snapshot(self.market.address, list(owners))


@dataclass(frozen=True)
class Deployment:
    """A deployment together with the world it stands in, its market feed and its exit pools."""

    protocol: Protocol
    world: World
    feed: Feed
    lrt_pool: Pool
    lst_pool: Pool

    @property
    def chain(self) -> Chain:
        return self.protocol.chain

    @property
    def roles(self) -> Roles:
        return self.world.roles

    def on(self, chain: Chain) -> Deployment:
        """The same deployment seen through another chain, such as a fork of this one."""
        return Deployment(
            self.protocol.on(chain),
            self.world.on(chain),
            self.feed.on(chain),
            self.lrt_pool.on(chain),
            self.lst_pool.on(chain),
        )

    def answer_fundamental(self, discount: int = 0) -> Receipt:
        """Let the market feed say the fundamental price less a discount in WAD."""
        price = self.protocol.oracle.fundamental() * (WAD - discount) // PRICE_SCALE
        return self.feed.answer(price)


def deploy(world: World, network: str = "local", adapters: Sequence[str] = ADAPTERS) -> Deployment:
    """Deploy the suite onto a world, owned by its owner, with the network's parameters.

    The vault is seeded by the owner; the liquidity provider makes the two pools of the exit (LRT
    and LST against WETH), for which it deposits into the vault first.

    Args:
        world: with an operator that can be slashed.
        network: whose parameters in `relever/config` to use.
        adapters: which of them the vault lists, in this order.
    """
    build = _Build(world, section(network, "protocol"))
    core, roles, chain, book = world.core, world.roles, world.chain, build.book

    build.seed(core.wsteth, "vault")
    vault = build.deploy("vault")
    build.deploy("queue", "side_pocket")
    build.call(set_exits(book))
    lrt_pool, lst_pool = _exit_pools(world, vault)
    book |= {"lrt_pool": lrt_pool.address, "lst_pool": lst_pool.address}
    build.deploy("swap", "seller")
    build.call(set_rewards(book, build.settings))
    build.deploy("eigenlayer", "symbiotic")
    build.call(set_vault_terms(book, build.settings, tuple(adapters)))

    feed = world.feed("rLRT / WETH")
    feed.answer(vault.rate() * core.wsteth.stEthPerToken() // WAD)
    book["feed"] = feed.proxy.address
    build.deploy("oracle")
    book["blueprint"] = deploy_blueprint(chain, roles.owner)
    build.deploy("factory")
    made = build.call([create_market(book, build.settings)])
    build.found("market", made[0].events[-1].args["market"])
    build.call(open_market(book, build.settings))

    build.deploy("router")
    # Each of the two names the other for good.
    build.seed(core.weth, "backstop", "liquidator")
    build.deploy("backstop", "liquidator", "zap", "orders", "lens", "quoter", "outlook")
    return Deployment(Protocol(chain, **build.made), world, feed, lrt_pool, lst_pool)


class _Build:
    """A suite in the making, by the world's owner: what there is, and where."""

    def __init__(self, world: World, settings: dict[str, Any]) -> None:
        self._world, self.settings = world, settings
        core, roles = world.core, world.roles
        self.made: dict[str, Contract] = {}
        self.book = {
            **core.addresses(),
            # The vault in Symbiotic whose slashes can be vetoed.
            "symbiotic_vault": world.symbiotic.veto.vault.address,
            "symbiotic_rewards": world.symbiotic.veto.rewards.address,
            "operator": roles.operator,
            "allocator": roles.allocator,
            "guardian": roles.guardian,
            "treasury": roles.treasury,
            "seeder": roles.owner,
        }

    def deploy(self, *names: str) -> Contract:
        """Deploy these, one after the other; the last of them."""
        for name in names:
            contract = self._world.chain.deploy(
                artifact(CONTRACTS[name]),
                *arguments(name, self.book, self.settings),
                sender=self._world.roles.owner,
            )
            self.made[name], self.book[name] = contract, contract.address
        return contract

    def found(self, name: str, address: str) -> None:
        """Take up a contract that another one made."""
        contract = self._world.chain.contract(address, artifact(CONTRACTS[name]))
        self.made[name], self.book[name] = contract, address

    def call(self, calls: Iterable[SetUp]) -> list[Receipt]:
        """Make the owner's calls."""
        return [
            getattr(self.made[one.target], one.function)(
                *one.arguments, sender=self._world.roles.owner
            )
            for one in calls
        ]

    def seed(self, token: Contract, *names: str) -> None:
        """Get the owner what the first of these takes, which are deployed next, and let it."""
        owner = self._world.roles.owner
        held = {"weth": SEED} if token == self._world.core.weth else {"wsteth": SEED}
        self._world.fund(owner, **held)
        # The approval is a transaction too: they come with the nonces after it.
        for after, name in enumerate(names, 1):
            self.book[name] = contract_address(self._world.chain, owner, after)
        token.approve(self.book[names[0]], SEED, sender=owner)


def deploy_blueprint(chain: Chain, sender: str) -> str:
    """Put the market's creation code onto the chain as an ERC-5202 blueprint; its address."""
    code = blueprint_code(artifact("LendingMarket").bytecode)
    blueprint: Artifact = artifact_from_json("LendingMarketBlueprint", [], code)
    return chain.deploy(blueprint, sender=sender).address


def contract_address(chain: Chain, sender: str, after: int = 0) -> str:
    """Where the sender's next deployment will be, or the one `after` so many transactions."""
    nonce = int(chain.rpc("eth_getTransactionCount", [sender, "latest"]), 16) + after
    return to_checksum_address(keccak(rlp.encode([to_bytes(hexstr=sender), nonce]))[12:])


def _exit_pools(world: World, vault: Contract) -> tuple[Pool, Pool]:
    """The pools of rLRT and wstETH against WETH, one thin and one deep, at the present rates."""
    core, provider = world.core, world.roles.liquidity_provider
    settings = section("local", "liquidity")
    lrt_amount, lst_amount = settings["lrt_pool_each_wei"], settings["lst_pool_each_wei"]
    lst_price = core.wsteth.stEthPerToken()
    lrt_price = vault.rate() * lst_price // WAD
    wsteth_needed = vault.previewMint(lrt_amount)
    world.fund(
        provider,
        weth=(lrt_amount * lrt_price + lst_amount * lst_price) // WAD,
        wsteth=wsteth_needed + lst_amount,
    )
    core.wsteth.approve(vault.address, wsteth_needed, sender=provider)
    vault.mint(lrt_amount, provider, sender=provider)
    fee = settings["pool_fee_millionths"]
    lrt_pool = world.pool(
        vault, core.weth, fee, lrt_price, lrt_amount, lrt_amount * lrt_price // WAD
    )
    lst_pool = world.pool(
        core.wsteth, core.weth, fee, lst_price, lst_amount, lst_amount * lst_price // WAD
    )
    return lrt_pool, lst_pool
