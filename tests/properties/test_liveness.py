"""What must still be possible is, and where it is not, that is said."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from relever.fuzz.actions.planner import Planner
from relever.fuzz.campaign import Settings, opened
from relever.fuzz.liveness import SENTENCES, check
from relever.fuzz.player import Actor, Player, Violation
from relever.model.market import MARKET
from relever.model.protocol import Action, Step

# Code that reverts without a word.
REVERTS = bytes.fromhex("5f5ffd")


@pytest.fixture(scope="module")
def players() -> Iterator[dict[str, Player]]:
    with opened(Settings()) as campaign:
        yield {"in process": campaign.player, "node": campaign.on_node}


@pytest.fixture(params=["in process", "node"])
def player(players: dict[str, Player], request: pytest.FixtureRequest) -> Player:
    player = players[request.param]
    player.begin()
    return player


def test_check__at_the_start_and_later__all_is_possible_and_undone(player: Player) -> None:
    check(player.actor)
    planner = Planner(player.model, Random(5))
    for number in range(40):
        player.play(planner.next())
        if number % 10 == 0:
            check(player.actor)
    # Whatever was tried is undone: the model still says each word.
    player.settle()


@pytest.fixture
def on_node(players: dict[str, Player]) -> Player:
    """Where a contract can be made to give away what it holds."""
    player = players["node"]
    player.begin()
    return player


def blocked(actor: Actor, contract: str) -> str:
    """The ID of what is not possible once a contract answers nobody."""
    snapshot: Any = actor.chain.snapshot()
    try:
        actor.chain.set_code(actor.deployed.addresses[contract], REVERTS)
        with pytest.raises(Violation) as failure:
            check(actor)
    finally:
        actor.chain.revert(snapshot)
    assert failure.value.sentence == SENTENCES[failure.value.identifier]
    return failure.value.identifier


def test_check__a_vault_that_reverts__is_said(on_node: Player) -> None:
    assert blocked(on_node.actor, "vault") == "WQ-9"


def test_check__a_claim_that_is_not_there__is_said(on_node: Player) -> None:
    on_node.play(Step(Action("queue.finalize", "keeper", (5,)), 3_600, 1))
    assert any(on_node.actor.look.entries("queue._requests.claimable_assets").values())
    check(on_node.actor)
    token, queue = on_node.actor.deployed.contracts["wsteth"], "queue"
    sender = on_node.actor.chain.impersonate(on_node.actor.deployed.addresses[queue])
    held = on_node.actor.chain.read(token.balanceOf.build(sender))
    taken = token.transfer.build(on_node.actor.deployed.addresses["keeper"], held, sender=sender)
    assert on_node.actor.chain.run(taken).failed is None
    with pytest.raises(Violation, match="WQ-2"):
        check(on_node.actor)


def test_check__collateral_that_is_gone__is_said(on_node: Player) -> None:
    deployed = on_node.actor.deployed
    market, vault = deployed.addresses[MARKET], deployed.contracts["vault"]
    sender = on_node.actor.chain.impersonate(market)
    taken = vault.transfer.build(deployed.addresses["keeper"], 10**18, sender=sender)
    assert on_node.actor.chain.run(taken).failed is None
    with pytest.raises(Violation, match="EXIT-1"):
        check(on_node.actor)


def test_check__a_loan_token_that_is_gone__is_said(on_node: Player) -> None:
    deployed = on_node.actor.deployed
    market, weth = deployed.addresses[MARKET], deployed.contracts["weth"]
    sender = on_node.actor.chain.impersonate(market)
    taken = weth.transfer.build(deployed.addresses["keeper"], 10**18, sender=sender)
    assert on_node.actor.chain.run(taken).failed is None
    with pytest.raises(Violation, match="EXIT-2"):
        check(on_node.actor)
