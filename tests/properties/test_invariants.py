"""Every invariant holds of what was really seen, and speaks when a word of it is doctored."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from copy import deepcopy
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from relever.fuzz.actions.planner import Planner
from relever.fuzz.invariants import INVARIANTS, Facts, Invariant, Look, Rules, Seen
from relever.fuzz.invariants.base import (
    BOOKED,
    BORROW,
    CAPS,
    CLAIM,
    DELEVERAGED,
    FUNDS,
    LIMITS,
    LRT,
    ORDER_EPOCHS,
    ORDERS_USED,
    POSITIONS,
    PROFIT,
    QUEUED,
    REQUEST,
    SUPPLY,
    WETH,
    WSTETH,
)
from relever.fuzz.invariants.leveraged import token_of
from relever.fuzz.invariants.liquidation import case_of
from relever.fuzz.invariants.market import spent
from relever.fuzz.player import Player
from relever.fuzz.stage import set_up
from relever.fuzz.storage import Layout
from relever.model.backstop import BACKSTOP
from relever.model.callback import SCRIPTED, Callback
from relever.model.market import MARKET
from relever.model.parts import POCKET, ROUTER, SYMBIOTIC, VAULT, WRONG_ORACLE
from relever.model.protocol import Action, Outcome, Step
from relever.model.router import Bounds
from relever.model.tokens import UNLIMITED

# Sequences are played until there is something that a rule is about, this many at most.
MACHINES = ("protocol", "vault", "market", "leverage", "derivatives")
NUMBERS, LENGTH = 40, 60

# None where there is nothing to doctor.
Doctor = Callable[[Seen], Seen | None]
Change = Callable[[int], int]
Key = Hashable | Callable[[Seen], Hashable]

ALLOWANCES = "vault.erc20.allowance"
LRT_SUPPLY = "vault.erc20.totalSupply"
LISTED = "factory.is_listed"
RIGHTS = "market.authorization._authorized"
# Of somebody who holds all tokens, and seldom does anything.
BYSTANDER = "lender"
HUGE, WAD, HOUR = 10**30, 10**18, 3_600
PRICES, STATE = "prices", "state"
# Rules of states that compare with the state before, and so say nothing of a first one.
COMPARE = ("ORA-6", "ACC-1", "LT-8", "LT-9")


def plus(amount: int) -> Change:
    """More by so much; nothing falls below zero."""
    return lambda word: max(0, word + amount)


def to(value: int) -> Change:
    """Another value."""
    return lambda _: value


def times(part: int, of: int = 1) -> Change:
    """A multiple, rounded down."""
    return lambda word: word * part // of


def low_gone(bits: int) -> Change:
    """Without the low bits of a packed word."""
    return lambda word: word >> bits << bits


def word(variable: str, change: Change, key: Key = None, before: bool = False) -> Doctor:
    """Changes a word of storage, or all of a table where no key is given."""

    def doctor(seen: Seen) -> Seen | None:
        look = seen.before if before else seen.after
        span, keys = look.spans[variable], look.keys[variable]
        only = key(seen) if callable(key) else key
        if only is not None and only not in keys:
            return None
        words = list(look.words)
        for index, one in enumerate(keys, span.start):
            if only is None or one == only:
                words[index] = change(words[index])
        return _with(seen, Look(look.sight, words, look.layout), before)

    return doctor


def told(*path: str | int, by: Change, before: bool = False) -> Doctor:
    """Changes a number of those that the Lens tells."""

    def doctor(seen: Seen) -> Seen | None:
        look = seen.before if before else seen.after
        try:
            sight = _changed(look.sight, path, by)
        except IndexError:
            return None
        return _with(seen, Look(sight, look.words, look.layout), before)

    return doctor


def _changed(record: Any, path: tuple[str | int, ...], by: Change) -> Any:
    if not path:
        return by(record)
    first, *rest = path
    if isinstance(first, int):
        inner = _changed(record[first], tuple(rest), by)
        return [*record[:first], inner, *record[first + 1 :]]
    return record._replace(**{first: _changed(getattr(record, first), tuple(rest), by)})


def _with(seen: Seen, look: Look, before: bool) -> Seen:
    return replace(seen, before=look) if before else replace(seen, after=look)


def result(by: Change) -> Doctor:
    """Changes what was returned, or the first of it."""

    def doctor(seen: Seen) -> Seen:
        said = seen.outcome.result
        other = (by(said[0]), *said[1:]) if isinstance(said, tuple) else by(said)
        return replace(seen, outcome=replace(seen.outcome, result=other))

    return doctor


def asked(**others: Any) -> Doctor:
    """Says of the action what it was not."""
    return lambda seen: replace(
        seen, step=replace(seen.step, action=replace(seen.action, **others))
    )


def late(seen: Seen) -> Seen:
    """As if the deadline had been long ago."""
    said = tuple(
        replace(word, deadline=0) if isinstance(word, Bounds) else word
        for word in seen.action.arguments
    )
    doctored = asked(arguments=said)(seen)
    assert doctored is not None
    return doctored


def ordered(**others: Any) -> Doctor:
    """Says of the order that was executed what it did not."""

    def doctor(seen: Seen) -> Seen | None:
        order, *rest = seen.action.arguments
        return asked(arguments=(replace(order, **others), *rest))(seen)

    return doctor


def signed_by_nobody(seen: Seen) -> Seen | None:
    """As if an order's owner had not signed it."""
    order, _, *rest = seen.action.arguments
    return asked(arguments=(order, "nobody", *rest))(seen)


