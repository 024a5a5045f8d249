"""Access: who may do what, and that nothing else changes what only that may change."""

from __future__ import annotations

from functools import partial

from relever.fuzz.invariants.base import (
    CAPS,
    DELEVERAGED,
    FUNDS,
    LIMITS,
    MAX_112,
    ORDER_EPOCHS,
    ORDERS_USED,
    POSITIONS,
    PROFIT,
    QUEUED,
    REQUEST,
    SUPPLY,
    Invariant,
    Look,
    Seen,
    invariant,
)
from relever.fuzz.invariants.leveraged import REBALANCES
from relever.fuzz.invariants.market import LIQUIDATIONS, ROUTED
from relever.model.backstop import BACKSTOP
from relever.model.parts import LEVERAGED, LEVERAGED_ZAP, REBALANCER

INVARIANTS: list[Invariant] = []
_rule = partial(invariant, INVARIANTS)

_OWNER, _PENDING = "ownable.owner", "ownable_2step.pending_owner"
_RULED = ("vault", "seller", "factory")
_GUARDIANS = {
    "vault": "vault.vault_limits.guardian",
    "seller": "seller.guardian",
    "factory": "factory.guardian",
}
_ALLOCATOR = "vault.vault_limits.allocator"

# Tokens with permits.
_PERMITS = ("vault", BACKSTOP, *LEVERAGED)
_ALLOWANCES = {
    "weth.allowance": "weth",
    "steth.allowance": "steth",
    "market.share_token._allowances": "market",
    **{f"{name}.erc20.allowance": name for name in ("wsteth", *_PERMITS)},
}

# By whom each privileged function may be called: by words that have the role, or by contracts.
_OF_OWNER = {contract: (f"{contract}.{_OWNER}",) for contract in _RULED}
_OF_BOTH = {contract: (f"{contract}.{_OWNER}", _GUARDIANS[contract]) for contract in _RULED}
_MAY: dict[str, tuple[str, ...]] = {
    **{
        f"{contract}.{name}": _OF_OWNER[contract]
        for contract in _RULED
        for name in ("transfer_ownership", "set_guardian")
    },
    **{f"{contract}.accept_ownership": (f"{contract}.{_PENDING}",) for contract in _RULED},
    **{
        f"vault.{name}": _OF_OWNER["vault"]
        for name in (
            *("set_allocator", "add_adapter", "set_exits", "set_exit_fee"),
            "set_performance_fee",
        )
    },
    **{
        f"vault.{name}": _OF_BOTH["vault"]
        for name in ("pause", "set_deposit_cap", "set_adapter_caps", "quarantine")
    },
    "vault.allocate": (_ALLOCATOR,),
    "vault.deallocate": (_ALLOCATOR,),
    "seller.set_terms": _OF_OWNER["seller"],
    "seller.remove_token": _OF_BOTH["seller"],
    "factory.list_market": _OF_OWNER["factory"],
    "factory.delist_market": _OF_BOTH["factory"],
    "market.set_caps": _OF_BOTH["factory"],
    "market.request_fees": _OF_OWNER["factory"],
    "market.collect_fees": _OF_OWNER["factory"],
    "oracle.accept_supply": _OF_OWNER["vault"],
    "oracle.propose_feed": _OF_OWNER["vault"],
    "oracle.cancel_feed_proposal": _OF_BOTH["vault"],
    "oracle.roll_back_feed": (_GUARDIANS["vault"],),
    "side_pocket.lower_expectation": _OF_OWNER["vault"],
    "backstop.set_discount": _OF_OWNER["factory"],
    "backstop.pause": _OF_BOTH["factory"],
    # Contracts call these, in the middle of something; nobody else ever does.
    **{
        name: ()
        for name in (
            *("vault.join_queue", "vault.settle_queue", "vault.pass_claim", "vault.pull_back"),
            *("side_pocket.open", "side_pocket.leave", "side_pocket.share_out"),
            *(
                f"{adapter}.{name}"
                for adapter in ("eigenlayer", "symbiotic")
                for name in ("stake", "start_exit", "finish_exit")
            ),
            *("swap.uniswapV3SwapCallback", "router.on_adjust", "liquidator.on_liquidate"),
            *("liquidator.try_sale", "orders.on_adjust", "orders.try_sale", "backstop.buy"),
            *(f"{helper}.on_leveraged" for helper in (LEVERAGED_ZAP, REBALANCER)),
            *(f"{name}.on_adjust" for name in LEVERAGED),
        )
    },
}

