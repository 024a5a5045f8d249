"""What must still be possible is, and where it is not, that is said."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from relever.fuzz.actions.planner import Planner
from relever.fuzz.campaign import Settings, opened
from relever.fuzz.liveness import SENTENCES, check_liveness
from relever.fuzz.player import Actor, Player, Violation
from relever.model.market import MARKET
from relever.model.parts import LEVERAGED
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
    check_liveness(player.actor)
    planner = Planner(player.model, Random(5))
    for number in range(40):
        player.play(planner.next())
        if number % 10 == 0:
            check_liveness(player.actor)
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
            check_liveness(actor)
    finally:
        actor.chain.revert(snapshot)
    assert failure.value.sentence == SENTENCES[failure.value.identifier]
    return failure.value.identifier


def test_check__a_vault_that_reverts__is_said(on_node: Player) -> None:
    assert blocked(on_node.actor, "vault") == "AC-4"


def test_check__an_oracle_that_reverts__stops_no_exit_but_liquidation(player: Player) -> None:
    # Whoever is healthy needs no price for what lowers his risk: only the poke is left to fail.
    assert blocked(player.actor, "oracle") == "WQ-9"
    # Down to a tenth, so that somebody is unhealthy.
    player.play(Step(Action("world.slash", "avs", (9 * 10**17,)), 0, 1))
    player.play(Step(Action("vault.sync", "stranger", ()), 0, 1))
    assert blocked(player.actor, "oracle") == "LIQ-6"


def test_check__an_adapter_that_is_silent__is_silent_after_it(player: Player) -> None:
    player.play(Step(Action("world.silence", "avs", ("eigenlayer",)), 0, 1))
    check_liveness(player.actor)
    player.settle()


def test_check__a_matured_exit_that_cannot_be_finished__is_said(on_node: Player) -> None:
    deployed, chain = on_node.actor.deployed, on_node.actor.chain
    on_node.play(Step(Action("vault.deallocate", "allocator", ("symbiotic", 10**18)), 0, 1))
    on_node.play(Step(Action("oracle.poke", "stranger", ()), 60 * 86_400, 1))
    assert chain.read(deployed.contracts["symbiotic"].open_exits.build())
    check_liveness(on_node.actor)
    take(on_node, "wsteth", "symbiotic_vault")
    with pytest.raises(Violation, match=r"WQ-9.*finish_exit"):
        check_liveness(on_node.actor)


def test_check__a_claim_that_is_not_there__is_said(on_node: Player) -> None:
    on_node.play(Step(Action("queue.finalize", "keeper", (5,)), 3_600, 1))
    assert any(on_node.actor.look.entries("queue._requests.claimable_assets").values())
    check_liveness(on_node.actor)
    take(on_node, "wsteth", "queue")
    with pytest.raises(Violation, match="WQ-2"):
        check_liveness(on_node.actor)


def test_check__a_claim_that_others_were_paid_from__is_said(on_node: Player) -> None:
    request = Action("queue.requestRedeem", "depositor", (10**17, "depositor", "depositor"))
    on_node.play(Step(request, 0, 1))
    on_node.play(Step(request, 0, 1))
    on_node.play(Step(Action("queue.finalize", "keeper", (5,)), 8 * 86_400, 1))
    claims = on_node.actor.look.entries("queue._requests.claimable_assets")
    assert sum(map(bool, claims.values())) > 1
    take(on_node, "wsteth", "queue", 1)
    with pytest.raises(Violation, match="WQ-8"):
        check_liveness(on_node.actor)


def test_check__collateral_that_is_gone__is_said(on_node: Player) -> None:
    # The leveraged tokens do not leave: what is theirs would be there for the others.
    theirs = sum(on_node.actor.look.position(name)[0] for name in LEVERAGED)
    take(on_node, "vault", MARKET, theirs + 10**18)
    with pytest.raises(Violation, match="EXIT-1"):
        check_liveness(on_node.actor)


@pytest.mark.parametrize(
    ("contract", "identifier"), [("rLRT3", "EXIT-3"), ("rLRT8", "EXIT-3"), ("backstop", "EXIT-4")]
)
def test_check__shares_that_cannot_leave__are_said_when_it_is_their_turn(
    on_node: Player, contract: str, identifier: str
) -> None:
    chain, place = on_node.actor.chain, on_node.actor.deployed.addresses[contract]
    code, found = bytes.fromhex(chain.rpc("eth_getCode", [place, "latest"])[2:]), set[str]()
    for _ in range(3):
        # Only once nothing else is at fault: what is asked before needs none of the three.
        on_node.play(Step(Action("oracle.poke", "keeper"), 1, 1))
        chain.set_code(place, REVERTS)
        try:
            check_liveness(on_node.actor)
        except Violation as failure:
            found.add(failure.identifier)
        chain.set_code(place, code)
    assert found == {identifier}


def test_check__a_loan_token_that_is_gone__is_said(on_node: Player) -> None:
    take(on_node, "weth", MARKET, 10**18)
    with pytest.raises(Violation, match="EXIT-2"):
        check_liveness(on_node.actor)


def test_check__shares_of_a_persons_namesake__are_nobodys_affair(player: Player) -> None:
    player.play(Step(Action("market.transfer", "lender", ("liquidator_contract", 10**18)), 0, 1))
    check_liveness(player.actor)


def take(player: Player, token: str, holder: str, amount: int | None = None) -> None:
    """Away from a contract, all that it has of a token or so much."""
    deployed, chain = player.actor.deployed, player.actor.chain
    contract, sender = deployed.contracts[token], chain.impersonate(deployed.addresses[holder])
    held = chain.read(contract.balanceOf.build(sender)) if amount is None else amount
    taken = contract.transfer.build(deployed.addresses["keeper"], held, sender=sender)
    assert chain.run(taken).failed is None
