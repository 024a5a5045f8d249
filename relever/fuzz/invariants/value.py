"""Value: no action makes any, who acts gets no richer, and bystanders keep what they have."""

from __future__ import annotations

from functools import partial
from typing import Any

from relever.fuzz.invariants.backstop import BACKSTOP_SHARES
from relever.fuzz.invariants.base import (
    CLAIM,
    LRT,
    MARKET_VIRTUAL,
    MAX_128,
    POSITIONS,
    REQUEST,
    SHARES,
    STETH,
    VAULT_VIRTUAL,
    WAD,
    WETH,
    WHOLE,
    WSTETH,
    Invariant,
    Look,
    Seen,
    invariant,
)
from relever.fuzz.invariants.leveraged import LEVERAGED_SHARES, REBALANCES
from relever.fuzz.invariants.market import LIQUIDATIONS, ROUTED
from relever.fuzz.invariants.vault import most_fee_shares
from relever.model.backstop import BACKSTOP
from relever.model.parts import LEVERAGED_ZAP, REBALANCER
from relever.model.protocol import Action

INVARIANTS: list[Invariant] = []
_rule = partial(invariant, INVARIANTS)

# Whose tokens are somebody else's: his shares, positions and claims count instead.
CONTRACTS = frozenset(
    (
        *(
            "weth",
            "steth",
            "wsteth",
            "strategy",
            "symbiotic_vault",
            "lrt_pool",
            "lst_pool",
            "vault",
        ),
        *("queue", "side_pocket", "zap", "seller", "eigenlayer", "symbiotic", "oracle", "factory"),
        *("market", "swap", "router", "orders", "liquidator_contract", "rewards_coordinator"),
        *(LEVERAGED_ZAP, REBALANCER, "nobody", "dead", "burnt"),
    )
)
# Tables by account of what is somebody's.
_OWNED = (LRT, WSTETH, STETH, WETH, SHARES, POSITIONS, BACKSTOP_SHARES, *LEVERAGED_SHARES.values())
# Trades make one richer at the other's cost, and so do liquidations; the world gives and takes.
_TRADES = (
    *(*LIQUIDATIONS, *ROUTED, "orders.execute", "swap.swap", "swap.swap_up_to", "world.trade"),
    *("market.collect_fees", "backstop.harvest", *REBALANCES),
    *(f"{LEVERAGED_ZAP}.enter", f"{LEVERAGED_ZAP}.leave"),
)
_RECIPIENT = "vault.vault_books.performance_fee.fee_recipient"


def _gains(seen: Seen) -> dict[str, int]:
    """What everyone has more than before, in ether at the prices afterwards, rounded down.

    Counted are tokens, collateral less debt, requests that wait as the shares that they still are,
    and claims. Ether that was sent along is taken off.
    """
    changes, names = seen.changes, seen.facts.names
    # By account: shares of the LRT, wstETH, ether, market shares, debt shares.
    found: dict[str, list[int]] = {}

    def add(account: str, kind: int, amount: int) -> None:
        found.setdefault(account, [0, 0, 0, 0, 0])[kind] += amount

    for table, kind in ((LRT, 0), (WSTETH, 1), (STETH, 1), (WETH, 2), (SHARES, 3)):
        for account, (old, new) in changes.get(table, {}).items():
            if account not in CONTRACTS:
                add(account, kind, new - old)
    for owner, (old, new) in changes.get(POSITIONS, {}).items():
        add(owner, 0, (new & MAX_128) - (old & MAX_128))
        add(owner, 4, (new >> 128) - (old >> 128))
    for field, kind in (("shares", 0), ("claimable_assets", 1)):
        for number, (old, new) in changes.get(REQUEST + field, {}).items():
            controller = names[seen.after.entry(REQUEST + "controller", number)]
            if controller not in CONTRACTS:
                add(controller, kind, new - old)
    if seen.after.funds[2] and any(name.startswith("side_pocket.") for name in changes):
        for account, amount in _claims(seen).items():
            if account not in CONTRACTS:
                add(account, 1, amount)
    action = seen.action
    if action.ether:
        add(action.caller, 2, -action.ether)
    if action.name == "weth.withdraw":
        add(action.caller, 2, action.arguments[0])
    return {account: _ether(seen.after, kinds) for account, kinds in found.items()}


