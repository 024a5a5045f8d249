"""What must be true of each contract once it stands, asserted after each step and by `verify`.

Each fact is one getter and the value that parameters and addresses demand of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from relever.chain import Contract, Revert, RpcError
from relever.deploy.suite import (
    ADAPTERS,
    CONTRACTS,
    NOBODY,
    TOKEN_SERVANTS,
    Book,
    Settings,
    arguments,
    market_terms,
    token_terms,
)


@dataclass(frozen=True)
class Fact:
    """`name`'s getter, called with the arguments, answers `expected`."""

    name: str
    getter: str
    expected: Any
    arguments: tuple[Any, ...] = ()

    def __str__(self) -> str:
        given = ", ".join(map(str, self.arguments))
        return f"{self.name}.{self.getter}({given})"


@dataclass(frozen=True)
class Difference:
    """What the chain says, and what it should."""

    what: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.what} is {self.found}, not {self.expected}"


def differences(contracts: Callable[[str], Contract], facts: Iterable[Fact]) -> list[Difference]:
    """Which facts are none; a getter that fails is a difference too. Raises `RpcError`."""
    wrong = []
    for fact in facts:
        try:
            found = getattr(contracts(fact.name), fact.getter)(*fact.arguments)
        except Revert as error:
            wrong.append(Difference(str(fact), f"a revert ({error})", _shown(fact.expected)))
            continue
        except RpcError as error:
            if error.code == 0 and "returned" not in str(error):
                raise
            wrong.append(Difference(str(fact), "no such getter", _shown(fact.expected)))
            continue
        if not same(found, fact.expected):
            wrong.append(Difference(str(fact), _shown(found), _shown(fact.expected)))
    return wrong


def same(found: Any, expected: Any) -> bool:
    """Whether the values are one: structs come as tuples, addresses in any case."""
    if isinstance(expected, tuple | list):
        return (
            isinstance(found, Sequence)
            and len(found) == len(expected)
            and all(same(one, other) for one, other in zip(found, expected, strict=True))
        )
    if isinstance(expected, str) and isinstance(found, str):
        return found.lower() == expected.lower() if expected[:2] == "0x" else found == expected
    return bool(found == expected)


def _shown(value: Any) -> str:
    return str(tuple(value)) if isinstance(value, tuple) else str(value)


def _exit_path(name: str, book: Book) -> list[Fact]:
    places = {"LRT": "vault", "LST": "wsteth", "WETH": "weth"}
    facts = [Fact(name, getter, book[place]) for getter, place in places.items()]
    return [*facts, Fact(name, "SWAP", book["swap"]), Fact(name, "STABLE_SWAP", NOBODY)]


def born(name: str, book: Book, settings: Settings) -> list[Fact]:
    """True of a contract from its creation on."""
    given = () if name in ("market", "blueprint") else arguments(name, book, settings)
    if name == "oracle":
        getters = (
            *("VAULT", "LST", "feed", "SEQUENCER", "MAX_AGE", "MIN_ANSWER", "MAX_ANSWER"),
            *("FEED_AGREEMENT", "FEED_BAND", "SEQUENCER_GRACE", "MAX_GROWTH", "DISCOUNT_SPEED"),
            *("MAX_GAP", "DEEP_DISCOUNT", "LASTING_TIME", "GATE_FLOOR", "GATE_SHARE"),
            "GATE_WINDOW",
        )
        return _of(name, getters, (*given[:4], *given[4]))
    if name in ("router", "liquidator", "orders"):
        facts = [*_exit_path(name, book), Fact(name, "FACTORY", book["factory"])]
        return facts + ([Fact(name, "BACKSTOP", given[6])] if name == "liquidator" else [])
    if name == "zap":
        return _exit_path(name, book)[:3]
    if name == "market":
        market = settings["market"]
        return [
            Fact(name, "FACTORY", book["factory"]),
            Fact(name, "terms", market_terms(book, settings)),
            Fact(name, "name", market["name"]),
            Fact(name, "symbol", market["symbol"]),
            Fact("factory", "is_market", True, (book["market"],)),
        ]
    return _of(name, _GETTERS.get(name, ()), given)


