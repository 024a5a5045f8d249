"""The suite on one chain: deploy it or find it, and reach each contract by its name.

One deployment path serves demo, tests and networks. `deploy` needs a world (`relever.baselayer`):
the protocols that Relever stands on, and who is who.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from relever.client import Client

WAD = 10**18
PRICE_SCALE = 10**36
UNLIMITED = 2**256 - 1
NOBODY = "0x0000000000000000000000000000000000000000"
# What the constructors of vault and backstop take from their seeder, in the asset's unit.
SEED = 10**15
# ERC-5202: code that is a blueprint begins with these bytes.
_BLUEPRINT_PREAMBLE = bytes.fromhex("fe7100")

# The vault's adapters, in the order in which it lists them.
ADAPTERS = ("eigenlayer", "symbiotic")
# Each contract of the suite by its name here.
CONTRACTS = {
    "vault": "LRTVault",
    "queue": "WithdrawalQueue",
    "side_pocket": "SidePocket",
    "zap": "DepositZap",
    "seller": "RewardsSeller",
    "eigenlayer": "EigenLayerAdapter",
    "symbiotic": "SymbioticAdapter",
    "oracle": "OracleAdapter",
    "factory": "MarketFactory",
    "market": "LendingMarket",
    "swap": "UniswapV3Swap",
    "router": "LeverageRouter",
    "backstop": "BackstopPool",
    "liquidator": "Liquidator",
    "orders": "StopOrders",
    "lens": "Lens",
    "quoter": "Quoter",
    "outlook": "Outlook",
}


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
    settings = section(network, "protocol")
    core, roles, chain = world.core, world.roles, world.chain
    owner = roles.owner

    vault = _deploy_vault(world, settings["vault"])
    times = settings["vault"]["queue_patience_seconds"], settings["vault"]["queue_wait_seconds"]
    queue = chain.deploy(artifact("WithdrawalQueue"), vault.address, *times, sender=owner)
    side_pocket = chain.deploy(artifact("SidePocket"), vault.address, sender=owner)
    vault.set_exits(queue.address, side_pocket.address, sender=owner)
    lrt_pool, lst_pool = _exit_pools(world, vault)
    pools = [lrt_pool.address, lst_pool.address]
    swap = chain.deploy(artifact("UniswapV3Swap"), pools, sender=owner)
    seller = _deploy_seller(world, vault, swap, settings["rewards"])
    eigenlayer, symbiotic = _deploy_adapters(world, vault, seller)
    made = {"eigenlayer": eigenlayer, "symbiotic": symbiotic}
    _set_terms(world, vault, {name: made[name] for name in adapters}, settings["vault"])

    feed = world.feed("rLRT / WETH")
    feed.answer(vault.rate() * core.wsteth.stEthPerToken() // WAD)
    oracle = _deploy_oracle(world, vault, feed, settings["oracle"])
    factory = chain.deploy(
        artifact("MarketFactory"), deploy_blueprint(chain, owner), roles.guardian, sender=owner
    )
    market = _create_market(world, factory, vault, oracle, settings["market"])

    tokens = (vault.address, core.wsteth.address, core.weth.address)
    path = (factory.address, *tokens, swap.address, NOBODY)
    router = chain.deploy(artifact("LeverageRouter"), *path, [], sender=owner)
    backstop, liquidator = _deploy_backstop(world, path, settings["backstop"])
    protocol = Protocol(
        chain,
        vault=vault,
        queue=queue,
        side_pocket=side_pocket,
        zap=chain.deploy(artifact("DepositZap"), *tokens, sender=owner),
        seller=seller,
        eigenlayer=eigenlayer,
        symbiotic=symbiotic,
        oracle=oracle,
        factory=factory,
        market=market,
        swap=swap,
        router=router,
        backstop=backstop,
        liquidator=liquidator,
        orders=chain.deploy(artifact("StopOrders"), *path, sender=owner),
        lens=chain.deploy(artifact("Lens"), sender=owner),
        quoter=chain.deploy(artifact("Quoter"), router.address, sender=owner),
        outlook=chain.deploy(artifact("Outlook"), sender=owner),
    )
    return Deployment(protocol, world, feed, lrt_pool, lst_pool)


def deploy_blueprint(chain: Chain, sender: str) -> str:
    """Put the market's creation code onto the chain as an ERC-5202 blueprint; its address."""
    code = _BLUEPRINT_PREAMBLE + artifact("LendingMarket").bytecode
    # PUSH2 length, RETURNDATASIZE, DUP2, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURN.
    loader = bytes.fromhex("61") + len(code).to_bytes(2, "big") + bytes.fromhex("3d81600a3d39f3")
    blueprint: Artifact = artifact_from_json("LendingMarketBlueprint", [], loader + code)
    return chain.deploy(blueprint, sender=sender).address


def contract_address(chain: Chain, sender: str, after: int = 0) -> str:
    """Where the sender's next deployment will be, or the one `after` so many transactions."""
    nonce = int(chain.rpc("eth_getTransactionCount", [sender, "latest"]), 16) + after
    return to_checksum_address(keccak(rlp.encode([to_bytes(hexstr=sender), nonce]))[12:])


