"""Every word of storage of the suite and its tokens, and what the model says stands in it.

The packing of each word is the contract's, as its module documents it; slots come from the
compiler. What EigenLayer, Symbiotic, Chainlink and Uniswap keep is seen through the Lens instead.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from eth_utils.crypto import keccak

from relever.model.backstop import BACKSTOP, MAX_CLAIMS
from relever.model.market import FEE_STEP, MARKET, Losses
from relever.model.oracle import Feed
from relever.model.parts import (
    ADAPTERS,
    FACTORY,
    LEVERAGED,
    ORDERS,
    PEOPLE,
    POCKET,
    SELLER,
    SYMBIOTIC,
    VAULT,
    WRONG_ORACLE,
    Parts,
)
from relever.model.profit import LockedProfit
from relever.model.queue import QUEUE
from relever.model.tokens import NOBODY, UNLIMITED

# A contract's address, and one of its slots.
Place = tuple[str, int]
Slots = Mapping[str, Mapping[str, int]]

# WETH9 is in Solidity, which hashes a mapping's slot after its key.
_SOLIDITY = {"weth": {"balanceOf": 3, "allowance": 4}}
# Nothing ever comes to these.
_NO_HOLDERS = (
    *("feed", "feed2", "lens", "quoter", "outlook", "swap_router", "strategy_manager"),
    *("guardian", "allocator", "keeper", "operator", "avs", "resolver"),
    *("feed_oracle", "lido_oracle", "base_admin", WRONG_ORACLE),
)
_HALF, _TIME, _MARK = 1 << 128, 1 << 32, 1 << 23
# Of `vault_books.Standing`.
_LISTED, _QUARANTINED = 1, 2
_REQUEST = (
    *("controller", "requested_at", "exits_before", "shares", "assets"),
    *("claimable_shares", "claimable_assets"),
)
_CLAIM = ("part", "owed", "counted")
_EXIT = ("receiver", "shares", "worth")
_TERMS = ("feed", "max_age", "max_discount", "swap")
_PEOPLE = frozenset(PEOPLE)
# What may be a reward.
_REWARDS = ["weth", "wsteth", "steth", VAULT]


def _stands(key: tuple[str, str], amount: int) -> bool:
    """Whether an allowance is a contract's and unlimited: spending does not use it up."""
    return amount == UNLIMITED and key[1] not in _PEOPLE


@dataclass
class Section:
    """Words of one contract that are found by keys of one kind; for variables by themselves, which
    have no `variable` in common, the keys are their names.

    `values` gives the words in the order of the keys, `place` the slot of a key.
    """

    contract: str
    variable: str
    keys: Callable[[Parts], Sequence[Hashable]]
    values: Callable[[Parts], list[int]]
    place: Callable[[Any], int]
    # Whether the keys are always the same.
    fixed: bool = False
    # Of a mapping to structs: a table for each of these.
    fields: tuple[str, ...] = ()
    known: Sequence[Hashable] = ()
    # Of the known keys: each word's place, and its variable and key.
    places: list[Place] = field(default_factory=list)
    variables: list[tuple[str, Hashable]] = field(default_factory=list)

    def know(self, keys: Sequence[Hashable], address: str) -> None:
        """These are the keys now."""
        self.known = keys
        if self.fields:
            each = [(index, key) for index in range(len(self.fields)) for key in keys]
            self.places = [(address, self.place(key)) for key in each]
            self.variables = [(self.table(self.fields[index]), key) for index, key in each]
            return
        self.places = [(address, self.place(key)) for key in keys]
        if self.variable:
            self.variables = [(self.table(), key) for key in keys]
        else:
            self.variables = [(f"{self.contract}.{key}", None) for key in keys]

    def table(self, field: str = "") -> str:
        """What a table is called."""
        return f"{self.contract}.{self.variable}{'.' if field else ''}{field}"


