"""What leverage helpers were robbed of, tried on the router at every venue: a story each."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode

from relever.artifacts import artifact
from relever.model import signing
from relever.protocol import NOBODY, UNLIMITED, WAD
from tests.lrt_paths import add_far_liquidity, push_lrt_price
from tests.scene import BACKSTOP, ETHER, NO_DEADLINE, REDEEM, STABLE, SWAP, holdings, reverts
from tests.stage import (
    BORROWED,
    EACH,
    EQUITY,
    FOREIGN,
    FREE,
    PAIRS,
    close_at,
    fund,
    hook,
    move,
    open_at,
    outcomes,
    position,
)
from tests.venues import NOT_SIGNED, Aave, Places

NO_RIGHT = {"ours": "market: not authorized", "morpho": "unauthorized", "aave": "panic 0x11"}


@EACH
def test_permit__of_a_victim_with_a_market_of_the_thiefs__takes_nothing(
    places: Places, name: str
) -> None:
    """Exactly, 2023-08-18 (about 7 million dollars): a leverage helper took a market and a permit
    from its caller, believed both, and acted for who had signed the permit. Here a market must be
    listed or named at creation, and a permit is for the caller's own tokens."""
    router, core = places.router, places.scene.world.core
    victim, token = fund(places)
    thief = places.scene.roles.stranger
    said = (victim, router.address, EQUITY, core.wsteth.nonces(victim), NO_DEADLINE)
    v, r, s = signing.permit(places.scene.chain, signing.permit_domain(core.wsteth), victim, *said)
    core.wsteth.approve(router.address, 0, sender=victim)
    grants = ((0, NO_DEADLINE, r + s + bytes([v])), NOT_SIGNED, False, NOT_SIGNED)
    fake = places.scene.chain.deploy(artifact("HostileMarket"), sender=thief).address
    before = holdings(places.scene, victim)
    with reverts("router: market not listed"):
        router.open(fake, token, EQUITY, 0, FREE, 0, grants, sender=thief)
    with reverts("erc20: insufficient allowance"):
        router.open(places[name].entry.address, token, EQUITY, 0, FREE, 0, grants, sender=thief)
    assert holdings(places.scene, victim) == before
    assert core.wsteth.allowance(victim, router.address) == 0


@PAIRS
def test_move__of_anothers_position__takes_nothing(
    places: Places, source: str, target: str
) -> None:
    """Prisma, 2024-03-29 (11 million dollars): the data of a migration's callback said whose
    position it was. Here it is the caller's; a venue is told by the router, never by data."""
    open_at(places, source)
    looper, thief = places.scene.roles.looper, places.scene.roles.stranger
    for name in (source, target):
        places[name].give_rights(looper)
        places[name].give_rights(thief)
    places["ours"].give_rights(thief)
    collateral, debt = position(places, source)
    not_enough = {"ours": "market: not enough collateral"}.get(source, "panic 0x11")
    entries = (places[source].entry.address, places[target].entry.address)
    with reverts(not_enough):
        places.router.move(*entries, collateral, UNLIMITED, FREE, sender=thief)
    assert (position(places, source), position(places, target)) == ((collateral, debt), (0, 0))


