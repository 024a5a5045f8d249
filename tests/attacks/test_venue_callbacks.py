"""A lender's callback with somebody else's loan, or with words that were said before.

EFLeverVault, 2022-10-14 (750 ether): whoever took a flash loan could name the vault as its
receiver, and the vault did in the callback what it does for its own loans. Dough Finance,
2024-07-12 (1.8 million dollars): the callback's data said what to call, and nobody looked at who
had written them.
A venue answers the protocol alone, for a loan of its own, while a call of its router waits for it,
and only with the very words that it has sent, once.
"""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode

from relever.artifacts import artifact
from relever.protocol import NOBODY, UNLIMITED
from tests.scene import ETHER, SWAP, holdings, reverts
from tests.stage import (
    BORROWED,
    EQUITY,
    FOREIGN,
    FREE,
    close_at,
    hook,
    open_at,
    outcomes,
    position,
)
from tests.venues import NO_GRANTS, Places

TRANSFER = "transfer(address,uint256)"
_CALL = "(address,address,int256,uint256,uint256,uint256,bytes)"


def words(
    owner: str, receiver: str, out: int, borrowed: int, repaid: int, data: bytes = b"\1"
) -> bytes:
    """What a venue sends through the protocol: `venue_call.Call`."""
    return encode([_CALL], [(owner, receiver, -out, out, borrowed, repaid, data)])


def opening(places: Places) -> bytes:
    """The words of `open_at`: nothing is bought, all is minted."""
    data = encode(["address", *["uint256"] * 4], [NOBODY, 0, 0, EQUITY, 0])
    return words(places.scene.roles.looper, places.router.address, 0, BORROWED, 0, data)


def closing(places: Places) -> bytes:
    """The words of `close_at` for the whole position at Aave, sold in the pool."""
    collateral, debt = position(places, "aave")
    data = encode(["uint256", "uint256"], [collateral, SWAP])
    swap = places.scene.protocol.swap.address
    return words(places.scene.roles.looper, swap, collateral, 0, debt, data)


def aave_loan(places: Places, amount: int, params: bytes, mode: int = 0) -> tuple[Any, ...]:
    """Aave's flash loan with the venue as its receiver."""
    weth, taker = places.scene.world.core.weth.address, places.scene.roles.stranger
    return (places["aave"].entry.address, [weth], [amount], [mode], taker, params, 0)


def test_execute_operation__words_of_an_earlier_call__revert(places: Places) -> None:
    said = opening(places)
    open_at(places, "aave")
    with reverts("venue: no such call"):
        places["aave"].pool.flashLoan(
            *aave_loan(places, BORROWED, said), sender=places.scene.roles.stranger
        )


def test_on_flash_loan__words_of_an_earlier_call__revert(places: Places) -> None:
    open_at(places, "aave")
    said, (collateral, debt) = closing(places), position(places, "aave")
    close_at(places, "aave", collateral, UNLIMITED)
    weth, stranger = places.scene.world.core.weth.address, places.scene.roles.stranger
    loan = (places["aave"].entry.address, weth, debt, said)
    with reverts("venue: no such call"):
        places["ours"].entry.flashLoan(*loan, sender=stranger)


def test_execute_operation__foreign_initiator_in_the_middle__reverts(places: Places) -> None:
    """While the venue waits for its loan, a token with a hook takes another one in its name."""
    weth, aave = places.scene.world.core.weth, places["aave"]
    said = opening(places)
    with places.scene.chain.isolated():
        open_at(places, "aave")
        expected = position(places, "aave")
    hook(
        places,
        weth,
        [TRANSFER],
        [(aave.pool, aave.pool.flashLoan.encode(*aave_loan(places, BORROWED, said)))],
    )
    receipt = open_at(places, "aave")
    # First on the loan's way to the venue; then, with the words used up, on its way to the router.
    assert outcomes(receipt) == [["venue: not its own loan", "venue: no such call"]]
    assert position(places, "aave") == expected


def test_execute_operation__other_words_in_the_middle__revert(places: Places) -> None:
    """The protocol itself cannot change what it was told."""
    aave, looper, thief = places["aave"], places.scene.roles.looper, places.scene.roles.stranger
    weth, router = places.scene.world.core.weth.address, places.router.address
    data = encode(["address", *["uint256"] * 4], [NOBODY, 0, 0, EQUITY, 0])
    others = [
        words(thief, router, 0, BORROWED, 0, data),
        words(looper, thief, 0, BORROWED, 0, data),
        words(looper, router, 1, BORROWED, 0, data),
        words(looper, router, 0, BORROWED + 1, 0, data),
        words(looper, router, 0, BORROWED, 1, data),
        words(looper, router, 0, BORROWED, 0, data[:-1] + b"\1"),
        opening(places) + b"\0",
        b"",
    ]
    tries = [
        aave.entry.executeOperation.encode([weth], [BORROWED], [0], aave.entry.address, said)
        for said in others
    ]
    function = "flashLoan(address,address[],uint256[],uint256[],address,bytes,uint16)"
    hook(places, aave.pool, [function], [(aave.entry, data) for data in tries])
    receipt = open_at(places, "aave")
    assert outcomes(receipt) == [["venue: no such call"]] * len(others)


