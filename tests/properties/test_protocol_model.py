"""The whole deployed protocol against the whole model: seeded walks of all actions.

After every step the result or the reason of the refusal must be the model's, and so must everything
that all contracts say of themselves.
"""

from __future__ import annotations

from collections import Counter
from random import Random

from relever.fuzz.actions.planner import Planner
from relever.model.deployed import Deployed
from relever.model.protocol import Protocol

SEEDS, STEPS = (31, 40), 420

# The walk says nothing about these unless it comes by.
MUST_REACH = (
    "eigenlayer.claim_rewards",
    "factory.create_market",
    "liquidator.liquidate",
    "liquidator.liquidate: swap: not enough liquidity",
    "market.adjust",
    "market.flashLoan",
    "market.liquidate",
    "market.redeem",
    "market.set_authorization_by_signature",
    "oracle.promote_checkpoint",
    "oracle.replace_feed",
    "oracle.roll_back_feed",
    "queue.claim",
    "queue.finalize",
    "router.close",
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
    for seed in SEEDS:
        with deployed.isolated() as there:
            reached += play(there, seed, STEPS)
    short = [what for what in MUST_REACH if not reached[what]]
    assert not short, f"never reached: {short} of {dict(sorted(reached.items()))}"


def play(deployed: Deployed, seed: int, steps: int) -> Counter[str]:
    """Walk, and compare after each step; returns what came of the actions, and how often."""
    model = deployed.model()
    planner, reached = Planner(model, Random(seed)), Counter[str]()
    compare(deployed, model, "to begin with")
    opening = planner.opening()
    for number in range(steps):
        step = opening[number] if number < len(opening) else planner.next()
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
        reached[action.name] += expected.refused is None
        if expected.refused is not None:
            reached[f"{action.name}: {expected.refused}"] += 1
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