def test_callback__after_a_call_in_the_same_transaction__finds_nothing_left(
    places: Places,
) -> None:
    """SIR, 2025-03-30 (355 thousand dollars): a transient slot told who might call back, and held
    something else later in the same transaction. Here a slot has one purpose, and is empty when its
    call is over, so that the same words, right after, are no call's."""
    chain, aave = places.scene.chain, places["aave"]
    assert isinstance(aave, Aave)
    weth, vault = places.scene.world.core.weth.address, places.scene.protocol.vault
    wallet, depositor = chain.deploy(artifact("HostileMarket")), places.scene.roles.depositor
    vault.approve(aave.pool.address, 10 * ETHER, sender=depositor)
    aave.pool.supply(vault.address, 10 * ETHER, wallet.address, 0, sender=depositor)
    data = encode(["address", *["uint256"] * 4], [NOBODY, 0, 0, 0, 0])
    call = (wallet.address, places.router.address, 0, 0, ETHER, 0, data)
    words = encode(["(address,address,int256,uint256,uint256,uint256,bytes)"], [call])
    loan = (aave.entry.address, [weth], [ETHER], [2], wallet.address, words, 0)
    opened = (aave.entry.address, NOBODY, 0, ETHER, FREE)
    again = places.router.on_adjust.encode(wallet.address, 0, ETHER, data)
    steps = [
        (
            aave.debt_token,
            aave.debt_token.approveDelegation.encode(aave.entry.address, 2 * ETHER),
        ),
        (places.router, places.router.open.encode(*opened)),
        (aave.pool, aave.pool.flashLoan.encode(*loan)),
        (places.router, again),
    ]
    hook(places, wallet, ["set_position(uint256,uint256)"], steps)
    receipt = wallet.set_position(0, 0, sender=places.scene.roles.stranger)
    assert outcomes(receipt) == [
        ["done"],
        ["done"],
        ["venue: no such call"],
        ["router: not the active market"],
    ]
    assert aave.position(wallet.address)[1] == ETHER
    assert aave.debt_token.borrowAllowance(wallet.address, aave.entry.address) == ETHER


@EACH
def test_close__way_of_the_callers_own__is_refused(places: Places, name: str) -> None:
    """Silo's leverage helper, 2025-06-25 (500 thousand dollars), and Size's, 2025-08-15: the caller
    chose what was called to swap. Here it chooses among the ways that were fixed at creation."""
    open_at(places, name)
    before = position(places, name)
    for route in (0, SWAP | REDEEM, STABLE, SWAP | STABLE, BACKSTOP, 7, 15):
        with reverts("path: no such route"):
            close_at(places, name, ETHER, ETHER, route)
    # Sixteen stands for no way at all: the ABI has none.
    with reverts(""):
        close_at(places, name, ETHER, ETHER, 16)
    looper = places.scene.roles.looper
    for token in (places[name].entry.address, places[name].pool.address, looper):
        with reverts("router: token not accepted"):
            places.router.open(places[name].entry.address, token, 1, 0, FREE, sender=looper)
    assert position(places, name) == before


