"""Rights by signature, in the same transaction."""

from __future__ import annotations

from typing import Any

import pytest

from relever.chain import Contract, Event
from relever.model import signing
from relever.protocol import UNLIMITED, Deployment
from tests.lrt_paths import NOBODY, Lido, Log, debt_after_borrowing, vault_shares_down
from tests.scene import ETHER, NO_DEADLINE, SWAP, reverts
from tests.unit.router.conftest import FREE
from tests.venues import NO_GRANTS, NOT_SIGNED


def permit(scene: Deployment, token: Contract, amount: int, signer: str) -> Any:
    """ERC-2612, for the router, as the router takes it."""
    words = (signer, scene.protocol.router.address, amount, token.nonces(signer), NO_DEADLINE)
    v, r, s = signing.permit(scene.chain, signing.permit_domain(token), signer, *words)
    return 0, NO_DEADLINE, r + s + bytes([v])


def authorization(scene: Deployment, signer: str, nonce: int) -> Any:
    market, router = scene.protocol.market, scene.protocol.router.address
    words = (signer, router, True, nonce, NO_DEADLINE)
    return nonce, NO_DEADLINE, signing.authorization(scene.chain, market, signer, *words)


@pytest.fixture
def funded(scene: Deployment) -> Deployment:
    """The looper has wstETH, and has let nobody do anything."""
    scene.world.fund(scene.roles.looper, wsteth=3 * ETHER)
    market = scene.protocol.market
    market.set_authorization(scene.protocol.router.address, False, sender=scene.roles.looper)
    return scene


def open_with(scene: Deployment, grants: Any, borrow: int = ETHER, caller: str = "looper") -> Any:
    protocol, wsteth = scene.protocol, scene.world.core.wsteth.address
    asked = (protocol.market.address, wsteth, 3 * ETHER, borrow, FREE, 0, grants)
    return protocol.router.open(*asked, sender=getattr(scene.roles, caller))


@pytest.mark.parametrize("revoke", [False, True])
def test_open__by_signatures_alone__leaves_what_is_wanted(funded: Deployment, revoke: bool) -> None:
    looper, protocol, wsteth = funded.roles.looper, funded.protocol, funded.world.core.wsteth
    nonce = protocol.market.nonces(looper)
    given = permit(funded, wsteth, 3 * ETHER, looper), authorization(funded, looper, nonce)
    log, market, router = Log(funded), protocol.market, protocol.router.address
    lido = Lido.now(funded)
    assets = 3 * ETHER + lido.shares_down(ETHER)
    collateral = vault_shares_down(funded, assets)
    debt = debt_after_borrowing(market.state(), ETHER)

    def right(given: bool) -> Event:
        said = {"owner": looper, "manager": router, "authorized": given}
        return Event("AuthorizationSet", said, market.address)

    opened = {
        "market": market.address,
        "owner": looper,
        "token_in": wsteth.address,
        "amount_in": 3 * ETHER,
        "borrowed": ETHER,
        "collateral": collateral,
        "debt": debt,
    }
    expected = [
        right(True),
        log.approved(wsteth, looper, router, 3 * ETHER),
        log.approved(wsteth, looper, router, 0),
        log.moved(wsteth, looper, router, 3 * ETHER),
        log.moved(log.weth, market.address, router, ETHER),
        log.unwrapped(router, ETHER),
        *log.staked(lido, router, ETHER),
        *log.deposited(router, assets, collateral, market.address),
        log.adjusted(looper, router, collateral, ETHER),
        *([right(False)] if revoke else []),
        Event("Opened", opened, router),
    ]
    receipt = open_with(funded, (*given, revoke, NOT_SIGNED))
    assert receipt.events == expected
    assert wsteth.allowance(looper, router) == 0
    assert market.is_authorized(looper, router) is not revoke
    assert market.position(looper) == (collateral, debt)
    assert (market.nonces(looper), wsteth.nonces(looper)) == (nonce + 1, 1)


def test_open__both_submitted_by_a_stranger_before__goes_through(funded: Deployment) -> None:
    looper, protocol, wsteth = funded.roles.looper, funded.protocol, funded.world.core.wsteth
    nonce, stranger = protocol.market.nonces(looper), funded.roles.stranger
    words = (looper, protocol.router.address, 3 * ETHER, wsteth.nonces(looper), NO_DEADLINE)
    v, r, s = signing.permit(funded.chain, signing.permit_domain(wsteth), looper, *words)
    right = authorization(funded, looper, nonce)
    owner, spender, amount, _, deadline = words
    wsteth.permit(owner, spender, amount, deadline, v, r, s, sender=stranger)
    market = protocol.market
    said = (looper, spender, True, *right)
    market.set_authorization_by_signature(*said, sender=stranger)
    collateral = vault_shares_down(funded, 3 * ETHER + Lido.now(funded).shares_down(ETHER))
    debt = debt_after_borrowing(market.state(), ETHER)
    open_with(funded, ((0, NO_DEADLINE, r + s + bytes([v])), right, True, NOT_SIGNED))
    assert not market.is_authorized(looper, protocol.router.address)
    assert market.position(looper) == (collateral, debt)
    assert wsteth.allowance(looper, protocol.router.address) == 0


