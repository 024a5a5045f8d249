"""Everything that the model of the protocol is made of, and what ties its parts together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from relever.model import backstop, leveraged_token, market
from relever.model.backstop import BACKSTOP
from relever.model.clock import Clock
from relever.model.eigenlayer import EigenLayer, EigenLayerPosition, Staker
from relever.model.oracle import Feed, Oracle
from relever.model.pool import Pool
from relever.model.queue import QUEUE, Queue
from relever.model.refused import Refused, require
from relever.model.rewards import Rewards
from relever.model.rounding import WAD
from relever.model.rule import Rule
from relever.model.symbiotic import SymbioticPosition, SymbioticVault
from relever.model.tokens import Erc20, StEth, Weth, WstEth, pull, push
from relever.model.vault import Vault

# Who holds tokens and has approved whoever may take them.
PEOPLE = ("depositor", "looper", "borrower", "lender", "liquidator", "stranger", "trader")
# Accounts of contracts, beside those that a part has a name for. The vault is the lrt too.
VAULT, POCKET, ZAP, ROUTER, ORDERS = "vault", "side_pocket", "zap", "router", "orders"
SELLER, FACTORY = "seller", "factory"
# A person has its short name.
LIQUIDATOR = "liquidator_contract"
STRATEGY, SYMBIOTIC_VAULT = "strategy", "symbiotic_vault"
# The leveraged tokens by their symbols, and what turns other tokens into them.
LEVERAGED, LEVERAGED_ZAP = ("rLRT3", "rLRT8"), "leveraged_zap"
# Takes their auctions without capital.
REBALANCER = "rebalancer"
# An oracle whose prices are of other decimals.
WRONG_ORACLE = "wrong_oracle"
# What a lock says: nothing.
LOCKED = ""
# The adapters, in the order in which the vault lists them.
ADAPTERS = EIGENLAYER, SYMBIOTIC = "eigenlayer", "symbiotic"

# Who has positions from the beginning.
BORROWERS = ("borrower", "looper", "trader")


@dataclass(frozen=True)
class Roles:
    """Who may do what, by account; owner, guardian and allocator to begin with."""

    owner: str = "owner"
    guardian: str = "guardian"
    allocator: str = "allocator"
    feed_oracle: str = "feed_oracle"
    lido_oracle: str = "lido_oracle"
    avs: str = "avs"
    resolver: str = "resolver"
    operator: str = "operator"


@dataclass
class Backing:
    """What the oracle asks vault and tokens, answered by their models."""

    books: Vault
    steth: StEth
    wsteth: WstEth

    @property
    def rate(self) -> int:
        return self.books.rate

    @property
    def live_rate(self) -> int:
        return self.books.live_rate

    @property
    def lst_rate(self) -> int:
        return self.steth.rate

    @property
    def expected_back(self) -> int:
        return self.books.pocket.expected

    @property
    def supply(self) -> int:
        return self.books.supply

    @property
    def idle(self) -> int:
        return self.books.idle

    @property
    def held(self) -> int:
        return self.wsteth.balances[VAULT]

    @property
    def readable(self) -> bool:
        return self.books.readable


@dataclass
class Prices:
    """What the market asks the oracle: each question pokes it."""

    oracle: Oracle

    @property
    def fundamental(self) -> int:
        return self.oracle.liquidation_prices[0]

    @property
    def hand_over(self) -> int:
        first, smoothed, usable = self.oracle.liquidation_prices
        return min(first, smoothed) if usable else first

    def price(self) -> int:
        return self.oracle.poke_price()


@dataclass
class TokenMarket(market.Market):
    """The market over tokens that may refuse to be paid, with a lock."""

    weth: Weth = field(kw_only=True)
    lrt: Erc20 = field(kw_only=True)
    # While it calls somebody back.
    locked: bool = False

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Nobody comes in while somebody is; refuses without a word."""
        require(not self.locked, LOCKED)
        self.locked = True
        yield
        self.locked = False

    def adjust(self, *given: Any, **named: Any) -> tuple[int, int]:
        with self.lock():
            return super().adjust(*given, **named)

    def liquidate(self, *given: Any, **named: Any) -> market.Liquidation:
        with self.lock():
            return super().liquidate(*given, **named)

    def _holds(self) -> tuple[int, int]:
        return self.lrt.balances[market.MARKET], self.weth.balances[market.MARKET]

    def _pay_loan(self, caller: str, amount: int) -> None:
        _move(self.weth, caller, amount)

    def _pay_collateral(self, caller: str, amount: int) -> None:
        _move(self.lrt, caller, amount)


