"""Sell all of it in a stable pool of Balancer's Vault: what the pool says, or nothing happens."""

import pytest

from relever.chain import Contract, Event
from relever.protocol import UNLIMITED, WAD, Deployment
from tests.lrt_paths import Log
from tests.scene import ETHER, holdings, mint_lrt, reverts
from tests.stable import Stable
from tests.unit.swap.conftest import BOTH, StableCheat, pair, send


def sale_events(
    stable: Stable, sold: Contract, bought: Contract, amounts: tuple[int, int], receiver: str
) -> list[Event]:
    """An allowance of just what is sold, used up, and the Vault's sale."""
    log, swap, vault = Log(stable.scene), stable.swap.address, stable.balancer.vault.address
    sale = {
        "poolId": stable.pool.pool_id,
        "tokenIn": sold.address,
        "tokenOut": bought.address,
        "amountIn": amounts[0],
        "amountOut": amounts[1],
    }
    spent = [] if sold == log.weth else [log.approved(sold, swap, vault, 0)]
    return [
        log.approved(sold, swap, vault, amounts[0]),
        Event("Swap", sale, vault),
        *spent,
        log.moved(sold, swap, vault, amounts[0]),
        log.moved(bought, vault, receiver, amounts[1]),
    ]


@BOTH
@pytest.mark.parametrize("amount", [10**6, 3 * ETHER + 7, 70 * ETHER])
def test_swap__each_direction__pays_what_the_pool_says(
    scene: Deployment, stable: Stable, direction: str, amount: int
) -> None:
    (sold, bought), receiver, trader = (
        pair(scene, direction),
        scene.roles.keeper,
        scene.roles.trader,
    )
    send(scene, stable.swap, sold, amount)
    out, before = stable.quote(sold, bought, amount), holdings(scene, receiver)
    arguments = (sold.address, bought.address, amount, out, receiver)
    assert stable.swap.swap.call(*arguments, sender=trader) == out
    receipt = stable.swap.swap(*arguments, sender=trader)
    assert receipt.events == sale_events(stable, sold, bought, (amount, out), receiver)
    name = "weth" if bought == scene.world.core.weth else "lrt"
    assert holdings(scene, receiver) == {**before, name: before[name] + out}


@BOTH
def test_swap__below_the_bound__reverts(scene: Deployment, stable: Stable, direction: str) -> None:
    sold, bought = pair(scene, direction)
    with scene.chain.isolated():
        send(scene, stable.swap, sold, ETHER)
        out = stable.quote(sold, bought, ETHER)
        with reverts("swap: too little out"):
            stable.swap.swap(sold.address, bought.address, ETHER, out + 1, scene.roles.keeper)
        assert sold.balanceOf(stable.swap.address) == ETHER


def test_swap__pool_pushed_away_in_the_same_block__keeps_to_the_bound(
    scene: Deployment, stable: Stable
) -> None:
    (lrt, weth), caller = pair(scene, "sell lrt"), scene.roles.keeper
    with scene.chain.isolated():
        send(scene, stable.swap, lrt, ETHER)
        least = stable.quote(lrt, weth, ETHER) * 99 // 100
        arguments = (lrt.address, weth.address, ETHER, least, caller)
        attack = stable.push()
        call = stable.swap.swap.build(*arguments, sender=caller)
        *pushed, sold = scene.chain.send_batch([*attack, call], check=False)
        assert all(receipt.status for receipt in pushed)
        assert pushed[-1].block_number == sold.block_number
        assert not sold.status
        assert lrt.balanceOf(stable.swap.address) == ETHER
        with reverts("swap: too little out"):
            stable.swap.swap(*arguments, sender=caller)