_ENTERED = (f"{LEVERAGED_ZAP}.enter", f"{LEVERAGED_ZAP}.leave")
_IN_KIND = (*(f"{name}.{what}" for name in LEVERAGED for what in ("mint", "redeem")), *_ENTERED)
_ZAPPED = (*_ENTERED, f"{REBALANCER}.take")
_MOVED = (*_IN_KIND, *REBALANCES)
# What books adapters, and so changes the vault's funds, profit and fee.
_BOOKS = frozenset(
    (
        *("vault.deposit", "vault.mint", "vault.withdraw", "vault.redeem", "vault.sync"),
        *("vault.pay_rewards", "vault.allocate", "vault.finish_exit", "vault.quarantine"),
        *("vault.set_performance_fee", "zap.deposit", *ROUTED),
        *("liquidator.liquidate", "liquidator.liquidate_many", "orders.execute", "seller.sell"),
        *("queue.requestRedeem", "queue.cancel", "backstop.enqueue", *_ZAPPED),
        *("queue.finalize", "queue.pull_back"),
    )
)
_POKES = frozenset(
    (
        *("market.borrow", "market.adjust", "market.withdraw_collateral", "market.liquidate"),
        *(*ROUTED, "liquidator.liquidate", "liquidator.liquidate_many", "oracle.poke"),
        *("oracle.poke_price", "oracle.poke_liquidation_prices", "oracle.replace_feed", *_MOVED),
    )
)
_POSITIONS = frozenset(
    (
        *("market.borrow", "market.repay", "market.adjust", "market.supply_collateral"),
        *("market.withdraw_collateral", *ROUTED, "orders.execute", *LIQUIDATIONS, *_MOVED),
    )
)
_ACCRUES = _POSITIONS | {
    f"market.{name}"
    for name in ("deposit", "mint", "withdraw", "redeem", "accrue", "set_caps", "request_fees")
}
_ASKS = frozenset(("queue.requestRedeem", "router.close_to_queue", "backstop.enqueue"))
_REQUESTS = _ASKS | {"queue.cancel", "queue.finalize"}
_QUARANTINES = frozenset(("vault.quarantine", "vault.add_adapter"))
_LEAVES = frozenset(
    (
        *("vault.withdraw", "vault.redeem", "queue.finalize", "side_pocket.claim"),
        *("side_pocket.hand_over", "router.close", "router.close_to_queue"),
        *("liquidator.liquidate", "liquidator.liquidate_many", "orders.execute", *_ZAPPED),
    )
)
_LIQUIDATOR = ("liquidator.liquidate", "liquidator.liquidate_many")
_JOINED = ("backstop.deposit", "backstop.mint", "backstop.withdraw", "backstop.redeem")
_ENQUEUED = frozenset(("backstop.enqueue", *_LIQUIDATOR))
_HARVESTED = frozenset(("backstop.harvest",))
_RECOVERED = _HARVESTED | {"backstop.recover"}
_ASKED = frozenset(("backstop.request_exit",))
_SERVED = _ASKED | {"backstop.serve"}
# By which actions each variable may change. Balances and allowances have rules of their own.
_CHANGED_BY: dict[str, frozenset[str]] = {
    "vault.erc20.totalSupply": _BOOKS,
    "vault.exit_fee._terms": frozenset(("vault.set_exit_fee",)),
    LIMITS: frozenset(("vault.pause", "vault.set_deposit_cap")),
    PROFIT: _BOOKS,
    FUNDS: _BOOKS,
    QUEUED: _REQUESTS,
    "vault.vault_books.performance_fee.performance_fee": frozenset(("vault.set_performance_fee",)),
    "vault.vault_books.performance_fee.fee_recipient": frozenset(("vault.set_performance_fee",)),
    "vault.vault_books.performance_fee.unrecovered_loss": _BOOKS,
    "vault.vault_books.performance_fee._charged": _BOOKS,
    "vault.vault_exits.queue_exits": frozenset(("vault.deallocate", "queue.pull_back")),
    "vault.vault_books._adapters": _QUARANTINES,
    "vault.vault_books._standing": _QUARANTINES,
    "vault.vault_books.booked": _BOOKS,
    "vault.vault_limits._adapter_caps": frozenset(("vault.set_adapter_caps", "vault.add_adapter")),
    "queue.head": frozenset(("queue.finalize", "queue.pull_back")),
    "queue.next_id": _ASKS,
    "queue.set_aside": frozenset(("queue.finalize", "queue.claim", "backstop.harvest")),
    "queue.isOperator": frozenset(("queue.setOperator",)),
    **{REQUEST + name: _ASKS for name in ("controller", "requested_at", "exits_before")},
    **{REQUEST + name: _REQUESTS for name in ("shares", "assets")},
    **{
        REQUEST + name: frozenset(("queue.finalize", "queue.claim", "backstop.harvest"))
        for name in ("claimable_shares", "claimable_assets")
    },
    "side_pocket._adapters": frozenset(("vault.quarantine",)),
    "side_pocket.owed_of": frozenset(("vault.quarantine", "vault.finish_exit")),
    "side_pocket.expected_of": frozenset(
        ("vault.quarantine", "vault.finish_exit", "side_pocket.lower_expectation")
    ),
    "side_pocket.returned": frozenset(("vault.finish_exit",)),
    "side_pocket.shares_part": _LEAVES | {"vault.quarantine"},
    **{f"side_pocket._claims.{name}": _LEAVES for name in ("part", "owed", "counted")},
    "oracle.cap._checkpoint": frozenset(("oracle.promote_checkpoint",)),
    "oracle.cap._proposal": frozenset(("oracle.propose_checkpoint", "oracle.promote_checkpoint")),
    "oracle.gate._sight": _POKES | {"oracle.accept_supply"},
    "oracle.smoothing._smoothing": _POKES | {"oracle.roll_back_feed"},
    "oracle.replacement._used": _POKES | {"oracle.roll_back_feed"},
    "oracle.replacement._proposed": frozenset(
        ("oracle.propose_feed", "oracle.cancel_feed_proposal", "oracle.replace_feed")
    ),
    "oracle.replacement._former": frozenset(("oracle.replace_feed", "oracle.roll_back_feed")),
    SUPPLY: _ACCRUES,
    "market.totals._borrow": _ACCRUES,
    CAPS: frozenset(("market.set_caps",)),
    "market._requested": frozenset(("market.request_fees", "market.collect_fees")),
    POSITIONS: _POSITIONS,
    DELEVERAGED: frozenset(LIQUIDATIONS),
    "market.authorization._authorized": frozenset(
        f"market.{name}"
        for name in (
            *("set_authorization", "renounce_authorization"),
            "set_authorization_by_signature",
        )
    )
    | {"orders.execute", *ROUTED},
    "market.authorization._nonces": frozenset(
        (
            *("market.set_authorization", "market.set_authorization_by_signature"),
            *("orders.execute", *ROUTED),
        )
    ),
    ORDERS_USED: frozenset(("orders.execute", "orders.cancel")),
    ORDER_EPOCHS: frozenset(("orders.cancel_all",)),
    **{f"{name}.erc20.nonces": frozenset((f"{name}.permit",)) for name in _PERMITS},
    "backstop.erc20.totalSupply": frozenset((*_JOINED, "backstop.serve")),
    "backstop.book.profit._profit": _RECOVERED | set(_LIQUIDATOR),
    "backstop.book.cash": frozenset((*_JOINED, *_LIQUIDATOR, "backstop.serve", *_HARVESTED)),
    **{f"backstop.book.{name}": _ENQUEUED for name in ("unqueued", "unqueued_cost")},
    **{
        f"backstop.book.{name}": _HARVESTED | {"backstop.enqueue"}
        for name in ("_claims", "claim_cost")
    },
    **{f"backstop.book.lst_sale.{name}": _RECOVERED for name in ("lst", "lst_cost", "lst_since")},
    "backstop.line.head": frozenset(("backstop.serve",)),
    **{f"backstop.line.{name}": _ASKED for name in ("next_id", "least_rate", "_exits.receiver")},
    **{
        f"backstop.line.{name}": _SERVED
        for name in ("waiting_shares", "waiting_worth", "_exits.shares", "_exits.worth")
    },
    "backstop.terms.discount": frozenset(("backstop.set_discount",)),
    **{
        f"backstop.terms.{name}": frozenset(("backstop.pause",))
        for name in ("paused_until", "pause_again_from")
    },
    **{
        f"{name}.{word}": frozenset((f"{name}.accrue_fee", *_IN_KIND))
        for name in LEVERAGED
        for word in ("management_fee._booked", "erc20.totalSupply")
    },
    **{
        f"{name}.leverage_target.{word}": frozenset((f"{name}.checkpoint",))
        for name in LEVERAGED
        for word in ("_stepped", "_checkpoint")
    },
    **{
        f"{name}.rebalance_auction._auction": frozenset((f"{name}.start_auction", *REBALANCES))
        for name in LEVERAGED
    },
    **{f"{name}.rebalance_auction._paid": frozenset(REBALANCES) for name in LEVERAGED},
    "factory.is_listed": frozenset(("factory.list_market", "factory.delist_market")),
    "factory.is_market": frozenset(("factory.create_market",)),
    **{
        f"seller.terms.{name}": frozenset(("seller.set_terms", "seller.remove_token"))
        for name in ("feed", "max_age", "max_discount", "swap")
    },
    **{f"{contract}.{_OWNER}": frozenset((f"{contract}.accept_ownership",)) for contract in _RULED},
    **{
        f"{contract}.{_PENDING}": frozenset(
            (f"{contract}.transfer_ownership", f"{contract}.accept_ownership")
        )
        for contract in _RULED
    },
    **{word: frozenset((f"{name}.set_guardian",)) for name, word in _GUARDIANS.items()},
    _ALLOCATOR: frozenset(("vault.set_allocator",)),
}


