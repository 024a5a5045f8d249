"""WETH buys LRT in the pool as long as each unit buys more there than it mints."""

from __future__ import annotations

import pytest

from relever.chain import Event, Receipt
from relever.model.paths import MINT_ALL
from relever.protocol import UNLIMITED, WAD, Deployment
from tests.lrt_paths import NOBODY, Lido, Log, add_far_liquidity, push_lrt_price, vault_shares_down
from tests.scene import ETHER, NO_DEADLINE, holdings, reverts
from tests.unit.router.conftest import FREE, give, mint_rate
from tests.unit.router.test_open import open_with


def minted(scene: Deployment, weth: int) -> int:
    return vault_shares_down(scene, Lido.now(scene).shares_down(weth))


def pool_gives(scene: Deployment, weth: int, rate: int) -> tuple[int, int]:
    """What the swap would sell of the WETH at the rate, and give for it."""
    swap, trader, token = scene.protocol.swap, scene.roles.trader, scene.world.core.weth
    with scene.chain.isolated():
        scene.world.fund(trader, weth=weth)
        token.transfer(swap.address, weth, sender=trader)
        pair = (token.address, scene.protocol.vault.address)
        sold, got = swap.swap_up_to.call(*pair, weth, rate, trader, sender=trader)
    return sold, got


def bought(
    scene: Deployment, name: str, amount: int, borrowed: int, sold: int, got: int, lido: Lido
) -> list[Event]:
    """What a purchase logs: all WETH goes to the swap, and comes back where the pool is dearer."""
    log, looper, market = Log(scene), scene.roles.looper, scene.protocol.market
    router, swap, pool = scene.protocol.router.address, scene.protocol.swap.address, scene.lrt_pool
    left = amount + borrowed - sold
    amounts = (-got, sold) if pool.token0 == log.vault.address else (sold, -got)
    price, tick, *_ = pool.contract.slot0()
    traded = {
        "sender": swap,
        "recipient": market.address,
        "amount0": amounts[0],
        "amount1": amounts[1],
        "sqrtPriceX96": price,
        "liquidity": pool.contract.liquidity(),
        "tick": tick,
    }
    events = [log.moved(log.weth, looper, swap, amount)]
    if name == "ether":
        wrapped = Event("Deposit", {"dst": router, "wad": amount}, log.weth.address)
        events = [wrapped, log.moved(log.weth, router, swap, amount)]
    events += [
        log.moved(log.weth, market.address, swap, borrowed),
        log.moved(log.vault, pool.address, market.address, got),
        log.moved(log.weth, swap, pool.address, sold),
        Event("Swap", traded, pool.address),
    ]
    collateral, debt = market.position(looper)
    if left:
        events += [log.moved(log.weth, swap, router, left), log.unwrapped(router, left)]
        before = lido.shares
        events += log.staked(lido, router, left)
        staked = lido.shares - before
        events += log.deposited(router, staked, collateral - got, market.address)
    opened = {
        "market": market.address,
        "owner": looper,
        "token_in": NOBODY if name == "ether" else log.weth.address,
        "amount_in": amount,
        "borrowed": borrowed,
        "collateral": collateral,
        "debt": debt,
    }
    return [
        *events,
        log.adjusted(looper, router, collateral, borrowed, swap),
        Event("Opened", opened, router),
    ]