def test_swap__no_pool_for_the_pair__reverts(scene: Deployment, stable: Stable) -> None:
    lrt, core = scene.protocol.vault.address, scene.world.core
    for tokens in (
        (lrt, core.wsteth.address),
        (lrt, lrt),
        (lrt, stable.pool.address),
        (stable.pool.address, core.weth.address),
        (scene.roles.stranger, core.weth.address),
    ):
        with reverts("swap: no pool"):
            stable.swap.swap(*tokens, ETHER, 0, scene.roles.keeper)


def test_swap__nothing__reverts(scene: Deployment, stable: Stable) -> None:
    lrt, weth = scene.protocol.vault.address, scene.world.core.weth.address
    with reverts("swap: amount"):
        stable.swap.swap(lrt, weth, 0, 0, scene.roles.keeper)


@pytest.mark.parametrize(
    ("direction", "amount", "reason"),
    [
        ("sell lrt", ETHER, "erc20: transfer amount exceeds balance"),
        ("buy lrt", ETHER, ""),
        # More than the pool's mathematics can multiply.
        ("sell lrt", UNLIMITED, "BAL#003"),
        ("buy lrt", UNLIMITED, "BAL#003"),
    ],
)
def test_swap__without_the_tokens__reverts(
    scene: Deployment, stable: Stable, direction: str, amount: int, reason: str
) -> None:
    sold, bought = pair(scene, direction)
    with reverts(reason):
        stable.swap.swap(sold.address, bought.address, amount, 0, scene.roles.keeper)


@BOTH
def test_swap__more_than_half_of_what_the_pool_has__reverts(
    scene: Deployment, stable: Stable, direction: str
) -> None:
    (sold, bought), caller = pair(scene, direction), scene.roles.keeper
    half = stable.pool.balances()[bought.address] // 2
    enough = 150 * ETHER
    send(scene, stable.swap, sold, enough)
    # The least amount for which the pool pays more than half.
    low, high = ETHER, enough
    while high - low > 1:
        middle = (low + high) // 2
        paid = stable.quote(sold, bought, middle)
        low, high = (middle, high) if paid <= half else (low, middle)
    arguments = (sold.address, bought.address)
    with reverts("swap: not enough liquidity"):
        stable.swap.swap(*arguments, high, 0, caller, sender=caller)
    assert stable.swap.swap.call(*arguments, low, 0, caller, sender=caller) == half
    # Whoever comes next is welcome to what was sent.
    stable.swap.swap_up_to(*arguments, enough, 2 * WAD, caller, sender=caller)


def test_swap__somebody_elses_gift__changes_nothing_for_the_seller(
    scene: Deployment, stable: Stable
) -> None:
    (lrt, weth), caller = pair(scene, "sell lrt"), scene.roles.keeper
    with scene.chain.isolated():
        send(scene, stable.swap, lrt, 3 * ETHER)
        send(scene, stable.swap, weth, ETHER)
        # To the Vault too, and to the pool.
        mint_lrt(scene, stable.balancer.vault.address, 5 * ETHER)
        mint_lrt(scene, stable.pool.address, 5 * ETHER)
        out = stable.quote(lrt, weth, 2 * ETHER)
        receipt = stable.swap.swap(lrt.address, weth.address, 2 * ETHER, out, caller, sender=caller)
        assert receipt.events == sale_events(stable, lrt, weth, (2 * ETHER, out), caller)
        assert lrt.balanceOf(stable.swap.address) == ETHER
        assert weth.balanceOf(stable.swap.address) == ETHER
        assert lrt.allowance(stable.swap.address, stable.balancer.vault.address) == 0


def sell_whole(cheat: StableCheat, min_out: int = 0) -> None:
    cheat.swap.swap(cheat.sold.address, cheat.bought.address, ETHER, min_out, cheat.pool.address)


def test_swap__pool_pays_more_than_half__reverts(stable_cheat: StableCheat) -> None:
    stable_cheat.pool.set_terms(5 * ETHER + 1)
    with reverts("swap: not enough liquidity"):
        sell_whole(stable_cheat)
    stable_cheat.pool.set_terms(5 * ETHER)
    sell_whole(stable_cheat, min_out=5 * ETHER)