def test_on_flash_loan__foreign_initiator_or_fee_in_the_middle__reverts(places: Places) -> None:
    open_at(places, "aave")
    lender, venue, weth = places["ours"].entry, places["aave"].entry, places.scene.world.core.weth
    collateral, debt = position(places, "aave")
    said = closing(places)
    loan = (weth.address, debt)
    steps = [
        (lender, lender.flashLoan.encode(venue.address, *loan, said)),
        (venue, venue.onFlashLoan.encode(lender.address, *loan, 0, said)),
        (venue, venue.onFlashLoan.encode(venue.address, *loan, 1, said)),
        (venue, venue.onFlashLoan.encode(venue.address, *loan, 0, said + b"\0")),
    ]
    hook(places, lender, ["flashLoan(address,address,uint256,bytes)"], steps)
    receipt = close_at(places, "aave", collateral, UNLIMITED)
    assert outcomes(receipt) == [
        ["venue: not its own loan"],
        ["venue: not its own loan"],
        ["venue: flash loan fee"],
        ["venue: no such call"],
    ]
    assert position(places, "aave") == (0, 0)


@pytest.mark.parametrize("function", ["onMorphoFlashLoan", "onMorphoRepay"])
def test_on_morpho__words_of_an_earlier_call__revert(places: Places, function: str) -> None:
    said = opening(places)
    open_at(places, "morpho")
    morpho = places.scene.chain.impersonate(places["morpho"].pool.address)
    places.scene.chain.set_balance(morpho, ETHER)
    with reverts("venue: no such call"):
        getattr(places["morpho"].entry, function)(BORROWED, said, sender=morpho)


def test_on_morpho_flash_loan__second_time_in_the_middle__reverts(places: Places) -> None:
    """The words are used up by the first callback."""
    morpho = places["morpho"]
    again = morpho.entry.onMorphoFlashLoan.encode(BORROWED, opening(places))
    parameters = "(address,address,address,address,uint256)"
    hook(
        places,
        morpho.pool,
        [
            f"supplyCollateral({parameters},uint256,address,bytes)",
            f"borrow({parameters},uint256,uint256,address,address)",
        ],
        [(morpho.entry, again)],
    )
    receipt = open_at(places, "morpho")
    assert outcomes(receipt) == [["venue: no such call"] * 2]


@FOREIGN
def test_on_adjust__by_a_venue_at_rest__reverts(places: Places, name: str) -> None:
    venue = places.scene.chain.impersonate(places[name].entry.address)
    places.scene.chain.set_balance(venue, ETHER)
    with reverts("router: not the active market"):
        places.router.on_adjust(places.scene.roles.looper, -ETHER, -ETHER, b"", sender=venue)
    places.scene.chain.set_balance(venue, 0)


@FOREIGN
def test_on_adjust__by_a_stranger__reverts(places: Places, name: str) -> None:
    open_at(places, name)
    for role in ("stranger", "looper", "liquidator", "owner"):
        with reverts("router: not the active market"):
            places.router.on_adjust(
                *(places.scene.roles.looper, -ETHER, -ETHER, b""),
                sender=getattr(places.scene.roles, role),
            )


@FOREIGN
def test_adjust__by_anyone_but_the_router__reverts(places: Places, name: str) -> None:
    """The suite's own router too: a venue has one."""
    open_at(places, name)
    looper, place = places.scene.roles.looper, places[name]
    place.give_rights(looper)
    collateral, debt = position(places, name)
    own = places.scene.chain.impersonate(places.scene.protocol.router.address)
    places.scene.chain.set_balance(own, ETHER)
    for caller in (looper, places.scene.roles.stranger, own, places.scene.roles.owner):
        for change in ((-collateral, -debt), (ETHER, ETHER), (0, 0), (-1, 0), (0, ETHER)):
            with reverts("venue: not the router"):
                place.entry.adjust(looper, *change, caller, b"", sender=caller)
    assert position(places, name) == (collateral, debt)


@FOREIGN
def test_router__venue_that_it_does_not_name__is_refused(places: Places, name: str) -> None:
    """Another's venue over the same protocol, or over a false one, that names our router."""
    router, looper, chain = places.router, places.scene.roles.looper, places.scene.chain
    stranger, place = places.scene.roles.stranger, places[name]
    if name == "morpho":
        false = chain.deploy(artifact("HostileMarket"), sender=stranger)
        arguments: tuple[Any, ...] = (place.pool.address, place.market.parameters)
    else:
        false = chain.deploy(artifact("HostileMarket"), sender=stranger)
        weth, lrt = places.scene.world.core.weth.address, places.scene.protocol.vault.address
        arguments = (place.pool.address, false.address, weth, lrt)
    kind = {"morpho": "MorphoVenue", "aave": "AaveVenue"}[name]
    venue = chain.deploy(artifact(kind), router.address, *arguments, sender=stranger)
    before = holdings(places.scene, looper)
    for fake in (venue.address, false.address, place.pool.address):
        known = place.entry.address
        with reverts("router: market not listed"):
            router.open(fake, NOBODY, 0, ETHER, FREE, sender=looper)
        with reverts("router: market never listed"):
            router.close(fake, ETHER, 0, SWAP, FREE, sender=looper)
        with reverts("router: market never listed"):
            router.close_to_queue(fake, ETHER, 0, 0, SWAP, FREE, sender=looper)
        with reverts("router: market never listed"):
            router.move(fake, known, ETHER, ETHER, FREE, NO_GRANTS, NO_GRANTS, sender=looper)
        with reverts("router: market not listed"):
            router.move(known, fake, ETHER, ETHER, FREE, NO_GRANTS, NO_GRANTS, sender=looper)
    assert holdings(places.scene, looper) == before
