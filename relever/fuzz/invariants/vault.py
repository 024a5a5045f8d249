"""The LRT vault: shares cost and pay what they are worth, gains come slowly, losses at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from relever.fuzz.invariants.base import (
    BOOKED,
    CLAIM,
    FUNDS,
    LIMITS,
    LRT,
    MAX_64,
    MAX_128,
    PROFIT,
    QUEUED,
    VAULT_VIRTUAL,
    WAD,
    WSTETH,
    Invariant,
    Look,
    Seen,
    invariant,
    sums,
)
from relever.fuzz.invariants.market import moves_only, spent
from relever.model.parts import POCKET, VAULT

INVARIANTS: list[Invariant] = []
_rule = partial(invariant, INVARIANTS)

ENTERING, LEAVING = ("vault.deposit", "vault.mint"), ("vault.withdraw", "vault.redeem")
# What books all adapters that stand in the books, or reverts; and what books those that answer.
_STRICT = (*ENTERING, *LEAVING, "vault.allocate")
_LOOSE = (
    *("vault.sync", "vault.pay_rewards", "vault.finish_exit", "vault.set_performance_fee"),
    *("queue.requestRedeem", "queue.finalize", "queue.pull_back"),
)
# Shares of nobody.
_DEAD = "dead"
_RECIPIENT = "vault.vault_books.performance_fee.fee_recipient"
_FEE = "vault.vault_books.performance_fee.performance_fee"
_MISSING = "vault.vault_books.performance_fee.unrecovered_loss"
_TERMS = "vault.exit_fee._terms"
_STANDING = "vault.vault_books._standing"


@dataclass(frozen=True)
class Found:
    """What an action finds when it books the adapters, and the prices that follow.

    `gain` and `loss` are of all adapters; `total` is for who enters, `leaving` for who leaves,
    which is less by what visible slashes take. `idle` and `supply` are before it.
    """

    gain: int
    loss: int
    risk: int
    total: int
    leaving: int
    idle: int
    supply: int
    fee_shares: int

    def shares_down(self, assets: int, total: int) -> int:
        return assets * (self.supply + VAULT_VIRTUAL) // (total + VAULT_VIRTUAL)

    def shares_up(self, assets: int, total: int) -> int:
        return -(-assets * (self.supply + VAULT_VIRTUAL) // (total + VAULT_VIRTUAL))

    def assets_down(self, shares: int, total: int) -> int:
        return shares * (total + VAULT_VIRTUAL) // (self.supply + VAULT_VIRTUAL)

    def assets_up(self, shares: int, total: int) -> int:
        return -(-shares * (total + VAULT_VIRTUAL) // (self.supply + VAULT_VIRTUAL))

    @property
    def calm(self) -> int:
        """Total assets for who leaves, if no visible slash falls."""
        return self.leaving + self.risk


def states(seen: Seen) -> dict[str, tuple[int, int, int]]:
    """By adapter in the vault's list: what it is worth now, what is leaving it, what is at risk."""
    look, names = seen.after, seen.facts.names
    count, *addresses = look.table("vault.vault_books._adapters")
    pairs = zip(addresses[:count], look.sight.adapters, strict=False)
    return {names[address]: tuple(state) for address, state in pairs}


def found(seen: Seen) -> Found:
    """What an action that moves no stake has found: the books before it against those after."""
    return seen.once(_found)


def _found(seen: Seen) -> Found:
    before, after = seen.before, seen.after
    gain = loss = risk = 0
    told = states(seen)
    for name, old in before.booked.items():
        if name not in told:
            continue
        # What cannot be read stays as booked; that it is booked as it says is a rule by itself.
        new = after.booked[name]
        gain += max(0, new - old)
        loss += max(0, old - new)
        risk += min(told[name][0], told[name][2])
    idle, staked, _ = before.funds
    whole, locked = idle + staked, before.locked(after.now)
    total = whole - min(whole, max(locked, loss))
    leaving = whole - min(whole, max(locked, loss) + risk)
    recipient = seen.facts.names[after.word(_RECIPIENT)]
    return Found(
        gain, loss, total - leaving, total, leaving, idle, before.supply,
        seen.moved(LRT).get(recipient, 0) if gain else 0,
    )  # fmt: skip


