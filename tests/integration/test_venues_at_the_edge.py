"""Where venues are empty, full, unhealthy or given what nobody asked for, on each of them."""

from __future__ import annotations

from typing import Any

import pytest

from relever.artifacts import artifact
from relever.chain import Contract
from relever.parts import wheel_json
from relever.protocol import NOBODY, UNLIMITED, WAD
from tests.lrt_paths import Lido, vault_shares_down
from tests.scene import ETHER, NO_DEADLINE, SWAP, holdings, reverts, slash_and_sync
from tests.stage import (
    BORROWED,
    EACH,
    EQUITY,
    FREE,
    PAIRS,
    assert_no_rights,
    close_at,
    fund,
    helpers,
    move,
    open_at,
    position,
)
from tests.venues import NAMES, NO_GRANTS, NOT_SIGNED, Aave, Morpho, Places

NEXT = {"ours": "morpho", "morpho": "aave", "aave": "ours"}
# Of who wants more than is there; Aave's 26 is its word for that.
NO_CASH = {"ours": "market: not enough cash", "morpho": "transfer reverted", "aave": "26"}
# Of a position that would owe too much; Aave's 35 is a health below one, 36 a debt above the limit.
TOO_MUCH = {"ours": "market: unhealthy", "morpho": "insufficient collateral", "aave": "36"}
UNHEALTHY = {**TOO_MUCH, "aave": "35"}


def part(name: str, part: str) -> Any:
    return wheel_json("web3-ethereum-defi", f"eth_defi/abi/aave_v3/{part}.json")["abi"]


def configurator(places: Places) -> Contract:
    """Who sets a reserve's caps at Aave; its owner is the suite's."""
    chain, aave = places.scene.chain, places["aave"].pool
    provider = chain.contract(aave.ADDRESSES_PROVIDER(), part("aave", "PoolAddressesProvider"))
    return chain.contract(provider.getPoolConfigurator(), part("aave", "PoolConfiguratorInstance"))


@EACH
def test_donations__to_router_venues_and_swap__stay_where_they_are(
    places: Places, name: str
) -> None:
    """Tokens, and Aave's of the collateral: nobody's position or payment is more for them."""
    scene, looper, giver = places.scene, places.scene.roles.looper, places.scene.roles.depositor
    core, vault, aave = scene.world.core, scene.protocol.vault, places["aave"]
    assert isinstance(aave, Aave)
    held = {"weth": 5, "wsteth": 7, "lrt": 11, "aToken": 13}

    def play() -> Any:
        open_at(places, name)
        found: list[Any] = [position(places, name), holdings(scene, looper)]
        close_at(places, name, 2 * ETHER, ETHER)
        found += [position(places, name), holdings(scene, looper)]
        collateral, debt = position(places, name)
        move(places, name, NEXT[name], collateral, UNLIMITED, debt)
        found += [position(places, NEXT[name]), holdings(scene, looper)]
        asked = (places[NEXT[name]].entry.address, collateral, debt, UNLIMITED, SWAP, FREE)
        grants = places[NEXT[name]].grants(looper, collateral=collateral)
        places.router.close_to_queue(*asked, grants, sender=looper)
        return [*found, position(places, NEXT[name]), holdings(scene, looper)]

    with scene.chain.isolated():
        expected = play()
    with scene.chain.isolated():
        for helper in helpers(places):
            scene.world.fund(giver, weth=held["weth"], wsteth=held["wsteth"])
            core.weth.transfer(helper.address, held["weth"], sender=giver)
            core.wsteth.transfer(helper.address, held["wsteth"], sender=giver)
            vault.transfer(helper.address, held["lrt"], sender=giver)
            vault.approve(aave.pool.address, held["aToken"], sender=giver)
            aave.pool.supply(vault.address, held["aToken"], helper.address, 0, sender=giver)
        assert play() == expected
        for helper in helpers(places):
            assert {
                "weth": core.weth.balanceOf(helper.address),
                "wsteth": core.wsteth.balanceOf(helper.address),
                "lrt": vault.balanceOf(helper.address),
                "aToken": aave.a_token.balanceOf(helper.address),
            } == held