@dataclass(frozen=True)
class Layout:
    """Where all words stand: their places, each variable's words among them, a table's keys, and
    the variable and key of each word.
    """

    places: list[Place]
    spans: dict[str, slice]
    keys: dict[str, Sequence[Hashable]]
    variables: list[tuple[str, Hashable]]

    def name(self, index: int) -> str:
        """What the word of that index is called."""
        table, key = self.variables[index]
        if key is None:
            return table
        said = ", ".join(map(str, key)) if isinstance(key, tuple) else str(key)
        return f"{table}[{said}]"


class Storage:
    """The words of one deployment. Parts that the model comes to know are added by themselves."""

    def __init__(
        self, addresses: Mapping[str, str], slots: Slots, but_unlimited: bool = False
    ) -> None:
        """Addresses by the model's names, and each contract's slots by variable.

        Args:
            but_unlimited: whether to leave out unlimited allowances of contracts: a third of all
                words, which only an approval can change.
        """
        self._addresses = addresses
        self._but_unlimited = but_unlimited
        self._numbers = {name: int(address, 16) for name, address in addresses.items()}
        # All that have a name, in the order in which tables of balances have them.
        self.accounts = [name for name in addresses if name not in _NO_HOLDERS]
        self._slots = {**slots, **_SOLIDITY}
        self._sections = [
            *self._vault(),
            *self._queue(),
            *self._pocket(),
            *self._oracle(),
            *self._market(),
            *self._tokens(),
            *self._backstop(),
            *[section for name in LEVERAGED for section in self._leveraged(name)],
            *self._others(),
        ]
        # Made anew when there is more.
        self._layout: Layout | None = None
        # Contracts of which every word is known here.
        self.covered = {addresses[s.contract] for s in self._sections}

    def expected(self, parts: Parts) -> tuple[Layout, list[int]]:
        """Where all words stand, and what the model says each of them is."""
        words: list[int] = []
        first = self._layout is None
        changed = first
        for section in self._sections:
            if first or not section.fixed:
                keys = section.keys(parts)
                if first or keys != section.known:
                    section.know(keys, self._addresses[section.contract])
                    changed = True
            words += section.values(parts)
        if changed or self._layout is None:
            self._layout = self._laid_out()
        return self._layout, words

    def _laid_out(self) -> Layout:
        found = Layout([], {}, {}, [])
        for section in self._sections:
            start = len(found.places)
            found.places.extend(section.places)
            found.variables.extend(section.variables)
            if not section.variable:
                for index, (name, _) in enumerate(section.variables, start):
                    found.keys[name] = (None,)
                    found.spans[name] = slice(index, index + 1)
                continue
            for one in section.fields or ("",):
                name = section.table(one)
                found.keys[name] = section.known
                found.spans[name] = slice(start, start + len(section.known))
                start += len(section.known)
        return found

    def learn(self, name: str, address: str) -> None:
        """A contract that was made has this address."""
        self._numbers[name] = int(address, 16)

    # How variables and tables are found

    def _plain(self, contract: str, values: Mapping[str, Callable[[Parts], int]]) -> Section:
        """Variables by themselves, whose names are the keys."""
        slots, names, functions = self._slots[contract], list(values), list(values.values())

        def words(parts: Parts) -> list[int]:
            return [function(parts) for function in functions]

        return Section(contract, "", lambda _: names, words, slots.__getitem__, fixed=True)

    def _table(
        self,
        contract: str,
        variable: str,
        keys: Callable[[Parts], Sequence[Hashable]],
        values: Callable[[Parts], list[int]],
        beyond: int = 0,
    ) -> Section:
        """A mapping; keys of several parts are one mapping in another."""
        slot = self._slots[contract][variable]

        @cache
        def place(key: Hashable) -> int:
            at = slot
            for part in key if isinstance(key, tuple) else (key,):
                number = self._numbers[part] if isinstance(part, str) else part
                at = _hash(number, at) if contract in _SOLIDITY else _hash(at, number)
            return at + beyond

        return Section(contract, variable, keys, values, place)

    def _array(
        self, contract: str, variable: str, bound: int, values: Callable[[Parts], list[int]]
    ) -> Section:
        """A list: its length, and its places; what was taken off its end is still in its place."""
        slot, beyond = self._slots[contract][variable], [_ANY] * bound
        every, of_length = list(range(bound + 1)), [list(range(n + 1)) for n in range(bound + 1)]

        def words(parts: Parts) -> list[int]:
            found = values(parts)
            rest = [] if self._but_unlimited else beyond[len(found) :]
            return [len(found), *found, *rest]

        def keys(parts: Parts) -> list[int]:
            return of_length[len(values(parts))] if self._but_unlimited else every

        return Section(contract, variable, keys, words, lambda key: slot + key)

    def _struct(
        self,
        contract: str,
        variable: str,
        fields: Sequence[str],
        values: Callable[[Parts], Sequence[int]],
    ) -> Section:
        """A variable of several words, by their names."""
        slot, places = self._slots[contract][variable], {f: n for n, f in enumerate(fields)}
        keys = list(fields)
        return Section(
            contract,
            variable,
            lambda _: keys,
            lambda p: list(values(p)),
            lambda key: slot + places[key],
            fixed=True,
        )

    def _records(
        self,
        contract: str,
        variable: str,
        fields: Sequence[str],
        keys: Callable[[Parts], Sequence[Hashable]],
        values: Callable[[Parts], Sequence[tuple[int, ...]]],
    ) -> Section:
        """A mapping to structs: all keys of the first field, then of the next."""
        table = self._table(contract, variable, keys, lambda _: [])

        def columns(parts: Parts) -> list[int]:
            return [word for column in zip(*values(parts), strict=True) for word in column]

        def place(key: tuple[int, Hashable]) -> int:
            index, of = key
            return table.place(of) + index

        return Section(contract, variable, keys, columns, place, fields=tuple(fields))

    def _held(
        self, contract: str, variable: str, of: Callable[[Parts], Mapping[str, int]]
    ) -> Section:
        """Balances, or positions, of all accounts that have a name."""
        accounts = self.accounts

        def values(parts: Parts) -> list[int]:
            get = of(parts).get
            return [get(account, 0) for account in accounts]

        section = self._table(contract, variable, lambda _: accounts, values)
        section.fixed = True
        return section

    def _allowed(
        self, contract: str, variable: str, of: Callable[[Parts], Mapping[tuple[str, str], int]]
    ) -> Section:
        if self._but_unlimited:
            # Of the keys that were asked for last, which is just before.
            found: list[tuple[tuple[str, str], int]] = []

            def keys(parts: Parts) -> list[tuple[str, str]]:
                found[:] = [entry for entry in of(parts).items() if not _stands(*entry)]
                return [key for key, _ in found]

            return self._table(contract, variable, keys, lambda _: [word for _, word in found])
        return self._table(
            contract, variable, lambda p: list(of(p)), lambda p: list(of(p).values())
        )

    def _number(self, name: str) -> int:
        return self._numbers[name]

    # Contracts

    def _vault(self) -> list[Section]:
        def shares(parts: Parts) -> dict[str, int]:
            return parts.vault.lrt.balances

        def listed(parts: Parts) -> list[int]:
            adapters = parts.vault.adapters
            return [self._numbers[n] for n, a in adapters.items() if not a.in_quarantine]

        number, adapters = self._number, list(ADAPTERS)
        plain: dict[str, Callable[[Parts], int]] = {
            "erc20.totalSupply": lambda p: p.vault.supply,
            "exit_fee._terms": lambda p: p.vault.exit_fee.buffer + p.vault.exit_fee.most * _HALF,
            "vault_limits._limits": lambda p: _timed(
                p.vault.deposit_cap, p.vault.paused_until, p.vault.pause_again_from
            ),
            "vault_books.profit._profit": lambda p: _profit(p.vault.profit),
            "vault_books.performance_fee.performance_fee": lambda p: p.vault.performance_fee.part,
            "vault_books.performance_fee.fee_recipient": lambda p: number(
                p.vault.performance_fee.recipient or NOBODY
            ),
            "vault_books.performance_fee.unrecovered_loss": (
                lambda p: p.vault.performance_fee.missing
            ),
            "vault_books.performance_fee._charged": lambda p: _timed(
                p.vault.performance_fee.charged, p.vault.performance_fee.since, 0
            ),
            "vault_books._funds": lambda p: (
                p.vault.idle + (p.vault.staked << 120) + (len(p.vault.pocket.adapters) << 240)
            ),
            "vault_exits.queued_shares": lambda p: p.vault.queued,
            "vault_exits.queue_exits": lambda p: p.vault.queue_exits,
        }
        return [
            self._plain(VAULT, plain),
            self._array(VAULT, "vault_books._adapters", len(adapters), listed),
            self._table(
                VAULT,
                "vault_limits._adapter_caps",
                lambda _: adapters,
                lambda p: [a.cap + a.share_cap * _HALF for a in p.vault.adapters.values()],
            ),
            self._table(
                VAULT,
                "vault_books.booked",
                lambda _: adapters,
                lambda p: [a.booked for a in p.vault.adapters.values()],
            ),
            self._table(
                VAULT,
                "vault_books._standing",
                lambda _: adapters,
                lambda p: [
                    _QUARANTINED if a.in_quarantine else _LISTED for a in p.vault.adapters.values()
                ],
            ),
            self._held(VAULT, "erc20.balanceOf", shares),
            self._allowed(VAULT, "erc20.allowance", lambda p: p.vault.lrt.allowances),
            self._nonces(VAULT),
        ]

    def _queue(self) -> list[Section]:
        number = self._number

        def requests(parts: Parts) -> list[tuple[int, ...]]:
            return [
                (
                    *(number(r.controller), r.time, r.exits_before, r.shares, r.worth),
                    *(r.claimable_shares, r.claimable),
                )
                for r in parts.queue.requests.values()
            ]

        plain: dict[str, Callable[[Parts], int]] = {
            "head": lambda p: p.queue.head,
            "next_id": lambda p: p.queue.next_id,
            "set_aside": lambda p: p.queue.set_aside,
        }
        return [
            self._plain(QUEUE, plain),
            self._records(QUEUE, "_requests", _REQUEST, lambda p: list(p.queue.requests), requests),
            self._flags(QUEUE, "isOperator", lambda p: p.queue.operators),
        ]

    def _flags(
        self, contract: str, variable: str, of: Callable[[Parts], Collection[Hashable]]
    ) -> Section:
        """A mapping to whether: of all that were ever set."""
        ever: dict[Hashable, None] = {}

        def keys(parts: Parts) -> list[Hashable]:
            ever.update(dict.fromkeys(sorted(of(parts), key=str)))
            return list(ever)

        def values(parts: Parts) -> list[int]:
            now = of(parts)
            return [1 if key in now else 0 for key in ever]

        return self._table(contract, variable, keys, values)

    def _pocket(self) -> list[Section]:
        def of(value: Callable[[Any], int]) -> Callable[[Parts], list[int]]:
            return lambda p: [value(a) for a in p.vault.pocket.adapters.values()]

        def keys(parts: Parts) -> list[str]:
            return list(parts.vault.pocket.adapters)

        def claims(parts: Parts) -> list[tuple[str, str]]:
            return [(n, who) for n, a in parts.vault.pocket.adapters.items() for who in a.claims]

        def claimed(parts: Parts) -> list[tuple[int, int, int]]:
            # Up to which returns a claim of nothing is counted means nothing.
            return [
                (claim.part, claim.owed, claim.counted if claim.part or claim.owed else _ANY)
                for adapter in parts.vault.pocket.adapters.values()
                for claim in adapter.claims.values()
            ]

        number = self._number
        return [
            self._array(POCKET, "_adapters", len(ADAPTERS), lambda p: [*map(number, keys(p))]),
            self._table(POCKET, "owed_of", keys, of(lambda a: a.owed)),
            self._table(POCKET, "expected_of", keys, of(lambda a: a.expected)),
            self._table(POCKET, "shares_part", keys, of(lambda a: a.shares_part)),
            self._table(POCKET, "returned", keys, of(lambda a: a.returned)),
            self._records(POCKET, "_claims", _CLAIM, claims, claimed),
        ]

    def _oracle(self) -> list[Section]:
        def feed(found: Feed | None) -> int:
            return self._number(found.name) | (found.decimals << 160) if found else 0

        def proposed(parts: Parts) -> int:
            oracle = parts.oracle
            return feed(oracle.proposed) | (oracle.proposed_at << 168)

        def former(parts: Parts) -> int:
            oracle = parts.oracle
            return feed(oracle.former) | (oracle.replaced_at << 168)

        def used(parts: Parts) -> int:
            oracle = parts.oracle
            return feed(oracle.feed) | (oracle.dead_at << 168) | (oracle.dead_time << 208)

        def smoothing(parts: Parts) -> int:
            state = parts.oracle.discount
            clocks = (state.armed_at << 64) | (state.deep_at << 104) | (state.deep_time << 144)
            return state.wad | clocks

        def sight(parts: Parts) -> int:
            gate = parts.oracle.gate
            return gate.accepted | (gate.seen << 112) | (gate.time % _TIME << 224)

        plain: dict[str, Callable[[Parts], int]] = {
            "cap._checkpoint": lambda p: (
                p.oracle.checkpoint.ratio | (p.oracle.checkpoint.time << 216)
            ),
            "cap._proposal": lambda p: (
                p.oracle.checkpoint_proposal.ratio | (p.oracle.checkpoint_proposal.time << 216)
            ),
            "gate._sight": sight,
            "replacement._used": used,
            "replacement._proposed": proposed,
            "replacement._former": former,
            "smoothing._smoothing": smoothing,
        }
        return [self._plain("oracle", plain)]

    def _market(self) -> list[Section]:
        def supply(parts: Parts) -> int:
            market = parts.market
            books = market.books
            return (
                books.supply.assets
                | (books.supply.shares << 90)
                | (books.updated % _TIME << 200)
                | (_mark(market.losses) << 232)
            )

        def borrow(parts: Parts) -> int:
            market = parts.market
            books, fee = market.books, market.caps.fee // FEE_STEP
            pool = books.borrow
            return pool.assets | (pool.shares << 90) | (books.rate_code << 200) | (fee << 232)

        def keys(parts: Parts) -> list[str]:
            return list(parts.market.positions)

        plain: dict[str, Callable[[Parts], int]] = {
            "totals._supply": supply,
            "totals._borrow": borrow,
            "totals._caps": lambda p: p.market.caps.supply + p.market.caps.borrow * _HALF,
            "_requested": lambda p: p.market.requested[0] | (p.market.requested[1] << 112),
        }

        def position(parts: Parts) -> dict[str, int]:
            positions = parts.market.positions
            return {n: x.collateral + x.debt_shares * _HALF for n, x in positions.items()}

        return [
            self._plain(MARKET, plain),
            self._held(MARKET, "positions._positions", position),
            self._table(
                MARKET,
                "liquidations._deleveraged",
                keys,
                lambda p: [
                    x.deleveraged | (x.deleveraged_at << 112) for x in p.market.positions.values()
                ],
            ),
            self._held(MARKET, "share_token._balances", lambda p: p.market.shares),
            self._allowed(MARKET, "share_token._allowances", lambda p: p.market.allowances),
            self._flags(MARKET, "authorization._authorized", lambda p: p.market.managers),
            self._table(
                MARKET,
                "authorization._nonces",
                lambda p: list(p.market.nonces),
                lambda p: list(p.market.nonces.values()),
            ),
        ]

    def _tokens(self) -> list[Section]:
        supply: dict[str, Callable[[Parts], int]] = {
            "erc20.totalSupply": lambda p: sum(p.wsteth.balances.values()),
        }
        steth: dict[str, Callable[[Parts], int]] = {
            "_total_shares": lambda p: p.steth.total_shares,
            "_pooled_ether": lambda p: p.steth.pooled,
        }
        return [
            self._held("weth", "balanceOf", lambda p: p.weth.balances),
            self._allowed("weth", "allowance", lambda p: p.weth.allowances),
            self._plain("wsteth", supply),
            self._held("wsteth", "erc20.balanceOf", lambda p: p.wsteth.balances),
            self._allowed("wsteth", "erc20.allowance", lambda p: p.wsteth.allowances),
            self._plain("steth", steth),
            self._held("steth", "_shares", lambda p: p.steth.shares),
            self._allowed("steth", "allowance", lambda p: p.steth.allowances),
        ]

    def _shares(self, contract: str) -> list[Section]:
        """A share token of snekmate's; its supply tells whether nobody else has any."""

        def held(parts: Parts) -> Mapping[str, int]:
            return parts.tokens[contract].balances

        return [
            self._plain(contract, {"erc20.totalSupply": lambda p: sum(held(p).values())}),
            self._table(
                contract,
                "erc20.balanceOf",
                lambda p: list(held(p)),
                lambda p: list(held(p).values()),
            ),
            self._allowed(contract, "erc20.allowance", lambda p: p.tokens[contract].allowances),
            self._nonces(contract),
        ]

    def _nonces(self, contract: str) -> Section:
        """Of those who have signed permits."""
        return self._table(
            contract,
            "erc20.nonces",
            lambda p: [who for token, who in p.permits if token == contract],
            lambda p: [nonce for (token, _), nonce in p.permits.items() if token == contract],
        )

    def _backstop(self) -> list[Section]:
        def claims(parts: Parts) -> list[int]:
            """Every request that was ever the pool's."""
            requests = parts.queue.requests.items()
            return [number for number, request in requests if request.controller == BACKSTOP]

        def costs(parts: Parts) -> list[int]:
            return [parts.backstop.claims.get(number, 0) for number in claims(parts)]

        def exits(parts: Parts) -> list[tuple[int, ...]]:
            found = parts.backstop.exits.values()
            return [(self._numbers[one.receiver], one.shares, one.worth) for one in found]

        plain: dict[str, Callable[[Parts], int]] = {
            "book.profit._profit": lambda p: _profit(p.backstop.profit),
            "book.lst_sale.lst": lambda p: p.backstop.wsteth,
            "book.lst_sale.lst_cost": lambda p: p.backstop.wsteth_cost,
            "book.lst_sale.lst_since": lambda p: p.backstop.wsteth_since,
            "book.cash": lambda p: p.backstop.cash,
            "book.unqueued": lambda p: p.backstop.unqueued,
            "book.unqueued_cost": lambda p: p.backstop.unqueued_cost,
            "line.head": lambda p: p.backstop.head,
            "line.next_id": lambda p: p.backstop.next_id,
            "line.waiting_shares": lambda p: p.backstop.waiting_shares,
            "line.waiting_worth": lambda p: p.backstop.waiting_worth,
            "line.least_rate": lambda p: p.backstop.least_rate,
            "terms.discount": lambda p: p.backstop.terms.discount,
            "terms.paused_until": lambda p: p.backstop.paused_until,
            "terms.pause_again_from": lambda p: p.backstop.pause_again_from,
        }
        return [
            *self._shares(BACKSTOP),
            self._plain(BACKSTOP, plain),
            self._array(BACKSTOP, "book._claims", MAX_CLAIMS, lambda p: p.backstop.order),
            self._table(BACKSTOP, "book.claim_cost", claims, costs),
            self._records(BACKSTOP, "line._exits", _EXIT, lambda p: list(p.backstop.exits), exits),
        ]

    def _leveraged(self, name: str) -> list[Section]:
        def auction(parts: Parts) -> int:
            begun = parts.leveraged[name].auction
            return begun[0] | (begun[1] << 64) if begun else 0

        plain: dict[str, Callable[[Parts], int]] = {
            "management_fee._booked": lambda p: p.leveraged[name].fee_booked,
            "leverage_target._stepped": lambda p: p.leveraged[name].stepped,
            "rebalance_auction._auction": auction,
            "rebalance_auction._paid": lambda p: (
                p.leveraged[name].counted | (p.leveraged[name].counted_at << 128)
            ),
        }
        return [
            *self._shares(name),
            self._plain(name, plain),
            self._struct(
                name,
                "leverage_target._checkpoint",
                ("collateral", "debt", "time"),
                lambda p: p.leveraged[name].checkpointed,
            ),
        ]

    def _others(self) -> list[Section]:
        number = self._number

        def markets(parts: Parts) -> list[str]:
            return list(parts.markets)

        def listed(parts: Parts) -> set[Hashable]:
            return {name for name in markets(parts) if parts.markets[name]}

        def terms(parts: Parts) -> list[tuple[int, ...]]:
            found = parts.reward_terms
            return [
                (number(t.feed), t.max_age, t.max_discount, number(t.swap)) if t else (0,) * 4
                for t in (found.get(reward) for reward in _REWARDS)
            ]

        return [
            self._rule(VAULT, "vault_limits.guardian"),
            self._plain(VAULT, {"vault_limits.allocator": lambda p: number(p.allocator)}),
            self._flags(ORDERS, "is_used", lambda p: p.orders.used),
            self._table(
                ORDERS,
                "epoch",
                lambda p: list(p.orders.epochs),
                lambda p: list(p.orders.epochs.values()),
            ),
            self._rule(SELLER, "guardian"),
            self._records(SELLER, "terms", _TERMS, lambda _: _REWARDS, terms),
            self._rule(FACTORY, "guardian"),
            self._table(FACTORY, "is_market", markets, lambda p: [1] * len(markets(p))),
            self._flags(FACTORY, "is_listed", listed),
            self._array(SYMBIOTIC, "_open_exits", 8, lambda p: list(p.symbio.open_exits)),
            # Written, but told by nothing in the model.
            self._unsaid(SELLER, "_unit", lambda _: _REWARDS),
            self._unsaid(FACTORY, "was_listed", markets),
        ]

    def _unsaid(
        self, contract: str, variable: str, keys: Callable[[Parts], Sequence[Hashable]]
    ) -> Section:
        """Of a table, that these may be written; where a word costs a question, none is asked."""
        if self._but_unlimited:
            return self._table(contract, variable, lambda _: (), lambda _: [])
        return self._table(contract, variable, keys, lambda p: [_ANY] * len(keys(p)))

    def _rule(self, contract: str, guardian: str) -> Section:
        """Owner, who may become it, and guardian."""
        number = self._number
        return self._plain(
            contract,
            {
                "ownable.owner": lambda p: number(p.rules[contract].owner),
                "ownable_2step.pending_owner": lambda p: number(p.rules[contract].pending),
                guardian: lambda p: number(p.rules[contract].guardian),
            },
        )


# A word that nobody reads any more.
_ANY = -1


def differences(
    layout: Layout, words: Sequence[int], expected: Sequence[int]
) -> dict[str, tuple[int, int]]:
    """The words that are not what they should be, by name: found, and expected."""
    return {
        layout.name(index): (found, right)
        for index, (found, right) in enumerate(zip(words, expected, strict=True))
        if found != right and right != _ANY
    }


def _profit(profit: LockedProfit) -> int:
    return _timed(profit.amount, profit.until, profit.since) if profit.amount else 0


def _mark(losses: Losses) -> int:
    """When the losses will have faded, in steps, and whether they were much; see `loss_halt`."""
    return losses.faded % _MARK | (_MARK if losses.halt else 0) if losses.faded else 0


def _timed(amount: int, first: int, second: int) -> int:
    return amount | (first << 128) | (second << 192)


@cache
def _hash(first: int, second: int) -> int:
    return int.from_bytes(keccak(first.to_bytes(32, "big") + second.to_bytes(32, "big")), "big")