def _move(token: Erc20, caller: str, amount: int) -> None:
    """Into the market, or out of it."""
    if amount > 0:
        pull(token, caller, market.MARKET, amount)
    else:
        push(token, market.MARKET, caller, -amount)


@dataclass
class LiveBacking:
    """What backs the LRT, of vault and LST themselves; scaled by 1e36."""

    books: Vault
    steth: StEth

    @property
    def booked(self) -> int:
        return self.books.rate * self.steth.rate

    @property
    def price(self) -> int:
        """As the vault mints; as it has booked while it cannot."""
        try:
            return (self.books.preview_mint(WAD) - 1) * self.steth.rate
        except Refused:
            return self.booked


@dataclass
class MarketToken(leveraged_token.LeveragedToken):
    """A leveraged token over the market, with a lock."""

    market: TokenMarket
    prices: Oracle = field(kw_only=True)
    # While it calls somebody back.
    locked: bool = False

    @property
    def position(self) -> tuple[int, int]:
        """The market says nothing while it is locked."""
        require(not self.market.locked, LOCKED)
        return super().position

    @property
    def debt_share(self) -> int:
        """See `position`."""
        require(not self.market.locked, LOCKED)
        return super().debt_share

    def _market_price(self) -> int:
        return self.prices.price

    def _bring(self, caller: str, collateral: int, loan: int) -> int:
        """It sends the market what that is to get, which pulls nothing then."""
        if loan:
            self.market.weth.transfer_from(self.name, caller, market.MARKET, loan)
        if collateral:
            self.market.lrt.transfer_from(self.name, caller, market.MARKET, collateral)
        return 0


@dataclass
class TokenBackstop(backstop.Backstop):
    """The backstop over tokens that may refuse to be paid."""

    weth: Weth = field(kw_only=True)
    lst_token: WstEth = field(kw_only=True)

    def _take(self, payer: str, assets: int) -> None:
        pull(self.weth, payer, BACKSTOP, assets)

    def _pay(self, receiver: str, assets: int) -> None:
        push(self.weth, BACKSTOP, receiver, assets)

    def _claim(self, claim: int) -> int:
        amount = super()._claim(claim)
        push(self.lst_token, QUEUE, BACKSTOP, amount)
        return amount


@dataclass(frozen=True)
class RewardTerms:
    """How a reward may be sold: by which feed, how old, how far below it (WAD), and where."""

    feed: str
    max_age: int
    max_discount: int
    swap: str


@dataclass
class UsedOrders:
    """Which nonces of whom are used up, and the epochs of those who have cancelled all."""

    used: set[tuple[str, int]] = field(default_factory=set)
    epochs: dict[str, int] = field(default_factory=dict)


@dataclass
class Parts:
    """All models, with one clock."""

    clock: Clock
    roles: Roles
    weth: Weth
    steth: StEth
    wsteth: WstEth
    eigenlayer: EigenLayer
    eigen: EigenLayerPosition
    symbiotic: SymbioticVault
    symbio: SymbioticPosition
    vault: Vault
    queue: Queue
    oracle: Oracle
    market: TokenMarket
    # By symbol.
    leveraged: dict[str, MarketToken]
    backstop: TokenBackstop
    # By name: "lrt_pool" and "lst_pool".
    pools: dict[str, Pool]
    # All feeds, in use or not, by name.
    feeds: dict[str, Feed]
    rewards: Rewards
    # Of vault, seller and factory. Oracle and side pocket ask the vault, the market the factory.
    rules: dict[str, Rule]
    # Of the vault.
    allocator: str
    # Of what the seller may sell, by token.
    reward_terms: dict[str, RewardTerms]
    # Someone else who stakes with the operator.
    neighbour: Staker = field(default_factory=Staker)
    # Whether a market is listed now; the first is the one that the suite is about.
    markets: dict[str, bool] = field(default_factory=lambda: {market.MARKET: True})
    # The next nonce of who has signed permits, by token and account.
    permits: dict[tuple[str, str], int] = field(default_factory=dict)
    orders: UsedOrders = field(default_factory=UsedOrders)
    # All plain tokens by name.
    tokens: dict[str, Erc20] = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = {
            "weth": self.weth,
            "wsteth": self.wsteth,
            VAULT: self.vault.lrt,
            BACKSTOP: self.backstop.shares,
            **{name: token.shares for name, token in self.leveraged.items()},
        }

    @property
    def listed(self) -> bool:
        """Whether the market is."""
        return self.markets[market.MARKET]

    def token(self, name: str) -> Erc20:
        """A plain token by its name."""
        return self.tokens[name]