@EACH
def test_close__a_unit_of_each__goes(places: Places, name: str) -> None:
    """A sale of dust brings nothing to repay with."""
    open_at(places, name)
    collateral, debt = position(places, name)
    with reverts("router: sale below repayment"):
        close_at(places, name, 1, 1)
    close_at(places, name, 1_000, 1)
    assert position(places, name) == (collateral - 1_000, debt - 1)


@PAIRS
def test_move__a_unit__goes(places: Places, source: str, target: str) -> None:
    open_at(places, source, borrow=ETHER)
    collateral, debt = position(places, source)
    move(places, source, target, 1, 0, 0)
    assert position(places, source) == (collateral - 1, debt)
    assert position(places, target) == (1, 0)
    with reverts("router: nothing to do"):
        move(places, source, target, 0, 1, 1)


@PAIRS
def test_move__source_lent_out__goes_and_target_lent_out__reverts(
    places: Places, source: str, target: str
) -> None:
    open_at(places, source)
    collateral, debt = position(places, source)
    with places.scene.chain.isolated():
        places[target].drain()
        with reverts(NO_CASH[target]):
            move(places, source, target, collateral, UNLIMITED, debt)
        assert position(places, source) == (collateral, debt)
        assert_no_rights(places, places.scene.roles.looper)
    places[source].drain()
    move(places, source, target, collateral, UNLIMITED, debt)
    assert (position(places, source), position(places, target)) == ((0, 0), (collateral, debt))