def live(seen: Seen, look: Look) -> tuple[int, int] | None:
    """Total assets of these books for who enters and for who leaves now, losses that nobody has
    booked taken off; none where an adapter may not answer.
    """
    loss = risk = 0
    for name, (worth, _, at_risk) in states(seen).items():
        booked = look.booked[name]
        if booked and not worth:
            return None
        if booked:
            loss += max(0, booked - worth)
            risk += min(worth, at_risk)
    idle, staked, _ = look.funds
    whole, gone = idle + staked, max(look.locked(seen.after.now), loss)
    return whole - min(whole, gone), whole - min(whole, gone + risk)


def _of_exit(seen: Seen) -> tuple[int, int]:
    """Assets and shares of an exchange with the vault, as they were named and returned."""
    named, other = seen.action.arguments[0], seen.outcome.result
    in_assets = seen.action.name in ("vault.deposit", "vault.withdraw")
    return (named, other) if in_assets else (other, named)


def _fee_shares(seen: Seen, also: int) -> tuple[str, int]:
    """The recipient of the performance fee, and what it was given beside something else."""
    recipient = seen.facts.names[seen.after.word(_RECIPIENT)]
    return recipient, seen.moved(LRT).get(recipient, 0) - also


# Coming and going


@_rule(
    "VAULT-2",
    "Coming and going move exactly the assets and shares that are said, and shares beside them "
    "only for the performance fee.",
    "a16z erc4626-tests: actual amounts",
    (*ENTERING, *LEAVING),
)
def exchange_is_exact(seen: Seen) -> str | None:
    assets, shares = _of_exit(seen)
    caller, said = seen.action.caller, seen.action.arguments
    if seen.action.name in ENTERING:
        paid = sums((caller, -assets), (VAULT, assets))
        owner, moved = said[1], shares
    else:
        paid = sums((VAULT, -assets), (said[1], assets))
        owner, moved = said[2], -shares
    recipient = seen.facts.names[seen.after.word(_RECIPIENT)]
    fee = seen.moved(LRT).get(recipient, 0) - (moved if owner == recipient else 0)
    if fee < 0:
        return f"{recipient} loses {-fee:_} shares."
    return moves_only(seen, {WSTETH: paid, LRT: sums((owner, moved), (recipient, fee))})


@_rule(
    "VAULT-5",
    "Shares cost and pay their part of the assets after all losses, and of those expected back; "
    "who leaves bears visible slashes and the exit fee; rounding is against who acts.",
    "ERC-4626; crytic/properties: rounding",
    (*ENTERING, *LEAVING),
)
def exchange_is_priced(seen: Seen) -> str | None:
    assets, shares = _of_exit(seen)
    at, name = found(seen), seen.action.name
    if name in ENTERING:
        priced = at.total + seen.before.expected
        right = {
            "vault.deposit": (assets, at.shares_down(assets, priced)),
            "vault.mint": (at.assets_up(shares, priced), shares),
        }[name]
        if (assets, shares) != right or 0 in right:
            return f"{assets:_} for {shares:_} shares, and not {right}."
        return None
    free = at.idle - min(at.idle, at.assets_up(seen.before.word(QUEUED), at.calm))
    if assets > free:
        return f"{assets:_} are paid of {free:_} that are free."
    fee = _exit_fee(seen.before.word(_TERMS), assets, free)
    if name == "vault.withdraw":
        right_shares = at.shares_up(assets + fee, at.leaving)
        return f"{shares:_} shares, not {right_shares:_}." if shares != right_shares else None
    worth = at.assets_down(shares, at.leaving)
    # As much as can be paid so that it and the fee on it are no more than the shares are worth.
    more = assets + 1 + _exit_fee(seen.before.word(_TERMS), assets + 1, free)
    if assets + fee > worth or more <= worth or not assets:
        return f"{assets:_} and a fee of {fee:_} for a worth of {worth:_}."
    return None