def order_owner(seen: Seen) -> Hashable:
    """Whose order was executed."""
    return seen.action.arguments[0].owner


def with_wrong_oracle(seen: Seen) -> Seen | None:
    """As if a market had been made with an oracle of too few digits."""
    (terms, *rest) = seen.action.arguments
    return asked(arguments=((*terms[:2], WRONG_ORACLE, *terms[3:]), *rest))(seen)


def halted(seen: Seen) -> Seen | None:
    """As if the market had lost so much that nobody may borrow."""
    faded = (seen.after.now // 12 + 10_000) % 2**23
    mark = (1 << 23 | faded) << 232
    return word(SUPPLY, lambda old: old % 2**232 | mark, before=True)(seen)


def of_token(part: str, change: Change, before: bool = False) -> Doctor:
    """Changes a word of the leveraged token that the action is about."""
    return lambda seen: word(f"{token_of(seen)}.{part}", change, before=before)(seen)


def after_its_deadline(seen: Seen) -> Seen | None:
    """As if the deadline, which is said last, had been long ago."""
    return asked(arguments=(*seen.action.arguments[:-1], 0))(seen)


def all_of(*doctors: Doctor) -> Doctor:
    """One after the other."""

    def doctor(seen: Seen) -> Seen | None:
        found: Seen | None = seen
        for one in doctors:
            found = None if found is None else one(found)
        return found

    return doctor


def caller(seen: Seen) -> Hashable:
    return seen.action.caller


def recipient(seen: Seen) -> Hashable:
    """Who is paid the performance fee."""
    return seen.facts.names[seen.before.word("vault.vault_books.performance_fee.fee_recipient")]


# Where a rule says several things, there is a doctor for each.
DOCTORS: dict[str, Doctor | tuple[Doctor, ...]] = {
    "VAULT-2": result(plus(1)),
    "VAULT-5": result(plus(1)),
    "VAULT-11": asked(caller="nobody"),
    "VAULT-10": (
        word(LIMITS, low_gone(128), before=True),
        word(LIMITS, plus(2**40 << 128), before=True),
    ),
    "VAULT-6": word(FUNDS, plus(-1)),
    # Worth less than the asset, without the shares that bear the virtual part.
    "VAULT-7": all_of(word(LRT, to(0), "dead"), word(LRT_SUPPLY, times(2))),
    "VAULT-8": word(FUNDS, plus(1)),
    "VAULT-9": word(LRT_SUPPLY, plus(1)),
    "VAULT-12": word(LRT, plus(-1), "dead"),
    "VAULT-13": word(WSTETH, to(0), VAULT),
    "VAULT-14": all_of(word(LRT_SUPPLY, plus(HUGE)), word(LRT, plus(HUGE), recipient)),
    "VAULT-16": word(FUNDS, plus(10**12)),
    "VAULT-17": word(PROFIT, plus(2**40 << 192)),
    "SLASH-4": word(BOOKED, plus(10)),
    "STAKE-1": word(BOOKED, plus(1)),
    "STAKE-2": word(FUNDS, plus(1)),
    "POCKET-1": word(WSTETH, to(0), POCKET),
    "WQ-1": word(QUEUED, plus(1)),
    "WQ-2": result(plus(1)),
    "WQ-3": word("queue.head", plus(1_000)),
    "WQ-4": word("queue.set_aside", plus(1)),
    "WQ-5": word(REQUEST + "claimable_assets", plus(1)),
    "WQ-6": word(LRT, plus(-1), caller),
    "WQ-7": word(REQUEST + "assets", plus(1)),
    "WQ-9": word(FUNDS, low_gone(120)),
    "WQ-10": told("time", by=to(0)),
    "SLASH-1": told("adapters", 0, "live", by=plus(HUGE)),
    "SLASH-2": told("adapters", 0, "live", by=to(0)),
    "SLASH-5": told("adapters", 1, "live", by=to(0)),
    "STAKE-3": word(WSTETH, plus(1), VAULT),
    "STAKE-4": result(plus(1)),
    "STAKE-5": word(FUNDS, plus(1)),
    "SOLV-1": word(BORROW, plus(1 << 90)),
    "SOLV-2": word(SUPPLY, plus(1 << 90)),
    "SOLV-3": word(WETH, to(0), MARKET),
    "SOLV-4": word(LRT, to(0), MARKET),
    "SOLV-5": word(WETH, plus(1), MARKET),
    "BAD-4": word(POSITIONS, low_gone(128)),
    "INT-1": told(STATE, "borrow_assets", by=times(9, 10)),
    "INT-2": told(STATE, "supply_assets", by=plus(-1_000)),
    "INT-3": told(STATE, "supply_assets", by=plus(1)),
    "INT-4": word(SUPPLY, plus(1)),
    "INT-5": (
        told(STATE, "borrow_assets", by=times(10**9 + 1, 10**9)),
        told(STATE, "borrow_assets", by=times(10**9 - 1, 10**9)),
        told(STATE, "rate_code", by=plus(2)),
    ),
    "INT-6": told("debts", 0, by=plus(1)),
    "LEND-1": result(plus(1)),
    "LEND-2": result(plus(1)),
    "LEND-3": (word(CAPS, low_gone(128)), word(BORROW, plus(2**80))),
    "LEND-4": asked(caller="nobody"),
    "BOR-1": word(WETH, plus(1), MARKET),
    "BOR-2": word(POSITIONS, plus(1 << 128)),
    "BOR-3": told(STATE, "supply_assets", by=to(0)),
    "BOR-4": asked(caller="nobody"),
    "CAP-1": word(CAPS, to(0)),
    "CAP-2": halted,
    "HF-2": (told(PRICES, "fundamental", by=to(1)), told("answer", by=to(1))),
    "HF-4": word(POSITIONS, to(0)),
    "TOK-1": word(WETH, plus(1), MARKET),
    "LIQ-1": all_of(
        told(PRICES, "fundamental", by=times(10**6), before=True),
        told(PRICES, "smoothed", by=times(10**6), before=True),
    ),
    "LIQ-2": word(POSITIONS, plus(1)),
    "LIQ-3": word(LRT, plus(1), MARKET),
    "LIQ-4": word(WETH, to(0), MARKET),
    "LIQ-5": told(STATE, "borrow_assets", by=times(2)),
    "LIQ-7": word(POSITIONS, plus(1)),
    "LIQ-8": told(STATE, "borrow_assets", by=to(0)),
    "LIQ-9": word(DELEVERAGED, plus(1)),
    "LIQ-10": word(WETH, to(0), MARKET),
    "LIQ-11": (
        result(plus(1)),
        all_of(
            told(PRICES, "fundamental", by=times(10**6), before=True),
            told(PRICES, "smoothed", by=times(10**6), before=True),
            told(PRICES, "fundamental", by=times(10**6)),
            told(PRICES, "smoothed", by=times(10**6)),
        ),
        word(POSITIONS, plus(1), BYSTANDER),
    ),
    "ORD-1": (word(ORDERS_USED, to(0)), ordered(deadline=0), ordered(epoch=99), signed_by_nobody),
    "ORD-2": (
        told(PRICES, "usable", by=to(0), before=True),
        told("answer", by=to(0), before=True),
        all_of(
            told(PRICES, "fundamental", by=times(10**6), before=True),
            told(PRICES, "smoothed", by=times(10**6), before=True),
        ),
    ),
    "ORD-3": (told(PRICES, "fundamental", by=times(10), before=True), ordered(amount=1)),
    "ORD-4": (word(POSITIONS, plus(1 << 220), order_owner), word(POSITIONS, plus(1), BYSTANDER)),
    "ORD-5": (result(plus(1)), word(WETH, plus(1), BYSTANDER)),
    "ORD-6": (word(ORDER_EPOCHS, plus(2)), asked(caller="nobody")),
    "LT-1": of_token("erc20.totalSupply", times(2)),
    "LT-2": (
        of_token("rebalance_auction._auction", to(0), before=True),
        of_token("leverage_target._stepped", plus(WAD), before=True),
        told(STATE, "borrow_assets", by=times(10)),
        told(STATE, "borrow_assets", by=to(0)),
    ),
    "LT-3": of_token("erc20.totalSupply", times(1, 2)),
    "LT-4": word("rLRT3.erc20.totalSupply", plus(1)),
    "LT-5": (
        told(STATE, "borrow_assets", by=times(11, 10)),
        of_token("rebalance_auction._paid", plus(1 << 120), before=True),
        of_token("rebalance_auction._paid", to(0)),
    ),
    "LT-6": (
        of_token("leverage_target._stepped", plus(1)),
        of_token("leverage_target._checkpoint", plus(1)),
        of_token("leverage_target._checkpoint", plus(HUGE), before=True),
    ),
    "LT-7": (
        of_token("rebalance_auction._auction", plus(1)),
        of_token("rebalance_auction._auction", lambda old: old ^ 1 << 64),
    ),
    "LT-9": word("rLRT3.erc20.totalSupply", plus(1)),
    "LT-8": (word(POSITIONS, plus(1 << 128), "rLRT3"), word(POSITIONS, plus(-1), "rLRT8")),
    "BACK-1": (
        word(WETH, to(0), BACKSTOP),
        word("backstop.erc20.totalSupply", plus(1)),
        word(REQUEST + "controller", to(0)),
    ),
    "BACK-2": (
        word("backstop.line.waiting_shares", plus(1)),
        word("backstop.line.waiting_worth", plus(1)),
        word("backstop.line.head", plus(1_000)),
        word("backstop.erc20.balanceOf", to(0), BACKSTOP),
    ),
    "BACK-3": (
        word("backstop.book.cash", plus(-1)),
        word("backstop.terms.paused_until", plus(HUGE), before=True),
        word(LISTED, to(0), MARKET, before=True),
        word(LRT, plus(1), BACKSTOP),
    ),
    "BACK-4": (
        result(plus(1)),
        word("backstop.line.waiting_worth", plus(HUGE), before=True),
        word("backstop.erc20.allowance", plus(1)),
        word("backstop.book.cash", plus(WAD), before=True),
    ),
    "BACK-5": (result(plus(1)), word("backstop.book.cash", plus(WAD), before=True)),
    "BACK-6": (
        result(plus(1)),
        word("backstop.line._exits.worth", plus(-1), before=True),
        word("backstop.line._exits.receiver", to(0), before=True),
    ),
    "BACK-7": word("backstop.book.cash", to(0)),
    "BACK-8": (
        word("backstop.book.cash", plus(10**12)),
        word("backstop.book.cash", plus(-(10**12))),
        word("backstop.erc20.totalSupply", plus(WAD)),
    ),
    "BACK-9": (
        result(plus(1)),
        word(REQUEST + "claimable_shares", plus(1)),
        word("steth._pooled_ether", times(2)),
    ),
    "REB-1": result(plus(HUGE)),
    "ZAP-2": (result(plus(HUGE)), after_its_deadline),
    "BAD-1": told(STATE, "borrow_assets", by=to(0)),
    "BAD-2": told(STATE, "supply_assets", by=times(9, 10)),
    "ROUT-1": word(WETH, plus(1), ROUTER),
    "ROUT-2": word(ALLOWANCES, plus(1)),
    "ROUT-4": result(plus(1)),
    "ROUT-5": late,
    "ROUT-6": word(LISTED, to(0), before=True),
    "ROUT-8": word(WETH, plus(-1), BYSTANDER),
    "ROUT-9": word(FUNDS, plus(1)),
    "ROUT-10": word(RIGHTS, to(1), lambda seen: (seen.action.caller, ROUTER)),
    "ZAP-1": result(plus(HUGE)),
    "SELL-1": result(plus(1)),
    "ORA-3": told(PRICES, "fundamental", by=plus(1)),
    "ORA-4": told(PRICES, "smoothed", by=to(0)),
    "ORA-5": word("oracle.smoothing._smoothing", plus(2**62)),
    "ORA-1": told(PRICES, "smoothed", by=plus(-1)),
    "ORA-2": (
        told(PRICES, "usable", by=to(0)),
        told("answered_at", by=to(0)),
        told("answer", by=to(0)),
        word("oracle.gate._sight", to(0), before=True),
        word(FUNDS, plus(HUGE)),
    ),
    "ORA-6": word("oracle.gate._sight", plus(1)),
    "ORA-7": word("oracle.cap._proposal", plus(1)),
    "ORA-8": word("oracle.replacement._used", plus(1)),
    "ORA-9": word("oracle.replacement._used", plus(2**40 << 208)),
    "ORA-10": word(FUNDS, to(0)),
    "ORA-11": with_wrong_oracle,
    "AC-1": asked(caller="nobody"),
    "AC-2": word("vault.exit_fee._terms", plus(1)),
    "AC-3": all_of(
        word("vault.exit_fee._terms", plus(10**17 << 128)), word(LIMITS, plus(1 << 192))
    ),
    "AC-5": word(RIGHTS, plus(1)),
    "AC-6": word(ALLOWANCES, plus(1)),
    "AC-7": word("vault.erc20.nonces", plus(1)),
    "AC-8": word("market._requested", plus(1)),
    "RND-1": tuple(word(token, plus(100), caller) for token in (WETH, WSTETH, LRT)),
    "RND-2": tuple(word(token, plus(100), caller) for token in (WETH, WSTETH, LRT)),
    "ROUT-7": word(WETH, plus(-100), caller),
    "ACC-1": word(WETH, plus(-1), BYSTANDER),
    "ACC-2": tuple(word(REQUEST + name, plus(-1)) for name in ("claimable_assets", "shares")),
    "ACC-3": word(CLAIM + "part", plus(-1)),
}


class Played:
    """What was seen so far, and then more: plans played in this process, judged by all rules."""

    def __init__(self, player: Player) -> None:
        self._found: list[Seen] = []
        self._more = self._play(player)

    def __iter__(self) -> Iterator[Seen]:
        yield from self._found
        for one in self._more:
            self._found.append(one)
            yield one

    def _play(self, player: Player) -> Iterator[Seen]:
        for number in range(NUMBERS):
            for machine in MACHINES:
                player.begin()
                planner = Planner(player.model, Random(number), machine)
                for _ in range(LENGTH):
                    yield player.play(planner.next())


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    with set_up() as stage:
        yield Played(Player(stage, stage.in_process(), compare=False))


def test_invariants__table__has_a_doctor_for_each() -> None:
    identifiers = [rule.identifier for rule in INVARIANTS]
    assert len(set(identifiers)) == len(identifiers)
    assert set(DOCTORS) == set(identifiers)


def _cases() -> Iterator[Any]:
    for rule in INVARIANTS:
        doctors = DOCTORS.get(rule.identifier, ())
        for number, doctor in enumerate(doctors if isinstance(doctors, tuple) else (doctors,)):
            yield pytest.param(rule, doctor, id=f"{rule.identifier}, {number}")


@pytest.mark.parametrize(("rule", "doctor"), _cases())
def test_invariants__doctored__speaks(played: Played, rule: Invariant, doctor: Doctor) -> None:
    """And says nothing of what was really seen."""
    alone = Rules([rule])
    applied = 0
    for seen in played:
        if rule not in alone.relevant(seen.action.name, seen.done):
            continue
        applied += 1
        doctored = doctor(seen)
        broken = None if doctored is None else alone.broken(doctored)
        if broken is not None:
            assert broken[0] is rule
            assert broken[1].endswith(".")
            assert alone.broken(seen) is None
            return
    pytest.fail(f"it was asked {applied} times, and has nothing to say of what was doctored")


def test_invariants__an_exit_that_a_slash_has_cut_ends_in_a_callback__nothing_is_broken() -> None:
    """The rules take what came home from the call in the callback, and the rest for a loss."""
    with set_up() as stage:
        player = Player(stage, stage.in_process())
        player.begin()
        parts = player.model.parts
        player.play(Step(Action("vault.deallocate", "allocator", (SYMBIOTIC, 50 * WAD))))
        player.play(Step(Action("oracle.poke", "keeper"), HOUR, 1))
        asked_for = parts.symbiotic.active.amount // 10, parts.clock.time - 1
        player.play(Step(Action("world.request_slash", "avs", asked_for)))
        # After the veto window, and within the epoch that was asked about.
        player.play(Step(Action("world.execute_slash", "avs", (0,)), HOUR // 2, 1))
        (number,) = parts.symbio.open_exits
        finish = Action("vault.finish_exit", SCRIPTED, (SYMBIOTIC, number))
        loan = SCRIPTED, "weth", 1, Callback(0, (finish,))
        seen = player.play(Step(Action("market.flashLoan", "stranger", loan), 30 * HOUR, 60))
        assert [action for action, _ in seen.answered] == [finish]
        assert sum(seen.after.funds[:2]) < sum(seen.before.funds[:2])


def test_invariants__an_operator_claims_for_himself__he_may_be_richer() -> None:
    """He names the request, and neither whose it is nor that he has the right."""
    with set_up() as stage:
        player = Player(stage, stage.in_process())
        player.begin()
        player.play(Step(Action("queue.setOperator", "depositor", ("borrower", True))))
        player.play(Step(Action("queue.finalize", "keeper", (5,)), HOUR, 1))
        seen = player.play(Step(Action("queue.claim", "borrower", (1, "borrower"))))
        assert seen.moved(WSTETH)["borrower"] == seen.outcome.result
        doctored = word("queue.isOperator", to(0), before=True)(seen)
        assert doctored is not None
        broken = Rules().broken(doctored)
        assert broken is not None
        assert broken[0].identifier == "WQ-2"


def test_invariants__time_passes_with_a_liquidation__it_is_judged_by_the_debt_just_before() -> None:
    """By the chain alone, to the unit of what the model says."""
    rules = Rules([rule for rule in INVARIANTS if rule.identifier == "LIQ-1"])
    as_if_healthy = all_of(
        told(PRICES, "fundamental", by=times(2)), told(PRICES, "usable", by=to(0))
    )
    judged = 0
    with set_up() as stage:
        player = Player(stage, stage.in_process())
        for number in range(NUMBERS):
            player.begin()
            planner = Planner(player.model, Random(number), "market")
            for _ in range(LENGTH):
                step = planner.next()
                if step.action.name == "market.liquidate":
                    step = replace(step, seconds=step.seconds + 60, blocks=step.blocks + 5)
                    just_before = deepcopy(player.model)
                    just_before.advance(step.seconds, step.blocks)
                seen = player.play(step)
                if step.action.name != "market.liquidate" or not seen.done:
                    continue
                case = case_of(seen)
                if case is not None:
                    assert case.debt == just_before.parts.market.debt(case.owner)
                    doctored = as_if_healthy(seen)
                    assert doctored is not None
                    assert rules.broken(doctored) is not None
                    judged += 1
    assert judged > 10


@pytest.mark.parametrize(("before", "used", "speaks"), [
    (10, 10, False), (10, 9, True), (10, 0, True), (0, 0, True),
    (UNLIMITED, 0, False), (UNLIMITED, 10, True),
])  # fmt: skip
def test_invariants__an_allowance__is_used_up_exactly_or_without_limit(
    before: int, used: int, speaks: bool
) -> None:
    key = "lender", "borrower"
    layout = Layout([], {ALLOWANCES: slice(0, 1)}, {ALLOWANCES: [key]}, [(ALLOWANCES, key)])
    looks = Look(None, [before], layout), Look(None, [before - used], layout)
    step = Step(Action("vault.transferFrom", "borrower", ("lender", "borrower", 10)))
    facts = Facts((), {}, (), {}, None, {}, {}, 0, 0, 0, {}, {}, 0)
    seen = Seen(step, Outcome(True, None), *looks, facts)
    assert (spent(seen, ALLOWANCES, "lender", "borrower", 10) is not None) == speaks


def test_invariants__the_first_state__is_judged_as_if_it_came_from_nothing() -> None:
    """Rules that are asked only of what has changed hold of what was never changed."""
    rules = Rules(
        [
            rule
            for rule in INVARIANTS
            if rule.actions is None and rule.reads and rule.identifier not in COMPARE
        ]
    )
    with set_up() as stage:
        player = Player(stage, stage.in_process())
        player.begin()
        look, facts = player.actor.look, player.actor.facts
        nothing = Look(look.sight, [0] * len(look.words), look.layout)
        step = Step(Action("protocol.deploy", "owner"))
        seen = Seen(step, Outcome(None, None), nothing, look, facts)
        assert rules.broken(seen) is None
        for name, spoilt in {
            "ROUT-1": word(WETH, plus(1), ROUTER),
            "SOLV-3": word(WETH, to(0), MARKET),
            "VAULT-9": word(LRT_SUPPLY, plus(1)),
        }.items():
            doctored = spoilt(seen)
            assert doctored is not None
            broken = rules.broken(doctored)
            assert broken is not None
            assert broken[0].identifier == name
