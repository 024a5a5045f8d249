from collections.abc import Callable
from typing import Any

import pytest

from relever.chain import Event
from relever.protocol import UNLIMITED, Deployment
from tests.lrt_paths import NOBODY, Lido, Log, debt_after_borrowing, vault_shares_down
from tests.scene import DAY, ETHER, NO_DEADLINE, holdings, reverts
from tests.unit.router.conftest import FREE, TOKENS, give, token_of

AMOUNT, BORROWED = 10 * ETHER + 7, 38 * ETHER + 11


def open_with(
    scene: Deployment, name: str, amount: int, borrow: int, bounds: tuple[int, ...] = FREE
) -> Any:
    token = give(scene, name, amount)
    router, market, looper = scene.protocol.router, scene.protocol.market, scene.roles.looper
    value = amount if name == "ether" else 0
    return router.open(market.address, token, amount, borrow, bounds, sender=looper, value=value)


def taken(scene: Deployment, name: str, amount: int, lido: Lido, log: Log) -> list[Event]:
    """What taking the input logs: ether is wrapped, stETH too; `lido` moves on."""
    looper, router = scene.roles.looper, scene.protocol.router.address
    token = token_of(scene, name)
    if token is None:
        return [Event("Deposit", {"dst": router, "wad": amount}, log.weth.address)]
    if name == "weth":
        return [log.moved(token, looper, router, amount)]
    if name == "steth":
        shares = lido.shares_down(amount)
        worth, wsteth = lido.ether_down(shares), log.wsteth.address
        return [
            log.approved(token, looper, router, amount - worth),
            log.moved(token, looper, router, worth),
            log.shares_moved(looper, router, shares),
            log.approved(token, router, wsteth, worth + 1),
            log.moved(log.wsteth, NOBODY, router, shares),
            log.approved(token, router, wsteth, 0),
            log.moved(token, router, wsteth, worth + 1),
            log.shares_moved(router, wsteth, shares),
        ]
    return [log.approved(token, looper, router, 0), log.moved(token, looper, router, amount)]


@pytest.mark.parametrize("name", TOKENS)
def test_open__each_token__gives_the_computed_collateral_and_debt(
    scene: Deployment, name: str
) -> None:
    protocol, looper = scene.protocol, scene.roles.looper
    market, router, log = protocol.market, protocol.router.address, Log(scene)
    token = give(scene, name, AMOUNT)
    lido = Lido.now(scene)
    before = holdings(scene, looper)
    value = AMOUNT if name == "ether" else 0
    answered = protocol.router.open.call(
        market.address, token, AMOUNT, BORROWED, FREE, sender=looper, value=value
    )

    # What the public rates say.
    lst = {
        "ether": 0,
        "weth": 0,
        "steth": lido.shares_down(AMOUNT),
        "wsteth": AMOUNT,
        "lrt": 0,
    }[name]
    direct = AMOUNT if name == "lrt" else 0
    weth = BORROWED + (AMOUNT if name in ("ether", "weth") else 0)
    debt = debt_after_borrowing(market.state(), BORROWED)
    events = taken(scene, name, AMOUNT, lido, log)
    events += [log.moved(log.weth, market.address, router, BORROWED)]
    if direct:
        events += [log.moved(log.vault, router, market.address, direct)]
    events += [log.unwrapped(router, weth)]
    shares_before = lido.shares
    events += log.staked(lido, router, weth)
    assets = lst + lido.shares - shares_before
    minted = vault_shares_down(scene, assets)
    collateral = direct + minted
    events += log.deposited(router, assets, minted, market.address)
    events += [
        log.adjusted(looper, router, collateral, BORROWED),
        Event(
            "Opened",
            {
                "market": market.address,
                "owner": looper,
                "token_in": token,
                "amount_in": AMOUNT,
                "borrowed": BORROWED,
                "collateral": collateral,
                "debt": debt,
            },
            router,
        ),
    ]

    receipt = protocol.router.open(
        market.address, token, AMOUNT, BORROWED, FREE, sender=looper, value=value
    )

    assert answered == market.position(looper) == (collateral, debt)
    assert receipt.events == events
    after = holdings(scene, looper)
    key = "steth shares" if name == "steth" else name
    spent = before[key] - after[key]
    assert spent == (lst if name == "steth" else AMOUNT)
    assert {**after, key: 0} == {**before, key: 0}


