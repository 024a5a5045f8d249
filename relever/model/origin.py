"""The model of a deployment that was made and prepared, and has not been used yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from eth_utils.crypto import keccak

from relever.artifacts import artifact
from relever.model import backstop, leveraged_token, market, oracle
from relever.model.backstop import BACKSTOP
from relever.model.callback import SCRIPTED
from relever.model.clock import Clock
from relever.model.eigenlayer import EigenLayer, EigenLayerPosition
from relever.model.parts import (
    EIGENLAYER,
    FACTORY,
    LEVERAGED,
    LEVERAGED_ZAP,
    PEOPLE,
    SELLER,
    SYMBIOTIC,
    VAULT,
    Backing,
    LiveBacking,
    MarketToken,
    Parts,
    Prices,
    RewardTerms,
    Roles,
    TokenBackstop,
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
from relever.protocol import CONTRACTS

if TYPE_CHECKING:
    from relever.model.deployed import Deployed

# Low bits of packed words.
_MAX_32, _MAX_90, _MAX_110 = 2**32 - 1, 2**90 - 1, 2**110 - 1
_MAX_112, _MAX_128 = 2**112 - 1, 2**128 - 1

# What people have approved whom for.
APPROVED = {
    "weth": ("market", "router", "zap", "swap_router", BACKSTOP, *LEVERAGED, LEVERAGED_ZAP),
    "steth": ("router", "zap", "wsteth", LEVERAGED_ZAP),
    "wsteth": (
        *("vault", "router", "zap", "swap_router", "strategy_manager", "symbiotic_vault"),
        LEVERAGED_ZAP,
    ),
    "vault": ("market", "router", "queue", "swap_router", *LEVERAGED, LEVERAGED_ZAP),
    **dict.fromkeys(LEVERAGED, (LEVERAGED_ZAP,)),
}
# And the contract that can be called back.
APPROVED_BY_SCRIPTED = {
    "weth": ("market", "router", BACKSTOP, *LEVERAGED),
    "wsteth": ("vault",),
    "vault": ("market", "queue", *LEVERAGED),
}


def of(deployed: Deployed) -> Protocol:
    """Before anything was done but to prepare."""
    suite, world = deployed.deployment.protocol, deployed.deployment.world
    core, place, contract = world.core, world.symbiotic.veto, suite.vault
    clock = Clock(deployed.chain.block_number, deployed.chain.timestamp)
    weth, wsteth, lrt = Weth(), WstEth(), Erc20(SNEKMATE)
    shares = {name: Erc20(SNEKMATE) for name in LEVERAGED}
    steth = StEth(core.steth.getTotalPooledEther(), core.steth.getTotalShares())
    for name, token in {"weth": weth, "wsteth": wsteth, "vault": lrt, **shares}.items():
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
    lending = _market(deployed, clock, prices, factory_rule, weth, lrt)
    queue, backing = (
        Queue(vault, suite.queue.patience(), suite.queue.wait()),
        LiveBacking(vault, steth),
    )
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
        queue=queue,
        oracle=prices,
        market=lending,
        leveraged={
            name: _leveraged(deployed, name, lending, prices, backing, shares[name])
            for name in LEVERAGED
        },
        backstop=_backstop(deployed, queue, steth, weth, wsteth),
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
        for spender in APPROVED.get(token, ()):
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
    (sight,) = _words(deployed, "oracle", "gate._sight")
    gate = Gate(
        contract.GATE_FLOOR(),
        contract.GATE_SHARE(),
        contract.GATE_WINDOW(),
        sight & _MAX_112,
        (sight >> 112) & _MAX_112,
        sight >> 224,
    )
    checkpoint = oracle.Checkpoint(contract.checkpoint_ratio(), contract.checkpoint_time())
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
    """With who lends and borrows already, by its words as `totals` and `positions` pack them."""
    contract = deployed.deployment.protocol.market
    said = contract.terms()
    terms = market.Terms(*(getattr(said, name) for name in market.Terms.__dataclass_fields__))
    supply, borrow = _words(deployed, market.MARKET, "totals._supply", "totals._borrow")
    books = market.Books(
        (supply >> 200) & _MAX_32,
        market.Pool(supply & _MAX_90, (supply >> 90) & _MAX_110),
        market.Pool(borrow & _MAX_90, (borrow >> 90) & _MAX_110),
        (borrow >> 200) & _MAX_32,
    )
    found = TokenMarket(
        clock,
        terms,
        Prices(prices),
        rule,
        books,
        market.Caps(*contract.caps()),
        weth=weth,
        lrt=lrt,
    )
    _read_holdings(deployed, found.shares, contract.balanceOf)
    for name in LEVERAGED:
        (word,) = _words(deployed, market.MARKET, "positions._positions", of=name)
        found.positions[name].collateral = word & _MAX_128
        found.positions[name].debt_shares = word >> 128
    return found


def _leveraged(
    deployed: Deployed,
    name: str,
    lending: TokenMarket,
    prices: oracle.Oracle,
    backing: LiveBacking,
    shares: Erc20,
) -> MarketToken:
    """As it was created."""
    contract = deployed.contracts[name]
    said = contract.terms()
    terms = {name: getattr(said, name) for name in leveraged_token.Terms.__dataclass_fields__}
    terms["fee_receiver"] = deployed.names[said.fee_receiver]
    checkpoint = tuple(contract.last_checkpoint())
    return MarketToken(
        lending,
        backing,
        leveraged_token.Terms(**terms),
        name,
        shares,
        created=checkpoint[2],
        fee_booked=checkpoint[2],
        checkpointed=checkpoint,
        prices=prices,
    )


def _backstop(
    deployed: Deployed, queue: Queue, steth: StEth, weth: Weth, wsteth: WstEth
) -> TokenBackstop:
    """As it was created."""
    contract = deployed.contracts[BACKSTOP]
    said = contract.discount(), contract.SALE_LOSS(), contract.UNLOCK_PERIOD()
    return TokenBackstop(queue, backstop.Terms(*said), steth, weth=weth, lst_token=wsteth)


def _words(deployed: Deployed, contract: str, *variables: str, of: str = "") -> list[int]:
    """Of a contract's variables, or of mappings by an account."""
    known = deployed.contracts[contract]
    slots = [artifact(CONTRACTS[contract]).storage[name] for name in variables]
    if of:
        key = bytes.fromhex(deployed.addresses[of][2:]).rjust(32, b"\0")
        slots = [int.from_bytes(keccak(slot.to_bytes(32, "big") + key), "big") for slot in slots]
    return deployed.chain.words([(known.address, slot) for slot in slots])


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
