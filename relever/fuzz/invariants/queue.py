"""The line of those who leave: first come first served, at the lesser rate, backed once filled."""

from __future__ import annotations

from functools import partial

from relever.fuzz.invariants.base import (
    LRT,
    QUEUED,
    REQUEST,
    VAULT_VIRTUAL,
    WAD,
    WSTETH,
    Invariant,
    Look,
    Seen,
    invariant,
    sums,
)
from relever.fuzz.invariants.market import moves_only
from relever.fuzz.invariants.vault import LEAVING, found
from relever.model.parts import VAULT
from relever.model.queue import QUEUE

INVARIANTS: list[Invariant] = []
_rule = partial(invariant, INVARIANTS)

# Of shares that are taken back after an exit was started for them: a thousandth, WAD.
_CANCEL_FEE = WAD // 1_000
_MIN_SHARES = WAD // 100
_SET_ASIDE, _EXITS = "queue.set_aside", "vault.vault_exits.queue_exits"


@_rule(
    "WQ-1",
    "The shares that wait are those of the open requests, and the queue holds them.",
    "Symbiotic, Lido: withdrawal queue shares",
    reads=(QUEUED, LRT, REQUEST + "shares"),
)
def waiting_shares_are_held(seen: Seen) -> str | None:
    look = seen.after
    waiting, queued = sum(look.table(REQUEST + "shares")), look.word(QUEUED)
    if waiting != queued:
        return f"Requests wait with {waiting:_}, the vault counts {queued:_}."
    held = look.table(LRT)[seen.facts.places[QUEUE]]
    return f"It holds {held:_} of {waiting:_}." if held < waiting else None


@_rule(
    "WQ-2",
    "A claim pays its controller or operator once exactly what was set aside for the request.",
    "EigenLayer, Symbiotic: claims",
    ("queue.claim",),
)
def claims_are_exact(seen: Seen) -> str | None:
    number, receiver = seen.action.arguments
    owed = seen.before.entry(REQUEST + "claimable_assets", number)
    if _left(seen.after, number) or seen.outcome.result != owed:
        return f"{seen.outcome.result:_} are claimed of {owed:_}."
    if not seen.before.entry(REQUEST + "claimable_shares", number):
        return "There was nothing to claim."
    return _not_for(seen, number) or moves_only(
        seen, {WSTETH: sums((QUEUE, -owed), (receiver, owed))}
    )


def _left(look: Look, number: int) -> int:
    return look.entry(REQUEST + "claimable_assets", number) + look.entry(
        REQUEST + "claimable_shares", number
    )


def _not_for(seen: Seen, number: int) -> str | None:
    """Where the caller acts for neither himself nor one whose operator he is."""
    word = seen.before.entry(REQUEST + "controller", number)
    controller = seen.facts.names.get(word, "nobody")
    return _not_of(seen, controller)


def _not_of(seen: Seen, account: str) -> str | None:
    caller = seen.action.caller
    if caller == account or seen.before.entry("queue.isOperator", (account, caller)):
        return None
    return f"{caller} acts for {account}."


@_rule(
    "WQ-3",
    "First come, first served: nothing waits before the head, nothing is paid beyond it, and both "
    "ends of the line only move on.",
    "Lido, Symbiotic: FIFO queue",
    reads=("queue.head", "queue.next_id", REQUEST + "shares", REQUEST + "claimable_shares"),
)
def line_is_in_order(seen: Seen) -> str | None:
    before, after = seen.before, seen.after
    head, end = after.word("queue.head"), after.word("queue.next_id")
    if head < before.word("queue.head") or end < before.word("queue.next_id") or head > end:
        return f"It goes from {head} to {end}."
    changed = seen.changes
    if not any(name.startswith("queue.") for name in changed):
        return None
    for number, shares in after.entries(REQUEST + "shares").items():
        if number < head and shares:
            return f"Request {number} waits before the head, {head}."
        if number > head and after.entry(REQUEST + "claimable_shares", number):
            return f"Request {number} is paid beyond the head, {head}."
    return None


@_rule(
    "WQ-4",
    "What is set aside is the sum of what can be claimed, and the queue holds it.",
    "Lido, Symbiotic: finalised requests are backed",
    reads=(WSTETH, _SET_ASIDE, REQUEST + "claimable_assets"),
)
def claims_are_backed(seen: Seen) -> str | None:
    look = seen.after
    owed, aside = sum(look.table(REQUEST + "claimable_assets")), look.word(_SET_ASIDE)
    if owed != aside:
        return f"{owed:_} can be claimed, {aside:_} are set aside."
    held = look.table(WSTETH)[seen.facts.places[QUEUE]]
    return f"It holds {held:_} of {aside:_}." if held < aside else None


