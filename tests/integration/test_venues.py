"""Opening, closing and moving: the same tests on our market, on Morpho Blue and on Aave."""

from __future__ import annotations

import pytest

from relever.artifacts import artifact
from relever.chain import Event, Receipt
from relever.protocol import NOBODY, PRICE_SCALE, UNLIMITED, WAD
from tests.lrt_paths import (
    Lido,
    add_far_liquidity,
    pool_sale,
    push_lrt_price,
    vault_assets_down,
    vault_shares_down,
)
from tests.scene import ETHER, NO_DEADLINE, REDEEM, SWAP, holdings, reverts
from tests.stage import (
    BORROWED,
    EACH,
    EQUITY,
    FREE,
    PAIRS,
    assert_no_rights,
    close_at,
    fund,
    move,
    open_at,
    position,
)
from tests.unit.router.conftest import mint_rate
from tests.unit.router.test_purchase import pool_gives
from tests.venue_logs import VenueLog, told
from tests.venues import NAMES, NO_GRANTS, Aave, Places

# How each place refuses who has no right: that is its own word, Aave's an allowance below zero.
NO_RIGHT = {"ours": "market: not authorized", "morpho": "unauthorized", "aave": "panic 0x11"}
# And who has a right, but no such collateral.
NOT_ENOUGH = {"ours": "market: not enough collateral", "morpho": "panic 0x11", "aave": "panic 0x11"}


def logs(places: Places, name: str) -> VenueLog:
    return VenueLog(places, places[name], places.scene.roles.looper)


def assert_told(places: Places, receipt: Receipt, expected: list[Event]) -> None:
    """The whole list, in order; amounts that are the books' are known to the books alone."""
    aave = places["aave"]
    assert isinstance(aave, Aave)
    in_books = (aave.debt_token.address, places["ours"].entry.address)
    assert told(receipt.events, in_books) == told(expected, in_books)


def closed(places: Places, name: str, out: int, repaid: int, paid_out: int) -> list[Event]:
    """What ends a close: the proceeds to the looper, the right taken back, the router's word."""
    log, looper = logs(places, name), places.scene.roles.looper
    left, debt = position(places, name)
    said = {
        "market": places[name].entry.address,
        "owner": looper,
        "collateral_out": out,
        "repaid": repaid,
        "paid_out": paid_out,
        "collateral": left,
        "debt": debt,
    }
    router = places.router.address
    paid = [log.log.moved(log.weth, router, looper, paid_out)]
    return [*paid, *log.taken_back(), Event("Closed", said, router)]


@EACH
def test_open__one_transaction__gives_just_what_mints(places: Places, name: str) -> None:
    scene, looper, router = places.scene, places.scene.roles.looper, places.router.address
    log = logs(places, name)
    lido = Lido.now(scene)
    staked = lido.shares_down(BORROWED)
    collateral = vault_shares_down(scene, EQUITY + staked)
    made = [log.log.unwrapped(router, BORROWED), *log.log.staked(lido, router, BORROWED)]
    entry = places[name].entry.address
    made += log.log.deposited(router, EQUITY + staked, collateral, entry)
    before = holdings(scene, looper)
    receipt = open_at(places, name)
    assert position(places, name) == (collateral, BORROWED)
    said = {
        "market": entry,
        "owner": looper,
        "token_in": scene.world.core.wsteth.address,
        "amount_in": EQUITY,
        "borrowed": BORROWED,
        "collateral": collateral,
        "debt": BORROWED,
    }
    assert_told(
        places,
        receipt,
        [
            *log.given(debt=BORROWED),
            log.log.approved(log.log.wsteth, looper, router, 0),
            log.log.moved(log.log.wsteth, looper, router, EQUITY),
            *log.raised(collateral, BORROWED, router, made),
            *log.taken_back(),
            Event("Opened", said, router),
        ],
    )
    assert_no_rights(places, looper)
    assert holdings(scene, looper) == before


@EACH
def test_open__nothing_borrowed__adds_collateral(places: Places, name: str) -> None:
    collateral = vault_shares_down(places.scene, EQUITY)
    open_at(places, name, borrow=0, grants=NO_GRANTS)
    assert position(places, name) == (collateral, 0)


