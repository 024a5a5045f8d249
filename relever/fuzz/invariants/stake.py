"""Restaking below the vault: stake is backed, and only a slash takes from it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from relever.fuzz.invariants.base import (
    FUNDS,
    WAD,
    WSTETH,
    Invariant,
    Seen,
    invariant,
    sums,
)
from relever.fuzz.invariants.market import moves_only
from relever.fuzz.invariants.vault import states
from relever.model.parts import EIGENLAYER, POCKET, STRATEGY, SYMBIOTIC, SYMBIOTIC_VAULT, VAULT

INVARIANTS: list[Invariant] = []
_rule = partial(invariant, INVARIANTS)

_PLACES = {EIGENLAYER: STRATEGY, SYMBIOTIC: SYMBIOTIC_VAULT}
# EigenLayer counts what is left of an operator's stake in units of 1e-18, at first, and rounds a
# slash up to one. Until 99.9 % are gone such a unit is less than this part of the stake; its shares
# round too.
_UNITS, _ROUNDING = 10**15, 100


def _known(seen: Seen) -> dict[str, tuple[int, int, int]]:
    """What the adapters say, those under quarantine too."""
    look, names = seen.after, seen.facts.names
    told = states(seen)
    count, *addresses = look.table("side_pocket._adapters")
    rest = look.sight.adapters[len(told) :]
    told.update(
        (names[address], tuple(state))
        for address, state in zip(addresses[:count], rest, strict=False)
    )
    return told


@_rule(
    "SLASH-1",
    "What an adapter says its stake is worth is in the protocol's hands, and what leaves is a part "
    "of it.",
    "EigenLayer: shares are backed by the strategy's tokens",
    always=True,
)
def stake_is_backed(seen: Seen) -> str | None:
    held = seen.after.table(WSTETH)
    for name, (live, exiting, _) in _known(seen).items():
        backing = held[seen.facts.places[_PLACES[name]]]
        if live > backing or exiting > live:
            return f"{name} says {live:_}, with {exiting:_} leaving, of {backing:_}."
    return None


@_rule(
    "SLASH-2",
    "A slash in EigenLayer takes no more of the adapter's stake than its part of it.",
    "EigenLayer: magnitudes",
    ("world.slash",),
)
def slash_takes_its_part(seen: Seen) -> str | None:
    (part,) = seen.action.arguments
    return _fell_at_most(
        seen, EIGENLAYER, lambda live: -(-live * part // WAD) + live // _UNITS + _ROUNDING
    )


@_rule(
    "SLASH-5",
    "A slash in Symbiotic takes no more than the adapter said was at risk, and one that is asked "
    "for or vetoed takes nothing.",
    "Symbiotic: slashable stake",
    ("world.execute_slash", "world.request_slash", "world.veto_slash"),
)
def slash_was_visible(seen: Seen) -> str | None:
    if not seen.at_once():
        return None
    # By where it stands among what the Lens tells.
    order = list(_known(seen))
    if SYMBIOTIC not in order or len(seen.before.sight.adapters) != len(order):
        return None
    risk = seen.before.sight.adapters[order.index(SYMBIOTIC)].at_risk
    most = risk if seen.action.name == "world.execute_slash" else 0
    return _fell_at_most(seen, SYMBIOTIC, lambda _: most)


def _fell_at_most(seen: Seen, name: str, most: Callable[[int], int]) -> str | None:
    """Where what an adapter is worth fell by more than so much of it."""
    order = list(_known(seen))
    if name not in order or len(seen.before.sight.adapters) != len(order):
        return None
    before = seen.before.sight.adapters[order.index(name)].live
    after = seen.after.sight.adapters[order.index(name)].live
    fell = before - after
    return f"{name} was worth {before:_} and is {after:_}." if fell > most(before) else None


@_rule(
    "STAKE-3",
    "Staking moves exactly the amount from the vault to the protocol, within the adapter's caps.",
    "Yearn v3: debt update",
    ("vault.allocate",),
)
def staking_is_exact(seen: Seen) -> str | None:
    name, amount = seen.action.arguments
    caps = seen.before.entry("vault.vault_limits._adapter_caps", name)
    booked, whole = seen.after.booked[name], sum(seen.after.funds[:2])
    if booked > caps & (2**128 - 1) or booked > whole * (caps >> 128) // WAD:
        return f"{booked:_} of {whole:_} are staked with {name}."
    wrong = sums((VAULT, -amount), (_PLACES[name], amount))
    return None if seen.moved(WSTETH) == wrong else f"{seen.moved(WSTETH)} for {amount:_}."


@_rule(
    "STAKE-4",
    "An exit that is finished brings home exactly what it says, from the protocol to the vault; "
    "claims on a quarantine get their part.",
    "EigenLayer: completeQueuedWithdrawal; Symbiotic: claim",
    ("vault.finish_exit",),
)
def exits_bring_it_home(seen: Seen) -> str | None:
    name, amount = seen.action.arguments[0], seen.outcome.result
    claims = seen.moved(WSTETH).get(POCKET, 0)
    if claims < 0 or claims > amount:
        return f"{claims:_} of {amount:_} go to claims."
    if claims and seen.before.entry("vault.vault_books._standing", name) == 1:
        return f"{claims:_} go to claims on {name}, which is not under quarantine."
    right = sums((_PLACES[name], -amount), (VAULT, amount - claims), (POCKET, claims))
    found = seen.moved(WSTETH)
    return f"{found} for {amount:_}." if found != right else None


@_rule(
    "STAKE-5",
    "Starting an exit moves no tokens and no books.",
    "EigenLayer, Symbiotic: queued withdrawals",
    ("vault.deallocate",),
)
def starting_moves_nothing(seen: Seen) -> str | None:
    if seen.before.word(FUNDS) != seen.after.word(FUNDS):
        return "The vault's funds have changed."
    return moves_only(seen, {})