def test_swap__one_unit__is_sold_too(stable_cheat: StableCheat) -> None:
    cheat = stable_cheat
    cheat.pool.set_terms(3)
    arguments = (cheat.sold.address, cheat.bought.address, 1, 3, cheat.pool.address)
    assert cheat.swap.swap.call(*arguments) == 3
    assert cheat.swap.swap_up_to.call(*arguments) == (1, 3)


def test_swap__pool_pays_nothing__reverts(stable_cheat: StableCheat) -> None:
    stable_cheat.pool.set_terms(0)
    with reverts("swap: too little out"):
        sell_whole(stable_cheat, min_out=1)


def test_swap__pool_pays_more_than_it_has__reverts(stable_cheat: StableCheat) -> None:
    stable_cheat.pool.set_terms(10 * ETHER + 2)
    with reverts("BAL#001"):
        sell_whole(stable_cheat)


def test_swap__token_answers_false__reverts(stable_cheat: StableCheat) -> None:
    stable_cheat.pool.set_terms(ETHER)
    stable_cheat.sold.set_answer((0).to_bytes(32, "big"))
    with reverts("BAL#418"):
        sell_whole(stable_cheat)


@pytest.mark.parametrize("inner", ["swap", "swap_up_to"])
@pytest.mark.parametrize("by", ["pool", "sold", "bought"])
def test_swap__in_the_middle_of_a_swap__is_locked(
    stable_cheat: StableCheat, inner: str, by: str
) -> None:
    cheat = stable_cheat
    cheat.pool.set_terms(ETHER)
    hooked = cheat.set_inner_sale(by, inner)
    sell_whole(cheat, min_out=ETHER)
    assert hooked.hook_calls() == 1
    # Without a word: it is the swap's own lock, and not the Vault's.
    assert (hooked.hook_success(), hooked.hook_answer()) == (False, b"")
    assert cheat.sold.balanceOf(cheat.swap.address) == 9 * ETHER
    assert cheat.allowance() == 0


def test_swap__vault_asked_in_the_middle_for_the_allowance__is_locked(
    stable_cheat: StableCheat,
) -> None:
    # While the pool is asked, the allowance stands; the Vault itself lets nobody in.
    cheat = stable_cheat
    cheat.pool.set_terms(ETHER)
    pool_id, funds = cheat.pool.getPoolId(), (cheat.swap.address, False, cheat.pool.address, False)
    sale = (pool_id, 0, cheat.sold.address, cheat.bought.address, ETHER, b"")
    cheat.pool.set_hook(cheat.vault.address, cheat.vault.swap.encode(sale, funds, 0, UNLIMITED))
    sell_whole(cheat, min_out=ETHER)
    assert (cheat.pool.hook_calls(), cheat.pool.hook_success()) == (1, False)
    assert cheat.sold.balanceOf(cheat.vault.address) == ETHER


def in_the_vault(cheat: StableCheat, trader: str) -> None:
    """Somebody's own sale at the Vault, while which the pool makes its call."""
    sale = (cheat.pool.getPoolId(), 0, cheat.sold.address, cheat.bought.address, ETHER, b"")
    cheat.sold.mint(trader, ETHER)
    cheat.sold.approve(cheat.vault.address, ETHER, sender=trader)
    cheat.vault.swap(sale, (trader, False, trader, False), 0, UNLIMITED, sender=trader)
    assert cheat.pool.hook_calls() == 1


def test_swap__in_the_middle_of_a_call_of_the_vault__reverts(
    scene: Deployment, stable_cheat: StableCheat
) -> None:
    cheat = stable_cheat
    cheat.pool.set_terms(ETHER)
    cheat.set_inner_sale("pool", "swap")
    in_the_vault(cheat, scene.roles.trader)
    assert cheat.pool.hook_success() is False
    assert cheat.sold.balanceOf(cheat.swap.address) == 10 * ETHER