@_rule(
    "AC-1",
    "A privileged function works only for those whose role it is.",
    "Morpho Blue, snekmate: access control",
    tuple(_MAY),
)
def only_roles_may(seen: Seen) -> str | None:
    holders = [seen.facts.names[seen.before.word(word)] for word in _MAY[seen.action.name]]
    if seen.action.caller in holders:
        return None
    return f"{seen.action.caller} may not: only {holders}."


@_rule(
    "AC-2",
    "Every variable changes only by the actions that are there for it.",
    "Certora: which functions may change a variable",
)
def words_change_by_their_actions(seen: Seen) -> str | None:
    names = {call.name for call in (seen.action, *seen.inner)}
    for variable in seen.changes:
        allowed = _CHANGED_BY.get(variable)
        if allowed is not None and names.isdisjoint(allowed):
            return f"{variable} has changed."
    return None


@_rule(
    "AC-3",
    "A guardian lowers what he may set, and raises nothing; no fee is above its bound, no pause "
    "longer than its own.",
    "Aave v3, Euler vault kit: bounds of parameters",
    (
        "vault.set_deposit_cap",
        "vault.set_adapter_caps",
        "market.set_caps",
        "vault.pause",
        "vault.set_exit_fee",
        "vault.set_performance_fee",
        "backstop.set_discount",
        "backstop.pause",
    ),
)
def settings_have_bounds(seen: Seen) -> str | None:
    name, before, after = seen.action.name, seen.before, seen.after
    if name == "vault.set_exit_fee":
        most = after.word("vault.exit_fee._terms") >> 128
        return f"The exit fee is {most}." if most > 10**16 else None
    if name == "vault.set_performance_fee":
        fee = after.word("vault.vault_books.performance_fee.performance_fee")
        return f"The performance fee is {fee}." if fee > 2 * 10**17 else None
    if name == "backstop.set_discount":
        discount = after.word("backstop.terms.discount")
        fits = 5 * 10**15 <= discount <= 5 * 10**16
        return None if fits else f"The discount is {discount}."
    if name in ("vault.pause", "backstop.pause"):
        (_, since), (until, again) = (_pause(look, name) for look in (before, after))
        length = until - after.now
        if after.now < since or not 0 < length <= 3 * 86_400 or again != until + length:
            return f"It is paused for {length} s, and again from {again}."
        return None
    fee = after.word("market.totals._borrow") >> 232
    if fee * 10**12 > 25 * 10**16:
        return f"The market's fee is {fee * 10**12:_}."
    contract = "factory" if name == "market.set_caps" else "vault"
    if seen.action.caller == seen.facts.names[before.word(f"{contract}.{_OWNER}")]:
        return None
    for table in (LIMITS, "vault.vault_limits._adapter_caps", CAPS):
        for was, now in seen.changes.get(table, {}).values():
            if now & (2**128 - 1) > was & (2**128 - 1) or now >> 128 > was >> 128:
                return f"A guardian has raised {was:#x} to {now:#x}."
    return None