@EACH
@pytest.mark.parametrize("route", [SWAP, REDEEM])
def test_close__whole__pays_out_all_but_the_debt(places: Places, name: str, route: int) -> None:
    open_at(places, name)
    scene, looper, log = places.scene, places.scene.roles.looper, logs(places, name)
    router = places.router.address
    scene.chain.advance(12)
    collateral, debt = position(places, name)
    assert debt > BORROWED
    before = holdings(scene, looper)
    if route == SWAP:
        seat = scene.protocol.swap.address
        sale = pool_sale(scene.lrt_pool, log.lrt.address, collateral)
    else:
        seat, assets = router, vault_assets_down(scene, collateral)
        sale = pool_sale(scene.lst_pool, log.log.wsteth.address, assets)
    receipt = close_at(places, name, collateral, UNLIMITED, route)
    if route == SWAP:
        made = log.log.sold(sale, log.lrt, router)[1:]
    else:
        made = log.log.redeemed(router, collateral, sale.amount_in)
        made += log.log.sold(sale, log.log.wsteth, router)
    paid_out = sale.amount_out - debt
    assert position(places, name) == (0, 0)
    assert holdings(scene, looper) == {**before, "weth": before["weth"] + paid_out}
    assert_told(
        places,
        receipt,
        [
            *log.given(collateral=collateral),
            *log.lowered(collateral, debt, seat, made, True),
            *closed(places, name, collateral, debt, paid_out),
        ],
    )
    assert_no_rights(places, looper)


@EACH
def test_close__part__leaves_the_rest(places: Places, name: str) -> None:
    open_at(places, name)
    scene, log = places.scene, logs(places, name)
    collateral, debt = position(places, name)
    out, repay = collateral // 3 + 5, debt // 3 + 7
    sale = pool_sale(scene.lrt_pool, log.lrt.address, out)
    receipt = close_at(places, name, out, repay)
    assert position(places, name) == (collateral - out, debt - repay)
    made = log.log.sold(sale, log.lrt, places.router.address)[1:]
    seat = scene.protocol.swap.address
    assert_told(
        places,
        receipt,
        [
            *log.given(collateral=out),
            *log.lowered(out, repay, seat, made, False, accrues=False),
            *closed(places, name, out, repay, sale.amount_out - repay),
        ],
    )
    assert_no_rights(places, scene.roles.looper)


@EACH
def test_close__part_and_more_than_the_debt__repays_the_debt_only(
    places: Places, name: str
) -> None:
    open_at(places, name, borrow=ETHER)
    scene, looper = places.scene, places.scene.roles.looper
    collateral, debt = position(places, name)
    out = 2 * ETHER
    sale = pool_sale(scene.lrt_pool, scene.protocol.vault.address, out)
    before = holdings(scene, looper)
    receipt = close_at(places, name, out, debt + 1)
    assert position(places, name) == (collateral - out, 0)
    paid_out = sale.amount_out - debt
    assert receipt.events[-1] == closed(places, name, out, debt, paid_out)[-1]
    assert holdings(scene, looper) == {**before, "weth": before["weth"] + paid_out}


@EACH
def test_close__no_debt__sells_only(places: Places, name: str) -> None:
    open_at(places, name, borrow=0, grants=NO_GRANTS)
    scene = places.scene
    collateral, _ = position(places, name)
    sale = pool_sale(scene.lrt_pool, scene.protocol.vault.address, collateral)
    receipt = close_at(places, name, collateral, UNLIMITED)
    assert position(places, name) == (0, 0)
    assert receipt.events[-1] == closed(places, name, collateral, 0, sale.amount_out)[-1]


@EACH
def test_close__nothing_repaid__sells_only(places: Places, name: str) -> None:
    open_at(places, name, borrow=ETHER)
    scene, looper = places.scene, places.scene.roles.looper
    collateral, debt = position(places, name)
    sale = pool_sale(scene.lrt_pool, scene.protocol.vault.address, ETHER)
    before = holdings(scene, looper)
    receipt = close_at(places, name, ETHER, 0)
    assert position(places, name) == (collateral - ETHER, debt)
    assert receipt.events[-1] == closed(places, name, ETHER, 0, sale.amount_out)[-1]
    assert holdings(scene, looper) == {**before, "weth": before["weth"] + sale.amount_out}