@PAIRS
def test_move__source_beyond_the_threshold__is_refused_at_the_target(
    places: Places, source: str, target: str
) -> None:
    """Nobody escapes a liquidation by moving on; leaving goes on."""
    open_at(places, source, borrow=BORROWED * 2)
    collateral, _ = position(places, source)
    scene = places.scene
    scene.protocol.vault.allocate(
        *(scene.protocol.eigenlayer.address, scene.protocol.vault.idle() // 2),
        sender=scene.roles.allocator,
    )
    slash_and_sync(scene, 22 * WAD // 100)
    held, owed = position(places, source)
    assert held == collateral
    worth = held * scene.protocol.oracle.fundamental() // 10**36
    assert worth * 95 // 100 < owed < worth
    with reverts(TOO_MUCH[target]):
        move(places, source, target, held, UNLIMITED, owed)
    with reverts(UNHEALTHY[source]):
        move(places, source, target, held // 2, 0, 0)
    assert position(places, source) == (held, owed)
    # A part in proportion leaves our market; others let collateral out of healthy positions only.
    out, repaid = 4 * ETHER, 41 * ETHER // 10
    if source == "ours":
        close_at(places, source, out, repaid)
        assert position(places, source)[0] == held - out
    else:
        with reverts(UNHEALTHY[source]):
            close_at(places, source, out, repaid)
    close_at(places, source, position(places, source)[0], UNLIMITED)
    assert position(places, source) == (0, 0)


@pytest.mark.parametrize("source", ["morpho", "aave"])
def test_move__cap_of_our_market_full__reverts(places: Places, source: str) -> None:
    open_at(places, source)
    collateral, debt = position(places, source)
    market = places["ours"].entry
    supply, _, fee = market.caps()
    market.set_caps((supply, debt - 1, fee), sender=places.scene.roles.owner)
    with reverts("market: borrow cap"):
        move(places, source, "ours", collateral, UNLIMITED, debt)
    assert (position(places, source), position(places, "ours")) == ((collateral, debt), (0, 0))
    market.set_caps((supply, debt, fee), sender=places.scene.roles.owner)
    move(places, source, "ours", collateral, UNLIMITED, debt)
    assert (position(places, source), position(places, "ours")) == ((0, 0), (collateral, debt))


@pytest.mark.parametrize("source", ["ours", "morpho"])
@pytest.mark.parametrize(("side", "reason"), [("Supply", "51"), ("Borrow", "50")])
def test_move__cap_of_aave_full__reverts(
    places: Places, source: str, side: str, reason: str
) -> None:
    """Its caps are in whole tokens."""
    open_at(places, source)
    collateral, debt = position(places, source)
    token = places.scene.protocol.vault if side == "Supply" else places.scene.world.core.weth
    most = (collateral if side == "Supply" else debt) // ETHER
    set_cap = getattr(configurator(places), f"set{side}Cap")
    set_cap(token.address, most, sender=places.scene.roles.owner)
    with reverts(reason):
        move(places, source, "aave", collateral, UNLIMITED, debt)
    assert (position(places, source), position(places, "aave")) == ((collateral, debt), (0, 0))
    set_cap(token.address, most + 1, sender=places.scene.roles.owner)
    move(places, source, "aave", collateral, UNLIMITED, debt)
    assert (position(places, source), position(places, "aave")) == ((0, 0), (collateral, debt))


def pay_for(places: Places, name: str, amount: int) -> None:
    """A stranger repays a part of the looper's debt, and adds as much collateral."""
    scene, stranger, looper = places.scene, places.scene.roles.stranger, places.scene.roles.looper
    weth, vault, place = scene.world.core.weth, scene.protocol.vault, places[name]
    scene.world.fund(stranger, weth=amount)
    vault.transfer(stranger, amount, sender=scene.roles.depositor)
    weth.approve(place.pool.address, amount, sender=stranger)
    vault.approve(place.pool.address, amount, sender=stranger)
    if name == "ours":
        place.pool.repay(amount, looper, sender=stranger)
        place.pool.supply_collateral(amount, looper, sender=stranger)
    elif isinstance(place, Aave):
        place.pool.repay(weth.address, amount, 2, looper, sender=stranger)
        place.pool.supply(vault.address, amount, looper, 0, sender=stranger)
    else:
        terms = place.market.parameters
        place.pool.repay(terms, amount, 0, looper, b"", sender=stranger)
        place.pool.supplyCollateral(terms, amount, looper, b"", sender=stranger)


@EACH
def test_close__position_changed_since_the_signature__does_what_was_asked(
    places: Places, name: str
) -> None:
    """The bounds and amounts that were signed for are the caller's; the debt is what it is then."""
    open_at(places, name)
    looper, place = places.scene.roles.looper, places[name]
    collateral, debt = position(places, name)
    grants = place.grants(looper, collateral=collateral)
    pay_for(places, name, ETHER)
    assert position(places, name) == (collateral + ETHER, debt - ETHER)
    receipt = places.router.close(
        *(place.entry.address, collateral, UNLIMITED, SWAP, FREE, grants), sender=looper
    )
    assert receipt.events[-1].args["repaid"] == debt - ETHER
    assert position(places, name) == (ETHER, 0)
    assert_no_rights(places, looper)


@EACH
def test_close__liquidated_meanwhile__reverts(places: Places, name: str) -> None:
    """Collateral that is gone is not there to be taken out: as if less of it were."""
    open_at(places, name)
    looper, place = places.scene.roles.looper, places[name]
    collateral, _ = position(places, name)
    grants = place.grants(looper, collateral=collateral + 1)
    words = {"ours": "market: not enough collateral"}
    before = position(places, name)
    with reverts(words.get(name, "panic 0x11")):
        asked = (place.entry.address, collateral + 1, UNLIMITED, SWAP, FREE, grants)
        places.router.close(*asked, sender=looper)
    assert position(places, name) == before


@pytest.mark.parametrize("source", ["ours", "morpho"])
def test_move_to_aave__interest_since_the_signature__asks_for_credit_with_a_margin(
    places: Places, source: str
) -> None:
    """Aave's delegation is signed for an amount, and the whole debt is known in its second only."""
    open_at(places, source)
    looper, aave = places.scene.roles.looper, places["aave"]
    assert isinstance(aave, Aave)
    collateral, debt = position(places, source)
    credit = aave.grants(looper, debt=debt)
    places.scene.chain.advance(12)
    _, owed = position(places, source)
    assert owed > debt
    asked = (places[source].entry.address, aave.entry.address, collateral, UNLIMITED, FREE)
    right = places[source].grants(looper, collateral=collateral)
    with reverts("panic 0x11"):
        places.router.move(*asked, right, credit, sender=looper)
    margin = ETHER // 1_000
    aave.debt_token.approveDelegation(aave.entry.address, debt + margin, sender=looper)
    places.router.move(*asked, right, NO_GRANTS, sender=looper)
    assert (position(places, source), position(places, "aave")) == ((0, 0), (collateral, owed))
    # What is left of it is of use to nobody else, and is taken back by a call to Aave.
    left = aave.debt_token.borrowAllowance(looper, aave.entry.address)
    assert left == debt + margin - owed
    grants = (NOT_SIGNED, NOT_SIGNED, True, NOT_SIGNED)
    _, token = fund(places)
    with reverts("venue: still authorized"):
        places.router.open(aave.entry.address, token, EQUITY, 0, FREE, 0, grants, sender=looper)
    aave.debt_token.approveDelegation(aave.entry.address, 0, sender=looper)
    places.router.open(aave.entry.address, token, EQUITY, 0, FREE, 0, grants, sender=looper)


@EACH
def test_open__twice_in_a_second__raises_by_just_as_much(places: Places, name: str) -> None:
    open_at(places, name)
    collateral, debt = position(places, name)
    lst = EQUITY + Lido.now(places.scene).shares_down(ETHER)
    more = vault_shares_down(places.scene, lst)
    open_at(places, name, borrow=ETHER, bounds=(collateral + more, debt + ETHER, 0, NO_DEADLINE, 0))
    assert position(places, name) == (collateral + more, debt + ETHER)
    assert {other: position(places, other) for other in NAMES if other != name} == {
        other: (0, 0) for other in NAMES if other != name
    }


@EACH
def test_open__a_unit_is_borrowed__adds_to_the_debt_alone(places: Places, name: str) -> None:
    """Too little to stake: the collateral does not rise, and no unit of it is asked for."""
    open_at(places, name)
    looper, place = places.scene.roles.looper, places[name]
    collateral, debt = position(places, name)
    grants = place.grants(looper, debt=1)
    places.router.open(place.entry.address, NOBODY, 0, 1, FREE, 0, grants, sender=looper)
    assert position(places, name) == (collateral, debt + 1)
    assert_no_rights(places, looper)


def test_terms__of_aave__are_the_reserves(places: Places) -> None:
    """Odd numbers, each of which would show in its neighbour."""
    scene, aave = places.scene, places["aave"]
    loan, collateral = scene.world.core.weth.address, scene.protocol.vault.address
    for limits in ((9_101, 9_303, 10_101), (9_100, 9_302, 10_202)):
        set_limits = configurator(places).configureReserveAsCollateral
        set_limits(collateral, *limits, sender=scene.roles.owner)
        ltv, threshold, _ = limits
        told = (loan, collateral, aave.entry.address, ltv * 10**14, threshold * 10**14)
        assert tuple(aave.entry.terms()) == (*told, 0, 0, 0, 0, 0)


def test_terms__of_morpho__are_the_markets(places: Places) -> None:
    morpho = places["morpho"]
    assert isinstance(morpho, Morpho)
    loan, collateral, oracle, _, lltv = morpho.market.parameters
    told = (loan, collateral, oracle, lltv, lltv)
    assert tuple(morpho.entry.terms()) == (*told, 0, 0, 0, 0, 0)
    assert morpho.entry.ID() == morpho.market.id
    assert morpho.entry.MORPHO() == morpho.pool.address


def test_price__of_aave__is_its_oracles(places: Places) -> None:
    scene, entry = places.scene, places["aave"].entry
    fundamental = scene.protocol.oracle.fundamental()
    assert entry.price() == fundamental // WAD * WAD


@pytest.mark.parametrize("what", ["credit", "allowance"])
def test_revoke_at_aave__either_right_left__reverts(places: Places, what: str) -> None:
    looper, aave = places.scene.roles.looper, places["aave"]
    assert isinstance(aave, Aave)
    if what == "credit":
        aave.debt_token.approveDelegation(aave.entry.address, 1, sender=looper)
    else:
        aave.a_token.approve(aave.entry.address, 1, sender=looper)
    with reverts("venue: still authorized"):
        aave.entry.revoke(looper, NOT_SIGNED, sender=looper)
    _, token = fund(places)
    grants = (NOT_SIGNED, NOT_SIGNED, True, NOT_SIGNED)
    with reverts("venue: still authorized"):
        places.router.open(aave.entry.address, token, EQUITY, 0, FREE, 0, grants, sender=looper)


def test_authorize_at_aave__signature_over_nothing__takes_credit_back(places: Places) -> None:
    looper, aave = places.scene.roles.looper, places["aave"]
    assert isinstance(aave, Aave)
    aave.debt_token.approveDelegation(aave.entry.address, ETHER, sender=looper)
    right, _ = aave.sign(looper, 0, 0)
    aave.entry.authorize(looper, 0, 0, right, sender=places.scene.roles.stranger)
    assert aave.debt_token.borrowAllowance(looper, aave.entry.address) == 0


@pytest.mark.parametrize(("seconds", "factor"), [(0, 1), (1, 1), (2 * 365 * 86_400 + 7, 2)])
def test_position__interest__is_what_the_venue_books(
    places: Places, seconds: int, factor: int
) -> None:
    """To the unit what each protocol itself makes of it; at full use, of years too."""
    scene, looper = places.scene, places.scene.roles.looper
    for name in NAMES[1:]:
        open_at(places, name, borrow=BORROWED)
        places[name].drain()
    if seconds:
        scene.chain.advance(seconds)
    expected = {name: position(places, name) for name in NAMES[1:]}
    morpho, aave = places["morpho"], places["aave"]
    assert isinstance(morpho, Morpho)
    assert isinstance(aave, Aave)
    morpho.pool.accrueInterest(morpho.market.parameters, sender=looper)
    _, _, assets, shares, *_ = morpho.pool.market(morpho.market.id)
    _, mine, collateral = morpho.pool.position(morpho.market.id, looper)
    owed = -(-mine * (assets + 1) // (shares + 10**6))
    assert owed >= factor * BORROWED
    assert (owed > BORROWED) == (seconds > 0)
    assert expected["morpho"] == position(places, "morpho") == (collateral, owed)
    held, debt = aave.a_token.balanceOf(looper), aave.debt_token.balanceOf(looper)
    assert expected["aave"] == (held, debt)


def test_position__morpho_market_without_interest__stays(places: Places) -> None:
    scene, looper, morpho = places.scene, places.scene.roles.looper, places["morpho"]
    assert isinstance(morpho, Morpho)
    pool, weth, vault = morpho.pool, scene.world.core.weth, scene.protocol.vault
    terms = (*morpho.market.parameters[:3], NOBODY, morpho.market.parameters[4])
    pool.enableIrm(NOBODY, sender=scene.roles.owner)
    pool.createMarket(terms, sender=looper)
    market = scene.chain.deploy(artifact("MorphoVenue"), looper, pool.address, terms)
    scene.world.fund(looper, weth=ETHER)
    weth.approve(pool.address, ETHER, sender=looper)
    pool.supply(terms, ETHER, 0, looper, b"", sender=looper)
    vault.transfer(looper, ETHER, sender=scene.roles.depositor)
    vault.approve(pool.address, ETHER, sender=looper)
    pool.supplyCollateral(terms, ETHER, looper, b"", sender=looper)
    pool.borrow(terms, ETHER // 2, 0, looper, looper, sender=looper)
    scene.chain.advance(365 * 86_400)
    assert tuple(market.position(looper)) == (ETHER, ETHER // 2)