def _deploy_vault(world: World, settings: dict[str, Any]) -> Contract:
    chain, roles, wsteth = world.chain, world.roles, world.core.wsteth
    world.fund(roles.owner, wsteth=SEED)
    # The approval is a transaction too: the vault comes with the nonce after it.
    wsteth.approve(contract_address(chain, roles.owner, after=1), SEED, sender=roles.owner)
    return chain.deploy(
        artifact("LRTVault"),
        wsteth.address,
        settings["name"],
        settings["symbol"],
        roles.allocator,
        roles.guardian,
        settings["unlock_period_seconds"],
        settings["deposit_cap_wei"],
        roles.owner,
        sender=roles.owner,
    )


def _deploy_seller(
    world: World, vault: Contract, swap: Contract, settings: dict[str, Any]
) -> Contract:
    """WETH can be sold from the start; other reward tokens take a feed and a pool."""
    owner, weth = world.roles.owner, world.core.weth.address
    places = (vault.address, weth, swap.address, world.roles.guardian)
    seller = world.chain.deploy(artifact("RewardsSeller"), *places, sender=owner)
    seller.set_terms(weth, (NOBODY, 0, settings["max_discount_wad"], NOBODY), sender=owner)
    return seller


def _deploy_adapters(world: World, vault: Contract, seller: Contract) -> tuple[Contract, Contract]:
    """A position in EigenLayer, and one in the Symbiotic vault whose slashes can be vetoed."""
    chain, core, owner, place = world.chain, world.core, world.roles.owner, world.symbiotic.veto
    eigenlayer = chain.deploy(
        artifact("EigenLayerAdapter"),
        vault.address,
        core.wsteth_strategy.address,
        core.delegation_manager.address,
        core.strategy_manager.address,
        world.roles.operator,
        core.rewards_coordinator.address,
        seller.address,
        sender=owner,
    )
    symbiotic = chain.deploy(
        artifact("SymbioticAdapter"),
        vault.address,
        place.vault.address,
        place.rewards.address,
        seller.address,
        sender=owner,
    )
    return eigenlayer, symbiotic


def _set_terms(
    world: World,
    vault: Contract,
    adapters: Mapping[str, Contract],
    settings: dict[str, Any],
) -> None:
    """List the adapters and set what the vault charges."""
    owner = world.roles.owner
    for name, adapter in adapters.items():
        caps = settings[f"{name}_cap_wei"], settings[f"{name}_share_cap_wad"]
        vault.add_adapter(adapter.address, *caps, sender=owner)
    vault.set_exit_fee(settings["exit_buffer_wei"], settings["max_exit_fee_wad"], sender=owner)
    fee = settings["performance_fee_wad"]
    vault.set_performance_fee(fee, world.roles.treasury, sender=owner)


def _deploy_oracle(world: World, vault: Contract, feed: Feed, settings: dict[str, Any]) -> Contract:
    return world.chain.deploy(
        artifact("OracleAdapter"),
        vault.address,
        world.core.wsteth.address,
        feed.proxy.address,
        # The sequencer's uptime feed: there is none on an L1.
        NOBODY,
        (
            settings["feed_max_age_seconds"],
            settings["feed_min_answer_e36"],
            settings["feed_max_answer_e36"],
            settings["feed_agreement_wad"],
            settings["feed_band_wad"],
            settings["sequencer_grace_seconds"],
            settings["max_growth_per_year_wad"],
            settings["discount_speed_per_second_wad"],
            settings["discount_max_gap_seconds"],
            settings["deep_discount_wad"],
            settings["lasting_discount_seconds"],
            settings["supply_gate_floor_wei"],
            settings["supply_gate_share_wad"],
            settings["supply_gate_window_seconds"],
        ),
        sender=world.roles.owner,
    )


def _create_market(
    world: World,
    factory: Contract,
    vault: Contract,
    oracle: Contract,
    settings: dict[str, Any],
) -> Contract:
    owner = world.roles.owner
    terms = (
        world.core.weth.address,
        vault.address,
        oracle.address,
        settings["max_ltv_wad"],
        settings["threshold_wad"],
        settings["target_health_wad"],
        settings["base_bonus_wad"],
        settings["max_bonus_wad"],
        settings["min_debt_wei"],
        settings["deleverage_share_wad"],
    )
    made = factory.create_market(terms, settings["name"], settings["symbol"], sender=owner)
    address = made.events[-1].args["market"]
    market = world.chain.contract(address, artifact("LendingMarket"))
    caps = (settings["supply_cap_wei"], settings["borrow_cap_wei"], settings["fee_wad"])
    market.set_caps(caps, sender=owner)
    factory.list_market(address, sender=owner)
    return market


def _deploy_backstop(
    world: World, path: Sequence[str], settings: dict[str, Any]
) -> tuple[Contract, Contract]:
    """The backstop pool and the liquidator, each of which names the other for good."""
    chain, owner = world.chain, world.roles.owner
    factory, lrt, _, weth, swap, _ = path
    world.fund(owner, weth=SEED)
    # The approval comes first, then the two: that makes their addresses.
    pool_at, liquidator_at = (contract_address(chain, owner, after=n) for n in (1, 2))
    world.core.weth.approve(pool_at, SEED, sender=owner)
    pool = chain.deploy(
        artifact("BackstopPool"),
        lrt,
        weth,
        factory,
        swap,
        liquidator_at,
        settings["name"],
        settings["symbol"],
        settings["discount_wad"],
        settings["sale_loss_wad"],
        settings["unlock_period_seconds"],
        owner,
        sender=owner,
    )
    liquidator = chain.deploy(artifact("Liquidator"), *path, pool.address, sender=owner)
    return pool, liquidator


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