@EACH
def test_close_to_queue__sells_a_part__asks_the_rest_back(places: Places, name: str) -> None:
    open_at(places, name)
    scene, looper, place, log = (
        places.scene,
        places.scene.roles.looper,
        places[name],
        logs(places, name),
    )
    router, queue = places.router.address, scene.protocol.queue
    collateral, debt = position(places, name)
    sold = 9 * ETHER
    queued = collateral - sold
    sale = pool_sale(scene.lrt_pool, log.lrt.address, sold)
    receipt = places.router.close_to_queue(
        *(place.entry.address, collateral, sold, UNLIMITED, SWAP, FREE),
        place.grants(looper, collateral=collateral),
        sender=looper,
    )
    assert position(places, name) == (0, 0)
    request = queue.request(1)
    assert (request.controller, request.shares) == (looper, queued)
    made = log.log.sold(sale, log.lrt, router)
    paid, *end = closed(places, name, collateral, debt, sale.amount_out - debt)
    asked = [
        log.log.approved(log.lrt, router, queue.address, queued),
        log.log.approved(log.lrt, router, queue.address, 0),
        log.log.moved(log.lrt, router, queue.address, queued),
        Event(
            "RedeemRequest",
            {
                "controller": looper,
                "owner": router,
                "requestId": 1,
                "sender": router,
                "shares": queued,
            },
            queue.address,
        ),
        Event(
            "Queued",
            {
                "market": place.entry.address,
                "owner": looper,
                "request_id": 1,
                "shares": queued,
            },
            router,
        ),
    ]
    assert_told(
        places,
        receipt,
        [
            *log.given(collateral=collateral),
            *log.lowered(collateral, debt, router, made, True, accrues=False),
            *(paid, *asked, *end),
        ],
    )
    assert_no_rights(places, looper)


@EACH
def test_close_to_queue__nothing_sold_and_nothing_repaid__queues_all(
    places: Places, name: str
) -> None:
    open_at(places, name, borrow=0, grants=NO_GRANTS)
    scene, looper, place = places.scene, places.scene.roles.looper, places[name]
    collateral, _ = position(places, name)
    before = holdings(scene, looper)
    places.router.close_to_queue(
        *(place.entry.address, collateral, 0, UNLIMITED, SWAP, FREE),
        place.grants(looper, collateral=collateral),
        sender=looper,
    )
    request = scene.protocol.queue.request(1)
    assert (request.controller, request.shares) == (looper, collateral)
    assert (position(places, name), holdings(scene, looper)) == ((0, 0), before)


def moved(
    places: Places, source: str, target: str, collateral: int, debt: int, whole: bool
) -> list[Event]:
    """What a move logs; half an hour of interest is booked at both ends where all is moved."""
    router = places.router.address
    of_source, of_target = logs(places, source), logs(places, target)
    entry, seat = places[source].entry.address, places[target].entry.address
    from_source = of_source.lowered(collateral, debt, seat, [], whole, False, accrues=whole)
    allowed = of_source.log.approved(of_source.weth, router, entry, debt)
    said = {
        "source": entry,
        "target": seat,
        "owner": places.scene.roles.looper,
        "collateral": collateral,
        "debt": debt,
    }
    # Our market has no interest to book where it has lent nothing.
    accrues = whole and target == "morpho"
    return [
        *of_source.given(collateral=collateral),
        *of_target.given(debt=debt),
        *of_target.raised(collateral, debt, router, [allowed, *from_source], accrues),
        *of_source.taken_back(),
        *of_target.taken_back(),
        Event("Moved", said, router),
    ]


@PAIRS
def test_move__whole__carries_all_over(places: Places, source: str, target: str) -> None:
    open_at(places, source)
    scene, looper = places.scene, places.scene.roles.looper
    scene.chain.advance(3_600)
    collateral, debt = position(places, source)
    assert debt > BORROWED
    before = holdings(scene, looper)
    receipt = move(places, source, target, collateral, UNLIMITED, debt)
    assert position(places, source) == (0, 0)
    assert position(places, target) == (collateral, debt)
    assert_told(places, receipt, moved(places, source, target, collateral, debt, True))
    assert holdings(scene, looper) == before
    assert_no_rights(places, looper)


@PAIRS
def test_move__part__leaves_the_rest(places: Places, source: str, target: str) -> None:
    open_at(places, source)
    looper = places.scene.roles.looper
    collateral, debt = position(places, source)
    out, owed = collateral // 2, debt // 2
    before = holdings(places.scene, looper)
    receipt = move(places, source, target, out, owed, owed)
    assert position(places, source) == (collateral - out, debt - owed)
    assert position(places, target) == (out, owed)
    assert_told(places, receipt, moved(places, source, target, out, owed, False))
    assert holdings(places.scene, looper) == before
    assert_no_rights(places, looper)


