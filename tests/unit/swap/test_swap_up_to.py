"""Sell while each unit fetches enough: the limit, the rest that goes back, and pools that cheat."""

from fractions import Fraction
from math import isqrt

import pytest

from relever.chain import Contract
from relever.protocol import UNLIMITED, WAD, Deployment
from tests.lrt_paths import MILLION, Log, pool_sale
from tests.scene import ETHER, holdings, mint_lrt, reverts
from tests.unit.swap.conftest import BOTH, Cheat, pair, send
from tests.unit.swap.test_swap import Q96


def rate_at(scene: Deployment, sold: Contract, root: int) -> Fraction:
    """What a unit fetches after the fee where the pool's price has this root."""
    price = Fraction(root, Q96) ** 2
    before_fee = price if scene.lrt_pool.token0 == sold.address else 1 / price
    return before_fee * (MILLION - scene.lrt_pool.fee_millionths) / MILLION


def root_of(scene: Deployment) -> int:
    root: int = scene.lrt_pool.contract.slot0()[0]
    return root


@BOTH
def test_swap_up_to__price_stays_above_the_rate__all_is_sold(
    scene: Deployment, direction: str
) -> None:
    swap, caller, receiver = scene.protocol.swap, scene.roles.keeper, scene.roles.stranger
    (sold, bought), amount = pair(scene, direction), 3 * ETHER + 7
    send(scene, swap, sold, amount)
    sale, log = pool_sale(scene.lrt_pool, sold.address, amount), Log(scene)
    least = int(rate_at(scene, sold, root_of(scene)) * WAD * 99 // 100)
    arguments = (sold.address, bought.address, amount, least, receiver)
    assert swap.swap_up_to.call(*arguments, sender=caller) == (amount, sale.amount_out)
    receipt = swap.swap_up_to(*arguments, sender=caller)
    pool = scene.lrt_pool.address
    assert receipt.events[:2] == [
        log.moved(bought, pool, receiver, sale.amount_out),
        log.moved(sold, swap.address, pool, amount),
    ]
    assert len(receipt.events) == 3
    assert root_of(scene) == sale.sqrt_price


@BOTH
@pytest.mark.parametrize("parts", [999_500, 999_837, 990_001])
def test_swap_up_to__price_comes_to_the_rate__stops_there_and_gives_the_rest_back(
    scene: Deployment, direction: str, parts: int
) -> None:
    swap, caller, receiver = scene.protocol.swap, scene.roles.keeper, scene.roles.stranger
    (sold, bought), amount = pair(scene, direction), 150 * ETHER
    send(scene, swap, sold, amount)
    falls = scene.lrt_pool.token0 == sold.address
    least = int(rate_at(scene, sold, root_of(scene)) * WAD) * parts // MILLION
    arguments = (sold.address, bought.address, amount, least, receiver)
    paid, got = swap.swap_up_to.call(*arguments, sender=caller)
    assert 0 < paid < amount
    receipt = swap.swap_up_to(*arguments, sender=caller)
    log, pool = Log(scene), scene.lrt_pool.address
    assert [event for event in receipt.events if event.name != "Swap"] == [
        log.moved(bought, pool, receiver, got),
        log.moved(sold, swap.address, pool, paid),
        log.moved(sold, swap.address, caller, amount - paid),
    ]
    # One root further, or two for an inverse's rounding, and a unit would fetch less.
    root = root_of(scene)
    assert rate_at(scene, sold, root) * WAD >= least
    assert rate_at(scene, sold, root - 2 if falls else root + 1) * WAD < least
    assert got * WAD >= paid * least


@BOTH
def test_swap_up_to__rate_of_zero__moves_the_price_no_further_than_a_swap(
    scene: Deployment, direction: str
) -> None:
    swap, caller = scene.protocol.swap, scene.roles.keeper
    sold, bought = pair(scene, direction)
    send(scene, swap, sold, 500 * ETHER)
    before = root_of(scene)
    falls = scene.lrt_pool.token0 == sold.address
    swap.swap_up_to(sold.address, bought.address, 500 * ETHER, 0, caller, sender=caller)
    assert root_of(scene) == (before - before // 20 if falls else before + before // 20)


@BOTH
@pytest.mark.parametrize("least", ["a unit above", "highest price", "all"])
def test_swap_up_to__rate_that_no_unit_fetches__gives_all_back(
    scene: Deployment, direction: str, least: str
) -> None:
    swap, caller = scene.protocol.swap, scene.roles.keeper
    sold, bought = pair(scene, direction)
    send(scene, swap, sold, ETHER)
    now = int(rate_at(scene, sold, root_of(scene)) * WAD)
    rate = {"a unit above": now + 1, "highest price": WAD << 128, "all": UNLIMITED}[least]
    arguments = (sold.address, bought.address, ETHER, rate, scene.roles.stranger)
    assert swap.swap_up_to.call(*arguments, sender=caller) == (0, 0)
    receipt = swap.swap_up_to(*arguments, sender=caller)
    assert receipt.events == [Log(scene).moved(sold, swap.address, caller, ETHER)]


def test_swap_up_to__pair_without_a_pool__gives_all_back(scene: Deployment) -> None:
    swap, core, caller = scene.protocol.swap, scene.world.core, scene.roles.keeper
    send(scene, swap, core.weth, 2 * ETHER)
    for bought in (core.steth.address, core.weth.address):
        arguments = (core.weth.address, bought, ETHER, 0, scene.roles.stranger)
        assert swap.swap_up_to.call(*arguments, sender=caller) == (0, 0)
        receipt = swap.swap_up_to(*arguments, sender=caller)
        assert receipt.events == [Log(scene).moved(core.weth, swap.address, caller, ETHER)]


def test_swap_up_to__nothing__does_nothing(scene: Deployment) -> None:
    swap, core, caller = scene.protocol.swap, scene.world.core, scene.roles.keeper
    pair = scene.protocol.vault.address, core.weth.address
    receipt = swap.swap_up_to(*pair, 0, 0, caller, sender=caller)
    assert receipt.events == []


@pytest.mark.parametrize("amount", [2**255, 2**256 - 1])
def test_swap_up_to__amount_that_no_pool_takes__reverts(scene: Deployment, amount: int) -> None:
    pair = scene.protocol.vault.address, scene.world.core.weth.address
    with reverts("swap: amount"):
        scene.protocol.swap.swap_up_to(*pair, amount, 0, scene.roles.stranger)


@pytest.mark.parametrize("rate", [0, WAD // 2, UNLIMITED])
def test_swap_up_to__without_the_tokens__reverts(scene: Deployment, rate: int) -> None:
    pair = scene.protocol.vault.address, scene.world.core.weth.address
    with reverts("erc20: transfer amount exceeds balance"):
        scene.protocol.swap.swap_up_to(*pair, ETHER, rate, scene.roles.stranger)


def test_swap_up_to__pool_pushed_away_before__sells_nothing_below_the_rate(
    scene: Deployment,
) -> None:
    # Someone sells first, in the same block: the price is below the rate that was fair.
    swap, weth, caller = scene.protocol.swap, scene.world.core.weth, scene.roles.keeper
    vault, trader = scene.protocol.vault, scene.roles.trader
    least = int(rate_at(scene, vault, root_of(scene)) * WAD * 999 // 1_000)
    mint_lrt(scene, trader, 60 * ETHER)
    scene.world.swap(scene.lrt_pool, vault, 60 * ETHER, trader)
    send(scene, swap, vault, 5 * ETHER)
    pushed, before = root_of(scene), holdings(scene, caller)
    swap.swap_up_to(vault.address, weth.address, 5 * ETHER, least, caller, sender=caller)
    assert root_of(scene) == pushed
    after = holdings(scene, caller)
    assert after["lrt"] == before["lrt"] + 5 * ETHER
    assert after["weth"] == before["weth"]


def sell_some(cheat: Cheat, rate: int = 0) -> tuple[int, int]:
    arguments = (cheat.sold.address, cheat.bought.address, ETHER, rate, cheat.pool.address)
    answer: tuple[int, int] = cheat.swap.swap_up_to.call(*arguments)
    cheat.swap.swap_up_to(*arguments)
    return answer


def test_swap_up_to__pool_takes_a_part__rest_goes_to_the_caller(cheat: Cheat) -> None:
    cheat.pool.set_terms(ETHER // 4, ETHER // 4, ETHER // 3)
    assert sell_some(cheat) == (ETHER // 4, ETHER // 3)
    assert cheat.sold.balanceOf(cheat.pool.address) == ETHER // 4
    # Ten were here before.
    assert cheat.sold.balanceOf(cheat.swap.address) == 9 * ETHER


@pytest.mark.parametrize(
    ("claimed_in", "claimed_out", "reason"),
    [
        (ETHER + 1, ETHER, "swap: more taken than sold"),
        (-1, ETHER, "swap: not enough liquidity"),
        (ETHER, -1, "swap: too little out"),
    ],
)
def test_swap_up_to__pool_claims_what_cannot_be__reverts(
    cheat: Cheat, claimed_in: int, claimed_out: int, reason: str
) -> None:
    cheat.pool.set_terms(0, claimed_in, claimed_out)
    with reverts(reason):
        sell_some(cheat)


def test_swap_up_to__token_answers_false_for_the_rest__reverts(cheat: Cheat) -> None:
    cheat.pool.set_terms(0, 0, 0)
    cheat.sold.set_answer((0).to_bytes(32, "big"))
    with reverts("token: transfer failed"):
        sell_some(cheat)


def test_swap_up_to__in_the_middle_of_a_swap__is_locked(cheat: Cheat) -> None:
    cheat.pool.set_terms(ETHER, ETHER, ETHER)
    arguments = (cheat.sold.address, cheat.bought.address, ETHER, 0, cheat.pool.address)
    # The token sold is asked to sell what is here once more, while it is paid to the pool.
    cheat.sold.set_hook(cheat.swap.address, cheat.swap.swap_up_to.encode(*arguments))
    cheat.swap.swap(*arguments)
    assert cheat.sold.hook_calls() == 1
    assert (cheat.sold.hook_success(), cheat.sold.hook_answer()) == (False, b"")


def fetched(root: int, first: bool) -> Fraction:
    """What a unit fetches in the cheating pool, in WAD, after its fee of 0.3 %."""
    price = Fraction(root, Q96) ** 2
    return (price if first else 1 / price) * WAD * 997 / 1_000


@pytest.mark.parametrize(
    ("first", "root"),
    [
        *((True, root) for root in (Q96, 3 * Q96 + 1, 2**159 - 12_345, 2**80)),
        *((False, root) for root in (Q96, Q96 // 3, 2**33 + 1, 2**112)),
    ],
)
def test_swap_up_to__any_price__limit_is_where_the_rate_is_just_fetched(
    cheat: Cheat, first: bool, root: int
) -> None:
    cheat.pool.set_sqrt_price(root)
    cheat.pool.set_terms(0, 0, 0)
    cheat.bought.mint(cheat.swap.address, ETHER)
    tokens = (cheat.sold, cheat.bought) if first else (cheat.bought, cheat.sold)
    # Two per cent below the price: nearer than a swap may go.
    least = int(fetched(root, first) * 98 / 100)
    arguments = (*(token.address for token in tokens), ETHER, least, cheat.pool.address)
    cheat.swap.swap_up_to(*arguments)
    limit: int = cheat.pool.limit()
    inverse = isqrt((WAD * 997 << 192) // (1_000 * least))
    assert limit == (-(-(2**192) // inverse) if first else inverse)
    assert fetched(limit, first) >= least


# What a price of one fetches after the fee.
AT_ONE = WAD * 997 // 1_000


@pytest.mark.parametrize(
    ("first", "least", "expected"),
    [
        # Where no root is between: not one further.
        (True, 4 * AT_ONE, 2**97),
        (False, 4 * AT_ONE, 2**95),
        # A unit more than a price of 2**96 fetches: one root of the inverse less, and its own
        # inverse rounded up.
        (True, (AT_ONE << 96) + 1, -(-(2**192) // (2**48 - 1))),
        (False, (AT_ONE << 96) + 1, 2**48 - 1),
    ],
)
def test_swap_up_to__rate_at_the_edge_of_a_root__limit_is_exact(
    cheat: Cheat, first: bool, least: int, expected: int
) -> None:
    cheat.pool.set_sqrt_price(expected * 101 // 100 if first else expected * 99 // 100)
    cheat.pool.set_terms(0, 0, 0)
    cheat.bought.mint(cheat.swap.address, ETHER)
    tokens = (cheat.sold, cheat.bought) if first else (cheat.bought, cheat.sold)
    arguments = (*(token.address for token in tokens), ETHER, least, cheat.pool.address)
    cheat.swap.swap_up_to(*arguments)
    assert cheat.pool.limit() == expected


def test_swap_up_to__lowest_rate_of_all__still_binds(cheat: Cheat) -> None:
    # Here a unit of token0 fetches a unit and a half of 1e-18 before the fee, and so not two.
    root = isqrt((3 << 192) // (2 * WAD))
    cheat.pool.set_sqrt_price(root)
    cheat.pool.set_terms(0, 0, 0)
    assert sell_some(cheat, rate=2) == (0, 0)
    assert cheat.pool.limit() == 0
    sell_some(cheat, rate=1)
    assert cheat.pool.limit() == root - root // 20
    cheat.pool.set_sqrt_price(isqrt(2**192 * 101 // (100 * WAD)))
    sell_some(cheat, rate=1)
    assert root - root // 20 > cheat.pool.limit() > isqrt(2**192 // WAD)


@pytest.mark.parametrize("first", [True, False])
def test_swap_up_to__price_just_fetches_the_rate__gives_all_back(cheat: Cheat, first: bool) -> None:
    # There is nothing to sell without leaving the price, and Uniswap refuses to try.
    cheat.pool.set_terms(0, 0, 0)
    cheat.bought.mint(cheat.swap.address, ETHER)
    tokens = (cheat.sold, cheat.bought) if first else (cheat.bought, cheat.sold)
    for rate, sells in ((AT_ONE, False), (AT_ONE - 1, True)):
        arguments = (*(token.address for token in tokens), ETHER, rate, cheat.pool.address)
        with cheat.chain.isolated():
            cheat.swap.swap_up_to(*arguments)
            assert (cheat.pool.limit() > 0) is sells


def test_swap_up_to__one_unit__is_sold_too(cheat: Cheat) -> None:
    cheat.pool.set_terms(1, 1, 0)
    arguments = (cheat.sold.address, cheat.bought.address, 1, 0, cheat.pool.address)
    assert cheat.swap.swap_up_to.call(*arguments) == (1, 0)
    assert cheat.swap.swap.call(*arguments) == 0
