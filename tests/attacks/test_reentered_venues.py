"""Every function of router and venues, called from inside every call that they make.

Whoever is called back (a token, a pool, a lender) could call again: the Fei and Rari pools of
2022-04-30 (80 million dollars) were emptied by a receiver of ether, Curve's pools of 2023-07-30
(about 70 million) since one function could be entered from another. Here a hook is put before the
real contracts: tokens, Morpho Blue, Aave's pool, the lender of its flash loans. What stops it: the
router is locked, and so is the venue that it has entered; the other venues answer their router
alone; callbacks want the protocol and the call that runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from relever.artifacts import artifact
from relever.chain import Contract, Receipt
from relever.protocol import NOBODY, UNLIMITED
from tests.scene import ETHER, SWAP, holdings
from tests.stage import FREE, close_at, hook, move, open_at, outcomes, position
from tests.venues import NAMES, NOT_SIGNED, Places

NEXT = {"ours": "morpho", "morpho": "aave", "aave": "ours"}
ALL = {"morpho", "aave"}
OUTER = ("open", "close", "close_to_queue", "move")
# The functions in which each of them calls back first.
HOOKED = {
    "weth": [
        *("transfer(address,uint256)", "transferFrom(address,address,uint256)"),
        *("approve(address,uint256)", "withdraw(uint256)"),
    ],
    "lrt": [
        *("transfer(address,uint256)", "transferFrom(address,address,uint256)"),
        *("approve(address,uint256)", "deposit(uint256,address)"),
    ],
    "morpho": [
        "flashLoan(address,uint256,bytes)",
        *(
            f"{name}((address,address,address,address,uint256),{rest})"
            for name, rest in (
                ("supplyCollateral", "uint256,address,bytes"),
                ("withdrawCollateral", "uint256,address,address"),
                ("borrow", "uint256,uint256,address,address"),
                ("repay", "uint256,uint256,address,bytes"),
            )
        ),
    ],
    "aave": [
        "flashLoan(address,address[],uint256[],uint256[],address,bytes,uint16)",
        *("supply(address,uint256,address,uint16)", "withdraw(address,uint256,address)"),
        "repay(address,uint256,uint256,address)",
    ],
    "lender": ["flashLoan(address,address,uint256,bytes)"],
}


def victim_of(places: Places, name: str) -> Contract:
    return {
        "weth": places.scene.world.core.weth,
        "lrt": places.scene.protocol.vault,
        "morpho": places["morpho"].pool,
        "aave": places["aave"].pool,
        "lender": places["ours"].entry,
    }[name]


def calls(places: Places) -> dict[str, tuple[Contract, bytes]]:
    """Every function that is not a constant's getter, as a thief would call it."""
    router, looper = places.router, places.scene.roles.looper
    entry, other = places["morpho"].entry.address, places["aave"].entry.address
    weth = places.scene.world.core.weth.address
    junk = (0, UNLIMITED, b"\1" * 65)
    found = {
        "router open": (router, router.open.encode(entry, NOBODY, 0, ETHER, FREE)),
        "router close": (router, router.close.encode(entry, ETHER, 0, SWAP, FREE)),
        "router close_to_queue": (
            router,
            router.close_to_queue.encode(entry, ETHER, 0, 0, SWAP, FREE),
        ),
        "router move": (router, router.move.encode(entry, other, ETHER, ETHER, FREE)),
        "router on_adjust": (router, router.on_adjust.encode(looper, -ETHER, 0, b"")),
    }
    for name in NAMES[1:]:
        venue = places[name].entry
        found[f"{name} adjust"] = (venue, venue.adjust.encode(looper, -ETHER, 0, looper, b""))
        right = (looper, -ETHER, 0, junk)
        found[f"{name} authorize"] = (venue, venue.authorize.encode(*right))
        found[f"{name} revoke"] = (venue, venue.revoke.encode(looper, NOT_SIGNED))
        found[f"{name} position"] = (venue, venue.position.encode(looper))
        found[f"{name} terms"] = (venue, venue.terms.encode())
    morpho, aave = places["morpho"].entry, places["aave"].entry
    for function in ("onMorphoFlashLoan", "onMorphoRepay"):
        found[f"morpho {function}"] = (morpho, getattr(morpho, function).encode(1, b""))
    loan = ([weth], [1], [0], aave.address, b"")
    found["aave executeOperation"] = (aave, aave.executeOperation.encode(*loan))
    loan_of_lender = (aave.address, weth, 1, 0, b"")
    found["aave onFlashLoan"] = (aave, aave.onFlashLoan.encode(*loan_of_lender))
    found["aave price"] = (aave, aave.price.encode())
    return found


