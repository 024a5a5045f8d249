"""Router, our market, Morpho Blue and Aave, played by tests: what a looper does at each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from eth_abi.abi import decode
from eth_utils.crypto import keccak

from relever.artifacts import artifact
from relever.chain import Contract, Receipt
from relever.protocol import UNLIMITED, Deployment
from tests.scene import ETHER, NO_DEADLINE, SWAP, assert_empty, restake
from tests.venues import NAMES, Aave, Morpho, Places, deploy_places

# No bound but those that a test is about.
FREE = (0, UNLIMITED, 0, NO_DEADLINE, 0)
EQUITY, BORROWED = 3 * ETHER, 10 * ETHER + 7
_ERROR = keccak(text="Error(string)")[:4]
EACH = pytest.mark.parametrize("name", NAMES)
FOREIGN = pytest.mark.parametrize("name", NAMES[1:])
PAIRS = pytest.mark.parametrize(
    ("source", "target"), [(a, b) for a in NAMES for b in NAMES if a != b]
)


@pytest.fixture(scope="module")
def built_places(deployed: Deployment) -> Iterator[Places]:
    """Made once for a module: each test puts it back."""
    with deployed.chain.isolated():
        restake(deployed, 500 * ETHER)
        yield deploy_places(deployed)


@pytest.fixture
def places(built_places: Places) -> Iterator[Places]:
    """Whatever a test does, router, venues and swap are empty after it."""
    with built_places.scene.chain.isolated():
        yield built_places
        assert_nothing_left(built_places)


def assert_nothing_left(places: Places) -> None:
    """No token, ether, allowance, position, or right over anyone's with a helper, nor of it."""
    scene = places.scene
    for helper in helpers(places):
        assert_empty(scene, helper.address)
        assert left_at_venues(places, helper.address) == {}, helper


def helpers(places: Places) -> list[Contract]:
    """What holds nothing between calls."""
    return [
        places.router,
        places.scene.protocol.swap,
        *(places[name].entry for name in NAMES[1:]),
    ]


def left_at_venues(places: Places, account: str) -> dict[str, Any]:
    """What an account has at the venues, and lets anyone there take, where it is not nothing."""
    core, morpho, aave = places.scene.world.core, places["morpho"], places["aave"]
    assert isinstance(morpho, Morpho)
    assert isinstance(aave, Aave)
    spenders = [helper.address for helper in helpers(places)]
    spenders += [places[name].pool.address for name in NAMES]
    found: dict[str, Any] = {}
    for name, token in (("aToken", aave.a_token), ("debt token", aave.debt_token)):
        found[name] = token.balanceOf(account)
    found["Morpho"] = sum(morpho.pool.position(morpho.market.id, account))
    tokens = {
        "weth": core.weth,
        "steth": core.steth,
        "wsteth": core.wsteth,
        "lrt": places.scene.protocol.vault,
        "aToken": aave.a_token,
    }
    for spender in spenders:
        for name, token in tokens.items():
            found[f"{name} to {spender}"] = token.allowance(account, spender)
        found[f"credit to {spender}"] = aave.debt_token.borrowAllowance(account, spender)
        found[f"Morpho to {spender}"] = morpho.pool.isAuthorized(account, spender)
    return {name: amount for name, amount in found.items() if amount}


def assert_no_rights(places: Places, owner: str) -> None:
    """The owner has let neither the router nor a venue do anything, anywhere."""
    assert {name for name in NAMES if places[name].rights(owner)} == set()


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


def hook(
    places: Places, victim: Contract, functions: list[str], steps: list[tuple[Contract, bytes]]
) -> None:
    """From now on the victim first makes these calls, in its own name, in each of the functions.

    Args:
        functions: their signatures.
    """
    chain = places.scene.chain

    def code_of(address: str) -> bytes:
        return bytes.fromhex(chain.rpc("eth_getCode", [address, "latest"])[2:])

    elsewhere = "0x" + keccak(text=f"code of {victim.address}")[12:].hex()
    chain.set_code(elsewhere, code_of(victim.address))
    double = chain.deploy(artifact("Hook"), elsewhere)
    selectors = [keccak(text=function)[:4] for function in functions]
    double.set_hook(selectors, [(target.address, data) for target, data in steps])
    chain.set_code(victim.address, code_of(double.address))
    chain.contract(victim.address, artifact("Hook"))


def outcomes(receipt: Receipt) -> list[list[str]]:
    """How each step of a hook went, each time: "done", or why it failed, empty without a reason."""
    found: list[list[str]] = []
    for event in receipt.events:
        if event.name == "Hooked":
            place = event.args["place"]
            found += [[] for _ in range(place + 1 - len(found))]
            found[place].append(_outcome(event.args["success"], event.args["answer"]))
    return found


def _outcome(success: bool, answer: bytes) -> str:
    if success:
        return "done"
    if answer[:4] == _ERROR:
        (reason,) = decode(["string"], answer[4:])
        return str(reason)
    return answer.hex()
