"""Opening, closing and moving: the same tests on our market, on Morpho Blue and on Aave."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from relever.artifacts import artifact
from relever.chain import Revert
from relever.protocol import NOBODY, PRICE_SCALE, UNLIMITED, WAD, Deployment
from tests.lrt_paths import Lido, add_far_liquidity, pool_sale, push_lrt_price, vault_shares_down
from tests.scene import (
    ETHER,
    NO_DEADLINE,
    REDEEM,
    SWAP,
    assert_empty,
    holdings,
    restake,
    reverts,
)
from tests.venues import NAMES, NO_GRANTS, Places, deploy_places

FREE = (0, UNLIMITED, 0, NO_DEADLINE, 0)
EQUITY, BORROWED = 3 * ETHER, 10 * ETHER + 7
EACH = pytest.mark.parametrize("name", NAMES)
PAIRS = pytest.mark.parametrize(
    ("source", "target"), [(a, b) for a in NAMES for b in NAMES if a != b]
)


@pytest.fixture(scope="module")
def prepared(deployed: Deployment) -> Iterator[Places]:
    with deployed.chain.isolated():
        restake(deployed, 500 * ETHER)
        yield deploy_places(deployed)


@pytest.fixture
def places(prepared: Places) -> Iterator[Places]:
    """Whatever a test does, router and venues are empty after it."""
    scene = prepared.scene
    with scene.chain.isolated():
        yield prepared
        for helper in (prepared.router, *(prepared[name].entry for name in NAMES[1:])):
            assert_empty(scene, helper.address)
        for name in NAMES:
            for spender in (prepared.router, prepared[name].entry, prepared[name].pool):
                allowed = scene.world.core.weth.allowance(prepared.router.address, spender.address)
                assert allowed == 0


def fund(places: Places, equity: int = EQUITY) -> tuple[str, str]:
    """The looper has wstETH and allows it to the router: the looper and the token."""
    scene = places.scene
    looper, wsteth = scene.roles.looper, scene.world.core.wsteth
    scene.world.fund(looper, wsteth=equity)
    wsteth.approve(places.router.address, equity, sender=looper)
    return looper, wsteth.address


def open_at(
    places: Places, name: str, borrow: int = BORROWED, bounds: Any = FREE, grants: Any = None
) -> Any:
    looper, token = fund(places)
    place = places[name]
    grants = grants or place.grants(looper, debt=borrow)
    return places.router.open(
        place.entry.address, token, EQUITY, borrow, bounds, 0, grants, sender=looper
    )


def close_at(
    places: Places,
    name: str,
    collateral: int,
    repay: int,
    route: int = SWAP,
    bounds: Any = FREE,
) -> Any:
    looper, place = places.scene.roles.looper, places[name]
    grants = place.grants(looper, collateral=collateral)
    return places.router.close(
        place.entry.address, collateral, repay, route, bounds, grants, sender=looper
    )


def position(places: Places, name: str) -> tuple[int, int]:
    return places[name].position(places.scene.roles.looper)


@EACH
def test_open__one_transaction__gives_just_what_mints(places: Places, name: str) -> None:
    scene = places.scene
    collateral = vault_shares_down(scene, EQUITY + Lido.now(scene).shares_down(BORROWED))
    before = holdings(scene, scene.roles.looper)
    receipt = open_at(places, name)
    held, owed = position(places, name)
    assert held == collateral
    assert BORROWED <= owed <= BORROWED + 1
    assert receipt.events[-1].args == {
        "market": places[name].entry.address,
        "owner": scene.roles.looper,
        "token_in": scene.world.core.wsteth.address,
        "amount_in": EQUITY,
        "borrowed": BORROWED,
        "collateral": held,
        "debt": owed,
    }
    assert not places[name].rights(scene.roles.looper)
    assert holdings(scene, scene.roles.looper) == before


@EACH
def test_open__nothing_borrowed__adds_collateral(places: Places, name: str) -> None:
    collateral = vault_shares_down(places.scene, EQUITY)
    open_at(places, name, borrow=0, grants=NO_GRANTS)
    assert position(places, name) == (collateral, 0)


@EACH
@pytest.mark.parametrize("route", [SWAP, REDEEM])
def test_close__whole__pays_out_all_but_the_debt(places: Places, name: str, route: int) -> None:
    open_at(places, name)
    scene, looper = places.scene, places.scene.roles.looper
    scene.chain.advance(12)
    collateral, debt = position(places, name)
    assert debt > BORROWED
    before = holdings(scene, looper)["weth"]
    receipt = close_at(places, name, collateral, UNLIMITED, route)
    assert position(places, name) == (0, 0)
    done = receipt.events[-1].args
    assert (done["collateral_out"], done["repaid"]) == (collateral, debt)
    assert holdings(scene, looper)["weth"] == before + done["paid_out"]
    assert not places[name].rights(looper)


@EACH
def test_close__part__leaves_the_rest(places: Places, name: str) -> None:
    open_at(places, name)
    collateral, debt = position(places, name)
    out, repay = collateral // 3 + 5, debt // 3 + 7
    sale = pool_sale(places.scene.lrt_pool, places.scene.protocol.vault.address, out)
    receipt = close_at(places, name, out, repay)
    left, owed = position(places, name)
    assert left == collateral - out
    # Debt shares are burned rounded down: at most a unit more stays owed.
    assert 0 <= owed - (debt - repay) <= 1
    assert receipt.events[-1].args["paid_out"] == sale.amount_out - repay


@EACH
def test_close__nothing_repaid__sells_only(places: Places, name: str) -> None:
    open_at(places, name, borrow=ETHER)
    collateral, debt = position(places, name)
    sale = pool_sale(places.scene.lrt_pool, places.scene.protocol.vault.address, ETHER)
    receipt = close_at(places, name, ETHER, 0)
    assert position(places, name) == (collateral - ETHER, debt)
    assert receipt.events[-1].args["paid_out"] == sale.amount_out


@EACH
def test_close_to_queue__sells_a_part__asks_the_rest_back(places: Places, name: str) -> None:
    open_at(places, name)
    scene, looper, place = places.scene, places.scene.roles.looper, places[name]
    collateral, _ = position(places, name)
    sold = 9 * ETHER
    receipt = places.router.close_to_queue(
        *(place.entry.address, collateral, sold, UNLIMITED, SWAP, FREE),
        place.grants(looper, collateral=collateral),
        sender=looper,
    )
    assert position(places, name) == (0, 0)
    request = scene.protocol.queue.request(1)
    assert (request.controller, request.shares) == (looper, collateral - sold)
    assert [event.name for event in receipt.events].count("Queued") == 1


@PAIRS
def test_move__whole__carries_all_over(places: Places, source: str, target: str) -> None:
    open_at(places, source)
    scene, looper = places.scene, places.scene.roles.looper
    scene.chain.advance(3_600)
    collateral, debt = position(places, source)
    before = holdings(scene, looper)
    receipt = move(places, source, target, collateral, UNLIMITED, debt)
    assert position(places, source) == (0, 0)
    held, owed = position(places, target)
    assert held == collateral
    assert debt <= owed <= debt + 1
    assert receipt.events[-1].args == {
        "source": places[source].entry.address,
        "target": places[target].entry.address,
        "owner": looper,
        "collateral": collateral,
        "debt": debt,
    }
    assert holdings(scene, looper) == before
    assert not places[source].rights(looper)
    assert not places[target].rights(looper)


@PAIRS
def test_move__part__leaves_the_rest(places: Places, source: str, target: str) -> None:
    open_at(places, source)
    collateral, debt = position(places, source)
    move(places, source, target, collateral // 2, debt // 2, debt // 2)
    left, owed = position(places, source)
    assert left == collateral - collateral // 2
    assert 0 <= owed - (debt - debt // 2) <= 1
    held, borrowed = position(places, target)
    assert held == collateral // 2
    assert 0 <= borrowed - debt // 2 <= 1


def move(
    places: Places,
    source: str,
    target: str,
    collateral: int,
    debt: int,
    borrowed: int,
    bounds: Any = FREE,
) -> Any:
    looper = places.scene.roles.looper
    return places.router.move(
        *(places[source].entry.address, places[target].entry.address, collateral, debt, bounds),
        places[source].grants(looper, collateral=collateral),
        places[target].grants(looper, debt=borrowed),
        sender=looper,
    )


@EACH
def test_open__without_a_right__reverts(places: Places, name: str) -> None:
    looper, token = fund(places)
    with pytest.raises(Revert):
        places.router.open(places[name].entry.address, token, EQUITY, BORROWED, FREE, sender=looper)
    assert position(places, name) == (0, 0)


@EACH
@pytest.mark.parametrize("role", ["stranger", "liquidator", "owner"])
def test_close__someone_elses_position__is_out_of_reach(
    places: Places, name: str, role: str
) -> None:
    """Even where the owner left every right behind, the router acts for its caller alone."""
    open_at(places, name)
    looper, place = places.scene.roles.looper, places[name]
    place.give_rights(looper)
    collateral, debt = position(places, name)
    caller = getattr(places.scene.roles, role)
    with pytest.raises(Revert):
        places.router.close(place.entry.address, collateral, UNLIMITED, SWAP, FREE, sender=caller)
    if name != "ours":
        with reverts("venue: not the router"):
            place.entry.adjust(looper, -collateral, -debt, caller, b"", sender=caller)
    # Another's signature is worth nothing to the caller.
    grants = place.grants(looper, collateral=collateral)
    with pytest.raises(Revert):
        places.router.close(
            place.entry.address, collateral, UNLIMITED, SWAP, FREE, grants, sender=caller
        )
    assert position(places, name)[0] == collateral


@EACH
def test_grants__submitted_by_someone_before__do_not_fail_the_call(
    places: Places, name: str
) -> None:
    looper, token = fund(places)
    place, stranger = places[name], places.scene.roles.stranger
    grants = place.grants(looper, debt=BORROWED)
    nonce, deadline, signature = grants[1]
    if name == "ours":
        words = (looper, places.router.address, True, nonce, deadline, signature)
        place.entry.set_authorization_by_signature(*words, sender=stranger)
    else:
        place.entry.authorize(looper, 0, BORROWED, grants[1], sender=stranger)
    assert place.rights(looper)
    places.router.open(place.entry.address, token, EQUITY, BORROWED, FREE, 0, grants, sender=looper)
    assert not place.rights(looper)
    # And it can be used only once.
    again, token = fund(places)
    with pytest.raises(Revert):
        places.router.open(
            place.entry.address, token, EQUITY, BORROWED, FREE, 0, grants, sender=again
        )


@pytest.mark.parametrize("name", NAMES[1:])
def test_revoke__right_that_is_left__reverts(places: Places, name: str) -> None:
    looper, token = fund(places)
    place = places[name]
    place.give_rights(looper)
    grants = (*NO_GRANTS[:2], True, NO_GRANTS[3])
    with reverts("venue: still authorized"):
        places.router.open(
            place.entry.address, token, EQUITY, BORROWED, FREE, 0, grants, sender=looper
        )


@EACH
def test_bounds__to_the_unit__hold(places: Places, name: str) -> None:
    chain = places.scene.chain
    with chain.isolated():
        open_at(places, name)
        collateral, debt = position(places, name)
        terms = places[name].entry.terms()
    oracle = chain.contract(terms.oracle, artifact("MorphoFace"))
    health = collateral * oracle.price() // PRICE_SCALE * terms.threshold // debt
    for bounds, reason in (
        ((collateral + 1, UNLIMITED, 0, NO_DEADLINE, 0), "router: collateral below bound"),
        ((0, debt - 1, 0, NO_DEADLINE, 0), "router: debt above bound"),
        ((0, UNLIMITED, 0, NO_DEADLINE, health + 1), "router: health below bound"),
        ((0, UNLIMITED, 0, chain.timestamp - 1, 0), "router: deadline passed"),
    ):
        with reverts(reason):
            open_at(places, name, bounds=bounds)
    open_at(places, name, bounds=(collateral, debt, 0, chain.timestamp, health))
    assert health > WAD


@PAIRS
def test_move__health_bound__holds_at_both_ends(places: Places, source: str, target: str) -> None:
    open_at(places, source, borrow=2 * ETHER)
    collateral, debt = position(places, source)
    # The source keeps all of its debt and loses half of its collateral.
    bounds = (0, UNLIMITED, 0, NO_DEADLINE, 2 * WAD)
    with reverts("router: health below bound"):
        move(places, source, target, collateral // 2, 0, 0, bounds)
    # And the target gets the debt with too little collateral.
    with reverts("router: health below bound"):
        move(places, source, target, collateral // 4, debt // 2, debt // 2, bounds)
    move(places, source, target, collateral // 2, debt // 2, debt // 2, (*bounds[:4], WAD))


@EACH
def test_open__nothing_to_borrow__reverts(places: Places, name: str) -> None:
    places[name].drain()
    with pytest.raises(Revert):
        open_at(places, name)


@EACH
def test_close__use_of_100_percent__goes_on(places: Places, name: str) -> None:
    open_at(places, name)
    places[name].drain()
    if name == "ours":
        assert places["ours"].entry.maxFlashLoan(places.scene.world.core.weth.address) == 0
    collateral, _ = position(places, name)
    close_at(places, name, collateral, UNLIMITED)
    assert position(places, name) == (0, 0)


def test_close_at_aave__lender_has_nothing__waits(places: Places) -> None:
    open_at(places, "aave")
    places["ours"].drain()
    collateral, debt = position(places, "aave")
    with pytest.raises(Revert):
        close_at(places, "aave", collateral, UNLIMITED)
    # Moving needs no loan.
    move(places, "aave", "morpho", collateral, UNLIMITED, debt)
    assert position(places, "aave") == (0, 0)


@EACH
def test_close__pool_pushed_by_30_percent__reverts_by_the_bound(places: Places, name: str) -> None:
    open_at(places, name)
    collateral, debt = position(places, name)
    fair = places.scene.protocol.oracle.fundamental() * collateral // PRICE_SCALE - debt
    add_far_liquidity(places.scene)
    push_lrt_price(places.scene, 7 * WAD // 10)
    with pytest.raises(Revert) as failure:
        close_at(
            places,
            name,
            collateral,
            UNLIMITED,
            SWAP,
            (0, UNLIMITED, fair * 9 // 10, NO_DEADLINE, 0),
        )
    assert failure.value.reason in ("router: too little out", "router: sale below repayment")
    assert position(places, name)[0] == collateral


@EACH
def test_open__pool_pushed_by_30_percent__buys_there_what_it_sells_cheaper(
    places: Places, name: str
) -> None:
    minted = vault_shares_down(places.scene, Lido.now(places.scene).shares_down(BORROWED))
    minted += vault_shares_down(places.scene, EQUITY)
    add_far_liquidity(places.scene)
    push_lrt_price(places.scene, 7 * WAD // 10)
    open_at(places, name)
    assert position(places, name)[0] > minted * 11 // 10


CALLBACKS = {
    "morpho": (("onMorphoFlashLoan", (1, b"")), ("onMorphoRepay", (1, b""))),
    "aave": (
        ("executeOperation", ([], [], [], NOBODY, b"")),
        ("onFlashLoan", (NOBODY, NOBODY, 1, 0, b"")),
    ),
}


@pytest.mark.parametrize("name", NAMES[1:])
def test_callbacks__by_a_stranger__revert(places: Places, name: str) -> None:
    entry = places[name].entry
    for function, arguments in CALLBACKS[name]:
        with reverts("venue: not the protocol"):
            getattr(entry, function)(*arguments, sender=places.scene.roles.stranger)


def test_callbacks__protocol_is_made_to_call__revert(places: Places) -> None:
    """A stranger's own loan of the protocol's, with the venue as its receiver."""
    scene, stranger = places.scene, places.scene.roles.stranger
    weth, aave = scene.world.core.weth.address, places["aave"]
    no_debt = (aave.entry.address, [weth], [1], [0], stranger, b"", 0)
    with reverts("venue: no such call"):
        aave.pool.flashLoan(*no_debt, sender=stranger)
    with reverts("venue: no such call"):
        scene.protocol.market.flashLoan(aave.entry.address, weth, 1, b"", sender=stranger)
    morpho = places["morpho"]
    caller = scene.chain.impersonate(morpho.pool.address)
    for function, arguments in CALLBACKS["morpho"]:
        with reverts("venue: no such call"):
            getattr(morpho.entry, function)(*arguments, sender=caller)


@pytest.mark.parametrize("name", NAMES[1:])
def test_adjust__both_ways_at_once__reverts(places: Places, name: str) -> None:
    router = places.scene.chain.impersonate(places.router.address)
    for collateral, debt in ((1, -1), (-1, 1)):
        with reverts("venue: both ways at once"):
            places[name].entry.adjust(router, collateral, debt, router, b"", sender=router)


def test_move__fake_places__revert(places: Places) -> None:
    router, looper, ours = places.router, places.scene.roles.looper, places["ours"].entry.address
    fake = places.scene.chain.deploy(artifact("HostileMarket")).address
    for source, target, reason in (
        (fake, ours, "router: market never listed"),
        (ours, fake, "router: market not listed"),
        (ours, ours, "router: source is target"),
    ):
        with reverts(reason):
            router.move(source, target, 1, 1, FREE, sender=looper)


def test_create__venue_of_another_router__reverts(places: Places) -> None:
    scene, core = places.scene, places.scene.world.core
    protocol = scene.protocol
    with reverts("router: venue of another router"):
        scene.chain.deploy(
            artifact("LeverageRouter"),
            *(protocol.factory.address, protocol.vault.address, core.wsteth.address),
            *(core.weth.address, protocol.swap.address, NOBODY),
            [places["morpho"].entry.address],
        )


def test_move__source_delisted__leaves(places: Places) -> None:
    open_at(places, "ours")
    protocol, roles = places.scene.protocol, places.scene.roles
    protocol.factory.delist_market(protocol.market.address, sender=roles.owner)
    collateral, debt = position(places, "ours")
    move(places, "ours", "morpho", collateral, UNLIMITED, debt)
    with reverts("router: market not listed"):
        move(places, "morpho", "ours", collateral, UNLIMITED, debt)
