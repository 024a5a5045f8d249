"""The whole deployed protocol against the whole model: one seeded walk of all actions.

After every step the result or the reason of the refusal must be the model's, and so must everything
that all contracts say of themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from relever.baselayer import build_world, deploy_core
from relever.chain import Anvil, Chain
from relever.fuzz.actions.planner import Planner
from relever.model.deployed import Deployed
from relever.model.protocol import Protocol
from relever.protocol import deploy

WAD = 10**18
EACH = 4_000 * WAD
SEED, STEPS = 1, 420

# The walk says nothing about these unless it comes by.
MUST_REACH = (
    "liquidator.liquidate",
    "liquidator.liquidate: swap: not enough liquidity",
    "market.liquidate",
    "market.adjust",
    "market.redeem",
    "oracle.promote_checkpoint",
    "oracle.replace_feed",
    "oracle.roll_back_feed",
    "queue.claim",
    "queue.finalize",
    "router.close",
    "router.open",
    "vault.finish_exit",
    "vault.redeem",
    "world.request_slash",
    "world.slash",
    "world.trade",
    "zap.deposit",
)


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    with Anvil.start() as node:
        deployment = deploy(build_world(deploy_core(Chain.connect(node.ipc))))
        second = deployment.world.feed("rLRT / WETH, another")
        found = Deployed(deployment, second)
        found.prepare(EACH)
        yield found
        deployment.chain.close()


def test_protocol_model__a_walk_of_all_actions__is_what_the_contracts_do(
    deployed: Deployed,
) -> None:
    reached = play(deployed, SEED, STEPS)
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