@EACH
def test_open__without_a_right__reverts(places: Places, name: str) -> None:
    looper, token = fund(places)
    with reverts(NO_RIGHT[name]):
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
    with reverts(NO_RIGHT[name]):
        places.router.close(place.entry.address, collateral, UNLIMITED, SWAP, FREE, sender=caller)
    if name != "ours":
        with reverts("venue: not the router"):
            place.entry.adjust(looper, -collateral, -debt, caller, b"", sender=caller)
    # Another's signature is worth nothing to the caller.
    grants = place.grants(looper, collateral=collateral)
    with reverts("market: nonce" if name == "ours" else NO_RIGHT[name]):
        places.router.close(
            place.entry.address, collateral, UNLIMITED, SWAP, FREE, grants, sender=caller
        )
    # Nor is a right of the caller's own over the looper's position.
    place.give_rights(caller)
    with reverts(NOT_ENOUGH[name]):
        places.router.close(place.entry.address, collateral, UNLIMITED, SWAP, FREE, sender=caller)
    assert position(places, name) == (collateral, debt)


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
    with reverts(NO_RIGHT[name]):
        places.router.open(
            place.entry.address, token, EQUITY, BORROWED, FREE, 0, grants, sender=again
        )


def test_grants__given_and_taken_back_by_someone_before__stop_the_call_alone(
    places: Places,
) -> None:
    """Morpho's two signatures can be used up ahead of the call, which does no more than fail."""
    looper, token = fund(places)
    place, stranger = places["morpho"], places.scene.roles.stranger
    grants = place.grants(looper, debt=BORROWED)
    place.entry.authorize(looper, 0, BORROWED, grants[1], sender=stranger)
    assert place.rights(looper)
    place.entry.revoke(looper, grants[3], sender=stranger)
    assert_no_rights(places, looper)
    before = holdings(places.scene, looper)
    asked = (place.entry.address, token, EQUITY, BORROWED, FREE, 0)
    with reverts("unauthorized"):
        places.router.open(*asked, grants, sender=looper)
    assert (position(places, "morpho"), holdings(places.scene, looper)) == ((0, 0), before)
    places.router.open(*asked, place.grants(looper, debt=BORROWED), sender=looper)
    assert_no_rights(places, looper)


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
    # Aave's 26 is that the flash loan is more than there is.
    words = {"ours": "market: not enough cash", "morpho": "transfer reverted", "aave": "26"}
    with reverts(words[name]):
        open_at(places, name)
    assert position(places, name) == (0, 0)


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
    # WETH says nothing when there is too little of it.
    with reverts(""):
        close_at(places, "aave", collateral, UNLIMITED)
    assert position(places, "aave") == (collateral, debt)
    # Moving needs no loan.
    move(places, "aave", "morpho", collateral, UNLIMITED, debt)
    assert position(places, "aave") == (0, 0)


@EACH
@pytest.mark.parametrize(
    ("borrow", "reason"),
    [(2 * ETHER, "router: too little out"), (BORROWED, "router: sale below repayment")],
)
def test_close__pool_pushed_by_30_percent__reverts_by_the_bounds(
    places: Places, name: str, borrow: int, reason: str
) -> None:
    open_at(places, name, borrow=borrow)
    scene, looper = places.scene, places.scene.roles.looper
    collateral, debt = position(places, name)
    fair = scene.protocol.oracle.fundamental() * collateral // PRICE_SCALE - debt
    add_far_liquidity(scene)
    push_lrt_price(scene, 7 * WAD // 10)
    before = holdings(scene, looper)
    with reverts(reason):
        bounds = (0, UNLIMITED, fair * 9 // 10, NO_DEADLINE, 0)
        close_at(places, name, collateral, UNLIMITED, SWAP, bounds)
    assert (position(places, name), holdings(scene, looper)) == ((collateral, debt), before)
    assert_no_rights(places, looper)


@EACH
def test_open__pool_pushed_by_30_percent__buys_there_what_it_sells_cheaper(
    places: Places, name: str
) -> None:
    scene = places.scene
    minted = vault_shares_down(scene, EQUITY)
    add_far_liquidity(scene)
    push_lrt_price(scene, 7 * WAD // 10)
    sold, bought = pool_gives(scene, BORROWED, mint_rate(scene))
    assert sold == BORROWED
    assert bought > vault_shares_down(scene, Lido.now(scene).shares_down(BORROWED)) * 12 // 10
    open_at(places, name)
    assert position(places, name) == (minted + bought, BORROWED)


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
