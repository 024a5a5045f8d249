"""What an invariant is, and what it is told."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress, count
from operator import ne
from typing import TYPE_CHECKING, Any, TypeVar

from relever.fuzz.storage import Layout
from relever.model.callback import Callback
from relever.model.parts import BORROWERS, WRONG_ORACLE
from relever.model.protocol import Action, Outcome, Step

if TYPE_CHECKING:
    from functools import cached_property

    from relever.fuzz.stage import Stage
else:

    class cached_property:
        """As that of `functools`, without the lock that it takes, which costs more than most."""

        def __init__(self, work_out: Callable[[Any], Any]) -> None:
            self._work_out, self._name = work_out, work_out.__name__

        def __get__(self, owner: Any, kind: type) -> Any:
            value = owner.__dict__[self._name] = self._work_out(owner)
            return value


WAD = 10**18
PRICE_SCALE = 10**36
# From an answer of 18 decimals to a price.
FEED_SCALE = 10**18
YEAR = 365 * 86_400
# Virtual parts: of the vault on both sides, and of the market's debt and shares.
VAULT_VIRTUAL = 10**9
MARKET_VIRTUAL = 10**6
# What claims on quarantined adapters are parts of.
WHOLE = 10**36
# Low bits of packed words.
MAX_90, MAX_110, MAX_112 = 2**90 - 1, 2**110 - 1, 2**112 - 1
MAX_32, MAX_40, MAX_64 = 2**32 - 1, 2**40 - 1, 2**64 - 1
MAX_120, MAX_128, MAX_160, MAX_216 = 2**120 - 1, 2**128 - 1, 2**160 - 1, 2**216 - 1

# Balances of each token by account.
WETH, WSTETH, STETH = "weth.balanceOf", "wsteth.erc20.balanceOf", "steth._shares"
LRT, SHARES = "vault.erc20.balanceOf", "market.share_token._balances"
TOKENS = (WETH, WSTETH, STETH, LRT, SHARES)
# Words that more than one group reads.
POSITIONS = "market.positions._positions"
SUPPLY, BORROW, CAPS = "market.totals._supply", "market.totals._borrow", "market.totals._caps"
DELEVERAGED = "market.liquidations._deleveraged"
FUNDS, PROFIT = "vault.vault_books._funds", "vault.vault_books.profit._profit"
BOOKED, QUEUED = "vault.vault_books.booked", "vault.vault_exits.queued_shares"
LIMITS = "vault.vault_limits._limits"
ORDERS_USED, ORDER_EPOCHS = "orders.is_used", "orders.epoch"
REQUEST = "queue._requests."
CLAIM = "side_pocket._claims."

T = TypeVar("T")
_ABSENT: Mapping[Any, tuple[int, int]] = {}


@dataclass(frozen=True)
class Books:
    """One side of the market: assets, and shares of them."""

    assets: int
    shares: int

    def assets_up(self, shares: int) -> int:
        """What shares are worth, rounded up."""
        return -(-shares * (self.assets + 1) // (self.shares + MARKET_VIRTUAL))

    def assets_down(self, shares: int) -> int:
        """The same, rounded down."""
        return shares * (self.assets + 1) // (self.shares + MARKET_VIRTUAL)

    def shares_down(self, assets: int) -> int:
        """Shares that assets buy."""
        return assets * (self.shares + MARKET_VIRTUAL) // (self.assets + 1)

    def shares_up(self, assets: int) -> int:
        """Shares that must be given for assets."""
        return -(-assets * (self.shares + MARKET_VIRTUAL) // (self.assets + 1))


class Look:
    """What the chain says at one moment.

    `sight` is what `Lens.watch` says, with its names, `words` the storage. Tables are by the names
    that `Storage` gives variables: `look.table("weth.balanceOf")` has the balances of all accounts
    in the order of `Facts.accounts`. What more than one invariant asks is worked out once.
    """

    def __init__(self, sight: Any, words: list[int], layout: Layout) -> None:
        self.sight, self.words, self.layout = sight, words, layout
        self.spans, self.keys, self.variables = layout.spans, layout.keys, layout.variables

    def table(self, name: str) -> list[int]:
        """The words of a table."""
        return self.words[self.spans[name]]

    def entries(self, name: str) -> dict[Any, int]:
        """A table by its keys."""
        return dict(zip(self.keys[name], self.words[self.spans[name]], strict=True))

    def entry(self, name: str, key: Hashable) -> int:
        """A word of a table; 0 for a key that nobody has used."""
        first: int = self.spans[name].start
        try:
            return self.words[first + self.keys[name].index(key)]
        except ValueError:
            return 0

    def word(self, name: str) -> int:
        """The word of a variable by itself."""
        at: int = self.spans[name].start
        return self.words[at]

    @property
    def now(self) -> int:
        """The time of the block."""
        time: int = self.sight.time
        return time

    # The market

    @cached_property
    def supplied(self) -> Books:
        """What lenders are owed, with interest until now."""
        return Books(self.sight.state.supply_assets, self.sight.state.supply_shares)

    @cached_property
    def lent(self) -> Books:
        """What borrowers owe, with interest until now."""
        return Books(self.sight.state.borrow_assets, self.sight.state.borrow_shares)

    @cached_property
    def cash(self) -> int:
        """What is not lent out."""
        return (self.word(SUPPLY) & MAX_90) - (self.word(BORROW) & MAX_90)

    @cached_property
    def hand_over(self) -> int:
        """The price at which a liquidation would hand collateral over, scaled by 1e36."""
        prices = self.sight.prices
        fundamental: int = prices.fundamental
        return min(fundamental, prices.smoothed) if prices.usable else fundamental

    @cached_property
    def positions(self) -> dict[str, tuple[int, int]]:
        """Collateral and debt shares by owner."""
        entries = self.entries(POSITIONS).items()
        return {owner: (word & MAX_128, word >> 128) for owner, word in entries}

    def position(self, owner: str) -> tuple[int, int]:
        """Collateral, and debt with interest."""
        collateral, shares = self.positions.get(owner, (0, 0))
        return collateral, self.lent.assets_up(shares)

    # The vault

    @cached_property
    def funds(self) -> tuple[int, int, int]:
        """Idle and staked assets, and how many quarantines there were."""
        word = self.word(FUNDS)
        return word & MAX_120, (word >> 120) & MAX_120, word >> 240

    def locked(self, now: int) -> int:
        """Profit that is still locked at a time, rounded up."""
        word = self.word(PROFIT)
        amount, end, since = word & MAX_128, (word >> 128) & MAX_64, word >> 192
        return -(-amount * (end - now) // (end - since)) if amount and now < end else 0

    @cached_property
    def supply(self) -> int:
        """Of the LRT."""
        return self.word("vault.erc20.totalSupply")

    @cached_property
    def total(self) -> int:
        """Booked assets of the shares now, without what is locked."""
        idle, staked, _ = self.funds
        return idle + staked - min(idle + staked, self.locked(self.now))

    @cached_property
    def expected(self) -> int:
        """What quarantined adapters are still to give back to the shares, each rounded up."""
        if not self.funds[2]:
            return 0
        expected, parts = self.table("side_pocket.expected_of"), "side_pocket.shares_part"
        pairs = zip(expected, self.table(parts), strict=True)
        return sum(-(-amount * part // WHOLE) for amount, part in pairs)

    def shares_worth_down(self, shares: int, total: int) -> int:
        """What LRT is worth in assets, where all of it has so many; rounded down."""
        return shares * (total + VAULT_VIRTUAL) // (self.supply + VAULT_VIRTUAL)

    def shares_worth_up(self, shares: int, total: int) -> int:
        """The same, rounded up."""
        return -(-shares * (total + VAULT_VIRTUAL) // (self.supply + VAULT_VIRTUAL))

    @cached_property
    def booked(self) -> dict[str, int]:
        """What stands in the books by adapter."""
        return self.entries(BOOKED)

    # The oracle

    @cached_property
    def lst_rate(self) -> int:
        """Ether per wstETH, WAD, rounded down."""
        return WAD * self.word("steth._pooled_ether") // self.word("steth._total_shares")

    @cached_property
    def backing(self) -> int:
        """What backs a whole share, a price, without the growth cap."""
        divisor = self.supply + VAULT_VIRTUAL
        rate = WAD * (self.total + VAULT_VIRTUAL) // divisor + self.expected * WAD // divisor
        return rate * self.lst_rate

    @cached_property
    def discount(self) -> tuple[int, int, int, int]:
        """The stored discount, when it was armed, when it was deep, and for how long."""
        word = self.word("oracle.smoothing._smoothing")
        return word & MAX_64, (word >> 64) & MAX_40, (word >> 104) & MAX_40, word >> 144


@dataclass(frozen=True)
class Facts:
    """What does not change: who is who, and the terms of market, oracle, vault and queue.

    `accounts` are the names of all in the order of tables of balances, `places` their indexes,
    `owners` the names of those whose positions the Lens shows, in its order. `names` has the
    account or contract of an address, as the words of storage have it.
    """

    accounts: Sequence[str]
    places: Mapping[str, int]
    owners: Sequence[str]
    names: Mapping[int, str]
    # The market's; then the oracle's immutables by their names.
    terms: Any
    oracle: Mapping[str, int]
    # What other oracles say, by name.
    prices: Mapping[str, int]
    unlock_period: int
    patience: int
    wait: int
    # Of the leveraged tokens, by name: terms, and when they were created.
    leveraged: Mapping[str, Any]
    created: Mapping[str, int]
    # What a fresh sale of the backstop may lose, WAD.
    sale_loss: int

    @classmethod
    def of(cls, stage: Stage) -> Facts:
        """Of a stage."""
        accounts = stage.storage.accounts
        suite, deployed = stage.deployed.deployment.protocol, stage.deployed
        tokens = deployed.leveraged.tokens
        return cls(
            accounts=accounts,
            places={name: index for index, name in enumerate(accounts)},
            owners=BORROWERS,
            names={int(address, 16): name for name, address in deployed.addresses.items()},
            terms=suite.market.terms(),
            oracle={name: getattr(suite.oracle, name)() for name in _ORACLE},
            prices={WRONG_ORACLE: deployed.contracts[WRONG_ORACLE].price()},
            unlock_period=suite.vault.unlock_period(),
            patience=suite.queue.patience(),
            wait=suite.queue.wait(),
            leveraged={name: token.terms() for name, token in tokens.items()},
            created={name: stage.model.parts.leveraged[name].created for name in tokens},
            sale_loss=suite.backstop.SALE_LOSS(),
        )


_ORACLE = (
    *("MAX_GROWTH", "DISCOUNT_SPEED", "MAX_GAP", "DEEP_DISCOUNT", "LASTING_TIME"),
    *("GATE_FLOOR", "GATE_SHARE", "GATE_WINDOW", "MIN_ANSWER", "MAX_ANSWER", "MAX_AGE"),
)


@dataclass(frozen=True)
class Seen:
    """A step, what came of it, and what the chain said before and after.

    Time that passes with a step lies between the two.
    """

    step: Step
    outcome: Outcome
    before: Look
    after: Look
    facts: Facts

    @property
    def action(self) -> Action:
        return self.step.action

    @property
    def done(self) -> bool:
        """Whether it succeeded."""
        return self.outcome.refused is None

    def held(self, token: str, account: str) -> tuple[int, int]:
        """Someone's balance before and after, by the table's name."""
        place = self.facts.places[account]
        return self.before.table(token)[place], self.after.table(token)[place]

    @cached_property
    def inner(self) -> tuple[Action, ...]:
        """What succeeded in the middle of it, by a contract that was called back."""
        return tuple(action for action, _ in self.answered)

    @cached_property
    def answered(self) -> tuple[tuple[Action, Any], ...]:
        """As `inner`, each with what it returned."""
        callback = self.action.arguments[-1] if self.action.arguments else None
        if not isinstance(callback, Callback) or not self.done or not callback.steps:
            return ()
        said = self.outcome.result[-1]
        pairs = zip(callback.steps, said, strict=True)
        return tuple((step, outcome.result) for step, outcome in pairs if outcome.refused is None)

    @cached_property
    def changes(self) -> dict[str, dict[Any, tuple[int, int]]]:
        """The words that are others than before, by variable and key: before, and after."""
        before, after = self.before, self.after
        found: dict[str, dict[Any, tuple[int, int]]] = {}
        if before.variables is after.variables:
            old, new, variables = before.words, after.words, after.variables
            for index in compress(count(), map(ne, old, new)):
                variable, key = variables[index]
                found.setdefault(variable, {})[key] = old[index], new[index]
            return found
        # There are more keys now. What is in one of them only was nothing.
        for variable in after.spans:
            same_keys = before.keys[variable] is after.keys[variable]
            if same_keys and before.table(variable) == after.table(variable):
                continue
            old_words, new_words = before.entries(variable), after.entries(variable)
            changed = {
                key: (old_words.get(key, 0), new_words.get(key, 0))
                for key in {**old_words, **new_words}
                if old_words.get(key, 0) != new_words.get(key, 0)
            }
            if changed:
                found[variable] = changed
        return found

    def once(self, work: Callable[[Seen], T]) -> T:
        """What a function says of this, worked out once for all who ask."""
        if work not in self._known:
            self._known[work] = work(self)
        found: T = self._known[work]
        return found

    @cached_property
    def _known(self) -> dict[Callable[[Seen], Any], Any]:
        return {}

    @property
    def still(self) -> bool:
        """Whether nothing has changed at all, and no time has passed."""
        return not self.changes and self.before.sight[2:] == self.after.sight[2:] and self.at_once()

    def moved(self, variable: str) -> dict[Any, int]:
        """By how much a table's words have changed."""
        changed = self.changes.get(variable, _ABSENT)
        return {key: after - before for key, (before, after) in changed.items()}

    def at_once(self) -> bool:
        """Whether no time passed with the step."""
        return self.before.now == self.after.now