def test_open__signature_used_again__is_worth_nothing(funded: Deployment) -> None:
    looper, protocol = funded.roles.looper, funded.protocol
    given = permit(funded, funded.world.core.wsteth, 3 * ETHER, looper)
    right = authorization(funded, looper, protocol.market.nonces(looper))
    open_with(funded, (given, right, True, NOT_SIGNED))
    funded.world.fund(looper, wsteth=3 * ETHER)
    with reverts("erc20: insufficient allowance"):
        open_with(funded, (given, right, True, NOT_SIGNED))
    funded.world.core.wsteth.approve(protocol.router.address, 3 * ETHER, sender=looper)
    with reverts("market: not authorized"):
        open_with(funded, (given, right, True, NOT_SIGNED))


def test_open__anothers_signatures__are_worth_nothing(funded: Deployment) -> None:
    looper, protocol = funded.roles.looper, funded.protocol
    given = permit(funded, funded.world.core.wsteth, 3 * ETHER, looper)
    right = authorization(funded, looper, protocol.market.nonces(funded.roles.liquidator))
    with reverts("market: signature"):
        open_with(funded, (given, right, False, NOT_SIGNED), caller="liquidator")
    with reverts("erc20: insufficient allowance"):
        open_with(funded, (given, NOT_SIGNED, False, NOT_SIGNED), 0, caller="liquidator")


def test_open__permit_for_a_token_that_is_none__calls_nobody(funded: Deployment) -> None:
    """What cannot be paid in is refused before it is called."""
    protocol, looper = funded.protocol, funded.roles.looper
    grants = ((0, NO_DEADLINE, b"\1" * 65), *NO_GRANTS[1:])
    with reverts("router: token not accepted"):
        protocol.router.open(
            *(protocol.market.address, protocol.market.address, 1, 0, FREE, 0, grants),
            sender=looper,
        )
    protocol.router.open(
        *(protocol.market.address, NOBODY, ETHER, 0, FREE, 0, grants), sender=looper, value=ETHER
    )


@pytest.mark.parametrize("length", [1, 64])
def test_open__signature_of_another_length__is_nobodys(funded: Deployment, length: int) -> None:
    looper, protocol, wsteth = funded.roles.looper, funded.protocol, funded.world.core.wsteth
    wsteth.approve(protocol.router.address, 3 * ETHER, sender=looper)
    odd = (0, NO_DEADLINE, b"\1" * length)
    collateral = vault_shares_down(funded, 3 * ETHER)
    open_with(funded, (odd, *NO_GRANTS[1:]), 0)
    assert protocol.market.position(looper) == (collateral, 0)
    assert wsteth.nonces(looper) == 0


def test_close__by_a_signature__gives_the_right_back(funded: Deployment) -> None:
    looper, protocol = funded.roles.looper, funded.protocol
    nonce = protocol.market.nonces(looper)
    given = permit(funded, funded.world.core.wsteth, 3 * ETHER, looper)
    open_with(funded, (given, authorization(funded, looper, nonce), True, NOT_SIGNED))
    collateral, _ = protocol.market.position(looper)
    grants = (NOT_SIGNED, authorization(funded, looper, nonce + 1), True, NOT_SIGNED)
    asked = (protocol.market.address, collateral, UNLIMITED, SWAP, FREE, grants)
    protocol.router.close(*asked, sender=looper)
    assert protocol.market.position(looper) == (0, 0)
    assert not protocol.market.is_authorized(looper, protocol.router.address)


@pytest.mark.parametrize("function", ["open", "close"])
def test_grants__expired__are_refused(funded: Deployment, function: str) -> None:
    """A permit that has expired is passed over, and so there is no allowance; a right reverts."""
    looper, protocol, wsteth = funded.roles.looper, funded.protocol, funded.world.core.wsteth
    market, router, now = protocol.market, protocol.router, funded.chain.timestamp
    words = (looper, router.address, True, market.nonces(looper), now - 1)
    old = signing.authorization(funded.chain, market, looper, *words)
    right = (words[3], now - 1, old)
    if function == "close":
        grants = (NOT_SIGNED, right, True, NOT_SIGNED)
        with reverts("market: signature expired"):
            router.close(market.address, 1, 0, SWAP, FREE, grants, sender=looper)
        return
    with reverts("market: signature expired"):
        open_with(funded, (NOT_SIGNED, right, False, NOT_SIGNED))
    said = (looper, router.address, 3 * ETHER, wsteth.nonces(looper), now - 1)
    v, r, s = signing.permit(funded.chain, signing.permit_domain(wsteth), looper, *said)
    with reverts("erc20: insufficient allowance"):
        open_with(funded, ((0, now - 1, r + s + bytes([v])), *NO_GRANTS[1:]), 0)


@pytest.mark.parametrize("part", ["owner", "amount", "spender"])
def test_permit__of_other_words__is_worth_nothing(funded: Deployment, part: str) -> None:
    looper, protocol, wsteth = funded.roles.looper, funded.protocol, funded.world.core.wsteth
    said: list[Any] = [looper, protocol.router.address, 3 * ETHER]
    place = ["owner", "spender", "amount"].index(part)
    said[place] = 3 * ETHER + 1 if part == "amount" else funded.roles.stranger
    words = (*said, wsteth.nonces(looper), NO_DEADLINE)
    v, r, s = signing.permit(funded.chain, signing.permit_domain(wsteth), looper, *words)
    with reverts("erc20: insufficient allowance"):
        open_with(funded, ((0, NO_DEADLINE, r + s + bytes([v])), *NO_GRANTS[1:]), 0)
    assert wsteth.nonces(looper) == 0