@pytest.mark.parametrize("name", TOKENS)
@pytest.mark.parametrize("amount", [1, 2, 3, 10**9 + 1, 10**17 + 3])
def test_open__small_and_odd_amounts__leave_nothing_behind(
    scene: Deployment, name: str, amount: int
) -> None:
    open_with(scene, name, 5 * ETHER, 0)
    market, looper = scene.protocol.market, scene.roles.looper
    collateral, _ = market.position(looper)
    give(scene, name, amount)
    lido = Lido.now(scene)
    # A wei too little to be anything is no reason to refuse.
    assert lido.shares_down(1) == 0
    weth = ETHER + (amount if name in ("ether", "weth") else 0)
    lst = {"steth": lido.shares_down(amount), "wsteth": amount}.get(name, 0)
    more = vault_shares_down(scene, lst + lido.shares_down(weth))
    direct = amount if name == "lrt" else 0
    debt = debt_after_borrowing(market.state(), ETHER)
    open_with(scene, name, amount, ETHER)
    assert market.position(looper) == (collateral + direct + more, debt)


@pytest.mark.parametrize("name", TOKENS)
def test_open__no_input_of_its_own__raises_the_position(scene: Deployment, name: str) -> None:
    protocol, looper = scene.protocol, scene.roles.looper
    open_with(scene, "wsteth", AMOUNT, BORROWED)
    collateral, debt = protocol.market.position(looper)
    lido = Lido.now(scene)
    more = vault_shares_down(scene, lido.shares_down(ETHER))
    token = token_of(scene, name)
    address = NOBODY if token is None else token.address
    protocol.router.open(protocol.market.address, address, 0, ETHER, FREE, sender=looper)
    assert protocol.market.position(looper) == (collateral + more, debt + ETHER)


def test_open__nothing_borrowed__needs_no_authorisation(scene: Deployment) -> None:
    market, looper = scene.protocol.market, scene.roles.looper
    market.set_authorization(scene.protocol.router.address, False, sender=looper)
    open_with(scene, "wsteth", AMOUNT, 0)
    assert market.position(looper) == (vault_shares_down(scene, AMOUNT), 0)


def test_open__not_authorised__reverts(scene: Deployment) -> None:
    protocol, looper = scene.protocol, scene.roles.looper
    protocol.market.set_authorization(protocol.router.address, False, sender=looper)
    before = holdings(scene, looper)["wsteth"]
    with reverts("market: not authorized"):
        open_with(scene, "wsteth", AMOUNT, BORROWED)
    assert protocol.market.position(looper) == (0, 0)
    assert holdings(scene, looper)["wsteth"] == before + AMOUNT


def test_open__last_second_of_the_deadline__is_in_time(scene: Deployment) -> None:
    now = scene.chain.timestamp
    open_with(scene, "wsteth", AMOUNT, 0, (0, UNLIMITED, 0, now, 0))
    with reverts("router: deadline passed"):
        open_with(scene, "wsteth", AMOUNT, 0, (0, UNLIMITED, 0, now - 1, 0))


def test_open__market_not_listed__reverts(scene: Deployment) -> None:
    protocol, roles = scene.protocol, scene.roles
    terms = protocol.market.terms()
    made = protocol.factory.create_market(tuple(terms), "Other", "O", sender=roles.stranger)
    unlisted = made.events[-1].args["market"]
    for market in (unlisted, roles.stranger, NOBODY, protocol.vault.address):
        with reverts("router: market not listed"):
            protocol.router.open(market, NOBODY, 0, ETHER, FREE, sender=roles.looper)


def test_open__market_delisted__reverts(scene: Deployment) -> None:
    protocol, roles = scene.protocol, scene.roles
    protocol.factory.delist_market(protocol.market.address, sender=roles.guardian)
    with reverts("router: market not listed"):
        open_with(scene, "wsteth", AMOUNT, BORROWED)


def test_open__nothing_to_do__reverts(scene: Deployment) -> None:
    with reverts("router: nothing to do"):
        open_with(scene, "wsteth", 0, 0)
    with reverts("router: nothing to do"):
        scene.protocol.router.open(
            scene.protocol.market.address, NOBODY, 0, 0, FREE, sender=scene.roles.looper, value=1
        )