def _exit_fee(terms: int, paid: int, free: int) -> int:
    """A unit that leaves while y are free costs most * (1 - y / buffer): all of it, rounded up."""
    buffer, most = terms & MAX_128, terms >> 128
    if not buffer or not most:
        return 0
    beyond = max(0, paid - free)
    high, low = min(free, buffer), min(free - (paid - beyond), buffer)
    area = (high - low) * (2 * buffer - high - low) + beyond * 2 * buffer
    return -(-most * area // (2 * buffer * WAD))


@_rule(
    "VAULT-11",
    "Who takes out another's assets uses up exactly so much of an allowance.",
    "a16z erc4626-tests: allowances",
    LEAVING,
)
def exit_needs_allowance(seen: Seen) -> str | None:
    owner, caller = seen.action.arguments[2], seen.action.caller
    if owner == caller:
        return None
    return spent(seen, "vault.erc20.allowance", owner, caller, _of_exit(seen)[1])


@_rule(
    "VAULT-10",
    "Nothing comes in above the deposit cap or while the vault is paused.",
    "ERC-4626: maxDeposit",
    (*ENTERING, "zap.deposit", "router.open", "vault.allocate"),
)
def entry_has_bounds(seen: Seen) -> str | None:
    if seen.action.name == "router.open" and not seen.moved(FUNDS):
        return None
    limits = seen.before.word(LIMITS)
    if seen.after.now < (limits >> 128) & MAX_64:
        return f"It is paused until {(limits >> 128) & MAX_64}."
    if seen.action.name == "vault.allocate":
        return None
    before, after = found(seen).total, seen.after.funds[0] - seen.before.funds[0]
    if after > 0 and before + after > limits & MAX_128:
        return f"{after:_} come to {before:_} under a cap of {limits & MAX_128:_}."
    return None


# What shares are worth


@_rule(
    "VAULT-6",
    "A share's worth never falls but by a loss that is shown, beyond the profit that was locked.",
    "Yearn v3, Euler vault kit: price per share",
    always=True,
)
def rate_only_rises(seen: Seen) -> str | None:
    before, after = seen.before, seen.after
    if seen.changes.keys().isdisjoint((FUNDS, PROFIT, "vault.erc20.totalSupply")):
        # Only time has unlocked something.
        return None
    idle, staked, _ = before.funds
    # A stake may lose a unit to rounding as it is put in, and stand for what it did before.
    put, got = _moved_stake(seen)
    loss = sum(
        max(0, old + put.get(name, 0) - got.get(name, 0) - after.booked[name])
        for name, old in before.booked.items()
    )
    least = idle + staked - min(idle + staked, max(before.locked(after.now), loss))
    worth = (after.total + VAULT_VIRTUAL) * (before.supply + VAULT_VIRTUAL)
    if worth < (least + VAULT_VIRTUAL) * (after.supply + VAULT_VIRTUAL):
        return (
            f"{least:_} for {before.supply:_} shares, with a loss of {loss:_}, became"
            f" {after.total:_} for {after.supply:_}."
        )
    return None


def _moved_stake(seen: Seen) -> tuple[dict[str, int], dict[str, int]]:
    """What was put into adapters, and what came back of what stood in their books."""
    put: dict[str, int] = {}
    got: dict[str, int] = {}
    outer = seen.action, seen.outcome.result
    for call, result in (outer, *seen.answered) if seen.done else ():
        if call.name == "vault.allocate":
            put[call.arguments[0]] = put.get(call.arguments[0], 0) + call.arguments[1]
        elif call.name == "vault.finish_exit":
            name = call.arguments[0]
            got[name] = got.get(name, 0) + min(result, seen.before.booked[name])
    return put, got


@_rule(
    "VAULT-7",
    "What all shares are worth is no more than the assets; the dead ones bear the virtual part.",
    "Euler vault kit: vault solvency",
    reads=(FUNDS, PROFIT, LRT, "vault.erc20.totalSupply"),
)
def shares_are_covered(seen: Seen) -> str | None:
    look = seen.after
    dead = look.table(LRT)[seen.facts.places[_DEAD]]
    living, total = look.supply - dead, look.total
    # A share of less than 1e-6 of the asset is worth less than the virtual part takes.
    if total * 10**6 < look.supply:
        return None
    worth = living * (total + VAULT_VIRTUAL) // (look.supply + VAULT_VIRTUAL)
    return f"{worth:_} of {total:_}." if worth > total else None


@_rule(
    "VAULT-8",
    "Idle assets change by exactly the assets that come and go, and by no gift.",
    "Yearn v3, Euler vault kit: internal accounting",
    reads=(FUNDS, WSTETH),
)
def idle_moves_with_tokens(seen: Seen) -> str | None:
    idle = seen.after.funds[0] - seen.before.funds[0]
    if seen.action.name in _GIFTS:
        return f"A gift has changed the books by {idle:_}." if idle else None
    held = seen.moved(WSTETH).get(VAULT, 0)
    if any(call.name in _GIFTS for call in seen.inner):
        # What was given in the middle of it is not in the books.
        return f"Booked are {idle:_} of {held:_}." if idle > held else None
    return f"Booked are {idle:_}, and moved {held:_}." if idle != held else None


# By these assets come to the vault without a call of it; a claim may be handed over to it.
_GIFTS = (
    *("wsteth.transfer", "wsteth.transferFrom", "swap.swap", "swap.swap_up_to"),
    *("queue.claim", "side_pocket.claim"),
)


@_rule(
    "VAULT-9",
    "The supply is the sum of the balances.",
    "Euler vault kit, Morpho Blue: total supply",
    reads=(LRT, "vault.erc20.totalSupply"),
)
def supply_is_the_sum(seen: Seen) -> str | None:
    total = sum(seen.after.table(LRT))
    if total != seen.after.supply:
        return f"The supply is {seen.after.supply:_}, balances are {total:_}."
    return None


@_rule(
    "VAULT-12",
    "The vault is never empty: its first shares stay with nobody.",
    "OpenZeppelin, Morpho: dead shares against the first depositor",
    reads=(LRT,),
)
def seed_stays(seen: Seen) -> str | None:
    before, after = seen.held(LRT, _DEAD)
    return f"They were {before:_} and are {after:_}." if after < before or not after else None


@_rule(
    "VAULT-13",
    "The vault holds the assets that it calls idle.",
    "Euler vault kit: cash",
    reads=(FUNDS, WSTETH),
)
def idle_is_held(seen: Seen) -> str | None:
    idle, held = seen.after.funds[0], seen.after.table(WSTETH)[seen.facts.places[VAULT]]
    return f"It holds {held:_} of {idle:_}." if held < idle else None


@_rule(
    "VAULT-14",
    "The performance fee is only on gains above what was lost before, in new shares for no more "
    "than they are worth.",
    "Yearn v3: fee above the high-water mark",
    (*_STRICT, *_LOOSE),
)
def fee_is_on_gains(seen: Seen) -> str | None:
    if seen.action.name in ENTERING and seen.action.arguments[1] == _recipient(seen):
        return None
    minted = seen.after.supply - seen.before.supply
    recipient = _recipient(seen)
    fee_shares = seen.moved(LRT).get(recipient, 0)
    if minted <= 0 or fee_shares <= 0 or recipient == seen.action.caller:
        return None
    right = most_fee_shares(seen)
    return f"{fee_shares:_} shares for a fee, at most {right:_}." if fee_shares > right else None


def most_fee_shares(seen: Seen) -> int:
    """Shares that the performance fee may bring at most for what an action books."""
    before, after = seen.before, seen.after
    put, got = _moved_stake(seen)
    gain = loss = 0
    for name, old in before.booked.items():
        stands = old + put.get(name, 0) - got.get(name, 0)
        gain += max(0, after.booked[name] - stands)
        loss += max(0, stands - after.booked[name])
    missing = before.word(_MISSING) + loss
    if seen.action.name in ("vault.pay_rewards", "seller.sell"):
        gain += max(0, seen.moved(WSTETH).get(VAULT, 0))
    elif seen.action.name == "vault.finish_exit":
        # What comes home beyond the books is a gain too. The books are told before and after it:
        # a loss of the one time makes up for no gain of the other.
        gain += max(0, seen.moved(WSTETH).get(VAULT, 0) - sum(got.values())) + loss
        missing = before.word(_MISSING)
    most = max(0, gain - missing) * before.word(_FEE) // WAD
    # At the price of who enters before it, which no gain has moved.
    idle, staked, _ = before.funds
    total = idle + staked - min(idle + staked, max(before.locked(after.now), loss))
    return most * (before.supply + VAULT_VIRTUAL) // (total + before.expected + VAULT_VIRTUAL)


def _recipient(seen: Seen) -> str:
    return seen.facts.names[seen.before.word(_RECIPIENT)]


@_rule(
    "VAULT-16",
    "A gain is locked first: while nothing is at risk, no share's worth rises at once by more than "
    "rounding leaves.",
    "Yearn v3: profit unlocking",
    reads=(FUNDS, PROFIT),
)
def gains_come_slowly(seen: Seen) -> str | None:
    before, after = seen.before, seen.after
    # What comes back of a quarantine, or by who leaves under a visible slash, is the holders' now.
    if after.funds[2] or any(state[2] for state in states(seen).values()):
        return None
    if any(state.at_risk for state in before.sight.adapters):
        return None
    idle, staked, _ = before.funds
    total = idle + staked - min(idle + staked, before.locked(after.now))
    most = -(
        -(total + VAULT_VIRTUAL) * (after.supply + VAULT_VIRTUAL) // (before.supply + VAULT_VIRTUAL)
    )
    # Each exchange of shares rounds by a unit and a share; so does each request that is filled.
    rounded = 4 + 4 * (len(seen.inner) + len(seen.changes.get("queue._requests.shares", ())))
    if after.total + VAULT_VIRTUAL > most + rounded * (1 + after.total // after.supply):
        return f"{total:_} for {before.supply:_} became {after.total:_} for {after.supply:_}."
    return None


@_rule(
    "VAULT-17",
    "Locked profit unlocks along a line, within the period, and no part of it is lost or made on "
    "the way.",
    "Yearn v3: unlocked shares",
    always=True,
)
def profit_unlocks_in_time(seen: Seen) -> str | None:
    word, now = seen.after.word(PROFIT), seen.after.now
    end, since = (word >> 128) & MAX_64, word >> 192
    if word and not (since <= now and end - since <= seen.facts.unlock_period):
        return f"From {since} to {end}, at {now}."
    if word == seen.before.word(PROFIT):
        return None
    locked = seen.after.locked(now)
    whole = seen.after.funds[0] + seen.after.funds[1]
    return f"{locked:_} of {whole:_} are locked." if locked > whole + VAULT_VIRTUAL else None


# Stake


@_rule(
    "SLASH-4",
    "Whoever comes, goes or stakes has the books say what the adapters are worth; nothing that "
    "cannot be read is taken for zero.",
    "EigenLayer, Symbiotic: withdrawable stake",
    (*_STRICT, *_LOOSE),
)
def books_are_live(seen: Seen) -> str | None:
    strict = seen.action.name in _STRICT
    if seen.action.name == "queue.finalize":
        # With nobody in line, or nobody to be looked at, it returns at once.
        line = seen.before.word("queue.next_id") - seen.before.word("queue.head")
        if not line or not seen.action.arguments[0]:
            return None
    for name, (live, _, _) in states(seen).items():
        booked, before = seen.after.booked[name], seen.before.booked[name]
        if booked == live:
            continue
        # Who is asked strictly is asked only where something is booked.
        if strict and before == 0 and seen.action.arguments[0] != name:
            continue
        # One that cannot be read says nothing, which the Lens calls zero.
        if not strict and live == 0 and booked == before:
            continue
        if seen.action.name == "vault.finish_exit" and live == 0 and booked <= before:
            continue
        # The exit comes after the books, and its protocol rounds what is queued down, three times.
        if seen.action.name == "queue.pull_back" and 0 <= booked - live <= 3:
            continue
        return f"{name} is worth {live:_}, and stands for {booked:_}."
    return None


@_rule(
    "STAKE-1",
    "What stands in the books for all adapters is the sum of what stands for each, of none under "
    "quarantine.",
    "Yearn v3: total debt",
    reads=(FUNDS, BOOKED, _STANDING),
)
def staked_is_the_sum(seen: Seen) -> str | None:
    booked, staked = seen.after.booked, seen.after.funds[1]
    if sum(booked.values()) != staked:
        return f"{staked:_}, and the sum is {sum(booked.values()):_}."
    for name, standing in seen.after.entries(_STANDING).items():
        if standing != 1 and booked[name]:
            return f"{name} stands for {booked[name]:_} under quarantine."
    return None


@_rule(
    "STAKE-2",
    "A quarantine writes off what is booked, and expects back what the shares lost by it.",
    "Yearn v3: strategy loss",
    ("vault.quarantine",),
)
def quarantine_writes_off(seen: Seen) -> str | None:
    name = seen.action.arguments[0]
    lost, booked = seen.before.booked[name], seen.after.booked[name]
    if booked or seen.after.funds[1] != seen.before.funds[1] - lost:
        return f"{booked:_} stay booked of {lost:_}."
    now, idle, staked = seen.after.now, *seen.before.funds[:2]
    total = idle + staked - min(idle + staked, seen.before.locked(now))
    expected = seen.after.entry("side_pocket.expected_of", name)
    fell = total - seen.after.total
    if expected != fell or expected != seen.after.entry("side_pocket.owed_of", name):
        return f"Expected are {expected:_}, and lost {fell:_}."
    # With it, what backs all shares is what it was, up to the unit that is rounded up.
    return None


@_rule(
    "POCKET-1",
    "The side pocket holds what it owes to claims, and no claims and shares have more than the "
    "whole.",
    "Relever: quarantined stake is shared out once",
    reads=(WSTETH, CLAIM + "part", CLAIM + "owed", "side_pocket.returned"),
)
def pocket_is_covered(seen: Seen) -> str | None:
    look = seen.after
    if not look.funds[2]:
        return None
    returned = look.entries("side_pocket.returned")
    parts = look.entries("side_pocket.shares_part")
    owed, counted = look.entries("side_pocket._claims.owed"), "side_pocket._claims.counted"
    counts, due = look.entries(counted), 0
    for (name, who), part in look.entries("side_pocket._claims.part").items():
        parts[name] += part
        if part or owed[name, who]:
            due += owed[name, who] + part * (returned[name] - counts[name, who]) // 10**36
    held = look.table(WSTETH)[seen.facts.places[POCKET]]
    if any(part > 10**36 for part in parts.values()):
        return f"Parts are {parts}."
    return f"It holds {held:_} for {due:_}." if held < due else None


def priced(look: Look) -> tuple[int, int]:
    """What a share is worth: assets with those expected, over shares, both with virtual ones."""
    return look.total + look.expected + VAULT_VIRTUAL, look.supply + VAULT_VIRTUAL