# Who may answer which callback.
PROTOCOL = {
    "morpho onMorphoFlashLoan": "morpho",
    "morpho onMorphoRepay": "morpho",
    "aave executeOperation": "aave",
    "aave onFlashLoan": "lender",
}
LOCKED, STRANGE, DONE = "", "venue: not the router", "done"


def allowed(call: str, victim: str) -> set[str]:
    """Every answer that is no harm: being locked, a refusal by name, or a view's answer."""
    contract, function = call.split()
    if call == "router on_adjust":
        return {"router: not the active market"}
    if contract == "router":
        return {LOCKED}
    if call in PROTOCOL:
        mine = PROTOCOL[call] == victim
        return {"venue: no such call" if mine else "venue: not the protocol"}
    return {
        # Before and after it is entered, too; there the caller is not the router.
        "adjust": {LOCKED, STRANGE},
        # A signature of nobody does nothing.
        "authorize": {LOCKED, DONE},
        "revoke": {LOCKED, DONE, "venue: still authorized"},
        "position": {DONE},
        "terms": {LOCKED, DONE},
        "price": {LOCKED, DONE},
    }[function]


def play(places: Places, outer: str, name: str) -> Receipt:
    looper, collateral = places.scene.roles.looper, position(places, name)[0]
    if outer == "open":
        receipt = open_at(places, name)
    elif outer == "close":
        receipt = close_at(places, name, collateral, UNLIMITED)
    elif outer == "move":
        debt = position(places, name)[1]
        receipt = move(places, name, NEXT[name], collateral, UNLIMITED, debt)
    else:
        place = places[name]
        receipt = places.router.close_to_queue(
            *(place.entry.address, collateral, 9 * ETHER, UNLIMITED, SWAP, FREE),
            place.grants(looper, collateral=collateral),
            sender=looper,
        )
    assert isinstance(receipt, Receipt)
    return receipt


def entered(outer: str, name: str) -> set[str]:
    """The venues that the call locks."""
    return {name, NEXT[name]} if outer == "move" else {name}


def is_called(outer: str, name: str, victim: str) -> bool:
    """Whether the victim is called at all: a lender only when a debt at Aave is repaid by it."""
    if victim == "lender":
        return name == "aave" and outer in ("close", "close_to_queue")
    return victim in ("weth", "lrt") or victim in entered(outer, name)


def state(places: Places) -> Mapping[str, Any]:
    looper = places.scene.roles.looper
    found: dict[str, Any] = {name: position(places, name) for name in NAMES}
    return {**found, **holdings(places.scene, looper)}


@pytest.mark.parametrize(
    ("outer", "name", "victim"),
    [
        (outer, name, victim)
        for outer in OUTER
        for name in NAMES
        for victim in HOOKED
        if is_called(outer, name, victim)
    ],
)
def test_hook__in_every_call__enters_nothing(
    places: Places, outer: str, name: str, victim: str
) -> None:
    chain, tried = places.scene.chain, calls(places)
    if outer != "open":
        open_at(places, name)
    with chain.isolated():
        plain = play(places, outer, name)
        expected = state(places)
    hook(places, victim_of(places, victim), HOOKED[victim], list(tried.values()))

    receipt = play(places, outer, name)

    found = dict(zip(tried, map(set, outcomes(receipt)), strict=True))
    assert {call: got for call, got in found.items() if not got <= allowed(call, victim)} == {}
    # What is called by a venue is called while that is locked.
    callers = {"weth": ALL, "lrt": ALL, "lender": {"aave"}}.get(victim, {victim})
    for locked in entered(outer, name) & ALL & callers:
        assert LOCKED in found[f"{locked} adjust"]
        assert LOCKED in found[f"{locked} authorize"]
    # And nothing came of it.
    assert [event for event in receipt.events if event.name != "Hooked"] == plain.events
    assert state(places) == expected


def test_calls__of_router_and_venues__are_all_there(places: Places) -> None:
    """No function with a state to it is left out above."""
    constants = {
        *("FACTORY", "LRT", "LST", "STETH", "WETH", "SWAP", "STABLE_SWAP", "ROUTER", "is_venue"),
        *("MORPHO", "ID", "POOL", "LENDER", "A_TOKEN", "DEBT_TOKEN"),
    }
    named = {(call.split()[0], call.split()[1]) for call in calls(places)}
    contracts = {
        "router": "LeverageRouter",
        "morpho": "MorphoVenue",
        "aave": "AaveVenue",
    }
    there = {
        (contract, entry["name"])
        for contract, kind in contracts.items()
        for entry in artifact(kind).abi
        if entry["type"] == "function" and entry["name"] not in constants
    }
    assert named == there
