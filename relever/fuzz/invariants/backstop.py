"""The backstop pool: its books are backed, joining is dear and leaving cheap, gains are slow.

Its marks are worked out here from its lots: LRT that is not queued, claims on the queue, wstETH
that waits. Where an adapter may not answer, nothing is said about them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from relever.fuzz.invariants.base import (
    LIMITS,
    LRT,
    MAX_64,
    MAX_128,
    REQUEST,
    VAULT_VIRTUAL,
    WAD,
    WETH,
    WSTETH,
    Invariant,
    Look,
    Seen,
    invariant,
    sums,
)
from relever.fuzz.invariants.market import moves_only, spent
from relever.fuzz.invariants.vault import live
from relever.model.backstop import BACKSTOP
from relever.model.market import MARKET

INVARIANTS: list[Invariant] = []
_rule = partial(invariant, INVARIANTS)

BACKSTOP_SHARES = "backstop.erc20.balanceOf"
_SUPPLY, _PROFIT = "backstop.erc20.totalSupply", "backstop.book.profit._profit"
_CASH, _UNQUEUED = "backstop.book.cash", "backstop.book.unqueued"
_CLAIMS, _COST = "backstop.book._claims", "backstop.book.claim_cost"
_LST, _LST_COST = "backstop.book.lst_sale.lst", "backstop.book.lst_sale.lst_cost"
_HEAD, _NEXT = "backstop.line.head", "backstop.line.next_id"
_WAITING, _WORTH = "backstop.line.waiting_shares", "backstop.line.waiting_worth"
_EXIT = "backstop.line._exits."
_PAUSED = "backstop.terms.paused_until"
JOINING, LEAVING = ("backstop.deposit", "backstop.mint"), ("backstop.withdraw", "backstop.redeem")
_OWN = (
    *(*JOINING, *LEAVING, "backstop.request_exit", "backstop.serve", "backstop.enqueue"),
    *("backstop.harvest", "backstop.recover"),
)
# The most that a sale of wstETH may lose in the end, WAD, and in how many seconds.
_SALE_LOSS, _SALE_WINDOW = 5 * 10**15, 7 * 86_400
_SEED = 10**15
# By which marks may be rounded: a few at each lot and at the vault's books.
_UNITS = 40
# By which a pool's own roundings may take from a sale: of what is sold, and of what it fetches.
_SALE_UNITS = 3


@dataclass(frozen=True)
class Marks:
    """What all shares are worth: by the books, to who leaves, to who joins; whether a slash is
    visible.
    """

    booked: int
    low: int
    high: int
    slash: bool


def marks(seen: Seen, look: Look) -> Marks | None:
    """By the books of a look, at the time of the action."""
    lots = [(look.word(_LST_COST), look.word(_LST), 0, 0)]
    if look.word(_UNQUEUED):
        cost = look.word("backstop.book.unqueued_cost")
        lots.append((cost, 0, look.word(_UNQUEUED), 2**256 - 1))
    for claim in _open_claims(look):
        paid, shares, worth = (
            look.entry(REQUEST + field, claim) for field in ("claimable_assets", "shares", "assets")
        )
        lots.append((look.entry(_COST, claim), paid, shares, worth))
    entering = leaving = 0
    if any(shares for _, _, shares, _ in lots):
        totals = live(seen, look)
        if totals is None:
            return None
        entering, leaving = totals
    cost = sum(lot[0] for lot in lots)
    least = worth_ = worth_leaving = 0
    for paid, lst, shares, most in lots:
        low, high = (lst + _due(look, shares, most, total) for total in (leaving, entering))
        least += min(paid, _least(look, low))
        worth_ += high * look.lst_rate // WAD
        worth_leaving += low * look.lst_rate // WAD
    cash, locked = look.word(_CASH), _locked(look, seen.after.now)
    booked = cash + cost - min(cash + cost, locked)
    # What is locked meets losses first.
    low = cash + cost - min(cash + cost, max(locked, cost - least))
    return Marks(booked, low, cash + worth_, worth_ != worth_leaving)


def _least(look: Look, lst: int) -> int:
    """What a sale of wstETH brings in any case."""
    return lst * look.lst_rate // WAD * (WAD - _SALE_LOSS) // WAD


def _sold(seen: Seen) -> int:
    """WstETH that a harvest sells, by the books."""
    taken = sum(
        seen.before.entry(REQUEST + "claimable_assets", claim)
        for claim in set(seen.action.arguments[0])
    )
    return seen.before.word(_LST) + taken - seen.after.word(_LST)


def _open_claims(look: Look) -> list[int]:
    count, *claims = look.table(_CLAIMS)
    return claims[:count]


def _due(look: Look, shares: int, most: int, total: int) -> int:
    """WstETH that the queue would pay for LRT."""
    if not shares:
        return 0
    expected = look.expected
    assets = min(most, look.shares_worth_down(shares, total + expected))
    claim = -(-expected * shares // (look.supply + VAULT_VIRTUAL))
    return assets - min(assets, claim)


def _locked(look: Look, now: int) -> int:
    word = look.word(_PROFIT)
    amount, end, since = word & MAX_128, (word >> 128) & MAX_64, word >> 192
    return -(-amount * (end - now) // (end - since)) if amount and now < end else 0


def _free(look: Look) -> int:
    """Cash that nobody in the line waits for."""
    return max(0, look.word(_CASH) - look.word(_WORTH))


@_rule(
    "BACK-1",
    "The pool holds what its books say: cash, LRT, wstETH; each open claim is its own request; its "
    "shares are those of all holders.",
    "Euler, ERC-4626: solvency",
    reads=(
        *(WETH, LRT, WSTETH, _CASH, _UNQUEUED, _LST, _CLAIMS, _SUPPLY, BACKSTOP_SHARES),
        REQUEST + "controller",
    ),
)
def books_are_backed(seen: Seen) -> str | None:
    look, place = seen.after, seen.facts.places[BACKSTOP]
    for token, word in ((WETH, _CASH), (LRT, _UNQUEUED), (WSTETH, _LST)):
        held, booked = look.table(token)[place], look.word(word)
        if held < booked:
            return f"It holds {held:_} of {token}, and counts {booked:_}."
    for claim in _open_claims(look):
        controller = seen.facts.names.get(look.entry(REQUEST + "controller", claim))
        if controller != BACKSTOP:
            return f"Request {claim} is of {controller}."
    held, supply = sum(look.table(BACKSTOP_SHARES)), look.word(_SUPPLY)
    return f"{held:_} shares are held of {supply:_}." if held != supply else None


@_rule(
    "BACK-2",
    "The line is in order: what waits is the sum of the exits that wait, none of them before the "
    "head, the pool holds their shares, and both ends only move on.",
    "Lido, Symbiotic: FIFO queue",
    reads=(_HEAD, _NEXT, _WAITING, _WORTH, _EXIT + "shares", _EXIT + "worth", BACKSTOP_SHARES),
)
def line_is_in_order(seen: Seen) -> str | None:
    before, after = seen.before, seen.after
    exits, worths = after.entries(_EXIT + "shares"), after.table(_EXIT + "worth")
    waiting, worth = after.word(_WAITING), after.word(_WORTH)
    if (waiting, worth) != (sum(exits.values()), sum(worths)):
        return f"{waiting:_} shares wait for {worth:_}, the exits are {exits} for {worths}."
    held = after.entry(BACKSTOP_SHARES, BACKSTOP)
    if held < waiting:
        return f"It holds {held:_} of {waiting:_}."
    head, end = after.word(_HEAD), after.word(_NEXT)
    if head < before.word(_HEAD) or end < before.word(_NEXT) or head > end:
        return f"It goes from {head} to {end}."
    early = [number for number, shares in exits.items() if shares and number < head]
    return f"{early} wait before the head, {head}." if early else None


@_rule(
    "BACK-3",
    "It buys what has just been seized from a listed market, at its discount to what the queue "
    "would pay, while neither is paused; never with the line's cash or the seed.",
    "Relever: backstop; Liquity: stability pool",
    ("liquidator.liquidate",),
)
def purchases_are_discounted(seen: Seen) -> str | None:
    before, after = seen.before, seen.after
    bought = after.word(_UNQUEUED) - before.word(_UNQUEUED)
    if not bought:
        return None
    paid, free = before.word(_CASH) - after.word(_CASH), _free(before)
    place = seen.facts.places[BACKSTOP]
    came = after.table(LRT)[place] - before.table(LRT)[place]
    seized = -seen.moved(LRT).get(MARKET, 0)
    if not bought == came == seized or paid + _SEED > free:
        return f"{bought:_} of {seized:_} seized come for {paid:_} of {free:_}."
    if after.now < before.word(_PAUSED) or after.now < (before.word(LIMITS) >> 128) & MAX_64:
        return "It is paused, or the vault is."
    if not before.entry("factory.is_listed", MARKET) or after.funds[2]:
        return "The market is not listed, or there was a quarantine."
    totals = live(seen, after)
    if totals is None:
        return None
    worth = _due(after, bought, 2**256 - 1, totals[1]) * after.lst_rate // WAD
    right = worth * (WAD - before.word("backstop.terms.discount")) // WAD
    return f"{paid:_} are paid for {worth:_}, and not {right:_}." if paid != right else None


@_rule(
    "BACK-4",
    "Who leaves is paid his part of the low mark, rounded down, out of cash that nobody waits for; "
    "another's shares take his allowance.",
    "EIP-4626: rounding; Relever: low mark",
    LEAVING,
)
def leaving_is_cheap(seen: Seen) -> str | None:
    before, (amount, receiver, owner) = seen.before, seen.action.arguments
    shares, assets = seen.outcome.result, amount
    if seen.action.name == "backstop.redeem":
        shares, assets = amount, seen.outcome.result
    if assets > _free(before):
        return f"{assets:_} of {_free(before):_} are paid."
    wrong = moves_only(seen, {WETH: sums((BACKSTOP, -assets), (receiver, assets))})
    if wrong or seen.moved(BACKSTOP_SHARES) != sums((owner, -shares)):
        return wrong or f"{seen.moved(BACKSTOP_SHARES)} for {shares:_} shares."
    found, supply = marks(seen, before), before.word(_SUPPLY) + VAULT_VIRTUAL
    if found is not None:
        low = found.low + VAULT_VIRTUAL
        if seen.action.name == "backstop.redeem":
            right = assets == shares * low // supply
        else:
            right = shares == -(-assets * supply // low)
        if not right:
            return f"{shares:_} shares for {assets:_}, at {found}."
    if owner == seen.action.caller:
        return None
    return spent(seen, "backstop.erc20.allowance", owner, seen.action.caller, shares)


@_rule(
    "BACK-5",
    "Who joins pays for his part of the high mark, less what those who wait are owed, rounded up; "
    "nobody does after a quarantine.",
    "EIP-4626: rounding; Relever: high mark",
    JOINING,
)
def joining_is_dear(seen: Seen) -> str | None:
    before, (amount, receiver) = seen.before, seen.action.arguments
    assets, shares = amount, seen.outcome.result
    if seen.action.name == "backstop.mint":
        assets, shares = seen.outcome.result, amount
    if before.funds[2]:
        return "There was a quarantine."
    wrong = moves_only(seen, {WETH: sums((seen.action.caller, -assets), (BACKSTOP, assets))})
    if wrong or seen.moved(BACKSTOP_SHARES) != sums((receiver, shares)):
        return wrong or f"{seen.moved(BACKSTOP_SHARES)} for {shares:_} shares."
    found = marks(seen, before)
    if found is None:
        return None
    supply, waiting, total = before.word(_SUPPLY), before.word(_WAITING), found.high
    if waiting:
        owed = waiting * (found.low + VAULT_VIRTUAL) // (supply + VAULT_VIRTUAL)
        owed = min(owed, waiting * before.word("backstop.line.least_rate") // WAD)
        total -= min(total, owed)
    price = total + VAULT_VIRTUAL, supply - waiting + VAULT_VIRTUAL
    if seen.action.name == "backstop.mint":
        right = assets == -(-shares * price[0] // price[1])
    else:
        right = shares == assets * price[1] // price[0]
    return None if right else f"{shares:_} shares for {assets:_}, at {found}."


@_rule(
    "BACK-6",
    "Who waits is paid in turn, once, the lesser of the low marks at request and now; while a "
    "slash is visible only himself can have it paid.",
    "Lido: discounted share rate; Relever: lesser rate",
    ("backstop.serve",),
)
def line_is_served(seen: Seen) -> str | None:
    before, after, found = seen.before, seen.after, marks(seen, seen.before)
    supply, paid, most = before.word(_SUPPLY), dict[str, int](), 0
    for number, (was, waits) in seen.changes.get(_EXIT + "shares", {}).items():
        if number > after.word(_HEAD):
            return f"Exit {number} is paid beyond the head, {after.word(_HEAD)}."
        shares = was - waits
        worth = before.entry(_EXIT + "worth", number) - after.entry(_EXIT + "worth", number)
        receiver = seen.facts.names[before.entry(_EXIT + "receiver", number)]
        due = worth
        if found is not None:
            part = shares * (found.low + VAULT_VIRTUAL) // (supply + VAULT_VIRTUAL)
            due = min(worth, part)
            if found.slash and receiver != seen.action.caller:
                return f"{receiver} is paid by {seen.action.caller} while a slash is visible."
        paid[receiver] = paid.get(receiver, 0) + due
        most += due
    spent_ = before.word(_CASH) - after.word(_CASH)
    if seen.outcome.result != spent_ or spent_ > most:
        return f"{spent_:_} are paid of {most:_} that are due."
    if found is None:
        return None
    return moves_only(seen, {WETH: sums((BACKSTOP, -most), *paid.items())})


@_rule(
    "BACK-7",
    "Cash that somebody in the line waits for goes to nobody else.",
    "Relever: first come, first served",
    reads=(_CASH,),
)
def cash_is_kept_for_the_line(seen: Seen) -> str | None:
    calls = {call.name for call in (seen.action, *seen.inner)}
    cash, was = seen.after.word(_CASH), seen.before.word(_CASH)
    if cash >= was or "backstop.serve" in calls:
        return None
    waiting = seen.before.word(_WORTH)
    return f"{cash:_} are left of {was:_}, {waiting:_} are waited for." if cash < waiting else None


@_rule(
    "BACK-8",
    "A gain is slow: at once, the booked mark rises by nothing but what is paid in; and who comes "
    "or goes lowers no share of those who stay.",
    "Relever: gains unlock, losses count at once",
    (*_OWN, "liquidator.liquidate"),
)
def gains_are_slow(seen: Seen) -> str | None:
    if not seen.at_once():
        return None
    before, after = marks(seen, seen.before), marks(seen, seen.after)
    if before is None or after is None:
        return None
    paid_in = 0
    if seen.action.name in (*JOINING, *LEAVING, "backstop.serve"):
        paid_in = seen.moved(WETH).get(BACKSTOP, 0)
        old, new = before.low + VAULT_VIRTUAL, after.low + VAULT_VIRTUAL
        supplies = [look.word(_SUPPLY) + VAULT_VIRTUAL for look in (seen.before, seen.after)]
        if (new + _UNITS) * supplies[0] < old * supplies[1]:
            return f"{before} of {supplies[0]:_} became {after} of {supplies[1]:_}."
    if after.booked > before.booked + paid_in + _UNITS:
        return f"{before} became {after}, with {paid_in:_} paid in."
    return None


@_rule(
    "BACK-9",
    "A harvest takes in just what the queue has set aside, and sells wstETH for no less than it "
    "may: little is lost while it is fresh, and half a per cent at most after a week.",
    "Relever: bounded sales",
    ("backstop.harvest",),
)
def harvests_are_exact(seen: Seen) -> str | None:
    before, after, sold = seen.before, seen.after, _sold(seen)
    for claim in seen.action.arguments[0]:
        if after.entry(REQUEST + "claimable_shares", claim):
            return f"Claim {claim} is left."
    place, held = seen.facts.places[BACKSTOP], before.word(_LST) - after.word(_LST)
    out = before.table(WSTETH)[place] - after.table(WSTETH)[place] + sold - held
    received = after.word(_CASH) - before.word(_CASH)
    if sold != out or received != seen.outcome.result:
        return f"{sold:_} of {out:_} are sold, for {received:_}."
    since = after.now - before.word("backstop.book.lst_sale.lst_since")
    waited = min(since, _SALE_WINDOW) if before.word(_LST) else 0
    most = seen.facts.sale_loss + (_SALE_LOSS - seen.facts.sale_loss) * waited // _SALE_WINDOW
    if (received + _SALE_UNITS) * WAD < sold * (after.lst_rate * (WAD - most) // WAD):
        return f"{sold:_} are sold for {received:_}, after {waited} s."
    return None