def _ether(look: Look, kinds: list[int]) -> int:
    """What amounts are worth in ether now."""
    lrt, lst, ether, lent, owed = kinds
    if lrt or lst:
        total, supply = look.total + look.expected + VAULT_VIRTUAL, look.supply + VAULT_VIRTUAL
        pooled = look.word("steth._pooled_ether")
        shares = look.word("steth._total_shares")
        ether += (lrt * total + lst * supply) * pooled // (supply * shares)
    if lent:
        books = look.supplied
        ether += lent * (books.assets + 1) // (books.shares + MARKET_VIRTUAL)
    if owed:
        books = look.lent
        ether -= -(-owed * (books.assets + 1) // (books.shares + MARKET_VIRTUAL))
    return ether


def _claims(seen: Seen) -> dict[str, int]:
    """By how much the claims on quarantined adapters are worth more than before, by account."""
    found: dict[str, int] = {}
    for look, sign in ((seen.before, -1), (seen.after, 1)):
        expected, returned = (
            look.entries(f"side_pocket.{name}") for name in ("expected_of", "returned")
        )
        owed, counted = look.entries(CLAIM + "owed"), look.entries(CLAIM + "counted")
        for key, part in look.entries(CLAIM + "part").items():
            adapter, account = key
            if not part and not owed[key]:
                continue
            since = returned[adapter] - counted[key]
            worth = owed[key] + part * (since + expected[adapter]) // WHOLE
            found[account] = found.get(account, 0) + sign * worth
    return found


def _rounding(seen: Seen) -> int:
    """Units by which roundings add up: each exchange, request and fee rounds by a few of them."""
    requests = len(seen.changes.get(REQUEST + "shares", ()))
    units = 4 * (2 + len(seen.inner) + requests)
    if seen.after.funds[2]:
        # Who leaves takes his part of the supply of what is expected along. At the price afterwards
        # his shares had that part of all shares, the virtual and the new ones of a fee too: for a
        # claim of c he gave up c * (1 - supply / (supply + virtual + fee)), supply without the fee.
        before, after = seen.before, seen.after
        recipient = seen.facts.names[before.word(_RECIPIENT)]
        beside = VAULT_VIRTUAL + max(0, seen.moved(LRT).get(recipient, 0))
        claimed = max(0, before.expected - after.expected) + 1
        units += 4 + claimed * beside * after.lst_rate // ((after.supply + VAULT_VIRTUAL) * WAD)
    return units


def _without_fee(seen: Seen) -> dict[str, int]:
    """The same without the performance fee, which comes of a gain that was in no price before."""
    gains = seen.once(_gains)
    # Whom a gain that is booked pays is told by the books before a new recipient is set.
    recipient = seen.facts.names[seen.before.word(_RECIPIENT)]
    if recipient not in gains:
        return gains
    got = max(0, seen.moved(LRT).get(recipient, 0))
    if recipient in _names(seen):
        # He may have got something beside it.
        got = min(got, most_fee_shares(seen))
    return {**gains, recipient: gains[recipient] - _ether(seen.after, [got, 0, 0, 0, 0])}


_EXEMPT = frozenset(_TRADES)


def _is_trade(seen: Seen) -> bool:
    if seen.action.name in _EXEMPT or seen.action.name.startswith("world."):
        return True
    if seen.action.name in ("steth.accrue_rewards", "steth.slash_validators"):
        return True
    # What comes back of a quarantine may be more than was still expected.
    if seen.after.funds[2] and seen.action.name == "vault.finish_exit":
        return True
    return any(call.name in _EXEMPT or call.name == "vault.finish_exit" for call in seen.inner)


@_rule(
    "RND-1",
    "No action makes value: tokens, claims and positions less debts of all people together are "
    "worth no more afterwards, at one price.",
    "Relever; Aave v3, Certora: no value creation",
)
def no_value_is_made(seen: Seen) -> str | None:
    if _is_trade(seen):
        return None
    gains = seen.once(_without_fee)
    total = sum(gains.values())
    return f"They have {total:_} more: {gains}." if total > _rounding(seen) else None


@_rule(
    "RND-2",
    "Who does anything but trade or liquidate is no richer afterwards.",
    "Euler vault kit, Aave v3: no profit for the caller",
)
def caller_is_no_richer(seen: Seen) -> str | None:
    if _is_trade(seen):
        return None
    caller = seen.action.caller
    # Of the backstop's own rules.
    if seen.action.name.startswith(f"{BACKSTOP}."):
        return None
    gain = seen.once(_without_fee).get(caller, 0) + _of_tokens(seen, caller)
    if gain <= _rounding(seen):
        return None
    # Another's allowance or right may be used for oneself.
    concerned = (*_names(seen), *_paid_controllers(seen))
    others = any(said != caller and said in seen.facts.places for said in concerned)
    if others and seen.action.name.rpartition(".")[2] in _OF_OTHERS:
        return None
    return f"{caller} has {gain:_} more."


def _of_tokens(seen: Seen, account: str) -> int:
    """What someone's leveraged tokens are worth more than before, in ether: parts of positions."""
    worth, look = 0, seen.after
    for name, table in LEVERAGED_SHARES.items():
        moved = seen.moved(table).get(account, 0)
        if moved and account != seen.facts.names[int(seen.facts.leveraged[name].fee_receiver, 16)]:
            collateral, debt_shares = look.positions[name]
            supply = look.word(f"{name}.erc20.totalSupply")
            part, sign = abs(moved), 1 if moved > 0 else -1
            kinds = [part * collateral // supply, 0, 0, 0, part * debt_shares // supply]
            # Nobody owes for a share: one of a position without equity is worth nothing.
            worth += sign * max(0, _ether(look, kinds))
    return worth


# By these one may take what is another's, with his allowance or by his leave.
_OF_OTHERS = frozenset(
    (
        "transferFrom",
        "withdraw",
        "redeem",
        "borrow",
        "withdraw_collateral",
        "adjust",
        "requestRedeem",
        "claim",
        "flashLoan",
    )
)


def _paid_controllers(seen: Seen) -> list[str]:
    """Whose requests are claimed: an operator need not name them."""
    claimed = seen.changes.get(REQUEST + "claimable_assets", {}).items()
    words = (seen.before.entry(REQUEST + "controller", n) for n, (old, new) in claimed if new < old)
    return [seen.facts.names[word] for word in words]


def _names(seen: Seen) -> list[Any]:
    """Accounts that an action names."""
    return [
        said
        for call in (seen.action, *seen.inner)
        for said in (call.caller, *call.arguments, *_listed(call))
        if isinstance(said, str)
    ]


def _contracts(seen: Seen) -> list[str]:
    """Whose functions are called."""
    return [call.name.partition(".")[0] for call in (seen.action, *seen.inner)]


def _listed(call: Action) -> tuple[str, ...]:
    """Whom it names in a list."""
    found: tuple[str, ...] = call.arguments[1] if call.name == "liquidator.liquidate_many" else ()
    return found


@_rule(
    "ROUT-7",
    "Who comes in loses no more than rounding: router, zap and vault give for all that they take.",
    "Relever: round trip",
    ("vault.deposit", "vault.mint", "zap.deposit", "router.open", "market.deposit", "market.mint"),
)
def entry_costs_nothing(seen: Seen) -> str | None:
    lost = -sum(seen.once(_gains).values())
    if lost <= _rounding(seen) + 8:
        return None
    # What is given to a contract is lost to people.
    if any(said in CONTRACTS for said in seen.action.arguments[-2:] if isinstance(said, str)):
        return None
    return f"{lost:_} are lost."


@_rule(
    "ACC-1",
    "Whoever an action neither is by nor names keeps all tokens, collateral and debt shares.",
    "Morpho Blue, Aave v3: bystanders",
    reads=(*_OWNED,),
)
def bystanders_keep_theirs(seen: Seen) -> str | None:
    changes, named = seen.changes, None
    for table in _OWNED:
        for account, (old, new) in changes.get(table, {}).items():
            if account in CONTRACTS:
                continue
            if named is None:
                named = {*_names(seen), *_contracts(seen)}
            if account in named or _is_paid(seen, account, table, old, new):
                continue
            return f"{account} had {old:_} of {table}, and has {new:_}."
    return None


def _is_paid(seen: Seen, account: str, table: str, old: int, new: int) -> bool:
    """Whether he gets what is his unnamed: a fee's shares, his cancelled request, his exit; or is
    the backstop, which pays for what the liquidator brings.
    """
    if account == BACKSTOP and "liquidator" in _contracts(seen):
        return table == WETH or new > old
    if new < old:
        return False
    if table in LEVERAGED_SHARES.values():
        receivers = (terms.fee_receiver for terms in seen.facts.leveraged.values())
        return any(seen.facts.names[int(receiver, 16)] == account for receiver in receivers)
    if table == WETH:
        served = seen.changes.get("backstop.line._exits.shares", {})
        words = (seen.before.entry("backstop.line._exits.receiver", number) for number in served)
        return any(seen.facts.names.get(word) == account for word in words)
    if table != LRT:
        return False
    # Who is named as the new recipient gets nothing of what is booked before that.
    if account == seen.facts.names[seen.before.word(_RECIPIENT)]:
        return True
    numbers = seen.changes.get(REQUEST + "shares", {})
    controllers = (seen.before.entry(REQUEST + "controller", number) for number in numbers)
    return any(seen.facts.names.get(word) == account for word in controllers)


@_rule(
    "ACC-2",
    "What is set aside for a request falls only when it is claimed, and shares stop waiting only "
    "when they are paid or taken back.",
    "Lido, Symbiotic: requests are nobody else's",
    reads=(REQUEST + "claimable_assets", REQUEST + "shares"),
)
def requests_are_kept(seen: Seen) -> str | None:
    names = {call.name for call in (seen.action, *seen.inner)}
    for number, (old, new) in seen.changes.get(REQUEST + "claimable_assets", {}).items():
        if new < old and names.isdisjoint(("queue.claim", "backstop.harvest")):
            return f"Request {number} had {old:_} to claim, and has {new:_}."
    for number, (old, new) in seen.changes.get(REQUEST + "shares", {}).items():
        if new < old and names.isdisjoint(("queue.cancel", "queue.finalize")):
            return f"Request {number} waited with {old:_} shares, and does with {new:_}."
    return None


@_rule(
    "ACC-3",
    "A claim on a quarantined adapter is lost only by being paid or handed over by its owner.",
    "Relever: side pocket",
    reads=(CLAIM + "part",),
)
def claims_are_kept(seen: Seen) -> str | None:
    parts = seen.changes.get(CLAIM + "part", {})
    names = _names(seen)
    helpers = ("router", "liquidator_contract", "orders", LEVERAGED_ZAP, REBALANCER)
    for (adapter, account), (old, new) in parts.items():
        handed = any(
            call.name == "side_pocket.hand_over" and call.caller == account
            for call in (seen.action, *seen.inner)
        )
        if new < old and not handed and account not in helpers:
            return f"{account} loses {old - new:_} of a claim on {adapter} by {names}."
    return None
