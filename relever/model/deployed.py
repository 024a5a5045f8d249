"""A deployment under its model's names: act on it, and read what it says of itself.

The only module here that knows of a chain.
"""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass, field, is_dataclass
from typing import Any

from relever.baselayer import Feed as FeedContract
from relever.baselayer.symbiotic import BURNER
from relever.chain import Call, Contract, Ran, Revert
from relever.model import market, oracle
from relever.model.clock import Clock
from relever.model.eigenlayer import EigenLayer, EigenLayerPosition
from relever.model.parts import (
    EIGENLAYER,
    LIQUIDATOR,
    SYMBIOTIC,
    Backing,
    Parts,
    Prices,
    Roles,
    TokenMarket,
)
from relever.model.pool import Pool
from relever.model.position import Position
from relever.model.profit import LockedProfit
from relever.model.protocol import Action, Outcome, Protocol
from relever.model.queue import Queue
from relever.model.readings import Reverts, Value, View
from relever.model.supply_gate import Gate
from relever.model.symbiotic import SymbioticPosition, SymbioticVault
from relever.model.tokens import SNEKMATE, UNLIMITED, Erc20, StEth, Weth, WstEth
from relever.model.vault import Adapter, Vault
from relever.protocol import NOBODY, Deployment

# Who holds tokens and has approved whoever may take them.
PEOPLE = ("depositor", "looper", "borrower", "lender", "liquidator", "stranger", "trader")
APPROVED = {
    "weth": ("market", "router", "zap", "swap_router"),
    "steth": ("router", "zap", "wsteth"),
    "wsteth": ("vault", "router", "zap", "swap_router", "strategy_manager", "symbiotic_vault"),
    "vault": ("market", "router", "queue", "swap_router"),
}
# Where EigenLayer sends what it burns.
BURNT = "0x00000000000000000000000000000000000E16E4"
# Code that reverts without a word.
_SILENCE = bytes.fromhex("5f5ffd")
_NOTHING = ((b"", 0), b"\0" * 32)