@EACH
@pytest.mark.parametrize("how", ["open", "raise", "close", "sell", "queue", "move"])
def test_bounds__whatever_was_done__are_checked_at_the_end(
    places: Places, name: str, how: str
) -> None:
    """Abracadabra, 2025-10-04 (1.8 million dollars): an action reset the flag that asked for the
    check of solvency. Here no flag asks for it: it comes last, whatever came before."""
    router, looper, place = places.router, places.scene.roles.looper, places[name]
    other = {"ours": "morpho", "morpho": "aave", "aave": "ours"}[name]
    open_at(places, name)
    entry, (collateral, debt) = place.entry.address, position(places, name)
    _, token = fund(places)
    grants = place.grants(looper, collateral=ETHER)

    def play(bounds: Any) -> None:
        if how == "open":
            router.open(entry, token, EQUITY, 0, bounds, sender=looper)
        elif how == "raise":
            more = place.grants(looper, debt=ETHER)
            router.open(entry, token, EQUITY, ETHER, bounds, 0, more, sender=looper)
        elif how == "move":
            move(places, name, other, collateral, debt, debt, bounds)
        elif how == "queue":
            asked = (entry, ETHER, ETHER // 2, 1, SWAP, bounds, grants)
            router.close_to_queue(*asked, sender=looper)
        else:
            repaid = debt // 2 if how == "close" else 1
            out = debt // 2 if how == "close" else ETHER // 10
            close_at(places, name, out, repaid, SWAP, bounds)

    for bounds, reason in (
        ((UNLIMITED, UNLIMITED, 0, NO_DEADLINE, 0), "router: collateral below bound"),
        ((0, 0, 0, NO_DEADLINE, 0), "router: debt above bound"),
        ((0, UNLIMITED, 0, NO_DEADLINE, 100 * WAD), "router: health below bound"),
    ):
        with reverts(reason):
            play(bounds)
    assert position(places, name) == (collateral, debt)
    play(FREE)


def test_create__reserve_that_is_none__reverts(places: Places) -> None:
    """Xocolatl's liquidator, 2026-03-24: a helper believed a reserve that its caller had made up.
    Here a venue's reserves are the pool's own, of this creation, and its lender is fixed."""
    chain, core, protocol = places.scene.chain, places.scene.world.core, places.scene.protocol
    aave, morpho = places["aave"], places["morpho"]
    tokens = (core.weth.address, protocol.vault.address)
    for loan, collateral in (
        (core.wsteth.address, tokens[1]),
        (tokens[0], core.wsteth.address),
        (NOBODY, NOBODY),
    ):
        with reverts("venue: no such reserve"):
            chain.deploy(
                artifact("AaveVenue"),
                *(places.router.address, aave.pool.address, protocol.market.address),
                *(loan, collateral),
            )
    made_up = (*tokens, protocol.oracle.address, NOBODY, WAD // 2)
    with reverts("venue: no such market"):
        chain.deploy(artifact("MorphoVenue"), places.router.address, morpho.pool.address, made_up)
    for kind, arguments in (
        ("AaveVenue", (aave.pool.address, protocol.market.address, *tokens)),
        ("MorphoVenue", (morpho.pool.address, made_up)),
    ):
        with reverts("venue: no router"):
            chain.deploy(artifact(kind), NOBODY, *arguments)


@FOREIGN
def test_credit__left_with_a_venue__is_the_owners_alone(places: Places, name: str) -> None:
    """An automation on Aave, 2026-04-19: credit that users had delegated to it was drawn by whoever
    asked. Here who delegates without bound loses nothing: a venue draws for its router alone, and
    that for its caller."""
    looper, thief, place = places.scene.roles.looper, places.scene.roles.stranger, places[name]
    open_at(places, name, borrow=ETHER)
    place.give_rights(looper)
    before, entry = position(places, name), place.entry.address
    router, weth = places.router, places.scene.world.core.weth.address
    with reverts(NO_RIGHT[name]):
        router.open(entry, NOBODY, 3 * ETHER, ETHER, FREE, sender=thief, value=3 * ETHER)
    with reverts(NO_RIGHT[name]):
        router.close(entry, ETHER, 0, SWAP, FREE, sender=thief)
    with reverts("venue: not the router"):
        place.entry.adjust(looper, 0, ETHER, thief, b"", sender=thief)
    if isinstance(place, Aave):
        with reverts("panic 0x11"):
            place.pool.borrow(weth, ETHER, 2, 0, looper, sender=thief)
    # What a stranger submits or asks back changes nothing.
    junk = (0, NO_DEADLINE, b"\1" * 65)
    place.entry.authorize(looper, -ETHER, 0, junk, sender=thief)
    with reverts("venue: still authorized"):
        place.entry.revoke(looper, junk, sender=thief)
    assert position(places, name) == before
    assert place.rights(looper)


@EACH
def test_sale__below_the_repayment__is_not_made_up_from_what_lies_there(
    places: Places, name: str
) -> None:
    """Index Coop's issuance helper, 2026-07-30: an amount was checked before a swap and another
    used after it. Here what a sale brought is what it is measured by, and what someone left with
    the router by mistake pays for nobody's debt."""
    scene, weth = places.scene, places.scene.world.core.weth
    open_at(places, name)
    collateral, debt = position(places, name)
    add_far_liquidity(scene)
    push_lrt_price(scene, 6 * WAD // 10)
    giver = scene.roles.stranger
    with scene.chain.isolated():
        scene.world.fund(giver, weth=2 * BORROWED)
        for helper in (places.router, places[name].entry):
            weth.transfer(helper.address, BORROWED, sender=giver)
        with reverts("router: sale below repayment"):
            close_at(places, name, collateral, UNLIMITED)
        assert position(places, name) == (collateral, debt)
        assert weth.balanceOf(places.router.address) == BORROWED
