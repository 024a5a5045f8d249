"""A deployment under its model's names: act on it, and read what it says of itself.

This, `origin` and `signing` are the only modules here that know of a chain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any

from eth_abi.abi import encode

from relever.artifacts import artifact
from relever.baselayer import Feed as FeedContract
from relever.baselayer.rewards import EarnerLeaf, RewardsClaim, rewards_tree
from relever.baselayer.symbiotic import BURNER
from relever.chain import Call, Chain, Contract, Ran, Revert
from relever.chain.abi import Function, describe_revert
from relever.chain.revm import Revm
from relever.leveraged import Leveraged, deploy_leveraged
from relever.model import origin, signing
from relever.model.backstop import BACKSTOP
from relever.model.callback import SCRIPTED, Callback
from relever.model.market import MARKET
from relever.model.origin import APPROVED, APPROVED_BY_SCRIPTED
from relever.model.parts import (
    EIGENLAYER,
    LEVERAGED,
    LEVERAGED_ZAP,
    LIQUIDATOR,
    ORDERS,
    PEOPLE,
    REBALANCER,
    ROUTER,
    SYMBIOTIC,
    VAULT,
    WRONG_ORACLE,
)
from relever.model.protocol import Action, Outcome, Protocol
from relever.model.readings import Reverts, Value, View
from relever.model.rewards import COORDINATOR
from relever.model.router import Grants
from relever.model.tokens import UNLIMITED
from relever.protocol import CONTRACTS, NOBODY, Deployment

# Each contract of the suite, with the leveraged tokens, by its name here.
KINDS = {
    **CONTRACTS,
    **dict.fromkeys(LEVERAGED, "LeveragedToken"),
    LEVERAGED_ZAP: "LeveragedTokenZap",
    REBALANCER: "Rebalancer",
}
# Where EigenLayer sends what it burns.
BURNT = "0x00000000000000000000000000000000000E16E4"
# Code that reverts without a word.
_SILENCE = bytes.fromhex("5f5ffd")
_NOTHING = ((b"", 0), b"\0" * 32)


@dataclass
class Deployed:
    """A deployment right after it was made, with the leveraged tokens on it, and a second feed that
    may replace the first.
    """

    deployment: Deployment
    leveraged: Leveraged
    second_feed: FeedContract
    # EigenLayer's names of the adapter's exits, by the model's.
    roots: list[int] = field(default_factory=list)
    # The last round of each feed.
    rounds: dict[str, int] = field(default_factory=dict)
    # What the adapter can claim by each root of EigenLayer's rewards.
    claims: list[RewardsClaim] = field(default_factory=list)

    def __post_init__(self) -> None:
        suite, world = self.deployment.protocol, self.deployment.world
        core, place = world.core, world.symbiotic.veto
        self.chain: Chain | Revm = self.deployment.chain
        self.contracts: dict[str, Contract] = {
            "weth": core.weth,
            "steth": core.steth,
            "wsteth": core.wsteth,
            "strategy": core.wsteth_strategy,
            "strategy_manager": core.strategy_manager,
            "swap_router": core.swap_router,
            "symbiotic_vault": place.vault,
            COORDINATOR: core.rewards_coordinator,
            "lrt_pool": self.deployment.lrt_pool.contract,
            "lst_pool": self.deployment.lst_pool.contract,
            "feed": self.deployment.feed.proxy,
            "feed2": self.second_feed.proxy,
            **{name: getattr(suite, name) for name in suite.addresses()},
            **self.leveraged.tokens,
            LEVERAGED_ZAP: self.leveraged.zap,
            REBALANCER: self.leveraged.rebalancer,
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
        self.names = {address: name for name, address in self.addresses.items()}
        self._functions: dict[tuple[str, int], Function] = {}
        self._domains = {
            name: signing.permit_domain(self.contracts[name])
            for name in (VAULT, BACKSTOP, *LEVERAGED)
        }
        self._updater: str = core.rewards_coordinator.rewardsUpdater()
        self._code = {
            name: bytes.fromhex(
                self.chain.rpc("eth_getCode", (self.contracts[name].address, "latest"))[2:]
            )
            for name in (EIGENLAYER, SYMBIOTIC)
        }

    @classmethod
    def of(cls, deployment: Deployment) -> Deployed:
        """Put on a deployment what comes on top of one."""
        leveraged = deploy_leveraged(deployment)
        return cls(deployment, leveraged, deployment.world.feed("rLRT / WETH, another"))

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
            self.deployment.chain.send_batch(calls)
            self.deployment.chain.set_balance(account, 100 * each)
        self._prepare_scripted(each)
        manager, roles = world.core.delegation_manager, world.roles
        manager.delegateTo(roles.operator, *_NOTHING, sender=roles.stranger)
        for feed in (self.deployment.feed, self.second_feed):
            feed.answer(self.deployment.feed.proxy.latestRoundData()[1])
        self.rounds = {
            "feed": self.deployment.feed.aggregator.latestRound(),
            "feed2": self.second_feed.aggregator.latestRound(),
        }
        self.deployment.chain.set_balance(roles.lido_oracle, 10**6 * each)

    def _prepare_scripted(self, each: int) -> None:
        """Deploy the contract that can be called back, with tokens and approvals."""
        world = self.deployment.world
        made = self.deployment.chain.deploy(artifact("ScriptedCaller"))
        self._call_it(SCRIPTED, made)
        wrong = self.deployment.chain.deploy(artifact("ConstantOracle"), 10**18)
        self._call_it(WRONG_ORACLE, wrong)
        stranger = world.roles.stranger
        world.fund(stranger, weth=each, wsteth=each)
        for token in ("weth", "wsteth"):
            self.contracts[token].transfer(made.address, each, sender=stranger)
        for token, spenders in APPROVED_BY_SCRIPTED.items():
            for spender in spenders:
                data = self.contracts[token].approve.encode(self.addresses[spender], UNLIMITED)
                made.run(self.contracts[token].address, data, sender=stranger)

    def _call_it(self, name: str, contract: Contract) -> None:
        """From now on a contract has this name."""
        self.contracts[name] = contract
        self.addresses[name] = contract.address
        self.names[contract.address] = name

    def model(self) -> Protocol:
        """As it stands before anything was done but to prepare."""
        return origin.of(self)

    # What is done, and what is said

    def send(self, action: Action) -> Outcome:
        """Do it on the chain, in a block of its own."""
        call = self.call(action)
        return self.outcome(action, call, self.chain.run(call, logs=has_callback(action)))

    def outcome(self, action: Action, call: Call, ran: Ran) -> Outcome:
        """What came of it, in the model's words; what it brought into the world is learnt."""
        if ran.failed is not None:
            return Outcome(refused=ran.failed)
        result = None if call.function is None else self._result(action, call.function, ran)
        if action.name == "world.undelegate":
            self._learn_roots()
        elif action.name == "world.answer":
            self.rounds[action.arguments[0]] += 1
        elif action.name == "world.post_rewards":
            self.claims.append(self._tree(action.arguments[0])[1])
        return Outcome(result)

    def advance(self, seconds: int = 0, blocks: int = 1) -> None:
        """Time passes, in the first of so many blocks."""
        self.chain.advance(seconds, blocks)

    @contextmanager
    def isolated(self) -> Iterator[Deployed]:
        """The same to act on; whatever is done there is undone at the end."""
        with self.deployment.chain.isolated():
            yield self.on(self.deployment.chain)

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
                found[name] = self.names.get(value, value) if isinstance(value, str) else value
        return found

    # How

    def _result(self, action: Action, function: Function, ran: Ran) -> Any:
        """What was returned, under the model's names; then what became of a callback's steps."""
        answer = ran.output
        if action.caller == SCRIPTED:
            answer, function = function.decode(answer), self._function_of(action)
        result = self._named(action, function.decode(answer))
        for callback in action.arguments:
            if isinstance(callback, Callback):
                plain = result if isinstance(result, tuple) else (result,)
                return *plain, self._said(callback, ran)
        return result

    def _said(self, callback: Callback, ran: Ran) -> tuple[Outcome, ...]:
        """What became of the steps, as the contract that made them logged it."""
        made = [event.args for event in ran.events if event.name == "Made"]
        outcomes = []
        for step, how in zip(callback.steps, made, strict=True):
            if how["success"]:
                result = self._named(step, self._function_of(step).decode(how["answer"]))
                outcomes.append(Outcome(result))
            else:
                known = self.deployment.chain.interfaces()
                outcomes.append(Outcome(refused=describe_revert(how["answer"], known)))
        return tuple(outcomes)

    def _named(self, action: Action, result: Any) -> Any:
        """A result under the names of the model; what it brought into the world gets its name."""
        if isinstance(result, tuple):
            return tuple(result)
        if action.name == "factory.create_market":
            return self.names.get(result) or self._name_market(result)
        if isinstance(result, int) and self._exits_from_eigenlayer(action):
            self.roots.append(result)
            return len(self.roots) - 1
        return result

    def _name_market(self, address: str) -> str:
        name = f"market{1 + sum(name.startswith(MARKET) for name in self.names.values())}"
        self.addresses[name], self.names[address] = address, name
        return name

    def _revert(self, call: Call) -> Value:
        try:
            answer: Value = self.chain.read(call)
        except Revert as failure:
            return Reverts(failure.reason)
        return answer

    def _resolve(self, value: Any) -> Any:
        """Names become addresses, also inside of what holds several values."""
        if isinstance(value, Callback):
            steps = [
                (self.contracts[step.name.partition(".")[0]].address, self._data(step))
                for step in value.steps
            ]
            told = (value.answer, value.agrees, steps)
            return encode(["uint256", "bool", "(address,bytes)[]"], told)
        if is_dataclass(value) and not isinstance(value, type):
            value = tuple(vars(value).values())
        if isinstance(value, tuple):
            return tuple(map(self._resolve, value))
        return self.addresses.get(value, value) if isinstance(value, str) else value

    def call(self, action: Action) -> Call:
        """The transaction that does it."""
        target, _, _ = action.name.partition(".")
        if target == "world":
            return self._in_world(action)
        arguments = self._arguments(action)
        function = self._function(action.name, len(arguments))
        if action.caller == SCRIPTED:
            run, sender = self.contracts[SCRIPTED].run, self.addresses["stranger"]
            data = function.encode(arguments)
            wrapped: Call = run.build(self.contracts[target].address, data, sender=sender)
            return wrapped
        sender = self.addresses[action.caller]
        return self.contracts[target].build(function, arguments, sender, action.ether)

    def _data(self, action: Action) -> bytes:
        arguments = self._arguments(action)
        return self._function(action.name, len(arguments)).encode(arguments)

    def _function(self, name: str, count: int) -> Function:
        """The one of its name that takes so many arguments."""
        known = self._functions.get((name, count))
        if known is None:
            target, _, function = name.partition(".")
            known = getattr(self.contracts[target], function).of(count)
            self._functions[name, count] = known
        return known

    def _function_of(self, action: Action) -> Function:
        return self._function(action.name, len(self._arguments(action)))

    def _arguments(self, action: Action) -> Sequence[Any]:
        """As the contract takes them."""
        plain = [self._granted(action, said) for said in action.arguments]
        resolved = [self._resolve(value) for value in plain]
        match action.name:
            case "vault.finish_exit" if plain[0] == EIGENLAYER and plain[1] < len(self.roots):
                return [resolved[0], self.roots[plain[1]]]
            case "factory.create_market":
                return [resolved[0], *plain[1:]]
            case "eigenlayer.claim_rewards":
                return [self._claim(plain[0])]
            case "market.set_authorization_by_signature":
                return [*resolved[:-1], self._authorization(plain[-1], resolved[:-1])]
            case "orders.execute":
                return self._order(plain, resolved)
        token, _, function = action.name.partition(".")
        if function == "permit":
            return [*resolved[:4], *self._permit(token, plain[4], resolved)]
        return resolved

    def _granted(self, action: Action, said: Any) -> Any:
        """What the router takes for its caller's grants: a permit is none of them."""
        if not isinstance(said, Grants):
            return said
        owner, router = self.addresses[action.caller], self.addresses[ROUTER]
        words = (owner, router, True, said.nonce, said.deadline)
        signature = self._authorization(said.signer, words)
        nothing = (0, 0, b"")
        return nothing, (said.nonce, said.deadline, signature), said.revoke, nothing

    def _authorization(self, signer: str, message: Sequence[Any]) -> bytes:
        if signer == "nobody":
            return b""
        market = self.contracts[MARKET]
        return signing.authorization(
            self.deployment.chain, market, self.addresses[signer], *message
        )

    def _order(self, plain: Sequence[Any], resolved: Sequence[Any]) -> Sequence[Any]:
        """An order with its signature, and an authorisation if there is one."""
        order, signature = resolved[0], b""
        if plain[1] != "nobody":
            orders, signer = self.contracts[ORDERS], self.addresses[plain[1]]
            signature = signing.order(self.deployment.chain, orders, signer, order)
        if len(plain) == 2:
            return [order, signature]
        nonce, deadline, signer = plain[2]
        given = order[0], self.addresses[ORDERS], True, nonce, deadline
        return [order, signature, (nonce, deadline, self._authorization(signer, given))]

    def _permit(self, token: str, signer: str, said: Sequence[Any]) -> tuple[int, bytes, bytes]:
        owner, spender, amount, deadline, _, nonce = said
        if signer == "nobody":
            return 27, bytes(32), bytes(32)
        message = owner, spender, amount, nonce, deadline
        chain = self.deployment.chain
        return signing.permit(chain, self._domains[token], self.addresses[signer], *message)

    # EigenLayer's rewards

    def _claim(self, root: int) -> RewardsClaim:
        """The adapter's by a root; where there is none, a made-up one."""
        if root < len(self.claims):
            return self.claims[root]
        leaf = EarnerLeaf(self.addresses[EIGENLAYER], bytes(32))
        return RewardsClaim(root, 0, b"", leaf, [], [], [])

    def _tree(self, more: int) -> tuple[bytes, RewardsClaim]:
        """Root and claim after the adapter has earned so much more WETH."""
        earner, weth = self.addresses[EIGENLAYER], self.addresses["weth"]
        earned = self.claims[-1].token_leaves[0].cumulative_earnings if self.claims else 0
        root, claims = rewards_tree({earner: {weth: earned + more}}, len(self.claims))
        return root, claims[earner]

    def _in_world(self, action: Action) -> Call:
        """The transaction of something that happens in the world."""
        what, plain = action.name.partition(".")[2], action.arguments
        sender = self.addresses[action.caller]
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
            call = self._trade(plain, sender)
        elif what == "post_rewards":
            coordinator, until = core.rewards_coordinator, self.chain.timestamp - 1
            updater = self.chain.impersonate(self._updater)
            root = self._tree(plain[0])[0]
            call = coordinator.submitRoot.build(root, until, sender=updater)
        else:
            raise ValueError(f"nothing in the world is called {what}")
        return call

    def on(self, chain: Chain | Revm) -> Deployed:
        """The same as it stands, acted on elsewhere."""
        other = copy(self)
        other.chain = chain
        other.roots, other.rounds, other.claims = [*self.roots], {**self.rounds}, [*self.claims]
        other.contracts, other.addresses = {**self.contracts}, {**self.addresses}
        other.names = {**self.names}
        return other

    def _trade(self, plain: tuple[Any, ...], sender: str) -> Call:
        pools = self.deployment.lrt_pool, self.deployment.lst_pool
        pool = pools[plain[0] == "lst_pool"]
        token = self.addresses[plain[1]]
        token_out = pool.token1 if token == pool.token0 else pool.token0
        terms = (token, token_out, pool.fee_millionths, sender, UNLIMITED, plain[2], 0, plain[3])
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


def has_callback(action: Action) -> bool:
    """Whether its outcome is told by what is logged, too."""
    return any(isinstance(argument, Callback) for argument in action.arguments)