@_rule(
    "WQ-5",
    "A request is paid the lesser of its worth when it was made and now, pro rata, rounded down, "
    "less the claim that it leaves with; never before its wait.",
    "Lido: discounted share rate; Relever: lesser rate",
    ("queue.finalize",),
)
def fills_are_priced(seen: Seen) -> str | None:
    before, after, at = seen.before, seen.after, found(seen)
    expected = before.expected
    all_shares = all_assets = 0
    for number, (waited, waits) in seen.changes.get(REQUEST + "shares", {}).items():
        shares = waited - waits
        worth = before.entry(REQUEST + "assets", number) - after.entry(REQUEST + "assets", number)
        paid = after.entry(REQUEST + "claimable_assets", number) - before.entry(
            REQUEST + "claimable_assets", number
        )
        filled = after.entry(REQUEST + "claimable_shares", number) - before.entry(
            REQUEST + "claimable_shares", number
        )
        asked = before.entry(REQUEST + "assets", number)
        if filled != shares or shares <= 0 or worth != asked * shares // waited:
            return f"Request {number} loses {shares:_} shares and {worth:_}, and gets {filled:_}."
        due = min(worth, at.assets_down(shares, at.leaving + expected))
        due -= min(due, -(-expected * shares // (at.supply + VAULT_VIRTUAL)))
        if paid != due:
            return f"Request {number} is paid {paid:_} for {shares:_} shares, not {due:_}."
        since = before.entry(REQUEST + "requested_at", number)
        if after.now - since < seen.facts.wait:
            return f"Request {number} has waited {after.now - since} s."
        wrong = _not_for(seen, number) if at.risk else None
        if wrong:
            return f"A slash is visible, and {wrong}"
        all_shares, all_assets = all_shares + shares, all_assets + paid
    if seen.outcome.result != all_shares:
        return f"{seen.outcome.result:_} shares are said, {all_shares:_} filled."
    fee = seen.moved(LRT)
    fee.pop(QUEUE, None)
    burnt = -seen.moved(LRT).get(QUEUE, 0)
    if burnt != all_shares or any(amount < 0 for amount in fee.values()):
        return f"{burnt:_} shares are burnt of {all_shares:_}."
    lrt = {LRT: seen.moved(LRT)}
    return moves_only(seen, {**lrt, WSTETH: sums((VAULT, -all_assets), (QUEUE, all_assets))})


@_rule(
    "WQ-6",
    "Taking a request back returns its shares, but for a thousandth, rounded up, once an exit was "
    "started for the line.",
    "Relever: cancelling is free until it costs the others",
    ("queue.cancel",),
)
def cancelling_is_exact(seen: Seen) -> str | None:
    (number,) = seen.action.arguments
    shares = seen.before.entry(REQUEST + "shares", number)
    served = seen.before.word(_EXITS) != seen.before.entry(REQUEST + "exits_before", number)
    fee = -(-shares * _CANCEL_FEE // WAD) if served else 0
    controller = seen.facts.names[seen.before.entry(REQUEST + "controller", number)]
    found_shares = seen.moved(LRT)
    # What is booked on the way may bring the performance fee.
    expected = sums((QUEUE, -shares), (controller, shares - fee))
    for account in set(found_shares) - set(expected):
        if account != _recipient(seen) or found_shares[account] < 0:
            return f"{account} gets {found_shares[account]:_} shares."
    for account, amount in expected.items():
        beside = found_shares.get(account, 0) - amount
        if beside and (account != _recipient(seen) or beside < 0):
            return f"{account} gets {found_shares.get(account, 0):_}, and not {amount:_}."
    if shares == 0 or seen.after.entry(REQUEST + "shares", number):
        return f"Of {shares:_} shares {seen.after.entry(REQUEST + 'shares', number):_} wait."
    return _not_for(seen, number)


def _recipient(seen: Seen) -> str:
    return seen.facts.names[seen.after.word("vault.vault_books.performance_fee.fee_recipient")]


@_rule(
    "WQ-7",
    "A request puts its owner's shares at the end of the line, for their worth now without the "
    "slashes that are visible; it moves nothing else.",
    "ERC-7540: request",
    ("queue.requestRedeem",),
)
def requests_are_exact(seen: Seen) -> str | None:
    shares, controller, owner = seen.action.arguments
    number, at = seen.before.word("queue.next_id"), found(seen)
    look = seen.after
    worth = at.assets_down(shares, at.calm + seen.before.expected)
    told = tuple(
        look.entry(REQUEST + name, number)
        for name in ("shares", "assets", "requested_at", "claimable_shares", "claimable_assets")
    )
    if seen.outcome.result != number or told != (shares, worth, look.now, 0, 0):
        return f"Request {number} is {told}, with a worth of {worth:_}."
    if seen.facts.names[look.entry(REQUEST + "controller", number)] != controller:
        return "It is another's."
    if worth == 0 or controller == "nobody":
        return f"A request of {controller} is worth {worth:_}."
    if shares < _MIN_SHARES and shares != seen.held(LRT, owner)[0]:
        return f"{shares:_} shares are too few."
    moved = seen.moved(LRT)
    if owner != _recipient(seen):
        moved.pop(_recipient(seen), None)
    if moved != sums((owner, -shares), (QUEUE, shares)) or seen.moved(WSTETH):
        return f"Shares move by {moved}."
    return _not_of(seen, owner)


@_rule(
    "WQ-9",
    "Nothing but the line is paid out of what the waiting shares are worth: no instant exit, no "
    "stake.",
    "Symbiotic, Lido: reserved buffer",
    (*LEAVING, "vault.allocate"),
)
def line_comes_first(seen: Seen) -> str | None:
    queued, idle = seen.before.word(QUEUED), seen.after.funds[0]
    before = seen.before
    if seen.action.name == "vault.allocate":
        whole = before.funds[0] + before.funds[1]
        total = whole - min(whole, before.locked(seen.after.now))
    else:
        total = found(seen).calm
    needed = -(-queued * (total + VAULT_VIRTUAL) // (before.supply + VAULT_VIRTUAL))
    return f"{idle:_} are left for {needed:_}." if queued and idle < needed else None


@_rule(
    "WQ-10",
    "Stake is pulled back for the line only when its head has waited for the queue's patience.",
    "Relever: pull back",
    ("queue.pull_back",),
)
def pulling_needs_patience(seen: Seen) -> str | None:
    waiting = seen.before.entries(REQUEST + "shares")
    head = min((number for number, shares in waiting.items() if shares), default=None)
    if head is None:
        return "Nothing waits."
    waited = seen.after.now - seen.before.entry(REQUEST + "requested_at", head)
    return f"Request {head} has waited {waited} s." if waited < seen.facts.patience else None