@pytest.mark.parametrize("name", ["weth", "ether"])
@pytest.mark.parametrize("amount", [ETHER, 40 * ETHER])
def test_open__pool_is_cheaper__buys_there_until_minting_gives_more(
    scene: Deployment, name: str, amount: int
) -> None:
    add_far_liquidity(scene)
    push_lrt_price(scene, 995 * WAD // 1_000)
    borrowed, rate = ETHER, mint_rate(scene)
    sold, got = pool_gives(scene, amount + borrowed, rate)
    rest = minted(scene, amount + borrowed - sold)
    lido = Lido.now(scene)
    receipt = open_with(scene, name, amount, borrowed)
    collateral, _ = scene.protocol.market.position(scene.roles.looper)
    assert collateral == got + rest
    assert collateral > minted(scene, amount + borrowed)
    # The small one is bought as a whole, the large one in part.
    assert (sold == amount + borrowed) == (amount == ETHER)
    assert got * WAD >= sold * (rate - 1)
    assert receipt.events == bought(scene, name, amount, borrowed, sold, got, lido)


def test_open__pool_is_no_cheaper__mints_all(scene: Deployment) -> None:
    receipt = open_with(scene, "weth", ETHER, ETHER)
    assert "Swap" not in [event.name for event in receipt.events]
    collateral, _ = scene.protocol.market.position(scene.roles.looper)
    assert collateral == minted(scene, 2 * ETHER)


def test_open__loss_that_nobody_booked__goes_by_what_minting_gives_now(scene: Deployment) -> None:
    """The pool gives more than the booked rate, by which it is asked first, and less than a deposit
    mints at the live one: nothing goes there, not even to come back."""
    add_far_liquidity(scene)
    push_lrt_price(scene, 999 * WAD // 1_000)
    vault, router, looper = scene.protocol.vault, scene.protocol.router, scene.roles.looper
    scene.world.slash(WAD // 100)
    staked = Lido.now(scene).shares_down(2 * ETHER)
    booked, live = vault.convertToShares(staked), vault.previewDeposit(staked)
    given = pool_gives(scene, 2 * ETHER, 1)[1]
    assert booked < given < live
    receipt = open_with(scene, "weth", ETHER, ETHER)
    assert scene.protocol.market.position(looper)[0] == live
    swap = scene.protocol.swap.address
    assert [event for event in receipt.events if swap in event.args.values()] == []
    log = Log(scene)
    assert receipt.events[:3] == [
        log.moved(log.weth, looper, router.address, ETHER),
        log.moved(log.weth, scene.protocol.market.address, router.address, ETHER),
        log.unwrapped(router.address, 2 * ETHER),
    ]


def test_open__sale_leaves_next_to_nothing__goes_back(scene: Deployment) -> None:
    """Too little to mint for: the owner has it back, and the call does not fail."""
    add_far_liquidity(scene)
    push_lrt_price(scene, 995 * WAD // 1_000)
    looper, rate = scene.roles.looper, mint_rate(scene)
    most, _ = pool_gives(scene, 100 * ETHER, rate)
    before = holdings(scene, looper)["weth"]
    with scene.chain.isolated():
        receipt = open_with(scene, "weth", most + 1_000, 0)
        assert holdings(scene, looper)["weth"] == before
        assert [event.name for event in receipt.events].count("Submitted") == 1
    open_with(scene, "weth", most + 999, 0)
    assert holdings(scene, looper)["weth"] == before + 999


def test_open__adapter_cannot_be_read__still_takes_lrt(scene: Deployment) -> None:
    vault, adapter = scene.protocol.vault, scene.protocol.eigenlayer
    lrt = vault.address
    market, looper, router = scene.protocol.market, scene.roles.looper, scene.protocol.router
    lst = vault.previewMint(ETHER)
    scene.world.fund(looper, wsteth=lst)
    scene.world.core.wsteth.approve(lrt, lst, sender=looper)
    vault.mint(ETHER, looper, sender=looper)
    vault.approve(router.address, ETHER, sender=looper)
    scene.chain.set_code(adapter.address, bytes.fromhex("5f5ffd"))
    router.open(market.address, lrt, ETHER, 0, FREE, sender=looper)
    assert market.position(looper) == (ETHER, 0)
    scene.world.fund(looper, weth=ETHER)
    scene.world.core.weth.approve(router.address, ETHER, sender=looper)
    paid = (market.address, scene.world.core.weth.address, ETHER, 0, FREE)
    with reverts("vault: adapter unreadable"):
        router.open(*paid, sender=looper)


def test_open__health_bound_with_a_dead_feed__reverts_and_without_it_is_free(
    scene: Deployment,
) -> None:
    open_with(scene, "wsteth", 10 * ETHER, 5 * ETHER)
    scene.chain.advance(30 * 86_400)
    bounded = (0, UNLIMITED, 0, NO_DEADLINE, WAD)
    with reverts("oracle: stale feed"):
        open_with(scene, "lrt", ETHER, 0, bounded)
    open_with(scene, "lrt", ETHER, 0)


def open_told(scene: Deployment, amount: int, borrow: int, rate: int) -> Receipt:
    """WETH, with the mint rate in the caller's words."""
    token = give(scene, "weth", amount)
    router, market, looper = scene.protocol.router, scene.protocol.market, scene.roles.looper
    asked = (market.address, token, amount, borrow, FREE, rate)
    receipt: Receipt = router.open(*asked, sender=looper)
    return receipt


@pytest.mark.parametrize("rate", [MINT_ALL, UNLIMITED])
def test_open__told_that_all_mints__enters_no_pool(scene: Deployment, rate: int) -> None:
    add_far_liquidity(scene)
    push_lrt_price(scene, 995 * WAD // 1_000)
    expected = minted(scene, 2 * ETHER)
    receipt = open_told(scene, ETHER, ETHER, rate)
    assert "Swap" not in [event.name for event in receipt.events]
    assert scene.protocol.market.position(scene.roles.looper)[0] == expected


@pytest.mark.parametrize("more", [0, WAD // 1_000])
def test_open__told_a_rate__buys_as_long_as_the_pool_gives_it(scene: Deployment, more: int) -> None:
    add_far_liquidity(scene)
    push_lrt_price(scene, 995 * WAD // 1_000)
    rate = mint_rate(scene) + more
    sold, got = pool_gives(scene, 41 * ETHER, rate)
    rest = minted(scene, 41 * ETHER - sold)
    assert 0 < sold < 41 * ETHER
    receipt = open_told(scene, 40 * ETHER, ETHER, rate)
    assert scene.protocol.market.position(scene.roles.looper)[0] == got + rest
    names = [event.name for event in receipt.events]
    assert (names.count("Swap"), names.count("Submitted")) == (1, 1)


def test_open__told_a_rate_that_the_pool_does_not_give__mints_all(scene: Deployment) -> None:
    expected = minted(scene, 2 * ETHER)
    receipt = open_told(scene, ETHER, ETHER, mint_rate(scene))
    assert "Swap" not in [event.name for event in receipt.events]
    assert scene.protocol.market.position(scene.roles.looper)[0] == expected


def test_open__told_a_rate_below_what_minting_gives__is_held_to_the_bounds(
    scene: Deployment,
) -> None:
    """A wrong word may sell for too little, but never below the least collateral."""
    token, least = give(scene, "weth", ETHER), minted(scene, ETHER)
    router, market, looper = scene.protocol.router, scene.protocol.market, scene.roles.looper
    bounds = (least, UNLIMITED, 0, NO_DEADLINE, 0)
    with reverts("router: collateral below bound"):
        router.open(market.address, token, ETHER, 0, bounds, 1, sender=looper)