def _pause(look: Look, name: str) -> tuple[int, int]:
    """Until when it lasts, and from when there may be another."""
    if name == "vault.pause":
        word = look.word(LIMITS)
        return (word >> 128) & (2**64 - 1), word >> 192
    return look.word("backstop.terms.paused_until"), look.word("backstop.terms.pause_again_from")


@_rule(
    "AC-5",
    "Only the owner gives a manager rights, by himself or by a signature that counts once; a "
    "manager gives up only his own.",
    "Morpho Blue: authorization",
    (
        "market.set_authorization",
        "market.renounce_authorization",
        "market.set_authorization_by_signature",
        "orders.execute",
    ),
)
def rights_are_given(seen: Seen) -> str | None:
    changed = seen.changes.get("market.authorization._authorized", {})
    nonces = seen.changes.get("market.authorization._nonces", {})
    said, caller = seen.action.arguments, seen.action.caller
    if seen.action.name == "orders.execute":
        if len(said) == 2:
            return f"{changed} is changed by {seen.action}." if changed or nonces else None
        said = (said[0].owner, "orders", True, *said[2])
    if seen.action.name == "market.set_authorization":
        key, given = (caller, said[0]), int(said[1])
    elif seen.action.name == "market.renounce_authorization":
        key, given = (said[0], caller), 0
    else:
        owner, manager, authorized, nonce, deadline, signer = said
        key, given = (owner, manager), int(authorized)
        used = {owner: (nonce, nonce + 1)}
        if nonces and (signer != owner or nonces != used or seen.after.now > deadline):
            return f"A signature of {signer} for {owner} with nonce {nonce} counts: {nonces}."
        if changed and not nonces:
            return "A signature that is used up has changed something."
    if set(changed) - {key} or (changed and changed[key][1] != given):
        return f"{changed} is changed by {seen.action}."
    return None


