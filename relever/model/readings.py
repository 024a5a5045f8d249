"""What the contracts must say of themselves: each view of theirs, and the variables it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any, NamedTuple

from relever.model import interest
from relever.model.backstop import BACKSTOP
from relever.model.market import MARKET
from relever.model.oracle import Oracle
from relever.model.parts import POCKET, SELLER, VAULT, MarketToken, Parts
from relever.model.queue import QUEUE
from relever.model.refused import Refused
from relever.model.rounding import WAD
from relever.model.tokens import NOBODY, UNLIMITED
from relever.model.vault import Findings

AMOUNTS = (1, 10**9 + 7, 10**15, 7 * 10**17 + 3, 10**18, 9 * 10**18 + 1, 123 * 10**18, 10**22)


class Reverts(str):
    """In place of a variable: the view must revert with this reason."""


Value = int | str | bool | Reverts


class View(NamedTuple):
    """A call that changes nothing; accounts and contracts by name."""

    contract: str
    function: str
    arguments: tuple[Any, ...] = ()


class Reading(NamedTuple):
    """A view, the names of what it answers, and what that must be."""

    view: View
    names: tuple[str, ...]
    values: tuple[Value, ...]


def of(parts: Parts) -> Iterator[Reading]:
    """Everything that there is to see."""
    yield from _vault(parts)
    yield from _adapters(parts)
    yield from _queue(parts)
    yield from _pocket(parts)
    yield from _oracle(parts)
    yield from _market(parts)
    yield from _backstop(parts)
    for name, token in parts.leveraged.items():
        yield from _leveraged(name, token, _some(parts))
    yield from _tokens(parts)
    for name, pool in parts.pools.items():
        state = (pool.sqrt_price, pool.tick)
        yield _several(name, "slot0", (), state, ("sqrt_price", "tick"))
        yield _one(name, "liquidity", (), pool.in_range)
    for name, listed in parts.markets.items():
        yield _one("factory", "is_listed", (name,), listed)
    yield from _rules(parts)


def _one(contract: str, function: str, arguments: tuple[Any, ...], value: Value) -> Reading:
    """A view with one answer, which is named after it."""
    return Reading(*_named(contract, function, arguments, ("",)), (value,))


def _several(
    contract: str,
    function: str,
    arguments: tuple[Any, ...],
    values: tuple[Value, ...],
    names: tuple[str, ...],
) -> Reading:
    """A view with several answers, of which the first are these."""
    return Reading(*_named(contract, function, arguments, names), values)


@cache
def _named(
    contract: str, function: str, arguments: tuple[Any, ...], names: tuple[str, ...]
) -> tuple[View, tuple[str, ...]]:
    """A view and what its answers are called: its own name, and theirs where they are several."""
    said = f"({', '.join(map(str, arguments))})" if arguments else ""
    front = f"{contract}.{function}{said}"
    view = View(contract, function, arguments)
    return view, tuple(f"{front}.{name}" if name else front for name in names)


def _or_reverts(
    contract: str, function: str, arguments: tuple[Any, ...], ask: Callable[[], int]
) -> Reading:
    """A view that may revert."""
    try:
        value: Value = ask()
    except Refused as refusal:
        value = Reverts(str(refusal))
    return _one(contract, function, arguments, value)


def _several_or_reverts(
    contract: str,
    function: str,
    arguments: tuple[Any, ...],
    ask: Callable[[], tuple[Value, ...]],
    names: tuple[str, ...],
) -> Reading:
    """See `_several` and `_or_reverts`."""
    try:
        values = ask()
    except Refused as refusal:
        return _one(contract, function, arguments, Reverts(str(refusal)))
    return _several(contract, function, arguments, values, names)


def _some(parts: Parts) -> int:
    """What some amount would fetch is asked: one of a few, so that its name is known."""
    return AMOUNTS[(parts.clock.time + parts.clock.block) % len(AMOUNTS)]


def _rules(parts: Parts) -> Iterator[Reading]:
    for name, rule in parts.rules.items():
        yield _one(name, "owner", (), rule.owner)
        yield _one(name, "pending_owner", (), rule.pending)
        yield _one(name, "guardian", (), rule.guardian)
    yield _one(VAULT, "allocator", (), parts.allocator)
    for (token, owner), nonce in parts.permits.items():
        yield _one(token, "nonces", (owner,), nonce)
    of_terms = ("feed", "max_age", "max_discount", "swap")
    for token, terms in parts.reward_terms.items():
        values = terms.feed, terms.max_age, terms.max_discount, terms.swap
        yield _several(SELLER, "terms", (token,), values, of_terms)


def _vault(parts: Parts) -> Iterator[Reading]:
    vault = parts.vault
    plain: dict[str, Value] = {
        "idle": vault.idle,
        "totalAssets": vault.total_assets,
        "totalSupply": vault.supply,
        "locked_profit": vault.locked,
        "rate": vault.rate,
        "queued_shares": vault.queued,
        "queue_exits": vault.queue_exits,
        "unrecovered_loss": vault.performance_fee.missing,
        "performance_fee": vault.performance_fee.part,
        "fee_recipient": vault.performance_fee.recipient,
        "deposit_cap": vault.deposit_cap,
        "paused_until": vault.paused_until,
        "pause_again_from": vault.pause_again_from,
        "adapter_count": len(vault.listed),
        "had_quarantine": bool(vault.pocket.adapters),
        "expected_back": vault.pocket.expected,
    }
    for function, value in plain.items():
        yield _one(VAULT, function, (), value)
    terms = vault.exit_fee.buffer, vault.exit_fee.most
    yield _several(VAULT, "exit_terms", (), terms, ("buffer", "most"))
    amount = _some(parts)
    live: dict[tuple[str, tuple[Any, ...]], Callable[[Findings], int]] = {
        ("live_rate", ()): lambda found: found.leaving.assets_down(WAD),
        ("live_total_assets", (False,)): partial(vault.live_total, False),
        ("live_total_assets", (True,)): partial(vault.live_total, True),
        ("previewDeposit", (amount,)): partial(vault.preview_deposit, amount),
        ("previewMint", (amount,)): partial(vault.preview_mint, amount),
        ("previewWithdraw", (amount,)): partial(vault.preview_withdraw, amount),
        ("previewRedeem", (amount,)): partial(vault.preview_redeem, amount),
    }
    try:
        found = vault.look()
    except Refused as refusal:
        for function, arguments in live:
            yield _one(VAULT, function, arguments, Reverts(str(refusal)))
        return
    for (function, arguments), ask in live.items():
        yield _one(VAULT, function, arguments, ask(found))


def _adapters(parts: Parts) -> Iterator[Reading]:
    for name, adapter in parts.vault.adapters.items():
        yield _one(VAULT, "booked", (name,), adapter.booked)
        yield _one(VAULT, "in_quarantine", (name,), adapter.in_quarantine)
        caps = adapter.cap, adapter.share_cap
        yield _several(VAULT, "adapter_caps", (name,), caps, ("cap", "share_cap"))
        if adapter.answers:
            position = adapter.position
            yield _one(name, "total_assets", (), position.total_assets)
            yield _one(name, "exiting", (), position.exiting)
            yield _one(name, "value_at_risk", (), position.value_at_risk)


def _queue(parts: Parts) -> Iterator[Reading]:
    queue = parts.queue
    yield _one(QUEUE, "head", (), queue.head)
    yield _one(QUEUE, "next_id", (), queue.next_id)
    yield _one(QUEUE, "set_aside", (), queue.set_aside)
    for number, request in queue.requests.items():
        values = (
            *(request.controller, request.time, request.exits_before, request.shares),
            *(request.worth, request.claimable_shares, request.claimable),
        )
        names = (
            *("controller", "time", "exits_before", "shares"),
            *("worth", "claimable_shares", "claimable"),
        )
        yield _several(QUEUE, "request", (number,), values, names)
    for account, operator in queue.operators:
        yield _one(QUEUE, "isOperator", (account, operator), True)


def _pocket(parts: Parts) -> Iterator[Reading]:
    for name, adapter in parts.vault.pocket.adapters.items():
        yield _one(POCKET, "owed_of", (name,), adapter.owed)
        yield _one(POCKET, "expected_of", (name,), adapter.expected)
        yield _one(POCKET, "shares_part", (name,), adapter.shares_part)
        for account, claim in adapter.claims.items():
            yield _one(POCKET, "claim_of", (name, account), claim.part)
            yield _one(POCKET, "claimable", (name, account), adapter.claimable(account))


def _oracle(parts: Parts) -> Iterator[Reading]:
    oracle = parts.oracle
    discount, checkpoint = oracle.discount, oracle.checkpoint
    plain: dict[str, Value] = {
        "fundamental": oracle.fundamental,
        "growth_cap": oracle.cap,
        "discount": discount.wad,
        "checkpoint_ratio": checkpoint.ratio,
        "checkpoint_time": checkpoint.time,
        "proposed_ratio": oracle.checkpoint_proposal.ratio,
        "proposed_time": oracle.checkpoint_proposal.time,
    }
    for function, value in plain.items():
        yield _one("oracle", function, (), value)
    yield _or_reverts("oracle", "price", (), lambda: oracle.price)
    prices = ("fundamental", "smoothed", "usable")
    yield _several("oracle", "liquidation_prices", (), oracle.liquidation_prices, prices)
    clocks = (discount.wad, discount.armed_at, discount.deep_at, discount.deep_time)
    of_clocks = ("discount", "armed_at", "deep_at", "deep_time")
    yield _several("oracle", "discount_state", (), clocks, of_clocks)
    yield _several("oracle", "supply_gate", (), _gate(oracle), ("open", "level", "capacity"))
    feeds = (
        *(oracle.feed.name, oracle.dead_at, oracle.dead_time),
        *(oracle.proposed.name if oracle.proposed else NOBODY, oracle.proposed_at),
        *(oracle.former.name if oracle.former else NOBODY, oracle.replaced_at),
    )
    of_feeds = ("used", "dead_at", "dead_time", "proposed", "proposed_at", "former", "replaced_at")
    yield _several("oracle", "feeds", (), feeds, of_feeds)


def _gate(oracle: Oracle) -> tuple[bool, int, int]:
    vault = oracle.vault
    opened, level, capacity = oracle.gate.answer(vault.supply, oracle.clock.time)
    return opened and vault.held >= vault.idle, level, capacity


def _market(parts: Parts) -> Iterator[Reading]:
    market = parts.market
    books = market.accrued()[0]
    supply, borrow = books.supply, books.borrow
    totals = (
        *(supply.assets, supply.shares, borrow.assets, borrow.shares),
        *(books.rate_code, books.updated),
    )
    names = (
        *("supply_assets", "supply_shares", "borrow_assets", "borrow_shares"),
        *("rate_code", "updated"),
    )
    yield _several(MARKET, "state", (), totals, names)
    caps = market.caps
    of_caps = ("supply", "borrow", "fee")
    yield _several(MARKET, "caps", (), (caps.supply, caps.borrow, caps.fee), of_caps)
    yield _one(MARKET, "halted_until", (), market.halted_until)
    rate = interest.borrow_rate(books.rate_code, borrow.assets, supply.assets)
    yield _one(MARKET, "borrow_rate", (), rate)
    yield _one(MARKET, "maxDeposit", (MARKET,), market.max_deposit())
    for owner, position in market.positions.items():
        debt = borrow.assets_up(position.debt_shares)
        values = position.collateral, debt
        yield _several(MARKET, "position", (owner,), values, ("collateral", "debt"))
    for owner, shares in market.shares.items():
        yield _one(MARKET, "balanceOf", (owner,), shares)
    for (owner, spender), allowed in market.allowances.items():
        yield _one(MARKET, "allowance", (owner, spender), allowed)
    for owner, manager in market.managers:
        yield _one(MARKET, "is_authorized", (owner, manager), True)
    for owner, nonce in market.nonces.items():
        yield _one(MARKET, "nonces", (owner,), nonce)


def _backstop(parts: Parts) -> Iterator[Reading]:
    pool, amount = parts.backstop, _some(parts)
    yield _one(BACKSTOP, "totalAssets", (), pool.booked)
    yield _one(BACKSTOP, "locked_profit", (), pool.locked)
    yield _one(BACKSTOP, "free_cash", (), pool.free)
    asked: dict[tuple[str, tuple[Any, ...]], Callable[[], int]] = {
        ("low_assets", ()): lambda: pool.low,
        ("quote", (amount,)): lambda: pool.quote(amount),
        ("previewDeposit", (amount,)): lambda: pool.joining.shares_down(amount),
        ("previewMint", (amount,)): lambda: pool.joining.assets_up(amount),
        ("previewWithdraw", (amount,)): lambda: pool.low_price.shares_up(amount),
        ("previewRedeem", (amount,)): lambda: pool.low_price.assets_down(amount),
    }
    for (function, arguments), ask in asked.items():
        yield _or_reverts(BACKSTOP, function, arguments, ask)
    most: dict[str, Callable[[], int]] = {
        "maxDeposit": pool.max_deposit,
        "maxMint": pool.max_mint,
        "maxWithdraw": lambda: pool.max_withdraw("lender"),
        "maxRedeem": lambda: pool.max_redeem("lender"),
    }
    for function, ask in most.items():
        try:
            yield _one(BACKSTOP, function, ("lender",), ask())
        except Refused:
            yield _one(BACKSTOP, function, ("lender",), 0)


def _leveraged(name: str, token: MarketToken, amount: int) -> Iterator[Reading]:
    plain: dict[str, Value] = {
        "totalSupply": token.supply,
        "leverage": token.leverage,
        "equity": token.equity,
        "faded_loss": token.loss,
    }
    for function, value in plain.items():
        yield _one(name, function, (), value)
    yield _several(name, "band", (), token.band, ("least", "target", "most"))
    opened = ("is_open", "lowers", "bid", "price", "most")
    yield _several_or_reverts(name, "auction", (), token.open_auction, opened)
    asked = ("collateral", "debt")
    for function, ask in (
        ("preview_mint", token.preview_mint),
        ("preview_redeem", token.preview_redeem),
    ):
        yield _several_or_reverts(name, function, (amount,), partial(ask, amount), asked)


def _tokens(parts: Parts) -> Iterator[Reading]:
    for name, token in parts.tokens.items():
        for owner, balance in token.balances.items():
            yield _one(name, "balanceOf", (owner,), balance)
        for (owner, spender), allowed in token.allowances.items():
            # Others' tokens, and most of these are never used up.
            if allowed != UNLIMITED:
                yield _one(name, "allowance", (owner, spender), allowed)
    steth = parts.steth
    yield _one("steth", "getTotalPooledEther", (), steth.pooled)
    yield _one("steth", "getTotalShares", (), steth.total_shares)
    for owner, shares in steth.shares.items():
        yield _one("steth", "sharesOf", (owner,), shares)
    for (owner, spender), allowed in steth.allowances.items():
        if allowed != UNLIMITED:
            yield _one("steth", "allowance", (owner, spender), allowed)