# What is found where the sentence does not hold, and None where it does.
Check = Callable[[Seen], str | None]


@dataclass(frozen=True)
class Invariant:
    """A sentence: `check` says what was found where it does not hold, and None where it does.

    It is about the actions of the given names, or about all; about those that were done, unless it
    is about `refused` ones, or about both where `always` is set. One that `reads` words is asked
    only when some of them have changed, one for `always` only when anything has.
    """

    identifier: str
    sentence: str
    reference: str
    check: Check = field(repr=False)
    actions: frozenset[str] | None = None
    refused: bool = False
    always: bool = False
    reads: frozenset[str] | None = None

    def concerns(self, name: str, done: bool) -> bool:
        """Whether it says anything about an action that was done or not."""
        if self.actions is not None and name not in self.actions:
            return False
        return self.always or done != self.refused


def invariant(
    into: list[Invariant],
    identifier: str,
    sentence: str,
    reference: str,
    actions: Sequence[str] | None = None,
    *,
    refused: bool = False,
    always: bool = False,
    reads: Sequence[str] | None = None,
) -> Callable[[Check], Check]:
    """Registers a check as an invariant."""

    def register(check: Check) -> Check:
        names = None if actions is None else frozenset(actions)
        words = None if reads is None else frozenset(reads)
        into.append(
            Invariant(identifier, sentence, reference, check, names, refused, always, words)
        )
        return check

    return register


def sums(*pairs: tuple[str, int]) -> dict[str, int]:
    """Amounts by account, added up, without those that cancel."""
    found: dict[str, int] = {}
    for account, amount in pairs:
        found[account] = found.get(account, 0) + amount
    return {account: amount for account, amount in found.items() if amount}
