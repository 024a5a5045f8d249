"""The model of a deployment that was made and prepared, and has not been used yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from relever.model import market, oracle
from relever.model.callback import SCRIPTED
from relever.model.clock import Clock
from relever.model.eigenlayer import EigenLayer, EigenLayerPosition
from relever.model.parts import (
    EIGENLAYER,
    FACTORY,
    PEOPLE,
    SELLER,
    SYMBIOTIC,
    VAULT,
    Backing,
    Parts,
    Prices,
    RewardTerms,
    Roles,
    TokenMarket,
)
from relever.model.pool import Pool
from relever.model.position import Position
from relever.model.profit import LockedProfit
from relever.model.protocol import Protocol
from relever.model.queue import Queue
from relever.model.rewards import Rewards
from relever.model.rule import Rule
from relever.model.supply_gate import Gate
from relever.model.symbiotic import SymbioticPosition, SymbioticVault
from relever.model.tokens import SNEKMATE, UNLIMITED, Erc20, StEth, Weth, WstEth
from relever.model.vault import Adapter, Vault

if TYPE_CHECKING:
    from relever.model.deployed import Deployed

# What people have approved whom for.
APPROVED = {
    "weth": ("market", "router", "zap", "swap_router"),
    "steth": ("router", "zap", "wsteth"),
    "wsteth": ("vault", "router", "zap", "swap_router", "strategy_manager", "symbiotic_vault"),
    "vault": ("market", "router", "queue", "swap_router"),
}
# And the contract that can be called back.
APPROVED_BY_SCRIPTED = {
    "weth": ("market", "router"),
    "wsteth": ("vault",),
    "vault": ("market", "queue"),
}


def of(deployed: Deployed) -> Protocol:
    """Before anything was done but to prepare."""
    suite, world = deployed.deployment.protocol, deployed.deployment.world
    core, place, contract = world.core, world.symbiotic.veto, suite.vault
    clock = Clock(deployed.chain.block_number, deployed.chain.timestamp)
    weth, wsteth, lrt = Weth(), WstEth(), Erc20(SNEKMATE)
    steth = StEth(core.steth.getTotalPooledEther(), core.steth.getTotalShares())
    for name, token in {"weth": weth, "wsteth": wsteth, "vault": lrt}.items():
        _read_holdings(deployed, token.balances, deployed.contracts[name].balanceOf)
        _approve(token.allowances, name)
    _read_holdings(deployed, steth.shares, core.steth.sharesOf)
    _approve(steth.allowances, "steth")

    eigenlayer = EigenLayer(clock, core.delegation_manager.minWithdrawalDelayBlocks())
    eigen = EigenLayerPosition(eigenlayer)
    symbiotic = SymbioticVault(
        clock,
        place.vault.epochDurationInit(),
        place.vault.epochDuration(),
        place.slasher.vetoDuration(),
    )
    symbio = SymbioticPosition(symbiotic, SYMBIOTIC)
    profit = LockedProfit(contract.unlock_period())
    vault = Vault(clock, profit, contract.deposit_cap(), contract.idle(), lrt)
    vault.paid_in = vault.idle
    positions: dict[str, Position] = {EIGENLAYER: eigen, SYMBIOTIC: symbio}
    for adapter, position in positions.items():
        caps = contract.adapter_caps(deployed.addresses[adapter])
        vault.adapters[adapter] = Adapter(position, *caps)
    vault.exit_fee.buffer, vault.exit_fee.most = contract.exit_terms()
    vault.performance_fee.part = contract.performance_fee()
    vault.performance_fee.recipient = deployed.names[contract.fee_recipient()]

    feeds = {name: _feed(deployed, name) for name in ("feed", "feed2")}
    factory_rule = _rule(deployed, FACTORY)
    prices = _oracle(deployed, clock, Backing(vault, steth, wsteth), feeds["feed"])
    parts = Parts(
        clock=clock,
        roles=Roles(),
        weth=weth,
        steth=steth,
        wsteth=wsteth,
        eigenlayer=eigenlayer,
        eigen=eigen,
        symbiotic=symbiotic,
        symbio=symbio,
        vault=vault,
        queue=Queue(vault, suite.queue.patience(), suite.queue.wait()),
        oracle=prices,
        market=_market(deployed, clock, prices, factory_rule, weth, lrt),
        pools={name: _pool(deployed, name) for name in ("lrt_pool", "lst_pool")},
        feeds=feeds,
        rewards=Rewards(clock, weth, core.rewards_coordinator.activationDelay()),
        rules={
            VAULT: _rule(deployed, VAULT),
            SELLER: _rule(deployed, SELLER),
            FACTORY: factory_rule,
        },
        allocator=deployed.names[contract.allocator()],
        reward_terms={"weth": _reward_terms(deployed, "weth")},
    )
    return Protocol(parts)


def _read_holdings(deployed: Deployed, held: dict[str, int], read: Any) -> None:
    names = list(dict.fromkeys(deployed.names.values()))
    calls = [read.build(deployed.addresses[name]) for name in names]
    for name, amount in zip(names, deployed.chain.read_batch(calls), strict=True):
        if amount:
            held[name] = amount


def _approve(allowances: dict[tuple[str, str], int], token: str) -> None:
    for name in PEOPLE:
        for spender in APPROVED[token]:
            allowances[name, spender] = UNLIMITED
    for spender in APPROVED_BY_SCRIPTED.get(token, ()):
        allowances[SCRIPTED, spender] = UNLIMITED


def _feed(deployed: Deployed, name: str) -> oracle.Feed:
    _, answer, started, updated, _ = deployed.contracts[name].latestRoundData()
    return oracle.Feed(name, deployed.contracts[name].decimals(), answer, started, updated)


def _oracle(deployed: Deployed, clock: Clock, below: Backing, feed: oracle.Feed) -> oracle.Oracle:
    contract = deployed.deployment.protocol.oracle
    terms = oracle.Terms(
        max_age=contract.MAX_AGE(),
        min_answer=contract.MIN_ANSWER(),
        max_answer=contract.MAX_ANSWER(),
        feed_agreement=contract.FEED_AGREEMENT(),
        feed_band=contract.FEED_BAND(),
        sequencer_grace=contract.SEQUENCER_GRACE(),
        max_growth=contract.MAX_GROWTH(),
        discount_speed=contract.DISCOUNT_SPEED(),
        max_gap=contract.MAX_GAP(),
        deep_discount=contract.DEEP_DISCOUNT(),
        lasting_time=contract.LASTING_TIME(),
    )
    made = contract.checkpoint_time()
    gate = Gate(
        contract.GATE_FLOOR(),
        contract.GATE_SHARE(),
        contract.GATE_WINDOW(),
        below.supply,
        below.supply,
        made,
    )
    checkpoint = oracle.Checkpoint(contract.checkpoint_ratio(), made)
    return oracle.Oracle(clock, terms, below, feed, gate, checkpoint=checkpoint)


def _rule(deployed: Deployed, name: str) -> Rule:
    contract = deployed.contracts[name]
    said = contract.owner(), contract.guardian(), contract.pending_owner()
    return Rule(*(deployed.names[address] for address in said))


def _reward_terms(deployed: Deployed, token: str) -> RewardTerms:
    feed, age, discount, swap = deployed.contracts[SELLER].terms(deployed.addresses[token])
    return RewardTerms(deployed.names[feed], age, discount, deployed.names[swap])


def _market(
    deployed: Deployed, clock: Clock, prices: oracle.Oracle, rule: Rule, weth: Weth, lrt: Erc20
) -> TokenMarket:
    contract = deployed.deployment.protocol.market
    said = contract.terms()
    terms = market.Terms(*(getattr(said, name) for name in market.Terms.__dataclass_fields__))
    return TokenMarket(
        clock,
        terms,
        Prices(prices),
        rule,
        market.Books(clock.time, rate_code=contract.state().rate_code),
        market.Caps(*contract.caps()),
        weth=weth,
        lrt=lrt,
    )


def _pool(deployed: Deployed, name: str) -> Pool:
    pools = {"lrt_pool": deployed.deployment.lrt_pool, "lst_pool": deployed.deployment.lst_pool}
    pool, manager = pools[name], deployed.deployment.world.core.position_manager
    position = manager.positions(pool.position_id)
    price, tick = pool.contract.slot0()[:2]
    return Pool(
        deployed.names[pool.token0],
        deployed.names[pool.token1],
        pool.fee_millionths,
        pool.contract.tickSpacing(),
        position[5],
        position[6],
        position[7],
        price,
        tick,
    )