@pytest.mark.parametrize("sent", [0, AMOUNT - 1, AMOUNT + 1])
def test_open__ether_is_not_the_amount__reverts(scene: Deployment, sent: int) -> None:
    protocol, looper = scene.protocol, scene.roles.looper
    before = holdings(scene, looper)
    with reverts("router: ether sent is not amount"):
        protocol.router.open(
            protocol.market.address, NOBODY, AMOUNT, 0, FREE, sender=looper, value=sent
        )
    assert holdings(scene, looper) == before


@pytest.mark.parametrize("name", TOKENS[1:])
def test_open__ether_beside_a_token__reverts(scene: Deployment, name: str) -> None:
    protocol, looper = scene.protocol, scene.roles.looper
    token = give(scene, name, AMOUNT)
    with reverts("router: ether with a token"):
        protocol.router.open(
            protocol.market.address, token, AMOUNT, 0, FREE, sender=looper, value=1
        )


@pytest.mark.parametrize("amount", [0, 1])
def test_open__token_that_is_none_of_the_five__reverts(scene: Deployment, amount: int) -> None:
    protocol, roles = scene.protocol, scene.roles
    for token in (protocol.market.address, roles.stranger, protocol.router.address):
        with reverts("router: token not accepted"):
            protocol.router.open(
                protocol.market.address, token, amount, ETHER, FREE, sender=roles.looper
            )


def test_open__collateral_bound__holds_to_the_unit(scene: Deployment) -> None:
    lst = AMOUNT + Lido.now(scene).shares_down(BORROWED)
    collateral = vault_shares_down(scene, lst)
    with reverts("router: collateral below bound"):
        open_with(scene, "wsteth", AMOUNT, BORROWED, (collateral + 1, UNLIMITED, 0, NO_DEADLINE, 0))
    assert scene.protocol.market.position(scene.roles.looper) == (0, 0)
    open_with(scene, "wsteth", AMOUNT, BORROWED, (collateral, UNLIMITED, 0, NO_DEADLINE, 0))


def test_open__debt_bound__holds_to_the_unit(scene: Deployment) -> None:
    debt = debt_after_borrowing(scene.protocol.market.state(), BORROWED)
    with reverts("router: debt above bound"):
        open_with(scene, "wsteth", AMOUNT, BORROWED, (0, debt - 1, 0, NO_DEADLINE, 0))
    assert scene.protocol.market.position(scene.roles.looper) == (0, 0)
    open_with(scene, "wsteth", AMOUNT, BORROWED, (0, debt, 0, NO_DEADLINE, 0))


def drain_cash(scene: Deployment) -> None:
    market, lender = scene.protocol.market, scene.roles.lender
    market.withdraw(market.maxWithdraw(lender), lender, lender, sender=lender)


def age_feed(scene: Deployment) -> None:
    scene.chain.advance(2 * DAY)


def unpaid_feed(scene: Deployment) -> None:
    scene.answer_fundamental(discount=3 * 10**17)


def close_vault(scene: Deployment) -> None:
    scene.protocol.vault.set_deposit_cap(0, sender=scene.roles.guardian)


@pytest.mark.parametrize(
    ("obstacle", "reason"),
    [
        (drain_cash, "market: not enough cash"),
        (age_feed, "oracle: stale feed"),
        (unpaid_feed, "market: unhealthy"),
        (close_vault, "vault: deposit cap"),
    ],
)
def test_open__a_step_fails__leaves_no_trace(
    scene: Deployment, obstacle: Callable[[Deployment], None], reason: str
) -> None:
    market, looper = scene.protocol.market, scene.roles.looper
    give(scene, "ether", AMOUNT)
    obstacle(scene)
    before = holdings(scene, looper), holdings(scene, market.address), market.state()
    with reverts(reason):
        open_with(scene, "ether", AMOUNT, BORROWED)
    assert (holdings(scene, looper), holdings(scene, market.address), market.state()) == before
    assert market.position(looper) == (0, 0)


def test_open__more_leverage_than_allowed__reverts(scene: Deployment) -> None:
    with reverts("market: unhealthy"):
        open_with(scene, "ether", ETHER, 11 * ETHER)
    open_with(scene, "ether", ETHER, 10 * ETHER)


def test_open__slash_that_nobody_booked__prices_it_in(scene: Deployment) -> None:
    with scene.chain.isolated():
        open_with(scene, "lrt", 10 * ETHER, 119 * ETHER)
    scene.world.slash(10**17)
    with reverts("market: unhealthy"):
        open_with(scene, "lrt", 10 * ETHER, 119 * ETHER)