# Getters of what the constructor takes, in its order; None for what has none.
_GETTERS: dict[str, tuple[str | None, ...]] = {
    "vault": (
        *("asset", "name", "symbol", "allocator", "guardian", "unlock_period", "deposit_cap"),
        None,
    ),
    "queue": ("vault", "patience", "wait"),
    "side_pocket": ("vault",),
    "seller": ("vault", "weth", "exit_swap", "guardian"),
    "eigenlayer": (
        *("vault", "strategy", "delegation_manager", "strategy_manager", "operator"),
        *("rewards_coordinator", "rewards_seller"),
    ),
    "symbiotic": ("vault", "symbiotic_vault", "staker_rewards", "rewards_seller"),
    "factory": ("BLUEPRINT", "guardian"),
    "backstop": (
        *("LRT", "asset", "FACTORY", "SWAP", "LIQUIDATOR", "name", "symbol", "discount"),
        *("SALE_LOSS", None, None),
    ),
    "quoter": ("ROUTER",),
}


def _of(name: str, getters: Sequence[str | None], values: Sequence[Any]) -> list[Fact]:
    pairs = zip(getters, values, strict=False)
    return [Fact(name, getter, value) for getter, value in pairs if getter is not None]


def exits_set(book: Book) -> list[Fact]:
    return [
        Fact("vault", "queue", book["queue"]),
        Fact("vault", "side_pocket", book["side_pocket"]),
    ]


def rewards_set(book: Book, settings: Settings) -> list[Fact]:
    terms = (NOBODY, 0, settings["rewards"]["max_discount_wad"], NOBODY)
    return [Fact("seller", "terms", terms, (book["weth"],))]


def vault_terms_set(book: Book, settings: Settings) -> list[Fact]:
    terms = settings["vault"]
    facts = [
        Fact("vault", "adapter_count", len(ADAPTERS)),
        Fact("vault", "exit_terms", (terms["exit_buffer_wei"], terms["max_exit_fee_wad"])),
        Fact("vault", "performance_fee", terms["performance_fee_wad"]),
        Fact("vault", "fee_recipient", book["treasury"]),
    ]
    for index, name in enumerate(ADAPTERS):
        caps = (terms[f"{name}_cap_wei"], terms[f"{name}_share_cap_wad"])
        facts += [
            Fact("vault", "adapter_at", book[name], (index,)),
            Fact("vault", "adapter_caps", caps, (book[name],)),
        ]
    return facts


def market_open(book: Book, settings: Settings) -> list[Fact]:
    market = settings["market"]
    caps = (market["supply_cap_wei"], market["borrow_cap_wei"], market["fee_wad"])
    return [
        Fact("market", "caps", caps),
        Fact("factory", "is_listed", True, (book["market"],)),
    ]


def token_born(symbol: str, book: Book, terms: Settings) -> list[Fact]:
    """Of a leveraged token."""
    return [
        Fact(symbol, "market", book["market"]),
        Fact(symbol, "name", terms["name"]),
        Fact(symbol, "symbol", symbol),
        Fact(symbol, "terms", token_terms(book, terms)),
    ]


def servant_born(name: str, book: Book, symbols: Sequence[str]) -> list[Fact]:
    """Of what serves the leveraged tokens."""
    served = [Fact(name, "serves", True, (book[symbol],)) for symbol in symbols]
    return _exit_path(name, book) + served


def owned(name: str, owner: str) -> list[Fact]:
    """Owned, and offered to nobody else."""
    return [Fact(name, "owner", owner), Fact(name, "pending_owner", NOBODY)]


# Whose owner can be changed, and is whoever created them at first.
OWNED = ("vault", "factory", "seller")


def all_facts(book: Book, settings: Settings, leveraged: Settings, owner: str) -> list[Fact]:
    """Everything that a finished deployment must answer, handed over to `owner`."""
    facts = [fact for name in CONTRACTS for fact in born(name, book, settings)]
    facts += exits_set(book) + rewards_set(book, settings) + vault_terms_set(book, settings)
    facts += market_open(book, settings)
    for symbol, terms in leveraged["tokens"].items():
        facts += token_born(symbol, book, terms)
    for name in TOKEN_SERVANTS:
        facts += servant_born(name, book, list(leveraged["tokens"]))
    return facts + [fact for name in OWNED for fact in owned(name, owner)]