@dataclass
class Deployed:
    """A deployment right after it was made, with a second feed that may replace the first."""

    deployment: Deployment
    second_feed: FeedContract
    # EigenLayer's names of the adapter's exits, by the model's; and the last round of each feed.
    roots: list[int] = field(default_factory=list)
    rounds: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        suite, world = self.deployment.protocol, self.deployment.world
        core, place = world.core, world.symbiotic.veto
        self.chain = self.deployment.chain
        self.contracts: dict[str, Contract] = {
            "weth": core.weth,
            "steth": core.steth,
            "wsteth": core.wsteth,
            "strategy": core.wsteth_strategy,
            "strategy_manager": core.strategy_manager,
            "swap_router": core.swap_router,
            "symbiotic_vault": place.vault,
            "lrt_pool": self.deployment.lrt_pool.contract,
            "lst_pool": self.deployment.lst_pool.contract,
            "feed": self.deployment.feed.proxy,
            "feed2": self.second_feed.proxy,
            **{name: getattr(suite, name) for name in suite.addresses()},
        }
        self.addresses = {
            "nobody": NOBODY,
            "dead": BURNER,
            "burnt": BURNT,
            **asdict(world.roles),
            **{name: contract.address for name, contract in self.contracts.items()},
        }
        # A person has the short name.
        self.addresses[LIQUIDATOR] = suite.liquidator.address
        self.addresses["liquidator"] = world.roles.liquidator
        self._names = {address: name for name, address in self.addresses.items()}
        self._code = {
            name: bytes.fromhex(
                self.chain.rpc("eth_getCode", (self.contracts[name].address, "latest"))[2:]
            )
            for name in (EIGENLAYER, SYMBIOTIC)
        }

    def prepare(self, each: int) -> None:
        """Give everyone so much of each token, and let them approve what they will need."""
        world = self.deployment.world
        for name in PEOPLE:
            account = self.addresses[name]
            world.fund(account, weth=each, steth=each, wsteth=each)
            calls = [
                self.contracts[token].approve.build(
                    self.addresses[spender], UNLIMITED, sender=account
                )
                for token, spenders in APPROVED.items()
                for spender in spenders
            ]
            self.chain.send_batch(calls)
            self.chain.set_balance(account, 10 * each)
        manager, roles = world.core.delegation_manager, world.roles
        manager.delegateTo(roles.operator, *_NOTHING, sender=roles.stranger)
        for feed in (self.deployment.feed, self.second_feed):
            feed.answer(self.deployment.feed.proxy.latestRoundData()[1])
        self.rounds = {
            "feed": self.deployment.feed.aggregator.latestRound(),
            "feed2": self.second_feed.aggregator.latestRound(),
        }
        self.chain.set_balance(roles.lido_oracle, 10 * each)

    # The model as it stands

    def model(self) -> Protocol:
        """Before anything was done but to prepare."""
        suite, world = self.deployment.protocol, self.deployment.world
        core, place, contract = world.core, world.symbiotic.veto, suite.vault
        clock = Clock(self.chain.block_number, self.chain.timestamp)
        weth, wsteth, lrt = Weth(), WstEth(), Erc20(SNEKMATE)
        steth = StEth(core.steth.getTotalPooledEther(), core.steth.getTotalShares())
        for name, token in {"weth": weth, "wsteth": wsteth, "vault": lrt}.items():
            self._read_holdings(token.balances, self.contracts[name].balanceOf)
            self._approve(token.allowances, name)
        self._read_holdings(steth.shares, core.steth.sharesOf)
        self._approve(steth.allowances, "steth")

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
            caps = contract.adapter_caps(self.addresses[adapter])
            vault.adapters[adapter] = Adapter(position, *caps)
        vault.exit_fee.buffer, vault.exit_fee.most = contract.exit_terms()
        vault.performance_fee.part = contract.performance_fee()
        vault.performance_fee.recipient = self._names[contract.fee_recipient()]

        feeds = {name: self._feed(name) for name in ("feed", "feed2")}
        prices = self._oracle(clock, Backing(vault, steth, wsteth), feeds["feed"])
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
            market=self._market(clock, prices, weth, lrt),
            pools={name: self._pool(name) for name in ("lrt_pool", "lst_pool")},
            feeds=feeds,
        )
        return Protocol(parts)

    # What is done, and what is said

    def send(self, action: Action) -> Outcome:
        """Do it on the chain, in a block of its own."""
        call = self.call(action)
        return self.outcome(action, call, self.chain.run(call))

    def outcome(self, action: Action, call: Call, ran: Ran) -> Outcome:
        """What came of it, in the model's words; exits and rounds that it made are learnt."""
        if ran.failed is not None:
            return Outcome(refused=ran.failed)
        result = None if call.function is None else call.function.decode(ran.output)
        if action.name == "world.undelegate":
            self._learn_roots()
        elif action.name == "world.answer":
            self.rounds[action.arguments[0]] += 1
        elif isinstance(result, int) and self._exits_from_eigenlayer(action):
            self.roots.append(result)
            result = len(self.roots) - 1
        return Outcome(tuple(result) if isinstance(result, tuple) else result)

    def advance(self, seconds: int = 0, blocks: int = 1) -> None:
        """Time passes, in the first of so many blocks."""
        self.chain.advance(seconds, blocks)

    def read(self, views: dict[View, tuple[str, ...]], expected: dict[str, Value]) -> Any:
        """What these views answer, by the names of the variables; one batch for all that answer.

        Args:
            views: by `Protocol.views`.
            expected: the model's state, which tells what must revert.
        """
        found: dict[str, Value] = {}
        calls: list[Call] = []
        asked: list[tuple[str, ...]] = []
        for view, names in views.items():
            method = getattr(self.contracts[view.contract], view.function)
            call = method.build(*map(self._resolve, view.arguments))
            if isinstance(expected[names[0]], Reverts):
                found[names[0]] = self._revert(call)
            else:
                calls.append(call)
                asked.append(names)
        for names, answer in zip(asked, self.chain.read_batch(calls), strict=True):
            values = answer if isinstance(answer, tuple) else (answer,)
            for name, value in zip(names, values, strict=False):
                found[name] = self._names.get(value, value) if isinstance(value, str) else value
        return found

    # How

    def _revert(self, call: Call) -> Value:
        try:
            answer: Value = self.chain.read(call)
        except Revert as failure:
            return Reverts(failure.reason)
        return answer

    def _resolve(self, value: Any) -> Any:
        if is_dataclass(value) and not isinstance(value, type):
            return astuple(value)
        return self.addresses[value] if isinstance(value, str) else value

    def call(self, action: Action) -> Call:
        """The transaction that does it."""
        target, _, function = action.name.partition(".")
        sender = self.addresses[action.caller]
        arguments = [self._resolve(value) for value in action.arguments]
        if target == "world":
            return self._in_world(function, sender, action.arguments, arguments)
        if function == "finish_exit" and action.arguments[0] == EIGENLAYER:
            number = action.arguments[1]
            arguments[1] = self.roots[number] if number < len(self.roots) else number
        method = getattr(self.contracts[target], function)
        call: Call = method.build(*arguments, sender=sender, value=action.ether)
        return call

    def _in_world(self, what: str, sender: str, plain: tuple[Any, ...], given: list[Any]) -> Call:
        """The transaction of something that happens in the world."""
        world = self.deployment.world
        core, place, roles = world.core, world.symbiotic.veto, world.roles
        strategy, token = core.wsteth_strategy.address, core.wsteth.address
        ours = self.addresses
        if what == "answer":
            feed = self.deployment.feed if plain[0] == "feed" else self.second_feed
            number = self.rounds[plain[0]] + 1
            call = feed.aggregator.submit.build(number, plain[1], sender=sender)
        elif what == "slash":
            slash = (roles.operator, world.operator_set[1], [strategy], [plain[0]], "")
            call = core.allocation_manager.slashOperator.build(roles.avs, slash, sender=sender)
        elif what == "burn":
            call = core.strategy_manager.burnShares.build(strategy, sender=sender)
        elif what == "undelegate":
            call = core.delegation_manager.undelegate.build(ours[EIGENLAYER], sender=sender)
        elif what == "request_slash":
            arguments = (world.symbiotic.subnetwork, roles.operator, *plain, b"")
            call = place.slasher.requestSlash.build(*arguments, sender=sender)
        elif what == "execute_slash":
            call = place.slasher.executeSlash.build(plain[0], b"", sender=sender)
        elif what == "veto_slash":
            call = place.slasher.vetoSlash.build(plain[0], b"", sender=sender)
        elif what == "stake_beside" and plain[0] == EIGENLAYER:
            method = core.strategy_manager.depositIntoStrategy
            call = method.build(strategy, token, plain[1], sender=sender)
        elif what == "stake_beside":
            call = place.vault.deposit.build(sender, plain[1], sender=sender)
        elif what == "leave_beside" and plain[0] == EIGENLAYER:
            leaving = [([strategy], [plain[1]], sender)]
            call = core.delegation_manager.queueWithdrawals.build(leaving, sender=sender)
        elif what == "leave_beside":
            call = place.vault.withdraw.build(sender, plain[1], sender=sender)
        elif what == "give_stake":
            call = place.vault.deposit.build(ours[SYMBIOTIC], plain[0], sender=sender)
        elif what in ("silence", "restore"):
            code = _SILENCE if what == "silence" else self._code[plain[0]]
            self.chain.set_code(ours[plain[0]], code)
            call = Call(sender, sender, b"", label=what)
        elif what == "trade":
            call = self._trade(plain, given, sender)
        else:
            raise ValueError(f"nothing in the world is called {what}")
        return call

    def _trade(self, plain: tuple[Any, ...], given: list[Any], sender: str) -> Call:
        pools = self.deployment.lrt_pool, self.deployment.lst_pool
        pool = pools[plain[0] == "lst_pool"]
        token_out = pool.token1 if given[1] == pool.token0 else pool.token0
        terms = (given[1], token_out, pool.fee_millionths, sender, UNLIMITED, plain[2], 0, plain[3])
        return self.deployment.world.core.swap_router.exactInputSingle.build(terms, sender=sender)

    @staticmethod
    def _exits_from_eigenlayer(action: Action) -> bool:
        starts = action.name in ("vault.deallocate", "queue.pull_back")
        return starts and action.arguments[0] == EIGENLAYER

    def _learn_roots(self) -> None:
        manager = self.deployment.world.core.delegation_manager
        found = self.chain.read(manager.getQueuedWithdrawalRoots.build(self.addresses[EIGENLAYER]))
        numbers = [int.from_bytes(root, "big") for root in found]
        self.roots.extend(number for number in numbers if number not in self.roots)

    def _read_holdings(self, held: dict[str, int], read: Any) -> None:
        names = list(dict.fromkeys(self._names.values()))
        calls = [read.build(self.addresses[name]) for name in names]
        for name, amount in zip(names, self.chain.read_batch(calls), strict=True):
            if amount:
                held[name] = amount

    def _approve(self, allowances: dict[tuple[str, str], int], token: str) -> None:
        for name in PEOPLE:
            for spender in APPROVED[token]:
                allowances[name, spender] = UNLIMITED

    def _feed(self, name: str) -> oracle.Feed:
        _, answer, started, updated, _ = self.contracts[name].latestRoundData()
        return oracle.Feed(name, self.contracts[name].decimals(), answer, started, updated)

    def _oracle(self, clock: Clock, below: Backing, feed: oracle.Feed) -> oracle.Oracle:
        contract = self.deployment.protocol.oracle
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

    def _market(self, clock: Clock, prices: oracle.Oracle, weth: Weth, lrt: Erc20) -> TokenMarket:
        contract = self.deployment.protocol.market
        said = contract.terms()
        terms = market.Terms(*(getattr(said, name) for name in market.Terms.__dataclass_fields__))
        return TokenMarket(
            clock,
            terms,
            Prices(prices),
            Roles().owner,
            Roles().guardian,
            market.Books(clock.time, rate_code=contract.state().rate_code),
            market.Caps(*contract.caps()),
            weth=weth,
            lrt=lrt,
        )

    def _pool(self, name: str) -> Pool:
        pools = {"lrt_pool": self.deployment.lrt_pool, "lst_pool": self.deployment.lst_pool}
        pool, manager = pools[name], self.deployment.world.core.position_manager
        position = manager.positions(pool.position_id)
        price, tick = pool.contract.slot0()[:2]
        return Pool(
            self._names[pool.token0],
            self._names[pool.token1],
            pool.fee_millionths,
            pool.contract.tickSpacing(),
            position[5],
            position[6],
            position[7],
            price,
            tick,
        )
