"""What a campaign must have met to have shown anything, and where it fell short.

A step that is always refused tests nothing behind the refusal, and a state that is never there
tests nothing that happens in it: a run that met too little of either fails like one that found
something. The figures here are a tenth, or less, of what real runs show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from relever.artifacts import artifact
from relever.fuzz.actions.access import OF_CONTRACTS, PRIVILEGED
from relever.fuzz.campaign import LENGTH
from relever.fuzz.states import STATES
from relever.fuzz.tally import Tally
from relever.model.deployed import KINDS

# Steps below which chance decides too much: such a run, or one of shorter examples, is only warned.
JUDGED_FROM = 20_000
# An action must have succeeded once in so many steps, up to so often.
STEPS_EACH, MOST = 20_000, 5
# Of a machine of a part, only what it tries once in so many steps is asked to succeed.
TRIED_EACH = 200
# Actions that succeed more seldom than others, and in how many steps once they must have.
SELDOM: Mapping[str, int] = {
    "vault.approve": 30_000,
    "world.veto_slash": 30_000,
    "oracle.cancel_feed_proposal": 40_000,
    "seller.remove_token": 50_000,
    "weth.transferFrom": 60_000,
    "vault.transferFrom": 70_000,
    "wsteth.transferFrom": 300_000,
}
# Not played: the quoter holds nothing, undoes what it tries, and is tested beside the router.
NOT_PLAYED = frozenset({"quoter"})
# Actions that never succeed, and why.
NEVER: Mapping[str, str] = {
    "router.move": "one market alone lends",
    **dict.fromkeys(OF_CONTRACTS, "only other contracts of the suite may call it"),
    "vault.set_exits": "is set once, when the suite is deployed",
    "vault.add_adapter": "both adapters are listed when the suite is deployed",
    "symbiotic.claim_rewards": "its vault has no rewards",
}
# Those that never succeed in a machine of a part, beside all that only rulers may do.
NEVER_THERE: Mapping[str, Mapping[str, str]] = {
    "leverage": {"eigenlayer.claim_rewards": "nobody posts rewards in this machine"},
}
_OF_RULERS = "this machine may have only strangers call it"
# A state must be there in one of so many examples of the whole protocol's machine.
EXAMPLES_EACH: Mapping[str, int] = dict.fromkeys(STATES, 100) | {
    "someone in line": 10,
    "feed unusable": 10,
    "borrowing halted": 150,
    "undelegated": 400,
    "deep discount": 1_500,
}
_OF_DERIVATIVES = frozenset(
    (
        *("rebalance", "auction begun", "target stepped down", "token liquidated"),
        *("seized by the backstop", "backstop in the queue", "someone in the backstop's line"),
    )
)
# In a machine of a part they are more seldom, and these are left to the others.
OF_A_PART = 300
ELSEWHERE: Mapping[str, frozenset[str]] = {
    "vault": _OF_DERIVATIVES
    | {"depeg deleverage", "deep discount", "feed replaced", "full utilisation"},
    "market": _OF_DERIVATIVES
    | {"adapter unreadable", "quarantine", "undelegated", "profit locked"},
    "leverage": _OF_DERIVATIVES | {"quarantine", "undelegated", "paused vault"},
    "derivatives": frozenset(
        (
            *("quarantine", "undelegated", "paused vault", "delisted market", "feed replaced"),
            *("deep discount", "bad debt", "borrowing halted", "veto window", "depeg deleverage"),
        )
    ),
}


@dataclass(frozen=True)
class Coverage:
    """What was asked of a run: successes of each action, examples that reach each state.

    `never` are the actions of which nothing is asked, and why; `short` says in words where too
    little was met; `judged` whether the run is long enough for that to count.
    """

    judged: bool
    actions: Mapping[str, int]
    never: Mapping[str, str]
    states: Mapping[str, int]
    short: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether the run is to fail for it."""
        return self.judged and bool(self.short)


def functions() -> Iterator[str]:
    """Every function that is played and may change a state. Raises `CompileError`."""
    for contract, kind in KINDS.items():
        if contract in NOT_PLAYED:
            continue
        for entry in artifact(kind).abi:
            changes = entry.get("stateMutability") in ("nonpayable", "payable")
            if entry["type"] == "function" and changes:
                yield f"{contract}.{entry['name']}"


def coverage(tally: Tally, machine: str, length: int, every: frozenset[str]) -> Coverage:
    """What a run of examples of so many steps met.

    Args:
        every: the suite's functions, which the machine of the whole protocol must all have tried;
            another machine answers for what it tried.
    """
    never, tried = dict(NEVER), set(tally.actions)
    asked, each = tried | every, dict(EXAMPLES_EACH)
    if machine in ELSEWHERE:
        never |= dict.fromkeys(set(PRIVILEGED) - set(never), _OF_RULERS)
        never |= NEVER_THERE.get(machine, {})
        each = {n: max(e, OF_A_PART) for n, e in each.items() if n not in ELSEWHERE[machine]}
        asked = {name for name in tried if tally.tries(name) * TRIED_EACH >= tally.steps}
    actions = {
        name: min(MOST, tally.steps // SELDOM.get(name, STEPS_EACH))
        for name in sorted(asked - set(never))
    }
    states = {name: tally.examples // number for name, number in each.items()}
    short = [
        f"{name} succeeded {tally.done[name]:,} of {tally.tries(name):,} times,"
        f" in {tally.steps:,} steps it should {least} times"
        for name, least in actions.items()
        if tally.done[name] < least
    ]
    short += [
        f"{name!r} was reached in {tally.states[name]} of {tally.examples:,} examples,"
        f" it should be in {least}"
        for name, least in states.items()
        if tally.states[name] < least
    ]
    judged = tally.steps >= JUDGED_FROM and length >= LENGTH
    said = {name: why for name, why in never.items() if name in tried}
    return Coverage(judged, actions, said, states, tuple(short))