@_rule(
    "AC-6",
    "Nobody's allowance rises but by his own approval or signature.",
    "ERC-20, ERC-2612",
    reads=(*_ALLOWANCES,),
)
def allowances_are_given(seen: Seen) -> str | None:
    for table, token in _ALLOWANCES.items():
        for (owner, spender), (was, now) in seen.changes.get(table, {}).items():
            if now <= was:
                continue
            if seen.action.name == f"{token}.permit":
                said = seen.action.arguments
                given = (*said[:3], said[4]) == (owner, spender, now, owner)
            else:
                given = any(
                    call.name == f"{token}.approve" and call.caller == owner
                    for call in (seen.action, *seen.inner)
                )
            if not given:
                return f"{owner} allows {spender} {now:_} of {token} without having said so."
    return None


@_rule(
    "AC-7",
    "A permit counts once, before its deadline, and only with its owner's signature.",
    "ERC-2612",
    tuple(f"{name}.permit" for name in _PERMITS),
)
def permits_count_once(seen: Seen) -> str | None:
    owner, _, _, deadline, signer, nonce = seen.action.arguments
    table = f"{seen.action.name.partition('.')[0]}.erc20.nonces"
    before, after = (look.entry(table, owner) for look in (seen.before, seen.after))
    if (before, after, signer) != (nonce, nonce + 1, owner) or seen.after.now > deadline:
        return f"{signer} signs for {owner} with nonce {nonce} of {before}, by {deadline}."
    return None


@_rule(
    "AC-8",
    "The protocol's fees are collected a day after they were asked for, no more than was asked "
    "for, and only its own shares.",
    "Relever: fee delay",
    ("market.request_fees", "market.collect_fees"),
)
def fees_take_a_day(seen: Seen) -> str | None:
    if seen.action.name == "market.request_fees":
        held = seen.held("market.share_token._balances", "market")[1]
        right = held | seen.after.now << 112
        return (
            None if seen.after.word("market._requested") == right else "Another sum is asked for."
        )
    word = seen.before.word("market._requested")
    age, asked = seen.after.now - (word >> 112), word & MAX_112
    taken = seen.outcome.result
    moved = seen.moved("market.share_token._balances")
    receiver = seen.action.arguments[0]
    if not 86_400 <= age < 2 * 86_400 or taken > asked or seen.after.word("market._requested"):
        return f"{taken:_} of {asked:_} are collected after {age} s."
    right_moves = {receiver: taken, "market": -taken} if taken else {}
    return f"Shares move by {moved}." if moved != right_moves else None
