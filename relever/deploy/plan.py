"""The plan: which steps, in which order, with which arguments, and what must be true after each.

Each step is one transaction of the deployer, made when its turn comes, and all but the last few go
through the deployer's own `Launcher`. A step whose facts hold already is done, whoever did it:
that, and places that nobody else can take, let a deployment go on after anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import rlp
from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from eth_utils.conversions import to_bytes
from eth_utils.crypto import keccak

from relever.artifacts import Artifact, artifact
from relever.baselayer import parts
from relever.baselayer.uniswap import sqrt_price_x96
from relever.chain import Chain, Contract
from relever.chain.abi import interface
from relever.deploy import facts, suite
from relever.deploy.facts import Difference, Fact, differences
from relever.deploy.settings import DEPLOYER, Settings
from relever.deploy.suite import CONTRACTS, NOBODY, SEED, TOKEN_SERVANTS, SetUp

# Creates by CREATE2 whatever follows a salt, for anybody, at the same address on every chain.
DETERMINISTIC = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
# keccak256 of the creation code of Uniswap v3's pools, which decides where they are.
_POOL_CODE_HASH = bytes.fromhex("e34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54")
WAD = 10**18
# A seed's LRT costs a vault's rate in wstETH, which is one at first: so much more may it be.
_SEED_MARGIN = 1_000
# Lido rounds down what it mints, by a few wei.
_ROUNDING_WEI = 10
_TOKENS = ("weth", "wsteth", "vault", "market")


class PlanError(Exception):
    """A deployment cannot be made with these settings on this chain; says why and what to do."""


@dataclass(frozen=True)
class Transaction:
    """What the deployer sends; `value` in wei."""

    to: str
    data: bytes
    value: int = 0


@dataclass(frozen=True)
class Creation:
    """One contract that a step creates: `code` is creation code with arguments."""

    name: str
    artifact: Artifact
    arguments: tuple[Any, ...]
    code: bytes
    address: str
    salt: bytes | None


@dataclass(frozen=True)
class Step:
    """One transaction.

    Attributes:
        build: makes it, on the state that the steps before have left.
        check: what is not as it should be after it; nothing, and it is done.
    """

    name: str
    build: Callable[[], Transaction]
    check: Callable[[], list[Difference]]
    creation: Creation | None = None


@dataclass
class Plan:
    """A deployment by one account: `book` has every address by name, of the suite before it exists.

    The order of the steps is that of the constructors' needs.
    """

    chain: Chain
    settings: Settings
    deployer: str
    book: dict[str, str] = field(default_factory=dict)
    creations: dict[str, Creation] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._protocol = self.settings.protocol.model_dump()
        self._leveraged = self.settings.leveraged.model_dump()
        # What has no feed yet gets a double: `preflight` has made sure that it may.
        self._doubles_feed = self.settings.base_layer.addresses.feed is None
        roles = self.settings.network.roles.model_dump()
        places = self.settings.base_layer.addresses.model_dump()
        # The adapters do without rewards.
        self.book |= {"rewards_coordinator": NOBODY, "symbiotic_rewards": NOBODY}
        self.book |= {name: place for name, place in places.items() if place is not None}
        self.book |= {
            name: self.deployer if holder == DEPLOYER else holder for name, holder in roles.items()
        }
        made = artifact("Launcher")
        code = made.bytecode + interface(made.abi).constructor.encode((self.deployer,))
        salt = keccak(text=self.settings.network.salt)
        launcher = create2(DETERMINISTIC, salt, code)
        self.launcher = self.chain.contract(launcher, made)
        self.book |= {"launcher": launcher, "seeder": launcher}
        creation = Creation("launcher", made, (self.deployer,), code, launcher, salt)
        self.creations["launcher"] = creation
        self._locate()
        self.steps += self._steps(creation)

    @property
    def owner(self) -> str:
        """Who owns the suite in the end."""
        return self.book["owner"]

    def contract(self, name: str) -> Contract:
        """One of the book's contracts."""
        return self.chain.contract(self.book[name], self._kind(name))

    def facts(self) -> list[Fact]:
        """Everything that must be true in the end."""
        return facts.all_facts(self.book, self._protocol, self._leveraged, self.owner)

    def market_arguments(self) -> tuple[Any, ...]:
        """What the factory is told to make the market of, and its own address before it."""
        return (self.book["factory"], *suite.create_market(self.book, self._protocol).arguments)

    def cost_of_seeds(self) -> int:
        """Ether that becomes WETH and wstETH for the seeds and the first loan, in wei."""
        return self._weth_needed() + self._ether_for_wsteth()

    def _kind(self, name: str) -> Artifact:
        kinds = {**CONTRACTS, **TOKEN_SERVANTS}
        if name in kinds:
            return artifact(kinds[name])
        if name in self._leveraged["tokens"]:
            return artifact("LeveragedToken")
        others: dict[str, Callable[[], Artifact]] = {
            "launcher": lambda: artifact("Launcher"),
            "weth": parts.weth9,
            "wsteth": lambda: artifact("WstETHDouble"),
            "uniswap_factory": lambda: parts.uniswap_core("UniswapV3Factory"),
        }
        return others[name]()

    # Where everything will be

    def _locate(self) -> None:
        """Find every address, each after those that its creation code names."""
        book = self.book
        tokens = self._leveraged["tokens"]
        self._place("vault", "queue", "side_pocket")
        fee = self.settings.network.lrt_pool_fee_millionths
        book["lrt_pool"] = pool_address(book["uniswap_factory"], book["vault"], book["weth"], fee)
        self._place("swap", "seller", "eigenlayer", "symbiotic")
        if self._doubles_feed:
            given = (book["wsteth"], self.deployer)
            self._created("feed", artifact("MarketFeedDouble"), given)
        self._place("oracle")
        blueprint = suite.blueprint_code(artifact("LendingMarket").bytecode)
        self._created("blueprint", artifact("LendingMarket"), (), blueprint)
        self._place("factory")
        # A contract's first creation: ours, since it is made in the transaction that makes it.
        book["market"] = create(book["factory"], 1)
        self._place("router")
        # Each of these two names the other, so that one of them is placed by count alone.
        book["liquidator"] = create(book["launcher"], len(self._launched()) + 2)
        self._place("backstop")
        made = artifact(CONTRACTS["liquidator"])
        arguments = suite.arguments("liquidator", book, self._protocol)
        code = made.bytecode + interface(made.abi).constructor.encode(arguments)
        self.creations["liquidator"] = Creation(
            "liquidator", made, arguments, code, book["liquidator"], None
        )
        self._place("zap", "orders", "lens", "quoter", "outlook")
        for symbol, terms in tokens.items():
            given = suite.token_arguments(symbol, book, terms)
            self._created(symbol, artifact("LeveragedToken"), given)
        given = suite.servant_arguments(book, [book[symbol] for symbol in tokens])
        for name, kind in TOKEN_SERVANTS.items():
            self._created(name, artifact(kind), given)

    def _launched(self) -> list[str]:
        return [name for name in self.creations if name != "launcher"]

    def _place(self, *names: str) -> None:
        for name in names:
            given = suite.arguments(name, self.book, self._protocol)
            self._created(name, artifact(CONTRACTS[name]), given)

    def _created(
        self, name: str, made: Artifact, given: tuple[Any, ...], code: bytes = b""
    ) -> None:
        code = code or made.bytecode + interface(made.abi).constructor.encode(given)
        salt = keccak(text=name)
        address = create2(self.book["launcher"], salt, code)
        self.creations[name] = Creation(name, made, given, code, address, salt)
        self.book[name] = address

    # The steps

    def _steps(self, launcher: Creation) -> list[Step]:
        book, terms, wsteth = self.book, self._protocol, self.contract("wsteth")
        tokens = self._leveraged["tokens"]
        seed_vault = (book["wsteth"], wsteth.approve.encode(book["vault"], SEED))
        seed_backstop = (book["weth"], self.contract("weth").approve.encode(book["backstop"], SEED))
        assert launcher.salt is not None
        first = Transaction(DETERMINISTIC, launcher.salt + launcher.code)
        return [
            Step("launcher", lambda: first, lambda: self._code("launcher"), launcher),
            Step("seeds", self._buy, self._bought),
            self._create("vault", before=[seed_vault]),
            self._create("queue"),
            self._create("side_pocket", suite.set_exits(book), facts.exits_set(book)),
            Step("pool", self._make_pool, self._pool_made),
            self._create("swap"),
            self._create("seller", suite.set_rewards(book, terms), facts.rewards_set(book, terms)),
            self._create("eigenlayer"),
            self._create(
                "symbiotic",
                suite.set_vault_terms(book, terms, suite.ADAPTERS),
                facts.vault_terms_set(book, terms),
            ),
            *([self._create("feed")] if self._doubles_feed else []),
            self._create("oracle"),
            self._create("blueprint"),
            self._create(
                "factory",
                [suite.create_market(book, terms), *suite.open_market(book, terms)],
                facts.born("market", book, terms) + facts.market_open(book, terms),
            ),
            self._create("router"),
            self._create("backstop", before=[seed_backstop]),
            self._create("liquidator"),
            *(self._create(name) for name in ("zap", "orders", "lens", "quoter", "outlook")),
            Step("loan", self._lend, self._lent),
            *(self._create_token(symbol, one) for symbol, one in tokens.items()),
            *(self._create(name) for name in TOKEN_SERVANTS),
            Step("handover", self._hand_over, self._handed_over),
            *(self._accept(name) for name in facts.OWNED if self.owner == self.deployer),
        ]

    def _create(
        self,
        name: str,
        then: Sequence[SetUp] = (),
        after: Sequence[Fact] = (),
        before: Sequence[tuple[str, bytes]] = (),
    ) -> Step:
        creation = self.creations[name]

        def build() -> Transaction:
            if creation.salt is None:
                data = self.launcher.create_next.encode(creation.code)
            else:
                calls = [
                    (
                        self.book[one.target],
                        0,
                        getattr(self.contract(one.target), one.function).encode(*one.arguments),
                    )
                    for one in then
                ]
                first = [(target, 0, data) for target, data in before]
                data = self.launcher.create.encode(creation.salt, creation.code, first, calls)
            return Transaction(self.launcher.address, data)

        def check() -> list[Difference]:
            return self._code(name) or differences(self.contract, [*self._born(name), *after])

        return Step(name, build, check, creation)

    def _born(self, name: str) -> list[Fact]:
        tokens = self._leveraged["tokens"]
        if name in tokens:
            return facts.token_born(name, self.book, tokens[name])
        if name in TOKEN_SERVANTS:
            return facts.servant_born(name, self.book, list(tokens))
        if name == "feed":
            return []
        return facts.born(name, self.book, self._protocol)

    def _create_token(self, symbol: str, terms: dict[str, Any]) -> Step:
        """The launcher mints the seed, and nothing stays approved."""
        seed, wsteth, vault = terms["seed_wei"], self.contract("wsteth"), self.contract("vault")
        before = [
            (wsteth.address, wsteth.approve.encode(vault.address, _seed_cost(seed))),
            (vault.address, vault.mint.encode(seed, self.launcher.address)),
            (wsteth.address, wsteth.approve.encode(vault.address, 0)),
            (vault.address, vault.approve.encode(self.book[symbol], seed)),
        ]
        return self._create(symbol, before=before)

    def _run(self, calls: Sequence[tuple[str, int, bytes]]) -> Transaction:
        value = sum(value for _, value, _ in calls)
        return Transaction(self.launcher.address, self.launcher.run.encode(calls), value)

    def code_at(self, address: str) -> bytes:
        """What stands there now."""
        return bytes.fromhex(self.chain.rpc("eth_getCode", [address, "latest"])[2:])

    def code_digest(self, name: str, time: int) -> str:
        """Of the code that stands there with its immutables, see `code_digest`."""
        kind = artifact("LendingMarket") if name == "market" else self.creations[name].artifact
        runtime = b"" if name == "blueprint" else kind.runtime
        return code_digest(self.code_at(self.book[name]), runtime, time)

    def _code(self, name: str) -> list[Difference]:
        """Whether the creation is at its place; CREATE2's place says what was created there."""
        found = self.code_at(self.book[name])
        return [] if found else [Difference(f"code of {name}", "nothing", "there")]

    # Ether into tokens, and what is made of them

    def _weth_needed(self) -> int:
        return SEED + int(self._leveraged["lent_wei"])

    def _wsteth_needed(self) -> int:
        seeds = (terms["seed_wei"] for terms in self._leveraged["tokens"].values())
        return SEED + sum(_seed_cost(seed) for seed in seeds)

    def _ether_for_wsteth(self) -> int:
        rate: int = self.contract("wsteth").stEthPerToken()
        return -(-(self._wsteth_needed() + _ROUNDING_WEI) * rate // WAD) + _ROUNDING_WEI

    def _buy(self) -> Transaction:
        weth = self.contract("weth")
        return self._run(
            [
                (weth.address, self._weth_needed(), weth.deposit.encode()),
                # What comes as plain ether is staked and wrapped.
                (self.book["wsteth"], self._ether_for_wsteth(), b""),
            ]
        )

    def _bought(self) -> list[Difference]:
        if self.code_at(self.book["vault"]):
            return []  # and partly spent
        needed = {"weth": self._weth_needed(), "wsteth": self._wsteth_needed()}
        return [
            Difference(f"{name} of the launcher", str(found), f"{least} or more")
            for name, least in needed.items()
            if (found := self.contract(name).balanceOf(self.launcher.address)) < least
        ]

    def _pool(self) -> Contract:
        return self.chain.contract(self.book["lrt_pool"], parts.uniswap_core("UniswapV3Pool"))

    def _pool_price(self) -> int:
        """WETH for an LRT, as Uniswap has it."""
        price = self.contract("vault").rate() * self.contract("wsteth").stEthPerToken() // WAD
        first = int(self.book["vault"], 16) < int(self.book["weth"], 16)
        return sqrt_price_x96(price, base_is_token0=first)

    def _make_pool(self) -> Transaction:
        """Anybody may have made it, or set its price: only what is left to do is done."""
        factory, pool, calls = self.contract("uniswap_factory"), self._pool(), []
        if not self.code_at(pool.address):
            fee = self.settings.network.lrt_pool_fee_millionths
            pair = (self.book["vault"], self.book["weth"], fee)
            calls.append((factory.address, 0, factory.createPool.encode(*pair)))
        calls.append((pool.address, 0, pool.initialize.encode(self._pool_price())))
        return self._run(calls)

    def _pool_made(self) -> list[Difference]:
        """It has a price. Not that it is right: an empty pool's price is anybody's to move."""
        pool = self._pool()
        if not self.code_at(pool.address):
            return [Difference("code of the LRT's pool", "nothing", "there")]
        price = pool.slot0()[0]
        return [] if price else [Difference("price of the LRT's pool", "none", "set")]

    def _lend(self) -> Transaction:
        """What the tokens' seeds borrow."""
        weth, market, lent = (
            self.contract("weth"),
            self.contract("market"),
            self._leveraged["lent_wei"],
        )
        return self._run(
            [
                (weth.address, 0, weth.approve.encode(market.address, lent)),
                (market.address, 0, market.deposit.encode(lent, self.launcher.address)),
            ]
        )

    def _lent(self) -> list[Difference]:
        if all(self.code_at(self.book[symbol]) for symbol in self._leveraged["tokens"]):
            return []  # and handed over
        lent, found = self._leveraged["lent_wei"], self.contract("market").totalAssets()
        if found < lent:
            return [Difference("market.totalAssets()", str(found), f"{lent} or more")]
        return []

    def _hand_over(self) -> Transaction:
        """All tokens, and every ownership that is still the launcher's, in one transaction."""
        calls = []
        for name in facts.OWNED:
            owned = self.contract(name)
            if owned.owner() == self.launcher.address and owned.pending_owner() != self.owner:
                calls.append((owned.address, 0, owned.transfer_ownership.encode(self.owner)))
        for name in _TOKENS:
            token = self.contract(name)
            if held := token.balanceOf(self.launcher.address):
                calls.append((token.address, 0, token.transfer.encode(self.owner, held)))
        return self._run(calls)

    def _handed_over(self) -> list[Difference]:
        wrong = []
        for name in facts.OWNED:
            owned = self.contract(name)
            if self.owner not in (owned.owner(), owned.pending_owner()):
                wrong.append(
                    Difference(f"{name}.pending_owner()", owned.pending_owner(), self.owner)
                )
        return wrong

    def _accept(self, name: str) -> Step:
        contract = self.contract(name)
        return Step(
            f"{name} accepted",
            lambda: Transaction(contract.address, contract.accept_ownership.encode()),
            lambda: differences(self.contract, facts.owned(name, self.owner)),
        )


def _seed_cost(seed: int) -> int:
    return seed + seed // _SEED_MARGIN + _ROUNDING_WEI


def code_digest(code: bytes, runtime: bytes, time: int) -> str:
    """keccak256 of a contract's code with its immutables, but for the time of its creation.

    Args:
        runtime: the compiler's, without immutables, which come after it.
        time: of its creation, in seconds: a word that holds it is put at zero.
    """
    tail = code[len(runtime) :]
    words = (tail[at : at + 32] for at in range(0, len(tail), 32))
    own = time.to_bytes(32, "big")
    masked = b"".join(bytes(32) if word == own else word for word in words)
    return "0x" + keccak(code[: len(runtime)] + masked).hex()


def create2(deployer: str, salt: bytes, code: bytes) -> str:
    """Where CREATE2 puts it."""
    packed = b"\xff" + to_bytes(hexstr=deployer) + salt + keccak(code)
    return to_checksum_address(keccak(packed)[12:])


def create(deployer: str, nonce: int) -> str:
    """Where CREATE puts a contract's creation number `nonce`, from 1."""
    return to_checksum_address(keccak(rlp.encode([to_bytes(hexstr=deployer), nonce]))[12:])


def pool_address(factory: str, one: str, other: str, fee_millionths: int) -> str:
    """Where Uniswap v3's factory puts the pool of two tokens."""
    tokens = sorted((one, other), key=lambda token: int(token, 16))
    salt = keccak(encode(["address", "address", "uint24"], [*tokens, fee_millionths]))
    packed = b"\xff" + to_bytes(hexstr=factory) + salt + _POOL_CODE_HASH
    return to_checksum_address(keccak(packed)[12:])
