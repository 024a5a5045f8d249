"""The planner against the model alone: what it reaches, and that it only looks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from random import Random

import pytest

from relever.fuzz.actions import market_storms
from relever.fuzz.actions.access import OF_CONTRACTS, PRIVILEGED
from relever.fuzz.actions.machines import MACHINES
from relever.fuzz.actions.planner import Planner
from relever.fuzz.coverage import functions
from relever.fuzz.findings import read, written
from relever.model.deployed import Deployed
from relever.model.market import MARKET
from relever.model.parts import WRONG_ORACLE, Parts
from relever.model.protocol import Action, Outcome, Protocol, Step

SEEDS, STEPS = range(10, 20), 2_500
DAY = 86_400
# In a suite that is deployed: other contracts' part, done once for all, or nothing to have.
NEVER_SUCCEED = {
    *OF_CONTRACTS,
    "vault.set_exits",
    "vault.add_adapter",
    "symbiotic.claim_rewards",
    # There is one market that lends.
    "router.move",
}
# Whoever asks, whatever for.
NEVER_REFUSED = {
    "vault.sync",
    "queue.setOperator",
    "side_pocket.hand_over",
    "orders.cancel",
    "orders.cancel_all",
    "oracle.poke",
    "oracle.poke_liquidation_prices",
}
STATES: dict[str, Callable[[Parts], bool]] = {
    "borrowing is halted": lambda parts: parts.market.halted_until > 0,
    "all is lent out": lambda parts: parts.market.books.cash == 0,
    "the vault is paused": lambda parts: parts.vault.paused_until > parts.clock.time,
    "a claim on a quarantined adapter can be paid": lambda parts: any(
        adapter.claimable(who)
        for adapter in parts.vault.pocket.adapters.values()
        for who in adapter.claims
    ),
    "the market is delisted": lambda parts: not parts.listed,
    "supply grows too fast": lambda parts: (
        not parts.oracle.gate.answer(parts.vault.supply, parts.clock.time)[0]
    ),
    "the feed is stale": lambda parts: parts.oracle.reading.fault == "oracle: stale feed",
    "somebody waits in line while a slash may come": lambda parts: bool(
        parts.symbio.pending and parts.queue.waiting
    ),
    "EigenLayer's operator has thrown the adapter out": lambda parts: (
        not parts.eigen.staker.delegated
    ),
    "all is slashed in EigenLayer": lambda parts: parts.eigenlayer.operator.magnitude == 0,
    "more slashes are asked for than are looked at": lambda parts: parts.symbio.overrun,
    "a person owns a contract": lambda parts: any(
        rule.owner != "owner" for rule in parts.rules.values()
    ),
}
# What incidents did elsewhere, or must not have worked: each is tried once in so many steps.
EACH = 1_000
ATTACKS: dict[str, Callable[[Action, str | None], bool]] = {
    "a gift to the vault": lambda action, _: given(action) == ("wsteth.transfer", "vault"),
    "a gift to the market": lambda action, _: given(action) == ("weth.transfer", MARKET),
    "a gift to the router": lambda action, _: given(action) == ("wsteth.transfer", "router"),
    "a deposit for another": lambda action, refused: (
        action.name == "zap.deposit" and refused is None and action.arguments[3] != action.caller
    ),
    "a wrong oracle": lambda action, _: (
        action.name == "factory.create_market" and WRONG_ORACLE in action.arguments[0]
    ),
    "a loan beyond the collateral": lambda action, refused: (
        action.name in ("market.borrow", "market.adjust") and refused == "market: unhealthy"
    ),
    "a healthy position liquidated": lambda action, refused: (
        action.name == "market.liquidate" and refused == "market: healthy"
    ),
    "an order of another's signature": lambda action, refused: (
        action.name == "orders.execute" and refused == "orders: signature"
    ),
    "an order executed again": lambda _, refused: refused == "orders: nonce used",
    "the router's callback": lambda action, _: action.name == "router.on_adjust",
    "a strange token for the router": lambda action, _: (
        action.name == "router.open" and action.arguments[1] == MARKET
    ),
    "a borrow cap cut to less than half": lambda action, refused: (
        action.name == "market.set_caps"
        and refused is None
        and 2 * action.arguments[0][1] < action.arguments[0][0]
    ),
}


def given(action: Action) -> tuple[str, str]:
    """What is done, and the first name or so that it is done with."""
    return action.name, str(action.arguments[0]) if action.arguments else ""


def walk(model: Protocol, planner: Planner, steps: int) -> Iterator[tuple[Action, Outcome]]:
    """Plan and do; the steps of callbacks count too."""
    for number in range(steps):
        opening = planner.opening() if number == 0 else []
        for step in opening or [planner.next()]:
            if step.blocks:
                model.advance(step.seconds, step.blocks)
            outcome = model.step(step.action)
            yield step.action, outcome
            yield from nested(step.action, outcome)


def nested(action: Action, outcome: Outcome) -> Iterator[tuple[Action, Outcome]]:
    for callback in action.arguments:
        if hasattr(callback, "steps") and outcome.refused is None:
            yield from zip(callback.steps, outcome.result[-1], strict=True)


@pytest.fixture(scope="module")
def came_of(deployed: Deployed) -> tuple[Counter[tuple[str, bool]], Counter[str]]:
    """How often functions succeeded or were refused, states were there, attacks were tried."""
    done, seen = Counter[tuple[str, bool]](), Counter[str]()
    for seed in SEEDS:
        model = deployed.model()
        for action, outcome in walk(model, Planner(model, Random(seed)), STEPS):
            done[action.name, outcome.refused is None] += 1
            seen.update(what for what, holds in STATES.items() if holds(model.parts))
            seen.update(what for what, tries in ATTACKS.items() if tries(action, outcome.refused))
    return done, seen


def test_planner__every_function_of_every_contract__succeeds_and_is_refused(
    came_of: tuple[Counter[tuple[str, bool]], Counter[str]],
) -> None:
    done, names = came_of[0], set(functions())
    assert NEVER_SUCCEED | NEVER_REFUSED | set(PRIVILEGED) <= names
    never = {name for name in names if not done[name, True]}
    assert never == NEVER_SUCCEED
    unrefused = {name for name in names if not done[name, False]}
    assert unrefused == NEVER_REFUSED


def test_planner__steps__are_read_as_they_were_written(deployed: Deployed) -> None:
    """So that whatever is found can be played again."""
    model = deployed.model()
    planner, kinds = Planner(model, Random(SEEDS[0])), set[str]()
    for _ in range(STEPS):
        step = planner.next()
        if step.blocks:
            model.advance(step.seconds, step.blocks)
        model.step(step.action)
        assert read(json.loads(json.dumps(written(step)))) == step
        kinds.update(type(argument).__name__ for argument in step.action.arguments)
    assert kinds >= {"Bounds", "Callback", "Exit", "Grants", "Order", "tuple", "bytes"}


def test_planner__rare_states__come_about(
    came_of: tuple[Counter[tuple[str, bool]], Counter[str]],
) -> None:
    assert {what for what in STATES if not came_of[1][what]} == set()


def test_planner__attacks__are_tried_often(
    came_of: tuple[Counter[tuple[str, bool]], Counter[str]],
) -> None:
    least = len(SEEDS) * STEPS // EACH
    assert {what: came_of[1][what] for what in ATTACKS if came_of[1][what] < least} == {}


def test_planner__a_siege__lasts_until_fundamental_is_not_believed(deployed: Deployed) -> None:
    model = deployed.model()
    planner = Planner(model, Random(1), "market")
    planner.then(market_storms.siege)
    lasting = []
    for _ in walk(model, planner, 600):
        oracle = model.parts.oracle
        lasting.append(oracle.discount.deep_time == oracle.terms.lasting_time)
    assert any(lasting)


def test_planner__whatever_it_plans__changes_nothing(deployed: Deployed) -> None:
    for machine in MACHINES:
        model = deployed.model()
        planner = Planner(model, Random(7), machine)
        steps = planner.opening()
        for _ in range(150):
            before = deepcopy(model.parts)
            steps.append(planner.next())
            assert model.parts == before, f"planning changed the model: {steps[-1]}"
            do(model, steps)


def do(model: Protocol, steps: list[Step]) -> None:
    """Do what is planned, and forget it."""
    for step in steps:
        if step.blocks:
            model.advance(step.seconds, step.blocks)
        model.step(step.action)
    steps.clear()


def plan(model: Protocol, seed: int, machine: str) -> list[Action]:
    return [action for action, _ in walk(model, Planner(model, Random(seed), machine), 300)]


@pytest.mark.parametrize("machine", list(MACHINES))
def test_planner__one_seed__is_one_plan(deployed: Deployed, machine: str) -> None:
    plans = [plan(deployed.model(), seed, machine) for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]


def test_planner__unknown_machine__is_refused(deployed: Deployed) -> None:
    with pytest.raises(ValueError, match="no machine is called 'washing': choose one of"):
        Planner(deployed.model(), Random(1), "washing")


def test_planner__time__passes_in_blocks(deployed: Deployed) -> None:
    model = deployed.model()
    planner = Planner(model, Random(3))
    steps = planner.opening()
    for _ in range(400):
        do(model, steps)
        steps.append(planner.next())
        assert steps[-1].seconds == 0 or steps[-1].blocks > 0
