"""The whole deployed protocol against the whole model: seeded walks of all actions.

After every step the result or the reason of the refusal must be the model's, and so must everything
that all contracts say of themselves. That takes long, so the model alone, which is fast, finds out
first which few of many walks come by everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

from relever.fuzz.actions.planner import Planner
from relever.model.deployed import Deployed
from relever.model.protocol import Action, Outcome, Protocol, Step

SEEDS, STEPS = range(100), 420

# The walks say nothing about these unless they come by.
MUST_REACH = (
    "backstop.deposit",
    "backstop.enqueue",
    "backstop.harvest",
    "backstop.recover",
    "backstop.request_exit",
    "backstop.serve",
    "backstop.withdraw",
    "eigenlayer.claim_rewards",
    "factory.create_market",
    "leveraged_zap.enter",
    "leveraged_zap.leave",
    "liquidator.liquidate",
    "liquidator.liquidate_many",
    "liquidator.liquidate: swap: not enough liquidity",
    "market.adjust",
    "market.flashLoan",
    "market.liquidate",
    "market.redeem",
    "market.set_authorization_by_signature",
    "oracle.promote_checkpoint",
    "oracle.replace_feed",
    "oracle.roll_back_feed",
    "orders.execute",
    "queue.claim",
    "queue.finalize",
    "rLRT3.checkpoint",
    "rLRT3.mint",
    "rLRT3.rebalance",
    "rLRT3.redeem",
    "rLRT8.rebalance",
    "rLRT8.redeem",
    "rLRT8.start_auction",
    "rebalancer.take",
    "router.close",
    "router.close_to_queue",
    "router.open",
    "seller.sell",
    "side_pocket.claim",
    "swap.swap",
    "swap.swap_up_to",
    "vault.accept_ownership",
    "vault.finish_exit",
    "vault.permit",
    "vault.quarantine",
    "vault.redeem",
    "world.execute_slash",
    "world.request_slash",
    "world.slash",
    "world.trade",
    "zap.deposit",
)


def test_protocol_model__walks_of_all_actions__are_what_the_contracts_do(
    deployed: Deployed,
) -> None:
    reached = Counter[str]()
    for seed, steps in chosen(deployed):
        with deployed.isolated() as there:
            reached += play(there, seed, steps)
    short = [what for what in MUST_REACH if not reached[what]]
    assert not short, f"never reached: {short} of {dict(sorted(reached.items()))}"


def chosen(deployed: Deployed) -> list[tuple[int, int]]:
    """Seeds of walks that come by everything together, each with how many steps that takes.

    The walk that brings most comes first, and ends where it brings no more.
    """
    first = {seed: first_times(deployed, seed) for seed in SEEDS}
    missing, taken = set(MUST_REACH), list[tuple[int, int]]()
    while missing:
        new = {seed: missing & first[seed].keys() for seed in SEEDS}
        seed = max(SEEDS, key=lambda seed: len(new[seed]))
        assert new[seed], f"none of {len(SEEDS)} walks reaches {missing}"
        taken.append((seed, 1 + max(first[seed][what] for what in new[seed])))
        missing -= new[seed]
    return taken


def first_times(deployed: Deployed, seed: int) -> dict[str, int]:
    """The step at which each came about first, by the model alone."""
    model, found = deployed.model(), dict[str, int]()
    for number, step in enumerate(walk(model, seed, STEPS)):
        if step.blocks:
            model.advance(step.seconds, step.blocks)
        found.setdefault(came_of(step.action, model.step(step.action)), number)
    return found


def walk(model: Protocol, seed: int, steps: int) -> Iterator[Step]:
    """What is done, each step after the one before it was played."""
    planner = Planner(model, Random(seed))
    opening = planner.opening()
    for number in range(steps):
        yield opening[number] if number < len(opening) else planner.next()


def came_of(action: Action, outcome: Outcome) -> str:
    """What was done, and why not where it was refused."""
    return action.name if outcome.refused is None else f"{action.name}: {outcome.refused}"


def play(deployed: Deployed, seed: int, steps: int) -> Counter[str]:
    """Walk, and compare after each step; returns what came of the actions, and how often."""
    model, reached = deployed.model(), Counter[str]()
    compare(deployed, model, "to begin with")
    for number, step in enumerate(walk(model, seed, steps)):
        action = step.action
        if step.blocks:
            model.advance(step.seconds, step.blocks)
            deployed.advance(step.seconds, step.blocks)
        what = f"seed {seed}, step {number} at {model.parts.clock.time}: {step}"
        expected, found = model.step(action), deployed.send(action)
        same = found.refused == expected.refused
        if expected.result is not None:
            same = found == expected
        assert same, f"{what}: found {found}, expected {expected}"
        compare(deployed, model, what)
        reached[came_of(action, expected)] += 1
    return reached


def compare(deployed: Deployed, model: Protocol, what: str) -> None:
    """Everything that can be read; says what differs: found, and expected."""
    assert (deployed.chain.block_number, deployed.chain.timestamp) == (
        model.parts.clock.block,
        model.parts.clock.time,
    ), what
    state = model.state()
    found = deployed.read(model.views(), state)
    wrong = {name: (found[name], value) for name, value in state.items() if found[name] != value}
    assert not wrong, f"{what}: found and expected {wrong}"
